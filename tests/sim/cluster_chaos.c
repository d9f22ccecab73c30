#include "tests/sim/cluster_chaos.h"

#include <stdio.h>

#include "tests/sim/agent.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/database.h"

#define PAUSE_LONGEST_US 4000000u

struct cluster_config cluster_chaos_config(uint64_t seed)
{
    struct world dice = {.dice.state = seed ^ 0x636c7573746572u};
    static const unsigned topologies[][2] = {{2, 1}, {2, 1}, {2, 1}, {1, 0}};
    const unsigned *topology = topologies[seed % 4];
    struct cluster_config config = cluster_default_config(topology[0], topology[1]);
    bool fast = world_chance(&dice, 700);

    config.world.seed = seed;
    config.world.heartbeat_us = fast ? 20000 : 100000;
    config.world.election_us = fast ? 150000 : 1000000;
    config.world.net_min_us = 50;
    config.world.net_max_us = world_between(&dice, 100, fast ? 3000 : 10000);
    config.world.loss_permille = world_chance(&dice, 300) ? (unsigned)world_between(&dice, 0, 50) : 0;
    config.world.duplicate_permille = world_chance(&dice, 300) ? (unsigned)world_between(&dice, 0, 50) : 0;
    config.world.disk_min_us = 50;
    config.world.disk_max_us = world_between(&dice, 100, fast ? 2000 : 10000);
    config.world.clock_ppm_max = (unsigned)world_between(&dice, 0, 20000);
    config.has_vip = !world_chance(&dice, 100);
    config.probe_timeout_us = world_chance(&dice, 500) ? 500000 : 2000000;
    config.op_min_us = 50;
    config.op_max_us = world_between(&dice, 200, 3000);
    config.apply_max_us = world_between(&dice, 200, 5000);
    config.write_every_us = 20000;
    config.hostile_every_us = 40000;
    return config;
}

static unsigned any_data(struct cluster *cluster)
{
    return (unsigned)world_between(cluster->world, 0, cluster->data_count - 1);
}

/* Mostly where it hurts. */
static unsigned some_data(struct cluster *cluster)
{
    unsigned leader = world_leader(cluster->world);

    return leader < cluster->data_count && world_chance(cluster->world, 600) ? leader : any_data(cluster);
}

static unsigned any_host(struct cluster *cluster)
{
    return (unsigned)world_between(cluster->world, 0, cluster->world->node_count - 1);
}

static uint64_t some_while_us(struct cluster *cluster)
{
    return world_between(cluster->world, 1000, 3 * cluster->world->config.election_us);
}

static void isolate(struct cluster *cluster, unsigned host)
{
    bool in = world_chance(cluster->world, 700), out = world_chance(cluster->world, 700);

    for (unsigned i = 0; i < cluster->world->node_count; i++) {
        if (i == host)
            continue;
        world_cut(cluster->world, i, host, cluster->world->cut[i][host] || in);
        world_cut(cluster->world, host, i, cluster->world->cut[host][i] || out);
    }
}

static void ask_leader(struct cluster *cluster)
{
    unsigned leader = world_leader(cluster->world);
    char error[256];

    if (leader >= cluster->data_count || cluster_stopped(cluster, leader, PROCESS_AGENT))
        return;
    switch (world_between(cluster->world, 0, 7)) {
    case 0:
        agent_request(cluster, leader, REQUEST_PAUSE, cluster->world->node_count,
                      world_between(cluster->world, 1000000, PAUSE_LONGEST_US), error, sizeof error);
        break;
    case 1:
        agent_request(cluster, leader, REQUEST_RESUME, cluster->world->node_count, 0, error, sizeof error);
        break;
    case 2:
    case 3:
        agent_tell_to_stop(cluster, leader);
        break;
    default:
        agent_request(cluster, leader, REQUEST_SWITCHOVER, cluster->world->node_count,
                      world_between(cluster->world, 100000, 2000000), error, sizeof error);
    }
}

static void disturb_operations(struct cluster *cluster)
{
    unsigned host = some_data(cluster);
    enum policy_db_op op = (enum policy_db_op)world_between(cluster->world, DB_OP_CLOSE, POLICY_DB_OPS - 1);

    cluster->faults.op_fails_permille[host][op] =
        world_chance(cluster->world, 500) ? 0 : (unsigned)world_between(cluster->world, 100, 1000);
}

static void repair(struct cluster *cluster)
{
    world_heal(cluster->world);
    for (unsigned i = 0; i < cluster->world->node_count; i++) {
        for (unsigned op = 0; op < POLICY_DB_OPS; op++)
            cluster->faults.op_fails_permille[i][op] = 0;
        cluster->faults.replication_delay_us[i] = 0;
        cluster->faults.vip_refused[i] = cluster->faults.start_fails[i] = false;
        world_hang_disk(cluster->world, i, false);
        if (i < cluster->data_count)
            cluster->hosts[i].server->disk_hangs = false;
        cluster_power_on(cluster, i);
    }
}

