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
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
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
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
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

/* A leads again while its database is still open, and C, not frozen yet, still acknowledges there: what the
 * fence reports itself does not show the last writes, and B may lack them. */
static void test_own_log_is_of_a_later_look(void)
{
    group_is_well(3, ACKS_COUNT);
    w.raft.term = TERM + 1;
    w.raft.leader_since_us = NOW_US - E_US;
    w.report[A].term = w.report[B].term = TERM + 1;
    w.db[A].frozen_term = w.db[B].frozen_term = TERM + 1;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
    later(1000);
    usable(&w.db[A], 101);
    w.db[A].frozen_term = TERM + 1;
    w.db[A].observed_us = w.input.now_us;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_TRUE(w.out.db_watch);
    later(1000);
    w.db[A].executed = w.db[A].received = (char *)"0-1-11";
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0); /* B does not hold all, C may */
}

static void test_lacking_the_epoch_record(void)
{
    b_leads_after_a_died(); /* A wrote it and died before B had it: nobody was admitted under it */
    w.db[B].frozen_term = TERM + 1;
    w.db[B].received = w.db[B].executed = (char *)"0-1-4";
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    a_leads_again("0-1-4");
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    w.db[A].executed = w.db[A].received = (char *)"0-1-4"; /* A's own data went back */
    decide();
    CU_ASSERT_FALSE(w.out.promotable);
    CU_ASSERT_EQUAL(w.out.transfer_to, B);
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    decide();
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "lacks the record of epoch"));
}

/* ---- several data nodes ---- */

/* A is gone, B leads the next term, and all others are frozen in it. */
static void b_leads_a_group(unsigned data_nodes, enum policy_acks_kind kind, unsigned members, unsigned acks)
{
    group_is_well(data_nodes, kind);
    sync_is(members, acks);
    b_leads_the_next_term();
    for (unsigned i = 1; i < data_nodes; i++)
        w.db[1 + i].frozen_term = TERM + 1;
}

static void is_at(uint64_t id, const char *position)
{
    w.db[id].executed = w.db[id].received = (char *)position;
}

static void test_leadership_to_the_best(void)
{
    b_leads_a_group(3, ACKS_COUNT, 3, 1);
    is_at(C, "0-1-12");
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.transfer_to, C);
    CU_ASSERT_TRUE(w.out.end_lease);
    is_at(C, "0-1-9,0-3-4"); /* neither holds all of the other */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.transfer_to, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "c holds writes that this node lacks"));
}

/* Should the new primary die at once, k others must hold every acknowledged write. */
static void test_acks_that_members_can_give(void)
{
    b_leads_a_group(3, ACKS_COUNT, 3, 1);
    is_at(C, "0-1-9"); /* one of B and C acknowledged 0-1-10: it may be B alone */
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 1);
    is_at(C, "0-1-10");
    decide();
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 2);

    b_leads_a_group(5, ACKS_COUNT, 5, 2);
    decide();
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 2);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 4);
    is_at(C, "0-1-9");
    is_at(D, "0-1-8");
    is_at(E, "0-1-7"); /* two of four hold each write: one of them is not B */
    decide();
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 4);
    w.db[E].state = MHA__DB_STATE__DB_DOWN; /* it may be that one */
    decide();
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 0);
    is_at(C, "0-1-10");
    decide();
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 3);
}

/* The old primary holds all that it acknowledged: where it stays, the old rule stays. */
static void test_planned_keeps_acks(void)
{
    b_leads_a_group(5, ACKS_COUNT, 5, 2);
    w.nodes[0].heard_us = w.nodes[0].reported_us = NOW_US;
    w.report[A].term = TERM + 1;
    w.db[A].open = false;
    w.db[A].read_only = w.db[A].fenced = true;
    is_at(C, "0-1-9");
    is_at(D, "0-1-9");
    is_at(E, "0-1-9");
    w.state.switchover = (struct cluster_switchover){.id = 3, .from = A, .to = B, .epoch = TERM};
    decide();
    CU_ASSERT_FALSE(w.out.propose); /* the old primary is not frozen yet: worth a moment */
    w.db[A].frozen_term = TERM + 1;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 2);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 5);
}

