/* cluster_strikes.h - what can happen to a cluster, and how often it does. */
#ifndef MHA_SIM_CLUSTER_STRIKES_H
#define MHA_SIM_CLUSTER_STRIKES_H

#include "tests/sim/cluster.h"

#define CLUSTER_PAUSE_LONGEST_US 4000000u /* mhactl pause */

struct cluster_strike {
    const char *what;
    void (*strike)(struct cluster *cluster, struct dice *dice);
    unsigned weight;
    bool calm; /* a long time follows */
};

const struct cluster_strike *cluster_strike_choose(struct dice *dice);
void cluster_chaos_repair(struct cluster *cluster);

static inline unsigned cluster_strike_any_host(const struct cluster *cluster, struct dice *dice)
{
    return (unsigned)dice_between(dice, 0, cluster->world->node_count - 1);
}

#endif
