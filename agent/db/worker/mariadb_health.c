/* What the log line and the doubt line ask. */
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/mariadb.h"

/* File and place where the log ends, as the server believes. */
static enum error_code ask_log_end(struct session *session, char *file, size_t file_size, char *place,
                                   size_t place_size, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_LOG_STATUS, NO_ARGUMENTS, &result, err);

    file[0] = place[0] = '\0';
    if (code != ERR_OK || !result)
        return code;
    row = mysql_fetch_row(result);
    if (row && row[0] && row[1]) {
        snprintf(file, file_size, "%s", row[0]);
        snprintf(place, place_size, "%s", row[1]);
    }
    mysql_free_result(result);
    return ERR_OK;
}

/* Its own number, or one of the errors of files below 1000; not that the file is purged by now. */
static bool log_cannot_be_read(const struct session *session, const struct error *err)
{
    return (session->last_errno == ER_ERROR_WHEN_EXECUTING_COMMAND &&
            !strstr(err->text, "Could not find target log")) ||
           session->last_errno < 1000;
}

/* Tried on 10.11: where the log's file system takes no writes (EROFS, EIO) every commit is refused, and the
 * server counts it as written all the same, position and place. Only reading at that place shows it: error
 * 1220, "greater than actual file size"; or it cannot be read either. */
enum error_code mariadb_ask_log(struct adapter *adapter, bool *refused, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_LOG];
    char file[400], place[32], end[sizeof adapter->log_end];
    enum error_code code = session_connect(session, err);

    if (code == ERR_OK)
        code = ask_log_end(session, file, sizeof file, place, sizeof place, err);
    if (code != ERR_OK)
        return code;
    snprintf(end, sizeof end, "%s:%s", file, place);
    /* that it is there needs to be seen only once */
    if (file[0] && (adapter->log_end_missing || strcmp(end, adapter->log_end) != 0)) {
        code = session_run(session, STATEMENT_LOG_EVENT, ARGUMENTS(file, place), err);
        if (code == ERR_REFUSED && log_cannot_be_read(session, err))
            adapter->log_end_missing++;
        else if (code == ERR_OK)
            adapter->log_end_missing = 0;
        memcpy(adapter->log_end, end, sizeof end);
        if (code == ERR_REFUSED) /* or purged meanwhile, say: the next answer tells more */
            code = ERR_OK;
    }
    *refused = adapter->log_end_missing >= 2;
    return code;
}

/* Tried on 10.11: who finds no room looks again after a minute, however soon there is some. */
enum error_code mariadb_doubt(struct adapter *adapter, struct doubt *out, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_DOUBT];
    unsigned long full = 0, commits = 0;
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = sql_doubt_connect(adapter, session, err);

    if (code == ERR_OK)
        code = session_ask(session, STATEMENT_DOUBT, NO_ARGUMENTS, &result, err);
    if (code != ERR_OK || !result)
        return code;
    row = mysql_fetch_row(result);
    if (row && row[0] && row[1]) {
        full = strtoul(row[0], NULL, 10);
        commits = strtoul(row[1], NULL, 10);
    }
    mysql_free_result(result);
    if (full) {
        out->kind = MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL;
        sql_full_folder(adapter, &out->has_room);
        snprintf(out->text, sizeof out->text,
                 "its disk %s, %lu of its threads wait for someone to free space",
                 out->has_room ? "was full and has room again" : "is full", full);
    } else {
        snprintf(out->text, sizeof out->text, "its process list can be had, %lu sessions are committing",
                 commits);
    }
    return ERR_OK;
}

/* KILL HARD by number: an account's name alone would reach the sessions of its less privileged hosts. */
enum error_code mariadb_expel(struct adapter *adapter, char *who, size_t size, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_FENCE];
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_connect(session, err);

    who[0] = '\0';
    if (code == ERR_OK)
        code = session_ask(session, STATEMENT_PRIVILEGED_SESSIONS, ARGUMENTS(adapter->settings->user),
                           &result, err);
    if (code != ERR_OK || !result)
        return code;
    while (code == ERR_OK && (row = mysql_fetch_row(result))) {
        snprintf(who, size, "%.80s@%.80s (connection %.20s)", row[1] ? row[1] : "", row[2] ? row[2] : "",
                 row[0] ? row[0] : "");
        code = session_run(session, STATEMENT_KILL, ARGUMENTS(row[0] ? row[0] : "0"), err);
        if (code == ERR_REFUSED && sql_no_such_session(session))
            code = ERR_OK;
    }
    mysql_free_result(result);
    return code;
}
