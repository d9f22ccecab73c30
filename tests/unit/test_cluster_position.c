/* Positions of the three kinds of servers: order, texts, bounds. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/position.h"

#define U1 "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define U2 "4e11fa47-71ca-11e1-9e33-c80aa9429562"

static struct position parsed(const char *text)
{
    struct position position;
    CU_ASSERT_FATAL(position_parse(text, &position));
    return position;
}

static enum position_order order(const char *a, const char *b)
{
    struct position left = parsed(a), right = parsed(b);
    return position_compare(&left, &right);
}

static void expect_text(const struct position *position, const char *expected)
{
    char text[256];

    CU_ASSERT_TRUE(position_format(position, text, sizeof text));
    CU_ASSERT_STRING_EQUAL(text, expected);
    CU_ASSERT_FALSE(position_format(position, text, strlen(expected)));
}

static void expect_merged(const char *a, const char *b, const char *expected)
{
    struct position into = parsed(a), from = parsed(b);

    CU_ASSERT_TRUE_FATAL(position_merge(&into, &from));
    expect_text(&into, expected);
    CU_ASSERT_TRUE(position_contains(&into, &from));
}

static void expect_unreadable(const char *const *texts, unsigned count)
{
    struct position position;

    for (unsigned i = 0; i < count; i++)
        if (position_parse(texts[i], &position)) {
            CU_FAIL("read, though it is no position");
            printf("%s\n", texts[i]);
        }
}

static void test_list_order(void)
{
    /* as long as a UUID, and no GTID set for that */
    CU_ASSERT_EQUAL(order("4294967295-1804599186-18446744051615", "4294967295-1804599186-1"), POSITION_AHEAD);
    CU_ASSERT_EQUAL(order("", ""), POSITION_EQUAL);
    CU_ASSERT_EQUAL(order("0-1-5", "0-1-5"), POSITION_EQUAL);
    CU_ASSERT_EQUAL(order("0-1-4", "0-1-5"), POSITION_BEHIND);
    CU_ASSERT_EQUAL(order("0-1-5,0-2-7", "0-1-5"), POSITION_AHEAD);
    CU_ASSERT_EQUAL(order("0-1-5", "0-2-5"), POSITION_DIVERGED);
    CU_ASSERT_EQUAL(order("0-1-6,0-2-7", "0-2-8,0-1-5"), POSITION_DIVERGED);
    CU_ASSERT_EQUAL(order("0-2-8,1-1-1,0-1-5", "0-1-5,0-2-8,1-1-1"), POSITION_EQUAL);
}

static void test_list_text(void)
{
    static const char *const wrong[] = {
        "0",       "0-1",    "0-1-",           "a-1-1",        "0-1-1,",
        "0-1-1 x", "-1-1-1", "4294967296-1-1", "0-1-1,,0-2-2", "0-1-18446744073709551616",
        ",",       "0--1-1"};
    struct position position = parsed("0-2-8,\n0-1-18446744073709551615,0-2-3");

    expect_unreadable(wrong, sizeof wrong / sizeof wrong[0]);
    expect_text(&position, "0-1-18446744073709551615,0-2-8");
    expect_merged("0-2-8,0-1-9", "0-1-3,7-7-7", "0-1-9,0-2-8,7-7-7");
}

static void test_set_order(void)
{
    CU_ASSERT_EQUAL(order(U1 ":1-5", U1 ":1-5"), POSITION_EQUAL);
    CU_ASSERT_EQUAL(order(U1 ":1-4", U1 ":1-5"), POSITION_BEHIND);
    CU_ASSERT_EQUAL(order(U1 ":1-9", U1 ":1-3:5:7-9"), POSITION_AHEAD);
    CU_ASSERT_EQUAL(order(U1 ":1-3:5-9", U1 ":1-4"), POSITION_DIVERGED); /* a hole */
    CU_ASSERT_EQUAL(order(U1 ":1-5," U2 ":1", U1 ":1-5"), POSITION_AHEAD);
    CU_ASSERT_EQUAL(order(U1 ":1-5," U2 ":1", U1 ":1-6"), POSITION_DIVERGED);
    CU_ASSERT_EQUAL(order(U2 ":1-5", U1 ":1-5"), POSITION_DIVERGED);
    CU_ASSERT_EQUAL(order("", U1 ":7"), POSITION_BEHIND);
    CU_ASSERT_EQUAL(order(U1 ":5:1-4", "3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5"), POSITION_EQUAL);
}

