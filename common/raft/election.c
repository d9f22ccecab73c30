/* The course of an election. raft_election_tick finds the campaign due and begins the PreVote; `count` counts
 * its grants; a majority makes it a campaign (raft_election_campaign): the next term, the own vote, VOTE to
 * everybody. The own vote counts once it is on disk (raft_persisted calls raft_election_persisted), those of
 * others as they come; a majority makes it the leader (raft_replicate_lead). Whatever ends a candidacy or a
 * leadership goes through raft_election_follow. */
#include "common/raft/internal.h"

#include "common/raft/quorum.h"

#define NEVER UINT64_MAX
/* In E. A data member that does not know yet that it was given a vote does not ask for any. If nobody at all
 * asks for longer than any campaign is delayed, the arbiter does. */
#define ARBITER_PATIENCE 6

static uint64_t spread_us(const struct raft *raft)
{
    /* Once the leader is silent, it goes last; after a tie only the ids count, which all see alike. */
    uint64_t last = raft->campaign_retry ? 0 : raft->last_leader;
    uint64_t rank = raft_membership_rank(&raft->membership, raft->config.id, last);
    uint64_t apart_us = raft->config.heartbeat_us / 2;
    /* Each tie that ended a campaign sets them further apart: half a heartbeat is nothing where a message
     * takes longer than that, and two of three members could tie for ever. */
    for (unsigned i = 0; i < raft->campaign_failures && apart_us < raft->config.election_us / 4; i++)
        apart_us *= 2;
    return rank * apart_us;
}

/* Who is in the group has never changed, so everybody knows of his vote. */
static bool is_founding(const struct raft *raft)
{
    return raft->membership_index == 0 && raft->snapshot.index == 0;
}

/* When the next campaign is due; NEVER: it does not campaign. */
static uint64_t campaign_due_us(const struct raft *raft)
{
    if (!raft_membership_may_campaign(raft))
        return NEVER;
    uint64_t due_us;
    if (raft_membership_is_self_arbiter(raft)) {
        due_us = raft->arbiter_due_us;
        if (due_us == 0 && is_founding(raft))
            return NEVER;
        if (due_us == 0)
            due_us = raft->campaign_base_us + ARBITER_PATIENCE * raft->config.election_us;
    } else {
        due_us = raft->campaign_base_us + spread_us(raft);
        if (!raft->campaign_retry)
            due_us += raft->campaign_delay_us;
    }
    /* Its own vote is bound by its promises like every other. */
    uint64_t held_us = raft_lease_held_until_us(raft);
    uint64_t sticky_us = raft_lease_sticky_until_us(raft);
    if (due_us < held_us)
        due_us = held_us;
    return due_us < sticky_us ? sticky_us : due_us;
}

static void retry_after(struct raft *raft, uint64_t wait_us)
{
    raft->campaign_base_us = raft->now_us + wait_us;
    raft->campaign_retry = true;
}

void raft_election_follow(struct raft *raft, uint64_t term)
{
    if (term > raft->hard.term) {
        raft->hard.term = term;
        raft->hard.vote = 0;
        raft->term_leader = 0;
        raft->leader = 0;
        raft_output_hard_state(raft);
        raft_snapshot_forget_incoming(raft);
    }
    if (raft->role == RAFT_FOLLOWER)
        return;
    if (raft->role == RAFT_LEADER) {
        raft_lease_step_down(raft);
        raft->last_leader = raft->config.id;
        raft->leader = 0;
        raft->transfer_to = 0;
        raft->leader_since_us = 0;
        raft->departing = 0;
        raft_read_lose(raft);
        raft->campaign_base_us = raft->now_us + raft->config.heartbeat_us;
        raft->campaign_retry = false;
    } else {
        retry_after(raft, raft->config.heartbeat_us);
    }
    raft->courtesy_until_us = 0;
    raft->arbiter_due_us = 0;
    raft->role = RAFT_FOLLOWER;
}

void raft_election_stand_back(struct raft *raft, uint64_t for_us)
{
    raft->campaign_base_us = raft->now_us + for_us;
    raft->campaign_retry = false;
}

void raft_election_heard(struct raft *raft, uint64_t leader, uint64_t election_us)
{
    raft->term_leader = leader;
    raft->leader = leader;
    raft->last_leader = leader;
    raft->heard_leader_us = raft->now_us;
    raft->campaign_failures = 0;
    raft->arbiter_due_us = 0;
    if (election_us > raft->hard.promised_us) {
        raft->hard.promised_us = election_us;
        raft_output_hard_state(raft);
    }
    raft->campaign_base_us = raft->now_us + raft_lease_promise_us(raft);
    raft->campaign_retry = false;
}

/* ---- asking ---- */

