/* policy.c - the decision, and how its parts say what is to be done. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

void policy_wait(struct policy_output *output, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(output->waiting_for, sizeof output->waiting_for, format, args);
    va_end(args);
}

void policy_again(struct policy_output *output, uint64_t at_us)
{
    if (at_us < output->again_us)
        output->again_us = at_us;
}

void policy_db_op(const struct policy_input *input, struct policy_output *output, enum policy_db_op op)
{
    output->db_watch = true;
    if (input->failed_op == op && input->now_us < input->failed_us + POLICY_RETRY_US) {
        policy_wait(output, "%s; trying again", input->failed_error);
        policy_again(output, input->failed_us + POLICY_RETRY_US);
        return;
    }
    if (!input->db_busy || op == DB_OP_FENCE)
        output->db_op = op;
}

bool policy_freeze(const struct policy_input *input, struct policy_output *output)
{
    if (!input->db || input->db->state != MHA__DB_STATE__DB_UP)
        return false;
    if (input->db->frozen_term == input->raft->term)
        return true;
    policy_db_op(input, output, DB_OP_FREEZE);
    output->db_epoch = input->raft->term;
    return false;
}

/* How many others could be promoted and hold strictly more than this node, as they said last. The primary
 * does not count: a campaign is for the time without it. */
static unsigned better_others(const struct policy_input *input)
{
    unsigned better = 0;
    char why[CLUSTER_TEXT_BYTES];

    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        if (!node->self && node->id != input->state->primary.node &&
            cluster_sync_find(&input->state->sync, node->id) &&
            policy_promotable(input, node, why, sizeof why) && policy_is_ahead(input, node))
            better++;
    }
    return better;
}

/* The best member leads first; nodes that could not serve let the others go first, but go in the end. */
static uint64_t campaign_delay(const struct policy_input *input, bool promotable)
{
    uint64_t election_us = input->settings.election_us;

    if (input->state->primary.node == 0)
        return 0;
    if (promotable && input->state->sync.count <= 2)
        return 0;
    if (promotable) {
        unsigned better = better_others(input);
        return election_us / 16 * (better < 3 ? better : 3);
    }
    if (!input->db || input->db->state != MHA__DB_STATE__DB_UP)
        return election_us;
    return cluster_sync_find(&input->state->sync, input->self->id) ? election_us / 4 : election_us / 2;
}

void policy_decide(struct policy_tracker *tracker, const struct policy_input *input,
                   struct policy_output *output)
{
    memset(output, 0, sizeof *output);
    output->again_us = input->now_us + input->settings.heartbeat_us;
    output->promotable =
        policy_promotable(input, input->self, output->waiting_for, sizeof output->waiting_for);
    output->campaign_delay_us = campaign_delay(input, output->promotable);
    if (input->raft->role == RAFT_LEADER)
        policy_lead(tracker, input, output);
    else
        policy_follow(tracker, input, output);
}
