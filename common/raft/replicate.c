#include "common/raft/internal.h"

#include <assert.h>

#include "common/raft/quorum.h"

static bool is_other(const struct raft *raft, unsigned peer)
{
    return peer != raft->self;
}

/* Its messages are made as the output is taken (raft_replicate_flush), with whatever else is to be sent then.
 */
static void start_round(struct raft *raft)
{
    raft->round_us = raft->now_us;
    raft->round_queued = true;
    for (unsigned i = 0; i < raft_slot_count(raft); i++)
        raft->peers[i].heartbeat_due = true;
    raft_read_round_started(raft);
}

void raft_replicate_want_round(struct raft *raft)
{
    /* The number of a round is its instant: a second one in this instant could not be told from the first. */
    if (raft->round_us == raft->now_us && raft->round_queued)
        raft_read_round_started(raft);
    else if (raft->round_us < raft->now_us)
        start_round(raft);
}

void raft_replicate_begin(const struct raft *raft, struct raft_peer *peer)
{
    *peer = (struct raft_peer){
        .mode = PEER_PROBE, .next_index = raft_log_last_index(&raft->log) + 1, .heartbeat_due = true};
}

void raft_replicate_lead(struct raft *raft)
{
    raft->role = RAFT_LEADER;
    raft->term_leader = raft->leader = raft->config.id;
    raft->leader_since_us = raft->now_us;
    raft->campaign_failures = 0;
    raft->lease_ended = false;
    raft->published_us = 0;
    raft->transfer_to = 0;
    raft->departing = 0;
    for (unsigned i = 0; i < raft->membership.count; i++) {
        raft_replicate_begin(raft, &raft->peers[i]);
        raft->peers[i].mode = PEER_STREAM; /* its log is likely to match */
    }
    /* Dissertation 6.4: a no-op, as entries of earlier terms commit only through one of the own term. */
    struct raft_entry noop = {.term = raft->hard.term, .kind = RAFT_ENTRY_NOOP};
    bool appended = raft_log_append(&raft->log, &noop, raft_output_next_write(raft));
    assert(appended); /* the campaign reserved its room */
    (void)appended;
    raft->noop_index = raft_log_last_index(&raft->log);
    start_round(raft);
}

static void lose(struct raft *raft)
{
    raft_election_follow(raft, 0);
}

void raft_replicate_tick(struct raft *raft)
{
    if (raft->role != RAFT_LEADER)
        return;
    uint64_t election_us = raft->config.election_us;
    /* CheckQuorum (dissertation 6.2): a leader that nobody answers must not be taken for one. */
    bool is_alone = raft_membership_voters(&raft->membership) == 1 && raft_membership_is_self_voter(raft);
    if (raft->now_us - raft_lease_contact_us(raft) >= election_us && !is_alone) {
        lose(raft);
        return;
    }
    /* A disk that hangs while heartbeats go on would keep the group from electing a healthy leader (hashicorp
     * 503). */
    if (raft->write_done < raft->write_issued && raft->now_us - raft->write_since_us >= election_us) {
        lose(raft);
        return;
    }
    if (raft->transfer_to != 0 && raft->now_us >= raft->transfer_until_us)
        raft->transfer_to = 0; /* TIMEOUT_NOW was not sent: another target may be tried */
    raft_change_step(raft);
    bool read_waits = raft_read_wants_round(raft) && raft->now_us > raft->round_us;
    if (raft->now_us - raft->round_us >= raft->config.heartbeat_us || read_waits)
        start_round(raft);
    raft_transfer_step(raft);
}

uint64_t raft_replicate_deadline(const struct raft *raft)
{
    uint64_t election_us = raft->config.election_us;
    uint64_t deadline = raft->round_us + (raft_read_wants_round(raft) ? 1 : raft->config.heartbeat_us);
    uint64_t contact_us = raft_lease_contact_us(raft);
    if (contact_us + election_us < deadline)
        deadline = contact_us + election_us;
    if (raft->write_done < raft->write_issued && raft->write_since_us + election_us < deadline)
        deadline = raft->write_since_us + election_us;
    if (raft->transfer_to != 0 && raft->transfer_until_us < deadline)
        deadline = raft->transfer_until_us;
    return deadline;
}

/* ---- sending ---- */

