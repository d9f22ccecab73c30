#include "agent/db/dbworker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/child.h"
#include "common/base/clock.h"
#include "common/base/log.h"

/* What waits for an answer. */
struct waiting {
    uint64_t id; /* 0: nothing */
    dbworker_reply reply;
    void *context;
    struct event *deadline;
};

enum waiting_slot { WAITING_REQUEST, WAITING_FENCE, WAITING_COUNT };

struct dbworker {
    struct dbworker_callbacks callbacks;
    void *context;
    struct event_base *base;
    int fd;
    struct child child;
    struct event *readable;
    struct event *ended;
    uint64_t last_id;
    struct waiting waiting[WAITING_COUNT];
    Mha__DbReply *newest; /* keeps the newest observation */
    bool in_callback;
    bool freed; /* dbworker_free was called from a callback */
    uint8_t buffer[DBWORKER_MESSAGE_BYTES_MAX];
};

static void destroy(struct dbworker *worker)
{
    for (int i = 0; i < WAITING_COUNT; i++)
        if (worker->waiting[i].deadline)
            event_free(worker->waiting[i].deadline);
    if (worker->readable)
        event_free(worker->readable);
    if (worker->ended)
        event_free(worker->ended);
    if (worker->fd >= 0)
        close(worker->fd);
    child_leave(&worker->child);
    if (worker->newest)
        mha__db_reply__free_unpacked(worker->newest, NULL);
    free(worker);
}

/* Every callback runs between these two; leave() says whether the worker still exists. */
static void enter(struct dbworker *worker)
{
    worker->in_callback = true;
}

static bool leave(struct dbworker *worker)
{
    worker->in_callback = false;
    if (!worker->freed)
        return true;
    destroy(worker);
    return false;
}

/* Ends what waits in `slot`; false: the callback freed the worker. */
static bool answer(struct dbworker *worker, enum waiting_slot slot, enum error_code code, const char *why,
                   const Mha__DbReply *reply)
{
    struct waiting *waiting = &worker->waiting[slot];
    dbworker_reply callback = waiting->reply;

    if (waiting->id == 0)
        return true;
    waiting->id = 0;
    evtimer_del(waiting->deadline);
    if (!callback)
        return true;
    enter(worker);
    callback(waiting->context, code, why, reply);
    return leave(worker);
}

static void on_deadline(struct dbworker *worker, enum waiting_slot slot)
{
    answer(worker, slot, ERR_TIMEOUT, "the dbworker has not answered in time", NULL);
}

static void on_request_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    on_deadline(arg, WAITING_REQUEST);
}

static void on_fence_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    on_deadline(arg, WAITING_FENCE);
}

/* Takes `reply` over. */
static bool handle_reply(struct dbworker *worker, Mha__DbReply *reply)
{
    bool alive = true, kept = reply->observation != NULL;

    if (kept) {
        if (worker->newest)
            mha__db_reply__free_unpacked(worker->newest, NULL);
        worker->newest = reply;
        enter(worker);
        worker->callbacks.observation(worker->context, reply->observation);
        alive = leave(worker);
    }
    for (int i = 0; alive && i < WAITING_COUNT; i++) {
        if (reply->id == 0 || reply->id != worker->waiting[i].id)
            continue;
        alive =
            answer(worker, (enum waiting_slot)i, reply->error[0] ? ERR_REFUSED : ERR_OK, reply->error, reply);
    }
    if (!kept) /* a callback may have freed the worker, and with it only what it kept */
        mha__db_reply__free_unpacked(reply, NULL);
    return alive;
}

