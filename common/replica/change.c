/* The membership changed, one member at a time (raft.h). An operator asks the leader; what follows from that
 * (a replaced node's new identity comes in, one that has caught up gets its vote) every leader does by level:
 * it looks at the membership in the log, so a change survives the leader that began it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/replica/internal.h"

static enum error_code propose(struct replica *replica, const struct replica_membership *membership,
                               uint64_t *index, struct error *err)
{
    struct wire_bytes bytes;
    enum error_code failed = wire_pack_membership(membership, &bytes, err);
    enum raft_code code;

    if (failed)
        return failed;
    failed = engine_reserve(replica, 1, bytes.size, err);
    if (failed) {
        free(bytes.data);
        return failed;
    }
    code = raft_trace_propose(&replica->tracer, replica->raft, clock_now_us(), RAFT_ENTRY_MEMBERSHIP,
                              bytes.data, bytes.size, index);
    free(bytes.data);
    engine_step_for_owner(replica);
    switch (code) {
    case RAFT_OK:
        return ERR_OK;
    case RAFT_NOT_LEADER:
        return error_set(err, ERR_NOT_LEADER, "this node does not lead the group");
    case RAFT_NO_MEMORY:
        return error_set(err, ERR_NO_MEMORY, "no memory for an entry");
    case RAFT_INVALID:
        return error_set(err, ERR_REFUSED,
                         "that is no change by one member, or it would leave nobody to vote");
    case RAFT_BUSY:
        break;
    }
    return error_set(
        err, ERR_BUSY,
        "the group cannot change now: another change is under way, or too few of its members are "
        "heard; see mhactl status, and ask again");
}

/* ---- what the leader does of itself ---- */

/* false: nothing is left to do. */
static bool next_step(const struct replica_membership *now, struct replica_membership *next)
{
    *next = *now;
    if (now->joining.id != 0) {
        struct replica_membership_member member = now->joining;
        memset(&next->joining, 0, sizeof next->joining);
        member.voter = false;
        return replica_membership_add(next, &member, NULL) == ERR_OK;
    }
    for (unsigned i = 0; i < next->count; i++)
        if (!next->members[i].voter) {
            next->members[i].voter = true;
            return true;
        }
    return false;
}

void change_step(struct replica *replica, uint64_t now_us)
{
    struct replica_membership next;
    struct raft_status status;
    struct error err;
    uint64_t index;
    enum error_code code;

    if (now_us < replica->change_again_us || !next_step(&replica->membership, &next))
        return;
    replica->change_again_us = now_us + replica->heartbeat_us;
    raft_trace_status(&replica->tracer, replica->raft, now_us, &status);
    if (!status.ready || status.membership_index > status.commit_index)
        return;
    code = propose(replica, &next, &index, &err);
    if (code && code != ERR_BUSY && code != ERR_NOT_LEADER)
        log_warning("cluster \"%s\": a member cannot be let in: %s", replica->cluster, err.text);
}

/* ---- what an operator asks for ---- */

/* Who has been heard within the election timeout, of those who would vote. */
static enum error_code check_quorum(const struct replica *replica, const struct replica_membership *next,
                                    const struct raft_status *status, struct error *err)
{
    uint64_t now_us = clock_now_us();
    unsigned voters = replica_membership_voters(next), heard = 0, needed = voters / 2 + 1;

    for (unsigned i = 0; i < next->count; i++) {
        const struct replica_membership_member *member = &next->members[i];
        bool alive = member->id == replica->id;
        for (unsigned k = 0; k < status->peer_count; k++)
            alive = alive || (status->peers[k].id == member->id && status->peers[k].heard_us != 0 &&
                              now_us - status->peers[k].heard_us <= replica->election_us);
        heard += alive && member->voter;
    }
    if (heard >= needed)
        return ERR_OK;
    return error_set(
        err, ERR_BUSY,
        "of the %u members that would vote then %u are heard, and %u are needed; bring another one "
        "back first",
        voters, heard, needed);
}

static enum error_code check_leads(struct replica *replica, struct raft_status *status, struct error *err)
{
    if (replica->failed)
        return error_set(err, ERR_IO, "this member has failed and stops: %s", replica->why_failed);
    if (!replica->raft)
        return error_set(err, ERR_NOT_LEADER, "%s", replica_forming(replica));
    raft_trace_status(&replica->tracer, replica->raft, clock_now_us(), status);
    if (status->role != RAFT_LEADER)
        return error_set(err, ERR_NOT_LEADER, "%s does not lead the group", replica->name);
    if (!status->ready)
        return error_set(err, ERR_BUSY, "%s leads since a moment only; ask again", replica->name);
    return ERR_OK;
}

/* A change that is under way ends before the next begins; but a member that cannot catch up may be removed.
 */
static enum error_code check_idle(const struct replica *replica, const struct raft_status *status,
                                  const char *name, struct error *err)
{
    const struct replica_membership *now = &replica->membership;

    if (status->membership_index > status->commit_index)
        return error_set(err, ERR_BUSY, "a change of the members is being agreed on; ask again in a moment");
    if (now->joining.id != 0)
        return error_set(err, ERR_BUSY, "%s is being let in; ask again in a moment", now->joining.name);
    for (unsigned i = 0; i < now->count; i++)
        if (!now->members[i].voter && strcmp(now->members[i].name, name) != 0)
            return error_set(
                err, ERR_BUSY,
                "%s has been let in and has not caught up yet; wait until it votes, or remove it",
                now->members[i].name);
    return ERR_OK;
}

