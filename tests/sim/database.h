/* database.h - the model of one database server, of three kinds.
 *
 * A log of transactions, synced at each commit: it survives kill -9 and power (unless the test lets commits
 * be volatile). With acks = k a commit is in the log at once, visible and answered only when k replicas have
 * acknowledged it. A restart makes visible what was not acknowledged. What differs:
 *
 * one-wait (MariaDB): waits for one acknowledgement, whoever's. Its position is a list, 0-server-sequence,
 * one sequence for all servers. What was received and not applied is lost with a restart; a start to follow
 * cuts the unacknowledged tail. A replica that has diverged is refused (1236). Fenced: read_only waits for
 * the commits that wait.
 *
 * k-wait (MySQL): waits for k, whoever's. A set, uuid:1-sequence, each server with a sequence of its own.
 * What was received stays (sync_relay_log=1); the tail does not go away. A replica that has diverged follows,
 * and its applier fails. Fenced: its clients are ended first, then what waits is let go.
 *
 * named-wait (PostgreSQL): waits for k of the names that it has. timeline@position, a new timeline with each
 * promotion. What was received stays; the tail is cut by a rewind when it follows. A replica whose end is not
 * in the source's history is refused. Fenced: its process is ended.
 *
 * What is known of the real server stands in comments where it is modelled (MariaDB 10.11, MySQL 9.7 and
 * PostgreSQL 15 were tried). */
#ifndef MHA_SIM_DATABASE_H
#define MHA_SIM_DATABASE_H

#include "tests/sim/cluster.h"

struct txn {
    uint32_t server; /* or timeline */
    bool committed;  /* visible; else it waits for its acknowledgements */
    bool client;     /* its session is there and waits for the answer */
    uint64_t sequence;
    uint64_t uid;   /* of this very transaction, whatever its GTID */
    uint64_t epoch; /* not 0: an epoch record */
};

#define LOG_PARTS_MAX 32

struct log {
    struct txn *txns;
    unsigned count, capacity;
    unsigned uncommitted; /* the first that is not committed is at count - uncommitted */
    struct log_part {
        uint32_t server;
        uint64_t sequence; /* its highest */
    } parts[LOG_PARTS_MAX];
    unsigned part_count;
    uint64_t highest; /* sequence of all */
    uint64_t epoch;   /* of the newest record; 0: none */
};

struct connection { /* of a receiver to its source */
    bool up;
    uint64_t life;
    uint64_t source_incarnation;
    unsigned next;              /* of the source's log */
    bool under_way;             /* a part of the log */
    bool diverged;              /* k-wait: it has what its source has not */
    struct cluster_timer stall; /* it is looked at again then */
    uint64_t contact_us;
    uint64_t acknowledged; /* the newest that was sent; an index + 1 of the source's log */
};

struct server {
    unsigned host;
    enum server_kind kind;
    uint64_t incarnation; /* of the last start; 0: never started */
    uint64_t begun_us;
    bool started_to_follow;
    bool read_only;
    uint64_t opening; /* counts: sessions of an earlier one are ended */
    bool closing;     /* SET GLOBAL read_only waits: new writers queue */
    unsigned acks;
    bool disk_hangs; /* every write hangs */
    struct log log;
    uint32_t timeline; /* named-wait: of what it writes itself */
    struct replica {
        bool barred; /* its own account is locked here */
        uint64_t incarnation;
        unsigned count; /* of the log, acknowledged in that incarnation of the replica to this one */
    } replicas[WORLD_NODES_MAX];

    /* as a replica */
    bool configured;
    unsigned source;
    bool receiver_on, applier_on, acknowledging;
    bool standing_by; /* it connects by the account of those whose acknowledgements never count */
    bool receiver_failed, applier_failed;
    struct connection connection;
    struct log relay; /* received, not applied */
    bool applying;    /* an apply is under way */
    uint64_t applier_held_until_us;
};

