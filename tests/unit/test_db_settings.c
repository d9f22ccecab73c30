/* The "database" group: what is read, and that each mistake names its file, line and remedy. */
#include <CUnit/Basic.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/db/settings.h"

static char dir[] = "/tmp/mha-test-settings-XXXXXX";
static char config_path[128], password_path[128], replication_path[128];
static struct db_settings settings;
static struct error err;

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    if (!file)
        abort();
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

/* The good group, with `replace` (a whole line beginning with its key) in the place of that key's line; NULL:
 * as it is. */
static enum error_code read_with(const char *replace)
{
    static const char *const lines[] = {"kind = \"mariadb\";",
                                        "socket = \"/run/mysqld/mysqld.sock\";",
                                        "host = \"192.0.2.11\";",
                                        "port = 3307;",
                                        "user = \"mha4rdb\";",
                                        "password_file = \"%s/password\";",
                                        "replication_user = \"repl\";",
                                        "replication_password_file = \"%s/replication\";",
                                        "probe_interval_ms = 100;",
                                        "start = \"a\";",
                                        "start_to_follow = \"b\";",
                                        "stop = \"c\";",
                                        "kill = \"d\";"};
    struct config_file file;
    FILE *out = fopen(config_path, "w");
    enum error_code code;
    bool used = replace == NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fputs("database = {\n", out);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        size_t key = strcspn(lines[i], " ");
        if (replace && strncmp(replace, lines[i], key + 1) == 0) {
            fputs(replace, out);
            used = true;
        } else if (strstr(lines[i], "%s")) {
            fprintf(out,
                    strstr(lines[i], "replication") ? "replication_password_file = \"%s\";"
                                                    : "password_file = \"%s\";",
                    strstr(lines[i], "replication") ? replication_path : password_path);
        } else {
            fputs(lines[i], out);
        }
        fputs("\n", out);
    }
    if (!used)
        fputs(replace, out);
    fputs("\n};\n", out);
    fclose(out);
    memset(&err, 0, sizeof err);
    code = config_file_open(&file, config_path, &err);
    if (code == ERR_OK) {
        db_settings_read(&file, config_get_group(&file, config_root_setting(&file.config), "database", true),
                         &settings);
        code = file.failed ? err.code : ERR_OK;
    }
    config_file_close(&file);
    return code;
}

static int set_up(void)
{
    if (!mkdtemp(dir))
        return 1;
    snprintf(config_path, sizeof config_path, "%s/agent.conf", dir);
    snprintf(password_path, sizeof password_path, "%s/password", dir);
    snprintf(replication_path, sizeof replication_path, "%s/replication", dir);
    write_file(password_path, "secret\n", 0600);
    write_file(replication_path, "other secret\r\nsecond line", 0640);
    return 0;
}

static int tear_down(void)
{
    unlink(config_path);
    unlink(password_path);
    unlink(replication_path);
    return rmdir(dir);
}

static void test_good(void)
{
    CU_ASSERT_EQUAL(read_with(NULL), ERR_OK);
    CU_ASSERT_STRING_EQUAL(settings.kind, "mariadb");
    CU_ASSERT_EQUAL(settings.port, 3307);
    CU_ASSERT_STRING_EQUAL(settings.password, "secret");
    CU_ASSERT_STRING_EQUAL(settings.replication_password, "other secret");
    CU_ASSERT_FALSE(settings.replication_tls);
    CU_ASSERT_EQUAL(settings.probe_interval_ms, 100);
    CU_ASSERT_EQUAL(settings.probe_timeout_ms, 2000);
    CU_ASSERT_EQUAL(settings.command_timeout_ms, 60000);
    CU_ASSERT_STRING_EQUAL(settings.kill, "d");
}

