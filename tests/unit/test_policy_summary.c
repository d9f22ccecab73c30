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

int main(void)
{
    static const struct policy_test tests[] = {
        {"summary", test_summary},
    };

    return run_policy_tests("policy: summary", tests, sizeof tests / sizeof tests[0]);
}
