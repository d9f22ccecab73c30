/* What the log line and the doubt line ask. */
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "agent/db/worker/mysqld.h"

/* A file system that has less is full for a server that cannot write. */
#define SPACE_LEAST_BYTES 1048576u

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

/* Where the server writes, asked once: a variable may not be had when it is in trouble. The log first. */
static void learn_folders(struct adapter *adapter, struct session *session)
{
    static const enum statement statements[DOUBT_FOLDERS] = {STATEMENT_LOG_FOLDER, STATEMENT_DATA_FOLDER};
    struct error ignored;

    for (int i = 0; i < DOUBT_FOLDERS; i++) {
        char *folder = adapter->folders[i], *slash;
        if (session_ask_text(session, statements[i], NO_ARGUMENTS, folder, DB_PATH_BYTES, &ignored) != ERR_OK)
            folder[0] = '\0';
        /* of log_bin_basename the last part is a file's name; statvfs needs no right to the folder itself */
        slash = strrchr(folder, '/');
        if (slash)
            *slash = '\0';
    }
}

static const char *full_folder(const struct adapter *adapter)
{
    struct statvfs status;

    for (int i = 0; i < DOUBT_FOLDERS; i++)
        if (adapter->folders[i][0] && statvfs(adapter->folders[i], &status) == 0 &&
            (uint64_t)status.f_bavail * status.f_frsize < SPACE_LEAST_BYTES)
            return adapter->folders[i];
    return NULL;
}

/* Tried: with a full disk under its log a server waits for space as "waiting for handler commit", like
 * anybody who commits; it says why in its error log alone. So the file systems are looked at. */
enum error_code mysqld_doubt(struct adapter *adapter, Mha__DbTrouble *kind, char *text, size_t size,
                             struct error *err)
{
    struct session *session = &adapter->sessions[LINE_DOUBT];
    bool connected = session_connected(session);
    size_t best = REASONS;
    const char *full;
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_connect(session, err);

    *kind = MHA__DB_TROUBLE__DB_TROUBLE_NONE;
    text[0] = '\0';
    if (code == ERR_OK && !connected)
        learn_folders(adapter, session);
    full = full_folder(adapter);
    if (full) {
        *kind = MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL;
        snprintf(text, size, "its disk is full (%s)", full);
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
        *kind = reasons[best].kind;
        snprintf(text, size, "%s", reasons[best].text);
    }
    return ERR_OK;
}
