/* Locks of a backup, found by trying.
 *
 * Tried on 9.7: FLUSH TABLES WITH READ LOCK and LOCK INSTANCE FOR BACKUP of another session let SET GLOBAL
 * super_read_only = 1 pass, and both hold up any ALTER TABLE. On a server that is closed that is refused
 * (1290) before it waits; LOCK TABLES ... WRITE still waits for the former first, ANALYZE TABLE for the
 * latter. Where the performance schema is on nothing needs to be tried. */
#include <string.h>

#include "agent/db/worker/mysqld.h"

#define GLOBAL_LOCK "FLUSH TABLES WITH READ LOCK"
#define BACKUP_LOCK "LOCK INSTANCE FOR BACKUP"
#define PATIENCE_S "1"        /* the least */
#define PATIENCE_AGAIN_S "10" /* as STATEMENT_SESSION_SETUP says */

static enum error_code try_global_lock(struct session *session, bool *held, struct error *err)
{
    enum error_code code = session_run(session, STATEMENT_TRY_WRITE_LOCK, NO_ARGUMENTS, err);

    *held = code == ERR_TIMEOUT;
    if (code == ERR_OK)
        return session_run(session, STATEMENT_END_TRY, NO_ARGUMENTS, err);
    return code == ERR_IO ? code : ERR_OK;
}

/* Its answer is a row: Table, Op, Msg_type, Msg_text. */
static enum error_code try_backup_lock(struct session *session, bool *held, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_TRY_BACKUP, NO_ARGUMENTS, &result, err);

    *held = code == ERR_TIMEOUT;
    while (code == ERR_OK && result && (row = mysql_fetch_row(result)))
        *held =
            *held || (row[2] && row[3] && strcmp(row[2], "Error") == 0 && strstr(row[3], "ock wait timeout"));
    if (result)
        mysql_free_result(result);
    return code == ERR_IO ? code : ERR_OK;
}

static enum error_code try_all(struct session *session, bool closed, const char **lock, struct error *err)
{
    bool held = true;
    enum error_code code = ERR_OK;

    /* On an open server a commit that waits for its acknowledgement may have the probe's table. */
    if (!closed) {
        code = session_run(session, STATEMENT_TRY_DDL, NO_ARGUMENTS, err);
        held = code == ERR_TIMEOUT;
        code = code == ERR_IO ? code : ERR_OK;
    }
    if (code != ERR_OK || !held)
        return code;
    code = try_backup_lock(session, &held, err);
    if (held)
        *lock = BACKUP_LOCK;
    else if (!closed)
        *lock = GLOBAL_LOCK;
    if (code != ERR_OK || *lock)
        return code;
    code = try_global_lock(session, &held, err);
    if (held)
        *lock = GLOBAL_LOCK;
    return code;
}

enum error_code mysqld_try_locks(struct session *session, bool closed, const char **lock, struct error *err)
{
    enum error_code code = session_run(session, STATEMENT_LOCK_PATIENCE, ARGUMENTS(PATIENCE_S), err);

    *lock = NULL;
    if (code == ERR_OK)
        code = try_all(session, closed, lock, err);
    return code == ERR_OK ? session_run(session, STATEMENT_LOCK_PATIENCE, ARGUMENTS(PATIENCE_AGAIN_S), err)
                          : code;
}
