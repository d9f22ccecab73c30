/* Who is in the group: learners, single changes, and what counts when. */
#include "tests/unit/test_raft_members.h"

static void test_single_changes(void)
{
    struct raft_membership three = founding(), other;
#define SINGLE(to) (other = (to), raft_membership_is_single_change(&three, &other))
    CU_ASSERT_TRUE(SINGLE(three));
    CU_ASSERT_TRUE(SINGLE(with(three, C, RAFT_DATA, false)));
    CU_ASSERT_FALSE(SINGLE(with(three, C, RAFT_DATA, true))); /* it learns first */
    CU_ASSERT_FALSE(SINGLE(with(with(three, C, RAFT_DATA, false), D, RAFT_DATA, false)));
    CU_ASSERT_TRUE(SINGLE(without(three, B)));
    CU_ASSERT_FALSE(SINGLE(without(without(three, B), X)));
    CU_ASSERT_FALSE(SINGLE(with(without(three, B), C, RAFT_DATA, false)));
    CU_ASSERT_FALSE(SINGLE(with(three, B, RAFT_DATA, false))); /* a vote is not taken away alone */
    CU_ASSERT_FALSE(SINGLE(with(three, B, RAFT_ARBITER, true)));
    three = with(with(three, C, RAFT_DATA, false), D, RAFT_DATA, false);
    CU_ASSERT_TRUE(SINGLE(with(three, C, RAFT_DATA, true)));
    CU_ASSERT_FALSE(SINGLE(with(with(three, C, RAFT_DATA, true), D, RAFT_DATA, true)));
    CU_ASSERT_FALSE(SINGLE(without(with(three, C, RAFT_DATA, true), D)));

    struct raft_membership arbiters = {.count = 1, .members = {{.id = X, RAFT_ARBITER, .voter = true}}};
    CU_ASSERT_FALSE(raft_membership_is_usable(&arbiters));
    struct raft_membership many = {0};
    for (uint64_t id = 1; id <= RAFT_VOTERS_MAX; id++)
        many = with(many, id, RAFT_DATA, true);
    CU_ASSERT_TRUE(raft_membership_is_usable(&many));
    many = with(many, 8, RAFT_DATA, true);
    CU_ASSERT_FALSE(raft_membership_is_usable(&many));
}

static void test_what_is_refused(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t index, now_us = BEGIN_US;
    struct raft_membership three = founding(), four = with(three, C, RAFT_DATA, false);
    CU_ASSERT_EQUAL(propose(raft, now_us, four), RAFT_NOT_LEADER);
    now_us = fixture_lead(raft);
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_MEMBERSHIP, "\7", 1, &index), RAFT_INVALID);
    CU_ASSERT_EQUAL(propose(raft, now_us, with(three, C, RAFT_DATA, true)), RAFT_INVALID);
    CU_ASSERT_EQUAL(propose(raft, now_us, with(four, D, RAFT_DATA, false)), RAFT_INVALID);
    CU_ASSERT_EQUAL(propose(raft, now_us, (struct raft_membership){0}), RAFT_INVALID);
    /* A and B would be the two of two, and B has not been heard */
    CU_ASSERT_EQUAL(propose(raft, now_us, without(three, X)), RAFT_BUSY);
    fixture_receive(raft, A, now_us, members_echo(B, now_us, 0));
    uint64_t late_us = now_us + ELECTION_US;
    for (uint64_t round_us = now_us + 500 * MS; round_us <= late_us; round_us += 500 * MS) {
        raft_tick(raft, round_us); /* X answers, B does not any more */
        raft_take(raft);
        fixture_receive(raft, A, round_us, members_echo(X, round_us, 1));
    }
    CU_ASSERT_EQUAL(propose(raft, late_us, without(three, X)), RAFT_BUSY);
    fixture_receive(raft, A, late_us, members_echo(B, late_us, 0));
    now_us = late_us;
    CU_ASSERT_EQUAL(propose(raft, now_us, without(three, X)), RAFT_OK);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).membership_index, 2);
    CU_ASSERT_EQUAL(propose(raft, now_us, without(three, X)), RAFT_BUSY); /* one at a time */
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "x", 1, &index), RAFT_OK);
    raft_free(raft);

    /* somebody must be left who could lead */
    struct raft_restored restored = fixture_restored();
    restored.membership = without(three, B);
    raft = fixture_new_full(A, &restored);
    now_us = fixture_lead(raft);
    CU_ASSERT_EQUAL(propose(raft, now_us, without(restored.membership, A)), RAFT_INVALID);
    CU_ASSERT_EQUAL(propose(raft, now_us, with(restored.membership, C, RAFT_DATA, false)), RAFT_OK);
    raft_free(raft);

    /* one that cannot read memberships takes none */
    raft = fixture_new(A, NULL);
    now_us = fixture_lead(raft);
    CU_ASSERT_EQUAL(propose(raft, now_us, four), RAFT_INVALID);
    raft_free(raft);
}

