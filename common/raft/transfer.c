#include "common/raft/internal.h"

/* Dissertation 3.10, with leases: the old one ends first, so that the new leader need not wait for anything.
 */

static bool may_lead(const struct raft *raft, unsigned i)
{
    return i != raft->self && raft_membership_may_lead(&raft->membership, raft->membership.members[i].id);
}

static bool has_everything(const struct raft *raft, unsigned i)
{
    return raft->peers[i].match_index == raft_log_last_index(&raft->log);
}

/* The arbiter hands over to the first data node that has all, the one first for which it took the lead. */
static uint64_t arbiter_target(const struct raft *raft)
{
    uint64_t target = 0;
    for (unsigned i = 0; i < raft->membership.count; i++) {
        if (!may_lead(raft, i) || !has_everything(raft, i))
            continue;
        uint64_t id = raft->membership.members[i].id;
        if (target == 0 || id == raft->arbiter_favours)
            target = id;
    }
    return target;
}

void raft_transfer_step(struct raft *raft)
{
    if (raft->role != RAFT_LEADER)
        return;
    uint64_t target = raft_membership_is_self_arbiter(raft) ? arbiter_target(raft) : raft->transfer_to;
    if (target == 0 || !has_everything(raft, raft_membership_find(&raft->membership, target)))
        return;
    raft_output_send(
        raft, &(struct raft_message){.kind = RAFT_TIMEOUT_NOW, .to = target, .term = raft->hard.term}, false);
    /* The message may arrive much later and still make the target a leader: this term's leadership is over,
     * for good. */
    raft_election_follow(raft, 0);
    raft_election_stand_back(raft, raft->config.election_us);
}

void raft_transfer_receive_timeout_now(struct raft *raft, const struct raft_message *message)
{
    bool held = raft_lease_held_until_us(raft) > raft->now_us;
    if (message->term != raft->hard.term || raft->role == RAFT_LEADER || held ||
        (raft->term_leader != 0 && raft->term_leader != message->from) ||
        !raft_membership_is_self_voter(raft) || raft_membership_is_self_arbiter(raft))
        return; /* late, or not for us; the sender stands back for only so long */
    raft_election_campaign(raft, true);
}

enum raft_code raft_transfer(struct raft *raft, uint64_t now_us, uint64_t to)
{
    raft_input_begin(raft, now_us);
    raft_input_end(raft);
    unsigned target = raft_membership_find(&raft->membership, to);
    if (target == raft->membership.count || !may_lead(raft, target))
        return RAFT_INVALID;
    if (raft->role != RAFT_LEADER)
        return RAFT_NOT_LEADER;
    if (!raft_lease_is_over(raft) || (raft->transfer_to != 0 && raft->transfer_to != to) ||
        raft_membership_is_self_arbiter(raft))
        return RAFT_BUSY;
    if (raft->transfer_to == 0)
        raft->transfer_until_us = raft->now_us + raft->config.election_us;
    raft->transfer_to = to;
    raft_transfer_step(raft);
    return RAFT_OK;
}

enum raft_code raft_renew_term(struct raft *raft, uint64_t now_us)
{
    raft_input_begin(raft, now_us);
    raft_input_end(raft);
    if (raft->role != RAFT_LEADER)
        return RAFT_NOT_LEADER;
    if (!raft_lease_is_over(raft) || raft->transfer_to != 0 || raft_membership_is_self_arbiter(raft) ||
        !raft_membership_is_self_voter(raft))
        return RAFT_BUSY;
    raft_election_follow(raft, 0);
    raft_election_campaign(raft, true);
    return RAFT_OK;
}
