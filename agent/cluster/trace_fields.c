#include "agent/cluster/trace_fields.h"

static const char *const roles[] = {"follower", "precandidate", "candidate", "leader"};
static const char *const acks_kinds[] = {"any", "count", "named"};
static const char *const db_ops[] = {[DB_OP_NONE] = "none",
                                     [DB_OP_FENCE] = "fence",
                                     [DB_OP_CLOSE] = "close",
                                     [DB_OP_FREEZE] = "freeze",
                                     [DB_OP_DRAIN] = "drain",
                                     [DB_OP_FOLLOW] = "follow",
                                     [DB_OP_PROMOTE] = "promote",
                                     [DB_OP_OPEN] = "open",
                                     [DB_OP_SET_COMMIT_RULE] = "rule",
                                     [DB_OP_SET_ACKNOWLEDGING] = "acknowledging"};
static const char *const server_ops[] = {"none", "start-in-place", "start-to-follow"};
const char *const policy_trace_commands[POLICY_TRACE_COMMANDS] = {
    [COMMAND_PROMOTE] = "promote",     [COMMAND_OPENED] = "opened",
    [COMMAND_SYNC] = "sync",           [COMMAND_SWITCHOVER] = "switchover",
    [COMMAND_PAUSE] = "pause",         [COMMAND_SWITCHOVER_END] = "switchover-end",
    [COMMAND_RESUME] = "resume",       [COMMAND_FORCE] = "force",
    [COMMAND_FORCE_END] = "force-end", [COMMAND_PHASES] = "phases",
    [COMMAND_ASIDE] = "aside",         [COMMAND_ASIDE_CANCEL] = "aside-cancel",
    [COMMAND_ASIDE_END] = "aside-end", [COMMAND_INIT] = "init",
    [COMMAND_INIT_END] = "init-end"};
static const char *const asides[] = {"rebuild", "drain", "init"};
static const char *const changes[] = {"first-start", "failover", "switchover", "restart", "forced"};

const struct field policy_trace_settings_fields[] = {
    FIELD(struct policy_settings, heartbeat_us, U64),
    FIELD(struct policy_settings, election_us, U64),
    FIELD(struct policy_settings, probe_timeout_us, U64),
    FIELD(struct policy_settings, has_vip, BOOL),
    FIELD_OF_ENUM(struct policy_settings, acks_kind, acks_kinds),
    FIELD(struct policy_settings, durability_available, BOOL),
    FIELD(struct policy_settings, lag_most_us, U64),
    FIELD(struct policy_settings, rejoin_auto, BOOL),
    FIELD_END};

const struct field policy_trace_raft_fields[] = {
    FIELD_OF_ENUM(struct raft_status, role, roles),   FIELD(struct raft_status, term, U64),
    FIELD(struct raft_status, leader, U64),           FIELD(struct raft_status, ready, BOOL),
    FIELD(struct raft_status, current, BOOL),         FIELD(struct raft_status, commit_index, U64),
    FIELD(struct raft_status, last_index, U64),       FIELD(struct raft_status, snapshot_index, U64),
    FIELD(struct raft_status, membership_index, U64), FIELD(struct raft_status, voter, BOOL),
    FIELD(struct raft_status, lease_until_us, U64),   FIELD(struct raft_status, lease_ended, BOOL),
    FIELD(struct raft_status, round_sent_us, U64),    FIELD(struct raft_status, leader_since_us, U64),
    FIELD(struct raft_status, heard_leader_us, U64),  FIELD(struct raft_status, campaign_us, U64),
    FIELD(struct raft_status, held_until_us, U64),    FIELD(struct raft_status, dropped_messages, U64),
    FIELD(struct raft_status, waits_for, TEXT),       FIELD_END};

const struct field policy_trace_peer_fields[] = {FIELD(struct raft_peer_status, id, U64),
                                                 FIELD(struct raft_peer_status, heard_us, U64),
                                                 FIELD(struct raft_peer_status, answered_sent_us, U64),
                                                 FIELD(struct raft_peer_status, match_index, U64),
                                                 FIELD(struct raft_peer_status, snapshot_bytes, U64),
                                                 FIELD_END};

const struct field policy_trace_node_fields[] = {FIELD(struct policy_node, id, U64),
                                                 FIELD(struct policy_node, name, TEXT),
                                                 FIELD(struct policy_node, arbiter, BOOL),
                                                 FIELD(struct policy_node, learner, BOOL),
                                                 FIELD(struct policy_node, self, BOOL),
                                                 FIELD(struct policy_node, outside, BOOL),
                                                 FIELD(struct policy_node, heard_us, U64),
                                                 FIELD(struct policy_node, reported_us, U64),
                                                 FIELD_END};

