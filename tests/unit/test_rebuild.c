/* mha4rdb-rebuild's pure bits: its lines, what one server has alone, the state of a MariaDB copy. */
#include <CUnit/Basic.h>
#include <string.h>

#include "agent/rebuild/alone.h"
#include "agent/rebuild_lines.h"

/* ---- lines ---- */

static void test_lines_come_back(void)
{
    static const struct rebuild_line lines[] = {
        {.verb = REBUILD_RECEIVE,
         .donor = "db2",
         .host = "2001:db8::1",
         .port = 3306,
         .known = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5,\n3e11fa47-71ca-11e1-9e33-c80aa9429563:1",
         .rate_mb = 7,
         .reason = "it has \"two\" alone"},
        {.verb = REBUILD_DONATE, .donor = "db1"},
        {.verb = REBUILD_OFFER, .address = "[::1]:7421", .token = "ab"},
        {.verb = REBUILD_OFFER, .why = "busy = yes"},
        {.verb = REBUILD_PHASE, .name = "saving"},
        {.verb = REBUILD_PROGRESS, .done_bytes = 1ull << 40, .total_bytes = UINT64_MAX},
        {.verb = REBUILD_SAVED, .path = "/var/lib/a b", .transactions = 3},
        {.verb = REBUILD_WANT},
        {.verb = REBUILD_FAILED, .why = "no\nroom"},
        {.verb = REBUILD_DONE},
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const struct rebuild_line *in = &lines[i];
        struct rebuild_line out;
        struct text text = {0};
        struct words words;
        rebuild_line_write(&text, in);
        CU_ASSERT_PTR_EQUAL(strchr(text.data, '\n'), text.data + text.size - 1);
        text.data[text.size - 1] = '\0';
        rebuild_line_read(&out, &words, text.data);
        CU_ASSERT_EQUAL(out.verb, in->verb);
        CU_ASSERT_EQUAL(out.port, in->port);
        CU_ASSERT_EQUAL(out.rate_mb, in->rate_mb);
        CU_ASSERT_EQUAL(out.done_bytes, in->done_bytes);
        CU_ASSERT_EQUAL(out.total_bytes, in->total_bytes);
        CU_ASSERT_EQUAL(out.transactions, in->transactions);
        CU_ASSERT_STRING_EQUAL(out.donor, in->donor ? in->donor : "");
        CU_ASSERT_STRING_EQUAL(out.host, in->host ? in->host : "");
        CU_ASSERT_STRING_EQUAL(out.known, in->known ? in->known : "");
        CU_ASSERT_STRING_EQUAL(out.reason, in->reason ? in->reason : "");
        CU_ASSERT_STRING_EQUAL(out.address, in->address ? in->address : "");
        CU_ASSERT_STRING_EQUAL(out.token, in->token ? in->token : "");
        CU_ASSERT_STRING_EQUAL(out.why, in->why ? in->why : "");
        CU_ASSERT_STRING_EQUAL(out.name, in->name ? in->name : "");
        CU_ASSERT_STRING_EQUAL(out.path, in->path ? in->path : "");
        words_free(&words);
        text_free(&text);
    }
}

static void test_what_is_no_line(void)
{
    static const char *const texts[] = {"",     " ",      "receive=1", "nothing",
                                        "Done", "done\"", "\"",        "donate=x done"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct rebuild_line line;
        struct words words;
        rebuild_line_read(&line, &words, texts[i]);
        CU_ASSERT_EQUAL(line.verb, REBUILD_NOTHING);
        words_free(&words);
    }
}

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_offers(void)
{
    static const char *const wrong[] = {
        "",           TOKEN,
        "a:1",        "a:1 " TOKEN "0",
        "a " TOKEN,   "a:0 " TOKEN,
        ":1 " TOKEN,  "a:1 0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
        "a:1  " TOKEN};
    char address[REBUILD_ADDRESS_BYTES], token[REBUILD_TOKEN_BYTES];

    CU_ASSERT_TRUE(rebuild_offer_read("[2001:db8::1]:7421 " TOKEN, address, token));
    CU_ASSERT_STRING_EQUAL(address, "[2001:db8::1]:7421");
    CU_ASSERT_STRING_EQUAL(token, TOKEN);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CU_ASSERT_FALSE(rebuild_offer_read(wrong[i], address, token));
}

/* ---- alone ---- */

#define U "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define V "4e11fa47-71ca-11e1-9e33-c80aa9429562"

static void check_alone(const char *mine, const char *theirs, const char *expected)
{
    struct position a, b;
    struct alone alone;
    char text[ALONE_TEXT_BYTES];

    CU_ASSERT_TRUE_FATAL(position_parse(mine, &a));
    CU_ASSERT_TRUE_FATAL(position_parse(theirs, &b));
    CU_ASSERT_TRUE_FATAL(alone_find(&a, &b, &alone));
    CU_ASSERT_TRUE_FATAL(alone_format(&alone, text, sizeof text));
    CU_ASSERT_STRING_EQUAL(text, expected);
    CU_ASSERT_EQUAL(alone.count == 0, position_contains(&b, &a));
}

