/* Members that come and go while the group runs, and what each side is told. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replica_fixture.h"

static bool all_settled(struct node *nodes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (nodes[i].replica && !replica_settled(nodes[i].replica))
            return false;
    return true;
}

static unsigned voters(const struct node *node)
{
    struct replica_member member;
    unsigned found = 0;

    for (unsigned i = 0; i < replica_member_count(node->replica); i++) {
        replica_member(node->replica, i, &member);
        found += member.voter;
    }
    return found;
}

static uint64_t id_of(const struct node *node, const char *name)
{
    struct replica_member member;

    for (unsigned i = 0; i < replica_member_count(node->replica); i++) {
        replica_member(node->replica, i, &member);
        if (strcmp(member.name, name) == 0)
            return member.id;
    }
    return 0;
}

static const char *awaited, *also_awaited;
static bool leader_sees_stranger(struct node *nodes, unsigned count)
{
    struct replica_stranger strangers[REPLICA_STRANGERS_MAX];
    struct node *lead = leader_now(nodes, count);
    unsigned found = lead ? replica_strangers(lead->replica, strangers, REPLICA_STRANGERS_MAX) : 0;

    for (unsigned i = 0; i < found; i++)
        if (strcmp(strangers[i].name, awaited) == 0)
            return true;
    return false;
}

static unsigned wanted_voters;
static bool all_have_voters(struct node *nodes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (nodes[i].replica && voters(&nodes[i]) != wanted_voters)
            return false;
    return all_settled(nodes, count);
}

/* The group says yes at once, or `why` is in what it says. */
static void change(struct node *nodes, unsigned count, enum replica_change what, const char *name,
                   const char *why)
{
    struct error err = {0};
    enum error_code code;

    CU_ASSERT_FATAL(wait_until(has_leader, nodes, count, WAIT_MS));
    code = replica_change_member(leader(nodes, count)->replica, what, name, &err);
    if ((code != ERR_OK) != (why != NULL) || (why && !strstr(err.text, why)))
        printf("\n    change of %s: %d %s\n", name, code, err.text);
    CU_ASSERT_EQUAL(code != ERR_OK, why != NULL);
    CU_ASSERT(!why || strstr(err.text, why));
}

static void wipe(struct node *node)
{
    close_node(node);
    empty_dir(node->dir);
    open_node(node);
}

static void replace(struct node *nodes, unsigned count, struct node *which)
{
    awaited = which->name;
    CU_ASSERT_FATAL(wait_until(leader_sees_stranger, nodes, count, WAIT_MS));
    change(nodes, count, REPLICA_REPLACE, which->name, NULL);
    wanted_voters = count;
    CU_ASSERT(wait_until(all_have_voters, nodes, count, WAIT_MS));
    CU_ASSERT(replica_formed(which->replica));
    CU_ASSERT_EQUAL(id_of(leader(nodes, count), which->name), replica_id(which->replica));
}

static struct node *follower(struct node nodes[3])
{
    return leader(nodes, 3) == &nodes[0] ? &nodes[1] : &nodes[0];
}

/* A data node or the arbiter lost its directory, and comes back as a new member whose vote counts. */
static void wiped_comes_back(unsigned entries, bool arbiter)
{
    struct node nodes[3];
    struct node *wiped, *dead;
    uint64_t old;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, entries);
    wiped = arbiter ? &nodes[2] : follower(nodes);
    old = replica_id(wiped->replica);
    wipe(wiped);
    run_ms(300);
    CU_ASSERT(!replica_formed(wiped->replica));
    CU_ASSERT_PTR_NOT_NULL(strstr(replica_forming(wiped->replica), "mhactl member replace"));
    CU_ASSERT_PTR_NOT_NULL(strstr(trouble(leader(nodes, 3), wiped->name, NULL), "mhactl member replace"));
    CU_ASSERT_EQUAL(wiped->applied_count, 0);
    replace(nodes, 3, wiped);
    CU_ASSERT_NOT_EQUAL(replica_id(wiped->replica), old);
    propose_many(nodes, 3, 2);
    if (!arbiter) {
        CU_ASSERT_EQUAL(memcmp(nodes[0].applied, nodes[1].applied, nodes[0].applied_count), 0);
        CU_ASSERT(entries < REPLICA_COMPACT_ENTRIES || wiped->restored > 0);
    }
    /* without its vote there is no majority now */
    dead = leader(nodes, 3);
    close_node(dead);
    propose_many(nodes, 3, 2);
    open_node(dead);
    CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
    /* it starts again as what it has become */
    close_node(wiped);
    open_node(wiped);
    CU_ASSERT(replica_formed(wiped->replica));
    propose_many(nodes, 3, 2);
    CU_ASSERT(wait_until(all_settled, nodes, 3, WAIT_MS));
    stop(nodes);
}

