/* sync_set.c - the leader keeps the sync set right, one member or one step of k at a time: "weaken = commit
 * first, strengthen = database first". Every step is derived anew from the committed state, the server's rule
 * and the replicas' reports; what an earlier leader or agent left half done is carried on or taken back.
 *
 * WHICH SET IS RIGHT, by the kind of server (N = voting data nodes):
 *
 *   ACKS_COUNT, ACKS_NAMED: M = all healthy data nodes, k = N/2. A promotion needs |M \ {old}| - k + 1 frozen
 *   positions: with the primary gone, N/2 - 1 further nodes may be silent at the same moment, as many as the
 *   quorum allows.
 *
 *   ACKS_ANY: the server waits for one acknowledgement, so k <= 1, and a promotion needs frozen positions of
 *   all of M \ {old}: any of them may be the one that acknowledged. Each further member would be one more
 *   whose silence stops a promotion, and give nothing in return. So M = {primary, one replica}; the others
 *   receive, their acknowledgements do not count, and they stand by. When the primary dies, the one position
 *   that is needed is its successor's own; a standby that happens to have received more takes its place
 *   (promotion.c, policy_ahead_outside). When the replica dies, a standby that is near joins first,
 * {p,r,s},1, and writes go on as soon as it may acknowledge, after one detection time; then the dead one is
 * dropped. Without a standby it is {p},0, as with two data nodes. The price: primary and replica gone within
 * one detection time need an operator, or one of them back, even if the others live. M = all would need it
 *   whenever the primary and any other one are.
 *
 * Who is counted by the server syncs each event that it receives (MySQL): so one that lags behind while
 * nothing waits for it stands by until it has caught up. So does one that its source has not let connect.
 *
 * k is lowered when fewer than k members are sound and nobody can join, and raised again as soon as k + 1
 * hold everything. While k can be raised nobody else joins: at k acknowledgements each member more is one
 * more position that a promotion needs. */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

#define RAISE_TIMEOUT_US 2000000u
#define RAISE_AGAIN_US 5000000u
/* A replica that has received for so long and was not near may not get near as one that acknowledges. */
#define LAGGARD_US 3000000u
/* And what keeps who acknowledges from connecting comes again meanwhile. */
#define LOCKED_OUT_US 30000000u
/* While nothing waits for it yet, who is allowed to acknowledge has so long to change over. */
#define PREPARE_TIMEOUT_US 10000000u

static void propose_sync(const struct policy_input *input, struct policy_output *output,
                         const struct sync_set *sync, const char *format, const char *node, const char *why)
{
    output->propose = true;
    output->command =
        (struct cluster_command){.kind = COMMAND_SYNC, .epoch = input->state->primary.epoch, .sync = *sync};
    output->command.sync.version = input->state->sync.version + 1;
    snprintf(output->command.text, sizeof output->command.text, format, node, why);
}

void policy_propose_join(const struct policy_input *input, struct policy_output *output,
                         const struct policy_node *node, const char *why)
{
    struct sync_set sync = input->state->sync;

    if (sync.count == CLUSTER_SYNC_MAX)
        return;
    sync.members[sync.count++] = (struct sync_member){node->id, policy_fresh_db(input, node)->incarnation};
    if (sync.acks == 0)
        sync.acks = 1;
    propose_sync(input, output, &sync, "%s joined the sync set%s", node->name, why);
}

static void propose_leave(const struct policy_input *input, struct policy_output *output, uint64_t node,
                          const char *why)
{
    const struct sync_set *old = &input->state->sync;
    struct sync_set sync = {.acks = old->acks};

    for (unsigned i = 0; i < old->count; i++)
        if (old->members[i].node != node)
            sync.members[sync.count++] = old->members[i];
    propose_sync(input, output, &sync, "%s left the sync set: %s", policy_node_name(input, node), why);
}

static bool was_near(const struct policy_tracker *tracker, const struct policy_input *input, uint64_t id)
{
    for (unsigned i = 0; i < tracker->near_count; i++)
        if (tracker->near[i].id == id)
            return tracker->near[i].near_us && input->now_us - tracker->near[i].near_us <= POLICY_NEAR_US;
    return false;
}

bool policy_is_near(const struct policy_tracker *tracker, const struct policy_input *input,
                    const struct policy_node *node)
{
    return !cluster_sync_find(&input->state->sync, node->id) && policy_willing(input, node) &&
           was_near(tracker, input, node->id) && input->now_us >= policy_calm_until_us(tracker, node->id);
}

