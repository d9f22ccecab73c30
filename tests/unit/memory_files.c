#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_internal.h"

void content_resize(struct content *content, size_t size)
{
    if (size > content->room) {
        content->room = size;
        content->bytes = realloc(content->bytes, size);
        assert(content->bytes != NULL);
    }
    if (size > content->size)
        memset(content->bytes + content->size, 0, size - content->size);
    content->size = size;
}

static void put(struct content *content, size_t offset, const void *bytes, size_t size)
{
    if (offset + size > content->size)
        content_resize(content, offset + size);
    if (size > 0) /* a sector of which nothing reached the disk, of a file that has nothing yet */
        memcpy(content->bytes + offset, bytes, size);
}

static void set_name(char name[MEMORY_NAME_BYTES], const char *to)
{
    memset(name, 0, MEMORY_NAME_BYTES);
    snprintf(name, MEMORY_NAME_BYTES, "%s", to);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static struct name *find_name(const struct memory_disk *disk, struct name *names, const char *name)
{
    for (unsigned i = 0; i < disk->name_count; i++)
        if (strcmp(names[i].name, name) == 0)
            return &names[i];
    return NULL;
}

static struct name *free_name(struct memory_disk *disk, struct name *names)
{
    struct name *at = find_name(disk, names, "");

    if (at)
        return at;
    assert(disk->name_count < MEMORY_NAMES_MAX);
    return &names[disk->name_count++];
}

void names_apply(struct memory_disk *disk, struct name *names, const struct change *change)
{
    struct name *at = find_name(disk, names, change->from);

    if (change->kind == CHANGE_LINK) {
        at = at ? at : free_name(disk, names);
        memcpy(at->name, change->from, sizeof at->name);
        at->node = change->node;
    } else if (change->kind == CHANGE_REMOVE) {
        if (at)
            at->name[0] = '\0';
    } else if (at) {
        struct name *old = find_name(disk, names, change->to);
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
    change->kind = kind;
    change->node = node;
    change->offset = change->size = 0;
    return change;
}

bool change_is_directory(const struct change *change)
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
            node < 0 ? change_is_directory(change) : !change_is_directory(change) && change->node == node;
        if (!drop && kept++ != i)
            disk->changes[kept - 1] = *change;
    }
    disk->change_count = kept;
}

/* 0, or the error of this operation. */
static int operate(struct memory_disk *disk, enum memory_fail_kind kind)
{
    unsigned number = disk->operations++;
    int error = disk->fail_next_error[kind];

    if (number >= disk->stop_at)
        return -EIO;
    disk->fail_next_error[kind] = 0;
    return number == disk->fail_at ? disk->fail_error : error;
}

uint64_t memory_used(const struct memory_disk *disk)
{
    uint64_t used = 0;

    for (unsigned i = 0; i < disk->name_count; i++)
        if (disk->names[i].name[0])
            used += disk->nodes[disk->names[i].node].cache.size;
    return used;
}

/* ---- struct files ---- */

static int memory_make_dir(void *context, const char *path)
{
    (void)path;
    return operate(context, MEMORY_FAIL_OTHER);
}

static void forget_syncs(struct node *node)
{
    node->was_synced = false;
    node->written_from = SIZE_MAX;
    node->evident_bytes = 0;
}

/* Files that have no name any more, and none after a crash, are gone, with what was written to them. */
static void free_nodes(struct memory_disk *disk)
{
    bool used[MEMORY_NODES_MAX] = {false};

    for (unsigned i = 0; i < disk->name_count; i++) {
        if (disk->names[i].name[0])
            used[disk->names[i].node] = true;
        if (disk->durable_names[i].name[0])
            used[disk->durable_names[i].node] = true;
    }
    for (unsigned i = 0; i < disk->change_count; i++)
        if (change_is_directory(&disk->changes[i]) && disk->changes[i].node >= 0)
            used[disk->changes[i].node] = true;
    for (unsigned i = 0; i < MEMORY_HANDLES_MAX; i++)
        if (disk->handles[i])
            used[disk->handles[i] - 1] = true;
    for (unsigned i = 0; i < disk->node_count; i++) {
        struct node *node = &disk->nodes[i];
        if (used[i] || !node->used)
            continue;
        drop_changes(disk, (int)i);
        node->used = false;
        content_resize(&node->cache, 0);
        content_resize(&node->durable, 0);
    }
}

/* What a sync of the directory does; a file system does so by itself sooner or later. */
static void commit_directory(struct memory_disk *disk)
{
    memcpy(disk->durable_names, disk->names, disk->name_count * sizeof disk->names[0]);
    drop_changes(disk, -1);
    free_nodes(disk);
}

static int new_node(struct memory_disk *disk)
{
    int node = 0;

    while (node < MEMORY_NODES_MAX && disk->nodes[node].used)
        node++;
    if (node == MEMORY_NODES_MAX) { /* many attempts on a full disk */
        commit_directory(disk);
        for (node = 0; disk->nodes[node].used; node++)
            assert(node < MEMORY_NODES_MAX - 1);
    }
    if ((unsigned)node == disk->node_count)
        disk->node_count++;
    disk->nodes[node].used = true;
    forget_syncs(&disk->nodes[node]);
    return node;
}

