#include "client/ctl.h"

enum ctl_exit ctl_resume(struct ctl *ctl, int argc, char **argv)
{
    Mha__ResumeRequest resume = MHA__RESUME_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    const struct ctl_option options[] = {{0}};

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    request.body_case = MHA__CONTROL_REQUEST__BODY_RESUME;
    request.resume = &resume;
    return ctl_command(ctl, &request, CTL_COMMAND_TIMEOUT_MS);
}
