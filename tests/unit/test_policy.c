/* The policy, decision by decision: one situation, the one next step. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

enum { A = 1, B = 2, ARB = 3 };
#define E_US 1000000u
#define NOW_US 100000000u
#define TERM 7u

/* A cluster of two data nodes and an arbiter, seen from A, which leads term 7. */
static struct {
    struct raft_status raft;
    struct cluster_state state;
    struct policy_node nodes[3];
    Mha__DbObservation db_a, db_b;
    Mha__NodeReport report_a, report_b;
    Mha__VipState vip, vip_b;
    struct policy_input input;
    struct policy_tracker tracker;
    struct policy_output out;
} w;

static void usable(Mha__DbObservation *db, uint64_t incarnation)
{
    mha__db_observation__init(db);
    db->observed_us = NOW_US;
    db->state = MHA__DB_STATE__DB_UP;
    db->incarnation = incarnation;
    db->read_only = true;
    db->fenced = true;
    db->drained = true;
    db->executed = (char *)"0-1-10";
    db->received = (char *)"0-1-10";
}

static void report(struct policy_node *node, Mha__NodeReport *to, Mha__DbObservation *db)
{
    mha__node_report__init(to);
    to->term = TERM;
    to->database = db;
    to->database_host = (char *)"192.0.2.1";
    to->database_port = 3306;
    node->report = to;
    node->reported_us = NOW_US;
    node->heard_us = NOW_US;
}

/* A is the open primary of epoch 7, B its replica in the sync set; all is well. */
static void all_well(void)
{
    memset(&w, 0, sizeof w);
    cluster_state_init(&w.state);
    w.state.primary = (struct cluster_primary){
        .node = A, .epoch = TERM, .opened = true, .epoch_position = "0-1-5", .incarnation = 101};
    w.state.sync = (struct sync_set){.version = 3, .acks = 1, .count = 2, .members = {{A, 101}, {B, 102}}};
    w.state.history_count = 1;
    w.state.history[0].epoch = TERM;
    w.state.history[0].complete = true;
    w.raft = (struct raft_status){.role = RAFT_LEADER,
                                  .term = TERM,
                                  .leader = A,
                                  .ready = true,
                                  .current = true,
                                  .lease_until_us = NOW_US + 800000,
                                  .round_sent_us = NOW_US - 1000,
                                  .leader_since_us = NOW_US - 50000000,
                                  .waits_for = ""};
    w.nodes[0] = (struct policy_node){.id = A, .name = "a", .self = true};
    w.nodes[1] = (struct policy_node){.id = B, .name = "b"};
    w.nodes[2] = (struct policy_node){.id = ARB, .name = "arb", .arbiter = true, .heard_us = NOW_US};
    usable(&w.db_a, 101);
    w.db_a.read_only = w.db_a.fenced = false;
    w.db_a.open = true;
    w.db_a.acks = 1;
    w.db_a.acks_enforced = true;
    w.db_a.written_epoch = TERM;
    w.db_a.written_epoch_position = (char *)"0-1-5";
    usable(&w.db_b, 102);
    w.db_b.receiving = w.db_b.applying = w.db_b.acknowledging = true;
    w.db_b.source = (char *)"192.0.2.1:3306";
    w.db_b.source_epoch = TERM;
    report(&w.nodes[0], &w.report_a, &w.db_a);
    report(&w.nodes[1], &w.report_b, &w.db_b);
    mha__vip_state__init(&w.vip);
    w.vip.held = w.vip.link_up = true;
    mha__vip_state__init(&w.vip_b);
    w.vip_b.link_up = true;
    w.report_b.vip = &w.vip_b;
    w.input = (struct policy_input){.now_us = NOW_US,
                                    .settings = {100000, E_US, 2000000, true, ACKS_ANY},
                                    .raft = &w.raft,
                                    .state = &w.state,
                                    .node_count = 3,
                                    .nodes = w.nodes,
                                    .self = &w.nodes[0],
                                    .db = &w.db_a,
                                    .vip = &w.vip,
                                    .failed_error = ""};
}

static void decide(void)
{
    policy_track(&w.tracker, &w.input);
    policy_decide(&w.tracker, &w.input, &w.out);
}

