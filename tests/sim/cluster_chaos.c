#include "tests/sim/cluster_chaos.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/agent.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/database.h"
#include "tests/sim/operator.h"

#define PAUSE_LONGEST_US 4000000u

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

/* ---- clusters ---- */

static const struct {
    unsigned data_nodes, arbiters, weight;
} topologies[] = {{1, 0, 10}, {2, 1, 50}, {3, 0, 20}, {5, 0, 12}, {7, 0, 8}};

static void choose_topology(struct dice *dice, struct cluster_config *config)
{
    uint64_t roll = dice_between(dice, 0, 99);
    unsigned i = 0;

    for (; roll >= topologies[i].weight; i++)
        roll -= topologies[i].weight;
    config->world.data_nodes = topologies[i].data_nodes;
    config->world.arbiters = topologies[i].arbiters;
    config->kind = (enum server_kind)dice_between(dice, 0, SERVER_KINDS - 1);
}

/* The profiles of the design, section 10, each with a network and disks that it is meant for. */
static const struct profile {
    uint64_t heartbeat_us, election_us, net_max_us, disk_max_us, write_every_us, hostile_every_us;
    unsigned weight;
} profiles[] = {{20000, 150000, 3000, 2000, 20000, 40000, 25},
                {100000, 1000000, 10000, 10000, 40000, 80000, 50},
                {500000, 5000000, 60000, 20000, 100000, 200000, 25}};

static const struct profile *choose_profile(struct dice *dice)
{
    uint64_t roll = dice_between(dice, 0, 99);
    unsigned i = 0;

    for (; roll >= profiles[i].weight; i++)
        roll -= profiles[i].weight;
    return &profiles[i];
}

struct cluster_config cluster_chaos_config(uint64_t seed)
{
    struct dice dice = dice_of(seed, 0);
    struct cluster_config config = cluster_default_config(2, 1);
    const struct profile *profile = choose_profile(&dice);

    choose_topology(&dice, &config);
    config.world.seed = seed;
    config.world.heartbeat_us = profile->heartbeat_us;
    config.world.election_us = profile->election_us;
    config.world.net_min_us = 50;
    config.world.net_max_us = dice_between(&dice, 100, profile->net_max_us);
    config.world.loss_permille = dice_chance(&dice, 300) ? (unsigned)dice_between(&dice, 0, 50) : 0;
    config.world.duplicate_permille = dice_chance(&dice, 300) ? (unsigned)dice_between(&dice, 0, 50) : 0;
    config.world.reorder = dice_chance(&dice, 200);
    config.world.has_membership = true;
    config.world.compact_every = dice_chance(&dice, 600) ? (unsigned)dice_between(&dice, 4, 60) : 0;
    config.world.disk_min_us = 50;
    config.world.disk_max_us = dice_between(&dice, 100, profile->disk_max_us);
    config.world.clock_ppm_max = (unsigned)dice_between(&dice, 0, 20000);
    config.has_vip = !dice_chance(&dice, 100);
    config.probe_timeout_us = dice_chance(&dice, 500) ? 500000 : 2000000;
    config.op_min_us = 50;
    config.op_max_us = dice_between(&dice, 200, 3000);
    config.apply_max_us = dice_between(&dice, 200, 5000);
    config.write_every_us = profile->write_every_us;
    config.hostile_every_us = profile->hostile_every_us;
    return config;
}

/* ---- who ---- */

static unsigned any_data(struct cluster *cluster, struct dice *dice)
{
    return (unsigned)dice_between(dice, 0, cluster->data_count - 1);
}

/* Mostly where it hurts. */
static unsigned some_data(struct cluster *cluster, struct dice *dice)
{
    unsigned leader = world_leader(cluster->world), any = any_data(cluster, dice);

    return dice_chance(dice, 600) && leader < cluster->data_count ? leader : any;
}

static unsigned any_host(struct cluster *cluster, struct dice *dice)
{
    return (unsigned)dice_between(dice, 0, cluster->world->node_count - 1);
}

static unsigned some_host(struct cluster *cluster, struct dice *dice)
{
    unsigned data = some_data(cluster, dice), any = any_host(cluster, dice);

    return dice_chance(dice, 700) ? data : any;
}

