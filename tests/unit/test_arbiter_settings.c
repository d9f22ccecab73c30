/* Each mistake in arbiter.conf is named with file, line and remedy. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arbiter/settings.h"

static char dir[64];
static char conf[128];
static char key_path[128];

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

/* The good file, with `from` replaced by `to`; %KEY% stands for the key's path. */
static const char good[] =
    "listen = \"0.0.0.0:7420\";\n"                                                        /* 1 */
    "data_dir = \"/tmp/x\";\n"                                                            /* 2 */
    "control_socket = \"/tmp/x.sock\";\n"                                                 /* 3 */
    "log_level = \"debug\";\n"                                                            /* 4 */
    "clusters = (\n"                                                                      /* 5 */
    "  { cluster = \"shop\";\n"                                                           /* 6 */
    "    node = \"arb\";\n"                                                               /* 7 */
    "    key_file = \"%KEY%\";\n"                                                         /* 8 */
    "    profile = \"fast\";\n"                                                           /* 9 */
    "    nodes = (\n"                                                                     /* 10 */
    "      { name = \"db1\"; address = \"192.0.2.11:7420\"; },\n"                         /* 11 */
    "      { name = \"db2\"; address = \"[2001:db8::2]:7420\"; },\n"                      /* 12 */
    "      { name = \"arb\"; address = \"arb.example:7420\"; arbiter = true; }\n"         /* 13 */
    "    ); },\n"                                                                         /* 14 */
    "  { cluster = \"bank\"; node = \"arb\"; key_file = \"%KEY%\";\n"                     /* 15 */
    "    heartbeat_ms = 50; election_ms = 400;\n"                                         /* 16 */
    "    nodes = ( { name = \"a\"; address = \"192.0.2.1:1\"; },\n"                       /* 17 */
    "              { name = \"b\"; address = \"192.0.2.2:1\"; },\n"                       /* 18 */
    "              { name = \"arb\"; address = \"192.0.2.3:1\"; arbiter = true; } ); }\n" /* 19 */
    ");\n";

static void replace(char *text, size_t size, const char *from, const char *to)
{
    char *at;
    size_t skip = 0;

    while ((at = strstr(text + skip, from))) {
        size_t rest = strlen(at + strlen(from)) + 1;
        CU_ASSERT_FATAL((size_t)(at - text) + strlen(to) + rest < size);
        memmove(at + strlen(to), at + strlen(from), rest);
        memcpy(at, to, strlen(to));
        skip = (size_t)(at - text) + strlen(to);
        if (strcmp(from, "%KEY%") != 0)
            return;
    }
    CU_ASSERT(skip > 0 || strcmp(from, "%KEY%") == 0); /* the text to spoil is there */
}

static enum error_code read_with(const char *from, const char *to, struct arbiter_settings *settings,
                                 struct error *err)
{
    char text[4096];

    snprintf(text, sizeof text, "%s", good);
    if (from)
        replace(text, sizeof text, from, to);
    replace(text, sizeof text, "%KEY%", key_path);
    write_file(conf, text, 0644);
    return arbiter_settings_read(conf, settings, err);
}

static void good_file(void)
{
    struct arbiter_settings settings;
    struct error err = {0};

    CU_ASSERT_EQUAL_FATAL(read_with(NULL, NULL, &settings, &err), ERR_OK);
    CU_ASSERT_STRING_EQUAL(settings.listen, "0.0.0.0:7420");
    CU_ASSERT_STRING_EQUAL(settings.data_dir, "/tmp/x");
    CU_ASSERT_EQUAL(settings.log_level, LOG_LEVEL_DEBUG);
    CU_ASSERT_STRING_EQUAL(settings.trace.path, "");
    CU_ASSERT_EQUAL_FATAL(settings.cluster_count, 2);
    CU_ASSERT_STRING_EQUAL(settings.clusters[0].cluster, "shop");
    CU_ASSERT_EQUAL(settings.clusters[0].heartbeat_us, 20000);
    CU_ASSERT_EQUAL(settings.clusters[0].election_us, 150000);
    CU_ASSERT_EQUAL(settings.clusters[0].node_count, 3);
    CU_ASSERT(settings.clusters[0].nodes[2].arbiter);
    CU_ASSERT_EQUAL(settings.clusters[0].key[5], 0xab);
    CU_ASSERT_EQUAL(settings.clusters[1].heartbeat_us, 50000);
    CU_ASSERT_EQUAL(settings.clusters[1].election_us, 400000);
    arbiter_settings_free(&settings);
}

