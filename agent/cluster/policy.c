#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

/* A failed operation on the database is tried again after this. */
#define RETRY_US 200000u

const struct policy_node *policy_find_node(const struct policy_input *input, uint64_t id)
{
    for (unsigned i = 0; i < input->node_count; i++)
        if (input->nodes[i].id == id && id != 0)
            return &input->nodes[i];
    return NULL;
}

const char *policy_node_name(const struct policy_input *input, uint64_t id)
{
    const struct policy_node *node = policy_find_node(input, id);

    return node ? node->name : id ? "an unknown node" : "nobody";
}

bool policy_node_reachable(const struct policy_input *input, const struct policy_node *node)
{
    return node->self || (node->heard_us && input->now_us - node->heard_us <= input->settings.election_us);
}

const Mha__DbObservation *policy_fresh_db(const struct policy_input *input, const struct policy_node *node)
{
    if (node->self)
        return input->db;
    if (!node->report || input->now_us - node->reported_us > input->settings.election_us)
        return NULL;
    return node->report->database;
}

unsigned policy_data_nodes(const struct policy_input *input)
{
    unsigned count = 0;

    for (unsigned i = 0; i < input->node_count; i++)
        count += !input->nodes[i].arbiter && !input->nodes[i].learner;
    return count;
}

unsigned policy_databases(const struct policy_input *input)
{
    unsigned count = 0;

    for (unsigned i = 0; i < input->node_count; i++)
        count += !input->nodes[i].arbiter;
    return count;
}

unsigned policy_most_acks(const struct policy_input *input)
{
    unsigned half = policy_data_nodes(input) / 2;

    return input->settings.acks_kind == ACKS_ANY && half > 1 ? 1 : half;
}

const Mha__DbObservation *policy_willing(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db = policy_fresh_db(input, node);

    if (node->self || node->arbiter || node->learner || cluster_aside_find(input->state, node->id) || !db ||
        node->report->term != input->raft->term || db->state != MHA__DB_STATE__DB_UP || !db->receiving ||
        !db->applying || policy_disk_trouble(db) || !(db->acknowledging || db->standing_by) ||
        db->source_epoch != input->state->primary.epoch || db->incarnation == 0)
        return NULL;
    return db;
}

bool policy_acknowledges(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db = policy_willing(input, node);

    return db && db->acknowledging;
}

bool policy_tells_nodes_apart(const struct policy_input *input, const Mha__DbObservation *db)
{
    return input->settings.acks_kind != ACKS_NAMED && db->acknowledgers_known;
}

bool policy_counts_there(const Mha__DbObservation *db, const char *name)
{
    for (size_t i = 0; i < db->n_acknowledgers; i++)
        if (strcmp(db->acknowledgers[i], name) == 0)
            return true;
    return false;
}

const Mha__DbObservation *policy_frozen_db(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db = node ? policy_fresh_db(input, node) : NULL;

    if (!db || db->state != MHA__DB_STATE__DB_UP || db->frozen_term != input->raft->term ||
        (!node->self && node->report->term != input->raft->term))
        return NULL;
    return db;
}

bool policy_is_ahead(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *theirs = policy_fresh_db(input, node);
    struct position mine, other;

    return theirs && input->db && position_parse(input->db->received, &mine) &&
           position_parse(theirs->received, &other) && position_compare(&other, &mine) == POSITION_AHEAD;
}

bool policy_holds(const char *position, const char *part)
{
    struct position whole, piece;

    return position_parse(position, &whole) && position_parse(part, &piece) &&
           position_contains(&whole, &piece);
}

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
    if (input->failed_op == op && input->now_us < input->failed_us + RETRY_US) {
        policy_wait(output, "%s; trying again", input->failed_error);
        policy_again(output, input->failed_us + RETRY_US);
        return;
    }
    if (!input->db_busy || op == DB_OP_FENCE)
        output->db_op = op;
}

uint64_t policy_held_until_us(const struct policy_input *input, const struct policy_node *node)
{
    uint64_t until_us = node->self ? input->raft->held_until_us : 0;

    if (!node->self && node->report)
        until_us = node->reported_us + node->report->held_ms * 1000;
    return until_us > input->now_us ? until_us : 0;
}

bool policy_majority_votes(const struct policy_input *input)
{
    unsigned voters = 0, held = 0;

    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        if (node->learner)
            continue;
        voters++;
        held += !policy_node_reachable(input, node) || policy_held_until_us(input, node);
    }
    return voters - held > voters / 2;
}

