/* connection.h - how a connection to a server is made, by the dbworker and by a rebuild alike: what bounds
 * it, by which account, with or without TLS, and which server it leads to. What the two client libraries
 * (MariaDB's and MySQL's own) call differently in it differs here alone.
 *
 * A MYSQL is the caller's, who ends it with mysql_close, whatever became of it. */
#ifndef MHA_DB_WORKER_CONNECTION_H
#define MHA_DB_WORKER_CONNECTION_H

#include <mysql.h>
#include <stdbool.h>

#include "agent/db/settings.h"
#include "agent/db/worker/dialect.h"

/* Not connected yet. Connecting and writing are given up after `connect_s`, reading after `read_s` without a
 * byte (0: never; all in whole seconds, the library's). NULL: no memory. */
MYSQL *connection_new(unsigned connect_s, unsigned read_s);

/* To the own server by its unix socket, as the agent's account. false: mysql_errno says why. */
bool connection_to_own(MYSQL *mysql, const struct db_settings *settings);
/* As a replica comes: by TCP, by an account for replication, with TLS where replication_tls demands it (the
 * server's certificate is not verified, as in replication). false: mysql_errno says why. */
bool connection_as_replica(MYSQL *mysql, const struct db_settings *settings, const char *host, unsigned port,
                           const char *user);

/* Of one that is connected: its descriptor. */
int connection_fd(MYSQL *mysql);
/* Which server it is, by its own words. */
struct dialect connection_server(MYSQL *mysql);

#endif
