/* policy_world.h - the small world of test_policy_model.c: its state, what each node sees of it, and what
 * follows from what the real policy decides. */
#ifndef MHA_TESTS_POLICY_WORLD_H
#define MHA_TESTS_POLICY_WORLD_H

#include <CUnit/Basic.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

#define NODES 3
#define LOG_MAX 8
#define NOW_US 100000000u
#define E_US 1000000u
#define PORT 3300u

static const char *const names[] = {"a", "b", "c"};

/* An agent that neither hears nor is heard; one that does nothing any more, while its host still reports. */
enum { SILENT = 1, STUCK };

/* A transaction: the server that wrote it (from 1) and its sequence number. */
typedef uint8_t txn;
#define TXN(server, sequence) ((txn)((server) << 4 | (sequence)))
#define TXN_SERVER(t) ((t) >> 4)
#define TXN_SEQUENCE(t) ((t)&15)

/* All fields are bytes: two equal states are equal in memory. */
struct model_node {
    uint8_t up;     /* its server runs */
    uint8_t silent; /* its agent: SILENT or STUCK */
    uint8_t incarnation;
    uint8_t count;
    txn log[LOG_MAX];
    uint8_t applied;  /* so many of them are in its own log, the others only received */
    uint8_t answered; /* so many of them are committed there; what follows waits for acknowledgements */
    uint8_t source, receiving, source_epoch, frozen_term, standing_by;
    uint8_t open, acks, allowed; /* bit i: node i may acknowledge */
    uint8_t written_epoch;
    txn written;
};

struct model_sync {
    uint8_t version, acks, count;
    uint8_t node[NODES], incarnation[NODES];
};

struct model {
    struct model_node nodes[NODES];
    uint8_t term, leader; /* an index */
    uint8_t lease_ended;
    /* the committed state */
    uint8_t primary, epoch, opened, primary_incarnation; /* primary: a member's id */
    txn epoch_record;
    struct model_sync sync;
    /* a proposal of the leader's */
    uint8_t proposed; /* its kind + 1; 0: none */
    uint8_t proposed_node, proposed_epoch, proposed_incarnation;
    struct model_sync proposed_sync;
    /* what the leader remembers */
    uint8_t change, change_node, change_start, in_force, end, near_mark,
        troubled; /* end, near_mark: a length of its log */
    uint8_t near;
    /* what must not be lost: bit `sequence` of each server */
    uint8_t kept[NODES][2];
    uint8_t opened_epoch, opened_node;
    uint8_t writes_left, faults_left;
};

static struct {
    enum policy_acks_kind kind;
    bool durable;
    unsigned terms; /* so many leaders */
    const char *violation;
    /* what was reached: a world in which nothing happens proves nothing */
    unsigned failovers, drops, raises, joins, restarts, hand_overs;
} run;

/* ---- writes that must not be lost ---- */

static void keep(struct model *m, txn t)
{
    unsigned bit = TXN_SEQUENCE(t);

    m->kept[TXN_SERVER(t) - 1][bit / 8] |= (uint8_t)(1u << (bit % 8));
}

static bool holds(const struct model_node *node, txn t)
{
    for (unsigned i = 0; i < node->count; i++)
        if (node->log[i] == t)
            return true;
    return false;
}

static bool holds_all_kept(const struct model *m, const struct model_node *node)
{
    for (unsigned server = 1; server <= NODES; server++)
        for (unsigned sequence = 0; sequence < 16; sequence++)
            if ((m->kept[server - 1][sequence / 8] >> (sequence % 8) & 1) &&
                !holds(node, TXN(server, sequence)))
                return false;
    return true;
}

static bool append(struct model_node *node, txn t)
{
    if (node->count == LOG_MAX)
        return false;
    node->log[node->count++] = t;
    return true;
}

static bool append_own(struct model *m, unsigned i)
{
    struct model_node *node = &m->nodes[i];
    unsigned highest = 0;

    for (unsigned k = 0; k < node->count; k++)
        if (TXN_SEQUENCE(node->log[k]) > highest)
            highest = TXN_SEQUENCE(node->log[k]);
    if (!append(node, TXN(i + 1, highest + 1)))
        return false;
    node->applied = node->count;
    return true;
}

