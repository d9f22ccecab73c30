/* The sync set and the commit rule with several replicas, and who may acknowledge, step by step. */
#include "tests/unit/policy_fixture.h"

static void dies(uint64_t id)
{
    decide();
    later(10000);
    w.db[id].state = MHA__DB_STATE__DB_DOWN;
    w.db[id].receiving = false;
    decide();
    w.raft.round_sent_us = w.input.now_us + 1;
    w.input.now_us += 2;
    decide();
}

/* The operation that the last decision asked for is done, and seen. */
static void operated(const char *acknowledgers)
{
    if (acknowledgers)
        acknowledgers_at_a(acknowledgers);
    if (w.out.db_op == DB_OP_SET_COMMIT_RULE)
        w.db[A].acks = w.out.db_acks;
    later(1000);
    w.raft.round_sent_us = w.input.now_us + 1;
    decide();
}

static void expect_acknowledging(const char *node, bool allowed)
{
    CU_ASSERT_EQUAL_FATAL(w.out.db_op, DB_OP_SET_ACKNOWLEDGING);
    CU_ASSERT_STRING_EQUAL(w.out.db_node, node);
    CU_ASSERT_EQUAL(w.out.db_allowed, allowed);
    CU_ASSERT_EQUAL(w.out.db_epoch, TERM);
}

/* One-wait: a standby joins before the dead replica is dropped. */
static void test_standby_takes_the_place(void)
{
    group_is_well(3, ACKS_ANY);
    sync_is(2, 1);
    acknowledgers_at_a("b");
    decide();
    CU_ASSERT_FALSE(w.out.propose); /* C stands by */
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    dies(B);
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 3);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_EQUAL(w.out.command.sync.members[2].node, C);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* commit first, then it may acknowledge */
    applied();
    decide();
    expect_acknowledging("c", true);
    operated("bc");
    expect_acknowledging("b", false);
    operated("c");
    CU_ASSERT_FALSE(w.out.propose); /* the end of the log is of a later look */
    w.db[A].executed = (char *)"0-1-20";
    operated(NULL);
    CU_ASSERT_FALSE(w.out.propose); /* C does not hold it */
    w.db[C].received = (char *)"0-1-20";
    operated(NULL);
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 2);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_PTR_NULL(cluster_sync_find(&w.out.command.sync, B));
    applied();
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_FALSE(w.out.propose);
}

static void test_no_standby_is_near(void)
{
    group_is_well(3, ACKS_ANY);
    sync_is(2, 1);
    acknowledgers_at_a("b");
    w.db[C].received = (char *)"0-1-3";
    dies(B);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 1);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0);
}

/* One acknowledgement covers two members: who came last goes. */
static void test_surplus_member(void)
{
    group_is_well(3, ACKS_ANY);
    decide();
    expect_acknowledging("c", false);
    operated("b");
    w.db[A].executed = (char *)"0-1-20";
    w.db[B].received = (char *)"0-1-20";
    operated(NULL);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 2);
    CU_ASSERT_PTR_NOT_NULL(cluster_sync_find(&w.out.command.sync, B));
}

static void test_member_is_dropped_at_the_same_acks(void)
{
    group_is_well(5, ACKS_COUNT);
    sync_is(5, 2);
    w.db[A].acks = 2;
    dies(C);
    CU_ASSERT_FALSE(w.out.propose);
    expect_acknowledging("c", false);
    operated("bde");
    CU_ASSERT_FALSE(w.out.propose);
    w.db[A].executed = (char *)"0-1-20";
    w.db[B].received = (char *)"0-1-20";
    operated(NULL);
    CU_ASSERT_FALSE(w.out.propose); /* one of two */
    w.db[D].received = (char *)"0-1-20";
    operated(NULL);
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 4);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 2);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
}

/* What the others have acknowledged must be durable with who remains: a power cut may come before it changes
 * over. */
static void test_who_stands_by_yet_holds_nothing_for_certain(void)
{
    group_is_well(3, ACKS_COUNT);
    sync_is(3, 1);
    dies(B);
    expect_acknowledging("b", false);
    operated("c");
    w.db[A].executed = w.db[C].received = (char *)"0-1-20";
    w.db[C].acknowledging = false;
    w.db[C].standing_by = w.db[C].standby_account = true;
    operated(NULL);
    CU_ASSERT_FALSE(w.out.propose);
    w.db[C].acknowledging = true;
    w.db[C].standing_by = w.db[C].standby_account = false;
    operated(NULL);
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 2);
    CU_ASSERT_PTR_NULL(cluster_sync_find(&w.out.command.sync, B));
}

/* An agent that took over looks at what the one before it left. */
static void test_half_done_changes_are_seen(void)
{
    group_is_well(3, ACKS_COUNT);
    sync_is(2, 1);
    w.db[C].received = (char *)"0-1-3";
    decide();
    expect_acknowledging("c", false); /* allowed, but no member */
    operated("b");
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    acknowledgers_at_a("");
    decide();
    expect_acknowledging("b", true);
    acknowledgers_at_a("b");
    w.db[A].acknowledgers[1] = (char *)"stranger";
    w.db[A].n_acknowledgers = 2;
    decide();
    expect_acknowledging("stranger", false);
    acknowledgers_at_a("b");
    w.db[A].acks = 2; /* stronger than committed */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 1);
    w.db[A].acks = 0; /* weaker */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 1);
}

