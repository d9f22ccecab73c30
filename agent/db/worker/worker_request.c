/* The agent's operations: one runs, one waits, a newer one takes the place of the one that waits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/worker.h"
#include "common/base/clock.h"
#include "common/base/log.h"

/* How long an operation may block, on top of what it asks for itself. Then its connection is cut. */
#define ALLOWANCE_US 2000000
#define CLOSE_LONGEST_US 3600000000ULL

static const struct kind {
    Mha__DbRequest__BodyCase kind;
    const char *name;
    uint64_t limit_us;
    bool interruptible;       /* a newer request ends it early */
    bool changes_writability; /* looks that began before its end are not judged */
    bool names_epoch;         /* refused if a higher epoch was seen */
} kinds[] = {
    {MHA__DB_REQUEST__BODY_CLOSE, "close", 0, true, true, false},
    {MHA__DB_REQUEST__BODY_FREEZE, "freeze", 10000000, false, false, false},
    {MHA__DB_REQUEST__BODY_DRAIN, "drain", CLOSE_LONGEST_US, true, false, false},
    {MHA__DB_REQUEST__BODY_FOLLOW, "follow", 45000000, true, true, true},
    {MHA__DB_REQUEST__BODY_PROMOTE, "promote", 20000000, false, false, true},
    {MHA__DB_REQUEST__BODY_OPEN, "open", 10000000, false, true, true},
    {MHA__DB_REQUEST__BODY_SET_COMMIT_RULE, "set_commit_rule", 10000000, false, false, true},
    {MHA__DB_REQUEST__BODY_SET_ACKNOWLEDGING, "set_acknowledging", 10000000, false, false, true},
};

static const struct kind *find_kind(Mha__DbRequest__BodyCase kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].kind == kind)
            return &kinds[i];
    return NULL;
}

bool worker_changes_writability(const struct worker *worker)
{
    return worker->running.id != 0 && find_kind(worker->running.kind)->changes_writability;
}

/* ---- on the ops thread ---- */

static void ops_job(void *context)
{
    struct worker *worker = context;
    const struct adapter_kind *kind = worker->kind;
    const struct operation *operation = &worker->running;
    struct adapter *adapter = worker->adapter;
    struct adapter_call *call = &worker->call;
    struct error *err = &worker->ops_error;
    enum error_code code;

    switch (operation->kind) {
    case MHA__DB_REQUEST__BODY_CLOSE:
        code = kind->close(adapter, call, err);
        break;
    case MHA__DB_REQUEST__BODY_FREEZE:
        code = kind->freeze(adapter, call, err);
        break;
    case MHA__DB_REQUEST__BODY_DRAIN:
        code = kind->drain(adapter, call, err);
        break;
    case MHA__DB_REQUEST__BODY_FOLLOW:
        code = kind->follow(adapter, call, operation->host, operation->port, operation->standing_by, err);
        break;
    case MHA__DB_REQUEST__BODY_PROMOTE:
        code = kind->promote(adapter, call, operation->epoch, operation->acks,
                             operation->node[0] ? operation->node : worker->node, worker->ops_position,
                             sizeof worker->ops_position, err);
        break;
    case MHA__DB_REQUEST__BODY_OPEN:
        code = kind->open(adapter, call, operation->epoch, err);
        break;
    case MHA__DB_REQUEST__BODY_SET_COMMIT_RULE:
        code = kind->set_commit_rule(adapter, call, operation->acks, err);
        break;
    case MHA__DB_REQUEST__BODY_SET_ACKNOWLEDGING:
        code = kind->set_acknowledging(adapter, call, operation->node, operation->allowed, err);
        break;
    default:
        code = error_set(err, ERR_INVALID, "no such operation");
    }
    worker->ops_code = code;
}

/* ---- in the loop ---- */

void worker_answer_error(struct worker *worker, uint64_t id, const char *text)
{
    Mha__DbReply reply = MHA__DB_REPLY__INIT;
    Mha__DbObservation observation;

    if (id == 0)
        return;
    worker_fill_observation(worker, worker->view_us, &observation);
    reply.id = id;
    reply.error = (char *)text;
    reply.observation = &observation;
    worker_send(worker, &reply);
}

