#include "memory_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512
#define NODES_MAX 1024
#define NAMES_MAX 256
#define HANDLES_MAX 64
#define NAME_BYTES 64

struct content {
    uint8_t *bytes;
    size_t size;
};

struct node {
    struct content cache;
    struct content durable;
};

struct name {
    char name[NAME_BYTES]; /* "": unused */
    int node;
};

enum change_kind { CHANGE_SECTOR, CHANGE_SIZE, CHANGE_LINK, CHANGE_RENAME, CHANGE_REMOVE };

/* A pending change, in the order of its making. */
struct change {
    enum change_kind kind;
    int node;
    size_t offset; /* CHANGE_SECTOR: of the sector; CHANGE_SIZE: the size */
    size_t size;   /* of the bytes, at most SECTOR */
    uint8_t bytes[SECTOR];
    char from[NAME_BYTES];
    char to[NAME_BYTES];
};

struct memory_disk {
    struct files files;
    struct node nodes[NODES_MAX];
    unsigned node_count;
    struct name names[NAMES_MAX];         /* as readers see them */
    struct name durable_names[NAMES_MAX]; /* as the disk has them */
    int handles[HANDLES_MAX];             /* node + 1 */
    struct change *changes;
    unsigned change_count;
    unsigned change_room;
    unsigned operations;
    unsigned stop_at;
    unsigned fail_at;
    int fail_error;
    int read_error;
    uint64_t capacity;
};

static void resize(struct content *content, size_t size)
{
    if (size > content->size) {
        content->bytes = realloc(content->bytes, size);
        memset(content->bytes + content->size, 0, size - content->size);
    }
    content->size = size;
}

static void put(struct content *content, size_t offset, const void *bytes, size_t size)
{
    if (offset + size > content->size)
        resize(content, offset + size);
    memcpy(content->bytes + offset, bytes, size);
}

static void copy_content(struct content *to, const struct content *from)
{
    free(to->bytes);
    to->bytes = malloc(from->size + 1);
    to->size = from->size;
    if (from->size > 0)
        memcpy(to->bytes, from->bytes, from->size);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static struct name *find_name(struct name *names, const char *name)
{
    for (unsigned i = 0; i < NAMES_MAX; i++)
        if (strcmp(names[i].name, name) == 0)
            return &names[i];
    return NULL;
}

static void apply_to_names(struct name *names, const struct change *change)
{
    struct name *at = find_name(names, change->from);

    if (change->kind == CHANGE_LINK) {
        at = at ? at : find_name(names, "");
        assert(at);
        snprintf(at->name, sizeof at->name, "%s", change->from);
        at->node = change->node;
    } else if (change->kind == CHANGE_REMOVE) {
        if (at)
            at->name[0] = '\0';
    } else if (at) {
        struct name *old = find_name(names, change->to);
        if (old)
            old->name[0] = '\0';
        memcpy(at->name, change->to, sizeof at->name);
    }
}

static struct change *add_change(struct memory_disk *disk, enum change_kind kind, int node)
{
    struct change *change;

    if (disk->change_count == disk->change_room) {
        disk->change_room = disk->change_room ? disk->change_room * 2 : 64;
        disk->changes = realloc(disk->changes, disk->change_room * sizeof *disk->changes);
    }
    change = &disk->changes[disk->change_count++];
    memset(change, 0, sizeof *change);
    change->kind = kind;
    change->node = node;
    return change;
}

static bool is_directory_change(const struct change *change)
{
    return change->kind >= CHANGE_LINK;
}

/* Drops the pending changes of one node, or (node -1) of the directory. */
static void drop_changes(struct memory_disk *disk, int node)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < disk->change_count; i++) {
        const struct change *change = &disk->changes[i];
        bool drop =
            node < 0 ? is_directory_change(change) : !is_directory_change(change) && change->node == node;
        if (!drop)
            disk->changes[kept++] = *change;
    }
    disk->change_count = kept;
}

