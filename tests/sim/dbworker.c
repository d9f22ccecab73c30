#include "tests/sim/dbworker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent.h"

#define DOWN_INTERVAL_US 20000u
#define SOCKET_LEAST_US 20u
#define SOCKET_MOST_US 300u

static struct worker_model *worker_of(struct cluster *cluster, unsigned host)
{
    return cluster->hosts[host].worker;
}

struct worker_model *worker_model_new(void)
{
    struct worker_model *worker = calloc(1, sizeof *worker);

    assert(worker != NULL);
    return worker;
}

static uint64_t socket_delay_us(struct cluster *cluster)
{
    return world_between(cluster->world, SOCKET_LEAST_US, SOCKET_MOST_US);
}

/* ---- timers ---- */

void worker_set_timer(struct cluster *cluster, unsigned host, struct cluster_timer *timer, uint64_t at_us,
                      cluster_call call)
{
    cluster_set_timer(cluster, host, PROCESS_WORKER, timer, at_us, call);
}

bool worker_timer_is_due(struct cluster *cluster, unsigned host, struct cluster_timer *timer,
                         cluster_call call, const void *data)
{
    return cluster_timer_is_due(cluster, host, PROCESS_WORKER, timer, call, data);
}

/* ---- the server's process ---- */

static void set_state(struct cluster *cluster, unsigned host, Mha__DbState state, const char *trouble)
{
    struct worker_model *worker = worker_of(cluster, host);

    if (state != worker->state)
        cluster_trace(cluster, host, "dbworker: database state %d %s", state, trouble);
    worker->state = state;
    snprintf(worker->trouble, sizeof worker->trouble, "%s", trouble);
}

static void on_probe_timer(struct cluster *cluster, unsigned host, const void *data)
{
    if (!worker_timer_is_due(cluster, host, &worker_of(cluster, host)->probe_timer, on_probe_timer, data))
        return;
    worker_look(cluster, host);
}

static void look_at(struct cluster *cluster, unsigned host, uint64_t at_us)
{
    worker_set_timer(cluster, host, &worker_of(cluster, host)->probe_timer, at_us, on_probe_timer);
}

bool worker_locate(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    uint64_t before = worker->incarnation;

    if (worker->attached)
        return true;
    if (!cluster_up(cluster, host, PROCESS_SERVER))
        return false;
    worker->attached = true;
    worker->incarnation = cluster->hosts[host].server->incarnation;
    if (worker->incarnation != before && before != 0) {
        worker->has_view = false;
        worker->writable = WRITABLE_UNKNOWN;
        worker->source_epoch = worker->frozen_term = 0;
        lease_close(&worker->lease);
    }
    return true;
}

void worker_server_gone(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host);

    worker->attached = false;
    worker->unanswered_us = 0;
    worker_set_timer(cluster, host, &worker->hung_timer, 0, NULL);
    worker->has_view = false;
    worker->source_epoch = worker->frozen_term = 0;
    worker->writable = WRITABLE_NO;
    lease_close(&worker->lease);
    set_state(cluster, host, MHA__DB_STATE__DB_DOWN, "its process has ended");
    worker_judge(cluster, host);
    worker_report(cluster, host, now_us);
    look_at(cluster, host, now_us + DOWN_INTERVAL_US);
    worker_end_if_done(cluster, host);
}

static void on_server_gone(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);

    if (!worker->attached || worker->incarnation != *(const uint64_t *)data)
        return;
    if (worker->running.op != DB_OP_CLOSE || cluster->config.kind != SERVER_NAMED_WAIT)
        worker_operation_lost(cluster, host);
    if (worker->attached)
        worker_server_gone(cluster, host);
}

void worker_server_event(struct cluster *cluster, unsigned host)
{
    uint64_t incarnation = cluster->hosts[host].server->incarnation;

    worker_server_statements_end(worker_of(cluster, host));
    cluster_after(cluster, host, PROCESS_WORKER, socket_delay_us(cluster), on_server_gone, &incarnation,
                  sizeof incarnation);
}

/* ---- looking ---- */

static void sample(struct cluster *cluster, unsigned host, struct worker_view *view)
{
    const struct server *server = cluster->hosts[host].server;

    memset(view, 0, sizeof *view);
    view->read_only = server->read_only;
    view->empty = server->log.count == 0;
    view->foreign = server_epoch(server) == 0;
    view->started_to_follow = server->started_to_follow;
    view->written_epoch = server_epoch(server);
    view->acks = server->acks;
    view->waiting = server_waiting(server);
    for (unsigned i = 0; i < cluster->data_count; i++)
        if (i != host && !server->replicas[i].barred && !cluster->config.shared_account)
            view->acknowledgers |= 1u << i;
    view->has_source = server->configured;
    view->source = server->source;
    view->receiving = server->configured && server->connection.up;
    view->receiver_stopped = !server->receiver_on;
    view->applying = server->applier_on;
    view->drained = !server->configured || server->relay.count == 0;
    view->acknowledging = view->receiving && server->acknowledging;
    view->standing_by = server->configured && server->standing_by;
    view->acknowledging_clients = server_acknowledging_clients(cluster, host);
    server_executed_text(server, view->executed, sizeof view->executed);
    server_received_text(server, view->received, sizeof view->received);
    view->received_log = server->log.count + server->relay.count;
    if (server->applier_failed)
        snprintf(view->trouble, sizeof view->trouble, "the applier stopped: a GTID out of order (1950)");
    else if (server->receiver_failed)
        snprintf(view->trouble, sizeof view->trouble, "the receiver fails: (1236)");
}

