/* Which membership counts: that of the newest MEMBERSHIP entry in the log, committed or not, else that of the
 * snapshot (dissertation 4.1). A truncation takes it away again, a snapshot keeps what its entries said. */
#include <assert.h>
#include <string.h>

#include "common/raft/internal.h"

#include "common/raft/quorum.h"

unsigned raft_slot_count(const struct raft *raft)
{
    return raft->membership.count + (raft->departing != 0);
}

uint64_t raft_peer_id(const struct raft *raft, unsigned slot)
{
    return slot < raft->membership.count ? raft->membership.members[slot].id : raft->departing;
}

unsigned raft_peer_slot(const struct raft *raft, uint64_t id)
{
    unsigned slot = raft_membership_find(&raft->membership, id);
    if (slot < raft->membership.count)
        return slot;
    return raft->departing != 0 && raft->departing == id ? slot : RAFT_NO_SLOT;
}

/* ---- what counts ---- */

bool raft_change_decode(const struct raft *raft, const struct raft_entry *entry, struct raft_membership *out)
{
    return raft->config.decode_membership != NULL &&
           raft->config.decode_membership(entry->data, entry->size, out) && raft_membership_valid(out);
}

/* The index of the newest MEMBERSHIP entry up to `index`; 0: none, `out` is the snapshot's. */
static uint64_t newest_up_to(const struct raft *raft, uint64_t index, struct raft_membership *out)
{
    for (; index > raft->log.base_index; index--) {
        const struct raft_entry *entry = raft_log_at(&raft->log, index);
        if (entry->kind != RAFT_ENTRY_MEMBERSHIP)
            continue;
        bool decoded = raft_change_decode(raft, entry, out);
        assert(decoded); /* it was before it came into the log */
        (void)decoded;
        return index;
    }
    *out = raft->base_membership;
    return 0;
}

static void find_self(struct raft *raft)
{
    unsigned self = raft_membership_find(&raft->membership, raft->config.id);
    raft->self = self < raft->membership.count ? self : RAFT_NO_SLOT;
    raft->leaving_index = 0;
    if (raft->self != RAFT_NO_SLOT)
        raft->arbiter = raft->membership.members[self].kind == RAFT_ARBITER;
    if (raft_membership_is_self_voter(raft))
        return;
    struct raft_membership before;
    uint64_t index = raft_log_last_index(&raft->log), removal = 0;
    do { /* every membership that may be the newest committed one */
        index = newest_up_to(raft, index, &before);
        self = raft_membership_find(&before, raft->config.id);
        if (self < before.count && before.members[self].voter) {
            raft->leaving_index = removal;
            raft->arbiter = before.members[self].kind == RAFT_ARBITER;
        }
        removal = index; /* took away what the one before it gave */
    } while (raft->leaving_index == 0 && index-- > raft->commit_index);
}

/* A leader tells the member that it removes: this slot gets the entry that says so, and with it the log. */
static void depart(struct raft *raft, const struct raft_membership *old, const struct raft_peer *before)
{
    if (raft->role != RAFT_LEADER)
        return;
    for (unsigned i = 0; i < old->count; i++) {
        uint64_t id = old->members[i].id;
        if (id == raft->config.id || raft_membership_find(&raft->membership, id) < raft->membership.count)
            continue;
        raft->departing = id;
        raft->departing_until_us = raft->now_us + raft->config.election_us;
        raft->departing_committed_us = 0;
        raft->peers[raft->membership.count] = before[i];
    }
}

void raft_change_tell(struct raft *raft, uint64_t id)
{
    if (raft->role != RAFT_LEADER || raft->departing != 0 || raft_peer_slot(raft, id) != RAFT_NO_SLOT)
        return;
    raft_replicate_begin(raft, &raft->peers[raft->membership.count]);
    raft->departing = id;
    raft->departing_until_us = raft->now_us + raft->config.election_us;
    raft->departing_committed_us = 0;
}

