#include "client/ctl.h"

enum ctl_exit ctl_status(struct ctl *ctl, int argc, char **argv)
{
    const char *cluster = "";
    bool confirmed = false;
    const struct ctl_option options[] = {
        {.name = "cluster", .value = &cluster}, {.name = "confirmed", .flag = &confirmed}, {0}};
    Mha__ControlReply *reply;
    enum ctl_exit result;
    bool fine;

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    result = ctl_ask_status(ctl, cluster, confirmed, &reply);
    if (result != CTL_OK)
        return result;
    if (ctl->json)
        result = ctl_print_json(ctl, status_to_json(reply->status));
    else
        status_print(ctl, reply->status);
    fine = status_is_fine(reply->status);
    mha4rdb_reply_free(reply);
    return result == CTL_OK && !fine ? CTL_REFUSED : result;
}
