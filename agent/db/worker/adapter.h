/* adapter.h - what the worker asks of a database, whichever it is. One table of functions per kind; mariadb.c
 * is the first.
 *
 * All of it blocks, and each call names its line: a thread of the worker with a connection of its own. The
 * probe line looks, the ops line does what the agent asks, the fence line is kept connected so that a fence
 * depends neither on a free slot nor on the others. The log line asks what waits for whoever writes the
 * server's log, as every commit does; the doubt line asks why another one is not answered. The sweep line
 * is a second one of the fence's thread, where an adapter ends sessions while its fence line waits; the
 * check line looks for what stands in the way, beside all operations; the probe write and nudge lines are the
 * probe's, for statements that it does not wait for.
 *
 * No late statements (design, section 5): a statement that its caller has given up may still run in the
 * server. So before the first statement of the ops line, before every opening, and in every fence, all
 * sessions of the agent's own account that are not on a line's list are killed and seen gone. A fence ends
 * the ops line's session in the same way.
 *
 * Errors are in English with the remedy, fit for the operator. */
#ifndef MHA_DB_WORKER_ADAPTER_H
#define MHA_DB_WORKER_ADAPTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/db/settings.h"
#include "common/base/error.h"
#include "dbworker.pb-c.h"

#define VIEW_POSITION_BYTES 4096
#define VIEW_TEXT_BYTES 512
#define FINDINGS_MAX 32
#define ACKNOWLEDGERS_MAX 16

enum adapter_line {
    LINE_PROBE,
    LINE_OPS,
    LINE_CHECK,
    LINE_FENCE,
    LINE_SWEEP,
    LINE_LOG,
    LINE_DOUBT,
    LINE_PROBE_WRITE,
    LINE_NUDGE,
    LINE_NUDGE_LAST = LINE_NUDGE + 2,
    LINE_COUNT
};

struct adapter; /* one database, with one session per line */

/* Why a server owes an answer. */
struct doubt {
    Mha__DbTrouble kind;        /* DB_TROUBLE_NONE: it cannot be told */
    bool has_room;              /* of DISK_FULL: no longer, but the server has not looked since */
    char text[VIEW_TEXT_BYTES]; /* for a person; "": nothing seen */
};

/* What one look at the database shows. Everything is measured. */
struct db_view {
    char version[64];
    bool read_only;
    bool empty;
    bool started_to_follow;
    uint64_t written_epoch;
    unsigned acks;
    bool acks_enforced;
    /* Nodes whose own replication account may log in here; false: this server's accounts are not one per
     * node. */
    bool acknowledgers_known;
    unsigned acknowledger_count;
    char acknowledgers[ACKNOWLEDGERS_MAX][DB_NODE_BYTES];
    unsigned acknowledging_clients;
    unsigned waiting_commits;
    bool replicas_locked_out; /* no replica can connect until the commit rule is set anew */
    bool has_source;
    char source[DB_TEXT_BYTES + 8];
    bool receiving;
    bool receiver_stopped; /* seen stopped; true without replication */
    bool applying;
    bool drained;
    uint64_t lag_ms;
    bool standby_account;
    uint64_t received_log; /* where the receiver is in its source's log; 0: not known */
    bool acknowledging;
    /* What shows that the receiver has connected anew between two looks (MariaDB, tried on 10.11): its
     * acknowledgements are counted from 0 again, and it begins another relay log; the name of that is known
     * once the applier has come to it. */
    uint64_t acknowledgements_sent;
    char relay_log[128];
    bool standing_by;
    bool received_is_durable;
    bool foreign; /* no epoch record */
    /* Grows with each transaction of this server's own in its log, not with what it applies as a replica; 0:
     * not told. Growing while it is read-only: somebody writes all the same. */
    uint64_t own_writes;
    Mha__DbTrouble trouble_kind;
    bool write_refused; /* the write that was asked for, by the server's files rather than by a lock or a
                           right */
    char executed[VIEW_POSITION_BYTES]; /* canonical, agent/cluster/position.h */
    char received[VIEW_POSITION_BYTES];
    char trouble[VIEW_TEXT_BYTES]; /* "" = nothing */
};

/* Why a call should end early; set by the main thread at any time. */
enum adapter_stop { STOP_NONE, STOP_NEWER, STOP_DEADLINE, STOP_FENCE };

/* Shared by the main thread and the call's thread. */
struct adapter_call {
    atomic_int stop;                        /* enum adapter_stop */
    atomic_uint_fast64_t writable_until_us; /* the lease that an opening may rely on; 0: none */
    uint64_t deadline_us;
    bool spare_backups; /* close: given up rather than end a session that holds a backup's lock */
};

struct db_finding {
    char subject[64];
    char problem[256];
    char remedy[512];
    bool fatal;
};

struct db_findings {
    uint64_t server_id;
    unsigned count;
    struct db_finding items[FINDINGS_MAX];
};

/* What a preflight is to look at. */
struct check_request {
    bool booted_writable; /* how this start of the server was first seen */
    bool switchover; /* only what would stand in the way of a switchover now, as its source if the server is
                      * open, else as its target */
    const char *source_host; /* log in there as this node would to replicate; "": nowhere */
    unsigned source_port;
};

