/* Snapshots: one is made of what the owner has applied, the leader sends one, and a start begins with the one
 * on disk. And the membership as of each: the one that counts is the newest in the log, committed or not. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/replica/internal.h"

#define COMPACT_RETRY_US MS_TO_US(5000)

bool snapshots_decode_membership(const void *data, size_t size, struct raft_membership *out)
{
    struct replica_membership membership;

    if (wire_unpack_membership(data, size, &membership, NULL) != ERR_OK)
        return false;
    replica_membership_to_raft(&membership, out);
    return true;
}

bool snapshots_decode(const void *data, size_t size, struct raft_membership *out)
{
    struct wire_snapshot snapshot;

    if (wire_unpack_snapshot(data, size, &snapshot, NULL) != ERR_OK)
        return false;
    replica_membership_to_raft(&snapshot.membership, out);
    wire_free_snapshot(&snapshot);
    return true;
}

const struct raft_trace_codec replica_trace_codec = {"replica", snapshots_decode_membership,
                                                     snapshots_decode};

static void drop_restore(struct replica *replica)
{
    if (replica->restore.memory)
        wire_free_snapshot(&replica->restore);
}

void snapshots_begin(struct replica *replica, struct wire_snapshot *snapshot)
{
    drop_restore(replica);
    replica->snapshot_index = snapshot->last_index;
    replica->snapshot_membership = snapshot->membership;
    if (snapshot->last_index > 0)
        replica->restore = *snapshot;
    else
        wire_free_snapshot(snapshot); /* the founding: there is no state yet */
    replica->applied_membership = replica->snapshot_membership;
}

void snapshots_end(struct replica *replica)
{
    drop_restore(replica);
}

enum error_code snapshots_save(struct replica *replica, const struct raft_snapshot *snapshot,
                               struct error *err)
{
    struct store_snapshot stored = {.last_index = snapshot->index,
                                    .last_term = snapshot->term,
                                    .data = snapshot->data,
                                    .size = snapshot->size};
    struct wire_snapshot unpacked;
    enum error_code code = wire_unpack_snapshot(snapshot->data, snapshot->size, &unpacked, err);

    if (code)
        return code;
    code = store_save_snapshot(replica->store, &stored, err);
    if (code) {
        wire_free_snapshot(&unpacked);
        return code;
    }
    log_notice("cluster \"%s\": a snapshot up to entry %" PRIu64 " has come from the leader",
               replica->cluster, snapshot->index);
    drop_restore(replica);
    replica->restore = unpacked;
    replica->snapshot_index = snapshot->index;
    replica->snapshot_membership = unpacked.membership;
    return ERR_OK;
}

void snapshots_restore(struct replica *replica)
{
    struct wire_snapshot *snapshot = &replica->restore;
    struct error err;

    if (!snapshot->memory)
        return;
    if (snapshot->last_index > replica->applied_index) {
        if (replica->callbacks.restore_state &&
            replica->callbacks.restore_state(replica->context, snapshot->last_index, snapshot->state,
                                             snapshot->state_size, &err) != ERR_OK) {
            engine_fail(replica, err.text);
            return;
        }
        replica->applied_index = snapshot->last_index;
        replica->applied_term = snapshot->last_term;
        replica->applied_membership = snapshot->membership;
        replica->applied_us = clock_now_us();
        if (members_learn(replica, &err) != ERR_OK)
            engine_fail(replica, err.text);
        engine_note_change(replica);
    }
    drop_restore(replica);
}

/* ---- one's own ---- */

static bool is_due(const struct replica *replica, uint64_t now_us)
{
    uint64_t entries = replica->applied_index - replica->snapshot_index;
    uint64_t bytes = store_log_bytes(replica->store);

    if (!replica->callbacks.pack_state || replica->applied_index <= replica->snapshot_index ||
        now_us < replica->compact_again_us)
        return false;
    if (entries >= 2 * REPLICA_COMPACT_ENTRIES || bytes >= 2 * REPLICA_COMPACT_BYTES)
        return true;
    return (entries >= REPLICA_COMPACT_ENTRIES || bytes >= REPLICA_COMPACT_BYTES) &&
           now_us >= replica->applied_us + REPLICA_COMPACT_QUIET_US;
}

static enum error_code make(struct replica *replica, struct wire_bytes *out, struct error *err)
{
    struct wire_snapshot snapshot = {.last_index = replica->applied_index,
                                     .last_term = replica->applied_term,
                                     .membership = replica->applied_membership};
    uint8_t *state;
    enum error_code code;

    if (!replica->callbacks.pack_state(replica->context, &state, &snapshot.state_size))
        return error_set(err, ERR_NO_MEMORY, "no memory for the state");
    snapshot.state = state;
    code = wire_pack_snapshot(&snapshot, out, err);
    free(state);
    return code;
}

/* On the disk, then in raft. Between the two, and if raft has no memory for it now, the disk's snapshot is
 * ahead of raft's; what raft then has more of its log is committed and does no harm. */
static enum error_code take(struct replica *replica, const struct wire_bytes *bytes, uint64_t now_us,
                            struct error *err)
{
    struct store_snapshot stored = {.last_index = replica->applied_index,
                                    .last_term = replica->applied_term,
                                    .data = bytes->data,
                                    .size = bytes->size};
    struct raft_snapshot snapshot = {.index = replica->applied_index,
                                     .term = replica->applied_term,
                                     .data = bytes->data,
                                     .size = bytes->size};
    enum error_code code = store_reserve_snapshot(replica->store, bytes->size, err);

    if (!code)
        code = store_save_snapshot(replica->store, &stored, err);
    if (code)
        return code;
    switch (raft_trace_compact(&replica->tracer, replica->raft, now_us, &snapshot)) {
    case RAFT_OK:
        return ERR_OK;
    case RAFT_NO_MEMORY:
        return error_set(err, ERR_NO_MEMORY, "no memory for a snapshot of %zu bytes", bytes->size);
    default:
        return error_set(err, ERR_INTERNAL,
                         "a snapshot of what was applied is refused: this is a bug, please report it with "
                         "the log");
    }
}

void snapshots_compact(struct replica *replica)
{
    uint64_t now_us = clock_now_us();
    struct wire_bytes bytes;
    struct error err;
    enum error_code code;

    if (!is_due(replica, now_us))
        return;
    code = make(replica, &bytes, &err);
    if (!code) {
        code = take(replica, &bytes, now_us, &err);
        free(bytes.data);
    }
    if (code == ERR_BUSY || code == ERR_NO_MEMORY) { /* the log goes on as it is */
        replica->compact_again_us = now_us + COMPACT_RETRY_US;
        log_warning("cluster \"%s\": no snapshot can be saved: %s", replica->cluster, err.text);
        return;
    }
    if (code) {
        engine_fail(replica, err.text);
        return;
    }
    log_info("cluster \"%s\": snapshot up to entry %" PRIu64 ", %zu bytes; the log starts anew",
             replica->cluster, replica->applied_index, bytes.size);
    replica->snapshot_index = replica->applied_index;
    replica->snapshot_membership = replica->applied_membership;
    engine_step(replica);
}
