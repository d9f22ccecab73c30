/* The lease's end and the fence: read-only and the clients gone in time, or SIGKILL. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/db/worker/worker.h"
#include "common/base/clock.h"
#include "common/base/log.h"

/* A fence without a lease's deadline (asked for, or of a server that should not be open) has this long until
 * SIGKILL; one of a server that hangs less. */
#define FENCE_ASKED_US 250000
#define FENCE_HUNG_US 20000
/* The `kill` command is run again if the server still lives so long after. */
#define KILL_AGAIN_US 2000000

extern char **environ;

static void fence_ended(struct worker *worker, const char *how);

/* ---- the last rung ---- */

static void on_kill_ended(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;
    siginfo_t info;

    (void)what;
    memset(&info, 0, sizeof info);
    waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG);
    if (info.si_pid == 0)
        return;
    if (info.si_code != CLD_EXITED || info.si_status != 0)
        log_error("the kill command (%s) failed: %s %d", worker->settings.kill,
                  info.si_code == CLD_EXITED ? "exit status" : "signal", info.si_status);
    event_free(worker->kill_event);
    worker->kill_event = NULL;
    close(worker->kill_pidfd);
    worker->kill_pidfd = -1;
    worker->kill_pid = 0;
}

static void run_kill_command(struct worker *worker)
{
    char *const argv[] = {(char *)"/bin/sh", (char *)"-c", worker->settings.kill, NULL};
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    int code;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGHUP);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    code = posix_spawn(&worker->kill_pid, "/bin/sh", NULL, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    if (code != 0) {
        log_error("the kill command (%s) cannot be run: %s", worker->settings.kill, strerror(code));
        worker->kill_pid = 0;
        return;
    }
    worker->kill_pidfd = (int)syscall(SYS_pidfd_open, worker->kill_pid, 0);
    if (worker->kill_pidfd < 0)
        return;
    fcntl(worker->kill_pidfd, F_SETFD, FD_CLOEXEC);
    worker->kill_event =
        event_new(worker->base, worker->kill_pidfd, EV_READ | EV_PERSIST, on_kill_ended, worker);
    if (worker->kill_event)
        event_add(worker->kill_event, NULL);
}

static void kill_server(struct worker *worker)
{
    uint64_t now_us = clock_now_us();

    if (!worker->killing || now_us >= worker->kill_began_us + KILL_AGAIN_US) {
        log_error("the database is killed: %s", worker->fence_code == ERR_OK
                                                    ? "read-only is not confirmed in time"
                                                    : worker->fence_error.text);
        worker->killing = true;
        worker->kill_began_us = now_us;
        if (worker->kill_pid > 0) {
            kill(-worker->kill_pid, SIGKILL); /* the command of the last try hangs */
        } else {
            run_kill_command(worker);
        }
        /* Permitted only where the worker and the server share a user; the command is the regular way. */
        if (worker->server.pidfd >= 0)
            syscall(SYS_pidfd_send_signal, worker->server.pidfd, SIGKILL, NULL, 0);
    }
    worker_set_timer(worker->fence_timer, now_us + KILL_AGAIN_US);
}

/* ---- the ladder ---- */

static void fence_job(void *context)
{
    struct worker *worker = context;

    worker->fence_code =
        worker->kind->fence(worker->adapter, worker->fence_deadline_us, &worker->fence_error);
}

static void prepare_job(void *context)
{
    struct worker *worker = context;
    struct error ignored;

    worker->kind->prepare_fence(worker->adapter,
                                &ignored); /* not to be had now: the fence connects by itself, or kills */
}

static void expel_job(void *context)
{
    struct worker *worker = context;
    struct error ignored;

    if (worker->kind->expel(worker->adapter, worker->expelled, sizeof worker->expelled, &ignored) != ERR_OK)
        worker->expelled[0] = '\0';
}

void worker_expel(struct worker *worker)
{
    if (task_busy(&worker->fence_task) || worker->fencing || !worker->kind->expel)
        return;
    worker->fence_job = FENCE_JOB_EXPEL;
    task_run(&worker->fence_task, expel_job, worker);
}

static void expelled(struct worker *worker)
{
    if (worker->expelled[0] == '\0')
        return;
    log_error("the database is closed: ended the sessions of who can write all the same: %s",
              worker->expelled);
    snprintf(worker->intruder, sizeof worker->intruder,
             "it is closed, but somebody has written to it; the sessions of who may write under read_only "
             "are ended, "
             "last of %s",
             worker->expelled);
}

void worker_prepare_fence(struct worker *worker)
{
    if (task_busy(&worker->fence_task) || worker->fencing)
        return;
    worker->fence_job = FENCE_JOB_PREPARE;
    worker->prepared_us = clock_now_us();
    task_run(&worker->fence_task, prepare_job, worker);
}

