#include "tests/sim/disk.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/parts.h"
#include "tests/sim/dice.h"
#include "tests/sim/shadow.h"
#include "tests/unit/memory_files.h"

/* What the store needs, generously: a header and a hard state; around an entry; identity, lock, frames. */
#define LOG_HEAD_BYTES 256
#define LOG_ENTRY_BYTES 96
#define OTHER_FILES_BYTES 256

/* ---- chance ---- */

static struct dice process_dice;

void disk_set_random(uint64_t seed)
{
    process_dice.state = seed;
}

ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)dice_next(&process_dice);
    return (ssize_t)size;
}

/* ---- making and freeing ---- */

void disk_init(struct world *world, unsigned i)
{
    struct world_disk *disk = &world->nodes[i].disk;
    disk->min_us = world->config.disk_min_us;
    disk->max_us = world->config.disk_max_us;
    disk->files = memory_new();
    disk->power_fails_in = UINT64_MAX;
}

void disk_free_write(struct world_write *write)
{
    world_free_entries(write->entries, write->entry_count);
    free((void *)write->snapshot.data);
    free(write);
}

static void forget_writes(struct world_disk *disk)
{
    while (disk->queue != NULL) {
        struct world_write *write = disk->queue;
        disk->queue = write->next;
        disk_free_write(write);
    }
    disk->queue_end = NULL;
}

void disk_free(struct world_disk *disk)
{
    disk_close(disk);
    forget_writes(disk);
    shadow_clear(disk);
    free(disk->entries);
    if (disk->files != NULL)
        memory_free(disk->files);
}

void disk_wipe(struct world *world, unsigned i)
{
    struct world_disk *disk = &world->nodes[i].disk;
    forget_writes(disk);
    shadow_clear(disk);
    memory_free(disk->files);
    disk->files = memory_new();
    disk->identity = 0;
    disk->damaged = disk->full = disk->write_fails = disk->sync_fails = false;
    counts_add(&world->counts, COUNT_WIPED, 1);
}

/* ---- faults ---- */

static void arm_power(struct world_disk *disk)
{
    uint64_t at = memory_operations(disk->files) + disk->power_fails_in;
    memory_stop_at(disk->files, disk->power_fails_in == UINT64_MAX ? (unsigned)-1 : (unsigned)at);
}

bool world_disk_fault(struct world *world, unsigned i, enum world_disk_fault fault, uint64_t amount)
{
    struct world_disk *disk = &world->nodes[i].disk;
    switch (fault) {
    case WORLD_DISK_WELL:
        disk->full = disk->write_fails = disk->sync_fails = false;
        disk->power_fails_in = UINT64_MAX;
        disk->min_us = world->config.disk_min_us;
        disk->max_us = world->config.disk_max_us;
        memory_set_capacity(disk->files, UINT64_MAX);
        memory_fail_next(disk->files, MEMORY_FAIL_WRITE, 0);
        memory_fail_next(disk->files, MEMORY_FAIL_SYNC, 0);
        arm_power(disk);
        world_hang_disk(world, i, false);
        break;
    case WORLD_DISK_FULL:
        disk->full = true;
        disk->capacity_bytes = memory_used(disk->files) + amount;
        memory_set_capacity(disk->files, disk->capacity_bytes);
        break;
    case WORLD_DISK_WRITE_ERROR:
        disk->write_fails = true;
        memory_fail_next(disk->files, MEMORY_FAIL_WRITE, -EIO);
        break;
    case WORLD_DISK_SYNC_ERROR:
        disk->sync_fails = true;
        memory_fail_next(disk->files, MEMORY_FAIL_SYNC, -EIO);
        break;
    case WORLD_DISK_ROT:
        if (!memory_rot(disk->files, amount))
            return false;
        disk->damaged = true;
        break;
    case WORLD_DISK_POWER:
        disk->power_fails_in = amount;
        arm_power(disk);
        break;
    case WORLD_DISK_SLOW:
        disk->max_us = amount > disk->min_us ? amount : disk->min_us;
        break;
    }
    return true;
}

