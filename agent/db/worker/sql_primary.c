/* The primary's side: promote, open, close. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/sql.h"
#include "common/base/clock.h"

#define SWEEP_US 3000000

/* ---- promote ---- */

static enum error_code end_replication(struct adapter *adapter, struct session *session, struct error *err)
{
    struct replica_status status;
    struct position executed, received;
    enum error_code code = sql_replica_status(session, &status, err);

    if (code != ERR_OK || !status.configured)
        return code;
    if (status.receiver_runs)
        return error_set(err, ERR_REFUSED, "its receiver still runs: freeze first");
    code = adapter->sql->executed(session, &executed, err);
    if (code != ERR_OK)
        return code;
    if (!position_parse(status.received, &received) || !position_contains(&executed, &received))
        return error_set(err, ERR_REFUSED, "it has not applied all that it received (%.200s): drain first",
                         status.received);
    code = adapter->sql->stop_replica ? adapter->sql->stop_replica(session, err)
                                      : session_run(session, STATEMENT_REPLICA_STOP, NO_ARGUMENTS, err);
    return code == ERR_OK ? session_run(session, STATEMENT_REPLICA_FORGET, NO_ARGUMENTS, err) : code;
}

static enum error_code create_schema(struct session *session, struct error *err)
{
    static const enum statement steps[] = {STATEMENT_CREATE_SCHEMA, STATEMENT_CREATE_EPOCH,
                                           STATEMENT_CREATE_PROBE};
    uint64_t tables;
    enum error_code code = session_ask_number(session, STATEMENT_SCHEMA_EXISTS, NO_ARGUMENTS, &tables, err);

    /* asked first: even a CREATE ... IF NOT EXISTS that does nothing is logged and uses a GTID */
    if (code != ERR_OK || tables == 2)
        return code;
    for (size_t i = 0; code == ERR_OK && i < sizeof steps / sizeof steps[0]; i++)
        code = session_run(session, steps[i], NO_ARGUMENTS, err);
    return code;
}

static enum error_code write_epoch(struct adapter *adapter, struct session *session, uint64_t epoch,
                                   const char *node, char *position, size_t position_size, struct error *err)
{
    char epoch_text[32];
    enum error_code code;

    snprintf(epoch_text, sizeof epoch_text, "%llu", (unsigned long long)epoch);
    code = session_run(session, STATEMENT_EPOCH_WRITE, ARGUMENTS(epoch_text, node), err);
    return code == ERR_OK ? adapter->sql->written(session, position, position_size, err) : code;
}

enum error_code sql_begin_own_write(struct adapter *adapter, struct session *session, struct error *err)
{
    return adapter->sql->admit ? adapter->sql->admit(adapter, session, true, err) : ERR_OK;
}

enum error_code sql_end_own_write(struct adapter *adapter, struct session *session, struct error *err)
{
    return adapter->sql->admit ? adapter->sql->admit(adapter, session, false, err) : ERR_OK;
}

static enum error_code write_record(struct adapter *adapter, struct session *session, uint64_t epoch,
                                    const char *node, char *position, size_t position_size, struct error *err)
{
    struct error ignored;
    enum error_code code = sql_begin_own_write(adapter, session, err), ended;

    if (code == ERR_OK)
        code = create_schema(session, err);
    if (code == ERR_OK)
        code = write_epoch(adapter, session, epoch, node, position, position_size, err);
    ended = sql_end_own_write(adapter, session, code == ERR_OK ? err : &ignored);
    return code == ERR_OK ? ended : code;
}

enum error_code sql_promote(struct adapter *adapter, struct adapter_call *call, uint64_t epoch, unsigned acks,
                            const char *node, char *position, size_t position_size, struct error *err)
{
    struct session *session;
    uint64_t written = 0;
    bool read_only;
    enum error_code code = sql_ops(adapter, &session, err);

    if (code == ERR_OK)
        code = sql_end_sessions(adapter, session, VICTIMS_STRANGERS, clock_now_us() + SWEEP_US, NULL, err);
    if (code == ERR_OK)
        code = end_replication(adapter, session, err);
    if (code == ERR_OK &&
        session_ask_number(session, STATEMENT_WRITTEN_EPOCH, NO_ARGUMENTS, &written, err) == ERR_IO)
        code = ERR_IO;
    if (code == ERR_OK && written > epoch)
        code = error_set(err, ERR_REFUSED, "the database holds an epoch record %llu, newer than %llu",
                         (unsigned long long)written, (unsigned long long)epoch);
    if (code == ERR_OK)
        code = sql_stopped(call, err);
    if (code == ERR_OK && adapter->sql->leave_replication)
        code = adapter->sql->leave_replication(session, err);
    if (code != ERR_OK)
        return code;
    if (written == epoch) {
        code = adapter->sql->rule(session, acks, err);
        return code == ERR_OK ? adapter->sql->log_end(session, position, position_size, err) : code;
    }
    /* Written while nothing waits for an acknowledgement: nobody may be there yet to give one. No client sees
     * it before k members hold it: the server is read-only until then. One that is open (a pause, taken over
     * under a new epoch) keeps its rule: its clients' commits may be waiting. */
    code = sql_is_read_only(session, &read_only, err);
    if (code == ERR_OK && read_only)
        code = adapter->sql->suspend_rule ? adapter->sql->suspend_rule(session, err)
                                          : adapter->sql->rule(session, 0, err);
    if (code == ERR_OK)
        code = write_record(adapter, session, epoch, node, position, position_size, err);
    return code == ERR_OK ? adapter->sql->rule(session, acks, err) : code;
}