bool policy_is_held_up(const Mha__DbObservation *db)
{
    return db && db->state == MHA__DB_STATE__DB_HUNG &&
           (db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD ||
            db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_NO_CONNECTION_FREE);
}

const char *policy_disk_trouble(const Mha__DbObservation *db)
{
    if (!db || (db->state != MHA__DB_STATE__DB_UP && db->state != MHA__DB_STATE__DB_HUNG))
        return NULL;
    if (db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL)
        return "its disk is full";
    if (db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_READ_ONLY_FILES)
        return "its file system takes no writes";
    return NULL;
}

bool policy_serving_here(const struct policy_input *input)
{
    return input->raft->role == RAFT_LEADER && input->raft->ready &&
           input->state->primary.node == input->self->id && input->state->primary.epoch == input->raft->term;
}

bool policy_paused_here(const struct policy_input *input)
{
    return input->state->pause.id && input->state->pause.holder == input->self->id;
}

bool policy_adopts_open_database(const struct policy_input *input)
{
    const struct cluster_state *state = input->state;

    return policy_paused_here(input) && state->primary.node == input->self->id && state->primary.opened &&
           input->db && input->db->open && input->db->incarnation == state->primary.incarnation;
}

#define START_PATIENCE_US 60000000u

bool policy_is_starting(const struct policy_tracker *tracker, const struct policy_input *input)
{
    return tracker->started_us && input->now_us - tracker->started_us < START_PATIENCE_US && input->db &&
           input->db->state == MHA__DB_STATE__DB_HUNG;
}

bool policy_dead(const Mha__DbObservation *db)
{
    return db && db->state == MHA__DB_STATE__DB_DOWN;
}

