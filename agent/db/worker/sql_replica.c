/* What SHOW REPLICA STATUS says, and applying what was received. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/sql.h"
#include "common/base/clock.h"

#define DRAIN_SLICE_S "0.05"

/* A column has one name or another, by the server. */
static void copy_column(MYSQL_RES *result, MYSQL_ROW row, const char *name, const char *other, char *out,
                        size_t size)
{
    MYSQL_FIELD *fields = mysql_fetch_fields(result);

    out[0] = '\0';
    for (unsigned i = 0; i < mysql_num_fields(result); i++)
        if ((strcmp(fields[i].name, name) == 0 || (other && strcmp(fields[i].name, other) == 0)) && row[i])
            snprintf(out, size, "%s", row[i]);
}

static unsigned long long number_column(MYSQL_RES *result, MYSQL_ROW row, const char *name, const char *other)
{
    char text[32];

    copy_column(result, row, name, other, text, sizeof text);
    return strtoull(text, NULL, 10);
}

/* The numbers of errors that one of the servers alone has are not in the other's header. */
Mha__DbTrouble sql_receiver_trouble(unsigned number)
{
    static const unsigned refusals[] = {
        1045, 1698, /* access denied: wrong password, no such account, no password given */
        1130, 1129, /* not from this host; blocked after many failures */
        1227, 1142,
        1597,       /* it lacks REPLICATION SLAVE, as seen when it logs in or when it asks for the log */
        1820, 1862, /* its password has expired */
        3118, 4151, /* it is locked: MySQL's number, MariaDB's */
        1226,       /* its limit of connections is used up */
    };

    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (number == refusals[i])
            return MHA__DB_TROUBLE__DB_TROUBLE_REPLICATION_REFUSED;
    return MHA__DB_TROUBLE__DB_TROUBLE_RECEIVER_FAILS;
}

enum error_code sql_replica_status(struct session *session, struct replica_status *out, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    char text[64];
    enum error_code code = session_ask(session, STATEMENT_REPLICA_STATUS, NO_ARGUMENTS, &result, err);

    memset(out, 0, sizeof *out);
    if (code != ERR_OK || !result)
        return code;
    row = mysql_fetch_row(result);
    if (row) {
        copy_column(result, row, "Master_Host", "Source_Host", out->host, sizeof out->host);
        out->configured = out->host[0] != '\0';
        out->port = (unsigned)number_column(result, row, "Master_Port", "Source_Port");
        copy_column(result, row, "Master_User", "Source_User", out->user, sizeof out->user);
        copy_column(result, row, "Auto_Position", NULL, text, sizeof text);
        out->by_gtid = strcmp(text, "1") == 0;
        copy_column(result, row, "Slave_IO_Running", "Replica_IO_Running", text, sizeof text);
        out->receiver_runs = strcmp(text, "No") != 0;
        out->receiving = strcmp(text, "Yes") == 0;
        copy_column(result, row, "Slave_SQL_Running", "Replica_SQL_Running", text, sizeof text);
        out->applying = strcmp(text, "Yes") == 0;
        copy_column(result, row, "Seconds_Behind_Master", "Seconds_Behind_Source", text, sizeof text);
        out->has_lag = text[0] != '\0';
        out->lag_s = strtoull(text, NULL, 10);
        copy_column(result, row, "Gtid_IO_Pos", "Retrieved_Gtid_Set", out->received, sizeof out->received);
        copy_column(result, row, "Relay_Log_File", NULL, out->relay_log, sizeof out->relay_log);
        copy_column(result, row, "Master_Log_File", "Source_Log_File", out->log_file, sizeof out->log_file);
        out->log_position = number_column(result, row, "Read_Master_Log_Pos", "Read_Source_Log_Pos");
        out->receiver_errno = (unsigned)number_column(result, row, "Last_IO_Errno", NULL);
        out->applier_errno = (unsigned)number_column(result, row, "Last_SQL_Errno", NULL);
        copy_column(result, row, "Last_IO_Error", NULL, out->receiver_error, sizeof out->receiver_error);
        copy_column(result, row, "Last_SQL_Error", NULL, out->applier_error, sizeof out->applier_error);
    }
    mysql_free_result(result);
    return ERR_OK;
}

