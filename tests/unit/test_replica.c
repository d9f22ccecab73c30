/* Running members on loopback, all in one loop, each with a real store in a temporary directory. */
#include <CUnit/Basic.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/replica/wire.h"
#include "replica_fixture.h"

static void forms_elects_applies(void)
{
    struct node nodes[3];
    uint64_t index;

    expected = 0;
    start(nodes);
    CU_ASSERT_STRING_NOT_EQUAL(leader(nodes, 3)->name, "xarb");
    CU_ASSERT_STRING_EQUAL(replica_forming(nodes[0].replica), "");
    for (char what = 'a'; what < 'f'; what++)
        propose(nodes, 3, what);
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT(nodes[i].is_arbiter || memcmp(nodes[i].applied, "abcde", 5) == 0);
        CU_ASSERT_EQUAL(replica_member_count(nodes[i].replica), 3);
        if (&nodes[i] != leader(nodes, 3))
            CU_ASSERT_EQUAL(replica_propose(nodes[i].replica, "x", 1, &index, NULL), ERR_NOT_LEADER);
    }
    leader(nodes, 3)->propose_on_apply = 3;
    propose(nodes, 3, 'o');
    expected += 3;
    CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
    CU_ASSERT_EQUAL(memcmp(nodes[1].applied, "abcdeoppp", 9), 0);
    stop(nodes);
}

/* What a leader has proposed itself is committed before it is applied, on a slow disk for long: it has the
 * state that it had when it proposed, and goes on leading by it. */
static void applying_leader_is_ready(void)
{
    struct node nodes[3];

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, 20); /* committed together */
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(nodes[i].applied_unready, 0);
    stop(nodes);
}

static void restarts_from_disk(void)
{
    struct node nodes[3];
    uint64_t id;

    expected = 0;
    start(nodes);
    propose(nodes, 3, 'a');
    propose(nodes, 3, 'b');
    id = replica_id(nodes[1].replica);
    close_node(&nodes[1]);
    propose(nodes, 3, 'c');
    open_node(&nodes[1]);
    CU_ASSERT(replica_formed(nodes[1].replica));
    CU_ASSERT_EQUAL(replica_id(nodes[1].replica), id);
    CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
    propose(nodes, 3, 'd');
    CU_ASSERT_EQUAL(memcmp(nodes[1].applied, "abcd", 4), 0);
    CU_ASSERT_EQUAL(memcmp(nodes[1].applied_index, nodes[0].applied_index, 4 * sizeof(uint64_t)), 0);
    for (unsigned i = 0; i < 3; i++) /* all at once */
        close_node(&nodes[i]);
    for (unsigned i = 0; i < 3; i++)
        open_node(&nodes[i]);
    propose(nodes, 3, 'e');
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT(nodes[i].is_arbiter || memcmp(nodes[i].applied, "abcde", 5) == 0);
    stop(nodes);
}

static void leader_dies(void)
{
    struct node nodes[3];
    struct node *dead;
    bool connected;

    expected = 0;
    start(nodes);
    propose(nodes, 3, 'a');
    CU_ASSERT(wait_until(all_connected, nodes, 3, WAIT_MS));
    dead = leader(nodes, 3);
    close_node(dead);
    run_ms(20);
    trouble(&nodes[2], dead->name, &connected);
    CU_ASSERT(!connected); /* at once, not by a timeout */
    propose(nodes, 3, 'b');
    CU_ASSERT_STRING_NOT_EQUAL(leader(nodes, 3)->name, "xarb");
    open_node(dead);
    propose(nodes, 3, 'c');
    CU_ASSERT_EQUAL(memcmp(dead->applied, "abc", 3), 0);
    stop(nodes);
}

static void wiped_one_is_refused(void)
{
    struct node nodes[3];
    unsigned follower;

    expected = 0;
    start(nodes);
    propose(nodes, 3, 'a');
    follower = leader(nodes, 3) == &nodes[0] ? 1 : 0;
    close_node(&nodes[follower]);
    empty_dir(nodes[follower].dir);
    open_node(&nodes[follower]);
    run_ms(600);
    CU_ASSERT(!replica_formed(nodes[follower].replica));
    CU_ASSERT_PTR_NOT_NULL(strstr(trouble(&nodes[2], nodes[follower].name, NULL), "wiped"));
    CU_ASSERT_PTR_NOT_NULL(strstr(trouble(&nodes[follower], "xarb", NULL), "wiped"));
    CU_ASSERT_PTR_NOT_NULL(strstr(replica_forming(nodes[follower].replica), "wiped"));
    CU_ASSERT_EQUAL(nodes[follower].applied_count, 0);
    close_node(&nodes[follower]);
    propose(nodes, 3, 'b'); /* the others go on */
    stop(nodes);
}

