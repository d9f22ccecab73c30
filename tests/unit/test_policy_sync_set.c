/* The sync set and the commit rule with one replica, step by step. */
#include "tests/unit/policy_fixture.h"

static void test_replica_dies(void)
{
    all_well();
    decide();
    later(10000);
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    w.raft.round_sent_us = w.input.now_us - 1; /* sent before it was found gone */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.raft.round_sent_us = w.input.now_us + 1;
    w.input.now_us += 2;
    decide();
    CU_ASSERT_TRUE(w.out.propose);
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* weaken: commit first */
    CU_ASSERT_TRUE(w.out.vip_hold);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 0);
}

static void test_replica_host_is_silent(void)
{
    all_well();
    decide();
    w.input.now_us += E_US + 1;
    w.nodes[2].heard_us = w.input.now_us;
    w.raft.lease_until_us = w.input.now_us + 800000;
    w.raft.round_sent_us = w.input.now_us - 1;
    decide();
    CU_ASSERT_FALSE(w.out.propose); /* found gone just now; the round was sent before */
    w.input.now_us += 100000;
    w.raft.round_sent_us = w.input.now_us - 1;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
}

static void test_replica_returns(void)
{
    all_well();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db[A].acks = 0;
    w.db[A].acks_enforced = false;
    w.db[A].replicas_locked_out = true;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 0);
    w.db[A].replicas_locked_out = false;
    decide();
    later(10000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE); /* strengthen: the database first */
    CU_ASSERT_EQUAL(w.out.db_acks, 1);
    CU_ASSERT_FALSE(w.out.propose);
    w.db[A].acks = 1;
    later(10000);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.db[A].acks_enforced = true;
    later(10000);
    w.db[A].executed = (char *)"0-1-20";
    decide();
    later(10000);
    decide();
    CU_ASSERT_FALSE(w.out.propose); /* B does not hold the end of the log of that moment */
    w.db[B].received = (char *)"0-1-20";
    later(10000);
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_EQUAL(w.out.command.sync.members[1].incarnation, 102);
    /* if it never comes that far, the rule goes back */
    later(3000000);
    w.db[B].received = (char *)"0-1-10";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 0);
}

/* B acknowledges a write that comes after the mark, restarts, has lost it, follows again and holds the mark:
 * what its earlier start acknowledged is not this one's. (Found by tests/spin/rule.pml.) */
static void test_replica_restarts_while_it_joins(void)
{
    all_well();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db[A].acks = 1;
    w.db[A].acks_enforced = true;
    decide();
    later(10000);
    decide();
    later(10000);
    decide();
    w.db[A].executed = (char *)"0-1-20"; /* taken as the mark */
    w.db[B].incarnation = 103;
    later(10000);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.db[A].executed = (char *)"0-1-21";
    later(10000);
    decide(); /* the mark is the end of the log after the new start was seen */
    CU_ASSERT_FALSE(w.out.propose);
    w.db[B].received = (char *)"0-1-20";
    later(10000);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.db[B].received = (char *)"0-1-21";
    later(10000);
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.members[1].incarnation, 103);
}

/* While {A,B},1 is in the log it may count already, though B has just stumbled: the rule stays. */
static void test_rule_is_not_lowered_under_an_open_proposal(void)
{
    all_well();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db[B].receiving = false;
    w.input.proposal_pending = true;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.input.proposal_pending = false;
    w.input.db_busy = true; /* what is seen during an operation on the rule does not count */
    w.db[B].receiving = true;
    decide();
    later(10000);
    decide();
    later(10000);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
}

static void test_alone(void)
{
    group_is_well(1, ACKS_ANY);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_TRUE(w.out.vip_hold);
    CU_ASSERT_STRING_EQUAL(w.out.waiting_for, "");
}

static void test_replica_with_a_full_disk(void)
{
    all_well();
    w.db[B].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL;
    decide();
    later(E_US / 2);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    later(E_US);
    w.raft.round_sent_us = w.input.now_us + 1;
    decide();
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.command.text, "its disk is full"));
    applied();
    w.db[A].acks = 0;
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);                       /* nor does it come in again */
    w.db[B].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD; /* a backup */
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
}

/* B is heard, its server answers, but what A sends does not arrive: until something does. */
static void test_receiver_hangs(void)
{
    static const uint64_t step_us = 250000;

    all_well();
    w.db[A].executed = (char *)"0-1-20";
    w.db[A].waiting_commits = 2;
    w.db[B].received_log = 100;
    for (unsigned i = 0; i < 20; i++, w.db[B].received_log++) { /* one large transaction */
        later(step_us);
        w.raft.round_sent_us = w.input.now_us + 1;
        decide();
        CU_ASSERT_FALSE(w.out.propose);
    }
    uint64_t stopped_us = w.input.now_us;
    while (!w.out.propose && w.input.now_us < stopped_us + 10000000) {
        later(step_us);
        w.raft.round_sent_us = w.input.now_us + 1;
        decide();
    }
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.command.text, "it receives nothing"));
    CU_ASSERT_TRUE(w.input.now_us > stopped_us + E_US && w.input.now_us < stopped_us + 3 * E_US);
}

/* Nothing is sent, so nothing arrives: A waits for room on its disk before anything could leave it. */
static void test_nothing_to_receive(void)
{
    all_well();
    w.db[A].executed = (char *)"0-1-20";
    for (unsigned i = 0; i < 40; i++) {
        later(250000);
        w.raft.round_sent_us = w.input.now_us + 1;
        decide();
        CU_ASSERT_FALSE(w.out.propose);
    }
}

/* B comes and goes: it is taken in again after a while, and after a longer one. */
static void test_flapping(void)
{
    uint64_t calm_us[] = {0, 2000000, 4000000, 8000000};

    for (unsigned i = 0; i < 4; i++) {
        if (i == 0) {
            all_well();
            decide();
        }
        sync_is(2, 1);
        w.db[A].acks = 1;
        w.db[B].receiving = true;
        later(1000);
        decide();
        w.db[B].state = MHA__DB_STATE__DB_DOWN;
        later(1000);
        decide();
        w.raft.round_sent_us = w.input.now_us + 1;
        w.input.now_us += 2;
        decide();
        applied();
        w.db[A].acks = 0;
        w.db[B].state = MHA__DB_STATE__DB_UP;
        decide();
        uint64_t dropped_us = w.input.now_us;
        do {
            later(100000);
            decide();
        } while (w.out.db_op == DB_OP_NONE && w.input.now_us < dropped_us + 20000000);
        CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
        CU_ASSERT_TRUE(w.input.now_us >= dropped_us + calm_us[i]);
        CU_ASSERT_TRUE(w.input.now_us < dropped_us + calm_us[i] + 1000000);
    }
}

int main(void)
{
    static const struct policy_test tests[] = {
        {"a replica dies: weaken, commit first", test_replica_dies},
        {"a replica's receiver hangs", test_receiver_hangs},
        {"a replica has nothing to receive", test_nothing_to_receive},
        {"a replica's host is silent", test_replica_host_is_silent},
        {"a replica returns: strengthen, database first", test_replica_returns},
        {"a replica restarts while it joins", test_replica_restarts_while_it_joins},
        {"the rule is not lowered under an open proposal", test_rule_is_not_lowered_under_an_open_proposal},
        {"a single data node", test_alone},
        {"a replica with a full disk", test_replica_with_a_full_disk},
        {"a replica that comes and goes", test_flapping},
    };

    return run_policy_tests("policy: sync set", tests, sizeof tests / sizeof tests[0]);
}