/* Who may join next: one that is near, and rather not the one with which it failed. NULL: nobody. */
static const struct policy_node *next_to_join(const struct policy_tracker *tracker,
                                              const struct policy_input *input)
{
    const struct policy_node *next = NULL;

    for (unsigned i = 0; i < input->node_count; i++)
        if (policy_is_near(tracker, input, &input->nodes[i]) && (!next || next->id == tracker->failed_node))
            next = &input->nodes[i];
    return next;
}

/* ---- who is gone ---- */

/* The first member to be dropped, as an index into tracker->nodes; node_count: none. A member that is in
 * trouble but not due yet is sound. "A drop is proposed only after a quorum has answered a round that was
 * sent after the member was found gone": a leader that is cut off itself must not shrink the set to itself.
 */
static unsigned first_gone(const struct policy_tracker *tracker, const struct policy_input *input,
                           struct policy_output *output, unsigned *sound)
{
    unsigned gone = tracker->node_count;

    *sound = 0;
    for (unsigned i = 0; i < tracker->node_count; i++) {
        uint64_t since_us = tracker->nodes[i].trouble_since_us;
        uint64_t due_us = tracker->nodes[i].due_us;
        if (since_us)
            output->db_watch = true;
        if (!since_us || input->now_us < due_us) {
            (*sound)++;
            if (since_us)
                policy_again(output, due_us);
        } else if (input->raft->round_sent_us > since_us && gone == tracker->node_count) {
            gone = i;
        }
    }
    return gone;
}

/* Who is to leave acknowledges still, and too few others do yet: commits would wait for who has just come in.
 */
static bool is_needed_yet(const struct policy_tracker *tracker, const struct policy_input *input,
                          uint64_t node)
{
    const struct policy_node *leaving = policy_find_node(input, node);
    const Mha__DbObservation *db = leaving ? policy_fresh_db(input, leaving) : NULL;
    unsigned others = 0;

    if (!db || db->state != MHA__DB_STATE__DB_UP || !db->receiving || !db->acknowledging ||
        db->source_epoch != input->state->primary.epoch)
        return false;
    for (unsigned i = 0; i < tracker->node_count; i++)
        others += tracker->nodes[i].id != node && tracker->nodes[i].trouble_since_us == 0;
    return others < input->state->sync.acks;
}

/* "drop a member at k >= 1: withdraw its acknowledgement at the primary (seen done), take P = the end of the
 * log, wait until k of the remaining members hold P, then commit" */
static void drop(struct policy_tracker *tracker, const struct policy_input *input,
                 struct policy_output *output, uint64_t node, const char *why)
{
    const struct sync_set *sync = &input->state->sync;
    struct acknowledgers who;

    if (input->proposal_pending || input->db_busy || output->db_op != DB_OP_NONE ||
        input->db->written_epoch != input->raft->term)
        return; /* the rule in the server is not this epoch's yet, or may be changing */
    if (is_needed_yet(tracker, input, node)) {
        output->db_watch = true;
        who.count = 0;
        for (unsigned i = 0; i < tracker->node_count; i++)
            if (policy_find_node(input, tracker->nodes[i].id))
                who.names[who.count++] = policy_node_name(input, tracker->nodes[i].id);
        policy_rule_is(input, output, sync->acks, &who);
        return;
    }
    policy_begin_change(tracker, input, RULE_CHANGE_DROP, node);
    policy_acknowledgers(tracker, input, &who);
    if (policy_end_of_log(tracker, input, output, sync->acks, &who) &&
        policy_holders(tracker, input, node) >= sync->acks)
        propose_leave(input, output, node, why);
}

/* Too few are sound for k acknowledgements. Commit first: a standby joins at the same k, or k goes down by
 * one; with k = 0 the primary stands alone, whatever the others were. */
static void weaken(struct policy_tracker *tracker, const struct policy_input *input,
                   struct policy_output *output, uint64_t node, const char *why)
{
    const struct policy_node *standby = next_to_join(tracker, input);
    struct sync_set sync = input->state->sync;

