/* mariadb.h - shared by the files of the MariaDB adapter: mariadb.c (the table, looking), mariadb_sessions.c
 * (ending sessions, read-only), mariadb_rule.c (commit rule), mariadb_replica.c, mariadb_primary.c,
 * mariadb_check.c. */
#ifndef MHA_DB_WORKER_MARIADB_H
#define MHA_DB_WORKER_MARIADB_H

#include "agent/cluster/position.h"
#include "agent/db/worker/adapter.h"
#include "agent/db/worker/session.h"

struct adapter {
    const struct db_settings *settings;
    struct sessions list;
    struct session sessions[LINE_COUNT];
    const void *swept_session; /* the ops line's connection that has seen the strangers gone; only compared */
};

/* Commits waiting under `acks` = 1 wait this long: 31.7 years. The server takes up to 2^64-1, and 10.11
 * really waits with that too; this value stays below every overflow of a conversion to nanoseconds (2^63 ns
 * = 9.2e12 ms), in the server, its C library and the kernel. */
#define RULE_TIMEOUT_MS "1000000000000"
#define RULE_TIMEOUT_MS_LEAST 4000000000ULL
/* And under `acks` = 0, where a replica that follows is waited for at most this long. */
#define RULE_NO_TIMEOUT_MS "1"

struct replica_status {
    bool configured;
    bool receiver_runs; /* in any state: connected, connecting */
    bool receiving;
    bool applying;
    bool has_lag;
    uint64_t lag_s;
    unsigned port;
    unsigned receiver_errno, applier_errno;
    char host[DB_TEXT_BYTES];
    char received[VIEW_POSITION_BYTES]; /* Gtid_IO_Pos */
    char receiver_error[256];
    char applier_error[256];
};

/* mariadb_replica.c */
enum error_code replica_status(struct session *session, struct replica_status *out, struct error *err);
enum error_code mariadb_freeze(struct adapter *adapter, struct adapter_call *call, struct error *err);
enum error_code mariadb_drain(struct adapter *adapter, struct adapter_call *call, struct error *err);
enum error_code mariadb_follow(struct adapter *adapter, struct adapter_call *call, const char *host,
                               unsigned port, bool standing_by, struct error *err);
/* The server's executed position: what its log holds and what it applied. */
enum error_code mariadb_executed(struct session *session, struct position *out, struct error *err);

/* mariadb_sessions.c */

/* The ops line, connected, with no stranger left. */
enum error_code mariadb_ops(struct adapter *adapter, struct session **out, struct error *err);
enum mariadb_victims {
    VICTIMS_STRANGERS,       /* sessions of our own account that are on no line */
    VICTIMS_CLIENTS,         /* and of all other accounts */
    VICTIMS_CLIENTS_AND_OPS, /* and our own ops line: a fence */
};
/* Ends them and sees them gone; those that come later are not waited for. ERR_TIMEOUT: some are left;
 * `all_dying` (may be NULL) says whether each of them is at least killed already. */
enum error_code mariadb_end_sessions(struct adapter *adapter, struct session *session,
                                     enum mariadb_victims victims, uint64_t deadline_us, bool *all_dying,
                                     struct error *err);
/* ERR_TIMEOUT: given up at `deadline_us`, the statement too. */
enum error_code mariadb_read_only(struct session *session, uint64_t deadline_us, struct error *err);
enum error_code mariadb_is_read_only(struct session *session, bool *out, struct error *err);
enum error_code mariadb_prepare_fence(struct adapter *adapter, struct error *err);
enum error_code mariadb_fence(struct adapter *adapter, uint64_t deadline_us, struct error *err);

/* mariadb_rule.c */
/* No replica can connect: a dump thread that was killed does not end. Setting the rule 0, though it is in
 * force, ends that. */
enum error_code mariadb_senders_stuck(struct session *session, bool *out, struct error *err);
enum error_code mariadb_rule(struct session *session, unsigned acks, struct error *err);
enum error_code mariadb_set_commit_rule(struct adapter *adapter, struct adapter_call *call, unsigned acks,
                                        struct error *err);
enum error_code mariadb_set_acknowledging(struct adapter *adapter, struct adapter_call *call,
                                          const char *node, bool allowed, struct error *err);

/* mariadb_primary.c */
enum error_code mariadb_close(struct adapter *adapter, struct adapter_call *call, struct error *err);
enum error_code mariadb_promote(struct adapter *adapter, struct adapter_call *call, uint64_t epoch,
                                unsigned acks, const char *node, char *position, size_t position_size,
                                struct error *err);
enum error_code mariadb_open(struct adapter *adapter, struct adapter_call *call, uint64_t epoch,
                             struct error *err);

/* mariadb_check.c */
enum error_code mariadb_check(struct adapter *adapter, struct adapter_call *call, bool booted_writable,
                              bool switchover, struct db_findings *out, struct error *err);

/* A pause in a loop that asks the server again; the server offers nothing to wait on. */
void mariadb_pause_us(uint64_t us);
/* ERR_BUSY with its reason when the call is to end early. */
enum error_code mariadb_stopped(struct adapter_call *call, struct error *err);

#endif
