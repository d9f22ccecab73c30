/* promotion.c - the promotion rule (design, section 5), the same on every node.
 *
 * "A leader may promote node n for epoch e only if n is in M, and it has heard frozen positions of enough
 * members that every possible set of k acknowledgers is represented (|M \ {old}| - k + 1 of them, or the old
 * primary itself, fenced), and none is ahead of n's or diverged from it."
 *
 * Of |M \ {old}| members k hold any acknowledged write, so at most |M \ {old}| - k lack it: of one more than
 * that at least one holds it, and who is behind none of them holds it, too. A member counts only with the
 * start of its database that is a member, unless what it receives is durable: another one may have lost it.
 *
 * That n is in M is needed where n's own position is one of those that are counted. A node that is not in M,
 * or that restarted, may be promoted all the same once so many others are heard, none of them ahead of it: it
 * holds all that they represent. With ACKS_ANY that matters: most replicas receive without being members, and
 * one of them often has received more of a dead primary's last writes than the one member has. Passed over,
 * it would have diverged and need a rebuild.
 *
 * Where so many are heard, the old primary's own tail binds nobody: what none of them has was never
 * acknowledged. Where fewer are, the old primary stands for all of them, and nothing that it has may be
 * missing: which of it was acknowledged is not known. (With two data nodes one position is enough, the
 * member's own.) The old primary itself has all that it acknowledged. */
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

/* This start of its database holds what it acknowledged as a member. MySQL keeps what was received over a
 * restart and a power cut where its settings say so (sync_relay_log = 1, no relay-log recovery), PostgreSQL
 * always; MariaDB discards its relay log at each start, whatever it is told. */
static bool counts_as(const struct policy_input *input, const struct sync_member *member,
                      const Mha__DbObservation *db)
{
    return db->incarnation == member->incarnation || input->settings.acks_kind == ACKS_NAMED ||
           (input->settings.acks_kind == ACKS_COUNT && db->received_is_durable);
}

/* Whether `theirs` has writes that the node lacks and that bind it. The old primary itself lacks nothing that
 * it acknowledged, unless its data went back (a backup restored): then the others have more of its own
 * server's transactions, the one that wrote the epoch's record. All else that they have alone is their own
 * doing. */
static bool has_more(const struct policy_input *input, const struct policy_node *node,
                     const Mha__DbObservation *theirs)
{
    const struct cluster_primary *primary = &input->state->primary;
    struct position mine, other, record, own;

    if (!position_parse(policy_fresh_db(input, node)->received, &mine) ||
        !position_parse(theirs->received, &other))
        return true;
    if (position_contains(&mine, &other))
        return false;
    if (node->id != primary->node || !primary->opened || !position_parse(primary->epoch_position, &record) ||
        !position_of_writer(&other, &record, &own))
        return true;
    return !position_contains(&mine, &own);
}

/* The members of M \ {old}, as far as their frozen positions are heard in this term. */
struct represented {
    unsigned others, heard, needed;
    const struct policy_node *more; /* one that has more than the candidate; NULL: none */
};

static struct represented represent(const struct policy_input *input, const struct policy_node *candidate)
{
    const struct cluster_state *state = input->state;
    struct represented r = {0};

    for (unsigned i = 0; i < state->sync.count; i++) {
        const struct sync_member *member = &state->sync.members[i];
        const struct policy_node *node = policy_find_node(input, member->node);
        const Mha__DbObservation *db = policy_frozen_db(input, node);
        if (member->node == state->primary.node)
            continue;
        r.others++;
        if (!db)
            continue;
        r.heard += counts_as(input, member, db);
        if (node != candidate && !r.more && has_more(input, candidate, db))
            r.more = node;
    }
    r.needed = r.others >= state->sync.acks ? r.others - state->sync.acks + 1 : 1;
    return r;
}