static void wiped_data_node(void)
{
    wiped_comes_back(3, false);
}

static void wiped_arbiter(void)
{
    wiped_comes_back(3, true);
}

static void wiped_after_compaction(void)
{
    wiped_comes_back(2 * REPLICA_COMPACT_ENTRIES + 50, false);
    wiped_comes_back(2 * REPLICA_COMPACT_ENTRIES + 50, true);
}

/* From one to three, each let in by the one that was there; the founder's file does not name them. */
static void grows(void)
{
    struct node nodes[3];

    expected = 0;
    plan(nodes, 3, true);
    nodes[0].node_count = 1;
    open_node(&nodes[0]);
    propose_many(nodes, 1, 4);
    for (unsigned i = 1; i < 3; i++) {
        open_node(&nodes[i]);
        run_ms(200);
        CU_ASSERT(!replica_formed(nodes[i].replica));
        CU_ASSERT_PTR_NOT_NULL(strstr(trouble(&nodes[i], "db1", NULL), "mhactl member add"));
        awaited = nodes[i].name;
        CU_ASSERT_FATAL(wait_until(leader_sees_stranger, nodes, i + 1, WAIT_MS));
        change(nodes, i + 1, REPLICA_REPLACE, nodes[i].name, "no member is called");
        change(nodes, i + 1, REPLICA_ADD, nodes[i].name, NULL);
        wanted_voters = i + 1;
        CU_ASSERT(wait_until(all_have_voters, nodes, i + 1, WAIT_MS));
        CU_ASSERT(wait_until(all_applied, nodes, i + 1, WAIT_MS));
    }
    struct replica_member member;
    for (unsigned i = 0; i < 3; i++) { /* its kind and address are its own */
        replica_member(nodes[0].replica, i, &member);
        CU_ASSERT_EQUAL(member.arbiter, strcmp(member.name, "xarb") == 0);
        for (unsigned k = 1; k < 3; k++)
            CU_ASSERT(strcmp(member.name, nodes[k].name) != 0 ||
                      strcmp(member.address, nodes[k].nodes[k].address) == 0);
    }
    close_node(leader(nodes, 3));
    propose_many(nodes, 3, 2);
    stop(nodes);
}

static bool says_removed(struct node *nodes, unsigned count)
{
    (void)count;
    return replica_removed(nodes[0].replica)[0] != '\0';
}

static bool refused_by_awaited(struct node *nodes, unsigned count)
{
    (void)count;
    return strstr(trouble(nodes, awaited, NULL), "mhactl member add") != NULL;
}

