/* The log in memory: bases, truncation, and what counts as durable. */
#include <CUnit/Basic.h>
#include <string.h>

#include "common/raft/log.h"

static void add(struct raft_log *log, uint64_t term, const char *text, uint64_t write)
{
    struct raft_entry entry = {.term = term, .kind = RAFT_ENTRY_COMMAND, .data = text, .size = strlen(text)};
    CU_ASSERT_TRUE_FATAL(raft_log_append(log, &entry, write));
}

static void test_empty(void)
{
    struct raft_log log;
    uint64_t term = 99;
    raft_log_init(&log, 0, 0);
    CU_ASSERT_EQUAL(raft_log_last_index(&log), 0);
    CU_ASSERT_EQUAL(raft_log_last_term(&log), 0);
    CU_ASSERT_TRUE(raft_log_term_at(&log, 0, &term)); /* before the first entry all logs agree */
    CU_ASSERT_EQUAL(term, 0);
    CU_ASSERT_FALSE(raft_log_term_at(&log, 1, &term));
    CU_ASSERT_PTR_NULL(raft_log_at(&log, 0));
    raft_log_free(&log);
}

static void test_base(void)
{
    struct raft_log log;
    uint64_t term = 0;
    raft_log_init(&log, 100, 7);
    CU_ASSERT_EQUAL(raft_log_last_index(&log), 100);
    CU_ASSERT_EQUAL(raft_log_last_term(&log), 7);
    CU_ASSERT_FALSE(raft_log_term_at(&log, 99, &term)); /* forgotten */
    CU_ASSERT_TRUE(raft_log_term_at(&log, 100, &term));
    CU_ASSERT_EQUAL(term, 7);
    add(&log, 7, "a", 1);
    add(&log, 8, "b", 1);
    CU_ASSERT_EQUAL(raft_log_at(&log, 101)->index, 101);
    CU_ASSERT_PTR_NULL(raft_log_at(&log, 100));
    CU_ASSERT_EQUAL(raft_log_last_of_term(&log, 0, 102, 7), 101);
    CU_ASSERT_EQUAL(raft_log_last_of_term(&log, 0, 102, 6), 0); /* ends at the base */
    CU_ASSERT_EQUAL(raft_log_first_of_term(&log, 101), 101);
    raft_log_free(&log);
}

static void test_data_is_copied(void)
{
    struct raft_log log;
    char text[] = "first";
    raft_log_init(&log, 0, 0);
    add(&log, 1, text, 1);
    text[0] = 'F';
    CU_ASSERT_EQUAL(memcmp(raft_log_at(&log, 1)->data, "first", 5), 0);
    raft_log_free(&log);
}

static void test_terms(void)
{
    struct raft_log log;
    static const uint64_t terms[] = {1, 1, 2, 2, 2, 5};
    raft_log_init(&log, 0, 0);
    for (unsigned i = 0; i < 6; i++)
        add(&log, terms[i], "x", 1);
    CU_ASSERT_EQUAL(raft_log_first_of_term(&log, 5), 3);
    CU_ASSERT_EQUAL(raft_log_first_of_term(&log, 2), 1);
    CU_ASSERT_EQUAL(raft_log_first_of_term(&log, 6), 6);
    CU_ASSERT_EQUAL(raft_log_last_of_term(&log, 1, 6, 2), 5);
    CU_ASSERT_EQUAL(raft_log_last_of_term(&log, 1, 4, 2), 4);
    CU_ASSERT_EQUAL(raft_log_last_of_term(&log, 1, 99, 5), 6);
    CU_ASSERT_EQUAL(raft_log_last_of_term(&log, 1, 6, 3), 0);
    CU_ASSERT_EQUAL(raft_log_last_of_term(&log, 3, 6, 1), 0); /* not in that range */
    raft_log_free(&log);
}

static void test_durable(void)
{
    struct raft_log log;
    raft_log_init(&log, 0, 0);
    add(&log, 1, "a", 1);
    add(&log, 1, "b", 1);
    add(&log, 1, "c", 2);
    CU_ASSERT_EQUAL(log.durable_index, 0);
    CU_ASSERT_EQUAL(log.pending_index, 1);
    raft_log_handed_out(&log);
    CU_ASSERT_EQUAL(log.pending_index, 4);
    raft_log_persisted(&log, 1);
    CU_ASSERT_EQUAL(log.durable_index, 2);
    raft_log_persisted(&log, 1); /* told twice */
    CU_ASSERT_EQUAL(log.durable_index, 2);
    raft_log_persisted(&log, 5); /* one notice for several writes */
    CU_ASSERT_EQUAL(log.durable_index, 3);
    raft_log_free(&log);
}

static void test_truncate(void)
{
    struct raft_log log;
    raft_log_init(&log, 0, 0);
    for (unsigned i = 0; i < 5; i++)
        add(&log, 1, "x", 1);
    raft_log_handed_out(&log);
    raft_log_persisted(&log, 1);
    raft_log_truncate(&log, 9); /* past the end: nothing */
    CU_ASSERT_EQUAL(raft_log_last_index(&log), 5);
    raft_log_truncate(&log, 3);
    CU_ASSERT_EQUAL(raft_log_last_index(&log), 2);
    CU_ASSERT_EQUAL(log.durable_index, 2);
    CU_ASSERT_EQUAL(log.pending_index, 3); /* what comes there next is to be written */
    add(&log, 2, "y", 2);
    CU_ASSERT_EQUAL(log.pending_index, 3);
    CU_ASSERT_EQUAL(raft_log_write_of(&log, 3), 2);
    raft_log_persisted(&log, 1);
    CU_ASSERT_EQUAL(log.durable_index, 2);
    raft_log_free(&log);
}

/* etcd-io/raft: the notice of a write whose entry was truncated and came back (A, B, A again) confirms
 * nothing. */
static void test_late_notice(void)
{
    struct raft_log log;
    raft_log_init(&log, 0, 0);
    add(&log, 2, "a", 1);
    raft_log_truncate(&log, 1);
    add(&log, 3, "b", 2);
    raft_log_truncate(&log, 1);
    add(&log, 2, "a", 3); /* the same index, term and bytes as at first */
    raft_log_persisted(&log, 1);
    CU_ASSERT_EQUAL(log.durable_index, 0);
    raft_log_persisted(&log, 2);
    CU_ASSERT_EQUAL(log.durable_index, 0);
    raft_log_persisted(&log, 3);
    CU_ASSERT_EQUAL(log.durable_index, 1);
    raft_log_free(&log);
}

static void test_restored(void)
{
    struct raft_log log;
    raft_log_init(&log, 10, 3);
    struct raft_entry entry = {.index = 11, .term = 4, .kind = RAFT_ENTRY_NOOP};
    CU_ASSERT_TRUE(raft_log_restore(&log, &entry));
    CU_ASSERT_EQUAL(log.durable_index, 11);
    CU_ASSERT_EQUAL(log.pending_index, 12);
    raft_log_free(&log);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft log", NULL, NULL);
    CU_add_test(suite, "empty", test_empty);
    CU_add_test(suite, "after a snapshot's base", test_base);
    CU_add_test(suite, "data is copied", test_data_is_copied);
    CU_add_test(suite, "terms", test_terms);
    CU_add_test(suite, "durable", test_durable);
    CU_add_test(suite, "truncate", test_truncate);
    CU_add_test(suite, "late notice of a rewritten entry", test_late_notice);
    CU_add_test(suite, "restored", test_restored);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
