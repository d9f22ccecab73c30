/* Members that were removed, and what leases are worth while the membership changes. */
#include "tests/unit/test_raft_members.h"

static void test_a_leader_removes_itself(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = fixture_lead(raft);
    fixture_receive(raft, A, now_us, members_echo(B, now_us, 1));
    uint64_t lease_us = fixture_status(raft, now_us).lease_until_us, index;
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "x", 1, &index), RAFT_OK);
    CU_ASSERT_EQUAL_FATAL(propose(raft, now_us, without(founding(), A)), RAFT_OK);
    CU_ASSERT_FALSE(fixture_status(raft, now_us).voter);
    const struct raft_output *out = raft_take(raft);
    CU_ASSERT_PTR_NOT_NULL(fixture_find(out, RAFT_APPEND, B));
    fixture_persist(raft, now_us, out->write);
    fixture_receive(raft, A, now_us, members_echo(B, now_us, 2));
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, members_echo(X, now_us, 2))->commit_index, 2);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_LEADER); /* its removal is not committed yet */
    /* it does not count itself: neither for the commit nor for the lease */
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, members_echo(X, now_us, 3))->commit_index, 2);
    uint64_t round_us = now_us + 100 * MS;
    raft_tick(raft, round_us);
    CU_ASSERT_PTR_NOT_NULL(fixture_find(raft_take(raft), RAFT_APPEND, X));
    fixture_receive(raft, A, round_us, members_echo(X, round_us, 3));
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).lease_until_us, lease_us);
    raft_end_lease(raft, round_us);
    CU_ASSERT_EQUAL(raft_renew_term(raft, lease_us), RAFT_BUSY); /* it has no vote to win */
    CU_ASSERT_EQUAL(fixture_receive(raft, A, lease_us, members_echo(B, round_us, 3))->commit_index, 3);
    CU_ASSERT_EQUAL(fixture_status(raft, lease_us).role, RAFT_FOLLOWER);
    CU_ASSERT_EQUAL(fixture_status(raft, lease_us).lease_until_us, 0);
    /* etcd 11038: silent from here on */
    for (unsigned i = 1; i < 100; i++) {
        raft_tick(raft, lease_us + i * 100 * MS);
        CU_ASSERT_EQUAL(raft_take(raft)->message_count, 0);
    }
    CU_ASSERT_STRING_NOT_EQUAL(fixture_status(raft, lease_us).waits_for, "");
    raft_free(raft);
}

/* A leader with one other voter left, itself removed, is not alone: CheckQuorum holds for it. */
static void test_a_removed_leader_without_a_quorum(void)
{
    struct raft_restored restored = fixture_restored();
    restored.membership = without(founding(), X);
    struct raft *raft = fixture_new_full(A, &restored);
    uint64_t now_us = BEGIN_US + ELECTION_US;
    raft_tick(raft, now_us);
    raft_take(raft);
    struct raft_message reply = {.kind = RAFT_PREVOTE_REPLY, .from = B, .term = 1, .granted = true};
    const struct raft_output *out = fixture_receive(raft, A, now_us, reply);
    fixture_persist(raft, now_us, out->write);
    reply.kind = RAFT_VOTE_REPLY;
    out = fixture_receive(raft, A, now_us, reply);
    fixture_persist(raft, now_us, out->write);
    fixture_receive(raft, A, now_us, members_echo(B, now_us, 1));
    CU_ASSERT_EQUAL_FATAL(propose(raft, now_us, without(restored.membership, A)), RAFT_OK);
    for (unsigned i = 1; i < 10; i++)
        raft_tick(raft, now_us + i * 100 * MS);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_LEADER);
    raft_tick(raft, now_us + ELECTION_US);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_FOLLOWER);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).commit_index, 1);
    raft_free(raft);
}

/* Dissertation 4.2.2: whoever is not in its own newest membership may be the only one who has it, and so the
 * only one who can get it committed: it campaigns, without counting itself. */
