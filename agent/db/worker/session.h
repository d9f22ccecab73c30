/* session.h - one connection to the own server, used by one thread; and the list of all of them.
 *
 * The calls of the client library block. What bounds them: the library's timeouts (whole seconds, a
 * backstop), limits inside the statements, and session_interrupt, with which the main thread shuts a
 * session's socket down so that its thread returns at once. The statement may go on at the server: whoever
 * opens the next session ends it there first (sessions of our own account that are not in the list are
 * strangers; adapter.h: "no late statements").
 *
 * The list (struct sessions) is shared by the threads and locked; a struct session belongs to its thread. */
#ifndef MHA_DB_WORKER_SESSION_H
#define MHA_DB_WORKER_SESSION_H

#include <mysql.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/db/settings.h"
#include "agent/db/worker/adapter.h"
#include "agent/db/worker/dialect.h"
#include "common/base/error.h"

/* Error numbers that only the one or the other client library has in its header. */
enum session_errno {
    SESSION_ERRNO_DISK_FULL = 1021,
    SESSION_ERRNO_KILLED_MARIADB = 1927,
    SESSION_ERRNO_STATEMENT_TIMEOUT_MARIADB = 1969,
    SESSION_ERRNO_STATEMENT_TIMEOUT_MYSQL = 3024,
    SESSION_ERRNO_LOCKED_MYSQL = 3118,
    SESSION_ERRNO_KILLED_MYSQL = 3169,
    SESSION_ERRNO_IDLE_MYSQL = 4031, /* closed by the server after wait_timeout */
    SESSION_ERRNO_LOCKED_MARIADB = 4151,
};

struct session_entry {
    bool connecting;
    unsigned long id; /* the server's connection id; 0: none */
    int fd;           /* -1: none */
};

struct sessions {
    pthread_mutex_t lock;
    struct session_entry entries[LINE_COUNT];
    unsigned refused; /* bit per line: it may not connect now (a fence is under way) */
};

struct session {
    const struct db_settings *settings;
    struct sessions *list;
    enum adapter_line line;
    MYSQL *mysql;           /* NULL: not connected */
    struct dialect dialect; /* of the server, once connected */
    unsigned last_errno; /* the server's or the library's (2000 and up) number of the last failure; 0: it was
                            none of theirs */
};

void sessions_init(struct sessions *list);
/* From any thread: the thread that waits on this session's socket returns at once, with an error. */
void sessions_interrupt(struct sessions *list, enum adapter_line line);
/* While refused, session_connect of that line fails. */
void sessions_refuse(struct sessions *list, enum adapter_line line, bool refused);
/* Copies the ids; false: one is just connecting, so that an unknown id may be ours. */
bool sessions_ids(struct sessions *list, unsigned long ids[LINE_COUNT]);

void session_init(struct session *session, const struct db_settings *settings, struct sessions *list,
                  enum adapter_line line);
/* Connects unless it is connected. ERR_IO: nothing listens or it broke; ERR_REFUSED: the account is refused,
 * or the server is too old; ERR_BUSY: too many connections (the server lives); ERR_TIMEOUT. */
enum error_code session_connect(struct session *session, struct error *err);
void session_close(struct session *session);
bool session_connected(const struct session *session);

/* Sends `statement` with `arguments` (NULL-terminated; NULL for none). ERR_IO: the connection is lost and
 * closed; ERR_TIMEOUT: the server gave the statement up (its limits); ERR_REFUSED: any other error of the
 * server. `last_errno` says which. */
enum error_code session_run(struct session *session, enum statement statement, const char *const *arguments,
                            struct error *err);
/* The same with a result, freed by the caller with mysql_free_result. */
enum error_code session_ask(struct session *session, enum statement statement, const char *const *arguments,
                            MYSQL_RES **out, struct error *err);
/* The same, with each row given to `visit`. */
typedef void (*session_visit)(void *context, MYSQL_ROW row);
enum error_code session_ask_rows(struct session *session, enum statement statement,
                                 const char *const *arguments, session_visit visit, void *context,
                                 struct error *err);
/* One row, one column, copied; "" for NULL. ERR_INVALID: no row. */
enum error_code session_ask_text(struct session *session, enum statement statement,
                                 const char *const *arguments, char *out, size_t size, struct error *err);
enum error_code session_ask_number(struct session *session, enum statement statement,
                                   const char *const *arguments, uint64_t *out, struct error *err);

/* The same in two halves: sent, and its answer taken, which blocks until it is there. In between, with
 * nothing else done on the session, session_answered waits for it until `until_us`; true: there is an answer,
 * or the connection is lost or interrupted. */
enum error_code session_send(struct session *session, enum statement statement, const char *const *arguments,
                             struct error *err);
bool session_answered(struct session *session, uint64_t until_us);
enum error_code session_finish(struct session *session, enum statement statement, struct error *err);

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_ARGUMENTS NULL

#endif
