/* What the log line and the doubt line ask. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/mariadb.h"

static enum error_code ask_log_end(struct session *session, char *out, size_t size, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_LOG_STATUS, NO_ARGUMENTS, &result, err);

    out[0] = '\0';
    if (code != ERR_OK || !result)
        return code;
    row = mysql_fetch_row(result);
    if (row && row[0] && row[1])
        snprintf(out, size, "%s:%s", row[0], row[1]);
    mysql_free_result(result);
    return ERR_OK;
}

/* Positions that changed after the log's end was read the first time, twice, and the end is still the same. A
 * transaction takes its position and is written under one lock, so that an end that is read after a position
 * includes it. */
static bool commits_are_refused(const struct adapter *adapter)
{
    if (adapter->log_answer_count < LOG_ANSWERS)
        return false;
    for (unsigned i = 1; i < LOG_ANSWERS; i++)
        if (strcmp(adapter->log_answers[i].end, adapter->log_answers[0].end) != 0)
            return false;
    return true;
}

enum error_code mariadb_ask_log(struct adapter *adapter, bool *refused, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_LOG];
    struct log_answer answer, *last;
    enum error_code code;

    *refused = false;
    if (!session_connected(session))
        adapter->log_answer_count = 0; /* perhaps another start of the server */
    code = session_connect(session, err);
    if (code == ERR_OK)
        code = session_ask_text(session, STATEMENT_LOG_POSITION, NO_ARGUMENTS, answer.position,
                                sizeof answer.position, err);
    if (code == ERR_OK)
        code = ask_log_end(session, answer.end, sizeof answer.end, err);
    if (code != ERR_OK)
        return code;
    last = adapter->log_answer_count ? &adapter->log_answers[adapter->log_answer_count - 1] : NULL;
    /* what says nothing new is not kept: neighbours differ in their position */
    if (last && strcmp(last->position, answer.position) == 0) {
        memcpy(last->end, answer.end, sizeof last->end);
    } else {
        if (adapter->log_answer_count == LOG_ANSWERS)
            memmove(&adapter->log_answers[0], &adapter->log_answers[1],
                    (LOG_ANSWERS - 1) * sizeof adapter->log_answers[0]);
        else
            adapter->log_answer_count++;
        adapter->log_answers[adapter->log_answer_count - 1] = answer;
    }
    *refused = commits_are_refused(adapter);
    return ERR_OK;
}

enum error_code mariadb_doubt(struct adapter *adapter, Mha__DbTrouble *kind, char *text, size_t size,
                              struct error *err)
{
    struct session *session = &adapter->sessions[LINE_DOUBT];
    unsigned long full = 0, commits = 0;
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_connect(session, err);

    *kind = MHA__DB_TROUBLE__DB_TROUBLE_NONE;
    text[0] = '\0';
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
        *kind = MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL;
        snprintf(text, size, "its disk is full, %lu of its threads wait for someone to free space", full);
    } else {
        snprintf(text, size, "its process list can be had, %lu sessions are committing", commits);
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
