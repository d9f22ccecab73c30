/* What operators ask for. */
#include "tests/unit/policy_fixture.h"

static void test_switchover(void)
{
    struct cluster_command command;
    char error[512];

    all_well();
    CU_ASSERT_FALSE(policy_request_switchover(&w.input, A, 1000000, &command, error, sizeof error));
    CU_ASSERT_FALSE(policy_request_switchover(&w.input, ARB, 1000000, &command, error, sizeof error));
    CU_ASSERT_TRUE(policy_request_switchover(&w.input, 0, 1000000, &command, error, sizeof error));
    CU_ASSERT_EQUAL(command.node, B);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &command));
    w.db[B].executed = (char *)"0-1-9";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* B has not applied the end of the log of this moment */
    later(300000);
    w.db[B].executed = (char *)"0-1-10";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* it has now, but too long after */
    later(100000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_CLOSE);
    CU_ASSERT_EQUAL(w.out.lease_epoch, TERM); /* a way back until the transfer */
    w.db[A].open = false;
    w.db[A].read_only = w.db[A].fenced = true;
    w.db[A].executed = (char *)"0-1-15";
    decide();
    CU_ASSERT_FALSE(w.out.end_lease); /* B does not have all yet */
    w.db[B].received = (char *)"0-1-15";
    decide();
    CU_ASSERT_TRUE(w.out.end_lease);
    CU_ASSERT_FALSE(w.out.vip_hold);
    CU_ASSERT_EQUAL(w.out.transfer_to, 0);
    w.vip.held = false;
    w.raft.lease_ended = true;
    decide();
    CU_ASSERT_EQUAL(w.out.transfer_to, B);
    /* B leads: the sync set stays whole, for A can acknowledge as soon as it follows */
    seen_from_b();
    w.raft.term = TERM + 1;
    w.raft.leader = B;
    w.raft.lease_ended = false;
    w.report[A].term = w.report[B].term = TERM + 1;
    w.db[A].frozen_term = w.db[B].frozen_term = TERM + 1;
    w.db[B].executed = (char *)"0-1-15";
    w.db[B].receiving = false;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.change, MHA__CHANGE_KIND__CHANGE_SWITCHOVER);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    w.db[B].written_epoch = TERM + 1;
    w.db[B].written_epoch_position = (char *)"0-2-16";
    w.db[B].acks = 1;
    decide();
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* A must hold the record first */
    w.db[A].source_epoch = TERM + 1;
    w.db[A].received = (char *)"0-1-15,0-2-16";
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* and B's commits must be seen to wait */
    w.db[B].acks_enforced = true;
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
}

static void test_switchover_has_a_way_back(void)
{
    struct cluster_command command;
    char error[512];

    all_well();
    CU_ASSERT_TRUE(policy_request_switchover(&w.input, B, 1000000, &command, error, sizeof error));
    cluster_state_apply(&w.state, &command);
    decide();
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_CLOSE);
    w.input.failed_op = DB_OP_CLOSE;
    w.input.failed_us = NOW_US;
    w.input.failed_error = "a statement runs for 70 s";
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SWITCHOVER_END);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.command.text, "70 s"));
    /* closed, but the target does not catch up */
    w.input.failed_op = DB_OP_NONE;
    w.db[A].open = false;
    w.db[A].read_only = w.db[A].fenced = true;
    w.db[A].executed = (char *)"0-1-15";
    decide();
    later(2000000);
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SWITCHOVER_END);
    cluster_state_apply(&w.state, &w.out.command);
    /* what a fence let go is visible there: it is opened again only once the members hold it */
    w.db[B].received = (char *)"0-1-10";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[B].received = (char *)"0-1-15";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
    /* the first that shows it closed may be the fence's own word, with the log as it was before */
    w.tracker.closed_us = w.db[A].observed_us;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
}

