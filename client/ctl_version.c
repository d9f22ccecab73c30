#include "client/ctl.h"

enum ctl_exit ctl_version(struct ctl *ctl, int argc, char **argv)
{
    Mha__VersionRequest version = MHA__VERSION_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    const struct ctl_option options[] = {{0}};
    Mha__ControlReply *reply;
    enum ctl_exit result;

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    if (!ctl->json)
        fprintf(ctl->out, "mhactl " MHA_VERSION "\n");
    request.body_case = MHA__CONTROL_REQUEST__BODY_VERSION;
    request.version = &version;
    result = ctl_ask(ctl, &request, CTL_TIMEOUT_MS, &reply);
    if (ctl->json)
        ctl_print_json(ctl, json_pack("{s:s s:o}", "mhactl", MHA_VERSION, "agent",
                                      reply ? ctl_text_json(reply->version) : json_null()));
    else if (reply)
        fprintf(ctl->out, "agent  %s\n", reply->version[0] ? reply->version : "unknown");
    mha4rdb_reply_free(reply);
    return result;
}
