/* summary.c - the state in words, for mhactl status. */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

const char *policy_node_role(const struct policy_input *input, const struct policy_node *node)
{
    const struct cluster_primary *primary = &input->state->primary;
    const Mha__DbObservation *db = policy_fresh_db(input, node);

    if (node->arbiter)
        return "arbiter";
    if (!db)
        return "unknown";
    if (node->id == primary->node && primary->opened && db->open)
        return "primary";
    if (primary->node && db->source_epoch == primary->epoch && db->source[0])
        return "replica";
    return "closed";
}

const char *policy_node_health(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db;

    if (!policy_node_reachable(input, node))
        return node->heard_us ? "not heard" : "never heard";
    if (node->arbiter)
        return "ok";
    db = policy_fresh_db(input, node);
    if (!db)
        return "no report";
    if (node->report && node->report->durability_available != input->settings.durability_available)
        return "its durability setting is another one than here";
    switch (db->state) {
    case MHA__DB_STATE__DB_DOWN:
        return "database down";
    case MHA__DB_STATE__DB_HUNG:
        return "database hangs";
    case MHA__DB_STATE__DB_REFUSED:
        return db->trouble[0] ? db->trouble : "database refuses our account";
    case MHA__DB_STATE__DB_UP:
        return db->trouble[0] ? db->trouble : "ok";
    default:
        return "database not seen yet";
    }
}

static unsigned voters_reachable(const struct policy_input *input, unsigned *all)
{
    unsigned reachable = 0;

    *all = 0;
    for (unsigned i = 0; i < input->node_count; i++) {
        if (input->nodes[i].learner)
            continue;
        *all += 1;
        reachable += policy_node_reachable(input, &input->nodes[i]);
    }
    return reachable;
}

static void summarise(const struct policy_input *input, char *text, size_t size)
{
    const struct cluster_state *state = input->state;
    const struct policy_node *primary = policy_find_node(input, state->primary.node);
    unsigned all, reachable = voters_reachable(input, &all);
    bool open = primary && strcmp(policy_node_role(input, primary), "primary") == 0;
    size_t used;

    if (reachable <= all / 2) {
        used = (size_t)snprintf(
            text, size,
            "No quorum: %u of %u members are heard here; nothing can be opened. Missing:", reachable, all);
        for (unsigned i = 0; i < input->node_count && used < size; i++)
            if (!input->nodes[i].learner && !policy_node_reachable(input, &input->nodes[i]))
                used += (size_t)snprintf(text + used, size - used, " %s", input->nodes[i].name);
        return;
    }
    if (state->primary.node == 0)
        snprintf(text, size, "Waiting for the first start.");
    else if (!open)
        snprintf(text, size, "No primary is open; the last one was %s (epoch %llu).",
                 policy_node_name(input, state->primary.node), (unsigned long long)state->primary.epoch);
    else if (state->sync.acks == 0 && input->settings.durability_available)
        snprintf(text, size,
                 "%s serves; durability is \"available\": commits wait for nobody, and a failover may lose "
                 "acknowledged writes of up to %llu ms.",
                 primary->name, (unsigned long long)(input->settings.lag_most_us / 1000));
    else if (state->sync.acks == 0)
        snprintf(text, size, "%s serves alone: no other node holds every acknowledged write.", primary->name);
    else
        snprintf(text, size, "%s serves; every commit waits for %u acknowledgement%s.", primary->name,
                 state->sync.acks, state->sync.acks == 1 ? "" : "s");
}

/* A replica that could join the sync set at once. */
static bool has_standby(const struct policy_input *input)
{
    for (unsigned i = 0; i < input->node_count; i++)
        if (!cluster_sync_find(&input->state->sync, input->nodes[i].id) &&
            policy_willing(input, &input->nodes[i]))
            return true;
    return false;
}

/* Somebody else may be promoted in its place. */
static bool has_successor_to(const struct policy_input *input, const struct policy_node *primary)
{
    char why[CLUSTER_TEXT_BYTES];

    for (unsigned i = 0; i < input->node_count; i++)
        if (&input->nodes[i] != primary && policy_node_reachable(input, &input->nodes[i]) &&
            policy_promotable(input, &input->nodes[i], why, sizeof why))
            return true;
    return false;
}

/* One sentence for each single failure that would hurt. */
static void next_failure(const struct policy_input *input, char *text, size_t size)
{
    const struct cluster_state *state = input->state;
    unsigned all, reachable = voters_reachable(input, &all);
    bool spare_vote = reachable - 1 > all / 2;
    size_t used = 0;

    text[0] = '\0';
    if (all == 1) {
        snprintf(text, size,
                 "Any failure of this host stops the service until it is back: there is no other node.");
        return;
    }
    for (unsigned i = 0; i < input->node_count && used < size; i++) {
        const struct policy_node *node = &input->nodes[i];
        const char *then;
        if (!policy_node_reachable(input, node))
            continue;
        if (node->learner)
            then = "nothing changes for clients";
        else if (!spare_vote)
            then = "no quorum: everything is fenced until a member is back";
        else if (node->id == state->primary.node && state->pause.id)
            then = "it restarts in place, or nobody takes over before the pause is over";
        else if (node->id == state->primary.node && policy_may_lose(input))
            then = has_successor_to(input, node)
                       ? "the node that lags least takes over, and acknowledged writes may be lost"
                       : "no other node lags little enough to take over";
        else if (node->id == state->primary.node && state->sync.acks == 0)
            then = "no other node may be promoted: the service stops until it is back, or an operator "
                   "accepts the loss of data";
        else if (node->id == state->primary.node)
            then = "a member of the sync set takes over, nothing is lost";
        else if (!cluster_sync_find(&state->sync, node->id))
            then = "nothing changes for clients";
        else if (state->sync.count - 2 >= state->sync.acks)
            then = "nothing changes for clients: enough others acknowledge, and it leaves the sync set";
        else if (has_standby(input))
            then = "writes wait until another replica acknowledges in its place, then go on";
        else
            then = "writes wait until it has left the sync set, then go on";
        used += (size_t)snprintf(text + used, size - used, "%sIf %s fails: %s.", used ? "\n" : "", node->name,
                                 then);
    }
}

void policy_summary(const struct policy_input *input, char *summary, size_t summary_size, char *if_one_fails,
                    size_t if_one_fails_size)
{
    summarise(input, summary, summary_size);
    next_failure(input, if_one_fails, if_one_fails_size);
}