/* 0, or the error of this operation. */
static int operate(struct memory_disk *disk)
{
    unsigned number = disk->operations++;

    if (number >= disk->stop_at)
        return -EIO;
    return number == disk->fail_at ? disk->fail_error : 0;
}

uint64_t memory_used(const struct memory_disk *disk)
{
    uint64_t used = 0;

    for (unsigned i = 0; i < NAMES_MAX; i++)
        if (disk->names[i].name[0])
            used += disk->nodes[disk->names[i].node].cache.size;
    return used;
}

/* ---- struct files ---- */

static int memory_make_dir(void *context, const char *path)
{
    (void)path;
    return operate(context);
}

static int memory_open(void *context, const char *path, int flags, unsigned mode)
{
    struct memory_disk *disk = context;
    struct name *at = find_name(disk->names, base_name(path));
    int error, handle = 0;

    (void)mode;
    if (!at && !(flags & O_CREAT))
        return -ENOENT;
    if (!at) {
        struct change *change;
        error = operate(disk);
        if (error)
            return error;
        assert(disk->node_count < NODES_MAX);
        change = add_change(disk, CHANGE_LINK, (int)disk->node_count++);
        snprintf(change->from, sizeof change->from, "%s", base_name(path));
        apply_to_names(disk->names, change);
        at = find_name(disk->names, base_name(path));
    } else if (flags & O_TRUNC) {
        error = operate(disk);
        if (error)
            return error;
        resize(&disk->nodes[at->node].cache, 0);
        add_change(disk, CHANGE_SIZE, at->node);
    }
    while (disk->handles[handle])
        handle++;
    assert(handle < HANDLES_MAX - 1);
    disk->handles[handle] = at->node + 1;
    return handle;
}

static int memory_close(void *context, int handle)
{
    struct memory_disk *disk = context;

    assert(disk->handles[handle]);
    disk->handles[handle] = 0;
    return 0;
}

static int node_of(const struct memory_disk *disk, int handle)
{
    assert(handle >= 0 && disk->handles[handle]);
    return disk->handles[handle] - 1;
}

static ssize_t memory_read_at(void *context, int handle, void *bytes, size_t size, uint64_t offset)
{
    struct memory_disk *disk = context;
    const struct content *content = &disk->nodes[node_of(disk, handle)].cache;

    if (disk->read_error)
        return disk->read_error;
    if (offset >= content->size)
        return 0;
    if (size > content->size - offset)
        size = content->size - offset;
    if (size > 1000)
        size = 1000; /* short reads happen */
    memcpy(bytes, content->bytes + offset, size);
    return (ssize_t)size;
}

static ssize_t memory_write_at(void *context, int handle, const void *bytes, size_t size, uint64_t offset)
{
    struct memory_disk *disk = context;
    int node = node_of(disk, handle), error = operate(disk);
    struct content *content = &disk->nodes[node].cache;

    if (error)
        return error;
    if (size > 1500)
        size = 1500; /* short writes happen */
    if (offset + size > content->size && memory_used(disk) + offset + size - content->size > disk->capacity)
        return -ENOSPC;
    put(content, offset, bytes, size);
    for (size_t sector = offset / SECTOR * SECTOR; sector < offset + size; sector += SECTOR) {
        struct change *change = add_change(disk, CHANGE_SECTOR, node);
        change->offset = sector;
        change->size = content->size - sector < SECTOR ? content->size - sector : SECTOR;
        memcpy(change->bytes, content->bytes + sector, change->size);
    }
    return (ssize_t)size;
}

static int memory_allocate(void *context, int handle, uint64_t size)
{
    struct memory_disk *disk = context;
    int node = node_of(disk, handle), error = operate(disk);
    struct content *content = &disk->nodes[node].cache;

    if (error)
        return error;
    if (size > content->size) {
        if (memory_used(disk) + size - content->size > disk->capacity)
            return -ENOSPC;
        resize(content, size);
        add_change(disk, CHANGE_SIZE, node)->offset = size;
    }
    return 0;
}

static int64_t memory_size(void *context, int handle)
{
    struct memory_disk *disk = context;

    return (int64_t)disk->nodes[node_of(disk, handle)].cache.size;
}