/* Time passes and everybody is heard again, but for what the test changes. */
static void later(uint64_t us)
{
    w.input.now_us += us;
    for (unsigned i = 0; i < 3; i++)
        w.nodes[i].heard_us = w.nodes[i].reported_us = w.input.now_us;
    w.raft.round_sent_us = w.input.now_us - 1000;
    w.raft.lease_until_us = w.input.now_us + 800000;
    w.db_a.observed_us = w.db_b.observed_us = w.input.now_us;
}

/* Node B looks at the same cluster. */
static void seen_from_b(void)
{
    w.nodes[0].self = false;
    w.nodes[1].self = true;
    w.input.self = &w.nodes[1];
    w.input.db = &w.db_b;
    w.vip.held = false;
}

/* A is gone without a word; B leads the next term. */
static void b_leads_after_a_died(void)
{
    all_well();
    seen_from_b();
    w.raft.term = TERM + 1;
    w.raft.leader = B;
    w.report_b.term = TERM + 1;
    w.nodes[0].heard_us = w.nodes[0].reported_us = NOW_US - 2 * E_US;
    w.db_b.receiving = w.db_b.acknowledging = false;
    w.raft.leader_since_us = NOW_US;
}

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
    w.db_a.state = MHA__DB_STATE__DB_DOWN;
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
    w.db_a.state = MHA__DB_STATE__DB_DOWN;
    w.vip.held = false;
    decide();
    CU_ASSERT_EQUAL(w.out.transfer_to, 0);            /* B is not in the sync set */
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_NONE); /* is it still the leader? */
    later(10000);
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_START_IN_PLACE);
    usable(&w.db_a, 999);
    w.raft.lease_ended = true;
    decide();
    CU_ASSERT_TRUE(w.out.renew_term);
}

/* The address's absence is no release: vipd may be about to take it. */
static void test_release_is_confirmed(void)
{
    all_well();
    w.db_a.state = MHA__DB_STATE__DB_DOWN;
    w.vip.held = false;
    w.input.vip_until_us = NOW_US + 500000; /* a lease was given, its answer is not here */
    decide();
    CU_ASSERT_FALSE(w.out.released);
    w.input.vip_released_epoch = TERM;
    decide();
    CU_ASSERT_TRUE(w.out.released);

    all_well(); /* an opening that is under way when the address is lost */
    w.input.db_busy = true;
    w.db_a.open = false;
    w.db_a.read_only = w.db_a.fenced = true;
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
    w.db_a.state = MHA__DB_STATE__DB_DOWN;
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
    w.db_a.state = MHA__DB_STATE__DB_HUNG;
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
    w.db_b.frozen_term = TERM + 1;
    w.db_b.drained = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_DRAIN);
    CU_ASSERT_FALSE(w.out.propose);
    w.db_b.drained = true;
    decide();
    CU_ASSERT_TRUE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_PROMOTE);
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
    w.db_b.written_epoch = TERM + 1;
    w.db_b.written_epoch_position = (char *)"0-2-11";
    decide();
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_OPENED);
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* not open before its record's position is committed */
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
    CU_ASSERT_FALSE(w.out.vip_hold);
    w.db_b.open = true;
    w.db_b.read_only = false;
    decide();
    CU_ASSERT_TRUE(w.out.vip_hold);
}

/* What it acknowledged lies in its relay log and cannot be applied: another one, or nobody. */
static void test_applier_fails(void)
{
    b_leads_after_a_died();
    w.db_b.frozen_term = TERM + 1;
    w.db_b.drained = w.db_b.applying = false;
    w.db_b.source = (char *)"192.0.2.1:3306";
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
    usable(&w.db_a, 103);
    w.db_a.frozen_term = w.db_b.frozen_term = TERM + 1;
    w.report_a.term = w.report_b.term = TERM + 1;
    w.db_b.received = (char *)at_b;
    decide();
}

/* One acknowledgement of two possible ones: both positions are needed, for either may be the one. */
static void test_every_acknowledger_is_represented(void)
{
    b_leads_after_a_died();
    w.state.sync = (struct sync_set){
        .version = 4, .acks = 1, .count = 3, .members = {{A, 101}, {B, 102}, {ARB + 1, 104}}};
    w.db_b.frozen_term = TERM + 1;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "positions"));
    w.state.sync.acks = 2; /* each holds everything */
    decide();
    CU_ASSERT_TRUE(w.out.propose);
}

