/* The preflight: what in the server's settings and grants stands in the way of the promise, each with its
 * remedy. And what stands in the way of a switchover at this moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/mariadb.h"

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
    {"log_slave_updates", "ON", true,
     "a replica that becomes the primary would lack what it applied in its own log",
     "[mysqld] log_slave_updates = 1   (and a restart)"},
    {"sync_binlog", "1", true, "an acknowledged write can vanish from the binary log in a power cut",
     "SET GLOBAL sync_binlog = 1;   and in my.cnf: sync_binlog = 1"},
    {"innodb_flush_log_at_trx_commit", "1", true,
     "an acknowledged write can vanish from InnoDB in a power cut",
     "SET GLOBAL innodb_flush_log_at_trx_commit = 1;   and in my.cnf: innodb_flush_log_at_trx_commit = 1"},
    {"innodb_doublewrite", "ON", false, "a torn page after a power cut cannot be repaired",
     "[mysqld] innodb_doublewrite = 1   (and a restart)"},
    {"gtid_strict_mode", "ON", false,
     "a diverged replica would connect without complaint; the agent switches it on where it replicates",
     "SET GLOBAL gtid_strict_mode = 1;   and in my.cnf: gtid_strict_mode = 1"},
    {"rpl_semi_sync_master_wait_point", "AFTER_SYNC", false,
     "clients could read what no replica has; the agent sets it, but a restart forgets that",
     "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC;   and in my.cnf: "
     "rpl_semi_sync_master_wait_point = AFTER_SYNC"},
    {"skip_slave_start", "ON", true,
     "replication starts by itself at boot, from a source that may be an old primary",
     "[mysqld] skip_slave_start   (and a restart)"},
    {"binlog_format", "ROW", false, "statements can give other results on a replica",
     "SET GLOBAL binlog_format = ROW;   and in my.cnf: binlog_format = ROW"},
};

static void check_variable(const char *name, const char *value, struct db_findings *out)
{
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (strcasecmp(name, wanted[i].name) == 0 && strcasecmp(value, wanted[i].value) != 0 &&
            !(strcmp(wanted[i].value, "ON") == 0 && strcmp(value, "1") == 0))
            sql_finding(out, wanted[i].fatal, wanted[i].name, wanted[i].remedy, "it is %.60s: %s", value,
                        wanted[i].problem);
    if (strcasecmp(name, "slave_net_timeout") == 0 && strtoul(value, NULL, 10) > 60)
        sql_finding(
            out, false, name, "SET GLOBAL slave_net_timeout = 4;   and in my.cnf: slave_net_timeout = 4",
            "it is %.20s s: a silently lost source is noticed late; the agent sets 4 where it replicates",
            value);
    if (strcasecmp(name, "server_id") == 0)
        out->server_id = mariadb_own_number((uint32_t)strtoull(value, NULL, 10));
    if (strcasecmp(name, "server_id") == 0 && out->server_id > MARIADB_SERVER_ID_MAX)
        sql_finding(out, true, name, "[mysqld] server_id = N   (from 2 to 131071, and a restart)",
                    "it is %.20s: too large for a node that is to stand by", value);
    if (strcasecmp(name, "server_id") == 0 && out->server_id <= 1)
        sql_finding(out, strcmp(value, "0") == 0, name,
                    "[mysqld] server_id = N   (another N on every server, and a restart)",
                    "it is %.20s, the default: every server needs its own", value);
    if (strcasecmp(name, "wsrep_on") == 0 && sql_truth(value))
        sql_finding(out, true, name, "[mysqld] wsrep_on = 0   (and a restart)",
                    "Galera replicates here already: its writes wait for no acknowledgement");
    if (strncasecmp(name, "replicate_", 10) == 0 && value[0])
        sql_finding(out, true, name, "take it out of my.cnf   (and a restart)",
                    "it is %.60s: this node would acknowledge what it does not keep", value);
    if (strcasecmp(name, "slave_parallel_mode") == 0 && strcasecmp(value, "minimal") == 0)
        sql_finding(out, false, name, "[mysqld] slave_parallel_mode = optimistic   (and a restart)",
                    "it is %.20s: a replica applies one transaction after the other, and what it has not "
                    "applied yet is part of the outage",
                    value);
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

static enum error_code ask_origin(struct session *session, const char *variable, char *out, size_t size,
                                  struct error *err)
{
    return session_ask_text(session, STATEMENT_CHECK_ORIGINS, ARGUMENTS(variable), out, size, err);
}

/* What a start brings: boots it read-only, and does a start to follow cut the tail? Once the agent has set
 * either the origin is SQL; for the former what counts then is how this start was first seen, the latter
 * cannot be told. */