static void run_fence_job(struct worker *worker)
{
    if (task_busy(&worker->fence_task))
        return; /* its end starts it */
    worker->fence_job = FENCE_JOB_FENCE;
    worker->fence_job_number = worker->fence_number;
    worker->fence_code = ERR_OK;
    task_run(&worker->fence_task, fence_job, worker);
}

static void on_fence_done(void *context)
{
    struct worker *worker = context;

    if (worker->fence_job == FENCE_JOB_EXPEL)
        expelled(worker);
    if (!worker->fencing)
        return;
    if (worker->fence_job != FENCE_JOB_FENCE || worker->fence_job_number != worker->fence_number) {
        /* it was busy with something else */
        run_fence_job(worker);
        return;
    }
    if (worker->fence_code == ERR_OK) {
        uint64_t now_us = clock_now_us();
        lease_measured_us(&worker->lease, now_us - worker->fence_began_us);
        worker->fenced_incarnation = worker->server.incarnation;
        worker->writable = WRITABLE_NO;
        worker->view.read_only = true;
        fence_ended(worker, "read-only, no client's session left");
        return;
    }
    kill_server(worker);
}

/* The ladder's time is up, or the killed server is still there. */
static void on_fence_timer(evutil_socket_t fd, short what, void *arg)
{
    struct worker *worker = arg;

    (void)fd, (void)what;
    if (!worker->fencing)
        return;
    if (!worker_locate(worker)) {
        worker_server_gone(worker);
        return;
    }
    kill_server(worker);
    /* and the other way goes on beside it: whichever is first */
    if (!task_busy(&worker->fence_task)) {
        worker->fence_deadline_us = clock_now_us() + KILL_AGAIN_US / 2;
        run_fence_job(worker);
    }
}

static void answer(struct worker *worker, uint64_t now_us)
{
    Mha__DbReply reply = MHA__DB_REPLY__INIT;
    Mha__DbObservation observation;

    if (worker->fence_asked == 0) {
        worker_report(worker, now_us);
        return;
    }
    worker_fill_observation(worker, now_us, &observation);
    reply.id = worker->fence_asked;
    reply.observation = &observation;
    worker_send(worker, &reply);
    worker->fence_asked = 0;
}

static void fence_ended(struct worker *worker, const char *how)
{
    uint64_t now_us = clock_now_us();

    worker->fencing = false;
    worker->killing = false;
    worker_set_timer(worker->fence_timer, 0);
    worker->settled_us = now_us;
    lease_close(&worker->lease);
    pause_note_set(&worker->note, 0, 0); /* what it kept open is closed */
    worker->kind->refuse(worker->adapter, LINE_OPS, false);
    log_notice("fenced in %llu.%03llu ms: %s", (unsigned long long)(now_us - worker->fence_began_us) / 1000,
               (unsigned long long)(now_us - worker->fence_began_us) % 1000, how);
    answer(worker, now_us);
    worker_judge(worker);
    worker_end_if_done(worker);
    worker_next_operation(worker);
    if (worker->state != MHA__DB_STATE__DB_DOWN)
        worker_look(worker);
}

void worker_fence(struct worker *worker, const char *reason, uint64_t deadline_us, uint64_t id)
{
    uint64_t now_us = clock_now_us(), gentle_us, reserve_us, left_us;

    if (id) {
        /* the agent asks for one at a time: again only once it has given the last one up */
        worker_answer_error(worker, worker->fence_asked, "given up for a newer request");
        worker->fence_asked = id;
    }
    if (worker->fencing)
        return;
    log_notice("the database is fenced: %s", reason && reason[0] ? reason : "asked for");
    worker->fencing = true;
    worker->fence_number++;
    worker->killing = false;
    worker->fence_began_us = now_us;
    worker->fence_code = ERR_OK;
    if (worker->writable == WRITABLE_NO && worker->fenced_incarnation != worker->server.incarnation)
        worker->writable = WRITABLE_UNKNOWN;
    /* The time until SIGKILL: what the lease leaves, for a fence that is asked for too, or as long as such a
     * one may take. Too late already (a paused machine, a stopped worker): still give the gentle rung a
     * moment. */
    if (deadline_us == 0)
        deadline_us = lease_open_until_us(&worker->lease);
    reserve_us = lease_kill_cost_us(&worker->lease);
    gentle_us = worker->state == MHA__DB_STATE__DB_HUNG ? FENCE_HUNG_US : FENCE_ASKED_US;
    left_us = deadline_us > now_us ? deadline_us - now_us : 0;
    if (deadline_us) {
        if (reserve_us > left_us / 2)
            reserve_us = left_us / 2;
        if (gentle_us > left_us - reserve_us)
            gentle_us = left_us - reserve_us;
    }
    if (gentle_us < LEASE_FENCE_LEAST_US / 2)
        gentle_us = LEASE_FENCE_LEAST_US / 2;
    worker->fence_deadline_us = now_us + gentle_us;
    worker_stop_operation(worker, STOP_FENCE);
    worker->kind->refuse(worker->adapter, LINE_OPS, true);
    if (!worker_locate(worker)) {
        worker_server_gone(worker);
        return;
    }
    worker_set_timer(worker->fence_timer, worker->fence_deadline_us);
    run_fence_job(worker);
}

