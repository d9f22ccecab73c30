#include "tests/sim/chaos.h"

#include <stdio.h>

#include "tests/sim/machine.h"

/* ---- the configuration ---- */

struct world_config chaos_config(uint64_t seed)
{
    struct dice dice = {.state = seed ^ 0x6d68613472646221u};
    static const unsigned topologies[][2] = {{1, 0}, {2, 1}, {3, 0}, {5, 0}, {7, 0}};
    const unsigned *topology = topologies[seed % 5];
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
        .behind = dice_chance(&dice, 500),
        .segment_bytes = 1024u << dice_between(&dice, 0, 5),
        .clock_ppm_max = (unsigned)dice_between(&dice, 0, CHAOS_PPM_MAX),
        .has_membership = true,
        .spares = dice_chance(&dice, 700) ? (unsigned)dice_between(&dice, 1, 2) : 0,
        .compact_every = dice_chance(&dice, 700) ? (unsigned)dice_between(&dice, 1, 40) : 0,
        .chunk_bytes = (unsigned)dice_between(&dice, 50, 1000),
    };
    return config;
}

/* ---- strikes ---- */

struct strike {
    struct world *world;
    struct dice dice;
};

static unsigned any_node(struct strike *strike)
{
    return (unsigned)dice_between(&strike->dice, 0, strike->world->node_count - 1);
}

/* Mostly the leader: that is where it hurts. */
static unsigned some_node(struct strike *strike)
{
    unsigned leader = world_leader(strike->world), other = any_node(strike);
    bool the_leader = dice_chance(&strike->dice, 500);
    return the_leader && leader < strike->world->node_count ? leader : other;
}

static unsigned some_keep(struct strike *strike)
{
    static const unsigned keeps[] = {0, 500, 500, 1000};
    return keeps[dice_between(&strike->dice, 0, 3)];
}

static uint64_t up_to_elections(struct strike *strike, unsigned elections)
{
    return dice_between(&strike->dice, 0, elections * strike->world->config.election_us);
}

static void crash(struct strike *strike)
{
    unsigned node = some_node(strike);
    world_crash(strike->world, node, some_keep(strike));
}

static void crash_later(struct strike *strike)
{
    unsigned node = some_node(strike);
    uint64_t steps = dice_between(&strike->dice, 1, 30);
    world_crash_after(strike->world, node, steps, some_keep(strike));
}

static void crash_in_write(struct strike *strike)
{
    unsigned node = some_node(strike);
    uint64_t operations = dice_between(&strike->dice, 0, 20);
    strike->world->nodes[node].crash_keeps = some_keep(strike);
    world_disk_fault(strike->world, node, WORLD_DISK_POWER, operations);
    if (dice_chance(&strike->dice, 300)) { /* and so in the recovery */
        world_crash(strike->world, node, some_keep(strike));
        world_disk_fault(strike->world, node, WORLD_DISK_POWER, operations);
        world_start(strike->world, node);
    }
}

static void end_process(struct strike *strike)
{
    world_kill(strike->world, some_node(strike));
}

static void start(struct strike *strike)
{
    world_start(strike->world, any_node(strike));
}

static void start_all(struct strike *strike)
{
    for (unsigned i = 0; i < strike->world->node_count; i++)
        world_start(strike->world, i);
}

static void restart(struct strike *strike)
{
    unsigned node = some_node(strike);
    if (dice_chance(&strike->dice, 500))
        world_crash(strike->world, node, some_keep(strike));
    else
        world_kill(strike->world, node);
    world_start(strike->world, node);
}

static void isolate(struct strike *strike)
{
    unsigned node = some_node(strike);
    bool in = dice_chance(&strike->dice, 700), out = dice_chance(&strike->dice, 700);
    for (unsigned i = 0; i < strike->world->node_count; i++) {
        if (i == node)
            continue;
        if (in)
            world_cut(strike->world, i, node, true);
        if (out)
            world_cut(strike->world, node, i, true);
    }
}

