/* state.h - a node's state machine (machine.h) in its life: where it comes from, what is saved of it, which
 * reads it may answer. (world_compact is here, too.) */
#ifndef MHA_SIM_STATE_H
#define MHA_SIM_STATE_H

#include "common/store/store.h"
#include "tests/sim/world.h"

/* From the snapshot, or from nothing: a founder knows the founders. false: a violation. */
bool state_restore(struct world *world, unsigned node, const struct store_recovered *found);
/* So much was applied since the last snapshot that it is time for one. */
bool state_is_long(const struct world *world, unsigned node);
/* A leader's snapshot is durable: it takes the place of the state, if it is newer. */
void state_take_snapshot(struct world *world, unsigned node, const struct raft_snapshot *snapshot);

/* What an output says of reads, and what was applied since. */
void state_note_reads(struct world *world, unsigned node, const struct raft_output *out);
void state_answer_reads(struct world *world, unsigned node);

#endif
