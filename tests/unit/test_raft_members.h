/* test_raft_members.h - memberships, changes of them, and the messages that bring them. */
#ifndef MHA_TEST_RAFT_MEMBERS_H
#define MHA_TEST_RAFT_MEMBERS_H

#include "common/raft/internal.h"
#include "tests/unit/test_raft_group.h"

static inline struct raft_membership with(struct raft_membership membership, uint64_t id,
                                          enum raft_member_kind kind, bool voter)
{
    unsigned at = 0;
    while (at < membership.count && membership.members[at].id < id)
        at++;
    if (at == membership.count || membership.members[at].id != id) {
        memmove(&membership.members[at + 1], &membership.members[at],
                (membership.count - at) * sizeof membership.members[0]);
        membership.count++;
    }
    membership.members[at] = (struct raft_member){.id = id, .kind = kind, .voter = voter};
    return membership;
}

static inline struct raft_membership without(struct raft_membership membership, uint64_t id)
{
    unsigned at = raft_membership_find(&membership, id);
    if (at == membership.count)
        return membership;
    membership.count--;
    memmove(&membership.members[at], &membership.members[at + 1],
            (membership.count - at) * sizeof membership.members[0]);
    return membership;
}

static inline struct raft_membership founding(void)
{
    return fixture_restored().membership;
}

static inline enum raft_code propose(struct raft *raft, uint64_t now_us, struct raft_membership membership)
{
    unsigned char bytes[64];
    uint64_t index = 0;
    size_t size = fixture_encode(&membership, bytes);
    return raft_propose(raft, now_us, RAFT_ENTRY_MEMBERSHIP, bytes, size, &index);
}

static inline enum raft_code group_change(struct group *group, uint64_t id, struct raft_membership membership)
{
    enum raft_code code = propose(group->nodes[id], group->now_us, membership);
    group_settle(group);
    return code;
}

static inline bool knows(struct group *group, uint64_t id, struct raft_membership membership)
{
    return raft_membership_equal(raft_membership(group->nodes[id]), &membership);
}

/* A new member, which was told nothing. */
static inline void group_start_empty(struct group *group, uint64_t id)
{
    struct raft_restored nothing = {0};
    struct raft_config config = fixture_full_config;
    config.id = id;
    CU_ASSERT_EQUAL_FATAL(raft_new(&config, &nothing, group->now_us, &group->nodes[id]), RAFT_OK);
}

static inline struct raft_message members_echo(uint64_t from, uint64_t round, uint64_t match)
{
    return (struct raft_message){.kind = RAFT_APPEND_REPLY,
                                 .from = from,
                                 .term = 1,
                                 .granted = true,
                                 .log_index = match,
                                 .round = round,
                                 .election_us = ELECTION_US};
}

static inline struct raft_entry change_entry(uint64_t index, uint64_t term, struct raft_membership membership,
                                             unsigned char *bytes)
{
    size_t size = fixture_encode(&membership, bytes);
    return (struct raft_entry){
        .index = index, .term = term, .kind = RAFT_ENTRY_MEMBERSHIP, .data = bytes, .size = size};
}

static inline const struct raft_output *members_append(struct raft *raft, uint64_t term,
                                                       const struct raft_entry *entry, uint64_t log_term)
{
    struct raft_message message = fixture_heartbeat(B, term);
    message.log_index = entry->index - 1;
    message.log_term = log_term;
    message.entries = entry;
    message.entry_count = 1;
    return fixture_receive(raft, A, BEGIN_US, message);
}

#endif