/* Its identity was made and told, then it stopped before Form arrived: it is formed by whom it meets. */
static void form_that_was_lost_is_made_up_for(void)
{
    struct node nodes[3];
    char command[512];

    expected = 0;
    plan(nodes, 3, true);
    open_node(&nodes[1]);
    close_node(&nodes[1]);
    snprintf(command, sizeof command, "cp -a %s %s.before", nodes[1].dir, nodes[1].dir);
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
    for (unsigned i = 0; i < 3; i++)
        open_node(&nodes[i]);
    CU_ASSERT_FATAL(wait_until(all_formed, nodes, 3, WAIT_MS));
    close_node(&nodes[0]); /* the coordinator is away */
    close_node(&nodes[1]);
    snprintf(command, sizeof command, "rm -r %s && mv %s.before %s", nodes[1].dir, nodes[1].dir,
             nodes[1].dir);
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
    open_node(&nodes[1]);
    CU_ASSERT(!replica_formed(nodes[1].replica));
    CU_ASSERT(wait_until(all_formed, nodes, 3, WAIT_MS));
    propose(nodes, 3, 'a');
    stop(nodes);
}

static void waits_for_all_and_agreement(void)
{
    struct node nodes[3];
    uint64_t index;
    struct error err;

    expected = 0;
    plan(nodes, 3, true);
    nodes[1].nodes[2].arbiter = false; /* a file that differs */
    open_node(&nodes[0]);
    open_node(&nodes[1]);
    run_ms(300);
    CU_ASSERT(!replica_formed(nodes[0].replica));
    CU_ASSERT_PTR_NOT_NULL(strstr(replica_forming(nodes[0].replica), "xarb"));
    CU_ASSERT_PTR_NOT_NULL(strstr(replica_forming(nodes[0].replica), "differ"));
    CU_ASSERT_EQUAL(replica_propose(nodes[0].replica, "x", 1, &index, &err), ERR_NOT_LEADER);
    open_node(&nodes[2]);
    run_ms(500);
    CU_ASSERT(!replica_formed(nodes[0].replica));
    CU_ASSERT(!replica_formed(nodes[1].replica));
    CU_ASSERT(!replica_formed(nodes[2].replica));
    close_node(&nodes[1]);
    nodes[1].nodes[2].arbiter = true;
    open_node(&nodes[1]);
    CU_ASSERT(wait_until(all_formed, nodes, 3, WAIT_MS));
    propose(nodes, 3, 'a');
    stop(nodes);
}

static void hands_over(void)
{
    struct node nodes[3];
    struct node *old, *next;
    struct raft_status status;
    struct error err;

    expected = 0;
    start(nodes);
    propose(nodes, 3, 'a');
    old = leader(nodes, 3);
    next = old == &nodes[0] ? &nodes[1] : &nodes[0];
    CU_ASSERT_EQUAL(replica_transfer(next->replica, replica_id(old->replica), &err), ERR_NOT_LEADER);
    replica_end_lease(old->replica);
    replica_released(old->replica);
    CU_ASSERT_EQUAL(replica_transfer(old->replica, replica_id(next->replica), &err), ERR_OK);
    propose(nodes, 3, 'b');
    CU_ASSERT_PTR_EQUAL(leader(nodes, 3), next);
    replica_status(next->replica, &status);
    replica_end_lease(next->replica);
    replica_released(next->replica);
    uint64_t term = status.term;
    CU_ASSERT_EQUAL(replica_renew_term(next->replica, &err), ERR_OK);
    run_ms(100);
    propose(nodes, 3, 'c');
    CU_ASSERT_PTR_EQUAL(leader(nodes, 3), next);
    replica_status(next->replica, &status);
    CU_ASSERT(status.term > term);
    stop(nodes);
}

static bool both_data_nodes_have_one(struct node *nodes, unsigned count)
{
    (void)count;
    return nodes[0].messages == 0 && nodes[1].messages == 1;
}

