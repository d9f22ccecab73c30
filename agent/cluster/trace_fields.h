/* trace_fields.h - the names in a trace (trace.h): between trace.c and trace_replay.c. */
#ifndef MHA_CLUSTER_TRACE_FIELDS_H
#define MHA_CLUSTER_TRACE_FIELDS_H

#include "agent/cluster/trace.h"

/* The parts of the input that are told when they change, and where in struct policy_tracer. */
enum trace_part {
    TRACE_SETTINGS,
    TRACE_RAFT,
    TRACE_DB,
    TRACE_VIP,
    TRACE_NODES,
    TRACE_REPORTS = TRACE_NODES + POLICY_NODES_MAX
};

extern const struct field policy_trace_settings_fields[];
extern const struct field policy_trace_raft_fields[];
extern const struct field policy_trace_peer_fields[];
extern const struct field policy_trace_node_fields[];
extern const struct field policy_trace_decide_fields[];
extern const struct field policy_trace_output_fields[];
extern const struct field policy_trace_request_fields[];
#define POLICY_TRACE_COMMANDS CLUSTER_COMMANDS
extern const char *const policy_trace_commands[POLICY_TRACE_COMMANDS];
extern const struct field policy_trace_command_fields[]; /* but for its kind */
extern const struct field policy_trace_phases_fields[];

/* One part of the input, told if it is another than before. */
void policy_trace_settings(struct policy_tracer *tracer, uint64_t now_us,
                           const struct policy_settings *settings);
void policy_trace_raft(struct policy_tracer *tracer, uint64_t now_us, const struct raft_status *raft);
void policy_trace_db(struct policy_tracer *tracer, uint64_t now_us, const Mha__DbObservation *db);
void policy_trace_vip(struct policy_tracer *tracer, uint64_t now_us, const Mha__VipState *vip);
void policy_trace_node(struct policy_tracer *tracer, uint64_t now_us, unsigned i,
                       const struct policy_node *node);
/* What of the own report is the own observation is not told twice: `input` knows it. */
void policy_trace_report(struct policy_tracer *tracer, uint64_t now_us, unsigned i,
                         const Mha__NodeReport *report, const Mha__DbObservation *db,
                         const Mha__VipState *vip);

#endif
