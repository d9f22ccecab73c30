/* Snapshots: from the owner, and from a leader, in pieces. */
#include "tests/unit/aborts.h"
#include "tests/unit/test_raft_fixture.h"

static const struct raft_entry own_entries[] = {
    {.index = 1, .term = 1}, {.index = 2, .term = 1}, {.index = 3, .term = 2}, {.index = 4, .term = 2}};

static struct raft_restored with_entries(unsigned count)
{
    struct raft_restored restored = fixture_restored();
    restored.hard_state.term = 2;
    restored.entries = own_entries;
    restored.entry_count = count;
    return restored;
}

/* The chunk of `snapshot` at `offset` as B, leader of `term`, would send it. */
static struct raft_message chunk(const struct raft_snapshot *snapshot, uint64_t term, uint64_t offset)
{
    size_t size = snapshot->size - offset < 16 ? snapshot->size - offset : 16;
    return (struct raft_message){.kind = RAFT_SNAPSHOT,
                                 .from = B,
                                 .term = term,
                                 .log_index = snapshot->index,
                                 .log_term = snapshot->term,
                                 .offset = offset,
                                 .total_bytes = snapshot->size,
                                 .data = (const unsigned char *)snapshot->data + offset,
                                 .size = size};
}

/* ---- raft_compact ---- */

static void test_compact(void)
{
    struct raft_restored restored = with_entries(4);
    struct raft *raft = fixture_new_full(A, &restored);
    struct raft_message heartbeat = fixture_heartbeat(B, 2);
    heartbeat.log_index = 4;
    heartbeat.log_term = 2;
    heartbeat.commit = 3;
    fixture_receive(raft, A, BEGIN_US, heartbeat);
    struct raft_snapshot snapshot = fixture_snapshot(4, 2, NULL);
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_INVALID); /* not committed */
    snapshot = fixture_snapshot(3, 1, NULL);
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_INVALID); /* not that entry */
    snapshot = fixture_snapshot(3, 2, NULL);
    snapshot.size = (size_t)RAFT_SNAPSHOT_BYTES_MAX + 1;
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_INVALID);
    struct raft_membership other = {.count = 1, .members = {{.id = A, .voter = true}}};
    snapshot = fixture_snapshot(3, 2, &other);
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_INVALID); /* not the log's membership */
    snapshot = fixture_snapshot(3, 2, NULL);
    snapshot.size = 5;
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_INVALID); /* nobody could read it */

    snapshot = fixture_snapshot(3, 2, NULL);
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_OK);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).snapshot_index, 3);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).last_index, 4);
    CU_ASSERT_PTR_NULL(raft_entry_at(raft, 3));
    CU_ASSERT_PTR_NOT_NULL(raft_entry_at(raft, 4));
    CU_ASSERT_FALSE(raft_take(raft)->has_snapshot);                         /* the owner has it already */
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_INVALID); /* not newer */
    snapshot = fixture_snapshot(2, 1, NULL);
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_INVALID);

    /* a heartbeat about the entry that is gone, or one before it: a match, not a conflict */
    heartbeat.log_index = 3;
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, heartbeat);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_APPEND_REPLY, B)->message.granted);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND_REPLY, B)->message.snapshot_index, 3);
    raft_free(raft);
}

/* Entries that are committed by others, but not handed out for writing here, are not applied. */
static void test_compact_before_the_write(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    struct raft_message append = fixture_heartbeat(B, 2);
    append.to = A;
    append.entries = own_entries;
    append.entry_count = 4;
    append.commit = 4;
    raft_receive(raft, BEGIN_US, &append);
    struct raft_snapshot snapshot = fixture_snapshot(2, 1, NULL);
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_INVALID);
    raft_take(raft);
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_OK);
    raft_free(raft);
}

static void test_a_crash_between_snapshot_and_hard_state(void)
{
    struct raft_restored restored = fixture_restored();
    restored.hard_state = (struct raft_hard_state){.term = 1, .vote = B};
    restored.snapshot = fixture_snapshot(5, 3, NULL);
    struct raft *raft = fixture_new_full(A, &restored);
    const struct raft_output *out = raft_take(raft);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).term, 3);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).commit_index, 5);
    CU_ASSERT_TRUE(out->has_hard_state);
    CU_ASSERT_EQUAL(out->hard_state.vote, 0); /* that vote was of another term */
    raft_free(raft);

    /* snapshot and log that contradict each other (hashicorp/raft 522): entries of an older term behind it */
    static const struct raft_entry older[] = {{.index = 6, .term = 2}};
    restored.hard_state.term = 3;
    restored.entries = older;
    restored.entry_count = 1;
    CU_ASSERT_EQUAL(raft_new(&fixture_full_config, &restored, BEGIN_US, &raft), RAFT_INVALID);
    restored.entry_count = 0;
    restored.snapshot.data = NULL;
    CU_ASSERT_EQUAL(raft_new(&fixture_full_config, &restored, BEGIN_US, &raft), RAFT_INVALID);
}

