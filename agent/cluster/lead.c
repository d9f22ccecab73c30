/* lead.c - what the leader of the term does with its own database: take over, open, serve, give up. */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

/* A hand-over that has not come about after so many E is given up. */
#define HAND_OVER_ELECTIONS 4

/* ---- giving up ---- */

/* That the address is not there now is not enough: vipd may be about to take it, under a lease that it has
 * not answered yet, or that the kernel refused a moment ago. */
static bool address_given_up(const struct policy_input *input)
{
    return !input->settings.has_vip || input->vip_released_epoch >= input->raft->term ||
           (input->now_us >= input->vip_until_us && !(input->vip && input->vip->held));
}

bool policy_give_up_powers(const struct policy_tracker *tracker, const struct policy_input *input,
                           struct policy_output *output, const char *reason)
{
    /* What was seen before the end of an operation that runs says nothing: it may be opening the database. */
    bool closed = policy_closed(input->db) && !input->db_busy;

    output->vip_hold = output->vip_leave = false;
    output->lease_epoch = 0;
    output->end_lease = true;
    if (!closed) {
        policy_db_op(input, output, DB_OP_FENCE);
        output->db_reason = reason;
    }
    if (closed && address_given_up(input)) {
        output->released = true;
        return true;
    }
    policy_wait(output, "giving up the primary's role (%s)", reason);
    /* Who enforces may hang, as it may be dead with its agent: all leases of this term are over then, and the
     * commit rule does the rest. */
    if (tracker->lease_ended_since_us) {
        policy_again(output, tracker->lease_ended_since_us + input->settings.election_us);
        return input->now_us - tracker->lease_ended_since_us >= input->settings.election_us;
    }
    return false;
}

void policy_hand_over(const struct policy_input *input, struct policy_output *output, uint64_t to)
{
    output->transfer_to = to;
    policy_wait(output, "handing over to %s", policy_node_name(input, to));
}

/* That nobody else is promoted meanwhile is known only to a leader that a quorum has answered since: one that
 * is cut off would make its unacknowledged tail stay, and be set aside with it later. */
static void start_in_place(const struct policy_tracker *tracker, const struct policy_input *input,
                           struct policy_output *output)
{
    if (!input->server_busy && input->raft->round_sent_us > tracker->down_since_us)
        output->server_op = SERVER_OP_START_IN_PLACE;
}

/* The database that was opened under this term is lost: another node takes over, or it starts again under a
 * new epoch. */
static void lose_primary(const struct policy_tracker *tracker, const struct policy_input *input,
                         struct policy_output *output, const char *reason)
{
    const struct policy_node *other = policy_best_other(input);

    if (!policy_give_up_powers(tracker, input, output, reason))
        return;
    /* One whose log does not catch up cannot take the leadership, whatever its database looks like. */
    if (tracker->lease_ended_since_us &&
        input->now_us - tracker->lease_ended_since_us > HAND_OVER_ELECTIONS * input->settings.election_us)
        other = NULL;
    if (other) {
        policy_hand_over(input, output, other->id);
    } else if (input->stopping) {
        policy_wait(output, "%s; no other node may be promoted", reason);
    } else if (policy_dead(input->db)) {
        start_in_place(tracker, input, output);
        policy_wait(output, "%s; no other node may be promoted: restarting it in place", reason);
    } else if (input->db && input->db->state == MHA__DB_STATE__DB_UP) {
        output->renew_term = true;
        policy_wait(output, "%s; opening it again under a new epoch", reason);
    }
}

/* ---- first start ---- */

