/* sql.h - what the adapters of MariaDB and MySQL share. Their flows are the same, written once: sql.c (the
 * adapter itself, parts of a look), sql_sessions.c (ending sessions), sql_replica.c (status, drain),
 * sql_accounts.c (who may acknowledge), sql_primary.c (promote, open, close), sql_locks.c (locks of a
 * backup), sql_check.c and sql_check_accounts.c (the preflight). Where the servers differ by more than the
 * text of a statement (dialect.h), a flow calls one of the functions of struct sql_kind. */
#ifndef MHA_DB_WORKER_SQL_H
#define MHA_DB_WORKER_SQL_H

#include "agent/cluster/position.h"
#include "agent/db/worker/adapter.h"
#include "agent/db/worker/session.h"

/* What a variable must be, and why. */
struct sql_wanted {
    const char *name; /* NULL: the table's end */
    const char *value;
    bool fatal;
    const char *problem;
    const char *remedy;
};

enum sql_right_for {
    FOR_ALL,
    FOR_NODES_ACCOUNTS, /* where each node replicates by an account of its own */
    FOR_REBUILDS,       /* of this node; everything else goes well without it */
};

/* A right that the agent's account needs. */
struct sql_right {
    const char *names[2]; /* in SHOW GRANTS, of whatever version; names[0] NULL: the table's end */
    const char *what_for;
    enum sql_right_for needed;
};

/* Where the preflights of the kinds differ. */
struct sql_check {
    const struct sql_wanted *wanted;
    const char *net_timeout; /* the variable with the seconds after which a replica misses its source */
    const char *net_timeout_remedy;
    /* What a table cannot tell about one variable. */
    void (*variable)(const char *name, const char *value, struct db_findings *out);
    /* What a start of the server brings. */
    enum error_code (*start)(struct session *session, bool booted_writable, struct db_findings *out,
                             struct error *err);
    const char *for_accounts; /* before a statement about accounts: none is for the log */
    const struct sql_right *rights;
    /* What a replica's account needs; and that of those who stand by, by which a rebuild comes to its donor
     * (query_other_user of agent/rebuild), besides. NULL: nothing. */
    const char *replica_right, *donor_right;
    const char *replica_remedy;
    /* By each of these an account can write though the server is closed; NULL at their end. */
    const char *writers_rights[4];
    const char *writers_revoked, *writers_problem;
    /* What holds a switchover up at its source, beside long transactions. */
    enum error_code (*source)(struct adapter *adapter, struct session *session, struct db_findings *out,
                              struct error *err);
};

/* Names of the status variables. */
struct sql_status_names {
    const char *source_on, *replica_on, *waiting, *clients, *sent; /* the last may be NULL */
};

struct sql_kind {
    const struct sql_status_names *status;
    const struct sql_check *check;
    /* The server's executed position: the end of its own log, and what it applied. */
    enum error_code (*executed)(struct session *session, struct position *out, struct error *err);
    /* Of the transaction that this session has just committed: canonical text. */
    enum error_code (*written)(struct session *session, char *out, size_t size, struct error *err);
    /* Of the last transaction in the server's log: canonical text. */
    enum error_code (*log_end)(struct session *session, char *out, size_t size, struct error *err);
    /* The commit rule in force when it returns. Nothing is touched if it is so already. */
    enum error_code (*rule)(struct session *session, unsigned acks, struct error *err);
    /* On a closed server: what it commits from now on waits for nobody. NULL: rule(0) does that as quickly.
     */
    enum error_code (*suspend_rule)(struct session *session, struct error *err);
    /* Read-only, confirmed; no commit that waits is let go. ERR_TIMEOUT: given up at `deadline_us`, the
     * statement too. */
    enum error_code (*read_only)(struct adapter *adapter, struct session *session, uint64_t deadline_us,
                                 struct error *err);
    /* Ends both threads of a replica that has applied all that it received, whatever part of a transaction
     * came after that. NULL: STATEMENT_REPLICA_STOP is all. */
    enum error_code (*stop_replica)(struct session *session, struct error *err);
    /* NULL: not needed. Its replication is over, all that it received is applied, nothing is written yet. */
    enum error_code (*leave_replication)(struct session *session, struct error *err);
    /* Writable for clients, confirmed. */
    enum error_code (*writable)(struct session *session, struct error *err);
    /* NULL: not needed. What this session writes is not logged, or is again. */
    enum error_code (*unlogged)(struct session *session, bool unlogged, struct error *err);
    /* The lock of a backup that somebody holds, found by trying what it would hold up: its name as a
     * statement, NULL: none. `closed`: read-only is on already. The session is as before. */
    enum error_code (*try_locks)(struct session *session, bool closed, const char **lock, struct error *err);
    /* NULL: not needed. Before and after the agent writes something itself on a server that may be closed. */
    enum error_code (*admit)(struct adapter *adapter, struct session *session, bool admitted,
                             struct error *err);
};