/* ---- a member that gets one ---- */

static void test_chunks(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    struct raft_snapshot snapshot = fixture_snapshot(9, 2, NULL);
    for (uint64_t offset = 0; offset < 32; offset += 16) {
        const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, offset));
        const struct raft_message *reply = &fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message;
        CU_ASSERT_FALSE(reply->granted);
        CU_ASSERT_EQUAL(reply->offset, offset + 16);
        CU_ASSERT_EQUAL(reply->log_index, 9);
        CU_ASSERT_EQUAL(reply->term, 3);
        CU_ASSERT_FALSE(out->has_snapshot);
        if (out->has_write)
            fixture_persist(raft, BEGIN_US, out->write);
    }
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 0)); /* repeated */
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.offset, 32);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).leader, B);
    out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 32));
    CU_ASSERT_TRUE_FATAL(out->has_snapshot);
    CU_ASSERT_TRUE(out->has_write);
    CU_ASSERT_EQUAL(out->snapshot.index, 9);
    CU_ASSERT_EQUAL(out->snapshot.term, 2);
    CU_ASSERT_EQUAL(out->snapshot.size, FIXTURE_SNAPSHOT_BYTES);
    CU_ASSERT_EQUAL(memcmp(out->snapshot.data, snapshot.data, snapshot.size), 0);
    CU_ASSERT_EQUAL(out->commit_index, 9);
    const struct raft_send *reply = fixture_find(out, RAFT_SNAPSHOT_REPLY, B);
    CU_ASSERT_TRUE(reply->message.granted);
    CU_ASSERT_EQUAL(reply->message.log_index, 9);
    CU_ASSERT_EQUAL(reply->after_write, out->write); /* not before it is on disk */
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).last_index, 9);
    fixture_persist(raft, BEGIN_US, out->write);
    /* the last chunk again: it has it */
    out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 32));
    CU_ASSERT_TRUE(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.granted);
    CU_ASSERT_FALSE(out->has_write);
    raft_free(raft);
}

static void test_what_is_no_next_chunk(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    struct raft_snapshot snapshot = fixture_snapshot(9, 2, NULL);
    /* not from its beginning */
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 16));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.offset, 0);
    fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 0));
    out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 32)); /* one is missing */
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.offset, 16);
    /* an older one does not disturb it, a newer one takes its place */
    struct raft_message other = chunk(&snapshot, 3, 0);
    other.log_index = 8;
    out = fixture_receive(raft, A, BEGIN_US, other);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.offset, 0);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.log_index, 8);
    out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 16));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.offset, 32);
    other.log_index = 10;
    out = fixture_receive(raft, A, BEGIN_US, other);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.offset, 16);
    out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 32));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.offset, 0);
    /* another leader's bytes may differ: from the start again */
    other = chunk(&snapshot, 4, 16);
    other.log_index = 10;
    other.from = X;
    out = fixture_receive(raft, A, BEGIN_US, other);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT_REPLY, X)->message.offset, 0);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).last_index, 0);
    /* an old leader learns the term, and no more */
    out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 0));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.term, 4);
    CU_ASSERT_FALSE(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.granted);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).dropped_messages, 0);
    raft_free(raft);
}

static void test_nonsense_is_dropped(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    struct raft_snapshot snapshot = fixture_snapshot(9, 2, NULL);
    struct raft_message good = chunk(&snapshot, 3, 16), bad[16];
    unsigned count = 0;
#define BAD(field, value) (bad[count] = good, bad[count].field = (value), count++)
    BAD(log_index, 0);
    BAD(log_index, UINT64_MAX);
    BAD(log_term, 0);
    BAD(log_term, 4); /* after the sender's own */
    BAD(total_bytes, (uint64_t)RAFT_SNAPSHOT_BYTES_MAX + 1);
    BAD(total_bytes, UINT64_MAX);
    BAD(total_bytes, 31); /* the chunk ends beyond it */
    BAD(offset, UINT64_MAX);
    BAD(offset, 41);
    BAD(size, 0);
    BAD(size, SIZE_MAX);
    BAD(data, NULL);
    BAD(from, A);
    BAD(from, 0);
    for (unsigned i = 0; i < count; i++)
        fixture_receive(raft, A, BEGIN_US, bad[i]);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).dropped_messages, count);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).term, 0);
    /* what one leader says twice about one snapshot must agree */
    fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 0));
    good.total_bytes++;
    fixture_receive(raft, A, BEGIN_US, good);
    good.total_bytes--;
    good.log_term--;
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, good);
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B));
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).dropped_messages, count + 2);
    raft_free(raft);

    raft = fixture_new(A, NULL); /* cannot read snapshots: takes none */
    fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 0));
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).dropped_messages, 1);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).term, 0);
    raft_free(raft);
}

