#include "agent/db/worker/session.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/db/worker/connection.h"
#include "common/base/clock.h"

#define STATEMENT_BYTES 16384
/* The library's timeouts: backstops behind the main thread's own deadlines. */
#define CONNECT_TIMEOUT_S 2u
#define READ_TIMEOUT_S 120u

void sessions_init(struct sessions *list)
{
    memset(list, 0, sizeof *list);
    pthread_mutex_init(&list->lock, NULL);
    for (int i = 0; i < LINE_COUNT; i++)
        list->entries[i].fd = -1;
}

void sessions_interrupt(struct sessions *list, enum adapter_line line)
{
    pthread_mutex_lock(&list->lock);
    if (list->entries[line].fd >= 0)
        shutdown(list->entries[line].fd, SHUT_RDWR);
    pthread_mutex_unlock(&list->lock);
}

void sessions_refuse(struct sessions *list, enum adapter_line line, bool refused)
{
    pthread_mutex_lock(&list->lock);
    if (refused)
        list->refused |= 1u << line;
    else
        list->refused &= ~(1u << line);
    pthread_mutex_unlock(&list->lock);
}

bool sessions_ids(struct sessions *list, unsigned long ids[LINE_COUNT])
{
    bool settled = true;

    pthread_mutex_lock(&list->lock);
    for (int i = 0; i < LINE_COUNT; i++) {
        ids[i] = list->entries[i].id;
        settled = settled && !list->entries[i].connecting;
    }
    pthread_mutex_unlock(&list->lock);
    return settled;
}

/* false: this line may not connect. */
static bool begin_connect(struct session *session)
{
    struct session_entry *entry = &session->list->entries[session->line];
    bool refused;

    pthread_mutex_lock(&session->list->lock);
    refused = (session->list->refused & (1u << session->line)) != 0;
    *entry = (struct session_entry){.connecting = !refused, .fd = -1};
    pthread_mutex_unlock(&session->list->lock);
    return !refused;
}

static void set_entry(struct session *session, unsigned long id, int fd)
{
    struct session_entry *entry = &session->list->entries[session->line];

    pthread_mutex_lock(&session->list->lock);
    *entry = (struct session_entry){.id = id, .fd = fd};
    pthread_mutex_unlock(&session->list->lock);
}

void session_init(struct session *session, const struct db_settings *settings, struct sessions *list,
                  enum adapter_line line)
{
    *session = (struct session){.settings = settings, .list = list, .line = line};
}

bool session_connected(const struct session *session)
{
    return session->mysql != NULL;
}

void session_close(struct session *session)
{
    if (!session->mysql)
        return;
    set_entry(session, 0, -1); /* before the descriptor's number can become another's */
    mysql_close(session->mysql);
    session->mysql = NULL;
}

static enum error_code connect_failed(struct session *session, MYSQL *mysql, struct error *err)
{
    const struct db_settings *settings = session->settings;
    unsigned number = mysql_errno(mysql);
    enum error_code code;

    session->last_errno = number;
    switch (number) {
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
        code = error_set(err, ERR_BUSY, "too many connections: %s", mysql_error(mysql));
        break;
    case ER_ACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
    case SESSION_ERRNO_LOCKED_MYSQL:
    case SESSION_ERRNO_LOCKED_MARIADB:
    case ER_MUST_CHANGE_PASSWORD_LOGIN:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
        code = error_set(err, ERR_REFUSED,
                         "the server refuses the agent's account %s@localhost: %s; see `mhactl check`",
                         settings->user, mysql_error(mysql));
        break;
    default:
        code = error_set(err, ERR_IO, "%s: %s (%u)", settings->socket, mysql_error(mysql), number);
    }
    set_entry(session, 0, -1);
    mysql_close(mysql);
    return code;
}

static enum error_code check_server(const struct session *session, struct error *err)
{
    bool mariadb = session->dialect.kind == DIALECT_MARIADB;
    bool wanted = strcmp(session->settings->kind, "mariadb") == 0;
    const char *info = mysql_get_server_info(session->mysql);

