/* The newest snapshot: kept, taken from the owner, put together from a leader's chunks. */
#include <stdlib.h>
#include <string.h>

#include "common/raft/internal.h"

/* ---- what is kept ---- */

bool raft_snapshot_valid(const struct raft_snapshot *snapshot)
{
    return (snapshot->index == 0) == (snapshot->term == 0) && snapshot->index < RAFT_INDEX_MAX &&
           snapshot->size <= RAFT_SNAPSHOT_BYTES_MAX && (snapshot->size == 0 || snapshot->data != NULL);
}

static void own(struct raft *raft, const struct raft_snapshot *snapshot, void *data)
{
    free((void *)raft->snapshot.data);
    raft->snapshot = *snapshot;
    raft->snapshot.data = data;
}

bool raft_snapshot_keep(struct raft *raft, const struct raft_snapshot *snapshot)
{
    void *data = NULL;
    if (snapshot->size > 0) {
        data = malloc(snapshot->size);
        if (data == NULL)
            return false;
        memcpy(data, snapshot->data, snapshot->size);
    }
    own(raft, snapshot, data);
    return true;
}

void raft_snapshot_free(struct raft *raft)
{
    raft_snapshot_forget_incoming(raft);
    free((void *)raft->snapshot.data);
    raft->snapshot = (struct raft_snapshot){0};
}

void raft_snapshot_forget_incoming(struct raft *raft)
{
    free(raft->incoming.data);
    raft->incoming = (struct raft_incoming){0};
}

/* ---- from the owner ---- */

/* What others could not read, or would read another membership in than the log says, must not replace the
 * log (hashicorp/raft 522). */
static bool is_membership_right(const struct raft *raft, const struct raft_snapshot *snapshot,
                                const struct raft_membership *membership)
{
    struct raft_membership inside;
    if (raft->config.decode_snapshot == NULL)
        return true;
    return raft->config.decode_snapshot(snapshot->data, snapshot->size, &inside) &&
           raft_membership_equal(&inside, membership);
}

enum raft_code raft_compact(struct raft *raft, uint64_t now_us, const struct raft_snapshot *snapshot)
{
    raft_input_begin(raft, now_us);
    raft_input_end(raft);
    uint64_t term = 0;
    if (!raft_snapshot_valid(snapshot) || snapshot->index <= raft->log.base_index ||
        snapshot->index > raft->commit_index ||
        /* committed, but never handed out for writing: so not applied either */
        snapshot->index >= raft->log.pending_index || raft->snapshot_pending ||
        !raft_log_term_at(&raft->log, snapshot->index, &term) || term != snapshot->term)
        return RAFT_INVALID;
    struct raft_membership membership;
    raft_change_membership_at(raft, snapshot->index, &membership);
    if (!is_membership_right(raft, snapshot, &membership))
        return RAFT_INVALID;
    if (!raft_snapshot_keep(raft, snapshot))
        return RAFT_NO_MEMORY;
    raft->base_membership = membership;
    raft_log_compact(&raft->log, snapshot->index);
    raft_change_compacted(raft);
    raft_chunks_restart(raft);
    return RAFT_OK;
}

/* ---- from a leader ---- */

static bool is_sane(const struct raft *raft, const struct raft_message *message)
{
    struct raft_snapshot whole = {.index = message->log_index, .term = message->log_term};
    return raft->config.decode_snapshot != NULL && message->log_index != 0 && raft_snapshot_valid(&whole) &&
           message->log_term <= message->term && message->total_bytes <= RAFT_SNAPSHOT_BYTES_MAX &&
           message->size <= RAFT_CHUNK_BYTES_MAX && message->offset <= message->total_bytes &&
           message->size <= message->total_bytes - message->offset &&
           (message->size == 0 ? message->total_bytes == 0 : message->data != NULL);
}

