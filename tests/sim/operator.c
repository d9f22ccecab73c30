#include "tests/sim/operator.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/database.h"

/* node_count: nobody that would answer. */
static unsigned leader_to_ask(const struct cluster *cluster)
{
    unsigned leader = world_leader(cluster->world);

    if (leader >= cluster->data_count || cluster_stopped(cluster, leader, PROCESS_AGENT))
        return cluster->world->node_count;
    return leader;
}

static bool ask(struct cluster *cluster, enum agent_request request, unsigned to, uint64_t time_us)
{
    unsigned leader = leader_to_ask(cluster);
    char error[256] = "nobody leads";
    bool sound = leader < cluster->data_count &&
                 agent_request(cluster, leader, request, to, time_us, error, sizeof error);

    if (!sound)
        cluster_trace(cluster, leader < cluster->data_count ? leader : 0, "operator: refused: %s", error);
    return sound;
}

bool operator_switchover(struct cluster *cluster, unsigned to, uint64_t timeout_us)
{
    bool sound = ask(cluster, REQUEST_SWITCHOVER, to, timeout_us);

    counts_add(&cluster->world->counts, COUNT_SWITCHOVER_ASKED, sound);
    return sound;
}

bool operator_pause(struct cluster *cluster, uint64_t length_us)
{
    return ask(cluster, REQUEST_PAUSE, cluster->world->node_count, length_us);
}

bool operator_resume(struct cluster *cluster)
{
    return ask(cluster, REQUEST_RESUME, cluster->world->node_count, 0);
}

bool operator_force(struct cluster *cluster, unsigned to)
{
    uint64_t primary = cluster_check_state(cluster)->primary.node;
    bool off = primary != 0 && !cluster->hosts[cluster_host_of(primary)].powered;

    return ask(cluster, off ? REQUEST_FAILOVER_OFF : REQUEST_FAILOVER, to, 0);
}

/* ---- maintenance ---- */

/* What waits for its time; freed by that. */
struct plan {
    struct cluster *cluster;
    unsigned host;
    uint64_t time_us;
};

static void after(struct cluster *cluster, uint64_t delay_us, void (*call)(struct world *, void *),
                  const struct plan *plan)
{
    struct plan *copy = cluster_keep(cluster, sizeof *copy);

    *copy = *plan;
    world_at(cluster->world, cluster->world->now_us + delay_us, call, copy);
}

static void power_returns(struct world *world, void *context)
{
    const struct plan *plan = context;

    (void)world;
    plan->cluster->faults.agent_stays_down[plan->host] = false;
    cluster_power_on(plan->cluster, plan->host);
}

static void power_goes(struct world *world, void *context)
{
    const struct plan *plan = context;

    (void)world;
    if (plan->cluster->calm)
        return; /* the faults are over */
    cluster_power_off(plan->cluster, plan->host);
    after(plan->cluster, plan->time_us, power_returns, plan);
}

static void stop_programs(struct world *world, void *context)
{
    const struct plan *plan = context;
    struct cluster *cluster = plan->cluster;

    (void)world;
    if (plan->host < cluster->data_count && cluster_runs(cluster, plan->host, PROCESS_AGENT))
        agent_tell_to_stop(cluster, plan->host);
    after(cluster, 2 * cluster->world->config.election_us, power_goes, plan);
}

void operator_maintain(struct cluster *cluster, unsigned host, uint64_t for_us)
{
    struct plan plan = {cluster, host, for_us};
    uint64_t election_us = cluster->world->config.election_us;

    counts_add(&cluster->world->counts, COUNT_MAINTENANCE, 1);
    cluster_trace(cluster, host, "operator: maintenance");
    if (cluster_check_state(cluster)->primary.node == cluster->world->nodes[host].id)
        operator_switchover(cluster, cluster->world->node_count, election_us);
    after(cluster, 2 * election_us, stop_programs, &plan);
}

/* ---- a disaster ---- */

