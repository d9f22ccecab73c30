#include "client/ctl.h"

/* Beyond the time that the stop of writes may take: election, promotion, the address, the reply. */
#define SWITCHOVER_EXTRA_MS 30000

enum ctl_exit ctl_switchover(struct ctl *ctl, int argc, char **argv)
{
    Mha__SwitchoverRequest switchover = MHA__SWITCHOVER_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    const char *to = "";
    uint32_t timeout_ms = 0;
    const struct ctl_option options[] = {
        {.name = "to", .value = &to},
        /* Here --timeout bounds the stop of writes; the wait for the reply is longer by what else it takes.
         */
        {.name = "timeout", .number = &timeout_ms},
        {0},
    };
    uint32_t wait_ms = CTL_COMMAND_TIMEOUT_MS;

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    if (timeout_ms + SWITCHOVER_EXTRA_MS > wait_ms)
        wait_ms = timeout_ms + SWITCHOVER_EXTRA_MS;
    switchover.to = (char *)to;
    switchover.timeout_ms = timeout_ms;
    request.body_case = MHA__CONTROL_REQUEST__BODY_SWITCHOVER;
    request.switchover = &switchover;
    return ctl_command(ctl, &request, wait_ms);
}
