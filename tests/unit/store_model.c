#include "store_model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/codec.h"
#include "common/store/parts.h"

#define BATCH_MAX 8
#define DATA_BYTES_MAX 400

/* Size and bytes depend on the tag and the index alone. */
static size_t make_data(unsigned tag, uint64_t index, uint8_t *out)
{
    size_t size = (tag * 37 + index * 11) % (DATA_BYTES_MAX / (1 + tag % 4));

    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(tag + index * 3 + i);
    return size;
}

static enum error_code stop(struct model *model, enum error_code code)
{
    if (code && !model->stopped_by)
        model->stopped_by = code;
    return code;
}

/* The next state begins as a copy of the newest. */
static struct model_state *next_state(struct model *model)
{
    assert(model->tried + 1 < MODEL_STATES_MAX);
    model->states[model->tried + 1] = model->states[model->tried];
    return &model->states[++model->tried];
}

enum error_code model_append(struct model *model, struct store *store, uint64_t term, uint64_t vote,
                             uint64_t first_index, unsigned entry_count)
{
    static uint8_t data[BATCH_MAX][DATA_BYTES_MAX];
    struct raft_entry entries[BATCH_MAX];
    struct model_state *state = next_state(model);
    unsigned tag = ++model->appends;
    enum error_code code;

    assert(entry_count <= BATCH_MAX);
    state->hard_state = (struct raft_hard_state){.term = term, .vote = vote, .promised_us = 1000 + tag};
    for (unsigned i = 0; i < entry_count; i++) {
        uint64_t index = first_index + i;
        unsigned at = (unsigned)(index - state->first_index);
        assert(index >= state->first_index && at < MODEL_ENTRIES_MAX && at <= state->entry_count);
        state->entries[at].term = term;
        state->entries[at].tag = tag;
        state->entry_count = at + 1;
        entries[i] =
            (struct raft_entry){.index = index, .term = term, .kind = RAFT_ENTRY_COMMAND, .data = data[i]};
        entries[i].size = make_data(tag, index, data[i]);
    }
    code = stop(model, store_append(store, &state->hard_state, entries, entry_count, &model->error));
    if (code == ERR_BUSY)
        model->tried--; /* nothing of it was written */
    return code;
}

enum error_code model_sync(struct model *model, struct store *store)
{
    enum error_code code = stop(model, store_sync(store, &model->error));

    if (!code)
        model->acknowledged = model->tried;
    return code;
}

enum error_code model_snapshot(struct model *model, struct store *store, uint64_t index, uint64_t term)
{
    struct model_state *state = next_state(model);
    Mha__Snapshot message = MHA__SNAPSHOT__INIT;
    uint8_t bytes[2 * DATA_BYTES_MAX], data[DATA_BYTES_MAX];
    struct store_snapshot snapshot = {.last_index = index, .last_term = term, .data = bytes};
    unsigned covered;
    enum error_code code;

    if (state->entry_count > 0 && index >= state->first_index) {
        covered = (unsigned)(index - state->first_index) + 1;
        if (covered > state->entry_count || state->entries[covered - 1].term != term)
            covered = state->entry_count;
        memmove(state->entries, state->entries + covered,
                (state->entry_count - covered) * sizeof state->entries[0]);
        state->entry_count -= covered;
    }
    state->first_index = index + 1;
    state->has_snapshot = true;
    state->snapshot_index = index;
    state->snapshot_term = term;
    message.last_index = index;
    message.last_term = term;
    message.state.data = data;
    message.state.len = make_data(7, index, data);
    snapshot.size = mha__snapshot__pack(&message, bytes);
    code = stop(model, store_save_snapshot(store, &snapshot, &model->error));
    if (!code)
        model->acknowledged = model->tried;
    else if (code == ERR_BUSY)
        model->tried--;
    return code;
}

enum error_code model_open(struct memory_disk *disk, struct store **out, struct error *err)
{
    return store_open_sized(memory_files(disk), "/disk", "shop", "db1", MODEL_SEGMENT_BYTES, out, err);
}

static bool fits(const struct model_state *state, const struct store_recovered *found)
{
    uint8_t data[DATA_BYTES_MAX];

    if (memcmp(&state->hard_state, &found->hard_state, sizeof state->hard_state) != 0 ||
        state->has_snapshot != found->has_snapshot || state->entry_count != found->entry_count)
        return false;
    if (state->has_snapshot && (state->snapshot_index != found->snapshot.last_index ||
                                state->snapshot_term != found->snapshot.last_term))
        return false;
    for (unsigned i = 0; i < state->entry_count; i++) {
        const struct raft_entry *entry = &found->entries[i];
        size_t size = make_data(state->entries[i].tag, state->first_index + i, data);
        if (entry->index != state->first_index + i || entry->term != state->entries[i].term ||
            entry->kind != RAFT_ENTRY_COMMAND || entry->size != size || memcmp(entry->data, data, size) != 0)
            return false;
    }
    return true;
}

static enum error_code compare(const struct model *model, const struct store_recovered *found, unsigned *k)
{
    static const struct model_state nothing;

