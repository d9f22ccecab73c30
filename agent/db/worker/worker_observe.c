/* Probes, the server's process, and the observations made of both. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/worker.h"
#include "common/base/clock.h"
#include "common/base/log.h"

/* How often a server that is down is asked whether it listens again: one connect(2), refused by the kernel.
 */
#define DOWN_INTERVAL_US 20000
/* The fence's connection is tried so often, so that it is there when it is needed. */
#define PREPARE_INTERVAL_US 5000000
/* After a lost connection: some quick tries, since a new one shows what is the matter. */
#define LOST_TRIES 3
#define WATCH_LEAST_US 1000
#define WATCH_LONGEST_US 60000000

void worker_set_state(struct worker *worker, Mha__DbState state, const char *trouble)
{
    static const char *const names[] = {"unknown", "down", "hung", "up", "refused"};

    if (state != worker->state)
        log_notice("the database is %s%s%s", names[state], trouble[0] ? ": " : "", trouble);
    worker->state = state;
    snprintf(worker->state_text, sizeof worker->state_text, "%s", trouble);
}

/* ---- the process ---- */

static void forget_incarnation(struct worker *worker)
{
    worker->has_view = false;
    worker->writable = WRITABLE_UNKNOWN;
    worker->source_epoch = 0;
    worker->frozen_term = 0;
    worker->lost_in_a_row = 0;
    worker->wrote_us = 0;
    worker_forget_health(worker);
    lease_close(&worker->lease);
}

static void on_server_gone(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;

    (void)fd, (void)what;
    worker_server_gone(worker);
}

static void attach(struct worker *worker, pid_t pid)
{
    uint64_t before = worker->server.incarnation;

    if (pid == worker->server.pid && worker->server.pidfd >= 0)
        return;
    if (worker->server_event)
        event_free(worker->server_event);
    worker->server_event = NULL;
    if (!server_process_attach(&worker->server, pid)) {
        /* a server that ended just now is found gone by the next look */
        if (pid <= 1)
            worker_set_state(
                worker, MHA__DB_STATE__DB_REFUSED,
                "who listens on its socket cannot be watched (a socket that systemd opened, or another "
                "PID namespace)");
        return;
    }
    if (worker->server.incarnation != before) {
        if (before)
            forget_incarnation(worker);
        log_info("the server is process %d, incarnation %016llx", (int)pid,
                 (unsigned long long)worker->server.incarnation);
    }
    worker->server_event = event_new(worker->base, worker->server.pidfd, EV_READ, on_server_gone, worker);
    if (worker->server_event)
        event_add(worker->server_event, NULL);
}

bool worker_locate(struct worker *worker)
{
    pid_t pid;

    if (worker->server.pidfd >= 0)
        return true;
    if (server_process_locate(worker->settings.socket, &pid) == SERVER_SILENT)
        return false;
    attach(worker, pid);
    return true;
}

void worker_server_gone(struct worker *worker)
{
    bool known = worker->server.pidfd >= 0;

    if (worker->server_event)
        event_free(worker->server_event);
    worker->server_event = NULL;
    server_process_detach(&worker->server);
    worker->unanswered_us = 0;
    worker_expect_answer(worker);
    worker_forget_health(worker);
    worker->has_view = false;
    worker->source_epoch = 0;
    worker->frozen_term = 0;
    worker->writable = WRITABLE_NO;
    lease_close(&worker->lease);
    worker_set_state(worker, MHA__DB_STATE__DB_DOWN,
                     known ? "its process has ended" : "nothing listens on its socket");
    worker_judge(worker);
    worker_report(worker, clock_now_us());
    worker_set_timer(worker->probe_timer, clock_now_us() + DOWN_INTERVAL_US);
    worker_end_if_done(worker);
}

/* ---- observations ---- */