/* Takes what has arrived, a bounded number of messages; false: a callback freed the worker. */
static bool receive(struct dbworker *worker)
{
    for (int i = 0; i < 16; i++) {
        ssize_t n = recv(worker->fd, worker->buffer, sizeof worker->buffer, MSG_DONTWAIT | MSG_TRUNC);
        Mha__DbReply *reply;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n <= 0) {
            /* closed: the pidfd tells the rest */
            event_del(worker->readable);
            return true;
        }
        if ((size_t)n > sizeof worker->buffer) {
            log_error("dbworker %d: a message of %zd bytes, more than allowed: dropped",
                      (int)worker->child.pid, n);
            continue;
        }
        reply = mha__db_reply__unpack(NULL, (size_t)n, worker->buffer);
        if (!reply) {
            log_error("dbworker %d: a message of %zd bytes that is no DbReply: dropped",
                      (int)worker->child.pid, n);
            continue;
        }
        if (!handle_reply(worker, reply))
            return false;
    }
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    receive(arg);
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
    struct dbworker *worker = arg;
    char how[64];

    (void)fd, (void)what;
    if (!child_reap(&worker->child, how, sizeof how, NULL))
        return;
    event_del(worker->ended);
    if (!receive(worker)) /* its last words */
        return;
    event_del(worker->readable);
    for (int i = 0; i < WAITING_COUNT; i++)
        if (!answer(worker, (enum waiting_slot)i, ERR_IO, "the dbworker has ended", NULL))
            return;
    enter(worker);
    worker->callbacks.exited(worker->context, how);
    leave(worker);
}

enum error_code dbworker_spawn(struct event_base *base, const struct dbworker_config *config,
                               const struct dbworker_callbacks *callbacks, void *context,
                               struct dbworker **out, struct error *err)
{
    const char *const argv[] = {config->program,   "-c", config->config_path, "-f", "3", "-l",
                                config->lock_path, NULL};
    struct child_order order = {.argv = argv, .in = -1, .out = -1, .err = -1, .shares_session = true};
    struct dbworker *worker = calloc(1, sizeof *worker);
    int pair[2] = {-1, -1};
    enum error_code code;

    if (!worker)
        return error_set(err, ERR_NO_MEMORY, "no memory for a dbworker");
    worker->base = base;
    worker->callbacks = *callbacks;
    worker->context = context;
    worker->fd = -1;
    worker->child = CHILD_NONE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        code = error_set(err, ERR_IO, "no socket pair for the dbworker: %s", strerror(errno));
        goto failed;
    }
    worker->fd = pair[0];
    order.third = pair[1];
    code = child_start(&worker->child, &order, err);
    close(pair[1]);
    if (code != ERR_OK)
        goto failed;
    worker->readable = event_new(base, worker->fd, EV_READ | EV_PERSIST, on_readable, worker);
    worker->ended = event_new(base, worker->child.pidfd, EV_READ | EV_PERSIST, on_ended, worker);
    worker->waiting[WAITING_REQUEST].deadline = evtimer_new(base, on_request_deadline, worker);
    worker->waiting[WAITING_FENCE].deadline = evtimer_new(base, on_fence_deadline, worker);
    if (!worker->readable || !worker->ended || !worker->waiting[WAITING_REQUEST].deadline ||
        !worker->waiting[WAITING_FENCE].deadline || event_add(worker->readable, NULL) != 0 ||
        event_add(worker->ended, NULL) != 0) {
        code = error_set(err, ERR_NO_MEMORY, "no memory for a dbworker's events");
        goto failed_child;
    }
    *out = worker;
    return ERR_OK;

failed_child:
    /* it has done nothing yet that a kill could leave half done: its lease is empty */
    child_discard(&worker->child);
failed:
    destroy(worker);
    return code;
}

void dbworker_free(struct dbworker *worker)
{
    if (!worker)
        return;
    if (worker->in_callback) {
        worker->freed = true;
        return;
    }
    destroy(worker);
}

pid_t dbworker_pid(const struct dbworker *worker)
{
    return worker->child.pid;
}

const Mha__DbObservation *dbworker_observation(const struct dbworker *worker)
{
    return worker->newest ? worker->newest->observation : NULL;
}

bool dbworker_busy(const struct dbworker *worker)
{
    return worker->waiting[WAITING_REQUEST].id != 0;
}

bool dbworker_fencing(const struct dbworker *worker)
{
    return worker->waiting[WAITING_FENCE].id != 0;
}