static void each_mistake(void)
{
    static const struct {
        const char *from, *to;
        unsigned line; /* 0: of the file as a whole */
        const char *problem;
    } mistakes[] = {
        {"listen = \"0.0.0.0:7420\";", "", 0, "\"listen\" is missing"},
        {"0.0.0.0:7420", "0.0.0.0", 1, "not an address"},
        {"0.0.0.0:7420", "0.0.0.0:99999", 1, "not an address"},
        {"\"debug\"", "\"loud\"", 4, "one of error, warning"},
        {"log_level", "loglevel", 4, "not a setting known here"},
        {"log_level = \"debug\"", "trace = \"here\"", 4, "begin it with /"},
        {"log_level = \"debug\"", "trace_mb = 0", 4, "from 1 to 65536"},
        {"clusters = (", "clusters = 5; x = (", 5, "must be a list"},
        {"\"shop\"", "\"sh op\"", 6, "letters, digits"},
        {"\"shop\"", "5", 6, "must be a string"},
        {"\"shop\"", "\"\"", 6, "empty"},
        {"node = \"arb\";\n", "node = \"xyz\";\n", 7, "not in \"nodes\""},
        {"node = \"arb\";\n", "node = \"db1\";\n", 7, "data node"},
        {"%KEY%", "/nonexistent", 8, "mhactl key generate"},
        {"\"fast\"", "\"quick\"", 9, "choose \"lan\""},
        {"profile = \"fast\"", "heartbeat_ms = 400", 9, "third of the election"},
        {"profile = \"fast\"", "heartbeat_ms = 0", 9, "must be from"},
        {"profile", "profil", 9, "not a setting known here"},
        {"\"192.0.2.11:7420\"", "\"192.0.2.11\"", 11, "host:port"},
        {"address = \"192.0.2.11:7420\"; ", "", 11, "\"address\" is missing"},
        {"\"db2\"", "\"db1\"", 12, "named twice"},
        {"[2001:db8::2]:7420", "192.0.2.11:7420", 12, "two nodes"},
        {"arbiter = true", "arbiter = 1", 13, "true or false"},
        {"arbiter = true", "arbitr = true", 13, "not a setting known here"},
        {"{ name = \"db2\"; address = \"[2001:db8::2]:7420\"; },", "", 10, "majority"},
        {"{ name = \"db2\"; address = \"[2001:db8::2]:7420\"; },",
         "{ name = \"db2\"; address = \"192.0.2.2:1\"; arbiter = true; },", 10, "2 arbiters"},
        {"{ name = \"db2\"; address = \"[2001:db8::2]:7420\"; },",
         "{ name = \"db2\"; address = \"192.0.2.2:1\"; }, { name = \"db3\"; address = \"192.0.2.3:1\"; },",
         10, "leave the arbiter out"},
        {"\"bank\"", "\"shop\"", 15, "there twice"},
        {"heartbeat_ms = 50", "heartbeat_ms = \"50\"", 16, "whole number"},
        {"election_ms = 400", "election_ms = 99999", 16, "must be from"},
        {"  { cluster = \"shop\";", "  5, { cluster = \"shop\";", 6, "must be a group"},
        {");\n", ")\n!", 21, "syntax"},
    };

    for (unsigned i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct arbiter_settings settings;
        struct error err = {0};
        char place[160];
        enum error_code code = read_with(mistakes[i].from, mistakes[i].to, &settings, &err);

        arbiter_settings_free(&settings);
        snprintf(place, sizeof place, mistakes[i].line ? "%s:%u: " : "%s: ", conf, mistakes[i].line);
        if (code != ERR_INVALID || strncmp(err.text, place, strlen(place)) != 0 ||
            !strstr(err.text, mistakes[i].problem))
            printf("%u: %s -> %s: %s\n", i, mistakes[i].from, mistakes[i].to, err.text);
        CU_ASSERT_EQUAL(code, ERR_INVALID);
        CU_ASSERT_EQUAL(strncmp(err.text, place, strlen(place)), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, mistakes[i].problem));
    }
}

static void no_file(void)
{
    struct arbiter_settings settings;
    struct error err;

    CU_ASSERT_EQUAL(arbiter_settings_read("/nonexistent/arbiter.conf", &settings, &err), ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/arbiter.conf"));
    arbiter_settings_free(&settings);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;
    char text[80];

    snprintf(dir, sizeof dir, "/tmp/mha-test-arbiter-XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(conf, sizeof conf, "%s/arbiter.conf", dir);
    snprintf(key_path, sizeof key_path, "%s/key", dir);
    for (unsigned i = 0; i < 64; i += 2)
        memcpy(text + i, "ab", 2);
    memcpy(text + 64, "\n", 2);
    write_file(key_path, text, 0600);
    CU_initialize_registry();
    suite = CU_add_suite("arbiter settings", NULL, NULL);
    CU_ADD_TEST(suite, good_file);
    CU_ADD_TEST(suite, each_mistake);
    CU_ADD_TEST(suite, no_file);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    unlink(conf);
    unlink(key_path);
    rmdir(dir);
    return failures ? 1 : 0;
}