static void test_replica_joins_at_the_same_acks(void)
{
    group_is_well(3, ACKS_COUNT);
    sync_is(2, 1);
    acknowledgers_at_a("b");
    decide();
    later(1000);
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 3);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    applied();
    decide();
    expect_acknowledging("c", true);
}

static void test_more_acknowledgements(void)
{
    group_is_well(5, ACKS_COUNT);
    for (unsigned i = C; i <= E; i++)
        w.db[i].received = (char *)"0-1-9";
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* commits would wait for one that is behind */
    w.db[C].received = (char *)"0-1-10";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE); /* the database first */
    CU_ASSERT_EQUAL(w.out.db_acks, 2);
    CU_ASSERT_FALSE(w.out.propose);
    operated(NULL);
    w.db[A].executed = (char *)"0-1-20";
    w.db[B].received = (char *)"0-1-20";
    operated(NULL);
    CU_ASSERT_FALSE(w.out.propose); /* one of two holds it */
    w.db[E].received = (char *)"0-1-20";
    w.input.db_settled = false; /* a statement of an earlier worker may be under way */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 2);
    w.input.db_settled = true;
    operated(NULL);
    CU_ASSERT_FALSE(w.out.propose); /* the end of the log is taken anew */
    operated(NULL);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 2);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 5);
    applied();
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
}

/* While k can be raised nobody else joins: each member more is one more position that a promotion needs. */
static void test_raised_before_joined(void)
{
    group_is_well(5, ACKS_COUNT);
    sync_is(3, 1);
    acknowledgers_at_a("bc");
    decide();
    later(1000);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.db_acks, 2);
}

static void test_too_few_are_sound(void)
{
    group_is_well(5, ACKS_COUNT);
    sync_is(5, 2);
    w.db[A].acks = 2;
    w.db[B].state = w.db[C].state = MHA__DB_STATE__DB_DOWN;
    dies(D);
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC); /* lower: commit first */
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 5);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    applied();
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 1);
    w.db[E].state = MHA__DB_STATE__DB_DOWN;
    operated(NULL);
    operated(NULL);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0); /* alone, in one step */
    CU_ASSERT_EQUAL(w.out.command.sync.count, 1);
    applied();
}

/* Named-wait: who may acknowledge is a part of the rule. */
static void test_names_go_with_the_rule(void)
{
    group_is_well(3, ACKS_NAMED);
    dies(C);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 1);
    CU_ASSERT_EQUAL_FATAL(w.out.db_name_count, 1);
    CU_ASSERT_STRING_EQUAL(w.out.db_names[0], "b");
    operated("b");
    operated(NULL);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 2);
    applied();
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    decide();
    later(1000);
    w.raft.round_sent_us = w.input.now_us + 1;
    decide();
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0);
    applied();
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 0);
    CU_ASSERT_EQUAL(w.out.db_name_count, 0);
}

static void test_a_node_has_left_the_group(void)
{
    group_is_well(4, ACKS_COUNT);
    sync_is(4, 2);
    w.db[A].acks = 2;
    w.input.node_count = 3; /* D is no member of the group any more */
    decide();
    later(1000);
    w.raft.round_sent_us = w.input.now_us + 1;
    decide();
    expect_acknowledging("d", false);
    acknowledgers_at_a("bc");
    operated(NULL);
    operated(NULL);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 3);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 2);
    applied();
    decide();
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1); /* N is 3 now */
    CU_ASSERT_EQUAL(w.out.command.sync.count, 3);
    applied();
}

static void stands_by(uint64_t id, bool standing_by)
{
    w.db[id].standing_by = standing_by;
    w.db[id].acknowledging = !standing_by;
}

/* From k = 0: who is near is let in while no commit waits, and commits wait for it once it is seen to
 * acknowledge. */
static void test_first_member_is_prepared(void)
{
    group_is_well(3, ACKS_ANY);
    sync_is(1, 0);
    w.db[A].acks = 0;
    stands_by(B, true);
    stands_by(C, true);
    acknowledgers_at_a("c"); /* left over */
    w.db[C].received = (char *)"0-1-3";
    decide();
    later(1000);
    decide();
    expect_acknowledging("b", true);
    operated("bc");
    expect_acknowledging("c", false);
    operated("b");
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "until b acknowledges"));
    w.db[B].receiving = w.db[B].standing_by = false; /* it changes over */
    operated(NULL);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[B].receiving = w.db[B].acknowledging = true;
    w.db[A].acknowledging_clients = 2; /* somebody whom nobody knows */
    operated(NULL);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "2 replicas acknowledge to this server and 1 may"));
    w.db[A].acknowledging_clients = 1;
    operated(NULL);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 1);
    operated(NULL);
    operated(NULL);
    CU_ASSERT_TRUE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.command.sync.members[1].node, B);
}

