/* The agent's operations, statement by statement; the lease's end and the fence. After
 * agent/db/worker/worker_request.c, worker_fence.c and mariadb_*.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/cluster_check.h"
#include "tests/sim/dbworker.h"

#define FENCE_ASKED_US 300000u
#define FENCE_HUNG_US 60000u
#define KILL_US 2000u
#define POLL_US 1000u
#define ALLOWANCE_US 2000000u

static struct worker_model *worker_of(struct cluster *cluster, unsigned host)
{
    return cluster->hosts[host].worker;
}

bool worker_changes_writability(const struct worker_model *worker)
{
    enum policy_db_op op = worker->running.op;

    return worker->running.id != 0 && (op == DB_OP_CLOSE || op == DB_OP_FOLLOW || op == DB_OP_OPEN);
}

void worker_server_statements_end(struct worker_model *worker)
{
    worker->swept_below = worker->last_statement + 1;
}

/* ---- one statement of the running operation ---- */

enum outcome { OUTCOME_NEXT, OUTCOME_DONE, OUTCOME_WAIT, OUTCOME_FAIL };

static enum outcome fail(struct worker_model *worker, const char *why)
{
    snprintf(worker->error, sizeof worker->error, "%s", why);
    return OUTCOME_FAIL;
}

/* MariaDB: with both threads stopped a START of either throws away what was received but not applied: then
 * nothing is started. */
static void start_applier(struct cluster *cluster, unsigned host)
{
    const struct server *server = cluster->hosts[host].server;

    if (!server->applier_on &&
        (server->receiver_on || server->relay.count == 0 || server->kind != SERVER_ONE_WAIT))
        server_applier_start(cluster, host);
}

static enum outcome freeze(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    if (!server->configured)
        return OUTCOME_DONE;
    start_applier(cluster, host);
    server_receiver_stop(cluster, host);
    return OUTCOME_DONE;
}

static enum outcome drain(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    if (!server->configured || server->relay.count == 0)
        return OUTCOME_DONE;
    if (!server->applier_on)
        return fail(worker_of(cluster, host), "what was received cannot be applied");
    return OUTCOME_WAIT;
}

static enum outcome make_read_only(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    if (server->read_only)
        return OUTCOME_NEXT;
    server->closing = true;
    if (server_waiting(server) > 0 || server->disk_hangs)
        return OUTCOME_WAIT;
    server->closing = false;
    server->read_only = true;
    return OUTCOME_NEXT;
}

/* The gentle rungs of the fence, and what a planned stop of the writes does. */
static enum outcome close_server(struct cluster *cluster, unsigned host, bool planned)
{
    struct server *server = cluster->hosts[host].server;
    enum outcome outcome;

    if (server->kind == SERVER_NAMED_WAIT) {
        /* default_transaction_read_only is no fence: it is stopped. Who waits there is not told "committed".
         */
        cluster_kill(cluster, host, PROCESS_SERVER);
        return OUTCOME_NEXT;
    }
    if (server->kind == SERVER_K_WAIT && !planned && !server->disk_hangs && !server->read_only) {
        /* offline_mode ends the clients; semi-sync is switched off then, which lets go what waits. */
        server_kill_sessions(server);
        server_release_waiting(cluster, host);
    }
    outcome = make_read_only(cluster, host);
    if (outcome == OUTCOME_NEXT)
        server_kill_sessions(server);
    return outcome;
}

static enum outcome follow(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    struct server *server = cluster->hosts[host].server;

    switch (worker->stage) {
    case 0:
        if (server->kind == SERVER_NAMED_WAIT && !server->read_only)
            return fail(worker, "it is open: it must be stopped first");
        return make_read_only(cluster, host);
    case 1:
        if (server->configured && server->source == worker->running.source && server->connection.up &&
            server->applier_on && server->acknowledging)
            return OUTCOME_DONE;
        server_set_rule(cluster, host, 0);
        if (!server->configured || server->kind == SERVER_NAMED_WAIT ||
            (server->kind == SERVER_ONE_WAIT && !server->receiver_on && !server->applier_on)) {
            worker->stage = 2; /* nothing to save, or it stays, or it comes again from the new source */
            return OUTCOME_NEXT;
        }
        start_applier(cluster, host);
        server_receiver_stop(cluster, host);
        return OUTCOME_NEXT;
    case 2:
        if (server->relay.count > 0)
            return server->applier_on ? OUTCOME_WAIT : fail(worker, "what was received cannot be applied");
        return OUTCOME_NEXT;
    default:
        server_follow(cluster, host, worker->running.source);
        return OUTCOME_DONE;
    }
}

/* The last GTID of the log. */
static void remember_position(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    const struct server *server = cluster->hosts[host].server;

    server_gtid_text(server, server->log.count - 1, worker->position, sizeof worker->position);
}

