/* Frames; the memberships and snapshots in them are in wire_membership.c. */
#include <string.h>

#include "common/replica/wire_internal.h"
#include "common/store/codec.h"
#include "peer.pb-c.h"

_Static_assert((int)RAFT_PREVOTE == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_PREVOTE &&
                   (int)RAFT_PREVOTE_REPLY == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_PREVOTE_REPLY &&
                   (int)RAFT_VOTE == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_VOTE &&
                   (int)RAFT_VOTE_REPLY == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_VOTE_REPLY &&
                   (int)RAFT_APPEND == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_APPEND &&
                   (int)RAFT_APPEND_REPLY == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_APPEND_REPLY &&
                   (int)RAFT_TIMEOUT_NOW == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_TIMEOUT_NOW &&
                   (int)RAFT_SNAPSHOT == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_SNAPSHOT &&
                   (int)RAFT_SNAPSHOT_REPLY == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_SNAPSHOT_REPLY &&
                   RAFT_MESSAGE_KINDS == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_SNAPSHOT_REPLY + 1,
               "the kinds of messages are numbered alike");

/* Around an entry's data in the packed form: tags, lengths, index, term, kind. */
#define ENTRY_OVERHEAD_BYTES 48

/* ---- frames: packing ---- */

enum error_code wire_pack_hello(const struct wire_hello *hello, struct wire_bytes *out, struct error *err)
{
    struct wire_membership_proto membership;
    Mha__Hello message = MHA__HELLO__INIT;
    Mha__PeerFrame frame = MHA__PEER_FRAME__INIT;

    message.version = hello->version;
    message.cluster = (char *)hello->cluster;
    message.name = (char *)hello->name;
    message.id = hello->id;
    message.formed = hello->formed;
    message.refused = (char *)hello->refused;
    message.to = (char *)hello->to;
    message.nodes_digest = hello->nodes_digest;
    message.membership_index = hello->membership_index;
    message.address = (char *)hello->address;
    message.arbiter = hello->arbiter;
    if (hello->membership.count > 0) {
        wire_membership_to_proto(&hello->membership, &membership);
        message.membership = &membership.message;
    }
    frame.body_case = MHA__PEER_FRAME__BODY_HELLO;
    frame.hello = &message;
    return wire_pack(&frame.base, out, err);
}

enum error_code wire_pack_raft(const struct raft_message *message, struct wire_bytes *out, unsigned *packed,
                               struct error *err)
{
    Mha__Entry entries[RAFT_APPEND_ENTRIES_MAX];
    Mha__Entry *pointers[RAFT_APPEND_ENTRIES_MAX];
    Mha__RaftMessage to = MHA__RAFT_MESSAGE__INIT;
    Mha__PeerFrame frame = MHA__PEER_FRAME__INIT;
    size_t bytes = 0;
    unsigned count = 0;

    while (count < message->entry_count && count < RAFT_APPEND_ENTRIES_MAX) {
        bytes += message->entries[count].size + ENTRY_OVERHEAD_BYTES;
        if (count > 0 && bytes > WIRE_APPEND_BYTES_MAX)
            break;
        codec_entry_to_proto(&message->entries[count], &entries[count]);
        pointers[count] = &entries[count];
        count++;
    }
    to.kind = (Mha__RaftMessageKind)message->kind;
    to.from = message->from;
    to.to = message->to;
    to.term = message->term;
    to.log_index = message->log_index;
    to.log_term = message->log_term;
    to.commit = message->commit;
    to.round = message->round;
    to.election_us = message->election_us;
    to.retry_after_us = message->retry_after_us;
    to.granted = message->granted;
    to.transfer = message->transfer;
    to.log_short = message->log_short;
    to.snapshot_index = message->snapshot_index;
    to.offset = message->offset;
    to.total_bytes = message->total_bytes;
    to.data.data = (uint8_t *)message->data;
    to.data.len = message->size;
    to.n_entries = count;
    to.entries = pointers;
    frame.body_case = MHA__PEER_FRAME__BODY_RAFT;
    frame.raft = &to;
    if (packed)
        *packed = count;
    return wire_pack(&frame.base, out, err);
}

