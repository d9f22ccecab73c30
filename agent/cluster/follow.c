/* follow.c - what a node does that does not lead: close, start its server, freeze, follow. */
#include <string.h>

#include "agent/cluster/policy_internal.h"

/* A receiver that has given up is told to follow again after so long, then after twice as long each time. */
#define FOLLOW_PAUSE_US 2000000u
#define FOLLOW_PAUSE_MOST_US 16000000u

/* The committed primary is the leader of this very term: our copy of the state is at least as new as its
 * promotion. */
static bool primary_of_this_term(const struct policy_input *input)
{
    return input->raft->leader != 0 && input->state->primary.node == input->raft->leader &&
           input->state->primary.epoch == input->raft->term;
}

/* It says that it may not be promoted though its own state is right: with more than one other member the
 * positions that the promotion rule asks for may be missing (lead.c). */
static bool lacks_positions(const struct policy_input *input, const struct policy_node *leader)
{
    return input->state->sync.count > 2 && !leader->report->promotable;
}

/* "Nothing is cut, rewound, cloned or rebuilt on a member of M: its removal is committed first." */
static void start_server(const struct policy_input *input, struct policy_output *output)
{
    const struct cluster_state *state = input->state;
    const struct policy_node *leader = policy_find_node(input, input->raft->leader);
    char why[CLUSTER_TEXT_BYTES];

    if (!input->raft->current) {
        /* The log as far as it is known here may be old, even empty: it does not tell whether the tail may be
         * cut. */
        policy_wait(output, "the database is down; how it is started depends on what a leader knows");
        return;
    }
    if (state->primary.node == input->self->id) {
        /* It may hold writes that nobody acknowledged: they stay (in place) only if no other node can be
         * promoted. */
        if (!leader || leader->arbiter || !policy_fresh_db(input, leader) ||
            leader->report->term != input->raft->term ||
            (policy_promotable(input, leader, why, sizeof why) && !lacks_positions(input, leader))) {
            policy_wait(output, "the database is down; waiting whether another node is promoted");
            return;
        }
        output->server_op = SERVER_OP_START_IN_PLACE;
    } else if (state->primary.node == 0 || cluster_sync_find(&state->sync, input->self->id)) {
        output->server_op = SERVER_OP_START_IN_PLACE;
    } else {
        /* Its removal is committed, and while it is down it is not taken in again. */
        output->server_op = SERVER_OP_START_TO_FOLLOW;
    }
    policy_wait(output, "starting the database");
    if (input->server_busy)
        output->server_op = SERVER_OP_NONE;
}

/* "add a member at the same k: commit first, then let it acknowledge". Where each node has an account of its
 * own, who is not counted by the primary's server stands by, and changes over when that changes. Who is
 * counted there, but by the committed rule is no member, is withdrawn there any moment, or its copy of the
 * rule is old: until that is settled it stands by, too. (With named waits it is enough not to be named.) */
static bool stands_by(const struct policy_input *input, const Mha__DbObservation *primary)
{
    if (!policy_tells_nodes_apart(input, primary))
        return false;
    if (cluster_aside_find(input->state, input->self->id) &&
        !cluster_sync_find(&input->state->sync, input->self->id))
        return true;
    return !policy_counts_there(primary, input->self->name) ||
           (input->state->sync.acks > 0 && !cluster_sync_find(&input->state->sync, input->self->id));
}

/* Where the accounts are not one per node, whoever follows may acknowledge: with a third database no newcomer
 * follows while commits wait for a replica. */
static bool would_be_counted(const struct policy_input *input, const Mha__DbObservation *primary)
{
    return input->settings.acks_kind != ACKS_NAMED && !primary->acknowledgers_known &&
           policy_databases(input) > 2 && !cluster_sync_find(&input->state->sync, input->self->id) &&
           (primary->acks > 0 || input->state->sync.acks > 0);
}

/* It was told to follow, and its receiver has given up: a password that was wrong or had expired, a limit of
 * tries, a log that was not there. The server does not try again by itself. With a stopped applier it is left
 * alone, for a start with both stopped may throw away what was received; and one that a person stopped shows
 * no error. */
