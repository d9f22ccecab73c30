/* The leader's side of a snapshot on its way: one chunk at a time to each member that needs it. An answer
 * that moves on brings the next chunk; one that is lost is sent again once the member has answered a round
 * that was sent after it. So a slow link carries nothing twice, and a dead member gets heartbeats only. */
#include "common/raft/internal.h"

void raft_chunks_begin(struct raft *raft, struct raft_peer *peer)
{
    if (peer->chunks.index == raft->snapshot.index)
        return; /* on its way already */
    peer->chunks = (struct raft_chunks){.index = raft->snapshot.index, .due = true};
}

void raft_chunks_stop(struct raft_peer *peer)
{
    peer->chunks = (struct raft_chunks){0};
}

void raft_chunks_restart(struct raft *raft)
{
    for (unsigned i = 0; i < RAFT_SLOTS; i++) {
        if (raft->peers[i].chunks.index != 0)
            raft_chunks_begin(raft, &raft->peers[i]);
    }
}

bool raft_chunks_arbiter_is_behind(const struct raft *raft, unsigned i)
{
    const struct raft_peer *peer = &raft->peers[i];
    return i < raft->membership.count && raft->membership.members[i].kind == RAFT_ARBITER &&
           peer->heard_us != 0 && raft->snapshot.index > peer->snapshot_index &&
           raft->snapshot.index - peer->snapshot_index > RAFT_ARBITER_BEHIND;
}

void raft_chunks_flush(struct raft *raft, unsigned i)
{
    struct raft_chunks *chunks = &raft->peers[i].chunks;
    const struct raft_snapshot *snapshot = &raft->snapshot;
    if (chunks->index == 0 || !chunks->due)
        return;
    size_t size = snapshot->size - chunks->offset;
    size_t most = raft->config.chunk_bytes;
    if (size > most)
        size = most;
    const unsigned char *data = snapshot->data;
    raft_output_send(raft,
                     &(struct raft_message){.kind = RAFT_SNAPSHOT,
                                            .to = raft_peer_id(raft, i),
                                            .term = raft->hard.term,
                                            .log_index = snapshot->index,
                                            .log_term = snapshot->term,
                                            .offset = chunks->offset,
                                            .total_bytes = snapshot->size,
                                            .data = size > 0 ? data + chunks->offset : NULL,
                                            .size = size},
                     false);
    chunks->due = false;
    chunks->sent_us = raft->now_us;
}

void raft_chunks_round_answered(struct raft_peer *peer, uint64_t round)
{
    if (peer->chunks.index != 0 && round > peer->chunks.sent_us)
        peer->chunks.due = true;
}

/* Which byte the member wants next. */
static void wanted(struct raft *raft, struct raft_peer *peer, uint64_t offset)
{
    struct raft_chunks *chunks = &peer->chunks;
    if (offset > raft->snapshot.size || (offset == raft->snapshot.size && offset > 0)) {
        raft->dropped_messages++; /* it has all, and has not */
        return;
    }
    if (offset == chunks->offset)
        return; /* the answer to a repeated chunk */
    /* Forward: the next one, at once. Back, as it has forgotten what it had, or the answer is an old one:
     * with the next round. */
    if (offset > chunks->offset)
        chunks->due = true;
    chunks->offset = offset;
}

void raft_chunks_receive_reply(struct raft *raft, unsigned i, const struct raft_message *message)
{
    if (message->term > raft->hard.term) {
        raft_election_follow(raft, message->term);
        return;
    }
    if (raft->role != RAFT_LEADER || message->term < raft->hard.term)
        return;
    if (message->log_index > raft_log_last_index(&raft->log) || message->log_index == 0) {
        raft->dropped_messages++;
        return;
    }
    struct raft_peer *peer = &raft->peers[i];
    peer->heard_us = raft->now_us;
    if (message->granted) {
        if (message->log_index > peer->snapshot_index)
            peer->snapshot_index = message->log_index;
        raft_replicate_granted(raft, i, message->log_index);
        raft_transfer_step(raft);
    } else if (peer->chunks.index == message->log_index && raft->snapshot.term == message->log_term) {
        wanted(raft, peer, message->offset);
    }
}
