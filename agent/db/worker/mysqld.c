/* The MySQL adapter: its table, and the look at the server. */
#include "agent/db/worker/mysqld.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

/* A write that has not come back by then is asked after. */
#define PROBE_WRITE_US 50000

/* What one look gathers before it is judged. */
struct look {
    struct position owned, executed;
    char uuid[64];
    bool log_bin, gtid_mode;
    bool read_only, super_read_only, admitted, offline_mode;
    bool replica_enabled;
    bool received_is_durable;
    struct semi_sync_status status;
    struct mysqld_rule rule;
    struct replica_status replica;
};

enum column {
    COLUMN_VERSION,
    COLUMN_READ_ONLY,
    COLUMN_EXECUTED,
    COLUMN_UUID,
    COLUMN_SOURCE_ENABLED,
    COLUMN_SOURCE_TIMEOUT,
    COLUMN_WAIT_ALONE,
    COLUMN_WAIT_POINT,
    COLUMN_WAIT_COUNT,
    COLUMN_REPLICA_ENABLED,
    COLUMN_LOG_BIN,
    COLUMN_GTID_MODE,
    COLUMN_SYNC_RELAY_LOG,
    COLUMN_RELAY_LOG_RECOVERY,
    COLUMN_SUPER_READ_ONLY,
    COLUMN_OFFLINE_MODE,
    COLUMN_COUNT,
};

static void read_variables(MYSQL_ROW row, struct look *look, struct db_view *view)
{
    const char *text[COLUMN_COUNT];

    for (int i = 0; i < COLUMN_COUNT; i++)
        text[i] = row[i] ? row[i] : "";
    snprintf(view->version, sizeof view->version, "%s", text[COLUMN_VERSION]);
    snprintf(look->uuid, sizeof look->uuid, "%s", text[COLUMN_UUID]);
    look->read_only = sql_truth(text[COLUMN_READ_ONLY]);
    look->super_read_only = sql_truth(text[COLUMN_SUPER_READ_ONLY]);
    look->offline_mode = sql_truth(text[COLUMN_OFFLINE_MODE]);
    look->rule.enabled = sql_truth(text[COLUMN_SOURCE_ENABLED]);
    look->rule.timeout_ms = strtoull(text[COLUMN_SOURCE_TIMEOUT], NULL, 10);
    look->rule.wait_alone = sql_truth(text[COLUMN_WAIT_ALONE]);
    look->rule.after_sync = strcmp(text[COLUMN_WAIT_POINT], "AFTER_SYNC") == 0;
    look->rule.count = (unsigned)strtoul(text[COLUMN_WAIT_COUNT], NULL, 10);
    look->replica_enabled = sql_truth(text[COLUMN_REPLICA_ENABLED]);
    look->log_bin = sql_truth(text[COLUMN_LOG_BIN]);
    look->gtid_mode = strcmp(text[COLUMN_GTID_MODE], "ON") == 0;
    look->received_is_durable =
        strcmp(text[COLUMN_SYNC_RELAY_LOG], "1") == 0 && !sql_truth(text[COLUMN_RELAY_LOG_RECOVERY]);
}

static enum error_code look_at_variables(struct adapter *adapter, struct session *session, struct look *look,
                                         struct db_view *view, struct error *err)
{
    unsigned admissions = atomic_load(&adapter->admissions);
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_VARIABLES, NO_ARGUMENTS, &result, err);

    /* without its semi-sync plugins it does not know the variables, and is of no use here */
    if (code == ERR_REFUSED && strstr(err->text, "rpl_semi_sync"))
        return error_set(err, code,
                         "the semi-sync plugins are not installed: [mysqld] plugin_load_add = "
                         "semisync_source.so and semisync_replica.so, and a restart");
    if (code != ERR_OK)
        return code;
    row = result ? mysql_fetch_row(result) : NULL;
    if (row) {
        read_variables(row, look, view);
        code = mysqld_parse(row[COLUMN_EXECUTED] ? row[COLUMN_EXECUTED] : "", &look->executed, err);
    } else {
        code = error_set(err, ERR_IO, "the server answers without its variables");
    }
    if (result)
        mysql_free_result(result);
    look->admitted = admissions % 2 == 1 || atomic_load(&adapter->admissions) != admissions;
    return code;
}