static void test_the_only_one_who_has_the_change(void)
{
    struct group group;
    group_begin(&group);
    CU_ASSERT_EQUAL_FATAL(group_change(&group, A, without(founding(), X)), RAFT_OK);
    group_pass(&group, 210 * MS);
    struct raft_membership only_b = without(without(founding(), X), A);
    CU_ASSERT_EQUAL(propose(group.nodes[A], group.now_us, only_b), RAFT_OK);
    group.cut[A] = true;
    group_settle(&group); /* it has it on its disk, B does not get it */
    CU_ASSERT_FALSE(group_status(&group, A).voter);
    group_pass(&group, 3 * ELECTION_US);
    CU_ASSERT_NOT_EQUAL(group_status(&group, A).role, RAFT_LEADER); /* by itself it wins nothing */
    CU_ASSERT_NOT_EQUAL(group_status(&group, B).role, RAFT_LEADER); /* its membership has A, too */
    group.cut[A] = false;
    group_pass(&group, 3 * ELECTION_US);
    CU_ASSERT_TRUE(knows(&group, B, only_b));
    CU_ASSERT_TRUE(group_status(&group, B).ready);
    CU_ASSERT_EQUAL(group_status(&group, A).role, RAFT_FOLLOWER);
    group.asked[A] = 0;
    group_pass(&group, 5 * ELECTION_US);
    CU_ASSERT_EQUAL(group.asked[A], 0); /* it is committed: A has no say any more */
    group_end(&group);
}

/* A data member that was given a vote and does not know asks for none. Then it is the arbiter who brings it
 * up to date, though nobody's log was too short for it. */
static void test_the_arbiter_wakes_one_who_does_not_know(void)
{
    struct group group;
    group_begin(&group);
    struct raft_membership two = without(founding(), B), learner = with(two, C, RAFT_DATA, false);
    struct raft_membership three = with(two, C, RAFT_DATA, true);
    CU_ASSERT_EQUAL_FATAL(group_change(&group, A, two), RAFT_OK);
    CU_ASSERT_EQUAL_FATAL(group_change(&group, A, learner), RAFT_OK);
    group_start_empty(&group, C);
    group_pass(&group, 310 * MS);
    group.cut[C] = true;
    CU_ASSERT_EQUAL_FATAL(group_change(&group, A, three), RAFT_OK);
    CU_ASSERT_EQUAL(group_status(&group, A).membership_index, group_status(&group, A).commit_index);
    group.cut[A] = true; /* for good */
    group.cut[C] = false;
    group_pass(&group, 6 * ELECTION_US);
    CU_ASSERT_EQUAL(group_status(&group, C).leader, 0);
    group_pass(&group, 3 * ELECTION_US);
    CU_ASSERT_TRUE(group_status(&group, C).ready);
    CU_ASSERT_TRUE(group_status(&group, C).lease_until_us > group.now_us);
    group_end(&group);
}

static void test_a_removed_member_is_told(void)
{
    struct group group;
    group_begin(&group);
    struct raft_membership two = without(founding(), B);
    CU_ASSERT_EQUAL_FATAL(group_change(&group, A, two), RAFT_OK);
    CU_ASSERT_TRUE(knows(&group, B, two));
    CU_ASSERT_FALSE(group_status(&group, B).voter);
    group_pass(&group, 210 * MS); /* that it is committed comes with the next round */
    CU_ASSERT_EQUAL(group_status(&group, B).commit_index, 2);
    unsigned appends = group.sent[B][RAFT_APPEND];
    group_pass(&group, 10 * ELECTION_US);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_APPEND], appends); /* once is enough */
    CU_ASSERT_EQUAL(group.asked[B], 0);
    CU_ASSERT_EQUAL(group_status(&group, A).term, 1);
    group_end(&group);
}

static void test_a_member_that_was_away_when_it_was_removed(void)
{
    struct group group;
    group_begin(&group);
    group.cut[B] = true;
    group_propose(&group, A, 30);
    struct raft_membership two = without(founding(), B);
    CU_ASSERT_EQUAL_FATAL(group_change(&group, A, two), RAFT_OK);
    group_compact(&group, A);
    unsigned appends = group.sent[B][RAFT_APPEND];
    group_pass(&group, 900 * MS);
    CU_ASSERT_TRUE(group.sent[B][RAFT_APPEND] > appends);
    group_pass(&group, 200 * MS);
    appends = group.sent[B][RAFT_APPEND];
    group_pass(&group, 5 * ELECTION_US);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_APPEND], appends); /* not for ever */
    /* it asks, disturbs nobody, and is told: here by a snapshot */
    group.cut[B] = false;
    uint64_t since_us = group_status(&group, A).leader_since_us;
    group_pass(&group, ELECTION_US);
    CU_ASSERT_TRUE(group.sent[A][RAFT_PREVOTE] > 0);
    CU_ASSERT_TRUE(knows(&group, B, two));
    CU_ASSERT_EQUAL(group_status(&group, A).leader_since_us, since_us);
    CU_ASSERT_EQUAL(group_status(&group, A).term, 1);
    unsigned asked = group.sent[A][RAFT_PREVOTE];
    appends = group.sent[B][RAFT_APPEND];
    group_pass(&group, 10 * ELECTION_US);
    CU_ASSERT_EQUAL(group.sent[A][RAFT_PREVOTE], asked);
    CU_ASSERT_EQUAL(group.sent[B][RAFT_APPEND], appends);
    group_end(&group);
}