static enum error_code send_request(struct dbworker *worker, Mha__DbRequest *request, struct error *err)
{
    uint8_t packed[DBWORKER_REQUEST_BYTES_MAX];
    size_t size = mha__db_request__get_packed_size(request);

    if (size > sizeof packed)
        return error_set(err, ERR_INVALID, "a request of %zu bytes for the dbworker; at most %zu", size,
                         sizeof packed);
    mha__db_request__pack(request, packed);
    if (send(worker->fd, packed, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size)
        return ERR_OK;
    if (errno == EAGAIN || errno == ENOBUFS)
        return error_set(err, ERR_BUSY, "the dbworker does not read; its socket is full");
    return error_set(err, ERR_IO, "the dbworker is gone: %s", strerror(errno));
}

static enum error_code send_waiting(struct dbworker *worker, enum waiting_slot slot, Mha__DbRequest *request,
                                    uint64_t deadline_us, dbworker_reply reply, void *context,
                                    struct error *err)
{
    struct waiting *waiting = &worker->waiting[slot];
    uint64_t now_us = clock_now_us();
    uint64_t left_us = deadline_us > now_us ? deadline_us - now_us : 0;
    struct timeval left = {.tv_sec = (time_t)(left_us / 1000000),
                           .tv_usec = (suseconds_t)(left_us % 1000000)};
    enum error_code code;

    request->id = ++worker->last_id;
    code = send_request(worker, request, err);
    if (code != ERR_OK)
        return code;
    *waiting = (struct waiting){
        .id = request->id, .reply = reply, .context = context, .deadline = waiting->deadline};
    evtimer_add(waiting->deadline, &left);
    return ERR_OK;
}

enum error_code dbworker_request(struct dbworker *worker, Mha__DbRequest *request, uint64_t deadline_us,
                                 dbworker_reply reply, void *context, struct error *err)
{
    return send_waiting(worker, WAITING_REQUEST, request, deadline_us, reply, context, err);
}

enum error_code dbworker_fence(struct dbworker *worker, const char *reason, uint64_t deadline_us,
                               dbworker_reply reply, void *context, struct error *err)
{
    Mha__DbRequest request = MHA__DB_REQUEST__INIT;
    Mha__DbFence fence = MHA__DB_FENCE__INIT;

    fence.reason = (char *)reason;
    request.body_case = MHA__DB_REQUEST__BODY_FENCE;
    request.fence = &fence;
    return send_waiting(worker, WAITING_FENCE, &request, deadline_us, reply, context, err);
}

bool dbworker_lease(struct dbworker *worker, uint64_t epoch, uint64_t deadline_us, bool paused)
{
    Mha__DbRequest request = MHA__DB_REQUEST__INIT;
    Mha__DbLease lease = MHA__DB_LEASE__INIT;

    lease.epoch = epoch;
    lease.deadline_us = deadline_us;
    lease.paused = paused;
    request.body_case = MHA__DB_REQUEST__BODY_LEASE;
    request.lease = &lease;
    return send_request(worker, &request, NULL) == ERR_OK;
}

bool dbworker_watch(struct dbworker *worker, uint64_t interval_us, uint64_t duration_us)
{
    Mha__DbRequest request = MHA__DB_REQUEST__INIT;
    Mha__DbWatch watch = MHA__DB_WATCH__INIT;

    watch.interval_us = interval_us;
    watch.duration_us = duration_us;
    request.body_case = MHA__DB_REQUEST__BODY_WATCH;
    request.watch = &watch;
    return send_request(worker, &request, NULL) == ERR_OK;
}

bool dbworker_stop(struct dbworker *worker)
{
    Mha__DbRequest request = MHA__DB_REQUEST__INIT;
    Mha__DbStop stop = MHA__DB_STOP__INIT;

    request.body_case = MHA__DB_REQUEST__BODY_STOP;
    request.stop = &stop;
    return send_request(worker, &request, NULL) == ERR_OK;
}
