/* disk.h - a node's disk: the real store (common/store) on files in memory (tests/unit/memory_files.h), and a
 * *shadow* beside it that knows what the store has promised.
 *
 * A write is appended to the store when Raft asks for it, or, with `behind`, once the sync under way is done.
 * A sync takes its time, in which other inputs come; it covers what was appended before it began. Only what
 * is told of it is in the shadow (and counts as durable for the checkers). What was on its way when the node
 * went down may be found at the next start, in order and up to any point; anything else that is found, or not
 * found, is a violation (I7).
 *
 * All that the store draws from getrandom comes from the seed (the linker wraps it). */
#ifndef MHA_SIM_DISK_H
#define MHA_SIM_DISK_H

#include <sys/types.h>

#include "common/store/store.h"
#include "tests/sim/world.h"

enum disk_outcome {
    DISK_OPENED,
    DISK_REFUSED, /* it was damaged, and the store says so */
    DISK_FAILED,  /* full, or an error that was asked for: the process ends */
    DISK_POWER_FAILED,
    DISK_VIOLATED,
};

void disk_init(struct world *world, unsigned node);
void disk_free(struct world_disk *disk);

/* Opens the store and compares what it found. The shadow is then what was found. */
enum disk_outcome disk_open(struct world *world, unsigned node);
/* What disk_open found; valid until disk_release. */
const struct store_recovered *disk_found(const struct world_disk *disk);
void disk_release(struct world_disk *disk);
/* The process ends, without a last word; what was written stays readable. */
void disk_close(struct world_disk *disk);
/* After disk_close: the power is gone. */
void disk_cut_power(struct world *world, unsigned node, unsigned keep_permille);
/* Empties it, as a new disk is. */
void disk_wipe(struct world *world, unsigned node);

/* The following: false when the process is at its end (DISK_FAILED or DISK_POWER_FAILED in `outcome`). */
/* Takes the output's write; appends it now or later, and sees to it that it is synced. */
bool disk_write(struct world *world, unsigned node, const struct raft_output *out,
                enum disk_outcome *outcome);
/* The sync under way is done: *covers is the newest write that it made durable, 0 when there is none. */
bool disk_sync(struct world *world, unsigned node, uint64_t *covers, enum disk_outcome *outcome);
/* Begins the next sync, if something waits for one. */
bool disk_go_on(struct world *world, unsigned node, enum disk_outcome *outcome);
/* *has_room: there is room for so many entries. */
bool disk_reserve(struct world *world, unsigned node, unsigned entry_count, size_t bytes, bool *has_room,
                  enum disk_outcome *outcome);
/* *saved: else the disk was full. */
bool disk_save_snapshot(struct world *world, unsigned node, const struct raft_snapshot *snapshot, bool *saved,
                        enum disk_outcome *outcome);

/* The oldest write that is under way, taken off; its content is in the shadow from now on. The caller frees
 * it. */
struct world_write *disk_take_done(struct world *world, unsigned node);
void disk_free_write(struct world_write *write);

/* Is this entry durable here, by what was promised? What a snapshot covers is. */
bool disk_holds(const struct world_disk *disk, uint64_t index, uint64_t term);

void disk_set_random(uint64_t seed);
ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags);

#endif
