/* What may be asked of a world, without changing it. */
#include "tests/sim/world.h"

uint64_t world_clock_us(const struct world *world, unsigned i)
{
    const struct world_node *node = &world->nodes[i];
    int64_t now = (int64_t)world->now_us;
    return (uint64_t)(now + now * node->clock_ppm / 1000000 + node->clock_offset_us);
}

uint64_t world_true_us(const struct world *world, unsigned i, uint64_t clock_us)
{
    const struct world_node *node = &world->nodes[i];
    int64_t passed = (int64_t)clock_us - node->clock_offset_us;
    int64_t true_us = passed * 1000000 / (1000000 + node->clock_ppm);
    while (true_us + true_us * node->clock_ppm / 1000000 < passed) /* not before that clock shows it */
        true_us++;
    return (uint64_t)true_us;
}

unsigned world_node_of(const struct world *world, uint64_t id)
{
    unsigned node = (unsigned)((id - 1) % WORLD_IDS_STEP);
    return id != 0 && node < world->node_count && world->nodes[node].id == id ? node : WORLD_NODES_MAX;
}

unsigned world_leader(const struct world *world)
{
    unsigned leader = world->node_count;
    for (unsigned i = 0; i < world->node_count; i++) {
        const struct world_node *node = &world->nodes[i];
        if (node->up && node->status.ready &&
            (leader == world->node_count || node->status.term > world->nodes[leader].status.term))
            leader = i;
    }
    return leader;
}

bool world_lease_is_live(const struct world *world, unsigned node)
{
    return world->nodes[node].lease_until_us > world_clock_us(world, node);
}

uint64_t world_highest_term(const struct world *world)
{
    uint64_t highest = 0;
    for (unsigned i = 0; i < world->node_count; i++) {
        if (world->nodes[i].up && world->nodes[i].status.term > highest)
            highest = world->nodes[i].status.term;
    }
    return highest;
}

uint64_t world_election_us(const struct world *world)
{
    uint64_t longest_us = world->config.election_us;
    for (unsigned i = 0; i < world->node_count; i++)
        if (world->nodes[i].election_us > longest_us)
            longest_us = world->nodes[i].election_us;
    return longest_us;
}
