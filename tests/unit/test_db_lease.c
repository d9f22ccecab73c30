/* The right to write as a value: renewals, epochs, when a fence begins. */
#include <CUnit/Basic.h>
#include <string.h>

#include "agent/db/worker/dialect.h"
#include "agent/db/worker/lease.h"

#define S 1000000ull

static struct lease lease;

static int reset(void)
{
    memset(&lease, 0, sizeof lease);
    return 0;
}

static void test_no_lease_no_opening(void)
{
    reset();
    CU_ASSERT_FALSE(lease_lives(&lease, 1, 0));
    CU_ASSERT_FALSE(lease_open(&lease, 1, 0));
    CU_ASSERT_FALSE(lease_open(&lease, 1, 5));
    CU_ASSERT_EQUAL(lease_open_until_us(&lease), 0);
    CU_ASSERT_EQUAL(lease_fence_at_us(&lease), 0);
}

static void test_lives_until_its_deadline(void)
{
    reset();
    CU_ASSERT_TRUE(lease_renew(&lease, 10 * S, 5, 11 * S, false));
    CU_ASSERT_TRUE(lease_lives(&lease, 11 * S - 1, 5));
    CU_ASSERT_FALSE(lease_lives(&lease, 11 * S, 5));
    CU_ASSERT_FALSE(lease_lives(&lease, 10 * S, 4));
    CU_ASSERT_FALSE(lease_lives(&lease, 10 * S, 6));
    CU_ASSERT_TRUE(lease_open(&lease, 10 * S, 5));
    CU_ASSERT_EQUAL(lease_open_until_us(&lease), 11 * S);
    CU_ASSERT_FALSE(lease_open(&lease, 11 * S, 5));
}

static void test_a_late_lease_counts_for_nothing(void)
{
    reset();
    CU_ASSERT_TRUE(lease_renew(&lease, 10 * S, 5, 10 * S, false));
    CU_ASSERT_FALSE(lease_lives(&lease, 10 * S, 5));
    /* but its epoch was seen */
    CU_ASSERT_FALSE(lease_renew(&lease, 10 * S, 4, 20 * S, false));
}

static void test_the_newest_deadline_holds(void)
{
    reset();
    lease_renew(&lease, 10 * S, 5, 70 * S, true);
    lease_open(&lease, 10 * S, 5);
    CU_ASSERT_TRUE(lease_renew(&lease, 10 * S, 5, 13 * S, false));
    CU_ASSERT_EQUAL(lease_open_until_us(&lease), 13 * S);
    /* a pause that has ended, told late: it counts all the same */
    CU_ASSERT_TRUE(lease_renew(&lease, 12 * S, 5, 11 * S, false));
    CU_ASSERT_EQUAL(lease_open_until_us(&lease), 11 * S);
    CU_ASSERT_FALSE(lease_lives(&lease, 12 * S, 5));
    CU_ASSERT_EQUAL(lease_fence_at_us(&lease), 11 * S);
    CU_ASSERT_TRUE(lease_renew(&lease, 12 * S, 5, 14 * S, false));
    CU_ASSERT_EQUAL(lease_open_until_us(&lease), 14 * S);
}

static void test_another_epoch_does_not_extend_the_opening(void)
{
    reset();
    lease_renew(&lease, 10 * S, 5, 11 * S, false);
    lease_open(&lease, 10 * S, 5);
    CU_ASSERT_FALSE(lease_renew(&lease, 10 * S, 4, 99 * S, false));
    CU_ASSERT_TRUE(lease_renew(&lease, 10 * S, 6, 20 * S, false));
    CU_ASSERT_EQUAL(lease_open_until_us(&lease), 11 * S);
    CU_ASSERT_FALSE(lease_lives(&lease, 10 * S, 5));
    CU_ASSERT_FALSE(lease_renew(&lease, 10 * S, 5, 30 * S, false));
    CU_ASSERT_EQUAL(lease_open_until_us(&lease), 11 * S);
    /* opened anew under it */
    CU_ASSERT_TRUE(lease_open(&lease, 10 * S, 6));
    CU_ASSERT_EQUAL(lease_open_until_us(&lease), 20 * S);
    lease_close(&lease);
    CU_ASSERT_EQUAL(lease_open_until_us(&lease), 0);
    CU_ASSERT_TRUE(lease_renew(&lease, 10 * S, 6, 21 * S, false));
    CU_ASSERT_EQUAL(lease_open_until_us(&lease), 0);
}

static void test_epochs_of_requests_count(void)
{
    reset();
    CU_ASSERT_TRUE(lease_see_epoch(&lease, 7));
    CU_ASSERT_TRUE(lease_see_epoch(&lease, 7));
    CU_ASSERT_FALSE(lease_see_epoch(&lease, 6));
    CU_ASSERT_FALSE(lease_renew(&lease, 1, 6, 9 * S, false));
    CU_ASSERT_TRUE(lease_renew(&lease, 1, 7, 9 * S, false));
    CU_ASSERT_FALSE(lease_renew(&lease, 1, 0, 9 * S, false));
}