/* What an earlier term opened is closed before anything else. */
static void test_open_database_is_closed_first(void)
{
    all_well();
    w.raft.term = TERM + 1;
    w.report_a.term = w.report_b.term = TERM + 1;
    w.db_a.frozen_term = w.db_b.frozen_term = TERM + 1;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.lease_epoch, 0);
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
    w.db_b.frozen_term = TERM;
    later(0);
    decide();
    CU_ASSERT_TRUE(w.out.propose); /* what is not frozen does not count */
    w.db_b.frozen_term = TERM + 1;
    w.db_b.drained = w.db_b.applying = false;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "holds writes that this node lacks"));
}

/* The database cannot be opened, for longer than E: who has all joins, and takes over. */
static void test_opening_fails(void)
{
    all_well();
    w.state.primary.opened = false;
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    usable(&w.db_a, 101);
    w.vip.held = false;
    w.input.failed_op = DB_OP_PROMOTE;
    w.input.failed_us = NOW_US;
    w.db_b.received = (char *)"0-1-9"; /* not all */
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
    w.db_b.received = (char *)"0-1-10";
    decide();
    CU_ASSERT_TRUE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    decide();
    CU_ASSERT_TRUE(w.out.end_lease);
    CU_ASSERT_EQUAL(w.out.transfer_to, B);
}

/* "no session is admitted until k members of M hold it", in the start of theirs that is a member */
static void test_opening_waits_for_members(void)
{
    all_well();
    usable(&w.db_a, 101);
    w.db_a.acks = 1;
    w.db_b.received = (char *)"0-1-4";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db_b.received = (char *)"0-1-10";
    w.db_b.incarnation = 555;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.db_b.incarnation = 102;
    w.db_a.acks = 0;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE); /* first the rule */
    CU_ASSERT_EQUAL(w.out.db_acks, 1);
    w.db_a.acks = 1;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
}

/* A rule that may be committed any moment must be in force before anybody writes. */
static void test_opening_waits_for_proposals(void)
{
    all_well();
    usable(&w.db_a, 101);
    w.db_a.acks = 1;
    w.input.proposal_pending = true;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.input.proposal_pending = false;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
}

static void test_not_in_sync_set_is_not_promoted(void)
{
    b_leads_after_a_died();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db_b.frozen_term = TERM + 1;
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
    w.db_b.frozen_term = TERM + 1;
    w.db_b.incarnation = 555; /* its relay log is gone */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "restarted"));
    /* the old primary comes back, fenced and frozen in this term: it leads again, for it has everything */
    w.nodes[0].heard_us = w.nodes[0].reported_us = NOW_US;
    w.db_a.open = false;
    w.db_a.fenced = w.db_a.read_only = true;
    w.report_a.term = TERM + 1;
    w.db_a.executed = w.db_a.received = (char *)"0-1-12";
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.transfer_to, A);
    /* B would count again with A's word: fenced, and frozen in this term. */
    char why[CLUSTER_TEXT_BYTES];
    w.db_a.executed = w.db_a.received = (char *)"0-1-10";
    w.db_a.frozen_term = TERM + 1;
    CU_ASSERT_TRUE(policy_promotable(&w.input, &w.nodes[1], why, sizeof why));
    w.db_a.fenced = false;
    CU_ASSERT_FALSE(policy_promotable(&w.input, &w.nodes[1], why, sizeof why));
    w.db_a.fenced = true;
    w.db_a.frozen_term = TERM;
    CU_ASSERT_FALSE(policy_promotable(&w.input, &w.nodes[1], why, sizeof why));
    w.db_a.frozen_term = TERM + 1;
    w.db_a.executed = (char *)"0-1-11";
    CU_ASSERT_FALSE(policy_promotable(&w.input, &w.nodes[1], why, sizeof why));
}

static void test_lacking_the_epoch_record(void)
{
    b_leads_after_a_died();
    w.db_b.frozen_term = TERM + 1;
    w.db_b.received = w.db_b.executed = (char *)"0-1-4";
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "lacks the record of epoch"));
}

