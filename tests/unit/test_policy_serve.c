/* The policy of the primary: opening and serving. */
#include "tests/unit/policy_fixture.h"

/* The database cannot be opened, for longer than E: who has all joins, and takes over. */
static void test_opening_fails(void)
{
    all_well();
    w.state.primary.opened = false;
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    usable(&w.db[A], 101);
    w.vip.held = false;
    w.input.failed_op = DB_OP_PROMOTE;
    w.input.failed_us = NOW_US;
    w.db[B].received = (char *)"0-1-9"; /* not all */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    later(E_US + 1);
    decide();
    CU_ASSERT_EQUAL(w.tracker.opening_fails_since_us, 0); /* it was once, a while ago */
    w.input.failed_us = w.input.now_us;
    decide();
    for (unsigned i = 0; i < 6; i++) {
        later(E_US / 5);
        w.input.failed_us = w.input.now_us;
        decide();
    }
    CU_ASSERT_FALSE(w.out.propose);
    w.db[B].received = (char *)"0-1-10";
    decide();
    CU_ASSERT_TRUE(w.out.propose);
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    decide();
    CU_ASSERT_TRUE(w.out.end_lease);
    CU_ASSERT_EQUAL(w.out.transfer_to, B);
}

/* What a fence reports itself shows the log as it was before: who has all of that may still lack a write that
 * was acknowledged, and may not become a member by it. */
static void test_closed_log_is_of_a_later_look(void)
{
    all_well();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db[A].acks = 0;
    decide();
    later(1000);
    usable(&w.db[A], 101); /* fenced */
    w.db[A].written_epoch = TERM;
    w.db[A].observed_us = w.input.now_us;
    w.vip.held = false;
    w.input.failed_op = DB_OP_OPEN;
    for (unsigned i = 0; i < 7; i++) {
        w.input.failed_us = w.input.now_us;
        decide();
        CU_ASSERT_FALSE(w.out.propose);
        later(E_US / 5);
        w.db[A].observed_us = w.tracker.closed_us;
    }
    w.input.failed_us = w.input.now_us;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.db[A].observed_us++;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_SYNC);
}

/* "no session is admitted until k members of M hold it", in the start of theirs that is a member */
static void test_opening_waits_for_members(void)
{
    all_well();
    usable(&w.db[A], 101);
    w.db[A].acks = 1;
    w.db[A].acks_enforced = true;
    w.db[B].received = (char *)"0-1-4";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[B].received = (char *)"0-1-10";
    w.db[B].incarnation = 555;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[B].incarnation = 102;
    w.db[A].acks = 0;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE); /* first the rule */
    CU_ASSERT_EQUAL(w.out.db_acks, 1);
    w.db[A].acks = 1;
    w.db[A].acks_enforced = true;
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
}

/* A rule that may be committed any moment must be in force before anybody writes. */
static void test_opening_waits_for_proposals(void)
{
    all_well();
    usable(&w.db[A], 101);
    w.db[A].acks = 1;
    w.db[A].acks_enforced = true;
    decide();
    later(1000); /* all else is right */
    w.input.proposal_pending = true;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.input.proposal_pending = false;
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
}

static void test_address_refused(void)
{
    all_well();
    w.vip.held = false;
    decide();
    CU_ASSERT_EQUAL(w.out.transfer_to, 0);
    CU_ASSERT_FALSE(w.out.end_lease);
    later(E_US + 1);
    decide();
    CU_ASSERT_TRUE(w.out.end_lease); /* another node does better */
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db[A].acks = 0;
    decide();
    CU_ASSERT_FALSE(w.out.end_lease); /* nobody else may: go on without, and say so */
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "address"));
}

/* A stranger has the address, or the network is down for both: moving would only end everybody's sessions. */
static void test_address_trouble_that_moving_does_not_mend(void)
{
    all_well();
    w.vip.held = false;
    w.vip.conflict = true;
    decide();
    later(E_US + 1);
    decide();
    CU_ASSERT_FALSE(w.out.end_lease);
    w.vip.conflict = false;
    w.vip_b.link_up = false;
    later(E_US + 1);
    decide();
    CU_ASSERT_FALSE(w.out.end_lease);
    w.vip_b.link_up = true;
    decide();
    CU_ASSERT_TRUE(w.out.end_lease);
}

/* The worker says nothing, or the account is refused: not for ever. */
static void test_database_that_cannot_be_observed(void)
{
    all_well();
    w.input.db = NULL;
    decide();
    CU_ASSERT_EQUAL(w.out.lease_epoch, TERM);
    later(5000001);
    decide();
    CU_ASSERT_TRUE(w.out.end_lease);
    CU_ASSERT_EQUAL(w.out.lease_epoch, 0);
}

/* Only the members' acknowledgements count before anybody writes. */
static void test_acknowledgers_before_the_opening(void)
{
    group_is_well(3, ACKS_COUNT);
    sync_is(2, 1);
    usable(&w.db[A], 101);
    w.db[A].acks = 1;
    w.db[A].acks_enforced = true;
    acknowledgers_at_a("c");
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_ACKNOWLEDGING);
    CU_ASSERT_STRING_EQUAL(w.out.db_node, "b");
    CU_ASSERT_TRUE(w.out.db_allowed);
    acknowledgers_at_a("bc");
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_ACKNOWLEDGING);
    CU_ASSERT_STRING_EQUAL(w.out.db_node, "c");
    CU_ASSERT_FALSE(w.out.db_allowed);
    acknowledgers_at_a("b");
    w.input.db_settled = false;
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE); /* a late statement may undo it */
    w.input.db_settled = true;
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
}

