/* available.c - durability = "available": an operator's choice of asynchronous replication, with a bound on
 * what a failover may lose.
 *
 * Commits wait for nobody (M = {primary}, k = 0), and a failover takes the best node that is heard if it lags
 * by no more than lag_most. How far a replica lags behind a primary that is gone cannot be asked any more, so
 * each node keeps some marks of where the primary's log ended, and when: a replica that holds a mark lags by
 * no more than what came after it. Only marks of a primary that has the same setting are kept: a sync set of
 * one under "quorum" is a cluster that has lost its replicas, and binds whoever comes back. */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

void policy_track_marks(struct policy_marks *marks, const struct policy_input *input)
{
    const struct cluster_primary *primary = &input->state->primary;
    const struct policy_node *node = policy_find_node(input, primary->node);
    const Mha__DbObservation *db = node ? policy_fresh_db(input, node) : NULL;
    uint64_t interval_us = input->settings.lag_most_us / (POLICY_MARKS - 2);
    struct position end;

    if (marks->epoch != primary->epoch)
        *marks = (struct policy_marks){.epoch = primary->epoch};
    if (!input->settings.durability_available || !db || !node->report ||
        !node->report->durability_available || db->state != MHA__DB_STATE__DB_UP || !db->open ||
        !position_parse(db->executed, &end))
        return;
    /* The newest of all is kept beside, so that the last one is never far from the end. */
    if (marks->count == 0 || input->now_us - marks->list[marks->count - 1].at_us >= interval_us) {
        if (marks->count == POLICY_MARKS) {
            memmove(&marks->list[0], &marks->list[1], (POLICY_MARKS - 1) * sizeof marks->list[0]);
            marks->count--;
        }
        marks->list[marks->count].at_us = input->now_us;
        marks->list[marks->count++].end = end;
    }
    marks->last_us = input->now_us;
    marks->last = end;
}

/* For so long the primary was not heard by this node, but may have gone on with others: until the election
 * that ended it, less what every election takes (E, the candidates' spread, a report and a heartbeat). */
static uint64_t out_of_sight_us(const struct policy_input *input)
{
    uint64_t end_us = input->raft->role == RAFT_LEADER ? input->raft->leader_since_us : input->now_us;
    uint64_t usual_us = input->settings.election_us * 3 / 2 + 2 * input->settings.heartbeat_us;
    uint64_t until_us = input->marks->last_us + usual_us;

    return end_us > until_us ? end_us - until_us : 0;
}

bool policy_lag_us(const struct policy_input *input, const Mha__DbObservation *db, uint64_t *lag_us)
{
    const struct policy_marks *marks = input->marks;
    struct position received;

    if (!marks || marks->epoch != input->state->primary.epoch || marks->count == 0 ||
        !position_parse(db->received, &received))
        return false;
    *lag_us = out_of_sight_us(input);
    if (position_contains(&received, &marks->last))
        return true;
    for (unsigned i = marks->count; i-- > 0;)
        if (position_contains(&received, &marks->list[i].end)) {
            *lag_us += marks->last_us - marks->list[i].at_us;
            return true;
        }
    return false;
}

bool policy_may_lose(const struct policy_input *input)
{
    return input->settings.durability_available && input->state->sync.acks == 0;
}

bool policy_lags_little(const struct policy_input *input, const struct policy_node *node, char *why,
                        size_t size)
{
    uint64_t lag_us;

    if (!policy_lag_us(input, policy_fresh_db(input, node), &lag_us)) {
        snprintf(why, size,
                 "how far it lags behind %s is not known, or too far: bring that back, or accept the loss "
                 "with mhactl "
                 "failover --to %s --accept-data-loss",
                 policy_node_name(input, input->state->primary.node), node->name);
        return false;
    }
    if (lag_us > input->settings.lag_most_us) {
        snprintf(why, size, "it lags behind %s by %llu ms, more than lag_most_ms allows",
                 policy_node_name(input, input->state->primary.node), (unsigned long long)(lag_us / 1000));
        return false;
    }
    return true;
}
