/* memory_internal.h - what memory_files.c (the operations) and memory_crash.c (what becomes of a disk) share.
 */
#ifndef TESTS_UNIT_MEMORY_INTERNAL_H
#define TESTS_UNIT_MEMORY_INTERNAL_H

#include "memory_files.h"

#define MEMORY_SECTOR 512
#define MEMORY_NODES_MAX 4096
#define MEMORY_NAMES_MAX 2048
#define MEMORY_HANDLES_MAX 64
#define MEMORY_NAME_BYTES 64

struct content {
    uint8_t *bytes;
    size_t size, room;
};

struct node {
    bool used;
    struct content cache;
    struct content durable;
    bool was_synced;      /* since it was made or emptied */
    size_t written_from;  /* the lowest byte written since the last sync; SIZE_MAX: none */
    size_t evident_bytes; /* durable, and something else that is durable says so: see memory_rot */
};

struct name {
    char name[MEMORY_NAME_BYTES]; /* "": unused */
    int node;
};

enum change_kind { CHANGE_SECTOR, CHANGE_SIZE, CHANGE_LINK, CHANGE_RENAME, CHANGE_REMOVE };

/* A pending change, in the order of its making. */
struct change {
    enum change_kind kind;
    int node;
    size_t offset; /* CHANGE_SECTOR: of the sector; CHANGE_SIZE: the size */
    size_t size;   /* of the bytes, at most MEMORY_SECTOR */
    union {
        uint8_t bytes[MEMORY_SECTOR];
        struct {
            char from[MEMORY_NAME_BYTES];
            char to[MEMORY_NAME_BYTES];
        };
    };
};

struct memory_disk {
    struct files files;
    struct node nodes[MEMORY_NODES_MAX];
    unsigned node_count;                         /* one more than the last that was ever used */
    struct name names[MEMORY_NAMES_MAX];         /* as readers see them */
    struct name durable_names[MEMORY_NAMES_MAX]; /* as the disk has them */
    unsigned name_count;                         /* one more than the last slot that was ever used */
    int handles[MEMORY_HANDLES_MAX];             /* node + 1 */
    struct change *changes;
    unsigned change_count;
    unsigned change_room;
    unsigned operations;
    unsigned stop_at;
    unsigned fail_at;
    int fail_error;
    int fail_next_error[MEMORY_FAIL_KINDS]; /* 0: does not */
    int read_error;
    uint64_t capacity;
};

/* Closes all handles, and ends all faults. */
void memory_set_up(struct memory_disk *disk);
void content_resize(struct content *content, size_t size);
void content_apply(struct content *content, const struct change *change, size_t size);
void names_apply(struct memory_disk *disk, struct name *names, const struct change *change);
bool change_is_directory(const struct change *change);

#endif
