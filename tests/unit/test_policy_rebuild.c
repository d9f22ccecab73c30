/* Databases that are made anew, and nodes that are drained. */
#include "tests/unit/policy_fixture.h"

static void set_aside(uint64_t node, Mha__AsideKind kind, bool by_operator)
{
    struct cluster_command command = {
        .kind = COMMAND_ASIDE, .node = node, .aside = kind, .by_operator = by_operator};

    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &command));
}

/* C holds something alone; M = {A, B}. */
static void c_has_diverged(void)
{
    group_is_well(3, ACKS_COUNT);
    sync_is(2, 1);
    acknowledgers_at_a("b");
    usable(&w.db[C], 103);
    w.db[C].received = w.db[C].executed = (char *)"0-1-10,0-3-11";
}

static void test_who_is_set_aside(void)
{
    c_has_diverged();
    decide();
    later(2 * E_US);
    decide();
    CU_ASSERT_FALSE(w.out.propose); /* an operator's decision */
    w.input.settings.rejoin_auto = true;
    decide();
    applied();
    CU_ASSERT_EQUAL(w.state.asides[0].node, C);
    CU_ASSERT_FALSE(w.state.asides[0].by_operator);
    decide();
    CU_ASSERT_FALSE(w.out.propose);

    c_has_diverged(); /* it is about to be set right: not at once */
    w.input.settings.rejoin_auto = true;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.db[C].received = w.db[C].executed = (char *)"0-1-9"; /* contained: it follows */
    later(2 * E_US);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.db[C].received = w.db[C].executed = (char *)"not a position";
    decide();
    later(2 * E_US);
    decide();
    CU_ASSERT_FALSE(w.out.propose);

    c_has_diverged(); /* or first found on a node that an operator's choice of the first primary discards */
    w.state.init = (struct cluster_init){.id = 5, .node = A, .discard_others = true};
    decide();
    later(2 * E_US);
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_ASIDE);

    c_has_diverged(); /* not while it receives: that is newer than what was seen of the primary */
    w.input.settings.rejoin_auto = true;
    w.db[C].receiving = true;
    decide();
    later(2 * E_US);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.db[C].receiving = false;
    decide();
    later(2 * E_US);
    w.db[A].observed_us = w.input.now_us - 2 * E_US; /* nor before the primary was looked at again */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.db[A].observed_us++;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_ASIDE);

    group_is_well(3, ACKS_COUNT); /* its source has purged what it lacks */
    sync_is(2, 1);
    acknowledgers_at_a("b");
    w.input.settings.rejoin_auto = true;
    w.db[C].receiving = w.db[C].acknowledging = false;
    w.db[C].standing_by = true;
    w.db[C].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_RECEIVER_FAILS;
    decide();
    later(2 * E_US);
    decide();
    CU_ASSERT_FALSE(w.out.propose); /* it may pass */
    later(4 * E_US);
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_ASIDE);
    w.db[C].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_REPLICATION_REFUSED; /* a rebuild would not help */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
}

/* "its removal is committed first" */
static void test_never_a_member(void)
{
    group_is_well(3, ACKS_COUNT);
    set_aside(C, MHA__ASIDE_KIND__ASIDE_REBUILD, true);
    w.raft.role = RAFT_FOLLOWER;
    seen_from(C);
    decide();
    CU_ASSERT_EQUAL(w.out.rebuild_from, 0);
    w.raft.role = RAFT_LEADER;
    seen_from(A);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_ACKNOWLEDGING); /* as if it were gone */
    CU_ASSERT_STRING_EQUAL(w.out.db_node, "c");
    sync_is(2, 1);
    acknowledgers_at_a("b");
    decide();
    later(1000);
    decide();
    CU_ASSERT_FALSE(w.out.propose); /* it is near, and does not come in again */
    w.raft.role = RAFT_FOLLOWER;
    seen_from(C);
    w.raft.current = false; /* its copy of the state may be old */
    decide();
    CU_ASSERT_EQUAL(w.out.rebuild_from, 0);
    w.raft.current = true;
    w.raft.term = TERM + 1; /* nor is anybody to take it from known */
    decide();
    CU_ASSERT_EQUAL(w.out.rebuild_from, 0);
    w.raft.term = TERM;
    decide();
    CU_ASSERT_EQUAL(w.out.rebuild_from, B); /* a replica is there */
    CU_ASSERT_EQUAL(w.out.rebuild_id, w.state.asides[0].id);
    w.db[B].lag_ms = 60000;
    decide();
    CU_ASSERT_EQUAL(w.out.rebuild_from, A);
    w.state.asides[0].donor = B;
    decide();
    CU_ASSERT_EQUAL(w.out.rebuild_from, 0);
    w.db[B].lag_ms = 0;
    decide();
    CU_ASSERT_EQUAL(w.out.rebuild_from, B);
}