static bool receiver_has_failed(const Mha__DbObservation *db)
{
    return db->receiver_stopped && !db->receiving && db->applying &&
           (db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_REPLICATION_REFUSED ||
            db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_RECEIVER_FAILS);
}

/* Whether it is to be told to follow once more: at growing intervals, until it receives. */
static bool follows_again(struct policy_tracker *tracker, const struct policy_input *input,
                          struct policy_output *output)
{
    if (input->db->receiving)
        tracker->follow_again_us = tracker->follow_pause_us = 0;
    if (!receiver_has_failed(input->db))
        return false;
    if (tracker->follow_again_us == 0) {
        tracker->follow_pause_us = FOLLOW_PAUSE_US;
        tracker->follow_again_us = input->now_us + FOLLOW_PAUSE_US;
    }
    if (input->now_us < tracker->follow_again_us) {
        policy_again(output, tracker->follow_again_us);
        return false;
    }
    return true;
}

static void was_told_again(struct policy_tracker *tracker, const struct policy_input *input,
                           const struct policy_output *output)
{
    if (output->db_op != DB_OP_FOLLOW || tracker->follow_again_us == 0)
        return;
    if (tracker->follow_pause_us < FOLLOW_PAUSE_MOST_US)
        tracker->follow_pause_us *= 2;
    tracker->follow_again_us = input->now_us + tracker->follow_pause_us;
}

/* It follows the primary of this term, and only how is to be changed, or its receiver has failed: in both
 * ways it keeps what it has. */
static void change_over(struct policy_tracker *tracker, const struct policy_input *input,
                        struct policy_output *output, const struct policy_node *primary,
                        const Mha__DbObservation *theirs)
{
    const Mha__DbObservation *db = input->db;
    bool standing_by = stands_by(input, theirs);
    bool again = follows_again(tracker, input, output);

    /* One that is not connected tells only by which account it is to be: the server itself retries a lost
     * connection. */
    if (!again && (!policy_tells_nodes_apart(input, theirs) ||
                   (db->receiving ? db->standing_by : db->standby_account) == standing_by))
        return;
    policy_db_op(input, output, DB_OP_FOLLOW);
    output->db_host = primary->report->database_host;
    output->db_port = primary->report->database_port;
    output->db_epoch = input->raft->term;
    output->db_standing_by = standing_by;
    if (again) {
        was_told_again(tracker, input, output);
        policy_wait(output, "following %s again: its receiver has given up", primary->name);
        return;
    }
    policy_wait(output, "%s",
                standing_by ? "standing by: commits are not to wait for this node"
                            : "beginning to acknowledge commits");
}

/* For an operator, where rebuilds do not begin by themselves. */
static void wait_for_rebuild(const struct policy_input *input, struct policy_output *output,
                             const struct policy_node *primary, const Mha__DbObservation *theirs)
{
    struct position there, here;
    struct position_lack lack = {.some = false};

    if (position_parse(theirs->executed, &there) && position_parse(input->db->received, &here))
        position_lack(&there, &here, &lack);
    policy_wait(output,
                "it holds transactions that the primary %s lacks and is set aside; mhactl rebuild --node %s "
                "saves them and makes it anew: %s",
                primary->name, input->self->name, lack.ranges);
}

static void follow_primary(struct policy_tracker *tracker, const struct policy_input *input,
                           struct policy_output *output)
{
    const Mha__DbObservation *db = input->db;
    const struct policy_node *primary = policy_find_node(input, input->state->primary.node);
    const Mha__DbObservation *theirs = primary ? policy_fresh_db(input, primary) : NULL;

    bool told = db->source_epoch == input->raft->term && db->source[0];

