/* Logs that stay short: members make snapshots, get them from the leader, start from them; whatever step the
 * power fails at. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/replica/wire.h"
#include "common/store/verify.h"
#include "replica_fixture.h"

/* More than the hard limit: no quiet moment is needed. */
#define MANY (2 * REPLICA_COMPACT_ENTRIES + 50)

static const struct files *files_of(const struct node *node)
{
    return node->disk ? memory_files(node->disk) : files_posix();
}

/* What a stopped member has on its disk. */
static void look(const struct node *node, struct contents *out)
{
    struct error err;

    CU_ASSERT_EQUAL_FATAL(store_verify(files_of(node), node->disk ? "/disk" : node->dir, out, &err), ERR_OK);
}

static uint64_t snapshot_on_disk(const struct node *node)
{
    struct contents contents;
    uint64_t index;

    look(node, &contents);
    index = contents.snapshot.last_index;
    contents_free(&contents);
    return index;
}

static bool same_state(const struct node *a, const struct node *b)
{
    return a->applied_count == b->applied_count && memcmp(a->applied, b->applied, a->applied_count) == 0;
}

static void follows_the_log(void)
{
    struct node nodes[3];
    struct raft_status status;
    struct contents contents;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, MANY);
    for (unsigned i = 0; i < 2; i++) {
        replica_status(nodes[i].replica, &status);
        CU_ASSERT(nodes[i].packed >= 1);
        CU_ASSERT(status.snapshot_index >= 2 * REPLICA_COMPACT_ENTRIES);
        CU_ASSERT(status.last_index - status.snapshot_index < 60);
    }
    close_node(&nodes[1]);
    look(&nodes[1], &contents);
    CU_ASSERT(contents.snapshot.last_index >= 2 * REPLICA_COMPACT_ENTRIES);
    CU_ASSERT_EQUAL(contents.log.segment_count, 1);
    CU_ASSERT(contents.log.segment_bytes <= 1024 * 1024);
    contents_free(&contents);
    open_node(&nodes[1]);
    CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
    CU_ASSERT_EQUAL(nodes[1].restored, 1);
    CU_ASSERT(same_state(&nodes[1], &nodes[0]));
    for (unsigned i = 0; i < 3; i++)
        close_node(&nodes[i]);
    for (unsigned i = 0; i < 3; i++)
        open_node(&nodes[i]);
    propose_many(nodes, 3, 3);
    CU_ASSERT(same_state(&nodes[1], &nodes[0]));
    stop(nodes);
}

static bool packed_one(struct node *nodes, unsigned count)
{
    (void)count;
    return nodes[0].packed > 0 && nodes[1].packed > 0;
}

/* Below the hard limit it waits until nothing has been applied for a while. */
static void waits_for_a_quiet_moment(void)
{
    struct node nodes[3];
    uint64_t begun_us;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, REPLICA_COMPACT_ENTRIES);
    begun_us = clock_now_us();
    CU_ASSERT_EQUAL(nodes[0].packed + nodes[1].packed, 0);
    CU_ASSERT(wait_until(packed_one, nodes, 3, 3 * REPLICA_COMPACT_QUIET_US / 1000));
    CU_ASSERT(clock_now_us() - begun_us > REPLICA_COMPACT_QUIET_US / 2);
    propose_many(nodes, 3, 5); /* and goes on behind it */
    stop(nodes);
}

static bool arbiter_has_one(struct node *nodes, unsigned count)
{
    struct raft_status status;

    (void)count;
    replica_status(nodes[2].replica, &status);
    return status.snapshot_index >= 2 * REPLICA_COMPACT_ENTRIES;
}

