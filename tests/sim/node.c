/* A node's life: the owner's side of the contract in raft.h, step by step, any of which may be the last. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"
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

/* ---- disk ---- */

static void free_write(struct world_write *write)
{
    world_free_entries(write->entries, write->entry_count);
    free(write);
}

static void disk_apply(struct world *world, struct world_node *node, struct world_write *write)
{
    struct world_disk *disk = &node->disk;
    disk->written = true;
    if (write->has_hard_state) {
        if (write->hard_state.term < disk->hard_state.term)
            world_violate(world, "%s writes an older term", node->name);
        disk->hard_state = write->hard_state;
    }
    if (write->entry_count == 0)
        return;
    uint64_t first = write->entries[0].index;
    if (first == 0 || first > disk->entry_count + 1) {
        world_violate(world, "%s leaves a gap before entry %" PRIu64 " on its disk", node->name, first);
        return;
    }
    for (unsigned i = (unsigned)first - 1; i < disk->entry_count; i++) { /* superseded */
        if (disk->entries[i].size > 0)
            free((void *)disk->entries[i].data);
    }
    disk->entry_count = (unsigned)first - 1;
    unsigned wanted = disk->entry_count + write->entry_count;
    if (wanted > disk->capacity) {
        disk->capacity = wanted * 2;
        disk->entries = realloc(disk->entries, disk->capacity * sizeof *disk->entries);
        assert(disk->entries != NULL);
    }
    struct raft_entry *copy = world_copy_entries(write->entries, write->entry_count);
    memcpy(&disk->entries[disk->entry_count], copy, write->entry_count * sizeof *copy);
    disk->entry_count = wanted;
    free(copy);
}

static struct world_write *disk_pop(struct world_disk *disk)
{
    struct world_write *write = disk->queue;
    disk->queue = write->next;
    return write;
}

static void disk_push(struct world *world, unsigned i, const struct raft_output *out)
{
    struct world_node *node = &world->nodes[i];
    struct world_write *write = calloc(1, sizeof *write);
    assert(write != NULL);
    *write = (struct world_write){.number = out->write,
                                  .has_hard_state = out->has_hard_state,
                                  .hard_state = out->hard_state,
                                  .entries = world_copy_entries(out->entries, out->entry_count),
                                  .entry_count = out->entry_count};
    write->done_us = world->now_us + world_between(world, node->disk.min_us, node->disk.max_us);
    struct world_write **end = &node->disk.queue;
    while (*end != NULL) {
        if (write->done_us < (*end)->done_us)
            write->done_us = (*end)->done_us;
        end = &(*end)->next;
    }
    *end = write;
    world_schedule_disk(world, i, write->done_us);
}

/* ---- steps ---- */

/* true: the node goes on. */
static bool step(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    if (node->crash_in_steps > 0 && --node->crash_in_steps == 0)
        world_crash(world, i, node->crash_keeps);
    return node->up && world->violation[0] == '\0';
}

static void free_packet(struct world_packet *packet)
{
    world_free_entries((struct raft_entry *)packet->message.entries, packet->message.entry_count);
    free(packet);
}

static uint64_t acknowledged_term(struct raft *raft, const struct raft_message *message)
{
    bool acknowledges = message->kind == RAFT_APPEND_REPLY && message->granted;
    const struct raft_entry *entry = acknowledges ? raft_entry_at(raft, message->log_index) : NULL;
    return entry == NULL ? 0 : entry->term;
}

static void hold_back(struct world_node *node, const struct raft_send *send)
{
    struct world_packet *packet = calloc(1, sizeof *packet);
    assert(packet != NULL);
    packet->message = send->message;
    packet->message.entries = world_copy_entries(send->message.entries, send->message.entry_count);
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
        if (send->after_write > node->write_done) {
            hold_back(node, send);
            continue;
        }
        check_sent(world, i, &send->message, acknowledged_term(node->raft, &send->message));
        world_send(world, i, &send->message);
        if (!step(world, i))
            return false;
    }
    return true;
}

