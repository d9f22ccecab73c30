#include "tests/sim/check.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/disk.h"
#include "tests/sim/machine.h"

/* An entry as the checkers remember it. */
struct seen_entry {
    uint64_t index; /* 0: empty slot */
    uint64_t term;
    uint64_t previous_term;
    uint64_t committed_term; /* of a committed one: that of the leadership which committed it */
    uint64_t hash;
    uint64_t chain; /* of the state machine after it; 0: nobody has applied it so far */
};

struct term_record {
    uint64_t leader;
    uint64_t votes[WORLD_NODES_MAX];  /* by voter: whom it voted for */
    uint64_t voters[WORLD_NODES_MAX]; /* and who it was then */
};

struct world_check {
    struct seen_entry *seen; /* open addressing by (index, term) */
    size_t seen_count, seen_capacity;
    struct seen_entry *committed; /* committed[i] is at index i + 1 */
    size_t committed_count, committed_capacity;
    struct raft_membership membership; /* the newest committed; empty: the founding one */
    struct term_record *terms;         /* by term */
    size_t term_count;
};

struct world_check *check_new(void)
{
    struct world_check *check = calloc(1, sizeof *check);
    assert(check != NULL);
    return check;
}

void check_free(struct world_check *check)
{
    free(check->seen);
    free(check->committed);
    free(check->terms);
    free(check);
}

uint64_t check_committed_index(const struct world *world)
{
    return world->check->committed_count;
}

static struct term_record *record_of(struct world *world, uint64_t term)
{
    struct world_check *check = world->check;
    if (term > 1000000) {
        world_violate(world, "I1: the term has grown beyond all measure");
        term = 0;
    }
    if (term >= check->term_count) {
        size_t count = (size_t)term * 2 + 16;
        check->terms = realloc(check->terms, count * sizeof *check->terms);
        assert(check->terms != NULL);
        memset(&check->terms[check->term_count], 0, (count - check->term_count) * sizeof *check->terms);
        check->term_count = count;
    }
    return &check->terms[term];
}

/* ---- entries ---- */