/* It has no state of its own: the leader sends it one, and it starts again with that. */
static void arbiter_gets_one(void)
{
    struct node nodes[3];
    struct contents contents;
    struct wire_snapshot snapshot;
    struct error err;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, MANY);
    CU_ASSERT(wait_until(arbiter_has_one, nodes, 3, WAIT_MS));
    close_node(&nodes[2]);
    look(&nodes[2], &contents);
    CU_ASSERT_EQUAL(wire_unpack_snapshot(contents.snapshot.data, contents.snapshot.size, &snapshot, &err),
                    ERR_OK);
    CU_ASSERT(snapshot.state_size >= 2 * REPLICA_COMPACT_ENTRIES - 10);
    CU_ASSERT_EQUAL(snapshot.membership.count, 3);
    CU_ASSERT_STRING_EQUAL(replica_membership_by_id(&snapshot.membership, contents.identity.id)->name,
                           "xarb");
    wire_free_snapshot(&snapshot);
    contents_free(&contents);
    open_node(&nodes[2]);
    struct node *dead = leader(nodes, 3); /* now the other needs its vote */
    close_node(dead);
    propose_many(nodes, 3, 2);
    open_node(dead);
    CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
    stop(nodes);
}

/* A data node that was away while the log went on and was shortened. */
static void away_meanwhile(void)
{
    struct node nodes[3];
    struct node *away;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, 3);
    away = leader(nodes, 3) == &nodes[0] ? &nodes[1] : &nodes[0];
    close_node(away);
    propose_many(nodes, 3, MANY);
    open_node(away);
    CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
    CU_ASSERT(away->restored >= 1);
    CU_ASSERT(same_state(&nodes[1], &nodes[0]));
    propose_many(nodes, 3, 3);
    close_node(away);
    CU_ASSERT(snapshot_on_disk(away) >= 2 * REPLICA_COMPACT_ENTRIES);
    open_node(away);
    CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
    CU_ASSERT(same_state(&nodes[1], &nodes[0]));
    stop(nodes);
}

static bool told_fatal(struct node *nodes, unsigned count)
{
    (void)count;
    return nodes[0].fatal > 0;
}

/* What a newer program said is not skipped: neither a command nor a state. */
static void unknown_stops(void)
{
    struct node nodes[3];
    struct node *lead, *other;
    struct error err;
    uint64_t index;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, 2);
    lead = leader(nodes, 3);
    other = lead == &nodes[0] ? &nodes[1] : &nodes[0];
    CU_ASSERT_EQUAL(replica_propose(lead->replica, "?", 1, &index, &err), ERR_OK);
    CU_ASSERT_EQUAL(replica_propose(lead->replica, "b", 1, &index, &err), ERR_OK);
    CU_ASSERT(wait_until(told_fatal, lead, 1, WAIT_MS));
    CU_ASSERT(wait_until(told_fatal, other, 1, WAIT_MS));
    CU_ASSERT_PTR_NOT_NULL(strstr(lead->why, "this version does not know"));
    CU_ASSERT_EQUAL(lead->applied_count, 2);
    CU_ASSERT_EQUAL(other->applied_count, 2);
    lead->fatal = other->fatal = 0;
    stop(nodes);

    start(nodes);
    nodes[0].applied[0] = nodes[1].applied[0] = '!';
    nodes[0].applied_count = nodes[1].applied_count = 1;
    expected = 1;
    propose_many(nodes, 3, MANY);
    close_node(&nodes[0]);
    open_node(&nodes[0]);
    CU_ASSERT(wait_until(told_fatal, nodes, 1, WAIT_MS));
    CU_ASSERT_EQUAL(nodes[0].applied_count, 0);
    nodes[0].fatal = 0;
    stop(nodes);
}

/* ---- the power fails at every step ---- */

static bool applied_or_failed(struct node *nodes, unsigned count)
{
    (void)count;
    return nodes[0].fatal > 0 || nodes[0].applied_count >= expected;
}

static void crash(struct node *node, uint64_t seed)
{
    struct memory_disk *after =
        memory_crash(node->disk, &(struct memory_crash){.survival = MEMORY_RANDOM, .seed = seed});

    close_node(node);
    memory_free(node->disk);
    node->disk = after;
    node->fatal = 0;
}