static void ask_prevote(struct raft *raft, unsigned peer)
{
    /* It leaves at once, so it advertises only what is on disk. */
    uint64_t durable = raft->log.durable_index, durable_term = 0;
    raft_log_term_at(&raft->log, durable, &durable_term);
    raft->peers[peer].ask_us = raft->now_us + raft->config.heartbeat_us;
    raft_output_send(raft,
                     &(struct raft_message){.kind = RAFT_PREVOTE,
                                            .to = raft->membership.members[peer].id,
                                            .term = raft->hard.term + 1,
                                            .log_index = durable,
                                            .log_term = durable_term},
                     false);
}

static void ask_vote(struct raft *raft, unsigned peer)
{
    /* It waits for everything decided so far: term, vote and the whole log. */
    raft->peers[peer].ask_us = raft->now_us + raft->config.heartbeat_us;
    raft_output_send(raft,
                     &(struct raft_message){.kind = RAFT_VOTE,
                                            .to = raft->membership.members[peer].id,
                                            .term = raft->hard.term,
                                            .log_index = raft_log_last_index(&raft->log),
                                            .log_term = raft_log_last_term(&raft->log),
                                            .transfer = raft->campaign_transfer},
                     true);
}

static void ask(struct raft *raft, unsigned peer)
{
    if (raft->role == RAFT_PRECANDIDATE)
        ask_prevote(raft, peer);
    else
        ask_vote(raft, peer);
}

static bool is_other_voter(const struct raft *raft, unsigned peer)
{
    return peer != raft->self && raft->membership.members[peer].voter;
}

/* Those without a vote, too, before a campaign: one of them may lead by now, and tell that this one is out.
 */
static bool is_asked(const struct raft *raft, unsigned peer)
{
    return raft->role == RAFT_PRECANDIDATE ? peer != raft->self : is_other_voter(raft, peer);
}

static void ask_everyone(struct raft *raft)
{
    for (unsigned i = 0; i < raft->membership.count; i++) {
        raft->peers[i].granted = raft->peers[i].refused = false;
        if (is_asked(raft, i))
            ask(raft, i);
    }
}

static bool has_quorum(const struct raft *raft)
{
    unsigned votes = 0;
    for (unsigned i = 0; i < raft->membership.count; i++) {
        if (i == raft->self) /* its own vote counts once it is on disk; a PreVote needs no disk */
            votes += raft->membership.members[i].voter &&
                     (raft->role == RAFT_PRECANDIDATE || raft->hard_write <= raft->write_done);
        else if (is_other_voter(raft, i) && raft->peers[i].granted)
            votes += raft->role == RAFT_CANDIDATE ||
                     raft->now_us - raft->peers[i].granted_us < raft->config.election_us;
    }
    return votes >= raft_quorum_size(raft_membership_voters(&raft->membership));
}

static void count(struct raft *raft)
{
    if (!has_quorum(raft))
        return;
    if (raft->role == RAFT_PRECANDIDATE)
        raft_election_campaign(raft, false);
    else if (raft->role == RAFT_CANDIDATE)
        raft_replicate_lead(raft);
}

static void begin_prevote(struct raft *raft)
{
    raft->role = RAFT_PRECANDIDATE;
    raft->leader = 0;
    raft->campaign_began_us = raft->now_us;
    raft->arbiter_due_us = 0;
    ask_everyone(raft);
    count(raft);
}

void raft_election_campaign(struct raft *raft, bool transfer)
{
    if (!raft_log_reserve(&raft->log, 1)) { /* for the no-op of the leader */
        raft_election_follow(raft, 0);
        retry_after(raft, raft->config.heartbeat_us);
        return;
    }
    raft->campaign_us = transfer ? raft->now_us : raft->campaign_began_us;
    raft->role = RAFT_CANDIDATE;
    raft->leader = 0;
    raft->term_leader = 0;
    raft->campaign_transfer = transfer;
    raft->candidate_until_us = raft->now_us + raft->config.election_us;
    raft->courtesy_until_us = raft->now_us + raft->config.election_us / 2;
    raft->hard.term++;
    raft->hard.vote = raft->config.id;
    /* As a leader it will count itself among those who promised E. */
    raft->hard.promised_us = raft_lease_promise_us(raft);
    raft_output_hard_state(raft);
    ask_everyone(raft);
    count(raft);
}

void raft_election_persisted(struct raft *raft)
{
    if (raft->role == RAFT_CANDIDATE)
        count(raft);
}