void raft_change_step(struct raft *raft)
{
    if (raft->departing == 0)
        return;
    const struct raft_peer *peer = &raft->peers[raft->membership.count];
    uint64_t since = raft->membership_index != 0 ? raft->membership_index : raft->log.base_index;
    if (raft->commit_index >= since && raft->departing_committed_us == 0)
        raft->departing_committed_us = raft->now_us;
    /* It has answered a round that carried this commit index along. */
    bool knows = peer->match_index >= since && raft->departing_committed_us != 0 &&
                 peer->answered_sent_us > raft->departing_committed_us;
    if (knows || raft->now_us >= raft->departing_until_us)
        raft->departing = 0;
}

/* The slots follow the members: what is known of one stays with its id. */
static void adopt(struct raft *raft, const struct raft_membership *membership, uint64_t index)
{
    struct raft_peer before[RAFT_SLOTS];
    struct raft_membership old = raft->membership;
    memcpy(before, raft->peers, sizeof before);
    memset(raft->peers, 0, sizeof raft->peers);
    raft->membership = *membership;
    raft->membership_index = index;
    raft->departing = 0;
    depart(raft, &old, before);
    find_self(raft);
    for (unsigned i = 0; i < membership->count; i++) {
        unsigned was = raft_membership_find(&old, membership->members[i].id);
        if (was < old.count)
            raft->peers[i] = before[was];
        else
            raft_replicate_begin(raft, &raft->peers[i]);
    }
}

void raft_change_membership_at(const struct raft *raft, uint64_t index, struct raft_membership *out)
{
    if (raft->membership_index <= index)
        *out = raft->membership;
    else
        newest_up_to(raft, index, out);
}

void raft_change_restore(struct raft *raft)
{
    struct raft_membership membership;
    uint64_t index = newest_up_to(raft, raft_log_last_index(&raft->log), &membership);
    adopt(raft, &membership, index);
}

void raft_change_truncated(struct raft *raft)
{
    if (raft->membership_index > raft_log_last_index(&raft->log))
        raft_change_restore(raft); /* its entry is gone (canonical/raft 323) */
}

void raft_change_compacted(struct raft *raft)
{
    if (raft->membership_index <= raft->log.base_index)
        raft->membership_index = 0; /* it counts on, as the snapshot's */
}

void raft_change_appended(struct raft *raft, const struct raft_entry *entry)
{
    struct raft_membership membership;
    if (entry->kind == RAFT_ENTRY_MEMBERSHIP && raft_change_decode(raft, entry, &membership))
        adopt(raft, &membership, raft_log_last_index(&raft->log));
}

/* ---- what may be proposed ---- */

/* Who would have a vote that it has not now can follow at once. */
static bool has_caught_up(const struct raft *raft, const struct raft_membership *membership)
{
    for (unsigned i = 0; i < membership->count; i++) {
        unsigned was = raft_membership_find(&raft->membership, membership->members[i].id);
        if (!membership->members[i].voter || was == raft->membership.count ||
            raft->membership.members[was].voter)
            continue;
        if (raft->peers[was].match_index < raft->commit_index)
            return false;
    }
    return true;
}

/* A quorum of the new voters is there: the change would not be the last thing that is ever committed. */
static bool is_quorum_alive(const struct raft *raft, const struct raft_membership *membership)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < membership->count; i++) {
        uint64_t id = membership->members[i].id;
        unsigned slot = raft_membership_find(&raft->membership, id);
        if (!membership->members[i].voter || slot == raft->membership.count)
            continue;
        uint64_t heard_us = raft->peers[slot].heard_us;
        alive +=
            id == raft->config.id || (heard_us != 0 && raft->now_us - heard_us < raft->config.election_us);
    }
    return alive >= raft_quorum_size(raft_membership_voters(membership));
}

enum raft_code raft_change_check(const struct raft *raft, const struct raft_membership *membership)
{
    /* Before an entry of the own term is committed, a change of an earlier leader may still be under way
     * somewhere: two adjacent ones need have no common voter (the correction of 2015). */
    if (raft->commit_index < raft->noop_index || raft->membership_index > raft->commit_index)
        return RAFT_BUSY;
    if (!raft_membership_is_single_change(&raft->membership, membership) ||
        !raft_membership_is_usable(membership))
        return RAFT_INVALID;
    if (!has_caught_up(raft, membership) || !is_quorum_alive(raft, membership))
        return RAFT_BUSY;
    return RAFT_OK;
}
