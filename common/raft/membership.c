#include "common/raft/internal.h"

bool raft_membership_valid(const struct raft_membership *membership)
{
    if (membership->count == 0 || membership->count > RAFT_MEMBERS_MAX)
        return false;
    uint64_t before = 0;
    for (unsigned i = 0; i < membership->count; i++) {
        const struct raft_member *member = &membership->members[i];
        if (member->id <= before) /* 0, twice, or out of order */
            return false;
        if (member->kind != RAFT_DATA && member->kind != RAFT_ARBITER)
            return false;
        before = member->id;
    }
    return raft_membership_voters(membership) > 0;
}

bool raft_membership_equal(const struct raft_membership *one, const struct raft_membership *other)
{
    if (one->count != other->count)
        return false;
    for (unsigned i = 0; i < one->count; i++) {
        const struct raft_member *a = &one->members[i], *b = &other->members[i];
        if (a->id != b->id || a->kind != b->kind || a->voter != b->voter)
            return false;
    }
    return true;
}

bool raft_membership_is_single_change(const struct raft_membership *from, const struct raft_membership *to)
{
    unsigned changes = 0, stay = 0;
    for (unsigned i = 0; i < to->count; i++) {
        const struct raft_member *member = &to->members[i];
        unsigned was = raft_membership_find(from, member->id);
        if (was == from->count) {
            if (member->voter)
                return false; /* it learns first */
            changes++;
            continue;
        }
        stay++;
        const struct raft_member *before = &from->members[was];
        if (before->kind != member->kind || (before->voter && !member->voter))
            return false;
        changes += before->voter != member->voter;
    }
    return changes + (from->count - stay) <= 1;
}

bool raft_membership_is_usable(const struct raft_membership *membership)
{
    bool someone_leads = false;
    for (unsigned i = 0; i < membership->count; i++)
        someone_leads |= membership->members[i].voter && membership->members[i].kind == RAFT_DATA;
    return someone_leads && raft_membership_voters(membership) <= RAFT_VOTERS_MAX;
}

unsigned raft_membership_find(const struct raft_membership *membership, uint64_t id)
{
    for (unsigned i = 0; i < membership->count; i++) {
        if (membership->members[i].id == id)
            return i;
    }
    return membership->count;
}

unsigned raft_membership_voters(const struct raft_membership *membership)
{
    unsigned voters = 0;
    for (unsigned i = 0; i < membership->count; i++)
        voters += membership->members[i].voter;
    return voters;
}

unsigned raft_membership_rank(const struct raft_membership *membership, uint64_t id, uint64_t last)
{
    unsigned rank = RAFT_MEMBERS_MAX, count = 0, place_of_last = RAFT_MEMBERS_MAX;
    for (unsigned i = 0; i < membership->count; i++) {
        const struct raft_member *member = &membership->members[i];
        if (!member->voter || member->kind != RAFT_DATA)
            continue;
        if (member->id == id)
            rank = count;
        if (member->id == last)
            place_of_last = count;
        count++;
    }
    if (rank == RAFT_MEMBERS_MAX) /* on its way out */
        return count;
    if (id == last)
        return count - (count > 0);
    return rank > place_of_last ? rank - 1 : rank;
}

bool raft_membership_may_lead(const struct raft_membership *membership, uint64_t id)
{
    unsigned i = raft_membership_find(membership, id);
    return i < membership->count && membership->members[i].voter && membership->members[i].kind == RAFT_DATA;
}

bool raft_membership_is_self_voter(const struct raft *raft)
{
    return raft->self < raft->membership.count && raft->membership.members[raft->self].voter;
}

bool raft_membership_is_self_arbiter(const struct raft *raft)
{
    return raft->arbiter;
}

bool raft_membership_may_campaign(const struct raft *raft)
{
    return raft_membership_is_self_voter(raft) || raft->leaving_index > raft->commit_index;
}
