/* policy_fixture.h - a cluster on paper for the tests of the policy: what a node would see, set right by
 * all_well(), then changed by each test. Decision by decision: one situation, the one next step. */
#ifndef MHA_TESTS_POLICY_FIXTURE_H
#define MHA_TESTS_POLICY_FIXTURE_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

#define HELPER __attribute__((unused)) static

enum { A = 1, B, C, D, E, F, G, NODES };
#define ARB 3 /* with two data nodes */
#define E_US 1000000u
#define NOW_US 100000000u
#define TERM 7u

/* Data nodes A, B, ... seen from A, which leads term 7. Node `id` is nodes[id - 1], its database db[id]. */
static struct {
    struct raft_status raft;
    struct cluster_state state;
    unsigned count;
    struct policy_node nodes[NODES];
    Mha__DbObservation db[NODES];
    Mha__NodeReport report[NODES];
    char *acknowledgers[NODES];
    Mha__VipState vip, vip_b;
    struct policy_input input;
    struct policy_tracker tracker;
    struct policy_output out;
} w;

HELPER void usable(Mha__DbObservation *db, uint64_t incarnation)
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

HELPER void make_report(uint64_t id)
{
    struct policy_node *node = &w.nodes[id - 1];

    mha__node_report__init(&w.report[id]);
    w.report[id].term = TERM;
    w.report[id].database = &w.db[id];
    w.report[id].database_host = (char *)"192.0.2.1";
    w.report[id].database_port = 3306;
    w.report[id].promotable = true;
    node->report = &w.report[id];
    node->reported_us = NOW_US;
    node->heard_us = NOW_US;
}

/* Who may acknowledge at A, as seen there: "b", "bc", ... */
HELPER void acknowledgers_at_a(const char *nodes)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};

    w.db[A].acknowledgers_known = true;
    w.db[A].n_acknowledgers = strlen(nodes);
    w.db[A].acknowledgers = w.acknowledgers;
    for (unsigned i = 0; nodes[i]; i++)
        w.acknowledgers[i] = (char *)names[nodes[i] - 'a'];
}

/* M = the first `members` nodes. */
HELPER void sync_is(unsigned members, unsigned acks)
{
    w.state.sync.version++;
    w.state.sync.acks = acks;
    w.state.sync.count = members;
    for (unsigned i = 0; i < members; i++)
        w.state.sync.members[i] = (struct sync_member){1 + i, 101 + i};
}

HELPER void replica_of_a(uint64_t id)
{
    Mha__DbObservation *db = &w.db[id];

    usable(db, 100 + id);
    db->receiving = db->applying = db->acknowledging = true;
    db->source = (char *)"192.0.2.1:3306";
    db->source_epoch = TERM;
}

/* A is the open primary of epoch 7, the others its replicas; M = all, k = 1; all is well. */
HELPER void group_is_well(unsigned data_nodes, enum policy_acks_kind kind)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};

    memset(&w, 0, sizeof w);
    w.count = data_nodes;
    cluster_state_init(&w.state);
    w.state.primary = (struct cluster_primary){
        .node = A, .epoch = TERM, .opened = true, .epoch_position = "0-1-5", .incarnation = 101};
    w.state.sync.version = 2;
    sync_is(data_nodes, data_nodes > 1);
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
    for (unsigned i = 0; i < data_nodes; i++) {
        w.nodes[i] = (struct policy_node){.id = 1 + i, .name = names[i], .self = i == 0};
        replica_of_a(1 + i);
        make_report(1 + i);
    }
    usable(&w.db[A], 101);
    w.db[A].read_only = w.db[A].fenced = false;
    w.db[A].open = true;
    w.db[A].acks = w.state.sync.acks;
    w.db[A].acks_enforced = true;
    w.db[A].written_epoch = TERM;
    w.db[A].written_epoch_position = (char *)"0-1-5";
    if (data_nodes > 2) {
        acknowledgers_at_a("bcdefg");
        w.db[A].n_acknowledgers = data_nodes - 1;
    }
    mha__vip_state__init(&w.vip);
    w.vip.held = w.vip.link_up = true;
    mha__vip_state__init(&w.vip_b);
    w.vip_b.link_up = true;
    w.report[B].vip = &w.vip_b;
    w.input = (struct policy_input){.now_us = NOW_US,
                                    .settings = {100000, E_US, 2000000, true, kind},
                                    .raft = &w.raft,
                                    .state = &w.state,
                                    .node_count = data_nodes,
                                    .nodes = w.nodes,
                                    .self = &w.nodes[0],
                                    .marks = &w.tracker.marks,
                                    .db = &w.db[A],
                                    .vip = &w.vip,
                                    .db_settled = true,
                                    .failed_error = ""};
}

/* Two data nodes and an arbiter; B is in the sync set. */
HELPER void all_well(void)
{
    group_is_well(2, ACKS_ANY);
    w.nodes[ARB - 1] = (struct policy_node){.id = ARB, .name = "arb", .arbiter = true, .heard_us = NOW_US};
    w.input.node_count = 3;
}

HELPER void decide(void)
{
    policy_track(&w.tracker, &w.input);
    policy_decide(&w.tracker, &w.input, &w.out);
}

/* Time passes and everybody is heard again, but for what the test changes. */
HELPER void later(uint64_t us)
{
    w.input.now_us += us;
    for (unsigned i = 0; i < w.input.node_count; i++)
        w.nodes[i].heard_us = w.nodes[i].reported_us = w.input.now_us;
    w.raft.round_sent_us = w.input.now_us - 1000;
    w.raft.lease_until_us = w.input.now_us + 800000;
    for (unsigned i = 0; i < w.count; i++)
        w.db[1 + i].observed_us = w.input.now_us;
}

/* Another node looks at the same cluster. */
HELPER void seen_from(uint64_t id)
{
    for (unsigned i = 0; i < w.input.node_count; i++)
        w.nodes[i].self = w.nodes[i].id == id;
    w.input.self = &w.nodes[id - 1];
    w.input.db = &w.db[id];
    w.vip.held = false;
}

HELPER void seen_from_b(void)
{
    seen_from(B);
}

/* A is gone without a word; B leads the next term. */
HELPER void b_leads_the_next_term(void)
{
    seen_from(B);
    w.raft.term = TERM + 1;
    w.raft.leader = B;
    w.raft.leader_since_us = NOW_US;
    for (unsigned i = 1; i < w.count; i++) {
        w.report[1 + i].term = TERM + 1;
        w.db[1 + i].receiving = w.db[1 + i].acknowledging = false;
    }
    w.nodes[0].heard_us = w.nodes[0].reported_us = NOW_US - 2 * E_US;
}

HELPER void b_leads_after_a_died(void)
{
    all_well();
    b_leads_the_next_term();
}

/* The committed command of the last decision. */
HELPER void applied(void)
{
    CU_ASSERT_TRUE_FATAL(w.out.propose);
    CU_ASSERT_PTR_NULL(cluster_state_apply(&w.state, &w.out.command));
}

struct policy_test {
    const char *name;
    void (*test)(void);
};

HELPER int run_policy_tests(const char *suite_name, const struct policy_test *tests, size_t count)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        CU_add_test(suite, tests[i].name, tests[i].test);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}

#endif