const struct field policy_trace_decide_fields[] = {FIELD(struct policy_input, vip_released_epoch, U64),
                                                   FIELD(struct policy_input, vip_until_us, U64),
                                                   FIELD(struct policy_input, db_busy, BOOL),
                                                   FIELD(struct policy_input, db_settled, BOOL),
                                                   FIELD_OF_ENUM(struct policy_input, failed_op, db_ops),
                                                   FIELD(struct policy_input, failed_us, U64),
                                                   FIELD(struct policy_input, failed_error, TEXT),
                                                   FIELD(struct policy_input, rebuilding, BOOL),
                                                   FIELD(struct policy_input, rebuild_unfinished, BOOL),
                                                   FIELD(struct policy_input, rebuild_id, U64),
                                                   FIELD(struct policy_input, rebuild_failed_us, U64),
                                                   FIELD(struct policy_input, rebuild_failures, UNSIGNED),
                                                   FIELD(struct policy_input, server_busy, BOOL),
                                                   FIELD(struct policy_input, proposal_pending, BOOL),
                                                   FIELD(struct policy_input, stopping, BOOL),
                                                   FIELD_END};

const struct field policy_trace_output_fields[] = {FIELD_OF_ENUM(struct policy_output, db_op, db_ops),
                                                   FIELD(struct policy_output, db_epoch, U64),
                                                   FIELD(struct policy_output, db_acks, UNSIGNED),
                                                   FIELD(struct policy_output, db_node, TEXT),
                                                   FIELD(struct policy_output, db_allowed, BOOL),
                                                   FIELD(struct policy_output, db_timeout_us, U64),
                                                   FIELD(struct policy_output, db_host, TEXT),
                                                   FIELD(struct policy_output, db_port, UNSIGNED),
                                                   FIELD(struct policy_output, db_standing_by, BOOL),
                                                   FIELD(struct policy_output, db_reason, TEXT),
                                                   FIELD(struct policy_output, db_watch, BOOL),
                                                   FIELD(struct policy_output, lease_epoch, U64),
                                                   FIELD(struct policy_output, vip_hold, BOOL),
                                                   FIELD(struct policy_output, vip_leave, BOOL),
                                                   FIELD_OF_ENUM(struct policy_output, server_op, server_ops),
                                                   FIELD(struct policy_output, rebuild_from, U64),
                                                   FIELD(struct policy_output, rebuild_id, U64),
                                                   FIELD(struct policy_output, rebuild_rate_mb, UNSIGNED),
                                                   FIELD(struct policy_output, rebuild_cancel, BOOL),
                                                   FIELD(struct policy_output, aside_over, U64),
                                                   FIELD(struct policy_output, propose, BOOL),
                                                   FIELD(struct policy_output, end_lease, BOOL),
                                                   FIELD(struct policy_output, released, BOOL),
                                                   FIELD(struct policy_output, renew_term, BOOL),
                                                   FIELD(struct policy_output, transfer_to, U64),
                                                   FIELD(struct policy_output, campaign_delay_us, U64),
                                                   FIELD(struct policy_output, promotable, BOOL),
                                                   FIELD_OF_CHARS(struct policy_output, waiting_for),
                                                   FIELD(struct policy_output, again_us, U64),
                                                   FIELD_END};

const struct field policy_trace_command_fields[] = {FIELD(struct cluster_command, node, U64),
                                                    FIELD(struct cluster_command, epoch, U64),
                                                    FIELD(struct cluster_command, replaces_epoch, U64),
                                                    FIELD(struct cluster_command, incarnation, U64),
                                                    FIELD(struct cluster_command, id, U64),
                                                    FIELD(struct cluster_command, timeout_us, U64),
                                                    FIELD(struct cluster_command, length_us, U64),
                                                    FIELD(struct cluster_command, old_primary_is_off, BOOL),
                                                    FIELD_OF_ENUM(struct cluster_command, aside, asides),
                                                    FIELD(struct cluster_command, donor, U64),
                                                    FIELD(struct cluster_command, rate_mb, UNSIGNED),
                                                    FIELD(struct cluster_command, by_operator, BOOL),
                                                    FIELD(struct cluster_command, discard_others, BOOL),
                                                    FIELD_OF_ENUM(struct cluster_command, change, changes),
                                                    FIELD_OF_CHARS(struct cluster_command, position),
                                                    FIELD_OF_CHARS(struct cluster_command, text),
                                                    FIELD_END};

const struct field policy_trace_phases_fields[] = {FIELD(struct cluster_phases, detected_us, U64),
                                                   FIELD(struct cluster_phases, elected_us, U64),
                                                   FIELD(struct cluster_phases, frozen_us, U64),
                                                   FIELD(struct cluster_phases, drained_us, U64),
                                                   FIELD(struct cluster_phases, promoted_us, U64),
                                                   FIELD(struct cluster_phases, announced_us, U64),
                                                   FIELD_END};

static const char *const requests[] = {"none",  "switchover", "failover", "pause", "resume",
                                       "leave", "rebuild",    "cancel",   "drain"};

const struct field policy_trace_request_fields[] = {FIELD_OF_ENUM(struct policy_request, kind, requests),
                                                    FIELD(struct policy_request, node, U64),
                                                    FIELD(struct policy_request, us, U64),
                                                    FIELD(struct policy_request, old_primary_is_off, BOOL),
                                                    FIELD(struct policy_request, discard_others, BOOL),
                                                    FIELD(struct policy_request, donor, U64),
                                                    FIELD(struct policy_request, rate_mb, UNSIGNED),
                                                    FIELD_END};
