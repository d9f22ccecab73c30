/* membership.h - a group's members with their names and addresses.
 *
 * Raft itself knows only ids (struct raft_membership); this is the whole of it, as the log, the snapshot and
 * Hello carry it. Names are for people, identities (ids) for votes: a node that lost its data directory has
 * its old name and a new identity, and is another member. */
#ifndef MHA_REPLICA_MEMBERSHIP_H
#define MHA_REPLICA_MEMBERSHIP_H

#include "common/base/error.h"
#include "common/raft/raft.h"
#include "common/replica/replica.h"

struct replica_membership_member {
    uint64_t id; /* not 0 */
    char name[REPLICA_NAME_BYTES];
    char address[REPLICA_ADDRESS_BYTES]; /* host:port, [v6]:port */
    bool arbiter;
    bool voter;
};

struct replica_membership {
    unsigned count;
    struct replica_membership_member members[RAFT_MEMBERS_MAX]; /* ascending ids, each id and name once */
    struct replica_membership_member joining; /* to be added by the next change; id 0: none */
};

/* A copy, at its place by id. ERR_INVALID: id 0, an id or name that is there already, a name with other
 * characters than [A-Za-z0-9_.-], an address that does not parse, more than RAFT_MEMBERS_MAX. */
enum error_code replica_membership_add(struct replica_membership *membership,
                                       const struct replica_membership_member *member, struct error *err);
/* What _add would say, without adding. */
enum error_code replica_membership_check(const struct replica_membership *membership,
                                         const struct replica_membership_member *member, struct error *err);
void replica_membership_remove(struct replica_membership *membership, uint64_t id);
unsigned replica_membership_voters(const struct replica_membership *membership);
/* NULL: not there. */
const struct replica_membership_member *replica_membership_by_id(const struct replica_membership *membership,
                                                                 uint64_t id);
const struct replica_membership_member *
replica_membership_by_name(const struct replica_membership *membership, const char *name);
bool replica_membership_equal(const struct replica_membership *a, const struct replica_membership *b);
void replica_membership_to_raft(const struct replica_membership *membership, struct raft_membership *out);
/* Not empty, and of [A-Za-z0-9_.-] only. */
bool replica_name_valid(const char *name);

#endif
