/* The agent's operations, from request to answer, statement by statement; after
 * agent/db/worker/worker_request.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/cluster_check.h"
#include "tests/sim/dbworker.h"

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

void worker_give_up(struct cluster *cluster, unsigned host, const char *why)
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
    enum worker_outcome outcome;
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
            worker_give_up(cluster, host, "not in time");
        else
            begin_statement(cluster, host, WORKER_POLL_US);
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
        worker_set_rule(cluster, host, &statement->request);
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
    result.outcome = worker_carry_out(cluster, host);
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
    if (cluster->faults.statement_hangs_us[host] > 0) {
        counts_add(&cluster->world->counts, COUNT_STATEMENT_HUNG, 1);
        if (cluster->hangs_until_us < cluster->world->now_us + cluster->faults.statement_hangs_us[host])
            cluster->hangs_until_us = cluster->world->now_us + cluster->faults.statement_hangs_us[host];
    }
    cluster_after(cluster, host, PROCESS_SERVER, delay_us + cluster->faults.statement_hangs_us[host],
                  on_statement, &statement, sizeof statement);
}

static void on_ops_timer(struct cluster *cluster, unsigned host, const void *data)
{
    if (worker_timer_is_due(cluster, host, &worker_of(cluster, host)->ops_timer, on_ops_timer, data))
        worker_give_up(cluster, host, "the server has not carried it out in time");
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
        worker_give_up(cluster, host, "given up for a newer request");
    worker_next_operation(cluster, host);
}

/* The connection breaks with the server. */
void worker_operation_lost(struct cluster *cluster, unsigned host)
{
    worker_give_up(cluster, host, "the connection to the server is lost");
}