/* Why it cannot begin, or NULL. */
static const char *refusal(struct worker *worker, const struct operation *operation, char *text, size_t size)
{
    if (find_kind(operation->kind)->names_epoch && !lease_see_epoch(&worker->lease, operation->epoch)) {
        snprintf(text, size, "refused: epoch %llu is older than %llu, which was seen",
                 (unsigned long long)operation->epoch, (unsigned long long)worker->lease.epoch_seen);
        return text;
    }
    if (operation->kind == MHA__DB_REQUEST__BODY_FOLLOW && operation->epoch < worker->frozen_term) {
        snprintf(text, size, "refused: frozen for term %llu, which is newer than epoch %llu",
                 (unsigned long long)worker->frozen_term, (unsigned long long)operation->epoch);
        return text;
    }
    if (operation->kind == MHA__DB_REQUEST__BODY_OPEN &&
        !lease_lives(&worker->lease, clock_now_us(), operation->epoch)) {
        snprintf(text, size, "refused: there is no live lease of epoch %llu",
                 (unsigned long long)operation->epoch);
        return text;
    }
    if (worker->state == MHA__DB_STATE__DB_DOWN)
        return "the database is down";
    return NULL;
}

static void begin(struct worker *worker)
{
    struct operation *operation = &worker->running;
    uint64_t now_us = clock_now_us(), limit_us = find_kind(operation->kind)->limit_us;

    if (operation->kind == MHA__DB_REQUEST__BODY_CLOSE)
        limit_us = operation->timeout_us < CLOSE_LONGEST_US ? operation->timeout_us : CLOSE_LONGEST_US;
    worker->ops_error = (struct error){0};
    worker->operation_us = now_us;
    worker->call.deadline_us = now_us + limit_us;
    worker->call.spare_backups = operation->spare_backups;
    atomic_store(&worker->call.stop, STOP_NONE);
    worker_set_timer(worker->ops_timer, worker->call.deadline_us + ALLOWANCE_US);
    if (operation->kind == MHA__DB_REQUEST__BODY_FOLLOW)
        worker->frozen_term = 0;
    if (operation->kind == MHA__DB_REQUEST__BODY_OPEN) {
        /* From here on it may be open: the lease's timer counts, whatever becomes of the operation. */
        worker->fenced_incarnation = 0;
        worker->writable = WRITABLE_YES;
        lease_open(&worker->lease, now_us, operation->epoch);
        worker_judge(worker);
    }
    task_run(&worker->ops_task, ops_job, worker);
}

void worker_next_operation(struct worker *worker)
{
    char text[256];
    const char *why;

    if (worker->pending.id == 0 || worker->running.id || worker->answering.id || worker->fencing)
        return;
    worker->running = worker->pending;
    worker->pending.id = 0;
    why = refusal(worker, &worker->running, text, sizeof text);
    if (why) {
        uint64_t id = worker->running.id;
        worker->running.id = 0;
        worker_answer_error(worker, id, why);
        return;
    }
    begin(worker);
}

void worker_stop_operation(struct worker *worker, enum adapter_stop stop)
{
    if (worker->running.id == 0)
        return;
    atomic_store(&worker->call.stop, stop);
    /* A drain looks at the flag between its slices; a close, and anything under a fence, may sit in one
     * statement. */
    if (stop != STOP_NEWER || worker->running.kind == MHA__DB_REQUEST__BODY_CLOSE)
        worker->kind->interrupt(worker->adapter, LINE_OPS);
}

static void on_ops_timer(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;

    (void)fd, (void)what;
    worker_stop_operation(worker, STOP_DEADLINE);
}

/* What an operation's success means for what is remembered. */
static void succeeded(struct worker *worker, const struct operation *operation)
{
    switch (operation->kind) {
    case MHA__DB_REQUEST__BODY_CLOSE:
        lease_close(&worker->lease);
        worker->writable = WRITABLE_NO;
        worker->fenced_incarnation = worker->server.incarnation;
        break;
    case MHA__DB_REQUEST__BODY_FREEZE:
        worker->frozen_term = operation->epoch;
        worker->frozen_us = worker->operation_us;
        break;
    case MHA__DB_REQUEST__BODY_FOLLOW:
        worker->source_epoch = operation->epoch;
        worker->told = false;
        break;
    case MHA__DB_REQUEST__BODY_PROMOTE:
        worker->source_epoch = 0;
        worker->position_epoch = operation->epoch;
        snprintf(worker->position, sizeof worker->position, "%s", worker->ops_position);
        break;
    default:
        break;
    }
}

