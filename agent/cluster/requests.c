/* requests.c - what operators ask for: switchover, pause, forced failover. */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

static bool fail(char *error, size_t size, const char *format, const char *name, const char *detail)
{
    snprintf(error, size, format, name, detail);
    return false;
}

static void end_switchover(const struct policy_input *input, struct policy_output *output,
                           const char *outcome, const char *detail)
{
    output->propose = true;
    output->command =
        (struct cluster_command){.kind = COMMAND_SWITCHOVER_END, .id = input->state->switchover.id};
    snprintf(output->command.text, sizeof output->command.text, "failed: %s%s%s", outcome,
             detail[0] ? ": " : "", detail);
}

/* A replica outside the sync set that could join it at the same k. */
static bool may_join(const struct policy_input *input, const struct policy_node *node)
{
    const struct sync_set *sync = &input->state->sync;

    return sync->acks > 0 && sync->count < CLUSTER_SYNC_MAX && !cluster_sync_find(sync, node->id) &&
           policy_willing(input, node);
}

#define APPLIED_WITHIN_US 250000u

/* Writes are stopped only once the target applies as fast as they come: what it has not applied then is the
 * outage. */
static bool target_is_near(struct policy_tracker *tracker, const struct policy_input *input,
                           const struct policy_node *target)
{
    struct position applied;

    if (tracker->switchover_since_us == 0)
        tracker->switchover_since_us = input->now_us;
    if (tracker->target_is_near)
        return true;
    if (tracker->applied_mark_us && position_parse(policy_fresh_db(input, target)->executed, &applied) &&
        position_contains(&applied, &tracker->applied_mark)) {
        tracker->target_is_near = input->now_us - tracker->applied_mark_us <= APPLIED_WITHIN_US;
        tracker->applied_mark_us = 0;
    }
    if (!tracker->target_is_near && !tracker->applied_mark_us &&
        position_parse(input->db->executed, &tracker->applied_mark))
        tracker->applied_mark_us = input->now_us;
    return tracker->target_is_near;
}

/* The target stands by outside the sync set (ACKS_ANY): it joins first, at the same k. */
static void let_target_join(struct policy_tracker *tracker, const struct policy_input *input,
                            struct policy_output *output, const struct policy_node *target)
{
    char why[CLUSTER_TEXT_BYTES];

    if (tracker->switchover_since_us == 0)
        tracker->switchover_since_us = input->now_us;
    if (!may_join(input, target)) {
        policy_promotable(input, target, why, sizeof why);
        end_switchover(input, output, target->name, why);
    } else if (policy_is_near(tracker, input, target)) {
        policy_propose_join(input, output, target, ": it is to become the primary");
    } else if (input->now_us - tracker->switchover_since_us > input->state->switchover.timeout_us) {
        end_switchover(input, output, "the target receives too slowly to catch up in time", target->name);
    } else {
        policy_wait(output, "switchover: waiting until %s has caught up", target->name);
    }
}

/* A member that has restarted a moment ago neither votes nor campaigns for one E: with writes stopped,
 * clients would wait for that. */
static bool waits_for_votes(struct policy_tracker *tracker, const struct policy_input *input,
                            struct policy_output *output, const struct policy_node *target)
{
    uint64_t target_us = policy_held_until_us(input, target);

    if (tracker->switchover_since_us == 0)
        tracker->switchover_since_us = input->now_us;
    if (!target_us && policy_majority_votes(input))
        return false;
    if (input->now_us - tracker->switchover_since_us > input->state->switchover.timeout_us)
        end_switchover(input, output, "too many members have restarted a moment ago", "");
    policy_wait(output, "switchover: waiting until %s again, after %s restart",
                target_us ? target->name : "a majority votes", target_us ? "its" : "their");
    if (target_us)
        policy_again(output, target_us);
    return true;
}

/* stop writes; wait until the target has all; end the lease; transfer. Until the transfer there is a way
 * back: the switchover is ended as failed, and serving opens the database again. */
