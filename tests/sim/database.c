#include "tests/sim/database.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/cluster_check.h"

/* ---- logs ---- */

static void note_part(struct log *log, const struct txn *txn)
{
    unsigned i = 0;

    while (i < log->part_count && log->parts[i].server != txn->server)
        i++;
    if (i == LOG_PARTS_MAX) { /* of many timelines the oldest are told no more */
        memmove(log->parts, log->parts + 1, (LOG_PARTS_MAX - 1) * sizeof log->parts[0]);
        log->part_count = --i;
    }
    if (i == log->part_count)
        log->parts[log->part_count++] = (struct log_part){txn->server, 0};
    if (log->parts[i].sequence < txn->sequence)
        log->parts[i].sequence = txn->sequence;
    if (log->highest < txn->sequence)
        log->highest = txn->sequence;
    if (txn->epoch)
        log->epoch = txn->epoch;
}

void log_append(struct log *log, const struct txn *txn)
{
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? log->capacity * 2 : 64;
        log->txns = realloc(log->txns, log->capacity * sizeof *log->txns);
        assert(log->txns != NULL);
    }
    log->txns[log->count++] = *txn;
    note_part(log, txn);
    log->uncommitted = txn->committed ? 0 : log->uncommitted + 1;
}

void log_cut(struct log *log, unsigned count)
{
    unsigned committed = log->count - log->uncommitted;

    if (count > log->count)
        count = log->count;
    log->count = count;
    log->uncommitted = count > committed ? count - committed : 0;
    log->part_count = 0;
    log->highest = log->epoch = 0;
    for (unsigned i = 0; i < count; i++)
        note_part(log, &log->txns[i]);
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

uint64_t log_sequence(const struct log *log, uint32_t server)
{
    for (unsigned i = 0; i < log->part_count; i++)
        if (log->parts[i].server == server)
            return log->parts[i].sequence;
    return 0;
}

/* ---- positions ---- */

/* Backwards, from `end`: this is done very often. */
static char *put_number(char *end, uint64_t number, unsigned base)
{
    do
        *--end = "0123456789ABCDEF"[number % base];
    while ((number /= base) > 0);
    return end;
}

/* One transaction, or with `all` everything up to it. */
static char *put_part(enum server_kind kind, char *end, const struct log_part *part, bool all)
{
    switch (kind) {
    case SERVER_K_WAIT: /* a UUID that ends in the server's number */
        end = put_number(end, part->sequence, 10);
        if (all && part->sequence > 1) {
            *--end = '-';
            *--end = '1';
        }
        *--end = ':';
        for (unsigned i = 0; i < 12; i++)
            *--end = i == 0 ? (char)('0' + part->server) : '0';
        end -= 24;
        memcpy(end, "3e11fa47-71ca-11e1-9e33-", 24);
        break;
    case SERVER_NAMED_WAIT:
        end = put_number(end, part->sequence & UINT32_MAX, 16);
        *--end = '/';
        end = put_number(end, part->sequence >> 32, 16);
        *--end = '@';
        end = put_number(end, part->server, 10);
        break;
    default:
        end = put_number(end, part->sequence, 10);
        *--end = '-';
        end = put_number(end, part->server, 10);
        *--end = '-';
        *--end = '0';
    }
    return end;
}

static void part_text(const struct server *server, const struct log_part *part, char *text, size_t size,
                      size_t *used)
{
    char room[64], *end = room + sizeof room, *from = put_part(server->kind, end, part, true);

    if (*used > 0)
        *--from = ',';
    assert(*used + (size_t)(end - from) < size);
    memcpy(text + *used, from, (size_t)(end - from));
    *used += (size_t)(end - from);
    text[*used] = '\0';
}

/* The end of its own log, with what still waits there for acknowledgements. */
void server_executed_text(const struct server *server, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < server->log.part_count; i++)
        part_text(server, &server->log.parts[i], text, size, &used);
}

/* Its relay log counts, though both threads may be stopped. */
void server_received_text(const struct server *server, char *text, size_t size)
{
    const struct log *log = &server->log, *relay = &server->relay;
    bool counts = server->configured || relay->count > 0;
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < log->part_count; i++) {
        struct log_part part = log->parts[i];
        uint64_t received = counts ? log_sequence(relay, part.server) : 0;
        if (received > part.sequence)
            part.sequence = received;
        part_text(server, &part, text, size, &used);
    }
    for (unsigned i = 0; counts && i < relay->part_count; i++)
        if (log_sequence(log, relay->parts[i].server) == 0)
            part_text(server, &relay->parts[i], text, size, &used);
}

void server_gtid_text(const struct server *server, unsigned index, char *text, size_t size)
{
    const struct txn *txn = &server->log.txns[index];
    struct log_part part = {txn->server, txn->sequence};
    char room[64], *end = room + sizeof room, *from = put_part(server->kind, end, &part, false);

    snprintf(text, size, "%.*s", (int)(end - from), from);
}

