/* codec.h - Raft's values as the protobuf messages of log.proto, and back.
 *
 * Shared by the log on disk (common/store) and the wire (common/replica). What comes from outside is never
 * trusted: kinds are known ones, sizes within the limits of raft.h, and unpacking has a memory budget in
 * proportion to the input, so that a small hostile input cannot ask for much. */
#ifndef MHA_STORE_CODEC_H
#define MHA_STORE_CODEC_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/error.h"
#include "common/raft/raft.h"
#include "log.pb-c.h"

/* `out` borrows the entry's data. */
void codec_entry_to_proto(const struct raft_entry *entry, Mha__Entry *out);
/* `out` borrows the message's data. ERR_INVALID: index or term 0, an unknown kind, too much data. */
enum error_code codec_entry_from_proto(const Mha__Entry *entry, struct raft_entry *out, struct error *err);

void codec_hard_state_to_proto(const struct raft_hard_state *hard_state, Mha__HardState *out);
void codec_hard_state_from_proto(const Mha__HardState *hard_state, struct raft_hard_state *out);

/* malloc with a budget, for protobuf-c's unpack functions: a message is a few times as large as its packed
 * form, and what wants more is hostile. Give the same allocator's `protobuf` to the message's free_unpacked
 * function, or NULL: its memory is malloc's. */
struct codec_allocator {
    ProtobufCAllocator protobuf;
    size_t left;
};
void codec_allocator_init(struct codec_allocator *allocator, size_t packed_size);

#endif