    if (standby && sync.count < CLUSTER_SYNC_MAX) {
        policy_propose_join(input, output, standby, ": another member is gone");
        return;
    }
    sync.acks--;
    if (sync.acks == 0) {
        sync.members[0] = *cluster_sync_find(&input->state->sync, input->self->id);
        sync.count = 1;
        propose_sync(input, output, &sync, "%s left the sync set: %s", policy_node_name(input, node), why);
    } else {
        propose_sync(input, output, &sync, "fewer acknowledgements: %s: %s", policy_node_name(input, node),
                     why);
    }
}

/* true: somebody is gone, and that comes first. */
static bool deal_with_gone(struct policy_tracker *tracker, const struct policy_input *input,
                           struct policy_output *output)
{
    unsigned sound, gone = first_gone(tracker, input, output, &sound);

    if (gone == tracker->node_count)
        return false;
    if (sound >= input->state->sync.acks)
        drop(tracker, input, output, tracker->nodes[gone].id, tracker->nodes[gone].trouble);
    else
        weaken(tracker, input, output, tracker->nodes[gone].id, tracker->nodes[gone].trouble);
    return true;
}

/* ---- strengthening ---- */

/* Commits waited in vain for as long as the stronger rule was in force: the pause before the next try is some
 * times that, so that most of the time they do not. One that a replica's stumble ended is tried again soon.
 */
static void give_up_change(struct policy_tracker *tracker, const struct policy_input *input, bool timed_out)
{
    uint64_t strained_us = tracker->strained_us ? input->now_us - tracker->strained_us : 0;
    uint64_t pause_us = strained_us * 5 / 2;

    if (timed_out || pause_us > RAISE_AGAIN_US)
        pause_us = RAISE_AGAIN_US;
    tracker->failed_node = tracker->change_node;
    tracker->raise_again_us = input->now_us + pause_us;
    policy_end_change(tracker);
}

static bool took_too_long(const struct policy_tracker *tracker, const struct policy_input *input)
{
    if (tracker->change == RULE_CHANGE_FIRST && !tracker->strained_us)
        return input->now_us - tracker->change_since_us > PREPARE_TIMEOUT_US;
    return input->now_us - (tracker->strained_us ? tracker->strained_us : tracker->change_since_us) >
           RAISE_TIMEOUT_US;
}

/* It is allowed to acknowledge while no commit waits for it, and changes over: once it is seen to do so, and
 * to hold what was the end of the log a moment ago, commits can wait for it without a stall. true: they can.
 */
static bool prepared(const struct policy_tracker *tracker, const struct policy_input *input,
                     struct policy_output *output, const struct policy_node *node,
                     const struct acknowledgers *who)
{
    if (input->db->acks > 0)
        return true; /* they do already */
    output->db_watch = true;
    if (policy_tells_nodes_apart(input, input->db)) {
        if (!policy_acknowledgers_are(input, output, who))
            return false;
        if (!policy_acknowledges(input, node)) {
            policy_wait(output, "waiting until %s acknowledges", node->name);
            return false;
        }
    }
    return was_near(tracker, input, node->id) && !policy_strangers_acknowledge(input, output, who);
}

/* It may come back to what it is prepared for. */
static bool is_lost(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db = node ? policy_fresh_db(input, node) : NULL;

    return !db || db->state != MHA__DB_STATE__DB_UP || cluster_aside_find(input->state, node->id);
}

static bool lags_behind(const struct policy_tracker *tracker, const struct policy_input *input,
                        const char *name)
{
    for (unsigned i = 0; i < tracker->near_count; i++) {
        const struct policy_near *near = &tracker->near[i];
        uint64_t since_us = near->near_us > near->since_us ? near->near_us : near->since_us;
        if (strcmp(policy_node_name(input, near->id), name) == 0)
            return input->now_us - since_us > LAGGARD_US;
    }
    return false;
}

/* With k = 0, and nobody joining. true: they do. Who stands by can be sent what has been written, or be told
 * why it cannot, though the server's bug keeps those who acknowledge from connecting. */
static bool laggards_stand_by(const struct policy_tracker *tracker, const struct policy_input *input,
                              struct policy_output *output)
{
    const Mha__DbObservation *db = input->db;
    struct acknowledgers who = {.count = 0};
    bool locked_out = tracker->locked_out_us && input->now_us < tracker->locked_out_us + LOCKED_OUT_US;