static void failed(struct worker *worker, const struct operation *operation)
{
    const struct kind *kind = find_kind(operation->kind);

    log_warning("%s: %s", kind->name, worker->ops_error.text);
    if (operation->kind == MHA__DB_REQUEST__BODY_OPEN) {
        /* The next look tells whether it is open after all: then without a right. */
        lease_close(&worker->lease);
        worker->writable = WRITABLE_UNKNOWN;
    }
    /* Its receiver may be stopped, or be the old one: it is to be told again. */
    if (operation->kind == MHA__DB_REQUEST__BODY_FOLLOW)
        worker->source_epoch = 0;
    if (worker->ops_error.text[0] == '\0')
        snprintf(worker->ops_error.text, sizeof worker->ops_error.text, "%s failed", kind->name);
}

static void on_ops_done(void *context)
{
    struct worker *worker = context;
    struct operation operation = worker->running;
    uint64_t now_us = clock_now_us();

    worker->running.id = 0;
    worker->operation_us = now_us;
    worker_set_timer(worker->ops_timer, 0);
    if (worker->ops_code == ERR_OK)
        succeeded(worker, &operation);
    else
        failed(worker, &operation);
    if (find_kind(operation.kind)->changes_writability)
        worker->settled_us = now_us;
    worker->answering = operation;
    worker->answering_us = now_us;
    worker->answering_failed = worker->ops_code != ERR_OK;
    worker_judge(worker);
    worker_end_if_done(worker);
    worker_look(worker);
}

static void copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

static bool parse(const Mha__DbRequest *request, struct operation *out)
{
    *out = (struct operation){.id = request->id, .kind = request->body_case};
    switch (request->body_case) {
    case MHA__DB_REQUEST__BODY_CLOSE:
        out->timeout_us = request->close->timeout_us;
        out->spare_backups = request->close->spare_backups;
        break;
    case MHA__DB_REQUEST__BODY_FREEZE:
        out->epoch = request->freeze->term;
        break;
    case MHA__DB_REQUEST__BODY_FOLLOW:
        out->epoch = request->follow->epoch;
        out->port = request->follow->port;
        out->standing_by = request->follow->standing_by;
        copy_text(out->host, sizeof out->host, request->follow->host);
        return out->host[0] && out->port && out->port < 65536;
    case MHA__DB_REQUEST__BODY_PROMOTE:
        out->epoch = request->promote->epoch;
        out->acks = request->promote->acks;
        copy_text(out->node, sizeof out->node, request->promote->node);
        return out->epoch != 0;
    case MHA__DB_REQUEST__BODY_OPEN:
        out->epoch = request->open->epoch;
        return out->epoch != 0;
    case MHA__DB_REQUEST__BODY_SET_COMMIT_RULE:
        out->epoch = request->set_commit_rule->epoch;
        out->acks = request->set_commit_rule->acks;
        break;
    case MHA__DB_REQUEST__BODY_SET_ACKNOWLEDGING:
        out->epoch = request->set_acknowledging->epoch;
        out->allowed = request->set_acknowledging->allowed;
        copy_text(out->node, sizeof out->node, request->set_acknowledging->node);
        return out->node[0];
    case MHA__DB_REQUEST__BODY_CHECK:
        out->switchover = request->check->switchover;
        out->port = request->check->source_port;
        copy_text(out->host, sizeof out->host, request->check->source_host);
        return out->host[0] == '\0' || (out->port && out->port < 65536);
    case MHA__DB_REQUEST__BODY_DRAIN:
        break;
    default:
        return false;
    }
    return true;
}

void worker_request(struct worker *worker, const Mha__DbRequest *request)
{
    struct operation operation;

    if (request->id == 0 || !parse(request, &operation)) {
        log_error("a request of the agent's that cannot be understood (kind %d, id %llu)",
                  (int)request->body_case, (unsigned long long)request->id);
        worker_answer_error(worker, request->id, "this request is not understood");
        return;
    }
    if (operation.kind == MHA__DB_REQUEST__BODY_CHECK) {
        worker_check(worker, &operation);
        return;
    }
    worker_answer_error(worker, worker->pending.id, "given up for a newer request");
    worker->pending = operation;
    if (worker->running.id && find_kind(worker->running.kind)->interruptible)
        worker_stop_operation(worker, STOP_NEWER);
    worker_next_operation(worker);
}

bool worker_request_start(struct worker *worker)
{
    worker->ops_timer = evtimer_new(worker->base, on_ops_timer, worker);
    return worker->ops_timer && task_start(&worker->ops_task, "dbw-ops", worker->base, on_ops_done, worker);
}