/* ---- open ---- */

enum error_code sql_open(struct adapter *adapter, struct adapter_call *call, uint64_t epoch,
                         struct error *err)
{
    struct session *session;
    uint64_t written;
    enum error_code code = sql_ops(adapter, &session, err);

    if (code == ERR_OK)
        code = sql_end_sessions(adapter, session, VICTIMS_STRANGERS, clock_now_us() + SWEEP_US, NULL, err);
    if (code == ERR_OK)
        code = session_ask_number(session, STATEMENT_WRITTEN_EPOCH, NO_ARGUMENTS, &written, err);
    if (code == ERR_OK && written != epoch)
        code = error_set(err, ERR_REFUSED, "the newest epoch record is %llu, not %llu: promote first",
                         (unsigned long long)written, (unsigned long long)epoch);
    if (code == ERR_OK)
        code = sql_stopped(call, err);
    if (code == ERR_OK && clock_now_us() >= atomic_load(&call->writable_until_us))
        code = error_set(err, ERR_REFUSED, "the lease has run out meanwhile");
    return code == ERR_OK ? adapter->sql->writable(session, err) : code;
}

/* ---- close ---- */

/* Who keeps read_only from being switched on: asked on the session that gave up. */
static void describe_obstacle(struct adapter *adapter, struct session *session, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    struct error ignored;
    uint64_t waiting = 0;

    if (session_ask_number(session, STATEMENT_WAITING_ASK, NO_ARGUMENTS, &waiting, &ignored) == ERR_OK &&
        waiting) {
        error_set(err, ERR_TIMEOUT, "commits wait for an acknowledgement of a replica; nothing was changed");
        return;
    }
    if (session_ask(session, STATEMENT_LONGEST, ARGUMENTS(adapter->settings->user), &result, &ignored) !=
            ERR_OK ||
        !result)
        return;
    row = mysql_fetch_row(result);
    if (row && row[0] && row[1] && row[2] && row[3] && row[4] && row[5])
        error_set(err, ERR_TIMEOUT,
                  "writes did not stop in time; the longest running statement is of %.80s@%.80s (connection "
                  "%s, %s s, %.60s): %.100s; "
                  "nothing was changed",
                  row[1], row[2], row[0], row[3], row[4], row[5]);
    mysql_free_result(result);
}

/* Back to writable, after read_only was given up or taken back. Not when a fence is asked for or the lease is
 * over: then closed is right. */
static enum error_code undo_close(struct adapter *adapter, struct adapter_call *call, struct error *err)
{
    struct session *session;
    bool read_only;
    enum error_code code;

    if (atomic_load(&call->stop) == STOP_FENCE || clock_now_us() >= atomic_load(&call->writable_until_us))
        return ERR_BUSY;
    /* On a new session the strangers, among them the statement that was given up, are seen gone first. */
    code = sql_ops(adapter, &session, err);
    if (code == ERR_OK)
        code = sql_is_read_only(session, &read_only, err);
    if (code != ERR_OK || !read_only)
        return code;
    if (atomic_load(&call->stop) == STOP_FENCE || clock_now_us() >= atomic_load(&call->writable_until_us))
        return ERR_BUSY;
    return adapter->sql->writable(session, err);
}

/* A backup whose lock came after the look before the switchover, or while writes were being stopped. */
static enum error_code spare_backups(struct adapter *adapter, struct session *session, bool closed,
                                     struct adapter_call *call, struct error *err)
{
    struct db_findings found = {0};
    enum error_code code =
        call->spare_backups ? sql_find_backups(adapter, session, closed, &found, err) : ERR_OK;

    if (code == ERR_OK && found.count)
        code = error_set(err, ERR_REFUSED, "%s; nothing was changed", found.items[0].problem);
    return code;
}

enum error_code sql_close(struct adapter *adapter, struct adapter_call *call, struct error *err)
{
    struct session *session;
    struct error undo_error = {0};
    bool was_read_only = false;
    enum error_code code = sql_ops(adapter, &session, err), undone;

    if (code == ERR_OK)
        code = sql_is_read_only(session, &was_read_only, err);
    if (code == ERR_OK && !was_read_only)
        code = spare_backups(adapter, session, false, call, err);
    if (code != ERR_OK)
        return code;
    code = adapter->sql->read_only(adapter, session, call->deadline_us, err);
    if (code == ERR_TIMEOUT && spare_backups(adapter, session, false, call, err) == ERR_OK)
        describe_obstacle(adapter, session, err);
    if (code == ERR_OK)
        code = was_read_only ? ERR_OK : spare_backups(adapter, session, true, call, err);
    if (code == ERR_OK)
        code = sql_end_sessions(adapter, session, VICTIMS_CLIENTS, call->deadline_us, NULL, err);
    if (code == ERR_OK)
        return ERR_OK;
    if (sql_stopped(call, err) != ERR_OK)
        code = err->code;
    if (was_read_only)
        return code;
    undone = undo_close(adapter, call, &undo_error);
    if (undone == ERR_BUSY)
        error_prefix(err, "writes stay stopped, the right to write has ended");
    else if (undone != ERR_OK)
        error_prefix(err, "writes are stopped and could not be allowed again (%.200s)", undo_error.text);
    return code;
}
