/* Who holds the lock of a backup: a planned switchover gives way to it, for ending its session would break
 * the backup. */
#include <stdio.h>

#include "agent/db/worker/sql.h"

static void add_holder(struct db_findings *out, const char *lock, bool guessed, MYSQL_ROW row)
{
    char remedy[128];

    snprintf(remedy, sizeof remedy, "KILL %.20s;   or wait for the end of its backup", row[0]);
    sql_finding(
        out, true, "locks", remedy,
        "%.40s is held%s by connection %.20s of %.60s@%.60s, at it for %.20s s: a switchover would end it",
        lock, guessed ? ", it seems" : "", row[0], row[1], row[2], row[3]);
}

/* `tried`: the lock that was found by trying; NULL: each row names its own. */
static enum error_code name_holders(struct adapter *adapter, struct session *session, const char *tried,
                                    struct db_findings *out, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, tried ? STATEMENT_LOCK_SUSPECTS : STATEMENT_LOCK_HOLDERS,
                                       ARGUMENTS(adapter->settings->user), &result, err);

    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result)))
        if (row[0] && row[1] && row[2] && row[3] && row[4])
            add_holder(out, tried ? tried : row[4], tried != NULL, row);
    mysql_free_result(result);
    return ERR_OK;
}

enum error_code sql_find_backups(struct adapter *adapter, struct session *session, bool closed,
                                 struct db_findings *out, struct error *err)
{
    unsigned before = out->count;
    const char *lock = NULL;
    enum error_code code = ERR_OK;

    /* The server's own books name the holder, where they are kept and our account may read them. */
    if (dialect_text(STATEMENT_LOCK_HOLDERS, session->dialect))
        code = name_holders(adapter, session, NULL, out, err);
    if (code == ERR_REFUSED)
        code = ERR_OK;
    if (code != ERR_OK || out->count != before)
        return code;
    code = adapter->sql->try_locks(session, closed, &lock, err);
    if (code != ERR_OK || !lock)
        return code;
    /* Otherwise it is one of those who may take such a lock. */
    code = name_holders(adapter, session, lock, out, err);
    if (code == ERR_OK && out->count == before)
        sql_finding(out, true, "locks", "SHOW FULL PROCESSLIST;   and end the backup, or wait for its end",
                    "%s is held, and not told by whom: a switchover would end its session", lock);
    return code;
}
