#include "common/raft/internal.h"

#include "common/raft/quorum.h"

/* A round's number is the instant at which it was sent, by the leader's clock. An echo thereby names the time
 * that it vouches for, and no table of rounds is needed: a term is led only once, by one start of one
 * process. */

uint64_t raft_lease_promise_us(const struct raft *raft)
{
    return raft->hard.promised_us > raft->config.election_us ? raft->hard.promised_us
                                                             : raft->config.election_us;
}

/* Each voter's instant, this node's own being its newest round; `promised`: only answers whose echo covers E.
 */
static uint64_t quorum_instant(const struct raft *raft, bool promised, uint64_t at_least)
{
    uint64_t instants[RAFT_MEMBERS_MAX];
    unsigned voters = 0;
    for (unsigned i = 0; i < raft->membership.count; i++) {
        if (!raft->membership.members[i].voter)
            continue;
        uint64_t instant = promised ? raft->peers[i].promised_sent_us : raft->peers[i].answered_sent_us;
        if (i == raft->self)
            instant = raft->round_us;
        instants[voters++] = instant > at_least ? instant : at_least;
    }
    return raft_quorum_reached(instants, voters);
}

uint64_t raft_lease_contact_us(const struct raft *raft)
{
    return quorum_instant(raft, false, raft->leader_since_us);
}

uint64_t raft_lease_answered_us(const struct raft *raft)
{
    return raft->role == RAFT_LEADER ? quorum_instant(raft, false, 0) : 0;
}

uint64_t raft_lease_until_us(const struct raft *raft)
{
    if (raft->role != RAFT_LEADER || raft->lease_ended || raft_membership_is_self_arbiter(raft))
        return 0;
    if (raft->commit_index < raft->noop_index)
        return 0;
    uint64_t election_us = raft->config.election_us;
    uint64_t sent_us = quorum_instant(raft, true, 0);
    if (sent_us == 0)
        return 0;
    uint64_t margin_us = election_us / 10 > 10000 ? election_us / 10 : 10000;
    uint64_t until_us = sent_us + election_us - margin_us;
    return until_us > raft->now_us ? until_us : 0;
}

bool raft_lease_is_over(const struct raft *raft)
{
    return raft->lease_ended && raft->published_us <= raft->now_us;
}

void raft_lease_step_down(struct raft *raft)
{
    /* This node is a voter, too: its own promise to the leadership that ends here is what it gave out. */
    raft->lease_hold_us = raft->published_us;
    raft->published_us = 0;
}

uint64_t raft_lease_held_until_us(const struct raft *raft)
{
    return raft->restart_hold_us > raft->lease_hold_us ? raft->restart_hold_us : raft->lease_hold_us;
}

uint64_t raft_lease_sticky_until_us(const struct raft *raft)
{
    if (raft->role == RAFT_LEADER)
        return raft_lease_contact_us(raft) + raft_lease_promise_us(raft);
    return raft->heard_leader_us == 0 ? 0 : raft->heard_leader_us + raft_lease_promise_us(raft);
}

void raft_end_lease(struct raft *raft, uint64_t now_us)
{
    raft_input_begin(raft, now_us);
    if (raft->role == RAFT_LEADER)
        raft->lease_ended = true;
    raft_input_end(raft);
}

void raft_released(struct raft *raft, uint64_t now_us)
{
    raft_input_begin(raft, now_us);
    if (raft->role != RAFT_LEADER)
        raft->lease_hold_us = 0;
    else if (raft->lease_ended) /* else it speaks of an earlier lease than the one in force */
        raft->published_us = 0;
    raft_input_end(raft);
}
