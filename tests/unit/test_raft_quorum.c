/* Majorities and ranks: arithmetic that everything else leans on. */
#include <CUnit/Basic.h>

#include "common/raft/internal.h"
#include "common/raft/quorum.h"

static void test_sizes(void)
{
    static const unsigned expected[] = {1, 1, 2, 2, 3, 3, 4, 4};
    for (unsigned voters = 0; voters < 8; voters++)
        CU_ASSERT_EQUAL(raft_quorum_size(voters), expected[voters]);
}

/* Any two majorities meet: for every group and every pair of disjoint sets, not both are quorums. */
static void test_majorities_meet(void)
{
    for (unsigned voters = 1; voters <= RAFT_MEMBERS_MAX; voters++) {
        unsigned quorum = raft_quorum_size(voters);
        CU_ASSERT_TRUE(quorum * 2 > voters);
        CU_ASSERT_TRUE((quorum - 1) * 2 <= voters); /* and no more than needed */
    }
}

static void expect_reached(unsigned voters, const uint64_t *given, uint64_t expected)
{
    uint64_t values[8];
    for (unsigned i = 0; i < voters; i++)
        values[i] = given[i];
    CU_ASSERT_EQUAL(raft_quorum_reached(values, voters), expected);
}

static void test_reached(void)
{
    expect_reached(0, NULL, 0);
    expect_reached(1, (uint64_t[]){7}, 7);
    expect_reached(2, (uint64_t[]){7, 3}, 3); /* both are needed */
    expect_reached(3, (uint64_t[]){9, 0, 4}, 4);
    expect_reached(4, (uint64_t[]){9, 1, 8, 7}, 7);
    expect_reached(5, (uint64_t[]){1, 2, 3, 4, 5}, 3);
    expect_reached(5, (uint64_t[]){5, 5, 0, 0, 5}, 5);
    expect_reached(7, (uint64_t[]){1, 1, 1, 9, 9, 9, 2}, 2);
}

static struct raft_membership group(void)
{
    return (struct raft_membership){.count = 5,
                                    .members = {{.id = 10, .kind = RAFT_DATA, .voter = true},
                                                {.id = 20, .kind = RAFT_ARBITER, .voter = true},
                                                {.id = 30, .kind = RAFT_DATA, .voter = true},
                                                {.id = 40, .kind = RAFT_DATA, .voter = false},
                                                {.id = 50, .kind = RAFT_DATA, .voter = true}}};
}

static void test_ranks(void)
{
    struct raft_membership m = group();
    CU_ASSERT_EQUAL(raft_membership_rank(&m, 10, 0), 0);
    CU_ASSERT_EQUAL(raft_membership_rank(&m, 30, 0), 1);
    CU_ASSERT_EQUAL(raft_membership_rank(&m, 50, 0), 2);
    /* the silent leader goes last, the others keep their order; ranks stay different */
    CU_ASSERT_EQUAL(raft_membership_rank(&m, 30, 10), 0);
    CU_ASSERT_EQUAL(raft_membership_rank(&m, 50, 10), 1);
    CU_ASSERT_EQUAL(raft_membership_rank(&m, 10, 10), 2);
    CU_ASSERT_EQUAL(raft_membership_rank(&m, 10, 50), 0);
    CU_ASSERT_EQUAL(raft_membership_rank(&m, 50, 50), 2);
    /* an arbiter that led has no place among them */
    CU_ASSERT_EQUAL(raft_membership_rank(&m, 30, 20), 1);
}

static void test_valid_memberships(void)
{
    struct raft_membership m = group();
    CU_ASSERT_TRUE(raft_membership_valid(&m));
    CU_ASSERT_EQUAL(raft_membership_voters(&m), 4);
    CU_ASSERT_EQUAL(raft_membership_find(&m, 40), 3);
    CU_ASSERT_EQUAL(raft_membership_find(&m, 41), 5);
    m.members[1].id = 10; /* twice */
    CU_ASSERT_FALSE(raft_membership_valid(&m));
    m = group();
    m.members[0].id = 0;
    CU_ASSERT_FALSE(raft_membership_valid(&m));
    m = group();
    m.count = 0;
    CU_ASSERT_FALSE(raft_membership_valid(&m));
    m.count = RAFT_MEMBERS_MAX + 1;
    CU_ASSERT_FALSE(raft_membership_valid(&m));
    m = group();
    for (unsigned i = 0; i < m.count; i++)
        m.members[i].voter = false;
    CU_ASSERT_FALSE(raft_membership_valid(&m)); /* nobody could ever lead */
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft quorum and membership", NULL, NULL);
    CU_add_test(suite, "sizes", test_sizes);
    CU_add_test(suite, "two majorities meet", test_majorities_meet);
    CU_add_test(suite, "what a majority has reached", test_reached);
    CU_add_test(suite, "ranks", test_ranks);
    CU_add_test(suite, "valid memberships", test_valid_memberships);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
