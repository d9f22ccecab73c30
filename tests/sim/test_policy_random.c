/* Random faults on whole clusters: hosts, programs, servers, links, disks, operations that fail, operators.
 * The checkers look at every step; once the faults stop, a primary must serve, or the rules must forbid it.
 *
 *   SEEDS=2000 FIRST=1 test_policy_random   so many seeds, from that one on; BAD=5: stop after so many
 * failures SEED=123 test_policy_random             one again; TRACE=1 shows what everybody does,
 * WORLD_TRACE=1 every message too KEEP=1,4,7-9                            only these of its decisions take
 * effect SHRINK=1                                of each failure, finds few decisions that still lead to it
 *   COUNTS=1                                what took effect, as `count NAME N` lines
 *   BEYOND_MARGIN=1, VOLATILE=1             clocks, or servers, that no promise holds for: must fail
 */
#include <CUnit/Basic.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/agent.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/fleet.h"

#define FLEET_EVERY 40 /* seeds */
#define LAST_LINES 60u /* of the trace, with a violation */

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

struct mode {
    bool beyond_margin, volatile_commits;
};

struct run {
    uint64_t seed;
    struct mode mode;
    struct chaos_choice choice;
    FILE *trace; /* NULL: as the environment says */

    struct counts counts;
    char violation[WORLD_TEXT_BYTES];
    char shape[64];
    char waiting[1024];
};

/* ---- one run ---- */

static void describe(const struct cluster *cluster, struct run *run)
{
    size_t used = 0;

    memcpy(run->violation, cluster->world->violation, sizeof run->violation);
    run->waiting[0] = '\0';
    for (unsigned i = 0; i < cluster->data_count && used < sizeof run->waiting; i++)
        if (cluster->world->nodes[i].up)
            used += (size_t)snprintf(run->waiting + used, sizeof run->waiting - used,
                                     "    %s (role %d, term %" PRIu64 "): %s\n",
                                     cluster_host_name(cluster, i), cluster->world->nodes[i].status.role,
                                     cluster->world->nodes[i].status.term, agent_waiting_for(cluster, i));
}

static void settle(struct cluster *cluster, struct chaos *chaos)
{
    struct world *world = cluster->world;
    uint64_t until_us;
    bool serves = false;

    if (!cluster->calm)
        cluster_chaos_end(cluster, chaos);
    cluster_check_calm(cluster);
    until_us = world->now_us + cluster_chaos_patience_us(cluster);
    while (world->now_us < until_us && world_run(world, world->now_us + 100000))
        if (cluster_serving(cluster) < cluster->data_count &&
            !world_run(world, world->now_us + 5 * world->config.election_us))
            return;
        else if (cluster_serving(cluster) < cluster->data_count)
            break;
    if (world->violation[0] == '\0' && cluster_check_settled(cluster, &serves))
        counts_add(&world->counts, serves ? COUNT_SERVED : COUNT_RIGHTLY_NOT_SERVED, 1);
}

static void count_shape(struct cluster *cluster)
{
    static const enum count_kind kinds[] = {[SERVER_ONE_WAIT] = COUNT_SERVERS_ONE_WAIT,
                                            [SERVER_K_WAIT] = COUNT_SERVERS_K_WAIT,
                                            [SERVER_NAMED_WAIT] = COUNT_SERVERS_NAMED_WAIT};
    static const enum count_kind topologies[] = {[1] = COUNT_TOPOLOGY_1,
                                                 [2] = COUNT_TOPOLOGY_2_ARBITER,
                                                 [3] = COUNT_TOPOLOGY_3,
                                                 [5] = COUNT_TOPOLOGY_5,
                                                 [7] = COUNT_TOPOLOGY_7};

    counts_add(&cluster->world->counts, kinds[cluster->config.kind], 1);
    counts_add(&cluster->world->counts, topologies[cluster->data_count], 1);
}

static void take_counts(const struct cluster *cluster, struct run *run)
{
    counts_sum(&run->counts, &cluster->world->counts);
    counts_add(&run->counts, COUNT_SIMULATED_US, cluster->world->now_us);
}

