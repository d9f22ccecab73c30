/* The wire codec: what is packed comes back, and nothing that arrives can do harm (I9). */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/replica/wire.h"
#include "peer.pb-c.h"

static uint64_t random_state;

static uint64_t random_next(void) /* xorshift64*: the same numbers on each run */
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

static void make_membership(struct replica_membership *out)
{
    static const uint64_t ids[] = {0xfedcba9876543210u, 7, 0x8000000000000000u};
    static const char *const names[] = {"db1", "db2", "tie"};
    static const char *const addresses[] = {"192.0.2.1:7400", "[2001:db8::2]:7400", "tie.example:7401"};

    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < 3; i++) {
        struct replica_membership_member member = {.id = ids[i], .arbiter = i == 2, .voter = i != 1};
        strcpy(member.name, names[i]);
        strcpy(member.address, addresses[i]);
        CU_ASSERT_EQUAL(replica_membership_add(out, &member, NULL), ERR_OK);
    }
}

static void test_membership(void)
{
    struct replica_membership membership, back;
    struct replica_membership_member bad;
    struct raft_membership raft;
    struct wire_bytes bytes;
    struct error err;

    make_membership(&membership);
    CU_ASSERT_EQUAL(membership.members[0].id, 7);
    CU_ASSERT_EQUAL(membership.members[1].id, 0x8000000000000000u);
    CU_ASSERT_STRING_EQUAL(membership.members[2].name, "db1");
    CU_ASSERT_EQUAL(wire_pack_membership(&membership, &bytes, &err), ERR_OK);
    CU_ASSERT_EQUAL(wire_unpack_membership(bytes.data, bytes.size, &back, &err), ERR_OK);
    CU_ASSERT_EQUAL(memcmp(&membership, &back, sizeof back), 0);
    free(bytes.data);
    replica_membership_to_raft(&membership, &raft);
    CU_ASSERT_EQUAL(raft.count, 3);
    CU_ASSERT_EQUAL(raft.members[0].id, 7);
    CU_ASSERT_FALSE(raft.members[0].voter);
    CU_ASSERT_EQUAL(raft.members[1].kind, RAFT_ARBITER);
    CU_ASSERT_EQUAL(raft.members[2].kind, RAFT_DATA);
    CU_ASSERT_PTR_NULL(replica_membership_by_id(&membership, 8));
    CU_ASSERT_PTR_EQUAL(replica_membership_by_name(&membership, "tie"), &membership.members[1]);

    /* each rule of a membership, broken once */
    bad = membership.members[0];
    bad.id = 9;
    CU_ASSERT_EQUAL(replica_membership_add(&membership, &bad, &err), ERR_INVALID); /* the name again */
    strcpy(bad.name, "db9");
    bad.id = 7;
    CU_ASSERT_EQUAL(replica_membership_add(&membership, &bad, &err), ERR_INVALID); /* the id again */
    bad.id = 0;
    CU_ASSERT_EQUAL(replica_membership_add(&membership, &bad, &err), ERR_INVALID);
    bad.id = 9;
    strcpy(bad.name, "db 9");
    CU_ASSERT_EQUAL(replica_membership_add(&membership, &bad, &err), ERR_INVALID);
    strcpy(bad.name, "db9");
    strcpy(bad.address, "nowhere");
    CU_ASSERT_EQUAL(replica_membership_add(&membership, &bad, &err), ERR_INVALID);
    strcpy(bad.address, "h\x01st:1");
    CU_ASSERT_EQUAL(replica_membership_add(&membership, &bad, &err), ERR_INVALID);
    strcpy(bad.address, "host:1");
    CU_ASSERT_EQUAL(replica_membership_add(&membership, &bad, &err), ERR_OK);
    for (unsigned i = membership.count; i < RAFT_MEMBERS_MAX; i++) {
        bad.id++;
        snprintf(bad.name, sizeof bad.name, "n%u", i);
        CU_ASSERT_EQUAL(replica_membership_add(&membership, &bad, &err), ERR_OK);
    }
    bad.id++;
    strcpy(bad.name, "toomany");
    CU_ASSERT_EQUAL(replica_membership_add(&membership, &bad, &err), ERR_INVALID);

    CU_ASSERT_EQUAL(wire_unpack_membership("", 0, &back, &err), ERR_INVALID); /* nobody */

    /* one that is to come in next, under a name that is free */
    make_membership(&membership);
    membership.joining = (struct replica_membership_member){.id = 99, .name = "db3", .address = "h:1"};
    CU_ASSERT_EQUAL(wire_pack_membership(&membership, &bytes, &err), ERR_OK);
    CU_ASSERT_EQUAL(wire_unpack_membership(bytes.data, bytes.size, &back, &err), ERR_OK);
    CU_ASSERT_EQUAL(memcmp(&membership, &back, sizeof back), 0);
    CU_ASSERT(replica_membership_equal(&membership, &back));
    free(bytes.data);
    back.joining.id = 98;
    CU_ASSERT_FALSE(replica_membership_equal(&membership, &back));
    strcpy(membership.joining.name, "db1");
    CU_ASSERT_EQUAL(wire_pack_membership(&membership, &bytes, &err), ERR_OK);
    CU_ASSERT_EQUAL(wire_unpack_membership(bytes.data, bytes.size, &back, &err), ERR_INVALID);
    free(bytes.data);
    replica_membership_remove(&membership, membership.members[2].id); /* db1 */
    CU_ASSERT_EQUAL(membership.count, 2);
    CU_ASSERT_EQUAL(membership.members[2].id, 0);
    CU_ASSERT_EQUAL(replica_membership_voters(&membership), 1);
    replica_membership_remove(&membership, 12345);
    CU_ASSERT_EQUAL(membership.count, 2);
    CU_ASSERT_EQUAL(replica_membership_check(&membership, &membership.joining, &err), ERR_OK);
}

