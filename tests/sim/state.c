#include "tests/sim/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"
#include "tests/sim/disk.h"
#include "tests/sim/machine.h"

/* ---- reads ---- */

void state_note_reads(struct world *world, unsigned i, const struct raft_output *out)
{
    for (unsigned r = 0; r < out->read_count; r++) {
        for (unsigned at = 0; at < world->read_count; at++) {
            struct world_read *read = &world->reads[at];
            if (read->node != i || read->life != world->nodes[i].life || read->read != out->reads[r].read)
                continue;
            read->index = out->reads[r].index;
            if (out->reads[r].done && read->index < read->must_see)
                world_violate(world,
                              "I4: %s answers a read as of entry %" PRIu64 ", when %" PRIu64
                              " was committed before it was asked for",
                              world->nodes[i].name, read->index, read->must_see);
            if (!out->reads[r].done)
                *read = world->reads[--world->read_count];
            break;
        }
    }
}

void state_answer_reads(struct world *world, unsigned i)
{
    const struct world_node *node = &world->nodes[i];
    for (unsigned at = world->read_count; at-- > 0;) {
        struct world_read *read = &world->reads[at];
        bool gone = read->node == i && read->life != node->life;
        bool answered = read->node == i && read->index != 0 && node->applied_index >= read->index;
        counts_add(&world->counts, COUNT_READS_DONE, answered && !gone);
        if (gone || answered)
            *read = world->reads[--world->read_count];
    }
}

/* ---- snapshots ---- */

bool state_is_long(const struct world *world, unsigned i)
{
    const struct world_node *node = &world->nodes[i];
    return world->config.compact_every > 0 && node->kind == RAFT_DATA &&
           node->applied_index >= node->restoring_index &&
           node->applied_index >= node->status.snapshot_index + node->compact_after;
}

void world_compact(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    struct raft_snapshot snapshot = {.index = node->machine.index, .term = node->machine.term};
    enum disk_outcome outcome = DISK_OPENED;
    size_t state_size = 0, padding = world_between(world, 0, 2000);
    void *state =
        node->hooks.save == NULL ? NULL : node->hooks.save(world, i, &state_size, node->hooks.context);
    void *data = machine_encode_snapshot(&node->machine, state, state_size, padding, &snapshot.size);
    bool saved;
    snapshot.data = data;
    if (world->config.compact_every > 0)
        node->compact_after = world_between(world, 1, 2 * world->config.compact_every);
    bool alive = disk_save_snapshot(world, i, &snapshot, &saved, &outcome);
    if (!alive) {
        world_end_by_disk(world, i, outcome);
    } else if (saved && world_node_step(world, i)) {
        world_trace(world, i, "has a snapshot up to %" PRIu64, snapshot.index);
        counts_add(&world->counts, COUNT_COMPACTION, 1);
        if (raft_trace_compact(&node->tracer, node->raft, world_clock_us(world, i), &snapshot) != RAFT_OK)
            world_violate(world, "I1: %s refuses the snapshot of what it applied, up to %" PRIu64, node->name,
                          snapshot.index);
        world_carry_out(world, i);
    }
    free(data);
    free(state);
}

void state_take_snapshot(struct world *world, unsigned i, const struct raft_snapshot *snapshot)
{
    struct world_node *node = &world->nodes[i];
    void *state;
    size_t state_size;
    counts_add(&world->counts, COUNT_SNAPSHOT_SENT, 1);
    world_trace(world, i, "has its leader's snapshot up to %" PRIu64, snapshot->index);
    if (snapshot->index <= node->applied_index)
        return;
    if (!machine_restore(&node->machine, snapshot->data, snapshot->size, &state, &state_size) ||
        node->machine.index != snapshot->index || node->machine.term != snapshot->term)
        world_violate(world, "I1: %s cannot read its leader's snapshot", node->name);
    node->applied_index = snapshot->index;
    check_applied(world, i);
    if (node->hooks.restored != NULL)
        node->hooks.restored(world, i, snapshot->index, state, state_size, node->hooks.context);
    free(state);
}

bool state_restore(struct world *world, unsigned i, const struct store_recovered *found)
{
    struct world_node *node = &world->nodes[i];
    void *state;
    size_t state_size;
    memset(&node->machine, 0, sizeof node->machine);
    if (!found->has_snapshot) {
        for (unsigned m = 0; m < world->founding.count; m++)
            if (world->founding.members[m].id == node->id)
                node->machine.membership = world->founding;
        return true;
    }
    bool good =
        machine_restore(&node->machine, found->snapshot.data, found->snapshot.size, &state, &state_size) &&
        node->machine.index == found->snapshot.last_index;
    if (!good)
        world_violate(world, "I7: %s cannot read its own snapshot", node->name);
    else if (node->hooks.restored != NULL)
        node->hooks.restored(world, i, node->machine.index, state, state_size, node->hooks.context);
    free(state);
    return good;
}