/* The correction of 2015; copycat 23: not before the no-op of the own term is committed. */
static void test_not_before_the_noop(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = BEGIN_US + ELECTION_US;
    raft_tick(raft, now_us);
    raft_take(raft);
    struct raft_message reply = {.kind = RAFT_PREVOTE_REPLY, .from = X, .term = 1, .granted = true};
    const struct raft_output *out = fixture_receive(raft, A, now_us, reply);
    fixture_persist(raft, now_us, out->write);
    reply.kind = RAFT_VOTE_REPLY;
    out = fixture_receive(raft, A, now_us, reply);
    fixture_persist(raft, now_us, out->write);
    CU_ASSERT_EQUAL_FATAL(fixture_status(raft, now_us).role, RAFT_LEADER);
    struct raft_membership four = with(founding(), C, RAFT_DATA, false);
    fixture_receive(raft, A, now_us, members_echo(B, now_us, 0)); /* alive, but without the no-op */
    CU_ASSERT_EQUAL(propose(raft, now_us, four), RAFT_BUSY);
    fixture_receive(raft, A, now_us, members_echo(B, now_us, 1));
    CU_ASSERT_EQUAL(propose(raft, now_us, four), RAFT_OK);
    raft_free(raft);
}

static void test_a_learner_becomes_a_voter(void)
{
    struct group group;
    group_begin(&group);
    group_propose(&group, A, 20);
    group_compact(&group, A);
    group_propose(&group, A, 2);
    struct raft_membership four = with(founding(), C, RAFT_DATA, false);
    CU_ASSERT_EQUAL_FATAL(group_change(&group, A, four), RAFT_OK);
    CU_ASSERT_TRUE(knows(&group, B, four));
    CU_ASSERT_EQUAL(group_status(&group, A).membership_index, 24);
    group_start_empty(&group, C);
    CU_ASSERT_FALSE(group_status(&group, C).voter);
    struct raft_membership voters = with(four, C, RAFT_DATA, true);
    CU_ASSERT_EQUAL(group_change(&group, A, voters), RAFT_BUSY); /* it has nothing yet */
    group_pass(&group, 220 * MS);
    CU_ASSERT_EQUAL(group.snapshots[C].index, 21);
    CU_ASSERT_EQUAL(group_status(&group, C).last_index, 24);
    CU_ASSERT_TRUE(knows(&group, C, four));
    CU_ASSERT_FALSE(group_status(&group, C).voter);
    /* a learner neither counts nor campaigns */
    group.cut[B] = group.cut[X] = true;
    uint64_t commit_index = group_status(&group, A).commit_index;
    group_propose(&group, A, 1);
    CU_ASSERT_EQUAL(group_status(&group, A).commit_index, commit_index);
    group_pass(&group, 3 * ELECTION_US);
    CU_ASSERT_EQUAL(group_status(&group, A).role, RAFT_PRECANDIDATE); /* C is no quorum for it */
    CU_ASSERT_EQUAL(group.sent[C][RAFT_VOTE], 0);
    group.cut[A] = true;
    group_pass(&group, 5 * ELECTION_US);
    CU_ASSERT_EQUAL(group_status(&group, C).role, RAFT_FOLLOWER);
    CU_ASSERT_EQUAL(group.asked[C], 0);
    group.cut[A] = group.cut[B] = group.cut[X] = false;
    group_pass(&group, 2 * ELECTION_US);
    uint64_t leader = group_status(&group, C).leader;
    CU_ASSERT_EQUAL_FATAL(group_change(&group, leader, voters), RAFT_OK);
    group_pass(&group, 110 * MS);
    CU_ASSERT_TRUE(knows(&group, C, voters));
    CU_ASSERT_TRUE(group_status(&group, C).voter);
    group_end(&group);
}

