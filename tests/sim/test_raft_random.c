/* Random faults on groups of 1, 2 and an arbiter, 3, 5 and 7: the checkers look at every step; once the
 * faults stop, a leader must be there within 5 E, and all logs must become one.
 *
 *   SEEDS=5000 FIRST=1000 test_raft_random   more seeds, from that one on
 *   SEED=1234 test_raft_random               one seed again; TRACE=1 tells all that happened
 *   KEEP=3,7-9                               with SEED: of the strikes (chaos.h) only these
 *   PAUSES=3,9                               and of the pauses after them only these
 *   COUNTS=1                                 `count NAME N`: what took effect (counts.h)
 *   BEYOND_MARGIN=1                          clocks that err by more than leases allow: there are violations
 */
#include <CUnit/Basic.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/chaos.h"
#include "tests/sim/check.h"

#define REPORTS_MAX 5 /* violations, before it gives up */

static const char *program;

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* Seed, topology, text, and the command that shows it again, cut down to what it takes. */
static void report(struct chaos_run *run)
{
    struct world_config config = chaos_config(run->seed);
    char kept[2048];
    printf("\n  seed %" PRIu64 " (%u+%u): %s\n", run->seed, config.data_nodes, config.arbiters,
           run->violation);
    if (getenv("KEEP") == NULL)
        chaos_reduce(run);
    chaos_kept_text(run, kept, sizeof kept);
    printf("  cut down: %s\n  replay: SEED=%" PRIu64 " KEEP=%s%s TRACE=1 %s | tail -n 100\n", run->violation,
           run->seed, kept, run->beyond_margin ? " BEYOND_MARGIN=1" : "", program);
}

static bool run_seed(uint64_t seed, struct counts *counts)
{
    static struct chaos_run run;
    memset(&run, 0, sizeof run);
    run.seed = seed;
    run.beyond_margin = getenv("BEYOND_MARGIN") != NULL;
    run.trace = getenv("TRACE") != NULL;
    const char *keep = getenv("KEEP"), *pauses = getenv("PAUSES");
    if ((keep != NULL && !chaos_keep_only(&run, keep)) ||
        (pauses != NULL && !chaos_keep_pauses(&run, pauses))) {
        printf("KEEP or PAUSES is not like 1,4,7-9\n");
        return false;
    }
    bool good = chaos_run(&run);
    counts_sum(counts, &run.counts);
    if (!good)
        report(&run);
    return good;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_seeds(void)
{
    struct counts counts = {0};
    bool one = getenv("SEED") != NULL;
    uint64_t first = one ? from_environment("SEED", 0) : from_environment("FIRST", 1);
    uint64_t seeds = one ? 1 : from_environment("SEEDS", 600);
    double began = seconds_now();
    unsigned bad = 0, at = 0;
    for (uint64_t seed = first; seed < first + seeds && bad < REPORTS_MAX; seed++)
        bad += !run_seed(seed, &counts);
    CU_ASSERT_EQUAL(bad, 0);
    double hours = (double)counts.of[COUNT_SIMULATED_US] / 3.6e9, minutes = (seconds_now() - began) / 60;
    printf("\n  %" PRIu64 " seeds, %.2f hours (%.0f in a minute of processor time), %" PRIu64
           " commands committed, %" PRIu64 " leaders, violations %u\n",
           counts.of[COUNT_SEEDS], hours, hours / minutes, counts.of[COUNT_COMMANDS_COMMITTED],
           counts.of[COUNT_LEADERS], bad);
    counts_print_if_asked(&counts, COUNT_OF_RAFT);
    for (const char *missing;
         seeds >= 300 && bad == 0 && (missing = counts_next_missing(&counts, COUNT_OF_RAFT, &at));) {
        printf("  never took effect: %s\n", missing);
        CU_FAIL("a fault never took effect");
    }
}

/* The checkers notice clocks that err by more than the leases' margin allows. */
static void test_beyond_margin(void)
{
    static struct chaos_run run;
    unsigned found = 0, other = 0;
    for (uint64_t seed = 1; seed <= 400 && found == 0; seed++) {
        memset(&run, 0, sizeof run);
        run.seed = seed;
        run.beyond_margin = true;
        if (chaos_run(&run))
            continue;
        found += strncmp(run.violation, "I3: two live leases", 19) == 0;
        other += strncmp(run.violation, "I1:", 3) == 0 || strncmp(run.violation, "I7:", 3) == 0;
    }
    CU_ASSERT_TRUE(found > 0);
    CU_ASSERT_EQUAL(other, 0); /* leases alone are built on time */
}

/* The outage that clients see begins here: from the leader's death to the next ready leader, at a random
 * moment. */
static bool time_failover(uint64_t seed, uint64_t *took_us)
{
    struct world_config config = chaos_config(seed * 5 + 1 + seed % 4); /* 2 and an arbiter, 3, 5, 7 */
    bool fast = config.election_us < 1000000;
    config.loss_permille = config.duplicate_permille = 0;
    config.reorder = false;
    config.net_max_us = 1000;
    config.disk_max_us = 3000;
    config.clock_ppm_max = 100;
    struct world *world = world_new(&config);
    for (unsigned i = 0; i < world->node_count; i++)
        world_start(world, i);
    world_run(world,
              world->now_us + 3 * config.election_us + world_between(world, 0, 2 * config.heartbeat_us));
    unsigned leader = world_leader(world);
    bool good = leader < world->node_count;
    if (good) {
        world_crash(world, leader, 500);
        uint64_t crashed_us = world->now_us, limit_us = crashed_us + 3 * config.election_us;
        while (world_leader(world) == world->node_count && world->now_us < limit_us &&
               world_step(world, limit_us))
            ;
        *took_us = world->now_us - crashed_us;
        /* E counts from the last heartbeat, so it mostly takes less than E from the crash. What comes on top:
         * PreVote, Vote, the no-op (three round trips of up to 2 ms, three writes of up to 3 ms), and a vote
         * asked for once more. */
        good = *took_us < config.election_us + 25000;
    }
    if (!good || world->violation[0] != '\0')
        printf("\n  failover of seed %" PRIu64 " (%u+%u%s): %.1f ms %s\n", seed, config.data_nodes,
               config.arbiters, fast ? ", fast" : "", (double)*took_us / 1e3, world->violation);
    good = good && world->violation[0] == '\0';
    world_free(world);
    return good;
}

static void test_failover_times(void)
{
    unsigned bad = 0;
    for (uint64_t seed = 1; seed <= 300 && bad < 5; seed++) {
        uint64_t took_us = 0;
        bad += !time_failover(seed, &took_us);
    }
    CU_ASSERT_EQUAL(bad, 0);
}

int main(int argc, char **argv)
{
    (void)argc;
    program = argv[0];
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft under random faults", NULL, NULL);
    CU_add_test(suite, "seeds", test_seeds);
    if (getenv("SEED") == NULL && getenv("FIRST") == NULL) { /* else a replay, or a part of a larger run */
        CU_add_test(suite, "clocks beyond the margin are noticed", test_beyond_margin);
        CU_add_test(suite, "a failover takes E and little more", test_failover_times);
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
