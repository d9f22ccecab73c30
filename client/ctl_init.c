#include "client/ctl.h"

enum ctl_exit ctl_init(struct ctl *ctl, int argc, char **argv)
{
    Mha__InitRequest init = MHA__INIT_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    const char *primary = "";
    bool discard = false;
    const struct ctl_option options[] = {
        {.name = "primary", .value = &primary}, {.name = "discard-others", .flag = &discard}, {0}};

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    if (primary[0] == '\0') {
        fprintf(ctl->err, "mhactl init: name the node whose data is the cluster's: --primary NODE\n");
        return CTL_USAGE;
    }
    init.primary = (char *)primary;
    init.discard_others = discard;
    request.body_case = MHA__CONTROL_REQUEST__BODY_INIT;
    request.init = &init;
    return ctl_command(ctl, &request, CTL_COMMAND_TIMEOUT_MS);
}
