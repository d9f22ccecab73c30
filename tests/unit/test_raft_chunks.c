/* The leader's side of snapshots: to a member that lacks what its log has no more, to an arbiter, in pieces.
 */
#include "tests/unit/test_raft_group.h"

static void test_a_member_that_lacks_what_is_gone(void)
{
    struct group group;
    group_begin(&group);
    group.cut[B] = true;
    group_propose(&group, A, 20);
    group_compact(&group, A);
    group_propose(&group, A, 3);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_SNAPSHOT], 0);
    group.cut[B] = false;
    group_pass(&group, 110 * MS);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_SNAPSHOT], 3);
    CU_ASSERT_EQUAL(group.snapshots[B].index, 21);
    CU_ASSERT_EQUAL(group_status(&group, B).snapshot_index, 21);
    CU_ASSERT_EQUAL(group_status(&group, B).last_index, 24);
    group_pass(&group, 110 * MS);
    CU_ASSERT_EQUAL(group_status(&group, B).commit_index, 24);
    CU_ASSERT_EQUAL(group_status(&group, A).peers[0].match_index, 24);
    CU_ASSERT_EQUAL(group_status(&group, A).peers[0].snapshot_bytes, 0);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_SNAPSHOT], 3);
    CU_ASSERT_EQUAL(group.sent[X][RAFT_SNAPSHOT], 0); /* its log starts little before */
    group_end(&group);
}

/* A chunk that is lost comes again with the first round that is answered after it; the leadership and the
 * lease go on meanwhile. */
static void test_a_lost_chunk(void)
{
    struct group group;
    group_begin(&group);
    group.cut[B] = true;
    group_propose(&group, A, 20);
    group_compact(&group, A);
    group.cut[B] = false;
    group.cut[X] = true; /* so that B is the quorum */
    group.lose_next_chunk = true;
    group_pass(&group, 110 * MS);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_SNAPSHOT], 1);
    group_pass(&group, 80 * MS);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_SNAPSHOT], 1); /* not before */
    group_pass(&group, 30 * MS);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_SNAPSHOT], 4);
    CU_ASSERT_EQUAL(group_status(&group, B).snapshot_index, 21);
    CU_ASSERT_TRUE(group_status(&group, A).lease_until_us > group.now_us + 500 * MS);
    /* a member that is gone gets no chunks */
    group.cut[B] = true;
    group.cut[X] = false;
    group_propose(&group, A, 1);
    group_compact(&group, A);
    group_pass(&group, 5 * ELECTION_US);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_SNAPSHOT], 4);
    group_end(&group);
}

static struct raft_message snapshot_reply(const struct raft_snapshot *snapshot, uint64_t offset)
{
    return (struct raft_message){.kind = RAFT_SNAPSHOT_REPLY,
                                 .from = B,
                                 .term = 1,
                                 .log_index = snapshot->index,
                                 .log_term = snapshot->term,
                                 .offset = offset};
}

/* A leads at once, B's log is empty and A's starts after 1. */
static uint64_t lead_with_a_snapshot(struct raft *raft)
{
    uint64_t now_us = fixture_lead(raft);
    struct raft_snapshot snapshot = fixture_snapshot(1, 1, NULL);
    CU_ASSERT_EQUAL_FATAL(raft_compact(raft, now_us, &snapshot), RAFT_OK);
    const struct raft_output *out = fixture_receive(
        raft, A, now_us,
        (struct raft_message){
            .kind = RAFT_APPEND_REPLY, .from = B, .term = 1, .round = now_us, .election_us = ELECTION_US});
    const struct raft_send *first = fixture_find(out, RAFT_SNAPSHOT, B);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_EQUAL(first->message.offset, 0);
    CU_ASSERT_EQUAL(first->message.size, 16);
    CU_ASSERT_EQUAL(first->message.total_bytes, FIXTURE_SNAPSHOT_BYTES);
    CU_ASSERT_EQUAL(first->after_write, 0);
    CU_ASSERT_EQUAL(memcmp(first->message.data, snapshot.data, 16), 0);
    return now_us;
}

