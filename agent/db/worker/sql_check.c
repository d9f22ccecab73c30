/* Parts of the preflight that are the same for all. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/sql.h"

/* A transaction that is open for so long is named before a switchover, which ends it. */
#define LONG_TRANSACTION_S "5"
/* A target that is so far behind would hold the writes up for about as long. */
#define LAG_MOST_S 5

/* Locked on purpose: its node's acknowledgements do not count there now. MySQL's number, MariaDB's. */
static bool is_locked(unsigned number)
{
    return number == 3118 || number == 4151;
}

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

/* As a replica comes; the number of the error, 0: it may. */
static unsigned try_login(const struct db_settings *settings, const char *host, unsigned port,
                          const char *user, char *text, size_t size)
{
    unsigned timeout_s = 2, number = 0;
    MYSQL *mysql = mysql_init(NULL);

    if (!mysql)
        return 0;
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &timeout_s);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &timeout_s);
    sql_demand_tls(mysql, settings);
    if (!mysql_real_connect(mysql, host, user, settings->replication_password, NULL, port, NULL, 0)) {
        number = mysql_errno(mysql);
        snprintf(text, size, "%s", mysql_error(mysql));
    }
    mysql_close(mysql);
    return number;
}

static void check_login(const struct db_settings *settings, const char *host, unsigned port, const char *user,
                        const char *remedy, struct db_findings *out)
{
    char text[256];
    unsigned number = try_login(settings, host, port, user, text, sizeof text);

    if (number && !is_locked(number))
        sql_finding(out, true, "replication_user", remedy,
                    "replicas cannot log in to %.60s:%u as %.60s: %.100s", host, port, user, text);
}

void sql_check_replication_login(struct adapter *adapter, const struct check_request *request,
                                 struct db_findings *out)
{
    static const char here[] =
        "compare replication_user, replication_password_file, host and port in agent.conf "
        "with the account and bind_address";
    static const char there[] = "compare the account on that server, its password and its host part, with "
                                "replication_user and replication_password_file here";
    const struct db_settings *settings = adapter->settings;
    char own[DB_TEXT_BYTES], standby[DB_TEXT_BYTES];

    db_replication_user(settings, settings->node, own, sizeof own);
    db_replication_user(settings, DB_STANDBY_NAME, standby, sizeof standby);
    check_login(settings, settings->host, settings->port, own, here, out);
    if (!request->source_host[0])
        return;
    check_login(settings, request->source_host, request->source_port, own, there, out);
    if (strcmp(own, standby) != 0)
        check_login(settings, request->source_host, request->source_port, standby, there, out);
}

/* ---- before a switchover ---- */

enum error_code sql_check_transactions(struct adapter *adapter, struct session *session,
                                       struct db_findings *out, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    char remedy[64];
    enum error_code code = session_ask(session, STATEMENT_CHECK_TRANSACTIONS,
                                       ARGUMENTS(adapter->settings->user, LONG_TRANSACTION_S), &result, err);

    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result))) {
        if (!row[0] || !row[1] || !row[2] || !row[3] || !row[4] || !row[5])
            continue;
        snprintf(remedy, sizeof remedy, "KILL %.20s;   or wait for its end", row[0]);
        sql_finding(
            out, false, "transactions", remedy,
            "connection %s of %.60s@%.60s has a transaction open for %s s with %s rows changed, which a "
            "switchover ends: %.100s",
            row[0], row[1], row[2], row[3], row[4], row[5][0] ? row[5] : "(idle)");
    }
    mysql_free_result(result);
    return ERR_OK;
}

enum error_code sql_check_target(struct session *session, struct db_findings *out, struct error *err)
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

/* ---- grants ---- */

/* `grants` is "GRANT A, B C, D ON *.* TO ..." or "GRANT A,B ON *.* TO ..." */
bool sql_granted(const char *grants, const char *name)
{
    const char *end = strstr(grants, " ON *.*");
    size_t length = strlen(name);

    if (!end)
        return false;
    for (const char *at = strstr(grants, name); at && at < end; at = strstr(at + 1, name)) {
        bool begins =
            at >= grants + 2 &&
            (at[-1] == ',' || (at[-1] == ' ' && (at[-2] == ',' || at == grants + strlen("GRANT "))));
        if (begins && (at[length] == ',' || at + length == end))
            return true;
    }
    return false;
}

/* "'user'@'host'" is of `user`. */
bool sql_grantee_is(const char *grantee, const char *user)
{
    size_t length = strlen(user);

    return grantee[0] == '\'' && strncmp(grantee + 1, user, length) == 0 &&
           strncmp(grantee + 1 + length, "'@", 2) == 0;
}