/* hashicorp/raft 522: an unreadable one must not take the place of the log. */
static void test_an_unreadable_snapshot(void)
{
    struct raft_restored restored = with_entries(2);
    struct raft *raft = fixture_new_full(A, &restored);
    struct raft_snapshot snapshot = fixture_snapshot(9, 2, NULL);
    unsigned char bytes[FIXTURE_SNAPSHOT_BYTES];
    memcpy(bytes, snapshot.data, sizeof bytes);
    bytes[0] = 99;
    snapshot.data = bytes;
    const struct raft_output *out = NULL;
    for (uint64_t offset = 0; offset < sizeof bytes; offset += 16)
        out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, offset));
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT_REPLY, B));
    CU_ASSERT_FALSE(out->has_snapshot);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).last_index, 2);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).commit_index, 0);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).dropped_messages, 1);
    raft_free(raft);
}

static const struct raft_output *receive_whole(struct raft *raft, uint64_t id,
                                               const struct raft_snapshot *snapshot, uint64_t term)
{
    const struct raft_output *out = NULL;
    for (uint64_t offset = 0; offset < snapshot->size; offset += 16)
        out = fixture_receive(raft, id, BEGIN_US, chunk(snapshot, term, offset));
    return out;
}

static void test_what_follows_stays_or_goes(void)
{
    /* an arbiter with the snapshot's last entry keeps what follows it */
    struct raft_restored restored = with_entries(4);
    struct raft *raft = fixture_new_full(X, &restored);
    struct raft_snapshot snapshot = fixture_snapshot(3, 2, NULL);
    const struct raft_output *out = receive_whole(raft, X, &snapshot, 3);
    CU_ASSERT_TRUE(out->has_snapshot);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).snapshot_index, 3);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).last_index, 4);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).commit_index, 3);
    CU_ASSERT_EQUAL(out->entry_count, 0); /* that one is on disk */
    raft_free(raft);

    /* another entry stands there: the whole log goes */
    raft = fixture_new_full(X, &restored);
    snapshot = fixture_snapshot(3, 3, NULL);
    out = receive_whole(raft, X, &snapshot, 3);
    CU_ASSERT_TRUE(out->has_snapshot);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).last_index, 3);
    /* and what comes next is handed out from there */
    static const struct raft_entry next[] = {{.index = 4, .term = 3}};
    struct raft_message append = fixture_heartbeat(B, 3);
    append.log_index = append.log_term = 3;
    append.entries = next;
    append.entry_count = 1;
    out = fixture_receive(raft, X, BEGIN_US, append);
    CU_ASSERT_EQUAL(out->entry_count, 1);
    CU_ASSERT_EQUAL(out->entries[0].index, 4);
    CU_ASSERT_FALSE(out->has_snapshot);
    raft_free(raft);

    /* a data member that has the entry needs no snapshot; it is committed, though */
    raft = fixture_new_full(A, &restored);
    snapshot = fixture_snapshot(3, 2, NULL);
    out = fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 0));
    CU_ASSERT_TRUE(fixture_find(out, RAFT_SNAPSHOT_REPLY, B)->message.granted);
    CU_ASSERT_EQUAL(out->commit_index, 3);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).snapshot_index, 0);
    raft_free(raft);
}

static void get_another_committed_entry(void)
{
    struct raft_restored restored = with_entries(4);
    struct raft *raft = fixture_new_full(A, &restored);
    struct raft_message heartbeat = fixture_heartbeat(B, 3);
    heartbeat.log_index = heartbeat.commit = 4;
    heartbeat.log_term = 2;
    fixture_receive(raft, A, BEGIN_US, heartbeat);
    struct raft_snapshot snapshot = fixture_snapshot(4, 3, NULL);
    fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 0));
}

static void get_one_from_another_leader(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    fixture_receive(raft, A, BEGIN_US, fixture_heartbeat(X, 3));
    struct raft_snapshot snapshot = fixture_snapshot(4, 3, NULL);
    fixture_receive(raft, A, BEGIN_US, chunk(&snapshot, 3, 0));
}

static void test_broken_invariants_stop_the_process(void)
{
    CU_ASSERT_TRUE(aborts(get_another_committed_entry));
    CU_ASSERT_TRUE(aborts(get_one_from_another_leader));
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft snapshots", NULL, NULL);
    CU_add_test(suite, "compact", test_compact);
    CU_add_test(suite, "compact before the write", test_compact_before_the_write);
    CU_add_test(suite, "a crash between snapshot and hard state",
                test_a_crash_between_snapshot_and_hard_state);
    CU_add_test(suite, "chunks", test_chunks);
    CU_add_test(suite, "what is no next chunk", test_what_is_no_next_chunk);
    CU_add_test(suite, "nonsense is dropped", test_nonsense_is_dropped);
    CU_add_test(suite, "an unreadable snapshot", test_an_unreadable_snapshot);
    CU_add_test(suite, "what follows stays or goes", test_what_follows_stays_or_goes);
    CU_add_test(suite, "broken invariants stop the process", test_broken_invariants_stop_the_process);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