bool policy_switchover_step(struct policy_tracker *tracker, const struct policy_input *input,
                            struct policy_output *output)
{
    const struct cluster_switchover *switchover = &input->state->switchover;
    const Mha__DbObservation *db = input->db;
    const struct policy_node *target;
    char why[CLUSTER_TEXT_BYTES];

    if (!switchover->id || switchover->to == input->self->id)
        return false;
    target = policy_find_node(input, switchover->to);
    output->vip_hold = input->vip && input->vip->held;
    output->db_watch = true;
    if (input->raft->lease_ended) { /* beyond the way back: without the target it ends, and a new epoch begins
                                       here */
        if (!target || !policy_node_reachable(input, target) ||
            input->now_us - tracker->lease_ended_since_us > 4 * input->settings.election_us)
            end_switchover(input, output, "the target was lost during the handover", "");
        else if (policy_give_up_powers(tracker, input, output, "switchover"))
            policy_hand_over(input, output, switchover->to);
        return true;
    }
    if (switchover->epoch != input->state->primary.epoch) {
        end_switchover(input, output, "the primary changed meanwhile", "");
        return true;
    }
    if (!target || !policy_node_reachable(input, target)) {
        end_switchover(input, output, "the target is not heard", target ? target->name : "");
        return true;
    }
    if (!cluster_sync_find(&input->state->sync, target->id) && !policy_may_lose(input)) {
        let_target_join(tracker, input, output, target);
        return true;
    }
    if (!policy_promotable(input, target, why, sizeof why)) {
        end_switchover(input, output, target->name, why);
        return true;
    }
    if (db->open || !db->fenced) {
        if (input->failed_op == DB_OP_CLOSE && tracker->closed_since_us &&
            input->failed_us >= tracker->closed_since_us) {
            end_switchover(input, output, "writes could not be stopped in time",
                           input->failed_error ? input->failed_error : "");
            return true;
        }
        if (db->open && !input->db_busy && waits_for_votes(tracker, input, output, target))
            return true;
        if (db->open && !input->db_busy && !target_is_near(tracker, input, target)) {
            if (input->now_us - tracker->switchover_since_us > switchover->timeout_us)
                end_switchover(input, output, "the target applies too slowly to catch up in time",
                               target->name);
            policy_wait(output, "switchover: waiting until %s applies as fast as writes come", target->name);
            return true;
        }
        if (tracker->closed_since_us == 0)
            tracker->closed_since_us = input->now_us;
        policy_db_op(input, output, DB_OP_CLOSE);
        output->db_timeout_us = switchover->timeout_us;
        policy_wait(output, "switchover: stopping writes");
        return true;
    }
    if (!policy_holds(policy_fresh_db(input, target)->received, db->executed)) {
        if (tracker->closed_since_us == 0)
            tracker->closed_since_us = input->now_us;
        if (input->now_us - tracker->closed_since_us > switchover->timeout_us)
            end_switchover(input, output, "the target did not catch up in time", target->name);
        else
            policy_again(output, tracker->closed_since_us + switchover->timeout_us + 1);
        policy_wait(output, "switchover: waiting until %s has everything", target->name);
        return true;
    }
    if (policy_give_up_powers(tracker, input, output, "switchover"))
        policy_hand_over(input, output, target->id);
    return true;
}

/* A force ends with the promotion that it asked for; else here: it must not outlive the situation in which it
 * was given. true: it ended. */
bool policy_end_force(struct policy_tracker *tracker, const struct policy_input *input,
                      struct policy_output *output)
{
    const struct cluster_force *force = &input->state->force;
    const struct policy_node *target = policy_find_node(input, force->node);
    char why[CLUSTER_TEXT_BYTES];
    const char *outcome = NULL;

