/* The membership that counts is the newest in the log, committed or not (Raft); the peers follow it. The
 * configuration names nodes to reach and to form a group with; once there is a group it says nothing about
 * who is a member. */
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/replica/formation.h"
#include "common/replica/internal.h"

bool members_has(const struct replica_membership *membership, const char *name, uint64_t id)
{
    const struct replica_membership_member *member = replica_membership_by_id(membership, id);

    return member && strcmp(member->name, name) == 0;
}

const struct replica_membership_member *members_find(const struct replica *replica, const char *name)
{
    const struct replica_membership_member *member = replica_membership_by_name(&replica->membership, name);
    bool is_open = replica->applied_index < replica->membership_index;

    return member || !is_open ? member : replica_membership_by_name(&replica->membership_before, name);
}

/* ---- peers ---- */

static void rename_peer(struct replica *replica, struct peer *peer, uint64_t id)
{
    if (peer->id == id)
        return;
    if (id == 0 && peer->id != 0 && replica->formed) { /* removed: it shall hear that */
        peer->former_until_us = clock_now_us() + 2 * replica->election_us;
        return;
    }
    peer->id = id;
    peers_reset(peer); /* it greeted as another one */
}

enum error_code members_learn(struct replica *replica, struct error *err)
{
    for (unsigned i = 0; i < replica->peer_count; i++) {
        struct peer *peer = &replica->peers[i];
        const struct replica_membership_member *member = members_find(replica, peer->name);
        if (peer->vouched_index <= replica->membership_index)
            peer->vouched_id = 0; /* we have come as far as that greeting */
        if (peer->name[0] == '\0' || (peer->vouched_id != 0 && peer->vouched_id == peer->id))
            continue;
        if (member)
            peer->former_until_us = 0;
        rename_peer(replica, peer, member ? member->id : 0);
    }
    for (unsigned i = 0; i < replica->membership.count; i++) {
        const struct replica_membership_member *member = &replica->membership.members[i];
        enum error_code failed;

        greeting_forget(replica, member->id);
        if (member->id == replica->id || strcmp(member->name, replica->name) == 0 ||
            peers_by_name(replica, member->name))
            continue;
        log_warning("cluster \"%s\": the group has a member \"%s\" (%s) that is not in `nodes`; add it there",
                    replica->cluster, member->name, member->address);
        failed = peers_add(replica, member->name, member->address, member->arbiter, false, err);
        if (failed)
            return failed;
        peers_by_name(replica, member->name)->id = member->id;
    }
    return ERR_OK;
}

/* ---- following the log ---- */

static void tell_change(const struct replica *replica, const struct replica_membership *old)
{
    const struct replica_membership *now = &replica->membership;

    for (unsigned i = 0; i < old->count; i++)
        if (!replica_membership_by_id(now, old->members[i].id))
            log_notice("cluster \"%s\": entry %" PRIu64 " removes %s (%016" PRIx64 ") from the group",
                       replica->cluster, replica->membership_index, old->members[i].name, old->members[i].id);
    for (unsigned i = 0; i < now->count; i++) {
        const struct replica_membership_member *was = replica_membership_by_id(old, now->members[i].id);
        if (was && was->voter == now->members[i].voter)
            continue;
        log_notice("cluster \"%s\": entry %" PRIu64 " %s %s (%016" PRIx64 ")", replica->cluster,
                   replica->membership_index, now->members[i].voter ? "gives a vote to" : "lets in",
                   now->members[i].name, now->members[i].id);
    }
}

/* The newest before the entry at `index`. Raft lets nobody propose a change before the one before it is
 * committed, so this one is, and only the newest may come to nothing. */
static enum error_code find_before(const struct replica *replica, uint64_t index,
                                   struct replica_membership *out, struct error *err)
{
    *out = replica->snapshot_membership;
    while (index-- > replica->snapshot_index + 1) {
        const struct raft_entry *entry = raft_entry_at(replica->raft, index);
        if (entry && entry->kind == RAFT_ENTRY_MEMBERSHIP)
            return wire_unpack_membership(entry->data, entry->size, out, err);
    }
    return ERR_OK;
}

void members_follow(struct replica *replica)
{
    struct replica_membership newest = replica->snapshot_membership, old = replica->membership;
    const struct raft_entry *entry;
    struct raft_status status;
    struct error err;

    if (!replica->membership_dirty || replica->failed)
        return;
    replica->membership_dirty = false;
    raft_trace_status(&replica->tracer, replica->raft, clock_now_us(), &status);
    entry = status.membership_index ? raft_entry_at(replica->raft, status.membership_index) : NULL;
    if (entry &&
        (wire_unpack_membership(entry->data, entry->size, &newest, &err) != ERR_OK ||
         find_before(replica, status.membership_index, &replica->membership_before, &err) != ERR_OK)) {
        engine_fail(replica, err.text); /* not reached: raft takes none that does not decode */
        return;
    }
    replica->membership_index = entry ? status.membership_index : replica->snapshot_index;
    if (replica_membership_equal(&newest, &old))
        return;
    replica->membership = newest;
    tell_change(replica, &old);
    if (members_learn(replica, &err) != ERR_OK)
        engine_fail(replica, err.text);
    engine_note_change(replica);
}

/* ---- what time brings ---- */

static void dismiss(struct replica *replica, struct peer *peer)
{
    peer->former_until_us = 0;
    peer->id = 0;
    if (peer->configured) {
        peers_reset(peer); /* it greets again, and is told */
        return;
    }
    log_info("cluster \"%s\": %s is gone from the group and from `nodes`", replica->cluster, peer->name);
    peers_drop(peer);
}

static bool is_removed(struct replica *replica, uint64_t now_us)
{
    struct raft_status status;

    for (unsigned i = 0; i < replica->peer_count; i++)
        if (replica->peers[i].without_us_index > replica->membership_index)
            return true;
    if (formation_includes_us(replica, &replica->membership))
        return false;
    /* One that has just been let in reads of times when it was no member yet. */
    raft_trace_status(&replica->tracer, replica->raft, now_us, &status);
    return status.leader == 0;
}

void members_tick(struct replica *replica, uint64_t now_us)
{
    bool removed;

    for (unsigned i = 0; i < replica->peer_count; i++)
        if (replica->peers[i].former_until_us && now_us >= replica->peers[i].former_until_us)
            dismiss(replica, &replica->peers[i]);
    removed = is_removed(replica, now_us);
    if (removed == replica->removed)
        return;
    replica->removed = removed;
    if (removed)
        log_warning(
            "cluster \"%s\": this node was removed from the group; `mhactl member add %s` on a member "
            "lets it in again",
            replica->cluster, replica->name);
    engine_note_change(replica);
}
