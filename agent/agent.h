/* agent.h - the agent's thin edge around the policy: gather what is, let policy_decide answer, carry it out.
 *
 *   events (raft, worker, vipd, reports, timers, requests)
 *     -> agent_wake: one step per turn of the loop
 *     -> gather.c: struct policy_input
 *     -> policy_track, policy_decide (agent/cluster, pure)
 *     -> carry_out.c: leases, requests to the worker, commands, proposals, transfers
 *
 * Everything belongs to the one thread of the loop. */
#ifndef MHA_AGENT_AGENT_H
#define MHA_AGENT_AGENT_H

#include <event2/event.h>

#include "agent/cluster/trace.h"
#include "agent/command.h"
#include "agent/db/dbworker.h"
#include "agent/rebuild_child.h"
#include "agent/settings.h"
#include "agent/vip/vip.h"
#include "common/base/repeat.h"
#include "common/replica/replica.h"

struct agent_node {
    uint64_t id;
    Mha__AgentMessage *message; /* its newest report, unpacked; NULL: none */
    uint64_t reported_us;
};

struct agent {
    struct event_base *base;
    const struct agent_settings *settings;
    const char *config_path;
    const char *dbworker_program;
    char dbworker_lock[REPLICA_PATH_BYTES + 32];

    struct net *net;
    struct replica *replica;
    struct dbworker *worker; /* NULL between two */
    struct vip *vip;         /* NULL: no virtual IP configured */
    struct event *step;      /* the next turn's step, coalesced */
    struct event *timer;     /* the policy's deadline */
    struct event *report_timer;
    struct event *worker_timer; /* spawn the next worker */
    uint64_t worker_retry_us;
    bool worker_killed; /* for it hangs */

    struct rebuild_child *rebuild;
    uint64_t rebuild_id; /* of the one that runs or ran last here (cluster_aside.id) */
    unsigned rebuild_failures;
    uint64_t rebuild_again_us;                /* not before this */
    char set_aside[REPLICA_PATH_BYTES + 128]; /* where what this node had alone was saved last; "" */

    struct cluster_state state;
    struct policy_tracker tracker;
    struct trace *trace; /* every input and output of raft and the policy; NULL: none */
    struct policy_tracer tracer;
    struct raft_status raft;
    struct agent_node nodes[POLICY_NODES_MAX];
    unsigned node_count;

    /* the input of the policy, rebuilt before each decision; it points into all the above */
    struct policy_input input;
    struct policy_node policy_nodes[POLICY_NODES_MAX];
    Mha__NodeReport self_report;
    Mha__VipState self_vip;
    Mha__DbObservation no_observation;
    struct policy_output output; /* the last decision */

    uint64_t report_term;    /* of the last report sent */
    uint64_t proposed_index; /* 0: none open */
    uint64_t proposed_term;
    uint64_t applied_index;
    enum policy_db_op running_op;
    bool db_settled; /* the last operation of this worker was carried out */
    enum policy_db_op failed_op;
    uint64_t failed_term;
    uint64_t failed_us;
    char failed_error[ERROR_TEXT_BYTES];
    struct command *server_command;
    struct repeat start_said, start_failed; /* of a database that does not come up */
    uint64_t server_quiet_until_us;         /* no further start before this */
    uint64_t leased_epoch;                  /* what the worker and vipd were told last; 0: nothing */
    uint64_t leased_until_us;
    uint64_t vip_until_us; /* no lease that vipd was ever given ends later */
    uint64_t watched_until_us;
    uint64_t fence_again_us; /* a fence is ordered at this pace while it is wanted */

    uint64_t pause_proposed_us; /* when this agent proposed the pause that is in force; 0: it did not */
    bool resuming;              /* the leases are being shortened; then the resume is proposed */

    bool stopping;
    uint64_t stop_by_us;
    char last_waiting_for[CLUSTER_TEXT_BYTES];

    /* called after each step: requests of operators wait for what it changed */
    void (*stepped)(void *context);
    void *stepped_context;
    void (*read_done)(void *context, uint64_t read, bool done); /* of replica_read */
    /* an AgentMessage that is no report */
    void (*request)(void *context, uint64_t from, const Mha__AgentMessage *message);
    /* A rebuild waits for its donor: the answer to DonateRequest goes to rebuild_child_offer. */
    void (*ask_donor)(void *context, const char *donor, unsigned rate_mb);
    int exit_status;
};

enum error_code agent_start(struct agent *agent, struct event_base *base,
                            const struct agent_settings *settings, const char *config_path,
                            const char *dbworker_program, const char *rebuild_program, struct error *err);
/* Gives up what it holds, hands over, and ends the loop; bounded in time. */
void agent_stop(struct agent *agent);
void agent_free(struct agent *agent);

/* Unless one is there, or a rebuild has the database. */
void agent_spawn_worker(struct agent *agent);

/* A step in this turn of the loop. */
void agent_wake(struct agent *agent);
/* ERR_NOT_LEADER, ERR_BUSY. */
enum error_code agent_propose(struct agent *agent, const struct cluster_command *command, struct error *err);

/* ---- gather.c ---- */
void agent_gather(struct agent *agent);
void agent_take_report(struct agent *agent, uint64_t from,
                       Mha__AgentMessage *message); /* takes the message */
void agent_send_report(struct agent *agent);
struct agent_node *agent_find_node(struct agent *agent, uint64_t id); /* made when new; NULL: too many */

/* ---- carry_out.c ---- */
void agent_carry_out(struct agent *agent);

/* ---- rebuilding.c ---- */
enum error_code agent_rebuild_open(struct agent *agent, const char *program, struct error *err);
/* A rebuild runs or came to no end: no worker may look at the database. */
bool agent_rebuild_has_database(const struct agent *agent);
void agent_rebuild_gather(struct agent *agent);
void agent_rebuild_report(struct agent *agent, Mha__NodeReport *report);
void agent_rebuild_carry_out(struct agent *agent);

/* ---- apply.c ---- */
/* replica_callbacks.apply, pack_state and restore_state. */
enum error_code agent_apply(struct agent *agent, uint64_t index, const void *data, size_t size,
                            struct error *err);
bool agent_pack_state(struct agent *agent, uint8_t **out, size_t *size);
enum error_code agent_restore_state(struct agent *agent, uint64_t index, const void *data, size_t size,
                                    struct error *err);

#endif