    if (!force->id || output->propose)
        return false;
    if (policy_serving_here(input)) {
        outcome = "the old primary serves again";
        tracker->force_useless_since_us = 0;
    } else if (target && policy_node_reachable(input, target) &&
               policy_promotable(input, target, why, sizeof why)) {
        tracker->force_useless_since_us = 0;
    } else if (tracker->force_useless_since_us == 0) {
        tracker->force_useless_since_us = input->now_us;
    } else if (input->now_us - tracker->force_useless_since_us >= 2 * input->settings.election_us) {
        outcome = "its target cannot be used";
    }
    if (!outcome)
        return false;
    output->propose = true;
    output->command = (struct cluster_command){.kind = COMMAND_FORCE_END, .id = force->id};
    snprintf(output->command.text, sizeof output->command.text, "failed: %s", outcome);
    return true;
}

static bool serving_leader(const struct policy_input *input, char *error, size_t size)
{
    if (input->raft->role != RAFT_LEADER)
        return fail(error, size, "%s does not lead now; ask again%s", input->self->name, "");
    if (!policy_serving_here(input) || !input->state->primary.opened)
        return fail(error, size, "there is no open primary now; see mhactl status%s%s", "", "");
    return true;
}

bool policy_request_switchover(const struct policy_input *input, uint64_t to, uint64_t timeout_us,
                               struct cluster_command *command, char *error, size_t error_size)
{
    const struct policy_node *target;
    char why[CLUSTER_TEXT_BYTES];

    if (!serving_leader(input, error, error_size))
        return false;
    if (input->state->switchover.id)
        return fail(error, error_size, "a switchover to %s is under way; wait for it%s",
                    policy_node_name(input, input->state->switchover.to), "");
    target = to ? policy_find_node(input, to) : policy_best_other(input);
    if (!target)
        return fail(error, error_size, "no node %s; see mhactl status for what each waits for%s",
                    to ? "of that name" : "may be promoted", "");
    if (target->self)
        return fail(error, error_size, "%s is the primary already%s", target->name, "");
    if (!policy_node_reachable(input, target))
        return fail(error, error_size, "%s is not heard; is its agent running?%s", target->name, "");
    if (!policy_promotable(input, target, why, sizeof why) && !may_join(input, target))
        return fail(error, error_size, "%s cannot become the primary: %s", target->name, why);
    *command = (struct cluster_command){
        .kind = COMMAND_SWITCHOVER, .node = target->id, .epoch = input->raft->term, .timeout_us = timeout_us};
    return true;
}

bool policy_request_failover(const struct policy_input *input, uint64_t to, bool old_primary_is_off,
                             struct cluster_command *command, char *error, size_t error_size)
{
    const struct policy_node *target = policy_find_node(input, to);
    const struct policy_node *old = policy_find_node(input, input->state->primary.node);
    const Mha__DbObservation *db = target ? policy_fresh_db(input, target) : NULL;

    if (input->raft->role != RAFT_LEADER)
        return fail(error, error_size, "%s does not lead now; ask again%s", input->self->name, "");
    if (input->state->primary.node == 0)
        return fail(error, error_size, "the cluster has not had its first start yet; see mhactl status%s%s",
                    "", "");
    if (input->state->force.id &&
        !(input->state->force.node == to && old_primary_is_off && !input->state->force.old_primary_is_off))
        return fail(error, error_size, "a forced failover to %s is under way; wait for its outcome%s",
                    policy_node_name(input, input->state->force.node), "");
    if (policy_serving_here(input) && input->db && input->db->state == MHA__DB_STATE__DB_UP)
        return fail(error, error_size, "%s is the primary and serves; use mhactl switchover%s",
                    input->self->name, "");
    if (!target || target->arbiter)
        return fail(error, error_size, "no data node of that name; see mhactl status%s%s", "", "");
    if (target->learner)
        return fail(error, error_size,
                    "%s has no vote yet, so it cannot lead; wait until mhactl member list shows that it "
                    "votes%s",
                    target->name, "");
    if (cluster_aside_find(input->state, to) && !cluster_sync_find(&input->state->sync, to))
        return fail(error, error_size,
                    "%s is rebuilt or drained; end that first with mhactl rebuild --node %s --cancel",
                    target->name, target->name);
    if (!policy_node_reachable(input, target) || !db || db->state != MHA__DB_STATE__DB_UP)
        return fail(error, error_size, "%s is not usable: its %s", target->name,
                    policy_node_reachable(input, target) ? "database is not up" : "agent is not heard");
    if (!old_primary_is_off && target != old && !(old && policy_closed(policy_fresh_db(input, old))))
        return fail(error, error_size,
                    "the fence of the old primary %s is not confirmed; if its host is off, say so with "
                    "--old-primary-is-off%s",
                    policy_node_name(input, input->state->primary.node), "");
    *command = (struct cluster_command){.kind = COMMAND_FORCE,
                                        .node = to,
                                        .epoch = input->state->primary.epoch,
                                        .old_primary_is_off = old_primary_is_off};
    return true;
}

