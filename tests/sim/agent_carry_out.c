#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent_internal.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/dbworker.h"
#include "tests/sim/rebuild.h"
#include "tests/sim/vip.h"

#define OP_TIMEOUT_US 30000000u
#define WATCH_INTERVAL_US 5000u
#define WATCH_US 500000u
#define SERVER_QUIET_US 1000000u
#define FENCE_PACE_US 100000u

/* ---- carry out ---- */

static uint64_t lease_until(const struct agent_model *agent)
{
    const struct cluster_pause *pause = &agent->state.pause;
    uint64_t until_us = agent->raft.lease_until_us;

    if (pause->id && agent->pause_proposed_us && !agent->resuming && pause->epoch == agent->raft.term &&
        agent->pause_proposed_us + pause->length_us > until_us)
        until_us = agent->pause_proposed_us + pause->length_us;
    return until_us;
}

static void give_leases(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    const struct policy_output *output = &agent->output;
    uint64_t until_us = output->lease_epoch ? lease_until(agent) : 0;
    bool news = output->lease_epoch != agent->leased_epoch || until_us != agent->leased_until_us;

    if (until_us == 0) {
        agent->leased_epoch = agent->leased_until_us = 0;
    } else if (news && agent->worker) {
        worker_send_lease(cluster, host, output->lease_epoch, until_us,
                          agent->state.pause.id && !agent->resuming);
        agent->leased_epoch = output->lease_epoch;
        agent->leased_until_us = until_us;
    }
    if (!cluster->config.has_vip)
        return;
    if (output->vip_hold && until_us) {
        vip_client_lease(cluster, host, output->lease_epoch, until_us);
        if (until_us > agent->vip_until_us)
            agent->vip_until_us = until_us;
    } else if (!output->vip_leave &&
               (vip_client_state(cluster, host)->held || vip_client_state(cluster, host)->deadline_us ||
                cluster_clock_us(cluster, host) < agent->vip_until_us || agent->state.pause.id)) {
        vip_client_release(cluster, host, agent->raft.term);
    }
}

void agent_op_done(struct cluster *cluster, unsigned host, const char *error)
{
    struct agent_model *agent = agent_of(cluster, host);
    enum policy_db_op op = agent->running_op;

    agent->db_settled = error[0] == '\0';
    agent->running_op = DB_OP_NONE;
    agent->running_id = 0;
    if (error[0] == '\0') {
        agent->failed_op = DB_OP_NONE;
    } else {
        agent->failed_op = op;
        agent->failed_term = agent->raft.term;
        agent->failed_us = cluster_clock_us(cluster, host);
        snprintf(agent->failed_error, sizeof agent->failed_error, "%s", error);
    }
    agent_wake(cluster, host);
}

static void on_op_timeout(struct cluster *cluster, unsigned host, const void *data)
{
    if (agent_of(cluster, host)->running_id == *(const uint64_t *)data)
        agent_op_done(cluster, host, "the dbworker has not answered in time");
}

static void send_fence(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host);

    if (now_us < agent->fence_again_us)
        return;
    agent->fence_again_us = now_us + FENCE_PACE_US;
    worker_send_fence(cluster, host, ++agent->next_id);
}

static unsigned host_by_name(const struct cluster *cluster, const char *name)
{
    unsigned host = 0;

    while (host < cluster->data_count && strcmp(cluster_host_name(cluster, host), name) != 0)
        host++;
    assert(host < cluster->data_count);
    return host;
}

static void send_op(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    const struct policy_output *output = &agent->output;
    struct worker_request request = {.op = output->db_op,
                                     .epoch = output->db_epoch,
                                     .acks = output->db_acks,
                                     .timeout_us = output->db_timeout_us};
    uint64_t timeout_us = OP_TIMEOUT_US + output->db_timeout_us;

    if (output->db_op == DB_OP_NONE)
        return;
    if (output->db_op == DB_OP_FENCE) {
        send_fence(cluster, host);
        return;
    }
    for (unsigned i = 0; i < output->db_name_count; i++)
        request.names |= 1u << host_by_name(cluster, output->db_names[i]);
    if (output->db_op == DB_OP_SET_ACKNOWLEDGING) {
        request.source = host_by_name(cluster, output->db_node);
        request.allowed = output->db_allowed;
    }
    if (output->db_op == DB_OP_FOLLOW) {
        request.source = host_by_name(cluster, output->db_host);
        request.standing_by = output->db_standing_by;
    }
    if (output->db_op == DB_OP_DRAIN)
        timeout_us += 3600000000u;
    request.id = ++agent->next_id;
    agent->running_op = output->db_op;
    agent->running_id = request.id;
    worker_send_request(cluster, host, &request);
    cluster_after(cluster, host, PROCESS_AGENT, timeout_us, on_op_timeout, &request.id, sizeof request.id);
    cluster_trace(cluster, host, "agent: operation %d, epoch %" PRIu64 ", acks %u", request.op, request.epoch,
                  request.acks);
}

