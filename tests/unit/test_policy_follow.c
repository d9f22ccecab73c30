/* The policy of those that do not lead. */
#include "tests/unit/policy_fixture.h"

static void test_old_primary_returns(void)
{
    all_well(); /* now from A's eyes as a follower of B, which was promoted in term 8 */
    w.raft.role = RAFT_FOLLOWER;
    w.raft.term = TERM + 1;
    w.raft.leader = B;
    w.state.primary =
        (struct cluster_primary){.node = B, .epoch = TERM + 1, .opened = true, .epoch_position = "0-2-11"};
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{B, 102}}};
    w.report[B].term = TERM + 1;
    w.db[B].executed = w.db[B].received = (char *)"0-1-10,0-2-11";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE); /* still open: first of all closed */
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_START_TO_FOLLOW);
    usable(&w.db[A], 103);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
    CU_ASSERT_EQUAL(w.out.db_port, 3306);
    w.db[A].received = w.db[A].executed = (char *)"0-1-11";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* diverged: set aside, never merged */
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "lacks"));
    /* counted as a member with an earlier start: not before it was dropped */
    w.db[A].received = w.db[A].executed = (char *)"0-1-10";
    w.state.sync = (struct sync_set){.version = 5, .acks = 1, .count = 2, .members = {{B, 102}, {A, 101}}};
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "drops it"));
}

static void test_crashed_primary_is_not_cut_while_a_member(void)
{
    all_well(); /* A's database died; B leads term 8 but has not promoted itself yet */
    w.raft.role = RAFT_FOLLOWER;
    w.raft.term = TERM + 1;
    w.raft.leader = B;
    w.report[B].term = TERM + 1;
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_NONE);
    cluster_state_init(&w.state); /* a restarted agent has not replayed its log yet: it must not guess */
    w.raft.current = false;
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_NONE);
    w.raft.current = true;
    w.state.primary = (struct cluster_primary){
        .node = A, .epoch = TERM, .opened = true, .epoch_position = "0-1-5", .incarnation = 101};
    w.state.sync = (struct sync_set){.version = 3, .acks = 1, .count = 2, .members = {{A, 101}, {B, 102}}};
    w.db[B].incarnation = 555; /* B cannot: A is needed, with all it has */
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_START_IN_PLACE);
}

static void test_hung_member_keeps_what_it_received(void)
{
    all_well();
    seen_from_b();
    w.raft.role = RAFT_FOLLOWER;
    w.db[B].state = MHA__DB_STATE__DB_HUNG;
    w.raft.leader = 0; /* A is gone, too: B's relay log may be needed */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.raft.leader = A;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
}

/* With several members the leader may lack positions: then the old primary's database is needed, as it is. */
static void test_crashed_primary_whose_position_is_needed(void)
{
    group_is_well(3, ACKS_COUNT);
    w.raft.role = RAFT_FOLLOWER;
    w.raft.term = TERM + 1;
    w.raft.leader = B;
    w.report[B].term = TERM + 1;
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_NONE);
    w.report[B].promotable = false;
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_START_IN_PLACE);
}

/* "add a member at the same k: commit first, then let it acknowledge": where the nodes are told apart, who is
 * not counted at the primary stands by. */
static void test_newcomer_does_not_acknowledge_yet(void)
{
    group_is_well(3, ACKS_ANY);
    w.raft.role = RAFT_FOLLOWER;
    sync_is(2, 1);
    seen_from(C);
    w.db[C].receiving = w.db[C].acknowledging = false;
    w.db[C].source = (char *)"";
    w.db[C].source_epoch = 0;
    decide(); /* its account there is not locked yet */
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
    CU_ASSERT_TRUE(w.out.db_standing_by);
    w.db[A].acknowledgers_known = false;
    w.db[A].n_acknowledgers = 0;
    decide(); /* it would be counted */
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "account of its own"));
    acknowledgers_at_a("b");
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
    CU_ASSERT_TRUE(w.out.db_standing_by);
    acknowledgers_at_a("bc");
    sync_is(3, 1); /* a member: that is committed */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
    CU_ASSERT_FALSE(w.out.db_standing_by);
    sync_is(1, 0); /* no committed rule counts anybody: what the primary says is enough */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
    CU_ASSERT_FALSE(w.out.db_standing_by);
    w.input.settings.acks_kind = ACKS_NAMED; /* whoever follows, C is not named */
    acknowledgers_at_a("b");
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
    CU_ASSERT_FALSE(w.out.db_standing_by);
}

