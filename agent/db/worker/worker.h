/* worker.h - mha4rdb-dbworker: one database's observer and the enforcer of the right to write to it.
 *
 * The main thread runs the loop and never blocks: the agent's socket, the deadlines, the pidfd of the server,
 * the `kill` command. What blocks runs in threads (task.h), one per line of the adapter. The files:
 * worker.c (start, the agent's socket, the end), worker_observe.c (probes, the server's process,
 * observations), worker_health.c (dead, hung or full), worker_fence.c (the lease's end and the ladder),
 * worker_request.c (the agent's operations), worker_check.c (its checks).
 *
 * Who may write is decided in one place, worker_judge (worker_fence.c): a server that is, or may be, writable
 * has the right to be so only under an opening whose lease lives. Everything else is fenced at once, but for
 * a server without any epoch record: it was never this cluster's, and what becomes of it the agent decides.
 */
#ifndef MHA_DB_WORKER_WORKER_H
#define MHA_DB_WORKER_WORKER_H

#include <event2/event.h>

#include "agent/db/settings.h"
#include "agent/db/worker/adapter.h"
#include "agent/db/worker/lease.h"
#include "agent/db/worker/pause_note.h"
#include "agent/db/worker/server_process.h"
#include "agent/db/worker/task.h"
#include "agent/db/worker/trouble.h"
#include "dbworker.pb-c.h"

#define WORKER_MESSAGE_BYTES 65536
/* Who has written to a closed server is ended, with all who could, for so long after. */
#define INTRUDED_US 10000000

/* Whether clients can write. */
enum writability { WRITABLE_UNKNOWN, WRITABLE_NO, WRITABLE_YES };

/* An operation of the agent's, as asked. */
struct operation {
    uint64_t id; /* 0: none */
    Mha__DbRequest__BodyCase kind;
    uint64_t epoch; /* freeze: the term */
    uint64_t timeout_us;
    unsigned acks;
    unsigned port;
    bool allowed;       /* set_acknowledging */
    bool standing_by;   /* follow */
    bool switchover;    /* check */
    bool spare_backups; /* close */
    char host[DB_TEXT_BYTES];
    char node[DB_TEXT_BYTES];
};

/* What a later look is compared with. */
struct closed_look {
    bool read_only;
    uint64_t own_writes;
    uint64_t began_us; /* 0: there was none of this incarnation */
};

/* What the fence's thread is busy with. */
enum fence_job { FENCE_JOB_PREPARE, FENCE_JOB_FENCE, FENCE_JOB_EXPEL };

struct worker {
    struct event_base *base;
    struct db_settings settings;
    const struct adapter_kind *kind;
    struct adapter *adapter;
    char node[DB_TEXT_BYTES]; /* this node's name, for the epoch record */

    int agent_fd; /* -1: the agent is gone */
    struct event *agent_event;
    struct event *terminate_event;
    bool ending;       /* no agent, or told to stop: exit once nothing needs a fence */
    bool told_to_stop; /* no lease counts any more, unless a pause is in force */

    /* what the database looked like last */
    Mha__DbState state;
    char state_text[VIEW_TEXT_BYTES]; /* why it is not up */
    struct db_view view;
    char *acknowledgers[ACKNOWLEDGERS_MAX]; /* into `view`, for an observation */
    bool has_view;                          /* of this incarnation */
    bool view_is_old;                       /* the last look found it alive, but could not look */
    uint64_t view_us;                       /* when that look began */
    struct server_process server;
    struct event *server_event;
    bool booted_writable; /* how this incarnation was first seen */
    bool adopted_once;    /* an open database is taken over only at the worker's own first look */
    enum writability writable;
    uint64_t settled_us;         /* looks that began before this say nothing about writability */
    uint64_t fenced_incarnation; /* read-only since it was confirmed there with no client left */

    /* probing */
    struct task probe_task;
    struct event *probe_timer;
    uint64_t probe_began_us; /* of the look under way, or the last */
    uint64_t unanswered_us;  /* since when the server owes an answer; 0: it does not */
    uint64_t wrote_us;       /* when the last write probe began */
    bool probe_again;        /* look again as soon as the present one ends */
    unsigned lost_in_a_row;
    bool probe_write; /* the job's argument and results */
    enum error_code probe_code;
    struct db_view probe_view;
    struct error probe_error;
    uint64_t watch_interval_us;
    uint64_t watch_until_us;

    /* health */
    struct trouble trouble;
    Mha__DbTrouble hung_kind;  /* while it hangs */
    uint64_t hung_us;          /* when it was seen to hang last; 0: never */
    Mha__DbTrouble write_kind; /* what the last look that wrote was told */
    char write_text[VIEW_TEXT_BYTES];
    unsigned writes_refused_in_a_row;
    struct task log_task;
    uint64_t log_began_us; /* when the log was asked last */
    uint64_t log_asked_us; /* since when the log owes an answer; 0: it does not */
    bool log_tells;        /* what is under way there is no question: it tells its source what it holds */
    uint64_t waited_us;    /* commits were last seen to wait for an acknowledgement; 0: never */
    bool told;             /* since the receiver began */
    uint64_t told_acknowledgements_sent; /* as the last look has shown them */
    char told_relay_log[128];
    bool commits_refused; /* as the log's answers show */
    bool log_job_refused; /* the job's results */
    enum error_code log_code;
    struct error log_error;
    struct task doubt_task;
    struct event *doubt_timer;
    uint64_t doubt_began_us;
    uint64_t doubted_us; /* when the last answer of the doubt line was asked for; 0: none */
    struct doubt doubt;
    enum error_code doubt_code; /* the job's results */
    struct doubt doubt_found;
    uint64_t intruded_us; /* somebody has written to the closed server; 0: nobody */
    char intruder[VIEW_TEXT_BYTES];
    char expelled[VIEW_TEXT_BYTES]; /* the job's result */