static void run_cluster(struct run *run)
{
    static const char *const kinds[] = {"one-wait", "k-wait", "named-wait"};
    struct cluster_config config = cluster_chaos_config(run->seed);
    struct cluster *cluster;
    struct chaos chaos;

    if (run->mode.beyond_margin)
        config.world.clock_ppm_max = 400000;
    config.volatile_commits = run->mode.volatile_commits;
    cluster = cluster_new(&config);
    if (run->trace)
        cluster->trace = run->trace;
    snprintf(run->shape, sizeof run->shape, "%u+%u, %s servers", config.world.data_nodes,
             config.world.arbiters, kinds[config.kind]);
    cluster_chaos_init(&chaos, run->seed, &run->choice, cluster);
    cluster_chaos_begin(cluster, &chaos);
    while (cluster_chaos_step(cluster, &chaos))
        ;
    if (cluster->world->violation[0] == '\0')
        settle(cluster, &chaos);
    count_shape(cluster);
    describe(cluster, run);
    take_counts(cluster, run);
    cluster_free(cluster);
}

static void run_fleet(struct run *run)
{
    struct fleet *fleet = fleet_new(run->seed, &run->choice);
    struct cluster *bad;

    for (unsigned i = 0; run->trace && i < fleet->count; i++)
        fleet->clusters[i]->trace = run->trace;
    snprintf(run->shape, sizeof run->shape, "%u clusters with one arbiter", fleet->count);
    bad = fleet_run(fleet);
    for (unsigned i = 0; bad == NULL && i < fleet->count; i++) {
        settle(fleet->clusters[i], &fleet->chaos[i]);
        if (fleet->clusters[i]->world->violation[0] != '\0')
            bad = fleet->clusters[i];
    }
    for (unsigned i = 0; i < fleet->count; i++)
        take_counts(fleet->clusters[i], run);
    counts_add(&run->counts, COUNT_TOPOLOGY_SHARED_ARBITER, 1);
    describe(bad ? bad : fleet->clusters[0], run);
    fleet_free(fleet);
}

/* true: no violation. */
static bool run_once(struct run *run)
{
    memset(&run->counts, 0, sizeof run->counts);
    run->violation[0] = '\0';
    if (run->seed % FLEET_EVERY == FLEET_EVERY - 1 && !run->mode.beyond_margin && !run->mode.volatile_commits)
        run_fleet(run);
    else
        run_cluster(run);
    counts_add(&run->counts, COUNT_SEEDS, 1);
    counts_add(&run->counts, COUNT_VIOLATIONS, run->violation[0] != '\0');
    return run->violation[0] == '\0';
}

/* ---- what is said of a failure ---- */

/* The run again, of which the last lines of the trace are shown. */
static void show_last_moments(const struct run *failed)
{
    struct run run = {.seed = failed->seed, .mode = failed->mode, .choice = failed->choice};
    char *text = NULL, *from;
    size_t size = 0;
    unsigned lines = 0;

    if (getenv("TRACE") != NULL)
        return;
    run.trace = open_memstream(&text, &size);
    if (run.trace == NULL)
        return;
    run_once(&run);
    fclose(run.trace);
    for (from = text + size; from > text && lines <= LAST_LINES; from--)
        lines += from[-1] == '\n';
    while (from > text && from[-1] != '\n')
        from++;
    fputs(from, stdout);
    free(text);
}

static const char *where_in(const char *violation)
{
    const char *text = strstr(violation, " s: ");

    return text ? text + 4 : violation;
}

static bool fails_alike(const struct run *failed, const struct chaos_choice *choice)
{
    struct run run = {.seed = failed->seed, .mode = failed->mode, .choice = *choice};

    return !run_once(&run) && strncmp(where_in(run.violation), where_in(failed->violation), 2) == 0;
}

/* Leaves out one decision after the other, as long as the same invariant is broken. */
static void shrink(const struct run *failed, char *text, size_t size)
{
    struct chaos_choice choice = failed->choice;
    size_t used = 0;

    for (unsigned i = 1; choice.all && i <= CHAOS_DECISIONS_MAX; i++)
        choice.keeps[i] = true;
    choice.all = false;
    for (unsigned i = CHAOS_DECISIONS_MAX; i >= 1; i--) {
        struct chaos_choice fewer = choice;
        fewer.keeps[i] = false;
        if (choice.keeps[i] && fails_alike(failed, &fewer))
            choice = fewer;
    }
    text[0] = '\0';
    for (unsigned i = 1; i <= CHAOS_DECISIONS_MAX && used + 8 < size; i++)
        if (choice.keeps[i])
            used += (size_t)snprintf(text + used, size - used, "%s%u", used ? "," : "", i);
    if (used == 0)
        snprintf(text, size, "0");
}