static void test_positions_are_waited_for(void)
{
    b_leads_a_group(5, ACKS_COUNT, 5, 2);
    w.db[E].frozen_term = TERM; /* three of four are enough, but its word is on its way */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "position of e"));
    w.input.now_us += E_US / 4;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    w.db[D].frozen_term = TERM; /* two are not */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "positions of 3 of the 4"));
}

/* Too few positions: the old primary stands for them, and nothing of its own may be missing. */
static void test_old_primary_stands_for_others(void)
{
    b_leads_a_group(3, ACKS_COUNT, 3, 1);
    w.nodes[2].heard_us = w.nodes[2].reported_us = NOW_US - 2 * E_US;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_TRUE(w.out.promotable); /* it has just begun to lead */
    w.nodes[0].heard_us = w.nodes[0].reported_us = NOW_US;
    w.report[A].term = TERM + 1;
    usable(&w.db[A], 101);
    w.db[A].frozen_term = TERM + 1;
    decide();
    CU_ASSERT_TRUE(w.out.propose);
    is_at(A, "0-1-11"); /* C may have acknowledged it */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.transfer_to, 0);
    w.raft.leader_since_us = NOW_US - E_US;
    decide();
    CU_ASSERT_FALSE(w.out.promotable); /* the old primary may start in place, and lead */
    CU_ASSERT_EQUAL(w.out.transfer_to, A);
}

static void test_standby_that_is_ahead(void)
{
    b_leads_a_group(3, ACKS_ANY, 2, 1);
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE); /* it has no more than B */
    is_at(C, "0-1-12");
    w.report[C].promotable = false;
    decide();
    CU_ASSERT_FALSE(w.out.propose); /* its own word is not here yet */
    w.report[C].promotable = true;
    decide();
    CU_ASSERT_EQUAL(w.out.transfer_to, C);
    w.report[C].promotable = false; /* nor does it come */
    w.input.now_us += E_US / 4;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);

    b_leads_a_group(3, ACKS_ANY, 2, 1); /* C leads, and B says nothing */
    seen_from(C);
    w.raft.leader = C;
    is_at(C, "0-1-12");
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1); /* B holds all that was acknowledged */
    CU_ASSERT_EQUAL(w.out.command.sync.count, 2);
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_FALSE(w.out.promotable);
}

static void test_durable_receipts(void)
{
    b_leads_a_group(3, ACKS_COUNT, 3, 1);
    w.db[C].incarnation = 555;
    w.db[B].received_is_durable = true; /* of another server that says nothing */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.db[C].received_is_durable = true;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_EQUAL(cluster_sync_find(&w.out.command.sync, C)->incarnation, 555);
}

/* Someone whom nobody knows any more counts as one that is not heard. */
static void test_unknown_nodes(void)
{
    b_leads_a_group(3, ACKS_COUNT, 3, 1);
    w.state.sync.members[2].node = 77;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "positions of 2 of the 2"));
    w.state.sync.members[2].node = C;
    w.state.sync.members[0].node = w.state.primary.node = 77;
    decide();
    CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.command.text, "an unknown node was the primary"));
}

static void test_campaign_delays(void)
{
    group_is_well(5, ACKS_COUNT);
    w.raft.role = RAFT_FOLLOWER;
    seen_from(B);
    decide();
    CU_ASSERT_EQUAL(w.out.campaign_delay_us, 0);
    is_at(C, "0-1-11");
    is_at(D, "0-1-12");
    is_at(A, "0-1-99"); /* the primary itself does not count */
    decide();
    CU_ASSERT_EQUAL(w.out.campaign_delay_us, E_US / 8);
    w.db[D].state = MHA__DB_STATE__DB_DOWN;
    decide();
    CU_ASSERT_EQUAL(w.out.campaign_delay_us, E_US / 16);
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    decide();
    CU_ASSERT_EQUAL(w.out.campaign_delay_us, E_US);
}