/* The node of that name that presents itself now. */
static enum error_code find_stranger(const struct replica *replica, const char *name,
                                     struct replica_membership_member *out, struct error *err)
{
    const struct stranger *stranger = greeting_stranger(replica, name, clock_now_us());

    if (!stranger)
        return error_set(
            err, ERR_REFUSED,
            "no new %s has presented itself to %s, which leads; start it, with the cluster's key and "
            "with %s in its `nodes`, and ask again",
            name, replica->name, replica->name);
    memset(out, 0, sizeof *out);
    memcpy(out->name, stranger->name, sizeof out->name);
    memcpy(out->address, stranger->address, sizeof out->address);
    out->id = stranger->id;
    out->arbiter = stranger->arbiter;
    return ERR_OK;
}

/* Not lost: who calls itself so as well came by mistake. */
static bool is_there(const struct replica *replica, const struct replica_membership_member *member)
{
    const struct peer *peer = peers_by_id((struct replica *)replica, member->id);

    return peer && peers_connected(peer);
}

static enum error_code make_change(const struct replica *replica, enum replica_change change,
                                   const char *name, struct replica_membership *next, struct error *err)
{
    const struct replica_membership *now = &replica->membership;
    const struct replica_membership_member *old = replica_membership_by_name(now, name);
    struct replica_membership_member member;
    enum error_code failed = ERR_OK;

    *next = *now;
    if (change == REPLICA_ADD && old)
        return error_set(
            err, ERR_REFUSED,
            "%s is a member already; if it has lost its data directory: mhactl member replace %s", name,
            name);
    if (change != REPLICA_ADD && !old)
        return error_set(err, ERR_REFUSED, "no member is called \"%s\"; see mhactl member list", name);
    if (old && old->id == replica->id)
        return error_set(err, ERR_REFUSED, "%s leads the group; move that first: mhactl switchover", name);
    if (change != REPLICA_REMOVE)
        failed = find_stranger(replica, name, &member, err);
    if (failed)
        return failed;
    if (change == REPLICA_REPLACE && is_there(replica, old))
        return error_set(
            err, ERR_REFUSED,
            "%s is connected with the identity that it has in the group, and another one presents "
            "itself under its name; stop one of them, or give it a name of its own",
            name);
    if (change == REPLICA_REPLACE && old->id == member.id)
        return error_set(err, ERR_REFUSED, "%s is there with the identity that it has in the group", name);
    if (change == REPLICA_REPLACE && old->arbiter != member.arbiter)
        return error_set(err, ERR_REFUSED, "%s was %s and would be %s; remove the one and add the other",
                         name, old->arbiter ? "an arbiter" : "a data node",
                         member.arbiter ? "an arbiter" : "a data node");
    if (old)
        replica_membership_remove(next, old->id);
    if (change == REPLICA_REPLACE) {
        failed = replica_membership_check(next, &member, err);
        next->joining = member;
    } else if (change == REPLICA_ADD) {
        failed = replica_membership_add(next, &member, err);
    }
    return failed;
}

enum error_code replica_change_member(struct replica *replica, enum replica_change change, const char *name,
                                      struct error *err)
{
    struct replica_membership next;
    struct raft_status status;
    uint64_t index;
    enum error_code failed = check_leads(replica, &status, err);

    if (!failed)
        failed = check_idle(replica, &status, name, err);
    if (!failed)
        failed = make_change(replica, change, name, &next, err);
    if (!failed)
        failed = check_quorum(replica, &next, &status, err);
    if (!failed)
        failed = propose(replica, &next, &index, err);
    return failed;
}

/* ---- for status ---- */

const char *replica_removed(const struct replica *replica)
{
    return replica->removed
               ? "this node was removed from the group, and stays without any power; `mhactl member "
                 "add` on a member lets it in again"
               : "";
}

const char *replica_changing(const struct replica *replica, char *text, size_t size)
{
    const struct replica_membership *now = &replica->membership;

    text[0] = '\0';
    if (!replica->formed)
        return text;
    if (now->joining.id != 0)
        snprintf(text, size, "%s is being replaced", now->joining.name);
    for (unsigned i = 0; i < now->count; i++)
        if (!now->members[i].voter)
            snprintf(text, size, "%s has been let in, and votes once it has caught up", now->members[i].name);
    return text;
}

bool replica_settled(const struct replica *replica)
{
    const struct replica_membership *now = &replica->membership;

    return replica->formed && now->joining.id == 0 && replica->membership_index <= replica->applied_index &&
           replica_membership_voters(now) == now->count;
}

unsigned replica_strangers(const struct replica *replica, struct replica_stranger *out, unsigned most)
{
    uint64_t now_us = clock_now_us();
    unsigned count = 0;

    for (unsigned i = 0; i < STRANGERS_MAX && count < most; i++) {
        const struct stranger *stranger = &replica->strangers[i];
        if (!greeting_stranger(replica, stranger->name, now_us))
            continue;
        out[count++] = (struct replica_stranger){
            .id = stranger->id,
            .name = stranger->name,
            .address = stranger->address,
            .arbiter = stranger->arbiter,
            .seen_us = stranger->seen_us,
            .replaces = replica_membership_by_name(&replica->membership, stranger->name) != NULL};
    }
    return count;
}