/* Fields that only a server that answers can have. */
static void fill_from_view(struct worker *worker, Mha__DbObservation *out)
{
    struct db_view *view = &worker->view;

    for (unsigned i = 0; i < view->acknowledger_count; i++)
        worker->acknowledgers[i] = view->acknowledgers[i];
    out->n_acknowledgers = view->acknowledger_count;
    out->acknowledgers = worker->acknowledgers;
    out->acknowledgers_known = view->acknowledgers_known;
    out->acknowledging_clients = view->acknowledging_clients;
    out->standing_by = view->standing_by;
    out->received_is_durable = view->received_is_durable;
    out->foreign = view->foreign;
    out->version = view->version;
    out->read_only = view->read_only;
    out->open = !view->read_only;
    out->empty = view->empty;
    out->started_to_follow = view->started_to_follow;
    out->written_epoch = view->written_epoch;
    if (view->written_epoch && view->written_epoch == worker->position_epoch)
        out->written_epoch_position = worker->position;
    out->acks = view->acks;
    out->acks_enforced = view->acks_enforced;
    out->replicas_locked_out = view->replicas_locked_out;
    out->waiting_commits = view->waiting_commits;
    out->receiving = view->receiving;
    out->receiver_stopped = view->has_source && view->receiver_stopped;
    out->applying = view->applying;
    out->source = view->source;
    out->source_epoch = view->has_source ? worker->source_epoch : 0;
    /* A look that could not be had (no connection free) says nothing of the receiver. One that a freeze
     * overtook may show a receiver that has stopped, and not what it received last: a look is no one moment.
     */
    if (view->receiver_stopped && !worker->view_is_old && worker->view_us >= worker->frozen_us)
        out->frozen_term = worker->frozen_term;
    out->drained = view->drained;
    out->lag_ms = view->lag_ms;
    out->received_log = view->received_log;
    out->standby_account = view->standby_account;
    out->acknowledging = view->acknowledging;
    out->executed = view->executed;
    out->received = view->received;
    out->fenced = view->read_only && worker->fenced_incarnation == worker->server.incarnation &&
                  worker->server.incarnation != 0 && worker->writable == WRITABLE_NO;
}

void worker_fill_observation(struct worker *worker, uint64_t observed_us, Mha__DbObservation *out)
{
    mha__db_observation__init(out);
    out->observed_us = observed_us;
    out->state = worker->state;
    out->incarnation = worker->server.incarnation;
    out->fence_cost_us = lease_fence_cost_us(&worker->lease);
    out->trouble = worker->state_text;
    if (worker->has_view)
        fill_from_view(worker, out);
    if (worker->state == MHA__DB_STATE__DB_HUNG) {
        out->trouble_kind = worker->hung_kind;
    } else if (worker->state == MHA__DB_STATE__DB_UP) {
        out->trouble_kind = worker->trouble.kind;
        out->trouble = worker->trouble.text;
    }
    if (worker->state == MHA__DB_STATE__DB_DOWN)
        out->fenced = !worker->fencing;
}

void worker_report(struct worker *worker, uint64_t observed_us)
{
    Mha__DbObservation observation;
    Mha__DbReply reply = MHA__DB_REPLY__INIT;

    worker_fill_observation(worker, observed_us, &observation);
    reply.observation = &observation;
    if (worker->answering.id &&
        (observed_us >= worker->answering_us || worker->state != MHA__DB_STATE__DB_UP)) {
        reply.id = worker->answering.id;
        if (worker->answering_failed)
            reply.error = worker->ops_error.text;
        worker->answering.id = 0;
    }
    worker_send(worker, &reply);
    if (reply.id)
        worker_next_operation(worker);
}

/* ---- probing ---- */

static void probe_job(void *context)
{
    struct worker *worker = context;

    worker->probe_code =
        worker->kind->probe(worker->adapter, worker->probe_write, &worker->probe_view, &worker->probe_error);
}

static uint64_t interval_us(const struct worker *worker, uint64_t now_us)
{
    return now_us < worker->watch_until_us ? worker->watch_interval_us
                                           : MS_TO_US(worker->settings.probe_interval_ms);
}