static void expect_explained(const char *what)
{
    char text[1024];

    policy_explain_force(&w.input, B, text, sizeof text);
    if (!strstr(text, what))
        printf("\n  \"%s\" is not in\n%s\n", what, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, what));
}

/* What a forced failover would lose, as far as is known. */
static void test_what_would_be_lost(void)
{
    b_leads_a_group(3, ACKS_COUNT, 3, 1);
    w.db[A].received = w.db[A].executed = (char *)"0-1-14"; /* as last heard */
    w.db[C].received = w.db[C].executed = (char *)"0-1-11";
    expect_explained(
        "of the last primary a, as last heard 2 s ago: 4 transactions are missing: 0-1-11 to 0-1-14, and "
        "what it wrote after that");
    expect_explained("of the sync member c: 1 transaction is missing: 0-1-11 to 0-1-11.");
    expect_explained("b is in the sync set");
    w.db[A].received = w.db[A].executed = (char *)"0-1-10";
    expect_explained(
        "of the last primary a, as last heard 2 s ago: nothing is missing, but for what it wrote after");
    w.nodes[A - 1].report = NULL;
    sync_is(1, 0);
    expect_explained("of the last primary a: nothing is known");
    expect_explained("b is not in the sync set: clients may have been told");
    w.db[B].state = MHA__DB_STATE__DB_DOWN;
    expect_explained("What b holds is not known now");
}

/* Handed over to: who may campaign now, and who says itself that it may be promoted. */
static void test_to_whom_it_is_handed_over(void)
{
    group_is_well(3, ACKS_COUNT);
    w.report[B].held_ms = 500;
    CU_ASSERT_EQUAL(policy_best_other(&w.input)->id, C);
    w.db[C].received = w.db[C].executed = (char *)"0-1-9"; /* positions are compared there */
    CU_ASSERT_EQUAL(policy_best_other(&w.input)->id, C);
    w.report[C].held_ms = 700;
    CU_ASSERT_EQUAL(policy_best_other(&w.input)->id, B);
    w.report[B].held_ms = w.report[C].held_ms = 0;
    CU_ASSERT_EQUAL(policy_best_other(&w.input)->id, B);

    b_leads_a_group(3, ACKS_ANY, 2, 1); /* C is no member, and has more than the one that is */
    seen_from(A);
    w.nodes[A - 1].heard_us = w.nodes[A - 1].reported_us = NOW_US;
    w.report[A].term = TERM + 1;
    is_at(C, "0-1-12");
    w.report[C].promotable = false;
    CU_ASSERT_PTR_NOT_EQUAL(policy_best_other(&w.input), &w.nodes[C - 1]);
    w.report[C].promotable = true;
    CU_ASSERT_PTR_EQUAL(policy_best_other(&w.input), &w.nodes[C - 1]);
}