static bool apply(struct world *world, unsigned i, uint64_t commit_index)
{
    struct world_node *node = &world->nodes[i];
    while (node->applied_index < commit_index) {
        const struct raft_entry *entry = raft_entry_at(node->raft, node->applied_index + 1);
        if (entry == NULL) {
            world_violate(world, "%s commits entry %" PRIu64 ", which it does not have", node->name,
                          node->applied_index + 1);
            return false;
        }
        node->applied_index++;
        if (node->hooks.applied != NULL)
            node->hooks.applied(world, i, entry, node->hooks.context);
        if (!step(world, i))
            return false;
    }
    return true;
}

static void observe(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    struct raft_status before = node->status;
    raft_status(node->raft, world_clock_us(world, i), &node->status);
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

/* What raft.h asks of the owner after each input, in its order. */
static void carry_out(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    const struct raft_output *out = raft_take(node->raft);
    uint64_t commit_index = out->commit_index;
    check_written(world, i, out->entries, out->entry_count);
    if (!send_messages(world, i, out))
        return;
    if (out->has_write) {
        disk_push(world, i, out);
        if (!step(world, i))
            return;
    }
    check_committed(world, i, node->applied_index, commit_index);
    if (apply(world, i, commit_index))
        observe(world, i);
}

static bool release_waiting(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    while (node->waiting != NULL && node->waiting->after_write <= node->write_done) {
        struct world_packet *packet = node->waiting;
        node->waiting = packet->next;
        check_sent(world, i, &packet->message, packet->acknowledged_term);
        world_send(world, i, &packet->message);
        free_packet(packet);
        if (!step(world, i))
            return false;
    }
    return true;
}

void world_node_disk(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    uint64_t number = 0, index = 0, term = 0;
    while (!node->disk.hung && node->disk.queue != NULL && node->disk.queue->done_us <= world->now_us) {
        struct world_write *write = disk_pop(&node->disk);
        disk_apply(world, node, write);
        node->write_done = number = write->number;
        index = term = 0;
        if (write->entry_count > 0) {
            index = write->entries[write->entry_count - 1].index;
            term = write->entries[write->entry_count - 1].term;
        }
        free_write(write);
        if (!step(world, i) || !release_waiting(world, i))
            return;
        /* Sometimes one notice covers several writes, sometimes each has its own. */
        if (world_chance(world, 500)) {
            raft_persisted(node->raft, world_clock_us(world, i), number, index, term);
            carry_out(world, i);
            number = 0;
            if (!node->up || world->violation[0] != '\0')
                return;
        }
    }
    if (number != 0) {
        raft_persisted(node->raft, world_clock_us(world, i), number, index, term);
        carry_out(world, i);
    }
}

/* ---- life ---- */

void world_start(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    if (node->up)
        return;
    struct raft_restored restored = {.hard_state = node->disk.hard_state,
                                     .entries = node->disk.entries,
                                     .entry_count = node->disk.entry_count,
                                     .restarted = node->disk.written};
    restored.membership.count = world->node_count;
    for (unsigned m = 0; m < world->node_count; m++)
        restored.membership.members[m] =
            (struct raft_member){.id = world->nodes[m].id, .kind = world->nodes[m].kind, .voter = true};
    struct raft_config config = {
        .id = node->id, .heartbeat_us = world->config.heartbeat_us, .election_us = world->config.election_us};
    uint64_t now_us = world_clock_us(world, i);
    if (raft_new(&config, &restored, now_us, &node->raft) != RAFT_OK) {
        world_violate(world, "%s cannot start from its own disk", node->name);
        return;
    }
    node->up = true;
    node->life++;
    node->write_done = 0;
    node->applied_index = 0;
    node->tick_at_us = 0;
    node->started_us = now_us;
    node->must_hold_until_us = node->disk.written ? now_us + node->disk.hard_state.promised_us : 0;
    memset(&node->status, 0, sizeof node->status);
    memset(node->heard_us, 0, sizeof node->heard_us);
    if (world->trace)
        printf("%12.6f start %s\n", (double)world->now_us / 1e6, node->name);
    if (node->hooks.started != NULL)
        node->hooks.started(world, i, node->hooks.context);
    raft_set_campaign_delay(node->raft, now_us, node->campaign_delay_us);
    carry_out(world, i);
}

static void forget(struct world_node *node)
{
    while (node->disk.queue != NULL)
        free_write(disk_pop(&node->disk));
    while (node->waiting != NULL) {
        struct world_packet *packet = node->waiting;
        node->waiting = packet->next;
        free_packet(packet);
    }
    raft_free(node->raft);
    node->raft = NULL;
}

void world_crash(struct world *world, unsigned i, unsigned keep_permille)
{
    struct world_node *node = &world->nodes[i];
    if (!node->up)
        return;
    while (node->disk.queue != NULL && world_chance(world, keep_permille)) { /* in order: a prefix */
        struct world_write *write = disk_pop(&node->disk);
        disk_apply(world, node, write);
        free_write(write);
    }
    if (world->trace)
        printf("%12.6f crash %s\n", (double)world->now_us / 1e6, node->name);
    node->paused_until_us = 0;
    forget(node);
    node->up = false;
    node->crash_in_steps = 0;
    if (node->hooks.stopped != NULL)
        node->hooks.stopped(world, i, node->hooks.context);
}

void world_crash_after(struct world *world, unsigned i, uint64_t steps, unsigned keep_permille)
{
    world->nodes[i].crash_in_steps = steps;
    world->nodes[i].crash_keeps = keep_permille;
}

void world_hang_disk(struct world *world, unsigned i, bool hung)
{
    struct world_node *node = &world->nodes[i];
    node->disk.hung = hung;
    if (!hung && node->up && node->disk.queue != NULL)
        world_schedule_disk(world, i, world->now_us);
}

void world_pause(struct world *world, unsigned i, uint64_t for_us)
{
    world->nodes[i].paused_until_us = world->now_us + for_us;
}

void world_node_free(struct world_node *node)
{
    forget(node);
    world_free_entries(node->disk.entries, node->disk.entry_count);
}

/* ---- inputs ---- */

void world_node_tick(struct world *world, unsigned i)
{
    raft_tick(world->nodes[i].raft, world_clock_us(world, i));
    carry_out(world, i);
}

void world_receive(struct world *world, unsigned i, const struct raft_message *message)
{
    raft_receive(world->nodes[i].raft, world_clock_us(world, i), message);
    carry_out(world, i);
}

enum raft_code world_propose(struct world *world, unsigned i, const void *data, size_t size, uint64_t *index)
{
    enum raft_code code =
        raft_propose(world->nodes[i].raft, world_clock_us(world, i), RAFT_ENTRY_COMMAND, data, size, index);
    carry_out(world, i);
    return code;
}

enum raft_code world_transfer(struct world *world, unsigned i, unsigned to)
{
    enum raft_code code = raft_transfer(world->nodes[i].raft, world_clock_us(world, i), world->nodes[to].id);
    carry_out(world, i);
    return code;
}

enum raft_code world_renew_term(struct world *world, unsigned i)
{
    enum raft_code code = raft_renew_term(world->nodes[i].raft, world_clock_us(world, i));
    carry_out(world, i);
    return code;
}

void world_end_lease(struct world *world, unsigned i)
{
    raft_end_lease(world->nodes[i].raft, world_clock_us(world, i));
    carry_out(world, i);
}

void world_release(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    node->lease_until_us = 0;
    raft_released(node->raft, world_clock_us(world, i));
    carry_out(world, i);
}

void world_set_campaign_delay(struct world *world, unsigned i, uint64_t delay_us)
{
    world->nodes[i].campaign_delay_us = delay_us;
    if (!world->nodes[i].up)
        return;
    raft_set_campaign_delay(world->nodes[i].raft, world_clock_us(world, i), delay_us);
    carry_out(world, i);
}
