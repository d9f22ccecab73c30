#include "tests/sim/database.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/cluster_check.h"

/* ---- logs ---- */

void log_append(struct log *log, const struct txn *txn)
{
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 64;
        log->txns = realloc(log->txns, log->capacity * sizeof *log->txns);
        assert(log->txns != NULL);
    }
    log->txns[log->count++] = *txn;
    if (log->last[txn->server] < txn->sequence)
        log->last[txn->server] = txn->sequence;
    log->uncommitted = txn->committed ? 0 : log->uncommitted + 1;
}

void log_cut(struct log *log, unsigned count)
{
    struct log old = *log;

    log->count = log->uncommitted = 0;
    memset(log->last, 0, sizeof log->last);
    for (unsigned i = 0; i < count && i < old.count; i++)
        log_append(log, &old.txns[i]);
}

bool log_has_gtid(const struct log *log, uint32_t server, uint64_t sequence, unsigned *index)
{
    for (unsigned i = log->count; i-- > 0;) {
        if (log->txns[i].server != server || log->txns[i].sequence != sequence)
            continue;
        *index = i;
        return true;
    }
    return false;
}

static uint64_t next_sequence(const struct log *log)
{
    uint64_t highest = 0;

    for (unsigned i = 0; i < LOG_SERVERS; i++)
        if (log->last[i] > highest)
            highest = log->last[i];
    return highest + 1;
}

static void position_text(const uint64_t last[LOG_SERVERS], char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < LOG_SERVERS; i++)
        if (last[i] > 0)
            used +=
                (size_t)snprintf(text + used, size - used, "%s0-%u-%" PRIu64, used ? "," : "", i, last[i]);
}

void server_executed_text(const struct server *server, char *text, size_t size)
{
    position_text(server->log.last, text, size);
}

/* Its relay log counts, though both threads may be stopped; a restart of the server throws it away. */
void server_received_text(const struct server *server, char *text, size_t size)
{
    uint64_t last[LOG_SERVERS];

    for (unsigned i = 0; i < LOG_SERVERS; i++) {
        last[i] = server->log.last[i];
        if (server->configured && server->relay.last[i] > last[i])
            last[i] = server->relay.last[i];
    }
    position_text(last, text, size);
}

void server_gtid_text(const struct server *server, unsigned index, char *text, size_t size)
{
    const struct txn *txn = &server->log.txns[index];

    snprintf(text, size, "0-%u-%" PRIu64, txn->server, txn->sequence);
}

uint64_t server_epoch(const struct server *server)
{
    for (unsigned i = server->log.count; i-- > 0;)
        if (server->log.txns[i].epoch)
            return server->log.txns[i].epoch;
    return 0;
}

/* ---- life ---- */

struct server *server_new(struct cluster *cluster, unsigned host)
{
    struct server *server = calloc(1, sizeof *server);

    (void)cluster;
    assert(server != NULL);
    server->host = host;
    server->read_only = true;
    return server;
}

void server_free(struct server *server)
{
    free(server->log.txns);
    free(server->relay.txns);
    free(server);
}

void server_boot(struct cluster *cluster, unsigned host, bool to_follow)
{
    struct server *server = cluster->hosts[host].server;
    struct log *log = &server->log;

    server->incarnation = ++cluster->next_incarnation;
    server->begun_us = cluster->world->now_us;
    server->started_to_follow = to_follow;
    server->read_only = true; /* read_only = 1 in its configuration file */
    server->closing = false;
    server->acks = 0; /* semi-sync is off at boot */
    server->acknowledging = to_follow;
    server->receiver_on = server->applier_on = false; /* skip_slave_start */
    server->receiver_failed = server->applier_failed = false;
    server->connection.up = false;
    server->connection.life++;
    server->applying = false;
    /* relay_log_recovery, and the applied position alone counts: the relay log is fetched again */
    log_cut(&server->relay, 0);
    if (to_follow && log->uncommitted > 0) {
        cluster_check_cut(cluster, host);
        log_cut(log, log->count - log->uncommitted);
    }
    /* In place: prepared and in the binary log is committed by the crash recovery. */
    for (unsigned i = 0; i < log->count; i++)
        log->txns[i].committed = true;
    log->uncommitted = 0;
    cluster_trace(cluster, host, "server up, incarnation %" PRIu64 "%s", server->incarnation,
                  to_follow ? ", to follow" : "");
}

void server_died(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    server->connection.up = false;
    server->connection.life++;
    server->applying = false;
    server->receiver_on = server->applier_on = false;
    server_kill_sessions(server);
    cluster_trace(cluster, host, "server gone");
}

void server_kill_sessions(struct server *server)
{
    for (unsigned i = server->log.count - server->log.uncommitted; i < server->log.count; i++)
        server->log.txns[i].client = false;
}

/* ---- commits ---- */

unsigned server_waiting(const struct server *server)
{
    return server->log.uncommitted;
}

static void commit_first(struct cluster *cluster, struct server *server)
{
    struct txn *txn = &server->log.txns[server->log.count - server->log.uncommitted];

    txn->committed = true;
    server->log.uncommitted--;
    if (txn->client)
        cluster_check_acknowledged(cluster, server->host, txn);
    txn->client = false;
}

static void append_own(struct cluster *cluster, struct server *server, uint64_t epoch, bool committed,
                       bool client)
{
    struct txn txn = {.server = server->host + 1,
                      .sequence = next_sequence(&server->log),
                      .uid = ++cluster->next_uid,
                      .epoch = epoch,
                      .committed = committed,
                      .client = client};

    log_append(&server->log, &txn);
    server_kick_replicas(cluster, server->host);
}

uint64_t server_write(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    if (!cluster_runs(cluster, host, PROCESS_SERVER) || server->read_only || server->closing ||
        server->disk_hangs)
        return 0;
    append_own(cluster, server, 0, false, true);
    if (server->acks == 0)
        commit_first(cluster, server);
    return cluster->next_uid;
}

void server_write_errant(struct cluster *cluster, unsigned host)
{
    append_own(cluster, cluster->hosts[host].server, 0, true, false);
}

void server_write_epoch(struct cluster *cluster, unsigned host, uint64_t epoch)
{
    cluster_check_epoch(cluster, host, epoch);
    append_own(cluster, cluster->hosts[host].server, epoch, true, false);
}

/* Off, none waits, new settings, on (agent/db/worker/mariadb_rule.c): what waits is let go. Not so if the
 * rule is in force already. */
void server_set_rule(struct cluster *cluster, unsigned host, unsigned acks)
{
    struct server *server = cluster->hosts[host].server;

    if (server->acks == acks)
        return;
    cluster_trace(cluster, host, "server: acks %u", acks);
    server->acks = acks;
    while (server->log.uncommitted > 0)
        commit_first(cluster, server);
}

void server_acknowledged(struct cluster *cluster, unsigned host, unsigned count)
{
    struct server *server = cluster->hosts[host].server;

    while (server->log.uncommitted > 0 && server->log.count - server->log.uncommitted < count)
        commit_first(cluster, server);
}