static void first_start(const struct policy_input *input, struct policy_output *output)
{
    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        const Mha__DbObservation *db;
        if (node->arbiter)
            continue;
        db = node->id ? policy_fresh_db(input, node) : NULL;
        if (!db || db->state != MHA__DB_STATE__DB_UP ||
            (!node->self && node->report->term != input->raft->term)) {
            policy_wait(output, "first start: waiting for the database of %s%s%s", node->name,
                        db && db->trouble[0] ? ": " : "", db ? db->trouble : "");
            if (node->self && policy_dead(db) && !input->server_busy)
                output->server_op = SERVER_OP_START_IN_PLACE;
            return;
        }
        if (!db->empty) {
            policy_wait(output,
                        "first start refused: the server of %s is not empty (it has schemas or GTIDs); only "
                        "empty servers are "
                        "taken on, so that nothing of anybody's is lost",
                        node->name);
            return;
        }
    }
    output->propose = true;
    output->command = (struct cluster_command){.kind = COMMAND_PROMOTE,
                                               .node = input->self->id,
                                               .epoch = input->raft->term,
                                               .replaces_epoch = 0,
                                               .change = MHA__CHANGE_KIND__CHANGE_FIRST_START,
                                               .text = "first start: all servers are empty"};
    output->command.sync.version = input->state->sync.version + 1;
    output->command.sync.count = 1;
    output->command.sync.members[0] = (struct sync_member){input->self->id, input->db->incarnation};
}

/* ---- taking over ---- */

static void promotion_reason(const struct policy_input *input, struct cluster_command *command)
{
    const struct cluster_state *state = input->state;
    const struct policy_node *old = policy_find_node(input, state->primary.node);
    const Mha__DbObservation *db = old ? policy_fresh_db(input, old) : NULL;
    const char *what;

    if (state->force.id && state->force.node == input->self->id) {
        command->change = MHA__CHANGE_KIND__CHANGE_FORCED;
        what = "an operator forced it and accepted the loss of data";
    } else if (state->switchover.id && state->switchover.to == input->self->id) {
        command->change = MHA__CHANGE_KIND__CHANGE_SWITCHOVER;
        what = "an operator asked for it";
    } else if (state->primary.node == input->self->id) {
        command->change = MHA__CHANGE_KIND__CHANGE_RESTART;
        what = "the same node leads under a new term";
    } else {
        command->change = MHA__CHANGE_KIND__CHANGE_FAILOVER;
        what = !old || !policy_node_reachable(input, old) ? "its host is not heard"
               : policy_dead(db)                          ? "its database is down"
               : db && db->state != MHA__DB_STATE__DB_UP  ? "its database is not usable"
                                                          : "its node lost the leadership";
    }
    snprintf(command->text, sizeof command->text, "%s was the primary: %s",
             policy_node_name(input, state->primary.node), what);
}

/* A later leader promotes another node only P after its own start: the holder of the pause may still hold its
 * powers. */
static bool pause_forbids(const struct policy_input *input, struct policy_output *output)
{
    const struct cluster_pause *pause = &input->state->pause;
    const struct policy_node *holder;
    char why[CLUSTER_TEXT_BYTES];
    uint64_t until_us;

    if (!pause->id || pause->holder == input->self->id)
        return false;
    until_us = input->raft->leader_since_us + pause->length_us;
    if (input->now_us >= until_us)
        return false;
    holder = policy_find_node(input, pause->holder);
    if (holder && policy_node_reachable(input, holder) && policy_promotable(input, holder, why, sizeof why)) {
        output->end_lease = output->released = true;
        policy_hand_over(input, output, holder->id);
        return true;
    }
    policy_wait(output, "paused for %s: no promotion for another %llu s",
                policy_node_name(input, pause->holder),
                (unsigned long long)((until_us - input->now_us) / 1000000));
    policy_again(output, until_us);
    return true;
}

/* The leader is not the node to promote: whoever is gets the leadership. */
static void lead_for_others(const struct policy_tracker *tracker, const struct policy_input *input,
                            struct policy_output *output)
{
    const struct policy_node *other = policy_best_other(input);
    bool mine = input->state->primary.node == input->self->id;
    char why[CLUSTER_TEXT_BYTES];

    if (other) {
        output->end_lease = output->released = true; /* nothing was opened in this term */
        policy_hand_over(input, output, other->id);
        return;
    }
    if (policy_dead(input->db) && (mine || cluster_sync_find(&input->state->sync, input->self->id)))
        start_in_place(tracker, input, output);
    else if (policy_dead(input->db) && !input->server_busy)
        output->server_op = SERVER_OP_START_TO_FOLLOW;
    memcpy(why, output->waiting_for, sizeof why);
    policy_wait(output, "no node may be promoted; here: %.*s", (int)sizeof why - 48, why);
}