/* The log meets the snapshot: what follows its last entry stays. */
static bool meets(const struct raft *raft, uint64_t index, uint64_t term)
{
    uint64_t term_here = 0;
    bool known = raft_log_term_at(&raft->log, index, &term_here);
    if (index <= raft->commit_index && known && term_here != term)
        raft_stop(raft, "a leader's snapshot contradicts a committed entry");
    return known && term_here == term;
}

static bool is_needed(struct raft *raft, const struct raft_message *message)
{
    if (message->log_index <= raft->log.base_index)
        return false;
    if (!meets(raft, message->log_index, message->log_term))
        return true;
    if (message->log_index > raft->commit_index) /* what a snapshot covers is committed */
        raft->commit_index = message->log_index;
    return raft_membership_is_self_arbiter(raft); /* so its log gets shorter; others compact by themselves */
}

/* All bytes are there. false: nothing that can be used. */
static bool install(struct raft *raft)
{
    struct raft_incoming *in = &raft->incoming;
    struct raft_snapshot snapshot = {
        .index = in->index, .term = in->snapshot_term, .data = in->data, .size = in->total};
    struct raft_membership membership;
    if (!raft->config.decode_snapshot(in->data, in->total, &membership) ||
        !raft_membership_valid(&membership))
        return false;
    if (meets(raft, snapshot.index, snapshot.term))
        raft_log_compact(&raft->log, snapshot.index);
    else
        raft_log_reset(&raft->log, snapshot.index, snapshot.term);
    own(raft, &snapshot, in->data);
    in->data = NULL;
    raft->snapshot_pending = true;
    if (snapshot.index > raft->commit_index)
        raft->commit_index = snapshot.index;
    raft->base_membership = membership;
    raft_change_restore(raft);
    return true;
}

static bool begin(struct raft *raft, const struct raft_message *message)
{
    raft_snapshot_forget_incoming(raft);
    unsigned char *data = malloc(message->total_bytes > 0 ? message->total_bytes : 1);
    if (data == NULL)
        return false;
    raft->incoming = (struct raft_incoming){.index = message->log_index,
                                            .snapshot_term = message->log_term,
                                            .total = message->total_bytes,
                                            .data = data};
    return true;
}

/* Takes the chunk if it is the next one; `reply` then says which one is. false: no answer. */
static bool take_chunk(struct raft *raft, const struct raft_message *message, struct raft_message *reply)
{
    struct raft_incoming *in = &raft->incoming;
    bool under_way = in->data != NULL;
    if (under_way && in->index == message->log_index &&
        (in->snapshot_term != message->log_term || in->total != message->total_bytes))
        return false; /* one leader speaks of two snapshots */
    if (!under_way || in->index < message->log_index) {
        if (message->offset != 0)
            return true; /* of one that is not known here: from the start, please */
        if (!begin(raft, message))
            return false;
    } else if (in->index > message->log_index) {
        return true; /* overtaken by a newer one */
    }
    if (message->offset == in->received) { /* else repeated, or one before it is missing */
        if (message->size > 0)
            memcpy(in->data + in->received, message->data, message->size);
        in->received += message->size;
    }
    reply->offset = in->received;
    if (in->received < in->total)
        return true;
    reply->granted = install(raft);
    raft_snapshot_forget_incoming(raft);
    return reply->granted;
}

void raft_snapshot_receive(struct raft *raft, const struct raft_message *message)
{
    if (!is_sane(raft, message)) {
        raft->dropped_messages++;
        return;
    }
    struct raft_message reply = {.kind = RAFT_SNAPSHOT_REPLY,
                                 .to = message->from,
                                 .log_index = message->log_index,
                                 .log_term = message->log_term};
    if (message->term >= raft->hard.term) {
        raft_append_follow_leader(raft, message);
        if (!is_needed(raft, message)) {
            reply.granted = true;
            reply.offset = message->total_bytes;
        } else if (!take_chunk(raft, message, &reply)) {
            raft->dropped_messages++; /* no answer: the leader sends it again */
            return;
        }
    }
    reply.term = raft->hard.term;
    raft_output_send(raft, &reply, true);
}
