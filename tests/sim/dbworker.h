/* dbworker.h - the model of mha4rdb-dbworker, after agent/db/worker: what it looks at and when, what it
 * remembers, one operation at a time in statements that take time and may outlive it, the lease (the real
 * agent/db/worker/lease.c), the fence with SIGKILL as its last rung, and what it does when its agent is gone.
 *
 * All instants are of the host's clock.  */
#ifndef MHA_SIM_DBWORKER_H
#define MHA_SIM_DBWORKER_H

#include "agent/db/worker/lease.h"
#include "tests/sim/database.h"

enum writability { WRITABLE_UNKNOWN, WRITABLE_NO, WRITABLE_YES };

struct worker_request {
    uint64_t id; /* 0: none */
    enum policy_db_op op;
    uint64_t epoch; /* freeze: the term */
    unsigned acks;
    unsigned source;  /* follow; set_acknowledging: whose */
    unsigned names;   /* promote, set_commit_rule: hosts, as bits */
    bool allowed;     /* set_acknowledging */
    bool standing_by; /* follow */
    uint64_t timeout_us;
};

/* One look at the server. */
struct worker_view {
    bool read_only, empty, foreign, started_to_follow;
    uint64_t written_epoch;
    unsigned acks, waiting;
    unsigned acknowledgers; /* hosts, as bits */
    bool has_source, receiving, receiver_stopped, applying, drained, acknowledging, standing_by;
    unsigned acknowledging_clients;
    unsigned source;
    char executed[512], received[512], trouble[96];
    uint64_t received_log;
};

struct worker_model {
    struct lease lease;
    uint64_t agent_life; /* of the agent that it belongs to */
    bool ending;         /* no agent, or told to stop */
    bool told_to_stop;
    Mha__DbState state;
    char trouble[128];

    struct worker_view view, sampled;
    bool has_view;
    uint64_t view_us;
    uint64_t incarnation; /* of the server that it watches, or did */
    bool attached;
    enum writability writable;
    uint64_t settled_us;
    uint64_t fenced_incarnation;
    bool adopted_once;

    bool probing, probe_again, probe_write;
    uint64_t probe_began_us, unanswered_us;
    uint64_t watch_interval_us, watch_until_us;
    struct cluster_timer probe_timer, hung_timer;

    uint64_t source_epoch, frozen_term, position_epoch;
    char position[512];

    struct worker_request running, pending, answering;
    uint64_t answering_us;
    bool answering_failed;
    unsigned stage;
    uint64_t op_deadline_us;
    uint64_t statement; /* of the running operation, under way in the server */
    bool swept;         /* no statement of an earlier worker is left */
    char error[128];
    struct cluster_timer ops_timer;

    bool fencing, killing;
    uint64_t fence_began_us, fence_deadline_us;
    uint64_t fence_asked; /* 0: none */
    struct cluster_timer lease_timer, fence_timer;

    /* in the server, whichever worker began it; cleared by its death */
    uint64_t swept_below; /* statements with a lower number are killed */
    uint64_t last_statement;
    /* on its disk */
    uint64_t note_epoch, note_deadline_us; /* the lease of a pause; 0: none */
};

struct worker_model *worker_model_new(void);
/* A new process, child of the running agent. Waits for the lock while an earlier one lives. */
void worker_spawn(struct cluster *cluster, unsigned host);
void worker_agent_gone(struct cluster *cluster, unsigned host);   /* end of file */
void worker_killed(struct cluster *cluster, unsigned host);       /* its process is gone */
void worker_server_event(struct cluster *cluster, unsigned host); /* the server's pidfd, soon */

/* From the agent's side of the socket; each takes its time. */
void worker_send_lease(struct cluster *cluster, unsigned host, uint64_t epoch, uint64_t deadline_us,
                       bool paused);
void worker_send_fence(struct cluster *cluster, unsigned host, uint64_t id);
void worker_send_watch(struct cluster *cluster, unsigned host, uint64_t interval_us, uint64_t duration_us);
void worker_send_request(struct cluster *cluster, unsigned host, const struct worker_request *request);
void worker_send_stop(struct cluster *cluster, unsigned host);

/* ---- between dbworker.c (looks, talks, lives), dbworker_ops.c, dbworker_statements.c, dbworker_fence.c ----
 */
#define WORKER_POLL_US 1000u /* a statement that waits is asked again */

enum worker_outcome { OUTCOME_NEXT, OUTCOME_DONE, OUTCOME_WAIT, OUTCOME_FAIL };
/* The next statement of the running operation. */
enum worker_outcome worker_carry_out(struct cluster *cluster, unsigned host);
/* The gentle rungs of the fence, and what a planned stop of the writes does. */
enum worker_outcome worker_close_server(struct cluster *cluster, unsigned host, bool planned);
void worker_set_rule(struct cluster *cluster, unsigned host, const struct worker_request *request);
void worker_give_up(struct cluster *cluster, unsigned host, const char *why);
void worker_set_timer(struct cluster *cluster, unsigned host, struct cluster_timer *timer, uint64_t at_us,
                      cluster_call call);
/* In a timer's call: false when it was set anew meanwhile. */
bool worker_timer_is_due(struct cluster *cluster, unsigned host, struct cluster_timer *timer,
                         cluster_call call, const void *data);
void worker_keep_note(struct cluster *cluster, unsigned host, bool paused);
void worker_look(struct cluster *cluster, unsigned host);
void worker_report(struct cluster *cluster, unsigned host, uint64_t observed_us);
void worker_answer(struct cluster *cluster, unsigned host, uint64_t id, const char *error);
void worker_server_gone(struct cluster *cluster, unsigned host);
bool worker_locate(struct cluster *cluster, unsigned host);
void worker_end_if_done(struct cluster *cluster, unsigned host);
void worker_judge(struct cluster *cluster, unsigned host);
void worker_fence(struct cluster *cluster, unsigned host, const char *reason, uint64_t deadline_us,
                  uint64_t id);
void worker_take_request(struct cluster *cluster, unsigned host, const struct worker_request *request);
void worker_next_operation(struct cluster *cluster, unsigned host);
void worker_operation_lost(struct cluster *cluster, unsigned host);
bool worker_changes_writability(const struct worker_model *worker);
void worker_server_statements_end(struct worker_model *worker); /* the server died with all its sessions */

#endif