static void judge_rule(const struct look *look, struct db_view *view)
{
    view->acks = mysqld_rule_acks(&look->rule);
    view->acks_enforced =
        view->acks == 0 || (look->status.source_on && look->rule.wait_alone && look->rule.after_sync);
    if (look->status.waiting == 0)
        return;
    /* The server counts one of each group that commits together. */
    for (unsigned i = 0; i < look->owned.count; i++)
        view->waiting_commits +=
            (unsigned)(look->owned.intervals[i].last - look->owned.intervals[i].first + 1);
    if (view->waiting_commits < look->status.waiting)
        view->waiting_commits = look->status.waiting;
}

static void judge_trouble(const struct look *look, struct db_view *view)
{
    const struct replica_status *replica = &look->replica;

    if (!look->log_bin || !look->gtid_mode) {
        view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_OTHER;
        snprintf(view->trouble, sizeof view->trouble, "%s; see `mhactl check`",
                 look->log_bin ? "gtid_mode is not ON" : "log_bin is off");
    } else if (!replica->configured) {
        if (look->offline_mode) {
            view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_OTHER;
            snprintf(view->trouble, sizeof view->trouble,
                     "offline_mode is on: clients are refused; SET GLOBAL offline_mode = 0");
        }
    } else {
        sql_judge_replica(replica, "START REPLICA SQL_THREAD", view);
    }
}

static enum error_code judge_replica(struct look *look, struct db_view *view, struct error *err)
{
    const struct replica_status *replica = &look->replica;
    struct position received, retrieved;
    enum error_code code;

    view->has_source = replica->configured;
    view->receiver_stopped = !replica->receiver_runs;
    view->receiving = replica->receiving;
    view->applying = replica->applying;
    view->received_is_durable = look->received_is_durable;
    view->drained = true;
    view->lag_ms = replica->has_lag ? replica->lag_s * 1000 : 0;
    view->received_log = sql_received_log(replica);
    /* A replica owns what it is just applying. */
    if (!replica->configured && !position_merge(&look->executed, &look->owned))
        return error_set(err, ERR_REFUSED, "its GTID set has more than %d intervals", POSITION_ITEMS_MAX);
    received = look->executed;
    if (replica->configured) {
        code = mysqld_parse(replica->received, &retrieved, err);
        if (code != ERR_OK)
            return code;
        if (!position_merge(&received, &retrieved))
            return error_set(err, ERR_REFUSED, "its GTID set has more than %d intervals", POSITION_ITEMS_MAX);
        view->drained = position_contains(&look->executed, &retrieved);
        snprintf(view->source, sizeof view->source, "%s:%u", replica->host, replica->port);
    }
    if (!position_format(&look->executed, view->executed, sizeof view->executed) ||
        !position_format(&received, view->received, sizeof view->received))
        return error_set(err, ERR_REFUSED, "its GTID set is too long");
    return ERR_OK;
}

/* Once it has been ours, super_read_only belongs to a closed server: without it accounts with
 * CONNECTION_ADMIN write. */
static void judge_read_only(const struct look *look, struct db_view *view)
{
    view->read_only = look->read_only && (look->super_read_only || look->admitted || view->foreign);
}

/* Whether the write that the session `id` has begun is held up by somebody's lock. */
static enum error_code held_by_lock(struct session *session, unsigned long id, bool *out, struct error *err)
{
    char text[32], state[128];
    enum error_code code;

    snprintf(text, sizeof text, "%lu", id);
    code = session_ask_text(session, STATEMENT_STATE_OF, ARGUMENTS(text), state, sizeof state, err);
    *out = code == ERR_OK && strncmp(state, "Waiting for ", 12) == 0 && strstr(state, " lock") != NULL;
    return code == ERR_INVALID ? ERR_OK : code;
}

/* The probe's row is written on a session of its own, so that one that a lock holds up holds up no look: the
 * least that lock_wait_timeout takes is a second. Any other delay is the look's too. */
static enum error_code write_probe(struct adapter *adapter, struct session *session, struct db_view *view,
                                   struct error *err)
{
    struct session *writer = &adapter->sessions[LINE_PROBE_WRITE];
    bool held = false;
    enum error_code code = ERR_OK;