static uint64_t some_while_us(struct cluster *cluster, struct dice *dice)
{
    return dice_between(dice, 1000, 3 * cluster->world->config.election_us);
}

/* ---- what ---- */

static void kill_server(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);

    if (dice_chance(dice, 150))
        cluster_kill(cluster, host, PROCESS_WORKER);
    if (dice_chance(dice, 150))
        cluster_restart_server(cluster, host);
    else
        cluster_kill(cluster, host, PROCESS_SERVER);
}

static void kill_program(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_host(cluster, dice);
    enum process process = (enum process)dice_between(dice, PROCESS_AGENT, PROCESS_VIPD);

    cluster_kill(cluster, host, host < cluster->data_count ? process : PROCESS_AGENT);
}

static void stop_program(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_host(cluster, dice);
    enum process process = (enum process)dice_between(dice, PROCESS_AGENT, PROCESS_SERVER);

    cluster_stop(cluster, host, host < cluster->data_count ? process : PROCESS_AGENT,
                 some_while_us(cluster, dice));
}

static void stop_host(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);

    cluster_stop_host(cluster, host, some_while_us(cluster, dice));
}

static void power_off(struct cluster *cluster, struct dice *dice)
{
    cluster_power_off(cluster, some_host(cluster, dice));
    if (dice_chance(dice, 100))
        cluster_power_off(cluster, some_host(cluster, dice));
}

static void power_on(struct cluster *cluster, struct dice *dice)
{
    for (unsigned i = 0; i < 1 + cluster->world->node_count / 2; i++)
        cluster_power_on(cluster, any_host(cluster, dice));
}

static void isolate(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_host(cluster, dice);
    bool in = dice_chance(dice, 700), out = dice_chance(dice, 700);

    for (unsigned i = 0; i < cluster->world->node_count; i++) {
        if (i == host)
            continue;
        world_cut(cluster->world, i, host, cluster->world->cut[i][host] || in);
        world_cut(cluster->world, host, i, cluster->world->cut[host][i] || out);
    }
}

/* Two sides that do not hear each other. */
static void split(struct cluster *cluster, struct dice *dice)
{
    uint64_t side = dice_next(dice);

    for (unsigned a = 0; a < cluster->world->node_count; a++)
        for (unsigned b = 0; b < cluster->world->node_count; b++)
            if ((side >> a & 1) != (side >> b & 1))
                world_cut(cluster->world, a, b, true);
}

static void delay_messages(struct cluster *cluster, struct dice *dice)
{
    unsigned from = any_host(cluster, dice), to = any_host(cluster, dice);
    struct world_rule rule = {.kind = (enum raft_message_kind)dice_between(dice, 0, RAFT_TIMEOUT_NOW),
                              .from = from,
                              .to = to,
                              .action = WORLD_DELAY,
                              .delay_us = dice_between(dice, 1, 2 * cluster->world->config.election_us)};

    if (from != to)
        world_add_rule(cluster->world, &rule);
}

static void cut_link(struct cluster *cluster, struct dice *dice)
{
    unsigned from = any_host(cluster, dice);

    world_cut(cluster->world, from, any_host(cluster, dice), true);
}

static void heal(struct cluster *cluster, struct dice *dice)
{
    (void)dice;
    world_heal(cluster->world);
}

static void hold_applier(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);

    cluster->hosts[host].server->applier_held_until_us =
        cluster->world->now_us + some_while_us(cluster, dice);
}

static void hang_server_disk(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);
    bool hangs = dice_chance(dice, 600);

    counts_add(&cluster->world->counts, COUNT_SERVER_DISK_HUNG,
               hangs && cluster_runs(cluster, host, PROCESS_SERVER));
    cluster->hosts[host].server->disk_hangs = hangs;
}

static void slow_replication(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);

    cluster->faults.replication_delay_us[host] = dice_between(dice, 0, 300000);
}

static void disturb_operations(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);
    enum policy_db_op op = (enum policy_db_op)dice_between(dice, DB_OP_CLOSE, POLICY_DB_OPS - 1);

    cluster->faults.op_fails_permille[host][op] =
        dice_chance(dice, 500) ? 0 : (unsigned)dice_between(dice, 100, 1000);
}

