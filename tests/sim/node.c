/* A node's life: the owner's side of the contract in raft.h, in the order of common/replica/engine.c, step by
 * step, any of which may be the last. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"
#include "tests/sim/disk.h"
#include "tests/sim/machine.h"
#include "tests/sim/state.h"
#include "tests/sim/world.h"

/* ---- entries ---- */

struct raft_entry *world_copy_entries(const struct raft_entry *entries, unsigned count)
{
    if (count == 0)
        return NULL;
    struct raft_entry *copy = calloc(count, sizeof *copy);
    assert(copy != NULL);
    for (unsigned i = 0; i < count; i++) {
        copy[i] = entries[i];
        if (entries[i].size > 0) {
            void *data = malloc(entries[i].size);
            assert(data != NULL);
            memcpy(data, entries[i].data, entries[i].size);
            copy[i].data = data;
        }
    }
    return copy;
}

void world_free_entries(struct raft_entry *entries, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (entries[i].size > 0)
            free((void *)entries[i].data);
    }
    free(entries);
}

/* ---- ends ---- */

static void forget(struct world_node *node)
{
    while (node->waiting != NULL) {
        struct world_packet *packet = node->waiting;
        node->waiting = packet->next;
        world_packet_free(packet);
    }
    raft_free(node->raft);
    node->raft = NULL;
}

static void go_down(struct world *world, unsigned i, const char *how)
{
    struct world_node *node = &world->nodes[i];
    world_trace(world, i, "%s", how);
    world_wake(world, i);
    forget(node);
    disk_close(&node->disk);
    node->paused_until_us = 0;
    node->up = false;
    node->crash_in_steps = 0;
}

void world_crash(struct world *world, unsigned i, unsigned keep_permille)
{
    struct world_node *node = &world->nodes[i];
    if (!node->up)
        return;
    go_down(world, i, "loses its power");
    counts_add(&world->counts, COUNT_CRASH, 1);
    disk_cut_power(world, i, keep_permille);
    if (node->hooks.stopped != NULL)
        node->hooks.stopped(world, i, node->hooks.context);
}

void world_kill(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    if (!node->up)
        return;
    go_down(world, i, "ends");
    if (node->hooks.stopped != NULL)
        node->hooks.stopped(world, i, node->hooks.context);
}

/* A call of the store's failed in the midst of a node's life. */
void world_end_by_disk(struct world *world, unsigned i, int outcome)
{
    if (outcome == DISK_POWER_FAILED)
        world_crash(world, i, world->nodes[i].crash_keeps);
    else if (outcome == DISK_FAILED)
        world_kill(world, i);
}

/* ---- steps ---- */

bool world_node_step(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    if (node->crash_in_steps > 0 && --node->crash_in_steps == 0)
        world_crash(world, i, node->crash_keeps);
    return node->up && world->violation[0] == '\0';
}

static uint64_t acknowledged_term(struct raft *raft, const struct raft_message *message)
{
    bool acknowledges = message->kind == RAFT_APPEND_REPLY && message->granted;
    const struct raft_entry *entry = acknowledges ? raft_entry_at(raft, message->log_index) : NULL;
    return entry == NULL ? 0 : entry->term;
}

static void hold_back(struct world_node *node, const struct raft_send *send)
{
    struct world_packet *packet = world_packet_new(&send->message);
    packet->after_write = send->after_write;
    packet->acknowledged_term = acknowledged_term(node->raft, &send->message);
    struct world_packet **end = &node->waiting;
    while (*end != NULL)
        end = &(*end)->next;
    *end = packet;
}

static bool send_messages(struct world *world, unsigned i, const struct raft_output *out)
{
    struct world_node *node = &world->nodes[i];
    for (unsigned m = 0; m < out->message_count; m++) {
        const struct raft_send *send = &out->messages[m];
        check_made(world, i, &send->message);
        if (send->after_write > node->write_done) {
            hold_back(node, send);
            continue;
        }
        check_sent(world, i, &send->message, acknowledged_term(node->raft, &send->message));
        world_send(world, i, &send->message);
        if (!world_node_step(world, i))
            return false;
    }
    return true;
}

static bool apply(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    while (node->applied_index < node->commit_index && node->applied_index >= node->restoring_index) {
        const struct raft_entry *entry = raft_entry_at(node->raft, node->applied_index + 1);
        if (entry == NULL) {
            world_violate(world, "I1: %s commits entry %" PRIu64 ", which it does not have", node->name,
                          node->applied_index + 1);
            return false;
        }
        node->applied_index++;
        machine_apply(&node->machine, entry);
        check_applied(world, i);
        if (node->hooks.applied != NULL)
            node->hooks.applied(world, i, entry, node->hooks.context);
        if (!world_node_step(world, i))
            return false;
    }
    return true;
}