/* Not a member, or not as it was: others represent all acknowledged writes, and it has all that they have. */
static bool holds_what_others_represent(const struct policy_input *input, const struct policy_node *node)
{
    struct represented r;

    if (input->state->sync.acks == 0 || node->learner || node->id == input->state->primary.node ||
        !policy_frozen_db(input, node) || policy_fresh_db(input, node)->incarnation == 0)
        return false;
    r = represent(input, node);
    return r.heard >= r.needed && !r.more;
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
    if (policy_disk_trouble(db) && !(state->force.id && state->force.node == node->id)) {
        snprintf(why, why_size, "%s", policy_disk_trouble(db));
        return false;
    }
    if (db->frozen_term == input->raft->term && !db->drained && !db->applying) {
        snprintf(why, why_size, "what it received cannot be applied: %.120s",
                 db->trouble[0] ? db->trouble : "its applier is stopped");
        return false;
    }
    if (!member && cluster_aside_find(state, node->id)) {
        snprintf(why, why_size, "it is rebuilt or drained: mhactl rebuild --node %s --cancel ends that",
                 node->name);
        return false;
    }
    if (state->force.id && state->force.node == node->id)
        return true;
    if (!member && !node->learner && node->id != state->primary.node && policy_may_lose(input))
        return policy_lags_little(input, node, why, why_size);
    if (!member && !holds_what_others_represent(input, node)) {
        snprintf(why, why_size,
                 "it is not in the sync set, so it may lack acknowledged writes: bring %s back, or accept "
                 "the loss "
                 "with mhactl failover --to %s --accept-data-loss",
                 policy_node_name(input, state->primary.node), node->name);
        return false;
    }
    if (node->id == state->primary.node) {
        /* Its data went back. (Of others it is not asked: where so many lack the record that one of them may
         * be promoted, fewer than k hold it, and no session was ever admitted under it.) */
        if (!state->primary.opened || policy_holds(db->received, state->primary.epoch_position))
            return true;
        snprintf(why, why_size, "it lacks the record of epoch %llu at %s",
                 (unsigned long long)state->primary.epoch, state->primary.epoch_position);
        return false;
    }
    if (!member || counts_as(input, member, db) || holds_what_others_represent(input, node))
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

/* Who may vote and campaign now goes before who has just restarted; then who holds more. */
static bool is_better(const struct policy_input *input, const struct policy_node *node,
                      const struct policy_node *best)
{
    bool held = policy_held_until_us(input, node) != 0, best_held = policy_held_until_us(input, best) != 0;

    if (held != best_held)
        return best_held;
    return policy_holds(policy_fresh_db(input, node)->received, policy_fresh_db(input, best)->received);
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
        /* Outside the sync set its own word is needed: it must hear what makes it promotable. */
        if (!cluster_sync_find(&input->state->sync, node->id) && !node->report->promotable)
            continue;
        if (!best || is_better(input, node, best))
            best = node;
    }
    return best;
}

bool policy_positions_heard(const struct policy_input *input, const struct policy_node **better, char *why,
                            size_t why_size)
{
    const struct cluster_state *state = input->state;
    const Mha__DbObservation *old = old_primary_fenced(input);
    struct represented r;
    char unused[CLUSTER_TEXT_BYTES];

    *better = NULL;
    if (state->force.id && state->force.node == input->self->id)
        return true;
    if (policy_may_lose(input) && !cluster_sync_find(&state->sync, input->self->id))
        return true; /* nobody represents anything; who holds more is preferred all the same */
    r = represent(input, input->self);
    if (r.more) {
        snprintf(why, why_size, "%s holds writes that this node lacks", r.more->name);
        if (policy_is_ahead(input, r.more) && policy_promotable(input, r.more, unused, sizeof unused))
            *better = r.more;
        return false;
    }
    if (r.heard >= r.needed || input->self->id == state->primary.node)
        return true;
    if (old && policy_holds(input->db->received, old->executed))
        return true;
    snprintf(why, why_size, "positions of %u of the %u other sync members are needed, %u heard%s", r.needed,
             r.others, r.heard, old ? "; the old primary holds writes that this node lacks" : "");
    return false;
}

/* Its own word is needed, too: it must hear what makes it promotable, or the leadership would come back. */
const struct policy_node *policy_ahead_outside(const struct policy_input *input)
{
    const struct policy_node *best = NULL;
    char why[CLUSTER_TEXT_BYTES];

    if (input->state->primary.node == input->self->id || input->state->force.id)
        return NULL;
    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        if (node->self || cluster_sync_find(&input->state->sync, node->id) ||
            !policy_frozen_db(input, node) || !policy_is_ahead(input, node) || !node->report->promotable ||
            !policy_promotable(input, node, why, sizeof why))
            continue;
        if (!best ||
            policy_holds(policy_fresh_db(input, node)->received, policy_fresh_db(input, best)->received))
            best = node;
    }
    return best;
}

