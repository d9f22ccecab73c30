/* The state in words. */
#include "tests/unit/policy_fixture.h"

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

static void test_summary_of_several(void)
{
    char summary[512], next[2048];

    group_is_well(3, ACKS_COUNT);
    policy_summary(&w.input, summary, sizeof summary, next, sizeof next);
    CU_ASSERT_PTR_NOT_NULL(strstr(next, "If a fails: a member of the sync set takes over, nothing is lost."));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(next, "If b fails: nothing changes for clients: enough others acknowledge"));
    sync_is(2, 1);
    policy_summary(&w.input, summary, sizeof summary, next, sizeof next);
    CU_ASSERT_PTR_NOT_NULL(strstr(next, "If b fails: writes wait until another replica acknowledges"));
    CU_ASSERT_PTR_NOT_NULL(strstr(next, "If c fails: nothing changes for clients."));
    w.nodes[2].learner = true; /* it has no vote */
    policy_summary(&w.input, summary, sizeof summary, next, sizeof next);
    CU_ASSERT_PTR_NOT_NULL(strstr(next, "If b fails: no quorum"));
    CU_ASSERT_PTR_NOT_NULL(strstr(next, "If c fails: nothing changes for clients."));
}

int main(void)
{
    static const struct policy_test tests[] = {
        {"summary", test_summary},
        {"the state of several in words", test_summary_of_several},
    };

    return run_policy_tests("policy: summary", tests, sizeof tests / sizeof tests[0]);
}
