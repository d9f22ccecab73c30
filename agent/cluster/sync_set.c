/* sync_set.c - the leader keeps the sync set right: "weaken = commit first, strengthen = database first".
 *
 * This version keeps at most two members (two data nodes), so every change is {A,B},1 <-> {A},0. */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

#define NEAR_US 1000000u /* a replica this close behind may be counted on */
#define RAISE_TIMEOUT_US 2000000u
#define RAISE_AGAIN_US 5000000u

static void set_rule(const struct policy_input *input, struct policy_output *output, unsigned acks)
{
    policy_db_op(input, output, DB_OP_SET_COMMIT_RULE);
    output->db_epoch = input->raft->term;
    output->db_acks = acks;
}

static void propose_sync(const struct policy_input *input, struct policy_output *output,
                         const struct sync_set *sync, const char *format, const char *node, const char *why)
{
    output->propose = true;
    output->command =
        (struct cluster_command){.kind = COMMAND_SYNC, .epoch = input->raft->term, .sync = *sync};
    output->command.sync.version = input->state->sync.version + 1;
    snprintf(output->command.text, sizeof output->command.text, format, node, why);
}

/* "A drop is proposed only after a quorum has answered a round that was sent after the member was found
 * gone": a leader that is cut off itself must not shrink the set to itself. */
static bool drop_member(const struct policy_tracker *tracker, const struct policy_input *input,
                        struct policy_output *output)
{
    for (unsigned i = 0; i < tracker->node_count; i++) {
        uint64_t since_us = tracker->nodes[i].trouble_since_us;
        uint64_t due_us = since_us + (tracker->nodes[i].at_once ? 0 : input->settings.election_us);
        struct sync_set sync = {.count = 1};
        if (!since_us)
            continue;
        output->db_watch = true;
        if (input->now_us < due_us) {
            policy_again(output, due_us);
            continue;
        }
        if (input->raft->round_sent_us <= since_us)
            continue;
        sync.members[0] = *cluster_sync_find(&input->state->sync, input->self->id);
        propose_sync(input, output, &sync, "%s left the sync set: %s",
                     policy_node_name(input, tracker->nodes[i].id), tracker->nodes[i].trouble);
        return true;
    }
    return false;
}

/* A replica that follows the primary of this epoch and would acknowledge. */
static const Mha__DbObservation *willing(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db = policy_fresh_db(input, node);

    if (node->self || node->arbiter || !db || node->report->term != input->raft->term ||
        db->state != MHA__DB_STATE__DB_UP || !db->receiving || !db->applying || !db->acknowledging ||
        db->source_epoch != input->state->primary.epoch || db->incarnation == 0)
        return NULL;
    return db;
}

static void stop_raising(struct policy_tracker *tracker, uint64_t again_us)
{
    tracker->raising = 0;
    tracker->mark_us = 0;
    tracker->enforced_us = 0;
    tracker->raise_again_us = again_us;
}

static bool take_mark(struct policy_tracker *tracker, const struct policy_input *input)
{
    tracker->mark_us = position_parse(input->db->executed, &tracker->mark) ? input->now_us : 0;
    return tracker->mark_us != 0;
}

static bool holds_mark(const struct policy_tracker *tracker, const char *received)
{
    struct position position;

    return tracker->mark_us && position_parse(received, &position) &&
           position_contains(&position, &tracker->mark);
}

/* "raise k: tell the database first, wait until k members hold the end of the log of that moment, then
 * commit" */
static void raise(struct policy_tracker *tracker, const struct policy_input *input,
                  struct policy_output *output)
{
    const struct policy_node *node = NULL;
    const Mha__DbObservation *replica = NULL;

    for (unsigned i = 0; i < input->node_count && !replica; i++) {
        node = &input->nodes[i];
        if (tracker->raising == 0 || tracker->raising == node->id)
            replica = willing(input, node);
    }
    if (!replica || (tracker->raising && input->now_us - tracker->raising_since_us > RAISE_TIMEOUT_US)) {
        if (tracker->raising)
            stop_raising(tracker, input->now_us + RAISE_AGAIN_US);
        if (input->db->acks != 0)
            set_rule(input, output, 0);
        return;
    }
    output->db_watch = tracker->raising != 0;
    if (input->db->acks == 0) {
        /* Near enough? It has what was the end of the log a moment ago. */
        if (input->now_us < tracker->raise_again_us)
            return;
        if (tracker->mark_us && holds_mark(tracker, replica->received) &&
            input->now_us - tracker->mark_us <= NEAR_US) {
            tracker->raising = node->id;
            tracker->raising_since_us = input->now_us;
            tracker->enforced_us = 0;
            set_rule(input, output, 1);
        } else if (!tracker->mark_us || input->now_us - tracker->mark_us > NEAR_US ||
                   holds_mark(tracker, replica->received)) {
            take_mark(tracker, input);
        }
        return;
    }
    if (!tracker->raising) { /* an earlier agent of ours told the database; carry on from here */
        tracker->raising = node->id;
        tracker->raising_since_us = input->now_us;
        tracker->enforced_us = 0;
    }
    if (!input->db->acks_enforced)
        return;
    if (!tracker->enforced_us) {
        tracker->enforced_us = input->db->observed_us;
        tracker->mark_us = 0;
    }
    if (!tracker->mark_us && (input->db->observed_us <= tracker->enforced_us || !take_mark(tracker, input)))
        return;
    if (holds_mark(tracker, replica->received)) {
        struct sync_set sync = {.count = 2, .acks = 1};
        sync.members[0] = *cluster_sync_find(&input->state->sync, input->self->id);
        sync.members[1] = (struct sync_member){node->id, replica->incarnation};
        propose_sync(input, output, &sync, "%s joined the sync set%s", node->name, "");
    }
}

/* While nothing can be acknowledged, committing first is safe: an opening waits until proposals are decided
 * and the committed rule is in force. */
bool policy_join_closed(const struct policy_input *input, struct policy_output *output)
{
    if (input->state->sync.acks > 0 || !policy_closed(input->db) || input->db_busy)
        return false;
    for (unsigned i = 0; i < input->node_count; i++) {
        const Mha__DbObservation *replica = willing(input, &input->nodes[i]);
        struct sync_set sync = {.count = 2, .acks = 1};
        if (!replica || !policy_holds(replica->received, input->db->executed))
            continue;
        sync.members[0] = *cluster_sync_find(&input->state->sync, input->self->id);
        sync.members[1] = (struct sync_member){input->nodes[i].id, replica->incarnation};
        propose_sync(input, output, &sync, "%s joined the sync set%s", input->nodes[i].name,
                     ": the primary cannot be opened");
        return true;
    }
    return false;
}

void policy_keep_sync_set(struct policy_tracker *tracker, const struct policy_input *input,
                          struct policy_output *output)
{
    const struct sync_set *sync = &input->state->sync;

    if (drop_member(tracker, input, output))
        return;
    if (sync->acks > 0) {
        if (tracker->raising)
            stop_raising(tracker, 0);
        if (input->state->primary.opened && input->db->acks != sync->acks)
            set_rule(input, output, sync->acks);
        return;
    }
    /* While a change of the set is in the log it may count already: the rule in the server may not be
     * weakened, nor may what was observed during an operation on it count. */
    if (!input->state->primary.opened || !input->db->open || input->state->switchover.id ||
        input->proposal_pending || input->db_busy)
        return;
    if (input->db->replicas_locked_out) {
        policy_wait(output, "the server lets no replica connect; setting its commit rule anew");
        set_rule(input, output, 0);
        return;
    }
    raise(tracker, input, output);
}
