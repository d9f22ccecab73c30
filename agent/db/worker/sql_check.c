/* The preflight: what in the server's settings and grants stands in the way of the promise, each with its
 * remedy. And what stands in the way of a switchover at this moment. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/sql.h"

/* A transaction that is open for so long is named before a switchover, which ends it. */
#define LONG_TRANSACTION_S "5"
/* A target that is so far behind would hold the writes up for about as long. */
#define LAG_MOST_S 5
/* A replica that misses its source only after that is named. */
#define NET_TIMEOUT_MOST_S 60

void sql_finding(struct db_findings *out, bool fatal, const char *subject, const char *remedy,
                 const char *problem, ...)
{
    struct db_finding *item;
    va_list args;

    if (out->count == FINDINGS_MAX)
        return;
    item = &out->items[out->count++];
    item->fatal = fatal;
    snprintf(item->subject, sizeof item->subject, "%s", subject);
    snprintf(item->remedy, sizeof item->remedy, "%s", remedy);
    va_start(args, problem);
    vsnprintf(item->problem, sizeof item->problem, problem, args);
    va_end(args);
}

/* ---- variables ---- */

static bool same(const char *value, const char *wanted)
{
    return strcasecmp(value, wanted) == 0 || (strcmp(wanted, "ON") == 0 && strcmp(value, "1") == 0) ||
           (strcmp(wanted, "OFF") == 0 && strcmp(value, "0") == 0);
}

struct variables {
    const struct sql_check *kind;
    struct db_findings *out;
};

static void check_variable(void *context, MYSQL_ROW row)
{
    const struct variables *variables = context;
    const struct sql_check *kind = variables->kind;
    struct db_findings *out = variables->out;
    const char *name = row[0], *value = row[1];

    if (!name || !value)
        return;
    for (const struct sql_wanted *wanted = kind->wanted; wanted->name; wanted++)
        if (strcasecmp(name, wanted->name) == 0 && !same(value, wanted->value))
            sql_finding(out, wanted->fatal, wanted->name, wanted->remedy, "it is %.60s: %s", value,
                        wanted->problem);
    if (strcasecmp(name, kind->net_timeout) == 0 && strtoul(value, NULL, 10) > NET_TIMEOUT_MOST_S)
        sql_finding(
            out, false, name, kind->net_timeout_remedy,
            "it is %.20s s: a silently lost source is noticed late; the agent sets 4 where it replicates",
            value);
    if (strcasecmp(name, "init_connect") == 0 && value[0])
        sql_finding(out, false, name, "look whether it switches sql_log_bin off", "it is set: %.100s", value);
    kind->variable(name, value, out);
    if (strcasecmp(name, "server_id") == 0 && out->server_id <= 1)
        sql_finding(out, out->server_id == 0, name,
                    "[mysqld] server_id = N   (another N on every server, and a restart)",
                    "it is %.20s, the default: every server needs its own", value);
}

static enum error_code check_variables(struct adapter *adapter, struct session *session,
                                       struct db_findings *out, struct error *err)
{
    struct variables variables = {.kind = adapter->sql->check, .out = out};

    return session_ask_rows(session, STATEMENT_CHECK_VARIABLES, NO_ARGUMENTS, check_variable, &variables,
                            err);
}

/* ---- before a switchover ---- */

static void name_transaction(void *context, MYSQL_ROW row)
{
    char remedy[64];

    if (!row[0] || !row[1] || !row[2] || !row[3] || !row[4] || !row[5])
        return;
    snprintf(remedy, sizeof remedy, "KILL %.20s;   or wait for its end", row[0]);
    sql_finding(context, false, "transactions", remedy,
                "connection %s of %.60s@%.60s has a transaction open for %s s with %s rows changed, which a "
                "switchover ends: %.100s",
                row[0], row[1], row[2], row[3], row[4], row[5][0] ? row[5] : "(idle)");
}

/* Those that a switchover would end. */
static enum error_code check_transactions(struct adapter *adapter, struct session *session,
                                          struct db_findings *out, struct error *err)
{
    return session_ask_rows(session, STATEMENT_CHECK_TRANSACTIONS,
                            ARGUMENTS(adapter->settings->user, LONG_TRANSACTION_S), name_transaction, out,
                            err);
}

/* What keeps a replica from taking over. */
static enum error_code check_target(struct session *session, struct db_findings *out, struct error *err)
{
    struct replica_status status;
    enum error_code code = sql_replica_status(session, &status, err);

    if (code != ERR_OK || !status.configured)
        return code;
    if (!status.applying)
        sql_finding(out, true, "replication", "START REPLICA SQL_THREAD;",
                    "its applier is stopped: %.150s (%u)",
                    status.applier_errno ? status.applier_error : "by hand", status.applier_errno);
    if (!status.receiving)
        sql_finding(out, true, "replication", "look into its error log", "it does not receive: %.150s (%u)",
                    status.receiver_errno ? status.receiver_error : "the receiver is stopped",
                    status.receiver_errno);
    if (status.has_lag && status.lag_s > LAG_MOST_S)
        sql_finding(out, false, "lag", "wait until it has caught up",
                    "it is %llu s behind: writes would be held up for about as long",
                    (unsigned long long)status.lag_s);
    return ERR_OK;
}

static enum error_code check_switchover(struct adapter *adapter, struct session *session,
                                        struct db_findings *out, struct error *err)
{
    uint64_t closed;
    enum error_code code = session_ask_number(session, STATEMENT_CLOSED_ASK, NO_ARGUMENTS, &closed, err);

    if (code != ERR_OK)
        return code;
    if (!closed) {
        code = check_transactions(adapter, session, out, err);
        if (code == ERR_OK)
            code = sql_find_backups(adapter, session, false, out, err);
        return code == ERR_OK ? adapter->sql->check->source(adapter, session, out, err) : code;
    }
    code = check_target(session, out, err);
    if (code == ERR_OK)
        code = sql_check_grants(adapter, session, false, out, err);
    return code == ERR_OK ? sql_check_accounts(adapter, session, false, out, err) : code;
}

/* ---- all of it ---- */

static enum error_code check_all(struct adapter *adapter, struct session *session,
                                 const struct check_request *request, struct db_findings *out,
                                 struct error *err)
{
    enum error_code code = check_variables(adapter, session, out, err);

    if (code == ERR_OK)
        code = adapter->sql->check->start(session, request->booted_writable, out, err);
    if (code == ERR_OK)
        code = sql_check_grants(adapter, session, true, out, err);
    return code == ERR_OK ? sql_check_accounts(adapter, session, true, out, err) : code;
}

enum error_code sql_check(struct adapter *adapter, struct adapter_call *call,
                          const struct check_request *request, struct db_findings *out, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_CHECK];
    enum error_code code = session_connect(session, err);

    memset(out, 0, sizeof *out);
    if (code == ERR_OK)
        code = request->switchover ? check_switchover(adapter, session, out, err)
                                   : check_all(adapter, session, request, out, err);
    session_close(session); /* it is seldom needed: a slot less that is taken */
    if (sql_stopped(call, err) != ERR_OK)
        code = err->code;
    if (code == ERR_OK && !request->switchover)
        sql_check_replication_login(adapter, request, out);
    return code;
}