    if ((input->settings.acks_kind != ACKS_COUNT && !locked_out) || !db->acknowledgers_known ||
        db->n_acknowledgers > CLUSTER_SYNC_MAX)
        return true;
    for (size_t i = 0; i < db->n_acknowledgers; i++)
        if (!lags_behind(tracker, input, db->acknowledgers[i]))
            who.names[who.count++] = db->acknowledgers[i];
    return who.count == db->n_acknowledgers || policy_acknowledgers_are(input, output, &who);
}

/* {A},0 -> {A,B},1: "tell the database first, wait until k members hold the end of the log of that moment,
 * then commit" */
static void raise_first(struct policy_tracker *tracker, const struct policy_input *input,
                        struct policy_output *output)
{
    bool under_way = tracker->change == RULE_CHANGE_FIRST;
    const struct policy_node *node =
        under_way ? policy_find_node(input, tracker->change_node) : next_to_join(tracker, input);
    const Mha__DbObservation *replica = node ? policy_willing(input, node) : NULL;
    bool gone = input->db->acks > 0 || !under_way ? !replica : is_lost(input, node);
    struct acknowledgers who = {.count = 1};
    struct position received;

    if (gone || (under_way && took_too_long(tracker, input))) {
        if (under_way)
            give_up_change(tracker, input, !gone);
        if (input->db->acks != 0)
            policy_set_rule(input, output, DB_OP_SET_COMMIT_RULE, 0, &who);
        return;
    }
    /* A rule that is in force already is an earlier agent's of ours: it is carried on from here. */
    if (!under_way && input->db->acks == 0 && input->now_us < tracker->raise_again_us)
        return;
    policy_begin_change(tracker, input, RULE_CHANGE_FIRST, node->id);
    who.names[0] = node->name;
    if (!prepared(tracker, input, output, node, &who) || !replica)
        return;
    /* The rule is in force before it is committed: an earlier start of its database may have acknowledged
     * what this one has lost. All that lies before an end of the log that is seen later than this start. */
    if (tracker->change_start != replica->incarnation) {
        tracker->change_start = replica->incarnation;
        tracker->in_force_us = input->now_us;
        tracker->end_us = 0;
    }
    if (policy_end_of_log(tracker, input, output, 1, &who) && position_parse(replica->received, &received) &&
        position_contains(&received, &tracker->end))
        policy_propose_join(input, output, node, "");
}

/* "raise k: tell the database first, wait until k members hold the end of the log of that moment, then
 * commit". true: that is the step now. */
static bool raise(struct policy_tracker *tracker, const struct policy_input *input,
                  struct policy_output *output)
{
    const struct sync_set *sync = &input->state->sync;
    bool under_way = tracker->change == RULE_CHANGE_RAISE;
    unsigned acks = sync->acks + 1, sound = 0, near = 0;
    struct acknowledgers who;

    for (unsigned i = 0; i < tracker->node_count; i++)
        if (tracker->nodes[i].trouble_since_us == 0) { /* it acknowledges */
            sound++;
            near += was_near(tracker, input, tracker->nodes[i].id);
        }
    policy_acknowledgers(tracker, input, &who);
    /* Commits wait for them from then on, and may not wait for one that is far behind. */
    if (acks > policy_most_acks(input) || sound < acks || (under_way && took_too_long(tracker, input)) ||
        (input->db->acks < acks && (near < acks || policy_strangers_acknowledge(input, output, &who)))) {
        if (under_way)
            give_up_change(tracker, input, took_too_long(tracker, input));
        return false;
    }
    if (!under_way && input->db->acks != acks && input->now_us < tracker->raise_again_us)
        return false;
    policy_begin_change(tracker, input, RULE_CHANGE_RAISE, 0);
    if (policy_end_of_log(tracker, input, output, acks, &who) && policy_holders(tracker, input, 0) >= acks) {
        struct sync_set raised = *sync;
        raised.acks = acks;
        propose_sync(input, output, &raised, "more acknowledgements%s%s", "", "");
    }
    return true;
}

/* ---- keeping ---- */

/* With ACKS_ANY, when a standby has joined: who is no longer needed, rather one in trouble, else the one that
 * joined last; 0: nobody. */
static uint64_t surplus(const struct policy_tracker *tracker, const struct policy_input *input)
{
    uint64_t last = 0;

    if (input->settings.acks_kind != ACKS_ANY || input->state->sync.count <= 2)
        return 0;
    for (unsigned i = 0; i < tracker->node_count; i++) {
        last = tracker->nodes[i].id;
        if (tracker->nodes[i].trouble_since_us)
            return last;
    }
    return last;
}

