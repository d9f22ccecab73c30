/* Random faults on whole clusters: hosts, programs, servers, links, operations that fail. The checkers look
 * at every step; once the faults stop, a primary must serve, or the rules must forbid it.
 *
 *   SEEDS=2000 test_policy_random      more seeds
 *   SEED=123 test_policy_random        one again; with CLUSTER_TRACE=1 what everybody does, with
 * WORLD_TRACE=1 every message too
 */
#include <CUnit/Basic.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent.h"
#include "tests/sim/cluster_chaos.h"
#include "tests/sim/cluster_check.h"

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

struct totals {
    struct cluster_totals sums;
    uint64_t served, forbidden, simulated_us, data_nodes[WORLD_NODES_MAX];
};

static void describe(const struct cluster *cluster)
{
    for (unsigned i = 0; i < cluster->data_count; i++)
        if (cluster->world->nodes[i].up)
            printf("    %s (role %d, term %" PRIu64 "): %s\n", cluster_host_name(cluster, i),
                   cluster->world->nodes[i].status.role, cluster->world->nodes[i].status.term,
                   agent_waiting_for(cluster, i));
}

static void settle(struct cluster *cluster, bool *serves)
{
    struct world *world = cluster->world;
    uint64_t until_us;

    *serves = false;
    cluster_chaos_end(cluster);
    cluster_check_calm(cluster);
    until_us = world->now_us + cluster_chaos_patience_us(cluster);
    while (world->now_us < until_us && world_run(world, world->now_us + 100000))
        if (cluster_serving(cluster) < cluster->data_count &&
            !world_run(world, world->now_us + 5 * world->config.election_us))
            return;
        else if (cluster_serving(cluster) < cluster->data_count)
            break;
    if (world->violation[0] == '\0')
        cluster_check_settled(cluster, serves);
}

static bool run_seed(uint64_t seed, struct totals *totals)
{
    struct cluster_config config = cluster_chaos_config(seed);
    struct cluster *cluster = cluster_new(&config);
    struct world *world = cluster->world;
    bool serves = false, good;

    cluster_chaos_begin(cluster);
    if (world->violation[0] == '\0')
        cluster_chaos_run(cluster);
    if (world->violation[0] == '\0')
        settle(cluster, &serves);
    good = world->violation[0] == '\0';
    if (!good) {
        printf("\n  seed %" PRIu64 " (%u+%u): %s\n  replay: SEED=%" PRIu64
               " CLUSTER_TRACE=1 build/san/tests/sim/test_policy_random\n",
               seed, config.world.data_nodes, config.world.arbiters, world->violation, seed);
        describe(cluster);
    }
    struct cluster_totals sums = cluster_check_totals(cluster);
    totals->sums.acknowledged += sums.acknowledged;
    totals->sums.openings += sums.openings;
    totals->sums.commands += sums.commands;
    totals->served += serves;
    totals->simulated_us += world->now_us;
    totals->forbidden += good && !serves;
    cluster_free(cluster);
    return good;
}

static void test_seeds(void)
{
    struct totals totals = {0};
    uint64_t seeds = from_environment("SEEDS", 300), first = from_environment("FIRST", 1);
    unsigned bad = 0;

    if (getenv("SEED") != NULL) {
        CU_ASSERT_TRUE(run_seed(from_environment("SEED", 0), &totals));
        return;
    }
    for (uint64_t seed = first; seed < first + seeds && bad < from_environment("BAD", 5); seed++)
        bad += !run_seed(seed, &totals);
    CU_ASSERT_EQUAL(bad, 0);
    printf("\n  %" PRIu64 " seeds: %" PRIu64 " commits acknowledged, %" PRIu64 " openings, %" PRIu64
           " commands; %" PRIu64 " served in the end, %" PRIu64 " rightly did not\n",
           seeds, totals.sums.acknowledged, totals.sums.openings, totals.sums.commands, totals.served,
           totals.forbidden);
    printf("  %.2f hours\n", (double)totals.simulated_us / 3.6e9);
    CU_ASSERT_TRUE(totals.served > seeds / 2); /* the faults left something to check */
    CU_ASSERT_TRUE(totals.sums.openings > seeds);
}

int main(void)
{
    unsigned failures;

    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_add_test(CU_add_suite("clusters under random faults", NULL, NULL), "seeds", test_seeds);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
