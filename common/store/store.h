/* store.h - a member's durable memory: identity, snapshot, write-ahead log.
 *
 * A directory holds
 *   identity            written once (temporary file, fsync, rename, fsync of the directory)
 *   snapshot            the newest snapshot, replaced the same way, with a CRC32C
 *   wal-<number>        segments, preallocated, of records
 *   lock                flock(2): one process per directory
 *
 * A WAL record: u32 length, u32 CRC32C over (sequence, length, payload), u64 sequence number (from 1, without gaps), payload = a WalRecord of
 * log.proto, padding to 8 bytes; little-endian. A record of length 0 ends the segment's used part.
 *
 * Errors are final: after a failed write or fdatasync every further call fails, and the process must exit. The next
 * store_open copies what is valid to a new segment, syncs that and the directory, and only then removes the old ones: the kernel may have
 * dropped the dirty pages of the failed file (Rebello et al., "Can Applications Recover from fsync Failures?", 2020).
 *
 * A torn tail (an invalid record with no valid one behind it, in this or a later segment) is cut. A damaged record with a valid one behind it is
 * ERR_CORRUPT: the start is refused, and the member comes back only as a new one. Room for hard-state records
 * (votes) is reserved, so that a full disk stops entries (ERR_BUSY, not final), not votes. */
#ifndef MHA_STORE_STORE_H
#define MHA_STORE_STORE_H

#include "common/base/error.h"
#include "common/raft/raft.h"
#include "common/store/files.h"

struct store;

struct store_snapshot {
    uint64_t last_index;
    uint64_t last_term;
    const uint8_t *data; /* a packed Snapshot of log.proto, whole */
    size_t size;
};

/* What the directory held. Owned by the store, valid until store_release_recovered. */
struct store_recovered {
    uint64_t id;      /* the identity; made by this open if there was none */
    bool had_state;   /* false: a first start, nothing was ever promised by this identity */
    bool has_snapshot;
    struct store_snapshot snapshot;
    struct raft_hard_state hard_state;
    const struct raft_entry *entries; /* those after the snapshot, ascending, without gaps */
    unsigned entry_count;
    bool torn_tail_cut; /* for the log */
};

/* Opens or makes `dir` (0700). `cluster` and `name` are bound to the identity: a directory of another cluster or
 * node is ERR_REFUSED. ERR_BUSY: another process has it. ERR_CORRUPT: see above. ERR_IO. */
enum error_code store_open(const struct files *files, const char *dir, const char *cluster, const char *name,
                           struct store **out, struct error *err);
const struct store_recovered *store_recovered(const struct store *store);
void store_release_recovered(struct store *store);

/* One batch: the hard state (NULL: unchanged) and entries, buffered in the file. Not durable before store_sync. */
enum error_code store_append(struct store *store, const struct raft_hard_state *hard_state,
                             const struct raft_entry *entries, unsigned entry_count, struct error *err);
/* One fdatasync covers all appended so far. */
enum error_code store_sync(struct store *store, struct error *err);
/* Durable when it returns; segments and entries that it covers may go afterwards. */
enum error_code store_save_snapshot(struct store *store, const struct store_snapshot *snapshot, struct error *err);
void store_close(struct store *store);

#endif