/* In a pause the database stayed open while its agent was away: it is taken over as it is, under the new
 * epoch. */
static bool adopts_open_database(const struct policy_input *input)
{
    const struct cluster_state *state = input->state;

    return policy_paused_here(input) && state->primary.node == input->self->id && state->primary.opened &&
           input->db && input->db->open && input->db->incarnation == state->primary.incarnation;
}

static void take_over(const struct policy_tracker *tracker, const struct policy_input *input,
                      struct policy_output *output)
{
    const struct cluster_state *state = input->state;
    char why[CLUSTER_TEXT_BYTES];

    output->vip_leave = adopts_open_database(input) || (policy_paused_here(input) && !input->db);
    if (pause_forbids(input, output))
        return;
    if (!output->promotable || (state->force.id && state->force.node != input->self->id)) {
        lead_for_others(tracker, input, output);
        return;
    }
    if (state->force.id && !state->force.old_primary_is_off && state->primary.node != input->self->id) {
        const struct policy_node *old = policy_find_node(input, state->primary.node);
        const Mha__DbObservation *old_db = old ? policy_fresh_db(input, old) : NULL;
        if (!policy_closed(old_db)) {
            policy_wait(output,
                        "forced failover: the fence of %s is not confirmed; if its host is off, say so with "
                        "--old-primary-is-off",
                        policy_node_name(input, state->primary.node));
            return;
        }
    }
    if (!input->db->read_only && !adopts_open_database(input)) {
        policy_db_op(input, output, DB_OP_FENCE);
        output->db_reason = "it is to be opened under a new epoch";
        return;
    }
    if (!policy_freeze(input, output))
        return;
    if (!policy_positions_heard(input, why, sizeof why)) {
        policy_wait(output, "%s", why);
        return;
    }
    if (!input->db->drained) {
        policy_db_op(input, output, DB_OP_DRAIN);
        policy_wait(output, "applying what was received before opening");
        return;
    }
    output->propose = true;
    output->command = (struct cluster_command){.kind = COMMAND_PROMOTE,
                                               .node = input->self->id,
                                               .epoch = input->raft->term,
                                               .replaces_epoch = state->primary.epoch};
    promotion_reason(input, &output->command);
    policy_sync_after_promotion(input, &output->command.sync);
}

/* ---- serving ---- */

/* "its position is committed in the replicated state, and no session is admitted until k members of M hold
 * it" */
static bool epoch_record_held(const struct policy_input *input)
{
    const struct cluster_state *state = input->state;
    unsigned holders = 0;

    for (unsigned i = 0; i < state->sync.count; i++) {
        const struct policy_node *node = policy_find_node(input, state->sync.members[i].node);
        const Mha__DbObservation *db = node && !node->self ? policy_fresh_db(input, node) : NULL;
        if (db && db->state == MHA__DB_STATE__DB_UP && db->source_epoch == state->primary.epoch &&
            db->incarnation == state->sync.members[i].incarnation &&
            policy_holds(db->received, state->primary.epoch_position))
            holders++;
    }
    return holders >= state->sync.acks;
}

static void write_epoch_record(const struct policy_input *input, struct policy_output *output)
{
    const Mha__DbObservation *db = input->db;

    output->vip_leave = policy_paused_here(input);
    if (db->open) {
        /* Taken over open in a pause: the record is written with the door shut, as at every opening. */
        policy_db_op(input, output, DB_OP_CLOSE);
        output->db_timeout_us = input->settings.election_us;
        return;
    }
    if (db->written_epoch != input->raft->term || db->written_epoch_position[0] == '\0' ||
        db->acks != input->state->sync.acks) {
        policy_db_op(input, output, DB_OP_PROMOTE);
        output->db_epoch = input->raft->term;
        output->db_acks = input->state->sync.acks;
        return;
    }
    if (strlen(db->written_epoch_position) >= CLUSTER_POSITION_BYTES) {
        policy_wait(output, "the position of the epoch record is too long: %.80s...; use one GTID domain",
                    db->written_epoch_position);
        return;
    }
    output->propose = true;
    output->command = (struct cluster_command){
        .kind = COMMAND_OPENED, .epoch = input->raft->term, .incarnation = db->incarnation};
    snprintf(output->command.position, sizeof output->command.position, "%s", db->written_epoch_position);
}