/* ---- who may write ---- */

/* A database that this worker finds open at its own first look: an earlier worker opened it. It stays open
 * under a live lease of the very epoch that its newest record names. */
static bool adopt(struct worker *worker, uint64_t now_us)
{
    if (worker->adopted_once || !worker->has_view)
        return false;
    worker->adopted_once = true;
    if (!lease_open(&worker->lease, now_us, worker->view.written_epoch))
        return false;
    log_notice("the database is open under epoch %llu and stays so",
               (unsigned long long)worker->view.written_epoch);
    return true;
}

/* An open database whose newest epoch record is this worker's own, of a later epoch than it was opened under
 * (a pause that a new leadership of the same node takes over): it goes over to that epoch with its first live
 * lease. */
static void take_over(struct worker *worker, uint64_t now_us)
{
    uint64_t epoch = worker->position_epoch;

    if (worker->lease.open_epoch != 0 && epoch > worker->lease.open_epoch &&
        lease_open(&worker->lease, now_us, epoch))
        log_notice("the open database goes over to epoch %llu", (unsigned long long)epoch);
}

bool worker_leaves_alone(const struct worker *worker)
{
    /* `open_epoch`: an opening is never of such a server, but its record may be younger than the last look */
    return worker->has_view && worker->view.foreign && worker->lease.open_epoch == 0 &&
           !(worker->running.id && worker->running.kind == MHA__DB_REQUEST__BODY_OPEN);
}

void worker_judge(struct worker *worker)
{
    uint64_t now_us = clock_now_us(), until_us;

    if (worker->fencing) {
        if (worker->state == MHA__DB_STATE__DB_DOWN && worker->server.pidfd < 0) {
            if (worker->killing)
                lease_measured_kill_us(&worker->lease, now_us - worker->kill_began_us);
            fence_ended(worker, "the server's process is gone");
        }
        return;
    }
    if (worker->has_view && worker->writable == WRITABLE_NO)
        worker->adopted_once = true;
    take_over(worker, now_us);
    until_us = lease_open_until_us(&worker->lease);
    atomic_store(&worker->call.writable_until_us, until_us ? lease_fence_at_us(&worker->lease) : 0);
    if (worker->writable == WRITABLE_NO && !worker_changes_writability(worker)) {
        worker_set_timer(worker->lease_timer, 0);
        return;
    }
    if (worker_leaves_alone(worker)) {
        worker_set_timer(worker->lease_timer, 0);
        return;
    }
    if (worker->told_to_stop && !lease_is_paused(&worker->lease, now_us) &&
        worker->state != MHA__DB_STATE__DB_UNKNOWN) {
        worker_fence(worker, "the agent stops", 0, 0);
        return;
    }
    if (until_us == 0 && worker->writable == WRITABLE_YES && !worker_changes_writability(worker)) {
        if (!adopt(worker, now_us)) {
            worker_fence(worker, "it is writable without a lease", 0, 0);
            return;
        }
        until_us = lease_open_until_us(&worker->lease);
    }
    if (until_us) {
        if (now_us >= lease_fence_at_us(&worker->lease))
            worker_fence(worker, "the lease ends", until_us, 0);
        else
            worker_set_timer(worker->lease_timer, lease_fence_at_us(&worker->lease));
        return;
    }
    /* Not known whether it is open, though it was looked at: it hangs, or refuses us. While the agent lives
     * it decides; without it nobody else will. */
    if (worker->ending && worker->state != MHA__DB_STATE__DB_UNKNOWN) {
        if (worker->lease.deadline_us > now_us + LEASE_FENCE_FIRST_US)
            worker_set_timer(worker->lease_timer, worker->lease.deadline_us - LEASE_FENCE_FIRST_US);
        else
            worker_fence(worker, "the agent is gone and the lease is over", 0, 0);
    }
}

static void on_lease_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    /* after a pause of this process a renewal may wait in the socket: it counts */
    worker_listen(arg);
}

bool worker_fence_start(struct worker *worker)
{
    worker->lease_timer = evtimer_new(worker->base, on_lease_timer, worker);
    worker->fence_timer = evtimer_new(worker->base, on_fence_timer, worker);
    return worker->lease_timer && worker->fence_timer &&
           task_start(&worker->fence_task, "dbw-fence", worker->base, on_fence_done, worker);
}