static void part(struct strike *strike)
{
    bool side[WORLD_NODES_MAX];
    for (unsigned i = 0; i < strike->world->node_count; i++)
        side[i] = dice_chance(&strike->dice, 500);
    for (unsigned i = 0; i < strike->world->node_count; i++)
        for (unsigned j = 0; j < strike->world->node_count; j++)
            if (side[i] != side[j])
                world_cut(strike->world, i, j, true);
}

static void cut_link(struct strike *strike)
{
    unsigned from = any_node(strike), to = any_node(strike);
    world_cut(strike->world, from, to, true);
    if (dice_chance(&strike->dice, 500))
        world_cut(strike->world, to, from, true);
}

static void slow_link(struct strike *strike)
{
    unsigned from = any_node(strike), to = any_node(strike);
    world_slow_link(strike->world, from, to, up_to_elections(strike, 1));
}

static void heal(struct strike *strike)
{
    world_heal(strike->world);
}

static void spoil_messages(struct strike *strike)
{
    struct world_rule rule = {
        .kind = (enum raft_message_kind)dice_between(&strike->dice, 0, RAFT_MESSAGE_KINDS - 1),
        .from = any_node(strike),
        .to = any_node(strike)};
    rule.action = dice_chance(&strike->dice, 300) ? WORLD_DROP : WORLD_DELAY;
    rule.delay_us = up_to_elections(strike, 3);
    world_add_rule(strike->world, &rule);
}

static void hang_disk(struct strike *strike)
{
    world_hang_disk(strike->world, some_node(strike), true);
}

static void repair_disk(struct strike *strike)
{
    world_disk_fault(strike->world, any_node(strike), WORLD_DISK_WELL, 0);
}

static void slow_disk(struct strike *strike)
{
    unsigned node = some_node(strike);
    world_disk_fault(strike->world, node, WORLD_DISK_SLOW,
                     dice_between(&strike->dice, 0, strike->world->config.election_us / 4));
}

static void fill_disk(struct strike *strike)
{
    unsigned node = some_node(strike);
    world_disk_fault(strike->world, node, WORLD_DISK_FULL, dice_between(&strike->dice, 0, 2048));
}

static void spoil_disk(struct strike *strike)
{
    unsigned node = some_node(strike);
    world_disk_fault(strike->world, node,
                     dice_chance(&strike->dice, 500) ? WORLD_DISK_WRITE_ERROR : WORLD_DISK_SYNC_ERROR, 0);
}

static void pause_process(struct strike *strike)
{
    unsigned node = some_node(strike);
    world_pause(strike->world, node, up_to_elections(strike, 2));
}

/* The first that happens on a machine that was stopped, before anything that came meanwhile. */
static void ask_at_once(struct world *world, void *context)
{
    struct world_node *node = context;
    unsigned i = (unsigned)(node - world->nodes);
    if (world_is_running(world, i))
        world_read(world, i);
}

static void pause_machine(struct strike *strike)
{
    unsigned node = some_node(strike);
    uint64_t for_us = up_to_elections(strike, 3);
    world_pause_machine(strike->world, node, for_us);
    world_at(strike->world, strike->world->now_us + for_us, ask_at_once, &strike->world->nodes[node]);
}

static void hand_over(struct strike *strike)
{
    struct world *world = strike->world;
    unsigned node = some_node(strike), to = any_node(strike);
    bool release = dice_chance(&strike->dice, 700), renew = dice_chance(&strike->dice, 300);
    if (!world_is_running(world, node))
        return;
    world_end_lease(world, node);
    if (world->nodes[node].up && world->nodes[node].status.lease_ended && release)
        world_release(world, node);
    if (!world->nodes[node].up)
        return;
    if (renew)
        world_renew_term(world, node);
    else
        world_transfer(world, node, to);
}

static void delay_campaign(struct strike *strike)
{
    unsigned node = any_node(strike);
    uint64_t delay_us = up_to_elections(strike, 1);
    if (world_is_running(strike->world, node))
        world_set_campaign_delay(strike->world, node, delay_us);
}