/* A store's call has failed: how does the process end? Only what was asked for may happen. */
static enum disk_outcome judge(struct world *world, unsigned i, const char *call, enum error_code code,
                               const struct error *err)
{
    struct world_node *node = &world->nodes[i];
    struct world_disk *disk = &node->disk;
    if (memory_has_stopped(disk->files)) {
        disk->power_fails_in = UINT64_MAX;
        disk->cut_short = true;
        return DISK_POWER_FAILED;
    }
    if (code == ERR_CORRUPT && disk->damaged) {
        counts_add(&world->counts, COUNT_BIT_ROT, disk->store == NULL);
        return disk->store == NULL ? DISK_REFUSED : DISK_FAILED;
    }
    if (code == ERR_IO && (disk->write_fails || disk->sync_fails)) {
        counts_add(&world->counts, disk->write_fails ? COUNT_WRITE_ERROR : COUNT_SYNC_ERROR, 1);
        disk->write_fails = disk->sync_fails = false;
        memory_fail_next(disk->files, MEMORY_FAIL_WRITE, 0);
        memory_fail_next(disk->files, MEMORY_FAIL_SYNC, 0);
        return DISK_FAILED;
    }
    if (disk->full) {
        counts_add(&world->counts, COUNT_DISK_FULL, 1);
        return DISK_FAILED;
    }
    world_violate(world, "I7: %s: %s fails on a good disk (%d): %.300s", node->name, call, code, err->text);
    return DISK_VIOLATED;
}

static bool fine(struct world *world, unsigned i, const char *call, enum error_code code,
                 const struct error *err, enum disk_outcome *outcome)
{
    if (code == ERR_OK)
        return true;
    *outcome = judge(world, i, call, code, err);
    return false;
}

/* ---- life ---- */

enum disk_outcome disk_open(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    struct world_disk *disk = &node->disk;
    struct error err = {0};
    arm_power(disk);
    enum error_code code = store_open_sized(memory_files(disk->files), "/disk", "sim", node->name,
                                            world->config.segment_bytes, &disk->store, &err);
    if (code != ERR_OK)
        return judge(world, i, "recovery", code, &err);
    const struct store_recovered *found = store_recovered(disk->store);
    if (disk->identity != 0 && found->id != disk->identity)
        world_violate(world, "I7: %s has forgotten who it is", node->name);
    disk->identity = found->id;
    bool damaged = disk->damaged;
    disk->damaged = false;
    if (!shadow_explain(disk, found)) {
        world_violate(world, "I7: %s recovers what it never promised, or has lost what it did%s: %s",
                      node->name, damaged ? " (a bit of its disk was flipped)" : "",
                      shadow_describe(disk, found));
        return DISK_VIOLATED;
    }
    forget_writes(disk);
    shadow_set(disk, found);
    disk->syncing = false;
    return DISK_OPENED;
}

const struct store_recovered *disk_found(const struct world_disk *disk)
{
    return store_recovered(disk->store);
}

void disk_release(struct world_disk *disk)
{
    store_release_recovered(disk->store);
}

void disk_close(struct world_disk *disk)
{
    if (disk->store == NULL)
        return;
    memory_stop_at(disk->files, 0); /* it is killed: what store_close would write is not written */
    store_close(disk->store);
    disk->store = NULL;
    disk->syncing = false;
    arm_power(disk);
}

/* What was appended before is durable, told or not. */
static void take_in_appended(struct world_disk *disk)
{
    for (struct world_write *write = disk->queue; write != NULL && write->appended; write = write->next) {
        if (!write->in_shadow)
            shadow_apply(disk, write);
        write->in_shadow = true;
    }
}

void disk_cut_power(struct world *world, unsigned i, unsigned keep_permille)
{
    struct world_disk *disk = &world->nodes[i].disk;
    struct memory_crash how = {.survival = MEMORY_RANDOM};
    if (keep_permille == 0)
        how.survival = MEMORY_NONE;
    else if (keep_permille >= 1000)
        how.survival = MEMORY_ALL;
    else
        how.seed = world_random(world);
    if (how.survival == MEMORY_ALL && !disk->cut_short)
        take_in_appended(disk);
    disk->cut_short = false;
    struct memory_losses losses = memory_cut_power(disk->files, &how);
    counts_add(&world->counts, COUNT_CRASH_IN_WRITE, losses.pending > 0);
    counts_add(&world->counts, COUNT_LOST_WRITE, losses.sectors);
    counts_add(&world->counts, COUNT_TORN_WRITE, losses.torn);
    counts_add(&world->counts, COUNT_LOST_NAME, losses.names);
    if (disk->full)
        memory_set_capacity(disk->files, disk->capacity_bytes);
    disk->write_fails = disk->sync_fails = false;
    arm_power(disk);
}