    if (!theirs || primary->report->term != input->raft->term) {
        if (told)
            return;
        policy_wait(output, "waiting for a report of %s",
                    policy_node_name(input, input->state->primary.node));
        return;
    }
    /* It still receives from whom it was told before, or from whom it was before it was ours: only what no
     * longer grows can be compared. */
    if (!told && db->receiving && db->frozen_term != input->raft->term) {
        policy_freeze(input, output);
        return;
    }
    if (told && db->frozen_term == input->raft->term)
        told = false; /* it was drained where the nodes are not told apart */
    if (!policy_tells_nodes_apart(input, theirs) && cluster_aside_find(input->state, input->self->id) &&
        !cluster_sync_find(&input->state->sync, input->self->id)) {
        if (policy_freeze(input, output))
            policy_wait(output, "drained: it receives nothing any more");
        return;
    }
    if (told) {
        change_over(tracker, input, output, primary, theirs);
        return;
    }
    if (!policy_holds(theirs->executed, db->received)) {
        wait_for_rebuild(input, output, primary, theirs);
        return;
    }
    const struct sync_member *self = cluster_sync_find(&input->state->sync, input->self->id);
    if (self && self->incarnation != db->incarnation) {
        /* Its acknowledgements would be taken for those of the member that it was. */
        policy_wait(output,
                    "the database has restarted since it was in sync: %s drops it from the sync set first",
                    primary->name);
        return;
    }
    if (would_be_counted(input, theirs)) {
        policy_wait(output,
                    "not in the sync set, and the server of %s cannot tell its acknowledgements from a "
                    "member's: give "
                    "each node a replication account of its own",
                    primary->name);
        return;
    }
    policy_db_op(input, output, DB_OP_FOLLOW);
    output->db_host = primary->report->database_host;
    output->db_port = primary->report->database_port;
    output->db_epoch = input->raft->term;
    output->db_standing_by = stands_by(input, theirs);
}

void policy_follow(struct policy_tracker *tracker, const struct policy_input *input,
                   struct policy_output *output)
{
    const struct cluster_state *state = input->state;
    const Mha__DbObservation *db = input->db;
    output->db_watch = state->switchover.id != 0; /* the primary waits for what is seen here */
    if (policy_rebuild_self(input, output))
        return;
    if (!db || db->state == MHA__DB_STATE__DB_UNKNOWN) {
        output->vip_leave =
            policy_paused_here(input) || !input->raft->current; /* as long as nothing is known */
        return;
    }
    if (policy_dead(db)) {
        start_server(input, output);
        return;
    }
    if (db->state == MHA__DB_STATE__DB_HUNG && cluster_sync_find(&state->sync, input->self->id) &&
        !(primary_of_this_term(input) && state->primary.opened)) {
        /* Ended, it would lose what it has only received, and that may be needed. */
        policy_wait(output, "the database hangs; it is a member of the sync set and there is no primary");
        return;
    }
    if (policy_is_starting(tracker, input)) {
        policy_wait(output, "the database was started and does not answer yet");
        return;
    }
    if (db->state == MHA__DB_STATE__DB_HUNG) {
        /* A server that hangs is of no use to anybody; ended, it comes back through start_server. */
        policy_db_op(input, output, DB_OP_FENCE);
        output->db_reason = "the database hangs";
        return;
    }
    if (db->state != MHA__DB_STATE__DB_UP)
        return;
    if (db->open && (policy_paused_here(input) || !input->raft->current)) {
        /* Open under a lease of its own, which the worker and vipd enforce: that of a pause, or of a term of
         * which this agent, just started, knows nothing yet. */
        output->vip_leave = true;
        return;
    }
    if (db->open && db->foreign && state->primary.node == 0)
        return; /* it serves, and is not ours yet: first_start.c */
    if (db->open) {
        policy_db_op(input, output, DB_OP_FENCE);
        output->db_reason = "this node does not lead";
        return;
    }
    if (input->self->outside) {
        /* Nobody knows what it holds, and nothing counts it: it acknowledges and follows no more. */
        if (policy_freeze(input, output))
            policy_wait(output,
                        "it is no member of the group: an operator lets it in with mhactl member add");
        return;
    }
    if (state->primary.node == 0)
        return;
    if (primary_of_this_term(input))
        follow_primary(tracker, input, output);
    else if (input->raft->term > state->primary.epoch)
        policy_freeze(input, output);
}