uint64_t server_epoch(const struct server *server)
{
    return server->log.epoch;
}

/* ---- life ---- */

struct server *server_new(struct cluster *cluster, unsigned host)
{
    struct server *server = calloc(1, sizeof *server);

    assert(server != NULL);
    server->kind = cluster->config.kind;
    server->host = host;
    server->read_only = true;
    server->timeline = 1;
    return server;
}

void server_free(struct server *server)
{
    free(server->log.txns);
    free(server->relay.txns);
    free(server);
}

/* pg_rewind, by the command that starts it to follow: back to where its history and the primary's part. */
static void rewind_log(struct cluster *cluster, struct server *server)
{
    uint64_t primary = cluster_check_state(cluster)->primary.node;
    const struct log *source;
    unsigned common = 0;

    if (primary == 0 || cluster_host_of(primary) == server->host ||
        !cluster_runs(cluster, cluster_host_of(primary), PROCESS_SERVER) ||
        !cluster_linked(cluster, server->host, cluster_host_of(primary)))
        return;
    source = &cluster->hosts[cluster_host_of(primary)].server->log;
    while (common < server->log.count && common < source->count &&
           server->log.txns[common].uid == source->txns[common].uid)
        common++;
    if (common == server->log.count)
        return;
    if (common == source->count) /* it has more than the primary, of the same history: nothing to rewind */
        return;
    cluster_check_cut(cluster, server->host);
    counts_add(&cluster->world->counts, COUNT_TAIL_CUT, 1);
    log_cut(&server->log, common);
    log_cut(&server->relay, 0);
}

/* One-wait, started with --init-rpl-role=SLAVE: its crash recovery cuts what was not acknowledged. All else
 * that is prepared and in the binary log, or in the WAL, is committed by it. */
static void recover(struct cluster *cluster, struct server *server, bool to_follow)
{
    struct log *log = &server->log;

    if (to_follow && log->uncommitted > 0 && server->kind == SERVER_ONE_WAIT) {
        cluster_check_cut(cluster, server->host);
        counts_add(&cluster->world->counts, COUNT_TAIL_CUT, 1);
        log_cut(log, log->count - log->uncommitted);
    }
    if (to_follow && server->kind == SERVER_NAMED_WAIT)
        rewind_log(cluster, server);
    if (log->uncommitted > 0)
        counts_add(&cluster->world->counts, COUNT_TAIL_KEPT, 1);
    for (unsigned i = log->count - log->uncommitted; i < log->count; i++)
        log->txns[i].committed = true;
    log->uncommitted = 0;
    /* MariaDB: relay_log_recovery, and the applied position alone counts: the relay log is fetched again. */
    if (server->kind == SERVER_ONE_WAIT || cluster->config.volatile_commits) {
        counts_add(&cluster->world->counts, COUNT_RELAY_LOST, server->relay.count > 0);
        log_cut(&server->relay, 0);
    } else {
        counts_add(&cluster->world->counts, COUNT_RELAY_KEPT, server->relay.count > 0);
    }
}

/* Semi-sync is off at boot; who may acknowledge survives or not. Synchronous_standby_names stays. */
static void forget_rule(struct cluster *cluster, struct server *server)
{
    bool barred_stay = server->kind == SERVER_NAMED_WAIT || world_chance(cluster->world, 500);

    if (server->kind != SERVER_NAMED_WAIT)
        server->acks = 0;
    for (unsigned i = 0; i < WORLD_NODES_MAX; i++)
        server->replicas[i] = (struct replica){.barred = barred_stay && server->replicas[i].barred};
}

void server_boot(struct cluster *cluster, unsigned host, bool to_follow)
{
    struct server *server = cluster->hosts[host].server;

    server->incarnation = ++cluster->next_incarnation;
    server->begun_us = cluster->world->now_us;
    server->started_to_follow = to_follow;
    server->read_only = true; /* read_only = 1 in its configuration file; a standby */
    server->closing = false;
    forget_rule(cluster, server);
    server->acknowledging = to_follow;
    server->receiver_on = server->applier_on = false; /* skip_slave_start */
    server->receiver_failed = server->applier_failed = false;
    server->connection.up = false;
    server->connection.life++;
    memset(&server->connection.stall, 0, sizeof server->connection.stall);
    server->applying = false;
    recover(cluster, server, to_follow);
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
    server_kick_replicas(cluster, host); /* their kernels tell them */
    cluster_trace(cluster, host, "server gone");
}

void server_lost_power(struct cluster *cluster, unsigned host)
{
    struct log *log = &cluster->hosts[host].server->log;
    uint64_t lost = world_between(cluster->world, 0, 30);

    if (!cluster->config.volatile_commits)
        return;
    for (; lost > 0 && log->count > 0 && log->txns[log->count - 1].epoch == 0; lost--)
        log_cut(log, log->count - 1);
}