/* A commit is answered as soon as it can be: later is no worse. */
static void answer(struct model *m)
{
    for (unsigned i = 0; i < NODES; i++) {
        struct model_node *node = &m->nodes[i];
        while (node->up && node->open && node->answered < node->count) {
            txn t = node->log[node->answered];
            unsigned acknowledged = 0;
            for (unsigned j = 0; j < NODES; j++)
                acknowledged += j != i && (node->allowed >> j & 1) && m->nodes[j].source == i + 1 &&
                                m->nodes[j].up && !m->nodes[j].standing_by && holds(&m->nodes[j], t);
            if (acknowledged < node->acks)
                break;
            node->answered++;
            keep(m, t);
            if (m->opened_epoch > node->written_epoch && !holds(&m->nodes[m->opened_node], t))
                run.violation = "a write is acknowledged that the primary of a later epoch lacks";
        }
    }
}

/* ---- what a node sees ---- */

static void position_of(const txn *log, unsigned count, char *text, size_t size)
{
    unsigned last[NODES + 1] = {0};
    size_t used = 0;

    for (unsigned i = 0; i < count; i++)
        last[TXN_SERVER(log[i])] = TXN_SEQUENCE(log[i]);
    text[0] = '\0';
    for (unsigned i = 1; i <= NODES; i++)
        if (last[i])
            used += (size_t)snprintf(text + used, size - used, "%s0-%u-%u", used ? "," : "", i, last[i]);
}

struct view {
    struct raft_status raft;
    struct cluster_state state;
    struct policy_node nodes[NODES];
    Mha__NodeReport reports[NODES];
    Mha__DbObservation dbs[NODES];
    char positions[NODES][64], executed[NODES][64], written[NODES][16];
    char *acknowledgers[NODES][NODES];
    struct policy_input input;
    struct policy_tracker tracker;
    struct policy_output output;
};
static struct view v; /* filled anew for each decision */

static void observe(const struct model *m, unsigned i)
{
    const struct model_node *node = &m->nodes[i];
    Mha__DbObservation *db = &v.dbs[i];

    mha__db_observation__init(db);
    db->observed_us = NOW_US;
    db->state = node->up ? MHA__DB_STATE__DB_UP : MHA__DB_STATE__DB_DOWN;
    db->incarnation = node->incarnation;
    if (!node->up) {
        db->fenced = true;
        return;
    }
    position_of(node->log, node->count, v.positions[i], sizeof v.positions[i]);
    position_of(&node->written, node->written ? 1 : 0, v.written[i], sizeof v.written[i]);
    position_of(node->log, node->applied, v.executed[i], sizeof v.executed[i]);
    db->received = v.positions[i];
    db->executed = v.executed[i];
    db->read_only = db->fenced = !node->open;
    db->open = node->open;
    db->drained = node->applied == node->count;
    db->applying = true;
    db->written_epoch = node->written_epoch;
    db->written_epoch_position = v.written[i];
    db->acks = node->acks;
    db->acks_enforced = db->acknowledgers_known = true;
    db->acknowledgers = v.acknowledgers[i];
    for (unsigned j = 0; j < NODES; j++)
        if (node->allowed >> j & 1)
            v.acknowledgers[i][db->n_acknowledgers++] = (char *)names[j];
    db->receiving = node->source && node->receiving;
    db->acknowledging = db->receiving && !node->standing_by;
    db->standby_account = node->source && node->standing_by;
    db->standing_by = db->receiving && db->standby_account;
    db->received_is_durable = run.durable;
    db->source = (char *)(node->source ? "there" : "");
    db->source_epoch = node->source_epoch;
    db->frozen_term = node->frozen_term;
}

static struct sync_set sync_of(const struct model_sync *from)
{
    struct sync_set sync = {.version = from->version, .acks = from->acks, .count = from->count};

    for (unsigned i = 0; i < from->count; i++)
        sync.members[i] = (struct sync_member){from->node[i], from->incarnation[i]};
    return sync;
}