static void tell_failure(const struct run *run)
{
    char keep[256] = "";

    show_last_moments(run);
    if (getenv("SHRINK") != NULL)
        shrink(run, keep, sizeof keep);
    else if (getenv("KEEP") != NULL)
        snprintf(keep, sizeof keep, "%s", getenv("KEEP"));
    printf("\n  seed %" PRIu64 " (%s): %s\n%s  replay: %s%sSEED=%" PRIu64
           "%s%s TRACE=1 build/release/tests/sim/"
           "test_policy_random\n",
           run->seed, run->shape, run->violation, run->waiting,
           run->mode.beyond_margin ? "BEYOND_MARGIN=1 " : "", run->mode.volatile_commits ? "VOLATILE=1 " : "",
           run->seed, keep[0] ? " KEEP=" : "", keep);
}

/* ---- tests ---- */

static double seconds_of_cpu(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void test_seeds(void)
{
    bool one = getenv("SEED") != NULL;
    uint64_t first = from_environment(one ? "SEED" : "FIRST", 1);
    uint64_t seeds = one ? 1 : from_environment("SEEDS", 300);
    struct run run = {.mode = {getenv("BEYOND_MARGIN") != NULL, getenv("VOLATILE") != NULL}};
    struct counts sums = {0};
    double began = seconds_of_cpu(), hours, minutes;
    unsigned bad = 0;

    if (!chaos_choice_read(getenv("KEEP"), getenv("PAUSES"), &run.choice)) {
        CU_FAIL("KEEP or PAUSES cannot be read");
        return;
    }
    for (uint64_t seed = first; seed < first + seeds && bad < from_environment("BAD", 5); seed++) {
        run.seed = seed;
        if (!run_once(&run)) {
            bad++;
            tell_failure(&run);
        }
        counts_sum(&sums, &run.counts);
    }
    CU_ASSERT_EQUAL(bad, 0);
    hours = (double)sums.of[COUNT_SIMULATED_US] / 3.6e9;
    minutes = (seconds_of_cpu() - began) / 60;
    printf("\n  %" PRIu64 " seeds, %.2f hours at %.0f an hour of processor time's minute; %" PRIu64
           " commits acknowledged, %" PRIu64 " openings; %" PRIu64 " served in the end, %" PRIu64
           " rightly did not\n",
           sums.of[COUNT_SEEDS], hours, minutes > 0 ? hours / minutes : 0, sums.of[COUNT_WRITES_ACKNOWLEDGED],
           sums.of[COUNT_OPENINGS], sums.of[COUNT_SERVED], sums.of[COUNT_RIGHTLY_NOT_SERVED]);
    counts_print_if_asked(&sums, COUNT_OF_CLUSTER);
    if (one || seeds < 100)
        return;
    CU_ASSERT_TRUE(sums.of[COUNT_SERVED] > seeds / 2); /* the faults left something to check */
    CU_ASSERT_TRUE(sums.of[COUNT_OPENINGS] > seeds);
}

/* What is beyond the promise must be noticed: the checkers can see. */
static void expect_violation(struct mode mode, const char *invariants)
{
    struct run run = {.mode = mode, .choice = {.all = true, .all_pauses = true}};
    unsigned found = 0;

    if (getenv("SEED") != NULL || getenv("FIRST") != NULL)
        return;
    for (run.seed = 1; run.seed <= 400 && found == 0; run.seed++)
        if (!run_once(&run))
            found +=
                where_in(run.violation)[0] == 'I' && strchr(invariants, where_in(run.violation)[1]) != NULL;
    CU_ASSERT_EQUAL(found, 1);
}

static void test_clocks_beyond_the_margin(void)
{
    expect_violation((struct mode){.beyond_margin = true}, "236");
}

static void test_servers_that_do_not_sync(void)
{
    expect_violation((struct mode){.volatile_commits = true}, "4");
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    suite = CU_add_suite("clusters under random faults", NULL, NULL);
    CU_add_test(suite, "seeds", test_seeds);
    CU_add_test(suite, "clocks beyond the margin are noticed", test_clocks_beyond_the_margin);
    CU_add_test(suite, "servers that do not sync are noticed", test_servers_that_do_not_sync);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