/* durability = "available": who lags by no more than the bound takes over, though it is in no sync set. */
static void test_available(void)
{
    for (int i = 0; i < 4; i++) {
        group_is_well(2, ACKS_COUNT);
        sync_is(1, 0);
        w.db[A].acks = 0;
        w.input.settings.durability_available = true;
        w.input.settings.lag_most_us = 1500000;
        w.report[A].durability_available = w.report[B].durability_available = i != 3;
        seen_from(B);
        w.raft.role = RAFT_FOLLOWER;
        w.db[B].received = w.db[B].executed = (char *)"0-1-10";
        decide();
        for (unsigned k = 1; k <= 10; k++) { /* B receives no more */
            char executed[16];
            snprintf(executed, sizeof executed, "0-1-%u", 10 + k);
            w.db[A].executed = w.db[A].received = executed;
            if (i == 0)
                w.db[B].executed = w.db[B].received = executed;
            later(i == 1 ? 100000 : 200000);
            decide();
        }
        w.db[A].executed = w.db[A].received = (char *)"0-1-20";
        if (i == 0)
            w.db[B].executed = w.db[B].received = (char *)"0-1-20";
        uint64_t died_us = w.input.now_us;
        b_leads_the_next_term();
        w.raft.role = RAFT_LEADER;
        w.input.now_us = w.raft.leader_since_us = died_us + 2 * E_US;
        w.nodes[A - 1].heard_us = w.nodes[A - 1].reported_us = died_us;
        w.nodes[B - 1].heard_us = w.nodes[B - 1].reported_us = w.input.now_us;
        w.db[B].frozen_term = TERM + 1;
        decide();
        if (i == 0 || i == 1) { /* it has all, as far as was heard; or lags by one second */
            CU_ASSERT_TRUE(w.out.propose && w.out.command.kind == COMMAND_PROMOTE);
            CU_ASSERT_EQUAL(w.out.command.sync.acks, 0);
        } else {
            CU_ASSERT_FALSE(w.out.propose);
            CU_ASSERT_FALSE(w.out.promotable);
            CU_ASSERT_PTR_NOT_NULL(
                strstr(w.out.waiting_for, i == 2 ? "it lags behind a by 2300 ms" : "is not known"));
        }
        if (i == 0) { /* it was out of sight for longer: others heard it */
            w.raft.leader_since_us += 5 * E_US;
            later(5 * E_US);
            w.nodes[A - 1].heard_us = w.nodes[A - 1].reported_us = died_us;
            decide();
            CU_ASSERT_FALSE(w.out.propose);
            CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "it lags behind a by"));
        }
        if (i != 1)
            continue;
        w.nodes[A - 1].heard_us = w.nodes[A - 1].reported_us = w.input.now_us; /* it is back, and has all */
        w.report[A].term = TERM + 1;
        w.db[A].open = false;
        w.db[A].frozen_term = TERM + 1;
        w.db[A].fenced = w.db[A].read_only = true;
        decide();
        CU_ASSERT_FALSE(w.out.propose);
        CU_ASSERT_EQUAL(w.out.transfer_to, A);
        w.state.switchover = (struct cluster_switchover){.id = 7, .from = A, .to = B, .epoch = TERM};
        decide(); /* cut short before writes were stopped */
        CU_ASSERT_FALSE(w.out.propose);
        CU_ASSERT_EQUAL(w.out.transfer_to, A);
        w.state.switchover.id = 0;
        w.state.sync.acks = 1; /* what is committed counts, whatever is configured here */
        w.state.sync.count = 2;
        w.state.sync.members[1] = (struct sync_member){77, 1};
        decide();
        CU_ASSERT_FALSE(w.out.promotable);
    }
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
        {"the own log is of a later look than the fence", test_own_log_is_of_a_later_look},
        {"without the newest epoch record: no promotion", test_lacking_the_epoch_record},
        {"the leadership goes to the best member", test_leadership_to_the_best},
        {"k is what the members can give", test_acks_that_members_can_give},
        {"a planned switchover keeps k", test_planned_keeps_acks},
        {"positions are waited for, for a moment", test_positions_are_waited_for},
        {"the old primary stands for who is not heard", test_old_primary_stands_for_others},
        {"a standby that is ahead is promoted", test_standby_that_is_ahead},
        {"what is received is durable", test_durable_receipts},
        {"unknown nodes in the sync set, or as the primary", test_unknown_nodes},
        {"campaign delays by rank", test_campaign_delays},
        {"what a forced failover would lose", test_what_would_be_lost},
        {"to whom it is handed over", test_to_whom_it_is_handed_over},
        {"durability = available: a bound on the lag", test_available},
    };

    return run_policy_tests("policy: promotion", tests, sizeof tests / sizeof tests[0]);
}
