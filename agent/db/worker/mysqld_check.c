/* The preflight: what in the server's settings and grants stands in the way of the promise, each with its
 * remedy. And what stands in the way of a switchover at this moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/mysqld.h"

/* ---- variables ---- */

/* What a variable must be, and why. */
static const struct wanted {
    const char *name;
    const char *value;
    bool fatal;
    const char *problem;
    const char *remedy;
} wanted[] = {
    {"log_bin", "ON", true, "without a binary log there is nothing to replicate",
     "[mysqld] log_bin = mysql-bin   (and a restart)"},
    {"log_replica_updates", "ON", true,
     "a replica that becomes the primary would lack what it applied in its own log",
     "[mysqld] log_replica_updates = 1   (and a restart)"},
    {"gtid_mode", "ON", true, "positions of servers are compared by GTIDs",
     "[mysqld] gtid_mode = ON and enforce_gtid_consistency = ON   (and a restart)"},
    {"enforce_gtid_consistency", "ON", true, "statements that GTIDs cannot name would break replication",
     "[mysqld] gtid_mode = ON and enforce_gtid_consistency = ON   (and a restart)"},
    {"sync_binlog", "1", true, "an acknowledged write can vanish from the binary log in a power cut",
     "SET PERSIST sync_binlog = 1;"},
    {"innodb_flush_log_at_trx_commit", "1", true,
     "an acknowledged write can vanish from InnoDB in a power cut",
     "SET PERSIST innodb_flush_log_at_trx_commit = 1;"},
    {"innodb_doublewrite", "ON", false, "a torn page after a power cut cannot be repaired",
     "[mysqld] innodb_doublewrite = ON   (and a restart)"},
    {"sync_relay_log", "1", false,
     "what this node has acknowledged can vanish in a power cut: after each restart it counts only with what "
     "it has applied",
     "SET PERSIST sync_relay_log = 1;"},
    {"relay_log_recovery", "OFF", false,
     "a restart throws away what was received and not applied: after it this node counts only with what it "
     "has applied",
     "[mysqld] relay_log_recovery = OFF   (and a restart)"},
    {"skip_replica_start", "ON", true,
     "replication starts by itself at boot, from a source that may be an old primary",
     "[mysqld] skip_replica_start = ON   (and a restart)"},
    {"rpl_semi_sync_source_wait_point", "AFTER_SYNC", false,
     "clients could read what no replica has; the agent sets it, but a restart forgets that",
     "SET PERSIST rpl_semi_sync_source_wait_point = AFTER_SYNC;"},
    {"binlog_format", "ROW", false, "statements can give other results on a replica",
     "SET PERSIST binlog_format = ROW;"},
    {"replica_preserve_commit_order", "ON", false,
     "a replica can commit in another order than the primary: its set of transactions has holes, and a "
     "client can read what never was",
     "STOP REPLICA SQL_THREAD; SET PERSIST replica_preserve_commit_order = ON; START REPLICA SQL_THREAD;"},
    {"offline_mode", "OFF", true, "clients are refused", "SET GLOBAL offline_mode = OFF;"},
};

static bool same(const char *value, const char *wanted_value)
{
    return strcasecmp(value, wanted_value) == 0 ||
           (strcmp(wanted_value, "ON") == 0 && strcmp(value, "1") == 0) ||
           (strcmp(wanted_value, "OFF") == 0 && strcmp(value, "0") == 0);
}

static void check_variable(const char *name, const char *value, struct db_findings *out)
{
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (strcasecmp(name, wanted[i].name) == 0 && !same(value, wanted[i].value))
            sql_finding(out, wanted[i].fatal, wanted[i].name, wanted[i].remedy, "it is %.60s: %s", value,
                        wanted[i].problem);
    if (strcasecmp(name, "replica_net_timeout") == 0 && strtoul(value, NULL, 10) > 60)
        sql_finding(out, false, name, "SET PERSIST replica_net_timeout = 4;",
                    "it is %.20s s: a silently lost source is noticed late; the agent sets 4 where it "
                    "replicates",
                    value);
    if (strcasecmp(name, "server_id") == 0) {
        out->server_id = strtoull(value, NULL, 10);
        if (out->server_id <= 1)
            sql_finding(out, out->server_id == 0, name,
                        "[mysqld] server_id = N   (another N on every server, and a restart)",
                        "it is %.20s, the default: every server needs its own", value);
    }
    if (strcasecmp(name, "init_connect") == 0 && value[0])
        sql_finding(out, false, name, "look whether it switches sql_log_bin off", "it is set: %.100s", value);
}

