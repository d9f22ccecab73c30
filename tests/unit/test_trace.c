/* common/base/text.h and trace.h: words written and read back, the file that a daemon's trace goes to. */
#include <CUnit/Basic.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/base/trace.h"

static char path[64];

/* ---- words ---- */

static void test_values_come_back(void)
{
    static const char *const values[] = {"plain", "",         "two words", "\"", "\\",
                                         "a\nb",  "\x01\xff", "x=y",       "=",  " "};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct text text = {0};
        struct words words;
        text_add(&text, "verb key=");
        text_add_value(&text, values[i]);
        text_add(&text, " after=1");
        CU_ASSERT_TRUE_FATAL(words_read(&words, text.data));
        CU_ASSERT_EQUAL(words.count, 3);
        CU_ASSERT_STRING_EQUAL(words_find(&words, "key"), values[i]);
        CU_ASSERT_EQUAL(words_number(&words, "after"), 1);
        CU_ASSERT_STRING_EQUAL(words_find(&words, "verb"), "");
        CU_ASSERT_PTR_NULL(words_find(&words, "ke"));
        words_free(&words);
        text_free(&text);
    }
}

static void test_broken_words(void)
{
    static const char *const lines[] = {"a=\"", "a=\"b", "a=\"b\\", "a=\"b\\x4", "a=\"b\"c", "a=\"\\x\""};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct words words;
        bool good = words_read(&words, lines[i]);
        if (good && i < 5)
            printf("\n  taken: %s\n", lines[i]);
        CU_ASSERT(!good || i == 5);
        words_free(&words);
    }
}

static void test_bytes(void)
{
    static const unsigned char bytes[] = {0, 1, 0x9f, 0xff};
    struct text text = {0};
    size_t size;
    text_add_hex(&text, bytes, sizeof bytes);
    CU_ASSERT_STRING_EQUAL(text.data, "00019fff");
    unsigned char *read = words_bytes(text.data, &size);
    CU_ASSERT_EQUAL_FATAL(size, sizeof bytes);
    CU_ASSERT_EQUAL(memcmp(read, bytes, size), 0);
    free(read);
    CU_ASSERT_PTR_NULL(words_bytes("", &size));
    CU_ASSERT_PTR_NULL(words_bytes("xy", &size));
    CU_ASSERT_PTR_NULL(words_bytes(NULL, &size));
    text_free(&text);
}

struct record {
    uint64_t large;
    unsigned small;
    bool flag;
    enum { ONE, TWO, THREE, FOUR } kind;
    const char *text;
    char chars[6];
};

static const char *const kinds[] = {"one", "two", NULL};
static const struct field fields[] = {FIELD(struct record, large, U64),
                                      FIELD(struct record, small, UNSIGNED),
                                      FIELD(struct record, flag, BOOL),
                                      FIELD_OF_ENUM(struct record, kind, kinds),
                                      FIELD(struct record, text, TEXT),
                                      FIELD_OF_CHARS(struct record, chars),
                                      FIELD_END};

static void test_fields(void)
{
    struct record in = {UINT64_MAX, 7, true, TWO, "a b", "c\"d"}, none = {.text = ""}, out;
    struct text text = {0};
    struct words words;
    fields_write(&text, "p.", fields, &in);
    CU_ASSERT_STRING_EQUAL(text.data,
                           " p.large=18446744073709551615 p.small=7 p.flag p.kind=two p.text=\"a b\" "
                           "p.chars=\"c\\\"d\"");
    CU_ASSERT_TRUE_FATAL(words_read(&words, text.data));
    fields_read(&words, "p.", fields, &out);
    CU_ASSERT_EQUAL(out.large, in.large);
    CU_ASSERT_EQUAL(out.small, 7);
    CU_ASSERT_TRUE(out.flag);
    CU_ASSERT_EQUAL(out.kind, TWO);
    CU_ASSERT_STRING_EQUAL(out.text, "a b");
    CU_ASSERT_STRING_EQUAL(out.chars, "c\"d");
    fields_read(&words, "", fields, &out); /* another prefix: all that is not there is nothing */
    CU_ASSERT(out.large == 0 && out.small == 0 && !out.flag && out.kind == ONE && out.text[0] == '\0' &&
              out.chars[0] == '\0');
    words_free(&words);
    text_clear(&text);
    fields_write(&text, "", fields, &none);
    CU_ASSERT_EQUAL(text.size, 0);
    in = (struct record){.kind = FOUR, .text = ""}; /* one without a name */
    fields_write(&text, "", fields, &in);
    CU_ASSERT_STRING_EQUAL(text.data, " kind=3");
    CU_ASSERT_TRUE_FATAL(words_read(&words, " kind=3 chars=longerthan5"));
    fields_read(&words, "", fields, &out);
    CU_ASSERT_EQUAL(out.kind, FOUR);
    CU_ASSERT_STRING_EQUAL(out.chars, "longe"); /* cut to fit */
    words_free(&words);
    text_free(&text);
}

/* ---- the file ---- */

