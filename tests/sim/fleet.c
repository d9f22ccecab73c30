#include "tests/sim/fleet.h"

#include <assert.h>
#include <stdlib.h>

#include "tests/sim/cluster_check.h"
#include "tests/sim/database.h"

#define QUIET_GAP_US \
    250000u /* what a client of a quiet cluster may wait, beside its own pace and the network */

struct fleet *fleet_new(uint64_t seed, const struct chaos_choice *choice)
{
    struct dice dice = dice_of(seed, 0);
    struct fleet *fleet = calloc(1, sizeof *fleet);

    assert(fleet != NULL);
    fleet->seed = seed;
    fleet->choice = choice;
    fleet->count = (unsigned)dice_between(&dice, 4, FLEET_MAX);
    fleet->decisions = (unsigned)dice_between(&dice, 10, 40);
    fleet->next = 1;
    for (unsigned i = 0; i < fleet->count; i++) {
        struct cluster_config config = cluster_chaos_config(dice_next(&dice));
        fleet->quiet[i] = i == 0 || dice_chance(&dice, 600);
        config.world.data_nodes = 2;
        config.world.arbiters = 1;
        if (fleet->quiet[i])
            config.world.loss_permille = config.world.duplicate_permille = 0;
        fleet->clusters[i] = cluster_new(&config);
        cluster_chaos_init(&fleet->chaos[i], config.world.seed, choice, fleet->clusters[i]);
    }
    return fleet;
}

void fleet_free(struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->count; i++)
        cluster_free(fleet->clusters[i]);
    free(fleet);
}

/* NULL: all went on for so long. Nothing goes from one cluster to another, so one after the other will do. */
static struct cluster *run_all(struct fleet *fleet, uint64_t for_us)
{
    for (unsigned i = 0; i < fleet->count; i++) {
        struct world *world = fleet->clusters[i]->world;
        if (!world_run(world, world->now_us + for_us))
            return fleet->clusters[i];
    }
    return NULL;
}

/* ---- the arbiter: one process on one host ---- */

enum arbiter_fault {
    KILLED,
    STOPPED,
    DISK_HUNG,
    DISK_WELL,
    CUT_OFF,
    HEARD_AGAIN,
    POWER_OFF,
    POWER_ON,
    FAULTS
};

static void strike_arbiter(struct fleet *fleet, enum arbiter_fault fault, uint64_t for_us)
{
    for (unsigned i = 0; i < fleet->count; i++) {
        struct cluster *cluster = fleet->clusters[i];
        struct world *world = cluster->world;
        unsigned arbiter = cluster->data_count;
        switch (fault) {
        case KILLED:
            cluster_kill(cluster, arbiter, PROCESS_AGENT);
            break;
        case STOPPED:
            cluster_stop(cluster, arbiter, PROCESS_AGENT, for_us);
            break;
        case DISK_HUNG:
        case DISK_WELL:
            world_hang_disk(world, arbiter, fault == DISK_HUNG);
            break;
        case CUT_OFF:
        case HEARD_AGAIN:
            for (unsigned a = 0; a < cluster->data_count; a++) {
                world_cut(world, a, arbiter, fault == CUT_OFF);
                world_cut(world, arbiter, a, fault == CUT_OFF);
            }
            break;
        case POWER_OFF:
            cluster_power_off(cluster, arbiter);
            break;
        default:
            cluster_power_on(cluster, arbiter);
        }
    }
}

/* ---- the quiet ones ---- */

static void expect_serving(struct cluster *cluster)
{
    if (cluster_serving(cluster) == cluster->world->node_count)
        world_violate(cluster->world, "I8: nobody serves, though this cluster had no faults of its own");
}

static void expect_undisturbed(struct cluster *cluster)
{
    if (cluster_check_changes(cluster) > 0)
        world_violate(cluster->world, "I8: another cluster's or the arbiter's trouble has moved the primary");
    if (cluster_check_gap_us(cluster) >
        QUIET_GAP_US + 2 * cluster->config.write_every_us + 4 * cluster->config.world.net_max_us)
        world_violate(cluster->world,
                      "I8: clients waited for %.3f s for another cluster's or the arbiter's trouble",
                      (double)cluster_check_gap_us(cluster) / 1e6);
}

static struct cluster *check_quiet(struct fleet *fleet, void (*check)(struct cluster *cluster))
{
    for (unsigned i = 0; i < fleet->count; i++) {
        if (fleet->quiet[i])
            check(fleet->clusters[i]);
        if (fleet->clusters[i]->world->violation[0] != '\0')
            return fleet->clusters[i];
    }
    return NULL;
}

/* ---- a run ---- */

static struct cluster *begin(struct fleet *fleet)
{
    struct cluster *bad;

    for (unsigned i = 0; i < fleet->count; i++)
        for (unsigned host = 0; host < fleet->clusters[i]->world->node_count; host++)
            cluster_power_on(fleet->clusters[i], host);
    bad = run_all(fleet, 12000000);
    if (bad == NULL)
        bad = check_quiet(fleet, expect_serving);
    for (unsigned i = 0; i < fleet->count; i++)
        cluster_check_mark(fleet->clusters[i]);
    return bad;
}

static void end(struct fleet *fleet)
{
    strike_arbiter(fleet, HEARD_AGAIN, 0);
    strike_arbiter(fleet, DISK_WELL, 0);
    strike_arbiter(fleet, POWER_ON, 0);
    for (unsigned i = 0; i < fleet->count; i++)
        if (!fleet->quiet[i])
            cluster_chaos_end(fleet->clusters[i], &fleet->chaos[i]);
}

struct cluster *fleet_run(struct fleet *fleet)
{
    struct cluster *bad = begin(fleet);

    for (; bad == NULL && fleet->next <= fleet->decisions; fleet->next++) {
        struct dice dice = dice_of(fleet->seed, fleet->next);
        uint64_t pause_us = dice_between(&dice, 10000, 3000000);
        enum arbiter_fault fault = (enum arbiter_fault)dice_between(&dice, 0, FAULTS - 1);
        unsigned other = (unsigned)dice_between(&dice, 0, fleet->count - 1);
        bool of_arbiter = dice_chance(&dice, 500);
        bool kept =
            fleet->choice->all || (fleet->next <= CHAOS_DECISIONS_MAX && fleet->choice->keeps[fleet->next]);
        if (kept && of_arbiter) {
            cluster_trace_all(fleet->clusters[0], "---- %u: arbiter, fault %d", fleet->next, fault);
            strike_arbiter(fleet, fault, dice_between(&dice, 1000, 3000000));
        } else if (kept && !fleet->quiet[other]) {
            cluster_chaos_strike(fleet->clusters[other], &fleet->chaos[other], fleet->next);
        }
        if (chaos_keeps_pause(fleet->choice, fleet->next))
            bad = run_all(fleet, pause_us);
        if (bad == NULL)
            bad = check_quiet(fleet, expect_undisturbed);
    }
    if (bad == NULL) {
        end(fleet);
        bad = run_all(fleet, 1000000);
    }
    if (bad == NULL)
        bad = check_quiet(fleet, expect_undisturbed);
    for (unsigned i = 0; bad == NULL && i < fleet->count; i++)
        counts_add(&fleet->clusters[i]->world->counts, COUNT_UNDISTURBED, fleet->quiet[i]);
    return bad;
}