static void send_append(struct raft *raft, unsigned i, unsigned entry_count)
{
    struct raft_peer *peer = &raft->peers[i];
    /* Who waits for a snapshot is asked about its last entry. */
    uint64_t previous = peer->mode == PEER_SNAPSHOT ? raft->log.base_index : peer->next_index - 1;
    uint64_t previous_term = 0;
    bool known = raft_log_term_at(&raft->log, previous, &previous_term);
    assert(known);
    (void)known;
    raft_output_send(raft,
                     &(struct raft_message){.kind = RAFT_APPEND,
                                            .to = raft_peer_id(raft, i),
                                            .term = raft->hard.term,
                                            .log_index = previous,
                                            .log_term = previous_term,
                                            .commit = raft->commit_index,
                                            .round = raft->round_us,
                                            .election_us = raft->config.election_us,
                                            .entry_count = entry_count,
                                            .entries = raft_log_at(&raft->log, previous + 1)},
                     false);
    peer->heartbeat_due = peer->commit_due = false;
}

/* How many entries from `index` on fit into one APPEND. */
static unsigned batch_size(const struct raft *raft, uint64_t index)
{
    unsigned entries = 0;
    size_t bytes = 0;
    for (; entries < RAFT_APPEND_ENTRIES_MAX; entries++) {
        const struct raft_entry *entry = raft_log_at(&raft->log, index + entries);
        if (entry == NULL || (entries > 0 && bytes + entry->size > RAFT_APPEND_BYTES_MAX))
            break;
        bytes += entry->size;
    }
    return entries;
}

static void flush_peer(struct raft *raft, unsigned i)
{
    struct raft_peer *peer = &raft->peers[i];
    uint64_t last = raft_log_last_index(&raft->log);
    if (peer->next_index <= raft->log.base_index && peer->mode != PEER_SNAPSHOT) {
        peer->mode = PEER_SNAPSHOT;
        peer->inflight_count = 0;
        raft_chunks_begin(raft, peer);
    }
    raft_chunks_flush(raft, i);
    if (peer->mode == PEER_PROBE) {
        if (!peer->probe_sent && peer->next_index <= last) {
            send_append(raft, i, batch_size(raft, peer->next_index));
            peer->probe_sent = true;
        }
    } else if (peer->mode == PEER_STREAM) {
        while (peer->next_index <= last && peer->inflight_count < RAFT_INFLIGHT_MAX) {
            unsigned entries = batch_size(raft, peer->next_index);
            send_append(raft, i, entries);
            peer->next_index += entries;
            unsigned slot = (peer->inflight_first + peer->inflight_count++) % RAFT_INFLIGHT_MAX;
            peer->inflight[slot] = peer->next_index - 1;
        }
    }
    /* Empty, about the end of what was sent: a refusal tells that something got lost on the way. What is
     * under way or waits for the next APPEND brings the commit index along. */
    if (peer->heartbeat_due || (peer->commit_due && peer->inflight_count == 0 && peer->mode == PEER_STREAM))
        send_append(raft, i, 0);
}

void raft_replicate_flush(struct raft *raft)
{
    if (raft->role != RAFT_LEADER)
        return;
    raft->round_queued = false;
    for (unsigned i = 0; i < raft_slot_count(raft); i++) {
        if (is_other(raft, i))
            flush_peer(raft, i);
    }
}

/* ---- answers ---- */

void raft_replicate_commit(struct raft *raft)
{
    if (raft->role != RAFT_LEADER)
        return;
    uint64_t matches[RAFT_MEMBERS_MAX];
    unsigned voters = 0;
    for (unsigned i = 0; i < raft->membership.count; i++) {
        if (raft->membership.members[i].voter) /* this node counts itself only for what is on its disk */
            matches[voters++] = i == raft->self ? raft->log.durable_index : raft->peers[i].match_index;
    }
    uint64_t index = raft_quorum_reached(matches, voters), term = 0;
    /* Raft, section 5.4.2: only entries of the own term are committed by counting. */
    if (index <= raft->commit_index || !raft_log_term_at(&raft->log, index, &term) || term != raft->hard.term)
        return;
    raft->commit_index = index;
    for (unsigned i = 0; i < raft_slot_count(raft); i++)
        raft->peers[i].commit_due = true;
    /* Dissertation 4.2.2: a leader that has removed itself leads until that is committed. */
    if (!raft_membership_is_self_voter(raft) && raft->membership_index <= raft->commit_index)
        lose(raft);
}

static void clear_inflight(struct raft_peer *peer, uint64_t up_to)
{
    while (peer->inflight_count > 0 && peer->inflight[peer->inflight_first] <= up_to) {
        peer->inflight_first = (peer->inflight_first + 1) % RAFT_INFLIGHT_MAX;
        peer->inflight_count--;
    }
}