/* ---- writing ---- */

static struct world_write *push_write(struct world_disk *disk, const struct raft_output *out)
{
    struct world_write *write = calloc(1, sizeof *write);
    assert(write != NULL);
    *write = (struct world_write){.number = out->write,
                                  .has_hard_state = out->has_hard_state,
                                  .hard_state = out->hard_state,
                                  .entries = world_copy_entries(out->entries, out->entry_count),
                                  .entry_count = out->entry_count,
                                  .has_snapshot = out->has_snapshot};
    if (out->has_snapshot) {
        void *data = malloc(out->snapshot.size + 1);
        assert(data != NULL);
        memcpy(data, out->snapshot.data, out->snapshot.size);
        write->snapshot = out->snapshot;
        write->snapshot.data = data;
    }
    if (disk->queue_end == NULL)
        disk->queue = write;
    else
        disk->queue_end->next = write;
    disk->queue_end = write;
    return write;
}

/* What was appended before is durable with it. */
static enum error_code save(struct world_disk *disk, const struct raft_snapshot *snapshot, struct error *err)
{
    struct store_snapshot stored = {.last_index = snapshot->index,
                                    .last_term = snapshot->term,
                                    .data = snapshot->data,
                                    .size = snapshot->size};
    disk->saving = true;
    disk->saving_index = snapshot->index;
    disk->saving_term = snapshot->term;
    enum error_code code = store_save_snapshot(disk->store, &stored, err);
    if (code == ERR_OK || code == ERR_BUSY)
        disk->saving = false;
    if (code == ERR_OK) {
        take_in_appended(disk);
        shadow_apply_snapshot(disk, snapshot->index, snapshot->term);
    }
    return code;
}

static bool append(struct world *world, unsigned i, struct world_write *write, enum disk_outcome *outcome)
{
    struct world_disk *disk = &world->nodes[i].disk;
    struct error err = {0};
    if (write->has_snapshot) {
        enum error_code code = save(disk, &write->snapshot, &err);
        counts_add(&world->counts, COUNT_CRASH_IN_SNAPSHOT,
                   code != ERR_OK && memory_has_stopped(disk->files));
        if (!fine(world, i, "a leader's snapshot", code, &err, outcome))
            return false;
    }
    write->appended = true; /* even if it fails half-way */
    enum error_code code = ERR_OK;
    if (write->has_hard_state || write->entry_count > 0)
        code = store_append(disk->store, write->has_hard_state ? &write->hard_state : NULL, write->entries,
                            write->entry_count, &err);
    if (code == ERR_BUSY)
        write->appended = false;
    disk->newest_appended = write->number;
    return fine(world, i, "an append", code, &err, outcome);
}

static bool append_all(struct world *world, unsigned i, enum disk_outcome *outcome)
{
    for (struct world_write *write = world->nodes[i].disk.queue; write != NULL; write = write->next) {
        if (!write->appended && !append(world, i, write, outcome))
            return false;
    }
    return true;
}

/* The log began anew behind the snapshot: what it takes now is what counts, and no more. */
static void check_size(struct world *world, unsigned i, size_t snapshot_size)
{
    const struct world_disk *disk = &world->nodes[i].disk;
    uint64_t live = LOG_HEAD_BYTES + world->config.segment_bytes / 4;
    for (unsigned e = 0; e < disk->entry_count; e++)
        live += disk->entries[e].size + LOG_ENTRY_BYTES;
    uint64_t most = (live > world->config.segment_bytes ? live : world->config.segment_bytes) +
                    snapshot_size + OTHER_FILES_BYTES;
    if (!disk->full && memory_used(disk->files) > most)
        world_violate(world, "rule: %s keeps %" PRIu64 " bytes behind its snapshot, %" PRIu64 " are enough",
                      world->nodes[i].name, memory_used(disk->files), most);
}