static void test_replica_dies(void)
{
    all_well();
    decide();
    later(10000);
    w.db_b.state = MHA__DB_STATE__DB_DOWN;
    w.raft.round_sent_us = w.input.now_us - 1; /* sent before it was found gone */
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.raft.round_sent_us = w.input.now_us + 1;
    w.input.now_us += 2;
    decide();
    CU_ASSERT_TRUE(w.out.propose);
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_SYNC);
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
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_SYNC);
}

static void test_replica_returns(void)
{
    all_well();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db_a.acks = 0;
    w.db_a.acks_enforced = false;
    w.db_a.replicas_locked_out = true;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 0);
    w.db_a.replicas_locked_out = false;
    decide();
    later(10000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE); /* strengthen: the database first */
    CU_ASSERT_EQUAL(w.out.db_acks, 1);
    CU_ASSERT_FALSE(w.out.propose);
    w.db_a.acks = 1;
    later(10000);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.db_a.acks_enforced = true;
    later(10000);
    w.db_a.executed = (char *)"0-1-20";
    decide();
    later(10000);
    decide();
    CU_ASSERT_FALSE(w.out.propose); /* B does not hold the end of the log of that moment */
    w.db_b.received = (char *)"0-1-20";
    later(10000);
    decide();
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_SYNC);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_EQUAL(w.out.command.sync.members[1].incarnation, 102);
    /* if it never comes that far, the rule goes back */
    later(3000000);
    w.db_b.received = (char *)"0-1-10";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_SET_COMMIT_RULE);
    CU_ASSERT_EQUAL(w.out.db_acks, 0);
}

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
    w.db_b.executed = (char *)"0-1-9";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* B has not applied the end of the log of this moment */
    later(300000);
    w.db_b.executed = (char *)"0-1-10";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* it has now, but too long after */
    later(100000);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_CLOSE);
    CU_ASSERT_EQUAL(w.out.lease_epoch, TERM); /* a way back until the transfer */
    w.db_a.open = false;
    w.db_a.read_only = w.db_a.fenced = true;
    w.db_a.executed = (char *)"0-1-15";
    decide();
    CU_ASSERT_FALSE(w.out.end_lease); /* B does not have all yet */
    w.db_b.received = (char *)"0-1-15";
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
    w.report_a.term = w.report_b.term = TERM + 1;
    w.db_a.frozen_term = w.db_b.frozen_term = TERM + 1;
    w.db_b.executed = (char *)"0-1-15";
    w.db_b.receiving = false;
    decide();
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.change, MHA__CHANGE_KIND__CHANGE_SWITCHOVER);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    w.db_b.written_epoch = TERM + 1;
    w.db_b.written_epoch_position = (char *)"0-2-16";
    w.db_b.acks = 1;
    decide();
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* A must hold the record first */
    w.db_a.source_epoch = TERM + 1;
    w.db_a.received = (char *)"0-1-15,0-2-16";
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
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_SWITCHOVER_END);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.command.text, "70 s"));
    /* closed, but the target does not catch up */
    w.input.failed_op = DB_OP_NONE;
    w.db_a.open = false;
    w.db_a.read_only = w.db_a.fenced = true;
    w.db_a.executed = (char *)"0-1-15";
    decide();
    later(2000000);
    decide();
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_SWITCHOVER_END);
    cluster_state_apply(&w.state, &w.out.command);
    w.db_b.received = (char *)"0-1-10";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_OPEN);
}

static void test_old_primary_returns(void)
{
    all_well(); /* now from A's eyes as a follower of B, which was promoted in term 8 */
    w.raft.role = RAFT_FOLLOWER;
    w.raft.term = TERM + 1;
    w.raft.leader = B;
    w.state.primary =
        (struct cluster_primary){.node = B, .epoch = TERM + 1, .opened = true, .epoch_position = "0-2-11"};
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{B, 102}}};
    w.report_b.term = TERM + 1;
    w.db_b.executed = w.db_b.received = (char *)"0-1-10,0-2-11";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE); /* still open: first of all closed */
    w.db_a.state = MHA__DB_STATE__DB_DOWN;
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_START_TO_FOLLOW);
    usable(&w.db_a, 103);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FOLLOW);
    CU_ASSERT_EQUAL(w.out.db_port, 3306);
    w.db_a.received = w.db_a.executed = (char *)"0-1-11";
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE); /* diverged: set aside, never merged */
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "lacks"));
    /* counted as a member with an earlier start: not before it was dropped */
    w.db_a.received = w.db_a.executed = (char *)"0-1-10";
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
    w.report_b.term = TERM + 1;
    w.db_a.state = MHA__DB_STATE__DB_DOWN;
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
    w.db_b.incarnation = 555; /* B cannot: A is needed, with all it has */
    decide();
    CU_ASSERT_EQUAL(w.out.server_op, SERVER_OP_START_IN_PLACE);
}

