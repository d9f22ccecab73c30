/* recover.h - reading the log back: what counts, what was torn, what is damaged. store.h has the rules. */
#ifndef MHA_STORE_RECOVER_H
#define MHA_STORE_RECOVER_H

#include "common/base/error.h"
#include "common/raft/raft.h"
#include "common/store/fileio.h"

/* The snapshot that is on disk: entries up to it do not count. */
struct recover_snapshot {
    bool exists;
    uint64_t last_index;
    uint64_t last_term;
};

struct recovered_log {
    uint64_t last_number;   /* of the newest segment; 0: there was none */
    uint64_t last_sequence; /* of the last whole record; 0: there was none */
    struct raft_hard_state hard_state;
    struct raft_entry *entries; /* after the snapshot; each with its own data from malloc */
    unsigned entry_count;
    unsigned entry_room;
    bool torn_tail;
    size_t end_offset;      /* in the newest segment: the last whole record ends there */
    unsigned segment_count; /* of those that count */
    uint64_t segment_bytes; /* of their files */
};

/* Reads only. `id` 0: any member's. `out` is freed with recover_free in every case. ERR_CORRUPT, ERR_IO,
 * ERR_NO_MEMORY. */
enum error_code recover_log(const struct folder *folder, uint64_t id, const struct recover_snapshot *snapshot,
                            struct recovered_log *out, struct error *err);
void recover_free(struct recovered_log *log);
/* Removes all segments with numbers below `number`, and unfinished files, durably. */
enum error_code recover_remove_old(const struct folder *folder, uint64_t number, struct error *err);

#endif
