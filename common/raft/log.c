#include "common/raft/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64 /* entries */

void raft_log_init(struct raft_log *log, uint64_t base_index, uint64_t base_term)
{
    *log = (struct raft_log){.base_index = base_index,
                             .base_term = base_term,
                             .pending_index = base_index + 1,
                             .durable_index = base_index};
}

void raft_log_free(struct raft_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        free((void *)log->entries[i].data);
    free(log->entries);
    free(log->writes);
    *log = (struct raft_log){0};
}

uint64_t raft_log_last_index(const struct raft_log *log)
{
    return log->base_index + log->count;
}

uint64_t raft_log_last_term(const struct raft_log *log)
{
    return log->count > 0 ? log->entries[log->count - 1].term : log->base_term;
}

const struct raft_entry *raft_log_at(const struct raft_log *log, uint64_t index)
{
    if (index <= log->base_index || index > raft_log_last_index(log))
        return NULL;
    return &log->entries[index - log->base_index - 1];
}

bool raft_log_term_at(const struct raft_log *log, uint64_t index, uint64_t *term)
{
    const struct raft_entry *entry = raft_log_at(log, index);
    if (entry != NULL)
        *term = entry->term;
    else if (index == log->base_index)
        *term = log->base_term;
    else
        return false;
    return true;
}

bool raft_log_reserve(struct raft_log *log, size_t more)
{
    size_t wanted = log->count + more;
    if (wanted <= log->capacity)
        return true;
    size_t capacity = log->capacity == 0 ? CAPACITY_MIN : log->capacity;
    while (capacity < wanted)
        capacity *= 2;
    struct raft_entry *entries = realloc(log->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    log->entries = entries;
    uint64_t *writes = realloc(log->writes, capacity * sizeof *writes);
    if (writes == NULL)
        return false;
    log->writes = writes;
    log->capacity = capacity;
    return true;
}

bool raft_log_append(struct raft_log *log, const struct raft_entry *entry, uint64_t write)
{
    if (!raft_log_reserve(log, 1))
        return false;
    void *data = NULL;
    if (entry->size > 0) {
        data = malloc(entry->size);
        if (data == NULL)
            return false;
        memcpy(data, entry->data, entry->size);
    }
    assert(log->count == 0 || write >= log->writes[log->count - 1]);
    log->entries[log->count] = (struct raft_entry){.index = raft_log_last_index(log) + 1,
                                                   .term = entry->term,
                                                   .kind = entry->kind,
                                                   .data = data,
                                                   .size = entry->size};
    log->writes[log->count] = write;
    log->count++;
    return true;
}

bool raft_log_restore(struct raft_log *log, const struct raft_entry *entry)
{
    if (!raft_log_append(log, entry, 0))
        return false;
    log->durable_index = raft_log_last_index(log);
    log->pending_index = log->durable_index + 1;
    return true;
}

void raft_log_truncate(struct raft_log *log, uint64_t index)
{
    assert(index > log->base_index);
    if (index > raft_log_last_index(log))
        return;
    for (size_t i = index - log->base_index - 1; i < log->count; i++)
        free((void *)log->entries[i].data);
    log->count = index - log->base_index - 1;
    if (log->pending_index > index)
        log->pending_index = index;
    if (log->durable_index >= index)
        log->durable_index = index - 1;
}

/* After much has gone: the array is no longer than what is left deserves. */
static void give_back(struct raft_log *log)
{
    if (log->capacity <= CAPACITY_MIN || log->count >= log->capacity / 4)
        return;
    size_t capacity = log->count * 2 > CAPACITY_MIN ? log->count * 2 : CAPACITY_MIN;
    /* A smaller array that is not to be had leaves the larger one, which serves as well. */
    struct raft_entry *entries = realloc(log->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return;
    log->entries = entries;
    log->capacity = capacity;
    uint64_t *writes = realloc(log->writes, capacity * sizeof *writes);
    if (writes != NULL)
        log->writes = writes;
}

void raft_log_compact(struct raft_log *log, uint64_t index)
{
    uint64_t term = 0;
    bool known = raft_log_term_at(log, index, &term);
    assert(known);
    (void)known;
    size_t gone = index - log->base_index;
    for (size_t i = 0; i < gone; i++)
        free((void *)log->entries[i].data);
    log->count -= gone;
    if (gone > 0 && log->count > 0) {
        memmove(log->entries, log->entries + gone, log->count * sizeof *log->entries);
        memmove(log->writes, log->writes + gone, log->count * sizeof *log->writes);
    }
    log->base_index = index;
    log->base_term = term;
    if (log->pending_index <= index)
        log->pending_index = index + 1;
    if (log->durable_index < index)
        log->durable_index = index;
    give_back(log);
}

void raft_log_reset(struct raft_log *log, uint64_t base_index, uint64_t base_term)
{
    raft_log_free(log);
    raft_log_init(log, base_index, base_term);
}

void raft_log_persisted(struct raft_log *log, uint64_t write)
{
    while (log->durable_index < raft_log_last_index(log) &&
           log->writes[log->durable_index - log->base_index] <= write)
        log->durable_index++;
}

void raft_log_handed_out(struct raft_log *log)
{
    log->pending_index = raft_log_last_index(log) + 1;
}

uint64_t raft_log_write_of(const struct raft_log *log, uint64_t index)
{
    return raft_log_at(log, index) == NULL ? 0 : log->writes[index - log->base_index - 1];
}

/* The first index after the base whose term is at least `term`; last + 1: none. */
static uint64_t first_at_least(const struct raft_log *log, uint64_t term)
{
    size_t low = 0, high = log->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->entries[middle].term < term)
            low = middle + 1;
        else
            high = middle;
    }
    return log->base_index + 1 + low;
}

uint64_t raft_log_first_of_term(const struct raft_log *log, uint64_t index)
{
    const struct raft_entry *entry = raft_log_at(log, index);
    return entry == NULL ? index : first_at_least(log, entry->term);
}

uint64_t raft_log_last_of_term(const struct raft_log *log, uint64_t from, uint64_t to, uint64_t term)
{
    uint64_t last = first_at_least(log, term + 1) - 1, here = 0;
    if (last > to)
        last = to;
    if (last < from || !raft_log_term_at(log, last, &here) || here != term)
        return 0;
    return last;
}
