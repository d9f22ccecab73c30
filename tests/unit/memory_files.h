/* memory_files.h - a disk in memory that can crash, fail and fill up, behind the store's struct files.
 *
 * One directory level. Readers see every write at once, as through a page cache; the disk has only what was
 * synced. In between, each written 512-byte sector and each directory operation is pending. A crash keeps any
 * subset of the pending sectors, each whole or its first part, and any prefix of the pending directory
 * operations. A failed sync_data forgets what is pending for that file, while readers still see it. */
#ifndef TESTS_UNIT_MEMORY_FILES_H
#define TESTS_UNIT_MEMORY_FILES_H

#include <stdbool.h>

#include "common/store/files.h"

struct memory_disk;

/* Which pending writes survive a crash. */
enum memory_survival {
    MEMORY_NONE,
    MEMORY_ALL,
    MEMORY_PREFIX, /* the first `count` in the order of their making, sectors and directory alike */
    MEMORY_SUFFIX, /* all directory operations; of the sectors all but the first `count` */
    MEMORY_RANDOM, /* by `seed` */
};
struct memory_crash {
    enum memory_survival survival;
    unsigned count;
    uint64_t seed;
};

struct memory_disk *memory_new(void);
void memory_free(struct memory_disk *disk);
/* Valid as long as the disk. */
const struct files *memory_files(struct memory_disk *disk);

/* Operations that change something are counted: the next one is number memory_operations(). */
unsigned memory_operations(const struct memory_disk *disk);
/* The power fails before operation `number`: it and all after it answer -EIO and do nothing. */
void memory_stop_at(struct memory_disk *disk, unsigned number);
/* Operation `number` alone fails. */
void memory_fail_at(struct memory_disk *disk, unsigned number, int error);
/* The power has failed so. */
bool memory_has_stopped(const struct memory_disk *disk);
/* The next operation of this kind alone fails, whenever it comes. */
enum memory_fail_kind {
    MEMORY_FAIL_WRITE, /* write_at, allocate */
    MEMORY_FAIL_SYNC,  /* sync_data, sync_dir */
    MEMORY_FAIL_OTHER,
};
#define MEMORY_FAIL_KINDS (MEMORY_FAIL_OTHER + 1)
void memory_fail_next(struct memory_disk *disk, enum memory_fail_kind kind, int error);
/* All reads fail. */
void memory_fail_reads(struct memory_disk *disk, int error);
/* Bytes that all files together may take; growing beyond is -ENOSPC. */
void memory_set_capacity(struct memory_disk *disk, uint64_t bytes);
uint64_t memory_used(const struct memory_disk *disk);

unsigned memory_pending(const struct memory_disk *disk);
/* The disk after a power failure at this moment. */
struct memory_disk *memory_crash(const struct memory_disk *disk, const struct memory_crash *how);
/* The same to this disk itself. All handles are closed, all faults over. */
struct memory_losses {
    unsigned pending; /* changes that were not durable */
    unsigned sectors; /* written ones, lost as a whole */
    unsigned torn;    /* of which the beginning was kept */
    unsigned names;   /* directory operations that were undone */
};
struct memory_losses memory_cut_power(struct memory_disk *disk, const struct memory_crash *how);
/* The disk after the process was killed: nothing written is lost, nothing pending is synced. */
struct memory_disk *memory_copy(const struct memory_disk *disk);

/* Flips one bit of what is durable; false: the one that `seed` chose cannot be, or there is nothing. Left out
 * is what the last sync of a file that had been synced before made durable: the store cannot tell damage
 * there from a torn write, when nothing behind it is durable (store.h). */
bool memory_rot(struct memory_disk *disk, uint64_t seed);

/* Calls `each` for every file. */
void memory_each(struct memory_disk *disk,
                 void (*each)(void *context, const char *name, uint8_t *bytes, size_t size), void *context);
/* The same names and the same bytes. */
bool memory_equal(const struct memory_disk *a, const struct memory_disk *b);

#endif