/* Taken out while it runs: it hears so, says so, and leaves the group in peace; after a restart, too. */
static void removed_one_is_quiet(void)
{
    struct node nodes[3];
    struct raft_status before, after, own;
    struct node *out;

    for (unsigned running = 0; running < 2; running++) {
        expected = 0;
        start(nodes);
        propose_many(nodes, 3, 2);
        out = follower(nodes);
        if (!running)
            close_node(out);
        change(nodes, 3, REPLICA_REMOVE, out->name, NULL);
        wanted_voters = 2;
        if (!running) {
            CU_ASSERT(wait_until(all_have_voters, nodes, 3, WAIT_MS));
            open_node(out);
        }
        CU_ASSERT(wait_until(says_removed, out, 1, WAIT_MS));
        if (running) /* from the log, not from a refusal */
            CU_ASSERT_EQUAL(voters(out), 2);
        replica_status(leader(nodes, 3)->replica, &before);
        run_ms(4 * ELECTION_US / 1000);
        replica_status(leader(nodes, 3)->replica, &after);
        replica_status(out->replica, &own);
        CU_ASSERT_EQUAL(before.term, after.term);
        CU_ASSERT_EQUAL(own.term, before.term);
        CU_ASSERT(own.role == RAFT_FOLLOWER || own.role == RAFT_PRECANDIDATE);
        CU_ASSERT_EQUAL(own.leader, 0);
        CU_ASSERT_EQUAL(own.lease_until_us, 0);
        struct replica_member member = {0};
        bool self = false;
        for (unsigned i = 0; i < replica_member_count(out->replica); i++) {
            replica_member(out->replica, i, &member);
            self = self || (member.self && !member.voter == (running == 1));
        }
        CU_ASSERT(self); /* its owner always finds itself */
        close_node(out);
        open_node(out);
        CU_ASSERT(wait_until(says_removed, out, 1, WAIT_MS));
        awaited = leader(nodes, 3)->name;
        CU_ASSERT(wait_until(refused_by_awaited, out, 1, WAIT_MS));
        unsigned count = out->applied_count;
        out->applied_count = 1000; /* not waited for */
        propose_many(nodes, 3, 1);
        out->applied_count = count;
        awaited = out->name; /* and back again, as the one that it was */
        CU_ASSERT_FATAL(wait_until(leader_sees_stranger, nodes, 3, WAIT_MS));
        change(nodes, 3, REPLICA_ADD, out->name, NULL);
        wanted_voters = 3;
        CU_ASSERT(wait_until(all_have_voters, nodes, 3, WAIT_MS));
        CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
        CU_ASSERT_STRING_EQUAL(replica_removed(out->replica), "");
        propose_many(nodes, 3, 2);
        stop(nodes);
    }
}

/* Another host whose file calls it by the name of a member that is there. */
static void namesake(void)
{
    struct node nodes[3];
    struct node twin;
    struct error err;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, 1);
    CU_ASSERT(wait_until(all_connected, nodes, 3, WAIT_MS));
    twin = nodes[2];
    twin.replica = NULL;
    snprintf(twin.dir, sizeof twin.dir, "%.120s-twin", nodes[2].dir);
    CU_ASSERT_EQUAL_FATAL(net_new(base, &twin.net, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(net_listen(twin.net, "127.0.0.1:0", &err), ERR_OK);
    snprintf(twin.nodes[2].address, sizeof twin.nodes[2].address, "127.0.0.1:%u", net_port(twin.net));
    open_node(&twin);
    awaited = "xarb";
    CU_ASSERT_FATAL(wait_until(leader_sees_stranger, nodes, 3, WAIT_MS));
    change(nodes, 3, REPLICA_REPLACE, "xarb", "is connected with the identity that it has");
    close_node(&nodes[2]);
    run_ms(50);
    change(nodes, 3, REPLICA_REPLACE, "xarb", NULL);
    close_node(&twin);
    stop(nodes);
}

static void guards(void)
{
    struct node nodes[3];
    struct node *other;
    struct error err;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, 1);
    CU_ASSERT(wait_until(all_connected, nodes, 3, WAIT_MS));
    other = follower(nodes);
    CU_ASSERT_EQUAL(replica_change_member(other->replica, REPLICA_REMOVE, "xarb", &err), ERR_NOT_LEADER);
    change(nodes, 3, REPLICA_REMOVE, leader(nodes, 3)->name, "leads the group");
    change(nodes, 3, REPLICA_ADD, "xarb", "is a member already");
    change(nodes, 3, REPLICA_REPLACE, "xarb", "no new xarb has presented itself");
    change(nodes, 3, REPLICA_ADD, "db9", "no new db9 has presented itself");
    change(nodes, 3, REPLICA_REMOVE, "db9", "no member is called \"db9\"");
    close_node(&nodes[2]);
    run_ms(2 * ELECTION_US / 1000);
    change(nodes, 3, REPLICA_REMOVE, other->name, "1 are heard, and 2 are needed");
    wanted_voters = 3;
    CU_ASSERT(all_have_voters(nodes, 2));
    change(nodes, 3, REPLICA_REMOVE, "xarb", NULL); /* the dead one may go */
    wanted_voters = 2;
    CU_ASSERT(wait_until(all_have_voters, nodes, 2, WAIT_MS));
    stop(nodes);
}

