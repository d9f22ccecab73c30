/* cluster_chaos.h - random clusters and random faults, from the world's seed alone. */
#ifndef MHA_SIM_CLUSTER_CHAOS_H
#define MHA_SIM_CLUSTER_CHAOS_H

#include "tests/sim/cluster.h"

struct cluster_config cluster_chaos_config(uint64_t seed);
/* Powers the hosts on; some seeds wait for the first primary. */
void cluster_chaos_begin(struct cluster *cluster);
void cluster_chaos_run(struct cluster *cluster);
/* No further faults, and all is repaired; in some seeds one host is lost for good. */
void cluster_chaos_end(struct cluster *cluster);
/* How long it may take from then until a primary serves. */
uint64_t cluster_chaos_patience_us(const struct cluster *cluster);

#endif
