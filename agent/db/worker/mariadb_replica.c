/* The replica's side: freeze, drain, follow. The order of the statements was paid for; see the comments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/mariadb.h"
#include "common/base/clock.h"

#define FOLLOW_DRAIN_US 30000000
#define RECEIVER_STOP_TRIES 3
/* Between KILL of the receiver and STOP SLAVE: 1 to 20 ms were tried, all good; none at all helps only
 * sometimes. */
#define RECEIVER_KILL_US 10000
/* At least 4 E of the default profile: in the state "Reconnecting" the quick stop works less surely. */
#define NET_TIMEOUT_S "4"
#define HEARTBEAT_S "1"
/* How long an ending receiver dials its source. 10.11 is spared that by stop_receiver; 11.8 was not by
 * anything that was tried (5 s with its default of 5, 1 s with 1, which is the least: 0 means no limit). */
#define DIAL_TIMEOUT_S "1"

/* gtid_binlog_pos, gtid_slave_pos and gtid_binlog_state, in this order. */
static enum error_code ask_positions(struct session *session, struct position out[3], struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_POSITIONS, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK)
        return code;
    row = result ? mysql_fetch_row(result) : NULL;
    for (unsigned i = 0; code == ERR_OK && i < 3; i++)
        if (!row || !position_parse(row[i] ? row[i] : "", &out[i]))
            code = error_set(err, ERR_REFUSED, "the server's GTID state is no position that can be compared");
    if (result)
        mysql_free_result(result);
    return code;
}

enum error_code mariadb_executed(struct session *session, struct position *out, struct error *err)
{
    struct position positions[3];
    enum error_code code = ask_positions(session, positions, err);

    if (code != ERR_OK)
        return code;
    *out = positions[2];
    if (!position_merge(out, &positions[1]))
        return error_set(err, ERR_REFUSED, "the server's GTID state has too many domains and servers");
    return ERR_OK;
}

/* Stops the receiver at once, though its source may be silently gone. A plain STOP SLAVE then takes 2 s: the
 * ending receiver first dials the dead source to end its dump thread there. KILL of the receiver, a moment,
 * then STOP does not. KILL alone proves nothing: Slave_IO_Running stays Yes. */
static enum error_code stop_receiver(struct session *session, struct adapter_call *call, struct error *err)
{
    struct replica_status status;
    enum error_code code = sql_replica_status(session, &status, err);

    for (int i = 0; code == ERR_OK && status.receiver_runs; i++) {
        char id[32];
        if (i == RECEIVER_STOP_TRIES)
            return error_set(err, ERR_TIMEOUT, "the receiver does not stop (STOP SLAVE IO_THREAD)");
        code = sql_stopped(call, err);
        if (code == ERR_OK)
            code = session_ask_text(session, STATEMENT_RECEIVER_ID, NO_ARGUMENTS, id, sizeof id, err);
        if (code == ERR_OK && session_run(session, STATEMENT_KILL, ARGUMENTS(id), err) == ERR_OK)
            sql_pause_us(RECEIVER_KILL_US);
        else if (code == ERR_INVALID)
            code = ERR_OK; /* no such row: it is just ending */
        if (!session_connected(session))
            return err->code;
        if (code == ERR_OK)
            code = session_run(session, STATEMENT_RECEIVER_STOP, NO_ARGUMENTS, err);
        if (code == ERR_OK)
            code = sql_replica_status(session, &status, err);
    }
    return code;
}

/* The applier runs before the receiver is touched. With both threads stopped a START of either throws away
 * what was received but not applied (Gtid_IO_Pos goes back, tried): then nothing is started, and the position
 * says that it is not drained. */
static enum error_code start_applier(struct adapter *adapter, struct session *session,
                                     const struct replica_status *status, struct error *err)
{
    bool drained;
    enum error_code code;

    if (status->applying)
        return ERR_OK;
    if (!status->receiver_runs) {
        code = sql_is_drained(adapter, session, status, &drained, err);
        if (code != ERR_OK || !drained)
            return code;
    }
    return session_run(session, STATEMENT_APPLIER_START, NO_ARGUMENTS, err);
}

enum error_code mariadb_freeze(struct adapter *adapter, struct adapter_call *call, struct error *err)
{
    struct session *session;
    struct replica_status status;
    enum error_code code = sql_ops(adapter, &session, err);

    if (code == ERR_OK)
        code = sql_replica_status(session, &status, err);
    if (code != ERR_OK || !status.configured)
        return code;
    code = start_applier(adapter, session, &status, err);
    if (code == ERR_OK)
        code = stop_receiver(session, call, err);
    return code;
}

/* An old primary's own log counts as applied: gtid_slave_pos becomes the newest of it and the log's end, per
 * domain. */
static enum error_code count_own_log(struct session *session, struct error *err)
{
    struct position positions[3], merged = {0};
    char text[VIEW_POSITION_BYTES];
    bool behind = false;
    enum error_code code = ask_positions(session, positions, err);