static enum error_code check_boot(struct session *session, bool booted_writable, struct db_findings *out,
                                  struct error *err)
{
    char origin[64];
    enum error_code code = ask_origin(session, "READ_ONLY", origin, sizeof origin, err);

    if (code == ERR_OK && (booted_writable || strcmp(origin, "COMPILE-TIME") == 0))
        sql_finding(
            out, true, "read_only", "[mysqld] read_only = 1",
            "the server boots writable: between its start and the agent's first look clients can write "
            "to a node that is not the primary");
    if (code == ERR_OK)
        code = ask_origin(session, "RPL_SEMI_SYNC_SLAVE_ENABLED", origin, sizeof origin, err);
    if (code == ERR_OK && strcmp(origin, "COMPILE-TIME") == 0)
        sql_finding(
            out, false, "rpl_semi_sync_slave_enabled", "[mysqld] rpl_semi_sync_slave_enabled = 1",
            "it is not in the server's configuration: a start that is to follow does not cut back what was "
            "never acknowledged, unless its command says so too");
    return code;
}

/* ---- grants ---- */

/* Each by its names in SHOW GRANTS, of whatever version. */
static const struct privilege {
    const char *names[2];
    const char *what_for;
} privileges[] = {
    {{"PROCESS", NULL}, "to see sessions"},
    {{"SHOW DATABASES", NULL}, "to tell an empty server"},
    {{"BINLOG MONITOR", "REPLICATION CLIENT"}, "to read positions"},
    {{"BINLOG ADMIN", NULL}, "to write its probe without logging it"},
    {{"CONNECTION ADMIN", NULL}, "to end sessions, and to connect when all connections are taken"},
    {{"READ_ONLY ADMIN", "READ ONLY ADMIN"}, "to switch read_only and to write the epoch record"},
    {{"REPLICATION MASTER ADMIN", NULL}, "to set the commit rule"},
    {{"REPLICATION SLAVE ADMIN", "REPLICATION REPLICA ADMIN"}, "to start and stop replication"},
    {{"SLAVE MONITOR", "REPLICA MONITOR"}, "to see replication"},
    {{"CREATE USER", NULL}, "to lock the account of a node whose acknowledgements must not count"},
};

static void judge_grants(struct adapter *adapter, const char *global, bool own_schema,
                         struct db_findings *out)
{
    const char *user = adapter->settings->user;
    char remedy[512];

    for (size_t i = 0; i < sizeof privileges / sizeof privileges[0]; i++) {
        const struct privilege *privilege = &privileges[i];
        if (strcmp(privilege->names[0], "CREATE USER") == 0 && !db_accounts_per_node(adapter->settings))
            continue;
        if (sql_granted(global, "ALL PRIVILEGES") || sql_granted(global, privilege->names[0]) ||
            (privilege->names[1] && sql_granted(global, privilege->names[1])))
            continue;
        snprintf(remedy, sizeof remedy, "SET sql_log_bin = 0; GRANT %s ON *.* TO `%.100s`@localhost;",
                 privilege->names[0], user);
        sql_finding(out, true, "grants", remedy, "the agent's account lacks %s, %s", privilege->names[0],
                    privilege->what_for);
    }
    if (!own_schema && !sql_granted(global, "ALL PRIVILEGES")) {
        snprintf(remedy, sizeof remedy, "SET sql_log_bin = 0; GRANT ALL ON mha4rdb.* TO `%.100s`@localhost;",
                 user);
        sql_finding(out, true, "grants", remedy,
                    "the agent's account has no schema mha4rdb to write its epoch records in");
    }
}