static void report_phases(const struct policy_tracker *tracker, const struct policy_input *input,
                          struct policy_output *output)
{
    const struct cluster_state *state = input->state;
    const struct raft_status *raft = input->raft;
    const struct cluster_change *change;
    struct cluster_phases *phases = &output->command.phases;

    if (!tracker->announced_us || output->propose || state->history_count == 0)
        return;
    change = &state->history[state->history_count - 1];
    if (change->complete || change->epoch != raft->term)
        return;
    output->propose = true;
    output->command = (struct cluster_command){.kind = COMMAND_PHASES, .epoch = raft->term};
    if (raft->heard_leader_us && raft->heard_leader_us < raft->campaign_us)
        phases->detected_us = raft->campaign_us - raft->heard_leader_us;
    if (raft->campaign_us && raft->campaign_us <= raft->leader_since_us)
        phases->elected_us = raft->leader_since_us - raft->campaign_us;
    if (tracker->frozen_us > raft->leader_since_us)
        phases->frozen_us = tracker->frozen_us - raft->leader_since_us;
    if (tracker->drained_us && tracker->frozen_us)
        phases->drained_us = tracker->drained_us - tracker->frozen_us;
    phases->promoted_us =
        tracker->open_us - (tracker->drained_us ? tracker->drained_us : raft->leader_since_us);
    phases->announced_us = tracker->announced_us - tracker->open_us;
}

/* What leads to the opening fails again and again: another node may do better; if there is none it goes on
 * trying. */
static bool opening_fails(const struct policy_tracker *tracker, const struct policy_input *input)
{
    return tracker->opening_fails_since_us &&
           input->now_us - tracker->opening_fails_since_us >= input->settings.election_us;
}

/* Moving helps only where the address can be held: not while a stranger has it, nor where the network is down
 * for all. */
static bool another_could_hold_it(const struct policy_input *input)
{
    const struct policy_node *other = policy_best_other(input);
    const Mha__VipState *theirs = other && other->report ? other->report->vip : NULL;

    return theirs && theirs->link_up && !theirs->conflict && theirs->trouble[0] == '\0' &&
           !(input->vip && input->vip->conflict);
}

/* NULL: the database that this term opened is still there and usable. */
static const char *primary_trouble(const struct policy_input *input)
{
    const struct cluster_state *state = input->state;
    const Mha__DbObservation *db = input->db;

    if (!db)
        return NULL;
    if (db->state == MHA__DB_STATE__DB_DOWN)
        return "its database is down";
    if (db->state == MHA__DB_STATE__DB_HUNG)
        return "its database hangs";
    if (state->primary.opened && db->incarnation && db->incarnation != state->primary.incarnation)
        return "its database has restarted";
    return NULL;
}

/* The address is refused or vipd is gone for longer than E: another node may do better; if there is none we
 * go on without. */
static const char *address_trouble(struct policy_tracker *tracker, const struct policy_input *input)
{
    if (!input->settings.has_vip || (input->vip && input->vip->held && input->vip->link_up)) {
        tracker->vip_trouble_since_us = 0;
        return NULL;
    }
    if (!tracker->vip_trouble_since_us)
        tracker->vip_trouble_since_us = input->now_us;
    if (input->now_us - tracker->vip_trouble_since_us < input->settings.election_us)
        return NULL;
    if (!input->vip)
        return "its vipd is not running";
    if (input->vip->conflict)
        return "another host answers for the address";
    return input->vip->link_up ? "the address cannot be taken" : "the link of the address is down";
}