static void test_a_pause_ends_with_its_lease(void)
{
    reset();
    lease_renew(&lease, 10 * S, 5, 70 * S, true);
    CU_ASSERT_TRUE(lease_is_paused(&lease, 10 * S));
    CU_ASSERT_FALSE(lease_is_paused(&lease, 70 * S));
    lease_renew(&lease, 10 * S, 5, 70 * S, false);
    CU_ASSERT_FALSE(lease_is_paused(&lease, 10 * S));
}

static void test_the_fence_begins_early_enough(void)
{
    reset();
    lease_renew(&lease, 10 * S, 5, 10 * S + 900000, false);
    lease_open(&lease, 10 * S, 5);
    CU_ASSERT_EQUAL(lease_fence_at_us(&lease), 10 * S + 900000 - LEASE_FENCE_FIRST_US - LEASE_KILL_FIRST_US);
    lease_measured_us(&lease, 1000);
    CU_ASSERT_EQUAL(lease_fence_cost_us(&lease), LEASE_FENCE_LEAST_US + LEASE_KILL_FIRST_US);
    lease_measured_us(&lease, 100000);
    lease_measured_us(&lease, 2000);
    CU_ASSERT_EQUAL(lease_fence_cost_us(&lease), 150000 + LEASE_KILL_FIRST_US);
    lease_measured_kill_us(&lease, 60000);
    lease_measured_kill_us(&lease, 50000);
    CU_ASSERT_EQUAL(lease_fence_cost_us(&lease), 150000 + 60000);
    /* capped at a third of what was left when it was granted */
    lease_measured_us(&lease, 10 * S);
    CU_ASSERT_EQUAL(lease_fence_at_us(&lease), 10 * S + 600000);
    /* old costs are forgotten */
    for (int i = 0; i < LEASE_COSTS; i++)
        lease_measured_us(&lease, 1000);
    CU_ASSERT_EQUAL(lease_fence_cost_us(&lease), LEASE_FENCE_LEAST_US + 60000);
}

static void test_every_statement_has_a_text(void)
{
    static const struct dialect dialects[] = {{DIALECT_MARIADB, DIALECT_MARIADB_LEAST},
                                              {DIALECT_MARIADB, 110800},
                                              {DIALECT_MYSQL, DIALECT_MYSQL_LEAST},
                                              {DIALECT_MYSQL, 90704}};

    for (int i = 0; i < STATEMENT_COUNT; i++) {
        const char *texts[4];
        for (int j = 0; j < 4; j++) {
            texts[j] = dialect_text((enum statement)i, dialects[j]);
            CU_ASSERT_TRUE(!texts[j] || strlen(texts[j]) > 5);
        }
        /* of one server or the other, whatever its version */
        CU_ASSERT_TRUE(texts[0] || texts[2]);
        CU_ASSERT_EQUAL(!texts[0], !texts[1]);
        CU_ASSERT_EQUAL(!texts[2], !texts[3]);
    }
}

static void test_the_spelling_follows_the_version(void)
{
    static const struct dialect before = {DIALECT_MYSQL, 80100}, since = {DIALECT_MYSQL, 80200};

    CU_ASSERT_STRING_EQUAL(dialect_text(STATEMENT_LOG_STATUS, before), "SHOW MASTER STATUS");
    CU_ASSERT_STRING_EQUAL(dialect_text(STATEMENT_LOG_STATUS, since), "SHOW BINARY LOG STATUS");
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    CU_initialize_registry();
    suite = CU_add_suite("dbworker: lease", reset, NULL);
    CU_add_test(suite, "no lease, no opening", test_no_lease_no_opening);
    CU_add_test(suite, "lives until its deadline", test_lives_until_its_deadline);
    CU_add_test(suite, "a late lease counts for nothing", test_a_late_lease_counts_for_nothing);
    CU_add_test(suite, "the newest deadline holds", test_the_newest_deadline_holds);
    CU_add_test(suite, "another epoch does not extend the opening",
                test_another_epoch_does_not_extend_the_opening);
    CU_add_test(suite, "epochs of requests count", test_epochs_of_requests_count);
    CU_add_test(suite, "a pause ends with its lease", test_a_pause_ends_with_its_lease);
    CU_add_test(suite, "the fence begins early enough", test_the_fence_begins_early_enough);
    CU_add_test(suite, "every statement has a text", test_every_statement_has_a_text);
    CU_add_test(suite, "the spelling follows the version", test_the_spelling_follows_the_version);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
