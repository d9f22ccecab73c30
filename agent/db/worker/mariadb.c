#include "agent/db/worker/mariadb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"

/* ---- looking ---- */

/* What one look gathers before it is judged. */
struct look {
    struct position executed;
    struct position applied;
    char binlog_state[VIEW_POSITION_BYTES];
    bool log_bin;
    uint32_t server_id;
    bool master_enabled, wait_alone, after_sync, slave_enabled;
    uint64_t master_timeout;
    struct semi_sync_status status;
    struct replica_status replica;
};

static enum error_code look_at_variables(struct session *session, struct look *look, struct db_view *view,
                                         struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_VARIABLES, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK)
        return code;
    row = result ? mysql_fetch_row(result) : NULL;
    if (!row) {
        code = error_set(err, ERR_IO, "the server answers without its variables");
        goto out;
    }
    snprintf(view->version, sizeof view->version, "%s", row[0] ? row[0] : "");
    view->read_only = sql_truth(row[1]);
    look->master_enabled = sql_truth(row[4]);
    look->master_timeout = row[5] ? strtoull(row[5], NULL, 10) : 0;
    look->wait_alone = sql_truth(row[6]);
    look->after_sync = row[7] && strcmp(row[7], "AFTER_SYNC") == 0;
    look->slave_enabled = sql_truth(row[8]);
    look->log_bin = sql_truth(row[9]);
    look->server_id = row[10] ? (uint32_t)strtoul(row[10], NULL, 10) : 0;
    if (!position_parse(row[2] ? row[2] : "", &look->executed) ||
        !position_parse(row[3] ? row[3] : "", &look->applied) ||
        !position_merge(&look->executed, &look->applied))
        code = error_set(
            err, ERR_REFUSED,
            "the server's GTID state has more than %d pairs of domain and server; remove old ones with FLUSH "
            "BINARY LOGS DELETE_DOMAIN_ID",
            POSITION_ITEMS_MAX);
out:
    if (result)
        mysql_free_result(result);
    return code;
}

static void judge_rule(const struct look *look, struct db_view *view)
{
    view->acks = look->master_enabled && look->master_timeout >= RULE_TIMEOUT_MS_LEAST ? 1 : 0;
    view->acks_enforced = view->acks == 0 || (look->status.source_on && look->wait_alone && look->after_sync);
}

static void count_own_writes(const struct look *look, struct db_view *view)
{
    for (unsigned i = 0; i < look->executed.count; i++)
        if (look->executed.items[i].server == mariadb_own_number(look->server_id))
            view->own_writes += look->executed.items[i].sequence;
}

static enum error_code judge_replica(const struct look *look, struct db_view *view, struct error *err)
{
    const struct replica_status *replica = &look->replica;
    struct position received = look->executed, io;

    view->has_source = replica->configured;
    view->receiver_stopped = !replica->receiver_runs;
    view->receiving = replica->receiving;
    view->applying = replica->applying;
    view->drained = true;
    /* Empty after a restart of the server, which throws away what was not applied; otherwise its relay log
     * has it, though both threads may be stopped (an applier that failed, say): it counts as held, and as not
     * drained. */
    if (replica->configured) {
        if (!position_parse(replica->received, &io) || !position_merge(&received, &io))
            return error_set(err, ERR_REFUSED, "Gtid_IO_Pos is no position: %.200s", replica->received);
        view->drained = position_contains(&look->executed, &io);
    }
    if (replica->configured)
        snprintf(view->source, sizeof view->source, "%s:%u", replica->host, replica->port);
    snprintf(view->relay_log, sizeof view->relay_log, "%s", replica->relay_log);
    view->lag_ms = replica->has_lag ? replica->lag_s * 1000 : 0;
    view->received_log = sql_received_log(replica);
    sql_judge_replica(replica, "START SLAVE SQL_THREAD", view);
    if (!position_format(&look->executed, view->executed, sizeof view->executed) ||
        !position_format(&received, view->received, sizeof view->received))
        return error_set(err, ERR_REFUSED, "the server's GTID state is too long");
    return ERR_OK;
}

/* Rpl_status tells how the server was started: IDLE_SLAVE after --init-rpl-role=SLAVE. The tail is cut only
 * if semi-sync was on for the replica side too; that is a start option as well and can have been switched on
 * since, so a mistake here is possible only for a unit file that has one without the other, which the
 * preflight cannot see and the packaged one does not. */
static enum error_code look_at_start(struct session *session, const struct look *look, struct db_view *view,
                                     struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_START_ROLE, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK || !result)
        return code;
    row = mysql_fetch_row(result);
    view->started_to_follow = row && row[1] && strstr(row[1], "SLAVE") != NULL && look->slave_enabled;
    mysql_free_result(result);
    return ERR_OK;
}