static void test_one_chunk_at_a_time(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = lead_with_a_snapshot(raft), index;
    struct raft_snapshot snapshot = fixture_snapshot(1, 1, NULL);
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "x", 1, &index), RAFT_OK);
    const struct raft_output *out = raft_take(raft);
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT, B));
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_APPEND, B)); /* it could not use the entry */
    out = fixture_receive(raft, A, now_us, snapshot_reply(&snapshot, 16));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT, B)->message.offset, 16);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).peers[0].snapshot_bytes, 16);
    /* the same answer again, or one that is no answer, brings nothing */
    out = fixture_receive(raft, A, now_us, snapshot_reply(&snapshot, 16));
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT, B));
    out = fixture_receive(raft, A, now_us, snapshot_reply(&snapshot, 40));
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT, B));
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).dropped_messages, 1);
    out = fixture_receive(raft, A, now_us, snapshot_reply(&snapshot, 32));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT, B)->message.size, 8);
    /* it has restarted and lost what it had: from the start, with the next round that it answers */
    out = fixture_receive(raft, A, now_us, snapshot_reply(&snapshot, 0));
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT, B));
    now_us += 100 * MS;
    raft_tick(raft, now_us);
    out = raft_take(raft);
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT, B));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, B)->message.log_index, 1); /* about the snapshot's end */
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, B)->message.entry_count, 0);
    struct raft_message refusal = {
        .kind = RAFT_APPEND_REPLY, .from = B, .term = 1, .round = now_us, .election_us = ELECTION_US};
    out = fixture_receive(raft, A, now_us, refusal);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT, B)->message.offset, 0);
    /* it has it: entries flow again */
    struct raft_message whole = snapshot_reply(&snapshot, 40);
    whole.granted = true;
    out = fixture_receive(raft, A, now_us, whole);
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT, B));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, B)->message.log_index, 1);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, B)->message.entry_count, 1);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).peers[0].match_index, 1);
    raft_free(raft);
}

static void test_it_is_given_up(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = lead_with_a_snapshot(raft), index;
    struct raft_snapshot old = fixture_snapshot(1, 1, NULL);
    fixture_receive(raft, A, now_us, snapshot_reply(&old, 16));
    /* for a newer one */
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "x", 1, &index), RAFT_OK);
    const struct raft_output *out = raft_take(raft);
    fixture_persist(raft, now_us, out->write);
    struct raft_message reply = {.kind = RAFT_APPEND_REPLY,
                                 .from = X,
                                 .term = 1,
                                 .granted = true,
                                 .log_index = 2,
                                 .round = now_us,
                                 .election_us = ELECTION_US};
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, reply)->commit_index, 2);
    struct raft_snapshot newer = fixture_snapshot(2, 1, NULL);
    CU_ASSERT_EQUAL(raft_compact(raft, now_us, &newer), RAFT_OK);
    out = raft_take(raft);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT, B)->message.log_index, 2);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_SNAPSHOT, B)->message.offset, 0);
    out = fixture_receive(raft, A, now_us, snapshot_reply(&old, 32)); /* of the old one */
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT, B));
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).peers[0].snapshot_bytes, 0);
    /* for a member that does not need it after all */
    reply.from = B;
    out = fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).peers[0].match_index, 2);
    out = fixture_receive(raft, A, now_us, snapshot_reply(&newer, 16));
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT, B));
    raft_free(raft);
}