bool policy_closed(const Mha__DbObservation *db)
{
    return policy_dead(db) || (db && db->fenced);
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

bool policy_has_successor(const struct policy_input *input)
{
    return policy_best_other(input) != NULL;
}

/* ---- since when ---- */

/* Who has just come in stands by until the server of the primary lets it acknowledge, and then connects anew
 * by its own account. */
#define CHANGE_OVER_US 2000000u
/* Whose trouble comes and goes is taken in again only after it was calm for so long, from the second time on.
 */
#define CALM_LEAST_US 2000000u
#define CALM_MOST_US 60000000u
#define CALM_FORGOTTEN_US 300000000u
/* Beyond an election timeout: a server that syncs to a slow disk is none that hangs. */
#define STALL_US 500000u

/* What keeps a member of the sync set from acknowledging, or NULL. `at_once`: waiting longer cannot help. */
static const char *member_trouble(const struct policy_input *input, const struct sync_member *member,
                                  bool *at_once)
{
    const struct policy_node *node = policy_find_node(input, member->node);
    const Mha__DbObservation *db = node ? policy_fresh_db(input, node) : NULL;

    const struct cluster_aside *aside = cluster_aside_find(input->state, member->node);

    *at_once = true;
    if (!node)
        return "it is not a member of the group";
    if (aside)
        return aside->kind == MHA__ASIDE_KIND__ASIDE_DRAIN ? "an operator drains it"
                                                           : "its database is to be made anew";
    if (!policy_node_reachable(input, node) || (!db && node->reported_us))
        return "its host is not heard";
    *at_once = false;
    if (!db || node->report->term < input->raft->term)
        return "it has not reported in this term";
    *at_once = true;
    if (db->state == MHA__DB_STATE__DB_DOWN)
        return "its database is down";
    if (db->state == MHA__DB_STATE__DB_HUNG && !policy_is_held_up(db))
        return policy_disk_trouble(db) ? policy_disk_trouble(db) : "its database hangs";
    if (db->incarnation && db->incarnation != member->incarnation)
        return "its database has restarted";
    *at_once = false;
    if (db->state != MHA__DB_STATE__DB_UP)
        return "its database cannot be observed";
    if (policy_disk_trouble(db))
        return policy_disk_trouble(db);
    if (!db->receiving || !db->acknowledging || db->source_epoch != input->state->primary.epoch)
        return "it does not receive from the primary";
    return NULL;
}

/* It was dropped for its trouble, once more. */
static void note_drop(struct policy_tracker *tracker, const struct policy_input *input, uint64_t id)
{
    struct policy_calm *calm = &tracker->calm[0];

    for (unsigned i = 0; i < POLICY_NODES_MAX && calm->id != id; i++)
        if (tracker->calm[i].id == id || tracker->calm[i].dropped_us < calm->dropped_us)
            calm = &tracker->calm[i];
    if (calm->id != id || input->now_us - calm->dropped_us > CALM_FORGOTTEN_US)
        *calm = (struct policy_calm){.id = id};
    calm->drops++;
    calm->dropped_us = input->now_us;
}

uint64_t policy_calm_until_us(const struct policy_tracker *tracker, uint64_t id)
{
    for (unsigned i = 0; i < POLICY_NODES_MAX; i++)
        if (tracker->calm[i].id == id && tracker->calm[i].drops > 1) {
            unsigned doublings = tracker->calm[i].drops - 2;
            uint64_t calm_us = doublings < 5 ? (uint64_t)CALM_LEAST_US << doublings : CALM_MOST_US;
            return tracker->calm[i].dropped_us + calm_us;
        }
    return 0;
}

static bool lacks_the_mark(const struct policy_tracker *tracker, const Mha__DbObservation *db)
{
    struct position received;

    return tracker->near_mark_us && db && position_parse(db->received, &received) &&
           !position_contains(&received, &tracker->near_mark);
}

/* What is in the primary's log leaves it: commits have got so far that they wait for an acknowledgement, or
 * another member has it. (One that hangs in a write to its own log sends nothing, and nobody lacks it.) */
static bool mark_is_sent(const struct policy_tracker *tracker, const struct policy_input *input)
{
    if (input->db && input->db->waiting_commits > 0)
        return true;
    for (unsigned i = 0; i < input->state->sync.count; i++) {
        const struct policy_node *node = policy_find_node(input, input->state->sync.members[i].node);
        const Mha__DbObservation *db = node && !node->self ? policy_fresh_db(input, node) : NULL;
        if (db && !lacks_the_mark(tracker, db))
            return true;
    }
    return false;
}

/* It is heard, and its database too, but what the primary sends does not arrive there: its receiver hangs (in
 * a write to a disk that was full a moment ago, say), and with it every commit that waits for it. */
static bool has_stalled(const struct policy_tracker *tracker, const struct policy_input *input,
                        struct policy_member *member)
{
    const struct policy_node *node = policy_find_node(input, member->id);
    const Mha__DbObservation *db = node ? policy_fresh_db(input, node) : NULL;

    if (!lacks_the_mark(tracker, db) || !mark_is_sent(tracker, input)) {
        member->lacks_since_us = 0;
        member->stalled = false; /* a connection made anew is no end of it */
    } else if (!member->lacks_since_us || db->received_log != member->received_log) {
        member->lacks_since_us = input->now_us;
        member->received_log = db->received_log;
    } else if (input->now_us - member->lacks_since_us > input->settings.election_us + STALL_US) {
        member->stalled = true;
    }
    return member->stalled;
}

static void track_member(struct policy_tracker *tracker, const struct policy_input *input,
                         const struct sync_member *who, struct policy_member *member)
{
    bool at_once = false, stalled = has_stalled(tracker, input, member);
    const char *trouble = member_trouble(input, who, &at_once);

    if (stalled && !at_once) {
        trouble = "it receives nothing";
        at_once = true;
    }
    member->trouble = trouble;
    if (!trouble)
        member->trouble_since_us = 0;
    else if (!member->trouble_since_us)
        member->trouble_since_us = input->now_us;
    member->due_us = member->trouble_since_us;
    if (trouble && !at_once) {
        member->due_us += input->settings.election_us;
        if (member->joined_us && member->due_us < member->joined_us + CHANGE_OVER_US)
            member->due_us = member->joined_us + CHANGE_OVER_US;
    }
}

static void track_members(struct policy_tracker *tracker, const struct policy_input *input)
{
    const struct sync_set *sync = &input->state->sync;
    struct policy_member before[POLICY_NODES_MAX];
    unsigned before_count = tracker->node_count;

    memcpy(before, tracker->nodes, before_count * sizeof before[0]);
    for (unsigned i = 0; i < before_count; i++)
        if (before[i].trouble_since_us && !cluster_sync_find(sync, before[i].id) &&
            !cluster_aside_find(input->state, before[i].id))
            note_drop(tracker, input, before[i].id);
    tracker->node_count = 0;
    for (unsigned i = 0; i < sync->count; i++) {
        struct policy_member *member = &tracker->nodes[tracker->node_count];
        if (sync->members[i].node == input->self->id)
            continue;
        *member = (struct policy_member){.id = sync->members[i].node,
                                         .joined_us = tracker->members_known ? input->now_us : 0};
        for (unsigned j = 0; j < before_count; j++)
            if (before[j].id == member->id)
                *member = before[j];
        track_member(tracker, input, &sync->members[i], member);
        tracker->node_count++;
    }
    tracker->members_known = true;
}

/* Who is near enough to be counted on: of those that may join the sync set, and of its members while k may be
 * raised. */
static void track_near(struct policy_tracker *tracker, const struct policy_input *input)
{
    struct policy_near before[POLICY_NODES_MAX];
    unsigned before_count = tracker->near_count;
    bool all_acks = input->state->sync.acks >= policy_most_acks(input);

    memcpy(before, tracker->near, before_count * sizeof before[0]);
    tracker->near_count = 0;
    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        struct policy_near *near = &tracker->near[tracker->near_count];
        const Mha__DbObservation *db;
        struct position received;
        if ((all_acks && cluster_sync_find(&input->state->sync, node->id)) ||
            !(db = policy_willing(input, node)))
            continue;
        *near = (struct policy_near){.id = node->id, .since_us = input->now_us};
        for (unsigned j = 0; j < before_count; j++)
            if (before[j].id == node->id)
                *near = before[j];
        if (tracker->near_mark_us && input->now_us - tracker->near_mark_us <= POLICY_NEAR_US &&
            position_parse(db->received, &received) && position_contains(&received, &tracker->near_mark))
            near->near_us = input->now_us;
        tracker->near_count++;
    }
    if (!tracker->near_mark_us || input->now_us - tracker->near_mark_us > POLICY_NEAR_US)
        tracker->near_mark_us = position_parse(input->db->executed, &tracker->near_mark) ? input->now_us : 0;
}