const struct policy_node *policy_awaited(const struct policy_input *input)
{
    if (policy_data_nodes(input) <= 2)
        return NULL; /* the other one is the old primary: nothing that it could say is needed */
    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        const Mha__DbObservation *db = node->self || node->arbiter ? NULL : policy_fresh_db(input, node);
        if (!db || db->state != MHA__DB_STATE__DB_UP || !policy_node_reachable(input, node))
            continue;
        if (!policy_frozen_db(input, node) ||
            ((input->state->sync.acks > 0 || policy_may_lose(input)) &&
             input->state->primary.node != input->self->id &&
             !cluster_sync_find(&input->state->sync, node->id) && policy_is_ahead(input, node) &&
             !node->report->promotable && (db->drained || db->applying)))
            return node;
    }
    return NULL;
}

/* How many of `set` other than this node, its first member, hold every acknowledged write, at least. */
static unsigned sure_holders(const struct policy_input *input, const struct sync_set *set)
{
    const struct cluster_state *state = input->state;
    unsigned equal = 0, by_rule = state->sync.acks;

    for (unsigned i = 1; i < set->count; i++) {
        const struct policy_node *node = policy_find_node(input, set->members[i].node);
        equal += policy_holds(policy_fresh_db(input, node)->received, input->db->received);
    }
    if (state->primary.node != input->self->id)
        by_rule += cluster_sync_find(set, state->primary.node) != NULL;
    for (unsigned i = 0; i < state->sync.count && by_rule > 0; i++) {
        uint64_t id = state->sync.members[i].node;
        if (id != state->primary.node && (id == input->self->id || !cluster_sync_find(set, id)))
            by_rule--;
    }
    return equal > by_rule ? equal : by_rule;
}

/* Members stay that are here, unchanged since they were in sync, frozen, and hold nothing that the new
 * primary lacks: they can acknowledge as soon as they follow. All others are removed in the same entry, so
 * that their return needs no second detection and they cannot count by mistake.
 *
 * What k they can give. The new rule must hold for all that was ever acknowledged, before the new primary
 * writes anything: should it die at once, the next promotion relies on k members other than it holding every
 * acknowledged write. This node holds all of it (policy_positions_heard); of the others there are two ways to
 * know, and the better one counts:
 *   - who holds all that this node holds;
 *   - by the old rule k of M \ {old} hold each write. Of these, this node is no other member any more, and
 *     some may be gone: k less those. The old primary holds all that it acknowledged, so one more if it
 *     stays.
 * Members that are behind may stay all the same: they are among the |M \ {old}| of which a promotion needs so
 * many that one of the k is there. If the same node leads again and all stay, that is the old rule unchanged;
 * in a planned switchover too, since the old primary stays. With two data nodes and the old one dead it is
 * {n}, 0. From there k is raised step by step, like always (sync_set.c).
 *
 * No session is admitted until k members of the new M hold the epoch record (serve.c), and with it all that
 * this node made readable: from then on the commit rule speaks of those k.
 *
 * A database that was taken over open (in a pause) may be acknowledging right now under the old rule, of
 * which the new one must be a part: it stays as it is, or k becomes 0, which asks for nothing. */
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
        const Mha__DbObservation *db = policy_frozen_db(input, node);
        if (!db || node->self || !counts_as(input, member, db) ||
            !policy_holds(input->db->received, db->executed) ||
            !policy_holds(input->db->received, db->received))
            continue;
        out->members[out->count++] = (struct sync_member){member->node, db->incarnation};
    }
    out->acks = sure_holders(input, out);
    if (out->acks > state->sync.acks)
        out->acks = state->sync.acks;
    if (out->acks == 0) {
        out->count = 1;
    } else if (policy_adopts_open_database(input)) {
        *out = state->sync;
        out->version++;
    }
}
