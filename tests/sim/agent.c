#include "tests/sim/agent.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cluster/trace.h"
#include "common/base/error.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/dbworker.h"
#include "tests/sim/vip.h"

#define TURN_US 20u /* until the loop comes round */
#define OP_TIMEOUT_US 30000000u
#define WATCH_INTERVAL_US 5000u
#define WATCH_US 500000u
#define SERVER_QUIET_US 1000000u
#define FENCE_PACE_US 100000u
#define WORKER_RETRY_LEAST_US 20000u
#define WORKER_RETRY_MOST_US 1000000u
#define STOP_US 5000000u

struct agent_model {
    struct cluster_state state;
    struct policy_tracker tracker;
    struct policy_tracer tracer;
    struct raft_status raft;
    struct {
        Mha__AgentMessage *message;
        uint64_t reported_us;
    } heard[WORLD_NODES_MAX];
    Mha__DbReply *newest; /* of this worker */
    bool worker;          /* there is one */
    uint64_t worker_life;
    uint64_t worker_retry_us;

    struct policy_input input;
    struct policy_node nodes[POLICY_NODES_MAX];
    Mha__NodeReport self_report;
    Mha__VipState self_vip;
    Mha__DbObservation no_observation;
    struct policy_output output;

    bool step_due;
    uint64_t timer_generation;
    uint64_t report_term;
    uint64_t proposed_index, proposed_term, applied_index;
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
    bool stopping;
    uint64_t stop_by_us;
    bool own_input; /* to raft, under way */
    char last_waiting_for[CLUSTER_TEXT_BYTES];
};

static struct agent_model *agent_of(const struct cluster *cluster, unsigned host)
{
    return cluster->hosts[host].agent;
}

static bool is_up(const struct cluster *cluster, unsigned host)
{
    return cluster->world->nodes[host].up;
}

struct agent_model *agent_model_new(void)
{
    struct agent_model *agent = calloc(1, sizeof *agent);

    assert(agent != NULL);
    return agent;
}

static void forget(struct agent_model *agent)
{
    for (unsigned i = 0; i < WORLD_NODES_MAX; i++)
        if (agent->heard[i].message)
            mha__agent_message__free_unpacked(agent->heard[i].message, NULL);
    if (agent->newest)
        mha__db_reply__free_unpacked(agent->newest, NULL);
    policy_tracer_end(&agent->tracer);
    memset(agent, 0, sizeof *agent);
}

void agent_model_free(struct agent_model *agent)
{
    forget(agent);
    free(agent);
}

const struct cluster_state *agent_state(const struct cluster *cluster, unsigned host)
{
    return &agent_of(cluster, host)->state;
}

const char *agent_waiting_for(const struct cluster *cluster, unsigned host)
{
    return agent_of(cluster, host)->output.waiting_for;
}

void agent_summary(const struct cluster *cluster, unsigned host, char *summary, size_t summary_size,
                   char *if_one_fails, size_t if_one_fails_size)
{
    policy_summary(&agent_of(cluster, host)->input, summary, summary_size, if_one_fails, if_one_fails_size);
}

uint64_t agent_applied_index(const struct cluster *cluster, unsigned host)
{
    return agent_of(cluster, host)->applied_index;
}

/* ---- gather ---- */

static const Mha__DbObservation *own_observation(struct cluster *cluster, unsigned host, uint64_t now_us)
{
    struct agent_model *agent = agent_of(cluster, host);
    const Mha__DbObservation *db = agent->worker && agent->newest ? agent->newest->observation : NULL;

    if (!db || (now_us > db->observed_us && now_us - db->observed_us > cluster->config.probe_timeout_us * 2))
        return NULL;
    return db;
}

static void fill_self(struct cluster *cluster, unsigned host, uint64_t now_us)
{
    struct agent_model *agent = agent_of(cluster, host);
    const Mha__DbObservation *db = own_observation(cluster, host, now_us);
    Mha__NodeReport *report = &agent->self_report;

    mha__node_report__init(report);
    report->term = agent->raft.term;
    report->database = (Mha__DbObservation *)(db ? db : &agent->no_observation);
    report->database_host = (char *)cluster_host_name(cluster, host);
    report->database_port = 3306;
    report->promotable = agent->output.promotable;
    report->waiting_for = agent->output.waiting_for;
    agent->input.db = db;
    agent->input.vip = NULL;
    if (cluster->config.has_vip) {
        const struct vip_known *vip = vip_client_state(cluster, host);
        mha__vip_state__init(&agent->self_vip);
        agent->self_vip.held = vip->held;
        agent->self_vip.epoch = vip->epoch;
        agent->self_vip.deadline_us = vip->deadline_us;
        agent->self_vip.link_up = vip->link_up;
        agent->self_vip.conflict = vip->conflict;
        report->vip = &agent->self_vip;
        if (vip->connected)
            agent->input.vip = &agent->self_vip;
        agent->input.vip_released_epoch = vip->released_epoch;
        agent->input.vip_until_us = agent->vip_until_us;
    }
}