/* Who began it is not needed to end it: the new identity is let in, and gets its vote, by the next leader. */
static void outlives_its_leader(void)
{
    struct node nodes[3];
    struct node *old, *next;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, 2);
    wipe(&nodes[2]);
    awaited = "xarb";
    CU_ASSERT_FATAL(wait_until(leader_sees_stranger, nodes, 3, WAIT_MS));
    close_node(&nodes[2]);
    old = leader(nodes, 3);
    next = follower(nodes);
    change(nodes, 3, REPLICA_REPLACE, "xarb", NULL);
    change(nodes, 3, REPLICA_REMOVE, next->name, "ask again");
    run_ms(100);
    CU_ASSERT(!replica_settled(old->replica)); /* let in, and not there */
    hand_over(nodes, 3, next);
    open_node(&nodes[2]);
    wanted_voters = 3;
    CU_ASSERT(wait_until(all_have_voters, nodes, 3, WAIT_MS));
    propose_many(nodes, 3, 2);
    close_node(old);
    propose_many(nodes, 3, 1); /* by the arbiter's vote */
    stop(nodes);
}

/* Let in and never seen again: it may be removed. */
static void learner_that_never_comes(void)
{
    struct node nodes[3];
    char text[128];

    expected = 0;
    start(nodes);
    wipe(&nodes[2]);
    awaited = "xarb";
    CU_ASSERT_FATAL(wait_until(leader_sees_stranger, nodes, 3, WAIT_MS));
    close_node(&nodes[2]);
    change(nodes, 3, REPLICA_REPLACE, "xarb", NULL);
    run_ms(150);
    CU_ASSERT_PTR_NOT_NULL(strstr(replica_changing(nodes[0].replica, text, sizeof text), "xarb"));
    change(nodes, 3, REPLICA_ADD, "db9", "has not caught up");
    change(nodes, 3, REPLICA_REMOVE, "xarb", NULL);
    wanted_voters = 2;
    CU_ASSERT(wait_until(all_have_voters, nodes, 2, WAIT_MS));
    propose_many(nodes, 2, 2);
    stop(nodes);
}

/* It was away while the others became other ones: the leader is nobody that it knows, but shows a newer
 * membership that has them both. */
static void unknown_leader_is_accepted(void)
{
    static struct node nodes[5];
    struct node *late = &nodes[4];

    expected = 0;
    plan(nodes, 5, false);
    for (unsigned i = 0; i < 5; i++)
        open_node(&nodes[i]);
    CU_ASSERT_FATAL(wait_until(all_formed, nodes, 5, WAIT_MS));
    propose_many(nodes, 5, 2);
    close_node(late);
    for (unsigned i = 0; i < 4; i++) { /* each in its turn; the leader's when it does not lead */
        struct node *wiped = &nodes[i];
        CU_ASSERT_FATAL(wait_until(has_leader, nodes, 5, WAIT_MS));
        if (leader(nodes, 5) == wiped)
            hand_over(nodes, 5, &nodes[(i + 3) % 4]);
        wipe(wiped);
        replace(nodes, 5, wiped);
    }
    propose_many(nodes, 5, 2);
    open_node(late);
    wanted_voters = 5;
    CU_ASSERT(wait_until(all_applied, nodes, 5, WAIT_MS));
    CU_ASSERT(wait_until(all_have_voters, nodes, 5, WAIT_MS));
    CU_ASSERT(wait_until(all_connected, nodes, 5, WAIT_MS));
    CU_ASSERT_STRING_EQUAL(replica_removed(late->replica), "");
    propose_many(nodes, 5, 2);
    for (unsigned i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(nodes[i].fatal, 0);
        close_node(&nodes[i]);
    }
}

/* An entry that takes one member out stands in one log only, whose owner lost its power: the others go on as
 * they were, and whoever leads them, the one that was to go too, takes the entry out of that log again. */
