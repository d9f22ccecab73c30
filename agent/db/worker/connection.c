#include "agent/db/worker/connection.h"

#include <stdlib.h>
#include <string.h>

MYSQL *connection_new(unsigned connect_s, unsigned read_s)
{
    MYSQL *mysql = mysql_init(NULL);

    if (!mysql)
        return NULL;
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &connect_s);
    if (read_s)
        mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &read_s);
    return mysql;
}

bool connection_to_own(MYSQL *mysql, const struct db_settings *settings)
{
    return mysql_real_connect(mysql, "localhost", settings->user, settings->password, NULL, 0,
                              settings->socket, 0) != NULL;
}

static void demand_tls(MYSQL *mysql, bool demanded)
{
#ifdef MARIADB_BASE_VERSION
    my_bool yes = 1, no = 0;

    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
    if (demanded)
        mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
#else
    unsigned mode = demanded ? SSL_MODE_REQUIRED : SSL_MODE_PREFERRED;
    bool yes = true;

    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
    /* without TLS a password that the server does not know yet needs it */
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &yes);
#endif
}

bool connection_as_replica(MYSQL *mysql, const struct db_settings *settings, const char *host, unsigned port,
                           const char *user)
{
    demand_tls(mysql, settings->replication_tls);
    return mysql_real_connect(mysql, host, user, settings->replication_password, NULL, port, NULL, 0) != NULL;
}

int connection_fd(MYSQL *mysql)
{
#ifdef MARIADB_BASE_VERSION
    return (int)mysql_get_socket(mysql);
#else
    return (int)mysql->net.fd;
#endif
}

/* Some say 5.5.5-10.11.4-MariaDB, for the sake of old replicas: then what follows counts. */
struct dialect connection_server(MYSQL *mysql)
{
    const char *info = mysql_get_server_info(mysql), *text = info ? info : "";
    struct dialect server = {.kind = strstr(text, "MariaDB") ? DIALECT_MARIADB : DIALECT_MYSQL};
    unsigned long parts[3] = {0};

    if (server.kind == DIALECT_MARIADB && strncmp(text, "5.5.5-", 6) == 0)
        text += 6;
    for (int i = 0; i < 3; i++) {
        char *end;
        parts[i] = strtoul(text, &end, 10);
        text = *end == '.' ? end + 1 : "";
    }
    server.version = parts[0] * 10000 + parts[1] * 100 + parts[2];
    return server;
}
