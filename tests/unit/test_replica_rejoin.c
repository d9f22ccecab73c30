/* A node that lost its directory and was let in again: what the next snapshot says of it, and how long one
 * that presents itself is remembered. */
#include <CUnit/Basic.h>
#include <string.h>

#include "common/replica/internal.h"
#include "replica_fixture.h"

static bool wiped_is_seen(struct node *nodes, unsigned count)
{
    struct node *lead = leader_now(nodes, count);

    return lead && greeting_stranger(lead->replica, "xarb", clock_now_us());
}

static bool three_vote(struct node *nodes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (nodes[i].replica && (!replica_settled(nodes[i].replica) ||
                                 replica_membership_voters(&nodes[i].replica->membership) != 3))
            return false;
    }
    return true;
}

/* The membership of a snapshot is the one that was applied with it, not the one of the snapshot before. */
static void next_snapshot_has_it(void)
{
    struct node nodes[3];
    struct node *lead;
    struct error err;
    unsigned packed;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, 2);
    close_node(&nodes[2]);
    empty_dir(nodes[2].dir);
    open_node(&nodes[2]);
    CU_ASSERT_FATAL(wait_until(wiped_is_seen, nodes, 3, WAIT_MS));
    lead = leader(nodes, 3);
    CU_ASSERT_EQUAL(replica_change_member(lead->replica, REPLICA_REPLACE, "xarb", &err), ERR_OK);
    CU_ASSERT(wait_until(three_vote, nodes, 3, WAIT_MS));
    packed = lead->packed;
    propose_many(nodes, 3, 2 * REPLICA_COMPACT_ENTRIES + 50);
    CU_ASSERT(lead->packed > packed);
    for (unsigned i = 0; i < 3; i++)
        close_node(&nodes[i]);
    for (unsigned i = 0; i < 3; i++)
        open_node(&nodes[i]);
    CU_ASSERT(members_has(&nodes[0].replica->snapshot_membership, "xarb", replica_id(nodes[2].replica)));
    propose_many(nodes, 3, 2);
    CU_ASSERT(wait_until(three_vote, nodes, 3, WAIT_MS));
    stop(nodes);
}

/* Who was there, but long ago, is not let in: it may be gone, or another one by now. */
static void strangers_are_forgotten(void)
{
    struct node nodes[3];
    const struct replica *lead;
    uint64_t seen_us;

    expected = 0;
    start(nodes);
    close_node(&nodes[2]);
    empty_dir(nodes[2].dir);
    open_node(&nodes[2]);
    CU_ASSERT_FATAL(wait_until(wiped_is_seen, nodes, 3, WAIT_MS));
    lead = leader(nodes, 3)->replica;
    seen_us = greeting_stranger(lead, "xarb", clock_now_us())->seen_us;
    CU_ASSERT_PTR_NOT_NULL(greeting_stranger(lead, "xarb", seen_us + MS_TO_US(9000)));
    CU_ASSERT_PTR_NULL(greeting_stranger(lead, "xarb", seen_us + MS_TO_US(11000)));
    stop(nodes);
}

int main(void)
{
    CU_pSuite suite;

    fixture_begin("test_replica_rejoin");
    suite = CU_add_suite("replica: back again", NULL, NULL);
    CU_ADD_TEST(suite, next_snapshot_has_it);
    CU_ADD_TEST(suite, strangers_are_forgotten);
    return fixture_end();
}