/* The arbiter leads for the sake of a data member with a vote, and of nobody else. */
static void test_an_arbiter_is_not_woken_by_a_removed_member(void)
{
    unsigned char bytes[64];
    struct raft_entry entry = change_entry(1, 1, without(founding(), B), bytes);
    struct raft_restored restored = fixture_restored();
    restored.hard_state.term = 1;
    restored.entries = &entry;
    restored.entry_count = 1;
    struct raft *raft = fixture_new_full(X, &restored);
    uint64_t now_us = BEGIN_US + 2 * ELECTION_US;
    struct raft_message ask = {.kind = RAFT_PREVOTE, .from = B, .term = 2};
    const struct raft_output *out = fixture_receive(raft, X, now_us, ask);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_PREVOTE_REPLY, B)->message.log_short);
    raft_tick(raft, now_us + 100 * MS);
    CU_ASSERT_EQUAL(raft_take(raft)->message_count, 0);
    ask.from = A;
    fixture_receive(raft, X, now_us + 100 * MS, ask);
    raft_tick(raft, now_us + 200 * MS);
    CU_ASSERT_PTR_NOT_NULL(fixture_find(raft_take(raft), RAFT_PREVOTE, A));
    raft_free(raft);
}

static void test_a_removed_member_of_a_higher_term(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = fixture_lead(raft);
    CU_ASSERT_EQUAL_FATAL(propose(raft, now_us, without(founding(), B)), RAFT_OK);
    CU_ASSERT_PTR_NOT_NULL(fixture_find(raft_take(raft), RAFT_APPEND, B));
    static const enum raft_message_kind answers[] = {RAFT_PREVOTE_REPLY, RAFT_VOTE_REPLY, RAFT_APPEND_REPLY,
                                                     RAFT_SNAPSHOT_REPLY};
    for (unsigned i = 0; i < 4; i++)
        fixture_receive(raft, A, now_us, (struct raft_message){.kind = answers[i], .from = B, .term = 7});
    struct raft_message ask = {.kind = RAFT_VOTE, .from = B, .term = 7, .log_index = 99, .log_term = 6};
    const struct raft_output *out = fixture_receive(raft, A, now_us, ask);
    CU_ASSERT_FALSE(fixture_find(out, RAFT_VOTE_REPLY, B)->message.granted);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_LEADER);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).term, 1);
    raft_free(raft);
}

static void test_only_voters_answer_for_a_lease(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = fixture_lead(raft);
    struct raft_membership four = with(founding(), C, RAFT_DATA, false);
    CU_ASSERT_EQUAL_FATAL(propose(raft, now_us, four), RAFT_OK);
    const struct raft_output *out = raft_take(raft);
    fixture_persist(raft, now_us, out->write);
    fixture_receive(raft, A, now_us, members_echo(X, now_us, 2));
    uint64_t lease_us = fixture_status(raft, now_us).lease_until_us;
    uint64_t round_us = now_us + 100 * MS;
    raft_tick(raft, round_us);
    raft_take(raft);
    fixture_receive(raft, A, round_us, members_echo(C, round_us, 2));
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).lease_until_us, lease_us); /* a learner */
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).round_sent_us, now_us);
    fixture_receive(raft, A, round_us, members_echo(B, round_us, 2));
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).lease_until_us, lease_us + 100 * MS);
    /* its promise counts once it votes: three of four now, A, B and C */
    CU_ASSERT_EQUAL_FATAL(propose(raft, round_us, with(four, C, RAFT_DATA, true)), RAFT_OK);
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).lease_until_us, lease_us + 100 * MS);
    raft_free(raft);

    /* a removed one's counts no more: without B only X answers, and has not */
    raft = fixture_new_full(A, NULL);
    now_us = fixture_lead(raft);
    round_us = now_us + 100 * MS;
    raft_tick(raft, round_us);
    raft_take(raft);
    fixture_receive(raft, A, round_us, members_echo(B, round_us, 1));
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).lease_until_us, lease_us + 100 * MS);
    CU_ASSERT_EQUAL_FATAL(propose(raft, round_us, without(founding(), B)), RAFT_OK);
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).lease_until_us, lease_us);
    raft_take(raft);
    fixture_receive(raft, A, round_us, members_echo(B, round_us, 2)); /* departing */
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).lease_until_us, lease_us);
    raft_free(raft);
}