static void accept_loss(struct world *world, void *context)
{
    const struct plan *plan = context;

    (void)world;
    if (!plan->cluster->calm && cluster_serving(plan->cluster) == plan->cluster->world->node_count)
        operator_force(plan->cluster, plan->host);
}

static void primary_goes(struct world *world, void *context)
{
    struct plan plan = *(const struct plan *)context;
    uint64_t primary = cluster_check_state(plan.cluster)->primary.node;

    if (plan.cluster->calm)
        return;
    for (unsigned i = 0; i < world->node_count; i++)
        cluster_power_on(plan.cluster, i);
    if (primary != 0)
        cluster_power_off(plan.cluster, cluster_host_of(primary));
    after(plan.cluster, 4 * world->config.election_us, accept_loss, &plan);
}

void operator_disaster(struct cluster *cluster, unsigned survivor)
{
    struct plan plan = {cluster, survivor, 0};
    uint64_t primary = cluster_check_state(cluster)->primary.node;

    for (unsigned i = 0; i < cluster->data_count && cluster->data_count <= 2; i++)
        if (cluster->world->nodes[i].id != primary)
            cluster_power_off(cluster, i);
    after(cluster, 4 * cluster->world->config.election_us, primary_goes, &plan);
}

/* ---- upgrades ---- */

static void upgrade_step(struct world *world, void *context);

static void replace_programs(struct cluster *cluster, unsigned host)
{
    cluster_trace(cluster, host, "operator: new programs");
    if (host < cluster->data_count && cluster_runs(cluster, host, PROCESS_AGENT))
        agent_tell_to_stop(cluster, host); /* its dbworker ends with it */
    else
        cluster_kill(cluster, host, PROCESS_AGENT);
    if (host < cluster->data_count)
        cluster_kill(cluster, host, PROCESS_VIPD);
}

/* `host` counts from the last node down to the first; the primary's turn comes at the end. */
static void upgrade_step(struct world *world, void *context)
{
    struct plan plan = *(const struct plan *)context;
    struct cluster *cluster = plan.cluster;
    unsigned primary = cluster_host_of(cluster_check_state(cluster)->primary.node);

    if (cluster->calm)
        plan.host = 0; /* the faults are over */
    if (plan.host == 0) {
        cluster->upgrading = false;
        return;
    }
    plan.host--;
    if (plan.host == primary)
        operator_switchover(cluster, world->node_count, world->config.election_us);
    else
        replace_programs(cluster, plan.host);
    cluster->to_upgrade &= ~(plan.host == primary ? 0 : 1u << plan.host);
    if (plan.host == 0 && cluster->to_upgrade) { /* the one that was left out, now that it is a replica */
        for (unsigned i = 0; i < world->node_count; i++)
            if (cluster->to_upgrade & 1u << i)
                plan.host = i + 1;
        cluster->to_upgrade = 0;
    }
    after(cluster, plan.time_us, upgrade_step, &plan);
}

void operator_upgrade(struct cluster *cluster, uint64_t pace_us)
{
    struct plan plan = {cluster, cluster->world->node_count, pace_us};

    if (cluster->upgrading)
        return;
    cluster->upgrading = true;
    cluster->to_upgrade = (1u << cluster->world->node_count) - 1;
    counts_add(&cluster->world->counts, COUNT_UPGRADE, 1);
    after(cluster, 0, upgrade_step, &plan);
}

/* ---- rebuilding ---- */

static bool is_set_aside(const struct cluster *cluster, unsigned host)
{
    return cluster->world->nodes[host].up &&
           strstr(agent_waiting_for(cluster, host), "mhactl rebuild") != NULL;
}

bool operator_rebuild(struct cluster *cluster, unsigned host)
{
    return !cluster->config.rejoin_auto && is_set_aside(cluster, host) &&
           ask(cluster, REQUEST_REBUILD, host, 0);
}

bool operator_rebuild_any(struct cluster *cluster, unsigned host)
{
    return ask(cluster, REQUEST_REBUILD, host, 0);
}

bool operator_cancel(struct cluster *cluster, unsigned host)
{
    return ask(cluster, REQUEST_CANCEL, host, 0);
}

