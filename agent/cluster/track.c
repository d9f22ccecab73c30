/* track.c - since when: what the policy has to remember of earlier inputs. */
#include <stddef.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

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
    if (input->db->open || input->now_us > tracker->opening_failed_us + 5 * POLICY_RETRY_US)
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
