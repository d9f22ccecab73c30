/* What the statements of an operation do to the server, after agent/db/worker/mariadb_*.c and what is known
 * of the others. */
#include <inttypes.h>
#include <stdio.h>

#include "tests/sim/cluster_check.h"
#include "tests/sim/dbworker.h"

static struct worker_model *worker_of(struct cluster *cluster, unsigned host)
{
    return cluster->hosts[host].worker;
}

static enum worker_outcome fail(struct worker_model *worker, const char *why)
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

static enum worker_outcome freeze(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    if (!server->configured)
        return OUTCOME_DONE;
    start_applier(cluster, host);
    server_receiver_stop(cluster, host);
    return OUTCOME_DONE;
}

static enum worker_outcome drain(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    if (!server->configured || server->relay.count == 0)
        return OUTCOME_DONE;
    if (!server->applier_on)
        return fail(worker_of(cluster, host), "what was received cannot be applied");
    return OUTCOME_WAIT;
}

static enum worker_outcome make_read_only(struct cluster *cluster, unsigned host)
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
enum worker_outcome worker_close_server(struct cluster *cluster, unsigned host, bool planned)
{
    struct server *server = cluster->hosts[host].server;
    enum worker_outcome outcome;

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

static enum worker_outcome follow(struct cluster *cluster, unsigned host)
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
            server->applier_on && server->standing_by == worker->running.standing_by)
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
        counts_add(&cluster->world->counts, COUNT_STANDING_BY,
                   worker->running.standing_by && !server->standing_by);
        server_follow(cluster, host, worker->running.source, worker->running.standing_by);
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

void worker_set_rule(struct cluster *cluster, unsigned host, const struct worker_request *request)
{
    const struct server *server = cluster->hosts[host].server;

    for (unsigned i = 0; i < cluster->data_count && server->kind == SERVER_NAMED_WAIT; i++)
        if (i != host)
            server_bar(cluster, host, i, !(request->names & 1u << i));
    server_set_rule(cluster, host, request->acks);
}

static enum worker_outcome promote(struct cluster *cluster, unsigned host)
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
        if (!server->read_only) /* it was open before it was ours */
            cluster_check_opening(cluster, host);
        remember_position(cluster, host);
        return OUTCOME_NEXT;
    default:
        worker_set_rule(cluster, host, &worker->running);
        return OUTCOME_DONE;
    }
}

static enum worker_outcome open_server(struct cluster *cluster, unsigned host)
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

enum worker_outcome worker_carry_out(struct cluster *cluster, unsigned host)
{
    struct worker_model *worker = worker_of(cluster, host);
    enum worker_outcome outcome;

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
        worker_set_rule(cluster, host, &worker->running);
        return OUTCOME_DONE;
    case DB_OP_SET_ACKNOWLEDGING:
        if (cluster->hosts[host].server->kind == SERVER_NAMED_WAIT)
            return fail(worker, "who may acknowledge is named with the rule");
        if (cluster->config.shared_account)
            return fail(worker, "the accounts are not one per node");
        server_bar(cluster, host, worker->running.source, !worker->running.allowed);
        return OUTCOME_DONE;
    case DB_OP_CLOSE:
        outcome = worker_close_server(cluster, host, true);
        return outcome == OUTCOME_NEXT ? OUTCOME_DONE : outcome;
    default:
        return fail(worker, "not understood");
    }
}
