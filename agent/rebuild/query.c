#include "agent/rebuild/query.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/db/worker/connection.h"

#define CONNECT_TIMEOUT_S 5u
#define OTHER_READ_S 30u

static enum error_code connect_failed(struct query *sql, MYSQL *mysql, const char *user, const char *where,
                                      struct error *err)
{
    unsigned number = mysql_errno(mysql);
    bool refused = number == ER_ACCESS_DENIED_ERROR || number == ER_ACCESS_DENIED_NO_PASSWORD_ERROR ||
                   number == ER_ACCOUNT_HAS_BEEN_LOCKED || number == ER_HOST_NOT_PRIVILEGED;

    sql->last_errno = number;
    error_set(err, refused ? ERR_REFUSED : ERR_IO, "%s (%s) as %s: %s", sql->who, where, user,
              mysql_error(mysql));
    mysql_close(mysql);
    return refused ? ERR_REFUSED : ERR_IO;
}

static enum error_code check_kind(struct query *sql, const struct db_settings *settings, struct error *err)
{
    struct dialect server = connection_server(sql->mysql);
    enum error_code code;

    sql->mariadb = server.kind == DIALECT_MARIADB;
    sql->version = server.version;
    if (sql->mariadb == (strcmp(settings->kind, "mariadb") == 0))
        return ERR_OK;
    code = error_set(err, ERR_REFUSED, "%s is %s, but database.kind is \"%s\"", sql->who,
                     mysql_get_server_info(sql->mysql), settings->kind);
    query_close(sql);
    return code;
}

enum error_code query_connect_own(struct query *sql, const struct db_settings *settings, unsigned read_s,
                                  struct error *err)
{
    MYSQL *mysql = connection_new(CONNECT_TIMEOUT_S, read_s);
    enum error_code code;

    *sql = (struct query){.who = "this server"};
    if (!mysql)
        return error_set(err, ERR_NO_MEMORY, "no memory for a connection");
    if (!connection_to_own(mysql, settings))
        return connect_failed(sql, mysql, settings->user, settings->socket, err);
    sql->mysql = mysql;
    code = check_kind(sql, settings, err);
    if (code != ERR_OK)
        return code;
    return query_run(
        sql, err,
        "SET SESSION wait_timeout = 31536000, lock_wait_timeout = 10, autocommit = 1, sql_mode = ''");
}

void query_other_user(const struct db_settings *settings, char *out, size_t size)
{
    db_replication_user(settings, DB_STANDBY_NAME, out, size);
}

enum error_code query_connect_other(struct query *sql, const struct db_settings *settings, const char *host,
                                    unsigned port, const char *who, struct error *err)
{
    MYSQL *mysql = connection_new(CONNECT_TIMEOUT_S, OTHER_READ_S);
    char user[DB_TEXT_BYTES], where[DB_TEXT_BYTES + 16];
    enum error_code code;

    *sql = (struct query){.who = who};
    if (!mysql)
        return error_set(err, ERR_NO_MEMORY, "no memory for a connection");
    query_other_user(settings, user, sizeof user);
    snprintf(where, sizeof where, "%s:%u", host, port);
    if (!connection_as_replica(mysql, settings, host, port, user))
        return connect_failed(sql, mysql, user, where, err);
    sql->mysql = mysql;
    if (settings->replication_tls && !mysql_get_ssl_cipher(mysql)) {
        code =
            error_set(err, ERR_REFUSED, "%s (%s) offers no TLS, which replication_tls demands", who, where);
        query_close(sql);
        return code;
    }
    return check_kind(sql, settings, err);
}

int query_socket(const struct query *sql)
{
    return connection_fd(sql->mysql);
}

void query_close(struct query *sql)
{
    if (sql->mysql)
        mysql_close(sql->mysql);
    sql->mysql = NULL;
}

static enum error_code failed(struct query *sql, struct error *err)
{
    unsigned number = mysql_errno(sql->mysql);
    bool lost = number == 0 || (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) || number >= 5000 ||
                number == ER_SERVER_SHUTDOWN;

    sql->last_errno = number;
    return error_set(err, lost ? ERR_IO : ERR_REFUSED, "%s: %s (%u)", sql->who, mysql_error(sql->mysql),
                     number);
}

static enum error_code ask(struct query *sql, bool stream, MYSQL_RES **out, struct error *err,
                           const char *format, va_list arguments)
{
    char text[QUERY_TEXT_BYTES];
    int n = vsnprintf(text, sizeof text, format, arguments);

    *out = NULL;
    sql->last_errno = 0;
    if (n < 0 || (size_t)n >= sizeof text)
        return error_set(err, ERR_INVALID, "a statement is too long");
    if (mysql_real_query(sql->mysql, text, (unsigned long)n) != 0)
        return failed(sql, err);
    *out = stream ? mysql_use_result(sql->mysql) : mysql_store_result(sql->mysql);
    if (!*out && mysql_field_count(sql->mysql) != 0)
        return failed(sql, err);
    return ERR_OK;
}

enum error_code query_ask(struct query *sql, bool stream, MYSQL_RES **out, struct error *err,
                          const char *format, ...)
{
    va_list arguments;
    enum error_code code;

    va_start(arguments, format);
    code = ask(sql, stream, out, err, format, arguments);
    va_end(arguments);
    return code;
}

enum error_code query_run(struct query *sql, struct error *err, const char *format, ...)
{
    MYSQL_RES *result;
    va_list arguments;
    enum error_code code;

    va_start(arguments, format);
    code = ask(sql, false, &result, err, format, arguments);
    va_end(arguments);
    if (result)
        mysql_free_result(result);
    return code;
}

enum error_code query_text(struct query *sql, char *out, size_t size, struct error *err, const char *format,
                           ...)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    va_list arguments;
    enum error_code code;

    out[0] = '\0';
    va_start(arguments, format);
    code = ask(sql, false, &result, err, format, arguments);
    va_end(arguments);
    if (code != ERR_OK || !result)
        return code;
    row = mysql_fetch_row(result);
    if (row && row[0] && (size_t)snprintf(out, size, "%s", row[0]) >= size)
        code = error_set(err, ERR_INVALID, "%s: an answer is too long", sql->who);
    mysql_free_result(result);
    return code;
}

bool query_quote(struct query *sql, const char *text, char *out, size_t size)
{
    size_t length = strlen(text);

    if (2 * length + 3 > size)
        return false;
    out[0] = '\'';
    length = mysql_real_escape_string(sql->mysql, out + 1, text, length);
    out[length + 1] = '\'';
    out[length + 2] = '\0';
    return true;
}

enum error_code query_position(struct query *sql, struct position *out, struct error *err)
{
    char text[QUERY_TEXT_BYTES];
    struct position applied;
    enum error_code code = query_text(sql, text, sizeof text, err, "SELECT @@global.%s",
                                      sql->mariadb ? "gtid_binlog_state" : "gtid_executed");

    if (code != ERR_OK)
        return code;
    if (!position_parse(text, out))
        return error_set(err, ERR_INVALID,
                         "%s: its GTID state cannot be compared: more than %d parts, or GTIDs with tags",
                         sql->who, POSITION_ITEMS_MAX);
    if (!sql->mariadb)
        return ERR_OK;
    code = query_text(sql, text, sizeof text, err, "SELECT @@global.gtid_slave_pos");
    if (code != ERR_OK)
        return code;
    if (!position_parse(text, &applied) || !position_merge(out, &applied))
        return error_set(err, ERR_INVALID, "%s: its GTID state has more than %d parts", sql->who,
                         POSITION_ITEMS_MAX);
    return ERR_OK;
}
