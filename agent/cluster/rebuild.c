/* rebuild.c - databases that are made anew, and nodes that are drained.
 *
 * "Nothing is cut, rewound, cloned or rebuilt on a member of M: its removal is committed first." Who is to be
 * rebuilt stands in the replicated state (cluster_aside). While it stands there no command takes the node
 * into the sync set, so a node that sees in its own copy of the state that it is set aside and is no member
 * may begin: whatever its copy lacks, it is no member before the end is committed. And that is proposed only
 * once the node itself has said that nothing of it is under way any more.
 *
 * The leader whose database is the open primary sets aside who holds something alone, who cannot receive any
 * more because its source has purged what it lacks, and whose last rebuild came to no end; the node does the
 * work, and tries again after a failure, after growing pauses. */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

#define AGAIN_LEAST_US 10000000u
#define AGAIN_DOUBLINGS 6
/* The receiver may come back by itself. */
#define RECEIVER_FAILS_US 5000000u
/* Of a donor that is a replica. */
#define DONOR_LAG_MS 10000u
/* Drained for a removal that does not come. */
#define DRAINED_US 120000000u

/* The open primary's observation; NULL: none that is heard. */
static const Mha__DbObservation *open_primary(const struct policy_input *input)
{
    const struct policy_node *primary = policy_find_node(input, input->state->primary.node);
    const Mha__DbObservation *db = primary ? policy_fresh_db(input, primary) : NULL;

    if (!db || !input->state->primary.opened || input->state->primary.epoch != input->raft->term ||
        primary->report->term != input->raft->term || db->state != MHA__DB_STATE__DB_UP)
        return NULL;
    return db;
}

bool policy_diverged(const char *position, const char *primary)
{
    struct position theirs, whole;

    return position_parse(position, &theirs) && position_parse(primary, &whole) &&
           !position_contains(&whole, &theirs);
}

enum policy_need policy_needs_rebuild(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *primary = open_primary(input), *db = policy_fresh_db(input, node);

    if (!primary || node->arbiter || node->id == input->state->primary.node || !node->report ||
        !policy_node_reachable(input, node) || node->report->term != input->raft->term ||
        cluster_sync_find(&input->state->sync, node->id))
        return NEED_NONE;
    if (node->report->rebuild_unfinished)
        return NEED_UNFINISHED;
    if (!db || db->state != MHA__DB_STATE__DB_UP || db->open)
        return NEED_NONE;
    if (db->source_epoch == input->raft->term && db->source[0])
        return db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_RECEIVER_FAILS && !db->receiving ? NEED_PURGED
                                                                                                : NEED_NONE;
    /* what is still received is newer than any look at the primary */
    return !db->receiving && policy_diverged(db->received, primary->executed) ? NEED_DIVERGED : NEED_NONE;
}

/* ---- the node itself ---- */

static bool follows_primary(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db = policy_fresh_db(input, node);

    return db && !node->self && policy_node_reachable(input, node) && db->state == MHA__DB_STATE__DB_UP &&
           db->receiving && db->applying && db->source_epoch == input->state->primary.epoch &&
           db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_NONE && db->lag_ms <= DONOR_LAG_MS &&
           !cluster_aside_find(input->state, node->id);
}

/* "a replica when there is one": the primary has enough to do. NULL: there is none now. */
static const struct policy_node *choose_donor(const struct policy_input *input,
                                              const struct cluster_aside *aside)
{
    const struct policy_node *best = policy_find_node(input, input->state->primary.node);

    if (aside->donor) {
        const struct policy_node *asked = policy_find_node(input, aside->donor);
        return asked && (asked == best || follows_primary(input, asked)) ? asked : NULL;
    }
    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        if (follows_primary(input, node) &&
            (!best || best->id == input->state->primary.node ||
             policy_fresh_db(input, node)->lag_ms < policy_fresh_db(input, best)->lag_ms))
            best = node;
    }
    return best;
}