static void test_set_text(void)
{
    static const char *const wrong[] = {U1,
                                        U1 ":",
                                        U1 ":0",
                                        U1 ":0-4",
                                        U1 ":5-4",
                                        U1 ":1-",
                                        U1 ":1-2,",
                                        U1 ":1-2 ",
                                        U1 ":1-2:",
                                        U1 ":tag:1-2",
                                        U1 ":-1",
                                        U1 ":9223372036854775808",
                                        U1 ":1," U1,
                                        "3e11fa4771ca11e19e33c80aa9429562:1-5",
                                        "3e11fa47-71ca-11e1-9e33-c80aa942956g:1-5",
                                        "3e11fa47-71ca-11e1-9e33+c80aa9429562:1-5"};
    struct position position = parsed(U2 ":7:9-9223372036854775807:1-5,\n" U1 ":3:2:8:1");
    char text[4096];
    size_t used;

    expect_unreadable(wrong, sizeof wrong / sizeof wrong[0]);
    expect_text(&position, U1 ":1-3:8," U2 ":1-5:7:9-9223372036854775807");
    expect_merged(U1 ":1-3:7-9", U1 ":4-5:8-12," U2 ":1", U1 ":1-5:7-12," U2 ":1");
    expect_merged(U1 ":1-3:7-9:11", U1 ":2-10", U1 ":1-11");
    expect_merged("", U1 ":2-10", U1 ":2-10");
    /* as many intervals as fit, and one more */
    used = (size_t)snprintf(text, sizeof text, "%s", U1);
    for (unsigned i = 0; i < POSITION_ITEMS_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, ":%u", 2 * i + 1);
    position = parsed(text);
    CU_ASSERT_EQUAL(position.count, POSITION_ITEMS_MAX);
    snprintf(text + used, sizeof text - used, ":%u", 2 * POSITION_ITEMS_MAX + 1);
    CU_ASSERT_FALSE(position_parse(text, &position));
    snprintf(text + used, sizeof text - used, ":2"); /* joins two */
    CU_ASSERT_TRUE(position_parse(text, &position));
    CU_ASSERT_EQUAL(position.count, POSITION_ITEMS_MAX - 1);
}

static void test_timeline_order(void)
{
    CU_ASSERT_EQUAL(order("1@0/5000", "1@0/5000"), POSITION_EQUAL);
    CU_ASSERT_EQUAL(order("1@0/5000", "1@1/0"), POSITION_BEHIND);
    CU_ASSERT_EQUAL(order("1@0/5000,2@0/6000", "1@0/5000"), POSITION_AHEAD);
    CU_ASSERT_EQUAL(order("1@0/5000,2@0/6000", "1@0/5001"), POSITION_DIVERGED); /* past the branch */
    CU_ASSERT_EQUAL(order("1@0/5000,2@0/6000", "1@0/5000,2@0/5100"), POSITION_AHEAD);
    CU_ASSERT_EQUAL(order("1@0/5000,2@0/6000", "1@0/5010,2@0/5100"), POSITION_DIVERGED); /* another 2 */
    CU_ASSERT_EQUAL(order("1@0/5000,3@0/7000", "1@0/5000,2@0/6000"), POSITION_DIVERGED);
    CU_ASSERT_EQUAL(order("1@0/5000,2@0/6000,3@0/7000", "2@0/5800"), POSITION_AHEAD); /* an epoch record */
    /* a history that is cut at its beginning */
    CU_ASSERT_EQUAL(order("2@0/6000,3@0/7000", "1@0/5000,2@0/6000,3@0/7000"), POSITION_EQUAL);
    CU_ASSERT_EQUAL(order("2@0/6000,3@0/7000", "1@0/5000"), POSITION_DIVERGED);
    CU_ASSERT_EQUAL(order("", "1@0/1"), POSITION_BEHIND);
}

static void test_timeline_text(void)
{
    static const char *const wrong[] = {"1@",
                                        "1@0",
                                        "1@0/",
                                        "1@/0",
                                        "@0/0",
                                        "1@0/5,",
                                        "1@0/5 ",
                                        "1@0/5,1@0/6",
                                        "2@0/5,1@0/6",
                                        "1@0/5,2@0/4",
                                        "1@123456789/0",
                                        "1@0/123456789",
                                        "4294967296@0/0",
                                        "1@0/G"};
    struct position position = parsed("1@0/3000148,4294967295@FFFFFFFF/ffffffff");
    char text[4096] = "";
    size_t used = 0;

    expect_unreadable(wrong, sizeof wrong / sizeof wrong[0]);
    expect_text(&position, "1@0/3000148,4294967295@FFFFFFFF/FFFFFFFF");
    expect_merged("1@0/5", "1@0/7", "1@0/7");
    expect_merged("1@0/5,2@0/9", "1@0/4", "1@0/5,2@0/9");
    struct position left = parsed("1@0/5,2@0/9"), right = parsed("1@0/6");
    CU_ASSERT_FALSE(position_merge(&left, &right));
    for (unsigned i = 0; i <= POSITION_ITEMS_MAX; i++) {
        CU_ASSERT_TRUE(position_parse(text, &position));
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%u@0/%X", i ? "," : "", i + 1, i);
    }
    CU_ASSERT_FALSE(position_parse(text, &position));
}