static enum error_code check_variables(struct session *session, struct db_findings *out, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_CHECK_VARIABLES, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result)))
        if (row[0] && row[1])
            check_variable(row[0], row[1], out);
    mysql_free_result(result);
    return ERR_OK;
}

/* How this start was first seen tells both settings, for who boots with read_only alone is not closed. */
static void check_boot(bool booted_writable, struct db_findings *out)
{
    if (booted_writable)
        sql_finding(out, true, "super_read_only", "[mysqld] super_read_only = ON and read_only = ON",
                    "the server boots writable: between its start and the agent's first look clients can "
                    "write to a node that is not the primary");
}

static enum error_code check_plugins(struct session *session, struct db_findings *out, struct error *err)
{
    static const struct {
        const char *name;
        const char *library;
        bool fatal;
        const char *problem;
    } plugins[] = {
        {"rpl_semi_sync_source", "semisync_source.so", true, "commits cannot wait for acknowledgements"},
        {"rpl_semi_sync_replica", "semisync_replica.so", true, "this node can acknowledge nothing"},
        {"clone", "mysql_clone.so", false, "this node can neither be rebuilt nor be a donor"},
    };
    bool seen[sizeof plugins / sizeof plugins[0]] = {false};
    char remedy[256];
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_CHECK_PLUGINS, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result)))
        for (size_t i = 0; i < sizeof plugins / sizeof plugins[0]; i++)
            seen[i] = seen[i] || (row[0] && strcasecmp(row[0], plugins[i].name) == 0);
    mysql_free_result(result);
    for (size_t i = 0; i < sizeof plugins / sizeof plugins[0]; i++) {
        if (seen[i])
            continue;
        snprintf(remedy, sizeof remedy,
                 "[mysqld] plugin_load_add = %s   (and a restart; INSTALL PLUGIN would write to a log)",
                 plugins[i].library);
        sql_finding(out, plugins[i].fatal, "plugins", remedy, "the plugin %s is not active: %s",
                    plugins[i].name, plugins[i].problem);
    }
    return ERR_OK;
}

/* ---- grants ---- */

static const struct privilege {
    const char *name;
    const char *what_for;
} privileges[] = {
    {"PROCESS", "to see sessions"},
    {"SHOW DATABASES", "to tell an empty server"},
    {"RELOAD", "to forget an old source"},
    {"REPLICATION CLIENT", "to see replication"},
    {"CREATE USER", "to lock the account of a node whose acknowledgements must not count"},
    {"REPLICATION_SLAVE_ADMIN", "to start and stop replication"},
    {"SYSTEM_VARIABLES_ADMIN", "to set read-only and the commit rule, and to write its probe without a log"},
    {"CONNECTION_ADMIN", "to end sessions, and to connect when all connections are taken"},
    {"SYSTEM_USER", "to end sessions of administrators"},
};

#define PRIVILEGES (sizeof privileges / sizeof privileges[0])

static enum error_code check_grants(struct adapter *adapter, struct session *session, struct db_findings *out,
                                    struct error *err)
{
    const char *user = adapter->settings->user;
    bool held[PRIVILEGES] = {false}, own_schema = false;
    char remedy[512];
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_CHECK_GRANTS, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result))) {
        for (size_t i = 0; row[0] && i < PRIVILEGES; i++)
            held[i] = held[i] || sql_granted(row[0], privileges[i].name);
        own_schema = own_schema || (row[0] && strstr(row[0], "GRANT ALL PRIVILEGES ON `mha4rdb`.* "));
    }
    mysql_free_result(result);
    for (size_t i = 0; i < PRIVILEGES; i++) {
        if (held[i])
            continue;
        snprintf(remedy, sizeof remedy, "SET sql_log_bin = 0; GRANT %s ON *.* TO `%.100s`@localhost;",
                 privileges[i].name, user);
        sql_finding(out, true, "grants", remedy, "the agent's account lacks %s, %s", privileges[i].name,
                    privileges[i].what_for);
    }
    if (!own_schema) {
        snprintf(remedy, sizeof remedy, "SET sql_log_bin = 0; GRANT ALL ON mha4rdb.* TO `%.100s`@localhost;",
                 user);
        sql_finding(out, true, "grants", remedy,
                    "the agent's account has no schema mha4rdb to write its epoch records in");
    }
    return ERR_OK;
}

/* ---- accounts ---- */