static void test_force_ends(void)
{
    struct cluster_command command;
    char error[512];

    /* the old primary serves after all */
    all_well();
    w.state.force = (struct cluster_force){.id = 9, .node = B};
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_FORCE_END);
    /* its target is of no use */
    b_leads_after_a_died();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    CU_ASSERT_FALSE(policy_request_failover(&w.input, B, false, &command, error, sizeof error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "--old-primary-is-off"));
    w.nodes[B - 1].learner = true; /* the leadership never goes there */
    CU_ASSERT_FALSE(policy_request_failover(&w.input, B, true, &command, error, sizeof error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "mhactl member list"));
    w.nodes[B - 1].learner = false;
    CU_ASSERT_TRUE(policy_request_failover(&w.input, B, true, &command, error, sizeof error));
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &command));
    w.db[B].state = MHA__DB_STATE__DB_HUNG;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.input.now_us += 2 * E_US;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_FORCE_END);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    /* one given in another situation is void */
    command.epoch--;
    CU_ASSERT_PTR_NOT_NULL(cluster_state_apply(&w.state, &command));
}

static void test_only_the_holder_ends_a_pause(void)
{
    struct cluster_command command;
    char error[512];

    b_leads_after_a_died();
    w.state.pause = (struct cluster_pause){.id = 4, .holder = A, .epoch = TERM, .length_us = 60000000};
    CU_ASSERT_FALSE(policy_request_resume(&w.input, &command, error, sizeof error));
    all_well();
    w.state.pause = (struct cluster_pause){.id = 4, .holder = A, .epoch = TERM, .length_us = 60000000};
    CU_ASSERT_TRUE(policy_request_resume(&w.input, &command, error, sizeof error));
}

static void test_who_may_leave_the_group(void)
{
    char error[512];

    group_is_well(3, ACKS_COUNT);
    CU_ASSERT_FALSE(policy_may_leave(&w.input, A, error, sizeof error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "mhactl switchover"));
    CU_ASSERT_FALSE(policy_may_leave(&w.input, B, error, sizeof error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "stop its agent"));
    sync_is(2, 1);
    CU_ASSERT_TRUE(policy_may_leave(&w.input, C, error, sizeof error));
    CU_ASSERT_TRUE(policy_may_leave(&w.input, 0, error, sizeof error));
    CU_ASSERT_TRUE(policy_may_leave(&w.input, 77, error, sizeof error));
    w.state.switchover = (struct cluster_switchover){.id = 4, .to = C};
    CU_ASSERT_FALSE(policy_may_leave(&w.input, C, error, sizeof error));
    w.state.switchover.id = 0;
    w.state.force = (struct cluster_force){.id = 4, .node = C};
    CU_ASSERT_FALSE(policy_may_leave(&w.input, C, error, sizeof error));
    w.state.force.id = 0;
    w.state.pause = (struct cluster_pause){.id = 4, .holder = C};
    CU_ASSERT_FALSE(policy_may_leave(&w.input, C, error, sizeof error));
    w.state.pause.id = 0;
    w.input.proposal_pending = true;
    CU_ASSERT_FALSE(policy_may_leave(&w.input, C, error, sizeof error));
    w.input.proposal_pending = false;
    CU_ASSERT_TRUE(policy_may_leave(&w.input, C, error, sizeof error));
    w.raft.role = RAFT_FOLLOWER;
    CU_ASSERT_FALSE(policy_may_leave(&w.input, C, error, sizeof error));
}

/* Where the server does not tell whose acknowledgements count, one that goes on receiving would be taken for
 * the member that comes after it. */
