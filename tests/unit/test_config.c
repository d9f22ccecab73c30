/* common/base/config: every mistake in a file is named with its line and its remedy; the first one sticks. */
#include <CUnit/Basic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/config.h"

static char path[] = "/tmp/mha4rdb-test-config-XXXXXX";
static struct error err;

static enum error_code open_text(struct config_file *file, const char *text)
{
    FILE *stream = fopen(path, "w");

    CU_ASSERT_FATAL(stream != NULL);
    fputs(text, stream);
    fclose(stream);
    memset(&err, 0, sizeof err);
    return config_file_open(file, path, &err);
}

/* The error names this line and says this. */
static void assert_problem(const struct config_file *file, int line, const char *says)
{
    char where[128];

    snprintf(where, sizeof where, "%s:%d: ", path, line);
    CU_ASSERT_TRUE(file->failed);
    CU_ASSERT_EQUAL(err.code, ERR_INVALID);
    if (strncmp(err.text, where, strlen(where)) != 0 || !strstr(err.text, says))
        printf("\n    got: %s", err.text);
    CU_ASSERT_EQUAL(strncmp(err.text, where, strlen(where)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, says));
}

static void test_files(void)
{
    struct config_file file;

    memset(&err, 0, sizeof err);
    CU_ASSERT_EQUAL(config_file_open(&file, "/nonexistent/agent.conf", &err), ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/agent.conf"));
    config_file_close(&file);
    CU_ASSERT_EQUAL(open_text(&file, "a = 1;\nb = = 2;\n"), ERR_INVALID);
    assert_problem(&file, 2, "syntax");
    config_file_close(&file);
    CU_ASSERT_EQUAL(config_file_open(&file, "/tmp", &err), ERR_IO); /* a directory */
    config_file_close(&file);
    CU_ASSERT_EQUAL(open_text(&file, "a = 1;\n \t@include \"/\"\n"), ERR_INVALID); /* libconfig would exit */
    assert_problem(&file, 2, "@include");
    config_file_close(&file);
    CU_ASSERT_EQUAL(open_text(&file, "a = \"\n@\"; b = \"@include\";\n"), ERR_OK);
    config_file_close(&file);
    CU_ASSERT_EQUAL(open_text(&file, ""), ERR_OK);
    config_file_close(&file);
}

static void test_good(void)
{
    static const char *const known[] = {"name", "count", "big", "on", "group", "list", NULL};
    struct config_file file;
    const config_setting_t *root;
    char name[16] = "", other[16] = "";
    long long count = 0, big = 0, fallback = 0;
    bool on = false, off = true;

    CU_ASSERT_EQUAL(open_text(&file, "name = \"db1\";\ncount = -3;\nbig = 5000000000L;\non = true;\n"
                                     "group = { };\nlist = ( 1, 2 );\n"),
                    ERR_OK);
    root = config_root_setting(&file.config);
    config_get_string(&file, root, "name", NULL, name, sizeof name);
    config_get_string(&file, root, "absent", "else", other, sizeof other);
    config_get_int(&file, root, "count", true, 0, -5, 5, &count);
    config_get_int(&file, root, "big", true, 0, 0, 10000000000, &big);
    config_get_int(&file, root, "absent", false, 12, 0, 100, &fallback);
    config_get_bool(&file, root, "on", false, &on);
    config_get_bool(&file, root, "absent", false, &off);
    CU_ASSERT_PTR_NOT_NULL(config_get_group(&file, root, "group", true));
    CU_ASSERT_PTR_NOT_NULL(config_get_list(&file, root, "list", true));
    CU_ASSERT_PTR_NULL(config_get_group(&file, root, "absent", false));
    CU_ASSERT_PTR_NULL(config_get_list(&file, root, "absent", false));
    config_finish_group(&file, root, known);
    CU_ASSERT_FALSE(file.failed);
    CU_ASSERT_STRING_EQUAL(name, "db1");
    CU_ASSERT_STRING_EQUAL(other, "else");
    CU_ASSERT_EQUAL(count, -3);
    CU_ASSERT_EQUAL(big, 5000000000);
    CU_ASSERT_EQUAL(fallback, 12);
    CU_ASSERT_TRUE(on);
    CU_ASSERT_FALSE(off);
    config_file_close(&file);
}

enum ask { ASK_STRING, ASK_INT, ASK_BOOL, ASK_GROUP, ASK_LIST, ASK_FINISH };

static void test_mistakes(void)
{
    static const char *const known[] = {"key", "a", NULL};
    static const struct {
        const char *text;
        enum ask ask;
        int line;
        const char *says;
    } cases[] = {
        {"a = 1;\nkey = 5;", ASK_STRING, 2, "must be a string; write key = \"...\""},
        {"a = 1;\nkey = \"\";", ASK_STRING, 2, "\"key\" is empty"},
        {"\n\nkey = \"12345678\";", ASK_STRING, 3, "longer than 7 characters"},
        {"key = \"5\";", ASK_INT, 1, "whole number from 1 to 10"},
        {"key = 2.5;", ASK_INT, 1, "whole number from 1 to 10"},
        {"key = 0;", ASK_INT, 1, "\"key\" is 0; it must be from 1 to 10"},
        {"key = 11;", ASK_INT, 1, "\"key\" is 11"},
        {"key = 4294967301L;", ASK_INT, 1, "\"key\" is 4294967301"}, /* not 5 by wrapping */
        {"key = 1;", ASK_BOOL, 1, "true or false"},
        {"key = 1;", ASK_GROUP, 1, "must be a group; write key = { ... };"},
        {"key = ( );", ASK_GROUP, 1, "must be a group"},
        {"key = { };", ASK_LIST, 1, "must be a list; write key = ( { ... }, { ... } );"},
        {"a = 1;\nkey = 2;\nkeyy = 3;", ASK_FINISH, 3,
         "\"keyy\" is not a setting known here; remove it or mend its spelling"},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config_file file;
        const config_setting_t *root;
        char text[8];
        long long number;
        bool flag;

        CU_ASSERT_EQUAL_FATAL(open_text(&file, cases[i].text), ERR_OK);
        root = config_root_setting(&file.config);
        if (cases[i].ask == ASK_STRING)
            config_get_string(&file, root, "key", NULL, text, sizeof text);
        else if (cases[i].ask == ASK_INT)
            config_get_int(&file, root, "key", true, 0, 1, 10, &number);
        else if (cases[i].ask == ASK_BOOL)
            config_get_bool(&file, root, "key", false, &flag);
        else if (cases[i].ask == ASK_GROUP)
            (void)config_get_group(&file, root, "key", true);
        else if (cases[i].ask == ASK_LIST)
            (void)config_get_list(&file, root, "key", true);
        else
            config_finish_group(&file, root, known);
        assert_problem(&file, cases[i].line, cases[i].says);
        config_file_close(&file);
    }
}

static void test_missing(void)
{
    struct config_file file;
    const config_setting_t *group;
    char text[8] = "same";
    long long number = 3;

    CU_ASSERT_EQUAL_FATAL(open_text(&file, "a = 1;\ndatabase = {\n  b = 2;\n};\n"), ERR_OK);
    group = config_get_group(&file, config_root_setting(&file.config), "database", true);
    config_get_string(&file, group, "socket", NULL, text, sizeof text);
    assert_problem(&file, 2, "\"socket\" is missing in \"database\"; add it");
    /* the first problem sticks, and nothing is touched after it */
    config_get_int(&file, group, "port", true, 0, 1, 10, &number);
    config_fail(&file, NULL, "another");
    assert_problem(&file, 2, "\"socket\" is missing");
    CU_ASSERT_STRING_EQUAL(text, "same");
    CU_ASSERT_EQUAL(number, 3);
    config_file_close(&file);

    CU_ASSERT_EQUAL_FATAL(open_text(&file, "a = 1;\n"), ERR_OK);
    config_get_int(&file, config_root_setting(&file.config), "port", true, 0, 1, 10, &number);
    CU_ASSERT_TRUE(file.failed);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\"port\" is missing; add it"));
    config_file_close(&file);
}

