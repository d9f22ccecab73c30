/* Memberships and snapshots; frames are in wire.c. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/replica/wire_internal.h"
#include "common/store/codec.h"

enum error_code wire_pack(const ProtobufCMessage *message, struct wire_bytes *out, struct error *err)
{
    out->size = protobuf_c_message_get_packed_size(message);
    out->data = malloc(out->size ? out->size : 1);
    if (!out->data)
        return error_set(err, ERR_NO_MEMORY, "no memory for a message of %zu bytes", out->size);
    protobuf_c_message_pack(message, out->data);
    return ERR_OK;
}

enum error_code wire_copy_text(const char *from, char *out, size_t size, const char *what, struct error *err)
{
    if (strlen(from) >= size)
        return error_set(err, ERR_INVALID, "%s is longer than %zu characters", what, size - 1);
    memset(out, 0, size);
    memcpy(out, from, strlen(from));
    return ERR_OK;
}

/* ---- membership ---- */

static void member_to_proto(const struct replica_membership_member *member, Mha__Member *to)
{
    mha__member__init(to);
    to->id = member->id;
    to->name = (char *)member->name;
    to->address = (char *)member->address;
    to->kind = member->arbiter ? MHA__MEMBER_KIND__MEMBER_ARBITER : MHA__MEMBER_KIND__MEMBER_DATA;
    to->voter = member->voter;
}

void wire_membership_to_proto(const struct replica_membership *membership, struct wire_membership_proto *out)
{
    assert(membership->count <= RAFT_MEMBERS_MAX);
    mha__membership__init(&out->message);
    for (unsigned i = 0; i < membership->count; i++) {
        member_to_proto(&membership->members[i], &out->members[i]);
        out->pointers[i] = &out->members[i];
    }
    out->message.n_members = membership->count;
    out->message.members = out->pointers;
    if (membership->joining.id != 0) {
        member_to_proto(&membership->joining, &out->joining);
        out->message.joining = &out->joining;
    }
}

static enum error_code member_from_proto(const Mha__Member *from, struct replica_membership_member *member,
                                         struct error *err)
{
    enum error_code code;

    if (from->kind != MHA__MEMBER_KIND__MEMBER_DATA && from->kind != MHA__MEMBER_KIND__MEMBER_ARBITER)
        return error_set(err, ERR_INVALID, "a member of the unknown kind %d", (int)from->kind);
    member->id = from->id;
    member->arbiter = from->kind == MHA__MEMBER_KIND__MEMBER_ARBITER;
    member->voter = from->voter;
    code = wire_copy_text(from->name, member->name, sizeof member->name, "a member's name", err);
    if (!code)
        code =
            wire_copy_text(from->address, member->address, sizeof member->address, "a member's address", err);
    return code;
}

enum error_code wire_membership_from_proto(const Mha__Membership *message, struct replica_membership *out,
                                           struct error *err)
{
    enum error_code code = ERR_OK;

    memset(out, 0, sizeof *out);
    if (!message || message->n_members == 0)
        return error_set(err, ERR_INVALID, "a membership without members");
    for (size_t i = 0; i < message->n_members && !code; i++) {
        struct replica_membership_member member = {0};
        code = member_from_proto(message->members[i], &member, err);
        if (!code)
            code = replica_membership_add(out, &member, err);
    }
    if (!code && message->joining) {
        code = member_from_proto(message->joining, &out->joining, err);
        if (!code)
            code = replica_membership_check(out, &out->joining, err);
    }
    return code;
}

enum error_code wire_pack_membership(const struct replica_membership *membership, struct wire_bytes *out,
                                     struct error *err)
{
    struct wire_membership_proto proto;

    wire_membership_to_proto(membership, &proto);
    return wire_pack(&proto.message.base, out, err);
}

enum error_code wire_unpack_membership(const void *data, size_t size, struct replica_membership *out,
                                       struct error *err)
{
    struct codec_allocator allocator;
    Mha__Membership *message;
    enum error_code code;

    codec_allocator_init(&allocator, size);
    message = mha__membership__unpack(&allocator.protobuf, size, data);
    if (!message)
        return error_set(err, ERR_INVALID, "%zu bytes that are no membership", size);
    code = wire_membership_from_proto(message, out, err);
    mha__membership__free_unpacked(message, NULL);
    return code;
}

/* ---- snapshots ---- */

enum error_code wire_pack_snapshot(const struct wire_snapshot *snapshot, struct wire_bytes *out,
                                   struct error *err)
{
    struct wire_membership_proto membership;
    Mha__Snapshot message = MHA__SNAPSHOT__INIT;

    wire_membership_to_proto(&snapshot->membership, &membership);
    message.last_index = snapshot->last_index;
    message.last_term = snapshot->last_term;
    message.membership = &membership.message;
    message.state.data = (uint8_t *)snapshot->state;
    message.state.len = snapshot->state_size;
    return wire_pack(&message.base, out, err);
}

enum error_code wire_unpack_snapshot(const void *data, size_t size, struct wire_snapshot *out,
                                     struct error *err)
{
    struct codec_allocator allocator;
    Mha__Snapshot *message;
    enum error_code code;

    codec_allocator_init(&allocator, size);
    message = mha__snapshot__unpack(&allocator.protobuf, size, data);
    if (!message)
        return error_set(err, ERR_INVALID, "%zu bytes that are no snapshot", size);
    code = wire_membership_from_proto(message->membership, &out->membership, err);
    if (code) {
        mha__snapshot__free_unpacked(message, NULL);
        return code;
    }
    out->last_index = message->last_index;
    out->last_term = message->last_term;
    out->state = message->state.data;
    out->state_size = message->state.len;
    out->memory = message;
    return ERR_OK;
}

void wire_free_snapshot(struct wire_snapshot *snapshot)
{
    mha__snapshot__free_unpacked(snapshot->memory, NULL);
    snapshot->memory = NULL;
}
