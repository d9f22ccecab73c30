#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/chaos.h"
#include "tests/sim/check.h"

#define CHAOS_SNAPSHOT_BYTES 3000 /* and less */

/* ---- what must come after the faults ---- */

/* A member that runs. */
static bool counts_now(const struct world *world, unsigned leader, unsigned i)
{
    const struct raft_membership *membership = raft_membership(world->nodes[leader].raft);
    for (unsigned m = 0; m < membership->count; m++)
        if (membership->members[m].id == world->nodes[i].id)
            return !world->nodes[i].refused;
    return false;
}

/* What ends meanwhile (damage is also found by a running process) is started again, as systemd does. */
static bool run_supervised(struct world *world, uint64_t for_us)
{
    for (unsigned i = 0; i < world->node_count; i++)
        world_start(world, i);
    return world_run(world, world->now_us + for_us);
}

/* The owner's part: a leadership that has ended its lease goes on under a new term. */
static void renew_ended(struct world *world, unsigned leader)
{
    if (!world->nodes[leader].status.lease_ended)
        return;
    world_release(world, leader);
    world_renew_term(world, leader);
}

static bool somebody_leads(const struct world *world)
{
    for (unsigned i = 0; i < world->node_count; i++)
        if (world->nodes[i].up && world->nodes[i].status.role == RAFT_LEADER)
            return true;
    return false;
}

/* A data node that leads has taken and committed a command: its index, and who it was. */
static bool commit_one(struct world *world, uint64_t until_us, unsigned *leader, uint64_t *index)
{
    uint64_t step_us = world->config.election_us / 20, term = 0;
    *index = 0;
    while (world->now_us < until_us && run_supervised(world, step_us)) {
        unsigned now = world_leader(world);
        if (now == world->node_count)
            continue;
        const struct raft_status *status = &world->nodes[now].status;
        if (*index != 0 && now == *leader && status->term == term) {
            if (status->commit_index >= *index)
                return true;
            continue;
        }
        renew_ended(world, now);
        *leader = now;
        term = status->term;
        if (world->nodes[now].kind == RAFT_ARBITER || world_propose(world, now, "end", 3, index) != RAFT_OK)
            *index = 0;
    }
    return false;
}

/* One round trip for each chunk of a snapshot, for who needs one. */
static uint64_t catching_up_us(const struct world *world)
{
    const struct world_config *config = &world->config;
    uint64_t chunks = 1 + (config->compact_every > 0 ? CHAOS_SNAPSHOT_BYTES / config->chunk_bytes : 0);
    return world_election_us(world) + chunks * 2 * (config->net_max_us + config->disk_max_us);
}

static void wait_for_all(struct world *world, uint64_t until_us, unsigned leader, uint64_t index)
{
    unsigned behind = 0;
    while (behind < world->node_count) {
        behind = 0;
        while (behind < world->node_count &&
               (!counts_now(world, leader, behind) || world->nodes[behind].applied_index >= index))
            behind++;
        if (world->now_us >= until_us || !run_supervised(world, world->config.heartbeat_us))
            break;
    }
    if (behind < world->node_count)
        world_violate(world, "I8: %s has applied %" PRIu64 " entries of %" PRIu64 " after the faults",
                      world->nodes[behind].name, world->nodes[behind].applied_index, index);
}

/* 5 E, where a message takes little of E. Where a round trip takes a third of it, two campaigns at once are
 * no rare case, and each that fails costs some. */
static uint64_t electing_us(const struct world *world)
{
    const struct world_config *config = &world->config;
    bool is_far = config->net_max_us > config->election_us / 10;
    return 5 * world_election_us(world) + (is_far ? 10 * 2 * config->net_max_us : 0);
}

/* An arbiter applies nothing, so it is its leader who makes its log shorter. */
static void check_arbiters(struct world *world, unsigned leader)
{
    const struct raft_status *status = &world->nodes[leader].status;
    uint64_t leader_keeps = status->last_index - status->snapshot_index;
    for (unsigned i = 0; i < world->node_count; i++) {
        const struct world_node *node = &world->nodes[i];
        uint64_t keeps = node->up ? node->status.last_index - node->status.snapshot_index : 0;
        if (node->kind == RAFT_ARBITER && counts_now(world, leader, i) &&
            keeps > leader_keeps + RAFT_ARBITER_BEHIND + 2 * world->config.compact_every)
            world_violate(world, "rule: the arbiter %s keeps %" PRIu64 " entries, its leader %" PRIu64,
                          node->name, keeps, leader_keeps);
    }
}

