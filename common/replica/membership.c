#include "common/replica/membership.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/config.h"

bool replica_name_valid(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

    return *name != '\0' && name[strspn(name, allowed)] == '\0';
}

static bool address_valid(const char *address)
{
    char host[REPLICA_ADDRESS_BYTES];
    unsigned port;

    for (const char *c = address; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return config_parse_address(address, host, sizeof host, &port) && port != 0;
}

enum error_code replica_membership_check(const struct replica_membership *membership,
                                         const struct replica_membership_member *member, struct error *err)
{
    if (membership->count >= RAFT_MEMBERS_MAX)
        return error_set(err, ERR_INVALID, "a membership of more than %d members", RAFT_MEMBERS_MAX);
    if (member->id == 0)
        return error_set(err, ERR_INVALID, "a member without an identity");
    if (!replica_name_valid(member->name))
        return error_set(err, ERR_INVALID, "member %016" PRIx64 " has no valid name", member->id);
    if (!address_valid(member->address))
        return error_set(err, ERR_INVALID, "member %s has no valid address", member->name);
    if (replica_membership_by_id(membership, member->id))
        return error_set(err, ERR_INVALID, "member %016" PRIx64 " is there twice", member->id);
    if (replica_membership_by_name(membership, member->name))
        return error_set(err, ERR_INVALID, "member %s is there twice", member->name);
    return ERR_OK;
}

enum error_code replica_membership_add(struct replica_membership *membership,
                                       const struct replica_membership_member *member, struct error *err)
{
    enum error_code code = replica_membership_check(membership, member, err);
    unsigned at = 0;

    if (code)
        return code;
    while (at < membership->count && membership->members[at].id < member->id)
        at++;
    memmove(&membership->members[at + 1], &membership->members[at],
            (membership->count - at) * sizeof membership->members[0]);
    membership->members[at] = *member;
    membership->count++;
    return ERR_OK;
}

void replica_membership_remove(struct replica_membership *membership, uint64_t id)
{
    unsigned at = 0;

    while (at < membership->count && membership->members[at].id != id)
        at++;
    if (at == membership->count)
        return;
    membership->count--;
    memmove(&membership->members[at], &membership->members[at + 1],
            (membership->count - at) * sizeof membership->members[0]);
    memset(&membership->members[membership->count], 0, sizeof membership->members[0]);
}

unsigned replica_membership_voters(const struct replica_membership *membership)
{
    unsigned voters = 0;

    for (unsigned i = 0; i < membership->count; i++)
        voters += membership->members[i].voter;
    return voters;
}

const struct replica_membership_member *replica_membership_by_id(const struct replica_membership *membership,
                                                                 uint64_t id)
{
    for (unsigned i = 0; i < membership->count; i++)
        if (membership->members[i].id == id)
            return &membership->members[i];
    return NULL;
}

const struct replica_membership_member *
replica_membership_by_name(const struct replica_membership *membership, const char *name)
{
    for (unsigned i = 0; i < membership->count; i++)
        if (strcmp(membership->members[i].name, name) == 0)
            return &membership->members[i];
    return NULL;
}

static bool same_member(const struct replica_membership_member *a, const struct replica_membership_member *b)
{
    return a->id == b->id && a->arbiter == b->arbiter && a->voter == b->voter &&
           strcmp(a->name, b->name) == 0 && strcmp(a->address, b->address) == 0;
}

bool replica_membership_equal(const struct replica_membership *a, const struct replica_membership *b)
{
    if (a->count != b->count || !same_member(&a->joining, &b->joining))
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (!same_member(&a->members[i], &b->members[i]))
            return false;
    return true;
}

void replica_membership_to_raft(const struct replica_membership *membership, struct raft_membership *out)
{
    memset(out, 0, sizeof *out);
    out->count = membership->count;
    for (unsigned i = 0; i < membership->count; i++) {
        out->members[i].id = membership->members[i].id;
        out->members[i].kind = membership->members[i].arbiter ? RAFT_ARBITER : RAFT_DATA;
        out->members[i].voter = membership->members[i].voter;
    }
}
