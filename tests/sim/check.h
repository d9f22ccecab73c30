/* check.h - the invariants that hold at every step (design: I1, I7, the leases).
 *
 * - at most one leader per term, and it has every entry that was committed before (leader completeness)
 * - the same index and term mean the same entry and the same predecessor (log matching, by induction)
 * - what a leader commits by counting is of its own term
 * - a committed entry never changes, and is on the disks of a majority when a leader commits it
 * - one vote per term and member, over crashes
 * - what a message promises is on the sender's disk when it leaves
 * - nobody votes within the promise that its disk held when it started
 * - after the same entry every state machine is in the same state, by snapshots too
 * - no two published leases are live at the same (true) time */
#ifndef MHA_SIM_CHECK_H
#define MHA_SIM_CHECK_H

#include "tests/sim/world.h"

struct world_check *check_new(void);
void check_free(struct world_check *check);

/* Entries that a node begins to write. */
void check_written(struct world *world, unsigned node, const struct raft_entry *entries, unsigned count);
/* A message is made; it may have to wait for the disk. */
void check_made(struct world *world, unsigned node, const struct raft_message *message);
/* A message is about to leave. */
void check_sent(struct world *world, unsigned node, const struct raft_message *message,
                uint64_t acknowledged_term);
/* A node's commit index has moved past `before`. */
void check_committed(struct world *world, unsigned node, uint64_t before, uint64_t commit);
/* One more entry, or a snapshot, is in the state of a node: it must be the state of all at that index. */
void check_applied(struct world *world, unsigned node);
/* After an input: `before` is the status after the one before. */
void check_status(struct world *world, unsigned node, const struct raft_status *before);
uint64_t check_committed_index(const struct world *world);

#endif