static void test_alone_of_mysql(void)
{
    check_alone("", "", "");
    check_alone("", U ":1-5", "");
    check_alone(U ":1-5", U ":1-5", "");
    check_alone(U ":1-5", U ":1-9", "");
    check_alone(U ":1-5", "", U ":1-5");
    check_alone(U ":1-5", V ":1-5", U ":1-5");
    check_alone(U ":1-5", U ":1-4", U ":5");
    check_alone(U ":1-5", U ":2-9", U ":1");
    check_alone(U ":1-9", U ":3-4", U ":1-2:5-9");
    check_alone(U ":1-9", U ":1:3:5:9", U ":2:4:6-8");
    check_alone(U ":5-6:8-9", U ":1-5:9", U ":6:8");
    check_alone(U ":1-3," V ":1-3", U ":1-3," V ":1", V ":2-3");
    check_alone(U ":1-3," V ":1-3", V ":3", U ":1-3," V ":1-2");
    check_alone(U ":1-9223372036854775807", U ":1-9223372036854775806", U ":9223372036854775807");
}

static void test_alone_of_mariadb(void)
{
    check_alone("0-1-5", "", "0-1-1..5");
    check_alone("0-1-5", "0-1-5", "");
    check_alone("0-1-5", "0-1-4,0-2-9", "0-1-5");
    check_alone("0-1-5,0-2-9", "0-1-5,0-2-6", "0-2-7..9");
    check_alone("0-1-5,1-1-7", "0-1-9", "1-1-1..7");
    check_alone("0-1-5,0-2-9", "0-3-100", "0-1-1..5,0-2-1..9");
}

static void test_alone_has(void)
{
    struct position a, b;
    struct alone alone;

    position_parse("0-1-12,1-1-4", &a);
    position_parse("0-1-10,1-1-4", &b);
    CU_ASSERT_TRUE_FATAL(alone_find(&a, &b, &alone));
    CU_ASSERT_FALSE(alone_has_item(&alone, 0, 1, 10));
    CU_ASSERT_TRUE(alone_has_item(&alone, 0, 1, 11));
    CU_ASSERT_TRUE(alone_has_item(&alone, 0, 1, 12));
    CU_ASSERT_FALSE(alone_has_item(&alone, 0, 1, 13));
    CU_ASSERT_FALSE(alone_has_item(&alone, 0, 2, 11));
    CU_ASSERT_FALSE(alone_has_item(&alone, 1, 1, 4));
}

static void test_alone_of_different_kinds(void)
{
    struct position a, b;
    struct alone alone;
    char text[8];

    position_parse("0-1-12", &a);
    position_parse(U ":1", &b);
    CU_ASSERT_FALSE(alone_find(&a, &b, &alone));
    CU_ASSERT_FALSE(alone_find(&b, &a, &alone));
    CU_ASSERT_TRUE(position_parse("1@0/3000148", &a));
    CU_ASSERT_FALSE(alone_find(&a, &a, &alone));
    position_parse("", &a);
    CU_ASSERT_TRUE(alone_find(&b, &a, &alone));
    CU_ASSERT_FALSE(alone_format(&alone, text, sizeof text));
}

/* ---- where a copy stands ---- */

static void check_state(const char *before, const char *after, const char *at, const char *expected)
{
    struct position b, a, x, state;
    char text[512];

    position_parse(before, &b);
    position_parse(after, &a);
    position_parse(at, &x);
    CU_ASSERT_TRUE_FATAL(alone_state_at(&b, &a, &x, &state));
    CU_ASSERT_TRUE_FATAL(position_format(&state, text, sizeof text));
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void test_the_state_of_a_copy(void)
{
    /* the donor writes on while it is copied */
    check_state("0-1-10", "0-1-30", "0-1-20", "0-1-20");
    /* an earlier primary's newest is there too */
    check_state("0-1-10,0-2-15", "0-1-10,0-2-30", "0-2-20", "0-1-10,0-2-20");
    /* the primary changed after the copy's moment, and before it */
    check_state("0-1-10", "0-1-12,0-2-30", "0-1-12", "0-1-12");
    check_state("0-1-10", "0-1-12,0-2-30", "0-2-20", "0-1-12,0-2-20");
    /* one wrote before the copy, and again after it: not more than is certain */
    check_state("0-1-10,0-2-8", "0-1-40,0-2-20", "0-2-20", "0-1-10,0-2-20");
    /* domains are apart; one that began after the copy is none of its */
    check_state("0-1-10,1-1-5", "0-1-10,1-1-9,2-1-1", "0-1-10,1-1-7", "0-1-10,1-1-7");
    check_state("", "0-1-10", "0-1-10", "0-1-10");
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("rebuild", NULL, NULL);
    CU_add_test(suite, "lines come back", test_lines_come_back);
    CU_add_test(suite, "what is no line", test_what_is_no_line);
    CU_add_test(suite, "offers", test_offers);
    CU_add_test(suite, "alone, MySQL", test_alone_of_mysql);
    CU_add_test(suite, "alone, MariaDB", test_alone_of_mariadb);
    CU_add_test(suite, "alone has", test_alone_has);
    CU_add_test(suite, "alone, different kinds", test_alone_of_different_kinds);
    CU_add_test(suite, "the state of a copy", test_the_state_of_a_copy);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
    CU_cleanup_registry();
    return failures != 0;
}
