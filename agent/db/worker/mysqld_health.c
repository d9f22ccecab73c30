/* What the log line and the doubt line ask. */
#include <stdio.h>
#include <string.h>

#include "agent/db/worker/mysqld.h"

/* SHOW BINARY LOG STATUS takes the lock under which commits write the log, but does not wait for those that
 * wait for an acknowledgement (tried). Refused commits need not be looked for: a server that cannot write its
 * log aborts itself (binlog_error_action), but for a full disk, where it waits. */
enum error_code mysqld_ask_log(struct adapter *adapter, bool *refused, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_LOG];
    enum error_code code = session_connect(session, err);

    *refused = false;
    return code == ERR_OK ? session_run(session, STATEMENT_LOG_STATUS, NO_ARGUMENTS, err) : code;
}

/* ---- doubt ---- */

/* States of sessions that tell why writes do not end. */
static const struct {
    const char *state;
    Mha__DbTrouble kind;
    const char *text;
} reasons[] = {
    {"Waiting for global read lock", MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD,
     "writes are held up by FLUSH TABLES WITH READ LOCK"},
    {"Waiting for commit lock", MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD,
     "commits are held up by FLUSH TABLES WITH READ LOCK"},
    {"Waiting for backup lock", MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD,
     "writes are held up by LOCK INSTANCE FOR BACKUP"},
};
#define REASONS (sizeof reasons / sizeof reasons[0])

/* Tried: with a full disk under its log a server waits for space as "waiting for handler commit", like
 * anybody who commits; it says why in its error log alone. So the file systems are looked at. */
enum error_code mysqld_doubt(struct adapter *adapter, struct doubt *out, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_DOUBT];
    size_t best = REASONS;
    const char *full;
    bool has_room;
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = sql_doubt_connect(adapter, session, err);

    full = sql_full_folder(adapter, &has_room);
    if (full) {
        out->kind = MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL;
        snprintf(out->text, sizeof out->text, "its disk is full (%s)", full);
        return ERR_OK;
    }
    if (code == ERR_OK)
        code = session_ask(session, STATEMENT_STATES, NO_ARGUMENTS, &result, err);
    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result)))
        for (size_t i = 0; i < best; i++)
            if (row[0] && strcasecmp(row[0], reasons[i].state) == 0)
                best = i;
    mysql_free_result(result);
    if (best < REASONS) {
        out->kind = reasons[best].kind;
        snprintf(out->text, sizeof out->text, "%s", reasons[best].text);
    }
    return ERR_OK;
}
