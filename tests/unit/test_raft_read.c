/* ReadIndex: the commit index of the call, confirmed by a quorum that heard of it afterwards. */
#include "tests/unit/test_raft_group.h"

static void test_a_read(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t read = 0, index = 0;
    CU_ASSERT_EQUAL(raft_read(raft, BEGIN_US, &read), RAFT_NOT_LEADER);
    uint64_t led_us = fixture_lead(raft), now_us = led_us + 10 * MS;
    CU_ASSERT_EQUAL(raft_read(raft, now_us, &read), RAFT_OK);
    const struct raft_output *out = raft_take(raft);
    CU_ASSERT_EQUAL(out->read_count, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fixture_find(out, RAFT_APPEND, B)); /* a round at once */
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, B)->message.round, now_us);
    /* what is committed later does not move its index */
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "x", 1, &index), RAFT_OK);
    out = raft_take(raft);
    fixture_persist(raft, now_us, out->write);
    /* an answer to a round before it proves nothing (etcd 7331) */
    struct raft_message late = fixture_echo(X, led_us, ELECTION_US);
    late.log_index = 2;
    out = fixture_receive(raft, A, now_us, late);
    CU_ASSERT_EQUAL(out->commit_index, 2);
    CU_ASSERT_EQUAL(out->read_count, 0);
    /* nor does a refusal: but that is an answer, too */
    late = fixture_echo(B, now_us, ELECTION_US);
    late.granted = false;
    out = fixture_receive(raft, A, now_us + 1, late);
    CU_ASSERT_EQUAL_FATAL(out->read_count, 1);
    CU_ASSERT_EQUAL(out->reads[0].read, read);
    CU_ASSERT_EQUAL(out->reads[0].index, 1);
    CU_ASSERT_TRUE(out->reads[0].done);
    out = fixture_receive(raft, A, now_us + 2, fixture_echo(X, now_us, ELECTION_US));
    CU_ASSERT_EQUAL(out->read_count, 0); /* once */
    raft_free(raft);
}

static void test_not_before_the_noop(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = BEGIN_US + ELECTION_US, read;
    raft_tick(raft, now_us);
    raft_take(raft);
    struct raft_message reply = {.kind = RAFT_PREVOTE_REPLY, .from = X, .term = 1, .granted = true};
    const struct raft_output *out = fixture_receive(raft, A, now_us, reply);
    fixture_persist(raft, now_us, out->write);
    reply.kind = RAFT_VOTE_REPLY;
    out = fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_EQUAL_FATAL(fixture_status(raft, now_us).role, RAFT_LEADER);
    CU_ASSERT_EQUAL(raft_read(raft, now_us, &read), RAFT_BUSY);
    fixture_persist(raft, now_us, out->write);
    fixture_receive(raft, A, now_us, fixture_echo(X, now_us, ELECTION_US));
    CU_ASSERT_EQUAL(raft_read(raft, now_us, &read), RAFT_OK);
    raft_free(raft);
}

/* Two rounds of one instant could not be told apart: the second waits for the next. */
static void test_in_the_instant_of_a_round(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = fixture_lead(raft), first, second;
    CU_ASSERT_EQUAL(raft_read(raft, now_us, &first), RAFT_OK);
    const struct raft_output *out = fixture_receive(raft, A, now_us, fixture_echo(X, now_us, ELECTION_US));
    CU_ASSERT_EQUAL(out->read_count, 0); /* that round left before the call */
    CU_ASSERT_EQUAL(raft_deadline_us(raft), now_us + 1);
    raft_tick(raft, now_us + 1);
    out = raft_take(raft);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, X)->message.round, now_us + 1);
    CU_ASSERT_EQUAL(raft_deadline_us(raft), now_us + 1 + 100 * MS);
    /* calls before the round has left share it */
    CU_ASSERT_EQUAL(raft_read(raft, now_us + 5, &first), RAFT_OK);
    CU_ASSERT_EQUAL(raft_read(raft, now_us + 5, &second), RAFT_OK);
    CU_ASSERT_EQUAL(second, first + 1);
    out = raft_take(raft);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, X)->message.round, now_us + 5);
    out = fixture_receive(raft, A, now_us + 6, fixture_echo(X, now_us + 5, ELECTION_US));
    CU_ASSERT_EQUAL(out->read_count, 3); /* and the one before them */
    raft_free(raft);
}