enum error_code wire_pack_form(const struct replica_membership *membership, struct wire_bytes *out,
                               struct error *err)
{
    struct wire_membership_proto proto;
    Mha__Form form = MHA__FORM__INIT;
    Mha__PeerFrame frame = MHA__PEER_FRAME__INIT;

    wire_membership_to_proto(membership, &proto);
    form.membership = &proto.message;
    frame.body_case = MHA__PEER_FRAME__BODY_FORM;
    frame.form = &form;
    return wire_pack(&frame.base, out, err);
}

enum error_code wire_pack_application(const void *data, size_t size, struct wire_bytes *out,
                                      struct error *err)
{
    Mha__PeerFrame frame = MHA__PEER_FRAME__INIT;

    if (size > REPLICA_APPLICATION_BYTES_MAX)
        return error_set(err, ERR_INVALID, "a message of %zu bytes is larger than %d", size,
                         REPLICA_APPLICATION_BYTES_MAX);
    frame.body_case = MHA__PEER_FRAME__BODY_APPLICATION;
    frame.application.data = (uint8_t *)data;
    frame.application.len = size;
    return wire_pack(&frame.base, out, err);
}

/* ---- frames: unpacking ---- */

static enum error_code hello_from_proto(const Mha__Hello *message, struct wire_hello *out, struct error *err)
{
    enum error_code code;
    size_t refused = strlen(message->refused);

    memset(out, 0, sizeof *out);
    out->version = message->version;
    out->id = message->id;
    out->formed = message->formed;
    out->nodes_digest = message->nodes_digest;
    out->membership_index = message->membership_index;
    out->arbiter = message->arbiter;
    code = wire_copy_text(message->cluster, out->cluster, sizeof out->cluster, "the cluster's name", err);
    if (!code)
        code = wire_copy_text(message->name, out->name, sizeof out->name, "the sender's name", err);
    if (!code)
        code = wire_copy_text(message->to, out->to, sizeof out->to, "the name of the one meant", err);
    if (!code)
        code =
            wire_copy_text(message->address, out->address, sizeof out->address, "the sender's address", err);
    if (!code && message->membership)
        code = wire_membership_from_proto(message->membership, &out->membership, err);
    if (code)
        return code;
    if (!replica_name_valid(out->cluster) || !replica_name_valid(out->name))
        return error_set(err, ERR_INVALID, "a greeting without a valid cluster and name");
    if (out->to[0] != '\0' && !replica_name_valid(out->to))
        return error_set(err, ERR_INVALID, "a greeting to an invalid name");
    if (refused >= sizeof out->refused)
        refused = sizeof out->refused - 1;
    memcpy(out->refused, message->refused, refused);
    return ERR_OK;
}

static enum error_code raft_from_proto(const Mha__RaftMessage *message, struct wire_frame *out,
                                       struct error *err)
{
    struct raft_message *to = &out->raft;