struct server *server_new(struct cluster *cluster, unsigned host);
void server_free(struct server *server);

/* ---- life ---- */
void server_boot(struct cluster *cluster, unsigned host, bool to_follow);
void server_died(struct cluster *cluster, unsigned host); /* its process is gone, whatever the reason */
void server_lost_power(struct cluster *cluster,
                       unsigned host);    /* after it died: where commits are volatile */
void server_wiped(struct server *server); /* its data are gone, while it is down */
/* A copy of another's committed log takes the place of its own: rebuilt by an operator, while it is down. */
void server_rebuild(struct cluster *cluster, unsigned host, unsigned from);

/* ---- statements; the caller made sure that it runs ---- */
unsigned server_waiting(const struct server *server);
/* A client's transaction; 0: refused, or not answered ever. Acknowledgement is told to the checkers. */
uint64_t server_write(struct cluster *cluster, unsigned host);
void server_set_rule(struct cluster *cluster, unsigned host, unsigned acks);
/* The replica's own account is locked and its sender ended: then nothing counts that it sent before either.
 * Or unlocked. */
void server_bar(struct cluster *cluster, unsigned host, unsigned replica, bool barred);
/* A named-wait server begins a timeline with it. */
void server_write_epoch(struct cluster *cluster, unsigned host, uint64_t epoch);
uint64_t server_epoch(const struct server *server); /* the newest record in its log; 0: none */
/* The GTID of that record, or of the log's end with index = count - 1. */
void server_gtid_text(const struct server *server, unsigned index, char *text, size_t size);
void server_executed_text(const struct server *server, char *text, size_t size);
void server_received_text(const struct server *server, char *text, size_t size);
/* All clients' sessions are ended: none that waits is told. One-wait: only under read_only, when none waits.
 */
void server_kill_sessions(struct server *server);
void server_release_waiting(struct cluster *cluster, unsigned host); /* they become visible */
void server_acknowledged(struct cluster *cluster, unsigned host, unsigned replica, uint64_t incarnation,
                         unsigned count);
/* Acknowledgements that the transaction at `index` of its log has, of those that count. */
unsigned server_acknowledgements(const struct server *server, unsigned index);
/* Before the cluster was: `count` transactions of its own, which count as told to clients. */
void server_had_data(struct cluster *cluster, unsigned host, unsigned count);
/* It runs, before any agent has started it: writable, or replicating from another one as somebody set it up.
 */
void server_runs_already(struct cluster *cluster, unsigned host, bool writable, unsigned source);
/* A transaction of the server's own that no client asked the cluster for. */
void server_write_errant(struct cluster *cluster, unsigned host);

void log_append(struct log *log, const struct txn *txn);
void log_cut(struct log *log, unsigned count);
bool log_has_gtid(const struct log *log, uint32_t server, uint64_t sequence, unsigned *index);
uint64_t log_sequence(const struct log *log, uint32_t server); /* its highest; 0: none */

/* ---- replication.c ---- */
void server_receiver_start(struct cluster *cluster, unsigned host);
void server_receiver_stop(struct cluster *cluster, unsigned host);
void server_applier_start(struct cluster *cluster, unsigned host);
/* CHANGE MASTER and START SLAVE: with both threads stopped before, the relay log is discarded. */
void server_follow(struct cluster *cluster, unsigned host, unsigned source, bool standing_by);
void server_forget_source(struct server *server); /* RESET SLAVE ALL */
/* The sender to this replica is ended: it connects anew. */
void server_end_sender(struct cluster *cluster, unsigned source, unsigned replica);
/* The source's log has grown. */
void server_kick_replicas(struct cluster *cluster, unsigned source);
/* Those that are connected and acknowledge, by whatever account. */
unsigned server_acknowledging_clients(const struct cluster *cluster, unsigned source);
/* Enough replicas acknowledge to it now: connected, and packets pass both ways. */
bool server_has_acknowledgers(const struct cluster *cluster, unsigned source);

#endif
