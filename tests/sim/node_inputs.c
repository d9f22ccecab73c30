/* What a node is asked to do: inputs to its Raft, and what they need before. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"
#include "tests/sim/disk.h"
#include "tests/sim/machine.h"
#include "tests/sim/world.h"

void world_node_tick(struct world *world, unsigned i)
{
    raft_trace_tick(&world->nodes[i].tracer, world->nodes[i].raft, world_clock_us(world, i));
    world_carry_out(world, i);
}

/* As common/replica does: what there is no room for is not taken. false: nothing comes of the input. */
static bool reserve(struct world *world, unsigned i, const struct raft_entry *entries, unsigned count)
{
    enum disk_outcome outcome = DISK_OPENED;
    bool has_room;
    size_t bytes = 0;
    for (unsigned e = 0; e < count; e++)
        bytes += entries[e].size;
    if (!disk_reserve(world, i, count, bytes, &has_room, &outcome)) {
        world_end_by_disk(world, i, outcome);
        return false;
    }
    return has_room;
}

void world_receive(struct world *world, unsigned i, const struct raft_message *message)
{
    if (message->entry_count > 0 && !reserve(world, i, message->entries, message->entry_count))
        return;
    raft_trace_receive(&world->nodes[i].tracer, world->nodes[i].raft, world_clock_us(world, i), message);
    world_carry_out(world, i);
}

enum raft_code world_propose(struct world *world, unsigned i, const void *data, size_t size, uint64_t *index)
{
    if (!reserve(world, i, &(struct raft_entry){.size = size}, 1))
        return RAFT_BUSY;
    enum raft_code code = raft_trace_propose(&world->nodes[i].tracer, world->nodes[i].raft,
                                             world_clock_us(world, i), RAFT_ENTRY_COMMAND, data, size, index);
    world_carry_out(world, i);
    return code;
}

enum raft_code world_transfer(struct world *world, unsigned i, unsigned to)
{
    enum raft_code code = raft_trace_transfer(&world->nodes[i].tracer, world->nodes[i].raft,
                                              world_clock_us(world, i), world->nodes[to].id);
    world_carry_out(world, i);
    return code;
}

enum raft_code world_renew_term(struct world *world, unsigned i)
{
    enum raft_code code =
        raft_trace_renew_term(&world->nodes[i].tracer, world->nodes[i].raft, world_clock_us(world, i));
    world_carry_out(world, i);
    return code;
}

void world_end_lease(struct world *world, unsigned i)
{
    raft_trace_end_lease(&world->nodes[i].tracer, world->nodes[i].raft, world_clock_us(world, i));
    world_carry_out(world, i);
}

void world_release(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    node->lease_until_us = 0;
    raft_trace_released(&node->tracer, node->raft, world_clock_us(world, i));
    world_carry_out(world, i);
}

void world_set_campaign_delay(struct world *world, unsigned i, uint64_t delay_us)
{
    world->nodes[i].campaign_delay_us = delay_us;
    if (!world->nodes[i].up)
        return;
    raft_trace_set_campaign_delay(&world->nodes[i].tracer, world->nodes[i].raft, world_clock_us(world, i),
                                  delay_us);
    world_carry_out(world, i);
}

enum raft_code world_read(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    uint64_t read, must_see = check_committed_index(world);
    if (world->read_count == WORLD_READS_MAX)
        return RAFT_BUSY;
    enum raft_code code = raft_trace_read(&node->tracer, node->raft, world_clock_us(world, i), &read);
    if (code == RAFT_OK)
        world->reads[world->read_count++] =
            (struct world_read){.node = i, .life = node->life, .read = read, .must_see = must_see};
    world_carry_out(world, i);
    return code;
}

/* false: there is nothing to change. */
static bool change_membership(const struct world *world, struct raft_membership *membership,
                              enum world_change change, uint64_t id)
{
    unsigned at = 0;
    while (at < membership->count && membership->members[at].id < id)
        at++;
    bool is_there = at < membership->count && membership->members[at].id == id;
    struct raft_member *member = &membership->members[at];
    unsigned after = membership->count - at;
    if (is_there != (change != WORLD_ADD_LEARNER))
        return false;
    if (change == WORLD_REMOVE_MEMBER) {
        memmove(member, member + 1, (after - 1) * sizeof *member);
        membership->count--;
    } else if (change == WORLD_MAKE_VOTER) {
        member->voter = true;
    } else {
        memmove(member + 1, member, after * sizeof *member);
        *member = (struct raft_member){.id = id, .kind = world->nodes[(id - 1) % WORLD_IDS_STEP].kind};
        membership->count++;
    }
    return true;
}

enum raft_code world_change_members(struct world *world, unsigned i, enum world_change change, uint64_t id)
{
    struct world_node *node = &world->nodes[i];
    struct raft_membership membership = *raft_membership(node->raft);
    uint64_t index;
    size_t size;
    if (membership.count == RAFT_MEMBERS_MAX || !change_membership(world, &membership, change, id))
        return RAFT_INVALID;
    if (!reserve(world, i, &(struct raft_entry){.size = RAFT_MEMBERS_MAX * 48}, 1))
        return RAFT_BUSY;
    void *data = machine_encode_membership(&membership, &size);
    enum raft_code code = raft_trace_propose(&node->tracer, node->raft, world_clock_us(world, i),
                                             RAFT_ENTRY_MEMBERSHIP, data, size, &index);
    free(data);
    world_carry_out(world, i);
    return code;
}

void world_wipe(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    if (node->up)
        return;
    disk_wipe(world, i);
    node->id += WORLD_IDS_STEP;
    node->refused = false;
    world_trace(world, i, "has a new disk, and is member %" PRIu64, node->id);
}
