/* agent.h - the agent of a simulated host: the glue of agent/gather.c, agent/carry_out.c and agent/agent.c
 * around the real policy, with the loop, the sockets and the replica replaced by the world's. */
#ifndef MHA_SIM_AGENT_H
#define MHA_SIM_AGENT_H

#include "tests/sim/cluster.h"

struct agent_model;

struct agent_model *agent_model_new(void);
void agent_model_free(struct cluster *cluster, struct agent_model *agent);

/* From the world: a life begins and ends. */
void agent_started(struct cluster *cluster, unsigned host);
void agent_stopped(struct cluster *cluster, unsigned host);
void agent_applied(struct cluster *cluster, unsigned host, const struct raft_entry *entry);
/* For snapshots. What is restored before its start counts from there. */
void *agent_save(struct cluster *cluster, unsigned host, size_t *size);
void agent_restored(struct cluster *cluster, unsigned host, uint64_t index, const void *state, size_t size);
void agent_wiped(struct cluster *cluster, unsigned host); /* while it is down */
void agent_wake(struct cluster *cluster, unsigned host);  /* a step in this turn of its loop */
/* After an input to raft. One of the agent's own wakes it only if that was news, as in common/replica. */
void agent_observed(struct cluster *cluster, unsigned host, const struct raft_status *status);

/* From the worker, vipd and the server's start command. */
void agent_deliver_reply(struct cluster *cluster, unsigned host, const void *bytes, size_t size,
                         uint64_t delay_us);
void agent_worker_gone(struct cluster *cluster, unsigned host, uint64_t delay_us);
void agent_vip_changed(struct cluster *cluster, unsigned host);
void agent_server_started(struct cluster *cluster, unsigned host);

void agent_rebuild_done(struct cluster *cluster, unsigned host, const char *error);

/* Told to stop (SIGTERM): gives up, hands over, ends. */
void agent_tell_to_stop(struct cluster *cluster, unsigned host);

/* Operators' requests, made on the leader; false: refused, `error` says why. `to` == node_count: the best. */
enum agent_request {
    REQUEST_SWITCHOVER,
    REQUEST_FAILOVER,
    REQUEST_FAILOVER_OFF,
    REQUEST_PAUSE,
    REQUEST_RESUME,
    REQUEST_REBUILD,
    REQUEST_CANCEL,
    REQUEST_DRAIN,
    REQUEST_INIT,
    REQUEST_INIT_DISCARD
};
bool agent_request(struct cluster *cluster, unsigned host, enum agent_request request, unsigned to,
                   uint64_t time_us, char *error, size_t error_size);

/* Asked of the leader, before a member is removed. */
bool agent_may_leave(struct cluster *cluster, unsigned host, uint64_t id);

/* For checkers and stories. */
const struct cluster_state *agent_state(const struct cluster *cluster, unsigned host);
const char *agent_waiting_for(const struct cluster *cluster, unsigned host);
/* What `mhactl status` says there, as of its last step. */
void agent_summary(const struct cluster *cluster, unsigned host, char *summary, size_t summary_size,
                   char *if_one_fails, size_t if_one_fails_size);
uint64_t agent_applied_index(const struct cluster *cluster, unsigned host);

#endif
