/* store.h - a member's durable memory: identity, snapshot, write-ahead log.
 *
 * A directory holds
 * - identity: written once (temporary file, fdatasync, rename, fsync of the directory), with a CRC32C
 * - snapshot: the newest snapshot, replaced the same way
 * - wal-<number>: segments of the log, preallocated; record.h describes their bytes
 * - lock: flock(2), one process per directory
 * - *.new: unfinished; the next start removes it
 *
 * One thread, one process. The calls block: a hung disk hangs the caller, and thereby its heartbeats.
 *
 * FAILURES
 *
 * A failed write or fdatasync is final: every further call fails with ERR_IO, and the process must exit. The
 * next store_open copies what it can read to a new segment, syncs that and the directory, and only then
 * removes the old ones and reports what it read: the kernel may have dropped the dirty pages of a file whose
 * fdatasync failed while it still shows them to readers (Rebello et al., "Can Applications Recover from fsync
 * Failures?", USENIX ATC 2020). Every open does so.
 *
 * A full disk is not final. Segments are preallocated, and each keeps a quarter of its size for records
 * without entries, and for no-ops (a vote, a promise, a new leader's first entry). Other entries that find no
 * room and no disk for a further segment get ERR_BUSY and nothing of them is written: ask with store_reserve
 * before Raft is given what it will want written. ERR_BUSY without entries means that this quarter too is
 * used up (thousands of votes on a full disk).
 *
 * TORN OR DAMAGED
 *
 * Only unsynced bytes may be lost by a crash, any part of them and in any order; synced ones never. So
 * recovery takes the records up to the first one that is not whole, and then looks for evidence that more had
 * been synced: each record says up to where the log was durable when it was written, a mark of this kind
 * follows each sync (unsynced itself, unless a store_close syncs it), and a segment is only made once all
 * before it is durable. With such evidence in this or a later segment the log is damaged: ERR_CORRUPT,
 * nothing is changed on disk, and the member comes back only as a new one (an empty directory). Without it
 * the tail was torn, was never acknowledged, and is cut. Left undecided is only damage to the very last
 * sync's records when no mark after it reached the disk: nothing tells it from a torn tail. */
#ifndef MHA_STORE_STORE_H
#define MHA_STORE_STORE_H

#include "common/base/error.h"
#include "common/raft/raft.h"
#include "common/store/files.h"

#define STORE_SNAPSHOT_BYTES_MAX (16 * 1024 * 1024)

struct store;

struct store_snapshot {
    uint64_t last_index;
    uint64_t last_term;
    const uint8_t *data; /* a packed Snapshot of log.proto, whole; says the same index and term */
    size_t size;
};

/* What the directory held. Owned by the store, valid until store_release_recovered. */
struct store_recovered {
    uint64_t id;    /* the identity; made by this open if there was none; never 0 */
    bool had_state; /* false: nothing was ever promised or stored by this identity */
    bool has_snapshot;
    struct store_snapshot snapshot;
    struct raft_hard_state hard_state;
    const struct raft_entry *entries; /* those after the snapshot, ascending, without gaps */
    unsigned entry_count;
    bool torn_tail_cut; /* for the log */
};

/* Opens or makes `dir` (0700; its parent must exist). `cluster` and `name` are bound to the identity: a
 * directory of another cluster or node is ERR_REFUSED. ERR_BUSY: another process has it. ERR_CORRUPT: see
 * above. ERR_IO (a full disk too), ERR_NO_MEMORY. `files` must outlive the store. */
enum error_code store_open(const struct files *files, const char *dir, const char *cluster, const char *name,
                           struct store **out, struct error *err);
const struct store_recovered *store_recovered(const struct store *store);
void store_release_recovered(struct store *store);

/* One batch: the hard state (NULL: unchanged), then entries, buffered in the file. Not durable before
 * store_sync. The first entry supersedes all at and after its index: recovery never brings those back. After
 * a crash before the sync a prefix of what was appended may be there, the hard state before the entries of
 * its batch, and never a part of a hard state or of an entry. ERR_BUSY: see above, nothing was written.
 * ERR_NO_MEMORY: the same. ERR_IO: final. */
enum error_code store_append(struct store *store, const struct raft_hard_state *hard_state,
                             const struct raft_entry *entries, unsigned entry_count, struct error *err);
/* Makes sure that a batch of `entry_count` entries with together `bytes` of data can be appended next.
 * ERR_BUSY: the disk is full; refuse the proposal, drop the message. ERR_IO: final. */
enum error_code store_reserve(struct store *store, unsigned entry_count, size_t bytes, struct error *err);
/* One fdatasync covers all appended so far; none if nothing was. ERR_IO: final. */
enum error_code store_sync(struct store *store, struct error *err);
/* Durable when it returns, with all that was appended before it. The log then starts anew in a new segment,
 * without the entries that the snapshot covers. If the log's entry at last_index has another term, all
 * entries go. ERR_INVALID: older than the snapshot that is there, too large, or not what its data says.
 * ERR_BUSY: the disk is full; the old one stays. ERR_IO: final. */
enum error_code store_save_snapshot(struct store *store, const struct store_snapshot *snapshot,
                                    struct error *err);
/* Is there room now for a snapshot of this size, and for the segment in which the log starts anew behind it?
 * ERR_BUSY: no; do without it, or refuse it before Raft has taken it: a log that has not started anew takes
 * no entries, not even a leader's first one. ERR_IO: final. */
enum error_code store_reserve_snapshot(struct store *store, size_t bytes, struct error *err);
/* What the log takes since it was started anew: whoever makes snapshots bounds this. */
uint64_t store_log_bytes(const struct store *store);
void store_close(struct store *store); /* NULL is allowed */

#endif