/* A read is answered; nobody, be it one who was removed, takes the lead away or raises the term; logs become
 * short. */
static void check_calm(struct world *world, unsigned leader)
{
    const struct raft_status *status = &world->nodes[leader].status;
    uint64_t term = status->term, highest = world_highest_term(world);
    if (world_read(world, leader) != RAFT_OK)
        world_violate(world, "I8: %s leads and takes no read", world->nodes[leader].name);
    if (!world_run(world, world->now_us + 2 * world_election_us(world) + catching_up_us(world)))
        return;
    for (unsigned i = 0; i < world->read_count; i++)
        if (world->reads[i].node == leader)
            world_violate(world, "I8: %s leads and does not answer a read", world->nodes[leader].name);
    if (status->role != RAFT_LEADER || status->term != term || world_highest_term(world) != highest)
        world_violate(world, "I8: %s is disturbed in term %" PRIu64 ", though no fault is left",
                      world->nodes[leader].name, term);
    check_arbiters(world, leader);
}

static void settle(struct world *world)
{
    unsigned leader = world->node_count;
    uint64_t index;
    chaos_end(world);
    uint64_t until_us = world->now_us + electing_us(world);
    while (!somebody_leads(world) && world->now_us < until_us &&
           run_supervised(world, world->config.election_us / 20))
        ;
    bool elected = somebody_leads(world);
    /* Those who vote may lack what only a snapshot has. */
    bool good = commit_one(world, until_us + catching_up_us(world), &leader, &index);
    /* A disk may have been damaged while a change was on its way that made it one too many. */
    if (!chaos_has_quorum(world))
        return;
    if (!elected)
        world_violate(world, "I8: nobody is elected within 5 E of the last fault");
    if (!good)
        world_violate(world, "I8: nothing is committed within 5 E of the last fault and a snapshot's way");
    if (world->violation[0] != '\0')
        return;
    /* One that was stopped while it led may have committed something when it woke, and lead no more. */
    wait_for_all(world, until_us + 2 * catching_up_us(world), leader, index);
    leader = world_leader(world) < world->node_count ? world_leader(world) : leader;
    if (world->violation[0] == '\0' && !world_lease_is_live(world, leader))
        world_violate(world, "I8: %s leads without a lease after the faults", world->nodes[leader].name);
    if (world->violation[0] == '\0')
        check_calm(world, leader);
}

/* ---- a run ---- */

static enum count_kind topology_of(const struct world_config *config)
{
    switch (config->data_nodes) {
    case 1:
        return COUNT_TOPOLOGY_1;
    case 2:
        return COUNT_TOPOLOGY_2_ARBITER;
    case 3:
        return COUNT_TOPOLOGY_3;
    case 5:
        return COUNT_TOPOLOGY_5;
    default:
        return COUNT_TOPOLOGY_7;
    }
}

/* Some at their worst: one as fast, one as slow as may be. */
static void set_clocks_apart(struct world *world, unsigned ppm)
{
    for (unsigned i = 0; i < world->node_count; i++)
        world->nodes[i].clock_ppm = i % 2 == 0 ? -(int64_t)ppm : (int64_t)ppm;
}

/* Nodes that were configured by different hands: what counts is the E that was promised. */
static void mix_profiles(struct world *world, struct dice *dice)
{
    for (unsigned i = 0; i < world->node_count; i++)
        if (dice_chance(dice, 500))
            world->nodes[i].election_us = dice_between(dice, 1, 4) * world->config.election_us;
}