    if (mariadb == wanted &&
        session->dialect.version >= (mariadb ? DIALECT_MARIADB_LEAST : DIALECT_MYSQL_LEAST))
        return ERR_OK;
    return error_set(err, ERR_REFUSED, "the server is %s; %s or later is needed", info ? info : "unknown",
                     wanted ? "MariaDB 10.6" : "MySQL 8.0.26");
}

enum error_code session_connect(struct session *session, struct error *err)
{
    MYSQL *mysql;
    enum error_code code;

    if (session->mysql)
        return ERR_OK;
    session->last_errno = 0;
    mysql = connection_new(CONNECT_TIMEOUT_S, READ_TIMEOUT_S);
    if (!mysql)
        return error_set(err, ERR_NO_MEMORY, "no memory for a connection");
    if (!begin_connect(session)) {
        mysql_close(mysql);
        return error_set(err, ERR_BUSY, "the server is being fenced");
    }
    if (!connection_to_own(mysql, session->settings))
        return connect_failed(session, mysql, err);
    session->mysql = mysql;
    set_entry(session, mysql_thread_id(mysql), connection_fd(mysql));
    session->dialect = connection_server(mysql);
    code = check_server(session, err);
    if (code != ERR_OK) {
        session_close(session);
        return code;
    }
    return session_run(session, STATEMENT_SESSION_SETUP, NO_ARGUMENTS, err);
}

/* Puts the arguments into the statement's text; false: it does not fit. */
static bool compose(struct session *session, const char *text, const char *const *arguments, char *out,
                    size_t size)
{
    size_t used = 0, count = 0;

    while (arguments && arguments[count])
        count++;
    for (; *text; text++) {
        size_t n = (text[0] == '$' || text[0] == '?') && text[1] >= '1' && text[1] <= '9'
                       ? (size_t)(text[1] - '0')
                       : 0;
        const char *argument;

        if (n == 0) {
            if (used + 1 >= size)
                return false;
            out[used++] = *text;
            continue;
        }
        if (n > count)
            return false;
        argument = arguments[n - 1];
        if (used + 2 * strlen(argument) + 3 > size)
            return false;
        if (*text == '?') {
            out[used++] = '\'';
            used += mysql_real_escape_string(session->mysql, out + used, argument, strlen(argument));
            out[used++] = '\'';
        } else {
            memcpy(out + used, argument, strlen(argument));
            used += strlen(argument);
        }
        text++;
    }
    out[used] = '\0';
    return true;
}

static enum error_code failed(struct session *session, enum statement statement, struct error *err)
{
    unsigned number = mysql_errno(session->mysql);
    const char *text =
        dialect_text(statement, session->dialect); /* without its arguments: one may be a password */
    enum error_code code;

    session->last_errno = number;
    if (number == ER_LOCK_WAIT_TIMEOUT || number == SESSION_ERRNO_STATEMENT_TIMEOUT_MARIADB ||
        number == SESSION_ERRNO_STATEMENT_TIMEOUT_MYSQL || number == ER_LOCK_DEADLOCK)
        return error_set(err, ERR_TIMEOUT, "%.60s: %s", text, mysql_error(session->mysql));
    /* 2000 and up are the library's own: the connection cannot be trusted any more; so are the words of a
     * session that was killed. */
    if ((number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) || number >= 5000 ||
        number == SESSION_ERRNO_KILLED_MARIADB || number == SESSION_ERRNO_KILLED_MYSQL ||
        number == SESSION_ERRNO_IDLE_MYSQL || number == ER_SERVER_SHUTDOWN || number == 0) {
        code = error_set(err, ERR_IO, "%.60s: %s", text,
                         number ? mysql_error(session->mysql) : "connection lost");
        session_close(session);
        return code;
    }
    return error_set(err, ERR_REFUSED, "%.60s: %s (%u)", text, mysql_error(session->mysql), number);
}

