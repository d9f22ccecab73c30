/* What would be said again and again is said when it changes, and otherwise seldom. */
#include <CUnit/Basic.h>

#include "common/base/repeat.h"

#define S 1000000ull

static void test_at_first_and_when_it_changes(void)
{
    struct repeat repeat = {0};

    CU_ASSERT(repeat_is_due(&repeat, 5 * S, "exit status 1"));
    CU_ASSERT(!repeat_is_due(&repeat, 5 * S + 1, "exit status 1"));
    CU_ASSERT(repeat_is_due(&repeat, 5 * S + 2, "exit status 2"));
    CU_ASSERT_EQUAL(repeat.count, 1);
    CU_ASSERT_EQUAL(repeat.since_us, 5 * S + 2);
    repeat_forget(&repeat);
    CU_ASSERT(repeat_is_due(&repeat, 5 * S + 3, "exit status 2"));
}

/* Each second for an hour. */
static void test_then_less_and_less_but_each_minute(void)
{
    struct repeat repeat = {0};
    unsigned said = 0, first_minute = 0;
    uint64_t last = 0;

    for (unsigned i = 0; i < 3600; i++) {
        if (!repeat_is_due(&repeat, i * S, "no such file"))
            continue;
        said++;
        first_minute += i < 60;
        CU_ASSERT(i * S - last <= REPEAT_MOST_US);
        last = i * S;
    }
    CU_ASSERT_EQUAL(repeat.count, 3600);
    CU_ASSERT_EQUAL(first_minute, 6); /* 0, 1, 3, 7, 15, 31 */
    CU_ASSERT(said > 58 && said < 70);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS || !(suite = CU_add_suite("repeat", NULL, NULL)) ||
        !CU_ADD_TEST(suite, test_at_first_and_when_it_changes) ||
        !CU_ADD_TEST(suite, test_then_less_and_less_but_each_minute))
        return 2;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
