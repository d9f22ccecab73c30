/* first_start.c - the first primary: "by `mhactl init --primary NODE`, or by itself only when all data nodes
 * report and one contains all others".
 *
 *   all are empty                        whoever leads
 *   one contains all others              that one; the leadership goes there first
 *   a replication pair that serves       the writable one, which stays open: its lease is given, the epoch
 * record written and committed while clients go on; then the others follow neither contains the other nobody,
 * until an operator chooses
 *
 * A server that has no epoch record was never ours and is closed by nobody before the cluster has a primary.
 */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

/* With data that its position does not tell: its binary log was off, or its GTIDs were reset. */
static bool cannot_be_compared(const Mha__DbObservation *db)
{
    struct position position;

    return !db->empty && (db->received[0] == '\0' || !position_parse(db->received, &position));
}

static const Mha__DbObservation *ready_db(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db = node->id ? policy_fresh_db(input, node) : NULL;

    if (!db || db->state != MHA__DB_STATE__DB_UP || (!node->self && node->report->term != input->raft->term))
        return NULL;
    return db;
}

/* Whether its data would do for the cluster though `other` is given up, or follows: what of the other is lost
 * then, in `lack`, if that is known. */
static bool contains(const Mha__DbObservation *db, const Mha__DbObservation *other,
                     struct position_lack *lack)
{
    struct position whole, part;

    memset(lack, 0, sizeof *lack);
    if (other->empty)
        return true;
    if (cannot_be_compared(db) || cannot_be_compared(other) || !position_parse(db->received, &whole) ||
        !position_parse(other->received, &part))
        return false;
    return !position_lack(&whole, &part, lack);
}

/* Of the others, the first whose data this one does not contain; NULL: none. `needed`: all are to be heard.
 */
static const struct policy_node *not_contained(const struct policy_input *input,
                                               const struct policy_node *node, struct position_lack *lack)
{
    const Mha__DbObservation *db = ready_db(input, node);

    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *other = &input->nodes[i];
        const Mha__DbObservation *theirs = other->arbiter || other->learner ? NULL : ready_db(input, other);
        if (other != node && theirs && (!db || !contains(db, theirs, lack)))
            return other;
    }
    return NULL;
}

/* Whom all must wait for; NULL: all data nodes report. */
static const struct policy_node *missing(const struct policy_input *input)
{
    for (unsigned i = 0; i < input->node_count; i++)
        if (!input->nodes[i].arbiter && !input->nodes[i].learner && !ready_db(input, &input->nodes[i]))
            return &input->nodes[i];
    return NULL;
}

/* Why nobody is chosen: who has what alone. */
static void tell_both_sides(const struct policy_input *input, struct policy_output *output)
{
    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i], *other;
        const Mha__DbObservation *db = node->arbiter || node->learner ? NULL : ready_db(input, node), *theirs;
        struct position_lack lack, back;
        if (!db || db->empty || !(other = not_contained(input, node, &lack)))
            continue;
        theirs = ready_db(input, other);
        if (cannot_be_compared(db) || cannot_be_compared(theirs)) {
            policy_wait(
                output,
                "first start refused: what the server of %s holds cannot be compared (no GTIDs); choose "
                "with mhactl init --primary NODE --discard-others",
                cannot_be_compared(db) ? node->name : other->name);
            return;
        }
        contains(theirs, db, &back);
        policy_wait(output,
                    "first start refused: %s alone has %.44s, %s alone has %.44s; choose with mhactl init "
                    "--primary NODE --discard-others",
                    node->name, back.ranges, other->name, lack.ranges);
        return;
    }
}

/* The one that is to be the first primary; NULL: `output` says why none is. */
static const struct policy_node *choose(const struct policy_input *input, struct policy_output *output)
{
    const struct cluster_init *init = &input->state->init;
    const struct policy_node *chosen = init->id ? policy_find_node(input, init->node) : NULL, *late;
    const struct policy_node *open = NULL;
    struct position_lack lack;

    if (init->id) {
        if (chosen && ready_db(input, chosen))
            return chosen;
        policy_wait(output, "first start: waiting for the database of %s, which an operator chose",
                    policy_node_name(input, init->node));
        return NULL;
    }
    late = missing(input);
    if (late) {
        const Mha__DbObservation *db = late->id ? policy_fresh_db(input, late) : NULL;
        policy_wait(output, "first start: waiting for the database of %s%s%s", late->name,
                    db && db->trouble[0] ? ": " : "", db ? db->trouble : "");
        return NULL;
    }
    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        if (node->arbiter || node->learner || !ready_db(input, node)->open)
            continue;
        if (open) {
            policy_wait(
                output,
                "first start refused: both %s and %s accept writes; make one of them read-only, or choose "
                "with mhactl init --primary NODE",
                open->name, node->name);
            return NULL;
        }
        open = node;
    }
    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        if (node->arbiter || node->learner || (open && node != open) || not_contained(input, node, &lack))
            continue;
        if (!chosen || node->self)
            chosen = node; /* of several that hold the same, rather this one */
    }
    if (!chosen)
        tell_both_sides(input, output);
    return chosen;
}