/* What was asked for by the state is over here, and nothing of it is under way. */
static bool is_over(const struct policy_input *input, const struct cluster_aside *aside)
{
    if (aside->cancelled)
        return true;
    if (aside->kind == MHA__ASIDE_KIND__ASIDE_DRAIN || input->rebuild_unfinished)
        return false;
    if (input->rebuild_id == aside->id)
        return input->rebuild_failed_us == 0 || aside->by_operator;
    /* An earlier agent has done it, or it has mended itself. */
    return !aside->by_operator && open_primary(input) && policy_fresh_db(input, input->self) &&
           input->db->state == MHA__DB_STATE__DB_UP && !input->db->open &&
           policy_holds(open_primary(input)->executed, input->db->received) &&
           policy_needs_rebuild(input, input->self) == NEED_NONE;
}

/* What an operator asks for anew begins at once. */
static uint64_t again_at_us(const struct policy_input *input, const struct cluster_aside *aside)
{
    unsigned doublings = input->rebuild_failures > 0 ? input->rebuild_failures - 1 : 0;

    if (input->rebuild_failed_us == 0 || input->rebuild_id != aside->id)
        return 0;
    return input->rebuild_failed_us +
           ((uint64_t)AGAIN_LEAST_US << (doublings < AGAIN_DOUBLINGS ? doublings : AGAIN_DOUBLINGS));
}

static void begin(const struct policy_input *input, struct policy_output *output,
                  const struct cluster_aside *aside)
{
    const struct policy_node *donor = choose_donor(input, aside);
    uint64_t at_us = again_at_us(input, aside);

    if (!donor) {
        policy_wait(output, "to be rebuilt; waiting for its donor %s", policy_node_name(input, aside->donor));
    } else if (input->server_busy) {
        policy_wait(output, "to be rebuilt; a command that starts its server still runs");
    } else if (input->now_us < at_us) {
        policy_wait(output, "to be rebuilt; the last try failed, the next one is in %llu s",
                    (unsigned long long)((at_us - input->now_us) / 1000000 + 1));
        policy_again(output, at_us);
    } else {
        output->rebuild_from = donor->id;
        output->rebuild_id = aside->id;
        output->rebuild_rate_mb = aside->rate_mb;
        policy_wait(output, "its database is made anew from that of %s", donor->name);
    }
}

bool policy_rebuild_self(const struct policy_input *input, struct policy_output *output)
{
    const struct cluster_aside *aside = cluster_aside_find(input->state, input->self->id);
    bool wanted = aside && aside->kind == MHA__ASIDE_KIND__ASIDE_REBUILD && !aside->cancelled;

    if (input->rebuilding) {
        output->rebuild_cancel = !wanted || aside->id != input->rebuild_id;
        policy_wait(output, output->rebuild_cancel ? "ending the rebuild of its database"
                                                   : "its database is being made anew");
        return true;
    }
    if (aside && is_over(input, aside)) {
        output->aside_over = aside->id;
        wanted = false;
    }
    if (wanted && input->raft->current && open_primary(input) &&
        !cluster_sync_find(&input->state->sync, input->self->id) && !(input->db && input->db->open)) {
        begin(input, output, aside);
        if (output->rebuild_from)
            return true;
    }
    if (!input->rebuild_unfinished)
        return false;
    if (!wanted)
        policy_wait(
            output,
            "a rebuild of its database came to no end, so it may hold less than it says: begin another "
            "one with mhactl rebuild --node %s",
            input->self->name);
    return true;
}

/* ---- the leader ---- */

static void propose_end(struct policy_output *output, const struct cluster_aside *aside, const char *outcome,
                        const char *detail)
{
    output->propose = true;
    output->command = (struct cluster_command){.kind = COMMAND_ASIDE_END, .id = aside->id};
    snprintf(output->command.text, sizeof output->command.text, "%s%s", outcome, detail);
}