/* All members are sound, k >= 1. */
static void keep_members(struct policy_tracker *tracker, const struct policy_input *input,
                         struct policy_output *output)
{
    const struct sync_set *sync = &input->state->sync;
    uint64_t extra = surplus(tracker, input);
    const struct policy_node *node;
    struct acknowledgers who;

    if (sync->acks > 1 && sync->acks > policy_most_acks(input)) { /* a node has left the group */
        struct sync_set lower = *sync;
        lower.acks--;
        propose_sync(input, output, &lower, "fewer acknowledgements%s%s", "", "");
        return;
    }
    if (extra) {
        drop(tracker, input, output, extra, "one acknowledgement covers no more members");
        return;
    }
    if (tracker->change == RULE_CHANGE_DROP)
        policy_end_change(tracker); /* it has come back in time */
    if (raise(tracker, input, output))
        return;
    policy_acknowledgers(tracker, input, &who);
    if (!policy_rule_is(input, output, sync->acks, &who))
        return;
    node = input->settings.acks_kind == ACKS_ANY ? NULL : next_to_join(tracker, input);
    if (node)
        policy_propose_join(input, output, node, "");
}

/* While nothing can be acknowledged, committing first is safe: an opening waits until proposals are decided
 * and the committed rule is in force. What the closing itself reports still shows the log as it was before.
 */
bool policy_join_closed(const struct policy_tracker *tracker, const struct policy_input *input,
                        struct policy_output *output)
{
    if (input->state->sync.acks > 0 || !policy_closed(input->db) || input->db_busy ||
        input->db->observed_us <= tracker->closed_us)
        return false;
    for (unsigned i = 0; i < input->node_count; i++) {
        const Mha__DbObservation *replica = policy_willing(input, &input->nodes[i]);
        if (!replica || !policy_holds(replica->received, input->db->executed))
            continue;
        policy_propose_join(input, output, &input->nodes[i], ": the primary cannot be opened");
        return true;
    }
    return false;
}

/* durability = "available": "lower k: commit first, then tell the database" */
static void wait_for_nobody(const struct policy_input *input, struct policy_output *output)
{
    struct sync_set sync = input->state->sync;
    struct acknowledgers who = {.count = 0};

    if (sync.acks == 0) {
        policy_set_rule(input, output, DB_OP_SET_COMMIT_RULE, 0, &who);
        return;
    }
    sync.acks--;
    if (sync.acks == 0) {
        sync.members[0] = *cluster_sync_find(&input->state->sync, input->self->id);
        sync.count = 1;
    }
    propose_sync(input, output, &sync, "commits wait for nobody: durability is \"available\"%s%s", "", "");
}

void policy_keep_sync_set(struct policy_tracker *tracker, const struct policy_input *input,
                          struct policy_output *output)
{
    const struct sync_set *sync = &input->state->sync;
    struct acknowledgers who;

    if (tracker->change != RULE_CHANGE_NONE && tracker->change_version != sync->version)
        policy_end_change(tracker);
    if (deal_with_gone(tracker, input, output))
        return;
    if (!input->state->primary.opened || output->db_op != DB_OP_NONE)
        return;
    if (input->db->acks < sync->acks) {
        policy_acknowledgers(tracker, input, &who);
        policy_set_rule(input, output, DB_OP_SET_COMMIT_RULE, sync->acks, &who);
        return;
    }
    /* While a change of the set is in the log it may count already: the rule in the server may not be
     * weakened, nor may what was observed during an operation on it count. */
    if (!input->db->open || input->state->switchover.id || input->proposal_pending || input->db_busy)
        return;
    if (input->settings.durability_available && (sync->acks > 0 || input->db->acks > 0)) {
        wait_for_nobody(input, output);
    } else if (sync->acks > 0) {
        keep_members(tracker, input, output);
    } else if (input->db->replicas_locked_out) {
        policy_wait(output, "the server lets no replica connect; setting its commit rule anew");
        tracker->locked_out_us = input->now_us;
        who.count = 0;
        policy_set_rule(input, output, DB_OP_SET_COMMIT_RULE, 0, &who);
    } else if (tracker->change == RULE_CHANGE_NONE && !laggards_stand_by(tracker, input, output)) {
        policy_wait(output, "a replica lags behind: it stands by until it has caught up");
    } else if (!input->settings.durability_available) {
        raise_first(tracker, input, output);
    }
}