static uint64_t interval_us(struct cluster *cluster, unsigned host, uint64_t now_us)
{
    const struct worker_model *worker = worker_of(cluster, host);

    return now_us < worker->watch_until_us ? worker->watch_interval_us : cluster->config.probe_interval_us;
}

static void seen_up(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    bool first = !worker->has_view;

    worker->unanswered_us = 0;
    worker_set_timer(cluster, host, &worker->hung_timer, 0, NULL);
    worker->view = worker->sampled;
    worker->view_us = worker->probe_began_us;
    worker->has_view = true;
    if (!worker->view.receiver_stopped)
        worker->frozen_term = 0;
    set_state(cluster, host, MHA__DB_STATE__DB_UP, "");
    if (first && worker->view.read_only)
        worker->fenced_incarnation = worker->incarnation;
    if (worker->probe_began_us >= worker->settled_us && !worker_changes_writability(worker) &&
        !worker->fencing) {
        worker->writable = worker->view.read_only ? WRITABLE_NO : WRITABLE_YES;
        if (worker->view.read_only)
            lease_close(&worker->lease);
        else
            worker->fenced_incarnation = 0;
    }
}

static void on_probe_done(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host);

    worker->probing = false;
    if (!worker->attached || worker->incarnation != *(const uint64_t *)data ||
        !cluster_up(cluster, host, PROCESS_SERVER) ||
        cluster->hosts[host].server->incarnation != worker->incarnation) {
        if (worker->probe_again)
            worker_look(cluster, host);
        else
            look_at(cluster, host, now_us + DOWN_INTERVAL_US);
        return;
    }
    seen_up(cluster, host);
    worker_judge(cluster, host);
    worker_report(cluster, host, worker->probe_began_us);
    worker_end_if_done(cluster, host);
    if (worker->probe_again)
        worker_look(cluster, host);
    else if (!worker->probing)
        look_at(cluster, host, worker->probe_began_us + interval_us(cluster, host, now_us));
}

/* The question is answered by the server, once it runs and its disk writes. */
static void on_probe_sampled(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);
    bool hangs = cluster_stopped(cluster, host, PROCESS_SERVER) ||
                 (worker->probe_write && cluster->hosts[host].server->disk_hangs);

    if (cluster_up(cluster, host, PROCESS_SERVER)) {
        if (hangs && worker->attached) {
            cluster_after(cluster, host, PROCESS_WORKER, 5000, on_probe_sampled, data, sizeof(uint64_t));
            return;
        }
        sample(cluster, host, &worker->sampled);
    }
    cluster_after(cluster, host, PROCESS_WORKER, cluster_op_delay_us(cluster), on_probe_done, data,
                  sizeof(uint64_t));
}

static void on_hung(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host);

    if (!worker_timer_is_due(cluster, host, &worker->hung_timer, on_hung, data) || worker->unanswered_us == 0)
        return;
    set_state(cluster, host, MHA__DB_STATE__DB_HUNG, "it accepts, but does not answer");
    worker_judge(cluster, host);
    worker_report(cluster, host, now_us);
    worker_set_timer(cluster, host, &worker->hung_timer, now_us + cluster->config.probe_interval_us, on_hung);
}

void worker_look(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host);

    if (worker->probing) {
        worker->probe_again = true;
        return;
    }
    worker->probe_again = false;
    if (!worker_locate(cluster, host)) {
        look_at(cluster, host, now_us + DOWN_INTERVAL_US);
        if (worker->state != MHA__DB_STATE__DB_DOWN || worker->answering.id) {
            worker_server_gone(cluster, host);
        } else if (now_us >= worker->view_us + interval_us(cluster, host, now_us)) {
            worker->view_us = now_us;
            worker_report(cluster, host, now_us);
        }
        return;
    }
    worker->probe_began_us = now_us;
    if (worker->unanswered_us == 0) {
        worker->unanswered_us = now_us;
        worker_set_timer(cluster, host, &worker->hung_timer, now_us + cluster->config.probe_timeout_us,
                         on_hung);
    }
    worker->probe_write = worker->has_view && !worker->view.read_only && worker->writable == WRITABLE_YES &&
                          !worker_changes_writability(worker) && !worker->fencing;
    worker->probing = true;
    cluster_after(cluster, host, PROCESS_WORKER, cluster_op_delay_us(cluster), on_probe_sampled,
                  &worker->incarnation, sizeof worker->incarnation);
}

/* ---- from the agent ---- */

