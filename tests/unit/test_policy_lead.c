/* The policy of the leader: taking over, giving up, first start, pause. */
#include "tests/unit/policy_fixture.h"

static void test_calm(void)
{
    all_well();
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_EQUAL(w.out.lease_epoch, TERM);
    CU_ASSERT_TRUE(w.out.vip_hold);
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_FALSE(w.out.end_lease);
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_NONE);
    CU_ASSERT_STRING_EQUAL(w.out.waiting_for, "");
    seen_from_b();
    w.raft.role = RAFT_FOLLOWER;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_EQUAL(w.out.lease_epoch, 0);
    CU_ASSERT_FALSE(w.out.vip_hold);
    CU_ASSERT_TRUE(w.out.promotable);
}

static void test_database_dies(void)
{
    all_well();
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    decide();
    CU_ASSERT_FALSE(w.out.vip_hold);
    CU_ASSERT_EQUAL(w.out.lease_epoch, 0);
    CU_ASSERT_TRUE(w.out.end_lease);
    CU_ASSERT_FALSE(w.out.released); /* the address is still there */
    CU_ASSERT_EQUAL(w.out.transfer_to, 0);
    w.vip.held = false;
    w.raft.lease_ended = true;
    decide();
    CU_ASSERT_TRUE(w.out.released);
    CU_ASSERT_EQUAL(w.out.transfer_to, B);
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_NONE); /* its tail must not be kept: B takes over */
}

static void test_database_dies_alone(void)
{
    all_well();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    w.vip.held = false;
    decide();
    CU_ASSERT_EQUAL(w.out.transfer_to, 0);            /* B is not in the sync set */
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_NONE); /* is it still the leader? */
    later(10000);
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_START_IN_PLACE);
    usable(&w.db[A], 999);
    w.raft.lease_ended = true;
    decide();
    CU_ASSERT_TRUE(w.out.renew_term);
}

/* The address's absence is no release: vipd may be about to take it. */
static void test_release_is_confirmed(void)
{
    all_well();
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    w.vip.held = false;
    w.input.vip_until_us = NOW_US + 500000; /* a lease was given, its answer is not here */
    decide();
    CU_ASSERT_FALSE(w.out.released);
    w.input.vip_released_epoch = TERM;
    decide();
    CU_ASSERT_TRUE(w.out.released);

    all_well(); /* an earlier agent may have given vipd the lease of a pause */
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    w.vip.held = false;
    w.input.vip_until_us = w.input.vip_released_epoch = 0;
    w.state.pause = (struct cluster_pause){.id = 5, .holder = A, .epoch = TERM - 1, .length_us = 60000000};
    decide();
    CU_ASSERT_FALSE(w.out.released);
    w.input.vip_released_epoch = TERM;
    decide();
    CU_ASSERT_TRUE(w.out.released);

    all_well(); /* an opening that is under way when the address is lost */
    w.input.db_busy = true;
    w.db[A].open = false;
    w.db[A].read_only = w.db[A].fenced = true;
    w.vip.held = false;
    w.raft.lease_ended = true;
    decide();
    CU_ASSERT_FALSE(w.out.released);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
}

/* Who enforces hangs: after E the leases are over, and the leadership moves without a release. */
static void test_enforcers_hang(void)
{
    all_well();
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    w.input.vip_until_us = NOW_US + 500000;
    decide();
    CU_ASSERT_TRUE(w.out.end_lease);
    w.raft.lease_ended = true;
    later(100000);
    decide();
    CU_ASSERT_EQUAL(w.out.transfer_to, 0);
    later(E_US);
    decide();
    CU_ASSERT_FALSE(w.out.released);
    CU_ASSERT_EQUAL(w.out.transfer_to, B);
}

static void test_database_hangs(void)
{
    all_well();
    w.db[A].state = MHA__DB_STATE__DB_HUNG;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
    CU_ASSERT_FALSE(w.out.vip_hold);
    CU_ASSERT_EQUAL(w.out.transfer_to, 0);
}

static void test_failover(void)
{
    b_leads_after_a_died();
    w.raft.ready = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FREEZE);
    CU_ASSERT_EQUAL(w.out.db_epoch, TERM + 1);
    CU_ASSERT_FALSE(w.out.propose);
    w.raft.ready = true;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FREEZE);
    w.db[B].frozen_term = TERM + 1;
    w.db[B].drained = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_DRAIN);
    CU_ASSERT_FALSE(w.out.propose);
    w.db[B].drained = true;
    decide();
    CU_ASSERT_TRUE(w.out.propose);
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.change, MHA__CHANGE_KIND__CHANGE_FAILOVER);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0); /* A leaves the set in the same entry */
    CU_ASSERT_EQUAL(w.out.command.sync.count, 1);
    CU_ASSERT_EQUAL(w.out.lease_epoch, 0);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_PROMOTE);
    CU_ASSERT_EQUAL(w.out.db_acks, 0);
    CU_ASSERT_EQUAL(w.out.lease_epoch, TERM + 1);
    CU_ASSERT_FALSE(w.out.vip_hold);
    w.db[B].written_epoch = TERM + 1;
    w.db[B].written_epoch_position = (char *)"0-2-11";
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_OPENED);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* not open before its record's position is committed */
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
    CU_ASSERT_FALSE(w.out.vip_hold);
    w.db[B].open = true;
    w.db[B].read_only = false;
    decide();
    CU_ASSERT_TRUE(w.out.vip_hold);
}

