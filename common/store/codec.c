#include "common/store/codec.h"

#include <inttypes.h>
#include <stdlib.h>

/* Of memory per packed byte, and at least: protobuf-c keeps a slab of field positions while it parses. */
#define BUDGET_FACTOR 4
#define BUDGET_BYTES_MIN (64 * 1024)

_Static_assert((int)RAFT_ENTRY_NOOP == MHA__ENTRY_KIND__ENTRY_NOOP &&
                   (int)RAFT_ENTRY_COMMAND == MHA__ENTRY_KIND__ENTRY_COMMAND &&
                   (int)RAFT_ENTRY_MEMBERSHIP == MHA__ENTRY_KIND__ENTRY_MEMBERSHIP,
               "the kinds of entries are numbered alike");

void codec_entry_to_proto(const struct raft_entry *entry, Mha__Entry *out)
{
    mha__entry__init(out);
    out->index = entry->index;
    out->term = entry->term;
    out->kind = (Mha__EntryKind)entry->kind;
    out->data.data = (uint8_t *)entry->data;
    out->data.len = entry->size;
}

enum error_code codec_entry_from_proto(const Mha__Entry *entry, struct raft_entry *out, struct error *err)
{
    if (entry->index == 0 || entry->term == 0)
        return error_set(err, ERR_INVALID, "an entry without an index or a term");
    if ((int)entry->kind < 0 || entry->kind > MHA__ENTRY_KIND__ENTRY_MEMBERSHIP)
        return error_set(err, ERR_INVALID, "entry %" PRIu64 " is of the unknown kind %d", entry->index,
                         (int)entry->kind);
    if (entry->data.len > RAFT_ENTRY_BYTES_MAX)
        return error_set(err, ERR_INVALID, "entry %" PRIu64 " holds %zu bytes, more than %d", entry->index,
                         entry->data.len, RAFT_ENTRY_BYTES_MAX);
    out->index = entry->index;
    out->term = entry->term;
    out->kind = (enum raft_entry_kind)entry->kind;
    out->data = entry->data.data;
    out->size = entry->data.len;
    return ERR_OK;
}

void codec_hard_state_to_proto(const struct raft_hard_state *hard_state, Mha__HardState *out)
{
    mha__hard_state__init(out);
    out->term = hard_state->term;
    out->vote = hard_state->vote;
    out->promised_us = hard_state->promised_us;
}

void codec_hard_state_from_proto(const Mha__HardState *hard_state, struct raft_hard_state *out)
{
    out->term = hard_state->term;
    out->vote = hard_state->vote;
    out->promised_us = hard_state->promised_us;
}

static void *budget_alloc(void *context, size_t size)
{
    struct codec_allocator *allocator = context;

    if (size > allocator->left)
        return NULL;
    allocator->left -= size;
    return malloc(size);
}

static void budget_free(void *context, void *memory)
{
    (void)context; /* what is freed is not given back: the budget bounds the work too */
    free(memory);
}

void codec_allocator_init(struct codec_allocator *allocator, size_t packed_size)
{
    allocator->protobuf.alloc = budget_alloc;
    allocator->protobuf.free = budget_free;
    allocator->protobuf.allocator_data = allocator;
    allocator->left = packed_size * BUDGET_FACTOR + BUDGET_BYTES_MIN;
}
