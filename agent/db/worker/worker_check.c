/* The agent's checks, on a line of their own: they log in at other hosts and try locks, and a failover must
 * not wait for that. Nothing that they do changes anything. */
#include <stdio.h>

#include "agent/db/worker/worker.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define CHECK_LIMIT_US 20000000

static void fill_findings(struct worker *worker, Mha__DbReply *reply, Mha__Finding *findings,
                          Mha__Finding **pointers)
{
    for (unsigned i = 0; i < worker->findings.count; i++) {
        mha__finding__init(&findings[i]);
        findings[i].subject = worker->findings.items[i].subject;
        findings[i].problem = worker->findings.items[i].problem;
        findings[i].remedy = worker->findings.items[i].remedy;
        findings[i].fatal = worker->findings.items[i].fatal;
        pointers[i] = &findings[i];
    }
    reply->server_id = worker->findings.server_id;
    reply->n_findings = worker->findings.count;
    reply->findings = pointers;
}

static void check_job(void *context)
{
    struct worker *worker = context;
    const struct operation *operation = &worker->checking;
    struct check_request request = {
        .booted_writable = worker->booted_writable,
        .switchover = operation->switchover,
        .source_host = operation->host,
        .source_port = operation->port,
    };

    worker->check_code = worker->kind->check(worker->adapter, &worker->check_call, &request,
                                             &worker->findings, &worker->check_error);
}

static void begin(struct worker *worker, const struct operation *operation)
{
    uint64_t now_us = clock_now_us();

    if (worker->state == MHA__DB_STATE__DB_DOWN) {
        worker_answer_error(worker, operation->id, "the database is down");
        return;
    }
    worker->checking = *operation;
    worker->check_error = (struct error){0};
    worker->check_call.deadline_us = now_us + CHECK_LIMIT_US;
    atomic_store(&worker->check_call.stop, STOP_NONE);
    worker_set_timer(worker->check_timer, worker->check_call.deadline_us);
    task_run(&worker->check_task, check_job, worker);
}

static void on_check_timer(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;

    (void)fd, (void)what;
    atomic_store(&worker->check_call.stop, STOP_DEADLINE);
    worker->kind->interrupt(worker->adapter, LINE_CHECK);
}

static void answer(struct worker *worker)
{
    Mha__Finding findings[FINDINGS_MAX], *pointers[FINDINGS_MAX];
    Mha__DbReply reply = MHA__DB_REPLY__INIT;
    Mha__DbObservation observation;

    if (worker->check_code != ERR_OK) {
        log_warning("check: %s", worker->check_error.text);
        worker_answer_error(worker, worker->checking.id,
                            worker->check_error.text[0] ? worker->check_error.text : "check failed");
        return;
    }
    worker_fill_observation(worker, worker->view_us, &observation);
    reply.id = worker->checking.id;
    reply.observation = &observation;
    fill_findings(worker, &reply, findings, pointers);
    worker_send(worker, &reply);
}

static void on_check_done(void *context)
{
    struct worker *worker = context;
    struct operation next = worker->check_pending;

    worker_set_timer(worker->check_timer, 0);
    answer(worker);
    worker->check_pending.id = 0;
    if (next.id)
        begin(worker, &next);
}

void worker_check(struct worker *worker, const struct operation *operation)
{
    if (!task_busy(&worker->check_task)) {
        begin(worker, operation);
        return;
    }
    worker_answer_error(worker, worker->check_pending.id, "given up for a newer request");
    worker->check_pending = *operation;
}

bool worker_check_start(struct worker *worker)
{
    worker->check_timer = evtimer_new(worker->base, on_check_timer, worker);
    return worker->check_timer &&
           task_start(&worker->check_task, "dbw-check", worker->base, on_check_done, worker);
}
