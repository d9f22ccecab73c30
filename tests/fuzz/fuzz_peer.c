/* Frames of other members (common/replica/wire.h). fuzz: runs=60000 max_len=8192
 *
 * What is accepted is within every bound that wire.h promises, and packing it and unpacking that gives the
 * same value. */
#include <string.h>

#include "common/replica/wire.h"
#include "peer.pb-c.h"
#include "tests/fuzz/fuzz.h"

static const char *const words[] = {
    "name-of-sixty-four-characters-is-one-too-long-for-a-member-01234",
    "alpha",
    "beta",
    "gamma",
    "prod",
    "192.0.2.1:7400",
    "[2001:db8::1]:7400",
    "a-name-that-is-as-long-as-a-name-may-be-and-perhaps-a-little-more-than-that",
    "",
    NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fuzz_mutate_message(&mha__peer_frame__descriptor, words, data, size, max_size, seed);
}

static void check_membership(const struct replica_membership *membership)
{
    FUZZ_CHECK(membership->count <= RAFT_MEMBERS_MAX, "a membership has at most RAFT_MEMBERS_MAX members");
    for (unsigned i = 0; i < membership->count; i++) {
        const struct replica_membership_member *member = &membership->members[i];
        FUZZ_CHECK(member->id != 0 && (i == 0 || member->id > membership->members[i - 1].id), "ids ascend");
        FUZZ_CHECK(replica_name_valid(member->name), "names are valid");
        FUZZ_CHECK(replica_membership_by_name(membership, member->name) == member, "names are unique");
        FUZZ_CHECK(memchr(member->address, '\0', sizeof member->address), "addresses end");
    }
}

static void check_raft(const struct raft_message *message)
{
    FUZZ_CHECK(message->kind < RAFT_MESSAGE_KINDS, "the kind is known");
    FUZZ_CHECK(message->from != 0 && message->to != 0, "sender and receiver are named");
    FUZZ_CHECK(message->entry_count <= RAFT_APPEND_ENTRIES_MAX, "the entries are bounded");
    FUZZ_CHECK(message->entry_count == 0 || message->kind == RAFT_APPEND, "only an APPEND has entries");
    for (unsigned i = 0; i < message->entry_count; i++) {
        const struct raft_entry *entry = &message->entries[i];
        FUZZ_CHECK(entry->index == message->log_index + 1 + i, "entries follow log_index without gaps");
        FUZZ_CHECK(entry->term != 0 && entry->size <= RAFT_ENTRY_BYTES_MAX, "an entry is bounded");
        FUZZ_CHECK(entry->kind <= RAFT_ENTRY_MEMBERSHIP, "its kind is known");
    }
}

static bool equal_bytes(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0);
}

static bool equal_raft(const struct raft_message *a, const struct raft_message *b)
{
    for (unsigned i = 0; i < a->entry_count && a->entry_count == b->entry_count; i++)
        if (a->entries[i].index != b->entries[i].index || a->entries[i].term != b->entries[i].term ||
            a->entries[i].kind != b->entries[i].kind ||
            !equal_bytes(a->entries[i].data, a->entries[i].size, b->entries[i].data, b->entries[i].size))
            return false;
    return a->kind == b->kind && a->from == b->from && a->to == b->to && a->term == b->term &&
           a->log_index == b->log_index && a->log_term == b->log_term && a->commit == b->commit &&
           a->round == b->round && a->election_us == b->election_us &&
           a->retry_after_us == b->retry_after_us && a->granted == b->granted && a->transfer == b->transfer &&
           a->log_short == b->log_short && a->entry_count == b->entry_count &&
           a->snapshot_index == b->snapshot_index && a->offset == b->offset &&
           a->total_bytes == b->total_bytes && equal_bytes(a->data, a->size, b->data, b->size);
}

/* false: packed to something else than all of it. */
static bool pack(const struct wire_frame *frame, struct wire_bytes *out)
{
    struct error err;
    unsigned packed;

    switch (frame->kind) {
    case WIRE_HELLO:
        return wire_pack_hello(&frame->hello, out, &err) == ERR_OK;
    case WIRE_RAFT:
        FUZZ_CHECK(wire_pack_raft(&frame->raft, out, &packed, &err) == ERR_OK, "it packs");
        FUZZ_CHECK(packed <= frame->raft.entry_count && (packed > 0 || frame->raft.entry_count == 0),
                   "at least one entry is packed");
        return packed == frame->raft.entry_count;
    case WIRE_FORM:
        return wire_pack_form(&frame->form, out, &err) == ERR_OK;
    case WIRE_APPLICATION:
        return wire_pack_application(frame->application.data, frame->application.size, out, &err) == ERR_OK;
    }
    return false;
}

static void check_equal(const struct wire_frame *a, const struct wire_frame *b)
{
    FUZZ_CHECK(a->kind == b->kind, "the kind survives");
    switch (a->kind) {
    case WIRE_HELLO:
        FUZZ_CHECK(memcmp(&a->hello, &b->hello, sizeof a->hello) == 0, "a greeting survives");
        break;
    case WIRE_RAFT:
        FUZZ_CHECK(equal_raft(&a->raft, &b->raft), "a message of Raft survives");
        break;
    case WIRE_FORM:
        FUZZ_CHECK(memcmp(&a->form, &b->form, sizeof a->form) == 0, "a membership survives");
        break;
    case WIRE_APPLICATION:
        FUZZ_CHECK(
            equal_bytes(a->application.data, a->application.size, b->application.data, b->application.size),
            "the application's bytes survive");
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wire_frame frame, again;
    struct wire_bytes bytes = {0};
    struct error err;

    if (wire_unpack_frame(data, size, &frame, &err) != ERR_OK)
        return 0;
    if (frame.kind == WIRE_HELLO)
        check_membership(&frame.hello.membership);
    else if (frame.kind == WIRE_FORM)
        check_membership(&frame.form);
    else if (frame.kind == WIRE_RAFT)
        check_raft(&frame.raft);
    if (pack(&frame, &bytes)) {
        FUZZ_CHECK(wire_unpack_frame(bytes.data, bytes.size, &again, &err) == ERR_OK,
                   "what was packed is accepted");
        check_equal(&frame, &again);
        wire_free_frame(&again);
    } else {
        FUZZ_CHECK(frame.kind == WIRE_RAFT, "everything accepted can be packed");
    }
    free(bytes.data);
    wire_free_frame(&frame);
    return 0;
}