static void apply_to_content(struct content *content, const struct change *change, size_t size)
{
    if (change->kind == CHANGE_SIZE)
        resize(content, change->offset);
    else
        put(content, change->offset, change->bytes, size);
}

static int memory_sync_data(void *context, int handle)
{
    struct memory_disk *disk = context;
    int node = node_of(disk, handle), error = operate(disk);

    for (unsigned i = 0; !error && i < disk->change_count; i++) {
        const struct change *change = &disk->changes[i];
        if (!is_directory_change(change) && change->node == node)
            apply_to_content(&disk->nodes[node].durable, change, change->size);
    }
    if (!error || disk->operations <= disk->stop_at)
        drop_changes(disk, node); /* synced, or failed and forgotten; a power failure leaves them pending */
    return error;
}

static int memory_sync_dir(void *context, const char *path)
{
    struct memory_disk *disk = context;
    int error = operate(disk);

    (void)path;
    if (error)
        return error;
    memcpy(disk->durable_names, disk->names, sizeof disk->names);
    drop_changes(disk, -1);
    return 0;
}

static int memory_rename(void *context, const char *from, const char *to)
{
    struct memory_disk *disk = context;
    struct change *change;
    int error = operate(disk);

    if (error)
        return error;
    if (!find_name(disk->names, base_name(from)))
        return -ENOENT;
    change = add_change(disk, CHANGE_RENAME, -1);
    snprintf(change->from, sizeof change->from, "%s", base_name(from));
    snprintf(change->to, sizeof change->to, "%s", base_name(to));
    apply_to_names(disk->names, change);
    return 0;
}

static int memory_remove(void *context, const char *path)
{
    struct memory_disk *disk = context;
    struct change *change;
    int error;

    if (!find_name(disk->names, base_name(path)))
        return -ENOENT;
    error = operate(disk);
    if (error)
        return error;
    change = add_change(disk, CHANGE_REMOVE, -1);
    snprintf(change->from, sizeof change->from, "%s", base_name(path));
    apply_to_names(disk->names, change);
    return 0;
}

static int memory_list(void *context, const char *path, int (*each)(void *each_context, const char *name),
                       void *each_context)
{
    struct memory_disk *disk = context;
    int result = 0;

    (void)path;
    for (unsigned i = NAMES_MAX; result == 0 && i-- > 0;)
        if (disk->names[i].name[0])
            result = each(each_context, disk->names[i].name);
    return result;
}

static int memory_lock(void *context, int handle)
{
    (void)context;
    (void)handle;
    return 0;
}

/* ---- the disk ---- */

static void set_up(struct memory_disk *disk)
{
    disk->files = (struct files){disk,
                                 memory_make_dir,
                                 memory_open,
                                 memory_close,
                                 memory_read_at,
                                 memory_write_at,
                                 memory_allocate,
                                 memory_size,
                                 memory_sync_data,
                                 memory_sync_dir,
                                 memory_rename,
                                 memory_remove,
                                 memory_list,
                                 memory_lock};
    memset(disk->handles, 0, sizeof disk->handles);
    disk->operations = 0;
    disk->stop_at = disk->fail_at = (unsigned)-1;
    disk->read_error = 0;
    disk->capacity = UINT64_MAX;
}

struct memory_disk *memory_new(void)
{
    struct memory_disk *disk = calloc(1, sizeof *disk);

    set_up(disk);
    return disk;
}

void memory_free(struct memory_disk *disk)
{
    for (unsigned i = 0; i < disk->node_count; i++) {
        free(disk->nodes[i].cache.bytes);
        free(disk->nodes[i].durable.bytes);
    }
    free(disk->changes);
    free(disk);
}

const struct files *memory_files(struct memory_disk *disk)
{
    return &disk->files;
}

unsigned memory_operations(const struct memory_disk *disk)
{
    return disk->operations;
}

void memory_stop_at(struct memory_disk *disk, unsigned number)
{
    disk->stop_at = number;
}

