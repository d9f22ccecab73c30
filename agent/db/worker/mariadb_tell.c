/* What this replica holds, told to its source once more.
 *
 * Tried on MariaDB 10.11: a replica that connects is sent nothing that it holds already, and a commit that
 * waits for its acknowledgement goes on waiting: what was received before a connection broke, or by a node
 * that stood by, is never asked for again. With two such commits waiting the second one holds the log, so
 * that no later transaction can follow and take them along. But a source takes the place in its log that a
 * replica asks to start from, without GTIDs, for that replica's word that it holds everything before it. So,
 * on a connection of our own by this node's account, that place is asked for which the receiver has read up
 * to; nothing is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/connection.h"
#include "agent/db/worker/mariadb.h"

#ifdef MARIADB_BASE_VERSION
#include <mariadb_rpl.h>
#endif

#define TELL_TIMEOUT_S 2u
/* No replica has such a number: a source ends the other connection of the same one. */
#define TELL_SERVER_ID_BIT 0x80000000u

/* Asks for the log from `position` on, and waits for the first event that comes. */
#ifdef MARIADB_BASE_VERSION
static bool ask_for_log(MYSQL *mysql, const char *file, uint64_t position, uint32_t server_id)
{
    MARIADB_RPL *rpl = mariadb_rpl_init(mysql);
    MARIADB_RPL_EVENT *event = NULL;

    if (!rpl)
        return false;
    mariadb_rpl_optionsv(rpl, MARIADB_RPL_FILENAME, file, strlen(file));
    mariadb_rpl_optionsv(rpl, MARIADB_RPL_START, (unsigned long)position);
    mariadb_rpl_optionsv(rpl, MARIADB_RPL_SERVER_ID, server_id);
    if (mariadb_rpl_open(rpl) == 0)
        event = mariadb_rpl_fetch(rpl, NULL);
    if (event)
        mariadb_free_rpl_event(event);
    mariadb_rpl_close(rpl);
    return event != NULL;
}
#else
static bool ask_for_log(MYSQL *mysql, const char *file, uint64_t position, uint32_t server_id)
{
    MYSQL_RPL rpl = {
        .file_name_length = strlen(file),
        .file_name = file,
        .start_position = position,
        .server_id = server_id,
    };
    bool told = mysql_binlog_open(mysql, &rpl) == 0 && mysql_binlog_fetch(mysql, &rpl) == 0 && rpl.size != 0;

    mysql_binlog_close(mysql, &rpl);
    return told;
}
#endif

/* Whether `held` includes all that stands before `status`'s place in the source's log. The receiver's place
 * alone is no proof: after a restart of the server it is, for a moment, that of a relay log which the restart
 * has discarded. Nor is it all that is held, in the moment after a connection when the source has named its
 * file and no place in it yet: ERR_BUSY. */
static enum error_code place_is_held(MYSQL *mysql, const struct replica_status *status,
                                     const struct position *held, struct error *err)
{
    char file[2 * sizeof status->log_file + 1], query[sizeof file + 128];
    struct position before, received;
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = ERR_OK;

    mysql_real_escape_string(mysql, file, status->log_file, strlen(status->log_file));
    snprintf(query, sizeof query, "SELECT BINLOG_GTID_POS('%s', %llu)", file,
             (unsigned long long)status->log_position);
    if (mysql_query(mysql, query) != 0 || !(result = mysql_store_result(mysql)))
        return error_set(err, ERR_IO, "%s", mysql_error(mysql));
    row = mysql_fetch_row(result);
    if (!row || !row[0] || !position_parse(row[0], &before))
        code = error_set(err, ERR_REFUSED, "the source does not know %s:%llu", status->log_file,
                         (unsigned long long)status->log_position);
    else if (!position_contains(held, &before))
        code = error_set(err, ERR_REFUSED, "%.200s is not held", row[0]);
    else if (!position_parse(status->received, &received) || !position_contains(&before, &received))
        code = error_set(err, ERR_BUSY, "only %.200s so far", row[0]);
    mysql_free_result(result);
    return code;
}

static enum error_code tell(const struct db_settings *settings, const struct replica_status *status,
                            const struct position *held, const char *prepare, uint32_t server_id,
                            struct error *err)
{
    MYSQL *mysql = connection_new(TELL_TIMEOUT_S, TELL_TIMEOUT_S);
    enum error_code code = ERR_OK;

    if (!mysql)
        return error_set(err, ERR_NO_MEMORY, "no memory for a connection");
    if (!connection_as_replica(mysql, settings, status->host, status->port, status->user))
        code = error_set(err, ERR_IO, "%s", mysql_error(mysql));
    if (code == ERR_OK)
        code = place_is_held(mysql, status, held, err);
    if (code == ERR_OK && (mysql_query(mysql, prepare) != 0 ||
                           !ask_for_log(mysql, status->log_file, status->log_position, server_id)))
        code = error_set(err, ERR_IO, "%s", mysql_error(mysql));
    if (code != ERR_OK)
        error_prefix(err, "%s:%u could not be told what is held", status->host, status->port);
    mysql_close(mysql);
    return code;
}

enum error_code mariadb_tell(struct adapter *adapter, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_LOG];
    struct replica_status status;
    struct position held, received;
    char own[DB_TEXT_BYTES];
    uint64_t server_id;
    enum error_code code = session_connect(session, err);

    if (code == ERR_OK)
        code = session_ask_number(session, STATEMENT_SERVER_ID, NO_ARGUMENTS, &server_id, err);
    if (code == ERR_OK)
        code = sql_replica_status(session, &status, err);
    if (code == ERR_OK)
        code = mariadb_executed(session, &held, err);
    if (code != ERR_OK)
        return code;
    if (!position_parse(status.received, &received) || !position_merge(&held, &received))
        return error_set(err, ERR_REFUSED, "the server's GTID state has too many domains and servers");
    db_replication_user(adapter->settings, adapter->settings->node, own, sizeof own);
    if (!status.receiving || strcmp(status.user, own) != 0 || status.log_file[0] == '\0')
        return error_set(err, ERR_REFUSED, "it does not receive by its own account");
    return tell(adapter->settings, &status, &held, dialect_text(STATEMENT_TELL, session->dialect),
                (uint32_t)server_id | TELL_SERVER_ID_BIT, err);
}
