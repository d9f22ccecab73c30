#include "client/ctl.h"

enum ctl_exit ctl_pause(struct ctl *ctl, int argc, char **argv)
{
    Mha__PauseRequest pause = MHA__PAUSE_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    const struct ctl_option options[] = {{.name = "length", .number = &pause.length_ms}, {0}};

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    request.body_case = MHA__CONTROL_REQUEST__BODY_PAUSE;
    request.pause = &pause;
    return ctl_command(ctl, &request, CTL_COMMAND_TIMEOUT_MS);
}