void memory_fail_at(struct memory_disk *disk, unsigned number, int error)
{
    disk->fail_at = number;
    disk->fail_error = error;
}

void memory_fail_reads(struct memory_disk *disk, int error)
{
    disk->read_error = error;
}

void memory_set_capacity(struct memory_disk *disk, uint64_t bytes)
{
    disk->capacity = bytes;
}

unsigned memory_pending(const struct memory_disk *disk)
{
    return disk->change_count;
}

struct memory_disk *memory_copy(const struct memory_disk *disk)
{
    struct memory_disk *copy = malloc(sizeof *copy);

    memcpy(copy, disk, sizeof *copy);
    set_up(copy);
    for (unsigned i = 0; i < copy->node_count; i++) {
        memset(&copy->nodes[i], 0, sizeof copy->nodes[i]);
        copy_content(&copy->nodes[i].cache, &disk->nodes[i].cache);
        copy_content(&copy->nodes[i].durable, &disk->nodes[i].durable);
    }
    copy->changes = malloc((disk->change_count + 1) * sizeof *copy->changes);
    if (disk->change_count > 0)
        memcpy(copy->changes, disk->changes, disk->change_count * sizeof *copy->changes);
    copy->change_room = disk->change_count + 1;
    return copy;
}

static uint64_t next_random(uint64_t *state) /* xorshift64* */
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717u >> 20;
}

struct memory_disk *memory_crash(const struct memory_disk *disk, const struct memory_crash *how)
{
    struct memory_disk *after = memory_copy(disk);
    uint64_t random = how->seed * 2654435761u + 88172645463325252u;
    bool directory_goes_on = true;
    unsigned sectors = 0;
    /* by how many of the sectors survive: few, half, most */
    unsigned odds = how->survival == MEMORY_RANDOM ? 1 + (unsigned)(next_random(&random) % 3) : 2;

    memcpy(after->names, after->durable_names, sizeof after->names);
    for (unsigned i = 0; i < disk->change_count; i++) {
        const struct change *change = &disk->changes[i];
        size_t size = change->size;
        bool keep = how->survival == MEMORY_ALL || (how->survival == MEMORY_PREFIX && i < how->count);
        if (how->survival == MEMORY_SUFFIX)
            keep = is_directory_change(change) || sectors++ >= how->count;
        if (how->survival == MEMORY_RANDOM) {
            keep = next_random(&random) % 4 < odds;
            if (change->kind == CHANGE_SECTOR && next_random(&random) % 4 == 0)
                size = next_random(&random) % (size + 1);
        }
        if (is_directory_change(change)) {
            directory_goes_on = directory_goes_on && keep;
            if (directory_goes_on)
                apply_to_names(after->names, change);
        } else if (keep) {
            apply_to_content(&after->nodes[change->node].durable, change, size);
        }
    }
    for (unsigned i = 0; i < after->node_count; i++)
        copy_content(&after->nodes[i].cache, &after->nodes[i].durable);
    memcpy(after->durable_names, after->names, sizeof after->names);
    after->change_count = 0;
    return after;
}

void memory_each(struct memory_disk *disk,
                 void (*each)(void *context, const char *name, uint8_t *bytes, size_t size), void *context)
{
    for (unsigned i = 0; i < NAMES_MAX; i++)
        if (disk->names[i].name[0]) {
            struct content *content = &disk->nodes[disk->names[i].node].cache;
            each(context, disk->names[i].name, content->bytes, content->size);
        }
}

bool memory_equal(const struct memory_disk *a, const struct memory_disk *b)
{
    for (unsigned i = 0; i < NAMES_MAX; i++) {
        const struct content *x, *y;
        if (strcmp(a->names[i].name, b->names[i].name) != 0)
            return false;
        if (!a->names[i].name[0])
            continue;
        x = &a->nodes[a->names[i].node].cache;
        y = &b->nodes[b->names[i].node].cache;
        if (x->size != y->size || (x->size > 0 && memcmp(x->bytes, y->bytes, x->size) != 0))
            return false;
    }
    return true;
}
