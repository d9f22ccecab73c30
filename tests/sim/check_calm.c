/* What must come once the faults are over: I8. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/cluster_check_internal.h"
#include "tests/sim/vip.h"

unsigned cluster_serving(const struct cluster *cluster)
{
    for (unsigned i = 0; i < cluster->data_count; i++)
        if (check_can_answer(cluster, i) && !cluster->hosts[i].server->closing && cluster->hosts[i].powered &&
            (!cluster->config.has_vip || vip_address_is_here(cluster, i)))
            return i;
    return cluster->world->node_count;
}

void cluster_check_calm(struct cluster *cluster)
{
    cluster->check->calm_us = cluster->world->now_us;
    for (unsigned i = 0; i < cluster->data_count; i++)
        cluster->check->hosts[i].calm_incarnation =
            cluster_runs(cluster, i, PROCESS_SERVER) ? cluster->hosts[i].server->incarnation : 0;
}

static bool is_there(const struct cluster *cluster, unsigned host)
{
    return cluster->hosts[host].powered && !cluster->faults.agent_stays_down[host];
}

/* The member itself, not the one that came in its place when its disks were lost. */
static bool member_is_there(const struct cluster *cluster, uint64_t id)
{
    unsigned host = cluster_host_of(id);

    return cluster->world->nodes[host].id == id && is_there(cluster, host);
}

/* A member that is there, and has what it had received: a restart may have cost it that. */
static bool counts_as_before(const struct cluster *cluster, const struct sync_member *member)
{
    unsigned host = cluster_host_of(member->node);

    return member_is_there(cluster, member->node) &&
           (cluster->config.kind != SERVER_ONE_WAIT ||
            cluster->check->hosts[host].calm_incarnation == member->incarnation);
}

/* As whoever knows of the newest change has it. */
static const struct raft_membership *newest_membership(const struct cluster *cluster)
{
    const struct raft_membership *newest = &cluster->world->founding;
    uint64_t index = 0;

    for (unsigned i = 0; i < cluster->world->node_count; i++) {
        const struct world_node *node = &cluster->world->nodes[i];
        if (!node->up || node->status.membership_index < index || raft_membership(node->raft)->count == 0)
            continue;
        index = node->status.membership_index;
        newest = raft_membership(node->raft);
    }
    return newest;
}

static bool has_quorum(const struct cluster *cluster)
{
    const struct raft_membership *membership = newest_membership(cluster);
    unsigned voters = 0, there = 0;

    for (unsigned i = 0; i < membership->count; i++) {
        voters += membership->members[i].voter;
        there += membership->members[i].voter && member_is_there(cluster, membership->members[i].id);
    }
    return there > voters / 2;
}

/* NULL: somebody must serve; otherwise why the rules forbid it. */
static const char *forbidden(const struct cluster *cluster)
{
    const struct cluster_state *state = &cluster->check->state;
    unsigned data = 0, others = 0, heard = 0;

    for (unsigned i = 0; i < cluster->data_count; i++)
        data += is_there(cluster, i);
    if (!has_quorum(cluster))
        return "there is no quorum";
    if (state->primary.node == 0)
        return data < cluster->data_count ? "a first start needs all servers" : NULL;
    if (member_is_there(cluster, state->primary.node) &&
        !cluster->faults.start_fails[cluster_host_of(state->primary.node)])
        return NULL;
    for (unsigned i = 0; i < state->sync.count; i++) {
        const struct sync_member *member = &state->sync.members[i];
        others += member->node != state->primary.node;
        heard += member->node != state->primary.node && counts_as_before(cluster, member);
    }
    if (others > 0 && heard >= others - state->sync.acks + 1)
        return NULL;
    return "not every possible acknowledger is represented by members that are there as they were in sync";
}

bool cluster_check_settled(struct cluster *cluster, bool *serves)
{
    unsigned host = cluster_serving(cluster);
    const char *why_not = forbidden(cluster);

    *serves = host < cluster->data_count &&
              cluster->check->hosts[host].answered_us + 500000 > cluster->world->now_us;
    if (!*serves && why_not == NULL)
        world_violate(cluster->world, "I8: nobody serves, though the faults are over since %.3f s",
                      (double)(cluster->world->now_us - cluster->check->calm_us) / 1e6);
    if (*serves && why_not != NULL && strcmp(why_not, "there is no quorum") == 0)
        world_violate(cluster->world, "I6: %s serves without a quorum", cluster_host_name(cluster, host));
    return cluster->world->violation[0] == '\0';
}