void worker_look(struct worker *worker)
{
    uint64_t now_us = clock_now_us();

    if (task_busy(&worker->probe_task)) {
        worker->probe_again = true;
        return;
    }
    worker->probe_again = false;
    if (!worker_locate(worker)) {
        worker_set_timer(worker->probe_timer, now_us + DOWN_INTERVAL_US);
        if (worker->state != MHA__DB_STATE__DB_DOWN || worker->answering.id)
            worker_server_gone(worker);
        else if (now_us >= worker->view_us + interval_us(worker, now_us)) {
            worker->view_us = now_us;
            worker_report(worker, now_us);
        }
        return;
    }
    if (worker->server.pidfd < 0) {
        worker_set_timer(worker->probe_timer, now_us + DOWN_INTERVAL_US);
        return;
    }
    worker->probe_began_us = now_us;
    if (worker->unanswered_us == 0) {
        worker->unanswered_us = now_us;
        worker_expect_answer(worker);
    }
    /* a row at the normal pace is enough, however quick the watch; not while an operation locks out writes on
     * purpose */
    worker->probe_write = worker->has_view && !worker->view.read_only && worker->writable == WRITABLE_YES &&
                          !worker_changes_writability(worker) && !worker->fencing &&
                          now_us >= worker->wrote_us + MS_TO_US(worker->settings.probe_interval_ms);
    if (worker->probe_write)
        worker->wrote_us = now_us;
    task_run(&worker->probe_task, probe_job, worker);
}

void worker_watch(struct worker *worker, uint64_t interval, uint64_t duration_us)
{
    uint64_t now_us = clock_now_us();

    worker->watch_interval_us = interval < WATCH_LEAST_US ? WATCH_LEAST_US : interval;
    worker->watch_until_us = now_us + (duration_us > WATCH_LONGEST_US ? WATCH_LONGEST_US : duration_us);
    worker_look(worker);
}

static void answered(struct worker *worker)
{
    uint64_t now_us = clock_now_us();

    /* it hung until this moment, though no timer was just looking */
    if (worker->state == MHA__DB_STATE__DB_HUNG &&
        now_us >= worker->unanswered_us + MS_TO_US(worker->settings.probe_timeout_ms))
        worker->hung_us = now_us;
    worker->unanswered_us = 0;
    worker->lost_in_a_row = 0;
    worker_expect_answer(worker);
}

static void first_sight(struct worker *worker)
{
    worker->booted_writable = !worker->view.read_only;
    /* Read-only from its start, or made so by an earlier worker's fence: nothing that was open remains. */
    if (worker->view.read_only)
        worker->fenced_incarnation = worker->server.incarnation;
}

/* Not every look writes: what the last write was told holds until the next one. */
static void remember_write(struct worker *worker)
{
    if (!worker->probe_write) {
        if (worker->view.read_only)
            worker->write_kind = MHA__DB_TROUBLE__DB_TROUBLE_NONE;
        return;
    }
    worker->write_kind = worker->view.trouble_kind;
    memcpy(worker->write_text, worker->view.trouble, sizeof worker->write_text);
    worker->writes_refused_in_a_row = worker->view.write_refused ? worker->writes_refused_in_a_row + 1 : 0;
}

