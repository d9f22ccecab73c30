/* mariadb.h - shared by the files of the MariaDB adapter, beside sql.h: mariadb.c (the table, looking),
 * mariadb_fence.c, mariadb_rule.c (commit rule), mariadb_replica.c,
 * mariadb_check.c. */
#ifndef MHA_DB_WORKER_MARIADB_H
#define MHA_DB_WORKER_MARIADB_H

#include "agent/db/worker/sql.h"

/* The timeout of commits under `acks` = 0, where a replica that follows is waited for at most this long. */
#define RULE_NO_TIMEOUT_MS "1"

/* mariadb_replica.c */
enum error_code mariadb_freeze(struct adapter *adapter, struct adapter_call *call, struct error *err);
enum error_code mariadb_follow(struct adapter *adapter, struct adapter_call *call, const char *host,
                               unsigned port, bool standing_by, struct error *err);
enum error_code mariadb_executed(struct session *session, struct position *out, struct error *err);

/* mariadb_fence.c */
enum error_code mariadb_read_only(struct adapter *adapter, struct session *session, uint64_t deadline_us,
                                  struct error *err);
enum error_code mariadb_writable(struct session *session, struct error *err);
enum error_code mariadb_fence(struct adapter *adapter, uint64_t deadline_us, struct error *err);

/* mariadb_locks.c */
enum error_code mariadb_try_locks(struct session *session, bool closed, const char **lock, struct error *err);

/* mariadb_health.c */
enum error_code mariadb_ask_log(struct adapter *adapter, bool *refused, struct error *err);
enum error_code mariadb_doubt(struct adapter *adapter, struct doubt *out, struct error *err);
enum error_code mariadb_expel(struct adapter *adapter, char *who, size_t size, struct error *err);

/* mariadb_number.c */
#define MARIADB_SERVER_ID_MAX 131071u
/* server_id as it is configured, whatever the server goes by now. */
uint32_t mariadb_own_number(uint32_t server_id);
/* Between two runs of the receiver: the number of one that stands by, or its own again. ERR_REFUSED: its own
 * is larger than MARIADB_SERVER_ID_MAX. */
enum error_code mariadb_take_number(struct session *session, bool standing_by, struct error *err);
/* Its own number again, once nothing is received any more and before anything is written: a promotion that is
 * refused earlier leaves it as it was. */
enum error_code mariadb_leave_replication(struct session *session, struct error *err);

/* mariadb_tell.c */
enum error_code mariadb_tell(struct adapter *adapter, struct error *err);

/* mariadb_rule.c */
/* No replica can connect: a dump thread that was killed does not end. Setting the rule 0, though it is in
 * force, ends that. */
enum error_code mariadb_senders_stuck(struct session *session, bool *out, struct error *err);
enum error_code mariadb_rule(struct session *session, unsigned acks, struct error *err);

/* mariadb_check.c */
extern const struct sql_check mariadb_check;

#endif