#define DOUBT_FOLDERS 2

/* See mysqld_nudge.c. */
struct mysqld_nudging {
    struct position committed; /* as it was last seen to move */
    uint64_t since_us;         /* when */
    uint64_t nudged_us;
};

struct adapter {
    const struct sql_kind *sql;
    const struct db_settings *settings;
    struct sessions list;
    struct session sessions[LINE_COUNT];
    char log_end[512];         /* what the log line was told last */
    unsigned log_end_missing;  /* so many answers in a row named a place that the log's file does not have */
    const void *swept_session; /* the ops line's connection that has seen the strangers gone; only compared */
    char folders[DOUBT_FOLDERS][DB_PATH_BYTES]; /* where the server writes; the doubt line's */
    bool probe_writing;                         /* MySQL: LINE_PROBE_WRITE has a write under way */
    struct mysqld_nudging nudging;              /* the probe's thread */
    atomic_uint admissions;                     /* changes of `admit`: odd while the agent may write */
};

/* Commits waiting under a rule wait this long: 31.7 years. The servers take up to 2^64-1, and MariaDB 10.11
 * really waits with that too; this value stays below every overflow of a conversion to nanoseconds (2^63 ns
 * = 9.2e12 ms), in the server, its C library and the kernel. */
#define RULE_TIMEOUT_MS "1000000000000"
#define RULE_TIMEOUT_MS_LEAST 4000000000ULL

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
    char user[DB_TEXT_BYTES];
    bool by_gtid;                       /* MySQL: SOURCE_AUTO_POSITION */
    char received[VIEW_POSITION_BYTES]; /* Gtid_IO_Pos, Retrieved_Gtid_Set */
    char relay_log[128];                /* where the applier reads */
    char log_file[512];                 /* in the source's log, up to where the receiver has read */
    uint64_t log_position;
    char receiver_error[256];
    char applier_error[256];
};

/* sql.c */

struct adapter *sql_create(const struct sql_kind *kind, const struct db_settings *settings);
void sql_destroy(struct adapter *adapter);
void sql_interrupt(struct adapter *adapter, enum adapter_line line);
void sql_refuse(struct adapter *adapter, enum adapter_line line, bool refused);
/* A pause in a loop that asks the server again; the server offers nothing to wait on. */
void sql_pause_us(uint64_t us);
/* The same, and the next one is to be twice as long, up to 16 ms. */
void sql_pause_longer(uint64_t *us);
/* ERR_BUSY with its reason when the call is to end early. */
enum error_code sql_stopped(struct adapter_call *call, struct error *err);
/* "1" or "ON" */
bool sql_truth(const char *text);
/* One of the accounts by which replicas connect. */
bool sql_is_replication_user(const struct db_settings *settings, const char *user);
/* A KILL failed since the session has gone by itself. */
bool sql_no_such_session(const struct session *session);
/* The last statement failed because what it names does not exist. */
bool sql_table_missing(const struct session *session);
/* Semi-synchronous replication as it is, rather than as it is set. */
struct semi_sync_status {
    bool source_on, replica_on;
    unsigned waiting; /* sessions that wait for an acknowledgement */
    unsigned clients; /* replicas that may acknowledge */
    uint64_t sent;    /* acknowledgements, since the receiver has connected last; 0 where it is not told */
};
enum error_code sql_semi_sync_status(const struct sql_status_names *names, struct session *session,
                                     struct semi_sync_status *out, struct error *err);
/* For a look at a server that has no GTID: whether it has no schema of its owner's either. */
enum error_code sql_look_for_schemas(struct session *session, struct db_view *view, struct error *err);
/* The newest epoch record, and whether there is one. */
enum error_code sql_look_at_epoch(struct session *session, struct db_view *view, struct error *err);
/* Writes the probe's row; a lock that somebody holds is told in the view. */
enum error_code sql_send_probe(struct session *session, struct error *err);
enum error_code sql_finish_probe(struct session *session, struct db_view *view, struct error *err);
/* Both. */
enum error_code sql_probe_write(struct session *session, struct db_view *view, struct error *err);

enum error_code sql_set_commit_rule(struct adapter *adapter, struct adapter_call *call, unsigned acks,
                                    struct error *err);

/* sql_space.c */

/* The doubt line, which learns where the server writes when it connects: in trouble no variable can be had.
 */
enum error_code sql_doubt_connect(struct adapter *adapter, struct session *session, struct error *err);
/* One of those folders that has no room left; NULL: none is known to have none. `has_room`: all of them have
 * some. */
const char *sql_full_folder(const struct adapter *adapter, bool *has_room);