/* Who has no vote any more keeps what it promised: one who does not know may still ask it. */
static void test_promises_are_kept_without_a_vote(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    unsigned char bytes[64];
    struct raft_entry entry = change_entry(1, 1, without(founding(), A), bytes);
    members_append(raft, 1, &entry, 0);
    CU_ASSERT_FALSE(fixture_status(raft, BEGIN_US).voter);
    struct raft_message ask = {.kind = RAFT_VOTE, .from = X, .term = 2, .log_index = 9, .log_term = 1};
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US + ELECTION_US - 1, ask);
    CU_ASSERT_FALSE(fixture_find(out, RAFT_VOTE_REPLY, X)->message.granted);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).term, 1);
    out = fixture_receive(raft, A, BEGIN_US + ELECTION_US, ask);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_VOTE_REPLY, X)->message.granted);
    raft_free(raft);
}

static void test_from_one_to_two(void)
{
    struct group group = {.now_us = BEGIN_US};
    struct raft_restored restored = fixture_restored();
    restored.membership = without(without(founding(), B), X);
    group.nodes[A] = fixture_new_full(A, &restored);
    group_pass(&group, 2 * ELECTION_US);
    CU_ASSERT_TRUE_FATAL(group_status(&group, A).ready);
    struct raft_membership two = with(restored.membership, B, RAFT_DATA, false);
    CU_ASSERT_EQUAL(group_change(&group, A, two), RAFT_OK);
    group_start_empty(&group, B);
    group_pass(&group, 220 * MS);
    two = with(two, B, RAFT_DATA, true);
    CU_ASSERT_EQUAL(group_change(&group, A, two), RAFT_OK);
    group_pass(&group, 110 * MS);
    CU_ASSERT_EQUAL(group_status(&group, B).commit_index, group_status(&group, A).last_index);
    /* it counts on when its entry is compacted */
    CU_ASSERT_TRUE(group_status(&group, A).membership_index > 0);
    group_compact(&group, A);
    CU_ASSERT_EQUAL(group_status(&group, A).membership_index, 0);
    CU_ASSERT_TRUE(knows(&group, A, two));
    /* and there is no quorum of one any more */
    group.cut[B] = true;
    group_pass(&group, 2 * ELECTION_US);
    CU_ASSERT_NOT_EQUAL(group_status(&group, A).role, RAFT_LEADER);
    group_end(&group);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft removal", NULL, NULL);
    CU_add_test(suite, "a leader removes itself", test_a_leader_removes_itself);
    CU_add_test(suite, "a removed leader without a quorum", test_a_removed_leader_without_a_quorum);
    CU_add_test(suite, "the only one who has the change", test_the_only_one_who_has_the_change);
    CU_add_test(suite, "the arbiter wakes one who does not know",
                test_the_arbiter_wakes_one_who_does_not_know);
    CU_add_test(suite, "a removed member is told", test_a_removed_member_is_told);
    CU_add_test(suite, "a member that was away when it was removed",
                test_a_member_that_was_away_when_it_was_removed);
    CU_add_test(suite, "an arbiter is not woken by a removed member",
                test_an_arbiter_is_not_woken_by_a_removed_member);
    CU_add_test(suite, "a removed member of a higher term", test_a_removed_member_of_a_higher_term);
    CU_add_test(suite, "only voters answer for a lease", test_only_voters_answer_for_a_lease);
    CU_add_test(suite, "promises are kept without a vote", test_promises_are_kept_without_a_vote);
    CU_add_test(suite, "from one to two", test_from_one_to_two);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