static void test_a_learner_must_catch_up(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = fixture_lead(raft);
    struct raft_membership four = with(founding(), C, RAFT_DATA, false);
    CU_ASSERT_EQUAL_FATAL(propose(raft, now_us, four), RAFT_OK);
    const struct raft_output *out = raft_take(raft);
    CU_ASSERT_PTR_NOT_NULL(fixture_find(out, RAFT_APPEND, C));
    fixture_persist(raft, now_us, out->write);
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, members_echo(X, now_us, 2))->commit_index, 2);
    four = with(four, C, RAFT_DATA, true);
    fixture_receive(raft, A, now_us, members_echo(C, now_us, 1));
    CU_ASSERT_EQUAL(propose(raft, now_us, four), RAFT_BUSY);
    fixture_receive(raft, A, now_us, members_echo(C, now_us, 2));
    CU_ASSERT_EQUAL(propose(raft, now_us, four), RAFT_OK);
    /* it counts from here: three of four */
    out = raft_take(raft);
    fixture_persist(raft, now_us, out->write);
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, members_echo(X, now_us, 3))->commit_index, 2);
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, members_echo(C, now_us, 3))->commit_index, 3);
    raft_free(raft);
}

/* etcd 10998: who was made a voter and does not know yet answers as one, also one whom it does not know. */
static void test_a_vote_from_one_who_does_not_know(void)
{
    struct raft_restored restored = fixture_restored();
    restored.membership = with(without(founding(), B), D, RAFT_DATA, false);
    struct raft *raft = fixture_new_full(D, &restored);
    CU_ASSERT_FALSE(fixture_status(raft, BEGIN_US).voter);
    struct raft_message ask = {.kind = RAFT_PREVOTE, .from = B, .term = 2, .log_index = 5, .log_term = 1};
    const struct raft_output *out = fixture_receive(raft, D, BEGIN_US, ask);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_PREVOTE_REPLY, B)->message.granted);
    ask.kind = RAFT_VOTE;
    out = fixture_receive(raft, D, BEGIN_US, ask);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_VOTE_REPLY, B)->message.granted);
    /* and follows it */
    out = fixture_receive(raft, D, BEGIN_US, fixture_heartbeat(B, 2));
    CU_ASSERT_TRUE(fixture_find(out, RAFT_APPEND_REPLY, B)->message.granted);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).leader, B);
    raft_free(raft);
}

/* A PreVote is asked of learners, too: one may have been given a vote, lead by now, and tell the candidate
 * that it is out. Their votes count for nothing. */
static void test_a_learner_is_asked(void)
{
    struct raft_restored restored = fixture_restored();
    restored.membership = with(founding(), C, RAFT_DATA, false);
    struct raft *raft = fixture_new_full(A, &restored);
    uint64_t now_us = BEGIN_US + ELECTION_US;
    raft_tick(raft, now_us);
    CU_ASSERT_PTR_NOT_NULL(fixture_find(raft_take(raft), RAFT_PREVOTE, C));
    struct raft_message reply = {.kind = RAFT_PREVOTE_REPLY, .from = C, .term = 1, .granted = true};
    fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_PRECANDIDATE);
    reply.from = X;
    const struct raft_output *out = fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_PTR_NOT_NULL(fixture_find(out, RAFT_VOTE, B));
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_VOTE, C));
    raft_free(raft);
}

static void test_strangers(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    uint64_t now_us = BEGIN_US + ELECTION_US;
    raft_tick(raft, now_us);
    raft_take(raft);
    /* their answers count for nothing, their higher term either */
    static const enum raft_message_kind answers[] = {RAFT_PREVOTE_REPLY, RAFT_VOTE_REPLY, RAFT_APPEND_REPLY,
                                                     RAFT_SNAPSHOT_REPLY, RAFT_TIMEOUT_NOW};
    for (unsigned i = 0; i < 5; i++)
        fixture_receive(raft, A, now_us, (struct raft_message){.kind = answers[i], .from = D, .term = 9});
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).dropped_messages, 5);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).term, 0);
    fixture_receive(raft, A, now_us, (struct raft_message){.kind = RAFT_PREVOTE, .from = 0, .term = 9});
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).dropped_messages, 6);
    raft_free(raft);
    raft = fixture_new(A, NULL); /* a group that does not change has no strangers */
    fixture_receive(raft, A, now_us, (struct raft_message){.kind = RAFT_VOTE, .from = D, .term = 9});
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).dropped_messages, 1);
    raft_free(raft);
}

