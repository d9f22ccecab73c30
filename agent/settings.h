/* settings.h - agent.conf, read whole before anything is touched; mha4rdb.conf(5) documents every key. */
#ifndef MHA_AGENT_SETTINGS_H
#define MHA_AGENT_SETTINGS_H

#include "agent/db/settings.h"
#include "agent/vip/vip.h"
#include "common/base/log.h"
#include "common/replica/settings.h"

/* Of data nodes, in agent.conf and in the group. */
#define AGENT_DATA_NODES_MAX 7

/* How a replica is made anew; the "rebuild" group of agent.conf. */
struct rebuild_settings {
    char donate[DB_COMMAND_BYTES];  /* MariaDB: writes a backup stream to standard output; "" with MySQL */
    char receive[DB_COMMAND_BYTES]; /* MariaDB: replaces the stopped server's files by the stream on standard
                                       input */
    /* The program that reads a binary log; "": mysqlbinlog or, of MariaDB, mariadb-binlog, on the path. */
    char mysqlbinlog[DB_PATH_BYTES];
    unsigned port;      /* the donor listens there, 1 .. 65535, default 7421 */
    unsigned rate_mb;   /* MB a second at most, 0 .. 100000; 0, the default: no limit */
    unsigned timeout_s; /* without any progress; 10 .. 86400, default 300 */
};

struct agent_settings {
    struct replica_settings group;
    struct trace_settings trace;
    char data_dir[REPLICA_PATH_BYTES];
    char control_socket[REPLICA_PATH_BYTES];
    char listen[REPLICA_ADDRESS_BYTES]; /* default: the own address in nodes */
    enum log_level log_level;
    char vip_address[VIP_ADDRESS_BYTES]; /* "": no virtual IP */
    char vip_socket[REPLICA_PATH_BYTES];
    struct db_settings database;
    unsigned switchover_timeout_ms; /* 100 .. 600000, default 10000 */
    bool durability_available;      /* "quorum", the default, or "available" */
    unsigned lag_most_ms;           /* with "available": 0 .. 3600000, default 10000 */
    bool rejoin_auto;               /* "manual", the default, or "auto" */
    struct rebuild_settings rebuild;
    unsigned pause_length_ms; /* 1000 .. 600000, default 60000 */
};

/* All of it that must be the same on all data nodes, as replica_settings_tell does. */
void agent_settings_tell(const struct agent_settings *settings, struct text *out);

/* ERR_INVALID or ERR_IO with "file:line: problem; remedy". */
enum error_code agent_settings_read(const char *path, struct agent_settings *out, struct error *err);

#endif