struct adapter_kind {
    const char *name; /* settings.kind */
    /* NULL: no memory. `settings` must outlive it. */
    struct adapter *(*create)(const struct db_settings *settings);
    void (*destroy)(struct adapter *adapter);

    /* ---- from any thread ---- */

    /* The call that blocks on `line` returns soon, with an error; its statement may go on in the server. */
    void (*interrupt)(struct adapter *adapter, enum adapter_line line);
    /* While refused, `line` may not connect. */
    void (*refuse)(struct adapter *adapter, enum adapter_line line, bool refused);

    /* ---- probe line ---- */

    /* `write`: if the server is writable, write a row too that no log sees. ERR_OK: the view is filled in.
     * ERR_BUSY: it lives but has no connection free. ERR_REFUSED: it answers, but not to our account. ERR_IO:
     * lost or not listening. */
    enum error_code (*probe)(struct adapter *adapter, bool write, struct db_view *view, struct error *err);

    /* ---- log line ---- */

    /* Answered once nobody who writes the server's log is at work: it hangs as commits do where the log's
     * device is full or hangs. `refused`: the log's file does not grow, so that commits are refused. NULL:
     * this adapter has no such question. */
    enum error_code (*ask_log)(struct adapter *adapter, bool *refused, struct error *err);
    /* Tells the source, by this node's own account, what was received: a commit there that waits for it,
     * since its acknowledgement was lost, goes on. NULL: this server does so itself when it connects. */
    enum error_code (*tell)(struct adapter *adapter, struct error *err);

    /* ---- doubt line ---- */

    /* Why the server owes an answer. Asks nothing that waits for a disk or a lock. NULL: this adapter cannot
     * tell. */
    enum error_code (*doubt)(struct adapter *adapter, struct doubt *out, struct error *err);

    /* ---- fence line ---- */

    /* Be connected, so that the next fence is quick. */
    enum error_code (*prepare_fence)(struct adapter *adapter, struct error *err);
    /* Read-only, then all clients' sessions and our own ops line ended and seen gone by
     * `deadline_us`. ERR_TIMEOUT or ERR_IO: not in time, the server must be killed. No session is killed
     * before read-only is confirmed: that would let a commit that waits for its acknowledgement go.
     * Acknowledgements stay demanded throughout. */
    enum error_code (*fence)(struct adapter *adapter, uint64_t deadline_us, struct error *err);

    /* Ends the sessions of all accounts but our own that can write though the server is read-only; `who`:
     * whose they were, "" if none was there. NULL: this server lets nobody write then. */
    enum error_code (*expel)(struct adapter *adapter, char *who, size_t size, struct error *err);

    /* ---- ops line; ERR_BUSY: stopped early, as asked ---- */

    /* Read-only with all clients gone by call->deadline_us, or writable as before (unless a fence or the
     * lease's end forbids it). */
    enum error_code (*close)(struct adapter *adapter, struct adapter_call *call, struct error *err);
    /* Receiver stopped and seen stopped, applier running. Done at once without replication. */
    enum error_code (*freeze)(struct adapter *adapter, struct adapter_call *call, struct error *err);
    /* All that was received is applied. */
    enum error_code (*drain)(struct adapter *adapter, struct adapter_call *call, struct error *err);
    /* Read-only, replicating from host:port: by this node's own account and acknowledging, or `standing_by`:
     * by the account of those whose acknowledgements never count, and giving none. Which of the two changes
     * only while the receiver is stopped. Nothing if it does so already. */
    enum error_code (*follow)(struct adapter *adapter, struct adapter_call *call, const char *host,
                              unsigned port, bool standing_by, struct error *err);
    /* Replication ended and forgotten, epoch record written, rule in force; still read-only. `position`: the
     * record's own, or if it was there before, the end of the log. */
    enum error_code (*promote)(struct adapter *adapter, struct adapter_call *call, uint64_t epoch,
                               unsigned acks, const char *node, char *position, size_t position_size,
                               struct error *err);
    /* Writable, if the newest epoch record is `epoch` and the lease lives. */
    enum error_code (*open)(struct adapter *adapter, struct adapter_call *call, uint64_t epoch,
                            struct error *err);
    /* Commits wait for `acks` acknowledgements; ERR_INVALID: this database cannot wait for that many. */
    enum error_code (*set_commit_rule)(struct adapter *adapter, struct adapter_call *call, unsigned acks,
                                       struct error *err);
    /* Whether acknowledgements of `node` count here: its account unlocked; or locked without logging, its
     * dump thread killed, and both seen done. ERR_INVALID: the accounts are not one per node. */
    enum error_code (*set_acknowledging)(struct adapter *adapter, struct adapter_call *call, const char *node,
                                         bool allowed, struct error *err);
    enum error_code (*check)(struct adapter *adapter, struct adapter_call *call,
                             const struct check_request *request, struct db_findings *out, struct error *err);
};

extern const struct adapter_kind adapter_mariadb, adapter_mysql;

/* By settings.kind; NULL: none. */
const struct adapter_kind *adapter_find(const char *kind);

#endif