static void observe(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    struct raft_status before = node->status;
    raft_trace_status(&node->tracer, node->raft, world_clock_us(world, i), &node->status);
    check_status(world, i, &before);
    uint64_t at_us = world_true_us(world, i, raft_deadline_us(node->raft));
    if (at_us <= world->now_us)
        at_us = world->now_us + 1;
    if (node->tick_at_us <= world->now_us || at_us < node->tick_at_us) {
        node->tick_at_us = at_us;
        world_schedule_tick(world, i, at_us);
    }
    if (node->hooks.observed != NULL)
        node->hooks.observed(world, i, &node->status, node->hooks.context);
}

/* ---- an output ---- */

/* What raft.h asks of the owner after each input, in its order. */
void world_carry_out(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    const struct raft_output *out = raft_trace_take(&node->tracer, node->raft);
    uint64_t commit_before = node->commit_index;
    node->commit_index = out->commit_index;
    if (out->has_snapshot && out->snapshot.index > node->applied_index)
        node->restoring_index = out->snapshot.index;
    state_note_reads(world, i, out);
    check_written(world, i, out->entries, out->entry_count);
    if (!send_messages(world, i, out))
        return;
    enum disk_outcome outcome = DISK_OPENED;
    if (out->has_write && !disk_write(world, i, out, &outcome)) {
        world_end_by_disk(world, i, outcome);
        return;
    }
    if (out->has_write && !world_node_step(world, i))
        return;
    check_committed(world, i, commit_before, node->commit_index);
    if (!apply(world, i))
        return;
    state_answer_reads(world, i);
    observe(world, i);
    if (node->up && world->violation[0] == '\0' && state_is_long(world, i))
        world_compact(world, i);
}

static bool release_waiting(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    while (node->waiting != NULL && node->waiting->after_write <= node->write_done) {
        struct world_packet *packet = node->waiting;
        node->waiting = packet->next;
        check_sent(world, i, &packet->message, packet->acknowledged_term);
        world_send(world, i, &packet->message);
        world_packet_free(packet);
        if (!world_node_step(world, i))
            return false;
    }
    return true;
}

static void tell_persisted(struct world *world, unsigned i, uint64_t number, uint64_t index, uint64_t term)
{
    raft_trace_persisted(&world->nodes[i].tracer, world->nodes[i].raft, world_clock_us(world, i), number,
                         index, term);
    world_carry_out(world, i);
}

/* All that the sync covered, in order. false: the node is down. */
static bool tell_done(struct world *world, unsigned i, uint64_t covers)
{
    struct world_node *node = &world->nodes[i];
    uint64_t number = 0, index = 0, term = 0;
    while (node->disk.queue != NULL && node->disk.queue->number <= covers) {
        struct world_write *write = disk_take_done(world, i);
        node->write_done = number = write->number;
        index = term = 0;
        if (write->entry_count > 0) {
            index = write->entries[write->entry_count - 1].index;
            term = write->entries[write->entry_count - 1].term;
        }
        if (write->has_snapshot)
            state_take_snapshot(world, i, &write->snapshot);
        disk_free_write(write);
        if (!world_node_step(world, i) || !release_waiting(world, i))
            return false;
        /* Sometimes one notice covers several writes, sometimes each has its own. */
        if (world_chance(world, 500)) {
            tell_persisted(world, i, number, index, term);
            number = 0;
            if (!node->up || world->violation[0] != '\0')
                return false;
        }
    }
    if (number != 0)
        tell_persisted(world, i, number, index, term);
    return node->up && world->violation[0] == '\0';
}

void world_node_disk(struct world *world, unsigned i)
{
    enum disk_outcome outcome = DISK_OPENED;
    uint64_t covers;
    if (!disk_sync(world, i, &covers, &outcome)) {
        world_end_by_disk(world, i, outcome);
        return;
    }
    if (covers > 0 && tell_done(world, i, covers) && !disk_go_on(world, i, &outcome))
        world_end_by_disk(world, i, outcome);
}

/* ---- life ---- */

/* What the store holds, into a new struct raft. */
static bool restore(struct world *world, unsigned i, uint64_t now_us)
{
    struct world_node *node = &world->nodes[i];
    const struct store_recovered *found = disk_found(&node->disk);
    struct raft_restored restored = {.hard_state = found->hard_state,
                                     .entries = found->entries,
                                     .entry_count = found->entry_count,
                                     .restarted = found->had_state};
    struct raft_config config = {
        .id = node->id,
        .heartbeat_us = node->heartbeat_us ? node->heartbeat_us : world->config.heartbeat_us,
        .election_us = node->election_us ? node->election_us : world->config.election_us,
        .chunk_bytes = world->config.chunk_bytes};
    if (world->config.has_membership) {
        config.decode_membership = machine_decode_membership;
        config.decode_snapshot = machine_decode_snapshot;
    }
    if (!state_restore(world, i, found))
        return false;
    restored.membership = node->machine.membership;
    restored.snapshot = (struct raft_snapshot){.index = found->snapshot.last_index,
                                               .term = found->snapshot.last_term,
                                               .data = found->snapshot.data,
                                               .size = found->snapshot.size};
    enum raft_code code = raft_trace_new(&node->tracer, &config, &restored, now_us, &node->raft);
    disk_release(&node->disk);
    if (code != RAFT_OK)
        world_violate(world, "I7: %s cannot start from its own disk", node->name);
    return code == RAFT_OK;
}