/* canonical/raft 323: what a truncation takes away leaves what counted before, be that in the log, in the
 * snapshot, or in an entry that a snapshot has taken in. */
static void test_a_truncated_change(void)
{
    unsigned char bytes[2][64];
    struct raft *raft = fixture_new_full(A, NULL);
    struct raft_membership four = with(founding(), C, RAFT_DATA, false), five;
    struct raft_entry first = change_entry(1, 1, four, bytes[0]), noop = {.index = 1, .term = 2};
    members_append(raft, 1, &first, 0);
    CU_ASSERT_EQUAL(raft_membership(raft)->count, 4); /* committed or not */
    members_append(raft, 2, &noop, 0);
    CU_ASSERT_EQUAL(raft_membership(raft)->count, 3); /* the founding one */
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).membership_index, 0);

    struct raft_entry second = change_entry(2, 3, four, bytes[0]);
    members_append(raft, 3, &second, 2);
    five = with(four, D, RAFT_DATA, false);
    struct raft_entry third = change_entry(3, 3, five, bytes[1]);
    members_append(raft, 3, &third, 3);
    CU_ASSERT_EQUAL(raft_membership(raft)->count, 5);
    noop = (struct raft_entry){.index = 3, .term = 4};
    members_append(raft, 4, &noop, 3);
    CU_ASSERT_EQUAL(raft_membership(raft)->count, 4); /* that of the log */
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).membership_index, 2);

    struct raft_message heartbeat = fixture_heartbeat(B, 4);
    heartbeat.log_index = heartbeat.commit = 3;
    heartbeat.log_term = 4;
    fixture_receive(raft, A, BEGIN_US, heartbeat);
    third = change_entry(4, 4, five, bytes[1]);
    members_append(raft, 4, &third, 4);
    CU_ASSERT_EQUAL(raft_membership(raft)->count, 5);
    struct raft_snapshot snapshot = fixture_snapshot(3, 4, &four); /* as of 3, though more counts now */
    CU_ASSERT_EQUAL(raft_compact(raft, BEGIN_US, &snapshot), RAFT_OK);
    CU_ASSERT_EQUAL(raft_membership(raft)->count, 5);
    noop = (struct raft_entry){.index = 4, .term = 5};
    members_append(raft, 5, &noop, 4);
    CU_ASSERT_EQUAL(raft_membership(raft)->count, 4); /* whose entry is gone */
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).membership_index, 0);
    raft_free(raft);
}

static void test_restored(void)
{
    unsigned char bytes[2][64];
    struct raft_membership four = with(founding(), C, RAFT_DATA, false), none = without(founding(), A);
    struct raft_entry entries[2] = {change_entry(6, 2, four, bytes[0]), change_entry(7, 2, none, bytes[1])};
    struct raft_restored restored = fixture_restored();
    restored.hard_state.term = 2;
    restored.snapshot = fixture_snapshot(5, 2, NULL);
    restored.entries = entries;
    restored.entry_count = 1;
    struct raft *raft = fixture_new_full(A, &restored);
    CU_ASSERT_EQUAL(raft_membership(raft)->count, 4);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).membership_index, 6);
    raft_free(raft);
    restored.entry_count = 2; /* it was removed: no vote, and no campaign once that is committed */
    raft = fixture_new_full(A, &restored);
    CU_ASSERT_FALSE(fixture_status(raft, BEGIN_US).voter);
    struct raft_message heartbeat = fixture_heartbeat(B, 2);
    heartbeat.log_index = heartbeat.commit = 7;
    heartbeat.log_term = 2;
    fixture_persist(raft, BEGIN_US, fixture_receive(raft, A, BEGIN_US, heartbeat)->write);
    raft_take(raft);
    raft_tick(raft, BEGIN_US + 10 * ELECTION_US);
    CU_ASSERT_EQUAL(raft_take(raft)->message_count, 0);
    CU_ASSERT_TRUE(raft_deadline_us(raft) > BEGIN_US + 10 * ELECTION_US);
    raft_free(raft);
    bytes[1][0] = 0; /* an empty one is none */
    CU_ASSERT_EQUAL(raft_new(&fixture_full_config, &restored, BEGIN_US, &raft), RAFT_INVALID);
    restored.membership.count = 0;
    restored.entry_count = 0;
    CU_ASSERT_EQUAL(raft_new(&fixture_config, &restored, BEGIN_US, &raft), RAFT_INVALID);
}