static struct model_sync sync_to(const struct sync_set *from)
{
    struct model_sync sync = {(uint8_t)from->version, (uint8_t)from->acks, (uint8_t)from->count, {0}, {0}};

    for (unsigned i = 0; i < from->count; i++) {
        sync.node[i] = (uint8_t)from->members[i].node;
        sync.incarnation[i] = (uint8_t)from->members[i].incarnation;
    }
    return sync;
}

static void state_of(const struct model *m, struct cluster_state *state)
{
    state->sync = sync_of(&m->sync);
    state->primary = (struct cluster_primary){
        .node = m->primary, .epoch = m->epoch, .opened = m->opened, .incarnation = m->primary_incarnation};
    position_of(&m->epoch_record, m->epoch_record ? 1 : 0, state->primary.epoch_position,
                sizeof state->primary.epoch_position);
}

static void look(const struct model *m, unsigned self, bool late)
{
    bool leads = m->leader == self;

    memset(&v.tracker, 0, sizeof v.tracker);
    state_of(m, &v.state);
    v.raft = (struct raft_status){.role = leads ? RAFT_LEADER : RAFT_FOLLOWER,
                                  .term = m->term,
                                  .leader = m->leader + 1u,
                                  .ready = leads,
                                  .current = true,
                                  .lease_ended = leads && m->lease_ended,
                                  .lease_until_us = leads && !m->lease_ended ? NOW_US + E_US : 0,
                                  .round_sent_us = NOW_US + 1,
                                  .leader_since_us = leads ? (late ? NOW_US - 2 * E_US : NOW_US) : 0,
                                  .waits_for = ""};
    for (unsigned i = 0; i < NODES; i++) {
        uint64_t heard_us = m->nodes[i].silent == SILENT ? NOW_US - 3 * E_US : NOW_US;
        observe(m, i);
        mha__node_report__init(&v.reports[i]);
        v.reports[i].term = m->term;
        v.reports[i].database = &v.dbs[i];
        v.reports[i].database_host = (char *)names[i];
        v.reports[i].database_port = PORT + i;
        v.reports[i].promotable = true;
        v.nodes[i] = (struct policy_node){.id = i + 1,
                                          .name = names[i],
                                          .self = i == self,
                                          .heard_us = heard_us,
                                          .reported_us = heard_us,
                                          .report = &v.reports[i]};
    }
    v.input = (struct policy_input){.now_us = NOW_US,
                                    .settings = {100000, E_US, 2000000, false, run.kind},
                                    .raft = &v.raft,
                                    .state = &v.state,
                                    .node_count = NODES,
                                    .nodes = v.nodes,
                                    .self = &v.nodes[self],
                                    .db = &v.dbs[self],
                                    .proposal_pending = leads && m->proposed,
                                    .db_settled = true,
                                    .failed_error = ""};
}

/* ---- the leader's memory: in the world only whether, not since when ---- */

static bool log_position(const struct model_node *node, unsigned count, struct position *out)
{
    char text[64];

    position_of(node->log, count, text, sizeof text);
    return position_parse(text, out);
}

static void recall(const struct model *m)
{
    const struct model_node *self = &m->nodes[m->leader];
    struct policy_tracker *tracker = &v.tracker;

    tracker->term = m->term;
    tracker->change = m->change;
    tracker->change_node = m->change_node;
    tracker->change_version = m->sync.version;
    tracker->change_start = m->change_start;
    tracker->change_since_us = NOW_US;
    tracker->in_force_us = m->in_force ? 1 : 0;
    tracker->end_us = m->end && log_position(self, m->end, &tracker->end) ? NOW_US : 0;
    tracker->near_mark_us =
        m->near_mark && log_position(self, m->near_mark, &tracker->near_mark) ? NOW_US : 0;
    tracker->closed_us = self->open ? 0 : 1;
    tracker->lease_ended_since_us = m->lease_ended ? NOW_US : 0;
    for (unsigned i = 0; i < NODES; i++) {
        if (m->troubled >> i & 1) {
            tracker->nodes[tracker->node_count].id = i + 1;
            tracker->nodes[tracker->node_count++].trouble_since_us = 1;
        }
        if (m->near >> i & 1)
            tracker->near[tracker->near_count++] = (struct policy_near){i + 1, NOW_US, NOW_US};
    }
}

