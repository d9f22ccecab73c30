/* cluster_chaos.h - random clusters and random faults, from a seed alone.
 *
 * A run is a row of decisions, numbered from 1: what happens, to whom, and how long after the one before.
 * Decision n draws from a generator of its own (dice_of(seed, n)), and its time does not depend on what the
 * others did: leaving some out changes nothing in the others but what they meet. KEEP="1,4,7-9" in the
 * environment lets only those take effect, PAUSES="4,7" time pass only after these. */
#ifndef MHA_SIM_CLUSTER_CHAOS_H
#define MHA_SIM_CLUSTER_CHAOS_H

#include "tests/sim/cluster.h"

#define CHAOS_DECISIONS_MAX 64

/* Which decisions take effect, and after which time passes. */
struct chaos_choice {
    bool all, all_pauses;
    bool keeps[CHAOS_DECISIONS_MAX + 1]; /* by number */
    bool keeps_pause[CHAOS_DECISIONS_MAX + 1];
};

struct chaos {
    uint64_t seed;
    const struct chaos_choice *choice;
    unsigned decisions;  /* of this run */
    unsigned next;       /* the number of the next one */
    uint64_t pause_us;   /* at most this long from one to the next, but for calm stretches */
    uint64_t started_us; /* when a service began */
};

/* KEEP and PAUSES, or all. false: one cannot be read. */
bool chaos_choice_read(const char *keep, const char *pauses, struct chaos_choice *choice);
bool chaos_keeps_pause(const struct chaos_choice *choice, unsigned number);

struct cluster_config cluster_chaos_config(uint64_t seed);
void cluster_chaos_init(struct chaos *chaos, uint64_t seed, const struct chaos_choice *choice,
                        const struct cluster *cluster);
/* Powers the hosts on; some seeds wait for the first primary. */
void cluster_chaos_begin(struct cluster *cluster, struct chaos *chaos);
/* The next decision takes effect, or is left out; then time passes. false: there is none left. */
bool cluster_chaos_step(struct cluster *cluster, struct chaos *chaos);
/* Decision `number` takes effect, without the time that passes after it. */
void cluster_chaos_strike(struct cluster *cluster, const struct chaos *chaos, unsigned number);
/* No further faults, and all is repaired; in some seeds one host is lost for good, as the last decision. */
void cluster_chaos_end(struct cluster *cluster, struct chaos *chaos);
/* How long it may take from then until a primary serves. */
uint64_t cluster_chaos_patience_us(const struct cluster *cluster);

#endif