static void test_kinds_do_not_mix(void)
{
    struct position list = parsed("0-1-5"), set = parsed(U1 ":1-5"), empty = parsed("");

    CU_ASSERT_EQUAL(position_compare(&list, &set), POSITION_DIVERGED);
    CU_ASSERT_EQUAL(order("1@0/5", "0-1-5"), POSITION_DIVERGED);
    CU_ASSERT_FALSE(position_merge(&list, &set));
    CU_ASSERT_TRUE(position_contains(&set, &empty));
    CU_ASSERT_FALSE(position_contains(&empty, &set));
}

static void expect_of_writer(const char *whole, const char *record, const char *expected)
{
    struct position all = parsed(whole), one = parsed(record), own;

    CU_ASSERT_TRUE_FATAL(position_of_writer(&all, &one, &own));
    expect_text(&own, expected);
}

static void test_of_writer(void)
{
    struct position list = parsed("0-1-5,0-2-6"), set = parsed(U1 ":1-5"), own;

    expect_of_writer("0-1-5,0-2-6,1-1-9", "0-1-3", "0-1-5,1-1-9");
    expect_of_writer(U1 ":1-5:7," U2 ":1-9", U1 ":4", U1 ":1-5:7");
    expect_of_writer("1@0/5,2@0/6", "1@0/4", "1@0/5,2@0/6");
    CU_ASSERT_FALSE(position_of_writer(&list, &list, &own)); /* two servers' */
    CU_ASSERT_FALSE(position_of_writer(&list, &set, &own));
}

static void expect_lack(const char *whole, const char *part, uint64_t count, const char *ranges)
{
    struct position a, b;
    struct position_lack lack;

    CU_ASSERT_TRUE_FATAL(position_parse(whole, &a) && position_parse(part, &b));
    CU_ASSERT_EQUAL(position_lack(&a, &b, &lack), ranges[0] != '\0');
    CU_ASSERT_EQUAL(lack.count, count);
    CU_ASSERT_STRING_EQUAL(lack.ranges, ranges);
}

static void test_lack(void)
{
    expect_lack("0-1-5", "0-1-5", 0, "");
    expect_lack("0-1-5", "0-1-3", 0, "");
    expect_lack("0-1-5", "0-1-9", 4, "0-1-6 to 0-1-9");
    expect_lack("0-1-5", "0-1-5,0-2-8", 3, "0-2-6 to 0-2-8");
    expect_lack("", "0-2-8,1-1-2", 10, "0-2-1 to 0-2-8, 1-1-1 to 1-1-2");
    expect_lack("0-1-9", "0-1-3,0-2-7", 4, "0-2-4 to 0-2-7") /* written beside */;
#define UUID_A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define UUID_B "4e11fa47-71ca-11e1-9e33-c80aa9429562"
    expect_lack(UUID_A ":1-5", UUID_A ":1-5", 0, "");
    expect_lack(UUID_A ":1-5", UUID_A ":1-9", 4, UUID_A ":6-9");
    expect_lack(UUID_A ":3-5:8", UUID_A ":1-9", 5, UUID_A ":1-2, " UUID_A ":6-7, " UUID_A ":9");
    expect_lack(UUID_A ":1-5", UUID_A ":1-2," UUID_B ":1", 1, UUID_B ":1");
    expect_lack("1@0/100", "1@0/200", 0, "up to 1@0/200");
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("positions", NULL, NULL);
    CU_add_test(suite, "what one lacks of another", test_lack);
    CU_add_test(suite, "GTID lists have a partial order", test_list_order);
    CU_add_test(suite, "GTID lists as text", test_list_text);
    CU_add_test(suite, "GTID sets have a partial order", test_set_order);
    CU_add_test(suite, "GTID sets as text", test_set_text);
    CU_add_test(suite, "timelines have a partial order", test_timeline_order);
    CU_add_test(suite, "timelines as text", test_timeline_text);
    CU_add_test(suite, "positions of different kinds", test_kinds_do_not_mix);
    CU_add_test(suite, "what one server wrote", test_of_writer);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