/* Neither its own worker nor a new one gets an answer: whether it serves is not known. */
static bool unseen_too_long(struct policy_tracker *tracker, const struct policy_input *input)
{
    if (input->db && input->db->state == MHA__DB_STATE__DB_UP)
        tracker->unseen_since_us = 0;
    else if (tracker->unseen_since_us == 0)
        tracker->unseen_since_us = input->now_us;
    return tracker->unseen_since_us && input->now_us - tracker->unseen_since_us >=
                                           2 * input->settings.probe_timeout_us + input->settings.election_us;
}

static void serve(struct policy_tracker *tracker, const struct policy_input *input,
                  struct policy_output *output)
{
    const struct cluster_state *state = input->state;
    const Mha__DbObservation *db = input->db;
    const char *trouble = primary_trouble(input);

    output->waiting_for[0] = '\0';
    if (!trouble && input->raft->lease_ended && !state->switchover.id)
        trouble = "its lease was ended";
    if (!trouble && input->stopping && !policy_paused_here(input))
        trouble = "its agent is being stopped";
    if (trouble) {
        lose_primary(tracker, input, output, trouble);
        return;
    }
    output->lease_epoch = input->raft->term;
    if (unseen_too_long(tracker, input) && policy_best_other(input)) {
        lose_primary(tracker, input, output, "its database cannot be observed");
        return;
    }
    if (!db || db->state != MHA__DB_STATE__DB_UP) {
        output->vip_hold = input->vip && input->vip->held;
        policy_wait(output, "the database cannot be observed%s%s", db && db->trouble[0] ? ": " : "",
                    db ? db->trouble : "");
        return;
    }
    if (opening_fails(tracker, input) && !db->open) {
        if (policy_best_other(input)) {
            lose_primary(tracker, input, output, "its database cannot be opened");
            return;
        }
        if (policy_join_closed(input, output))
            return;
    }
    if (!state->primary.opened) {
        write_epoch_record(input, output);
        if (!output->propose)
            policy_keep_sync_set(tracker, input, output);
        return;
    }
    if (policy_switchover_step(tracker, input, output))
        return;
    if (!db->open) {
        output->vip_leave = policy_paused_here(input);
        if (!epoch_record_held(input)) {
            output->db_watch = true;
            policy_wait(output, "waiting until %u member%s of the sync set hold%s the record of epoch %llu",
                        state->sync.acks, state->sync.acks == 1 ? "" : "s", state->sync.acks == 1 ? "s" : "",
                        (unsigned long long)state->primary.epoch);
        } else if (db->acks != state->sync.acks) {
            policy_db_op(input, output, DB_OP_SET_COMMIT_RULE);
            output->db_epoch = input->raft->term;
            output->db_acks = state->sync.acks;
            return;
        } else if (input->proposal_pending) {
            policy_wait(output, "opening waits for the outcome of a proposal: it may be another commit rule");
        } else {
            policy_db_op(input, output, DB_OP_OPEN);
            output->db_epoch = input->raft->term;
        }
    } else {
        output->vip_hold = true;
        output->vip_leave = false;
        trouble = address_trouble(tracker, input);
        if (trouble && another_could_hold_it(input)) {
            lose_primary(tracker, input, output, trouble);
            return;
        }
        if (trouble)
            policy_wait(output, "%s, and no other node may be promoted", trouble);
    }
    policy_keep_sync_set(tracker, input, output);
    report_phases(tracker, input, output);
}

void policy_lead(struct policy_tracker *tracker, const struct policy_input *input,
                 struct policy_output *output)
{
    output->vip_leave = policy_paused_here(input);
    if (!input->raft->ready) {
        policy_freeze(input, output); /* the term is ours: no reason to wait for the no-op */
        policy_wait(output, "elected; the first entry of the term is not committed yet");
        return;
    }
    if (policy_end_force(tracker, input, output))
        return;
    if (input->state->primary.node == 0)
        first_start(input, output);
    else if (policy_serving_here(input))
        serve(tracker, input, output);
    else
        take_over(tracker, input, output);
}