/* Which account is whose, both ways. */
static void test_accounts_of_nodes(void)
{
    char text[DB_TEXT_BYTES];

    CU_ASSERT_EQUAL(read_with("replication_user = \"repl_%n_x\";"), ERR_OK);
    CU_ASSERT_TRUE(db_accounts_per_node(&settings));
    db_replication_user(&settings, "db1", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "repl_db1_x");
    CU_ASSERT_TRUE(db_replication_node(&settings, "repl_standby_x", text, sizeof text));
    CU_ASSERT_STRING_EQUAL(text, DB_STANDBY_NAME);
    CU_ASSERT_FALSE(db_replication_node(&settings, "repl__x", text, sizeof text));
    CU_ASSERT_FALSE(db_replication_node(&settings, "repl_db1", text, sizeof text));
    CU_ASSERT_FALSE(db_replication_node(&settings, "rep_db1_x", text, sizeof text));
    CU_ASSERT_FALSE(db_replication_node(&settings, "repl_db1_x", text, 3));
    CU_ASSERT_EQUAL(read_with(NULL), ERR_OK);
    CU_ASSERT_FALSE(db_accounts_per_node(&settings));
    db_replication_user(&settings, "db1", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "repl");
    CU_ASSERT_FALSE(db_replication_node(&settings, "repl", text, sizeof text));
}

/* MariaDB must be started another way to follow; MySQL need not be. */
static void test_start_to_follow(void)
{
    CU_ASSERT_EQUAL(read_with("start_to_follow = \"\";"), ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "start_to_follow"));
    CU_ASSERT_EQUAL(read_with("kind = \"mysql\";"), ERR_OK);
    CU_ASSERT_STRING_EQUAL(settings.start_to_follow, "b");
}

static void test_without_a_password_of_its_own(void)
{
    CU_ASSERT_EQUAL(read_with("password_file = \"\";"), ERR_OK);
    CU_ASSERT_STRING_EQUAL(settings.password, "");
}

static void test_mistakes(void)
{
    static const struct {
        const char *line;
        const char *says;
    } cases[] = {
        {"kind = \"oracle\";", ":2: "},
        {"kind = \"oracle\";", "mariadb"},
        {"socket = \"mysqld.sock\";", "absolute path"},
        {"port = 0;", "from 1 to 65535"},
        {"port = 65536;", "from 1 to 65535"},
        {"user = \"\";", "empty"},
        {"replication_user = \"mha4rdb\";", "same account"},
        {"password_file = \"/nonexistent/password\";", "cannot be read"},
        {"password_file = \"/tmp\";", "not a file"},
        {"replication_password_file = \"\";", "replication_password_file"},
        {"probe_interval_ms = 9;", "from 10 to 60000"},
        {"probe_timeout_ms = 99;", "from 100 to 600000"},
        {"command_timeout_ms = 999;", "from 1000 to 600000"},
        {"kill = 9;", "must be a string"},
        {"paswort_file = \"x\";", "paswort_file"},
        {"host = \"db1:3306\";", "host = \"db1\"; port = 3306;"},
        {"host = \"::\";", "nobody can dial"},
        {"replication_user = \"repl_%s\";", "stands for the node's name"},
        {"replication_user = \"repl%\";", "stands for the node's name"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT_EQUAL(read_with(cases[i].line), ERR_INVALID);
        if (!strstr(err.text, cases[i].says) || !strstr(err.text, config_path)) {
            printf("\n  %s gives: %s\n", cases[i].line, err.text);
            CU_FAIL("the message does not name the mistake");
        }
    }
}

static void test_a_password_file_open_to_others(void)
{
    chmod(password_path, 0604);
    CU_ASSERT_EQUAL(read_with(NULL), ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "chmod 0640"));
    chmod(password_path, 0660);
    CU_ASSERT_EQUAL(read_with(NULL), ERR_INVALID);
    chmod(password_path, 0640);
    CU_ASSERT_EQUAL(read_with(NULL), ERR_OK);
    write_file(password_path, "\n", 0600);
    CU_ASSERT_EQUAL(read_with(NULL), ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no password"));
    write_file(password_path, "secret", 0600);
    CU_ASSERT_EQUAL(read_with(NULL), ERR_OK);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    CU_initialize_registry();
    suite = CU_add_suite("database settings", set_up, tear_down);
    CU_add_test(suite, "good", test_good);
    CU_add_test(suite, "accounts of nodes", test_accounts_of_nodes);
    CU_add_test(suite, "start_to_follow", test_start_to_follow);
    CU_add_test(suite, "without a password of its own", test_without_a_password_of_its_own);
    CU_add_test(suite, "mistakes", test_mistakes);
    CU_add_test(suite, "a password file open to others", test_a_password_file_open_to_others);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