/* An arbiter applies nothing: its log gets shorter by the leader's snapshots, while entries go on. */
static void test_an_arbiter_gets_a_shorter_log(void)
{
    struct group group;
    group_begin(&group);
    group_propose(&group, A, RAFT_ARBITER_BEHIND - 1);
    group_compact(&group, A); /* after 256: not more than that before the arbiter's */
    group_pass(&group, 310 * MS);
    CU_ASSERT_EQUAL(group_status(&group, A).snapshot_index, RAFT_ARBITER_BEHIND);
    CU_ASSERT_EQUAL(group.sent[X][RAFT_SNAPSHOT], 0);
    group_propose(&group, A, 1);
    group_compact(&group, A);
    group.lose_next_chunk = true;
    group_pass(&group, 110 * MS);
    CU_ASSERT_EQUAL(group.sent[X][RAFT_SNAPSHOT], 1);
    group.cut[B] = true;
    group_propose(&group, A, 1); /* the transfer is under way, and the arbiter has the entry at once */
    CU_ASSERT_EQUAL(group_status(&group, A).commit_index, RAFT_ARBITER_BEHIND + 2);
    group.cut[B] = false;
    group_pass(&group, 210 * MS);
    CU_ASSERT_EQUAL(group.sent[X][RAFT_SNAPSHOT], 4);
    CU_ASSERT_EQUAL(group_status(&group, X).snapshot_index, RAFT_ARBITER_BEHIND + 1);
    CU_ASSERT_EQUAL(group_status(&group, X).last_index, RAFT_ARBITER_BEHIND + 2);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_SNAPSHOT], 0); /* a data member compacts by itself */
    group_pass(&group, ELECTION_US);
    CU_ASSERT_EQUAL(group.sent[X][RAFT_SNAPSHOT], 4);
    group_end(&group);
}

/* A member whose log ends in a term that ends before the leader's base meets it there: no snapshot. */
static void test_backtracking_to_the_base(void)
{
    struct raft_restored restored = fixture_restored();
    static const struct raft_entry own[] = {{.index = 6, .term = 3}, {.index = 7, .term = 3}};
    restored.hard_state.term = 3;
    restored.snapshot = fixture_snapshot(5, 2, NULL);
    restored.entries = own;
    restored.entry_count = 2;
    struct raft *raft = fixture_new_full(A, &restored);
    uint64_t now_us = BEGIN_US + ELECTION_US;
    raft_tick(raft, now_us);
    raft_take(raft);
    struct raft_message reply = {.kind = RAFT_PREVOTE_REPLY, .from = X, .term = 4, .granted = true};
    const struct raft_output *out = fixture_receive(raft, A, now_us, reply);
    fixture_persist(raft, now_us, out->write);
    reply.kind = RAFT_VOTE_REPLY;
    out = fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, B)->message.log_index, 7);
    reply = (struct raft_message){.kind = RAFT_APPEND_REPLY,
                                  .from = B,
                                  .term = 4,
                                  .log_index = 4,
                                  .log_term = 2,
                                  .round = now_us,
                                  .election_us = ELECTION_US};
    out = fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_SNAPSHOT, B));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, B)->message.log_index, 5);
    raft_free(raft);
}

/* willemt/raft 130: who waits for an entry learns that it is committed, though it came and went as part of a
 * snapshot. */
static void test_a_waiter_is_not_forgotten(void)
{
    struct group group;
    group_begin(&group);
    group.cut[A] = true; /* the leader, with a proposal that waits */
    uint64_t index = 0;
    CU_ASSERT_EQUAL(raft_propose(group.nodes[A], group.now_us, RAFT_ENTRY_COMMAND, "x", 1, &index), RAFT_OK);
    group_pass(&group, 5 * ELECTION_US);
    CU_ASSERT_TRUE_FATAL(group_status(&group, B).ready);
    group_propose(&group, B, 5);
    group_compact(&group, B);
    group.cut[A] = false;
    group_pass(&group, 500 * MS);
    CU_ASSERT_TRUE(group_status(&group, A).snapshot_index >= index);
    CU_ASSERT_TRUE(group_status(&group, A).commit_index >= index);
    CU_ASSERT_PTR_NULL(raft_entry_at(group.nodes[A], index));
    CU_ASSERT_EQUAL(group.snapshots[A].index, group_status(&group, B).snapshot_index);
    group_end(&group);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft chunks", NULL, NULL);
    CU_add_test(suite, "a member that lacks what is gone", test_a_member_that_lacks_what_is_gone);
    CU_add_test(suite, "a lost chunk", test_a_lost_chunk);
    CU_add_test(suite, "one chunk at a time", test_one_chunk_at_a_time);
    CU_add_test(suite, "it is given up", test_it_is_given_up);
    CU_add_test(suite, "an arbiter gets a shorter log", test_an_arbiter_gets_a_shorter_log);
    CU_add_test(suite, "backtracking to the base", test_backtracking_to_the_base);
    CU_add_test(suite, "a waiter is not forgotten", test_a_waiter_is_not_forgotten);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
