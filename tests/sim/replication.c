/* Replication between the modelled servers: a receiver that dials its source and dials again, a dump that
 * sends what the log holds in order, acknowledgements on their way back, an applier. */
#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/cluster_check.h"
#include "tests/sim/database.h"

#define DIAL_US 50000u          /* between two tries */
#define STALL_US 20000u         /* a stalled connection is looked at again */
#define IDLE_US 250000u         /* one that only waits for the log to grow */
#define NET_TIMEOUT_US 4000000u /* slave_net_timeout */
#define BATCH 256u

struct batch {
    uint64_t connection; /* its life */
    unsigned source;
    unsigned first, count; /* of the source's log */
    struct txn txns[BATCH];
};

struct acknowledgement {
    unsigned replica;
    uint64_t replica_incarnation, source_incarnation;
    unsigned count;
};

static void dial(struct cluster *cluster, unsigned host, const void *data);
static void pump(struct cluster *cluster, unsigned host);

static void hang_up(struct server *server)
{
    server->connection.up = false;
    server->connection.life++;
}

/* ---- applying ---- */

static void apply_next(struct cluster *cluster, unsigned host);

/* NULL: it can be applied. */
static const char *apply_error(const struct server *server, const struct txn *txn)
{
    switch (server->kind) {
    case SERVER_K_WAIT:
        return server->connection.diverged ? "error 1062, a duplicate key: the histories have parted" : NULL;
    case SERVER_NAMED_WAIT:
        return txn->sequence != server->log.count + 1 ? "not the next of its log" : NULL;
    default: /* gtid_strict_mode */
        return txn->sequence <= server->log.highest ? "out of order" : NULL;
    }
}

static void applied(struct cluster *cluster, unsigned host, const void *data)
{
    struct server *server = cluster->hosts[host].server;
    const char *error;
    struct txn txn;

    (void)data;
    server->applying = false;
    if (!server->applier_on || server->relay.count == 0)
        return;
    if (cluster->world->now_us < server->applier_held_until_us) {
        apply_next(cluster, host);
        return;
    }
    txn = server->relay.txns[0];
    error = apply_error(server, &txn);
    if (error) {
        server->applier_on = false;
        server->applier_failed = true;
        cluster_trace(cluster, host, "applier: 0-%u-%" PRIu64 ": %s", txn.server, txn.sequence, error);
        return;
    }
    txn.committed = true;
    txn.client = false;
    log_append(&server->log, &txn);
    memmove(server->relay.txns, server->relay.txns + 1, (server->relay.count - 1) * sizeof txn);
    server->relay.count--;
    if (server->relay.count == 0)
        log_cut(&server->relay, 0);
    server_kick_replicas(cluster, host);
    apply_next(cluster, host);
}

static void apply_next(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;
    uint64_t delay_us =
        world_between(cluster->world, cluster->config.apply_min_us, cluster->config.apply_max_us);

    if (server->applying || !server->applier_on || server->relay.count == 0)
        return;
    counts_add(&cluster->world->counts, COUNT_APPLIER_HELD,
               cluster->world->now_us < server->applier_held_until_us);
    if (cluster->world->now_us < server->applier_held_until_us)
        delay_us = server->applier_held_until_us - cluster->world->now_us;
    server->applying = true;
    cluster_after(cluster, host, PROCESS_SERVER, delay_us, applied, NULL, 0);
}

void server_applier_start(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    server->applier_on = true;
    server->applier_failed = false;
    apply_next(cluster, host);
}

/* ---- acknowledging ---- */

static void acknowledgement_arrives(struct cluster *cluster, unsigned host, const void *data)
{
    const struct acknowledgement *ack = data;

    if (cluster->hosts[host].server->incarnation == ack->source_incarnation &&
        !cluster->hosts[host].server->replicas[ack->replica].barred)
        server_acknowledged(cluster, host, ack->replica, ack->replica_incarnation, ack->count);
}

static void acknowledge(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;
    struct connection *connection = &server->connection;
    struct acknowledgement ack = {host, server->incarnation, connection->source_incarnation,
                                  connection->next};

    if (!server->acknowledging || connection->acknowledged >= connection->next ||
        !cluster_linked(cluster, host, server->source))
        return; /* said again by the next one, or by the stall's end */
    connection->acknowledged = connection->next;
    cluster_after(cluster, server->source, PROCESS_SERVER, cluster_net_delay_us(cluster),
                  acknowledgement_arrives, &ack, sizeof ack);
}

/* ---- receiving ---- */