void raft_election_tick(struct raft *raft)
{
    if (raft->role == RAFT_LEADER)
        return;
    if (raft->role == RAFT_FOLLOWER) {
        /* A disk that has not answered would not give a vote either (hashicorp/raft 614). */
        if (campaign_due_us(raft) <= raft->now_us && !raft_output_busy(raft))
            begin_prevote(raft);
        return;
    }
    if (raft->role == RAFT_CANDIDATE && raft->now_us >= raft->candidate_until_us) {
        raft->campaign_failures++;
        raft_election_follow(raft, 0);
        retry_after(raft, 0);
        return;
    }
    if (raft->role == RAFT_PRECANDIDATE &&
        raft->now_us - raft->campaign_began_us >= raft->config.election_us) {
        /* The arbiter waits for the next one who needs it; a data node goes on, it is a new campaign. */
        raft->campaign_began_us = raft->now_us;
        if (raft_membership_is_self_arbiter(raft)) {
            raft_election_follow(raft, 0);
            return;
        }
    }
    for (unsigned i = 0; i < raft->membership.count; i++) {
        struct raft_peer *peer = &raft->peers[i];
        if (is_asked(raft, i) && raft->now_us >= peer->ask_us &&
            (raft->role == RAFT_PRECANDIDATE || !peer->granted))
            ask(raft, i);
    }
}

uint64_t raft_election_deadline(const struct raft *raft)
{
    uint64_t deadline = NEVER;
    uint64_t idle_us = raft->now_us + raft->config.election_us;
    if (raft->role == RAFT_FOLLOWER) {
        deadline = campaign_due_us(raft);
        if (deadline <= raft->now_us && raft_output_busy(raft))
            deadline = NEVER; /* it waits for the disk, whose notice is an input of its own */
    } else {
        if (raft->role == RAFT_CANDIDATE)
            deadline = raft->candidate_until_us;
        for (unsigned i = 0; i < raft->membership.count; i++) {
            const struct raft_peer *peer = &raft->peers[i];
            if (is_asked(raft, i) && (raft->role == RAFT_PRECANDIDATE || !peer->granted) &&
                peer->ask_us < deadline)
                deadline = peer->ask_us;
        }
    }
    return deadline > idle_us ? idle_us : deadline;
}

/* ---- answering ---- */

/* Raft, section 5.4.1: a log is more up to date by its last term, then by its length. */
static bool is_up_to_date(const struct raft *raft, const struct raft_message *message)
{
    uint64_t last_term = raft_log_last_term(&raft->log);
    if (message->log_term != last_term)
        return message->log_term > last_term;
    return message->log_index >= raft_log_last_index(&raft->log);
}

void raft_election_receive_prevote(struct raft *raft, const struct raft_message *message)
{
    struct raft_message reply = {.kind = RAFT_PREVOTE_REPLY, .to = message->from, .term = raft->hard.term};
    raft_change_tell(raft, message->from);
    if (raft_membership_is_self_arbiter(raft) && raft->campaign_base_us < raft->now_us)
        raft->campaign_base_us = raft->now_us; /* there is someone who asks */

    /* A server that hears a leader, or may not vote yet, says for how long (dissertation 4.2.3, 9.6). */
    uint64_t until_us = raft_lease_sticky_until_us(raft);
    if (until_us < raft_lease_held_until_us(raft))
        until_us = raft_lease_held_until_us(raft);
    if (until_us < raft->courtesy_until_us)
        until_us = raft->courtesy_until_us;
    bool vote_is_free =
        message->term > raft->hard.term || (message->term == raft->hard.term && raft->term_leader == 0 &&
                                            (raft->hard.vote == 0 || raft->hard.vote == message->from));

    if (until_us > raft->now_us) {
        reply.retry_after_us = until_us - raft->now_us;
    } else if (!vote_is_free) {
        /* Its term says enough: the other one adopts it and asks again, rather than never (canonical/raft
         * 279). */
    } else if (!is_up_to_date(raft, message)) {
        reply.log_short = true;
        if (raft_membership_is_self_arbiter(raft) && raft->role == RAFT_FOLLOWER &&
            raft_membership_may_lead(&raft->membership, message->from)) {
            /* Refused for nothing but the log, and there is no leader: after a heartbeat the arbiter leads
             * itself. Not for one who was removed: its own log, the longer one, would tell. */
            raft->arbiter_favours = message->from;
            if (raft->arbiter_due_us == 0)
                raft->arbiter_due_us = raft->now_us + raft->config.heartbeat_us;
        }
    } else {
        reply.granted = true;
        reply.term = message->term;
    }
    raft_output_send(raft, &reply, !reply.granted);
}