/* Its removal is committed, a later change is not: it has no say any more. */
static void test_removed_before_an_open_change(void)
{
    unsigned char bytes[2][64];
    struct raft_membership two = without(founding(), A), three = with(two, C, RAFT_DATA, false);
    struct raft_entry entries[2] = {change_entry(6, 2, two, bytes[0]), change_entry(7, 2, three, bytes[1])};
    struct raft_restored restored = fixture_restored();
    restored.hard_state.term = 2;
    restored.snapshot = fixture_snapshot(5, 2, NULL);
    restored.entries = entries;
    restored.entry_count = 2;
    struct raft *raft = fixture_new_full(A, &restored);
    struct raft_message heartbeat = fixture_heartbeat(B, 2);
    heartbeat.log_index = 7;
    heartbeat.log_term = 2;
    heartbeat.commit = 6;
    fixture_persist(raft, BEGIN_US, fixture_receive(raft, A, BEGIN_US, heartbeat)->write);
    raft_take(raft);
    raft_tick(raft, BEGIN_US + 10 * ELECTION_US);
    CU_ASSERT_EQUAL(raft_take(raft)->message_count, 0);
    raft_free(raft);
}

static void test_nonsense_is_dropped(void)
{
    struct raft *raft = fixture_new_full(A, NULL);
    unsigned char bytes[64];
    struct raft_entry entry = change_entry(1, 1, with(founding(), C, RAFT_DATA, false), bytes);
    bytes[1] = 0; /* an id */
    members_append(raft, 1, &entry, 0);
    bytes[1] = 200; /* ids out of order */
    members_append(raft, 1, &entry, 0);
    bytes[1] = A;
    entry.size--;
    members_append(raft, 1, &entry, 0);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).dropped_messages, 3);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).last_index, 0);
    CU_ASSERT_EQUAL(raft_membership(raft)->count, 3);
    raft_free(raft);
}

/* camunda 60086: a change that a crash left half-done is finished by the next leader, or gone. */
static void test_a_change_left_half_done(void)
{
    struct group group;
    group_begin(&group);
    struct raft_membership four = with(founding(), C, RAFT_DATA, false);
    group.cut[A] = true;
    CU_ASSERT_EQUAL(group_change(&group, A, four), RAFT_OK);
    CU_ASSERT_TRUE(knows(&group, A, four));
    group_pass(&group, 4 * ELECTION_US);
    CU_ASSERT_TRUE_FATAL(group_status(&group, B).ready); /* without it */
    group.cut[A] = false;
    group_pass(&group, 500 * MS);
    CU_ASSERT_TRUE(knows(&group, A, founding()));
    /* now one that a single other member got */
    group.cut[X] = true;
    struct raft_membership five = with(founding(), D, RAFT_DATA, false);
    CU_ASSERT_EQUAL(propose(group.nodes[B], group.now_us, five), RAFT_OK);
    group_take(&group, B);
    group.cut[B] = true; /* its APPEND is on its way, the answer is not heard */
    group_settle(&group);
    CU_ASSERT_TRUE(knows(&group, A, five));
    group.cut[X] = false;
    group_pass(&group, 4 * ELECTION_US);
    CU_ASSERT_TRUE_FATAL(group_status(&group, A).ready);
    CU_ASSERT_TRUE(knows(&group, X, five));
    CU_ASSERT_EQUAL(group_change(&group, A, with(five, C, RAFT_DATA, false)), RAFT_OK);
    group_end(&group);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft membership", NULL, NULL);
    CU_add_test(suite, "single changes", test_single_changes);
    CU_add_test(suite, "what is refused", test_what_is_refused);
    CU_add_test(suite, "not before the no-op", test_not_before_the_noop);
    CU_add_test(suite, "a learner becomes a voter", test_a_learner_becomes_a_voter);
    CU_add_test(suite, "a learner must catch up", test_a_learner_must_catch_up);
    CU_add_test(suite, "a vote from one who does not know", test_a_vote_from_one_who_does_not_know);
    CU_add_test(suite, "a learner is asked", test_a_learner_is_asked);
    CU_add_test(suite, "strangers", test_strangers);
    CU_add_test(suite, "a truncated change", test_a_truncated_change);
    CU_add_test(suite, "restored", test_restored);
    CU_add_test(suite, "removed before a change that is open", test_removed_before_an_open_change);
    CU_add_test(suite, "nonsense is dropped", test_nonsense_is_dropped);
    CU_add_test(suite, "a change left half-done", test_a_change_left_half_done);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