static unsigned length_of(const struct model_node *node, const struct position *position)
{
    struct position have;

    for (unsigned count = 1; count <= node->count; count++)
        if (log_position(node, count, &have) && position_compare(&have, position) == POSITION_EQUAL)
            return count;
    return 0;
}

static void remember(struct model *m)
{
    const struct model_node *self = &m->nodes[m->leader];
    const struct policy_tracker *tracker = &v.tracker;

    m->change = (uint8_t)tracker->change;
    m->change_node = (uint8_t)tracker->change_node;
    m->change_start = (uint8_t)tracker->change_start;
    m->in_force = tracker->in_force_us != 0;
    m->end = tracker->end_us ? (uint8_t)length_of(self, &tracker->end) : 0;
    m->near_mark = tracker->near_mark_us ? (uint8_t)length_of(self, &tracker->near_mark) : 0;
    m->troubled = m->near = 0;
    for (unsigned i = 0; i < tracker->node_count; i++)
        if (tracker->nodes[i].trouble_since_us)
            m->troubled |= (uint8_t)(1u << (tracker->nodes[i].id - 1));
    for (unsigned i = 0; i < tracker->near_count; i++)
        if (tracker->near[i].near_us)
            m->near |= (uint8_t)(1u << (tracker->near[i].id - 1));
}

static void forget(struct model *m)
{
    m->change = m->change_node = m->change_start = m->in_force = m->end = m->near_mark = m->troubled =
        m->near = 0;
    m->lease_ended = 0;
    m->proposed = 0;
    memset(&m->proposed_sync, 0, sizeof m->proposed_sync);
    m->proposed_node = m->proposed_epoch = m->proposed_incarnation = 0;
}

/* ---- what follows from a decision ---- */

static void end_sessions(struct model_node *node)
{
    node->open = 0;
    node->answered = node->count; /* let go, and nobody is told */
}

static bool start_server(struct model_node *node, bool to_follow)
{
    if (node->incarnation > 5)
        return false;
    node->up = 1;
    node->incarnation++;
    if (to_follow)
        node->count = node->answered;
    node->applied = node->answered = node->count;
    memset(node->log + node->count, 0, (size_t)(LOG_MAX - node->count));
    node->open = node->acks = node->source = node->receiving = node->source_epoch = node->frozen_term =
        node->standing_by = 0;
    run.restarts++;
    return true;
}

static void open_server(struct model *m, unsigned i)
{
    struct model_node *node = &m->nodes[i];

    if (node->written_epoch < m->opened_epoch)
        run.violation = "a database is opened under an older epoch";
    if (!holds_all_kept(m, node))
        run.violation = "a database is opened without a write that was acknowledged or could be read";
    run.failovers += m->opened_node != i;
    m->opened_epoch = node->written_epoch;
    m->opened_node = (uint8_t)i;
    node->open = 1;
    for (unsigned k = 0; k < node->count; k++)
        keep(m, node->log[k]);
}

static bool promote(struct model *m, unsigned i)
{
    struct model_node *node = &m->nodes[i];

    node->source = node->receiving = node->source_epoch = node->standing_by = 0;
    if (node->written_epoch != m->term) {
        if (!append_own(m, i))
            return false;
        node->written_epoch = m->term;
        node->written = node->log[node->count - 1];
        node->answered = node->count;
    }
    return true;
}

static uint8_t named(const struct policy_output *output)
{
    uint8_t mask = 0;

    for (unsigned k = 0; k < output->db_name_count; k++)
        mask |= (uint8_t)(1u << (output->db_names[k][0] - 'a'));
    return mask;
}