    if (!session_connected(writer)) {
        code = session_connect(writer, err);
        if (code == ERR_OK)
            code = session_run(writer, STATEMENT_PROBE_SETUP, NO_ARGUMENTS, err);
        adapter->probe_writing = false;
    }
    if (code == ERR_OK && !adapter->probe_writing) {
        code = sql_send_probe(writer, err);
        adapter->probe_writing = code == ERR_OK;
    }
    while (code == ERR_OK && !session_answered(writer, clock_now_us() + PROBE_WRITE_US)) {
        code = held_by_lock(session, mysql_thread_id(writer->mysql), &held, err);
        if (code == ERR_OK && held) {
            view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD;
            snprintf(view->trouble, sizeof view->trouble, "writes are held up by a lock");
            return ERR_OK;
        }
    }
    if (code != ERR_OK)
        return code;
    adapter->probe_writing = false;
    return sql_finish_probe(writer, view, err);
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
        code = mysqld_owned(session, &look.owned, err);
    if (code == ERR_OK)
        code = look_at_variables(adapter, session, &look, view, err);
    if (code == ERR_OK)
        code = sql_semi_sync_status(adapter->sql->status, session, &look.status, err);
    if (code == ERR_OK)
        code = sql_replica_status(session, &look.replica, err);
    if (code == ERR_OK && look.executed.count == 0 && look.owned.count == 0)
        code = sql_look_for_schemas(session, view, err);
    if (code == ERR_OK)
        code = sql_look_at_epoch(session, view, err);
    if (code == ERR_OK)
        code = sql_acknowledgers(adapter, session, view, err);
    if (code != ERR_OK)
        return code;
    view->acknowledging_clients = look.status.clients;
    judge_read_only(&look, view);
    judge_rule(&look, view);
    mysqld_nudge(adapter, view, &look.executed);
    sql_judge_account(adapter->settings, &look.replica, look.status.replica_on,
                      !look.status.replica_on && !look.replica_enabled, view);
    code = judge_replica(&look, view, err);
    if (code != ERR_OK)
        return code;
    judge_trouble(&look, view);
    return write && !view->read_only && !view->foreign ? write_probe(adapter, session, view, err) : ERR_OK;
}

static enum error_code unlogged(struct session *session, bool off, struct error *err)
{
    return session_run(session, off ? STATEMENT_LOG_OFF : STATEMENT_LOG_ON, NO_ARGUMENTS, err);
}

const struct sql_status_names mysqld_status_names = {
    .source_on = "Rpl_semi_sync_source_status",
    .replica_on = "Rpl_semi_sync_replica_status",
    .waiting = "Rpl_semi_sync_source_wait_sessions",
    .clients = "Rpl_semi_sync_source_clients",
};

static const struct sql_kind kind = {
    .status = &mysqld_status_names,
    .check = &mysqld_check,
    .executed = mysqld_executed,
    .written = mysqld_written,
    .log_end = mysqld_log_end,
    .rule = mysqld_set_rule,
    .stop_replica = mysqld_stop_replica,
    .suspend_rule = mysqld_suspend_rule,
    .read_only = mysqld_read_only,
    .writable = mysqld_writable,
    .unlogged = unlogged,
    .try_locks = mysqld_try_locks,
    .admit = mysqld_admit,
};

static struct adapter *create(const struct db_settings *settings)
{
    return sql_create(&kind, settings);
}

const struct adapter_kind adapter_mysql = {
    .name = "mysql",
    .create = create,
    .destroy = sql_destroy,
    .interrupt = sql_interrupt,
    .refuse = sql_refuse,
    .probe = probe,
    .ask_log = mysqld_ask_log,
    .doubt = mysqld_doubt,
    .prepare_fence = mysqld_prepare_fence,
    .fence = mysqld_fence,
    .close = sql_close,
    .freeze = mysqld_freeze,
    .drain = sql_drain,
    .follow = mysqld_follow,
    .promote = sql_promote,
    .open = sql_open,
    .set_commit_rule = sql_set_commit_rule,
    .set_acknowledging = sql_set_acknowledging,
    .check = sql_check,
};