static enum error_code check_grants(struct adapter *adapter, struct session *session, struct db_findings *out,
                                    struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    char global[2048] = "";
    bool own_schema = false;
    enum error_code code = session_ask(session, STATEMENT_CHECK_GRANTS, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result))) {
        if (row[0] && strstr(row[0], " ON *.* "))
            snprintf(global, sizeof global, "%s", row[0]);
        if (row[0] && strncmp(row[0], "GRANT ALL PRIVILEGES ON `mha4rdb`.*", 35) == 0)
            own_schema = true;
    }
    mysql_free_result(result);
    judge_grants(adapter, global, own_schema, out);
    return ERR_OK;
}

/* An account that can write though read_only is on. */
static bool may_write_always(const char *held)
{
    return strstr(held, "SUPER") || strstr(held, "READ_ONLY ADMIN") || strstr(held, "READ ONLY ADMIN");
}

static void require_account(const char *user, const char *what_for, struct db_findings *out)
{
    char remedy[512];

    snprintf(
        remedy, sizeof remedy,
        "SET sql_log_bin = 0; CREATE USER `%.80s`@'%%' IDENTIFIED BY '...'; GRANT REPLICATION SLAVE ON *.* "
        "TO `%.80s`@'%%';   (on every server; needs SELECT on mysql.* to be seen by the agent's account)",
        user, user);
    sql_finding(out, true, "replication_user", remedy, "no account %.80s with REPLICATION SLAVE is seen: %s",
                user, what_for);
}

static void name_privileged(const char *grantee, const char *held, bool ours, struct db_findings *out)
{
    char remedy[512];

    snprintf(remedy, sizeof remedy,
             "REVOKE READ ONLY ADMIN, SUPER ON *.* FROM %.200s;   or use it for administration only",
             grantee);
    sql_finding(
        out, ours, "accounts", remedy,
        "%.120s can write though read_only is on (%.60s): its sessions are ended by a fence, and whenever it "
        "has written to a closed server",
        grantee, held);
}

/* `all`: those that can write on a closed server, too. */
static enum error_code check_accounts(struct adapter *adapter, struct session *session, bool all,
                                      struct db_findings *out, struct error *err)
{
    const struct db_settings *settings = adapter->settings;
    bool own_seen = false, standby_seen = false;
    char own[DB_TEXT_BYTES], standby[DB_TEXT_BYTES];
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_CHECK_ACCOUNTS, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK || !result)
        return code;
    db_replication_user(settings, settings->node, own, sizeof own);
    db_replication_user(settings, DB_STANDBY_NAME, standby, sizeof standby);
    while ((row = mysql_fetch_row(result))) {
        const char *grantee = row[0] ? row[0] : "", *held = row[1] ? row[1] : "";
        bool replicates = strstr(held, "REPLICATION SLAVE") != NULL;
        bool ours = sql_grantee_is(grantee, own) || sql_grantee_is(grantee, standby);
        own_seen = own_seen || (replicates && sql_grantee_is(grantee, own));
        standby_seen = standby_seen || (replicates && sql_grantee_is(grantee, standby));
        if (all && may_write_always(held) && !sql_grantee_is(grantee, settings->user))
            name_privileged(grantee, held, ours, out);
    }
    mysql_free_result(result);
    if (!own_seen)
        require_account(own, "this node could not replicate from a server with the same accounts", out);
    if (!standby_seen && db_accounts_per_node(settings))
        require_account(standby, "a node whose acknowledgements must not count could not replicate", out);
    return ERR_OK;
}

/* The agent locks and unlocks the nodes' accounts as it needs to; that of those who stand by never. */
static enum error_code check_standby_lock(struct adapter *adapter, struct session *session,
                                          struct db_findings *out, struct error *err)
{
    char standby[DB_TEXT_BYTES], remedy[512];
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code;