/* "no session is admitted until k members of M hold it" */
static void test_two_members_hold_the_record(void)
{
    group_is_well(5, ACKS_NAMED);
    sync_is(5, 2);
    usable(&w.db[A], 101);
    w.db[A].acks = 2;
    w.db[A].acks_enforced = true;
    acknowledgers_at_a("bcde");
    decide();
    later(1000);
    w.db[C].received = w.db[D].received = w.db[E].received = (char *)"0-1-4";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db[E].received = (char *)"0-1-10";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
    /* the record itself is written under the rule with its names */
    w.state.primary.opened = false;
    w.db[A].written_epoch = TERM - 1;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_PROMOTE);
    CU_ASSERT_EQUAL(w.out.db_acks, 2);
    CU_ASSERT_EQUAL(w.out.db_name_count, 4);
}

/* OPEN fails: neither it nor what leads to it is asked for again at once. */
static void test_failed_opening_is_not_repeated_at_once(void)
{
    all_well();
    w.db[A].open = false;
    w.db[A].read_only = w.db[A].fenced = true;
    w.db[B].executed = w.db[B].received = (char *)"0-1-10";
    decide();
    later(1000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
    w.input.failed_op = DB_OP_OPEN;
    w.input.failed_us = w.input.now_us;
    w.input.db_settled = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.input.failed_op = DB_OP_NONE; /* another operation would have succeeded */
    w.input.db_settled = true;
    later(10000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    later(200000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
    w.raft.lease_until_us = w.input.now_us + E_US / 8; /* it would be fenced at once */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "lease"));
}

/* A full disk moves the primary if it can; what somebody holds up and lets go of does not. */
static void test_trouble_of_the_disk(void)
{
    all_well();
    w.db[A].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL;
    decide();
    CU_ASSERT_FALSE(w.out.end_lease); /* it may pass */
    later(E_US);
    decide();
    CU_ASSERT_TRUE(w.out.end_lease);
    CU_ASSERT_STRING_EQUAL(w.out.db_reason, "its disk is full");

    all_well();
    w.db[A].state = MHA__DB_STATE__DB_HUNG;
    w.db[A].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL;
    decide();
    CU_ASSERT_TRUE(w.out.end_lease);
    w.db[B].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_READ_ONLY_FILES; /* no better */
    memset(&w.tracker, 0, sizeof w.tracker);
    decide();
    CU_ASSERT_FALSE(w.out.end_lease);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);

    all_well();
    w.db[A].state = MHA__DB_STATE__DB_HUNG;
    for (int i = 0; i < 2; i++) {
        w.db[A].trouble_kind =
            i ? MHA__DB_TROUBLE__DB_TROUBLE_NO_CONNECTION_FREE : MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD;
        decide();
        later(20 * E_US);
        decide();
        CU_ASSERT_FALSE(w.out.end_lease);
        CU_ASSERT_TRUE(w.out.vip_hold);
        CU_ASSERT_EQUAL(w.out.lease_epoch, TERM);
    }
    w.db[A].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_NONE;
    decide();
    CU_ASSERT_TRUE(w.out.end_lease);
}

/* A server that was started in place and recovers may not answer for a while: it is not killed for that, as
 * long as nobody else could take over. */
static void test_recovery_takes_its_time(void)
{
    all_well();
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    decide();
    w.db[A].state = MHA__DB_STATE__DB_DOWN;
    w.db[A].open = false;
    w.vip.held = false;
    w.input.vip_released_epoch = TERM;
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_NONE); /* a round has to tell that nobody else leads */
    w.raft.lease_ended = true;
    later(1000);
    w.raft.round_sent_us = w.input.now_us + 1;
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_START_IN_PLACE);
    w.input.server_busy = true;
    later(1000);
    decide();
    w.input.server_busy = false;
    w.db[A].state = MHA__DB_STATE__DB_HUNG;
    w.db[A].fenced = false;
    later(20000000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    CU_ASSERT_EQUAL(w.out.lease_epoch, 0);
    CU_ASSERT_FALSE(w.out.vip_hold);
    usable(&w.db[B], 102); /* somebody else could: it is not waited for */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    later(60000000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE); /* that long it does not take */

    all_well(); /* one that hangs while it serves is ended at once */
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    decide();
    w.db[A].state = MHA__DB_STATE__DB_HUNG;
    w.db[A].fenced = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
}

int main(void)
{
    static const struct policy_test tests[] = {
        {"the opening fails", test_opening_fails},
        {"the log of a closed database is of a later look", test_closed_log_is_of_a_later_look},
        {"the opening waits for members", test_opening_waits_for_members},
        {"the opening waits for what is proposed", test_opening_waits_for_proposals},
        {"the address is refused", test_address_refused},
        {"address trouble that moving does not mend", test_address_trouble_that_moving_does_not_mend},
        {"a database that cannot be observed", test_database_that_cannot_be_observed},
        {"who may acknowledge is right before the opening", test_acknowledgers_before_the_opening},
        {"two members hold the epoch record", test_two_members_hold_the_record},
        {"a failed opening is not repeated at once", test_failed_opening_is_not_repeated_at_once},
        {"what moves the primary, and what does not", test_trouble_of_the_disk},
        {"recovery takes its time", test_recovery_takes_its_time},
    };

    return run_policy_tests("policy: serve", tests, sizeof tests / sizeof tests[0]);
}