static void set_rule(struct cluster *cluster, unsigned host, const struct worker_request *request)
{
    const struct server *server = cluster->hosts[host].server;

    for (unsigned i = 0; i < cluster->data_count && server->kind == SERVER_NAMED_WAIT; i++)
        if (i != host)
            server_bar(cluster, host, i, !(request->names & 1u << i));
    server_set_rule(cluster, host, request->acks);
}

static enum outcome promote(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    struct server *server = cluster->hosts[host].server;
    uint64_t epoch = worker->running.epoch;

    switch (worker->stage) {
    case 0:
        if (server->configured && server->receiver_on)
            return fail(worker, "its receiver still runs: freeze first");
        if (server->configured && server->relay.count > 0)
            return fail(worker, "it has not applied all that it received: drain first");
        if (server_epoch(server) > epoch)
            return fail(worker, "the database holds a newer epoch record");
        server_forget_source(server);
        return OUTCOME_NEXT;
    case 1:
        if (server_epoch(server) == epoch) {
            worker->stage = 2;
            remember_position(cluster, host);
        } else if (server->read_only) {
            server_set_rule(cluster, host, 0);
        }
        return OUTCOME_NEXT;
    case 2:
        server_write_epoch(cluster, host, epoch);
        remember_position(cluster, host);
        return OUTCOME_NEXT;
    default:
        set_rule(cluster, host, &worker->running);
        return OUTCOME_DONE;
    }
}

static enum outcome open_server(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    struct server *server = cluster->hosts[host].server;
    uint64_t until_us = lease_open_until_us(&worker->lease) ? lease_fence_at_us(&worker->lease) : 0;

    if (server_epoch(server) != worker->running.epoch)
        return fail(worker, "the newest epoch record is another: promote first");
    if (cluster_clock_us(cluster, host) >= until_us)
        return fail(worker, "the lease has run out meanwhile");
    if (server->read_only) {
        server->opening++;
        cluster_check_opening(cluster, host);
        cluster_trace(cluster, host, "server: open under epoch %" PRIu64, worker->running.epoch);
    }
    server->read_only = server->closing = false;
    return OUTCOME_DONE;
}

static enum outcome carry_out(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    enum outcome outcome;

    switch (worker->running.op) {
    case DB_OP_FREEZE:
        return freeze(cluster, host);
    case DB_OP_DRAIN:
        return drain(cluster, host);
    case DB_OP_FOLLOW:
        return follow(cluster, host);
    case DB_OP_PROMOTE:
        return promote(cluster, host);
    case DB_OP_OPEN:
        return open_server(cluster, host);
    case DB_OP_SET_COMMIT_RULE:
        set_rule(cluster, host, &worker->running);
        return OUTCOME_DONE;
    case DB_OP_SET_ACKNOWLEDGING:
        if (cluster->hosts[host].server->kind == SERVER_NAMED_WAIT)
            return fail(worker, "who may acknowledge is named with the rule");
        server_bar(cluster, host, worker->running.source, !worker->running.allowed);
        return OUTCOME_DONE;
    case DB_OP_CLOSE:
        outcome = close_server(cluster, host, true);
        return outcome == OUTCOME_NEXT ? OUTCOME_DONE : outcome;
    default:
        return fail(worker, "not understood");
    }
}

/* ---- an operation, from request to answer ---- */

static void begin_statement(struct cluster *cluster, unsigned host, uint64_t delay_us);

static void ended(struct cluster *cluster, unsigned host, bool failed)
{
    struct worker_model *worker = worker_of(cluster, host);
    struct server *server = cluster->hosts[host].server;
    struct worker_request operation = worker->running;
    bool changes = worker_changes_writability(worker);
    uint64_t now_us = cluster_clock_us(cluster, host);

    worker_set_timer(cluster, host, &worker->ops_timer, 0, NULL);
    worker->running.id = 0;
    cluster_trace(cluster, host, "dbworker: operation %d %s%s", operation.op, failed ? "failed: " : "done",
                  failed ? worker->error : "");
    if (failed && operation.op == DB_OP_CLOSE && !worker->fencing && server->closing)
        server->closing = false;
    if (failed && operation.op == DB_OP_OPEN) {
        lease_close(&worker->lease);
        worker->writable = WRITABLE_UNKNOWN;
    }
    if (!failed) {
        if (operation.op == DB_OP_CLOSE) {
            lease_close(&worker->lease);
            worker->writable = WRITABLE_NO;
            worker->fenced_incarnation = worker->incarnation;
        } else if (operation.op == DB_OP_FREEZE) {
            worker->frozen_term = operation.epoch;
        } else if (operation.op == DB_OP_FOLLOW) {
            worker->source_epoch = operation.epoch;
        } else if (operation.op == DB_OP_PROMOTE) {
            worker->source_epoch = 0;
            worker->position_epoch = operation.epoch;
        }
    }
    if (changes)
        worker->settled_us = now_us;
    worker->answering = operation;
    worker->answering_us = now_us;
    worker->answering_failed = failed;
    worker_judge(cluster, host);
    worker_end_if_done(cluster, host);
    if (cluster_up(cluster, host, PROCESS_WORKER))
        worker_look(cluster, host);
}

