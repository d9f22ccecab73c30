/* Random clusters: a topology, a kind of server, a timing profile, and how good network, disks and clocks
 * are. */
#include "tests/sim/cluster_chaos.h"

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
    config.shared_account = config.world.data_nodes == 2 && dice_chance(&dice, 250);
    config.rejoin_auto = dice_chance(&dice, 600);
    config.copy_max_us = dice_between(&dice, 400000, 6 * profile->election_us);
    config.available = dice_chance(&dice, 80);
    config.lag_most_us = dice_between(&dice, 0, 5 * profile->election_us);
    config.has_vip = !dice_chance(&dice, 100);
    config.probe_timeout_us = dice_chance(&dice, 500) ? 500000 : 2000000;
    config.op_min_us = 50;
    config.op_max_us = dice_between(&dice, 200, 3000);
    config.apply_max_us = dice_between(&dice, 200, 5000);
    config.write_every_us = profile->write_every_us;
    config.hostile_every_us = profile->hostile_every_us;
    return config;
}