static void test_while_it_runs(void)
{
    c_has_diverged();
    set_aside(C, MHA__ASIDE_KIND__ASIDE_REBUILD, false);
    w.raft.role = RAFT_FOLLOWER;
    seen_from(C);
    w.input.db = NULL;
    w.input.rebuilding = true;
    w.input.rebuild_id = w.state.asides[0].id;
    decide();
    CU_ASSERT_FALSE(w.out.rebuild_cancel || w.out.rebuild_from || w.out.aside_over);
    CU_ASSERT_FALSE(w.out.promotable);
    w.state.asides[0].cancelled = true;
    decide();
    CU_ASSERT_TRUE(w.out.rebuild_cancel);
    CU_ASSERT_EQUAL(w.out.aside_over, 0); /* it has not ended yet */
    w.input.rebuilding = false;
    w.input.rebuild_failed_us = NOW_US;
    decide();
    CU_ASSERT_EQUAL(w.out.aside_over, w.state.asides[0].id);
    w.input.rebuild_unfinished = true; /* that ends by another one only, and nothing starts the server */
    usable(&w.db[C], 0);
    w.db[C].state = MHA__DB_STATE__DB_DOWN;
    w.input.db = &w.db[C];
    w.state.aside_count = 0;
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_NONE);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "mhactl rebuild --node c"));
}

static void test_a_failure(void)
{
    c_has_diverged();
    set_aside(C, MHA__ASIDE_KIND__ASIDE_REBUILD, false);
    w.raft.role = RAFT_FOLLOWER;
    seen_from(C);
    w.input.rebuild_id = w.state.asides[0].id;
    w.input.rebuild_failed_us = NOW_US;
    w.input.rebuild_failures = 2;
    decide();
    CU_ASSERT_EQUAL(w.out.aside_over, 0);
    later(19000000);
    decide();
    CU_ASSERT_EQUAL(w.out.rebuild_from, 0);
    later(1000000);
    decide();
    CU_ASSERT_EQUAL(w.out.rebuild_from, B);
    w.state.asides[0].by_operator = true; /* he decides again */
    decide();
    CU_ASSERT_EQUAL(w.out.rebuild_from, 0);
    CU_ASSERT_EQUAL(w.out.aside_over, w.state.asides[0].id);
}

static void test_the_end_is_told(void)
{
    Mha__RebuildState state;

    c_has_diverged();
    set_aside(C, MHA__ASIDE_KIND__ASIDE_REBUILD, true);
    mha__rebuild_state__init(&state);
    w.report[C].rebuild = &state;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.report[C].aside_over = w.state.asides[0].id;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_ASIDE_END);
    CU_ASSERT_STRING_EQUAL(w.out.command.text, "done: made anew");
    state.failed = (char *)"the donor is gone";
    decide();
    CU_ASSERT_STRING_EQUAL(w.out.command.text, "failed: the donor is gone");
    w.state.asides[0].cancelled = true;
    decide();
    CU_ASSERT_STRING_EQUAL(w.out.command.text, "failed: cancelled");
    w.state.asides[0].cancelled = false;
    w.input.node_count = 2; /* it is removed */
    decide();
    CU_ASSERT_STRING_EQUAL(w.out.command.text, "failed: it has left the group");
}

static bool refused(bool granted, const char *error, const char *why)
{
    if (granted || !strstr(error, why))
        printf("\n  expected \"%s\", but %s %s\n", why, granted ? "granted" : "refused", error);
    return !granted && strstr(error, why) != NULL;
}