static void strike(struct cluster *cluster)
{
    struct world *world = cluster->world;
    unsigned data = some_data(cluster), host = any_host(cluster);

    switch (world_between(world, 0, 21)) {
    case 0:
        cluster_kill(cluster, data, PROCESS_SERVER);
        break;
    case 1:
        if (world_chance(world, 300))
            cluster_kill(cluster, data, PROCESS_WORKER);
        if (world_chance(world, 300))
            cluster_restart_server(cluster, data);
        else
            cluster_kill(cluster, data, PROCESS_SERVER);
        break;
    case 2:
        cluster_kill(cluster, data, PROCESS_AGENT);
        break;
    case 3:
        cluster_kill(cluster, data, PROCESS_WORKER);
        break;
    case 4:
        cluster_kill(cluster, data, PROCESS_VIPD);
        break;
    case 5:
        cluster_stop(cluster, data, (enum process)world_between(world, PROCESS_AGENT, PROCESS_SERVER),
                     some_while_us(cluster));
        break;
    case 6:
        cluster_stop_host(cluster, data, some_while_us(cluster));
        break;
    case 7:
    case 8:
        host = world_chance(world, 700) ? data : host;
        cluster_power_off(cluster, host);
        break;
    case 9:
        cluster_power_on(cluster, any_host(cluster));
        cluster_power_on(cluster, any_host(cluster));
        break;
    case 10:
    case 11:
        isolate(cluster, world_chance(world, 700) ? data : host);
        break;
    case 12:
        world_cut(world, any_host(cluster), any_host(cluster), true);
        break;
    case 13:
    case 14:
        world_heal(world);
        break;
    case 15:
        cluster->hosts[data].server->applier_held_until_us = world->now_us + some_while_us(cluster);
        break;
    case 16:
        if (world_chance(world, 500))
            cluster->hosts[data].server->disk_hangs = world_chance(world, 500);
        else
            cluster->faults.replication_delay_us[data] = world_between(world, 0, 300000);
        break;
    case 17:
        disturb_operations(cluster);
        break;
    case 18:
        if (world_chance(world, 500))
            cluster->faults.vip_refused[data] = !cluster->faults.vip_refused[data];
        else
            cluster->faults.start_fails[data] = !cluster->faults.start_fails[data];
        break;
    case 19:
        ask_leader(cluster);
        break;
    case 20:
        world_crash_after(world, data, world_between(world, 1, 30), 500);
        break;
    default:
        repair(cluster);
        break;
    }
    cluster_check_step(cluster);
}

void cluster_chaos_begin(struct cluster *cluster)
{
    struct world *world = cluster->world;

    for (unsigned i = 0; i < world->node_count; i++)
        cluster_power_on(cluster, i);
    if (world_chance(world, 900))
        world_run(world, world->now_us + 4000000 + 3 * world->config.election_us);
}

void cluster_chaos_run(struct cluster *cluster)
{
    struct world *world = cluster->world;
    unsigned strikes = (unsigned)world_between(world, 3, 25);
    uint64_t pause_us = world_between(world, world->config.heartbeat_us / 4, 6 * world->config.election_us);

    for (unsigned i = 0; i < strikes && world->violation[0] == '\0'; i++) {
        strike(cluster);
        world_run(world, world->now_us + world_between(world, 1, pause_us));
        if (world_chance(world, 150)) {
            repair(cluster);
            world_run(world, world->now_us + world_between(world, 1, 4000000));
        }
    }
}

void cluster_chaos_end(struct cluster *cluster)
{
    struct world *world = cluster->world;

    repair(cluster);
    world->config.loss_permille = 0;
    cluster->config.world.loss_permille = 0;
    for (unsigned i = 0; i < world->node_count; i++) {
        world->nodes[i].crash_in_steps = 0;
        world->nodes[i].disk.max_us = world->config.disk_max_us;
        if (i < cluster->data_count)
            cluster->hosts[i].server->applier_held_until_us = 0;
    }
    if (cluster->data_count > 1 && world_chance(world, 400)) {
        unsigned lost = any_host(cluster);
        cluster->faults.agent_stays_down[lost] = true;
        cluster_power_off(cluster, lost);
    }
}

uint64_t cluster_chaos_patience_us(const struct cluster *cluster)
{
    return 12 * cluster->world->config.election_us + 3 * cluster->config.probe_timeout_us + 8000000 +
           (cluster_check_state(cluster)->pause.id ? 2 * PAUSE_LONGEST_US : 0);
}