static void first_seen(uint64_t *when_us, bool now_true, uint64_t now_us)
{
    if (now_true && *when_us == 0)
        *when_us = now_us;
}

/* Failures go on as long as each is followed by another soon: other operations may succeed in between. */
static void track_opening(struct policy_tracker *tracker, const struct policy_input *input)
{
    bool failed = input->failed_op == DB_OP_PROMOTE || input->failed_op == DB_OP_SET_COMMIT_RULE ||
                  input->failed_op == DB_OP_SET_ACKNOWLEDGING || input->failed_op == DB_OP_OPEN;

    if (failed)
        tracker->opening_failed_us = input->failed_us;
    if (input->db->open || input->now_us > tracker->opening_failed_us + 5 * RETRY_US)
        tracker->opening_fails_since_us = 0;
    else
        first_seen(&tracker->opening_fails_since_us, failed, input->now_us);
}

void policy_track(struct policy_tracker *tracker, const struct policy_input *input)
{
    const Mha__DbObservation *db = input->db;

    policy_track_marks(&tracker->marks, input);
    if (input->server_busy)
        tracker->started_us = input->now_us;
    else if (db && db->state == MHA__DB_STATE__DB_UP)
        tracker->started_us = 0;
    if (tracker->term != input->raft->term || input->raft->role != RAFT_LEADER) {
        memset((char *)tracker + offsetof(struct policy_tracker, term), 0,
               sizeof *tracker - offsetof(struct policy_tracker, term));
        tracker->term = input->raft->term;
    }
    if (input->raft->role != RAFT_LEADER)
        return;
    track_members(tracker, input);
    first_seen(&tracker->lease_ended_since_us, input->raft->lease_ended, input->now_us);
    first_seen(&tracker->down_since_us, policy_dead(db), input->now_us);
    if (!policy_dead(db))
        tracker->down_since_us = 0;
    if (!db || !policy_serving_here(input))
        tracker->near_mark_us = 0;
    if (!db)
        return;
    first_seen(&tracker->frozen_us, db->frozen_term == input->raft->term, input->now_us);
    first_seen(&tracker->drained_us, tracker->frozen_us && db->drained, input->now_us);
    if (db->open)
        tracker->shut_us = UINT64_MAX;
    else if (tracker->shut_us == UINT64_MAX)
        tracker->shut_us = db->observed_us;
    if (!policy_serving_here(input))
        return;
    first_seen(&tracker->closed_us, !db->open, db->observed_us);
    if (db->open)
        tracker->closed_us = 0;
    track_opening(tracker, input);
    track_near(tracker, input);
    first_seen(&tracker->open_us, input->state->primary.opened && db->open, input->now_us);
    first_seen(&tracker->announced_us,
               tracker->open_us && (!input->settings.has_vip || (input->vip && input->vip->held)),
               input->now_us);
    if (!input->state->switchover.id) {
        tracker->switchover_since_us = tracker->closed_since_us = tracker->applied_mark_us = 0;
        tracker->target_is_near = false;
    }
}

/* ---- the decision ---- */

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