static void test_hello(void)
{
    struct wire_hello hello = {
        .version = WIRE_VERSION, .cluster = "shop", .name = "db1", .id = 42, .to = "db2"};
    struct wire_frame frame;
    struct wire_bytes bytes;
    struct error err;

    CU_ASSERT_EQUAL(wire_pack_hello(&hello, &bytes, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(wire_unpack_frame(bytes.data, bytes.size, &frame, &err), ERR_OK);
    CU_ASSERT_EQUAL(frame.kind, WIRE_HELLO);
    CU_ASSERT_EQUAL(memcmp(&frame.hello, &hello, sizeof hello), 0);
    wire_free_frame(&frame);
    free(bytes.data);

    hello.formed = true;
    hello.membership_index = UINT64_MAX;
    hello.arbiter = true;
    memset(hello.address, 'a', sizeof hello.address - 1);
    make_membership(&hello.membership);
    memset(hello.refused, 'x', sizeof hello.refused - 1);
    CU_ASSERT_EQUAL(wire_pack_hello(&hello, &bytes, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(wire_unpack_frame(bytes.data, bytes.size, &frame, &err), ERR_OK);
    CU_ASSERT_EQUAL(memcmp(&frame.hello, &hello, sizeof hello), 0);
    wire_free_frame(&frame);
    free(bytes.data);

    strcpy(hello.name, "not a name");
    CU_ASSERT_EQUAL(wire_pack_hello(&hello, &bytes, &err), ERR_OK);
    CU_ASSERT_EQUAL(wire_unpack_frame(bytes.data, bytes.size, &frame, &err), ERR_INVALID);
    free(bytes.data);
}

static void make_append(struct raft_message *message, struct raft_entry *entries, unsigned count,
                        const void *data, size_t size)
{
    *message = (struct raft_message){.kind = RAFT_APPEND,
                                     .from = 1,
                                     .to = 2,
                                     .term = 3,
                                     .log_index = 10,
                                     .log_term = 2,
                                     .commit = 9,
                                     .round = 77,
                                     .election_us = 1000000,
                                     .entry_count = count,
                                     .entries = entries};
    for (unsigned i = 0; i < count; i++)
        entries[i] = (struct raft_entry){
            .index = 11 + i, .term = 3, .kind = (enum raft_entry_kind)(i % 3), .data = data, .size = size};
}

static void assert_same_message(const struct raft_message *a, const struct raft_message *b)
{
    struct raft_message x = *a, y = *b;

    CU_ASSERT_EQUAL_FATAL(a->entry_count, b->entry_count);
    for (unsigned i = 0; i < a->entry_count; i++) {
        CU_ASSERT_EQUAL(a->entries[i].index, b->entries[i].index);
        CU_ASSERT_EQUAL(a->entries[i].term, b->entries[i].term);
        CU_ASSERT_EQUAL(a->entries[i].kind, b->entries[i].kind);
        CU_ASSERT_EQUAL_FATAL(a->entries[i].size, b->entries[i].size);
        CU_ASSERT(a->entries[i].size == 0 ||
                  memcmp(a->entries[i].data, b->entries[i].data, a->entries[i].size) == 0);
    }
    CU_ASSERT_EQUAL_FATAL(a->size, b->size);
    CU_ASSERT(a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
    x.entries = y.entries = NULL;
    x.data = y.data = NULL;
    CU_ASSERT_EQUAL(memcmp(&x, &y, sizeof x), 0);
}

static void test_raft_messages(void)
{
    static struct raft_entry entries[RAFT_APPEND_ENTRIES_MAX];
    static uint8_t chunk[WIRE_CHUNK_BYTES_MAX] = {1, 2, 3};
    struct raft_message message;
    struct wire_frame frame;
    struct wire_bytes bytes;
    struct error err;
    unsigned packed;

    for (int kind = RAFT_PREVOTE; kind < RAFT_MESSAGE_KINDS; kind++) {
        /* every field, whether the kind uses it or not, at its largest */
        memset(&message, 0, sizeof message);
        message.kind = (enum raft_message_kind)kind;
        message.from = message.to = message.term = message.log_term = message.commit = message.round =
            UINT64_MAX;
        message.election_us = message.retry_after_us = UINT64_MAX;
        message.log_index = UINT64_MAX - RAFT_APPEND_ENTRIES_MAX;
        message.granted = message.transfer = message.log_short = true;
        message.snapshot_index = UINT64_MAX;
        message.offset = message.total_bytes = RAFT_SNAPSHOT_BYTES_MAX;
        if (kind == RAFT_SNAPSHOT) {
            message.data = chunk;
            message.size = sizeof chunk;
            message.offset -= sizeof chunk;
        }
        CU_ASSERT_EQUAL(wire_pack_raft(&message, &bytes, NULL, &err), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(wire_unpack_frame(bytes.data, bytes.size, &frame, &err), ERR_OK);
        CU_ASSERT_EQUAL(frame.kind, WIRE_RAFT);
        assert_same_message(&message, &frame.raft);
        wire_free_frame(&frame);
        free(bytes.data);
    }
    make_append(&message, entries, RAFT_APPEND_ENTRIES_MAX, "payload", 7);
    entries[5].size = 0;
    CU_ASSERT_EQUAL(wire_pack_raft(&message, &bytes, &packed, &err), ERR_OK);
    CU_ASSERT_EQUAL(packed, RAFT_APPEND_ENTRIES_MAX);
    CU_ASSERT_EQUAL_FATAL(wire_unpack_frame(bytes.data, bytes.size, &frame, &err), ERR_OK);
    assert_same_message(&message, &frame.raft);
    wire_free_frame(&frame);
    free(bytes.data);
}

/* A large APPEND is packed in parts, each within a frame, and nothing is lost between them. */
static void test_raft_in_parts(void)
{
    static uint8_t data[RAFT_ENTRY_BYTES_MAX];
    static struct raft_entry entries[RAFT_APPEND_ENTRIES_MAX];
    struct raft_message message;
    struct wire_frame frame;
    struct wire_bytes bytes;
    struct error err;
    unsigned packed, parts = 0;

    make_append(&message, entries, RAFT_APPEND_ENTRIES_MAX, data, sizeof data);
    while (message.entry_count > 0) {
        CU_ASSERT_EQUAL_FATAL(wire_pack_raft(&message, &bytes, &packed, &err), ERR_OK);
        CU_ASSERT_FATAL(packed > 0);
        CU_ASSERT(bytes.size <= 1024 * 1024);
        CU_ASSERT_EQUAL_FATAL(wire_unpack_frame(bytes.data, bytes.size, &frame, &err), ERR_OK);
        CU_ASSERT_EQUAL(frame.raft.entry_count, packed);
        CU_ASSERT_EQUAL(frame.raft.log_index, message.log_index);
        wire_free_frame(&frame);
        free(bytes.data);
        message.log_index += packed;
        message.entries += packed;
        message.entry_count -= packed;
        parts++;
    }
    CU_ASSERT_EQUAL(message.log_index, 10 + RAFT_APPEND_ENTRIES_MAX);
    CU_ASSERT(parts > 4 && parts < 8);
}

static void test_form_application_snapshot(void)
{
    struct replica_membership membership;
    static uint8_t data[REPLICA_APPLICATION_BYTES_MAX + 1];
    struct wire_snapshot snapshot, back;
    struct wire_frame frame;
    struct wire_bytes bytes;
    struct error err;

    make_membership(&membership);
    CU_ASSERT_EQUAL(wire_pack_form(&membership, &bytes, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(wire_unpack_frame(bytes.data, bytes.size, &frame, &err), ERR_OK);
    CU_ASSERT_EQUAL(frame.kind, WIRE_FORM);
    CU_ASSERT_EQUAL(memcmp(&frame.form, &membership, sizeof membership), 0);
    wire_free_frame(&frame);
    free(bytes.data);

    CU_ASSERT_EQUAL(wire_pack_application(data, REPLICA_APPLICATION_BYTES_MAX, &bytes, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(wire_unpack_frame(bytes.data, bytes.size, &frame, &err), ERR_OK);
    CU_ASSERT_EQUAL(frame.kind, WIRE_APPLICATION);
    CU_ASSERT_EQUAL(frame.application.size, REPLICA_APPLICATION_BYTES_MAX);
    wire_free_frame(&frame);
    free(bytes.data);
    CU_ASSERT_EQUAL(wire_pack_application(data, sizeof data, &bytes, &err), ERR_INVALID);

    memset(&snapshot, 0, sizeof snapshot);
    snapshot.last_index = 5;
    snapshot.last_term = 2;
    snapshot.membership = membership;
    snapshot.state = (const uint8_t *)"state";
    snapshot.state_size = 5;
    CU_ASSERT_EQUAL(wire_pack_snapshot(&snapshot, &bytes, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(wire_unpack_snapshot(bytes.data, bytes.size, &back, &err), ERR_OK);
    CU_ASSERT_EQUAL(back.last_index, 5);
    CU_ASSERT_EQUAL(back.last_term, 2);
    CU_ASSERT_EQUAL(back.state_size, 5);
    CU_ASSERT_EQUAL(memcmp(back.state, "state", 5), 0);
    CU_ASSERT_EQUAL(memcmp(&back.membership, &membership, sizeof membership), 0);
    wire_free_snapshot(&back);
    free(bytes.data);
}

/* Packs a frame that our own packers would not make, and wants it refused for that reason. */
static void assert_refused(const Mha__PeerFrame *frame, const char *reason)
{
    struct wire_frame out;
    struct error err;
    size_t size = mha__peer_frame__get_packed_size(frame);
    uint8_t *data = malloc(size + 1);

    mha__peer_frame__pack(frame, data);
    err.text[0] = '\0';
    CU_ASSERT_EQUAL(wire_unpack_frame(data, size, &out, &err), ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, reason));
    free(data);
}

#define ENTRIES_HUGE 200000

static void test_refused(void)
{
    static uint8_t data[RAFT_ENTRY_BYTES_MAX + 1];
    static uint8_t large[REPLICA_APPLICATION_BYTES_MAX + 1];
    static Mha__Entry entries[ENTRIES_HUGE], *many[ENTRIES_HUGE];
    Mha__Entry entry = MHA__ENTRY__INIT, *one = &entry;
    Mha__RaftMessage raft = MHA__RAFT_MESSAGE__INIT;
    Mha__PeerFrame frame = MHA__PEER_FRAME__INIT;
    Mha__Form form = MHA__FORM__INIT;
    Mha__Membership membership = MHA__MEMBERSHIP__INIT;
    Mha__Member member = MHA__MEMBER__INIT, *member_pointer = &member;
    char name[REPLICA_NAME_BYTES + 1] = {0};

    assert_refused(&frame, "unknown kind"); /* no body */
    frame.body_case = MHA__PEER_FRAME__BODY_RAFT;
    frame.raft = &raft;
    assert_refused(&frame, "without a sender"); /* from nobody */
    raft.from = 1;
    raft.to = 2;
    raft.kind = (Mha__RaftMessageKind)RAFT_MESSAGE_KINDS;
    assert_refused(&frame, "unknown kind 9");
    raft.kind = (Mha__RaftMessageKind)-1;
    assert_refused(&frame, "unknown kind -1");
    raft.kind = MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_SNAPSHOT;
    raft.log_index = 1;
    raft.data.data = large;
    raft.data.len = WIRE_CHUNK_BYTES_MAX + 1;
    raft.total_bytes = raft.data.len;
    assert_refused(&frame, "beyond the limits"); /* a chunk too large */
    raft.data.len = 10;
    raft.total_bytes = 12;
    raft.offset = 3;
    assert_refused(&frame, "does not fit in its snapshot");
    raft.offset = UINT64_MAX - 5; /* nor by overflow */
    assert_refused(&frame, "beyond the limits");
    raft.offset = 2;
    raft.total_bytes = (uint64_t)RAFT_SNAPSHOT_BYTES_MAX + 1;
    assert_refused(&frame, "beyond the limits");
    raft.total_bytes = 12;
    raft.log_index = 0;
    assert_refused(&frame, "does not fit in its snapshot"); /* of nothing */
    raft.kind = MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_SNAPSHOT_REPLY;
    assert_refused(&frame, "a piece of a snapshot in a message of kind 8");
    raft.data.len = 0;
    raft.offset = raft.total_bytes = 0;
    raft.kind = MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_VOTE;
    raft.n_entries = 1;
    raft.entries = &one;
    entry.index = 1;
    entry.term = 1;
    assert_refused(&frame, "entries in a message of kind 2"); /* entries in a vote */
    raft.kind = MHA__RAFT_MESSAGE_KIND__RAFT_MESSAGE_APPEND;
    raft.log_index = UINT64_MAX;
    entry.index = 0;
    assert_refused(&frame, "impossible index"); /* the index wraps */
    raft.log_index = 0;
    assert_refused(&frame, "without an index"); /* index 0 */
    entry.index = 2;
    assert_refused(&frame, "gap"); /* a gap */
    entry.index = 1;
    entry.term = 0;
    assert_refused(&frame, "without an index or a term");
    entry.term = 1;
    entry.kind = (Mha__EntryKind)3;
    assert_refused(&frame, "unknown kind 3");
    entry.kind = MHA__ENTRY_KIND__ENTRY_COMMAND;
    entry.data.data = data;
    entry.data.len = sizeof data;
    assert_refused(&frame, "more than 65536");
    entry.data.len = 0;
    for (unsigned i = 0; i < ENTRIES_HUGE; i++) {
        entries[i] = entry;
        entries[i].index = 1 + i;
        many[i] = &entries[i];
    }
    raft.entries = many;
    raft.n_entries = RAFT_APPEND_ENTRIES_MAX + 1;
    assert_refused(&frame, "65 entries");
    raft.n_entries = ENTRIES_HUGE; /* wants more memory than its size is worth */
    assert_refused(&frame, "no frame");

    frame.body_case = MHA__PEER_FRAME__BODY_APPLICATION;
    frame.application.data = large;
    frame.application.len = sizeof large;
    assert_refused(&frame, "more than 262144");

    frame.body_case = MHA__PEER_FRAME__BODY_FORM;
    frame.form = &form;
    assert_refused(&frame, "without members"); /* no membership */
    form.membership = &membership;
    assert_refused(&frame, "without members"); /* an empty one */
    membership.n_members = 1;
    membership.members = &member_pointer;
    member.id = 1;
    member.address = (char *)"host:1";
    member.name = name;
    memset(name, 'n', REPLICA_NAME_BYTES);
    assert_refused(&frame, "name is longer");
    member.name = (char *)"db1";
    member.kind = (Mha__MemberKind)2;
    assert_refused(&frame, "unknown kind 2");
}

/* A packed frame of each kind to start from. */
static struct wire_bytes make_sample(unsigned i)
{
    static struct raft_entry entries[RAFT_APPEND_ENTRIES_MAX];
    struct wire_hello hello = {
        .version = 1, .cluster = "shop", .name = "db1", .id = 42, .to = "db2", .formed = true};
    struct replica_membership membership;
    struct raft_message message;
    struct wire_bytes bytes;
    enum error_code code;

    make_membership(&membership);
    hello.membership = membership;
    make_append(&message, entries, 8, "payload", 7);
    if (i == 0)
        code = wire_pack_hello(&hello, &bytes, NULL);
    else if (i == 1)
        code = wire_pack_raft(&message, &bytes, NULL, NULL);
    else if (i == 2)
        code = wire_pack_form(&membership, &bytes, NULL);
    else
        code = wire_pack_application("application", 11, &bytes, NULL);
    CU_ASSERT_EQUAL_FATAL(code, ERR_OK);
    return bytes;
}

/* Walks all that a frame points to, so that the sanitizer sees it. */
static unsigned walk(const void *data, size_t size)
{
    static struct wire_frame frame;
    struct replica_membership membership;
    struct wire_snapshot snapshot;
    volatile unsigned sum = 0;
    struct error err;

    if (wire_unpack_frame(data, size, &frame, &err) == ERR_OK) {
        sum++;
        if (frame.kind == WIRE_RAFT)
            for (unsigned i = 0; i < frame.raft.entry_count; i++)
                for (size_t k = 0; k < frame.raft.entries[i].size; k++)
                    sum += ((const uint8_t *)frame.raft.entries[i].data)[k];
        else if (frame.kind == WIRE_APPLICATION)
            for (size_t k = 0; k < frame.application.size; k++)
                sum += frame.application.data[k];
        else if (frame.kind == WIRE_HELLO) {
            CU_ASSERT_PTR_NOT_NULL(memchr(frame.hello.refused, 0, sizeof frame.hello.refused));
            CU_ASSERT(frame.hello.membership.count <= RAFT_MEMBERS_MAX);
        } else {
            CU_ASSERT(frame.form.count > 0 && frame.form.count <= RAFT_MEMBERS_MAX);
        }
        wire_free_frame(&frame);
    }
    if (wire_unpack_membership(data, size, &membership, &err) == ERR_OK) {
        CU_ASSERT(membership.count > 0 && membership.count <= RAFT_MEMBERS_MAX);
    }
    if (wire_unpack_snapshot(data, size, &snapshot, &err) == ERR_OK)
        wire_free_snapshot(&snapshot);
    return sum > 0;
}

static void test_garbage(void)
{
    unsigned accepted = 0;

    random_state = 20240229;
    for (unsigned round = 0; round < 40000;
         round++) { /* random bytes; the copy's exact size lets the sanitizer see overreads */
        size_t size = random_next() % 200;
        uint8_t *data = malloc(size + 1);
        for (size_t i = 0; i < size; i++)
            data[i] = (uint8_t)(random_next() >> 32);
        data = realloc(data, size ? size : 1);
        walk(data, size);
        free(data);
    }
    for (unsigned kind = 0; kind < 4; kind++) {
        struct wire_bytes sample = make_sample(kind);
        for (size_t size = 0; size < sample.size; size++) { /* every truncation */
            uint8_t *data = malloc(size ? size : 1);
            memcpy(data, sample.data, size);
            walk(data, size);
            free(data);
        }
        for (unsigned round = 0; round < 20000; round++) { /* a few bytes changed */
            uint8_t *data = malloc(sample.size);
            memcpy(data, sample.data, sample.size);
            for (unsigned n = 1 + random_next() % 4; n > 0; n--)
                data[random_next() % sample.size] = (uint8_t)(random_next() >> 40);
            accepted += walk(data, sample.size);
            free(data);
        }
        free(sample.data);
    }
    CU_ASSERT(accepted > 0); /* the mutations reach beyond the parser */
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    CU_initialize_registry();
    suite = CU_add_suite("wire", NULL, NULL);
    CU_add_test(suite, "a membership comes back, and a wrong one is refused", test_membership);
    CU_add_test(suite, "a greeting comes back", test_hello);
    CU_add_test(suite, "every kind of Raft message comes back", test_raft_messages);
    CU_add_test(suite, "a large append is packed in parts", test_raft_in_parts);
    CU_add_test(suite, "formation, application and snapshot come back", test_form_application_snapshot);
    CU_add_test(suite, "what breaks a limit is refused with a reason", test_refused);
    CU_add_test(suite, "garbage does no harm", test_garbage);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