void raft_replicate_granted(struct raft *raft, unsigned i, uint64_t match)
{
    struct raft_peer *peer = &raft->peers[i];
    if (match > peer->match_index)
        peer->match_index = match;
    clear_inflight(peer, match);
    bool waits = peer->mode == PEER_SNAPSHOT && peer->match_index < raft->log.base_index;
    if (waits) {
        /* An old answer; the snapshot is still needed. */
    } else if (peer->mode != PEER_STREAM) {
        peer->mode = PEER_STREAM;
        peer->next_index = peer->match_index + 1;
    } else if (peer->next_index <= peer->match_index) {
        peer->next_index = peer->match_index + 1;
    }
    if (!waits && !raft_chunks_arbiter_is_behind(raft, i))
        raft_chunks_stop(peer);
    raft_replicate_commit(raft);
    raft_change_step(raft);
}

static void refused(struct raft *raft, struct raft_peer *peer, const struct raft_message *message)
{
    if (peer->mode == PEER_SNAPSHOT)
        return;                             /* that it lacks the snapshot's last entry is known */
    uint64_t next = message->log_index + 1; /* the end of a shorter log */
    if (message->log_term != 0 && peer->next_index >= 2) {
        /* Dissertation 3.5: behind the last entry that we have of that term; without one, skip the whole
         * term. */
        uint64_t last =
            raft_log_last_of_term(&raft->log, message->log_index, peer->next_index - 2, message->log_term);
        next = last != 0 ? last + 1 : message->log_index;
    }
    if (next > peer->next_index)
        next = peer->next_index;
    if (next <= peer->match_index) /* an old refusal: what matched once matches for this term */
        next = peer->match_index + 1;
    peer->next_index = next; /* at or before the base: it needs the snapshot */
    peer->mode = PEER_PROBE;
    peer->probe_sent = false;
    peer->inflight_count = 0;
}

void raft_replicate_receive_reply(struct raft *raft, unsigned i, const struct raft_message *message)
{
    if (message->term > raft->hard.term) {
        raft_election_follow(raft, message->term);
        return;
    }
    if (raft->role != RAFT_LEADER || message->term < raft->hard.term)
        return;
    uint64_t last = raft_log_last_index(&raft->log);
    if (message->round > raft->round_us || message->log_index > last || message->snapshot_index > last) {
        raft->dropped_messages++; /* an echo of what was never sent */
        return;
    }
    struct raft_peer *peer = &raft->peers[i];
    peer->heard_us = raft->now_us;
    if (message->round > peer->answered_sent_us)
        peer->answered_sent_us = message->round;
    if (message->election_us >= raft->config.election_us && message->round > peer->promised_sent_us)
        peer->promised_sent_us = message->round;
    raft_chunks_round_answered(peer, message->round);
    if (message->snapshot_index > peer->snapshot_index)
        peer->snapshot_index = message->snapshot_index;
    if (message->granted)
        raft_replicate_granted(raft, i, message->log_index);
    else
        refused(raft, peer, message);
    if (raft_chunks_arbiter_is_behind(raft, i))
        raft_chunks_begin(raft, peer);
    raft_transfer_step(raft);
}

enum raft_code raft_propose(struct raft *raft, uint64_t now_us, enum raft_entry_kind kind, const void *data,
                            size_t size, uint64_t *index)
{
    raft_input_begin(raft, now_us);
    raft_input_end(raft); /* what the time has ended first */
    struct raft_entry entry = {.term = raft->hard.term, .kind = kind, .data = data, .size = size};
    struct raft_membership membership;
    bool is_change = kind == RAFT_ENTRY_MEMBERSHIP;
    if ((kind != RAFT_ENTRY_COMMAND && !is_change) || size > RAFT_ENTRY_BYTES_MAX ||
        (size > 0 && data == NULL) || (is_change && !raft_change_decode(raft, &entry, &membership)))
        return RAFT_INVALID;
    if (raft->role != RAFT_LEADER)
        return RAFT_NOT_LEADER;
    if (raft->transfer_to != 0 || raft_membership_is_self_arbiter(raft) ||
        raft_log_last_index(&raft->log) - raft->commit_index >= RAFT_UNCOMMITTED_MAX)
        return RAFT_BUSY;
    enum raft_code code = is_change ? raft_change_check(raft, &membership) : RAFT_OK;
    if (code != RAFT_OK)
        return code;
    if (!raft_log_append(&raft->log, &entry, raft_output_next_write(raft)))
        return RAFT_NO_MEMORY;
    *index = raft_log_last_index(&raft->log);
    raft_change_appended(raft, &entry);
    return RAFT_OK;
}
