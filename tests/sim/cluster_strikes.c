/* What can happen to a cluster, and how often it does. */
#include "tests/sim/cluster_strikes.h"
#include "tests/sim/agent.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/database.h"
#include "tests/sim/operator.h"

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

static unsigned some_host(struct cluster *cluster, struct dice *dice)
{
    unsigned data = some_data(cluster, dice), any = cluster_strike_any_host(cluster, dice);

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

static void pause_machine(struct cluster *cluster, struct dice *dice)
{
    unsigned host = some_host(cluster, dice);

    cluster_pause_machine(cluster, host, some_while_us(cluster, dice));
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
        cluster_power_on(cluster, cluster_strike_any_host(cluster, dice));
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
    unsigned from = cluster_strike_any_host(cluster, dice), to = cluster_strike_any_host(cluster, dice);
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
    unsigned from = cluster_strike_any_host(cluster, dice);

    world_cut(cluster->world, from, cluster_strike_any_host(cluster, dice), true);
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
    operator_pause(cluster, dice_between(dice, 1000000, CLUSTER_PAUSE_LONGEST_US));
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
    unsigned host = cluster_strike_any_host(cluster, dice);

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

/* One that is well, mostly: it leaves the sync set for that. */
static void rebuild_any(struct cluster *cluster, struct dice *dice)
{
    operator_rebuild_any(cluster, any_data(cluster, dice));
}

static void drain(struct cluster *cluster, struct dice *dice)
{
    operator_drain(cluster, any_data(cluster, dice));
}

static void cancel(struct cluster *cluster, struct dice *dice)
{
    (void)dice;
    for (unsigned i = 0; i < cluster->data_count; i++)
        if (cluster_aside_find(cluster_check_state(cluster), cluster->world->nodes[i].id))
            operator_cancel(cluster, i);
}

static void break_rebuilds(struct cluster *cluster, struct dice *dice)
{
    cluster->faults.rebuild_fails_permille = (unsigned)dice_between(dice, 0, 1000);
}

static const struct cluster_strike strikes[] = {
    {"a server dies", kill_server, 10, false},
    {"a program dies", kill_program, 14, false},
    {"a program is stopped", stop_program, 6, false},
    {"a host is stopped", stop_host, 5, false},
    {"a machine is paused", pause_machine, 3, false},
    {"power fails", power_off, 9, false},
    {"power returns", power_on, 6, false},
    {"a host is cut off", isolate, 9, false},
    {"the network splits", split, 3, false},
    {"a link is cut", cut_link, 4, false},
    {"messages of one kind are late", delay_messages, 3, false},
    {"the network heals", heal, 9, false},
    {"an applier is held", hold_applier, 4, false},
    {"a server's disk hangs", hang_server_disk, 3, false},
    {"replication is slow", slow_replication, 3, false},
    {"operations fail", disturb_operations, 4, false},
    {"statements hang", hang_statements, 2, false},
    {"an address is refused", refuse_address, 2, false},
    {"a start is refused", refuse_start, 2, false},
    {"an agent crashes in a while", crash_soon, 4, false},
    {"an agent's disk hangs", hang_agents_disk, 2, false},
    {"an agent's disk is slow", slow_agents_disk, 2, false},
    {"an agent's disk is full or fails", spoil_agents_disk, 3, false},
    {"a switchover", ask_switchover, 5, false},
    {"a pause", ask_pause, 2, false},
    {"the end of a pause", ask_resume, 1, false},
    {"an agent is told to stop", tell_to_stop, 3, false},
    {"a forced failover", force, 1, false},
    {"a disaster, and its acceptance", lose_all_but_one, 2, false},
    {"maintenance", maintain, 2, false},
    {"an upgrade", upgrade, 2, false},
    {"a host is lost with its disks, and replaced", replace, 4, false},
    {"replicas are rebuilt", rebuild, 4, false},
    {"a replica is rebuilt", rebuild_any, 3, false},
    {"a replica is drained", drain, 2, false},
    {"a rebuild or drain is cancelled", cancel, 3, false},
    {"rebuilds fail", break_rebuilds, 2, false},
    {"repair", repair, 8, false},
    {"repair, and a calm stretch", repair, 5, true},
};

#define STRIKES (sizeof strikes / sizeof strikes[0])

const struct cluster_strike *cluster_strike_choose(struct dice *dice)
{
    unsigned sum = 0;
    size_t i = 0;
    uint64_t roll;

    for (size_t s = 0; s < STRIKES; s++)
        sum += strikes[s].weight;
    roll = dice_between(dice, 0, sum - 1);
    for (; roll >= strikes[i].weight; i++)
        roll -= strikes[i].weight;
    return &strikes[i];
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
        faults->rebuild_fails_permille = 0;
        world_hang_disk(cluster->world, i, false);
        world_disk_fault(cluster->world, i, WORLD_DISK_WELL, 0);
        if (i < cluster->data_count)
            cluster->hosts[i].server->disk_hangs = false;
        cluster_power_on(cluster, i);
    }
}
