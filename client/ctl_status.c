#include "client/ctl.h"

enum ctl_exit ctl_status(struct ctl *ctl, int argc, char **argv)
{
    const struct ctl_option options[] = {{0}};
    Mha__ControlReply *reply;
    enum ctl_exit result;
    bool serving;

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    result = ctl_ask_status(ctl, &reply);
    if (result != CTL_OK)
        return result;
    if (ctl->json)
        result = ctl_print_json(ctl, status_to_json(reply->status));
    else
        status_print(ctl, reply->status);
    serving = status_is_serving(reply->status);
    mha4rdb_reply_free(reply);
    return result == CTL_OK && !serving ? CTL_REFUSED : result;
}
