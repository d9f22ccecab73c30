/* serve.c - the leader whose database is the primary of this term: the epoch record, the opening, serving,
 * and when another one does better. */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

/* What leads to the opening failed: it is begun again after this. */
#define OPEN_AGAIN_US 200000u

/* "its position is committed in the replicated state, and no session is admitted until k members of M hold
 * it", and all that clients can read after it: a fence may have let go what waited for acknowledgements,
 * before the same epoch is opened again. What a fence reports itself still shows the log as it was before. */
static bool epoch_record_held(const struct policy_tracker *tracker, const struct policy_input *input)
{
    const struct cluster_state *state = input->state;
    unsigned holders = 0;

    if (state->sync.acks > 0 && input->db->observed_us <= tracker->closed_us)
        return false;
    for (unsigned i = 0; i < state->sync.count; i++) {
        const struct policy_node *node = policy_find_node(input, state->sync.members[i].node);
        const Mha__DbObservation *db = node && !node->self ? policy_fresh_db(input, node) : NULL;
        if (db && db->state == MHA__DB_STATE__DB_UP && db->source_epoch == state->primary.epoch &&
            db->incarnation == state->sync.members[i].incarnation &&
            policy_holds(db->received, state->primary.epoch_position) &&
            policy_holds(db->received, input->db->executed))
            holders++;
    }
    return holders >= state->sync.acks;
}

static void write_epoch_record(const struct policy_tracker *tracker, const struct policy_input *input,
                               struct policy_output *output)
{
    struct acknowledgers who;
    const Mha__DbObservation *db = input->db;

    output->vip_leave = policy_paused_here(input);
    if (db->open && !policy_adopts_foreign(input)) {
        /* Taken over open in a pause: the record is written with the door shut, as at every opening. */
        policy_db_op(input, output, DB_OP_CLOSE);
        output->db_timeout_us = input->settings.election_us;
        return;
    }
    if (db->written_epoch != input->raft->term || db->written_epoch_position[0] == '\0' ||
        db->acks != input->state->sync.acks) {
        policy_acknowledgers(tracker, input, &who);
        policy_set_rule(input, output, DB_OP_PROMOTE, input->state->sync.acks, &who);
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
    /* Where a full disk is all that is wrong, killing it helps only if another node takes over. */
    if (db->state == MHA__DB_STATE__DB_HUNG && !policy_is_held_up(db) &&
        (!policy_disk_trouble(db) || policy_best_other(input)))
        return policy_disk_trouble(db) ? policy_disk_trouble(db) : "its database hangs";
    if (state->primary.opened && db->incarnation && db->incarnation != state->primary.incarnation)
        return "its database has restarted";
    return NULL;
}

/* It may pass in a moment; another node does better only if there is one. */
static const char *disk_trouble(struct policy_tracker *tracker, const struct policy_input *input)
{
    const char *trouble = policy_disk_trouble(input->db);

    if (!trouble)
        tracker->disk_trouble_since_us = 0;
    else if (tracker->disk_trouble_since_us == 0)
        tracker->disk_trouble_since_us = input->now_us;
    if (!trouble || input->now_us - tracker->disk_trouble_since_us < input->settings.election_us ||
        !policy_best_other(input))
        return NULL;
    return trouble;
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
    if (input->db && (input->db->state == MHA__DB_STATE__DB_UP || policy_is_held_up(input->db)))
        tracker->unseen_since_us = 0;
    else if (tracker->unseen_since_us == 0)
        tracker->unseen_since_us = input->now_us;
    return tracker->unseen_since_us && input->now_us - tracker->unseen_since_us >=
                                           2 * input->settings.probe_timeout_us + input->settings.election_us;
}

/* The rule of the committed set is in force, with nobody else's acknowledgements; the epoch record is where
 * it must be; and nothing else may be committed meanwhile: then it opens. */
static void open_database(const struct policy_tracker *tracker, const struct policy_input *input,
                          struct policy_output *output)
{
    const struct cluster_state *state = input->state;
    unsigned acks = state->sync.acks;
    struct acknowledgers who;