struct lease_message {
    uint64_t epoch, deadline_us;
    bool paused;
};

void worker_keep_note(struct cluster *cluster, unsigned host, bool paused)
{
    struct worker_model *worker = worker_of(cluster, host);

    worker->note_epoch = paused ? worker->lease.epoch : 0;
    worker->note_deadline_us = paused ? worker->lease.deadline_us : 0;
}

static void on_lease(struct cluster *cluster, unsigned host, const void *data)
{
    const struct lease_message *message = data;

    lease_renew(&worker_of(cluster, host)->lease, cluster_clock_us(cluster, host), message->epoch,
                message->deadline_us, message->paused);
    worker_keep_note(cluster, host,
                     lease_is_paused(&worker_of(cluster, host)->lease, cluster_clock_us(cluster, host)));
    worker_judge(cluster, host);
}

/* A socket keeps its order: what is sent later arrives later. */
static void post(struct cluster *cluster, unsigned host, cluster_call call, const void *data, size_t size)
{
    cluster_after(cluster, host, PROCESS_WORKER, SOCKET_LEAST_US, call, data, size);
}

void worker_send_lease(struct cluster *cluster, unsigned host, uint64_t epoch, uint64_t deadline_us,
                       bool paused)
{
    struct lease_message message = {epoch, deadline_us, paused};

    post(cluster, host, on_lease, &message, sizeof message);
}

static void on_fence(struct cluster *cluster, unsigned host, const void *data)
{
    worker_fence(cluster, host, "asked for", 0, *(const uint64_t *)data);
}

void worker_send_fence(struct cluster *cluster, unsigned host, uint64_t id)
{
    post(cluster, host, on_fence, &id, sizeof id);
}

static void on_watch(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);
    const uint64_t *message = data;

    worker->watch_interval_us = message[0];
    worker->watch_until_us = cluster_clock_us(cluster, host) + message[1];
    worker_look(cluster, host);
}

void worker_send_watch(struct cluster *cluster, unsigned host, uint64_t interval_us, uint64_t duration_us)
{
    uint64_t message[2] = {interval_us, duration_us};

    post(cluster, host, on_watch, message, sizeof message);
}

static void on_request(struct cluster *cluster, unsigned host, const void *data)
{
    worker_take_request(cluster, host, data);
}

void worker_send_request(struct cluster *cluster, unsigned host, const struct worker_request *request)
{
    post(cluster, host, on_request, request, sizeof *request);
}

static void on_stop(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);

    (void)data;
    worker->ending = worker->told_to_stop = true;
    worker_judge(cluster, host);
    worker_end_if_done(cluster, host);
}

void worker_send_stop(struct cluster *cluster, unsigned host)
{
    post(cluster, host, on_stop, NULL, 0);
}

/* ---- life ---- */

void worker_end_if_done(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);

    if (!worker->ending || worker->fencing || !cluster_up(cluster, host, PROCESS_WORKER))
        return;
    if (worker->writable != WRITABLE_NO && !(worker->has_view && worker->view.foreign) &&
        !lease_is_paused(&worker->lease, cluster_clock_us(cluster, host)))
        return;
    cluster_trace(cluster, host, "dbworker: ends");
    cluster_kill(cluster, host, PROCESS_WORKER);
}

static void on_end_of_file(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);

    (void)data;
    worker->pending.id = 0;
    worker->ending = true;
    worker_judge(cluster, host);
    worker_end_if_done(cluster, host);
}

void worker_agent_gone(struct cluster *cluster, unsigned host)
{
    if (cluster_up(cluster, host, PROCESS_WORKER))
        cluster_after(cluster, host, PROCESS_WORKER, socket_delay_us(cluster), on_end_of_file, NULL, 0);
}

void worker_killed(struct cluster *cluster, unsigned host)
{
    if (cluster_up(cluster, host, PROCESS_SERVER))
        cluster->hosts[host].server->closing = false; /* its sessions end, and what they waited for */
    agent_worker_gone(cluster, host, socket_delay_us(cluster));
}

static void first_look(struct cluster *cluster, unsigned host, const void *data)
{
    (void)data;
    worker_look(cluster, host);
}

void worker_spawn(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    struct worker_model before = *worker;

    memset(worker, 0, sizeof *worker);
    worker->swept_below = before.swept_below;
    worker->last_statement = before.last_statement;
    if (before.note_epoch)
        lease_renew(&worker->lease, cluster_clock_us(cluster, host), before.note_epoch,
                    before.note_deadline_us, true);
    worker->note_epoch = before.note_epoch;
    worker->note_deadline_us = before.note_deadline_us;
    worker->agent_life = cluster->hosts[host].processes[PROCESS_AGENT].life;
    worker->state = MHA__DB_STATE__DB_UNKNOWN;
    cluster_process_begins(cluster, host, PROCESS_WORKER);
    /* It starts, connects, reads the leases that wait in its socket. */
    cluster_after(cluster, host, PROCESS_WORKER, world_between(cluster->world, 2000, 10000), first_look, NULL,
                  0);
}
