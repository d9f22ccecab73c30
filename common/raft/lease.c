#include "common/raft/internal.h"

#include "common/raft/quorum.h"

/* A round's number is the instant at which it was sent, by the leader's clock. An echo thereby names the time
 * that it vouches for, and no table of rounds is needed: a term is led only once, by one start of one
 * process.
 *
 * Leases while the membership changes. Let L lead term T with membership M, and let a majority Q of M's
 * voters have promised E on hearing a round sent at s (L, as one of them, by its own hold). The lease says
 * that no leader of a later term is elected before s + E. Take the first such leader, N, by time. L was
 * ready, so an entry of T and all before it are committed, and N has them; whatever memberships N can have
 * after them, L itself appended. L appends one only when the one before it, P, is committed, and a majority
 * of P's voters did that by hearing L (or being L) after P was appended. So:
 *   - N counts votes by M, by the one that M replaced, or by one that L appended later. In the first two
 *     cases its majority and Q have a common voter, as memberships that differ by one voter do, and that one
 *     has not voted before s + E.
 *   - In the last case, be it by M1, M2, ... after M: when M1 is appended, M is committed; M1 differs from M
 *     by one voter, so a majority of M1 meets Q. When M2 is appended, a majority of M1 has heard L after M1
 *     came, so after s, and each of them keeps still for E from then: that is a majority Q1 which serves M2
 *     as Q served M1; and so on.
 *
 * What this needs: a promise is kept by whoever gave it, whether it is a voter then, later or no more (a
 * learner's becomes one that counts when it gets its vote, a removed member may still be asked by one who
 * does not know). Only voters of the membership that counts are counted, a leader that has removed itself
 * not among them; a departing member's answers count for nothing. */

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
