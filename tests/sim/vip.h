/* vip.h - the model of mha4rdb-vipd (around the real vipd/lease.c), of the kernel's address with its own
 * lifetime, and of the agent's client of vipd (after agent/vip/vip.c). */
#ifndef MHA_SIM_VIP_H
#define MHA_SIM_VIP_H

#include "tests/sim/cluster.h"

/* What the agent knows; as struct vip_state of agent/vip/vip.h. */
struct vip_known {
    bool connected, held, link_up, conflict;
    uint64_t epoch, deadline_us, released_epoch;
    const char *trouble;
};

struct vip_model *vip_model_new(void);
void vip_model_free(struct vip_model *vip);

void vip_daemon_start(struct cluster *cluster, unsigned host);          /* removes what an earlier run left */
void vip_daemon_gone(struct cluster *cluster, unsigned host);           /* its connection breaks */
void vip_host_down(struct cluster *cluster, unsigned host);             /* power: the address is gone */
bool vip_address_is_here(const struct cluster *cluster, unsigned host); /* in its kernel */
bool vip_may_hold(const struct cluster *cluster, unsigned host); /* address, lease, or a lease on its way */
/* World time: not later than this the kernel itself removes the address. */
uint64_t vip_kernel_until_us(const struct cluster *cluster, unsigned host);

/* ---- the agent's client ---- */
void vip_client_start(struct cluster *cluster, unsigned host);
void vip_client_lease(struct cluster *cluster, unsigned host, uint64_t epoch, uint64_t deadline_us);
void vip_client_release(struct cluster *cluster, unsigned host, uint64_t epoch);
/* The last lease that an agent before this one sent is read only now, from the socket that it left. false:
 * there is none, or no vipd. */
bool vip_deliver_late(struct cluster *cluster, unsigned host);
const struct vip_known *vip_client_state(const struct cluster *cluster, unsigned host);

#endif
