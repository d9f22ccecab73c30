/* promotion.c - the promotion rule (design, section 5), the same on every node.
 *
 * "A leader may promote node n for epoch e only if n is in M, and it has heard frozen positions of enough
 * members that every possible set of k acknowledgers is represented (|M \ {old}| - k + 1 of them, or the old
 * primary itself, fenced), and none is ahead of n's or diverged from it." */
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

static bool refuse(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return false;
}

/* The old primary, heard in this term, fenced and frozen: it holds every write that it ever acknowledged.
 * NULL otherwise. */
static const Mha__DbObservation *old_primary_fenced(const struct policy_input *input)
{
    const struct policy_node *old = policy_find_node(input, input->state->primary.node);
    const Mha__DbObservation *db = old ? policy_fresh_db(input, old) : NULL;

    if (!db || db->state != MHA__DB_STATE__DB_UP || !db->fenced || db->frozen_term != input->raft->term)
        return NULL;
    return db;
}

bool policy_promotable(const struct policy_input *input, const struct policy_node *node, char *why,
                       size_t why_size)
{
    const struct cluster_state *state = input->state;
    const struct sync_member *member = cluster_sync_find(&state->sync, node->id);
    const Mha__DbObservation *db = policy_fresh_db(input, node);

    why[0] = '\0';
    if (node->arbiter)
        return refuse(why, why_size, "an arbiter hosts no database");
    if (!db || db->state == MHA__DB_STATE__DB_UNKNOWN)
        return refuse(why, why_size, "its database has not been seen yet");
    if (db->state != MHA__DB_STATE__DB_UP) {
        snprintf(why, why_size, "its database is not usable: %s", db->trouble[0] ? db->trouble : "down");
        return false;
    }
    if (state->primary.node == 0)
        return refuse(why, why_size, "the cluster has no primary yet: it is made by the first start");
    if (db->frozen_term == input->raft->term && !db->drained && !db->applying) {
        snprintf(why, why_size, "what it received cannot be applied: %.120s",
                 db->trouble[0] ? db->trouble : "its applier is stopped");
        return false;
    }
    if (state->force.id && state->force.node == node->id)
        return true;
    if (!member) {
        snprintf(why, why_size,
                 "it is not in the sync set, so it may lack acknowledged writes: bring %s back, or accept "
                 "the loss "
                 "with mhactl failover --to %s --accept-data-loss",
                 policy_node_name(input, state->primary.node), node->name);
        return false;
    }
    if (state->primary.opened && !policy_holds(db->received, state->primary.epoch_position)) {
        snprintf(why, why_size, "it lacks the record of epoch %llu at %s",
                 (unsigned long long)state->primary.epoch, state->primary.epoch_position);
        return false;
    }
    if (node->id == state->primary.node)
        return true;
    if (db->incarnation == member->incarnation)
        return true;
    const Mha__DbObservation *old = old_primary_fenced(input);
    if (old && policy_holds(db->received, old->executed))
        return true;
    snprintf(why, why_size,
             "its database has restarted since it was in sync and may have lost what it had only received: "
             "%s is needed",
             policy_node_name(input, state->primary.node));
    return false;
}

const struct policy_node *policy_best_other(const struct policy_input *input)
{
    const struct policy_node *best = NULL;
    char why[CLUSTER_TEXT_BYTES];

    if (policy_paused_here(input))
        return NULL; /* its holder restarts in place and hands nothing over */
    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        if (node->self || node->id == 0 || !policy_node_reachable(input, node) ||
            !policy_promotable(input, node, why, sizeof why))
            continue;
        if (input->state->force.id && input->state->force.node != node->id)
            continue;
        if (!best || (policy_fresh_db(input, node) && policy_holds(policy_fresh_db(input, node)->received,
                                                                   policy_fresh_db(input, best)->received)))
            best = node;
    }
    return best;
}

/* Whether `theirs` has writes that this node lacks and that bind it. The old primary itself lacks nothing
 * that it acknowledged, unless its data went back (a backup restored): then the others have more of its own
 * server's transactions, the one that wrote the epoch's record. All else that they have alone is their own
 * doing. */
static bool has_more(const struct policy_input *input, const Mha__DbObservation *theirs)
{
    struct position mine, other, record, own;

    if (!position_parse(input->db->received, &mine) || !position_parse(theirs->received, &other))
        return true;
    if (position_contains(&mine, &other))
        return false;
    if (input->self->id != input->state->primary.node || !input->state->primary.opened ||
        !position_parse(input->state->primary.epoch_position, &record) ||
        !position_of_writer(&other, &record, &own))
        return true;
    return !position_contains(&mine, &own);
}

bool policy_positions_heard(const struct policy_input *input, char *why, size_t why_size)
{
    const struct cluster_state *state = input->state;
    unsigned others = 0, heard = 0;
    bool old_heard = input->self->id == state->primary.node || old_primary_fenced(input) != NULL;

    if (state->force.id && state->force.node == input->self->id)
        return true;
    for (unsigned i = 0; i < state->sync.count; i++) {
        const struct sync_member *member = &state->sync.members[i];
        const struct policy_node *node = policy_find_node(input, member->node);
        const Mha__DbObservation *db = node ? policy_fresh_db(input, node) : NULL;
        if (member->node != state->primary.node)
            others++;
        if (!db || db->state != MHA__DB_STATE__DB_UP || db->frozen_term != input->raft->term)
            continue;
        if (!node->self && node->report->term != input->raft->term)
            continue;
        if (member->node != state->primary.node && db->incarnation == member->incarnation)
            heard++;
        /* None may be ahead or diverged. The old primary's own tail counts only as far as it was fenced
         * softly: what it never got acknowledged does not bind us, but it must then leave the sync set
         * (policy_sync_after_promotion). */
        if (!node->self && member->node != state->primary.node && has_more(input, db)) {
            snprintf(why, why_size, "%s holds writes that this node lacks", node->name);
            return false;
        }
    }
    if (old_heard || heard >= others - state->sync.acks + 1)
        return true;
    snprintf(why, why_size, "positions of %u of the %u other sync members are needed, %u heard",
             others - state->sync.acks + 1, others, heard);
    return false;
}

/* Members stay that are here, unchanged since they were in sync, frozen, and hold nothing that the new
 * primary lacks: they can acknowledge as soon as they follow. All others are removed in the same entry, so
 * that their return needs no second detection and they cannot count by mistake. */
void policy_sync_after_promotion(const struct policy_input *input, struct sync_set *out)
{
    const struct cluster_state *state = input->state;
    bool forced = state->force.id && state->force.node == input->self->id;

    memset(out, 0, sizeof *out);
    out->version = state->sync.version + 1;
    out->members[out->count++] = (struct sync_member){input->self->id, input->db->incarnation};
    for (unsigned i = 0; i < state->sync.count && !forced; i++) {
        const struct sync_member *member = &state->sync.members[i];
        const struct policy_node *node = policy_find_node(input, member->node);
        const Mha__DbObservation *db = node && !node->self ? policy_fresh_db(input, node) : NULL;
        if (!db || db->state != MHA__DB_STATE__DB_UP || db->incarnation != member->incarnation ||
            db->frozen_term != input->raft->term || node->report->term != input->raft->term ||
            !policy_holds(input->db->received, db->executed) ||
            !policy_holds(input->db->received, db->received))
            continue;
        out->members[out->count++] = *member;
    }
    out->acks = state->sync.acks;
    if (out->acks > out->count - 1)
        out->acks = out->count - 1;
    if (out->acks == 0)
        out->count = 1;
}