static void read_raft(struct cluster *cluster, unsigned host)
{
    struct world_node *node = &cluster->world->nodes[host];

    raft_trace_status(&node->tracer, node->raft, cluster_clock_us(cluster, host),
                      &agent_of(cluster, host)->raft);
}

static const enum policy_acks_kind acks_kinds[SERVER_KINDS] = {
    [SERVER_ONE_WAIT] = ACKS_ANY, [SERVER_K_WAIT] = ACKS_COUNT, [SERVER_NAMED_WAIT] = ACKS_NAMED};

static void gather(struct cluster *cluster, unsigned host)
{
    struct world *world = cluster->world;
    struct agent_model *agent = agent_of(cluster, host);
    struct policy_input *input = &agent->input;
    uint64_t now_us = cluster_clock_us(cluster, host);

    read_raft(cluster, host);
    memset(input, 0, sizeof *input);
    input->now_us = now_us;
    input->settings =
        (struct policy_settings){.heartbeat_us = world->config.heartbeat_us,
                                 .election_us = world->config.election_us,
                                 .probe_timeout_us = cluster->config.probe_timeout_us,
                                 .has_vip = cluster->config.has_vip,
                                 .acks_kind = acks_kinds[cluster->config.kind],
                                 .received_is_durable = cluster->config.kind != SERVER_ONE_WAIT};
    input->raft = &agent->raft;
    input->state = &agent->state;
    input->nodes = agent->nodes;
    fill_self(cluster, host, now_us);
    for (unsigned i = 0; i < world->node_count; i++) {
        struct policy_node *node = &agent->nodes[input->node_count++];
        *node = (struct policy_node){.id = world->nodes[i].id,
                                     .name = world->nodes[i].name,
                                     .arbiter = world->nodes[i].kind == RAFT_ARBITER,
                                     .self = i == host,
                                     .heard_us = i == host ? now_us : world->nodes[host].heard_us[i]};
        if (i == host) {
            input->self = node;
            node->report = &agent->self_report;
            node->reported_us = now_us;
        } else if (agent->heard[i].message) {
            node->report = agent->heard[i].message->report;
            node->reported_us = agent->heard[i].reported_us;
        }
    }
    if (agent->proposed_index &&
        (agent->applied_index >= agent->proposed_index || agent->proposed_term != agent->raft.term))
        agent->proposed_index = 0;
    if (agent->failed_term != agent->raft.term)
        agent->failed_op = DB_OP_NONE;
    input->db_busy = agent->running_op != DB_OP_NONE || !agent->worker;
    input->failed_op = agent->failed_op;
    input->failed_us = agent->failed_us;
    input->failed_error = agent->failed_error;
    input->server_busy = agent->server_command || now_us < agent->server_quiet_until_us;
    input->proposal_pending = agent->proposed_index != 0;
    input->stopping = agent->stopping;
}

/* ---- reports ---- */

struct report {
    unsigned from;
    size_t size;
    uint8_t bytes[2048];
};

static void on_report(struct cluster *cluster, unsigned host, const void *data)
{
    struct agent_model *agent = agent_of(cluster, host);
    const struct report *report = data;
    Mha__AgentMessage *message = mha__agent_message__unpack(NULL, report->size, report->bytes);

    assert(message != NULL);
    if (agent->heard[report->from].message)
        mha__agent_message__free_unpacked(agent->heard[report->from].message, NULL);
    agent->heard[report->from].message = message;
    agent->heard[report->from].reported_us = cluster_clock_us(cluster, host);
    cluster->world->nodes[host].heard_us[report->from] = agent->heard[report->from].reported_us;
    agent_wake(cluster, host);
}

static void send_report(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    Mha__AgentMessage message = MHA__AGENT_MESSAGE__INIT;
    struct report report = {.from = host};

    read_raft(cluster, host);
    fill_self(cluster, host, cluster_clock_us(cluster, host));
    message.body_case = MHA__AGENT_MESSAGE__BODY_REPORT;
    message.report = &agent->self_report;
    report.size = mha__agent_message__get_packed_size(&message);
    assert(report.size <= sizeof report.bytes);
    mha__agent_message__pack(&message, report.bytes);
    for (unsigned i = 0; i < cluster->data_count; i++)
        if (i != host && cluster_linked(cluster, host, i) &&
            !world_chance(cluster->world, cluster->config.world.loss_permille))
            cluster_after(cluster, i, PROCESS_AGENT, cluster_net_delay_us(cluster), on_report, &report,
                          offsetof(struct report, bytes) + report.size);
    agent->report_term = agent->raft.term;
}

