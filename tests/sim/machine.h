/* machine.h - the model of what a log is for: a state machine that is the chain of the commands applied, and
 * the bytes of memberships and snapshots (log.proto), as common/replica has them. */
#ifndef MHA_SIM_MACHINE_H
#define MHA_SIM_MACHINE_H

#include "tests/sim/world.h"

/* One more entry; its place in the chain follows from all before it. */
void machine_apply(struct world_machine *machine, const struct raft_entry *entry);

/* From malloc. */
void *machine_encode_membership(const struct raft_membership *membership, size_t *size);
bool machine_decode_membership(const void *data, size_t size, struct raft_membership *out);

/* From malloc; `state` of what stands on top of the node, `padding` bytes to make it larger. */
void *machine_encode_snapshot(const struct world_machine *machine, const void *state, size_t state_size,
                              size_t padding, size_t *size);
/* The membership alone. */
bool machine_decode_snapshot(const void *data, size_t size, struct raft_membership *out);
/* `state` is from malloc, or NULL. */
bool machine_restore(struct world_machine *machine, const void *data, size_t size, void **state,
                     size_t *state_size);

#endif