static void end_if_over(struct policy_tracker *tracker, const struct policy_input *input,
                        struct policy_output *output, const struct cluster_aside *aside)
{
    const struct policy_node *node = policy_find_node(input, aside->node);
    const Mha__NodeReport *report = node ? node->report : NULL;
    bool drained = aside->kind == MHA__ASIDE_KIND__ASIDE_DRAIN;
    const char *failed;

    if (!node) {
        propose_end(output, aside, drained ? "done: it has left the group" : "failed: it has left the group",
                    "");
        return;
    }
    if (drained && !tracker->drained_since_us)
        tracker->drained_since_us = input->now_us;
    if (drained && (aside->cancelled || input->now_us - tracker->drained_since_us > DRAINED_US)) {
        propose_end(output, aside,
                    aside->cancelled ? "done: no longer drained" : "failed: it has not left the group", "");
        tracker->drained_since_us = 0;
        return;
    }
    if (!report || report->term != input->raft->term || report->aside_over != aside->id)
        return;
    failed = report->rebuild ? report->rebuild->failed : "";
    if (aside->cancelled)
        propose_end(output, aside, "failed: cancelled", "");
    else if (failed[0])
        propose_end(output, aside, "failed: ", failed);
    else
        propose_end(output, aside, "done: made anew", "");
}

/* Since when each has been in need. */
static uint64_t in_need_since(struct policy_tracker *tracker, const struct policy_input *input, unsigned i,
                              enum policy_need need)
{
    struct policy_ailing *ailing = &tracker->ailing[i];

    if (ailing->id != input->nodes[i].id || ailing->need != need)
        *ailing = (struct policy_ailing){input->nodes[i].id, need, input->now_us};
    return ailing->since_us;
}

static bool by_itself(const struct policy_input *input)
{
    return input->settings.rejoin_auto || (input->state->init.id && input->state->init.discard_others);
}

static void set_aside(struct policy_tracker *tracker, const struct policy_input *input,
                      struct policy_output *output)
{
    for (unsigned i = 0; i < input->node_count && !output->propose; i++) {
        const struct policy_node *node = &input->nodes[i];
        enum policy_need need = node->self ? NEED_NONE : policy_needs_rebuild(input, node);
        uint64_t since_us = in_need_since(tracker, input, i, need);
        uint64_t least_us = need == NEED_PURGED ? RECEIVER_FAILS_US : input->settings.election_us;
        if (need == NEED_NONE || cluster_aside_find(input->state, node->id) || !by_itself(input))
            continue;
        if (need == NEED_DIVERGED && input->db->observed_us <= since_us)
            continue; /* this look is older than what the node received last */
        if (input->now_us - since_us < least_us) {
            policy_again(output, since_us + least_us);
            continue;
        }
        output->propose = true;
        output->command = (struct cluster_command){
            .kind = COMMAND_ASIDE, .node = node->id, .aside = MHA__ASIDE_KIND__ASIDE_REBUILD};
    }
}

/* The first start that an operator chose is complete once everybody follows. */
static void end_init(const struct policy_input *input, struct policy_output *output)
{
    if (!input->state->init.id || output->propose)
        return;
    for (unsigned i = 0; i < input->node_count; i++) {
        const Mha__DbObservation *db = policy_fresh_db(input, &input->nodes[i]);
        if (!input->nodes[i].arbiter && !input->nodes[i].self &&
            !(db && db->receiving && db->source_epoch == input->state->primary.epoch))
            return;
    }
    output->propose = true;
    output->command = (struct cluster_command){.kind = COMMAND_INIT_END, .id = input->state->init.id};
}

void policy_keep_asides(struct policy_tracker *tracker, const struct policy_input *input,
                        struct policy_output *output)
{
    if (input->proposal_pending || output->propose)
        return;
    for (unsigned i = 0; i < input->state->aside_count && !output->propose; i++)
        end_if_over(tracker, input, output, &input->state->asides[i]);
    set_aside(tracker, input, output);
    end_init(input, output);
}