/* By GTID the k-wait kind skips what it holds already. */
static void receive(struct server *server, const struct txn *sent)
{
    struct txn txn = *sent;

    if (server->kind == SERVER_K_WAIT && (log_sequence(&server->log, txn.server) >= txn.sequence ||
                                          log_sequence(&server->relay, txn.server) >= txn.sequence))
        return;
    txn.committed = true;
    log_append(&server->relay, &txn);
}

static void arrive(struct cluster *cluster, unsigned host, const void *data)
{
    struct server *server = cluster->hosts[host].server;
    const struct batch *batch = data;
    struct connection *connection = &server->connection;

    if (!connection->up || connection->life != batch->connection)
        return;
    connection->under_way = false;
    connection->contact_us = cluster->world->now_us;
    for (unsigned i = 0; i < batch->count; i++)
        receive(server, &batch->txns[i]);
    connection->next = batch->first + batch->count;
    apply_next(cluster, host);
    acknowledge(cluster, host);
    pump(cluster, host);
}

static void stalled(struct cluster *cluster, unsigned host, const void *data)
{
    struct connection *connection = &cluster->hosts[host].server->connection;

    if (cluster_timer_is_due(cluster, host, PROCESS_SERVER, &connection->stall, stalled, data) &&
        connection->up)
        pump(cluster, host);
}

/* The dump thread at the source, for this receiver: the next part of the log, or a look later. */
static void pump(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;
    struct connection *connection = &server->connection;
    const struct server *source = cluster->hosts[server->source].server;
    uint64_t look_again_us = STALL_US;
    struct batch batch; /* of its transactions only those that there are */
    bool source_is_up = cluster_up(cluster, server->source, PROCESS_SERVER) &&
                        source->incarnation == connection->source_incarnation;
    bool linked = cluster_linked(cluster, server->source, host);

    if (!connection->up || connection->under_way)
        return;
    batch.connection = connection->life;
    batch.source = server->source;
    batch.first = connection->next;
    batch.count = 0;
    if (cluster->world->now_us > connection->contact_us + NET_TIMEOUT_US ||
        (!source_is_up && linked && cluster->hosts[server->source].powered)) {
        hang_up(server); /* silence for too long, or reset by a kernel that knows no such connection */
        cluster_after(cluster, host, PROCESS_SERVER, DIAL_US, dial, &connection->life,
                      sizeof connection->life);
        return;
    }
    if (source_is_up && linked && !cluster_stopped(cluster, server->source, PROCESS_SERVER)) {
        while (batch.count < BATCH && batch.first + batch.count < source->log.count) {
            batch.txns[batch.count] = source->log.txns[batch.first + batch.count];
            batch.count++;
        }
        if (batch.count > 0) {
            connection->under_way = true;
            counts_add(&cluster->world->counts, COUNT_SLOW_REPLICATION,
                       cluster->faults.replication_delay_us[host] > 0);
            cluster_after(cluster, host, PROCESS_SERVER,
                          cluster_net_delay_us(cluster) + cluster->faults.replication_delay_us[host], arrive,
                          &batch, offsetof(struct batch, txns) + batch.count * sizeof batch.txns[0]);
            return;
        }
        connection->contact_us = cluster->world->now_us; /* its heartbeats */
        acknowledge(cluster, host);
        if (!server->acknowledging || connection->acknowledged == connection->next)
            look_again_us = IDLE_US;
    }
    cluster_set_timer(cluster, host, PROCESS_SERVER, &connection->stall,
                      cluster_clock_us(cluster, host) + look_again_us, stalled);
}

void server_end_sender(struct cluster *cluster, unsigned source, unsigned replica)
{
    struct server *server = cluster->hosts[replica].server;

    if (!server->connection.up || server->source != source)
        return;
    hang_up(server);
    cluster_after(cluster, replica, PROCESS_SERVER, DIAL_US, dial, &server->connection.life,
                  sizeof server->connection.life);
}

void server_kick_replicas(struct cluster *cluster, unsigned source)
{
    for (unsigned i = 0; i < cluster->data_count; i++) {
        struct server *server = cluster->hosts[i].server;
        if (i != source && server->source == source && server->connection.up &&
            cluster_up(cluster, i, PROCESS_SERVER))
            pump(cluster, i);
    }
}

/* K-wait: from the first that it lacks on. */
static void find_first_missing(struct server *server, const struct log *source)
{
    const struct log *own[] = {&server->log, &server->relay};
    unsigned next = source->count;

    while (next > 0 &&
           log_sequence(own[0], source->txns[next - 1].server) < source->txns[next - 1].sequence &&
           log_sequence(own[1], source->txns[next - 1].server) < source->txns[next - 1].sequence)
        next--;
    server->connection.next = next;
    for (unsigned i = 0; i < own[0]->part_count; i++)
        server->connection.diverged |=
            log_sequence(source, own[0]->parts[i].server) < own[0]->parts[i].sequence;
}