static void test_requests(void)
{
    struct cluster_command command;
    char error[256] = "";

    group_is_well(3, ACKS_COUNT);
    CU_ASSERT_TRUE(refused(policy_request_rebuild(&w.input, A, 0, 0, &command, error, sizeof error), error,
                           "a is the primary: move it first"));
    CU_ASSERT_TRUE(refused(policy_request_rebuild(&w.input, 9, 0, 0, &command, error, sizeof error), error,
                           "no data node"));
    CU_ASSERT_TRUE(refused(policy_request_rebuild(&w.input, C, C, 0, &command, error, sizeof error), error,
                           "another data node"));
    w.db[B].applying = false;
    CU_ASSERT_TRUE(refused(policy_request_rebuild(&w.input, C, B, 0, &command, error, sizeof error), error,
                           "b cannot be the donor"));
    w.db[B].applying = true;
    CU_ASSERT_TRUE(policy_request_rebuild(&w.input, C, B, 7, &command, error, sizeof error));
    CU_ASSERT_EQUAL(command.donor, B);
    CU_ASSERT_EQUAL(command.rate_mb, 7);
    CU_ASSERT_TRUE(command.by_operator);
    CU_ASSERT_TRUE(
        refused(policy_request_cancel(&w.input, C, &command, error, sizeof error), error, "no rebuild"));
    set_aside(C, MHA__ASIDE_KIND__ASIDE_REBUILD, true);
    CU_ASSERT_TRUE(refused(policy_request_rebuild(&w.input, C, B, 0, &command, error, sizeof error), error,
                           "rebuilt already"));
    CU_ASSERT_TRUE(
        refused(policy_request_drain(&w.input, C, &command, error, sizeof error), error, "rebuilt already"));
    CU_ASSERT_TRUE(policy_request_cancel(&w.input, C, &command, error, sizeof error));
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &command));
    CU_ASSERT_TRUE(
        refused(policy_request_cancel(&w.input, C, &command, error, sizeof error), error, "already"));
    w.nodes[B - 1].heard_us = NOW_US - 2 * E_US;
    CU_ASSERT_TRUE(refused(policy_request_rebuild(&w.input, B, 0, 0, &command, error, sizeof error), error,
                           "b is not heard"));
    w.db[A].open = false;
    CU_ASSERT_TRUE(refused(policy_request_rebuild(&w.input, B, 0, 0, &command, error, sizeof error), error,
                           "no open primary"));
}

/* Where the nodes are told apart a drained one stands by; else it receives nothing. */
static void test_drained(void)
{
    group_is_well(3, ACKS_COUNT);
    sync_is(2, 1);
    set_aside(C, MHA__ASIDE_KIND__ASIDE_DRAIN, true);
    w.raft.role = RAFT_FOLLOWER;
    seen_from(C);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
    CU_ASSERT_TRUE(w.out.db_standing_by);
    CU_ASSERT_EQUAL(w.out.aside_over, 0);

    all_well();
    sync_is(1, 0);
    set_aside(B, MHA__ASIDE_KIND__ASIDE_DRAIN, true);
    w.raft.role = RAFT_FOLLOWER;
    seen_from(B);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FREEZE);
    w.db[B].frozen_term = TERM;
    w.db[B].receiving = w.db[B].acknowledging = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.state.aside_count = 0; /* no more: it follows again */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
}

/* Who is no member of the group any more closes, and receives nothing. */
static void test_removed(void)
{
    group_is_well(3, ACKS_COUNT);
    w.raft.role = RAFT_FOLLOWER;
    w.raft.leader = 0;
    seen_from(C);
    w.nodes[C - 1].outside = true;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FREEZE);
    w.db[C].frozen_term = TERM;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "no member of the group"));
    w.db[C].open = true;
    w.db[C].fenced = w.db[C].read_only = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
}

int main(void)
{
    static const struct policy_test tests[] = {
        {"who is set aside by itself", test_who_is_set_aside},
        {"no member of the sync set is rebuilt", test_never_a_member},
        {"while it runs, and after it broke off", test_while_it_runs},
        {"a failure", test_a_failure},
        {"the end is told", test_the_end_is_told},
        {"what operators ask for", test_requests},
        {"a drained node", test_drained},
        {"a removed node", test_removed},
    };

    return run_policy_tests("policy: rebuild", tests, sizeof tests / sizeof tests[0]);
}