static void test_first_start(void)
{
    all_well();
    cluster_state_init(&w.state);
    w.db_a.empty = w.db_b.empty = true;
    w.db_a.open = false;
    w.nodes[1].report = NULL;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.nodes[1].report = &w.report_b;
    w.db_b.empty = false;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.out.waiting_for, "refused"));
    w.db_b.empty = true;
    decide();
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.change, MHA__CHANGE_KIND__CHANGE_FIRST_START);
    CU_ASSERT_EQUAL(w.out.command.sync.count, 1);
}

static void test_pause_forbids_promotion(void)
{
    b_leads_after_a_died();
    w.db_b.frozen_term = TERM + 1;
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
    w.db_a.state = MHA__DB_STATE__DB_DOWN;
    w.vip.held = false;
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
    w.report_a.term = w.report_b.term = TERM + 2;
    w.db_a.frozen_term = w.db_b.frozen_term = TERM + 2;
    w.db_b.receiving = false;
    decide();
    CU_ASSERT_TRUE(w.out.vip_leave);
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_PROMOTE);
    CU_ASSERT_EQUAL(w.out.command.sync.acks, 1);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
    CU_ASSERT_EQUAL(w.state.pause.epoch, TERM + 2);
    decide();
    CU_ASSERT_EQUAL(w.out.db_op,
                    DB_OP_CLOSE); /* the record of an epoch is never written with the door open */
    CU_ASSERT_TRUE(w.out.vip_leave);
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
    w.db_a.acks = 0;
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

/* While {A,B},1 is in the log it may count already, though B has just stumbled: the rule stays. */
static void test_rule_is_not_lowered_under_an_open_proposal(void)
{
    all_well();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    w.db_b.receiving = false;
    w.input.proposal_pending = true;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.input.proposal_pending = false;
    w.input.db_busy = true; /* what is seen during an operation on the rule does not count */
    w.db_b.receiving = true;
    decide();
    later(10000);
    decide();
    later(10000);
    decide();
    CU_ASSERT_FALSE(w.out.propose);
}

static void test_force_ends(void)
{
    struct cluster_command command;
    char error[512];

    /* the old primary serves after all */
    all_well();
    w.state.force = (struct cluster_force){.id = 9, .node = B};
    decide();
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_FORCE_END);
    /* its target is of no use */
    b_leads_after_a_died();
    w.state.sync = (struct sync_set){.version = 4, .acks = 0, .count = 1, .members = {{A, 101}}};
    CU_ASSERT_FALSE(policy_request_failover(&w.input, B, false, &command, error, sizeof error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "--old-primary-is-off"));
    CU_ASSERT_TRUE(policy_request_failover(&w.input, B, true, &command, error, sizeof error));
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &command));
    w.db_b.state = MHA__DB_STATE__DB_HUNG;
    decide();
    CU_ASSERT_FALSE(w.out.propose);
    w.input.now_us += 2 * E_US;
    decide();
    CU_ASSERT_EQUAL(w.out.command.kind, COMMAND_FORCE_END);
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

static void test_hung_member_keeps_what_it_received(void)
{
    all_well();
    seen_from_b();
    w.raft.role = RAFT_FOLLOWER;
    w.db_b.state = MHA__DB_STATE__DB_HUNG;
    w.raft.leader = 0; /* A is gone, too: B's relay log may be needed */
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_NONE);
    w.raft.leader = A;
    decide();
    CU_ASSERT_EQUAL(w.out.db_op, DB_OP_FENCE);
}

