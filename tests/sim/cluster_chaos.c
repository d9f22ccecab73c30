#include "tests/sim/cluster_chaos.h"

#include <ctype.h>
#include <stdlib.h>

#include "tests/sim/cluster_check.h"
#include "tests/sim/cluster_strikes.h"
#include "tests/sim/database.h"
#include "tests/sim/operator.h"

#define DRAIN_US 1500000u /* of what was received, at the slowest applier's pace */

/* false: not like 1,4,7-9. */
static bool read_numbers(const char *text, bool numbers[CHAOS_DECISIONS_MAX + 1])
{
    while (*text != '\0') {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (!isdigit((unsigned char)*text))
            return false;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        for (unsigned long i = first; i <= last && i <= CHAOS_DECISIONS_MAX; i++)
            numbers[i] = true;
        text = *end == ',' ? end + 1 : end;
    }
    return true;
}

bool chaos_choice_read(const char *keep, const char *pauses, struct chaos_choice *choice)
{
    *choice = (struct chaos_choice){.all = keep == NULL || *keep == '\0',
                                    .all_pauses = pauses == NULL || *pauses == '\0'};
    return (choice->all || read_numbers(keep, choice->keeps)) &&
           (choice->all_pauses || read_numbers(pauses, choice->keeps_pause));
}

bool chaos_keeps_pause(const struct chaos_choice *choice, unsigned number)
{
    return choice->all_pauses || (number <= CHAOS_DECISIONS_MAX && choice->keeps_pause[number]);
}

static bool keeps(const struct chaos *chaos, unsigned number)
{
    return chaos->choice->all || (number <= CHAOS_DECISIONS_MAX && chaos->choice->keeps[number]);
}

void cluster_chaos_init(struct chaos *chaos, uint64_t seed, const struct chaos_choice *choice,
                        const struct cluster *cluster)
{
    struct dice dice = dice_of(seed, CHAOS_DECISIONS_MAX + 1);
    const struct world_config *config = &cluster->world->config;

    *chaos = (struct chaos){.seed = seed, .choice = choice, .next = 1};
    chaos->decisions = (unsigned)dice_between(&dice, 3, 25);
    chaos->pause_us = dice_between(&dice, config->heartbeat_us / 4, 6 * config->election_us);
}

/* Mostly all servers are empty; one may have data, or serve already, with replicas of its own. */
static void choose_first_start(struct cluster *cluster, struct dice *dice)
{
    unsigned first = (unsigned)dice_between(dice, 0, cluster->data_count - 1);
    unsigned rows = (unsigned)dice_between(dice, 1, 20);
    bool had_data = dice_chance(dice, 200), serves = dice_chance(dice, 400);

    if (!had_data || cluster->config.kind == SERVER_NAMED_WAIT)
        return;
    server_had_data(cluster, first, rows);
    counts_add(&cluster->world->counts, COUNT_HAD_DATA, 1);
    if (!serves)
        return;
    counts_add(&cluster->world->counts, COUNT_TOOK_OVER_PAIR, 1);
    server_runs_already(cluster, first, true, first);
    for (unsigned i = 0; i < cluster->data_count; i++)
        if (i != first && dice_chance(dice, 700))
            server_runs_already(cluster, i, false, first);
}

void cluster_chaos_begin(struct cluster *cluster, struct chaos *chaos)
{
    struct dice dice = dice_of(chaos->seed, CHAOS_DECISIONS_MAX + 2);
    struct world *world = cluster->world;

    for (unsigned i = 0; i < world->node_count; i++)
        cluster_power_on(cluster, i);
    choose_first_start(cluster, &dice);
    if (dice_chance(&dice, 700))
        operator_tend(cluster, dice_between(&dice, 2, 8) * world->config.election_us);
    if (dice_chance(&dice, 900))
        world_run(world, world->now_us + 4000000 + 3 * world->config.election_us);
}

struct decision {
    struct dice dice;
    uint64_t pause_us;
    const struct cluster_strike *strike;
};

static struct decision decide(const struct chaos *chaos, unsigned number)
{
    struct decision decision = {.dice = dice_of(chaos->seed, number)};
    uint64_t pause_us = dice_between(&decision.dice, 1, chaos->pause_us);
    uint64_t calm_us = dice_between(&decision.dice, 1000000, 20000000);

    decision.strike = cluster_strike_choose(&decision.dice);
    decision.pause_us = decision.strike->calm ? calm_us : pause_us;
    return decision;
}

void cluster_chaos_strike(struct cluster *cluster, const struct chaos *chaos, unsigned number)
{
    struct decision decision = decide(chaos, number);

    cluster_trace_all(cluster, "---- %u: %s", number, decision.strike->what);
    decision.strike->strike(cluster, &decision.dice);
    cluster_check_step(cluster);
}

bool cluster_chaos_step(struct cluster *cluster, struct chaos *chaos)
{
    if (chaos->next > chaos->decisions || cluster->world->violation[0] != '\0')
        return false;
    if (keeps(chaos, chaos->next))
        cluster_chaos_strike(cluster, chaos, chaos->next);
    unsigned number = chaos->next++;
    return !chaos_keeps_pause(chaos->choice, number) ||
           world_run(cluster->world, cluster->world->now_us + decide(chaos, number).pause_us);
}

void cluster_chaos_end(struct cluster *cluster, struct chaos *chaos)
{
    struct dice dice = dice_of(chaos->seed, chaos->decisions + 1);
    struct world *world = cluster->world;

    cluster->calm = true;
    cluster_trace_all(cluster, "---- the faults are over");
    cluster_chaos_repair(cluster);
    world->config.loss_permille = 0;
    cluster->config.world.loss_permille = 0;
    for (unsigned i = 0; i < world->node_count; i++) {
        world->nodes[i].crash_in_steps = 0;
        if (i < cluster->data_count)
            cluster->hosts[i].server->applier_held_until_us = 0;
    }
    if (cluster->data_count > 1 && dice_chance(&dice, 400) && keeps(chaos, chaos->decisions + 1)) {
        unsigned lost = cluster_strike_any_host(cluster, &dice);
        cluster_trace_all(cluster, "---- %u: a host is lost for good", chaos->decisions + 1);
        cluster->faults.agent_stays_down[lost] = true;
        cluster_power_off(cluster, lost);
    }
}

uint64_t cluster_chaos_patience_us(const struct cluster *cluster)
{
    const struct world *world = cluster->world;
    uint64_t patience_us = 5 * world->config.election_us; /* I8 */

    /* What had begun before the faults ended goes on: a pause, statements that hang. */
    if (cluster_check_state(cluster)->pause.id)
        patience_us += 2 * CLUSTER_PAUSE_LONGEST_US;
    if (cluster->hangs_until_us > world->now_us)
        patience_us += cluster->hangs_until_us - world->now_us;
    /* A server that hangs is found out, ended and started again, and another if that one fails. */
    return patience_us + 2 * (cluster->config.probe_timeout_us + cluster->config.start_max_us) + DRAIN_US;
}