static void require_account(const char *user, const char *what_for, struct db_findings *out)
{
    char remedy[512];

    snprintf(remedy, sizeof remedy,
             "SET sql_log_bin = 0; CREATE USER `%.40s`@'%%' IDENTIFIED BY '...'; GRANT REPLICATION SLAVE, "
             "BACKUP_ADMIN ON *.* TO `%.40s`@'%%';   (on every server)",
             user, user);
    sql_finding(out, true, "replication_user", remedy,
                "no account %.80s with REPLICATION SLAVE and BACKUP_ADMIN (for CLONE) is seen: %s", user,
                what_for);
}

static enum error_code check_accounts(struct adapter *adapter, struct session *session,
                                      struct db_findings *out, struct error *err)
{
    const struct db_settings *settings = adapter->settings;
    bool own_seen = false, standby_seen = false;
    char own[DB_TEXT_BYTES], standby[DB_TEXT_BYTES], remedy[512];
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_CHECK_ACCOUNTS, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK || !result)
        return code;
    db_replication_user(settings, settings->node, own, sizeof own);
    db_replication_user(settings, DB_STANDBY_NAME, standby, sizeof standby);
    while ((row = mysql_fetch_row(result))) {
        const char *grantee = row[0] ? row[0] : "", *held = row[1] ? row[1] : "";
        bool replicates = strstr(held, "REPLICATION SLAVE") && strstr(held, "BACKUP_ADMIN");
        bool ours = sql_grantee_is(grantee, own) || sql_grantee_is(grantee, standby);
        own_seen = own_seen || (replicates && sql_grantee_is(grantee, own));
        standby_seen = standby_seen || (replicates && sql_grantee_is(grantee, standby));
        if ((!strstr(held, "SUPER") && !strstr(held, "CONNECTION_ADMIN")) ||
            sql_grantee_is(grantee, settings->user))
            continue;
        snprintf(remedy, sizeof remedy,
                 "REVOKE CONNECTION_ADMIN, SUPER ON *.* FROM %.200s;   or use it for administration only",
                 grantee);
        sql_finding(out, ours, "accounts", remedy,
                    "%.120s can write while only read_only is on (%.60s), and takes the connection that is "
                    "kept free for administrators",
                    grantee, held);
    }
    mysql_free_result(result);
    if (!own_seen)
        require_account(own, "this node could not replicate from a server with the same accounts", out);
    if (!standby_seen && db_accounts_per_node(settings))
        require_account(standby, "a node whose acknowledgements must not count could not replicate", out);
    return ERR_OK;
}

/* ---- before a switchover ---- */

/* Whoever holds writes up holds the switchover up too. */
static enum error_code check_locks(struct session *session, struct db_findings *out, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_STATES, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result)))
        if (row[0] && row[1] && strncmp(row[0], "Waiting for ", 12) == 0 && strstr(row[0], " lock"))
            sql_finding(out, false, "locks",
                        "SELECT * FROM performance_schema.metadata_locks WHERE LOCK_STATUS = 'GRANTED';   "
                        "end who holds it",
                        "%.20s sessions are held up: %.60s", row[1], row[0]);
    mysql_free_result(result);
    return ERR_OK;
}

static enum error_code check_switchover(struct adapter *adapter, struct session *session,
                                        struct db_findings *out, struct error *err)
{
    uint64_t closed;
    enum error_code code = session_ask_number(session, STATEMENT_CLOSED_ASK, NO_ARGUMENTS, &closed, err);

    if (code != ERR_OK)
        return code;
    if (!closed) {
        code = sql_check_transactions(adapter, session, out, err);
        return code == ERR_OK ? check_locks(session, out, err) : code;
    }
    code = sql_check_target(session, out, err);
    return code == ERR_OK ? check_grants(adapter, session, out, err) : code;
}

static enum error_code check_all(struct adapter *adapter, struct session *session,
                                 const struct check_request *request, struct db_findings *out,
                                 struct error *err)
{
    enum error_code code = check_variables(session, out, err);

    check_boot(request->booted_writable, out);
    if (code == ERR_OK)
        code = check_plugins(session, out, err);
    if (code == ERR_OK)
        code = check_grants(adapter, session, out, err);
    return code == ERR_OK ? check_accounts(adapter, session, out, err) : code;
}

enum error_code mysqld_check(struct adapter *adapter, struct adapter_call *call,
                             const struct check_request *request, struct db_findings *out, struct error *err)
{
    struct session *session;
    enum error_code code = sql_ops(adapter, &session, err);

    memset(out, 0, sizeof *out);
    if (code == ERR_OK)
        code = request->switchover ? check_switchover(adapter, session, out, err)
                                   : check_all(adapter, session, request, out, err);
    if (code == ERR_OK)
        code = sql_stopped(call, err);
    if (code == ERR_OK && !request->switchover)
        sql_check_replication_login(adapter, request, out);
    return code;
}
