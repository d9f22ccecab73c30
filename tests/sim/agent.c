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

#define TURN_US 20u /* until the loop comes round */
#define WORKER_RETRY_LEAST_US 20000u
#define WORKER_RETRY_MOST_US 1000000u
#define STOP_US 5000000u

struct agent_model *agent_model_new(void)
{
    struct agent_model *agent = calloc(1, sizeof *agent);

    assert(agent != NULL);
    return agent;
}

static void forget(struct cluster *cluster, struct agent_model *agent)
{
    for (unsigned i = 0; i < WORLD_NODES_MAX; i++)
        room_give_back(&cluster->rooms, agent->heard[i].room);
    agent_forget_worker(cluster, agent);
    policy_tracer_end(&agent->tracer);
    free(agent->restored);
    memset(agent, 0, sizeof *agent);
}

void agent_model_free(struct cluster *cluster, struct agent_model *agent)
{
    forget(cluster, agent);
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
    agent_gather(cluster, host);
    if (agent->input.self == NULL)
        return; /* no member yet, or no more: it is let in by an operator */
    policy_trace_decide(&agent->tracer, &agent->tracker, &agent->input, &agent->output);
    agent_carry_out(cluster, host);
    if (!agent_is_up(cluster, host))
        return;
    if (agent->raft.term != agent->report_term)
        agent_send_report(cluster, host);
    now_us = cluster_clock_us(cluster, host);
    if (agent->output.again_us > now_us)
        delay_us = agent->output.again_us - now_us;
    if (agent->stopping && stop_is_complete(cluster, host)) {
        cluster_agent_stop(cluster, host);
        return;
    }
    cluster_set_timer(cluster, host, PROCESS_AGENT, &agent->timer, now_us + delay_us, on_timer);
}

