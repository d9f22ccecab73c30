/* What the preflight looks at on MariaDB, beside what sql_check.c looks at everywhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/db/worker/mariadb.h"

/* ---- variables and start ---- */

static const struct sql_wanted wanted[] = {
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
    {NULL, NULL, false, NULL, NULL},
};

static void check_variable(const char *name, const char *value, struct db_findings *out)
{
    if (strcasecmp(name, "server_id") == 0)
        out->server_id = mariadb_own_number((uint32_t)strtoull(value, NULL, 10));
    if (strcasecmp(name, "server_id") == 0 && out->server_id > MARIADB_SERVER_ID_MAX)
        sql_finding(out, true, name, "[mysqld] server_id = N   (from 2 to 131071, and a restart)",
                    "it is %.20s: too large for a node that is to stand by", value);
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
}

/* Where a file system begins, mkfs and fsck put a folder that only root may look into. */
static enum error_code check_folder(struct session *session, struct db_findings *out, struct error *err)
{
    char data[DB_PATH_BYTES], lost[DB_PATH_BYTES + 16], remedy[2 * DB_PATH_BYTES + 64];
    struct stat folder, found;
    enum error_code code =
        session_ask_text(session, STATEMENT_DATA_FOLDER, NO_ARGUMENTS, data, sizeof data, err);

    snprintf(lost, sizeof lost, "%slost+found", data); /* datadir ends with a slash */
    if (code != ERR_OK || stat(data, &folder) != 0 || stat(lost, &found) != 0 ||
        folder.st_uid == found.st_uid || (found.st_mode & S_IROTH))
        return code;
    snprintf(remedy, sizeof remedy, "chown --reference=%s %s", data, lost);
    sql_finding(out, false, "datadir", remedy,
                "mariabackup may not look into %s, and ends there: this node can give no copy of its "
                "database for a rebuild",
                lost);
    return code;
}

static enum error_code ask_origin(struct session *session, const char *variable, char *out, size_t size,
                                  struct error *err)
{
    return session_ask_text(session, STATEMENT_CHECK_ORIGINS, ARGUMENTS(variable), out, size, err);
}

/* What a start brings: boots it read-only, and does a start to follow cut the tail? Once the agent has set
 * either the origin is SQL; for the former what counts then is how this start was first seen, the latter
 * cannot be told. */
static enum error_code check_start(struct session *session, bool booted_writable, struct db_findings *out,
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
    return code == ERR_OK ? check_folder(session, out, err) : code;
}

static const struct sql_right rights[] = {
    {{"PROCESS"}, "to see sessions", FOR_ALL},
    {{"SHOW DATABASES"}, "to tell an empty server", FOR_ALL},
    {{"BINLOG MONITOR", "REPLICATION CLIENT"}, "to read positions", FOR_ALL},
    {{"BINLOG ADMIN"}, "to write its probe without logging it", FOR_ALL},
    {{"CONNECTION ADMIN"}, "to end sessions, and to connect when all connections are taken", FOR_ALL},
    {{"READ_ONLY ADMIN", "READ ONLY ADMIN"}, "to switch read_only and to write the epoch record", FOR_ALL},
    {{"REPLICATION MASTER ADMIN"}, "to set the commit rule", FOR_ALL},
    {{"REPLICATION SLAVE ADMIN", "REPLICATION REPLICA ADMIN"}, "to start and stop replication", FOR_ALL},
    {{"SLAVE MONITOR", "REPLICA MONITOR"}, "to see replication", FOR_ALL},
    {{"CREATE USER"},
     "to lock the account of a node whose acknowledgements must not count",
     FOR_NODES_ACCOUNTS},
    {{NULL}, NULL, FOR_ALL},
};

/* ---- before a switchover ---- */

static enum error_code check_waiting(struct session *session, struct db_findings *out, struct error *err)
{
    uint64_t waiting;
    enum error_code code = session_ask_number(session, STATEMENT_WAITING_ASK, NO_ARGUMENTS, &waiting, err);

    if (code == ERR_OK && waiting)
        sql_finding(out, false, "commits", "mhactl status",
                    "commits wait for an acknowledgement of a replica: a switchover waits for them");
    return code;
}

static void name_session(void *context, MYSQL_ROW row)
{
    char remedy[64];

    if (!row[0] || !row[1] || !row[2])
        return;
    snprintf(remedy, sizeof remedy, "KILL %.20s;   or end it there", row[0]);
    sql_finding(context, false, "sessions", remedy,
                "connection %s of %.60s@%.60s can write though read_only is on: a switchover ends it", row[0],
                row[1], row[2]);
}

static enum error_code check_source(struct adapter *adapter, struct session *session, struct db_findings *out,
                                    struct error *err)
{
    enum error_code code = check_waiting(session, out, err);

    return code == ERR_OK ? session_ask_rows(session, STATEMENT_PRIVILEGED_SESSIONS,
                                             ARGUMENTS(adapter->settings->user), name_session, out, err)
                          : code;
}

const struct sql_check mariadb_check = {
    .wanted = wanted,
    .net_timeout = "slave_net_timeout",
    .net_timeout_remedy = "SET GLOBAL slave_net_timeout = 4;   and in my.cnf: slave_net_timeout = 4",
    .variable = check_variable,
    .start = check_start,
    .for_accounts = "SET sql_log_bin = 0;",
    .rights = rights,
    .replica_right = "REPLICATION SLAVE",
    .replica_remedy = "on every server; needs SELECT on mysql.* to be seen by the agent's account",
    .writers_rights = {"SUPER", "READ_ONLY ADMIN", "READ ONLY ADMIN"},
    .writers_revoked = "READ ONLY ADMIN, SUPER",
    .writers_problem = "can write though read_only is on: its sessions are ended by a fence, and whenever it "
                       "has written to a closed server",
    .source = check_source,
};