/* A password that had expired, say, and is right again: nobody but the agent starts the receiver. */
static void test_receiver_that_gave_up_follows_again(void)
{
    uint64_t told_us = 0, least_us = UINT64_MAX, most_us = 0;
    unsigned told = 0;

    all_well();
    seen_from_b();
    w.raft.role = RAFT_FOLLOWER;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[B].receiving = w.db[B].acknowledging = false;
    decide(); /* it tries by itself */
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[B].receiver_stopped = true;
    decide(); /* stopped by hand */
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[B].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_REPLICATION_REFUSED;
    for (unsigned i = 0; i < 1200; i++) { /* two minutes */
        later(100000);
        decide();
        if (w.out.db_op != DB_OP_FOLLOW)
            continue;
        if (told_us && w.input.now_us - told_us < least_us)
            least_us = w.input.now_us - told_us;
        if (told_us && w.input.now_us - told_us > most_us)
            most_us = w.input.now_us - told_us;
        told_us = w.input.now_us;
        told++;
    }
    CU_ASSERT(told >= 8 && told <= 12);
    CU_ASSERT(least_us >= 2000000 && most_us <= 17000000);
    w.db[B].applying = false; /* what it has received and not applied might be lost */
    later(30000000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[B].applying = true;
    w.db[B].frozen_term = 0;
    w.raft.term++; /* there is no primary of this term yet: it stays stopped */
    decide();
    CU_ASSERT_NOT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
}

static void expect_change_over(bool standing_by)
{
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
    CU_ASSERT_EQUAL(w.out.db_standing_by, standing_by);
    CU_ASSERT_EQUAL(w.out.db_epoch, TERM);
    CU_ASSERT_EQUAL(w.out.db_port, 3306);
    w.db[C].receiving = true;
    w.db[C].standing_by = w.db[C].standby_account = standing_by;
    w.db[C].acknowledging = !standing_by;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
}

/* By level: whatever it does now, it does what the primary's server says of it. */
static void test_changes_over(void)
{
    group_is_well(3, ACKS_ANY);
    w.raft.role = RAFT_FOLLOWER;
    sync_is(3, 1);
    seen_from(C);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    acknowledgers_at_a("b"); /* withdrawn */
    expect_change_over(true);
    /* its receiver connects anew, or cannot: that is the server's own business */
    w.db[C].receiving = w.db[C].standing_by = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    acknowledgers_at_a("bc");
    expect_change_over(false);
    w.db[C].receiving = w.db[C].acknowledging = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    sync_is(2, 1); /* dropped, and not yet withdrawn as far as is known here */
    expect_change_over(true);
    acknowledgers_at_a("bc");
    sync_is(3, 1);
    w.db[A].acknowledgers_known = false;
    decide(); /* one account for all */
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[A].acknowledgers_known = true;
    w.nodes[A - 1].reported_us = NOW_US - 2 * E_US; /* nothing is known of the primary now */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
}

static void test_a_start_takes_its_time(void)
{
    all_well();
    seen_from_b();
    w.raft.role = RAFT_FOLLOWER;
    sync_is(1, 0);
    w.input.server_busy = true;
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    decide();
    w.input.server_busy = false;
    w.db[B].state = MHA__DB_STATE__DB_HUNG;
    later(30000000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[B].state = MHA__DB_STATE__DB_UP; /* it answered: from now on it serves */
    decide();
    w.db[B].state = MHA__DB_STATE__DB_HUNG;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
}

int main(void)
{
    static const struct policy_test tests[] = {
        {"the old primary returns", test_old_primary_returns},
        {"a crashed primary is not cut while a member", test_crashed_primary_is_not_cut_while_a_member},
        {"a hung member keeps what it received", test_hung_member_keeps_what_it_received},
        {"a crashed primary whose position is needed", test_crashed_primary_whose_position_is_needed},
        {"a newcomer does not acknowledge yet", test_newcomer_does_not_acknowledge_yet},
        {"a replica changes over as the primary says", test_changes_over},
        {"a receiver that gave up follows again", test_receiver_that_gave_up_follows_again},
        {"a start takes its time", test_a_start_takes_its_time},
    };

    return run_policy_tests("policy: follow", tests, sizeof tests / sizeof tests[0]);
}