/* false: it does not start now. */
static bool open_disk(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    enum disk_outcome outcome = disk_open(world, i);
    if (outcome == DISK_OPENED)
        return true;
    disk_close(&node->disk);
    if (outcome == DISK_POWER_FAILED) {
        counts_add(&world->counts, COUNT_CRASH_IN_RECOVERY, 1);
        disk_cut_power(world, i, node->crash_keeps);
    }
    node->refused = outcome == DISK_REFUSED;
    world_trace(world, i, "%s",
                outcome == DISK_REFUSED ? "finds its disk damaged, and stays down" : "fails to start");
    return false;
}

void world_start(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    uint64_t now_us = world_clock_us(world, i), promised_us = node->disk.hard_state.promised_us;
    bool restart = node->disk.written;
    if (node->up || node->refused || !open_disk(world, i))
        return;
    if (!restore(world, i, now_us))
        return;
    node->up = true;
    node->life++;
    node->write_done = 0;
    node->applied_index = node->commit_index = node->restoring_index = node->disk.snapshot_index;
    node->compact_after = world->config.compact_every;
    if (node->applied_index > 0)
        check_applied(world, i);
    node->tick_at_us = 0;
    node->started_us = now_us;
    node->must_hold_until_us = restart ? now_us + promised_us : 0;
    counts_add(&world->counts, COUNT_RESTART, restart);
    counts_add(&world->counts, COUNT_CLOCK_RATE, node->clock_ppm > 1000 || node->clock_ppm < -1000);
    memset(&node->status, 0, sizeof node->status);
    memset(node->heard_us, 0, sizeof node->heard_us);
    world_trace(world, i, "starts, with term %" PRIu64 " and %u entries behind index %" PRIu64,
                node->disk.hard_state.term, node->disk.entry_count, node->disk.snapshot_index);
    if (node->hooks.started != NULL)
        node->hooks.started(world, i, node->hooks.context);
    raft_trace_set_campaign_delay(&node->tracer, node->raft, now_us, node->campaign_delay_us);
    world_carry_out(world, i);
}

void world_crash_after(struct world *world, unsigned i, uint64_t steps, unsigned keep_permille)
{
    world->nodes[i].crash_in_steps = steps;
    world->nodes[i].crash_keeps = keep_permille;
}

void world_hang_disk(struct world *world, unsigned i, bool hung)
{
    struct world_node *node = &world->nodes[i];
    counts_add(&world->counts, COUNT_HUNG_DISK, hung && !node->disk.hung && node->disk.syncing);
    node->disk.hung = hung;
    if (!hung && node->up && node->disk.syncing && node->disk.sync_done_us <= world->now_us)
        world_schedule_disk(world, i, world->now_us);
}

void world_pause(struct world *world, unsigned i, uint64_t for_us)
{
    if (world->nodes[i].frozen_clock_us > 0)
        return; /* nobody can stop anything inside a machine that is paused */
    if (world->nodes[i].paused_until_us < world->now_us + for_us) /* one that lasts longer goes on */
        world->nodes[i].paused_until_us = world->now_us + for_us;
    world_trace(world, i, "is stopped for %.3f s", (double)for_us / 1e6);
}

bool world_is_running(const struct world *world, unsigned i)
{
    return world->nodes[i].up && world->now_us >= world->nodes[i].paused_until_us;
}

/* At the end of its pause, before anything that waits for it. */
static void end_pause(struct world *world, void *context)
{
    struct world_node *node = context;
    if (world->now_us >= node->paused_until_us)
        world_wake(world, (unsigned)(node - world->nodes));
}

void world_pause_machine(struct world *world, unsigned i, uint64_t for_us)
{
    struct world_node *node = &world->nodes[i];
    if (!world_is_running(world, i))
        return;
    world_pause(world, i, for_us);
    node->frozen_clock_us = world_clock_us(world, i);
    world_at(world, node->paused_until_us, end_pause, node);
}

void world_node_free(struct world_node *node)
{
    forget(node);
    disk_free(&node->disk);
    raft_tracer_end(&node->tracer);
}