/* How long commits have waited in vain tells when the next try is: a moment's stumble costs a moment. */
static void test_interrupted_raise(void)
{
    group_is_well(3, ACKS_ANY);
    sync_is(1, 0);
    w.db[A].acks = 0;
    acknowledgers_at_a("b");
    stands_by(C, true);
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_acks, 1);
    operated(NULL);
    later(100000);
    w.db[B].receiving = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 0);
    w.db[B].receiving = true;
    operated(NULL);
    later(150000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    later(110000);
    w.input.now_us += 1;
    decide();
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_ACKNOWLEDGING); /* rather another one */
    CU_ASSERT_STRING_EQUAL(w.out.db_node, "c");
}

/* Who has just come in has a while to change over, but not for ever. */
static void test_newcomer_changes_over(void)
{
    group_is_well(3, ACKS_COUNT);
    sync_is(2, 1);
    acknowledgers_at_a("b");
    stands_by(C, true);
    decide();
    later(1000);
    decide();
    applied();
    CU_ASSERT_EQUAL(w.state.sync.count, 3);
    decide();
    expect_acknowledging("c", true);
    operated("bc");
    later(E_US + 100000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_FALSE(w.out.propose);
    later(E_US);
    decide();
    expect_acknowledging("c", false);
}

/* Without its word who may acknowledge, no commit waits for a replica of several. */
static void test_adapter_that_does_not_tell(void)
{
    group_is_well(3, ACKS_ANY);
    sync_is(1, 0);
    w.db[A].acks = 0;
    w.db[A].acknowledgers_known = false;
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "does not tell who may acknowledge"));
    w.nodes[C - 1].learner = true; /* it follows, and acknowledges, like any other */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "does not tell who may acknowledge"));
    w.nodes[C - 1].learner = false;
    w.nodes[C - 1].arbiter = true;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
}

/* durability = "available": one step after the other down to k = 0, and never up. */
static void test_available(void)
{
    group_is_well(5, ACKS_COUNT);
    sync_is(5, 2);
    w.db[A].acks = 2;
    w.input.settings.durability_available = true;
    decide();
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 5);
    applied();
    decide();
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 1);
    applied();
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 0);
    w.db[A].acks = 0;
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_FALSE(w.out.propose);
}

/* k = 0: who lags behind stands by until it is near; who is near does not. Where one acknowledgement is
 * waited for, only after the server has let no replica connect. */
static void laggard_stands_by(enum policy_acks_kind kind, bool locked_out)
{
    group_is_well(3, kind);
    sync_is(1, 0);
    w.db[A].acks = 0;
    w.input.settings.durability_available = true; /* nobody joins */
    acknowledgers_at_a("bc");
    w.db[A].executed = (char *)"0-1-9";
    w.db[B].received = (char *)"0-1-9";
    w.db[C].received = (char *)"0-1-3";
    w.db[A].replicas_locked_out = locked_out;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, locked_out ? DB_OP_SET_COMMIT_RULE : DB_OP_NONE);
    w.db[A].replicas_locked_out = false;
    for (unsigned i = 0; i < 11; i++) {
        later(250000);
        decide();
        CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    }
    later(1250000);
    decide();
    if (kind == ACKS_COUNT || locked_out) {
        expect_acknowledging("c", false);
        operated("b");
    }
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
}

static void test_laggard_stands_by(void)
{
    laggard_stands_by(ACKS_COUNT, false);
    laggard_stands_by(ACKS_ANY, true);
    laggard_stands_by(ACKS_ANY, false);
}

int main(void)
{
    static const struct policy_test tests[] = {
        {"who lags behind stands by", test_laggard_stands_by},
        {"one-wait: a standby takes the dead replica's place", test_standby_takes_the_place},
        {"one-wait: no standby is near", test_no_standby_is_near},
        {"one-wait: a member too many", test_surplus_member},
        {"k-wait: a member is dropped at the same k", test_member_is_dropped_at_the_same_acks},
        {"who stands by yet holds nothing for certain", test_who_stands_by_yet_holds_nothing_for_certain},
        {"half-done changes are seen", test_half_done_changes_are_seen},
        {"k-wait: a replica joins at the same k", test_replica_joins_at_the_same_acks},
        {"k is raised: the database first", test_more_acknowledgements},
        {"k is raised before anybody joins", test_raised_before_joined},
        {"too few are sound: k is lowered", test_too_few_are_sound},
        {"named-wait: the names go with the rule", test_names_go_with_the_rule},
        {"a node has left the group", test_a_node_has_left_the_group},
        {"the first member is prepared", test_first_member_is_prepared},
        {"an interrupted raise is tried again soon", test_interrupted_raise},
        {"a newcomer has a while to change over", test_newcomer_changes_over},
        {"an adapter that does not tell who may acknowledge", test_adapter_that_does_not_tell},
        {"durability = available: commits wait for nobody", test_available},
    };

    return run_policy_tests("policy: sync set of several", tests, sizeof tests / sizeof tests[0]);
}