/* ---- what operators ask for ---- */

static bool fail(char *error, size_t size, const char *format, const char *name, const char *detail)
{
    snprintf(error, size, format, name, detail);
    return false;
}

static bool open_here(const struct policy_input *input, char *error, size_t size)
{
    if (input->raft->role != RAFT_LEADER)
        return fail(error, size, "%s does not lead now; ask again%s", input->self->name, "");
    if (!policy_serving_here(input) || !input->state->primary.opened || !input->db || !input->db->open)
        return fail(error, size,
                    "there is no open primary now, whose data a rebuild would need; see mhactl status%s%s",
                    "", "");
    return true;
}

static bool may_set_aside(const struct policy_input *input, uint64_t node, char *error, size_t size)
{
    const struct policy_node *found = policy_find_node(input, node);
    const struct cluster_aside *aside = cluster_aside_find(input->state, node);

    if (!found || found->arbiter)
        return fail(error, size, "no data node of that name; see mhactl status%s%s", "", "");
    if (node == input->state->primary.node)
        return fail(error, size, "%s is the primary: move it first with mhactl switchover%s", found->name,
                    "");
    if (aside)
        return fail(error, size, "%s is %s already; mhactl rebuild --node NODE --cancel ends that",
                    found->name, aside->kind == MHA__ASIDE_KIND__ASIDE_DRAIN ? "drained" : "rebuilt");
    if (input->state->switchover.id && input->state->switchover.to == node)
        return fail(error, size, "a switchover to %s is under way; wait for its outcome%s", found->name, "");
    return true;
}

bool policy_request_rebuild(const struct policy_input *input, uint64_t node, uint64_t donor, uint32_t rate_mb,
                            struct cluster_command *command, char *error, size_t error_size)
{
    const struct policy_node *target = policy_find_node(input, node), *from = policy_find_node(input, donor);

    if (!open_here(input, error, error_size) || !may_set_aside(input, node, error, error_size))
        return false;
    if (!policy_node_reachable(input, target))
        return fail(error, error_size, "%s is not heard; is its agent running?%s", target->name, "");
    if (donor && (!from || from->arbiter || donor == node))
        return fail(error, error_size, "the donor must be another data node%s%s", "", "");
    if (donor && donor != input->state->primary.node && !follows_primary(input, from))
        return fail(error, error_size, "%s cannot be the donor: it does not follow the primary closely%s",
                    from->name, "");
    *command = (struct cluster_command){.kind = COMMAND_ASIDE,
                                        .node = node,
                                        .aside = MHA__ASIDE_KIND__ASIDE_REBUILD,
                                        .donor = donor,
                                        .rate_mb = rate_mb,
                                        .by_operator = true};
    return true;
}

bool policy_request_cancel(const struct policy_input *input, uint64_t node, struct cluster_command *command,
                           char *error, size_t error_size)
{
    const struct cluster_aside *aside = cluster_aside_find(input->state, node);

    if (input->raft->role != RAFT_LEADER)
        return fail(error, error_size, "%s does not lead now; ask again%s", input->self->name, "");
    if (!aside)
        return fail(error, error_size, "no rebuild of %s is under way%s", policy_node_name(input, node), "");
    if (aside->cancelled)
        return fail(error, error_size, "the rebuild of %s is being cancelled already%s",
                    policy_node_name(input, node), "");
    *command = (struct cluster_command){.kind = COMMAND_ASIDE_CANCEL, .id = aside->id};
    return true;
}

bool policy_request_drain(const struct policy_input *input, uint64_t node, struct cluster_command *command,
                          char *error, size_t error_size)
{
    if (!open_here(input, error, error_size) || !may_set_aside(input, node, error, error_size))
        return false;
    *command = (struct cluster_command){
        .kind = COMMAND_ASIDE, .node = node, .aside = MHA__ASIDE_KIND__ASIDE_DRAIN, .by_operator = true};
    return true;
}