    /* remembered of commands, and reported as such */
    uint64_t source_epoch;
    uint64_t frozen_term;
    uint64_t frozen_us; /* looks that began before this may have missed what was received last */
    uint64_t position_epoch;
    char position[VIEW_POSITION_BYTES]; /* of the epoch record `position_epoch` */

    /* operations */
    struct task ops_task;
    struct event *ops_timer;
    struct operation running;
    struct operation pending;
    uint64_t operation_us; /* when the last one began, or ended */
    struct adapter_call call;
    enum error_code ops_code;
    struct error ops_error;
    char ops_position[VIEW_POSITION_BYTES];
    struct operation answering; /* done; its answer waits for a look that began after `answering_us` */
    uint64_t answering_us;
    bool answering_failed;

    /* checks: beside the operations, which do not wait for them */
    struct task check_task;
    struct event *check_timer;
    struct operation checking;
    struct operation check_pending;
    struct adapter_call check_call;
    enum error_code check_code; /* the job's results */
    struct error check_error;
    struct db_findings findings;

    /* fence */
    struct lease lease;
    struct pause_note note;
    struct event *lease_timer;
    struct task fence_task;
    enum fence_job fence_job;
    uint64_t prepared_us;
    bool fencing;
    unsigned fence_number;     /* of this fence */
    unsigned fence_job_number; /* of the fence that the job under way, or the last, is for */
    uint64_t fence_began_us;
    uint64_t fence_deadline_us; /* when SIGKILL takes over */
    struct event *fence_timer;
    enum error_code fence_code;
    struct error fence_error;
    uint64_t fence_asked; /* the request that waits for the end of this fence; 0: none */
    bool killing;
    pid_t kill_pid;
    int kill_pidfd;
    struct event *kill_event;
    uint64_t kill_began_us;
};

/* ---- worker.c ---- */

/* Runs until the end; the exit status. `lock_path` (NULL: none) is held by this process. */
int worker_run(const struct db_settings *settings, const char *node, int agent_fd, const char *lock_path);
/* To the agent; dropped if it does not read. */
void worker_send(struct worker *worker, Mha__DbReply *reply);
/* Takes what the agent has sent, and judges by it. */
void worker_listen(struct worker *worker);
/* Exits with 0 if an end is asked for and nothing needs to be enforced any more. */
void worker_end_if_done(struct worker *worker);

void worker_set_timer(struct event *timer, uint64_t at_us); /* absolute; 0: off */

/* ---- worker_observe.c ---- */

bool worker_observe_start(struct worker *worker);
/* Look now, or again as soon as the look under way ends. */
void worker_look(struct worker *worker);
void worker_watch(struct worker *worker, uint64_t interval_us, uint64_t duration_us);
/* Sends an observation, inside the answer that waits for it if there is one. */
void worker_report(struct worker *worker, uint64_t observed_us);
void worker_fill_observation(struct worker *worker, uint64_t observed_us, Mha__DbObservation *out);
/* Finds out who listens on the socket; false: nobody, and no process of it is known to live. */
bool worker_locate(struct worker *worker);

void worker_set_state(struct worker *worker, Mha__DbState state, const char *trouble);

/* ---- worker_health.c ---- */

bool worker_health_start(struct worker *worker);
/* Up or hung, and its trouble: after every look that was answered, and when an answer is missing. */
void worker_judge_health(struct worker *worker);
/* Be connected, so that a doubt does not depend on a free slot. */
void worker_prepare_doubt(struct worker *worker);
/* A look has begun, or was answered. */
void worker_expect_answer(struct worker *worker);
/* After a look: ask the log, or let a transaction follow those that wait, where that is due. */
void worker_ask_log(struct worker *worker);
/* After a look at a server that was closed before: has somebody written all the same? */
void worker_see_intruder(struct worker *worker, const struct closed_look *before);
/* The server has ended. */
void worker_forget_health(struct worker *worker);

/* ---- worker_fence.c ---- */

bool worker_fence_start(struct worker *worker);
/* It was never opened by us: nobody's right to write to it is ours to enforce. */
bool worker_leaves_alone(const struct worker *worker);
/* Compare what is with what may be: arm the lease's timer, or fence at once. After every look, lease and
 * operation. */
void worker_judge(struct worker *worker);
/* `deadline_us` 0: what the lease leaves, if it was opened under one. `id` of the request that is answered at
 * the end, in place of one before it; 0: none. */
void worker_fence(struct worker *worker, const char *reason, uint64_t deadline_us, uint64_t id);
void worker_server_gone(
    struct worker *worker); /* its process has ended, or nothing listens and none is known */
void worker_prepare_fence(struct worker *worker);
/* Ends the sessions of those who can write to a closed server, unless a fence is under way. */
void worker_expel(struct worker *worker);

/* ---- worker_check.c ---- */

bool worker_check_start(struct worker *worker);
/* Runs beside whatever else is under way. One at a time: a newer one takes the place of one that waits. */
void worker_check(struct worker *worker, const struct operation *operation);

/* ---- worker_request.c ---- */

/* With what is seen now. */
void worker_answer_error(struct worker *worker, uint64_t id, const char *text);

bool worker_request_start(struct worker *worker);
void worker_request(struct worker *worker, const Mha__DbRequest *request);
/* Ends the running operation early; a pending one waits. */
void worker_stop_operation(struct worker *worker, enum adapter_stop stop);
void worker_next_operation(struct worker *worker);
/* Whether an operation runs whose end decides about writability. */
bool worker_changes_writability(const struct worker *worker);

#endif
