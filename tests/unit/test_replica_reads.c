/* Linearizable reads: answered from the loop, once each, or known to be lost. */
#include <CUnit/Basic.h>

#include "replica_fixture.h"

static bool read_answered(struct node *nodes, unsigned count)
{
    (void)count;
    return nodes[0].reads_done + nodes[0].reads_lost > 0;
}

static void confirmed_reads(void)
{
    struct node nodes[3];
    struct node *lead, *other;
    uint64_t read = 0, index;
    struct error err;

    expected = 0;
    start(nodes);
    propose_many(nodes, 3, 2);
    lead = leader(nodes, 3);
    other = lead == &nodes[0] ? &nodes[1] : &nodes[0];
    CU_ASSERT_EQUAL(replica_read(other->replica, &read, &err), ERR_NOT_LEADER);
    CU_ASSERT_EQUAL(replica_propose(lead->replica, "x", 1, &index, &err), ERR_OK);
    expected++;
    CU_ASSERT_EQUAL(replica_read(lead->replica, &read, &err), ERR_OK);
    CU_ASSERT_EQUAL(lead->reads_done, 0); /* from the loop */
    CU_ASSERT(wait_until(read_answered, lead, 1, WAIT_MS));
    CU_ASSERT_EQUAL(lead->reads_done, 1);
    CU_ASSERT_EQUAL(lead->read, read);
    CU_ASSERT(lead->applied_at_read >= 2);
    /* cut off, it gets no answer, and then the news that it leads no more */
    close_node(other);
    close_node(&nodes[2]);
    lead->reads_done = 0;
    CU_ASSERT_EQUAL(replica_read(lead->replica, &read, &err), ERR_OK);
    CU_ASSERT(wait_until(read_answered, lead, 1, WAIT_MS));
    CU_ASSERT_EQUAL(lead->reads_done, 0);
    CU_ASSERT_EQUAL(lead->reads_lost, 1);
    CU_ASSERT_EQUAL(lead->read, read);
    stop(nodes);
}

/* However many are asked for at once, each one that is taken is answered. */
static void many_reads(void)
{
    struct node alone;
    uint64_t read = 0;
    unsigned taken = 0;
    struct error err;

    expected = 0;
    plan(&alone, 1, false);
    open_node(&alone);
    propose_many(&alone, 1, 2);
    while (taken < 10 * RAFT_READS_MAX && replica_read(alone.replica, &read, &err) == ERR_OK)
        taken++;
    CU_ASSERT_EQUAL(taken, RAFT_READS_MAX);
    run_ms(100);
    CU_ASSERT_EQUAL(alone.reads_done, taken);
    CU_ASSERT_EQUAL(replica_read(alone.replica, &read, &err), ERR_OK);
    close_node(&alone);
}

int main(void)
{
    CU_pSuite suite;

    fixture_begin("test_replica_reads");
    suite = CU_add_suite("replica: reads", NULL, NULL);
    CU_ADD_TEST(suite, confirmed_reads);
    CU_ADD_TEST(suite, many_reads);
    return fixture_end();
}
