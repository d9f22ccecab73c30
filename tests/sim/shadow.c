#include "tests/sim/shadow.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drop_last(struct world_disk *disk)
{
    struct raft_entry *entry = &disk->entries[--disk->entry_count];
    if (entry->size > 0)
        free((void *)entry->data);
}

void shadow_clear(struct world_disk *disk)
{
    while (disk->entry_count > 0)
        drop_last(disk);
    disk->hard_state = (struct raft_hard_state){0};
    disk->snapshot_index = disk->snapshot_term = 0;
    disk->written = disk->saving = false;
}

static bool put_entry(struct world_disk *disk, const struct raft_entry *entry)
{
    if (entry->index <= disk->snapshot_index)
        return true; /* saved meanwhile */
    uint64_t at = entry->index - disk->snapshot_index - 1;
    if (at > disk->entry_count)
        return false;
    while (disk->entry_count > at) /* superseded */
        drop_last(disk);
    if (disk->entry_count == disk->capacity) {
        disk->capacity = disk->capacity == 0 ? 64 : disk->capacity * 2;
        disk->entries = realloc(disk->entries, disk->capacity * sizeof *disk->entries);
        assert(disk->entries != NULL);
    }
    struct raft_entry *copy = world_copy_entries(entry, 1);
    disk->entries[disk->entry_count++] = *copy;
    free(copy);
    return true;
}

static bool put_hard_state(struct world_disk *disk, const struct raft_hard_state *hard_state)
{
    if (hard_state->term < disk->hard_state.term)
        return false;
    disk->hard_state = *hard_state;
    return true;
}

bool shadow_apply(struct world_disk *disk, const struct world_write *write)
{
    disk->written = true;
    if (write->has_hard_state && !put_hard_state(disk, &write->hard_state))
        return false;
    for (unsigned i = 0; i < write->entry_count; i++) {
        if (!put_entry(disk, &write->entries[i]))
            return false;
    }
    return true;
}

void shadow_apply_snapshot(struct world_disk *disk, uint64_t index, uint64_t term)
{
    uint64_t covered = index > disk->snapshot_index ? index - disk->snapshot_index : 0;
    bool continues = covered > 0 && covered <= disk->entry_count && disk->entries[covered - 1].term == term;
    uint64_t gone = covered == 0 ? 0 : continues ? covered : disk->entry_count;
    for (uint64_t i = 0; i < gone; i++) {
        if (disk->entries[i].size > 0)
            free((void *)disk->entries[i].data);
    }
    disk->entry_count -= (unsigned)gone;
    if (gone > 0)
        memmove(disk->entries, disk->entries + gone, disk->entry_count * sizeof *disk->entries);
    disk->written = true;
    disk->snapshot_index = index;
    disk->snapshot_term = term;
}

void shadow_set(struct world_disk *disk, const struct store_recovered *found)
{
    shadow_clear(disk);
    disk->written = found->had_state;
    disk->hard_state = found->hard_state;
    disk->snapshot_index = found->snapshot.last_index;
    disk->snapshot_term = found->snapshot.last_term;
    for (unsigned i = 0; i < found->entry_count; i++)
        put_entry(disk, &found->entries[i]);
}

static bool same_entry(const struct raft_entry *a, const struct raft_entry *b)
{
    return a->index == b->index && a->term == b->term && a->kind == b->kind && a->size == b->size &&
           (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

static bool is_shadow(const struct world_disk *disk, const struct store_recovered *found)
{
    const struct raft_hard_state *a = &disk->hard_state, *b = &found->hard_state;
    if (a->term != b->term || a->vote != b->vote || a->promised_us != b->promised_us ||
        disk->entry_count != found->entry_count || disk->snapshot_index != found->snapshot.last_index ||
        disk->snapshot_term != found->snapshot.last_term)
        return false;
    for (unsigned i = found->entry_count; i-- > 0;) { /* the newest differ first */
        if (!same_entry(&disk->entries[i], &found->entries[i]))
            return false;
    }
    return found->had_state || !disk->written;
}

/* Entry by entry: a record holds several, but where the store parts them is its own affair. */
static bool explain_write(struct world_disk *disk, const struct world_write *write,
                          const struct store_recovered *found)
{
    if (write->has_hard_state && put_hard_state(disk, &write->hard_state)) {
        disk->written = true;
        if (is_shadow(disk, found))
            return true;
    }
    for (unsigned e = 0; e < write->entry_count; e++) {
        disk->written = true;
        if (put_entry(disk, &write->entries[e]) && is_shadow(disk, found))
            return true;
    }
    return false;
}

bool shadow_explain(struct world_disk *disk, const struct store_recovered *found)
{
    if (is_shadow(disk, found))
        return true;
    for (struct world_write *write = disk->queue; write != NULL && write->appended; write = write->next) {
        if (!write->in_shadow && explain_write(disk, write, found))
            return true;
    }
    if (!disk->saving)
        return false;
    shadow_apply_snapshot(disk, disk->saving_index, disk->saving_term);
    return is_shadow(disk, found);
}

const char *shadow_describe(const struct world_disk *disk, const struct store_recovered *found)
{
    static char text[256];
    snprintf(text, sizeof text,
             "promised or under way: term %" PRIu64 " vote %" PRIu64 " snapshot %" PRIu64
             " and %u entries, found: term %" PRIu64 " vote %" PRIu64 " snapshot %" PRIu64 " and %u entries",
             disk->hard_state.term, disk->hard_state.vote, disk->snapshot_index, disk->entry_count,
             found->hard_state.term, found->hard_state.vote, found->snapshot.last_index, found->entry_count);
    return text;
}