uint64_t sql_received_log(const struct replica_status *replica)
{
    const char *number = strrchr(replica->log_file, '.');

    return (number ? strtoull(number + 1, NULL, 10) << 40 : 0) + replica->log_position;
}

/* All that it received is applied. */
enum error_code sql_is_drained(struct adapter *adapter, struct session *session,
                               const struct replica_status *status, bool *out, struct error *err)
{
    struct position executed, received;
    enum error_code code = adapter->sql->executed(session, &executed, err);

    *out = false;
    if (code != ERR_OK)
        return code;
    if (!position_parse(status->received, &received))
        return error_set(err, ERR_REFUSED, "what was received is no position: %.200s", status->received);
    *out = position_contains(&executed, &received);
    return ERR_OK;
}

/* In slices, so that a newer request is not kept waiting. */
enum error_code sql_drain_until(struct adapter *adapter, struct session *session, struct adapter_call *call,
                                uint64_t deadline_us, struct error *err)
{
    for (;;) {
        struct replica_status status;
        bool drained = false;
        char waited[32];
        enum error_code code = sql_replica_status(session, &status, err);

        if (code == ERR_OK)
            code = sql_is_drained(adapter, session, &status, &drained, err);
        if (code != ERR_OK || drained || !status.configured)
            return code;
        code = sql_stopped(call, err);
        if (code != ERR_OK)
            return code;
        if (!status.applying)
            return error_set(err, ERR_REFUSED, "what was received cannot be applied: %s (%u)",
                             status.applier_errno ? status.applier_error : "the applier is stopped",
                             status.applier_errno);
        if (clock_now_us() >= deadline_us)
            return error_set(err, ERR_TIMEOUT, "what was received is not applied yet (received %.200s)",
                             status.received);
        code = session_ask_text(session, STATEMENT_WAIT_APPLIED, ARGUMENTS(status.received, DRAIN_SLICE_S),
                                waited, sizeof waited, err);
        if (code != ERR_OK)
            return code;
    }
}

enum error_code sql_drain(struct adapter *adapter, struct adapter_call *call, struct error *err)
{
    struct session *session;
    enum error_code code = sql_ops(adapter, &session, err);

    return code == ERR_OK ? sql_drain_until(adapter, session, call, call->deadline_us, err) : code;
}

void sql_judge_replica(const struct replica_status *replica, const char *start_applier, struct db_view *view)
{
    if (!replica->configured)
        return;
    if (replica->applier_errno) {
        view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_APPLIER_STOPPED;
        snprintf(view->trouble, sizeof view->trouble, "the applier stopped: %s (%u)", replica->applier_error,
                 replica->applier_errno);
    } else if (replica->receiver_errno && !replica->receiving) {
        view->trouble_kind = sql_receiver_trouble(replica->receiver_errno);
        snprintf(view->trouble, sizeof view->trouble, "the receiver fails: %s (%u)", replica->receiver_error,
                 replica->receiver_errno);
    } else if (replica->receiver_runs && !replica->applying) {
        view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_APPLIER_STOPPED;
        snprintf(view->trouble, sizeof view->trouble, "the applier was stopped; %s", start_applier);
    }
}

void sql_judge_account(const struct db_settings *settings, const struct replica_status *replica,
                       bool acknowledges, bool gives_none, struct db_view *view)
{
    char own[DB_TEXT_BYTES], standby[DB_TEXT_BYTES];

    db_replication_user(settings, settings->node, own, sizeof own);
    db_replication_user(settings, DB_STANDBY_NAME, standby, sizeof standby);
    view->acknowledging = replica->receiving && acknowledges && strcmp(replica->user, own) == 0;
    view->standby_account = replica->configured && strcmp(replica->user, standby) == 0;
    view->standing_by = replica->receiving && gives_none && view->standby_account;
}
