/* quorum.h - majority arithmetic, and nothing else. */
#ifndef MHA_RAFT_QUORUM_H
#define MHA_RAFT_QUORUM_H

#include <stdint.h>

/* How many of `voters` are a majority. Two voters need two: there is never a quorum of one among more than
 * one. */
unsigned raft_quorum_size(unsigned voters);

/* The largest value that a majority of the voters has reached: each voter's value is in `values` (reordered
 * here). 0 without voters. Used for the commit index, and for the instants of answered rounds. */
uint64_t raft_quorum_reached(uint64_t *values, unsigned voters);

#endif