static void test_summary(void)
{
    char summary[512], next[2048];

    all_well();
    policy_summary(&w.input, summary, sizeof summary, next, sizeof next);
    CU_ASSERT_STRING_EQUAL(summary, "a serves; every commit waits for 1 acknowledgement.");
    CU_ASSERT_PTR_NOT_NULL(strstr(next, "If a fails: a member of the sync set takes over, nothing is lost."));
    CU_ASSERT_PTR_NOT_NULL(strstr(next, "If arb fails: nothing changes for clients."));
    w.nodes[2].heard_us = 0;
    policy_summary(&w.input, summary, sizeof summary, next, sizeof next);
    CU_ASSERT_PTR_NOT_NULL(strstr(next, "If b fails: no quorum"));
    w.nodes[1].heard_us = 0;
    policy_summary(&w.input, summary, sizeof summary, next, sizeof next);
    CU_ASSERT_PTR_NOT_NULL(strstr(summary, "Missing: b arb"));
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("policy", NULL, NULL);
    CU_add_test(suite, "all is well: nothing to do", test_calm);
    CU_add_test(suite, "the database dies: give up, hand over", test_database_dies);
    CU_add_test(suite, "the database dies and nobody else may: restart in place", test_database_dies_alone);
    CU_add_test(suite, "the database hangs: fence", test_database_hangs);
    CU_add_test(suite, "a release is confirmed by vipd and by the end of what runs",
                test_release_is_confirmed);
    CU_add_test(suite, "vipd or the dbworker hangs: the leases' end is waited for", test_enforcers_hang);
    CU_add_test(suite, "failover, step by step", test_failover);
    CU_add_test(suite, "an applier that fails", test_applier_fails);
    CU_add_test(suite, "every acknowledger is represented", test_every_acknowledger_is_represented);
    CU_add_test(suite, "an open database is closed first", test_open_database_is_closed_first);
    CU_add_test(suite, "a replica that has more than the old primary", test_replica_with_more);
    CU_add_test(suite, "the opening fails", test_opening_fails);
    CU_add_test(suite, "the opening waits for members", test_opening_waits_for_members);
    CU_add_test(suite, "the opening waits for what is proposed", test_opening_waits_for_proposals);
    CU_add_test(suite, "outside the sync set: only by force", test_not_in_sync_set_is_not_promoted);
    CU_add_test(suite, "a restarted replica counts with the old primary only",
                test_restarted_replica_counts_with_old_primary_only);
    CU_add_test(suite, "without the newest epoch record: no promotion", test_lacking_the_epoch_record);
    CU_add_test(suite, "a replica dies: weaken, commit first", test_replica_dies);
    CU_add_test(suite, "a replica's host is silent", test_replica_host_is_silent);
    CU_add_test(suite, "a replica returns: strengthen, database first", test_replica_returns);
    CU_add_test(suite, "switchover, step by step", test_switchover);
    CU_add_test(suite, "a switchover has a way back", test_switchover_has_a_way_back);
    CU_add_test(suite, "the old primary returns", test_old_primary_returns);
    CU_add_test(suite, "a crashed primary is not cut while a member",
                test_crashed_primary_is_not_cut_while_a_member);
    CU_add_test(suite, "first start", test_first_start);
    CU_add_test(suite, "a pause forbids promotion for its length", test_pause_forbids_promotion);
    CU_add_test(suite, "in a pause the database restarts in place",
                test_pause_keeps_a_restart_of_the_database_in_place);
    CU_add_test(suite, "a pause holds over a restart", test_pause_holds_over_a_restart);
    CU_add_test(suite, "the address is refused", test_address_refused);
    CU_add_test(suite, "address trouble that moving does not mend",
                test_address_trouble_that_moving_does_not_mend);
    CU_add_test(suite, "the rule is not lowered under an open proposal",
                test_rule_is_not_lowered_under_an_open_proposal);
    CU_add_test(suite, "a forced failover ends", test_force_ends);
    CU_add_test(suite, "only its holder ends a pause", test_only_the_holder_ends_a_pause);
    CU_add_test(suite, "a database that cannot be observed", test_database_that_cannot_be_observed);
    CU_add_test(suite, "a hung member keeps what it received", test_hung_member_keeps_what_it_received);
    CU_add_test(suite, "summary", test_summary);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