static void on_timer(struct cluster *cluster, unsigned host, const void *data)
{
    struct agent_model *agent = agent_of(cluster, host);

    if (cluster_timer_is_due(cluster, host, PROCESS_AGENT, &agent->timer, on_timer, data) &&
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

    if (agent->stopping || agent->worker || cluster->hosts[host].rebuild.running ||
        cluster->hosts[host].rebuild.unfinished)
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
    struct room *room;
    Mha__DbReply *reply;

    if (!agent->worker || agent->worker_life != message->worker_life)
        return;
    room = room_take(&cluster->rooms);
    reply = mha__db_reply__unpack(&room->allocator, message->size, message->bytes);
    assert(reply != NULL && reply->observation != NULL);
    agent_forget_worker(cluster, agent);
    agent->newest = reply;
    agent->newest_room = room;
    agent->worker_retry_us = WORKER_RETRY_LEAST_US;
    agent_wake(cluster, host);
    agent_send_report(cluster, host);
    if (reply->id != 0 && reply->id == agent->running_id)
        agent_op_done(cluster, host, reply->error);
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
        agent_op_done(cluster, host, "the dbworker has ended");
    agent->worker = false;
    agent_forget_worker(cluster, agent);
    agent->db_settled = false;
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
    agent_send_report(cluster, host);
}

void agent_rebuild_done(struct cluster *cluster, unsigned host, const char *error)
{
    struct agent_model *agent = agent_of(cluster, host);

    counts_add(&cluster->world->counts, COUNT_REBUILD_FAILED, error[0] != '\0');
    snprintf(agent->rebuild_error, sizeof agent->rebuild_error, "%s", error);
    agent->rebuild_failed_us = error[0] ? cluster_clock_us(cluster, host) : 0;
    agent->rebuild_failures = error[0] ? agent->rebuild_failures + 1 : 0;
    spawn(cluster, host, NULL);
    agent_wake(cluster, host);
}

/* ---- life ---- */

/* Into the trace: the state is that of a snapshot. */
static void tell_restored(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    size_t size;
    void *state;

    if (!agent->tracer.line)
        return;
    state = agent_save(cluster, host, &size);
    policy_trace_restored(&agent->tracer, cluster_clock_us(cluster, host), agent->applied_index, state, size,
                          &agent->state);
    free(state);
}

void agent_started(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    struct cluster_state *restored = agent->restored;
    uint64_t index = agent->restored_index;

    agent->restored = NULL;
    forget(cluster, agent);
    cluster_state_init(&agent->state);
    if (cluster->world->trace_file)
        agent->tracer =
            (struct policy_tracer){.line = world_trace_line, .context = &cluster->world->nodes[host]};
    policy_trace_new(&agent->tracer, cluster_clock_us(cluster, host));
    if (restored) {
        agent->state = *restored;
        agent->applied_index = index;
        tell_restored(cluster, host);
        free(restored);
    }
    mha__db_observation__init(&agent->no_observation);
    agent->worker_retry_us = WORKER_RETRY_LEAST_US;
    agent_read_raft(cluster, host);
    if (cluster->config.has_vip)
        vip_client_start(cluster, host);
    spawn(cluster, host, NULL);
    agent_wake(cluster, host);
    agent_start_reporting(cluster, host);
}

void agent_stopped(struct cluster *cluster, unsigned host)
{
    agent_of(cluster, host)->worker = false;
    worker_agent_gone(cluster, host);
    rebuild_gone(cluster, host); /* end of file */
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

void *agent_save(struct cluster *cluster, unsigned host, size_t *size)
{
    Mha__ClusterState *message = cluster_state_to_message(&agent_of(cluster, host)->state);
    uint8_t *bytes;

    assert(message != NULL);
    *size = mha__cluster_state__get_packed_size(message);
    bytes = malloc(*size + 1);
    assert(bytes != NULL);
    mha__cluster_state__pack(message, bytes);
    mha__cluster_state__free_unpacked(message, NULL);
    return bytes;
}

void agent_wiped(struct cluster *cluster, unsigned host)
{
    free(agent_of(cluster, host)->restored);
    agent_of(cluster, host)->restored = NULL;
}

void agent_restored(struct cluster *cluster, unsigned host, uint64_t index, const void *state, size_t size)
{
    struct agent_model *agent = agent_of(cluster, host);
    Mha__ClusterState *message = mha__cluster_state__unpack(NULL, size, state);
    struct cluster_state *restored = malloc(sizeof *restored);

    assert(restored != NULL);
    if (!message || !cluster_state_from_message(message, restored))
        world_violate(cluster->world, "I7: %s cannot read the state in a snapshot",
                      cluster_host_name(cluster, host));
    else
        cluster_trace(cluster, host, "has the state of a snapshot up to %" PRIu64, index);
    if (message)
        mha__cluster_state__free_unpacked(message, NULL);
    free(agent->restored);
    agent->restored = restored;
    agent->restored_index = index;
    if (!agent_is_up(cluster, host))
        return;
    agent->state = *restored;
    agent->applied_index = index;
    tell_restored(cluster, host);
    agent->restored = NULL;
    free(restored);
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

bool agent_may_leave(struct cluster *cluster, unsigned host, uint64_t id)
{
    char error[256];
    bool may;

    agent_gather(cluster, host);
    error[0] = '\0';
    may = policy_may_leave(&agent_of(cluster, host)->input, id, error, sizeof error);
    policy_trace_request(&agent_of(cluster, host)->tracer, &agent_of(cluster, host)->input,
                         &(struct policy_request){.kind = POLICY_REQUEST_LEAVE, .node = id}, NULL, error);
    if (!may)
        cluster_trace(cluster, host, "operator: refused: %s", error);
    return may;
}

bool agent_request(struct cluster *cluster, unsigned host, enum agent_request request, unsigned to,
                   uint64_t time_us, char *error, size_t error_size)
{
    struct agent_model *agent = agent_of(cluster, host);
    uint64_t id = to < cluster->data_count ? cluster->world->nodes[to].id : 0;
    struct cluster_command command;
    static const enum policy_request_kind kinds[] = {[REQUEST_SWITCHOVER] = POLICY_REQUEST_SWITCHOVER,
                                                     [REQUEST_FAILOVER] = POLICY_REQUEST_FAILOVER,
                                                     [REQUEST_FAILOVER_OFF] = POLICY_REQUEST_FAILOVER,
                                                     [REQUEST_PAUSE] = POLICY_REQUEST_PAUSE,
                                                     [REQUEST_RESUME] = POLICY_REQUEST_RESUME,
                                                     [REQUEST_REBUILD] = POLICY_REQUEST_REBUILD,
                                                     [REQUEST_CANCEL] = POLICY_REQUEST_CANCEL,
                                                     [REQUEST_DRAIN] = POLICY_REQUEST_DRAIN,
                                                     [REQUEST_INIT] = POLICY_REQUEST_INIT,
                                                     [REQUEST_INIT_DISCARD] = POLICY_REQUEST_INIT};
    struct policy_request asked = {.kind = kinds[request],
                                   .node = id,
                                   .us = time_us,
                                   .old_primary_is_off = request == REQUEST_FAILOVER_OFF,
                                   .discard_others = request == REQUEST_INIT_DISCARD};
    bool sound = false;

    agent_gather(cluster, host);
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
    case REQUEST_REBUILD:
        sound = policy_request_rebuild(&agent->input, id, 0, 0, &command, error, error_size);
        break;
    case REQUEST_INIT:
    case REQUEST_INIT_DISCARD:
        sound = policy_request_init(&agent->input, id, request == REQUEST_INIT_DISCARD, &command, error,
                                    error_size);
        break;
    case REQUEST_CANCEL:
        sound = policy_request_cancel(&agent->input, id, &command, error, error_size);
        break;
    case REQUEST_DRAIN:
        sound = policy_request_drain(&agent->input, id, &command, error, error_size);
        break;
    case REQUEST_RESUME:
        sound = policy_request_resume(&agent->input, &command, error, error_size);
        if (sound) {
            policy_trace_request(&agent->tracer, &agent->input, &asked, &command, "");
            agent->resuming = true;
            agent_wake(cluster, host);
            return true;
        }
        break;
    }
    policy_trace_request(&agent->tracer, &agent->input, &asked, sound ? &command : NULL, sound ? "" : error);
    if (sound && agent_propose(cluster, host, &command) != RAFT_OK) {
        snprintf(error, error_size, "not accepted now");
        sound = false;
    }
    if (agent_is_up(cluster, host))
        agent_wake(cluster, host);
    return sound;
}
