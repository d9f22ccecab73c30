/* What becomes of a disk: copies, power failures, bit rot. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "memory_internal.h"

static void copy_content(struct content *to, const struct content *from)
{
    content_resize(to, 0);
    content_resize(to, from->size);
    if (from->size > 0)
        memcpy(to->bytes, from->bytes, from->size);
}

struct memory_disk *memory_copy(const struct memory_disk *disk)
{
    struct memory_disk *copy = memory_new();

    copy->node_count = disk->node_count;
    copy->name_count = disk->name_count;
    copy->change_count = disk->change_count;
    memcpy(copy->nodes, disk->nodes, disk->node_count * sizeof disk->nodes[0]);
    memcpy(copy->names, disk->names, disk->name_count * sizeof disk->names[0]);
    memcpy(copy->durable_names, disk->durable_names, disk->name_count * sizeof disk->durable_names[0]);
    for (unsigned i = 0; i < copy->node_count; i++) {
        memset(&copy->nodes[i].cache, 0, sizeof copy->nodes[i].cache);
        memset(&copy->nodes[i].durable, 0, sizeof copy->nodes[i].durable);
        copy_content(&copy->nodes[i].cache, &disk->nodes[i].cache);
        copy_content(&copy->nodes[i].durable, &disk->nodes[i].durable);
    }
    copy->changes = malloc((disk->change_count + 1) * sizeof *copy->changes);
    assert(copy->changes != NULL);
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

/* What of the pending changes the disk keeps. */
static void settle_changes(struct memory_disk *disk, const struct memory_crash *how,
                           struct memory_losses *losses)
{
    uint64_t random = how->seed * 2654435761u + 88172645463325252u;
    bool directory_goes_on = true;
    unsigned sectors = 0;
    /* by how many of the sectors survive: few, half, most */
    unsigned odds = how->survival == MEMORY_RANDOM ? 1 + (unsigned)(next_random(&random) % 3) : 2;

    for (unsigned i = 0; i < disk->change_count; i++) {
        const struct change *change = &disk->changes[i];
        size_t size = change->size;
        bool keep = how->survival == MEMORY_ALL || (how->survival == MEMORY_PREFIX && i < how->count);
        if (how->survival == MEMORY_SUFFIX)
            keep = change_is_directory(change) || sectors++ >= how->count;
        if (how->survival == MEMORY_RANDOM) {
            keep = next_random(&random) % 4 < odds;
            if (change->kind == CHANGE_SECTOR && next_random(&random) % 4 == 0)
                size = next_random(&random) % (size + 1);
        }
        if (change_is_directory(change)) {
            directory_goes_on = directory_goes_on && keep;
            if (directory_goes_on)
                names_apply(disk, disk->durable_names, change);
            losses->names += !directory_goes_on;
        } else if (keep) {
            content_apply(&disk->nodes[change->node].durable, change, size);
            losses->torn += size > 0 && size < change->size;
        } else {
            losses->sectors++;
        }
    }
}

struct memory_losses memory_cut_power(struct memory_disk *disk, const struct memory_crash *how)
{
    struct memory_losses losses = {.pending = disk->change_count};

    settle_changes(disk, how, &losses);
    disk->change_count = 0;
    for (unsigned i = 0; i < disk->node_count; i++) {
        struct node *node = &disk->nodes[i];
        copy_content(&node->cache, &node->durable);
        if (node->evident_bytes > node->written_from) /* what survived without a sync is no evidence */
            node->evident_bytes = node->written_from;
        node->written_from = SIZE_MAX;
    }
    memcpy(disk->names, disk->durable_names, disk->name_count * sizeof disk->names[0]);
    memory_set_up(disk);
    return losses;
}

struct memory_disk *memory_crash(const struct memory_disk *disk, const struct memory_crash *how)
{
    struct memory_disk *after = memory_copy(disk);

    memory_cut_power(after, how);
    return after;
}

static bool is_pending(const struct memory_disk *disk, int node, size_t offset)
{
    for (unsigned i = 0; i < disk->change_count; i++) {
        const struct change *change = &disk->changes[i];
        if (change->node == node &&
            (change->kind != CHANGE_SECTOR || change->offset / MEMORY_SECTOR == offset / MEMORY_SECTOR))
            return true;
    }
    return false;
}

/* Where something was written: preallocated zeros are no data. */
static size_t data_bytes(const struct node *node)
{
    size_t size = node->evident_bytes;

    while (size > 0 && node->durable.bytes[size - 1] == 0)
        size--;
    return size;
}

bool memory_rot(struct memory_disk *disk, uint64_t seed)
{
    uint64_t random = seed * 2654435761u + 88172645463325252u;
    unsigned eligible = 0, chosen = 0;

    for (unsigned i = 0; i < disk->name_count; i++) { /* one of the files, each as likely */
        const struct name *name = &disk->names[i];
        bool same = name->name[0] && strcmp(name->name, disk->durable_names[i].name) == 0 &&
                    name->node == disk->durable_names[i].node;
        if (same && data_bytes(&disk->nodes[name->node]) > 0 && next_random(&random) % ++eligible == 0)
            chosen = i;
    }
    if (eligible == 0)
        return false;
    struct node *node = &disk->nodes[disk->names[chosen].node];
    size_t offset = next_random(&random) % data_bytes(node);
    uint8_t mask = (uint8_t)(1u << next_random(&random) % 8);
    if (is_pending(disk, disk->names[chosen].node, offset) || offset >= node->cache.size)
        return false;
    node->durable.bytes[offset] ^= mask;
    node->cache.bytes[offset] ^= mask;
    return true;
}

void memory_each(struct memory_disk *disk,
                 void (*each)(void *context, const char *name, uint8_t *bytes, size_t size), void *context)
{
    for (unsigned i = 0; i < disk->name_count; i++)
        if (disk->names[i].name[0]) {
            struct content *content = &disk->nodes[disk->names[i].node].cache;
            each(context, disk->names[i].name, content->bytes, content->size);
        }
}

bool memory_equal(const struct memory_disk *a, const struct memory_disk *b)
{
    for (unsigned i = 0; i < a->name_count || i < b->name_count; i++) {
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