static void on_report_timer(struct cluster *cluster, unsigned host, const void *data)
{
    send_report(cluster, host);
    cluster_after(cluster, host, PROCESS_AGENT, cluster->world->config.heartbeat_us, on_report_timer, data,
                  0);
}

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
                cluster_clock_us(cluster, host) < agent->vip_until_us)) {
        vip_client_release(cluster, host, agent->raft.term);
    }
}

static void op_done(struct cluster *cluster, unsigned host, const char *error)
{
    struct agent_model *agent = agent_of(cluster, host);
    enum policy_db_op op = agent->running_op;

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
        op_done(cluster, host, "the dbworker has not answered in time");
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
    if (output->db_op == DB_OP_FOLLOW)
        request.source = host_by_name(cluster, output->db_host);
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

void agent_server_started(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);

    agent->server_command = false;
    agent->server_quiet_until_us = cluster_clock_us(cluster, host) + SERVER_QUIET_US;
    agent_wake(cluster, host);
}

static enum raft_code propose(struct cluster *cluster, unsigned host, const struct cluster_command *command)
{
    struct agent_model *agent = agent_of(cluster, host);
    uint8_t bytes[CLUSTER_COMMAND_BYTES_MAX];
    size_t size = cluster_command_pack(command, bytes, sizeof bytes);
    uint64_t index = 0, term = agent->raft.term;
    enum raft_code code;