static void removal_that_came_to_nothing(void)
{
    struct node nodes[3];
    struct node *old, *out, *other;

    for (unsigned replaced = 0; replaced < 2; replaced++) {
        expected = 0;
        plan(nodes, 3, false);
        for (unsigned i = 0; i < 3; i++)
            open_node(&nodes[i]);
        CU_ASSERT_FATAL(wait_until(all_formed, nodes, 3, WAIT_MS));
        propose_many(nodes, 3, 2);
        old = leader(nodes, 3);
        out = old == &nodes[0] ? &nodes[1] : &nodes[0];
        other = old == &nodes[2] ? &nodes[1] : &nodes[2];
        if (replaced) { /* so that it is no member by the snapshot */
            wipe(out);
            replace(nodes, 3, out);
            propose_many(nodes, 3, 2);
            hand_over(nodes, 3, old);
        }
        CU_ASSERT(wait_until(all_connected, nodes, 3, WAIT_MS));
        change(nodes, 3, REPLICA_REMOVE, out->name, NULL);
        close_node(old);
        CU_ASSERT_FATAL(wait_until(has_leader, nodes, 3, WAIT_MS));
        hand_over(nodes, 3, out);
        propose_many(nodes, 3, 2);
        CU_ASSERT_EQUAL(voters(out), 3);
        open_node(old);
        CU_ASSERT_EQUAL(voters(old), 2); /* so says its log, still */
        close_node(other);               /* these two are needed, and enough */
        propose_many(nodes, 3, 2);
        wanted_voters = 3;
        CU_ASSERT(wait_until(all_have_voters, nodes, 3, WAIT_MS));
        CU_ASSERT_STRING_EQUAL(replica_removed(out->replica), "");
        open_node(other);
        CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
        stop(nodes);
    }
}

static bool both_say_no(struct node *nodes, unsigned count)
{
    const char *first = awaited;
    bool no = refused_by_awaited(nodes, count);

    awaited = also_awaited;
    no = no && refused_by_awaited(nodes, count);
    awaited = first;
    return no;
}

/* Who said once that this node is out may be gone when it is let in again. */
static void let_in_again_without_all(void)
{
    static struct node nodes[4];
    struct node *out = &nodes[3], *dead;

    expected = 0;
    plan(nodes, 4, false);
    for (unsigned i = 0; i < 4; i++)
        open_node(&nodes[i]);
    CU_ASSERT_FATAL(wait_until(all_formed, nodes, 4, WAIT_MS));
    CU_ASSERT_FATAL(wait_until(has_leader, nodes, 4, WAIT_MS));
    hand_over(nodes, 4, &nodes[0]);
    propose_many(nodes, 4, 2);
    close_node(out);
    change(nodes, 4, REPLICA_REMOVE, out->name, NULL);
    wanted_voters = 3;
    CU_ASSERT(wait_until(all_have_voters, nodes, 4, WAIT_MS));
    open_node(out);
    dead = &nodes[1];
    awaited = dead->name;
    also_awaited = nodes[0].name;
    CU_ASSERT(wait_until(both_say_no, out, 1, WAIT_MS));
    CU_ASSERT_STRING_NOT_EQUAL(replica_removed(out->replica), "");
    close_node(dead);
    awaited = out->name;
    CU_ASSERT_FATAL(wait_until(leader_sees_stranger, nodes, 4, WAIT_MS));
    change(nodes, 4, REPLICA_ADD, out->name, NULL);
    wanted_voters = 4;
    CU_ASSERT(wait_until(all_have_voters, nodes, 4, WAIT_MS));
    propose_many(nodes, 4, 2);
    CU_ASSERT_STRING_EQUAL(replica_removed(out->replica), "");
    for (unsigned i = 0; i < 4; i++)
        if (nodes[i].replica)
            close_node(&nodes[i]);
}

int main(void)
{
    CU_pSuite suite;

    fixture_begin("test_replica_members");
    suite = CU_add_suite("replica: members", NULL, NULL);
    CU_ADD_TEST(suite, wiped_data_node);
    CU_ADD_TEST(suite, wiped_arbiter);
    CU_ADD_TEST(suite, wiped_after_compaction);
    CU_ADD_TEST(suite, grows);
    CU_ADD_TEST(suite, removed_one_is_quiet);
    CU_ADD_TEST(suite, guards);
    CU_ADD_TEST(suite, namesake);
    CU_ADD_TEST(suite, outlives_its_leader);
    CU_ADD_TEST(suite, learner_that_never_comes);
    CU_ADD_TEST(suite, unknown_leader_is_accepted);
    CU_ADD_TEST(suite, removal_that_came_to_nothing);
    CU_ADD_TEST(suite, let_in_again_without_all);
    return fixture_end();
}
