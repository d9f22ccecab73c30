/* query.h - sessions with the own server and with the donor, for the few statements of a rebuild.
 *
 * Not the dbworker's sessions: no lines that interrupt each other here, and the donor is another host. All
 * calls block, with the library's timeouts behind them. */
#ifndef MHA_REBUILD_QUERY_H
#define MHA_REBUILD_QUERY_H

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/cluster/position.h"
#include "agent/db/settings.h"
#include "common/base/error.h"

#define QUERY_TEXT_BYTES 65536

struct query {
    MYSQL *mysql;
    bool mariadb;
    unsigned long version; /* 10.11.4 = 101104 */
    unsigned last_errno;
    const char *who; /* for errors: "this server" or "the donor" */
};

/* The own server by its socket, as the agent's account. ERR_IO: nothing listens, or it broke; ERR_REFUSED:
 * the account is refused, or it is another kind of server than settings.kind. `read_s`: how long a statement
 * may take; 0: without limit. */
enum error_code query_connect_own(struct query *sql, const struct db_settings *settings, unsigned read_s,
                                  struct error *err);
/* host:port by the replication account (of those who stand by, where each node has its own), with TLS where
 * replication_tls demands it. */
enum error_code query_connect_other(struct query *sql, const struct db_settings *settings, const char *host,
                                    unsigned port, const char *who, struct error *err);
/* The account that query_connect_other uses. */
void query_other_user(const struct db_settings *settings, char *out, size_t size);
/* The descriptor of its connection. */
int query_socket(const struct query *sql);
void query_close(struct query *sql);

/* A printf format; %s only for what query_quote made or what is known to be harmless. ERR_IO: the connection
 * is lost; ERR_REFUSED: the server's error, with its text. */
enum error_code query_run(struct query *sql, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The first column of the first row; "" for NULL or no row. */
enum error_code query_text(struct query *sql, char *out, size_t size, struct error *err, const char *format,
                           ...) __attribute__((format(printf, 5, 6)));
/* All rows, freed by the caller; `stream`: fetched while they are read. */
enum error_code query_ask(struct query *sql, bool stream, MYSQL_RES **out, struct error *err,
                          const char *format, ...) __attribute__((format(printf, 5, 6)));
/* 'text', escaped. false: it does not fit. */
bool query_quote(struct query *sql, const char *text, char *out, size_t size);

/* What it holds: MariaDB, its own log's state and what it applied; MySQL, gtid_executed. */
enum error_code query_position(struct query *sql, struct position *out, struct error *err);

#endif