/* A few; or enough that an arbiter's log has to be made shorter. */
static void propose(struct strike *strike)
{
    bool many = dice_chance(&strike->dice, 50);
    unsigned node = some_node(strike);
    unsigned count = (unsigned)dice_between(&strike->dice, 1, many ? 2 * RAFT_ARBITER_BEHIND : 20);
    for (unsigned i = 0; i < count && world_is_running(strike->world, node); i++) {
        char text[32];
        uint64_t index;
        int size = snprintf(text, sizeof text, "%llu", (unsigned long long)dice_next(&strike->dice));
        world_propose(strike->world, node, text, (size_t)size, &index);
    }
}

/* ---- the operator ---- */

static bool is_well(const struct world *world, unsigned node)
{
    return node != WORLD_NODES_MAX && !world->nodes[node].disk.damaged && !world->nodes[node].refused;
}

/* The newest membership that a node goes by, or will once it runs again. */
static struct raft_membership membership_at(const struct world *world, unsigned node)
{
    const struct world_node *n = &world->nodes[node];
    struct raft_membership membership = n->up ? *raft_membership(n->raft) : n->machine.membership;
    for (unsigned i = n->up ? 0 : n->disk.entry_count; i-- > 0;)
        if (n->disk.entries[i].kind == RAFT_ENTRY_MEMBERSHIP) {
            machine_decode_membership(n->disk.entries[i].data, n->disk.entries[i].size, &membership);
            break;
        }
    return membership;
}

/* Would the group go on without `node` (WORLD_NODES_MAX: as it is)? By every membership that somebody goes
 * by, with those who are well. */
static bool goes_on_without(const struct world *world, unsigned node)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        struct raft_membership membership = membership_at(world, i);
        unsigned voters = 0, well = 0;
        for (unsigned m = 0; m < membership.count; m++) {
            unsigned member = world_node_of(world, membership.members[m].id);
            voters += membership.members[m].voter;
            well += membership.members[m].voter && member != node && is_well(world, member);
        }
        if (voters > 0 && well <= voters / 2)
            return false;
    }
    return true;
}

bool chaos_has_quorum(const struct world *world)
{
    return goes_on_without(world, WORLD_NODES_MAX);
}

/* Of so few that the others can go on. */
static void rot(struct strike *strike)
{
    unsigned node = any_node(strike);
    uint64_t where = dice_next(&strike->dice);
    bool at_once = dice_chance(&strike->dice, 500);
    if (!goes_on_without(strike->world, node) ||
        !world_disk_fault(strike->world, node, WORLD_DISK_ROT, where) || !at_once)
        return;
    world_kill(strike->world, node);
    world_start(strike->world, node);
}

static unsigned voters_of(const struct raft_membership *membership)
{
    unsigned voters = 0;
    for (unsigned i = 0; i < membership->count; i++)
        voters += membership->members[i].voter;
    return voters;
}

static bool is_member(const struct raft_membership *membership, uint64_t id)
{
    for (unsigned i = 0; i < membership->count; i++)
        if (membership->members[i].id == id)
            return true;
    return false;
}

static void remove_one(struct strike *strike, unsigned leader, const struct raft_membership *membership)
{
    const struct raft_member *member =
        &membership->members[dice_between(&strike->dice, 0, membership->count - 1)];
    unsigned node = world_node_of(strike->world, member->id);
    /* What is lost goes first, and nobody goes as long as that would be one too many. */
    for (unsigned i = 0; i < membership->count; i++) {
        unsigned lost = world_node_of(strike->world, membership->members[i].id);
        if (lost == WORLD_NODES_MAX || strike->world->nodes[lost].refused) {
            member = &membership->members[i];
            node = lost;
        }
    }
    bool is_lost = node == WORLD_NODES_MAX || strike->world->nodes[node].refused;
    if (!is_lost && (!goes_on_without(strike->world, node) || (member->voter && voters_of(membership) < 3)))
        return;
    world_change_members(strike->world, leader, WORLD_REMOVE_MEMBER, member->id);
}

