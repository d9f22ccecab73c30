#include "tests/sim/machine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.pb-c.h"

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

void machine_apply(struct world_machine *machine, const struct raft_entry *entry)
{
    const unsigned char *bytes = entry->data;
    uint64_t hash = 1469598103934665603u; /* FNV-1a */
    for (size_t i = 0; i < entry->size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    machine->index = entry->index;
    machine->term = entry->term;
    machine->chain = mix(mix(mix(machine->chain, entry->index), entry->term), hash ^ (uint64_t)entry->kind);
    struct raft_membership membership;
    if (entry->kind == RAFT_ENTRY_MEMBERSHIP &&
        machine_decode_membership(entry->data, entry->size, &membership))
        machine->membership = membership;
}

/* ---- memberships ---- */

struct packed_members {
    Mha__Membership message;
    Mha__Member members[RAFT_MEMBERS_MAX];
    Mha__Member *pointers[RAFT_MEMBERS_MAX];
    char names[RAFT_MEMBERS_MAX][24];
};

static void to_proto(const struct raft_membership *membership, struct packed_members *out)
{
    mha__membership__init(&out->message);
    for (unsigned i = 0; i < membership->count; i++) {
        Mha__Member *member = &out->members[i];
        mha__member__init(member);
        snprintf(out->names[i], sizeof out->names[i], "n%llu", (unsigned long long)membership->members[i].id);
        member->id = membership->members[i].id;
        member->kind = (Mha__MemberKind)membership->members[i].kind;
        member->voter = membership->members[i].voter;
        member->name = out->names[i];
        out->pointers[i] = member;
    }
    out->message.n_members = membership->count;
    out->message.members = out->pointers;
}

static bool from_proto(const Mha__Membership *message, struct raft_membership *out)
{
    if (message == NULL || message->n_members > RAFT_MEMBERS_MAX)
        return false;
    memset(out, 0, sizeof *out);
    out->count = (unsigned)message->n_members;
    for (unsigned i = 0; i < out->count; i++)
        out->members[i] = (struct raft_member){.id = message->members[i]->id,
                                               .kind = (enum raft_member_kind)message->members[i]->kind,
                                               .voter = message->members[i]->voter};
    return true;
}

void *machine_encode_membership(const struct raft_membership *membership, size_t *size)
{
    struct packed_members packed;
    to_proto(membership, &packed);
    *size = mha__membership__get_packed_size(&packed.message);
    void *bytes = malloc(*size + 1);
    assert(bytes != NULL);
    mha__membership__pack(&packed.message, bytes);
    return bytes;
}

bool machine_decode_membership(const void *data, size_t size, struct raft_membership *out)
{
    Mha__Membership *message = mha__membership__unpack(NULL, size, data);
    bool good = from_proto(message, out);
    mha__membership__free_unpacked(message, NULL);
    return good;
}

/* ---- snapshots: of the state, the chain, how much belongs to the top, that, and padding ---- */

#define STATE_HEAD_BYTES 16

void *machine_encode_snapshot(const struct world_machine *machine, const void *state, size_t state_size,
                              size_t padding, size_t *size)
{
    struct packed_members packed;
    Mha__Snapshot message = MHA__SNAPSHOT__INIT;
    uint64_t head[2] = {machine->chain, state_size};
    message.last_index = machine->index;
    message.last_term = machine->term;
    to_proto(&machine->membership, &packed);
    message.membership = &packed.message;
    message.state.len = STATE_HEAD_BYTES + state_size + padding;
    message.state.data = calloc(1, message.state.len);
    assert(message.state.data != NULL);
    memcpy(message.state.data, head, sizeof head);
    if (state_size > 0)
        memcpy(message.state.data + STATE_HEAD_BYTES, state, state_size);
    memset(message.state.data + STATE_HEAD_BYTES + state_size, 'p', padding);
    *size = mha__snapshot__get_packed_size(&message);
    void *bytes = malloc(*size);
    assert(bytes != NULL);
    mha__snapshot__pack(&message, bytes);
    free(message.state.data);
    return bytes;
}

bool machine_decode_snapshot(const void *data, size_t size, struct raft_membership *out)
{
    Mha__Snapshot *message = mha__snapshot__unpack(NULL, size, data);
    bool good = message != NULL && from_proto(message->membership, out);
    mha__snapshot__free_unpacked(message, NULL);
    return good;
}

bool machine_restore(struct world_machine *machine, const void *data, size_t size, void **state,
                     size_t *state_size)
{
    Mha__Snapshot *message = mha__snapshot__unpack(NULL, size, data);
    uint64_t head[2];
    *state = NULL;
    *state_size = 0;
    bool good = message != NULL && message->state.len >= STATE_HEAD_BYTES &&
                from_proto(message->membership, &machine->membership);
    if (good) {
        memcpy(head, message->state.data, sizeof head);
        good = head[1] <= message->state.len - STATE_HEAD_BYTES;
    }
    if (good) {
        machine->index = message->last_index;
        machine->term = message->last_term;
        machine->chain = head[0];
        *state_size = head[1];
        *state = malloc(*state_size + 1);
        assert(*state != NULL);
        memcpy(*state, message->state.data + STATE_HEAD_BYTES, *state_size);
    }
    mha__snapshot__free_unpacked(message, NULL);
    return good;
}
