/* commit_rule.c - the commit rule in the primary's server: how many acknowledgements a commit waits for, and
 * whose; brought one operation nearer to what it should be. And the end of the log under it.
 *
 * Two things keep every acknowledged write where the committed rule (M, k) says:
 *   - the server never waits for fewer than k;
 *   - with k >= 1 nobody outside M may acknowledge there: who joins is allowed after it was committed, who
 *     leaves is withdrawn before.
 * Any order of operations keeps both as long as `acks` is at least k and `who` a part of M. With k = 0 both
 * ask for nothing. */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

static bool names(const struct acknowledgers *who, const char *name)
{
    for (unsigned i = 0; i < who->count; i++)
        if (strcmp(who->names[i], name) == 0)
            return true;
    return false;
}

/* In trouble for long enough that it is to be dropped. */
static bool is_due(const struct policy_tracker *tracker, const struct policy_input *input, uint64_t id)
{
    for (unsigned i = 0; i < tracker->node_count; i++)
        if (tracker->nodes[i].id == id && tracker->nodes[i].trouble_since_us)
            return input->now_us >= tracker->nodes[i].due_us;
    return false;
}

void policy_acknowledgers(const struct policy_tracker *tracker, const struct policy_input *input,
                          struct acknowledgers *out)
{
    const struct sync_set *sync = &input->state->sync;
    unsigned sound = 0;

    out->count = 0;
    for (unsigned i = 0; i < sync->count; i++)
        sound += sync->members[i].node != input->self->id && !is_due(tracker, input, sync->members[i].node);
    for (unsigned i = 0; i < sync->count; i++) {
        const struct policy_node *node = policy_find_node(input, sync->members[i].node);
        if (!node || node->self || (sound >= sync->acks && is_due(tracker, input, node->id)) ||
            (tracker->change == RULE_CHANGE_DROP && tracker->change_node == node->id))
            continue;
        out->names[out->count++] = node->name;
    }
}

void policy_set_rule(const struct policy_input *input, struct policy_output *output, enum policy_db_op op,
                     unsigned acks, const struct acknowledgers *who)
{
    policy_db_op(input, output, op);
    output->db_epoch = input->raft->term;
    output->db_acks = acks;
    output->db_name_count = 0;
    for (unsigned i = 0; input->settings.acks_kind == ACKS_NAMED && acks > 0 && i < who->count; i++)
        output->db_names[output->db_name_count++] = who->names[i];
}

static void set_acknowledging(const struct policy_input *input, struct policy_output *output,
                              const char *name, bool allowed)
{
    policy_db_op(input, output, DB_OP_SET_ACKNOWLEDGING);
    output->db_epoch = input->raft->term;
    output->db_node = name;
    output->db_allowed = allowed;
}

/* Commits may be waiting for who is to be allowed: that goes first. */
bool policy_acknowledgers_are(const struct policy_input *input, struct policy_output *output,
                              const struct acknowledgers *who)
{
    const Mha__DbObservation *db = input->db;

    if (!db->acknowledgers_known) {
        if (policy_databases(input) <= 2)
            return true; /* there is nobody else */
        policy_wait(output, "the database's adapter does not tell who may acknowledge: with more than two "
                            "data nodes no commit can wait for a replica");
        return false;
    }
    for (unsigned i = 0; i < who->count; i++)
        if (!policy_counts_there(db, who->names[i])) {
            set_acknowledging(input, output, who->names[i], true);
            return false;
        }
    for (size_t i = 0; i < db->n_acknowledgers; i++)
        if (!names(who, db->acknowledgers[i])) {
            set_acknowledging(input, output, db->acknowledgers[i], false);
            return false;
        }
    return true;
}

bool policy_strangers_acknowledge(const struct policy_input *input, struct policy_output *output,
                                  const struct acknowledgers *who)
{
    if (!policy_tells_nodes_apart(input, input->db) || input->db->acknowledging_clients <= who->count)
        return false;
    policy_wait(output,
                "%u replicas acknowledge to this server and %u may: another one of them is connected by an "
                "account that is none of the nodes'; switch its semi-synchronous replication off",
                input->db->acknowledging_clients, who->count);
    return true;
}

static bool named_rule_is(const struct policy_input *input, unsigned acks, const struct acknowledgers *who)
{
    const Mha__DbObservation *db = input->db;

    if (db->acks != acks)
        return false;
    if (acks == 0)
        return true;
    for (unsigned i = 0; i < who->count; i++)
        if (!policy_counts_there(db, who->names[i]))
            return false;
    return db->n_acknowledgers == who->count;
}