static void hang_statements(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);
    bool hangs = dice_chance(dice, 600), long_ones = dice_chance(dice, 200);

    cluster->faults.statement_hangs_us[host] =
        hangs ? dice_between(dice, 10000, long_ones ? 15000000 : 1000000) : 0;
}

static void refuse_address(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);

    cluster->faults.vip_refused[host] = !cluster->faults.vip_refused[host];
}

static void refuse_start(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);

    cluster->faults.start_fails[host] = !cluster->faults.start_fails[host];
}

static void crash_soon(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);

    world_crash_after(cluster->world, host, dice_between(dice, 1, 30), 500);
}

static void hang_agents_disk(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_host(cluster, dice);

    world_hang_disk(cluster->world, host, dice_chance(dice, 700));
}

static void slow_agents_disk(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_host(cluster, dice);

    world_disk_fault(cluster->world, host, WORLD_DISK_SLOW,
                     dice_between(dice, 1, 3 * cluster->world->config.heartbeat_us));
}

static void spoil_agents_disk(struct cluster *cluster, struct dice *dice)
{
    static const enum world_disk_fault faults[] = {WORLD_DISK_FULL, WORLD_DISK_WRITE_ERROR,
                                                   WORLD_DISK_SYNC_ERROR};
    unsigned host = some_host(cluster, dice);

    world_disk_fault(cluster->world, host, faults[dice_between(dice, 0, 2)], dice_between(dice, 0, 2048));
}

static void repair(struct cluster *cluster, struct dice *dice)
{
    (void)dice;
    cluster_chaos_repair(cluster);
}

static void ask_switchover(struct cluster *cluster, struct dice *dice)
{
    unsigned to = dice_chance(dice, 500) ? cluster->world->node_count : any_data(cluster, dice);

    operator_switchover(cluster, to, dice_between(dice, 100000, 2000000));
}

static void ask_pause(struct cluster *cluster, struct dice *dice)
{
    operator_pause(cluster, dice_between(dice, 1000000, PAUSE_LONGEST_US));
}

static void ask_resume(struct cluster *cluster, struct dice *dice)
{
    (void)dice;
    operator_resume(cluster);
}

static void tell_to_stop(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_data(cluster, dice);

    if (!cluster_runs(cluster, host, PROCESS_AGENT))
        return;
    counts_add(&cluster->world->counts, COUNT_TOLD_TO_STOP, 1);
    agent_tell_to_stop(cluster, host);
}

static void force(struct cluster *cluster, struct dice *dice)
{
    operator_force(cluster, any_data(cluster, dice));
}

static void lose_all_but_one(struct cluster *cluster, struct dice *dice)
{
    operator_disaster(cluster, any_data(cluster, dice));
}

static void maintain(struct cluster *cluster, struct dice *dice)
{
    unsigned host = any_host(cluster, dice);

    operator_maintain(cluster, host, some_while_us(cluster, dice));
}

static void replace(struct cluster *cluster, struct dice *dice)
{
    operator_replace(cluster, some_host(cluster, dice));
}

static void upgrade(struct cluster *cluster, struct dice *dice)
{
    operator_upgrade(cluster, dice_between(dice, 1, 6) * cluster->world->config.election_us);
}

static void rebuild(struct cluster *cluster, struct dice *dice)
{
    (void)dice;
    for (unsigned i = 0; i < cluster->data_count; i++)
        operator_rebuild(cluster, i);
}

static const struct {
    const char *what;
    void (*strike)(struct cluster *cluster, struct dice *dice);
    unsigned weight;
} strikes[] = {
    {"a server dies", kill_server, 10},
    {"a program dies", kill_program, 14},
    {"a program is stopped", stop_program, 6},
    {"a host is stopped", stop_host, 5},
    {"power fails", power_off, 9},
    {"power returns", power_on, 6},
    {"a host is cut off", isolate, 9},
    {"the network splits", split, 3},
    {"a link is cut", cut_link, 4},
    {"messages of one kind are late", delay_messages, 3},
    {"the network heals", heal, 9},
    {"an applier is held", hold_applier, 4},
    {"a server's disk hangs", hang_server_disk, 3},
    {"replication is slow", slow_replication, 3},
    {"operations fail", disturb_operations, 4},
    {"statements hang", hang_statements, 2},
    {"an address is refused", refuse_address, 2},
    {"a start is refused", refuse_start, 2},
    {"an agent crashes in a while", crash_soon, 4},
    {"an agent's disk hangs", hang_agents_disk, 2},
    {"an agent's disk is slow", slow_agents_disk, 2},
    {"an agent's disk is full or fails", spoil_agents_disk, 3},
    {"a switchover", ask_switchover, 5},
    {"a pause", ask_pause, 2},
    {"the end of a pause", ask_resume, 1},
    {"an agent is told to stop", tell_to_stop, 3},
    {"a forced failover", force, 1},
    {"a disaster, and its acceptance", lose_all_but_one, 2},
    {"maintenance", maintain, 2},
    {"an upgrade", upgrade, 2},
    {"a host is lost with its disks, and replaced", replace, 4},
    {"replicas are rebuilt", rebuild, 4},
    {"repair", repair, 8},
    {"repair, and a calm stretch", repair, 5},
};

