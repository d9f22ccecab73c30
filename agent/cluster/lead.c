/* lead.c - what the leader of the term does with its own database: take over, open, serve, give up. */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

/* A hand-over that has not come about after so many E is given up. */
#define HAND_OVER_ELECTIONS 4

/* ---- giving up ---- */

/* No lease that vipd has of this node ends later. What an earlier agent here gave it for a pause is not
 * remembered: that ends at the latest P after this leadership began. */
static uint64_t vip_leased_until_us(const struct policy_input *input)
{
    const struct cluster_pause *pause = &input->state->pause;
    uint64_t until_us = input->raft->leader_since_us + pause->length_us;

    if (!pause->id || pause->holder != input->self->id || until_us < input->vip_until_us)
        return input->vip_until_us;
    return until_us;
}

/* That the address is not there now is not enough: vipd may be about to take it, under a lease that it has
 * not answered yet, or that the kernel refused a moment ago. */
static bool address_given_up(const struct policy_input *input)
{
    return !input->settings.has_vip || input->vip_released_epoch >= input->raft->term ||
           (input->now_us >= vip_leased_until_us(input) && !(input->vip && input->vip->held));
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
void policy_lose_primary(const struct policy_tracker *tracker, const struct policy_input *input,
                         struct policy_output *output, const char *reason)
{
    const struct policy_node *other = policy_best_other(input);

    if (!other && policy_is_starting(tracker, input)) {
        /* Read-only, like every server at its start, and without a lease. */
        output->vip_hold = output->vip_leave = false;
        output->lease_epoch = 0;
        output->end_lease = true;
        policy_wait(output,
                    "%s; no other node may be promoted: it was restarted in place and does not answer yet",
                    reason);
        return;
    }
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
    } else if (state->switchover.id && state->switchover.to == input->self->id &&
               state->primary.node != input->self->id) {
        command->change = MHA__CHANGE_KIND__CHANGE_SWITCHOVER;
        what = "an operator asked for it";
    } else if (state->primary.node == input->self->id) {
        command->change = MHA__CHANGE_KIND__CHANGE_RESTART;
        what = "the same node leads under a new term";
    } else {
        command->change = MHA__CHANGE_KIND__CHANGE_FAILOVER;
        what = !old || !policy_node_reachable(input, old) ? "its host is not heard"
               : policy_dead(db)                          ? "its database is down"
               : policy_disk_trouble(db)                  ? policy_disk_trouble(db)
               : db && db->state != MHA__DB_STATE__DB_UP  ? "its database is not usable"
                                                          : "its node lost the leadership";
    }
    snprintf(command->text, sizeof command->text, "%s was the primary: %s%s%.80s%s",
             policy_node_name(input, state->primary.node), what, db && db->trouble[0] ? " (" : "",
             db ? db->trouble : "", db && db->trouble[0] ? ")" : "");
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

/* The old primary has all that it acknowledged, so it needs nobody else's position. */
static const struct policy_node *old_primary_instead(const struct policy_input *input)
{
    const struct policy_node *old = policy_find_node(input, input->state->primary.node);
    const Mha__DbObservation *db = old && !old->self ? policy_fresh_db(input, old) : NULL;
    char why[CLUSTER_TEXT_BYTES];

    if (!db || !policy_node_reachable(input, old) || !policy_promotable(input, old, why, sizeof why) ||
        !policy_holds(db->received, input->db->received))
        return NULL;
    return old;
}

/* With more than two data nodes the others' positions say more than the elections did: they are waited for,
 * for a moment. true: one is. */
static bool awaits_positions(const struct policy_input *input, struct policy_output *output)
{
    uint64_t until_us = input->raft->leader_since_us + input->settings.election_us / 4;
    const struct policy_node *late = policy_awaited(input);

    if (!late || input->now_us >= until_us || input->state->force.id)
        return false;
    if (!input->db || input->db->state != MHA__DB_STATE__DB_UP || input->db->open)
        return false;
    if (policy_freeze(input, output))
        policy_wait(output, "waiting for the position of %s", late->name);
    policy_again(output, until_us);
    return true;
}

/* With durability = "available": the old primary has all, and is back or was never gone. In a switchover too:
 * one that was cut short may find its target behind. */
static const struct policy_node *nothing_is_lost_with(const struct policy_input *input)
{
    const struct policy_node *old = old_primary_instead(input);

    if (!policy_may_lose(input) || !old || old->report->term != input->raft->term)
        return NULL;
    return policy_is_ahead(input, old) ? old : NULL;
}

/* The promotion rule, on a leader that could be promoted. Who holds more gets the leadership, and so does the
 * old primary where the positions that are needed do not come. Both hold at least what this node holds, and
 * nobody's position moves before a promotion: the leadership does not go round in circles. */
static bool positions_suffice(const struct policy_input *input, struct policy_output *output)
{
    const struct policy_node *other = NULL;
    char why[CLUSTER_TEXT_BYTES] = "";
    bool heard = policy_positions_heard(input, &other, why, sizeof why);

    if (heard)
        other = policy_ahead_outside(input);
    if (heard && !other)
        other = nothing_is_lost_with(input);
    if (heard && !other)
        return true;
    if (!heard)
        policy_wait(output, "%s", why);
    if (!other && input->now_us >= input->raft->leader_since_us + input->settings.election_us) {
        /* Said to all: where nobody can be promoted the old primary's database is started in place. */
        output->promotable = false;
        other = old_primary_instead(input);
    }
    if (other && !policy_adopts_open_database(input)) {
        output->end_lease = output->released = true; /* nothing was opened in this term */
        policy_hand_over(input, output, other->id);
    }
    return false;
}

static void take_over(const struct policy_tracker *tracker, const struct policy_input *input,
                      struct policy_output *output)
{
    const struct cluster_state *state = input->state;

    output->vip_leave = policy_adopts_open_database(input) || (policy_paused_here(input) && !input->db);
    if (pause_forbids(input, output))
        return;
    if (awaits_positions(input, output))
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
    if (!input->db->read_only && !policy_adopts_open_database(input)) {
        policy_db_op(input, output, DB_OP_FENCE);
        output->db_reason = "it is to be opened under a new epoch";
        return;
    }
    if (!policy_freeze(input, output))
        return;
    if (!positions_suffice(input, output))
        return;
    /* The position that is counted must be the end of the log: what a fence reports itself still shows it as
     * it was before, and who is not frozen yet may have acknowledged more. */
    if (!policy_adopts_open_database(input) && input->db->observed_us <= tracker->shut_us &&
        tracker->shut_us) {
        output->db_watch = true;
        policy_wait(output, "waiting for what the database's log holds since it is closed");
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

void policy_lead(struct policy_tracker *tracker, const struct policy_input *input,
                 struct policy_output *output)
{
    output->vip_leave = policy_paused_here(input);
    if (!input->raft->ready) {
        if (input->state->primary.node != 0)
            policy_freeze(input, output); /* the term is ours: no reason to wait for the no-op */
        policy_wait(output, "elected; the first entry of the term is not committed yet");
        return;
    }
    if (policy_end_force(tracker, input, output))
        return;
    if (input->state->primary.node == 0)
        policy_first_start(input, output);
    else if (policy_serving_here(input))
        policy_serve(tracker, input, output);
    else
        take_over(tracker, input, output);
}
