#include "common/raft/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
    size_t capacity = log->capacity == 0 ? 64 : log->capacity;
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

uint64_t raft_log_first_of_term(const struct raft_log *log, uint64_t index)
{
    const struct raft_entry *entry = raft_log_at(log, index);
    if (entry == NULL)
        return index;
    while (index > log->base_index + 1 && raft_log_at(log, index - 1)->term == entry->term)
        index--;
    return index;
}

uint64_t raft_log_last_of_term(const struct raft_log *log, uint64_t from, uint64_t to, uint64_t term)
{
    if (to > raft_log_last_index(log))
        to = raft_log_last_index(log);
    for (uint64_t index = to; index >= from && index > log->base_index; index--) {
        uint64_t here = raft_log_at(log, index)->term;
        if (here == term)
            return index;
        if (here < term) /* terms only grow along a log */
            return 0;
    }
    return 0;
}