/* Alone, in the middle of making its snapshot: all that it applied was durable, and is there again. */
static void power_fails_while_it_makes_one(void)
{
    bool over = false;

    for (unsigned step = 0; !over; step++) {
        static struct node node[1];
        unsigned acknowledged;
        uint64_t index;

        expected = 0;
        plan(node, 1, false);
        node->disk = memory_new();
        open_node(node);
        propose_many(node, 1, 2 * REPLICA_COMPACT_ENTRIES - 2);
        CU_ASSERT_EQUAL(node->packed, 0);
        /* its append and sync come first; then the snapshot, the directory, the new segment, the old one */
        memory_stop_at(node->disk, memory_operations(node->disk) + step);
        replica_propose(node->replica, "x", 1, &index, NULL);
        expected++;
        CU_ASSERT(wait_until(applied_or_failed, node, 1, WAIT_MS));
        run_ms(20);
        over = node->fatal == 0;
        CU_ASSERT(!over || (node->packed == 1 && step > 8));
        acknowledged = node->applied_count;
        crash(node, step);
        open_node(node);
        expected = acknowledged;
        CU_ASSERT(wait_until(has_leader, node, 1, WAIT_MS));
        CU_ASSERT(wait_until(all_applied, node, 1, WAIT_MS));
        propose_many(node, 1, 2);
        close_node(node);
        CU_ASSERT(!over || snapshot_on_disk(node) >= 2 * REPLICA_COMPACT_ENTRIES - 10);
        memory_free(node->disk);
    }
}

/* While it stores the one that the leader sends. */
static void power_fails_while_it_gets_one(void)
{
    struct node nodes[3];
    struct node *away;
    unsigned steps = 0;
    bool over = false;

    expected = 0;
    plan(nodes, 3, true);
    nodes[0].disk = memory_new();
    nodes[1].disk = memory_new();
    for (unsigned i = 0; i < 3; i++)
        open_node(&nodes[i]);
    CU_ASSERT_FATAL(wait_until(all_formed, nodes, 3, WAIT_MS));
    propose_many(nodes, 3, 3);
    away = leader(nodes, 3) == &nodes[0] ? &nodes[1] : &nodes[0];
    close_node(away);
    struct memory_disk *before = away->disk;
    propose_many(nodes, 3, MANY);
    for (unsigned step = 0; !over; step++) {
        away->disk = memory_copy(before);
        open_node(away);
        memory_stop_at(away->disk, memory_operations(away->disk) + step);
        CU_ASSERT(wait_until(applied_or_failed, away, 1, WAIT_MS));
        over = away->fatal == 0;
        steps += !over;
        crash(away, step);
        open_node(away);
        CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
        CU_ASSERT(same_state(&nodes[0], &nodes[1]));
        close_node(away);
        CU_ASSERT(snapshot_on_disk(away) >= 2 * REPLICA_COMPACT_ENTRIES);
        memory_free(away->disk);
    }
    CU_ASSERT(steps > 8);
    memory_free(before);
    away->disk = NULL;
    stop(nodes);
    memory_free(away == &nodes[0] ? nodes[1].disk : nodes[0].disk);
}

/* One message may bring a new term and a whole snapshot of it. Whatever step the power fails at, what is on
 * the disk does not contradict itself. */
struct fake {
    struct wire_bytes hello, snapshot;
};

