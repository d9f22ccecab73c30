/* fleet.h - one arbiter with many clusters.
 *
 * Several clusters of two data nodes each, stepped in one virtual time, whose arbiter members are one process
 * on one host: killed, stopped, its disk hung, cut off and powered off together. Each cluster's data nodes
 * are its own, with faults of their own in some; the others, the quiet ones, must not notice: their primary
 * stays, and their clients wait for nothing, whatever happens to the arbiter or to another cluster. */
#ifndef MHA_SIM_FLEET_H
#define MHA_SIM_FLEET_H

#include "tests/sim/cluster_chaos.h"

#define FLEET_MAX 20

struct fleet {
    uint64_t seed;
    const struct chaos_choice *choice;
    unsigned count;
    struct cluster *clusters[FLEET_MAX];
    bool quiet[FLEET_MAX];
    struct chaos chaos[FLEET_MAX];
    unsigned decisions, next;
};

struct fleet *fleet_new(uint64_t seed, const struct chaos_choice *choice);
void fleet_free(struct fleet *fleet);
/* From the first start to the end of the faults. NULL: all is well; otherwise the cluster with a violation.
 */
struct cluster *fleet_run(struct fleet *fleet);

#endif