static void carries_messages(void)
{
    struct node nodes[3];
    static uint8_t big[REPLICA_APPLICATION_BYTES_MAX + 1];

    expected = 0;
    start(nodes);
    CU_ASSERT(wait_until(all_connected, nodes, 3, WAIT_MS));
    replica_send(nodes[0].replica, 0, "all", 3);
    CU_ASSERT(wait_until(both_data_nodes_have_one, nodes, 3, WAIT_MS));
    CU_ASSERT_STRING_EQUAL(nodes[1].message, "all");
    CU_ASSERT_EQUAL(nodes[1].message_from, replica_id(nodes[0].replica));
    run_ms(50);
    CU_ASSERT_EQUAL(nodes[2].messages, 0); /* no arbiter */
    replica_send(nodes[2].replica, replica_id(nodes[1].replica), "one", 3);
    replica_send(nodes[2].replica, 12345, "nobody", 6);
    replica_send(nodes[2].replica, 0, big, sizeof big);
    run_ms(100);
    CU_ASSERT_EQUAL(nodes[1].messages, 2);
    CU_ASSERT_STRING_EQUAL(nodes[1].message, "one");
    stop(nodes);
}

static void group_of_one(void)
{
    struct node node[1];

    expected = 0;
    plan(node, 1, false);
    open_node(node);
    CU_ASSERT(replica_formed(node->replica));
    propose(node, 1, 'a');
    close_node(node);
    open_node(node);
    CU_ASSERT(wait_until(has_leader, node, 1, WAIT_MS));
    propose(node, 1, 'b');
    CU_ASSERT_EQUAL(memcmp(node->applied, "ab", 2), 0);
    close_node(node);
}

static void refuses_to_open(void)
{
    struct node nodes[3];
    struct error err;

    start(nodes);
    close_node(&nodes[0]);
    nodes[0].nodes[1].arbiter = true;
    CU_ASSERT_EQUAL(try_open(&nodes[0], &err), ERR_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "db2"));
    nodes[0].nodes[1].arbiter = false;
    open_node(&nodes[0]);
    struct node twin = nodes[0];
    twin.net = NULL;
    snprintf(twin.nodes[0].address, sizeof twin.nodes[0].address, "127.0.0.1:0");
    CU_ASSERT_EQUAL(try_open(&twin, &err), ERR_BUSY);
    net_free(twin.net);
    stop(nodes);
}

/* The log's descriptor turns into one that cannot be written, or one that takes writes and fails to sync
 * them. */
static void break_disk(const struct node *node, int flags)
{
    char link[64];
    char path[256];

    for (int fd = 3; fd < 256; fd++) {
        ssize_t length;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        length = readlink(link, path, sizeof path - 1);
        if (length <= 0)
            continue;
        path[length] = '\0';
        if (strncmp(path, node->dir, strlen(node->dir)) == 0 && strstr(path, "/wal-")) {
            int null = open("/dev/null", flags);
            dup2(null, fd);
            close(null);
        }
    }
}

static bool told_fatal(struct node *nodes, unsigned count)
{
    (void)count;
    return nodes[0].fatal > 0;
}

static void failed_disk_is_final(void)
{
    struct node nodes[3];
    struct node *lead;
    uint64_t index;
    struct error err;

    expected = 0;
    start(nodes);
    propose(nodes, 3, 'a');
    lead = leader(nodes, 3);
    break_disk(lead, O_RDONLY);
    CU_ASSERT_EQUAL(replica_propose(lead->replica, "b", 1, &index, &err), ERR_OK);
    CU_ASSERT_EQUAL(lead->fatal, 0); /* told from the loop, not from inside the call */
    CU_ASSERT(wait_until(told_fatal, lead, 1, WAIT_MS));
    CU_ASSERT(replica_propose(lead->replica, "b", 1, &index, &err) != ERR_OK);
    run_ms(300);
    CU_ASSERT_EQUAL(lead->fatal, 1); /* once */
    CU_ASSERT_EQUAL(lead->applied_count, 1);
    lead->fatal = 0;
    close_node(lead);
    propose(nodes, 3, 'c');
    stop(nodes);
}

/* Nothing that was not synced is acknowledged, by a follower or to itself by the leader. */
static void nothing_unsynced_counts(void)
{
    for (unsigned leading = 0; leading < 2; leading++) {
        struct node nodes[3];
        struct node *lead, *follower, *broken;
        uint64_t index;

        expected = 0;
        start(nodes);
        propose(nodes, 3, 'a');
        lead = leader(nodes, 3);
        follower = lead == &nodes[0] ? &nodes[1] : &nodes[0];
        broken = leading ? lead : follower;
        close_node(&nodes[2]); /* so that both others are needed */
        break_disk(broken, O_WRONLY);
        CU_ASSERT_EQUAL(replica_propose(lead->replica, "b", 1, &index, NULL), ERR_OK);
        CU_ASSERT(wait_until(told_fatal, broken, 1, WAIT_MS));
        run_ms(300);
        CU_ASSERT_EQUAL(lead->applied_count, 1);
        CU_ASSERT_EQUAL(follower->applied_count, 1);
        broken->fatal = 0;
        stop(nodes);
    }
}

