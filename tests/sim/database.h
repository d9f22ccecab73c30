/* database.h - the model of one MariaDB server.
 *
 * A log of transactions, synced at each commit (sync_binlog=1): it survives kill -9 and power. Positions are
 * the server's gtid_binlog_state. Semi-sync AFTER_SYNC: with acks = 1 a commit is in the log at once, visible
 * and answered only when a replica has acknowledged it. A restart in place keeps the unacknowledged tail and
 * makes it visible; a start to follow cuts it. A restart loses what was received and not applied.
 *
 * What is known of the real server stands in comments where it is modelled (tried on 10.11). */
#ifndef MHA_SIM_DATABASE_H
#define MHA_SIM_DATABASE_H

#include "tests/sim/cluster.h"

struct txn {
    uint32_t server;
    uint64_t sequence;
    uint64_t uid;   /* of this very transaction, whatever its GTID */
    uint64_t epoch; /* not 0: an epoch record */
    bool committed; /* visible; else it waits for its acknowledgement */
    bool client;    /* its session is there and waits for the answer */
};

#define LOG_SERVERS (WORLD_NODES_MAX + 1)

struct log {
    struct txn *txns;
    unsigned count, capacity;
    uint64_t last[LOG_SERVERS]; /* the highest sequence of each server */
    unsigned uncommitted;       /* the first that is not committed is at count - uncommitted */
};

struct connection { /* of a receiver to its source */
    bool up;
    uint64_t life;
    uint64_t source_incarnation;
    unsigned next;  /* of the source's log */
    bool under_way; /* a part of the log */
    bool stall_due; /* it is looked at again then */
    uint64_t contact_us;
    uint64_t acknowledged; /* the newest that was sent; an index + 1 of the source's log */
};

struct server {
    unsigned host;
    uint64_t incarnation; /* of the last start; 0: never started */
    uint64_t begun_us;
    bool started_to_follow;
    bool read_only;
    bool closing; /* SET GLOBAL read_only waits: new writers queue */
    unsigned acks;
    bool disk_hangs; /* every write hangs */
    struct log log;

    /* as a replica */
    bool configured;
    unsigned source;
    bool receiver_on, applier_on, acknowledging;
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

/* ---- statements; the caller made sure that it runs ---- */
unsigned server_waiting(const struct server *server);
/* A client's transaction; 0: refused, or not answered ever. Acknowledgement is told to the checkers. */
uint64_t server_write(struct cluster *cluster, unsigned host);
void server_set_rule(struct cluster *cluster, unsigned host, unsigned acks);
void server_write_epoch(struct cluster *cluster, unsigned host, uint64_t epoch);
uint64_t server_epoch(const struct server *server); /* the newest record in its log; 0: none */
/* The GTID of that record, or of the log's end with index = count - 1. */
void server_gtid_text(const struct server *server, unsigned index, char *text, size_t size);
void server_executed_text(const struct server *server, char *text, size_t size);
void server_received_text(const struct server *server, char *text, size_t size);
/* All clients' sessions are killed. Only under read_only: then no commit waits. */
void server_kill_sessions(struct server *server);
void server_acknowledged(struct cluster *cluster, unsigned host, unsigned count);
/* A transaction of the server's own that no client asked the cluster for. */
void server_write_errant(struct cluster *cluster, unsigned host);

void log_append(struct log *log, const struct txn *txn);
void log_cut(struct log *log, unsigned count);
bool log_has_gtid(const struct log *log, uint32_t server, uint64_t sequence, unsigned *index);

/* ---- replication.c ---- */
void server_receiver_start(struct cluster *cluster, unsigned host);
void server_receiver_stop(struct cluster *cluster, unsigned host);
void server_applier_start(struct cluster *cluster, unsigned host);
/* CHANGE MASTER and START SLAVE: with both threads stopped before, the relay log is discarded. */
void server_follow(struct cluster *cluster, unsigned host, unsigned source);
void server_forget_source(struct server *server); /* RESET SLAVE ALL */
/* The source's log has grown. */
void server_kick_replicas(struct cluster *cluster, unsigned source);
/* Some replica acknowledges to it now: connected, and packets pass both ways. */
bool server_has_acknowledger(const struct cluster *cluster, unsigned source);

#endif