static void watch_database(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host);

    if (!agent->output.db_watch || now_us + WATCH_US / 2 < agent->watched_until_us)
        return;
    worker_send_watch(cluster, host, WATCH_INTERVAL_US, WATCH_US);
    agent->watched_until_us = now_us + WATCH_US;
}

static void start_server(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);

    if (agent->output.server_op == SERVER_OP_NONE || agent->server_command || agent->stopping)
        return;
    agent->server_command = true;
    cluster_start_server(cluster, host, agent->output.server_op == SERVER_OP_START_TO_FOLLOW);
}

static void rebuild(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    const struct policy_output *output = &agent->output;

    if (output->rebuild_cancel)
        rebuild_cancel(cluster, host);
    if (!output->rebuild_from || cluster->hosts[host].rebuild.running || agent->stopping)
        return;
    agent->rebuild_id = output->rebuild_id;
    agent->rebuild_failed_us = 0;
    agent->rebuild_error[0] = '\0';
    rebuild_start(cluster, host, cluster_host_of(output->rebuild_from));
    if (agent->worker)
        worker_send_stop(cluster, host);
}

void agent_server_started(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);

    agent->server_command = false;
    agent->server_quiet_until_us = cluster_clock_us(cluster, host) + SERVER_QUIET_US;
    agent_wake(cluster, host);
}

enum raft_code agent_propose(struct cluster *cluster, unsigned host, const struct cluster_command *command)
{
    struct agent_model *agent = agent_of(cluster, host);
    uint8_t bytes[CLUSTER_COMMAND_BYTES_MAX];
    size_t size = cluster_command_pack(command, bytes, sizeof bytes);
    uint64_t index = 0, term = agent->raft.term;
    enum raft_code code;

    assert(size != 0);
    /* It may be committed within the call: a group of one. */
    code = world_propose(cluster->world, host, bytes, size, &index);
    if (code == RAFT_OK && agent_is_up(cluster, host)) {
        agent->proposed_index = index;
        agent->proposed_term = term;
    }
    return code;
}

static void move_leadership(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    const struct policy_output *output = &agent->output;

    if (agent->raft.role != RAFT_LEADER)
        return;
    if (output->end_lease && !agent->raft.lease_ended)
        world_end_lease(cluster->world, host);
    if (agent_is_up(cluster, host) && output->released) {
        cluster_check_released(cluster, host);
        world_release(cluster->world, host);
    }
    if (!agent_is_up(cluster, host))
        return;
    if (output->transfer_to)
        world_transfer(cluster->world, host, cluster_host_of(output->transfer_to));
    else if (output->renew_term)
        world_renew_term(cluster->world, host);
}

static void end_pause(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    const struct cluster_pause *pause = &agent->state.pause;
    uint64_t now_us = cluster_clock_us(cluster, host);
    uint64_t since_us = agent->pause_proposed_us ? agent->pause_proposed_us : agent->raft.leader_since_us;
    struct cluster_command command = {.kind = COMMAND_RESUME, .id = pause->id};

    if (!pause->id) {
        agent->resuming = false;
        if (!agent->proposed_index)
            agent->pause_proposed_us = 0;
        return;
    }
    if (pause->holder != cluster->world->nodes[host].id || agent->raft.role != RAFT_LEADER ||
        !agent->raft.ready)
        return;
    if (now_us >= since_us + pause->length_us)
        agent->resuming = true;
    if (!agent->resuming || agent->proposed_index)
        return;
    if (cluster->config.has_vip &&
        vip_client_state(cluster, host)->deadline_us > now_us + cluster->world->config.election_us)
        return;
    agent_propose(cluster, host, &command);
}

void agent_observed(struct cluster *cluster, unsigned host, const struct raft_status *status)
{
    const struct agent_model *agent = agent_of(cluster, host);
    bool news = status->role != agent->raft.role || status->term != agent->raft.term ||
                status->commit_index != agent->raft.commit_index || status->ready != agent->raft.ready;

    if (news || !agent->own_input)
        agent_wake(cluster, host);
}

void agent_carry_out(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    const struct policy_output *output = &agent->output;

    give_leases(cluster, host);
    if (agent->worker) {
        send_op(cluster, host);
        watch_database(cluster, host);
    }
    start_server(cluster, host);
    rebuild(cluster, host);
    if (output->propose && !agent->proposed_index)
        agent_propose(cluster, host, &output->command);
    agent->own_input = true;
    if (agent_is_up(cluster, host))
        move_leadership(cluster, host);
    agent->own_input = false;
    if (agent_is_up(cluster, host))
        end_pause(cluster, host);
    agent->own_input = true;
    if (agent_is_up(cluster, host) &&
        cluster->world->nodes[host].campaign_delay_us != output->campaign_delay_us)
        world_set_campaign_delay(cluster->world, host, output->campaign_delay_us);
    agent->own_input = false;
    if (agent_is_up(cluster, host) && strcmp(agent->last_waiting_for, output->waiting_for) != 0) {
        memcpy(agent->last_waiting_for, output->waiting_for, sizeof agent->last_waiting_for);
        if (output->waiting_for[0])
            cluster_trace(cluster, host, "agent: waiting: %s", output->waiting_for);
    }
}
