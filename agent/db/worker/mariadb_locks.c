/* Locks of a backup, found by trying.
 *
 * Tried on 10.11: FLUSH TABLES WITH READ LOCK of another session lets SET GLOBAL read_only = 1 and BACKUP
 * STAGE START pass, and holds up any ALTER TABLE; so does BACKUP STAGE from BLOCK_DDL on. BACKUP STAGE START
 * waits for the whole of another session's. Nothing that is always there tells who holds them: the plugin
 * metadata_lock_info and the performance schema are off by default. */
#include "agent/db/worker/mariadb.h"

enum error_code mariadb_try_locks(struct session *session, bool closed, const char **lock, struct error *err)
{
    enum error_code code = session_run(session, STATEMENT_TRY_DDL, NO_ARGUMENTS, err);
    bool ddl_held = code == ERR_TIMEOUT;

    *lock = NULL;
    if (code == ERR_IO)
        return code;
    /* Not while clients wait, for it writes a file (ddl.log). */
    if (closed && !ddl_held)
        return ERR_OK;
    code = session_run(session, STATEMENT_TRY_BACKUP, NO_ARGUMENTS, err);
    if (code == ERR_TIMEOUT)
        *lock = "BACKUP STAGE";
    else if (ddl_held)
        *lock = "FLUSH TABLES WITH READ LOCK";
    if (code == ERR_OK)
        return session_run(session, STATEMENT_END_TRY, NO_ARGUMENTS, err);
    return code == ERR_IO ? code : ERR_OK; /* refused: without RELOAD it cannot be told */
}