bool policy_rule_is(const struct policy_input *input, struct policy_output *output, unsigned acks,
                    const struct acknowledgers *who)
{
    const Mha__DbObservation *db = input->db;

    if (input->settings.acks_kind == ACKS_NAMED) {
        if (named_rule_is(input, acks, who))
            return true;
        policy_set_rule(input, output, DB_OP_SET_COMMIT_RULE, acks, who);
        return false;
    }
    /* A weaker rule than the committed one is mended first of all; a stronger one is lowered before anybody
     * is withdrawn, and set only once there is somebody to answer. */
    if (db->acks > acks || db->acks < input->state->sync.acks) {
        policy_set_rule(input, output, DB_OP_SET_COMMIT_RULE, acks, who);
        return false;
    }
    if (acks > 0 && !policy_acknowledgers_are(input, output, who))
        return false;
    if (db->acks != acks) {
        policy_set_rule(input, output, DB_OP_SET_COMMIT_RULE, acks, who);
        return false;
    }
    return true;
}

/* ---- the end of the log ---- */

void policy_begin_change(struct policy_tracker *tracker, const struct policy_input *input,
                         enum rule_change change, uint64_t node)
{
    uint64_t version = input->state->sync.version;

    if (tracker->change == change && tracker->change_node == node && tracker->change_version == version)
        return;
    tracker->change = change;
    tracker->change_node = node;
    tracker->change_version = version;
    tracker->change_since_us = input->now_us;
    tracker->change_start = 0;
    tracker->strained_us = 0;
    tracker->in_force_us = tracker->end_us = 0;
}

void policy_end_change(struct policy_tracker *tracker)
{
    tracker->change = RULE_CHANGE_NONE;
    tracker->in_force_us = tracker->end_us = 0;
}

/* Whatever was answered before the rule was in force lies before an end of the log that is seen later; what
 * comes after that end is answered under the rule. So the end must be of a later observation than the first
 * one that shows the rule, and the rule must be seen in force ever since. It counts only as this worker's own
 * doing: a statement of an earlier one may land late, and weaken a rule that is committed by then. */
bool policy_end_of_log(struct policy_tracker *tracker, const struct policy_input *input,
                       struct policy_output *output, unsigned acks, const struct acknowledgers *who)
{
    const Mha__DbObservation *db = input->db;

    output->db_watch = true;
    if (!tracker->strained_us && db->acks > input->state->sync.acks)
        tracker->strained_us = input->now_us;
    if (!policy_rule_is(input, output, acks, who) || !db->acks_enforced || !input->db_settled) {
        tracker->in_force_us = tracker->end_us = 0;
        if (output->db_op == DB_OP_NONE && !input->db_settled)
            policy_set_rule(input, output, DB_OP_SET_COMMIT_RULE, acks, who);
        return false;
    }
    if (!tracker->in_force_us)
        tracker->in_force_us = db->observed_us;
    if (!tracker->end_us && db->observed_us > tracker->in_force_us &&
        position_parse(db->executed, &tracker->end))
        tracker->end_us = input->now_us;
    return tracker->end_us != 0;
}

/* With ACKS_COUNT who stands by syncs what it receives in its own time, and a power cut may take that: its
 * server says all the same that what it received is durable, after the restart. (With ACKS_ANY no restarted
 * one counts by what it received.) */
static bool holds_durably(const struct policy_input *input, const Mha__DbObservation *db)
{
    return db->acknowledging || input->settings.acks_kind != ACKS_COUNT ||
           !policy_tells_nodes_apart(input, input->db);
}

unsigned policy_holders(const struct policy_tracker *tracker, const struct policy_input *input,
                        uint64_t without)
{
    const struct sync_set *sync = &input->state->sync;
    unsigned holders = 0;

    for (unsigned i = 0; i < sync->count; i++) {
        const struct sync_member *member = &sync->members[i];
        const struct policy_node *node = policy_find_node(input, member->node);
        const Mha__DbObservation *db = node && !node->self ? policy_fresh_db(input, node) : NULL;
        struct position received;
        if (db && node->id != without && db->state == MHA__DB_STATE__DB_UP &&
            db->incarnation == member->incarnation && db->source_epoch == input->state->primary.epoch &&
            holds_durably(input, db) && position_parse(db->received, &received) &&
            position_contains(&received, &tracker->end))
            holders++;
    }
    return holders;
}