/* One-wait: "Got fatal error 1236: ... which is not in the master's binlog": the newest that the replica has
 * must be in the source's log. Named-wait: "requested starting point ... is not in this server's history". */
static bool find_start(struct server *server, const struct server *source)
{
    const struct log *own = server->relay.count ? &server->relay : &server->log;
    unsigned index;

    server->connection.next = 0;
    server->connection.diverged = false;
    if (own->count == 0)
        return true;
    if (server->kind == SERVER_K_WAIT) {
        find_first_missing(server, &source->log);
        return true;
    }
    if (!log_has_gtid(&source->log, own->txns[own->count - 1].server, own->txns[own->count - 1].sequence,
                      &index))
        return false;
    server->connection.next = index + 1;
    return true;
}

static void dial(struct cluster *cluster, unsigned host, const void *data)
{
    struct server *server = cluster->hosts[host].server;
    struct connection *connection = &server->connection;
    const struct server *source = cluster->hosts[server->source].server;

    if (connection->life != *(const uint64_t *)data || connection->up || !server->receiver_on)
        return;
    if (!cluster_runs(cluster, server->source, PROCESS_SERVER) ||
        (source->kind != SERVER_NAMED_WAIT && source->replicas[host].barred && !server->standing_by) ||
        !cluster_linked(cluster, host, server->source) || !cluster_linked(cluster, server->source, host)) {
        cluster_after(cluster, host, PROCESS_SERVER, DIAL_US, dial, data, sizeof connection->life);
        return;
    }
    if (!find_start(server, source)) {
        server->receiver_on = false;
        server->receiver_failed = true;
        cluster_trace(cluster, host, "receiver: its newest is not in the log of %s",
                      cluster_host_name(cluster, server->source));
        return;
    }
    connection->up = true;
    connection->under_way = false;
    connection->source_incarnation = source->incarnation;
    connection->contact_us = cluster->world->now_us;
    connection->acknowledged = 0;
    pump(cluster, host);
}

void server_receiver_start(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    hang_up(server);
    server->receiver_on = true;
    server->receiver_failed = false;
    cluster_after(cluster, host, PROCESS_SERVER, cluster_net_delay_us(cluster), dial,
                  &server->connection.life, sizeof server->connection.life);
}

void server_receiver_stop(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    (void)cluster;
    hang_up(server);
    server->receiver_on = false;
}

void server_follow(struct cluster *cluster, unsigned host, unsigned source, bool standing_by)
{
    struct server *server = cluster->hosts[host].server;

    server_receiver_stop(cluster, host);
    server->applier_on = false;
    if (server->kind != SERVER_NAMED_WAIT) /* repointing purges the relay logs, but no WAL */
        log_cut(&server->relay, 0);
    server->configured = true;
    server->source = source;
    server->standing_by = standing_by;
    server->acknowledging = !standing_by;
    server_applier_start(cluster, host);
    server_receiver_start(cluster, host);
}

void server_forget_source(struct server *server)
{
    hang_up(server);
    server->configured = server->receiver_on = server->applier_on = false;
    log_cut(&server->relay, 0);
}

unsigned server_acknowledging_clients(const struct cluster *cluster, unsigned source)
{
    const struct server *primary = cluster->hosts[source].server;
    unsigned count = 0;

    for (unsigned i = 0; i < cluster->data_count; i++) {
        const struct server *server = cluster->hosts[i].server;
        count += i != source && server->connection.up && server->source == source && server->acknowledging &&
                 server->connection.source_incarnation == primary->incarnation;
    }
    return count;
}

bool server_has_acknowledgers(const struct cluster *cluster, unsigned source)
{
    const struct server *primary = cluster->hosts[source].server;
    unsigned count = 0;

    for (unsigned i = 0; i < cluster->data_count && count < primary->acks; i++) {
        const struct server *server = cluster->hosts[i].server;
        count += i != source && server->connection.up && server->source == source && server->acknowledging &&
                 !primary->replicas[i].barred &&
                 server->connection.source_incarnation == primary->incarnation &&
                 cluster_runs(cluster, i, PROCESS_SERVER) && cluster_linked(cluster, source, i) &&
                 cluster_linked(cluster, i, source);
    }
    return count >= primary->acks;
}
