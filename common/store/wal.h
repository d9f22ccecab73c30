/* wal.h - writing the log: segments, batches of records, syncs. record.h has the bytes, store.h the rules.
 *
 * A segment is written as wal-<number>.new, preallocated, synced and only then given its name: whatever bears
 * a segment's name has a whole header. A batch never straddles two segments. When the next batch does not
 * fit, the segment is synced and the next one made (*rolled*). After a failure other than ERR_BUSY and
 * ERR_NO_MEMORY every call fails. */
#ifndef MHA_STORE_WAL_H
#define MHA_STORE_WAL_H

#include "common/base/error.h"
#include "common/raft/raft.h"
#include "common/store/fileio.h"

#define WAL_SEGMENT_BYTES (512 * 1024)
#define WAL_NAME_BYTES 32

struct wal {
    const struct folder *folder;
    uint64_t id;
    uint64_t segment_bytes;
    uint64_t snapshot_next; /* 1 + last_index of the snapshot, 0: none; for the headers of further segments */

    int handle;      /* of the current segment; -1: none */
    uint64_t number; /* of the current segment */
    uint64_t size;
    uint64_t used;
    uint32_t salt;
    uint64_t sequence; /* of the last record written */
    uint64_t synced;   /* of the last record known durable */
    bool unsynced;     /* there is more than marks after `synced` */
    bool failed;
    uint64_t total_bytes; /* of all segments from the starting one */

    uint8_t *batch; /* the batch being written */
    size_t batch_bytes;
    size_t batch_room;
};

void wal_init(struct wal *wal, const struct folder *folder, uint64_t segment_bytes);
/* Closes; a pending mark is synced, its failure of no interest. */
void wal_close(struct wal *wal);

/* Starts the log anew in segment `number` with a copy of all that counts: the first record has number
 * `first_sequence`. The current segment, if any, is left. Durable when it returns. ERR_BUSY (disk full):
 * nothing has changed. */
enum error_code wal_start(struct wal *wal, uint64_t number, uint64_t first_sequence,
                          const struct raft_hard_state *hard_state, const struct raft_entry *entries,
                          unsigned entry_count, struct error *err);
/* The rules of store_append. */
enum error_code wal_append(struct wal *wal, const struct raft_hard_state *hard_state,
                           const struct raft_entry *entries, unsigned entry_count, struct error *err);
enum error_code wal_reserve(struct wal *wal, unsigned entry_count, size_t bytes, struct error *err);
enum error_code wal_sync(struct wal *wal, struct error *err);
/* What the log takes from its start on, without the room that is still free in the current segment. */
uint64_t wal_used_bytes(const struct wal *wal);

void wal_segment_name(uint64_t number, char out[WAL_NAME_BYTES]);
/* false: not a segment's name. */
bool wal_parse_name(const char *name, uint64_t *number);

#endif
