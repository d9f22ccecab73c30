/* The replica's side: freeze and follow.
 *
 * Tried on 9.7:
 * - STOP REPLICA IO_THREAD takes 5 ms though the source is silently gone, as long as the receiver has not
 * noticed it itself. Once it dials again (replica_net_timeout later), the stop waits for the end of that
 * attempt, at most replica_net_timeout; KILL of the receiver does not shorten that. Hence NET_TIMEOUT_S.
 * - CHANGE REPLICATION SOURCE with both threads stopped throws away what was received. With the applier
 * running it keeps it: so the applier runs, and goes on with the rest of the relay log while the receiver
 * already has its new source.
 * - STOP REPLICA waits a minute for the rest of a transaction of which a part was received, as it is when the
 * source dies while it sends one. Killed, the applier's threads end at once, and roll that part back; but
 * not once they have been asked to stop (sql_slave_killed of sql/rpl_replica.cc): so all of them are killed,
 * whatever they wait for, and STOP REPLICA comes when they have ended.
 * - Whether a receiver acknowledges is settled when it starts.
 * - With sync_relay_log = 1 each *event* is synced, five for a transaction of one row: a disk with 500 of
 * that a second receives 100 transactions, and never catches up with a primary that does not wait for it. So
 * only who acknowledges syncs that often. A receiver that stops syncs and closes its file: with its restart
 * under sync_relay_log = 1 all that was received before is on disk, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/mysqld.h"
#include "common/base/clock.h"

#define FOLLOW_READ_ONLY_US 5000000
#define FOLLOW_DRAIN_US 30000000
#define RECEIVER_STOP_TRIES 3
#define KILL_APPLIER_US 5000000
#define THREADS_MAX 1026 /* replica_parallel_workers, at most; their coordinator; the receiver */
/* Four times the election timeout of the default profile. */
#define NET_TIMEOUT_S "4"
#define HEARTBEAT_S "1"

/* SQL_THREAD keeps what was received, in whatever order the threads are started and stopped. */
static enum error_code start_applier(struct session *session, struct replica_status *status,
                                     struct error *err)
{
    enum error_code code;

    if (status->applying)
        return ERR_OK;
    code = session_run(session, STATEMENT_APPLIER_START, NO_ARGUMENTS, err);
    return code == ERR_OK ? sql_replica_status(session, status, err) : code;
}

static enum error_code stop_receiver(struct session *session, struct adapter_call *call, struct error *err)
{
    struct replica_status status;
    enum error_code code = sql_replica_status(session, &status, err);

    for (int i = 0; code == ERR_OK && status.receiver_runs; i++) {
        if (i == RECEIVER_STOP_TRIES)
            return error_set(err, ERR_TIMEOUT, "the receiver does not stop (STOP REPLICA IO_THREAD)");
        code = sql_stopped(call, err);
        if (code == ERR_OK)
            code = session_run(session, STATEMENT_RECEIVER_STOP, NO_ARGUMENTS, err);
        if (code == ERR_OK)
            code = sql_replica_status(session, &status, err);
    }
    return code;
}

enum error_code mysqld_freeze(struct adapter *adapter, struct adapter_call *call, struct error *err)
{
    struct session *session;
    struct replica_status status;
    enum error_code code = sql_ops(adapter, &session, err);

    if (code == ERR_OK)
        code = sql_replica_status(session, &status, err);
    if (code != ERR_OK || !status.configured)
        return code;
    code = start_applier(session, &status, err);
    return code == ERR_OK ? stop_receiver(session, call, err) : code;
}

/* ---- follow ---- */

/* Where and how to replicate. */
struct target {
    const char *host;
    unsigned port;
    bool standing_by;
    char user[DB_TEXT_BYTES];
};

static enum error_code follows_well(struct session *session, const struct replica_status *status,
                                    const struct target *target, bool *out, struct error *err)
{
    struct semi_sync_status semi_sync;
    uint64_t synced;
    enum error_code code = sql_semi_sync_status(&mysqld_status_names, session, &semi_sync, err);

    if (code == ERR_OK)
        code = session_ask_number(session, STATEMENT_SYNC_RECEIVED_ASK, NO_ARGUMENTS, &synced, err);
    *out = code == ERR_OK && status->receiving && status->applying &&
           strcmp(status->host, target->host) == 0 && status->port == target->port &&
           strcmp(status->user, target->user) == 0 && semi_sync.replica_on == !target->standing_by &&
           (synced == 1 || target->standing_by);
    return code;
}

static enum error_code change_source(struct adapter *adapter, struct session *session,
                                     const struct target *target, struct error *err)
{
    const struct db_settings *settings = adapter->settings;
    char port[16];
    enum error_code code =
        session_run(session, target->standing_by ? STATEMENT_ACKNOWLEDGE_OFF : STATEMENT_ACKNOWLEDGE_ON,
                    NO_ARGUMENTS, err);

    snprintf(port, sizeof port, "%u", target->port);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_SYNC_RECEIVED,
                           ARGUMENTS(target->standing_by ? MYSQLD_SYNC_STANDING_BY : "1"), err);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_FOLLOW,
                           ARGUMENTS(target->host, port, target->user, settings->replication_password,
                                     HEARTBEAT_S, settings->replication_tls ? "1" : "0"),
                           err);
    return code;
}