bool operator_drain(struct cluster *cluster, unsigned host)
{
    return ask(cluster, REQUEST_DRAIN, host, 0);
}

static void look_around(struct world *world, void *context)
{
    const struct plan *plan = context;

    (void)world;
    for (unsigned i = 0; i < plan->cluster->data_count; i++)
        operator_rebuild(plan->cluster, i);
    if (!plan->cluster->calm)
        after(plan->cluster, plan->time_us, look_around, plan);
}

void operator_tend(struct cluster *cluster, uint64_t every_us)
{
    struct plan plan = {.cluster = cluster, .time_us = every_us};

    after(cluster, every_us, look_around, &plan);
}

/* ---- a lost host ---- */

static const struct raft_member *find_member(const struct raft_membership *membership, uint64_t id)
{
    for (unsigned i = 0; i < membership->count; i++)
        if (membership->members[i].id == id)
            return &membership->members[i];
    return NULL;
}

/* mhactl member remove and add, tried again until it is done. */
static void let_in(struct world *world, void *context)
{
    const struct plan *plan = context;
    struct cluster *cluster = plan->cluster;
    unsigned leader = leader_to_ask(cluster);
    const struct raft_membership *membership =
        leader < cluster->data_count ? raft_membership(world->nodes[leader].raft) : NULL;
    uint64_t id = world->nodes[plan->host].id, old = id - WORLD_IDS_STEP;
    const struct raft_member *member = membership ? find_member(membership, id) : NULL;
    enum count_kind count = COUNT_MEMBER_REMOVED;
    enum raft_code code = RAFT_BUSY;

    if (member && member->voter) {
        cluster->replacing = false;
        cluster_trace(cluster, plan->host, "operator: a member again, as %" PRIu64, id);
        return;
    }
    if (membership && find_member(membership, old)) {
        if (agent_may_leave(cluster, leader, old))
            code = world_change_members(world, leader, WORLD_REMOVE_MEMBER, old);
    } else if (membership && !member) {
        count = COUNT_MEMBER_ADDED;
        code = world_change_members(world, leader, WORLD_ADD_LEARNER, id);
    } else if (membership) {
        count = COUNT_MEMBER_PROMOTED;
        code = world_change_members(world, leader, WORLD_MAKE_VOTER, id);
    }
    counts_add(&world->counts, count, code == RAFT_OK);
    after(cluster, world->config.election_us, let_in, plan);
}

/* Everybody is there, and has all: a lost disk takes with it what it had acknowledged a moment ago, and with
 * a second loss at that moment nothing is promised. */
static bool is_whole(const struct cluster *cluster)
{
    const struct cluster_state *state = cluster_check_state(cluster);
    const struct world_node *nodes = cluster->world->nodes;

    for (unsigned i = 0; i < cluster->world->node_count; i++)
        if (!cluster->hosts[i].powered || !nodes[i].up || nodes[i].disk.queue != NULL ||
            nodes[i].status.last_index != nodes[0].status.last_index ||
            nodes[i].status.commit_index != nodes[0].status.last_index)
            return false;
    for (unsigned i = 0; i < state->sync.count; i++) {
        unsigned host = cluster_host_of(state->sync.members[i].node);
        if (!cluster_up(cluster, host, PROCESS_SERVER) ||
            cluster->hosts[host].server->incarnation != state->sync.members[i].incarnation)
            return false;
    }
    return state->sync.acks > 0;
}

bool operator_replace(struct cluster *cluster, unsigned host)
{
    struct plan plan = {cluster, host, 0};

    if (cluster->wiped || cluster->data_count + cluster->config.world.arbiters < 3 || !is_whole(cluster))
        return false;
    cluster->wiped = cluster->replacing = true;
    cluster_wipe(cluster, host);
    after(cluster, 2 * cluster->world->config.election_us, power_returns, &plan);
    after(cluster, 3 * cluster->world->config.election_us, let_in, &plan);
    return true;
}