#define STRIKES (sizeof strikes / sizeof strikes[0])
#define STRIKE_CALM (STRIKES - 1)

static size_t choose_strike(struct dice *dice)
{
    unsigned sum = 0;
    size_t i = 0;
    uint64_t roll;

    for (size_t s = 0; s < STRIKES; s++)
        sum += strikes[s].weight;
    roll = dice_between(dice, 0, sum - 1);
    for (; roll >= strikes[i].weight; i++)
        roll -= strikes[i].weight;
    return i;
}

void cluster_chaos_repair(struct cluster *cluster)
{
    struct cluster_faults *faults = &cluster->faults;

    world_heal(cluster->world);
    for (unsigned i = 0; i < cluster->world->node_count; i++) {
        for (unsigned op = 0; op < POLICY_DB_OPS; op++)
            faults->op_fails_permille[i][op] = 0;
        faults->replication_delay_us[i] = faults->statement_hangs_us[i] = 0;
        faults->vip_refused[i] = faults->start_fails[i] = false;
        world_hang_disk(cluster->world, i, false);
        world_disk_fault(cluster->world, i, WORLD_DISK_WELL, 0);
        if (i < cluster->data_count)
            cluster->hosts[i].server->disk_hangs = false;
        cluster_power_on(cluster, i);
    }
}

/* ---- a run ---- */

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

void cluster_chaos_begin(struct cluster *cluster, struct chaos *chaos)
{
    struct dice dice = dice_of(chaos->seed, CHAOS_DECISIONS_MAX + 2);
    struct world *world = cluster->world;

    for (unsigned i = 0; i < world->node_count; i++)
        cluster_power_on(cluster, i);
    if (dice_chance(&dice, 700))
        operator_tend(cluster, dice_between(&dice, 2, 8) * world->config.election_us);
    if (dice_chance(&dice, 900))
        world_run(world, world->now_us + 4000000 + 3 * world->config.election_us);
}

struct decision {
    struct dice dice;
    uint64_t pause_us;
    size_t strike;
};

static struct decision decide(const struct chaos *chaos, unsigned number)
{
    struct decision decision = {.dice = dice_of(chaos->seed, number)};
    uint64_t pause_us = dice_between(&decision.dice, 1, chaos->pause_us);
    uint64_t calm_us = dice_between(&decision.dice, 1000000, 20000000);

    decision.strike = choose_strike(&decision.dice);
    decision.pause_us = decision.strike == STRIKE_CALM ? calm_us : pause_us;
    return decision;
}

void cluster_chaos_strike(struct cluster *cluster, const struct chaos *chaos, unsigned number)
{
    struct decision decision = decide(chaos, number);

    cluster_trace_all(cluster, "---- %u: %s", number, strikes[decision.strike].what);
    strikes[decision.strike].strike(cluster, &decision.dice);
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
        unsigned lost = any_host(cluster, &dice);
        cluster_trace_all(cluster, "---- %u: a host is lost for good", chaos->decisions + 1);
        cluster->faults.agent_stays_down[lost] = true;
        cluster_power_off(cluster, lost);
    }
}

uint64_t cluster_chaos_patience_us(const struct cluster *cluster)
{
    return 12 * cluster->world->config.election_us + 3 * cluster->config.probe_timeout_us + 8000000 +
           (cluster_check_state(cluster)->pause.id ? 2 * PAUSE_LONGEST_US : 0);
}