bool policy_request_pause(const struct policy_input *input, uint64_t length_us,
                          struct cluster_command *command, char *error, size_t error_size)
{
    if (!serving_leader(input, error, error_size))
        return false;
    if (input->state->pause.id)
        return fail(error, error_size, "a pause is in force already; end it first with mhactl resume%s%s", "",
                    "");
    *command =
        (struct cluster_command){.kind = COMMAND_PAUSE, .epoch = input->raft->term, .length_us = length_us};
    return true;
}

bool policy_request_resume(const struct policy_input *input, struct cluster_command *command, char *error,
                           size_t error_size)
{
    if (input->raft->role != RAFT_LEADER)
        return fail(error, error_size, "%s does not lead now; ask again%s", input->self->name, "");
    if (!input->state->pause.id)
        return fail(error, error_size, "no pause is in force%s%s", "", "");
    /* Only the holder can tell its own enforcers that the pause is over. */
    if (!policy_paused_here(input) || !policy_serving_here(input))
        return fail(error, error_size, "%s holds the pause and does not lead now: it ends there by itself%s",
                    policy_node_name(input, input->state->pause.holder), "");
    *command = (struct cluster_command){.kind = COMMAND_RESUME, .id = input->state->pause.id};
    return true;
}

/* Its server receives, or would again by itself, and the own one cannot tell its acknowledgements from those
 * of a member. Who is not heard at all is left to the operator. */
static bool would_go_on_acknowledging(const struct policy_input *input, uint64_t node)
{
    const struct policy_node *leaving = policy_find_node(input, node);
    const Mha__DbObservation *theirs = leaving ? policy_fresh_db(input, leaving) : NULL;

    if (input->settings.acks_kind == ACKS_NAMED || (input->db && input->db->acknowledgers_known))
        return false;
    return theirs && !policy_dead(theirs) && theirs->source[0] != '\0';
}

bool policy_may_leave(const struct policy_input *input, uint64_t node, char *error, size_t error_size)
{
    const struct cluster_state *state = input->state;
    const char *name = policy_node_name(input, node);

    if (input->raft->role != RAFT_LEADER || !input->raft->ready)
        return fail(error, error_size, "%s does not lead now; ask again%s", input->self->name, "");
    if (node == 0)
        return true;
    if (input->proposal_pending) /* it may take that node into the sync set */
        return fail(error, error_size, "something is being agreed on; ask again in a moment%s%s", "", "");
    if (state->primary.node == node)
        return fail(error, error_size, "%s is the primary: move it first with mhactl switchover%s", name, "");
    if (cluster_sync_find(&state->sync, node))
        return fail(error, error_size,
                    "%s is in the sync set: commits are acknowledged by it; stop its agent and database, and "
                    "once mhactl status shows it out of the sync set, ask again%s",
                    name, "");
    if (would_go_on_acknowledging(input, node))
        return fail(
            error, error_size,
            "%s is told to replicate, and goes on acknowledging commits: stop its agent and database, "
            "and ask again%s",
            name, "");
    if (state->switchover.id && state->switchover.to == node)
        return fail(error, error_size, "a switchover to %s is under way; wait for its outcome%s", name, "");
    if (state->force.id && state->force.node == node)
        return fail(error, error_size, "a forced failover to %s is under way; wait for its outcome%s", name,
                    "");
    if (state->pause.id && state->pause.holder == node)
        return fail(error, error_size, "%s holds a pause; end it first with mhactl resume%s", name, "");
    return true;
}