static void on_fake_up(void *context, struct net_link *link)
{
    const struct fake *fake = context;
    net_link_send(link, fake->hello.data, fake->hello.size);
    net_link_send(link, fake->snapshot.data, fake->snapshot.size);
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

static void make_fake(const struct node *from, const struct node *to, struct fake *out)
{
    struct wire_hello hello = {.version = WIRE_VERSION, .cluster = "shop", .id = replica_id(from->replica)};
    struct wire_snapshot snapshot = {
        .last_index = 5000, .last_term = 900, .state = (const uint8_t *)"zz", .state_size = 2};
    struct raft_message message = {.kind = RAFT_SNAPSHOT,
                                   .from = replica_id(from->replica),
                                   .to = replica_id(to->replica),
                                   .term = 901,
                                   .log_index = 5000,
                                   .log_term = 900};
    struct wire_bytes bytes;
    struct error err;

    snprintf(hello.name, sizeof hello.name, "%s", from->name);
    snprintf(hello.to, sizeof hello.to, "%s", to->name);
    for (unsigned i = 0; i < replica_member_count(to->replica); i++) {
        struct replica_membership_member member = {.voter = true};
        struct replica_member known;
        replica_member(to->replica, i, &known);
        member.id = known.id;
        member.arbiter = known.arbiter;
        snprintf(member.name, sizeof member.name, "%s", known.name);
        snprintf(member.address, sizeof member.address, "%s", known.address);
        CU_ASSERT_EQUAL(replica_membership_add(&snapshot.membership, &member, &err), ERR_OK);
    }
    CU_ASSERT_EQUAL_FATAL(wire_pack_hello(&hello, &out->hello, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(wire_pack_snapshot(&snapshot, &bytes, &err), ERR_OK);
    message.data = bytes.data;
    message.size = message.total_bytes = bytes.size;
    CU_ASSERT_EQUAL_FATAL(wire_pack_raft(&message, &out->snapshot, NULL, &err), ERR_OK);
    free(bytes.data);
}

static struct net *send_fake(const struct node *to, struct fake *fake)
{
    static const struct net_callbacks fake_callbacks = {
        .link_up = on_fake_up, .link_frame = on_fake_frame, .link_down = on_fake_down};
    struct net *net;
    struct net_group *group;
    struct net_link *link;
    struct error err;
    char address[32];

    snprintf(address, sizeof address, "127.0.0.1:%u", net_port(to->net));
    CU_ASSERT_EQUAL_FATAL(net_new(base, &net, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(net_group_new(net, "shop", key, &fake_callbacks, fake, &group, &err), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(net_link_new(group, address, NULL, &link, &err), ERR_OK);
    return net;
}

static bool restored_or_failed(struct node *nodes, unsigned count)
{
    (void)count;
    return nodes[0].fatal > 0 || nodes[0].applied_count == 2;
}

static void snapshot_with_a_new_term(void)
{
    struct node nodes[3];
    struct raft_status status;
    struct fake fake;
    unsigned steps = 0;
    bool over = false;

    expected = 0;
    plan(nodes, 3, true);
    nodes[1].disk = memory_new();
    for (unsigned i = 0; i < 3; i++)
        open_node(&nodes[i]);
    CU_ASSERT_FATAL(wait_until(all_formed, nodes, 3, WAIT_MS));
    CU_ASSERT_FATAL(wait_until(has_leader, nodes, 3, WAIT_MS));
    make_fake(&nodes[0], &nodes[1], &fake);
    for (unsigned i = 0; i < 3; i++)
        close_node(&nodes[i]);
    struct memory_disk *before = nodes[1].disk;
    for (unsigned step = 0; !over; step++) {
        nodes[1].disk = memory_copy(before);
        nodes[1].applied_count = 0;
        open_node(&nodes[1]);
        memory_stop_at(nodes[1].disk, memory_operations(nodes[1].disk) + step);
        struct net *net = send_fake(&nodes[1], &fake);
        CU_ASSERT(wait_until(restored_or_failed, &nodes[1], 1, WAIT_MS));
        net_free(net);
        over = nodes[1].fatal == 0;
        steps += !over;
        close_node(&nodes[1]);
        for (unsigned how = 0; how < 2; how++) {
            struct memory_disk *after = memory_crash(
                nodes[1].disk, &(struct memory_crash){.survival = how ? MEMORY_ALL : MEMORY_NONE});
            struct memory_disk *disk = nodes[1].disk;
            nodes[1].disk = after;
            nodes[1].fatal = nodes[1].applied_count = 0;
            open_node(&nodes[1]); /* fails the test if the disk contradicts itself */
            if (over) {
                CU_ASSERT(wait_until(restored_or_failed, &nodes[1], 1, WAIT_MS));
                CU_ASSERT_EQUAL(nodes[1].fatal, 0);
                replica_status(nodes[1].replica, &status);
                CU_ASSERT(status.term >= 901);
                CU_ASSERT_EQUAL(status.snapshot_index, 5000);
            }
            close_node(&nodes[1]);
            memory_free(after);
            nodes[1].disk = disk;
        }
        memory_free(nodes[1].disk);
    }
    CU_ASSERT(steps > 6);
    memory_free(before);
    free(fake.hello.data);
    free(fake.snapshot.data);
}

/* A disk that is full takes no snapshot, its own or another's, and the member lives on and votes. */
static void full_disk(void)
{
    struct node nodes[3];
    struct node *away;

    expected = 0;
    plan(nodes, 3, true);
    nodes[0].disk = memory_new();
    nodes[1].disk = memory_new();
    for (unsigned i = 0; i < 3; i++)
        open_node(&nodes[i]);
    CU_ASSERT_FATAL(wait_until(all_formed, nodes, 3, WAIT_MS));
    propose_many(nodes, 3, 3);
    away = leader(nodes, 3) == &nodes[0] ? &nodes[1] : &nodes[0];
    close_node(away);
    propose_many(nodes, 3, MANY);
    open_node(away);
    memory_set_capacity(away->disk, memory_used(away->disk));
    run_ms(400);
    CU_ASSERT_EQUAL(away->fatal, 0);
    CU_ASSERT(away->applied_count < 10);
    memory_set_capacity(away->disk, UINT64_MAX);
    CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
    CU_ASSERT(same_state(&nodes[0], &nodes[1]));
    struct node *lead = away == &nodes[0] ? &nodes[1] : &nodes[0];
    hand_over(nodes, 3, lead);
    unsigned packed = lead->packed;
    /* room for a snapshot, and none for the log that begins behind it: then the old log goes on */
    memory_set_capacity(lead->disk, memory_used(lead->disk) + 64 * 1024);
    propose_many(nodes, 3, MANY);
    CU_ASSERT(lead->packed > packed); /* tried */
    propose_many(nodes, 3, 3);
    away = lead == &nodes[0] ? &nodes[1] : &nodes[0];
    hand_over(nodes, 3, away);
    hand_over(nodes, 3, lead); /* its first entry has its room, too */
    propose_many(nodes, 3, 3);
    CU_ASSERT_EQUAL(lead->fatal, 0);
    close_node(lead);
    memory_set_capacity(lead->disk, UINT64_MAX);
    open_node(lead);
    CU_ASSERT(wait_until(all_applied, nodes, 3, WAIT_MS));
    CU_ASSERT(same_state(&nodes[0], &nodes[1]));
    struct memory_disk *disks[2] = {nodes[0].disk, nodes[1].disk};
    stop(nodes);
    memory_free(disks[0]);
    memory_free(disks[1]);
}

int main(void)
{
    CU_pSuite suite;

    fixture_begin("test_replica_log");
    suite = CU_add_suite("replica: short logs", NULL, NULL);
    CU_ADD_TEST(suite, follows_the_log);
    CU_ADD_TEST(suite, waits_for_a_quiet_moment);
    CU_ADD_TEST(suite, arbiter_gets_one);
    CU_ADD_TEST(suite, away_meanwhile);
    CU_ADD_TEST(suite, unknown_stops);
    CU_ADD_TEST(suite, power_fails_while_it_makes_one);
    CU_ADD_TEST(suite, power_fails_while_it_gets_one);
    CU_ADD_TEST(suite, snapshot_with_a_new_term);
    CU_ADD_TEST(suite, full_disk);
    return fixture_end();
}