bool disk_save_snapshot(struct world *world, unsigned i, const struct raft_snapshot *snapshot, bool *saved,
                        enum disk_outcome *outcome)
{
    struct world_disk *disk = &world->nodes[i].disk;
    struct error err = {0};
    if (!append_all(world, i, outcome)) /* it comes after all that was written before */
        return false;
    enum error_code code = save(disk, snapshot, &err);
    *saved = code == ERR_OK;
    if (*saved)
        check_size(world, i, snapshot->size);
    if (code == ERR_BUSY && disk->full) {
        counts_add(&world->counts, COUNT_DISK_FULL, 1);
        return true;
    }
    counts_add(&world->counts, COUNT_CRASH_IN_SNAPSHOT, code != ERR_OK && memory_has_stopped(disk->files));
    return fine(world, i, "a snapshot", code, &err, outcome);
}

bool disk_go_on(struct world *world, unsigned i, enum disk_outcome *outcome)
{
    struct world_disk *disk = &world->nodes[i].disk;
    if (disk->syncing || disk->queue == NULL)
        return true;
    if (!append_all(world, i, outcome))
        return false;
    uint64_t takes_us = world_between(world, disk->min_us, disk->max_us);
    counts_add(&world->counts, COUNT_SLOW_DISK, takes_us > world->config.heartbeat_us);
    counts_add(&world->counts, COUNT_HUNG_DISK, disk->hung);
    disk->syncing = true;
    disk->sync_began_us = world->now_us;
    disk->sync_covers = disk->newest_appended;
    disk->sync_done_us = world->now_us + takes_us;
    world_schedule_disk(world, i, disk->sync_done_us);
    return true;
}

bool disk_write(struct world *world, unsigned i, const struct raft_output *out, enum disk_outcome *outcome)
{
    struct world_disk *disk = &world->nodes[i].disk;
    struct world_write *write = push_write(disk, out);
    if (!disk->behind && !append(world, i, write, outcome))
        return false;
    if (write->appended && disk->syncing && disk->sync_began_us == world->now_us)
        disk->sync_covers = write->number; /* as common/replica syncs at the end of a loop turn */
    return disk_go_on(world, i, outcome);
}

bool disk_sync(struct world *world, unsigned i, uint64_t *covers, enum disk_outcome *outcome)
{
    struct world_disk *disk = &world->nodes[i].disk;
    struct error err = {0};
    *covers = 0;
    if (disk->hung || !disk->syncing || world->now_us < disk->sync_done_us)
        return true;
    disk->syncing = false;
    if (!fine(world, i, "a sync", store_sync(disk->store, &err), &err, outcome))
        return false;
    *covers = disk->sync_covers;
    return true;
}

struct world_write *disk_take_done(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    struct world_write *write = node->disk.queue;
    if (!write->in_shadow && !shadow_apply(&node->disk, write))
        world_violate(world, "I1: %s writes an older term, or leaves a gap before entry %" PRIu64, node->name,
                      write->entry_count > 0 ? write->entries[0].index : 0);
    node->disk.queue = write->next;
    if (write->next == NULL)
        node->disk.queue_end = NULL;
    return write;
}

bool disk_reserve(struct world *world, unsigned i, unsigned entry_count, size_t bytes, bool *has_room,
                  enum disk_outcome *outcome)
{
    struct world_disk *disk = &world->nodes[i].disk;
    struct error err = {0};
    /* Those that wait to be appended count too, each with its frame and hard state. */
    for (const struct world_write *write = disk->queue; write != NULL; write = write->next) {
        if (write->appended)
            continue;
        entry_count += write->entry_count + 3;
        for (unsigned e = 0; e < write->entry_count; e++)
            bytes += write->entries[e].size;
    }
    enum error_code code = store_reserve(disk->store, entry_count, bytes, &err);
    *has_room = code == ERR_OK;
    if (code == ERR_BUSY && disk->full) {
        counts_add(&world->counts, COUNT_DISK_FULL, 1);
        return true;
    }
    return fine(world, i, "a reservation", code, &err, outcome);
}

bool disk_holds(const struct world_disk *disk, uint64_t index, uint64_t term)
{
    if (index <= disk->snapshot_index)
        return index < disk->snapshot_index || index == 0 || disk->snapshot_term == term;
    uint64_t at = index - disk->snapshot_index - 1;
    return at < disk->entry_count && disk->entries[at].term == term;
}