void server_wiped(struct server *server)
{
    log_cut(&server->log, 0);
    log_cut(&server->relay, 0);
    server->configured = false;
    server->timeline = 1;
    memset(server->replicas, 0, sizeof server->replicas);
}

void server_rebuild(struct cluster *cluster, unsigned host, unsigned from)
{
    struct server *server = cluster->hosts[host].server;
    const struct log *source = &cluster->hosts[from].server->log;

    cluster_check_cut(cluster, host);
    log_cut(&server->log, 0);
    log_cut(&server->relay, 0);
    server->configured = false;
    for (unsigned i = 0; i < source->count - source->uncommitted; i++)
        log_append(&server->log, &source->txns[i]);
    cluster_trace(cluster, host, "server rebuilt from %s", cluster_host_name(cluster, from));
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

void server_release_waiting(struct cluster *cluster, unsigned host)
{
    struct server *server = cluster->hosts[host].server;

    while (server->log.uncommitted > 0)
        commit_first(cluster, server);
}

unsigned server_acknowledgements(const struct server *server, unsigned index)
{
    unsigned count = 0;

    for (unsigned i = 0; i < WORLD_NODES_MAX; i++)
        count += !server->replicas[i].barred && server->replicas[i].count > index;
    return count;
}

static void commit_what_may(struct cluster *cluster, struct server *server)
{
    while (server->log.uncommitted > 0 &&
           (server->acks == 0 ||
            server_acknowledgements(server, server->log.count - server->log.uncommitted) >= server->acks))
        commit_first(cluster, server);
}

static void append_own(struct cluster *cluster, struct server *server, uint64_t epoch, bool committed,
                       bool client)
{
    uint32_t self = server->host + 1;
    struct txn txn = {
        .server = self, .uid = ++cluster->next_uid, .epoch = epoch, .committed = committed, .client = client};

    switch (server->kind) {
    case SERVER_K_WAIT:
        txn.sequence = log_sequence(&server->log, self) + 1;
        break;
    case SERVER_NAMED_WAIT:
        txn.server = server->timeline;
        txn.sequence = server->log.count + 1;
        break;
    default:
        txn.sequence = server->log.highest + 1;
    }
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
    commit_what_may(cluster, server);
    return cluster->next_uid;
}

void server_write_errant(struct cluster *cluster, unsigned host)
{
    append_own(cluster, cluster->hosts[host].server, 0, true, false);
}

void server_had_data(struct cluster *cluster, unsigned host, unsigned count)
{
    for (; count > 0; count--)
        append_own(cluster, cluster->hosts[host].server, 0, true, false);
}

void server_runs_already(struct cluster *cluster, unsigned host, bool writable, unsigned source)
{
    struct server *server = cluster->hosts[host].server;

    cluster_process_begins(cluster, host, PROCESS_SERVER);
    server_boot(cluster, host, false);
    server->read_only = !writable;
    if (source != host) {
        server_follow(cluster, host, source, false);
        server->acknowledging = false;
    }
}

void server_write_epoch(struct cluster *cluster, unsigned host, uint64_t epoch)
{
    cluster_check_epoch(cluster, host, epoch);
    cluster->hosts[host].server->timeline = (uint32_t)epoch + 1;
    append_own(cluster, cluster->hosts[host].server, epoch, true, false);
}

/* One-wait: off, none waits, new settings, on (agent/db/worker/mariadb_rule.c): what waits is let go. Not so
 * if the rule is in force already. The others take the new number as it comes. */
void server_set_rule(struct cluster *cluster, unsigned host, unsigned acks)
{
    struct server *server = cluster->hosts[host].server;

    if (acks > 1 && server->kind == SERVER_ONE_WAIT)
        acks = 1; /* it cannot wait for more */
    if (server->acks == acks)
        return;
    cluster_trace(cluster, host, "server: acks %u", acks);
    server->acks = acks;
    if (server->kind == SERVER_ONE_WAIT)
        server_release_waiting(cluster, host);
    else
        commit_what_may(cluster, server);
}

void server_bar(struct cluster *cluster, unsigned host, unsigned replica, bool barred)
{
    struct server *server = cluster->hosts[host].server;

    if (server->replicas[replica].barred == barred)
        return;
    cluster_trace(cluster, host, "server: %s %s", cluster_host_name(cluster, replica),
                  barred ? "is barred" : "may acknowledge");
    server->replicas[replica] = (struct replica){.barred = barred};
    if (server->kind != SERVER_NAMED_WAIT && barred && !cluster->hosts[replica].server->standing_by)
        server_end_sender(cluster, host, replica);
}

void server_acknowledged(struct cluster *cluster, unsigned host, unsigned replica, uint64_t incarnation,
                         unsigned count)
{
    struct server *server = cluster->hosts[host].server;

    server->replicas[replica].incarnation = incarnation;
    server->replicas[replica].count = count;
    commit_what_may(cluster, server);
}
