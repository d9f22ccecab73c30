/* Powers and their leases: I2, I3 and I6. */
#include "tests/sim/cluster_check_internal.h"
#include "tests/sim/dbworker.h"
#include "tests/sim/vip.h"

#define SCHEDULING_US 5000u /* an enforcer that runs again needs a moment */
#define FENCE_ASKED_US 450000u

bool check_is_writable(const struct cluster *cluster, unsigned host)
{
    return cluster_up(cluster, host, PROCESS_SERVER) && !cluster->hosts[host].server->read_only;
}

static bool is_paused(const struct cluster *cluster, unsigned host)
{
    const struct cluster_pause *pause = &cluster->check->state.pause;

    return pause->id && cluster_host_of(pause->holder) == host;
}

void cluster_check_released(struct cluster *cluster, unsigned host)
{
    const struct worker_model *worker = cluster->hosts[host].worker;
    const char *name = cluster_host_name(cluster, host);

    if (cluster->config.has_vip && vip_may_hold(cluster, host))
        world_violate(cluster->world, "I6: %s says that it has let go, but vipd has the address or takes it",
                      name);
    /* What an earlier term opened, and nobody was there to fence, is no power of this term's: check_leases.
     */
    if (check_is_writable(cluster, host) &&
        server_epoch(cluster->hosts[host].server) == cluster->world->nodes[host].status.term)
        world_violate(cluster->world, "I6: %s says that it has let go, but its server is writable", name);
    if (cluster_up(cluster, host, PROCESS_WORKER) && (worker->running.id || worker->pending.id) &&
        (worker->running.op == DB_OP_OPEN || worker->pending.op == DB_OP_OPEN))
        world_violate(cluster->world, "I6: %s says that it has let go, but its server is being opened", name);
}

static bool for_longer(uint64_t since_us, uint64_t now_us, uint64_t than_us)
{
    return since_us != 0 && now_us - since_us > than_us;
}

/* Since when its node has no lease; 0: it has one. The end of a lease may be seen late: only hosts with
 * powers are looked at each time. */
static uint64_t without_lease_since_us(struct cluster *cluster, unsigned host)
{
    struct host_check *h = &cluster->check->hosts[host];
    const struct world_node *node = &cluster->world->nodes[host];
    uint64_t now_us = cluster->world->now_us, ended_us;

    if (world_lease_is_live(cluster->world, host) || is_paused(cluster, host)) {
        h->no_lease_since_us = 0;
    } else {
        ended_us = node->lease_until_us ? world_true_us(cluster->world, host, node->lease_until_us) : 0;
        if (h->no_lease_since_us == 0)
            h->no_lease_since_us = ended_us <= h->looked_us ? now_us : ended_us;
        else if (ended_us > h->no_lease_since_us) /* one came and went meanwhile */
            h->no_lease_since_us = ended_us;
    }
    h->looked_us = now_us;
    return h->no_lease_since_us;
}

static void check_leases(struct cluster *cluster, unsigned host, bool address, bool writable)
{
    uint64_t now_us = cluster->world->now_us, since_us = without_lease_since_us(cluster, host);
    uint64_t worker_since_us = cluster_runs_since_us(cluster, host, PROCESS_WORKER), margin_us;
    const char *name = cluster_host_name(cluster, host);

    if (!for_longer(since_us, now_us, SCHEDULING_US))
        return;
    if (address && for_longer(cluster_runs_since_us(cluster, host, PROCESS_VIPD), now_us, SCHEDULING_US))
        world_violate(cluster->world, "I6: %s has the address without a lease", name);
    /* A worker that came late has not been told this lease, or finds an open server: it needs the time of a
     * whole fence, counted from its start and a first election timeout. */
    margin_us = worker_since_us + cluster->config.world.election_us + FENCE_ASKED_US < since_us
                    ? SCHEDULING_US
                    : FENCE_ASKED_US;
    if (writable && for_longer(worker_since_us, now_us, margin_us) &&
        for_longer(since_us, now_us, margin_us) &&
        /* stopped it answers nobody */
        for_longer(cluster_runs_since_us(cluster, host, PROCESS_SERVER), now_us, margin_us))
        world_violate(cluster->world, "I6: the server of %s is writable without a lease", name);
}

/* One that has the address beside another has a lease, or its vipd is dead or stopped. */
static void check_address(struct cluster *cluster, unsigned host)
{
    uint64_t now_us = cluster->world->now_us;

    if (world_lease_is_live(cluster->world, host))
        return;
    if (for_longer(cluster_runs_since_us(cluster, host, PROCESS_VIPD), now_us, SCHEDULING_US) ||
        now_us > vip_kernel_until_us(cluster, host))
        world_violate(cluster->world, "I2: %s has the address beside another, without a lease",
                      cluster_host_name(cluster, host));
}

bool check_can_answer(const struct cluster *cluster, unsigned host)
{
    return check_is_writable(cluster, host) && !cluster_stopped(cluster, host, PROCESS_SERVER) &&
           server_has_acknowledgers(cluster, host);
}

void cluster_check_step(struct cluster *cluster)
{
    unsigned answering = 0, addresses = 0;

    for (unsigned i = 0; i < cluster->data_count; i++) {
        bool address = vip_address_is_here(cluster, i), writable = check_is_writable(cluster, i);
        if (!address && !writable)
            continue;
        /* One that was never ours keeps to no lease, and is taken over, or closed, by the policy. */
        check_leases(cluster, i, address, writable && server_epoch(cluster->hosts[i].server) > 0);
        addresses += address;
        answering += writable && server_epoch(cluster->hosts[i].server) > 0 && check_can_answer(cluster, i);
    }
    /* With durability = "available" nothing but the fence keeps an old primary from it: "only power fencing
     * helps". */
    if (answering > 1 && !cluster->config.available)
        world_violate(cluster->world, "I3: %u servers can answer commits at once", answering);
    for (unsigned i = 0; addresses > 1 && i < cluster->data_count; i++)
        if (vip_address_is_here(cluster, i))
            check_address(cluster, i);
}