static size_t read_back(char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t read = file == NULL ? 0 : fread(text, 1, size - 1, file);
    text[read] = '\0';
    if (file != NULL)
        fclose(file);
    return read;
}

static void test_lines(void)
{
    char text[512];
    struct trace *trace;
    struct error err;
    struct stat status;
    unlink(path);
    CU_ASSERT_EQUAL_FATAL(trace_open(path, 1000, &trace, &err), ERR_OK);
    trace_line(trace, 12000034, "shop/db1", "raft tick");
    read_back(text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "mha4rdb-trace 1\n"); /* a line waits */
    trace_flush(trace);
    read_back(text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "mha4rdb-trace 1\n12.000034 shop/db1 raft tick\n");
    trace_line(trace, 12000035, "shop/db1", "raft tick");
    trace_close(trace);
    CU_ASSERT_EQUAL(stat(path, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(status.st_size, 16 + 2 * 29);
}

/* A program that was killed may leave a part of a line; the next one begins on a line of its own. */
static void test_appends(void)
{
    char text[512];
    struct trace *trace;
    struct error err;
    FILE *file = fopen(path, "w");
    fputs("mha4rdb-trace 1\n12.0000", file);
    fclose(file);
    CU_ASSERT_EQUAL_FATAL(trace_open(path, 1000, &trace, &err), ERR_OK);
    trace_close(trace);
    read_back(text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "mha4rdb-trace 1\n12.0000\nmha4rdb-trace 1\n");
}

static void test_bounds(void)
{
    char text[512];
    struct trace *trace;
    struct error err;
    unlink(path);
    CU_ASSERT_EQUAL_FATAL(trace_open(path, 60, &trace, &err), ERR_OK);
    for (unsigned i = 0; i < 5; i++) {
        trace_line(trace, i, "a", "raft tick"); /* 21 bytes each */
        trace_flush(trace);
    }
    CU_ASSERT_EQUAL(read_back(text, sizeof text), 16 + 2 * 21);
    trace_close(trace);
    /* what is there counts, too */
    CU_ASSERT_EQUAL_FATAL(trace_open(path, 60, &trace, &err), ERR_OK);
    trace_line(trace, 1, "a", "raft tick");
    trace_close(trace);
    CU_ASSERT_EQUAL(read_back(text, sizeof text), 16 + 2 * 21);
}

static void test_lines_do_not_pile_up(void)
{
    struct trace *trace;
    struct error err;
    struct stat status;
    unlink(path);
    CU_ASSERT_EQUAL_FATAL(trace_open(path, 1000000, &trace, &err), ERR_OK);
    for (unsigned i = 0; i < 10000; i++)
        trace_line(trace, i, "a", "raft tick");
    CU_ASSERT_EQUAL(stat(path, &status), 0);
    CU_ASSERT_TRUE(status.st_size > 100000); /* unasked */
    trace_close(trace);
}

static void test_what_cannot_be_opened(void)
{
    struct trace *trace;
    struct error err;
    CU_ASSERT_EQUAL(trace_open("/nowhere/trace", 1000, &trace, &err), ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nowhere/trace"));
    CU_ASSERT_EQUAL(trace_open("/dev/full", 1000, &trace, &err), ERR_IO); /* no file */
    unlink(path);
    CU_ASSERT_EQUAL_FATAL(symlink("/tmp", path), 0);
    CU_ASSERT_EQUAL(trace_open(path, 1000, &trace, &err), ERR_IO);
    unlink(path);
}

/* A write that fails ends the trace, not the program. */
static void test_full_file_system(void)
{
    struct trace *trace;
    struct error err;
    unlink(path);
    CU_ASSERT_EQUAL_FATAL(trace_open(path, 1000, &trace, &err), ERR_OK);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC), last = dup(0);
    CU_ASSERT_TRUE_FATAL(full > 0 && last > full);
    CU_ASSERT_EQUAL_FATAL(dup2(full, full - 1), full - 1); /* the trace's own descriptor */
    for (unsigned i = 0; i < 3; i++) {
        trace_line(trace, i, "a", "raft tick");
        trace_flush(trace);
    }
    CU_ASSERT_TRUE(fcntl(full - 1, F_GETFD) < 0); /* closed */
    trace_close(trace);
    close(full);
    close(last);
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/mha-trace-%d", (int)getpid());
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("traces", NULL, NULL);
    CU_add_test(suite, "values come back", test_values_come_back);
    CU_add_test(suite, "broken words", test_broken_words);
    CU_add_test(suite, "bytes", test_bytes);
    CU_add_test(suite, "fields", test_fields);
    CU_add_test(suite, "lines", test_lines);
    CU_add_test(suite, "appends", test_appends);
    CU_add_test(suite, "bounds", test_bounds);
    CU_add_test(suite, "lines do not pile up", test_lines_do_not_pile_up);
    CU_add_test(suite, "what cannot be opened", test_what_cannot_be_opened);
    CU_add_test(suite, "full file system", test_full_file_system);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    unlink(path);
    return failures == 0 ? 0 : 1;
}