static void give_up(struct cluster *cluster, unsigned host, const char *why)
{
    struct worker_model *worker = worker_of(cluster, host);

    if (worker->running.id == 0)
        return;
    snprintf(worker->error, sizeof worker->error, "%s", why);
    worker->swept = false; /* its connection is gone, what it asked for may be under way */
    ended(cluster, host, true);
}

struct result {
    uint64_t id;
    enum outcome outcome;
};

static void on_result(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);
    const struct result *result = data;
    uint64_t now_us = cluster_clock_us(cluster, host);

    if (worker->running.id != result->id)
        return;
    switch (result->outcome) {
    case OUTCOME_NEXT:
        worker->stage++;
        begin_statement(cluster, host, cluster_op_delay_us(cluster));
        break;
    case OUTCOME_WAIT:
        if (now_us >= worker->op_deadline_us)
            give_up(cluster, host, "not in time");
        else
            begin_statement(cluster, host, POLL_US);
        break;
    default:
        ended(cluster, host, result->outcome == OUTCOME_FAIL);
    }
}

struct statement {
    uint64_t number;
    struct worker_request request;
    bool checked; /* open: its conditions held when it was sent */
};

/* Its worker has given it up or is gone: it lands all the same. */
static void late_statement(struct cluster *cluster, unsigned host, const struct statement *statement)
{
    struct server *server = cluster->hosts[host].server;

    cluster_trace(cluster, host, "server: a late statement of operation %d", statement->request.op);
    counts_add(&cluster->world->counts, COUNT_LATE_STATEMENT, 1);
    if (statement->request.op == DB_OP_SET_COMMIT_RULE)
        set_rule(cluster, host, &statement->request);
    if (statement->request.op == DB_OP_SET_ACKNOWLEDGING)
        server_bar(cluster, host, statement->request.source, !statement->request.allowed);
    if (statement->request.op == DB_OP_OPEN && statement->checked) {
        if (server->read_only && cluster_check_is_primary(cluster, host))
            cluster_check_opening(cluster, host);
        server->opening++;
        server->read_only = server->closing = false;
    }
}

/* In the server: it runs there though its worker may be gone, unless its session was killed. */
static void on_statement(struct cluster *cluster, unsigned host, const void *data)
{
    struct worker_model *worker = worker_of(cluster, host);
    struct result result = {.id = worker->running.id};
    const struct statement *statement = data;

    if (statement->number < worker->swept_below)
        return;
    if (!cluster_up(cluster, host, PROCESS_WORKER) || worker->running.id == 0 ||
        worker->statement != statement->number) {
        late_statement(cluster, host, statement);
        return;
    }
    result.outcome = carry_out(cluster, host);
    cluster_after(cluster, host, PROCESS_WORKER, 0, on_result, &result, sizeof result);
}

static void begin_statement(struct cluster *cluster, unsigned host, uint64_t delay_us)
{
    struct worker_model *worker = worker_of(cluster, host);
    struct statement statement = {.number = ++worker->last_statement, .request = worker->running};
    uint64_t until_us = lease_open_until_us(&worker->lease) ? lease_fence_at_us(&worker->lease) : 0;

    worker->statement = statement.number;
    statement.checked = cluster_clock_us(cluster, host) < until_us &&
                        server_epoch(cluster->hosts[host].server) == worker->running.epoch;
    counts_add(&cluster->world->counts, COUNT_STATEMENT_HUNG, cluster->faults.statement_hangs_us[host] > 0);
    cluster_after(cluster, host, PROCESS_SERVER, delay_us + cluster->faults.statement_hangs_us[host],
                  on_statement, &statement, sizeof statement);
}

static void on_ops_timer(struct cluster *cluster, unsigned host, const void *data)
{
    if (worker_timer_is_due(&worker_of(cluster, host)->ops_timer, data))
        give_up(cluster, host, "the server has not carried it out in time");
}