void raft_election_receive_prevote_reply(struct raft *raft, unsigned peer, const struct raft_message *message)
{
    struct raft_peer *voter = &raft->peers[peer];
    if (!message->granted && message->term > raft->hard.term) {
        bool asking = raft->role == RAFT_PRECANDIDATE;
        raft_election_follow(raft, message->term);
        if (asking) { /* what the others answered was about a term that is gone: ask all again, now */
            raft->role = RAFT_PRECANDIDATE;
            ask_everyone(raft);
        }
    }
    if (raft->role != RAFT_PRECANDIDATE)
        return;
    if (!message->granted) {
        voter->granted = false;
        if (message->retry_after_us != 0) { /* then right at that time: this is the outage that clients see */
            uint64_t wait_us = message->retry_after_us;
            if (wait_us < RAFT_RETRY_US_MIN)
                wait_us = RAFT_RETRY_US_MIN;
            if (wait_us > raft->config.heartbeat_us)
                wait_us = raft->config.heartbeat_us;
            voter->ask_us = raft->now_us + wait_us;
        }
        return;
    }
    if (message->term != raft->hard.term + 1) /* of an earlier campaign */
        return;
    voter->granted = true;
    voter->granted_us = raft->now_us;
    count(raft);
}

void raft_election_receive_vote(struct raft *raft, const struct raft_message *message)
{
    struct raft_message reply = {.kind = RAFT_VOTE_REPLY, .to = message->from};
    uint64_t held_us = raft_lease_held_until_us(raft);
    uint64_t until_us = message->transfer ? 0 : raft_lease_sticky_until_us(raft);
    if (until_us < held_us) /* not even a transfer shortens what a restart or an old lease asks for */
        until_us = held_us;

    if (message->term < raft->hard.term) {
        /* Raft, section 5.1: a request with a stale term is rejected. */
    } else if (until_us > raft->now_us) {
        /* Dissertation 4.2.3: within E of hearing a leader, neither the term is updated nor the vote granted.
         */
        reply.retry_after_us = until_us - raft->now_us;
    } else {
        if (message->term > raft->hard.term)
            raft_election_follow(raft, message->term);
        bool is_free = raft->term_leader == 0 && (raft->hard.vote == 0 || raft->hard.vote == message->from);
        if (!is_free || raft_lease_held_until_us(raft) > raft->now_us) {
            /* One vote a term, first come, first served; and none while its own old lease runs. */
        } else if (!is_up_to_date(raft, message)) {
            reply.log_short = true;
        } else {
            reply.granted = true;
            if (raft->hard.vote == 0) {
                raft->hard.vote = message->from;
                raft_output_hard_state(raft);
            }
            raft_election_follow(raft, raft->hard.term);
            raft->courtesy_until_us = raft->now_us + raft->config.heartbeat_us;
            raft->arbiter_due_us = 0;
            retry_after(raft, raft->config.election_us / 2);
        }
    }
    reply.term = raft->hard.term;
    raft_output_send(raft, &reply, true);
}

void raft_election_receive_vote_reply(struct raft *raft, unsigned peer, const struct raft_message *message)
{
    if (message->term > raft->hard.term) {
        raft_election_follow(raft, message->term);
        return;
    }
    if (raft->role != RAFT_CANDIDATE)
        return;
    struct raft_peer *voter = &raft->peers[peer];
    if (message->granted && message->term == raft->hard.term) {
        voter->granted = true;
        count(raft);
    } else if (!message->granted && !voter->refused) {
        /* Someone else asks for the same votes: give up soon, the ranks decide who asks first then. Each
         * failure makes it more patient, so that slow disks cannot make every campaign end before its answers
         * come. */
        voter->refused = true;
        uint64_t patience_us = raft->config.heartbeat_us * (1 + raft->campaign_failures);
        uint64_t until_us = raft->now_us + patience_us + spread_us(raft);
        if (raft->candidate_until_us > until_us)
            raft->candidate_until_us = until_us;
    }
}

void raft_set_campaign_delay(struct raft *raft, uint64_t now_us, uint64_t delay_us)
{
    raft_input_begin(raft, now_us);
    uint64_t most_us = 4 * raft->config.election_us;
    raft->campaign_delay_us = delay_us < most_us ? delay_us : most_us;
    raft_input_end(raft);
}

const char *raft_election_waits_for(const struct raft *raft)
{
    if (!raft_membership_may_campaign(raft))
        return "a vote: it has none in this group";
    if (raft->restart_hold_us > raft->now_us)
        return "one election timeout after its restart";
    if (raft->lease_hold_us > raft->now_us)
        return "the end of its own last lease";
    if (raft->role == RAFT_PRECANDIDATE)
        return "a majority that hears no leader and would vote for it";
    if (raft->role == RAFT_CANDIDATE)
        return raft->hard_write > raft->write_done ? "its disk, to write its vote"
                                                   : "the votes of a majority";
    if (raft_lease_sticky_until_us(raft) > raft->now_us)
        return "";
    if (raft_membership_is_self_arbiter(raft))
        return "a data member: an arbiter leads only to bring one up to date";
    if (raft_output_busy(raft))
        return "its disk";
    if (!raft->campaign_retry && raft->campaign_delay_us > 0)
        return "its campaign delay: the others go first";
    return "its turn to campaign";
}