static bool operate(struct model *m, unsigned i)
{
    const struct policy_output *output = &v.output;
    struct model_node *node = &m->nodes[i];

    switch (output->db_op) {
    case DB_OP_NONE:
        return true;
    case DB_OP_DRAIN:
        node->applied = node->count;
        return true;
    case DB_OP_FENCE:
    case DB_OP_CLOSE:
        end_sessions(node);
        return true;
    case DB_OP_FREEZE:
        node->receiving = 0;
        node->frozen_term = (uint8_t)output->db_epoch;
        return true;
    case DB_OP_FOLLOW:
        end_sessions(node);
        node->applied = node->count;
        node->source = (uint8_t)(output->db_port - PORT + 1);
        node->receiving = 1;
        node->standing_by = output->db_standing_by;
        node->source_epoch = (uint8_t)output->db_epoch;
        node->frozen_term = 0;
        return true;
    case DB_OP_PROMOTE:
    case DB_OP_SET_COMMIT_RULE:
        if (output->db_op == DB_OP_PROMOTE && !promote(m, i))
            return false;
        node->acks = (uint8_t)output->db_acks;
        if (run.kind == ACKS_NAMED)
            node->allowed = named(output);
        return true;
    case DB_OP_OPEN:
        open_server(m, i);
        return true;
    case DB_OP_SET_ACKNOWLEDGING:
        if (output->db_allowed)
            node->allowed |= (uint8_t)(1u << (output->db_node[0] - 'a'));
        else
            node->allowed &= (uint8_t) ~(1u << (output->db_node[0] - 'a'));
        return true;
    }
    return true;
}

static bool new_term(struct model *m, unsigned leader)
{
    if (m->term == run.terms)
        return false;
    m->term++;
    m->leader = (uint8_t)leader;
    forget(m);
    return true;
}

static void propose(struct model *m, const struct cluster_command *command)
{
    m->proposed = (uint8_t)(command->kind + 1);
    m->proposed_node = (uint8_t)command->node;
    m->proposed_epoch = (uint8_t)command->epoch;
    m->proposed_incarnation = (uint8_t)command->incarnation;
    m->proposed_sync = sync_to(&command->sync);
}

static bool commit(struct model *m)
{
    struct cluster_command command = {.kind = (enum cluster_command_kind)(m->proposed - 1),
                                      .node = m->proposed_node,
                                      .epoch = m->proposed_epoch,
                                      .replaces_epoch = m->epoch,
                                      .incarnation = m->proposed_incarnation,
                                      .sync = sync_of(&m->proposed_sync)};
    struct cluster_state state;
    const struct model_sync before = m->sync;

    cluster_state_init(&state);
    state_of(m, &state);
    m->proposed = 0;
    if (cluster_state_apply(&state, &command))
        return false;
    run.drops += command.kind == COMMAND_SYNC && state.sync.count < before.count;
    run.joins += command.kind == COMMAND_SYNC && state.sync.count > before.count;
    run.raises += command.kind == COMMAND_SYNC && state.sync.acks > before.acks;
    m->sync = sync_to(&state.sync);
    m->primary = (uint8_t)state.primary.node;
    m->epoch = (uint8_t)state.primary.epoch;
    m->opened = state.primary.opened;
    m->primary_incarnation = (uint8_t)state.primary.incarnation;
    if (command.kind == COMMAND_PROMOTE)
        m->epoch_record = 0;
    if (command.kind == COMMAND_OPENED)
        m->epoch_record = m->nodes[m->leader].written;
    return true;
}

/* false: nothing changes by it. */
static bool decide(struct model *m, unsigned i, bool late)
{
    const struct policy_output *output = &v.output;

    look(m, i, late);
    if (m->leader == i)
        recall(m);
    policy_track(&v.tracker, &v.input);
    policy_decide(&v.tracker, &v.input, &v.output);
    if (m->leader == i)
        remember(m);
    if (output->server_op != SERVER_OP_NONE && !m->nodes[i].up &&
        !start_server(&m->nodes[i], output->server_op == SERVER_OP_START_TO_FOLLOW))
        return false;
    if (m->nodes[i].up && !operate(m, i))
        return false;
    if (m->leader != i)
        return true;
    if (output->end_lease)
        m->lease_ended = 1;
    if (output->propose && !m->proposed)
        propose(m, &output->command);
    if (output->transfer_to) {
        run.hand_overs++;
        return !m->nodes[output->transfer_to - 1].silent && new_term(m, (unsigned)output->transfer_to - 1);
    }
    return !output->renew_term || new_term(m, i);
}

#endif
