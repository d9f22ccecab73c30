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

static const char *good[] = {
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

/* The good file with line `number` replaced (0: none). "%K" and "%P" are the key's and the password's paths,
 * "@" becomes "%n". */
static enum error_code read_with(unsigned number, const char *line, struct agent_settings *out,
                                 struct error *err)
{
    FILE *file = fopen(conf, "w");

    for (unsigned i = 0; i < LINES; i++) {
        const char *text = i + 1 == number ? line : good[i];
        for (; *text; text++) {
            if (*text == '@') /* not ours to replace */
                fputs("%n", file);
            else if (*text == '%')
                fputs(*++text == 'K' ? key_path : password_path, file);
            else
                fputc(*text, file);
        }
        fputc('\n', file);
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
    CU_ASSERT_STRING_EQUAL(settings.database.node, "db1");
    CU_ASSERT_FALSE(settings.durability_available);
    CU_ASSERT_FALSE(settings.rejoin_auto);
    CU_ASSERT_EQUAL(settings.lag_most_ms, 10000);
    CU_ASSERT_EQUAL(settings.rebuild.port, 7421);
    CU_ASSERT_EQUAL(settings.rebuild.rate_mb, 0);
    CU_ASSERT_STRING_EQUAL(settings.rebuild.mysqlbinlog, "");
    CU_ASSERT_EQUAL(settings.rebuild.timeout_s, 300);
}

/* What may stand there beside: `line` in the place of the timeout's. */
static void test_choices(void)
{
    struct agent_settings settings;
    struct error err = {0};

    CU_ASSERT_EQUAL(read_with(13, "durability = \"available\"; lag_most_ms = 0;", &settings, &err), ERR_OK);
    CU_ASSERT_TRUE(settings.durability_available);
    CU_ASSERT_EQUAL(settings.lag_most_ms, 0);
    CU_ASSERT_EQUAL(read_with(13, "durability = \"quorum\"; rejoin = \"manual\";", &settings, &err), ERR_OK);
    CU_ASSERT_FALSE(settings.durability_available);
    CU_ASSERT_EQUAL(
        read_with(13,
                  "rejoin = \"auto\"; rebuild = { donate = \"d\"; receive = \"r\"; port = 7777; "
                  "rate_mb = 50; timeout_s = 20; mysqlbinlog = \"/opt/mysql/bin/mysqlbinlog\"; };",
                  &settings, &err),
        ERR_OK);
    CU_ASSERT_TRUE(settings.rejoin_auto);
    CU_ASSERT_STRING_EQUAL(settings.rebuild.donate, "d");
    CU_ASSERT_STRING_EQUAL(settings.rebuild.receive, "r");
    CU_ASSERT_EQUAL(settings.rebuild.port, 7777);
    CU_ASSERT_EQUAL(settings.rebuild.rate_mb, 50);
    CU_ASSERT_STRING_EQUAL(settings.rebuild.mysqlbinlog, "/opt/mysql/bin/mysqlbinlog");
    CU_ASSERT_EQUAL(settings.rebuild.timeout_s, 20);
}

/* Three data nodes, each with an account; and MySQL, which starts one way and copies itself. */
static void test_three_data_nodes(void)
{
    static const char *const third = "  { name = \"db3\"; address = \"192.0.2.13:7420\"; });";
    static const char *const accounts = "  password_file = \"%P\"; replication_user = \"r_@\";";
    const char *saved = good[10], *start = good[17], *kind = good[13];
    struct agent_settings settings;
    struct error err = {0};

    good[10] = third;
    CU_ASSERT_EQUAL(read_with(16, accounts, &settings, &err), ERR_OK);
    CU_ASSERT_STRING_EQUAL(settings.database.replication_user, "r_%n");
    CU_ASSERT_EQUAL(settings.group.node_count, 3);
    good[13] = "database = { kind = \"mysql\"; socket = \"/tmp/m.sock\";";
    good[17] = "  start = \"a\"; stop = \"c\"; kill = \"d\"; }; rejoin = \"auto\";";
    CU_ASSERT_EQUAL(read_with(16, accounts, &settings, &err), ERR_OK);
    CU_ASSERT_STRING_EQUAL(settings.database.start_to_follow, "a");
    good[10] = saved;
    good[13] = kind;
    good[17] = start;
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
        {10, "  { name = \"standby\"; address = \"192.0.2.12:7420\"; },", "no node may be named \"standby\""},
        {13, "durability = \"none\";", "write \"quorum\" or \"available\""},
        {13, "durability = true;", "must be a string"},
        {13, "rejoin = \"never\";", "write \"manual\" or \"auto\""},
        {13, "rejoin = \"auto\";", "needs the commands \"donate\" and \"receive\""},
        {13, "lag_most_ms = -1;", "from 0 to 3600000"},
        {13, "rebuild = { donate = \"d\"; };", "\"donate\" without \"receive\""},
        {13, "rebuild = { receive = \"d\"; };", "\"receive\" without \"donate\""},
        {13, "rebuild = { donate = \"d\"; receive = \"r\"; port = 0; };", "from 1 to 65535"},
        {13, "rebuild = { donate = \"d\"; receive = \"r\"; port = 7420; };", "where this agent does"},
        {13, "rebuild = { donate = \"d\"; receive = \"r\"; port = 3306; };", "where the database does"},
        {13, "rebuild = { rate_mb = 100001; };", "from 0 to 100000"},
        {13, "rebuild = { timeout_s = 9; };", "from 10 to 86400"},
        {13, "rebuild = { speed = 9; };", "\"speed\" is not a setting known here"},
        {13, "rebuild = ( 9 );", "must be a group"},
        {15, "  host = \"192.0.2.11:3306\"; user = \"mha4rdb\";", "host = \"192.0.2.11\"; port = 3306;"},
        {15, "  host = \"0.0.0.0\"; user = \"mha4rdb\";", "nobody can dial"},
        {16, "  password_file = \"%P\"; replication_user = \"r_@_@\";", "may be there once"},
        {16, "  password_file = \"%P\"; replication_user = \"@\";", "\"%n\" alone"},
        {16, "  password_file = \"%P\"; replication_user = \"mha4rdb\";", "same account"},
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

static void expect(unsigned line, const char *text, const char *says)
{
    struct agent_settings settings;
    struct error err = {0};
    enum error_code code = read_with(line, text, &settings, &err);

    if (code != ERR_INVALID || !strstr(err.text, says)) {
        printf("\n  %s\n  -> %s\n", text, code == ERR_OK ? "accepted" : err.text);
        CU_FAIL("the mistake is not named");
    }
}

static void test_long_accounts(void)
{
    char line[512], name[140] = "";

    memset(name, 'x', 125);
    snprintf(line, sizeof line, "  password_file = \"%%P\"; replication_user = \"%s@\";", name);
    /* "db1" fits the 128 characters, "standby" does not */
    expect(16, line, "of \"standby\" would be");
    memset(name, 'x', 129);
    snprintf(line, sizeof line, "  password_file = \"%%P\"; replication_user = \"%s\";", name);
    expect(16, line, "has 129 characters; the server takes 128");
}

static void test_account_of_the_agent(void)
{
    const char *user = good[14];

    good[14] = "  host = \"192.0.2.11\"; port = 3306; user = \"r_db2\";";
    expect(16, "  password_file = \"%P\"; replication_user = \"r_@\";", "the agent's own");
    good[14] = user;
}

static void test_mysql_mistakes(void)
{
    const char *kind = good[13];

    good[13] = "database = { kind = \"mysql\"; socket = \"/tmp/m.sock\";";
    expect(13, "rebuild = { donate = \"d\"; receive = \"r\"; };", "CLONE");
    expect(16, "  password_file = \"%P\"; replication_user = \"account_of_mha4rdb_that_is@\";",
           "the server takes 32");
    good[13] = kind;
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
    CU_add_test(suite, "choices", test_choices);
    CU_add_test(suite, "three data nodes, MySQL", test_three_data_nodes);
    CU_add_test(suite, "mistakes are named", test_mistakes);
    CU_add_test(suite, "names of accounts that are too long", test_long_accounts);
    CU_add_test(suite, "a node's account that is the agent's", test_account_of_the_agent);
    CU_add_test(suite, "MySQL copies itself", test_mysql_mistakes);
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
