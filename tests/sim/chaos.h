/* chaos.h - random faults on a world, and their end. */
#ifndef MHA_SIM_CHAOS_H
#define MHA_SIM_CHAOS_H

#include "tests/sim/world.h"

/* A configuration drawn from the seed: topology (1, 2 and an arbiter, 3, 5), profile, network, disks, clocks.
 */
struct world_config chaos_config(uint64_t seed);
/* One random fault, repair or request, now. */
void chaos_strike(struct world *world);
/* All faults end: links, disks, delays; every node runs. What is on its way still arrives. */
void chaos_end(struct world *world);

#endif
