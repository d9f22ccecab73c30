/* Random faults on groups of 1, 2 and an arbiter, 3 and 5: the checkers look at every step; once the faults
 * stop, a leader must be there within 5 E, and all logs must become one.
 *
 *   SEEDS=5000 test_raft_random      more seeds
 *   SEED=1234 test_raft_random       one seed again; with WORLD_TRACE=1 every message of it
 */
#include <CUnit/Basic.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/chaos.h"
#include "tests/sim/check.h"

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void settle(struct world *world)
{
    uint64_t election_us = world->config.election_us, ended_us = world->now_us;
    chaos_end(world);
    while (world_leader(world) == world->node_count && world->now_us < ended_us + 5 * election_us)
        if (!world_run(world, world->now_us + election_us / 20))
            return;
    unsigned leader = world_leader(world);
    if (leader == world->node_count) {
        world_violate(world, "no leader within 5 E of the last fault");
        return;
    }
    /* A leadership that has ended its lease, or an arbiter's, moves on by itself or by its owner. */
    if (!world_run(world, world->now_us + 2 * election_us))
        return;
    leader = world_leader(world);
    if (leader < world->node_count && world->nodes[leader].status.lease_ended) {
        world_release(world, leader);
        world_renew_term(world, leader);
        world_run(world, world->now_us + 2 * election_us);
        leader = world_leader(world);
    }
    uint64_t index = 0;
    if (leader == world->node_count || world->nodes[leader].kind == RAFT_ARBITER ||
        world_propose(world, leader, "end", 3, &index) != RAFT_OK) {
        world_violate(world, "no leader that takes a proposal after the faults");
        return;
    }
    world_run(world, world->now_us + election_us);
    for (unsigned i = 0; i < world->node_count; i++) {
        if (world->nodes[i].applied_index != index)
            world_violate(world, "%s has applied %" PRIu64 " entries of %" PRIu64 " after the faults",
                          world->nodes[i].name, world->nodes[i].applied_index, index);
    }
    if (!world_lease_is_live(world, leader))
        world_violate(world, "%s leads without a lease after the faults", world->nodes[leader].name);
}

struct totals {
    uint64_t committed, terms;
};

static bool run_seed(uint64_t seed, struct totals *totals)
{
    struct world_config config = chaos_config(seed);
    struct world *world = world_new(&config);
    for (unsigned i = 0; i < world->node_count; i++)
        world_start(world, i);
    uint64_t calm = world_chance(world, 500) ? config.election_us * 2 : 0; /* some begin with a leader */
    world_run(world, world->now_us + calm);
    unsigned strikes = (unsigned)world_between(world, 20, 150);
    uint64_t pause_us = world_between(world, config.heartbeat_us / 4, 3 * config.election_us);
    for (unsigned i = 0; i < strikes && world->violation[0] == '\0'; i++) {
        chaos_strike(world);
        world_run(world, world->now_us + world_between(world, 1, pause_us));
    }
    if (world->violation[0] == '\0')
        settle(world);
    bool good = world->violation[0] == '\0';
    if (!good)
        printf("\n  seed %" PRIu64 " (%u+%u): %s\n  replay: SEED=%" PRIu64
               " WORLD_TRACE=1 test_raft_random\n",
               seed, config.data_nodes, config.arbiters, world->violation, seed);
    totals->committed += check_committed_index(world);
    totals->terms += world_highest_term(world);
    world_free(world);
    return good;
}

static void test_seeds(void)
{
    struct totals totals = {0};
    if (getenv("SEED") != NULL) {
        CU_ASSERT_TRUE(run_seed(from_environment("SEED", 0), &totals));
        return;
    }
    uint64_t seeds = from_environment("SEEDS", 600);
    unsigned bad = 0;
    for (uint64_t seed = 1; seed <= seeds && bad < 5; seed++)
        bad += !run_seed(seed, &totals);
    CU_ASSERT_EQUAL(bad, 0);
    printf("\n  %" PRIu64 " seeds, %" PRIu64 " entries committed, %" PRIu64 " terms\n", seeds,
           totals.committed, totals.terms);
    CU_ASSERT_TRUE(totals.committed > seeds * 10); /* the faults left something to check */
}

/* The outage that clients see begins here: from the leader's death to the next ready leader, at a random
 * moment. */
static bool time_failover(uint64_t seed, uint64_t *took_us)
{
    struct world_config config = chaos_config(seed * 4 + 1 + seed % 3); /* 2 and an arbiter, 3, 5 */
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

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft under random faults", NULL, NULL);
    CU_add_test(suite, "seeds", test_seeds);
    CU_add_test(suite, "a failover takes E and little more", test_failover_times);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
