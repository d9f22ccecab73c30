/* log.h - the log in memory: a plain array after a snapshot's base, and what of it is on disk.
 *
 * Every entry remembers the number of the write that carries it. Writes become durable in order, so an entry
 * is durable once its write is: a late notice about an entry that was truncated and came back meanwhile
 * proves nothing, as the entry now belongs to a later write. */
#ifndef MHA_RAFT_LOG_H
#define MHA_RAFT_LOG_H

#include <stdbool.h>

#include "common/raft/raft.h"

struct raft_log {
    uint64_t base_index; /* of the snapshot that the log follows; 0: none */
    uint64_t base_term;
    struct raft_entry *entries; /* entries[0] is at base_index + 1; each owns its data */
    uint64_t *writes;           /* the write of each entry; 0: was there at the start */
    size_t count;
    size_t capacity;
    uint64_t pending_index; /* the first that no output has handed out for writing; last + 1: none */
    uint64_t durable_index; /* everything up to here is on disk */
};

void raft_log_init(struct raft_log *log, uint64_t base_index, uint64_t base_term);
void raft_log_free(struct raft_log *log);

uint64_t raft_log_last_index(const struct raft_log *log);
uint64_t raft_log_last_term(const struct raft_log *log);
/* false: before the base or past the end. The base itself has a term; so has index 0 of an empty base (0). */
bool raft_log_term_at(const struct raft_log *log, uint64_t index, uint64_t *term);
const struct raft_entry *raft_log_at(const struct raft_log *log, uint64_t index);

/* Room for `more` entries, so that the appends that follow need none for the array. false: no memory. */
bool raft_log_reserve(struct raft_log *log, size_t more);
/* The entry goes to the end, whatever entry->index says; its data is copied. `write` carries it. false: no
 * memory. */
bool raft_log_append(struct raft_log *log, const struct raft_entry *entry, uint64_t write);
/* As found on disk at the start. */
bool raft_log_restore(struct raft_log *log, const struct raft_entry *entry);
/* Drops everything from `index` on. */
void raft_log_truncate(struct raft_log *log, uint64_t index);
/* Drops everything up to `index`, which a snapshot covers from now on: durable, whatever became of its
 * writes. Gives memory back. */
void raft_log_compact(struct raft_log *log, uint64_t index);
/* Drops everything: the log starts after a snapshot that it does not meet. */
void raft_log_reset(struct raft_log *log, uint64_t base_index, uint64_t base_term);

/* Writes up to `write` are on disk. */
void raft_log_persisted(struct raft_log *log, uint64_t write);
/* All that is pending has been handed out. */
void raft_log_handed_out(struct raft_log *log);
/* The number of the write that carries the entry at `index`; 0: none or not in the log. */
uint64_t raft_log_write_of(const struct raft_log *log, uint64_t index);

/* For fast backtracking: the first index whose term is that of the entry at `index` (dissertation 3.5). Both
 * search by halves, as terms only grow along a log. */
uint64_t raft_log_first_of_term(const struct raft_log *log, uint64_t index);
/* The last index in [from, to] whose entry, or base, has `term`; 0: none. */
uint64_t raft_log_last_of_term(const struct raft_log *log, uint64_t from, uint64_t to, uint64_t term);

#endif
