/* chaos.h - random faults on a world, their end, and what a failing run leaves behind.
 *
 * A run is a configuration and a row of strikes (a fault, a repair, a request), with pauses between them.
 * Strike n is drawn from a generator of its own, made of (seed, n): leaving some out does not change the
 * others, so that a failing run can be cut down to the strikes that it takes.
 *
 *   chaos.c   the strikes        chaos_run.c   a run from beginning to end, its report, cutting it down */
#ifndef MHA_SIM_CHAOS_H
#define MHA_SIM_CHAOS_H

#include "tests/sim/world.h"

/* Beyond these a clock's rate breaks what leases are built on: margin = E/10, for two clocks. */
#define CHAOS_PPM_MAX 50000
#define CHAOS_PPM_BEYOND 200000

#define CHAOS_STRIKES_MAX 256

struct chaos_run {
    uint64_t seed;
    bool beyond_margin; /* clocks too; a violation is to be expected */
    bool trace;
    bool leave_out[CHAOS_STRIKES_MAX];       /* these strikes have no effect */
    bool leave_out_pause[CHAOS_STRIKES_MAX]; /* the next strike follows at once */
    /* results */
    unsigned strikes;
    struct counts counts;
    char violation[WORLD_TEXT_BYTES]; /* "": none */
};

/* A configuration drawn from the seed: topology (1, 2 and an arbiter, 3, 5, 7), profile, network, disks,
 * clocks. */
struct world_config chaos_config(uint64_t seed);
/* Strike `number` of `seed`, now. */
void chaos_strike(struct world *world, uint64_t seed, unsigned number);
/* By every membership that somebody goes by, and by whose disk is not damaged. */
bool chaos_has_quorum(const struct world *world);
/* All faults end: links, disks, delays; every node runs that can. What is on its way still arrives. */
void chaos_end(struct world *world);

/* From the start to the end of all faults and what must come after; false: a violation. */
bool chaos_run(struct chaos_run *run);
/* Leaves out whatever a violation of the same invariant does not need. */
void chaos_reduce(struct chaos_run *run);
/* "1,4,7-9" of the strikes that are left. */
void chaos_kept_text(const struct chaos_run *run, char *out, size_t size);
/* Leaves out all but those; false: not such a text. */
bool chaos_keep_only(struct chaos_run *run, const char *text);
/* The same for the pauses after the strikes. */
bool chaos_keep_pauses(struct chaos_run *run, const char *text);

#endif