static enum error_code probe(struct adapter *adapter, bool write, struct db_view *view, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_PROBE];
    struct look look;
    enum error_code code;

    memset(view, 0, sizeof *view);
    memset(&look, 0, sizeof look);
    code = session_connect(session, err);
    if (code == ERR_OK)
        code = look_at_variables(session, &look, view, err);
    if (code == ERR_OK)
        code = sql_semi_sync_status(adapter->sql->status, session, &look.status, err);
    if (code == ERR_OK)
        code = sql_replica_status(session, &look.replica, err);
    /* not asked oftener: it lists directories */
    if (code == ERR_OK && look.executed.count == 0)
        code = sql_look_for_schemas(session, view, err);
    if (code == ERR_OK)
        code = look_at_start(session, &look, view, err);
    if (code == ERR_OK)
        code = sql_look_at_epoch(session, view, err);
    if (code != ERR_OK)
        return code;
    view->waiting_commits = look.status.waiting;
    view->acknowledging_clients = look.status.clients;
    view->acknowledgements_sent = look.status.sent;
    judge_rule(&look, view);
    sql_judge_account(adapter->settings, &look.replica, look.status.replica_on && look.slave_enabled,
                      !look.status.replica_on && !look.slave_enabled, view);
    count_own_writes(&look, view);
    code = judge_replica(&look, view, err);
    if (code == ERR_OK)
        code = sql_acknowledgers(adapter, session, view, err);
    if (code == ERR_OK && !view->read_only && view->acks == 0)
        code = mariadb_senders_stuck(session, &view->replicas_locked_out, err);
    if (code != ERR_OK)
        return code;
    if (!look.log_bin) {
        view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_OTHER;
        snprintf(view->trouble, sizeof view->trouble, "log_bin is off; see `mhactl check`");
    }
    return write && !view->read_only && !view->foreign ? sql_probe_write(session, view, err) : ERR_OK;
}

/* Canonical text of a GTID or a position of the server's. */
static enum error_code canonical(const char *text, char *out, size_t size, struct error *err)
{
    struct position position;

    if (!position_parse(text, &position) || position.count == 0 || !position_format(&position, out, size))
        return error_set(
            err, ERR_REFUSED,
            "the epoch record was written, but the server tells no GTID for it (is log_bin on?): %.100s",
            text);
    return ERR_OK;
}

static enum error_code written(struct session *session, char *out, size_t size, struct error *err)
{
    char text[VIEW_POSITION_BYTES];
    enum error_code code =
        session_ask_text(session, STATEMENT_LAST_GTID, NO_ARGUMENTS, text, sizeof text, err);

    return code == ERR_OK ? canonical(text, out, size, err) : code;
}

static enum error_code log_end(struct session *session, char *out, size_t size, struct error *err)
{
    char text[VIEW_POSITION_BYTES];
    /* gtid_binlog_pos, its first column: the last GTID alone */
    enum error_code code =
        session_ask_text(session, STATEMENT_POSITIONS, NO_ARGUMENTS, text, sizeof text, err);

    return code == ERR_OK ? canonical(text, out, size, err) : code;
}

static const struct sql_status_names status_names = {
    .source_on = "Rpl_semi_sync_master_status",
    .replica_on = "Rpl_semi_sync_slave_status",
    .waiting = "Rpl_semi_sync_master_wait_sessions",
    .clients = "Rpl_semi_sync_master_clients",
    .sent = "Rpl_semi_sync_slave_send_ack",
};

static const struct sql_kind kind = {
    .status = &status_names,
    .check = &mariadb_check,
    .executed = mariadb_executed,
    .written = written,
    .log_end = log_end,
    .rule = mariadb_rule,
    .read_only = mariadb_read_only,
    .writable = mariadb_writable,
    .leave_replication = mariadb_leave_replication,
    .try_locks = mariadb_try_locks,
};

static struct adapter *create(const struct db_settings *settings)
{
    return sql_create(&kind, settings);
}

const struct adapter_kind adapter_mariadb = {
    .name = "mariadb",
    .create = create,
    .destroy = sql_destroy,
    .interrupt = sql_interrupt,
    .refuse = sql_refuse,
    .probe = probe,
    .prepare_fence = sql_prepare_fence,
    .ask_log = mariadb_ask_log,
    .tell = mariadb_tell,
    .doubt = mariadb_doubt,
    .fence = mariadb_fence,
    .expel = mariadb_expel,
    .close = sql_close,
    .freeze = mariadb_freeze,
    .drain = sql_drain,
    .follow = mariadb_follow,
    .promote = sql_promote,
    .open = sql_open,
    .set_commit_rule = sql_set_commit_rule,
    .set_acknowledging = sql_set_acknowledging,
    .check = sql_check,
};
