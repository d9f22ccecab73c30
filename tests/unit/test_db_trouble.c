/* Which trouble counts: what must be confirmed, what need not, when it is over. */
#include <CUnit/Basic.h>
#include <string.h>

#include "agent/db/worker/trouble.h"

#define MS 1000ull
#define NONE MHA__DB_TROUBLE__DB_TROUBLE_NONE
#define HELD MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD
#define REFUSED MHA__DB_TROUBLE__DB_TROUBLE_REPLICATION_REFUSED
#define FULL MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL

static struct trouble trouble;

static void test_what_an_error_number_says_counts_at_once(void)
{
    trouble_forget(&trouble);
    CU_ASSERT_EQUAL(trouble_look(&trouble, 100 * MS, NONE, ""), TROUBLE_SAME);
    CU_ASSERT_EQUAL(trouble_look(&trouble, 200 * MS, REFUSED, "1045"), TROUBLE_BEGINS);
    CU_ASSERT_EQUAL(trouble.kind, REFUSED);
    CU_ASSERT_STRING_EQUAL(trouble.text, "1045");
    CU_ASSERT_EQUAL(trouble_look(&trouble, 300 * MS, REFUSED, "4151"), TROUBLE_SAME);
    CU_ASSERT_STRING_EQUAL(trouble.text, "4151");
    CU_ASSERT_EQUAL(trouble.since_us, 200 * MS);
}

static void test_a_moment_is_none(void)
{
    trouble_forget(&trouble);
    for (unsigned i = 0; i < 20; i++) {
        /* a lock held for 300 ms, again and again */
        for (unsigned j = 0; j < 4; j++)
            CU_ASSERT_EQUAL(trouble_look(&trouble, (1 + i * 6 + j) * 100 * MS, HELD, "lock"), TROUBLE_SAME);
        CU_ASSERT_EQUAL(trouble_look(&trouble, (5 + i * 6) * 100 * MS, NONE, ""), TROUBLE_SAME);
    }
    CU_ASSERT_EQUAL(trouble.kind, NONE);
}

static void test_what_stays_counts(void)
{
    trouble_forget(&trouble);
    CU_ASSERT_EQUAL(trouble_look(&trouble, 100 * MS, HELD, "lock"), TROUBLE_SAME);
    CU_ASSERT_EQUAL(trouble_look(&trouble, 599 * MS, HELD, "lock"), TROUBLE_SAME);
    CU_ASSERT_EQUAL(trouble_look(&trouble, 600 * MS, HELD, "lock"), TROUBLE_BEGINS);
    CU_ASSERT_EQUAL(trouble.kind, HELD);
    CU_ASSERT_EQUAL(trouble.candidate_us, 100 * MS);
}

static void test_it_is_over_only_after_a_while(void)
{
    trouble_forget(&trouble);
    trouble_look(&trouble, 100 * MS, REFUSED, "1045");
    CU_ASSERT_EQUAL(trouble_look(&trouble, 200 * MS, NONE, ""), TROUBLE_SAME);
    CU_ASSERT_EQUAL(trouble.kind, REFUSED);
    CU_ASSERT_STRING_EQUAL(trouble.text, "1045");
    /* back again: the same one, no new line */
    CU_ASSERT_EQUAL(trouble_look(&trouble, 900 * MS, REFUSED, "1045"), TROUBLE_SAME);
    CU_ASSERT_EQUAL(trouble_look(&trouble, 1899 * MS, NONE, ""), TROUBLE_SAME);
    CU_ASSERT_EQUAL(trouble_look(&trouble, 1900 * MS, NONE, ""), TROUBLE_ENDS);
    CU_ASSERT_EQUAL(trouble.kind, NONE);
    CU_ASSERT_STRING_EQUAL(trouble.text, "");
    CU_ASSERT_EQUAL(trouble_look(&trouble, 2000 * MS, NONE, ""), TROUBLE_SAME);
}

static void test_another_kind_takes_its_place(void)
{
    trouble_forget(&trouble);
    trouble_look(&trouble, 100 * MS, REFUSED, "1045");
    CU_ASSERT_EQUAL(trouble_look(&trouble, 200 * MS, FULL, "1114"), TROUBLE_BEGINS);
    CU_ASSERT_EQUAL(trouble.kind, FULL);
    /* one that must be confirmed first leaves what counts for as long */
    CU_ASSERT_EQUAL(trouble_look(&trouble, 300 * MS, HELD, "lock"), TROUBLE_SAME);
    CU_ASSERT_EQUAL(trouble.kind, FULL);
    CU_ASSERT_EQUAL(trouble_look(&trouble, 800 * MS, HELD, "lock"), TROUBLE_BEGINS);
    CU_ASSERT_EQUAL(trouble.kind, HELD);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    CU_initialize_registry();
    suite = CU_add_suite("trouble", NULL, NULL);
    CU_add_test(suite, "what an error number says counts at once",
                test_what_an_error_number_says_counts_at_once);
    CU_add_test(suite, "a moment is none", test_a_moment_is_none);
    CU_add_test(suite, "what stays counts", test_what_stays_counts);
    CU_add_test(suite, "it is over only after a while", test_it_is_over_only_after_a_while);
    CU_add_test(suite, "another kind takes its place", test_another_kind_takes_its_place);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
