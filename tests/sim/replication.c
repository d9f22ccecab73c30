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
#define NET_TIMEOUT_US 4000000u /* slave_net_timeout */
#define BATCH 256u

struct batch {
    uint64_t connection; /* its life */
    unsigned source;
    unsigned first, count; /* of the source's log */
    struct txn txns[BATCH];
};

struct acknowledgement {
    unsigned source;
    uint64_t source_incarnation;
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

static void applied(struct cluster *cluster, unsigned host, const void *data)
{
    struct server *server = cluster->hosts[host].server;
    struct txn txn;
    uint64_t highest = 0;

    (void)data;
    server->applying = false;
    if (!server->applier_on || server->relay.count == 0)
        return;
    if (cluster->world->now_us < server->applier_held_until_us) {
        apply_next(cluster, host);
        return;
    }
    txn = server->relay.txns[0];
    for (unsigned i = 0; i < LOG_SERVERS; i++)
        if (server->log.last[i] > highest)
            highest = server->log.last[i];
    if (txn.sequence <= highest) { /* gtid_strict_mode */
        server->applier_on = false;
        server->applier_failed = true;
        cluster_trace(cluster, host, "applier: 0-%u-%" PRIu64 " is out of order", txn.server, txn.sequence);
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

    if (cluster->hosts[host].server->incarnation == ack->source_incarnation)
        server_acknowledged(cluster, host, ack->count);
}

static void acknowledge(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;
    struct connection *connection = &server->connection;
    struct acknowledgement ack = {server->source, connection->source_incarnation, connection->next};

    if (!server->acknowledging || connection->acknowledged >= connection->next ||
        !cluster_linked(cluster, host, server->source))
        return; /* said again by the next one, or by the stall's end */
    connection->acknowledged = connection->next;
    cluster_after(cluster, server->source, PROCESS_SERVER, cluster_net_delay_us(cluster),
                  acknowledgement_arrives, &ack, sizeof ack);
}

/* ---- receiving ---- */

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
        log_append(&server->relay, &batch->txns[i]);
    connection->next = batch->first + batch->count;
    apply_next(cluster, host);
    acknowledge(cluster, host);
    pump(cluster, host);
}

static void stalled(struct cluster *cluster, unsigned host, const void *data)
{
    const struct batch *batch = data;
    struct connection *connection = &cluster->hosts[host].server->connection;

    if (!connection->up || connection->life != batch->connection)
        return;
    connection->stall_due = false;
    pump(cluster, host);
}

/* The dump thread at the source, for this receiver: the next part of the log, or a look later. */
static void pump(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;
    struct connection *connection = &server->connection;
    const struct server *source = cluster->hosts[server->source].server;
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
            cluster_after(cluster, host, PROCESS_SERVER,
                          cluster_net_delay_us(cluster) + cluster->faults.replication_delay_us[host], arrive,
                          &batch, offsetof(struct batch, txns) + batch.count * sizeof batch.txns[0]);
            return;
        }
        connection->contact_us = cluster->world->now_us; /* its heartbeats */
        acknowledge(cluster, host);
    }
    if (connection->stall_due)
        return;
    connection->stall_due = true;
    cluster_after(cluster, host, PROCESS_SERVER, STALL_US, stalled, &batch, offsetof(struct batch, txns));
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

/* "Got fatal error 1236: ... which is not in the master's binlog": the newest that the replica has must be in
 * the source's log. */
static bool find_start(const struct server *server, const struct server *source, unsigned *next)
{
    const struct log *own = server->relay.count ? &server->relay : &server->log;
    unsigned index;

    *next = 0;
    if (own->count == 0)
        return true;
    if (!log_has_gtid(&source->log, own->txns[own->count - 1].server, own->txns[own->count - 1].sequence,
                      &index))
        return false;
    *next = index + 1;
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
        !cluster_linked(cluster, host, server->source) || !cluster_linked(cluster, server->source, host)) {
        cluster_after(cluster, host, PROCESS_SERVER, DIAL_US, dial, data, sizeof connection->life);
        return;
    }
    if (!find_start(server, source, &connection->next)) {
        server->receiver_on = false;
        server->receiver_failed = true;
        cluster_trace(cluster, host, "receiver: error 1236, its newest is not in the log of %s",
                      cluster_host_name(cluster, server->source));
        return;
    }
    connection->up = true;
    connection->under_way = connection->stall_due = false;
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

void server_follow(struct cluster *cluster, unsigned host, unsigned source)
{
    struct server *server = cluster->hosts[host].server;

    server_receiver_stop(cluster, host);
    server->applier_on = false;
    log_cut(&server->relay, 0);
    server->configured = true;
    server->source = source;
    server->acknowledging = true;
    server_applier_start(cluster, host);
    server_receiver_start(cluster, host);
}

void server_forget_source(struct server *server)
{
    hang_up(server);
    server->configured = server->receiver_on = server->applier_on = false;
    log_cut(&server->relay, 0);
}

bool server_has_acknowledger(const struct cluster *cluster, unsigned source)
{
    const struct server *primary = cluster->hosts[source].server;

    for (unsigned i = 0; i < cluster->data_count; i++) {
        const struct server *server = cluster->hosts[i].server;
        if (i != source && server->connection.up && server->source == source && server->acknowledging &&
            server->connection.source_incarnation == primary->incarnation &&
            cluster_runs(cluster, i, PROCESS_SERVER) && cluster_linked(cluster, source, i) &&
            cluster_linked(cluster, i, source))
            return true;
    }
    return false;
}