static void seen_up(struct worker *worker)
{
    bool first = !worker->has_view;
    struct closed_look before = {
        .read_only = worker->view.read_only,
        .own_writes = worker->view.own_writes,
        .began_us = first ? 0 : worker->view_us,
    };

    answered(worker);
    worker->view = worker->probe_view;
    worker->view_us = worker->probe_began_us;
    worker->has_view = true;
    worker->view_is_old = false;
    /* a look that began before a freeze was done may come back after it */
    if (!worker->view.receiver_stopped && worker->probe_began_us > worker->operation_us)
        worker->frozen_term = 0;
    if (first)
        first_sight(worker);
    if (first || worker->probe_began_us >= worker->prepared_us + PREPARE_INTERVAL_US) {
        worker_prepare_fence(worker);
        worker_prepare_doubt(worker);
    }
    if (worker->probe_began_us >= worker->settled_us && !worker_changes_writability(worker) &&
        !worker->fencing) {
        worker->writable = worker->view.read_only ? WRITABLE_NO : WRITABLE_YES;
        if (worker->view.read_only)
            lease_close(&worker->lease);
        else
            worker->fenced_incarnation = 0;
    }
    remember_write(worker);
    worker_see_intruder(worker, &before);
    worker_judge_health(worker);
    worker_ask_log(worker);
}

/* It lives, and that is all that this look tells. */
static void seen_busy(struct worker *worker)
{
    const struct error *err = &worker->probe_error;

    answered(worker);
    worker->view_is_old = true;
    worker_set_state(worker, MHA__DB_STATE__DB_UP, "");
    if (trouble_look(&worker->trouble, clock_now_us(), MHA__DB_TROUBLE__DB_TROUBLE_NO_CONNECTION_FREE,
                     err->text) == TROUBLE_BEGINS)
        log_warning("trouble: %s", err->text);
}

/* The connection was lost: what is the matter shows at the next one. */
static void seen_lost(struct worker *worker)
{
    pid_t pid;

    worker->lost_in_a_row++;
    if (!server_process_lives(&worker->server)) {
        worker_look(worker);
        return;
    }
    if (server_process_locate(worker->settings.socket, &pid) == SERVER_SILENT) {
        /* It is on its way down. What is open there is ended, not waited for. */
        if (worker->writable != WRITABLE_NO)
            worker_fence(worker, "the server does not listen any more", 0, 0);
        else
            answered(worker);
        if (worker->writable == WRITABLE_NO && worker->state != MHA__DB_STATE__DB_DOWN) {
            worker->has_view = false;
            worker_set_state(worker, MHA__DB_STATE__DB_DOWN, "nothing listens on its socket");
            worker_report(worker, clock_now_us());
        }
    } else if (pid && pid != worker->server.pid) {
        attach(worker, pid); /* another server took the socket over */
    }
    worker_set_timer(worker->probe_timer,
                     clock_now_us() + (worker->lost_in_a_row < LOST_TRIES ? 1000 : DOWN_INTERVAL_US));
}

static void on_probe_done(void *context)
{
    struct worker *worker = context;
    uint64_t now_us = clock_now_us();

    if (worker->server.pidfd < 0 || worker->probe_code == ERR_IO || worker->probe_code == ERR_NO_MEMORY) {
        /* the process ended while we looked, or the connection broke */
        if (worker->server.pidfd < 0)
            worker_set_timer(worker->probe_timer, now_us + DOWN_INTERVAL_US);
        else
            seen_lost(worker);
        if (worker->probe_again)
            worker_look(worker);
        return;
    }
    if (worker->probe_code == ERR_OK) {
        seen_up(worker);
    } else if (worker->probe_code == ERR_BUSY) {
        seen_busy(worker);
    } else {
        answered(worker);
        worker_set_state(worker, MHA__DB_STATE__DB_REFUSED, worker->probe_error.text);
    }
    worker_judge(worker);
    worker_report(worker, worker->probe_began_us);
    worker_end_if_done(worker);
    if (worker->probe_again)
        worker_look(worker);
    else if (!task_busy(&worker->probe_task))
        worker_set_timer(worker->probe_timer, worker->probe_began_us + interval_us(worker, now_us));
}

static void on_probe_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    worker_look(arg);
}

bool worker_observe_start(struct worker *worker)
{
    worker->probe_timer = evtimer_new(worker->base, on_probe_timer, worker);
    return worker->probe_timer && worker_health_start(worker) && worker_check_start(worker) &&
           task_start(&worker->probe_task, "dbw-probe", worker->base, on_probe_done, worker);
}