static uint64_t hash_entry(const struct raft_entry *entry)
{
    uint64_t hash = 1469598103934665603u ^ (uint64_t)entry->kind; /* FNV-1a */
    const unsigned char *bytes = entry->data;
    for (size_t i = 0; i < entry->size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static struct seen_entry *slot_of(struct seen_entry *table, size_t capacity, uint64_t index, uint64_t term)
{
    size_t at = (size_t)((index * 0x9e3779b97f4a7c15u) ^ (term * 0xbf58476d1ce4e5b9u)) & (capacity - 1);
    while (table[at].index != 0 && (table[at].index != index || table[at].term != term))
        at = (at + 1) & (capacity - 1);
    return &table[at];
}

static struct seen_entry *seen_slot(struct world_check *check, uint64_t index, uint64_t term)
{
    if (check->seen_count * 2 >= check->seen_capacity) {
        size_t capacity = check->seen_capacity == 0 ? 256 : check->seen_capacity * 2;
        struct seen_entry *table = calloc(capacity, sizeof *table);
        assert(table != NULL);
        for (size_t i = 0; i < check->seen_capacity; i++) {
            if (check->seen[i].index != 0)
                *slot_of(table, capacity, check->seen[i].index, check->seen[i].term) = check->seen[i];
        }
        free(check->seen);
        check->seen = table;
        check->seen_capacity = capacity;
    }
    return slot_of(check->seen, check->seen_capacity, index, term);
}

/* The term of the entry before one that begins a log. */
static uint64_t term_of_committed(const struct world *world, uint64_t index)
{
    return index == 0 || index > world->check->committed_count ? 0 : world->check->committed[index - 1].term;
}

/* A leader opens a change: the one before it and its own no-op are committed (dissertation 4.1, as corrected
 * in 2015). */
static void check_opened(struct world *world, unsigned node, const struct raft_entry *entry)
{
    const struct world_node *n = &world->nodes[node];
    if (n->status.role != RAFT_LEADER || entry->term != n->status.term)
        return;
    if (!n->status.ready)
        world_violate(world, "I1: %s changes the members before its no-op is committed", n->name);
    for (uint64_t index = n->commit_index + 1; index < entry->index; index++) {
        const struct raft_entry *open = raft_entry_at(n->raft, index);
        if (open != NULL && open->kind == RAFT_ENTRY_MEMBERSHIP)
            world_violate(world, "I1: %s opens a second change of the members", n->name);
    }
}

void check_written(struct world *world, unsigned node, const struct raft_entry *entries, unsigned count)
{
    const struct world_node *n = &world->nodes[node];
    for (unsigned i = 0; i < count; i++) {
        if (entries[i].kind == RAFT_ENTRY_MEMBERSHIP)
            check_opened(world, node, &entries[i]);
        const struct raft_entry *before = raft_entry_at(n->raft, entries[i].index - 1);
        struct seen_entry entry = {
            .index = entries[i].index,
            .term = entries[i].term,
            .previous_term = before == NULL ? term_of_committed(world, entries[i].index - 1) : before->term,
            .hash = hash_entry(&entries[i])};
        struct seen_entry *slot = seen_slot(world->check, entry.index, entry.term);
        if (slot->index == 0) {
            *slot = entry;
            world->check->seen_count++;
        } else if (slot->hash != entry.hash || slot->previous_term != entry.previous_term) {
            world_violate(world, "I1: log matching: %s has another entry %" PRIu64 " of term %" PRIu64,
                          n->name, entry.index, entry.term);
        }
    }
}

/* By the membership that the node goes by: the first to commit an entry is its leader. */
static void check_majority(struct world *world, unsigned node, uint64_t index, uint64_t term)
{
    const struct raft_membership *membership = raft_membership(world->nodes[node].raft);
    unsigned holders = 0, voters = 0;
    for (unsigned i = 0; i < membership->count; i++) {
        unsigned holder = world_node_of(world, membership->members[i].id);
        voters += membership->members[i].voter;
        holders += membership->members[i].voter && holder != WORLD_NODES_MAX &&
                   disk_holds(&world->nodes[holder].disk, index, term);
    }
    if (holders <= voters / 2)
        world_violate(world, "I7: %s commits entry %" PRIu64 " of term %" PRIu64 ", which only %u disks hold",
                      world->nodes[node].name, index, term, holders);
}

static const struct raft_member *member_of(const struct raft_membership *membership, uint64_t id)
{
    for (unsigned i = 0; i < membership->count; i++)
        if (membership->members[i].id == id)
            return &membership->members[i];
    return NULL;
}

/* What one committed membership has and the other has not; all that differs counts as one change each. */
static unsigned count_changes(struct world *world, const struct raft_membership *from,
                              const struct raft_membership *to)
{
    unsigned changes = 0;
    for (unsigned i = 0; i < to->count; i++) {
        const struct raft_member *before = member_of(from, to->members[i].id);
        counts_add(&world->counts, COUNT_MEMBER_ADDED, before == NULL);
        counts_add(&world->counts, COUNT_MEMBER_PROMOTED,
                   before != NULL && !before->voter && to->members[i].voter);
        if (before == NULL)
            changes += to->members[i].voter ? 2 : 1; /* first a learner */
        else
            changes += before->voter != to->members[i].voter || before->kind != to->members[i].kind;
    }
    for (unsigned i = 0; i < from->count; i++) {
        bool gone = member_of(to, from->members[i].id) == NULL;
        counts_add(&world->counts, COUNT_MEMBER_REMOVED, gone);
        changes += gone;
    }
    return changes;
}

static void check_change(struct world *world, unsigned node, const struct raft_entry *entry)
{
    struct raft_membership *before = &world->check->membership, now;
    if (before->count == 0)
        *before = world->founding;
    if (!machine_decode_membership(entry->data, entry->size, &now))
        world_violate(world, "I1: %s commits a membership that nobody can read", world->nodes[node].name);
    else if (count_changes(world, before, &now) > 1)
        world_violate(world, "I1: the membership of entry %" PRIu64 " makes more than one change",
                      entry->index);
    *before = now;
}

static void commit(struct world *world, unsigned node, const struct raft_entry *entry, uint64_t term)
{
    struct world_check *check = world->check;
    struct seen_entry seen = {
        .index = entry->index, .term = entry->term, .committed_term = term, .hash = hash_entry(entry)};
    if (entry->index > check->committed_count + 1) {
        world_violate(world, "I1: %s commits entry %" PRIu64 " before the one before it",
                      world->nodes[node].name, entry->index);
        return;
    }
    if (entry->index <= check->committed_count) {
        const struct seen_entry *known = &check->committed[entry->index - 1];
        if (known->term != seen.term || known->hash != seen.hash)
            world_violate(world, "I1: %s commits another entry %" PRIu64 " than was committed before",
                          world->nodes[node].name, entry->index);
        return;
    }
    if (check->committed_count == check->committed_capacity) {
        check->committed_capacity = check->committed_capacity == 0 ? 256 : check->committed_capacity * 2;
        check->committed = realloc(check->committed, check->committed_capacity * sizeof *check->committed);
        assert(check->committed != NULL);
    }
    check->committed[check->committed_count++] = seen;
    counts_add(&world->counts, COUNT_COMMANDS_COMMITTED, entry->kind == RAFT_ENTRY_COMMAND);
    if (entry->kind == RAFT_ENTRY_MEMBERSHIP)
        check_change(world, node, entry);
}

void check_applied(struct world *world, unsigned node)
{
    const struct world_node *n = &world->nodes[node];
    if (n->machine.index == 0 || n->machine.index > world->check->committed_count) {
        world_violate(world, "I1: %s has a state as of entry %" PRIu64 ", which nobody committed", n->name,
                      n->machine.index);
        return;
    }
    struct seen_entry *entry = &world->check->committed[n->machine.index - 1];
    if (entry->chain == 0)
        entry->chain = n->machine.chain;
    if (entry->chain != n->machine.chain || entry->term != n->machine.term)
        world_violate(world, "I1: %s has another state than others had after entry %" PRIu64, n->name,
                      n->machine.index);
}

void check_committed(struct world *world, unsigned node, uint64_t before, uint64_t commit_index)
{
    struct world_node *n = &world->nodes[node];
    if (commit_index < before)
        world_violate(world, "I1: the commit index of %s goes back", n->name);
    /* The newest of what a leader commits is of its own term (dissertation 3.6.2), and it is the first to
     * know. */
    const struct raft_entry *newest = raft_entry_at(n->raft, commit_index);
    uint64_t term = newest == NULL ? 0 : newest->term;
    for (uint64_t index = before + 1; index <= commit_index; index++) {
        const struct raft_entry *entry = raft_entry_at(n->raft, index);
        if (entry == NULL)
            continue; /* in a snapshot: see check_applied; or node.c says so */
        /* Committed means durable on a majority. */
        if (index > world->check->committed_count)
            check_majority(world, node, index, entry->term);
        commit(world, node, entry, term);
    }
}

/* ---- messages ---- */

static void vote(struct world *world, unsigned node, uint64_t term, uint64_t candidate)
{
    struct world_node *n = &world->nodes[node];
    struct term_record *record = record_of(world, term);
    if (record->voters[node] != n->id)
        record->votes[node] = 0; /* a wiped one is somebody else */
    record->voters[node] = n->id;
    if (record->votes[node] != 0 && record->votes[node] != candidate)
        world_violate(world, "I1: %s votes twice in term %" PRIu64, n->name, term);
    counts_add(&world->counts, COUNT_ELECTIONS, candidate == n->id && record->votes[node] == 0);
    record->votes[node] = candidate;
    if (world_clock_us(world, node) < n->must_hold_until_us)
        world_violate(world, "I7: %s votes within the promise of its earlier life", n->name);
    if (n->disk.hard_state.term < term ||
        (n->disk.hard_state.term == term && n->disk.hard_state.vote != candidate))
        world_violate(world, "I7: %s votes in term %" PRIu64 " before that is on its disk", n->name, term);
}

static bool has_vote(const struct raft_membership *membership, uint64_t id)
{
    const struct raft_member *member = member_of(membership, id);
    return member != NULL && member->voter;
}

/* By a membership that may be the newest committed one, for all that it knows: who is on its way out may be
 * the only one who can get that committed (dissertation 4.2.2). */
static bool may_campaign(const struct world_node *n)
{
    struct raft_membership membership;
    uint64_t index = n->applied_index + 1;
    if (has_vote(raft_membership(n->raft), n->id) || has_vote(&n->machine.membership, n->id))
        return true;
    for (const struct raft_entry *e; (e = raft_entry_at(n->raft, index)) != NULL; index++)
        if (e->kind == RAFT_ENTRY_MEMBERSHIP && machine_decode_membership(e->data, e->size, &membership) &&
            has_vote(&membership, n->id))
            return true;
    return false;
}

void check_made(struct world *world, unsigned node, const struct raft_message *message)
{
    const struct world_node *n = &world->nodes[node];
    if ((message->kind == RAFT_VOTE || message->kind == RAFT_PREVOTE) && !may_campaign(n))
        world_violate(world, "I1: %s campaigns, and has no vote", n->name);
}

void check_sent(struct world *world, unsigned node, const struct raft_message *m, uint64_t acknowledged_term)
{
    struct world_node *n = &world->nodes[node];
    const struct raft_hard_state *disk = &n->disk.hard_state;
    bool shows_term = m->kind == RAFT_VOTE || m->kind == RAFT_VOTE_REPLY || m->kind == RAFT_APPEND ||
                      m->kind == RAFT_APPEND_REPLY || m->kind == RAFT_SNAPSHOT ||
                      m->kind == RAFT_SNAPSHOT_REPLY || (m->kind == RAFT_PREVOTE_REPLY && !m->granted);
    if (shows_term && m->term > disk->term)
        world_violate(world, "I7: %s shows term %" PRIu64 " (%s) before that is on its disk", n->name,
                      m->term, world_message_name(m->kind));
    if (m->kind == RAFT_VOTE)
        vote(world, node, m->term, n->id);
    if (m->kind == RAFT_VOTE_REPLY && m->granted)
        vote(world, node, m->term, m->to);
    /* A request that waited until its campaign was over, while a leader of its term rewrote the log, wins
     * nothing any more. */
    bool is_stale = m->kind == RAFT_VOTE && n->status.term >= m->term && n->status.role != RAFT_CANDIDATE;
    if ((m->kind == RAFT_VOTE || m->kind == RAFT_PREVOTE) && !is_stale && m->term >= disk->term &&
        !disk_holds(&n->disk, m->log_index, m->log_term))
        world_violate(world, "I7: %s advertises entry %" PRIu64 " (%s), which is not on its disk", n->name,
                      m->log_index, world_message_name(m->kind));
    if (m->kind == RAFT_APPEND_REPLY && m->election_us > disk->promised_us)
        world_violate(world, "I7: %s promises an election timeout before that is on its disk", n->name);
    /* An answer that waited for the disk until a later term's leader had rewritten the log there: the entry
     * was on the disk, and its leader is none any more. */
    bool is_superseded = disk->term > m->term;
    if (m->kind == RAFT_APPEND_REPLY && m->granted && !is_superseded &&
        m->log_index > n->disk.snapshot_index && !disk_holds(&n->disk, m->log_index, acknowledged_term))
        world_violate(world, "I7: %s acknowledges entry %" PRIu64 " before it is on its disk", n->name,
                      m->log_index);
    if (m->kind == RAFT_SNAPSHOT_REPLY && m->granted && m->log_index > n->disk.snapshot_index &&
        !disk_holds(&n->disk, m->log_index, m->log_term))
        world_violate(world, "I7: %s acknowledges the snapshot up to %" PRIu64 " before it is on its disk",
                      n->name, m->log_index);
}

/* ---- status ---- */

static void check_new_leader(struct world *world, unsigned node)
{
    struct world_node *n = &world->nodes[node];
    struct term_record *record = record_of(world, n->status.term);
    if (record->leader != 0 && record->leader != n->id)
        world_violate(world, "I1: two leaders in term %" PRIu64, n->status.term);
    counts_add(&world->counts, COUNT_LEADERS, record->leader == 0);
    record->leader = n->id;
    for (size_t i = 0; i < world->check->committed_count; i++) {
        const struct seen_entry *committed = &world->check->committed[i];
        /* A process that was stopped can win late, when a later term has committed already. */
        if (committed->committed_term >= n->status.term)
            continue;
        if (committed->index <= n->status.snapshot_index)
            continue;
        const struct raft_entry *entry = raft_entry_at(n->raft, committed->index);
        if (entry == NULL || entry->term != committed->term)
            world_violate(world, "I1: %s leads term %" PRIu64 " without the committed entry %" PRIu64,
                          n->name, n->status.term, committed->index);
    }
}

static void check_lease(struct world *world, unsigned node)
{
    struct world_node *n = &world->nodes[node];
    n->lease_until_us = n->status.lease_until_us;
    n->lease_term = n->status.term;
    if (n->kind == RAFT_ARBITER)
        world_violate(world, "I6: the arbiter %s has a lease", n->name);
    for (unsigned i = 0; i < world->node_count; i++) {
        if (i == node || !world_lease_is_live(world, i))
            continue;
        /* No timer inside a machine survives its pause (design, section 4): for E after it wakes. */
        if (world->now_us < n->blind_until_us || world->now_us < world->nodes[i].blind_until_us ||
            world->nodes[i].frozen_clock_us > 0)
            continue;
        world_violate(world, "I3: two live leases: %s of term %" PRIu64 ", %s of term %" PRIu64, n->name,
                      n->lease_term, world->nodes[i].name, world->nodes[i].lease_term);
    }
}

/* Raft, section 5.4.2, figure 8: what a leader counts is an entry of its own term. */
static void check_counted(struct world *world, unsigned node, const struct raft_status *before)
{
    struct world_node *n = &world->nodes[node];
    const struct raft_entry *newest;
    if (n->status.role != RAFT_LEADER || before->role != RAFT_LEADER || n->status.term != before->term ||
        n->status.commit_index <= before->commit_index)
        return;
    newest = raft_entry_at(n->raft, n->status.commit_index);
    if (newest != NULL && newest->term != n->status.term)
        world_violate(world,
                      "I1: %s commits entry %" PRIu64 " of term %" PRIu64 " by counting in term %" PRIu64,
                      n->name, newest->index, newest->term, n->status.term);
}

void check_status(struct world *world, unsigned node, const struct raft_status *before)
{
    struct world_node *n = &world->nodes[node];
    if (n->status.term < before->term)
        world_violate(world, "I1: the term of %s goes back", n->name);
    if (n->status.commit_index > n->status.last_index)
        world_violate(world, "I1: %s commits beyond its log", n->name);
    if (n->status.role == RAFT_LEADER && (before->role != RAFT_LEADER || before->term != n->status.term))
        check_new_leader(world, node);
    check_counted(world, node, before);
    if (n->status.lease_until_us != 0)
        check_lease(world, node);
}