static void test_who_still_receives_stays(void)
{
    char error[512];

    all_well();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db[B].applying = false; /* set aside, and yet it receives */
    CU_ASSERT_FALSE(policy_may_leave(&w.input, B, error, sizeof error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "stop its agent and database"));
    w.db[A].acknowledgers_known = true;
    CU_ASSERT_TRUE(policy_may_leave(&w.input, B, error, sizeof error));
    w.db[A].acknowledgers_known = false;
    w.db[B].receiving = false; /* it may come back by itself, as long as it is told to follow */
    w.db[B].source = (char *)"192.0.2.1:3306";
    CU_ASSERT_FALSE(policy_may_leave(&w.input, B, error, sizeof error));
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    CU_ASSERT_TRUE(policy_may_leave(&w.input, B, error, sizeof error));
    w.db[B].state = MHA__DB_STATE__DB_UP;
    w.nodes[1].reported_us = NOW_US - 2 * E_US; /* its host is gone: an operator knows */
    CU_ASSERT_TRUE(policy_may_leave(&w.input, B, error, sizeof error));
    CU_ASSERT_TRUE(policy_may_leave(&w.input, ARB, error, sizeof error));
}

/* One-wait: the target receives, but is in no sync set: it joins first. */
static void test_switchover_to_a_standby(void)
{
    struct cluster_command command;
    char error[512];

    group_is_well(3, ACKS_ANY);
    sync_is(2, 1);
    acknowledgers_at_a("b");
    w.db[C].receiving = false;
    CU_ASSERT_FALSE(policy_request_switchover(&w.input, C, 1000000, &command, error, sizeof error));
    w.db[C].receiving = true;
    CU_ASSERT_TRUE(policy_request_switchover(&w.input, C, 1000000, &command, error, sizeof error));
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &command));
    w.db[C].received = (char *)"0-1-3";
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_TRUE(w.out.vip_hold); /* and serves on */
    w.db[C].received = (char *)"0-1-10";
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 3);
    applied();
    decide();
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_CLOSE);
    w.state.sync.count = 2;
    w.db[C].receiving = false; /* it stops */
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SWITCHOVER_END);
}

static void switchover_to_b(unsigned nodes)
{
    struct cluster_command command = {
        .kind = COMMAND_SWITCHOVER, .node = B, .epoch = TERM, .timeout_us = 10000000};

    group_is_well(nodes, ACKS_COUNT);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &command));
}

/* Writes are stopped only once the target may take over, and a majority may elect it. */
static void test_switchover_waits_for_votes(void)
{
    switchover_to_b(3);
    w.report[B].held_ms = 500;
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "until b again, after its restart"));
    w.report[B].held_ms = 0;
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_CLOSE);

    switchover_to_b(5);
    w.report[C].held_ms = w.report[D].held_ms = w.report[E].held_ms = 500;
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "a majority votes"));
    w.report[E].held_ms = 0;
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_CLOSE);

    switchover_to_b(3); /* not for ever */
    w.report[B].held_ms = 500;
    decide();
    later(10000001);
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SWITCHOVER_END);
}

/* Another member dies during a switchover: commits go on, and so does the stop of the writes. */
static void test_member_dies_during_a_switchover(void)
{
    switchover_to_b(3);
    decide();
    w.db[C].state = MHA__DB_STATE__DB_DOWN;
    w.db[B].executed = (char *)"0-1-3"; /* the target applies slowly */
    later(1000);
    decide();
    w.raft.round_sent_us = w.input.now_us + 1;
    w.input.now_us += 2;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_ACKNOWLEDGING);
    CU_ASSERT_STRING_EQUAL(w.out.db_node, "c");
    w.input.db_busy = true; /* not while something else is under way */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
}

int main(void)
{
    static const struct policy_test tests[] = {
        {"switchover, step by step", test_switchover},
        {"a switchover has a way back", test_switchover_has_a_way_back},
        {"a forced failover ends", test_force_ends},
        {"only its holder ends a pause", test_only_the_holder_ends_a_pause},
        {"who may leave the group", test_who_may_leave_the_group},
        {"who still receives stays", test_who_still_receives_stays},
        {"a switchover to a standby", test_switchover_to_a_standby},
        {"a switchover waits for who has just restarted", test_switchover_waits_for_votes},
        {"a member dies during a switchover", test_member_dies_during_a_switchover},
    };

    return run_policy_tests("policy: requests", tests, sizeof tests / sizeof tests[0]);
}