/* What a reader found itself, at a setting and at the file. */
static void test_own_problems(void)
{
    struct config_file file;

    CU_ASSERT_EQUAL_FATAL(open_text(&file, "\nname = \"x\";\n"), ERR_OK);
    config_fail(&file, config_lookup(&file.config, "name"), "\"%s\" is no node; name one of nodes", "x");
    assert_problem(&file, 2, "\"x\" is no node; name one of nodes");
    config_file_close(&file);
    CU_ASSERT_EQUAL_FATAL(open_text(&file, "name = \"x\";\n"), ERR_OK);
    config_fail(&file, NULL, "too few nodes");
    CU_ASSERT_EQUAL(strncmp(err.text, path, strlen(path)), 0);
    CU_ASSERT_STRING_EQUAL(err.text + strlen(path), ": too few nodes");
    config_file_close(&file);
}

static void test_addresses(void)
{
    static const struct {
        const char *text, *host;
        unsigned port;
    } good[] = {
        {"192.0.2.1:7400", "192.0.2.1", 7400},
        {"[2001:db8::1]:1", "2001:db8::1", 1},
        {"db1.example:65535", "db1.example", 65535},
        {"[::]:0", "::", 0},
    };
    static const char *const bad[] = {
        "",
        "db1",
        "db1:",
        ":7400",
        "2001:db8::1:7400",
        "[2001:db8::1]7400",
        "[]:1",
        "db1:65536",
        "db1:-1",
        "db1: 1",
        "db1:1x",
        "[::1:5",
        "::1]:5",
        "db1:+5",
        "[::1",
        "db1:99999999999999999999",
    };
    char host[32];
    unsigned port;

    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        CU_ASSERT_TRUE(config_parse_address(good[i].text, host, sizeof host, &port));
        CU_ASSERT_STRING_EQUAL(host, good[i].host);
        CU_ASSERT_EQUAL(port, good[i].port);
    }
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (config_parse_address(bad[i], host, sizeof host, &port))
            printf("\n    taken: %s", bad[i]);
        CU_ASSERT_FALSE(config_parse_address(bad[i], host, sizeof host, &port));
    }
    CU_ASSERT_TRUE(config_parse_address("1234567:1", host, 8, &port));
    CU_ASSERT_FALSE(config_parse_address("12345678:1", host, 8, &port));
}

static int make_file(void)
{
    int fd = mkstemp(path);

    return fd < 0 ? 1 : close(fd);
}

static int remove_file(void)
{
    return unlink(path);
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    CU_initialize_registry();
    suite = CU_add_suite("config", make_file, remove_file);
    CU_add_test(suite, "files that cannot be read", test_files);
    CU_add_test(suite, "a good file", test_good);
    CU_add_test(suite, "every mistake names its line and remedy", test_mistakes);
    CU_add_test(suite, "missing settings", test_missing);
    CU_add_test(suite, "problems that a reader finds", test_own_problems);
    CU_add_test(suite, "addresses", test_addresses);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
