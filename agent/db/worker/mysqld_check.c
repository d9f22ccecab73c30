/* What the preflight looks at on MySQL, beside what sql_check.c looks at everywhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/mysqld.h"

/* ---- variables and start ---- */

static const struct sql_wanted wanted[] = {
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
    {NULL, NULL, false, NULL, NULL},
};

static void check_variable(const char *name, const char *value, struct db_findings *out)
{
    if (strcasecmp(name, "server_id") == 0)
        out->server_id = strtoull(value, NULL, 10);
    if (strcasecmp(name, "sync_relay_log") == 0 && strcmp(value, "1") != 0 &&
        strcmp(value, MYSQLD_SYNC_STANDING_BY) != 0)
        sql_finding(out, false, name, "SET PERSIST sync_relay_log = 1;",
                    "it is %.60s: nobody can tell after a restart whether what this node has acknowledged "
                    "outlived it: it counts only with what it has applied then",
                    value);
}

static const struct plugin {
    const char *name;
    const char *library;
    bool fatal;
    const char *problem;
} plugins[] = {
    {"rpl_semi_sync_source", "semisync_source.so", true, "commits cannot wait for acknowledgements"},
    {"rpl_semi_sync_replica", "semisync_replica.so", true, "this node can acknowledge nothing"},
    {"clone", "mysql_clone.so", false, "this node can neither be rebuilt nor be a donor"},
};

#define PLUGINS (sizeof plugins / sizeof plugins[0])

static void note_plugin(void *context, MYSQL_ROW row)
{
    bool *seen = context;

    for (size_t i = 0; row[0] && i < PLUGINS; i++)
        seen[i] = seen[i] || strcasecmp(row[0], plugins[i].name) == 0;
}

static enum error_code check_plugins(struct session *session, struct db_findings *out, struct error *err)
{
    bool seen[PLUGINS] = {false};
    char remedy[256];
    enum error_code code =
        session_ask_rows(session, STATEMENT_CHECK_PLUGINS, NO_ARGUMENTS, note_plugin, seen, err);

    for (size_t i = 0; code == ERR_OK && i < PLUGINS; i++) {
        if (seen[i])
            continue;
        snprintf(remedy, sizeof remedy,
                 "[mysqld] plugin_load_add = %s   (and a restart; INSTALL PLUGIN would write to a log)",
                 plugins[i].library);
        sql_finding(out, plugins[i].fatal, "plugins", remedy, "the plugin %s is not active: %s",
                    plugins[i].name, plugins[i].problem);
    }
    return code;
}

static void note_row(void *context, MYSQL_ROW row)
{
    bool *seen = context;

    *seen = row[0] != NULL;
}

/* Told only where it is certain. An account that may not see the server's log is no error here. */
static enum error_code check_own_events(struct session *session, struct db_findings *out, struct error *err)
{
    bool skipped = false;
    enum error_code code =
        session_ask_rows(session, STATEMENT_CHECK_OWN_EVENTS, NO_ARGUMENTS, note_row, &skipped, err);

    if (code == ERR_OK && skipped)
        sql_finding(
            out, false, "replicate_same_server_id",
            "[mysqld] replicate_same_server_id = ON   (and a restart)",
            "as a replica this server drops what it wrote itself: made anew from a replica that lags, "
            "it would never get that back");
    return code == ERR_REFUSED ? ERR_OK : code;
}

/* How this start was first seen tells both settings, for who boots with read_only alone is not closed. */
static enum error_code check_start(struct session *session, bool booted_writable, struct db_findings *out,
                                   struct error *err)
{
    enum error_code code;

    if (booted_writable)
        sql_finding(out, true, "super_read_only", "[mysqld] super_read_only = ON and read_only = ON",
                    "the server boots writable: between its start and the agent's first look clients can "
                    "write to a node that is not the primary");
    code = check_own_events(session, out, err);
    return code == ERR_OK ? check_plugins(session, out, err) : code;
}

/* ---- rights ---- */

static const struct sql_right rights[] = {
    {{"PROCESS"}, "to see sessions", FOR_ALL},
    {{"SHOW DATABASES"}, "to tell an empty server", FOR_ALL},
    {{"RELOAD"}, "to forget an old source", FOR_ALL},
    {{"REPLICATION CLIENT"}, "to see replication", FOR_ALL},
    {{"CREATE USER"}, "to lock the account of a node whose acknowledgements must not count", FOR_ALL},
    {{"REPLICATION_SLAVE_ADMIN"}, "to start and stop replication", FOR_ALL},
    {{"SYSTEM_VARIABLES_ADMIN"},
     "to set read-only and the commit rule, and to write its probe without a log",
     FOR_ALL},
    {{"CONNECTION_ADMIN"}, "to end sessions, and to connect when all connections are taken", FOR_ALL},
    {{"SYSTEM_USER"}, "to end sessions of administrators", FOR_ALL},
    {{"CLONE_ADMIN"}, "to be rebuilt: CLONE would be refused", FOR_REBUILDS},
    {{NULL}, NULL, FOR_ALL},
};

/* ---- before a switchover ---- */

static void name_lock(void *context, MYSQL_ROW row)
{
    if (row[0] && row[1] && strncmp(row[0], "Waiting for ", 12) == 0 && strstr(row[0], " lock"))
        sql_finding(context, false, "locks",
                    "SELECT * FROM performance_schema.metadata_locks WHERE LOCK_STATUS = 'GRANTED';   "
                    "end who holds it",
                    "%.20s sessions are held up: %.60s", row[1], row[0]);
}

/* Whoever else holds writes up holds the switchover up too. */
static enum error_code check_source(struct adapter *adapter, struct session *session, struct db_findings *out,
                                    struct error *err)
{
    (void)adapter;
    if (out->count && strcmp(out->items[out->count - 1].subject, "locks") == 0)
        return ERR_OK; /* they wait for a backup that is named */
    return session_ask_rows(session, STATEMENT_STATES, NO_ARGUMENTS, name_lock, out, err);
}

const struct sql_check mysqld_check = {
    .wanted = wanted,
    .net_timeout = "replica_net_timeout",
    .net_timeout_remedy = "SET PERSIST replica_net_timeout = 4;",
    .variable = check_variable,
    .start = check_start,
    /* which super_read_only refuses, to everybody (tried on 9.7); the agent switches it on again */
    .for_accounts = "SET GLOBAL super_read_only = 0; SET sql_log_bin = 0;",
    .rights = rights,
    .replica_right = "REPLICATION SLAVE",
    .donor_right = "BACKUP_ADMIN",
    .replica_remedy = "on every server",
    .writers_rights = {"SUPER", "CONNECTION_ADMIN"},
    .writers_revoked = "CONNECTION_ADMIN, SUPER",
    .writers_problem = "can write while only read_only is on, and takes the connection that is kept free for "
                       "administrators",
    .source = check_source,
};