static const char *reason(const struct policy_input *input)
{
    bool all_empty = true;

    if (input->state->init.id)
        return "first start: an operator chose it";
    if (input->db->open)
        return "first start: it serves already, and contains all others";
    for (unsigned i = 0; i < input->node_count; i++)
        all_empty = all_empty && (input->nodes[i].arbiter || input->nodes[i].learner ||
                                  policy_fresh_db(input, &input->nodes[i])->empty);
    return all_empty ? "first start: all servers are empty" : "first start: it contains all others";
}

void policy_first_start(const struct policy_input *input, struct policy_output *output)
{
    const struct policy_node *chosen;

    if (input->db && policy_dead(input->db) && !input->server_busy)
        output->server_op = SERVER_OP_START_IN_PLACE;
    chosen = choose(input, output);
    if (!chosen)
        return;
    if (!chosen->self) {
        if (!policy_node_reachable(input, chosen))
            return;
        output->end_lease = output->released = true; /* nothing was opened in this term */
        policy_hand_over(input, output, chosen->id);
        return;
    }
    output->propose = true;
    output->command = (struct cluster_command){.kind = COMMAND_PROMOTE,
                                               .node = input->self->id,
                                               .epoch = input->raft->term,
                                               .replaces_epoch = 0,
                                               .change = MHA__CHANGE_KIND__CHANGE_FIRST_START};
    snprintf(output->command.text, sizeof output->command.text, "%s", reason(input));
    output->command.sync.version = input->state->sync.version + 1;
    output->command.sync.count = 1;
    output->command.sync.members[0] = (struct sync_member){input->self->id, input->db->incarnation};
}

bool policy_adopts_foreign(const struct policy_input *input)
{
    const struct cluster_state *state = input->state;

    return state->history_count == 1 && state->history[0].kind == MHA__CHANGE_KIND__CHANGE_FIRST_START &&
           state->primary.epoch == input->raft->term && input->db && input->db->open;
}

bool policy_request_init(const struct policy_input *input, uint64_t node, bool discard_others,
                         struct cluster_command *command, char *error, size_t size)
{
    const struct policy_node *chosen = policy_find_node(input, node), *other;
    struct position_lack lack;

    if (input->raft->role != RAFT_LEADER || !input->raft->ready) {
        snprintf(error, size, "%s does not lead now; ask again", input->self->name);
        return false;
    }
    if (input->state->primary.node) {
        snprintf(error, size, "the cluster has had its first start: %s is the primary; use mhactl switchover",
                 policy_node_name(input, input->state->primary.node));
        return false;
    }
    if (!chosen || chosen->arbiter || chosen->learner) {
        snprintf(error, size, "no data node of that name that votes; see mhactl status");
        return false;
    }
    if (!policy_node_reachable(input, chosen) || !ready_db(input, chosen)) {
        snprintf(error, size, "%s is not usable: its %s", chosen->name,
                 policy_node_reachable(input, chosen) ? "database is not up" : "agent is not heard");
        return false;
    }
    if (!discard_others && (other = missing(input)) != NULL) {
        snprintf(error, size,
                 "what %s holds is not known now: bring it up, or say --discard-others: then what it has "
                 "alone is set "
                 "aside when it comes",
                 other->name);
        return false;
    }
    if (!discard_others && (other = not_contained(input, chosen, &lack)) != NULL) {
        snprintf(error, size,
                 "%s holds what %s lacks: %s; say --discard-others if that may go (it is saved before its "
                 "server is "
                 "rebuilt)",
                 other->name, chosen->name, lack.ranges[0] ? lack.ranges : "data without GTIDs");
        return false;
    }
    *command = (struct cluster_command){.kind = COMMAND_INIT, .node = node, .discard_others = discard_others};
    return true;
}