    if (!db_accounts_per_node(adapter->settings))
        return ERR_OK;
    db_replication_user(adapter->settings, DB_STANDBY_NAME, standby, sizeof standby);
    code = session_ask(session, STATEMENT_REPLICATION_ACCOUNTS, ARGUMENTS(standby), &result, err);
    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result))) {
        if (!row[0] || strcmp(row[0], standby) != 0 || !sql_truth(row[2]))
            continue;
        snprintf(remedy, sizeof remedy,
                 "SET sql_log_bin = 0; ALTER USER `%.100s`@`%.100s` ACCOUNT UNLOCK;   (on every server)",
                 standby, row[1] ? row[1] : "%");
        sql_finding(out, true, "replication_user", remedy,
                    "the account %.80s is locked: who stands by cannot replicate from here", standby);
    }
    mysql_free_result(result);
    return ERR_OK;
}

/* ---- before a switchover ---- */

static enum error_code check_privileged_sessions(struct adapter *adapter, struct session *session,
                                                 struct db_findings *out, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    char remedy[64];
    enum error_code code =
        session_ask(session, STATEMENT_PRIVILEGED_SESSIONS, ARGUMENTS(adapter->settings->user), &result, err);

    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result))) {
        if (!row[0] || !row[1] || !row[2])
            continue;
        snprintf(remedy, sizeof remedy, "KILL %.20s;   or end it there", row[0]);
        sql_finding(out, false, "sessions", remedy,
                    "connection %s of %.60s@%.60s can write though read_only is on: a switchover ends it",
                    row[0], row[1], row[2]);
    }
    mysql_free_result(result);
    return ERR_OK;
}

/* The probe's own write: it is refused at once where a lock holds writes up. */
static enum error_code check_locks(struct session *session, struct db_findings *out, struct error *err)
{
    enum error_code code = session_run(session, STATEMENT_PROBE_WRITE, ARGUMENTS("0"), err);

    if (code == ERR_TIMEOUT) {
        sql_finding(
            out, true, "locks",
            "SHOW FULL PROCESSLIST;   end the backup, or who holds FLUSH TABLES WITH READ LOCK or a lock on "
            "mha4rdb.probe",
            "a lock holds writes up (a backup, FLUSH TABLES WITH READ LOCK?)");
        return ERR_OK;
    }
    return code == ERR_REFUSED && sql_table_missing(session) ? ERR_OK : code;
}

static enum error_code check_waiting(struct session *session, struct db_findings *out, struct error *err)
{
    uint64_t waiting;
    enum error_code code = session_ask_number(session, STATEMENT_WAITING_ASK, NO_ARGUMENTS, &waiting, err);

    if (code == ERR_OK && waiting)
        sql_finding(out, false, "commits", "mhactl status",
                    "commits wait for an acknowledgement of a replica: a switchover waits for them");
    return code;
}

static enum error_code check_source(struct adapter *adapter, struct session *session, struct db_findings *out,
                                    struct error *err)
{
    enum error_code code = sql_check_transactions(adapter, session, out, err);

    if (code == ERR_OK)
        code = check_locks(session, out, err);
    if (code == ERR_OK)
        code = check_waiting(session, out, err);
    return code == ERR_OK ? check_privileged_sessions(adapter, session, out, err) : code;
}

static enum error_code check_switchover(struct adapter *adapter, struct session *session,
                                        struct db_findings *out, struct error *err)
{
    bool read_only;
    enum error_code code = sql_is_read_only(session, &read_only, err);

    if (code != ERR_OK || !read_only)
        return code == ERR_OK ? check_source(adapter, session, out, err) : code;
    code = sql_check_target(session, out, err);
    if (code == ERR_OK)
        code = check_grants(adapter, session, out, err);
    if (code == ERR_OK)
        code = check_accounts(adapter, session, false, out, err);
    return code == ERR_OK ? check_standby_lock(adapter, session, out, err) : code;
}

static enum error_code check_all(struct adapter *adapter, struct session *session,
                                 const struct check_request *request, struct db_findings *out,
                                 struct error *err)
{
    enum error_code code = check_variables(session, out, err);

    if (code == ERR_OK)
        code = check_boot(session, request->booted_writable, out, err);
    if (code == ERR_OK)
        code = check_grants(adapter, session, out, err);
    if (code == ERR_OK)
        code = check_accounts(adapter, session, true, out, err);
    return code == ERR_OK ? check_standby_lock(adapter, session, out, err) : code;
}

enum error_code mariadb_check(struct adapter *adapter, struct adapter_call *call,
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