    assert(size != 0);
    /* It may be committed within the call: a group of one. */
    code = world_propose(cluster->world, host, bytes, size, &index);
    if (code == RAFT_OK && is_up(cluster, host)) {
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
    if (is_up(cluster, host) && output->released) {
        cluster_check_released(cluster, host);
        world_release(cluster->world, host);
    }
    if (!is_up(cluster, host))
        return;
    if (output->transfer_to)
        world_transfer(cluster->world, host, (unsigned)output->transfer_to - 1);
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
    propose(cluster, host, &command);
}

void agent_observed(struct cluster *cluster, unsigned host, const struct raft_status *status)
{
    const struct agent_model *agent = agent_of(cluster, host);
    bool news = status->role != agent->raft.role || status->term != agent->raft.term ||
                status->commit_index != agent->raft.commit_index || status->ready != agent->raft.ready;

    if (news || !agent->own_input)
        agent_wake(cluster, host);
}

static void carry_out(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    const struct policy_output *output = &agent->output;

    give_leases(cluster, host);
    if (agent->worker) {
        send_op(cluster, host);
        watch_database(cluster, host);
    }
    start_server(cluster, host);
    if (output->propose && !agent->proposed_index)
        propose(cluster, host, &output->command);
    agent->own_input = true;
    if (is_up(cluster, host))
        move_leadership(cluster, host);
    agent->own_input = false;
    if (is_up(cluster, host))
        end_pause(cluster, host);
    agent->own_input = true;
    if (is_up(cluster, host) && cluster->world->nodes[host].campaign_delay_us != output->campaign_delay_us)
        world_set_campaign_delay(cluster->world, host, output->campaign_delay_us);
    agent->own_input = false;
    if (is_up(cluster, host) && strcmp(agent->last_waiting_for, output->waiting_for) != 0) {
        memcpy(agent->last_waiting_for, output->waiting_for, sizeof agent->last_waiting_for);
        if (output->waiting_for[0])
            cluster_trace(cluster, host, "agent: waiting: %s", output->waiting_for);
    }
}

/* ---- a step ---- */

static bool stop_is_complete(struct cluster *cluster, unsigned host)
{
    const struct agent_model *agent = agent_of(cluster, host);
    const struct cluster_pause *pause = &agent->state.pause;
    bool address_gone = !cluster->config.has_vip || !vip_client_state(cluster, host)->held;

    if (cluster_clock_us(cluster, host) >= agent->stop_by_us ||
        (pause->id && pause->holder == cluster->world->nodes[host].id))
        return true;
    if (agent->raft.role == RAFT_LEADER && policy_has_successor(&agent->input))
        return false;
    return address_gone && (!agent->input.db || !agent->input.db->open);
}

static void end_hung_worker(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    const Mha__DbObservation *db = agent->worker && agent->newest ? agent->newest->observation : NULL;

    if (db && cluster_clock_us(cluster, host) > db->observed_us + 3 * cluster->config.probe_timeout_us &&
        agent->worker_life == cluster->hosts[host].processes[PROCESS_WORKER].life)
        cluster_kill(cluster, host, PROCESS_WORKER);
}

static void on_timer(struct cluster *cluster, unsigned host, const void *data);

static void step(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    uint64_t now_us, delay_us = 1000;

    end_hung_worker(cluster, host);
    gather(cluster, host);
    policy_trace_decide(&agent->tracer, &agent->tracker, &agent->input, &agent->output);
    carry_out(cluster, host);
    if (!is_up(cluster, host))
        return;
    if (agent->raft.term != agent->report_term)
        send_report(cluster, host);
    now_us = cluster_clock_us(cluster, host);
    if (agent->output.again_us > now_us)
        delay_us = agent->output.again_us - now_us;
    agent->timer_generation++;
    if (agent->stopping && stop_is_complete(cluster, host)) {
        cluster_agent_stop(cluster, host);
        return;
    }
    cluster_after(cluster, host, PROCESS_AGENT, delay_us, on_timer, &agent->timer_generation,
                  sizeof agent->timer_generation);
}

static void on_timer(struct cluster *cluster, unsigned host, const void *data)
{
    if (agent_of(cluster, host)->timer_generation == *(const uint64_t *)data &&
        !agent_of(cluster, host)->step_due)
        step(cluster, host);
}

static void on_turn(struct cluster *cluster, unsigned host, const void *data)
{
    (void)data;
    agent_of(cluster, host)->step_due = false;
    step(cluster, host);
}

void agent_wake(struct cluster *cluster, unsigned host)
{
    if (agent_of(cluster, host)->step_due)
        return;
    agent_of(cluster, host)->step_due = true;
    cluster_after(cluster, host, PROCESS_AGENT, TURN_US, on_turn, NULL, 0);
}

/* ---- the worker ---- */

static void spawn(struct cluster *cluster, unsigned host, const void *data)
{
    struct agent_model *agent = agent_of(cluster, host);

    if (agent->stopping)
        return;
    if (cluster_up(cluster, host, PROCESS_WORKER)) { /* waits for the lock of an earlier agent's worker */
        cluster_after(cluster, host, PROCESS_AGENT, 1000, spawn, data, 0);
        return;
    }
    worker_spawn(cluster, host);
    agent->worker = true;
    agent->worker_life = cluster->hosts[host].processes[PROCESS_WORKER].life;
    if (agent->leased_epoch)
        worker_send_lease(cluster, host, agent->leased_epoch, agent->leased_until_us,
                          agent->state.pause.id != 0);
    agent_wake(cluster, host);
}

struct reply {
    uint64_t worker_life;
    size_t size;
    uint8_t bytes[4096];
};

static void on_reply(struct cluster *cluster, unsigned host, const void *data)
{
    struct agent_model *agent = agent_of(cluster, host);
    const struct reply *message = data;
    Mha__DbReply *reply;

    if (!agent->worker || agent->worker_life != message->worker_life)
        return;
    reply = mha__db_reply__unpack(NULL, message->size, message->bytes);
    assert(reply != NULL && reply->observation != NULL);
    if (agent->newest)
        mha__db_reply__free_unpacked(agent->newest, NULL);
    agent->newest = reply;
    agent->worker_retry_us = WORKER_RETRY_LEAST_US;
    agent_wake(cluster, host);
    send_report(cluster, host);
    if (reply->id != 0 && reply->id == agent->running_id)
        op_done(cluster, host, reply->error);
}

void agent_deliver_reply(struct cluster *cluster, unsigned host, const void *bytes, size_t size,
                         uint64_t delay_us)
{
    struct reply reply = {.worker_life = cluster->hosts[host].processes[PROCESS_WORKER].life, .size = size};

    memcpy(reply.bytes, bytes, size);
    cluster_after(cluster, host, PROCESS_AGENT, delay_us, on_reply, &reply,
                  offsetof(struct reply, bytes) + size);
}

static void on_worker_gone(struct cluster *cluster, unsigned host, const void *data)
{
    struct agent_model *agent = agent_of(cluster, host);

    if (!agent->worker || agent->worker_life != *(const uint64_t *)data)
        return;
    if (agent->running_id)
        op_done(cluster, host, "the dbworker has ended");
    agent->worker = false;
    if (agent->newest)
        mha__db_reply__free_unpacked(agent->newest, NULL);
    agent->newest = NULL;
    agent->running_op = DB_OP_NONE;
    cluster_after(cluster, host, PROCESS_AGENT, agent->worker_retry_us, spawn, NULL, 0);
    if (agent->worker_retry_us < WORKER_RETRY_MOST_US)
        agent->worker_retry_us *= 2;
    agent_wake(cluster, host);
}

void agent_worker_gone(struct cluster *cluster, unsigned host, uint64_t delay_us)
{
    uint64_t life = agent_of(cluster, host)->worker_life;

    if (agent_of(cluster, host)->worker)
        cluster_after(cluster, host, PROCESS_AGENT, delay_us, on_worker_gone, &life, sizeof life);
}

void agent_vip_changed(struct cluster *cluster, unsigned host)
{
    agent_wake(cluster, host);
    send_report(cluster, host);
}

/* ---- life ---- */

void agent_started(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);

