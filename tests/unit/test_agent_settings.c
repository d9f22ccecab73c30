/* Each mistake in agent.conf is named with file, line and remedy, before anything is touched. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/settings.h"

static char dir[] = "/tmp/mha-agent-settings-XXXXXX";
static char conf[128], key_path[128], password_path[128];

static const char *const good[] = {
    "cluster = \"shop\";",                                                      /* 1 */
    "node = \"db1\";",                                                          /* 2 */
    "key_file = \"%K\";",                                                       /* 3 */
    "data_dir = \"/tmp/x\";",                                                   /* 4 */
    "control_socket = \"/tmp/x.sock\";",                                        /* 5 */
    "log_level = \"info\";",                                                    /* 6 */
    "profile = \"lan\";",                                                       /* 7 */
    "nodes = (",                                                                /* 8 */
    "  { name = \"db1\"; address = \"192.0.2.11:7420\"; },",                    /* 9 */
    "  { name = \"db2\"; address = \"192.0.2.12:7420\"; },",                    /* 10 */
    "  { name = \"arb\"; address = \"192.0.2.13:7420\"; arbiter = true; });",   /* 11 */
    "vip = { address = \"192.0.2.10\"; socket = \"/tmp/v.sock\"; };",           /* 12 */
    "switchover_timeout_ms = 5000;",                                            /* 13 */
    "database = { kind = \"mariadb\"; socket = \"/tmp/m.sock\";",               /* 14 */
    "  host = \"192.0.2.11\"; port = 3306; user = \"mha4rdb\";",                /* 15 */
    "  password_file = \"%P\"; replication_user = \"r\";",                      /* 16 */
    "  replication_password_file = \"%P\";",                                    /* 17 */
    "  start = \"a\"; start_to_follow = \"b\"; stop = \"c\"; kill = \"d\"; };", /* 18 */
};
#define LINES (sizeof good / sizeof good[0])

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

/* The good file with line `number` replaced (0: none). */
static enum error_code read_with(unsigned number, const char *line, struct agent_settings *out,
                                 struct error *err)
{
    FILE *file = fopen(conf, "w");

    for (unsigned i = 0; i < LINES; i++) {
        const char *text = i + 1 == number ? line : good[i];
        const char *mark = strchr(text, '%');
        if (mark)
            fprintf(file, "%.*s%s%s\n", (int)(mark - text), text, mark[1] == 'K' ? key_path : password_path,
                    mark + 2);
        else
            fprintf(file, "%s\n", text);
    }
    fclose(file);
    return agent_settings_read(conf, out, err);
}

static void test_good_file(void)
{
    struct agent_settings settings;
    struct error err = {0};

    CU_ASSERT_EQUAL_FATAL(read_with(0, NULL, &settings, &err), ERR_OK);
    CU_ASSERT_STRING_EQUAL(settings.group.cluster, "shop");
    CU_ASSERT_STRING_EQUAL(settings.listen, "192.0.2.11:7420"); /* the own address */
    CU_ASSERT_STRING_EQUAL(settings.vip_address, "192.0.2.10");
    CU_ASSERT_EQUAL(settings.switchover_timeout_ms, 5000);
    CU_ASSERT_EQUAL(settings.pause_length_ms, 60000);
    CU_ASSERT_EQUAL(settings.group.election_us, 1000000);
    CU_ASSERT_STRING_EQUAL(settings.trace.path, "");
    CU_ASSERT_EQUAL(settings.trace.bytes_max, 256u << 20);
    CU_ASSERT_STRING_EQUAL(settings.database.password, "secret");
}

static void test_mistakes(void)
{
    static const struct {
        unsigned line;
        const char *text, *says;
    } table[] = {
        {1, "cluster = 5;", "must be a string"},
        {1, "clustre = \"shop\";", "\"clustre\" is not a setting known here"},
        {2, "node = \"db9\";", "db9"},
        {2, "node = \"arb\";", "runs mha4rdb-arbiter"},
        {3, "key_file = \"/nowhere/key\";", "/nowhere/key"},
        {6, "log_level = \"loud\";", "one of error, warning"},
        {7, "profile = \"warp\";", "warp"},
        {7, "trace = \"trace\";", "begin it with /"},
        {7, "trace_mb = 0;", "from 1 to 65536"},
        {11, "  { name = \"db3\"; address = \"192.0.2.13:7420\"; });", "3 data nodes"},
        {11, "  { name = \"db2\"; address = \"192.0.2.13:7420\"; arbiter = true; });", "db2"},
        {9, "  { name = \"db1\"; address = \"192.0.2.11\"; },", "192.0.2.11"},
        {12, "vip = { address = \"192.0.2.10/24\"; };", "without a prefix length"},
        {12, "vip = \"192.0.2.10\";", "must be a group"},
        {13, "switchover_timeout_ms = 5;", "from 100 to 600000"},
        {13, "switchover_timeout_ms = \"5 s\";", "whole number"},
        {14, "database = { kind = \"oracle\"; socket = \"/tmp/m.sock\";", "oracle"},
        {16, "  password_file = \"/nowhere/p\"; replication_user = \"r\";", "/nowhere/p"},
        {5, "control_socket = = 3;", "syntax error"},
    };

    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct agent_settings settings;
        struct error err = {0};
        enum error_code code = read_with(table[i].line, table[i].text, &settings, &err);
        bool named = code == ERR_INVALID && strncmp(err.text, conf, strlen(conf)) == 0 &&
                     strstr(err.text, table[i].says);
        if (!named)
            printf("\n  %s\n  -> %s\n", table[i].text, code == ERR_OK ? "accepted" : err.text);
        CU_ASSERT_TRUE(named);
    }
}

static void test_files_around_it(void)
{
    struct agent_settings settings;
    struct error err = {0};

    chmod(key_path, 0644);
    CU_ASSERT_EQUAL(read_with(0, NULL, &settings, &err), ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, key_path));
    chmod(key_path, 0640);
    chmod(password_path, 0644);
    CU_ASSERT_EQUAL(read_with(0, NULL, &settings, &err), ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, password_path));
    chmod(password_path, 0600);
    CU_ASSERT_EQUAL(agent_settings_read("/nowhere/agent.conf", &settings, &err), ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "-c"));
}

int main(void)
{
    char key[66];

    if (!mkdtemp(dir))
        return 1;
    snprintf(conf, sizeof conf, "%s/agent.conf", dir);
    snprintf(key_path, sizeof key_path, "%s/key", dir);
    snprintf(password_path, sizeof password_path, "%s/password", dir);
    memset(key, 'a', 64);
    memcpy(key + 64, "\n", 2);
    write_file(key_path, key, 0640);
    write_file(password_path, "secret\n", 0600);

    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("agent settings", NULL, NULL);
    CU_add_test(suite, "a good file", test_good_file);
    CU_add_test(suite, "mistakes are named", test_mistakes);
    CU_add_test(suite, "the files that it names", test_files_around_it);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    unlink(conf);
    unlink(key_path);
    unlink(password_path);
    rmdir(dir);
    return failures != 0;
}