/* The applier runs, the receiver alone gets another source. */
static enum error_code change_receiver(struct adapter *adapter, struct session *session,
                                       const struct target *target, struct error *err)
{
    enum error_code code = change_source(adapter, session, target, err);

    return code == ERR_OK ? session_run(session, STATEMENT_RECEIVER_START, NO_ARGUMENTS, err) : code;
}

struct threads {
    unsigned count;
    unsigned long ids[THREADS_MAX];
};

static void note_thread(void *context, MYSQL_ROW row)
{
    struct threads *threads = context;

    if (row[0] && threads->count < THREADS_MAX)
        threads->ids[threads->count++] = strtoul(row[0], NULL, 10);
}

static enum error_code kill_threads(struct session *session, struct error *err)
{
    struct threads threads = {.count = 0};
    char id[32];
    enum error_code code =
        session_ask_rows(session, STATEMENT_REPLICA_THREADS, NO_ARGUMENTS, note_thread, &threads, err);

    for (unsigned i = 0; i < threads.count && code == ERR_OK; i++) {
        snprintf(id, sizeof id, "%lu", threads.ids[i]);
        code = session_run(session, STATEMENT_KILL, ARGUMENTS(id), err);
        if (code == ERR_REFUSED)
            code = ERR_OK; /* it has ended with the others */
    }
    return code;
}

enum error_code mysqld_stop_replica(struct session *session, struct error *err)
{
    uint64_t until_us = clock_now_us() + KILL_APPLIER_US, pause_us = 500;
    struct replica_status status;
    enum error_code code = sql_replica_status(session, &status, err);

    while (code == ERR_OK && status.applying && clock_now_us() < until_us) {
        code = kill_threads(session, err);
        sql_pause_longer(&pause_us);
        if (code == ERR_OK)
            code = sql_replica_status(session, &status, err);
    }
    return code == ERR_OK ? session_run(session, STATEMENT_REPLICA_STOP, NO_ARGUMENTS, err) : code;
}

/* Both threads stopped: for a server that did not replicate, or not by GTID. */
static enum error_code begin_to_follow(struct adapter *adapter, struct session *session,
                                       const struct target *target, struct error *err)
{
    enum error_code code = mysqld_stop_replica(session, err);

    if (code == ERR_OK)
        code = change_source(adapter, session, target, err);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_FOLLOW_BY_GTID, NO_ARGUMENTS, err);
    return code == ERR_OK ? session_run(session, STATEMENT_REPLICA_START, NO_ARGUMENTS, err) : code;
}

static enum error_code point_to(struct adapter *adapter, struct session *session, struct adapter_call *call,
                                struct replica_status *status, const struct target *target, struct error *err)
{
    enum error_code code = ERR_OK;

    if (!status->configured)
        return begin_to_follow(adapter, session, target, err);
    code = start_applier(session, status, err);
    if (code == ERR_OK)
        code = stop_receiver(session, call, err);
    if (code == ERR_OK)
        code = sql_replica_status(session, status, err);
    if (code != ERR_OK)
        return code;
    if (status->applying && status->by_gtid)
        return change_receiver(adapter, session, target, err);
    /* An applier that cannot go on makes this fail: what it has not applied would be thrown away. */
    code = sql_drain_until(adapter, session, call, clock_now_us() + FOLLOW_DRAIN_US, err);
    return code == ERR_OK ? begin_to_follow(adapter, session, target, err) : code;
}

enum error_code mysqld_follow(struct adapter *adapter, struct adapter_call *call, const char *host,
                              unsigned port, bool standing_by, struct error *err)
{
    struct target target = {.host = host, .port = port, .standing_by = standing_by};
    struct session *session;
    struct replica_status status;
    bool well = false;
    enum error_code code = sql_ops(adapter, &session, err);

    db_replication_user(adapter->settings, standing_by ? DB_STANDBY_NAME : adapter->settings->node,
                        target.user, sizeof target.user);
    /* bounded well below the agent's patience: a server that is to follow has nothing to commit */
    if (code == ERR_OK)
        code = mysqld_read_only(adapter, session, clock_now_us() + FOLLOW_READ_ONLY_US, err);
    if (code == ERR_OK)
        code = sql_replica_status(session, &status, err);
    if (code == ERR_OK)
        code = follows_well(session, &status, &target, &well, err);
    if (code != ERR_OK || well)
        return code;
    /* A replica never waits for acknowledgements of what it applies: its applier would hang without a replica
     * of its own. */
    code = mysqld_suspend_rule(session, err);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_NET_TIMEOUT, ARGUMENTS(NET_TIMEOUT_S), err);
    if (code == ERR_OK)
        code = sql_stopped(call, err);
    return code == ERR_OK ? point_to(adapter, session, call, &status, &target, err) : code;
}
