/* The promotion rule. */
#include "tests/unit/policy_fixture.h"

/* What it acknowledged lies in its relay log and cannot be applied: another one, or nobody. */
static void test_applier_fails(void)
{
    b_leads_after_a_died();
    w.db[B].frozen_term = TERM + 1;
    w.db[B].drained = w.db[B].applying = false;
    w.db[B].source = (char *)"192.0.2.1:3306";
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_FALSE(w.out.promotable);
    CU_ASSERT_NOT_EQUAL(w.out.db_op, DB_OP_DRAIN);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "cannot be applied"));
}

/* A leads again after a crash of its database; B has something that A lacks. */
static void a_leads_again(const char *at_b)
{
    all_well();
    w.raft.term = TERM + 1;
    usable(&w.db[A], 103);
    w.db[A].frozen_term = w.db[B].frozen_term = TERM + 1;
    w.report[A].term = w.report[B].term = TERM + 1;
    w.db[B].received = (char *)at_b;
    decide();
}

/* One acknowledgement of two possible ones: both positions are needed, for either may be the one. */
static void test_every_acknowledger_is_represented(void)
{
    b_leads_after_a_died();
    w.state.sync =
        (struct sync_set){.version = 4, .acks = 1, .count = 3, .members = {{A, 101}, {B, 102}, {4, 104}}};
    w.db[B].frozen_term = TERM + 1;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "positions"));
    w.state.sync.acks = 2; /* each holds everything */
    decide();
    CU_ASSERT_TRUE(w.out.propose);
}

static void test_replica_with_more(void)
{
    a_leads_again("0-1-10,0-2-11"); /* an errant transaction of B's own server: it leaves the sync set */
    CU_ASSERT_TRUE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 1);
    a_leads_again("0-1-11"); /* a write of A's that A has no more */
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.transfer_to, B);
    a_leads_again("0-1-11,0-2-9"); /* and B cannot be promoted */
    w.db[B].frozen_term = TERM;
    later(0);
    decide();
    CU_ASSERT_TRUE(w.out.propose); /* what is not frozen does not count */
    w.db[B].frozen_term = TERM + 1;
    w.db[B].drained = w.db[B].applying = false;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "holds writes that this node lacks"));
}

static void test_not_in_sync_set_is_not_promoted(void)
{
    b_leads_after_a_died();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db[B].frozen_term = TERM + 1;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_FALSE(w.out.promotable);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "not in the sync set"));
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "--accept-data-loss"));
    /* an operator decides: only with the old primary's fence confirmed, or with his word for it */
    w.state.force = (struct cluster_force){.id = 9, .node = B};
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.state.force.old_primary_is_off = true;
    decide();
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.change, MHA__CHANGE_KIND__CHANGE_FORCED);
}

static void test_restarted_replica_counts_with_old_primary_only(void)
{
    b_leads_after_a_died();
    w.db[B].frozen_term = TERM + 1;
    w.db[B].incarnation = 555; /* its relay log is gone */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "restarted"));
    /* the old primary comes back, fenced and frozen in this term: it leads again, for it has everything */
    w.nodes[0].heard_us = w.nodes[0].reported_us = NOW_US;
    w.db[A].open = false;
    w.db[A].fenced = w.db[A].read_only = true;
    w.report[A].term = TERM + 1;
    w.db[A].executed = w.db[A].received = (char *)"0-1-12";
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.transfer_to, A);
    /* B would count again with A's word: fenced, and frozen in this term. */
    char why[CLUSTER_TEXT_BYTES];
    w.db[A].executed = w.db[A].received = (char *)"0-1-10";
    w.db[A].frozen_term = TERM + 1;
    CU_ASSERT_TRUE(policy_promotable(&w.input, &w.nodes[1], why, sizeof why));
    w.db[A].fenced = false;
    CU_ASSERT_FALSE(policy_promotable(&w.input, &w.nodes[1], why, sizeof why));
    w.db[A].fenced = true;
    w.db[A].frozen_term = TERM;
    CU_ASSERT_FALSE(policy_promotable(&w.input, &w.nodes[1], why, sizeof why));
    w.db[A].frozen_term = TERM + 1;
    w.db[A].executed = (char *)"0-1-11";
    CU_ASSERT_FALSE(policy_promotable(&w.input, &w.nodes[1], why, sizeof why));
}

static void test_lacking_the_epoch_record(void)
{
    b_leads_after_a_died();
    w.db[B].frozen_term = TERM + 1;
    w.db[B].received = w.db[B].executed = (char *)"0-1-4";
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "lacks the record of epoch"));
}

int main(void)
{
    static const struct policy_test tests[] = {
        {"an applier that fails", test_applier_fails},
        {"every acknowledger is represented", test_every_acknowledger_is_represented},
        {"a replica that has more than the old primary", test_replica_with_more},
        {"outside the sync set: only by force", test_not_in_sync_set_is_not_promoted},
        {"a restarted replica counts with the old primary only",
         test_restarted_replica_counts_with_old_primary_only},
        {"without the newest epoch record: no promotion", test_lacking_the_epoch_record},
    };

    return run_policy_tests("policy: promotion", tests, sizeof tests / sizeof tests[0]);
}