/* etcd 20418: numbers are never used again, so a late answer cannot meet another read. */
static void test_lost_with_the_leadership(void)
{
    struct group group;
    group_begin(&group);
    uint64_t first = 0, second = 0;
    group.cut[A] = true;
    CU_ASSERT_EQUAL(raft_read(group.nodes[A], group.now_us, &first), RAFT_OK);
    raft_take(group.nodes[A]);
    unsigned lost = 0;
    for (uint64_t end_us = group.now_us + 2 * ELECTION_US; group.now_us < end_us; group.now_us += 50 * MS) {
        raft_tick(group.nodes[A], group.now_us);
        const struct raft_output *out = raft_take(group.nodes[A]);
        for (unsigned i = 0; i < out->read_count; i++) {
            lost++;
            CU_ASSERT_FALSE(out->reads[i].done);
            CU_ASSERT_EQUAL(out->reads[i].read, first);
        }
    }
    CU_ASSERT_EQUAL(lost, 1);
    CU_ASSERT_EQUAL(raft_read(group.nodes[A], group.now_us, &second), RAFT_NOT_LEADER);
    group.cut[A] = false;
    group_pass(&group, 3 * ELECTION_US);
    uint64_t leader = group_status(&group, B).leader;
    CU_ASSERT_EQUAL(raft_read(group.nodes[leader], group.now_us, &second), RAFT_OK);
    if (leader == A)
        CU_ASSERT_NOT_EQUAL(second, first);
    group_end(&group);
}

static void test_bounds(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = fixture_lead(raft) + 1, read, last = 0;
    unsigned open = 0;
    while (raft_read(raft, now_us, &read) == RAFT_OK) {
        CU_ASSERT_TRUE(read > last);
        last = read;
        open++;
    }
    CU_ASSERT_EQUAL(open, RAFT_READS_MAX);
    raft_take(raft);
    struct raft_message answer = fixture_echo(X, now_us, ELECTION_US);
    answer.to = A;
    raft_receive(raft, now_us, &answer);
    CU_ASSERT_EQUAL(raft_read(raft, now_us, &read), RAFT_BUSY); /* they are answered, but not taken */
    CU_ASSERT_EQUAL(raft_take(raft)->read_count, RAFT_READS_MAX);
    CU_ASSERT_EQUAL(raft_read(raft, now_us, &read), RAFT_OK);
    CU_ASSERT_EQUAL(read, last + 1);
    raft_free(raft);
}

/* It waits for the answers of voters only; alone, for none. */
static void test_who_answers(void)
{
    struct raft_restored restored = fixture_restored();
    restored.membership.members[1].voter = false; /* B learns: A and X are the two of two */
    struct raft *raft = fixture_new_full(A, &restored);
    uint64_t now_us = fixture_lead(raft) + 10 * MS, read;
    CU_ASSERT_EQUAL(raft_read(raft, now_us, &read), RAFT_OK);
    raft_take(raft);
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, fixture_echo(B, now_us, ELECTION_US))->read_count, 0);
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, fixture_echo(X, now_us, ELECTION_US))->read_count, 1);
    raft_free(raft);

    struct group group = {.now_us = BEGIN_US};
    restored.membership.count = 1;
    group.nodes[A] = fixture_new_full(A, &restored);
    group_pass(&group, 2 * ELECTION_US);
    now_us = group.now_us + 1;
    CU_ASSERT_EQUAL(raft_read(group.nodes[A], now_us, &read), RAFT_OK);
    const struct raft_output *out = raft_take(group.nodes[A]);
    CU_ASSERT_EQUAL_FATAL(out->read_count, 1);
    CU_ASSERT_EQUAL(out->reads[0].index, 1);
    group_end(&group);
}

/* willemt/raft 130: the log may be compacted under an open read. */
static void test_compacted_meanwhile(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = fixture_lead(raft) + 10 * MS, read;
    CU_ASSERT_EQUAL(raft_read(raft, now_us, &read), RAFT_OK);
    raft_take(raft);
    struct raft_snapshot snapshot = fixture_snapshot(1, 1, NULL);
    CU_ASSERT_EQUAL(raft_compact(raft, now_us, &snapshot), RAFT_OK);
    const struct raft_output *out = fixture_receive(raft, A, now_us, fixture_echo(X, now_us, ELECTION_US));
    CU_ASSERT_EQUAL_FATAL(out->read_count, 1);
    CU_ASSERT_EQUAL(out->reads[0].index, 1);
    CU_ASSERT_TRUE(out->reads[0].done);
    raft_free(raft);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft reads", NULL, NULL);
    CU_add_test(suite, "a read", test_a_read);
    CU_add_test(suite, "not before the no-op", test_not_before_the_noop);
    CU_add_test(suite, "in the instant of a round", test_in_the_instant_of_a_round);
    CU_add_test(suite, "lost with the leadership", test_lost_with_the_leadership);
    CU_add_test(suite, "bounds", test_bounds);
    CU_add_test(suite, "who answers", test_who_answers);
    CU_add_test(suite, "compacted meanwhile", test_compacted_meanwhile);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