static const char *refusal(struct cluster *cluster, unsigned host, const struct worker_request *request)
{
    struct worker_model *worker = worker_of(cluster, host);
    bool names_epoch = request->op == DB_OP_FOLLOW || request->op == DB_OP_PROMOTE ||
                       request->op == DB_OP_OPEN || request->op == DB_OP_SET_COMMIT_RULE ||
                       request->op == DB_OP_SET_ACKNOWLEDGING;

    if (names_epoch && !lease_see_epoch(&worker->lease, request->epoch))
        return "refused: a newer epoch was seen";
    if (request->op == DB_OP_FOLLOW && request->epoch < worker->frozen_term)
        return "refused: frozen for a newer term";
    if (request->op == DB_OP_OPEN &&
        !lease_lives(&worker->lease, cluster_clock_us(cluster, host), request->epoch))
        return "refused: there is no live lease of its epoch";
    if (worker->state == MHA__DB_STATE__DB_DOWN || !worker->attached)
        return "the database is down";
    if (world_chance(cluster->world, cluster->faults.op_fails_permille[host][request->op])) {
        counts_add(&cluster->world->counts, COUNT_OPERATION_REFUSED, 1);
        return "the server refuses: disturbed by the test";
    }
    return NULL;
}

static void begin(struct cluster *cluster, unsigned host)
{
    static const uint64_t limits_us[] = {
        [DB_OP_FREEZE] = 10000000,           [DB_OP_DRAIN] = 3600000000, [DB_OP_FOLLOW] = 30000000,
        [DB_OP_PROMOTE] = 20000000,          [DB_OP_OPEN] = 10000000,    [DB_OP_SET_COMMIT_RULE] = 10000000,
        [DB_OP_SET_ACKNOWLEDGING] = 10000000};
    struct worker_model *worker = worker_of(cluster, host);
    const struct worker_request *operation = &worker->running;
    uint64_t now_us = cluster_clock_us(cluster, host);
    uint64_t limit_us = operation->op == DB_OP_CLOSE ? operation->timeout_us : limits_us[operation->op];

    worker->stage = 0;
    worker->op_deadline_us = now_us + limit_us;
    worker_set_timer(cluster, host, &worker->ops_timer, worker->op_deadline_us + ALLOWANCE_US, on_ops_timer);
    if (operation->op == DB_OP_FOLLOW)
        worker->frozen_term = 0;
    if (!worker->swept || operation->op == DB_OP_OPEN || operation->op == DB_OP_PROMOTE) {
        worker->swept_below = worker->last_statement + 1;
        worker->swept = true;
    }
    if (operation->op == DB_OP_OPEN) {
        worker->fenced_incarnation = 0;
        worker->writable = WRITABLE_YES;
        lease_open(&worker->lease, now_us, operation->epoch);
        worker_judge(cluster, host);
        if (worker->running.id == 0)
            return; /* fenced at once */
    }
    begin_statement(cluster, host, cluster_op_delay_us(cluster));
}

void worker_next_operation(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    const char *why;

    if (worker->pending.id == 0 || worker->running.id || worker->answering.id || worker->fencing)
        return;
    worker->running = worker->pending;
    worker->pending.id = 0;
    why = refusal(cluster, host, &worker->running);
    if (why) {
        uint64_t id = worker->running.id;
        worker->running.id = 0;
        cluster_trace(cluster, host, "dbworker: operation %d %s", worker->running.op, why);
        worker_answer(cluster, host, id, why);
        return;
    }
    begin(cluster, host);
}

void worker_take_request(struct cluster *cluster, unsigned host, const struct worker_request *request)
{
    struct worker_model *worker = worker_of(cluster, host);

    worker_answer(cluster, host, worker->pending.id, "given up for a newer request");
    worker->pending = *request;
    if (worker->running.id && (worker->running.op == DB_OP_CLOSE || worker->running.op == DB_OP_DRAIN ||
                               worker->running.op == DB_OP_FOLLOW))
        give_up(cluster, host, "given up for a newer request");
    worker_next_operation(cluster, host);
}

/* The connection breaks with the server. */
void worker_operation_lost(struct cluster *cluster, unsigned host)
{
    give_up(cluster, host, "the connection to the server is lost");
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
    for (unsigned i = 0; i < worker->fences_asked_count; i++)
        worker_answer(cluster, host, worker->fences_asked[i], "");
    if (worker->fences_asked_count == 0)
        worker_report(cluster, host, now_us);
    worker->fences_asked_count = 0;
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

    if (!worker_timer_is_due(&worker->fence_timer, data) || !worker->fencing || worker->killing)
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
        if (close_server(cluster, host, false) == OUTCOME_NEXT) {
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
    cluster_after(cluster, host, PROCESS_WORKER, POLL_US, on_fence_step, data, sizeof(uint64_t));
}

void worker_fence(struct cluster *cluster, unsigned host, const char *reason, uint64_t deadline_us,
                  uint64_t id)
{
    struct worker_model *worker = worker_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host), gentle_us, reserve_us, left_us;

    if (id && worker->fences_asked_count < WORKER_FENCES_MAX)
        worker->fences_asked[worker->fences_asked_count++] = id;
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
    give_up(cluster, host, "given up for a fence");
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

    if (!worker_timer_is_due(&worker->lease_timer, data))
        return;
    worker->lease_timer.at_us = 0;
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