    forget(agent);
    cluster_state_init(&agent->state);
    if (cluster->world->trace_file)
        agent->tracer =
            (struct policy_tracer){.line = world_trace_line, .context = &cluster->world->nodes[host]};
    policy_trace_new(&agent->tracer, cluster_clock_us(cluster, host));
    mha__db_observation__init(&agent->no_observation);
    agent->worker_retry_us = WORKER_RETRY_LEAST_US;
    read_raft(cluster, host);
    if (cluster->config.has_vip)
        vip_client_start(cluster, host);
    spawn(cluster, host, NULL);
    agent_wake(cluster, host);
    cluster_after(cluster, host, PROCESS_AGENT, cluster->world->config.heartbeat_us, on_report_timer, NULL,
                  0);
}

void agent_stopped(struct cluster *cluster, unsigned host)
{
    agent_of(cluster, host)->worker = false;
    worker_agent_gone(cluster, host);
}

void agent_applied(struct cluster *cluster, unsigned host, const struct raft_entry *entry)
{
    struct agent_model *agent = agent_of(cluster, host);
    struct cluster_command command;
    const char *void_because;

    if (entry->kind != RAFT_ENTRY_COMMAND)
        return;
    agent->applied_index = entry->index;
    if (!cluster_command_unpack(entry->data, entry->size, &command)) {
        world_violate(cluster->world, "%s cannot read the committed entry %" PRIu64,
                      cluster_host_name(cluster, host), entry->index);
        return;
    }
    void_because = cluster_state_apply(&agent->state, &command);
    policy_trace_applied(&agent->tracer, cluster_clock_us(cluster, host), entry->index, entry->data,
                         entry->size, void_because, &agent->state);
    cluster_trace(
        cluster, host,
        "applies %" PRIu64 ": kind %d node %" PRIu64 " epoch %" PRIu64 " {%u members, acks %u} %s%s%s",
        entry->index, command.kind, command.node, command.epoch, command.sync.count, command.sync.acks,
        command.text, void_because ? "; void: " : "", void_because ? void_because : "");
    cluster_check_applied(cluster, entry->index, &command);
    agent_wake(cluster, host);
}

void agent_tell_to_stop(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);

    if (agent->stopping)
        return;
    agent->stopping = true;
    agent->stop_by_us = cluster_clock_us(cluster, host) + STOP_US;
    agent_wake(cluster, host);
}

bool agent_request(struct cluster *cluster, unsigned host, enum agent_request request, unsigned to,
                   uint64_t time_us, char *error, size_t error_size)
{
    struct agent_model *agent = agent_of(cluster, host);
    uint64_t id = to < cluster->data_count ? cluster->world->nodes[to].id : 0;
    struct cluster_command command;
    bool sound = false;

    gather(cluster, host);
    switch (request) {
    case REQUEST_SWITCHOVER:
        sound = policy_request_switchover(&agent->input, id, time_us, &command, error, error_size);
        break;
    case REQUEST_FAILOVER:
    case REQUEST_FAILOVER_OFF:
        sound = policy_request_failover(&agent->input, id, request == REQUEST_FAILOVER_OFF, &command, error,
                                        error_size);
        break;
    case REQUEST_PAUSE:
        sound = policy_request_pause(&agent->input, time_us, &command, error, error_size);
        if (sound)
            agent->pause_proposed_us = agent->input.now_us;
        break;
    case REQUEST_RESUME:
        sound = policy_request_resume(&agent->input, &command, error, error_size);
        if (sound) {
            agent->resuming = true;
            agent_wake(cluster, host);
            return true;
        }
        break;
    }
    if (sound && propose(cluster, host, &command) != RAFT_OK) {
        snprintf(error, error_size, "not accepted now");
        sound = false;
    }
    if (is_up(cluster, host))
        agent_wake(cluster, host);
    return sound;
}