static void change_members(struct strike *strike)
{
    struct world *world = strike->world;
    unsigned leader = world->node_count, node = any_node(strike);
    bool remove = dice_chance(&strike->dice, 350);
    for (unsigned i = 0; i < world->node_count; i++) { /* any that leads, ready or not */
        unsigned candidate = (node + i) % world->node_count;
        if (world_is_running(world, candidate) && world->nodes[candidate].status.role == RAFT_LEADER)
            leader = candidate;
    }
    if (leader == world->node_count)
        return;
    struct raft_membership membership = *raft_membership(world->nodes[leader].raft);
    if (remove) {
        remove_one(strike, leader, &membership);
        return;
    }
    for (unsigned i = 0; i < membership.count; i++) {
        unsigned learner = world_node_of(world, membership.members[i].id);
        if (membership.members[i].voter || voters_of(&membership) >= 7 || !is_well(world, learner))
            continue;
        world_change_members(world, leader, WORLD_MAKE_VOTER, membership.members[i].id);
        return;
    }
    for (unsigned i = 0; i < world->node_count; i++) { /* the next that is none */
        uint64_t id = world->nodes[(node + i) % world->node_count].id;
        if (is_member(&membership, id))
            continue;
        world_change_members(world, leader, WORLD_ADD_LEARNER, id);
        return;
    }
}

static void replace_disks(struct strike *strike)
{
    for (unsigned i = 0; i < strike->world->node_count; i++) {
        if (!strike->world->nodes[i].refused)
            continue;
        world_wipe(strike->world, i);
        world_start(strike->world, i);
    }
}

static void ask(struct strike *strike)
{
    unsigned node = some_node(strike);
    if (world_is_running(strike->world, node))
        world_read(strike->world, node);
}

static const struct {
    unsigned weight;
    void (*function)(struct strike *strike);
    const char *text;
} strikes[] = {
    {4, crash, "the power of a node fails"},
    {4, crash_later, "the power of a node fails some steps later"},
    {4, crash_in_write, "the power of a node fails within a write"},
    {2, end_process, "a process ends"},
    {4, start, "a node is started"},
    {6, start_all, "all nodes are started"},
    {5, restart, "a node restarts"},
    {4, isolate, "a node is cut off"},
    {2, part, "the network parts"},
    {3, cut_link, "a link is cut"},
    {3, slow_link, "a link becomes slow"},
    {9, heal, "the network heals"},
    {4, spoil_messages, "messages of one kind are held up or lost"},
    {3, hang_disk, "a disk hangs"},
    {7, repair_disk, "a disk is repaired"},
    {3, slow_disk, "a disk becomes slow"},
    {2, fill_disk, "a disk is full"},
    {2, spoil_disk, "a disk fails once"},
    {1, rot, "a bit of a disk flips"},
    {3, pause_process, "a process is stopped"},
    {2, pause_machine, "a machine is stopped, and does not count the time"},
    {5, hand_over, "a leader hands over"},
    {4, delay_campaign, "a node is told to let others go first"},
    {14, propose, "commands are proposed"},
    {8, ask, "a read"},
    {9, change_members, "the operator changes the members"},
    {3, replace_disks, "damaged disks are replaced"},
};
#define STRIKE_KINDS (sizeof strikes / sizeof strikes[0])

void chaos_strike(struct world *world, uint64_t seed, unsigned number)
{
    struct strike strike = {.world = world, .dice = dice_of(seed, number)};
    unsigned total = 0, kind = 0;
    for (unsigned i = 0; i < STRIKE_KINDS; i++)
        total += strikes[i].weight;
    unsigned ticket = (unsigned)dice_between(&strike.dice, 0, total - 1);
    while (ticket >= strikes[kind].weight)
        ticket -= strikes[kind++].weight;
    if (world->trace)
        printf("%12.6f - strike %u: %s\n", (double)world->now_us / 1e6, number, strikes[kind].text);
    strikes[kind].function(&strike);
}

void chaos_end(struct world *world)
{
    world_heal(world);
    world->config.loss_permille = 0;
    for (unsigned i = 0; i < world->node_count; i++) {
        world->nodes[i].crash_in_steps = 0;
        world_disk_fault(world, i, WORLD_DISK_WELL, 0);
        world->nodes[i].paused_until_us = world->now_us;
        world_wake(world, i);
        world_set_campaign_delay(world, i, 0);
        if (world->nodes[i].disk.damaged) /* else it would find that later */
            world_kill(world, i);
        world_start(world, i);
    }
}
