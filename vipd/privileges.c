#include "vipd/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/log.h"

void privileges_take_precedence(void)
{
    const struct sched_param lowest = {.sched_priority = 1};

    /* Not MCL_FUTURE: without CAP_IPC_LOCK later mappings would then fail beyond RLIMIT_MEMLOCK. */
    if (mlockall(MCL_CURRENT | MCL_ONFAULT) < 0)
        log_info("memory is not locked: %s; on a host that swaps, allow it with LimitMEMLOCK=infinity",
                 strerror(errno));
    /* What the unit has chosen stays. An ordinary priority, even the highest, was seen to be 10 ms late on a
     * busy machine. */
    if (sched_getscheduler(0) == SCHED_OTHER &&
        sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) < 0)
        log_info("no real-time scheduling: %s; on a busy host, allow it with CPUSchedulingPolicy=rr",
                 strerror(errno));
}

enum error_code privileges_drop(const struct vipd_settings *settings, struct error *err)
{
    bool root = geteuid() == 0;
    bool change = root && settings->change_user && settings->run_as_uid != 0;

    if (capng_get_caps_process() < 0 || !capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) ||
        !capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW))
        return error_set(err, ERR_REFUSED,
                         "CAP_NET_ADMIN and CAP_NET_RAW are needed and not there; start vipd as root, or "
                         "with AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in its unit");
    capng_clear(CAPNG_SELECT_ALL);
    if (capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN, CAP_NET_RAW, -1) < 0)
        return error_set(err, ERR_INTERNAL, "libcap-ng refuses CAP_NET_ADMIN and CAP_NET_RAW; this is a bug");
    if (change) {
        int problem = capng_change_id((int)settings->run_as_uid, (int)settings->run_as_gid,
                                      CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
        if (problem)
            return error_set(err, ERR_REFUSED,
                             "cannot become user %u (libcap-ng: %d, %s); name a user that exists here in "
                             "run_as, or run_as = \"0\"",
                             (unsigned)settings->run_as_uid, problem, strerror(errno));
    } else if (capng_apply(root ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) < 0) {
        return error_set(err, ERR_REFUSED,
                         "cannot drop the other capabilities: %s; check the unit's CapabilityBoundingSet",
                         strerror(errno));
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set(err, ERR_REFUSED, "no_new_privs: %s; vipd needs Linux 3.5 or later",
                         strerror(errno));
    return ERR_OK;
}