bool chaos_run(struct chaos_run *run)
{
    struct world_config config = chaos_config(run->seed);
    struct dice dice = dice_of(run->seed, UINT64_MAX);
    struct world *world = world_new(&config);
    world->trace = run->trace;
    if (run->beyond_margin)
        set_clocks_apart(world, CHAOS_PPM_BEYOND);
    else if (dice_chance(&dice, 200))
        set_clocks_apart(world, config.clock_ppm_max);
    if (dice_chance(&dice, 150))
        mix_profiles(world, &dice);
    for (unsigned i = 0; i < world->node_count; i++)
        world_start(world, i);
    uint64_t calm = dice_chance(&dice, 500) ? config.election_us * 2 : 0; /* some begin with a leader */
    world_run(world, world->now_us + calm);
    run->strikes = (unsigned)dice_between(&dice, 20, 150);
    uint64_t pause_us = dice_between(&dice, config.heartbeat_us / 4, 3 * config.election_us);
    for (unsigned i = 0; i < run->strikes && world->violation[0] == '\0'; i++) {
        uint64_t next_us = dice_between(&dice, 1, pause_us);
        if (!run->leave_out[i])
            chaos_strike(world, run->seed, i);
        if (!run->leave_out_pause[i])
            world_run(world, world->now_us + next_us);
    }
    if (world->violation[0] == '\0')
        settle(world);
    memcpy(run->violation, world->violation, sizeof run->violation);
    run->counts = world->counts;
    counts_add(&run->counts, COUNT_SEEDS, 1);
    counts_add(&run->counts, COUNT_VIOLATIONS, run->violation[0] != '\0');
    counts_add(&run->counts, COUNT_SIMULATED_US, world->now_us);
    counts_add(&run->counts, topology_of(&config), 1);
    world_free(world);
    return run->violation[0] == '\0';
}

/* ---- cutting down ---- */

/* The invariant, "I1: ". */
static bool same_violation(const char *a, const char *b)
{
    size_t length = strcspn(a, ":");
    return a[0] != '\0' && strncmp(a, b, length + 1) == 0;
}

void chaos_reduce(struct chaos_run *run)
{
    struct chaos_run best = *run;
    best.trace = false;
    bool shorter = true;
    for (unsigned length = run->strikes; length > 0 && shorter; length = length > 1 ? length / 2 : 1) {
        shorter = length > 1;
        for (unsigned from = 0; from < run->strikes; from += length) {
            struct chaos_run attempt = best;
            bool any = false;
            for (unsigned i = from; i < from + length && i < run->strikes; i++) {
                any |= !attempt.leave_out[i];
                attempt.leave_out[i] = true;
            }
            if (!any || chaos_run(&attempt) || !same_violation(attempt.violation, run->violation))
                continue;
            best = attempt;
            shorter = true;
        }
    }
    best.trace = run->trace;
    *run = best;
}

void chaos_kept_text(const struct chaos_run *run, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < run->strikes && at < size; i++) {
        unsigned last = i;
        if (run->leave_out[i])
            continue;
        while (last + 1 < run->strikes && !run->leave_out[last + 1])
            last++;
        const char *comma = at > 0 ? "," : "";
        at += (size_t)(last > i ? snprintf(out + at, size - at, "%s%u-%u", comma, i, last)
                                : snprintf(out + at, size - at, "%s%u", comma, i));
        i = last;
    }
    if (out[0] == '\0')
        snprintf(out, size, "none");
}

static bool keep_only(bool leave_out[CHAOS_STRIKES_MAX], const char *text)
{
    memset(leave_out, 1, CHAOS_STRIKES_MAX * sizeof leave_out[0]);
    if (strcmp(text, "none") == 0)
        return true;
    while (*text != '\0') {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (end == text)
            return false;
        if (*end == '-') {
            text = end + 1;
            last = strtoul(text, &end, 10);
            if (end == text)
                return false;
        }
        if (last >= CHAOS_STRIKES_MAX || first > last || (*end != '\0' && *end != ','))
            return false;
        for (unsigned long i = first; i <= last; i++)
            leave_out[i] = false;
        text = *end == ',' ? end + 1 : end;
    }
    return true;
}

bool chaos_keep_only(struct chaos_run *run, const char *text)
{
    return keep_only(run->leave_out, text);
}

bool chaos_keep_pauses(struct chaos_run *run, const char *text)
{
    return keep_only(run->leave_out_pause, text);
}
