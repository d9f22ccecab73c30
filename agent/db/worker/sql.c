/* What the adapters of SQL servers share: the adapter itself, and the common parts of a look. */
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/db/worker/sql.h"
#include "common/base/clock.h"

void sql_pause_us(uint64_t us)
{
    struct timespec pause = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};

    nanosleep(&pause, NULL);
}

void sql_pause_longer(uint64_t *us)
{
    sql_pause_us(*us);
    if (*us < 16000)
        *us *= 2;
}

enum error_code sql_stopped(struct adapter_call *call, struct error *err)
{
    switch (atomic_load(&call->stop)) {
    case STOP_NEWER:
        return error_set(err, ERR_BUSY, "given up for a newer request");
    case STOP_FENCE:
        return error_set(err, ERR_BUSY, "given up for a fence");
    case STOP_DEADLINE:
        return error_set(err, ERR_TIMEOUT, "the server has not carried it out in time");
    default:
        return ERR_OK;
    }
}

struct adapter *sql_create(const struct sql_kind *kind, const struct db_settings *settings)
{
    struct adapter *adapter = calloc(1, sizeof *adapter);

    if (!adapter)
        return NULL;
    adapter->sql = kind;
    adapter->settings = settings;
    sessions_init(&adapter->list);
    for (int i = 0; i < LINE_COUNT; i++)
        session_init(&adapter->sessions[i], settings, &adapter->list, (enum adapter_line)i);
    return adapter;
}

void sql_destroy(struct adapter *adapter)
{
    for (int i = 0; i < LINE_COUNT; i++)
        session_close(&adapter->sessions[i]);
    pthread_mutex_destroy(&adapter->list.lock);
    free(adapter);
}

void sql_interrupt(struct adapter *adapter, enum adapter_line line)
{
    sessions_interrupt(&adapter->list, line);
}

void sql_refuse(struct adapter *adapter, enum adapter_line line, bool refused)
{
    sessions_refuse(&adapter->list, line, refused);
}

bool sql_truth(const char *text)
{
    return text && (strcmp(text, "1") == 0 || strcmp(text, "ON") == 0);
}

bool sql_is_replication_user(const struct db_settings *settings, const char *user)
{
    char node[DB_NODE_BYTES];

    return db_accounts_per_node(settings) ? db_replication_node(settings, user, node, sizeof node)
                                          : strcmp(user, settings->replication_user) == 0;
}

bool sql_no_such_session(const struct session *session)
{
    return session->last_errno == ER_NO_SUCH_THREAD;
}

bool sql_table_missing(const struct session *session)
{
    return session->last_errno == ER_NO_SUCH_TABLE || session->last_errno == ER_BAD_DB_ERROR;
}

/* What the server has to say about a write that it refused, as far as it is not about our account. InnoDB
 * under which the file system has become read-only says "error 168" (1030), until it ends the server (tried
 * on 10.11). */
static bool judge_refused_write(const struct session *session, struct db_view *view, const struct error *err)
{
    switch (session->last_errno) {
    case 3: /* EE_WRITE, of the server's own files */
    case ER_GET_ERRNO:
    case ER_ERROR_ON_WRITE:
    case ER_OPEN_AS_READONLY:
        view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_READ_ONLY_FILES;
        break;
    case SESSION_ERRNO_DISK_FULL:
    case ER_RECORD_FILE_FULL:
        view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL;
        break;
    case ER_OPTION_PREVENTS_STATEMENT: /* closed while we looked */
        return true;
    default:
        return false;
    }
    if (strstr(err->text, "No space left") || strstr(err->text, "error 28"))
        view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL;
    view->write_refused = true;
    snprintf(view->trouble, sizeof view->trouble, "%s", err->text);
    return true;
}

struct semi_sync_reading {
    const struct sql_status_names *names;
    struct semi_sync_status *status;
};

static void read_semi_sync(void *context, MYSQL_ROW row)
{
    const struct semi_sync_reading *reading = context;
    const struct sql_status_names *names = reading->names;
    struct semi_sync_status *status = reading->status;

    if (!row[0] || !row[1])
        return;
    if (strcasecmp(row[0], names->source_on) == 0)
        status->source_on = sql_truth(row[1]);
    else if (strcasecmp(row[0], names->replica_on) == 0)
        status->replica_on = sql_truth(row[1]);
    else if (strcasecmp(row[0], names->waiting) == 0)
        status->waiting = (unsigned)strtoul(row[1], NULL, 10);
    else if (strcasecmp(row[0], names->clients) == 0)
        status->clients = (unsigned)strtoul(row[1], NULL, 10);
    else if (names->sent && strcasecmp(row[0], names->sent) == 0)
        status->sent = strtoull(row[1], NULL, 10);
}

enum error_code sql_semi_sync_status(const struct sql_status_names *names, struct session *session,
                                     struct semi_sync_status *out, struct error *err)
{
    struct semi_sync_reading reading = {.names = names, .status = out};

    *out = (struct semi_sync_status){0};
    return session_ask_rows(session, STATEMENT_SEMI_SYNC_STATUS, NO_ARGUMENTS, read_semi_sync, &reading, err);
}

enum error_code sql_look_for_schemas(struct session *session, struct db_view *view, struct error *err)
{
    uint64_t schemas;
    enum error_code code = session_ask_number(session, STATEMENT_USER_SCHEMAS, NO_ARGUMENTS, &schemas, err);

    view->empty = code == ERR_OK && schemas == 0;
    return code;
}

enum error_code sql_look_at_epoch(struct session *session, struct db_view *view, struct error *err)
{
    enum error_code code =
        session_ask_number(session, STATEMENT_WRITTEN_EPOCH, NO_ARGUMENTS, &view->written_epoch, err);

    if (code == ERR_REFUSED && sql_table_missing(session))
        code = ERR_OK;
    view->foreign = view->written_epoch == 0;
    return code;
}

enum error_code sql_send_probe(struct session *session, struct error *err)
{
    char now[32];

    snprintf(now, sizeof now, "%llu", (unsigned long long)clock_now_us());
    return session_send(session, STATEMENT_PROBE_WRITE, ARGUMENTS(now), err);
}

enum error_code sql_finish_probe(struct session *session, struct db_view *view, struct error *err)
{
    enum error_code code = session_finish(session, STATEMENT_PROBE_WRITE, err);

    if (code == ERR_OK || sql_table_missing(session))
        return ERR_OK;
    if (code == ERR_TIMEOUT) {
        view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD;
        snprintf(view->trouble, sizeof view->trouble,
                 "writes are held up by a lock (FLUSH TABLES WITH READ LOCK, a backup?)");
        return ERR_OK;
    }
    return code == ERR_REFUSED && judge_refused_write(session, view, err) ? ERR_OK : code;
}

enum error_code sql_probe_write(struct session *session, struct db_view *view, struct error *err)
{
    enum error_code code = sql_send_probe(session, err);

    return code == ERR_OK ? sql_finish_probe(session, view, err) : code;
}

enum error_code sql_set_commit_rule(struct adapter *adapter, struct adapter_call *call, unsigned acks,
                                    struct error *err)
{
    struct session *session;
    enum error_code code = sql_ops(adapter, &session, err);

    if (code == ERR_OK)
        code = sql_stopped(call, err);
    return code == ERR_OK ? adapter->sql->rule(session, acks, err) : code;
}