    for (*k = model->tried + 1; (*k)-- > model->acknowledged;)
        if (fits(&model->states[*k], found)) {
            const struct model_state *state = &model->states[*k];
            bool empty = !state->has_snapshot && state->entry_count == 0 &&
                         memcmp(&state->hard_state, &nothing.hard_state, sizeof state->hard_state) == 0;
            if (model->id != 0 && found->id != model->id)
                break;
            return found->had_state == !empty ? ERR_OK : ERR_INTERNAL;
        }
    printf("\n    found: id %016llx term %llu vote %llu snapshot %llu entries %u; fits none of the states %u "
           "to %u\n",
           (unsigned long long)found->id, (unsigned long long)found->hard_state.term,
           (unsigned long long)found->hard_state.vote, (unsigned long long)found->snapshot.last_index,
           found->entry_count, model->acknowledged, model->tried);
    return ERR_INTERNAL;
}

enum error_code model_check(const struct model *model, struct memory_disk *disk, unsigned *k,
                            struct error *err)
{
    struct store *store;
    enum error_code code = model_open(disk, &store, err);

    if (code)
        return code;
    code = compare(model, store_recovered(store), k);
    store_close(store);
    return code;
}

/* Opens, and compares within a run: all that the process before wrote is there, killed or closed. */
static struct store *reopen(struct model *model, struct memory_disk *disk)
{
    struct store *store;
    unsigned k;

    if (stop(model, model_open(disk, &store, &model->error)))
        return NULL;
    if (compare(model, store_recovered(store), &k) != ERR_OK) {
        stop(model, ERR_INTERNAL);
        store_close(store);
        return NULL;
    }
    store_release_recovered(store);
    model->acknowledged = model->tried = k;
    return store;
}

/* A first start: forming, an election, entries. */
static void first_life(struct model *model, struct memory_disk *disk)
{
    struct store *store;

    if (stop(model, model_open(disk, &store, &model->error)))
        return;
    model->id = store_recovered(store)->id;
    store_release_recovered(store);
    if (!model_snapshot(model, store, 0, 0) && !model_append(model, store, 1, 3, 0, 0) &&
        !model_sync(model, store) && !model_append(model, store, 1, 3, 1, 1) &&
        !model_append(model, store, 1, 3, 2, 2) && !model_append(model, store, 1, 3, 4, 3) &&
        !model_sync(model, store) && !model_append(model, store, 2, 0, 0, 0) &&
        !model_append(model, store, 2, 5, 5, 2) && /* supersedes 5 and 6 */
        !model_sync(model, store))
        model_append(model, store, 2, 5, 7, 2); /* not synced when it closes */
    store_close(store);
}

/* Conflicts, one after the other, some synced; several segments. */
static void second_life(struct model *model, struct memory_disk *disk)
{
    struct store *store = reopen(model, disk);
    uint64_t term = 3;

    if (!store)
        return;
    for (unsigned i = 0; i < 14 && !model->stopped_by; i++) {
        const struct model_state *state = &model->states[model->tried];
        uint64_t next = state->first_index + state->entry_count;
        if (i % 4 == 3)
            next -= i % 3;
        term += i % 3 == 0;
        if (model_append(model, store, term, 4, next, 1 + i % 5))
            break;
        if (i % 3 == 1)
            model_sync(model, store);
    }
    if (!model->stopped_by)
        model_sync(model, store);
    store_close(store);
}

/* Snapshots: within the log, and of another history; then entries behind them. */
static void third_life(struct model *model, struct memory_disk *disk)
{
    struct store *store = reopen(model, disk);
    const struct model_state *state;
    uint64_t index;

    if (!store)
        return;
    state = &model->states[model->tried];
    index = state->first_index + state->entry_count / 2;
    if (!model_snapshot(model, store, index, state->entries[index - state->first_index].term) &&
        !model_append(model, store, 20, 1, model->states[model->tried].first_index, 2) &&
        !model_append(model, store, 21, 1, index + 3, 3) && !model_sync(model, store) &&
        !model_snapshot(model, store, index + 4, 22) && !model_append(model, store, 23, 0, index + 5, 2) &&
        !model_append(model, store, 24, 2, 0, 0) && /* not synced but for the snapshot's sake */
        !model_snapshot(model, store, index + 30, 24))
        model_append(model, store, 25, 2, index + 31, 4);
    if (!model->stopped_by)
        model_sync(model, store);
    store_close(store);
}

static void last_life(struct model *model, struct memory_disk *disk, bool final_close)
{
    struct store *store = reopen(model, disk);

    if (!store)
        return;
    for (unsigned i = 0; i < 14 && !model->stopped_by; i++) {
        const struct model_state *state = &model->states[model->tried];
        if (model_append(model, store, 30 + i, 1, state->first_index + state->entry_count, 2) || i == 2)
            continue;
        model_sync(model, store);
    }
    if (!final_close) /* a process that is killed syncs nothing more */
        memory_stop_at(disk, 0);
    store_close(store);
}

void model_run(struct model *model, struct memory_disk *disk, bool final_close)
{
    memset(model, 0, sizeof *model);
    model->states[0].first_index = 1;
    first_life(model, disk);
    if (!model->stopped_by)
        second_life(model, disk);
    if (!model->stopped_by)
        third_life(model, disk);
    if (!model->stopped_by)
        last_life(model, disk, final_close);
}