    if (code != ERR_OK)
        return code;
    /* gtid_slave_pos has one item per domain, whichever server wrote it. */
    for (unsigned which = 0; which < 2; which++) {
        for (unsigned i = 0; i < positions[which].count; i++) {
            const struct position_item *item = &positions[which].items[i];
            unsigned j = 0;
            while (j < merged.count && merged.items[j].domain != item->domain)
                j++;
            if (j == merged.count)
                merged.items[merged.count++] = *item;
            else if (item->sequence > merged.items[j].sequence)
                merged.items[j] = *item;
        }
    }
    for (unsigned i = 0; i < merged.count; i++) {
        unsigned j = 0;
        while (j < positions[1].count && positions[1].items[j].domain != merged.items[i].domain)
            j++;
        behind =
            behind || j == positions[1].count || positions[1].items[j].sequence < merged.items[i].sequence;
    }
    if (!behind)
        return ERR_OK;
    if (!position_format(&merged, text, sizeof text))
        return error_set(err, ERR_REFUSED, "the server's GTID state is too long");
    return session_run(session, STATEMENT_SET_APPLIED, ARGUMENTS(text), err);
}

/* The account by which this node replicates. */
static void own_account(const struct db_settings *settings, bool standing_by, char *out, size_t size)
{
    db_replication_user(settings, standing_by ? DB_STANDBY_NAME : settings->node, out, size);
}

static enum error_code change_source(struct adapter *adapter, struct session *session, const char *host,
                                     unsigned port, bool standing_by, struct error *err)
{
    const struct db_settings *settings = adapter->settings;
    char port_text[16], user[DB_TEXT_BYTES];
    enum error_code code = session_run(session, STATEMENT_REPLICA_STOP, NO_ARGUMENTS, err);

    own_account(settings, standing_by, user, sizeof user);
    /* Only now: a receiver that runs asked for acknowledgements, or did not, when it started. */
    if (code == ERR_OK)
        code = session_run(session, standing_by ? STATEMENT_ACKNOWLEDGE_OFF : STATEMENT_ACKNOWLEDGE_ON,
                           NO_ARGUMENTS, err);
    if (code == ERR_OK)
        code = mariadb_take_number(session, standing_by, err);
    if (code == ERR_OK)
        code = count_own_log(session, err);
    snprintf(port_text, sizeof port_text, "%u", port);
    if (code == ERR_OK) {
        const char *const *arguments = ARGUMENTS(host, port_text, user, settings->replication_password,
                                                 HEARTBEAT_S, settings->replication_tls ? "1" : "0");
        code = session_run(session, STATEMENT_FOLLOW, arguments, err);
        /* A server does not sync its notes on its source and its relay log (master.info, relay-log.info): a
         * power cut leaves them empty, and from then on every CHANGE MASTER fails with 1201 until they are
         * forgotten (tried on 10.11). Nothing that counts stands in them: the position is in a table. */
        if (code != ERR_OK && session_connected(session) &&
            session_run(session, STATEMENT_REPLICA_FORGET, NO_ARGUMENTS, err) == ERR_OK)
            code = session_run(session, STATEMENT_FOLLOW, arguments, err);
    }
    return code == ERR_OK ? session_run(session, STATEMENT_REPLICA_START, NO_ARGUMENTS, err) : code;
}

/* A replica never waits for acknowledgements of what it applies: its applier would hang without a replica of
 * its own. */
static enum error_code set_up(struct session *session, struct error *err)
{
    enum error_code code = mariadb_rule(session, 0, err);

    if (code == ERR_OK)
        code = session_run(session, STATEMENT_STRICT_ON, NO_ARGUMENTS, err);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_NET_TIMEOUT, ARGUMENTS(NET_TIMEOUT_S), err);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_DIAL_TIMEOUT, ARGUMENTS(DIAL_TIMEOUT_S), err);
    return code;
}

static enum error_code follows_well(struct adapter *adapter, struct session *session,
                                    const struct replica_status *status, const char *host, unsigned port,
                                    bool standing_by, bool *out, struct error *err)
{
    char user[DB_TEXT_BYTES];
    struct semi_sync_status semi_sync;
    enum error_code code;

    *out = false;
    own_account(adapter->settings, standing_by, user, sizeof user);
    if (!status->receiving || !status->applying || strcmp(status->host, host) != 0 || status->port != port ||
        strcmp(status->user, user) != 0)
        return ERR_OK;
    /* The receiver asks for acknowledgements only when it starts. */
    code = sql_semi_sync_status(adapter->sql->status, session, &semi_sync, err);
    *out = code == ERR_OK && semi_sync.replica_on == !standing_by;
    return code;
}

enum error_code mariadb_follow(struct adapter *adapter, struct adapter_call *call, const char *host,
                               unsigned port, bool standing_by, struct error *err)
{
    struct session *session;
    struct replica_status status;
    bool well = false;
    enum error_code code = sql_ops(adapter, &session, err);

    /* bounded well below the agent's patience: a server that is to follow has nothing to commit */
    if (code == ERR_OK)
        code = mariadb_read_only(adapter, session, clock_now_us() + 5000000, err);
    if (code == ERR_OK)
        code = sql_replica_status(session, &status, err);
    if (code == ERR_OK)
        code = follows_well(adapter, session, &status, host, port, standing_by, &well, err);
    if (code != ERR_OK || well)
        return code;
    code = set_up(session, err);
    /* With both threads stopped there is nothing left to save: what was not applied comes again from the new
     * source. */
    if (code == ERR_OK && status.configured && (status.receiver_runs || status.applying)) {
        code = start_applier(adapter, session, &status, err);
        if (code == ERR_OK)
            code = stop_receiver(session, call, err);
        if (code == ERR_OK)
            code = sql_drain_until(adapter, session, call, clock_now_us() + FOLLOW_DRAIN_US, err);
    }
    if (code == ERR_OK)
        code = sql_stopped(call, err);
    return code == ERR_OK ? change_source(adapter, session, host, port, standing_by, err) : code;
}