/* sql_sessions.c */

/* The ops line, connected, with no stranger left. */
enum error_code sql_ops(struct adapter *adapter, struct session **out, struct error *err);
enum sql_victims {
    VICTIMS_STRANGERS,       /* sessions of our own account that are on no line */
    VICTIMS_CLIENTS,         /* and of all other accounts */
    VICTIMS_CLIENTS_AND_OPS, /* and our own ops line: a fence */
};
/* Ends them and sees them gone; those that come later are not waited for. ERR_TIMEOUT: some are left;
 * `all_dying` (may be NULL) says whether each of them is at least killed already. */
enum error_code sql_end_sessions(struct adapter *adapter, struct session *session, enum sql_victims victims,
                                 uint64_t deadline_us, bool *all_dying, struct error *err);
enum error_code sql_is_read_only(struct session *session, bool *out, struct error *err);
enum error_code sql_prepare_fence(struct adapter *adapter, struct error *err);

/* sql_replica.c */

/* What an error number of the receiver's means. */
Mha__DbTrouble sql_receiver_trouble(unsigned number);
enum error_code sql_replica_status(struct session *session, struct replica_status *out, struct error *err);
/* log_file and log_position as one number that grows; 0: it has read nothing. */
uint64_t sql_received_log(const struct replica_status *replica);
/* What is wrong with a replica, into the view; `start_applier` is the statement to paste. */
void sql_judge_replica(const struct replica_status *replica, const char *start_applier, struct db_view *view);
/* Received by this node's own account and acknowledged, or by the account of those who give none: its
 * receiver `acknowledges`, or `gives_none` and will not. */
void sql_judge_account(const struct db_settings *settings, const struct replica_status *replica,
                       bool acknowledges, bool gives_none, struct db_view *view);
/* All that it received is applied. */
enum error_code sql_is_drained(struct adapter *adapter, struct session *session,
                               const struct replica_status *status, bool *out, struct error *err);
enum error_code sql_drain_until(struct adapter *adapter, struct session *session, struct adapter_call *call,
                                uint64_t deadline_us, struct error *err);
enum error_code sql_drain(struct adapter *adapter, struct adapter_call *call, struct error *err);

/* sql_accounts.c */

/* Who may acknowledge here, into the view. */
enum error_code sql_acknowledgers(struct adapter *adapter, struct session *session, struct db_view *view,
                                  struct error *err);
enum error_code sql_set_acknowledging(struct adapter *adapter, struct adapter_call *call, const char *node,
                                      bool allowed, struct error *err);

/* sql_primary.c */

/* Around something that the agent writes itself: both are always called, whether or not the first one or what
 * is in between failed. */
enum error_code sql_begin_own_write(struct adapter *adapter, struct session *session, struct error *err);
enum error_code sql_end_own_write(struct adapter *adapter, struct session *session, struct error *err);

enum error_code sql_close(struct adapter *adapter, struct adapter_call *call, struct error *err);
enum error_code sql_promote(struct adapter *adapter, struct adapter_call *call, uint64_t epoch, unsigned acks,
                            const char *node, char *position, size_t position_size, struct error *err);
enum error_code sql_open(struct adapter *adapter, struct adapter_call *call, uint64_t epoch,
                         struct error *err);

/* sql_locks.c */

/* FLUSH TABLES WITH READ LOCK, BACKUP STAGE, LOCK INSTANCE FOR BACKUP: who holds such a lock, as fatal
 * findings. `closed`: read-only is on already. */
enum error_code sql_find_backups(struct adapter *adapter, struct session *session, bool closed,
                                 struct db_findings *out, struct error *err);

/* sql_check.c */

void sql_finding(struct db_findings *out, bool fatal, const char *subject, const char *remedy,
                 const char *problem, ...) __attribute__((format(printf, 5, 6)));
enum error_code sql_check(struct adapter *adapter, struct adapter_call *call,
                          const struct check_request *request, struct db_findings *out, struct error *err);

/* sql_check_accounts.c */

/* Whether the agent's own account has its rights; `all`: those for a rebuild, too. */
enum error_code sql_check_grants(struct adapter *adapter, struct session *session, bool all,
                                 struct db_findings *out, struct error *err);
/* The accounts by which this node replicates; `all`: what a rebuild from here needs of them, and those that
 * can write on a closed server, too. */
enum error_code sql_check_accounts(struct adapter *adapter, struct session *session, bool all,
                                   struct db_findings *out, struct error *err);
/* As a replica comes, over TCP: to the address that the others are told, and to the source that is asked for,
 * by this node's own account and by that of those who stand by. One that is locked is no finding. */
void sql_check_replication_login(struct adapter *adapter, const struct check_request *request,
                                 struct db_findings *out);

#endif
