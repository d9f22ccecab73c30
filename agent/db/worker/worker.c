#include "agent/db/worker/worker.h"

#include <errno.h>
#include <mysql.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/db/dbworker.h"
#include "common/base/clock.h"
#include "common/base/log.h"

void worker_set_timer(struct event *timer, uint64_t at_us)
{
    uint64_t now_us = clock_now_us();
    uint64_t left_us = at_us > now_us ? at_us - now_us : 0;
    struct timeval left = {.tv_sec = (time_t)(left_us / 1000000),
                           .tv_usec = (suseconds_t)(left_us % 1000000)};

    if (at_us == 0)
        evtimer_del(timer);
    else
        evtimer_add(timer, &left);
}

void worker_send(struct worker *worker, Mha__DbReply *reply)
{
    static uint8_t packed[WORKER_MESSAGE_BYTES];
    size_t size;

    if (worker->agent_fd < 0)
        return;
    size = mha__db_reply__get_packed_size(reply);
    if (size > sizeof packed) {
        log_error("a reply of %zu bytes to the agent is too long: dropped", size);
        return;
    }
    mha__db_reply__pack(reply, packed);
    /* An agent that does not read asks again after its own deadline; observations follow anyway. */
    if (send(worker->agent_fd, packed, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN &&
        errno != EPIPE && errno != ECONNRESET && errno != ENOBUFS)
        log_warning("no reply to the agent: %s", strerror(errno));
}

void worker_end_if_done(struct worker *worker)
{
    if (!worker->ending || worker->fencing)
        return;
    if (worker->writable != WRITABLE_NO && !worker_leaves_alone(worker) &&
        !lease_is_paused(&worker->lease, clock_now_us())) {
        /* worker_judge waits for the lease's end, or fences */
        return;
    }
    log_notice("ends: %s", worker->writable == WRITABLE_NO ? "the database is not writable"
                           : worker_leaves_alone(worker)   ? "the database was never opened by this cluster"
                                                           : "a pause is in force, the database stays open");
    /* threads may hang in the client library for as long as it likes: no orderly end for them */
    _exit(0);
}

/* The agent died: keep the lease's deadline (worker_judge), then end. */
static void agent_gone(struct worker *worker)
{
    log_notice("the agent is gone%s",
               worker->writable == WRITABLE_NO ? "" : "; the database is fenced at the end of its lease");
    event_free(worker->agent_event);
    worker->agent_event = NULL;
    close(worker->agent_fd);
    worker->agent_fd = -1;
    worker->pending.id = 0;
    worker->ending = true;
    worker_judge(worker);
    worker_end_if_done(worker);
}

static void told_to_stop(struct worker *worker, const char *by)
{
    log_notice("told to stop by %s", by);
    worker->ending = true;
    worker->told_to_stop = true;
    worker_judge(worker);
    worker_end_if_done(worker);
}

static void on_terminate(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    told_to_stop(arg, "a signal");
}

/* A pause outlives this process: the next worker finds its lease written down. */
static void keep_pause_note(struct worker *worker)
{
    bool paused = lease_is_paused(&worker->lease, clock_now_us());

    pause_note_set(&worker->note, paused ? worker->lease.epoch : 0, paused ? worker->lease.deadline_us : 0);
}

static void handle_request(struct worker *worker, const Mha__DbRequest *request)
{
    switch (request->body_case) {
    case MHA__DB_REQUEST__BODY_LEASE:
        if (!lease_renew(&worker->lease, clock_now_us(), request->lease->epoch, request->lease->deadline_us,
                         request->lease->paused))
            log_warning("a lease of epoch %llu is refused: epoch %llu was seen",
                        (unsigned long long)request->lease->epoch,
                        (unsigned long long)worker->lease.epoch_seen);
        keep_pause_note(worker);
        break; /* judged once all that waits is read: only the newest counts */
    case MHA__DB_REQUEST__BODY_WATCH:
        worker_watch(worker, request->watch->interval_us, request->watch->duration_us);
        break;
    case MHA__DB_REQUEST__BODY_FENCE:
        worker_fence(worker, request->fence->reason, 0, request->id);
        break;
    case MHA__DB_REQUEST__BODY_STOP:
        told_to_stop(worker, "the agent");
        break;
    default:
        worker_request(worker, request);
    }
}

/* What waits in the socket, a bounded number; false: the agent is gone. */
static bool receive(struct worker *worker)
{
    uint8_t buffer[DBWORKER_REQUEST_BYTES_MAX];

    for (int i = 0; i < 256; i++) {
        ssize_t n = recv(worker->agent_fd, buffer, sizeof buffer, MSG_DONTWAIT | MSG_TRUNC);
        Mha__DbRequest *request;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n <= 0)
            return false;
        request = (size_t)n <= sizeof buffer ? mha__db_request__unpack(NULL, (size_t)n, buffer) : NULL;
        if (!request) {
            log_error("the agent sent %zd bytes that are no DbRequest: dropped", n);
            continue;
        }
        handle_request(worker, request);
        mha__db_request__free_unpacked(request, NULL);
    }
    return true;
}

static void take_pause_note(struct worker *worker, const char *lock_path)
{
    pause_note_open(&worker->note, lock_path);
    if (worker->note.epoch)
        lease_renew(&worker->lease, clock_now_us(), worker->note.epoch, worker->note.deadline_us, true);
    if (lease_is_paused(&worker->lease, clock_now_us()))
        log_notice("a pause is in force: the lease of epoch %llu lasts %llu ms more",
                   (unsigned long long)worker->note.epoch,
                   (unsigned long long)(worker->note.deadline_us - clock_now_us()) / 1000);
}

void worker_listen(struct worker *worker)
{
    bool connected = worker->agent_fd < 0 || receive(worker);

    if (connected)
        worker_judge(worker);
    else
        agent_gone(worker);
}

static void on_agent(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    worker_listen(arg);
}

int worker_run(const struct db_settings *settings, const char *node, int agent_fd, const char *lock_path)
{
    static struct worker worker;
    struct event_config *config = event_config_new();

    worker.settings = *settings;
    worker.agent_fd = agent_fd;
    strncpy(worker.node, node, sizeof worker.node - 1);
    server_process_init(&worker.server);
    worker.kill_pidfd = -1;
    worker.kind = adapter_find(settings->kind);
    if (!worker.kind || mysql_library_init(0, NULL, NULL) != 0) {
        log_error("no adapter for a database of the kind %s", settings->kind);
        return 1;
    }
    worker.adapter = worker.kind->create(&worker.settings);
    /* leases are counted in microseconds */
    if (config)
        event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    worker.base = config ? event_base_new_with_config(config) : NULL;
    if (!worker.adapter || !worker.base)
        goto no_memory;
    event_config_free(config);
    worker.agent_event = event_new(worker.base, agent_fd, EV_READ | EV_PERSIST, on_agent, &worker);
    worker.terminate_event = evsignal_new(worker.base, SIGTERM, on_terminate, &worker);
    if (!worker.agent_event || !worker.terminate_event || event_add(worker.agent_event, NULL) != 0 ||
        event_add(worker.terminate_event, NULL) != 0 || !worker_fence_start(&worker) ||
        !worker_request_start(&worker) || !worker_observe_start(&worker))
        goto no_memory;
    take_pause_note(&worker, lock_path);
    /* Leases that wait in the socket count before the first look is judged. */
    worker_listen(&worker);
    worker_look(&worker);
    event_base_dispatch(worker.base);
    log_error("the event loop ended");
    return 1;

no_memory:
    log_error("no memory, threads or descriptors to start");
    return 1;
}