static int memory_open(void *context, const char *path, int flags, unsigned mode)
{
    struct memory_disk *disk = context;
    struct name *at = find_name(disk, disk->names, base_name(path));
    int error, handle = 0;

    (void)mode;
    if (!at && !(flags & O_CREAT))
        return -ENOENT;
    if (!at) {
        struct change *change;
        error = operate(disk, MEMORY_FAIL_OTHER);
        if (error)
            return error;
        change = add_change(disk, CHANGE_LINK, new_node(disk));
        set_name(change->from, base_name(path));
        names_apply(disk, disk->names, change);
        at = find_name(disk, disk->names, base_name(path));
    } else if (flags & O_TRUNC) {
        error = operate(disk, MEMORY_FAIL_OTHER);
        if (error)
            return error;
        content_resize(&disk->nodes[at->node].cache, 0);
        add_change(disk, CHANGE_SIZE, at->node);
        forget_syncs(&disk->nodes[at->node]);
    }
    while (disk->handles[handle])
        handle++;
    assert(handle < MEMORY_HANDLES_MAX - 1);
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
    int node = node_of(disk, handle), error = operate(disk, MEMORY_FAIL_WRITE);
    struct content *content = &disk->nodes[node].cache;

    if (error)
        return error;
    if (size > 1500)
        size = 1500; /* short writes happen */
    if (offset + size > content->size && memory_used(disk) + offset + size - content->size > disk->capacity)
        return -ENOSPC;
    put(content, offset, bytes, size);
    if (offset < disk->nodes[node].written_from)
        disk->nodes[node].written_from = offset;
    for (size_t sector = offset / MEMORY_SECTOR * MEMORY_SECTOR; sector < offset + size;
         sector += MEMORY_SECTOR) {
        struct change *change = add_change(disk, CHANGE_SECTOR, node);
        change->offset = sector;
        change->size = content->size - sector < MEMORY_SECTOR ? content->size - sector : MEMORY_SECTOR;
        memcpy(change->bytes, content->bytes + sector, change->size);
    }
    return (ssize_t)size;
}

static int memory_allocate(void *context, int handle, uint64_t size)
{
    struct memory_disk *disk = context;
    int node = node_of(disk, handle), error = operate(disk, MEMORY_FAIL_WRITE);
    struct content *content = &disk->nodes[node].cache;

    if (error)
        return error;
    if (size > content->size) {
        if (memory_used(disk) + size - content->size > disk->capacity)
            return -ENOSPC;
        content_resize(content, size);
        add_change(disk, CHANGE_SIZE, node)->offset = size;
    }
    return 0;
}

static int64_t memory_size(void *context, int handle)
{
    struct memory_disk *disk = context;

    return (int64_t)disk->nodes[node_of(disk, handle)].cache.size;
}

void content_apply(struct content *content, const struct change *change, size_t size)
{
    if (change->kind == CHANGE_SIZE)
        content_resize(content, change->offset);
    else
        put(content, change->offset, change->bytes, size);
}

static int memory_sync_data(void *context, int handle)
{
    struct memory_disk *disk = context;
    int at = node_of(disk, handle), error = operate(disk, MEMORY_FAIL_SYNC);
    struct node *node = &disk->nodes[at];

    for (unsigned i = 0; !error && i < disk->change_count; i++) {
        const struct change *change = &disk->changes[i];
        if (!change_is_directory(change) && change->node == at)
            content_apply(&node->durable, change, change->size);
    }
    if (!error && node->written_from != SIZE_MAX) {
        node->evident_bytes = node->was_synced ? node->written_from : node->durable.size;
        node->was_synced = true;
        node->written_from = SIZE_MAX;
    }
    if (!error || disk->operations <= disk->stop_at)
        drop_changes(disk, at); /* synced, or failed and forgotten; a power failure leaves them pending */
    return error;
}

static int memory_sync_dir(void *context, const char *path)
{
    struct memory_disk *disk = context;
    int error = operate(disk, MEMORY_FAIL_SYNC);

    (void)path;
    if (!error)
        commit_directory(disk);
    return error;
}

static int memory_rename(void *context, const char *from, const char *to)
{
    struct memory_disk *disk = context;
    struct change *change;
    int error = operate(disk, MEMORY_FAIL_OTHER);

    if (error)
        return error;
    if (!find_name(disk, disk->names, base_name(from)))
        return -ENOENT;
    change = add_change(disk, CHANGE_RENAME, -1);
    set_name(change->from, base_name(from));
    set_name(change->to, base_name(to));
    names_apply(disk, disk->names, change);
    return 0;
}

static int memory_remove(void *context, const char *path)
{
    struct memory_disk *disk = context;
    struct change *change;
    int error;

    if (!find_name(disk, disk->names, base_name(path)))
        return -ENOENT;
    error = operate(disk, MEMORY_FAIL_OTHER);
    if (error)
        return error;
    change = add_change(disk, CHANGE_REMOVE, -1);
    set_name(change->from, base_name(path));
    names_apply(disk, disk->names, change);
    return 0;
}

static int memory_list(void *context, const char *path, int (*each)(void *each_context, const char *name),
                       void *each_context)
{
    struct memory_disk *disk = context;
    int result = 0;

    (void)path;
    for (unsigned i = disk->name_count; result == 0 && i-- > 0;)
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

void memory_set_up(struct memory_disk *disk)
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
    memset(disk->fail_next_error, 0, sizeof disk->fail_next_error);
    disk->read_error = 0;
    disk->capacity = UINT64_MAX;
}

struct memory_disk *memory_new(void)
{
    struct memory_disk *disk = calloc(1, sizeof *disk);

    memory_set_up(disk);
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

bool memory_has_stopped(const struct memory_disk *disk)
{
    return disk->operations > disk->stop_at;
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

void memory_fail_next(struct memory_disk *disk, enum memory_fail_kind kind, int error)
{
    disk->fail_next_error[kind] = error;
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
