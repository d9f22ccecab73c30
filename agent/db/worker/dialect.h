/* dialect.h - the text of every statement that the worker sends, to whichever server, in one table.
 *
 * A text has places for arguments: $1..$9 are put in as they are (numbers, positions, identifiers made here),
 * ?1..?9 are escaped and quoted by the session that sends it. A statement that was spelt differently in an
 * older server has one row per spelling, each with the first version that understands it. */
#ifndef MHA_DB_WORKER_DIALECT_H
#define MHA_DB_WORKER_DIALECT_H

#define DIALECT_ARGUMENTS_MAX 9

enum dialect_kind { DIALECT_MARIADB, DIALECT_MYSQL };

struct dialect {
    enum dialect_kind kind;
    unsigned long version; /* 10.11.4 = 101104 */
};

/* The oldest servers that are understood. */
#define DIALECT_MARIADB_LEAST 100600
#define DIALECT_MYSQL_LEAST 80026

enum statement {
    /* session */
    STATEMENT_SESSION_SETUP,
    /* looking */
    STATEMENT_VARIABLES,
    STATEMENT_SEMI_SYNC_STATUS,
    STATEMENT_REPLICA_STATUS,
    STATEMENT_WRITTEN_EPOCH,
    STATEMENT_USER_SCHEMAS,
    STATEMENT_START_ROLE,
    STATEMENT_PROBE_WRITE,
    STATEMENT_LOG_POSITION,
    STATEMENT_LOG_STATUS,
    STATEMENT_SERVER_ID,
    STATEMENT_TELL,
    STATEMENT_DOUBT,
    /* sessions of others */
    STATEMENT_SESSIONS,
    STATEMENT_KILL,
    STATEMENT_KILL_USER,
    STATEMENT_PRIVILEGED_SESSIONS,
    STATEMENT_LONGEST,
    /* writability */
    STATEMENT_READ_ONLY_ON,
    STATEMENT_READ_ONLY_OFF,
    STATEMENT_READ_ONLY_ASK,
    /* commit rule */
    STATEMENT_RULE_ASK,
    STATEMENT_SEMI_SYNC_OFF,
    STATEMENT_SEMI_SYNC_ON,
    STATEMENT_WAITING_ASK,
    STATEMENT_SENDERS_STUCK,
    STATEMENT_RULE_TIMEOUT,
    STATEMENT_RULE_WAIT_ALONE,
    STATEMENT_RULE_WAIT_POINT,
    /* who may acknowledge */
    STATEMENT_REPLICATION_ACCOUNTS,
    STATEMENT_ACCOUNT_LOCK,
    STATEMENT_ACCOUNT_UNLOCK,
    STATEMENT_SESSIONS_OF,
    /* replica */
    STATEMENT_RECEIVER_ID,
    STATEMENT_RECEIVER_STOP,
    STATEMENT_APPLIER_START,
    STATEMENT_REPLICA_STOP,
    STATEMENT_REPLICA_START,
    STATEMENT_REPLICA_FORGET,
    STATEMENT_ACKNOWLEDGE_ON,
    STATEMENT_ACKNOWLEDGE_OFF,
    STATEMENT_STRICT_ON,
    STATEMENT_NET_TIMEOUT,
    STATEMENT_DIAL_TIMEOUT,
    STATEMENT_WAIT_APPLIED,
    STATEMENT_POSITIONS,
    STATEMENT_SET_APPLIED,
    STATEMENT_FOLLOW,
    /* primary */
    STATEMENT_SCHEMA_EXISTS,
    STATEMENT_CREATE_SCHEMA,
    STATEMENT_CREATE_EPOCH,
    STATEMENT_CREATE_PROBE,
    STATEMENT_EPOCH_WRITE,
    STATEMENT_LAST_GTID,
    /* preflight */
    STATEMENT_CHECK_VARIABLES,
    STATEMENT_CHECK_ORIGINS,
    STATEMENT_CHECK_GRANTS,
    STATEMENT_CHECK_ACCOUNTS,
    STATEMENT_COUNT,
};

/* NULL: this kind of server has no such statement. */
const char *dialect_text(enum statement statement, struct dialect dialect);

#endif