/* Whoever has the key can speak; nonsense costs them the connection, and nobody else anything. */
static unsigned fake_up;
static void on_fake_up(void *context, struct net_link *link)
{
    const struct wire_bytes *bytes = context;

    fake_up++;
    net_link_send(link, bytes->data, bytes->size);
    for (unsigned i = 0; i < 20; i++) {
        uint8_t noise[200];
        for (unsigned k = 0; k < sizeof noise; k++)
            noise[k] = (uint8_t)rand();
        net_link_send(link, noise, 1 + (size_t)rand() % sizeof noise);
    }
}
static void on_fake_frame(void *context, struct net_link *link, const uint8_t *data, size_t size)
{
    (void)context;
    (void)link;
    (void)data;
    (void)size;
}
static void on_fake_down(void *context, struct net_link *link, const char *why)
{
    (void)context;
    (void)link;
    (void)why;
}

static void fake_member(const struct node *node, const char *name, uint64_t id)
{
    static const struct net_callbacks fake_callbacks = {
        .link_up = on_fake_up, .link_frame = on_fake_frame, .link_down = on_fake_down};
    struct wire_hello hello = {.version = WIRE_VERSION, .cluster = "shop", .id = id};
    struct wire_bytes bytes;
    struct net *net;
    struct net_group *group;
    struct net_link *link;
    struct error err;
    char address[32];

    snprintf(hello.name, sizeof hello.name, "%s", name);
    snprintf(hello.to, sizeof hello.to, "%s", node->name);
    CU_ASSERT_EQUAL_FATAL(wire_pack_hello(&hello, &bytes, &err), ERR_OK);
    snprintf(address, sizeof address, "127.0.0.1:%u", net_port(node->net));
    CU_ASSERT_EQUAL_FATAL(net_new(base, &net, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(net_group_new(net, "shop", key, &fake_callbacks, &bytes, &group, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(net_link_new(group, address, NULL, &link, &err), ERR_OK);
    fake_up = 0;
    run_ms(250);
    CU_ASSERT(fake_up >= 2); /* thrown out, and back again */
    net_free(net);
    free(bytes.data);
}

static void nonsense_with_the_key(void)
{
    struct node nodes[3];
    struct raft_status before, after;

    expected = 0;
    start(nodes);
    propose(nodes, 3, 'a');
    CU_ASSERT(wait_until(all_connected, nodes, 3, WAIT_MS));
    replica_status(nodes[0].replica, &before);
    srand(1);
    fake_member(&nodes[0], "db2", replica_id(nodes[1].replica)); /* in db2's name */
    fake_member(&nodes[0], "db2", 5);
    fake_member(&nodes[0], "db9", 5);
    fake_member(&nodes[0], "db1", 5);
    CU_ASSERT(wait_until(all_connected, nodes, 3, WAIT_MS));
    propose(nodes, 3, 'b');
    replica_status(nodes[0].replica, &after);
    CU_ASSERT_EQUAL(before.term, after.term);
    stop(nodes);
}

/* An owner that commands something at every change does not spin. */
static void idles(void)
{
    struct node nodes[3];
    unsigned before;

    expected = 0;
    start(nodes);
    CU_ASSERT(wait_until(all_connected, nodes, 3, WAIT_MS));
    before = nodes[0].changes;
    run_ms(300);
    CU_ASSERT(nodes[0].changes - before < 200);
    stop(nodes);
}

int main(void)
{
    CU_pSuite suite;

    fixture_begin("test_replica");
    suite = CU_add_suite("replica", NULL, NULL);
    CU_ADD_TEST(suite, forms_elects_applies);
    CU_ADD_TEST(suite, applying_leader_is_ready);
    CU_ADD_TEST(suite, restarts_from_disk);
    CU_ADD_TEST(suite, leader_dies);
    CU_ADD_TEST(suite, wiped_one_is_refused);
    CU_ADD_TEST(suite, form_that_was_lost_is_made_up_for);
    CU_ADD_TEST(suite, waits_for_all_and_agreement);
    CU_ADD_TEST(suite, hands_over);
    CU_ADD_TEST(suite, carries_messages);
    CU_ADD_TEST(suite, group_of_one);
    CU_ADD_TEST(suite, refuses_to_open);
    CU_ADD_TEST(suite, failed_disk_is_final);
    CU_ADD_TEST(suite, nothing_unsynced_counts);
    CU_ADD_TEST(suite, nonsense_with_the_key);
    CU_ADD_TEST(suite, idles);
    return fixture_end();
}
