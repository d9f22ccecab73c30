#include "client/ctl.h"

/* Beyond the time that the stop of writes may take: the look before it, election, promotion, the address, the
 * reply. */
#define SWITCHOVER_EXTRA_MS 50000

static json_t *switchover_to_json(const Mha__ControlReply *reply)
{
    json_t *json = check_to_json(reply);

    if (json && reply->error[0])
        json_object_set_new(json, "error", ctl_text_json(reply->error));
    if (json && reply->message[0])
        json_object_set_new(json, "message", ctl_text_json(reply->message));
    return json;
}

/* What was done, or what stands in the way. */
static enum ctl_exit tell(struct ctl *ctl, const Mha__ControlReply *reply)
{
    bool refused = reply->error[0] || check_is_fatal(reply);
    enum ctl_exit result = CTL_OK;

    if (ctl->json) {
        result = ctl_print_json(ctl, switchover_to_json(reply));
    } else {
        check_print_findings(ctl, reply);
        if (!reply->error[0])
            fprintf(ctl->out, "%s\n",
                    reply->message[0] ? reply->message
                    : refused         ? "A switchover would be refused now."
                                      : "A switchover is possible now.");
    }
    if (reply->error[0])
        fprintf(ctl->err, "mhactl: %s\n", reply->error);
    return result == CTL_OK && refused ? CTL_REFUSED : result;
}

enum ctl_exit ctl_switchover(struct ctl *ctl, int argc, char **argv)
{
    Mha__SwitchoverRequest switchover = MHA__SWITCHOVER_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    const char *to = "";
    uint32_t timeout_ms = 0;
    bool check = false;
    const struct ctl_option options[] = {
        {.name = "to", .value = &to},
        /* Here --timeout bounds the stop of writes; the wait for the reply is longer by what else it takes.
         */
        {.name = "timeout", .number = &timeout_ms},
        {.name = "check", .flag = &check},
        {0},
    };
    uint32_t wait_ms = CTL_COMMAND_TIMEOUT_MS;
    Mha__ControlReply *reply;
    enum ctl_exit result;

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    if (timeout_ms + SWITCHOVER_EXTRA_MS > wait_ms)
        wait_ms = timeout_ms + SWITCHOVER_EXTRA_MS;
    switchover.to = (char *)to;
    switchover.timeout_ms = timeout_ms;
    switchover.check = check;
    request.body_case = MHA__CONTROL_REQUEST__BODY_SWITCHOVER;
    request.switchover = &switchover;
    result = ctl_ask_whole(ctl, &request, wait_ms, &reply);
    if (reply)
        result = tell(ctl, reply);
    mha4rdb_reply_free(reply);
    return result;
}