    policy_acknowledgers(tracker, input, &who);
    output->db_watch = true;
    if (tracker->opening_fails_since_us && input->now_us < tracker->opening_failed_us + OPEN_AGAIN_US) {
        policy_wait(output, "the opening failed; trying again");
        policy_again(output, tracker->opening_failed_us + OPEN_AGAIN_US);
    } else if (input->raft->lease_until_us < input->now_us + input->settings.election_us / 4) {
        policy_wait(output, "opening waits for a lease that does not end at once");
    } else if (input->proposal_pending)
        policy_wait(output, "opening waits for the outcome of a proposal: it may be another commit rule");
    else if (!policy_rule_is(input, output, acks, &who))
        return;
    else if (!input->db_settled) /* nor may a late statement of an earlier worker undo it */
        policy_set_rule(input, output, DB_OP_SET_COMMIT_RULE, acks, &who);
    else if (acks > 0 && !input->db->acks_enforced)
        policy_wait(output, "opening waits until the server's commits wait for %u acknowledgement%s", acks,
                    acks == 1 ? "" : "s");
    else if (!epoch_record_held(tracker, input))
        policy_wait(output, "waiting until %u member%s of the sync set hold%s the record of epoch %llu", acks,
                    acks == 1 ? "" : "s", acks == 1 ? "s" : "", (unsigned long long)state->primary.epoch);
    else {
        policy_db_op(input, output, DB_OP_OPEN);
        output->db_epoch = input->raft->term;
    }
}

void policy_serve(struct policy_tracker *tracker, const struct policy_input *input,
                  struct policy_output *output)
{
    const struct cluster_state *state = input->state;
    const Mha__DbObservation *db = input->db;
    const char *trouble = primary_trouble(input);

    output->waiting_for[0] = '\0';
    if (!trouble && input->raft->lease_ended &&
        !(state->switchover.id && state->switchover.to != input->self->id))
        trouble = "its lease was ended";
    if (!trouble)
        trouble = disk_trouble(tracker, input);
    if (!trouble && input->stopping && !policy_paused_here(input))
        trouble = "its agent is being stopped";
    if (trouble) {
        policy_lose_primary(tracker, input, output, trouble);
        return;
    }
    output->lease_epoch = input->raft->term;
    if (unseen_too_long(tracker, input) && policy_best_other(input)) {
        policy_lose_primary(tracker, input, output, "its database cannot be observed");
        return;
    }
    if (!db || db->state != MHA__DB_STATE__DB_UP) {
        output->vip_hold = input->vip && input->vip->held;
        policy_wait(output, "the database %s%s%s",
                    policy_is_held_up(db) ? "takes no writes now, and is left alone" : "cannot be observed",
                    db && db->trouble[0] ? ": " : "", db ? db->trouble : "");
        return;
    }
    if (opening_fails(tracker, input) && !db->open) {
        if (policy_best_other(input)) {
            policy_lose_primary(tracker, input, output, "its database cannot be opened");
            return;
        }
        if (policy_join_closed(tracker, input, output))
            return;
    }
    if (!state->primary.opened) {
        write_epoch_record(tracker, input, output);
        if (!output->propose)
            policy_keep_sync_set(tracker, input, output);
        return;
    }
    if (policy_switchover_step(tracker, input, output)) {
        /* Commits would wait for a member that is gone, and the stop of the writes for them. */
        if (db->open && !input->db_busy && output->db_op == DB_OP_NONE && !output->propose &&
            !input->raft->lease_ended && output->lease_epoch && !output->transfer_to)
            policy_keep_sync_set(tracker, input, output);
        return;
    }
    if (!db->open) {
        output->vip_leave = policy_paused_here(input);
        open_database(tracker, input, output);
    } else {
        output->vip_hold = true;
        output->vip_leave = false;
        trouble = address_trouble(tracker, input);
        if (trouble && another_could_hold_it(input)) {
            policy_lose_primary(tracker, input, output, trouble);
            return;
        }
        if (trouble)
            policy_wait(output, "%s, and no other node may be promoted", trouble);
    }
    policy_keep_sync_set(tracker, input, output);
    if (db->open)
        policy_keep_asides(tracker, input, output);
    report_phases(tracker, input, output);
}
