#include "agent/db/worker/dialect.h"

#include <stddef.h>

struct row {
    enum statement statement;
    enum dialect_kind kind;
    unsigned long since; /* the first version that understands it */
    const char *text;
};

/* which server, since when */
#define MARIADB DIALECT_MARIADB, 0
#define MYSQL DIALECT_MYSQL, 0

static const struct row rows[] = {
    /* Our own sessions: no limits of a global default, no reconnect after a night, nothing that waits for a
       metadata lock for ever. */
    {STATEMENT_SESSION_SETUP, MARIADB,
     "SET SESSION wait_timeout = 31536000, net_read_timeout = 60, net_write_timeout = 60, lock_wait_timeout "
     "= 10, "
     "innodb_lock_wait_timeout = 5, max_statement_time = 0, autocommit = 1, sql_mode = ''"},

    {STATEMENT_VARIABLES, MARIADB,
     "SELECT @@global.version AS version, @@global.read_only AS read_only, @@global.gtid_binlog_state AS "
     "binlog_state, "
     "@@global.gtid_slave_pos AS slave_pos, @@global.rpl_semi_sync_master_enabled AS master_enabled, "
     "@@global.rpl_semi_sync_master_timeout AS master_timeout, "
     "@@global.rpl_semi_sync_master_wait_no_slave AS wait_alone, @@global.rpl_semi_sync_master_wait_point AS "
     "wait_point, "
     "@@global.rpl_semi_sync_slave_enabled AS slave_enabled, @@global.log_bin AS log_bin, @@global.server_id "
     "AS "
     "server_id"},
    {STATEMENT_SEMI_SYNC_STATUS, MARIADB,
     "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_master_status', "
     "'Rpl_semi_sync_master_wait_sessions', 'Rpl_semi_sync_master_clients', 'Rpl_semi_sync_slave_status', "
     "'Rpl_semi_sync_slave_send_ack')"},
    {STATEMENT_REPLICA_STATUS, MARIADB, "SHOW SLAVE STATUS"},
    {STATEMENT_WRITTEN_EPOCH, MARIADB, "SELECT COALESCE(MAX(epoch), 0) FROM mha4rdb.epoch"},
    {STATEMENT_USER_SCHEMAS, MARIADB,
     "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN "
     "('information_schema', 'mysql', 'performance_schema', 'sys', 'mha4rdb', 'test', "
     "'#mysql50#lost+found')"},
    {STATEMENT_START_ROLE, MARIADB, "SHOW GLOBAL STATUS LIKE 'Rpl_status'"},
    /* A lock held by somebody (FLUSH TABLES WITH READ LOCK, a backup) is no hang: it is refused at once with
       1205. */
    {STATEMENT_PROBE_WRITE, MARIADB,
     "SET STATEMENT lock_wait_timeout = 0, innodb_lock_wait_timeout = 0, sql_log_bin = 0 FOR "
     "INSERT INTO mha4rdb.probe (id, written_us) VALUES (1, $1) ON DUPLICATE KEY UPDATE written_us = "
     "VALUES(written_us)"},

    /* Takes the lock under which the log is written. */
    {STATEMENT_LOG_STATUS, MARIADB, "SHOW MASTER STATUS"},
    {STATEMENT_LOG_EVENT, MARIADB, "SHOW BINLOG EVENTS IN ?1 FROM $2 LIMIT 1"},
    {STATEMENT_SERVER_ID, MARIADB, "SELECT @@global.server_id"},
    {STATEMENT_SET_SERVER_ID, MARIADB, "SET GLOBAL server_id = $1"},
    /* A heartbeat each 20 ms: so the source soon sees that the connection was closed. */
    {STATEMENT_TELL, MARIADB,
     "SET @rpl_semi_sync_slave = 1, @master_binlog_checksum = @@global.binlog_checksum, "
     "@mariadb_slave_capability = 4, @master_heartbeat_period = 20000000"},
    {STATEMENT_LOG_FOLDER, MARIADB, "SELECT @@global.log_bin_basename"},
    {STATEMENT_DATA_FOLDER, MARIADB, "SELECT @@global.datadir"},
    {STATEMENT_DOUBT, MARIADB,
     "SELECT COALESCE(SUM(STATE = 'Waiting for someone to free space'), 0), COALESCE(SUM(STATE = 'Commit'), "
     "0) "
     "FROM information_schema.PROCESSLIST"},

    {STATEMENT_SESSIONS, MARIADB,
     "SELECT ID, USER, COMMAND, COALESCE(STATE, '') FROM information_schema.PROCESSLIST "
     "WHERE USER NOT IN ('system user', 'event_scheduler') AND COMMAND NOT IN ('Binlog Dump', 'Daemon')"},
    {STATEMENT_KILL, MARIADB, "KILL HARD CONNECTION $1"},
    {STATEMENT_PRIVILEGED_SESSIONS, MARIADB,
     "SELECT ID, USER, HOST FROM information_schema.PROCESSLIST p "
     "WHERE USER NOT IN ('system user', 'event_scheduler', ?1) AND COMMAND != 'Killed' AND (EXISTS "
     "(SELECT 1 FROM information_schema.USER_PRIVILEGES g "
     "WHERE g.PRIVILEGE_TYPE IN ('SUPER', 'READ_ONLY ADMIN', 'READ ONLY ADMIN') "
     "AND LEFT(g.GRANTEE, CHAR_LENGTH(p.USER) + 3) = CONCAT('''', p.USER, '''@')) OR EXISTS "
     "(SELECT 1 FROM mysql.roles_mapping m JOIN information_schema.USER_PRIVILEGES g "
     "ON LEFT(g.GRANTEE, CHAR_LENGTH(m.Role) + 2) = CONCAT('''', m.Role, '''') "
     "WHERE m.User = p.USER AND g.PRIVILEGE_TYPE IN ('SUPER', 'READ_ONLY ADMIN', 'READ ONLY ADMIN')))"},
    {STATEMENT_KILL_USER, MARIADB, "KILL HARD CONNECTION USER ?1"},
    {STATEMENT_LONGEST, MARIADB,
     "SELECT ID, USER, HOST, ROUND(TIME_MS / 1000, 1), COALESCE(STATE, ''), COALESCE(LEFT(INFO, 100), '') "
     "FROM information_schema.PROCESSLIST WHERE USER NOT IN ('system user', 'event_scheduler', ?1) "
     "AND COMMAND NOT IN ('Binlog Dump', 'Sleep', 'Daemon') ORDER BY TIME_MS DESC LIMIT 1"},

    /* No such table is there: it is refused, or waits for a lock first. So nothing is changed or logged. */
    {STATEMENT_TRY_DDL, MARIADB,
     "SET STATEMENT lock_wait_timeout = 0, sql_log_bin = 0 FOR ALTER TABLE mha4rdb.no_such_table COMMENT = "
     "''"},
    {STATEMENT_TRY_BACKUP, MARIADB, "SET STATEMENT lock_wait_timeout = 0 FOR BACKUP STAGE START"},
    {STATEMENT_END_TRY, MARIADB, "BACKUP STAGE END"},
    {STATEMENT_LOCK_SUSPECTS, MARIADB,
     "SELECT ID, USER, HOST, TIME, '' FROM information_schema.PROCESSLIST p "
     "WHERE USER NOT IN ('system user', 'event_scheduler', ?1) AND COMMAND NOT IN ('Killed', 'Binlog Dump', "
     "'Daemon') AND COALESCE(STATE, '') NOT LIKE 'Waiting for %lock' AND (EXISTS "
     "(SELECT 1 FROM information_schema.USER_PRIVILEGES g WHERE g.PRIVILEGE_TYPE IN ('SUPER', 'RELOAD') "
     "AND LEFT(g.GRANTEE, CHAR_LENGTH(p.USER) + 3) = CONCAT('''', p.USER, '''@')) OR EXISTS "
     "(SELECT 1 FROM mysql.roles_mapping m JOIN information_schema.USER_PRIVILEGES g "
     "ON LEFT(g.GRANTEE, CHAR_LENGTH(m.Role) + 2) = CONCAT('''', m.Role, '''') "
     "WHERE m.User = p.USER AND g.PRIVILEGE_TYPE IN ('SUPER', 'RELOAD'))) ORDER BY TIME DESC LIMIT 4"},

    /* max_statement_time has microseconds, lock_wait_timeout only seconds; both ended it in trials. */
    {STATEMENT_READ_ONLY_ON, MARIADB,
     "SET STATEMENT max_statement_time = $1, lock_wait_timeout = 86400 FOR SET GLOBAL read_only = 1"},
    {STATEMENT_READ_ONLY_OFF, MARIADB, "SET GLOBAL read_only = 0"},
    {STATEMENT_READ_ONLY_ASK, MARIADB, "SELECT @@global.read_only"},
    {STATEMENT_CLOSED_ASK, MARIADB, "SELECT @@global.read_only"},

    {STATEMENT_RULE_ASK, MARIADB,
     "SELECT @@global.rpl_semi_sync_master_enabled, @@global.rpl_semi_sync_master_timeout, "
     "@@global.rpl_semi_sync_master_wait_no_slave, @@global.rpl_semi_sync_master_wait_point, "
     "(SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
     "'RPL_SEMI_SYNC_MASTER_STATUS')"},
    {STATEMENT_SEMI_SYNC_OFF, MARIADB, "SET GLOBAL rpl_semi_sync_master_enabled = 0"},
    {STATEMENT_SEMI_SYNC_ON, MARIADB, "SET GLOBAL rpl_semi_sync_master_enabled = 1"},
    {STATEMENT_WAITING_ASK, MARIADB,
     "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
     "WHERE VARIABLE_NAME = 'RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS'"},
    /* Seen on 10.11 after cuts that carried one way: a killed dump thread waits in Ack_receiver::remove_slave
       for the acknowledgement receiver, which sleeps as there is no replica; every later dump thread of the
       same replica waits for the killed one to end. Switching semi-sync off wakes it. Seen each time, too,
       where the log that the replica needs next was torn by a crash: the dump thread that is to tell it so
       (error 1236) ends like that instead, unless the replica's side of semi-sync is off. */
    {STATEMENT_SENDERS_STUCK, MARIADB,
     "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Killed' AND TIME_MS > 2000 "
     "AND STATE = 'Waiting to finalize termination'"},
    {STATEMENT_RULE_TIMEOUT, MARIADB, "SET GLOBAL rpl_semi_sync_master_timeout = $1"},
    {STATEMENT_RULE_WAIT_ALONE, MARIADB, "SET GLOBAL rpl_semi_sync_master_wait_no_slave = $1"},
    {STATEMENT_RULE_WAIT_POINT, MARIADB, "SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC'"},

    /* 524288 is REPLICATION SLAVE; who has a role at login may have it by that. */
    {STATEMENT_REPLICATION_ACCOUNTS, MARIADB,
     "SELECT User, Host, COALESCE(JSON_VALUE(Priv, '$.account_locked'), 0), "
     "COALESCE(JSON_VALUE(Priv, '$.access'), 0) & 524288 != 0 OR "
     "COALESCE(JSON_VALUE(Priv, '$.default_role'), '') != '' FROM mysql.global_priv "
     "WHERE LEFT(User, CHAR_LENGTH(?1)) = ?1 AND COALESCE(JSON_VALUE(Priv, '$.is_role'), 0) = 0"},
    {STATEMENT_ACCOUNT_LOCK, MARIADB, "SET STATEMENT sql_log_bin = 0 FOR ALTER USER ?1@?2 ACCOUNT LOCK"},
    {STATEMENT_ACCOUNT_UNLOCK, MARIADB, "SET STATEMENT sql_log_bin = 0 FOR ALTER USER ?1@?2 ACCOUNT UNLOCK"},
    {STATEMENT_SESSIONS_OF, MARIADB,
     "SELECT ID, USER, COMMAND, COALESCE(STATE, '') FROM information_schema.PROCESSLIST "
     "WHERE USER IN (?1, 'unauthenticated user')"},

    {STATEMENT_RECEIVER_ID, MARIADB,
     "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND = 'Slave_IO'"},
    {STATEMENT_RECEIVER_STOP, MARIADB, "STOP SLAVE IO_THREAD"},
    {STATEMENT_APPLIER_START, MARIADB, "START SLAVE SQL_THREAD"},
    {STATEMENT_REPLICA_STOP, MARIADB, "STOP SLAVE"},
    {STATEMENT_REPLICA_START, MARIADB, "START SLAVE"},
    {STATEMENT_REPLICA_FORGET, MARIADB, "RESET SLAVE ALL"},
    {STATEMENT_ACKNOWLEDGE_ON, MARIADB, "SET GLOBAL rpl_semi_sync_slave_enabled = 1"},
    {STATEMENT_ACKNOWLEDGE_OFF, MARIADB, "SET GLOBAL rpl_semi_sync_slave_enabled = 0"},
    {STATEMENT_STRICT_ON, MARIADB, "SET GLOBAL gtid_strict_mode = 1"},
    {STATEMENT_DIAL_TIMEOUT, MARIADB, "SET GLOBAL rpl_semi_sync_slave_kill_conn_timeout = $1"},
    {STATEMENT_NET_TIMEOUT, MARIADB, "SET GLOBAL slave_net_timeout = $1"},
    {STATEMENT_WAIT_APPLIED, MARIADB, "SELECT MASTER_GTID_WAIT(?1, $2)"},
    {STATEMENT_POSITIONS, MARIADB,
     "SELECT @@global.gtid_binlog_pos, @@global.gtid_slave_pos, @@global.gtid_binlog_state"},
    /* What MASTER_DEMOTE_TO_SLAVE=1 (10.10) does, for every version alike: the own log counts as applied. */
    {STATEMENT_SET_APPLIED, MARIADB, "SET GLOBAL gtid_slave_pos = ?1"},
    {STATEMENT_FOLLOW, MARIADB,
     "CHANGE MASTER TO MASTER_HOST = ?1, MASTER_PORT = $2, MASTER_USER = ?3, MASTER_PASSWORD = ?4, "
     "MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = $5, MASTER_SSL = $6, "
     "MASTER_SSL_VERIFY_SERVER_CERT = 0"},

    {STATEMENT_SCHEMA_EXISTS, MARIADB,
     "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'mha4rdb' AND TABLE_NAME IN "
     "('epoch', 'probe')"},
    {STATEMENT_CREATE_SCHEMA, MARIADB, "CREATE DATABASE IF NOT EXISTS mha4rdb"},
    {STATEMENT_CREATE_EPOCH, MARIADB,
     "CREATE TABLE IF NOT EXISTS mha4rdb.epoch (epoch BIGINT UNSIGNED NOT NULL PRIMARY KEY, node "
     "VARCHAR(255) NOT NULL, "
     "written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE = InnoDB DEFAULT CHARSET = "
     "utf8mb4 "
     "COMMENT = 'one row for each opening for writes'"},
    {STATEMENT_CREATE_PROBE, MARIADB,
     "CREATE TABLE IF NOT EXISTS mha4rdb.probe (id INT NOT NULL PRIMARY KEY, written_us BIGINT UNSIGNED NOT "
     "NULL) "
     "ENGINE = InnoDB COMMENT = 'written by each server for itself, never logged'"},
    {STATEMENT_EPOCH_WRITE, MARIADB, "INSERT INTO mha4rdb.epoch (epoch, node) VALUES ($1, ?2)"},
    {STATEMENT_LAST_GTID, MARIADB, "SELECT @@last_gtid"},

    {STATEMENT_CHECK_VARIABLES, MARIADB,
     "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('sync_binlog', 'innodb_flush_log_at_trx_commit', "
     "'log_bin', "
     "'log_slave_updates', 'gtid_strict_mode', 'server_id', 'rpl_semi_sync_master_wait_point', "
     "'innodb_doublewrite', 'skip_slave_start', 'slave_net_timeout', 'binlog_format', 'init_connect', "
     "'wsrep_on', 'replicate_do_db', 'replicate_do_table', 'replicate_wild_do_table', 'replicate_ignore_db', "
     "'replicate_ignore_table', 'replicate_wild_ignore_table', 'slave_parallel_mode')"},
    {STATEMENT_CHECK_ORIGINS, MARIADB,
     "SELECT GLOBAL_VALUE_ORIGIN FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME = ?1"},
    {STATEMENT_CHECK_TRANSACTIONS, MARIADB,
     "SELECT p.ID, p.USER, p.HOST, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()), t.trx_rows_modified, "
     "COALESCE(LEFT(p.INFO, 100), '') FROM information_schema.INNODB_TRX t JOIN "
     "information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id WHERE p.USER <> ?1 AND t.trx_started "
     "< "
     "NOW() - INTERVAL $2 SECOND ORDER BY t.trx_started LIMIT 5"},
    {STATEMENT_CHECK_GRANTS, MARIADB, "SHOW GRANTS"},
    {STATEMENT_CHECK_ACCOUNTS, MARIADB,
     "SELECT GRANTEE, GROUP_CONCAT(PRIVILEGE_TYPE SEPARATOR ', ') FROM information_schema.USER_PRIVILEGES "
     "WHERE PRIVILEGE_TYPE IN ('SUPER', 'READ_ONLY ADMIN', 'READ ONLY ADMIN', 'REPLICATION SLAVE') "
     "GROUP BY GRANTEE"},

    /* ---- MySQL ---- */

    {STATEMENT_SESSION_SETUP, MYSQL,
     "SET SESSION wait_timeout = 31536000, net_read_timeout = 60, net_write_timeout = 60, lock_wait_timeout "
     "= 10, innodb_lock_wait_timeout = 5, max_execution_time = 0, autocommit = 1, sql_mode = '', "
     "session_track_gtids = OWN_GTID"},

    {STATEMENT_VARIABLES, MYSQL,
     "SELECT @@global.version, @@global.read_only, @@global.gtid_executed, @@global.server_uuid, "
     "@@global.rpl_semi_sync_source_enabled, @@global.rpl_semi_sync_source_timeout, "
     "@@global.rpl_semi_sync_source_wait_no_replica, @@global.rpl_semi_sync_source_wait_point, "
     "@@global.rpl_semi_sync_source_wait_for_replica_count, @@global.rpl_semi_sync_replica_enabled, "
     "@@global.log_bin, @@global.gtid_mode, @@global.sync_relay_log, @@global.relay_log_recovery, "
     "@@global.super_read_only, @@global.offline_mode"},
    /* The GTIDs of transactions that are in the binary log, or on their way there, and not committed yet. */
    {STATEMENT_OWNED, MYSQL, "SELECT @@global.gtid_owned"},
    {STATEMENT_SEMI_SYNC_STATUS, MYSQL,
     "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_source_status', "
     "'Rpl_semi_sync_source_wait_sessions', 'Rpl_semi_sync_source_clients', 'Rpl_semi_sync_replica_status')"},
    {STATEMENT_REPLICA_STATUS, MYSQL, "SHOW REPLICA STATUS"},
    {STATEMENT_WRITTEN_EPOCH, MYSQL, "SELECT COALESCE(MAX(epoch), 0) FROM mha4rdb.epoch"},
    {STATEMENT_USER_SCHEMAS, MYSQL,
     "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN "
     "('information_schema', 'mysql', 'performance_schema', 'sys', 'mha4rdb', '#mysql50#lost+found')"},
    /* The probe's session writes nothing else, and no log ever. The least that lock_wait_timeout takes is a
       second. */
    {STATEMENT_PROBE_SETUP, MYSQL,
     "SET SESSION sql_log_bin = 0, lock_wait_timeout = 1, innodb_lock_wait_timeout = 1"},
    {STATEMENT_PROBE_WRITE, MYSQL,
     "INSERT INTO mha4rdb.probe (id, written_us) VALUES (1, $1) ON DUPLICATE KEY UPDATE written_us = $1"},

    {STATEMENT_SESSIONS, MYSQL,
     "SELECT ID, USER, COMMAND, COALESCE(STATE, '') FROM information_schema.PROCESSLIST "
     "WHERE USER NOT IN ('system user', 'event_scheduler') AND COMMAND NOT IN ('Binlog Dump', 'Binlog Dump "
     "GTID', 'Daemon')"},
    {STATEMENT_SESSIONS_OF, MYSQL,
     "SELECT ID, USER, COMMAND, COALESCE(STATE, '') FROM information_schema.PROCESSLIST "
     "WHERE USER IN (?1, 'unauthenticated user')"},
    {STATEMENT_KILL, MYSQL, "KILL CONNECTION $1"},
    {STATEMENT_LONGEST, MYSQL,
     "SELECT ID, USER, HOST, TIME, COALESCE(STATE, ''), COALESCE(LEFT(INFO, 100), '') "
     "FROM information_schema.PROCESSLIST WHERE USER NOT IN ('system user', 'event_scheduler', ?1) "
     "AND COMMAND NOT IN ('Binlog Dump', 'Binlog Dump GTID', 'Sleep', 'Daemon') "
     "ORDER BY STATE LIKE 'Waiting for %lock', TIME DESC LIMIT 1"},

    /* Whole seconds, one at the least. */
    {STATEMENT_LOCK_PATIENCE, MYSQL, "SET SESSION lock_wait_timeout = $1"},
    /* No such table is there: it is refused, or waits for a lock first. So nothing is changed or logged. */
    {STATEMENT_TRY_DDL, MYSQL, "ALTER TABLE mha4rdb.no_such_table COMMENT = ''"},
    /* Both wait for a lock before they are refused as the server is read-only. */
    {STATEMENT_TRY_WRITE_LOCK, MYSQL, "LOCK TABLES mha4rdb.probe WRITE"},
    {STATEMENT_TRY_BACKUP, MYSQL, "ANALYZE LOCAL TABLE mha4rdb.probe"},
    {STATEMENT_END_TRY, MYSQL, "UNLOCK TABLES"},
    {STATEMENT_LOCK_HOLDERS, MYSQL,
     "SELECT DISTINCT t.PROCESSLIST_ID, t.PROCESSLIST_USER, t.PROCESSLIST_HOST, t.PROCESSLIST_TIME, "
     "IF(m.OBJECT_TYPE = 'GLOBAL', 'FLUSH TABLES WITH READ LOCK', 'LOCK INSTANCE FOR BACKUP') "
     "FROM performance_schema.metadata_locks m JOIN performance_schema.threads t ON t.THREAD_ID = "
     "m.OWNER_THREAD_ID WHERE m.OBJECT_TYPE IN ('GLOBAL', 'BACKUP LOCK') AND m.LOCK_TYPE = 'SHARED' AND "
     "m.LOCK_STATUS = 'GRANTED' AND t.PROCESSLIST_USER <> ?1 ORDER BY 4 DESC LIMIT 4"},
    {STATEMENT_LOCK_SUSPECTS, MYSQL,
     "SELECT ID, USER, HOST, TIME, '' FROM information_schema.PROCESSLIST p "
     "WHERE USER NOT IN ('system user', 'event_scheduler', ?1) AND COMMAND NOT IN ('Killed', 'Binlog Dump', "
     "'Binlog Dump GTID', 'Daemon') AND COALESCE(STATE, '') NOT LIKE 'Waiting for %lock' AND (EXISTS "
     "(SELECT 1 FROM information_schema.USER_PRIVILEGES g WHERE g.PRIVILEGE_TYPE IN ('SUPER', 'RELOAD', "
     "'FLUSH_TABLES', 'BACKUP_ADMIN') AND LEFT(g.GRANTEE, CHAR_LENGTH(p.USER) + 3) = CONCAT('''', p.USER, "
     "'''@')) OR EXISTS (SELECT 1 FROM mysql.role_edges e WHERE e.TO_USER = p.USER)) "
     "ORDER BY TIME DESC LIMIT 4"},

    /* Whole seconds; who gives it up earlier ends its session. */
    {STATEMENT_READ_ONLY_ON, MYSQL, "SET SESSION lock_wait_timeout = $1, GLOBAL super_read_only = 1"},
    /* read_only = 0 takes super_read_only with it. */
    {STATEMENT_READ_ONLY_OFF, MYSQL, "SET GLOBAL read_only = 0"},
    /* While super_read_only is being switched on it reads as 1 already, though writes go on (tried on 9.7);
       read_only changes at the end. */
    {STATEMENT_READ_ONLY_ASK, MYSQL, "SELECT @@global.read_only AND @@global.super_read_only"},
    {STATEMENT_CLOSED_ASK, MYSQL, "SELECT @@global.read_only"},
    {STATEMENT_SUPER_READ_ONLY_OFF, MYSQL, "SET GLOBAL super_read_only = 0"},
    {STATEMENT_SUPER_READ_ONLY_ON, MYSQL, "SET GLOBAL super_read_only = 1"},

    {STATEMENT_RULE_ASK, MYSQL,
     "SELECT @@global.rpl_semi_sync_source_enabled, @@global.rpl_semi_sync_source_timeout, "
     "@@global.rpl_semi_sync_source_wait_no_replica, @@global.rpl_semi_sync_source_wait_point, "
     "@@global.rpl_semi_sync_source_wait_for_replica_count"},
    {STATEMENT_SEMI_SYNC_OFF, MYSQL, "SET GLOBAL rpl_semi_sync_source_enabled = 0"},
    {STATEMENT_SEMI_SYNC_ON, MYSQL, "SET GLOBAL rpl_semi_sync_source_enabled = 1"},
    {STATEMENT_WAITING_ASK, MYSQL,
     "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for semi-sync ACK%'"},
    {STATEMENT_RULE_COUNT, MYSQL, "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = $1"},
    {STATEMENT_RULE_TIMEOUT, MYSQL, "SET GLOBAL rpl_semi_sync_source_timeout = $1"},
    {STATEMENT_RULE_WAIT_ALONE, MYSQL, "SET GLOBAL rpl_semi_sync_source_wait_no_replica = $1"},
    {STATEMENT_RULE_WAIT_POINT, MYSQL, "SET GLOBAL rpl_semi_sync_source_wait_point = 'AFTER_SYNC'"},

    {STATEMENT_REPLICATION_ACCOUNTS, MYSQL,
     "SELECT User, Host, account_locked = 'Y', Repl_slave_priv = 'Y' FROM mysql.user "
     "WHERE LEFT(User, CHAR_LENGTH(?1)) = ?1"},
    {STATEMENT_LOG_OFF, MYSQL, "SET SESSION sql_log_bin = 0"},
    {STATEMENT_LOG_ON, MYSQL, "SET SESSION sql_log_bin = 1"},
    {STATEMENT_ACCOUNT_LOCK, MYSQL, "ALTER USER ?1@?2 ACCOUNT LOCK"},
    {STATEMENT_ACCOUNT_UNLOCK, MYSQL, "ALTER USER ?1@?2 ACCOUNT UNLOCK"},

    {STATEMENT_RECEIVER_STOP, MYSQL, "STOP REPLICA IO_THREAD"},
    {STATEMENT_RECEIVER_START, MYSQL, "START REPLICA IO_THREAD"},
    {STATEMENT_APPLIER_START, MYSQL, "START REPLICA SQL_THREAD"},
    {STATEMENT_REPLICA_THREADS, MYSQL,
     "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'system user' AND COMMAND <> 'Daemon'"},
    {STATEMENT_REPLICA_STOP, MYSQL, "STOP REPLICA"},
    {STATEMENT_REPLICA_START, MYSQL, "START REPLICA"},
    {STATEMENT_REPLICA_FORGET, MYSQL, "RESET REPLICA ALL"},
    {STATEMENT_SYNC_RECEIVED_ASK, MYSQL, "SELECT @@global.sync_relay_log"},
    {STATEMENT_SYNC_RECEIVED, MYSQL, "SET GLOBAL sync_relay_log = $1"},
    {STATEMENT_ACKNOWLEDGE_ON, MYSQL, "SET GLOBAL rpl_semi_sync_replica_enabled = 1"},
    {STATEMENT_ACKNOWLEDGE_OFF, MYSQL, "SET GLOBAL rpl_semi_sync_replica_enabled = 0"},
    {STATEMENT_NET_TIMEOUT, MYSQL, "SET GLOBAL replica_net_timeout = $1"},
    {STATEMENT_WAIT_APPLIED, MYSQL, "SELECT WAIT_FOR_EXECUTED_GTID_SET(?1, $2)"},
    /* 9.x gives up after 10 tries by default; 0: never. */
    {STATEMENT_FOLLOW, MYSQL,
     "CHANGE REPLICATION SOURCE TO SOURCE_HOST = ?1, SOURCE_PORT = $2, SOURCE_USER = ?3, SOURCE_PASSWORD = "
     "?4, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 0, SOURCE_HEARTBEAT_PERIOD = $5, SOURCE_SSL = $6, "
     "GET_SOURCE_PUBLIC_KEY = 1"},
    /* Only with both threads stopped. */
    {STATEMENT_FOLLOW_BY_GTID, MYSQL, "CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1"},

    {STATEMENT_SCHEMA_EXISTS, MYSQL,
     "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'mha4rdb' AND TABLE_NAME IN "
     "('epoch', 'probe')"},
    {STATEMENT_CREATE_SCHEMA, MYSQL, "CREATE DATABASE IF NOT EXISTS mha4rdb"},
    {STATEMENT_CREATE_EPOCH, MYSQL,
     "CREATE TABLE IF NOT EXISTS mha4rdb.epoch (epoch BIGINT UNSIGNED NOT NULL PRIMARY KEY, node "
     "VARCHAR(255) NOT NULL, written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE = InnoDB "
     "DEFAULT CHARSET = utf8mb4 COMMENT = 'one row for each opening for writes'"},
    {STATEMENT_CREATE_PROBE, MYSQL,
     "CREATE TABLE IF NOT EXISTS mha4rdb.probe (id INT NOT NULL PRIMARY KEY, written_us BIGINT UNSIGNED NOT "
     "NULL) ENGINE = InnoDB COMMENT = 'written by each server for itself, never logged'"},
    {STATEMENT_EPOCH_WRITE, MYSQL, "INSERT INTO mha4rdb.epoch (epoch, node) VALUES ($1, ?2)"},
    /* A row of its own for each session that does it, so that one that is stranded blocks no other; logged,
       and so the same on all servers, unlike row 1. */
    {STATEMENT_NUDGE, MYSQL,
     "REPLACE INTO mha4rdb.probe (id, written_us) VALUES (1000 + $1, UNIX_TIMESTAMP(NOW(6)) * 1000000)"},
    {STATEMENT_SERVER_UUID, MYSQL, "SELECT @@global.server_uuid"},
    {STATEMENT_EXECUTED, MYSQL, "SELECT @@global.gtid_executed"},
    {STATEMENT_LOG_STATUS, MYSQL, "SHOW MASTER STATUS"},
    {STATEMENT_LOG_STATUS, DIALECT_MYSQL, 80200, "SHOW BINARY LOG STATUS"},
    {STATEMENT_LOG_FOLDER, MYSQL, "SELECT @@global.log_bin_basename"},
    {STATEMENT_DATA_FOLDER, MYSQL, "SELECT @@global.datadir"},
    {STATEMENT_STATE_OF, MYSQL, "SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = $1"},
    {STATEMENT_STATES, MYSQL,
     "SELECT COALESCE(STATE, ''), COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND NOT IN "
     "('Sleep', "
     "'Daemon', 'Binlog Dump GTID') GROUP BY 1"},

    {STATEMENT_CHECK_VARIABLES, MYSQL,
     "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('sync_binlog', 'innodb_flush_log_at_trx_commit', "
     "'log_bin', "
     "'log_replica_updates', 'gtid_mode', 'enforce_gtid_consistency', 'server_id', "
     "'rpl_semi_sync_source_enabled', 'rpl_semi_sync_source_wait_point', 'rpl_semi_sync_replica_enabled', "
     "'innodb_doublewrite', 'skip_replica_start', 'replica_net_timeout', 'binlog_format', 'init_connect', "
     "'relay_log_recovery', 'sync_relay_log', 'relay_log_info_repository', 'replica_preserve_commit_order', "
     "'replica_parallel_workers', 'binlog_expire_logs_seconds', 'offline_mode', 'super_read_only')"},
    {STATEMENT_CHECK_PLUGINS, MYSQL,
     "SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE PLUGIN_STATUS = 'ACTIVE' AND PLUGIN_NAME IN "
     "('rpl_semi_sync_source', 'rpl_semi_sync_replica', 'clone')"},
    /* replicate_same_server_id is an option and no variable: nothing shows it. With log_replica_updates a
       start (10116) warns of it (10190, tried on 9.7); a row, if the log of this start is there and has no
       warning. */
    {STATEMENT_CHECK_OWN_EVENTS, MYSQL,
     "SELECT 1 FROM (SELECT MAX(LOGGED) AS at FROM performance_schema.error_log WHERE ERROR_CODE = "
     "'MY-010116') AS start WHERE start.at IS NOT NULL AND @@global.log_replica_updates AND "
     "@@global.log_error_verbosity >= 2 AND @@global.log_error_suppression_list = '' AND NOT EXISTS (SELECT "
     "1 "
     "FROM performance_schema.error_log WHERE ERROR_CODE = 'MY-010190' AND LOGGED >= start.at)"},
    {STATEMENT_CHECK_GRANTS, MYSQL, "SHOW GRANTS"},
    {STATEMENT_CHECK_ACCOUNTS, MYSQL,
     "SELECT GRANTEE, GROUP_CONCAT(PRIVILEGE_TYPE SEPARATOR ', ') FROM information_schema.USER_PRIVILEGES "
     "WHERE PRIVILEGE_TYPE IN ('SUPER', 'CONNECTION_ADMIN', 'REPLICATION SLAVE', 'BACKUP_ADMIN') AND GRANTEE "
     "NOT LIKE '''mysql.%' GROUP BY GRANTEE"},
    {STATEMENT_CHECK_TRANSACTIONS, MYSQL,
     "SELECT p.ID, p.USER, p.HOST, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()), t.trx_rows_modified, "
     "COALESCE(LEFT(p.INFO, 100), '') FROM information_schema.INNODB_TRX t JOIN "
     "information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id WHERE p.USER <> ?1 AND t.trx_started "
     "< "
     "NOW() - INTERVAL $2 SECOND ORDER BY t.trx_started LIMIT 5"},
};

const char *dialect_text(enum statement statement, struct dialect dialect)
{
    const struct row *best = NULL;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].statement == statement && rows[i].kind == dialect.kind &&
            (!best || (rows[i].since <= dialect.version && rows[i].since >= best->since)))
            best = &rows[i];
    return best ? best->text : NULL;
}
