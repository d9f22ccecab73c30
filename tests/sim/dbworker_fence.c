/* Who may write: the lease's end and the fence, with SIGKILL as its last rung; after
 * agent/db/worker/worker_fence.c. */
#include <string.h>

#include "tests/sim/dbworker.h"

#define FENCE_ASKED_US 300000u
#define FENCE_HUNG_US 60000u
#define KILL_US 2000u

static struct worker_model *worker_of(struct cluster *cluster, unsigned host)
{
    return cluster->hosts[host].worker;
}

/* ---- the fence ---- */

static void fence_ended(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host);

    worker->fencing = worker->killing = false;
    worker_set_timer(cluster, host, &worker->fence_timer, 0, NULL);
    worker->settled_us = now_us;
    lease_close(&worker->lease);
    worker_keep_note(cluster, host, false);
    if (worker->fence_asked)
        worker_answer(cluster, host, worker->fence_asked, "");
    else
        worker_report(cluster, host, now_us);
    worker->fence_asked = 0;
    worker_judge(cluster, host);
    worker_end_if_done(cluster, host);
    if (!cluster_up(cluster, host, PROCESS_WORKER))
        return;
    worker_next_operation(cluster, host);
    if (worker->state != MHA__DB_STATE__DB_DOWN)
        worker_look(cluster, host);
}

static void on_killed(struct cluster *cluster, unsigned host, const void *data)
{
    lease_measured_kill_us(&worker_of(cluster, host)->lease, KILL_US);
    if (cluster->hosts[host].processes[PROCESS_SERVER].life == *(const uint64_t *)data)
        cluster_kill(cluster, host, PROCESS_SERVER);
}

static void on_fence_timer(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);

    if (!worker_timer_is_due(cluster, host, &worker->fence_timer, on_fence_timer, data) || !worker->fencing ||
        worker->killing)
        return;
    if (!worker_locate(cluster, host)) {
        worker_server_gone(cluster, host);
        return;
    }
    cluster_trace(cluster, host, "dbworker: the fence takes too long: SIGKILL");
    worker->killing = true;
    cluster_after(cluster, host, PROCESS_KERNEL, KILL_US, on_killed,
                  &cluster->hosts[host].processes[PROCESS_SERVER].life, sizeof(uint64_t));
}

static void on_fence_step(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);
    struct server *server = cluster->hosts[host].server;

    if (!worker->fencing || worker->fence_began_us != *(const uint64_t *)data)
        return;
    if (cluster_runs(cluster, host, PROCESS_SERVER) && worker->incarnation == server->incarnation) {
        if (worker_close_server(cluster, host, false) == OUTCOME_NEXT) {
            if (!cluster_up(cluster, host, PROCESS_SERVER))
                return; /* its end is seen soon */
            worker->swept_below = worker->last_statement + 1;
            lease_measured_us(&worker->lease, cluster_clock_us(cluster, host) - worker->fence_began_us);
            worker->fenced_incarnation = worker->incarnation;
            worker->writable = WRITABLE_NO;
            worker->view.read_only = true;
            cluster_trace(cluster, host, "dbworker: fenced");
            fence_ended(cluster, host);
            return;
        }
    }
    cluster_after(cluster, host, PROCESS_WORKER, WORKER_POLL_US, on_fence_step, data, sizeof(uint64_t));
}

void worker_fence(struct cluster *cluster, unsigned host, const char *reason, uint64_t deadline_us,
                  uint64_t id)
{
    struct worker_model *worker = worker_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host), gentle_us, reserve_us, left_us;

    if (id) {
        worker_answer(cluster, host, worker->fence_asked, "given up for a newer request");
        worker->fence_asked = id;
    }
    if (worker->fencing)
        return;
    cluster_trace(cluster, host, "dbworker: fences: %s", reason);
    worker->fencing = true;
    worker->killing = false;
    worker->fence_began_us = now_us;
    if (worker->writable == WRITABLE_NO && worker->fenced_incarnation != worker->incarnation)
        worker->writable = WRITABLE_UNKNOWN;
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
    worker_give_up(cluster, host, "given up for a fence");
    if (!worker_locate(cluster, host)) {
        worker_server_gone(cluster, host);
        return;
    }
    worker_set_timer(cluster, host, &worker->fence_timer, worker->fence_deadline_us, on_fence_timer);
    cluster_after(cluster, host, PROCESS_WORKER, cluster_op_delay_us(cluster), on_fence_step,
                  &worker->fence_began_us, sizeof worker->fence_began_us);
}

/* ---- who may write ---- */

static void on_lease_timer(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);

    if (!worker_timer_is_due(cluster, host, &worker->lease_timer, on_lease_timer, data))
        return;
    worker_judge(cluster, host);
}

static void arm(struct cluster *cluster, unsigned host, uint64_t at_us)
{
    worker_set_timer(cluster, host, &worker_of(cluster, host)->lease_timer, at_us, on_lease_timer);
}

static bool adopt(struct worker_model *worker, uint64_t now_us)
{
    if (worker->adopted_once || !worker->has_view)
        return false;
    worker->adopted_once = true;
    return lease_open(&worker->lease, now_us, worker->view.written_epoch);
}

/* What is open goes over to the epoch whose record this worker wrote, with its first live lease. */
static void take_over(struct worker_model *worker, uint64_t now_us)
{
    if (worker->lease.open_epoch != 0 && worker->position_epoch > worker->lease.open_epoch)
        lease_open(&worker->lease, now_us, worker->position_epoch);
}

/* It was never ours: the policy says what becomes of it. */
static bool leaves_alone(const struct worker_model *worker)
{
    return worker->has_view && worker->view.foreign && worker->lease.open_epoch == 0 &&
           !(worker->running.id && worker->running.op == DB_OP_OPEN);
}

void worker_judge(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host), until_us;

    if (worker->fencing) {
        if (worker->state == MHA__DB_STATE__DB_DOWN && !worker->attached)
            fence_ended(cluster, host);
        return;
    }
    if (worker->has_view && worker->writable == WRITABLE_NO)
        worker->adopted_once = true;
    take_over(worker, now_us);
    until_us = lease_open_until_us(&worker->lease);
    if (worker->writable == WRITABLE_NO && !worker_changes_writability(worker)) {
        arm(cluster, host, 0);
        return;
    }
    if (leaves_alone(worker)) {
        arm(cluster, host, 0);
        return;
    }
    if (worker->told_to_stop && !lease_is_paused(&worker->lease, now_us) &&
        worker->state != MHA__DB_STATE__DB_UNKNOWN) {
        worker_fence(cluster, host, "the agent stops", 0, 0);
        return;
    }
    if (until_us == 0 && worker->writable == WRITABLE_YES && !worker_changes_writability(worker)) {
        if (!adopt(worker, now_us)) {
            worker_fence(cluster, host, "it is writable without a lease", 0, 0);
            return;
        }
        until_us = lease_open_until_us(&worker->lease);
    }
    if (until_us) {
        if (now_us >= lease_fence_at_us(&worker->lease))
            worker_fence(cluster, host, "the lease ends", until_us, 0);
        else
            arm(cluster, host, lease_fence_at_us(&worker->lease));
        return;
    }
    if (worker->ending && worker->state != MHA__DB_STATE__DB_UNKNOWN) {
        if (worker->lease.deadline_us > now_us + LEASE_FENCE_FIRST_US)
            arm(cluster, host, worker->lease.deadline_us - LEASE_FENCE_FIRST_US);
        else
            worker_fence(cluster, host, "the agent is gone and the lease is over", 0, 0);
    }
}