/* What an earlier term opened is closed before anything else. */
static void test_open_database_is_closed_first(void)
{
    all_well();
    w.raft.term = TERM + 1;
    w.report[A].term = w.report[B].term = TERM + 1;
    w.db[A].frozen_term = w.db[B].frozen_term = TERM + 1;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.lease_epoch, 0);
}

static void test_first_start(void)
{
    all_well();
    cluster_state_init(&w.state);
    w.db[A].empty = w.db[B].empty = true;
    w.db[A].open = false;
    w.nodes[1].report = NULL;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.nodes[1].report = &w.report[B];
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.change, MHA__CHANGE_KIND__CHANGE_FIRST_START);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 1);
}

static void test_pause_forbids_promotion(void)
{
    b_leads_after_a_died();
    w.db[B].frozen_term = TERM + 1;
    w.state.pause = (struct cluster_pause){.id = 4, .holder = A, .epoch = TERM, .length_us = 60000000};
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "paused"));
    w.input.now_us += 60000001;
    w.nodes[1].heard_us = w.nodes[1].reported_us = w.nodes[2].heard_us = w.input.now_us;
    decide();
    CU_ASSERT_TRUE(w.out.propose);
}

static void test_pause_keeps_a_restart_of_the_database_in_place(void)
{
    all_well();
    w.state.pause = (struct cluster_pause){.id = 4, .holder = A, .epoch = TERM, .length_us = 60000000};
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    w.vip.held = false;
    w.input.vip_released_epoch = TERM;
    decide();
    w.raft.round_sent_us = NOW_US + 1;
    w.input.now_us += 2;
    decide();
    CU_ASSERT_EQUAL(w.out.transfer_to, 0);
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_START_IN_PLACE);
}

/* The agent of the paused primary stops, comes back, and leads again: nothing is given up, no other node is
 * promoted. */
static void test_pause_holds_over_a_restart(void)
{
    all_well();
    w.state.pause = (struct cluster_pause){.id = 4, .holder = A, .epoch = TERM, .length_us = 60000000};
    w.input.stopping = true;
    decide();
    CU_ASSERT_FALSE(w.out.end_lease);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_TRUE(w.out.vip_hold);
    /* back, and it knows nothing yet */
    w.input.stopping = false;
    w.raft.role = RAFT_FOLLOWER;
    w.raft.leader = 0;
    w.raft.current = false;
    struct cluster_state known = w.state;
    cluster_state_init(&w.state);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_TRUE(w.out.vip_leave);
    /* it leads again */
    w.state = known;
    w.raft = (struct raft_status){.role = RAFT_LEADER,
                                  .term = TERM + 2,
                                  .leader = A,
                                  .ready = true,
                                  .current = true,
                                  .lease_until_us = NOW_US + 800000,
                                  .round_sent_us = NOW_US - 1,
                                  .leader_since_us = NOW_US};
    w.report[A].term = w.report[B].term = TERM + 2;
    w.db[A].frozen_term = w.db[B].frozen_term = TERM + 2;
    w.db[B].receiving = false;
    decide();
    CU_ASSERT_TRUE(w.out.vip_leave);
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    CU_ASSERT_EQUAL(w.state.pause.epoch, TERM + 2);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op,
                    DB_OP_CLOSE); /* the record of an epoch is never written with the door open */
    CU_ASSERT_TRUE(w.out.vip_leave);
}

/* One voter, one database: first start, and a restart of both. */
static void test_single_node(void)
{
    group_is_well(1, ACKS_ANY);
    cluster_state_init(&w.state);
    usable(&w.db[A], 101);
    w.db[A].empty = true;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    applied();
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_PROMOTE);
    CU_ASSERT_EQUAL(w.out.db_acks, 0);
    w.db[A].written_epoch = TERM;
    w.db[A].written_epoch_position = (char *)"0-1-5";
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_OPENED);
    applied();
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
    /* both start again */
    w.raft.term = TERM + 1;
    w.report[A].term = TERM + 1;
    w.raft.leader_since_us = NOW_US;
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    decide();
    later(1000);
    w.raft.round_sent_us = w.input.now_us + 1;
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_START_IN_PLACE);
    usable(&w.db[A], 102);
    w.db[A].frozen_term = TERM + 1;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.change, MHA__CHANGE_KIND__CHANGE_RESTART);
    applied();
}

static void test_learners_are_not_waited_for(void)
{
    group_is_well(3, ACKS_COUNT);
    cluster_state_init(&w.state);
    usable(&w.db[A], 101);
    w.db[A].empty = w.db[B].empty = true;
    w.nodes[2].learner = true;
    w.nodes[2].report = NULL;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 1);
}

int main(void)
{
    static const struct policy_test tests[] = {
        {"all is well: nothing to do", test_calm},
        {"the database dies: give up, hand over", test_database_dies},
        {"the database dies and nobody else may: restart in place", test_database_dies_alone},
        {"a release is confirmed by vipd and by the end of what runs", test_release_is_confirmed},
        {"vipd or the dbworker hangs: the leases' end is waited for", test_enforcers_hang},
        {"the database hangs: fence", test_database_hangs},
        {"failover, step by step", test_failover},
        {"an open database is closed first", test_open_database_is_closed_first},
        {"first start", test_first_start},
        {"a pause forbids promotion for its length", test_pause_forbids_promotion},
        {"in a pause the database restarts in place", test_pause_keeps_a_restart_of_the_database_in_place},
        {"a pause holds over a restart", test_pause_holds_over_a_restart},
        {"a single data node", test_single_node},
        {"learners are not waited for", test_learners_are_not_waited_for},
    };

    return run_policy_tests("policy: lead", tests, sizeof tests / sizeof tests[0]);
}
