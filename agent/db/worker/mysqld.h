/* mysqld.h - shared by the files of the MySQL adapter, beside sql.h: mysqld.c (the table, looking),
 * mysqld_position.c, mysqld_fence.c, mysqld_rule.c (commit rule), mysqld_nudge.c, mysqld_health.c,
 * mysqld_replica.c, mysqld_check.c.
 *
 * They are named after the server's program: mysql.h and mysql_* belong to the client library. For MySQL
 * 8.0.26 and later with GTIDs. What the comments call tried was tried on 9.7. */
#ifndef MHA_DB_WORKER_MYSQLD_H
#define MHA_DB_WORKER_MYSQLD_H

#include "agent/db/worker/sql.h"

/* mysqld.c */
extern const struct sql_status_names mysqld_status_names;

/* mysqld_position.c */

/* A GTID set of the server's; ERR_REFUSED: none that can be compared (tags, too many intervals). */
enum error_code mysqld_parse(const char *text, struct position *out, struct error *err);
/* gtid_executed. */
enum error_code mysqld_executed(struct session *session, struct position *out, struct error *err);
/* What is in the binary log, or on its way there, and not committed: transactions that wait for an
 * acknowledgement, above all. On a replica, what is being applied. */
enum error_code mysqld_owned(struct session *session, struct position *out, struct error *err);
/* Reads gtid_owned: "uuid:5#15:4#14", each number with the thread that owns it. false: not such a text. */
bool mysqld_parse_owned(const char *text, struct position *out);
enum error_code mysqld_written(struct session *session, char *out, size_t size, struct error *err);
enum error_code mysqld_log_end(struct session *session, char *out, size_t size, struct error *err);
/* The last number that `uuid` has in the position; 0: none. */
uint64_t mysqld_last_of(const struct position *position, const char *uuid);

/* mysqld_fence.c */
enum error_code mysqld_read_only(struct adapter *adapter, struct session *session, uint64_t deadline_us,
                                 struct error *err);
enum error_code mysqld_writable(struct session *session, struct error *err);
/* super_read_only binds the agent too: `admitted` lets accounts with CONNECTION_ADMIN write for a moment on a
 * server that is closed. Nothing on one that is open. */
enum error_code mysqld_admit(struct adapter *adapter, struct session *session, bool admitted,
                             struct error *err);
enum error_code mysqld_prepare_fence(struct adapter *adapter, struct error *err);
enum error_code mysqld_fence(struct adapter *adapter, uint64_t deadline_us, struct error *err);

/* mysqld_locks.c */
enum error_code mysqld_try_locks(struct session *session, bool closed, const char **lock, struct error *err);

/* mysqld_rule.c */
struct mysqld_rule {
    bool enabled, wait_alone, after_sync;
    uint64_t timeout_ms;
    unsigned count;
};
/* What the settings demand of commits. */
unsigned mysqld_rule_acks(const struct mysqld_rule *rule);
enum error_code mysqld_set_rule(struct session *session, unsigned acks, struct error *err);
/* On a closed server: what it commits from now on waits for nobody. At once, unlike mysqld_set_rule(0). */
enum error_code mysqld_suspend_rule(struct session *session, struct error *err);

/* mysqld_nudge.c */
/* After each look: `committed` is gtid_executed alone. */
void mysqld_nudge(struct adapter *adapter, const struct db_view *view, const struct position *committed);

/* mysqld_health.c */
enum error_code mysqld_ask_log(struct adapter *adapter, bool *refused, struct error *err);
enum error_code mysqld_doubt(struct adapter *adapter, struct doubt *out, struct error *err);

/* mysqld_replica.c */
enum error_code mysqld_stop_replica(struct session *session, struct error *err);
/* sync_relay_log of a replica that stands by, in events. A number that nobody else sets, so that the
 * preflight knows it from an operator's. */
#define MYSQLD_SYNC_STANDING_BY "9973"

enum error_code mysqld_freeze(struct adapter *adapter, struct adapter_call *call, struct error *err);
enum error_code mysqld_follow(struct adapter *adapter, struct adapter_call *call, const char *host,
                              unsigned port, bool standing_by, struct error *err);

/* mysqld_check.c */
extern const struct sql_check mysqld_check;

#endif