    if ((int)message->kind < 0 || message->kind >= RAFT_MESSAGE_KINDS)
        return error_set(err, ERR_INVALID, "a message of the unknown kind %d", (int)message->kind);
    if (message->from == 0 || message->to == 0)
        return error_set(err, ERR_INVALID, "a message without a sender or a receiver");
    if (message->n_entries > RAFT_APPEND_ENTRIES_MAX)
        return error_set(err, ERR_INVALID, "a message with %zu entries, more than %d", message->n_entries,
                         RAFT_APPEND_ENTRIES_MAX);
    if (message->n_entries > 0 && message->kind != MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_APPEND)
        return error_set(err, ERR_INVALID, "entries in a message of kind %d", (int)message->kind);
    if (message->log_index > UINT64_MAX - RAFT_APPEND_ENTRIES_MAX)
        return error_set(err, ERR_INVALID, "a message with an impossible index");
    if (message->data.len > 0 && message->kind != MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_SNAPSHOT)
        return error_set(err, ERR_INVALID, "a piece of a snapshot in a message of kind %d",
                         (int)message->kind);
    if (message->data.len > WIRE_CHUNK_BYTES_MAX || message->total_bytes > RAFT_SNAPSHOT_BYTES_MAX ||
        message->offset > RAFT_SNAPSHOT_BYTES_MAX)
        return error_set(err, ERR_INVALID, "a piece of a snapshot beyond the limits");
    if (message->kind == MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_SNAPSHOT &&
        (message->log_index == 0 || message->offset + message->data.len > message->total_bytes))
        return error_set(err, ERR_INVALID, "a piece that does not fit in its snapshot");
    memset(to, 0, sizeof *to);
    to->kind = (enum raft_message_kind)message->kind;
    to->from = message->from;
    to->to = message->to;
    to->term = message->term;
    to->log_index = message->log_index;
    to->log_term = message->log_term;
    to->commit = message->commit;
    to->round = message->round;
    to->election_us = message->election_us;
    to->retry_after_us = message->retry_after_us;
    to->granted = message->granted;
    to->transfer = message->transfer;
    to->log_short = message->log_short;
    to->snapshot_index = message->snapshot_index;
    to->offset = message->offset;
    to->total_bytes = message->total_bytes;
    to->data = message->data.data;
    to->size = message->data.len;
    to->entry_count = (unsigned)message->n_entries;
    to->entries = out->entries;
    for (unsigned i = 0; i < to->entry_count; i++) {
        enum error_code code = codec_entry_from_proto(message->entries[i], &out->entries[i], err);
        if (code)
            return code;
        if (out->entries[i].index != message->log_index + 1 + i)
            return error_set(err, ERR_INVALID, "a message with a gap in its entries");
    }
    return ERR_OK;
}

static enum error_code frame_from_proto(const Mha__PeerFrame *frame, struct wire_frame *out,
                                        struct error *err)
{
    switch (frame->body_case) {
    case MHA__PEER_FRAME__BODY_HELLO:
        out->kind = WIRE_HELLO;
        return hello_from_proto(frame->hello, &out->hello, err);
    case MHA__PEER_FRAME__BODY_RAFT:
        out->kind = WIRE_RAFT;
        return raft_from_proto(frame->raft, out, err);
    case MHA__PEER_FRAME__BODY_FORM:
        out->kind = WIRE_FORM;
        return wire_membership_from_proto(frame->form->membership, &out->form, err);
    case MHA__PEER_FRAME__BODY_APPLICATION:
        out->kind = WIRE_APPLICATION;
        if (frame->application.len > REPLICA_APPLICATION_BYTES_MAX)
            return error_set(err, ERR_INVALID, "a message of %zu bytes, more than %d", frame->application.len,
                             REPLICA_APPLICATION_BYTES_MAX);
        out->application.data = frame->application.data;
        out->application.size = frame->application.len;
        return ERR_OK;
    default:
        return error_set(err, ERR_INVALID, "a frame of an unknown kind");
    }
}

enum error_code wire_unpack_frame(const void *data, size_t size, struct wire_frame *out, struct error *err)
{
    struct codec_allocator allocator;
    Mha__PeerFrame *frame;
    enum error_code code;

    codec_allocator_init(&allocator, size);
    frame = mha__peer_frame__unpack(&allocator.protobuf, size, data);
    if (!frame)
        return error_set(err, ERR_INVALID, "%zu bytes that are no frame", size);
    code = frame_from_proto(frame, out, err);
    if (code) {
        mha__peer_frame__free_unpacked(frame, NULL);
        return code;
    }
    out->memory = frame;
    return ERR_OK;
}

void wire_free_frame(struct wire_frame *frame)
{
    mha__peer_frame__free_unpacked(frame->memory, NULL);
    frame->memory = NULL;
}
