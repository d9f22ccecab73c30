/* What the files of the agent's model share: agent.c (its life, its steps, its worker), agent_gather.c (what
 * it knows and reports, after agent/gather.c), agent_carry_out.c (what it does, after agent/carry_out.c). */
#ifndef MHA_SIM_AGENT_INTERNAL_H
#define MHA_SIM_AGENT_INTERNAL_H

#include "agent/cluster/trace.h"
#include "common/base/error.h"
#include "tests/sim/agent.h"

struct heard {
    uint64_t id;
    Mha__AgentMessage *message;
    struct room *room;
    uint64_t reported_us;
};

struct agent_model {
    struct cluster_state state;
    struct cluster_state *restored; /* from the snapshot on its disk, before it starts; NULL: none */
    uint64_t restored_index;
    struct policy_tracker tracker;
    struct policy_tracer tracer;
    struct raft_status raft;
    struct heard heard[WORLD_NODES_MAX];
    Mha__DbReply *newest; /* of this worker */
    struct room *newest_room;
    bool worker; /* there is one */
    uint64_t worker_life;
    uint64_t worker_retry_us;

    struct policy_input input;
    struct policy_node nodes[POLICY_NODES_MAX];
    Mha__NodeReport self_report;
    Mha__VipState self_vip;
    Mha__DbObservation no_observation;
    struct policy_output output;

    bool step_due;
    struct cluster_timer timer;
    uint64_t report_term;
    uint64_t proposed_index, proposed_term, applied_index;
    bool db_settled;
    enum policy_db_op running_op, failed_op;
    uint64_t running_id, next_id;
    uint64_t failed_term, failed_us;
    char failed_error[ERROR_TEXT_BYTES];
    bool server_command;
    uint64_t server_quiet_until_us;
    uint64_t leased_epoch, leased_until_us, vip_until_us;
    uint64_t watched_until_us, fence_again_us;
    uint64_t pause_proposed_us;
    bool resuming;
    uint64_t rebuild_id, rebuild_failed_us;
    unsigned rebuild_failures;
    char rebuild_error[64];
    Mha__RebuildState rebuild_report;
    bool stopping;
    uint64_t stop_by_us;
    bool own_input; /* to raft, under way */
    char last_waiting_for[CLUSTER_TEXT_BYTES];
};

static inline struct agent_model *agent_of(const struct cluster *cluster, unsigned host)
{
    return cluster->hosts[host].agent;
}

static inline bool agent_is_up(const struct cluster *cluster, unsigned host)
{
    return cluster->world->nodes[host].up;
}

/* ---- agent_gather.c ---- */
void agent_read_raft(struct cluster *cluster, unsigned host);
void agent_gather(struct cluster *cluster, unsigned host);
void agent_send_report(struct cluster *cluster, unsigned host);
void agent_start_reporting(struct cluster *cluster, unsigned host);           /* once a heartbeat */
void agent_forget_worker(struct cluster *cluster, struct agent_model *agent); /* what it said */
/* ---- agent_carry_out.c ---- */
void agent_carry_out(struct cluster *cluster, unsigned host);
enum raft_code agent_propose(struct cluster *cluster, unsigned host, const struct cluster_command *command);
void agent_op_done(struct cluster *cluster, unsigned host, const char *error);

#endif