enum error_code session_send(struct session *session, enum statement statement, const char *const *arguments,
                             struct error *err)
{
    const char *pattern = dialect_text(statement, session->dialect);
    char text[STATEMENT_BYTES];

    session->last_errno = 0;
    if (!session->mysql)
        return error_set(err, ERR_IO, "not connected to the server");
    if (!pattern)
        return error_set(err, ERR_INVALID, "this kind of server has no such statement");
    if (!compose(session, pattern, arguments, text, sizeof text))
        return error_set(err, ERR_INVALID, "a statement is too long");
    return mysql_send_query(session->mysql, text, strlen(text)) == 0 ? ERR_OK
                                                                     : failed(session, statement, err);
}

bool session_answered(struct session *session, uint64_t until_us)
{
    for (;;) {
        uint64_t now_us = clock_now_us(), left_us = until_us > now_us ? until_us - now_us : 0;
        struct timespec left = {.tv_sec = (time_t)(left_us / 1000000),
                                .tv_nsec = (long)(left_us % 1000000) * 1000};
        struct pollfd poll_fd = {.fd = session->mysql ? connection_fd(session->mysql) : -1, .events = POLLIN};
        int ready = poll_fd.fd < 0 ? 1 : ppoll(&poll_fd, 1, &left, NULL);
        if (ready != 0 && !(ready < 0 && errno == EINTR))
            return true;
        if (left_us == 0)
            return false;
    }
}

static enum error_code take_answer(struct session *session, enum statement statement, MYSQL_RES **out,
                                   struct error *err)
{
    *out = NULL;
    if (!session->mysql)
        return error_set(err, ERR_IO, "not connected to the server");
    if (mysql_read_query_result(session->mysql) != 0)
        return failed(session, statement, err);
    *out = mysql_store_result(session->mysql);
    if (!*out && mysql_field_count(session->mysql) != 0)
        return failed(session, statement, err);
    return ERR_OK;
}

enum error_code session_finish(struct session *session, enum statement statement, struct error *err)
{
    MYSQL_RES *result;
    enum error_code code = take_answer(session, statement, &result, err);

    if (result)
        mysql_free_result(result);
    return code;
}

enum error_code session_ask(struct session *session, enum statement statement, const char *const *arguments,
                            MYSQL_RES **out, struct error *err)
{
    enum error_code code = session_send(session, statement, arguments, err);

    *out = NULL;
    return code == ERR_OK ? take_answer(session, statement, out, err) : code;
}

enum error_code session_run(struct session *session, enum statement statement, const char *const *arguments,
                            struct error *err)
{
    MYSQL_RES *result;
    enum error_code code = session_ask(session, statement, arguments, &result, err);

    if (result)
        mysql_free_result(result);
    return code;
}

enum error_code session_ask_rows(struct session *session, enum statement statement,
                                 const char *const *arguments, session_visit visit, void *context,
                                 struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, statement, arguments, &result, err);

    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result)))
        visit(context, row);
    mysql_free_result(result);
    return ERR_OK;
}

enum error_code session_ask_text(struct session *session, enum statement statement,
                                 const char *const *arguments, char *out, size_t size, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, statement, arguments, &result, err);

    out[0] = '\0';
    if (code != ERR_OK)
        return code;
    row = result ? mysql_fetch_row(result) : NULL;
    if (!row)
        code = error_set(err, ERR_INVALID, "%.60s: no answer", dialect_text(statement, session->dialect));
    else if (row[0] && (size_t)snprintf(out, size, "%s", row[0]) >= size)
        code = error_set(err, ERR_INVALID, "%.60s: an answer too long",
                         dialect_text(statement, session->dialect));
    if (result)
        mysql_free_result(result);
    return code;
}

enum error_code session_ask_number(struct session *session, enum statement statement,
                                   const char *const *arguments, uint64_t *out, struct error *err)
{
    char text[64];
    enum error_code code = session_ask_text(session, statement, arguments, text, sizeof text, err);

    *out = code == ERR_OK ? strtoull(text, NULL, 10) : 0;
    return code;
}
