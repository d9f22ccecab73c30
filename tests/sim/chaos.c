#include "tests/sim/chaos.h"

#include <stdio.h>

struct world_config chaos_config(uint64_t seed)
{
    struct dice dice = {.state = seed ^ 0x6d68613472646221u};
    static const unsigned topologies[][2] = {{1, 0}, {2, 1}, {3, 0}, {5, 0}};
    const unsigned *topology = topologies[seed % 4];
    bool fast = dice_chance(&dice, 300);
    bool far = dice_chance(&dice, 200); /* answers come when the next rounds are under way already */
    uint64_t election_us = fast ? 150000 : 1000000;
    struct world_config config = {
        .seed = seed,
        .data_nodes = topology[0],
        .arbiters = topology[1],
        .heartbeat_us = fast ? 20000 : 100000,
        .election_us = election_us,
        .net_min_us = 100,
        .net_max_us = far ? election_us / 6 : dice_between(&dice, 200, fast ? 5000 : 20000),
        .loss_permille = dice_chance(&dice, 500) ? (unsigned)dice_between(&dice, 0, 100) : 0,
        .duplicate_permille = dice_chance(&dice, 500) ? (unsigned)dice_between(&dice, 0, 100) : 0,
        .reorder = dice_chance(&dice, 300),
        .disk_min_us = 100,
        .disk_max_us = dice_between(&dice, 100, fast ? 4000 : 20000),
        .clock_ppm_max = (unsigned)dice_between(&dice, 0, 20000),
    };
    return config;
}

static unsigned any_node(struct world *world)
{
    return (unsigned)world_between(world, 0, world->node_count - 1);
}

/* Mostly the leader: that is where it hurts. */
static unsigned some_node(struct world *world)
{
    unsigned leader = world_leader(world);
    return leader < world->node_count && world_chance(world, 500) ? leader : any_node(world);
}

static unsigned some_keep(struct world *world)
{
    static const unsigned keeps[] = {0, 500, 1000};
    return keeps[world_between(world, 0, 2)];
}

static void isolate(struct world *world, unsigned node, bool in, bool out)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        if (i == node)
            continue;
        if (in)
            world_cut(world, i, node, true);
        if (out)
            world_cut(world, node, i, true);
    }
}

static void propose_some(struct world *world)
{
    unsigned node = some_node(world), count = (unsigned)world_between(world, 1, 20);
    for (unsigned i = 0; i < count && world->nodes[node].up; i++) {
        char text[32];
        uint64_t index;
        int size = snprintf(text, sizeof text, "%llu", (unsigned long long)world_random(world));
        world_propose(world, node, text, (size_t)size, &index);
    }
}

static void hand_over(struct world *world)
{
    unsigned node = some_node(world);
    if (!world->nodes[node].up)
        return;
    world_end_lease(world, node);
    if (world->nodes[node].up && world->nodes[node].status.lease_ended && world_chance(world, 700))
        world_release(world, node);
    if (!world->nodes[node].up)
        return;
    if (world_chance(world, 300))
        world_renew_term(world, node);
    else
        world_transfer(world, node, any_node(world));
}

static void spoil_messages(struct world *world)
{
    struct world_rule rule = {
        .kind = (enum raft_message_kind)world_between(world, RAFT_PREVOTE, RAFT_TIMEOUT_NOW),
        .from = any_node(world),
        .to = any_node(world),
        .action = world_chance(world, 300) ? WORLD_DROP : WORLD_DELAY,
        .delay_us = world_between(world, 0, 3 * world->config.election_us)};
    world_add_rule(world, &rule);
}

void chaos_strike(struct world *world)
{
    unsigned node = some_node(world);
    struct world_disk *disk = &world->nodes[node].disk;
    switch (world_between(world, 0, 15)) {
    case 0:
        world_crash(world, node, some_keep(world));
        break;
    case 1:
        world_crash_after(world, node, world_between(world, 1, 30), some_keep(world));
        break;
    case 2:
    case 3:
        world_start(world, any_node(world));
        break;
    case 4: /* a restart, at once or nearly */
        world_crash(world, node, some_keep(world));
        world_start(world, node);
        break;
    case 5:
        isolate(world, node, world_chance(world, 700), world_chance(world, 700));
        break;
    case 6:
        world_cut(world, any_node(world), any_node(world), true);
        break;
    case 7:
    case 8:
        world_heal(world);
        break;
    case 9:
        world_hang_disk(world, node, true);
        break;
    case 10:
        world_hang_disk(world, any_node(world), false);
        disk->max_us = world_between(world, disk->min_us, world->config.election_us / 4);
        break;
    case 11:
        hand_over(world);
        break;
    case 12:
        world_set_campaign_delay(world, any_node(world), world_between(world, 0, world->config.election_us));
        break;
    case 13:
        spoil_messages(world);
        break;
    default:
        propose_some(world);
        break;
    }
}

void chaos_end(struct world *world)
{
    world_heal(world);
    world->config.loss_permille = 0;
    for (unsigned i = 0; i < world->node_count; i++) {
        world->nodes[i].crash_in_steps = 0;
        world->nodes[i].disk.max_us = world->config.disk_max_us;
        world_hang_disk(world, i, false);
        world_set_campaign_delay(world, i, 0);
        world_start(world, i);
    }
}
