/* Parts of the preflight that are the same for all. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/db/worker/sql.h"

void sql_finding(struct db_findings *out, bool fatal, const char *subject, const char *remedy,
                 const char *problem, ...)
{
    struct db_finding *item;
    va_list args;

    if (out->count == FINDINGS_MAX)
        return;
    item = &out->items[out->count++];
    item->fatal = fatal;
    snprintf(item->subject, sizeof item->subject, "%s", subject);
    snprintf(item->remedy, sizeof item->remedy, "%s", remedy);
    va_start(args, problem);
    vsnprintf(item->problem, sizeof item->problem, problem, args);
    va_end(args);
}

/* As a replica would come: over TCP, to the address that the others are told. */
void sql_check_replication_login(struct adapter *adapter, struct db_findings *out)
{
    const struct db_settings *settings = adapter->settings;
    unsigned timeout_s = 2;
    MYSQL *mysql = mysql_init(NULL);
    char user[DB_TEXT_BYTES];

    if (!mysql)
        return;
    db_replication_user(settings, settings->node, user, sizeof user);
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &timeout_s);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &timeout_s);
    if (!mysql_real_connect(mysql, settings->host, user, settings->replication_password, NULL, settings->port,
                            NULL, 0))
        sql_finding(
            out, true, "replication_user",
            "compare replication_user, replication_password_file, host and port in agent.conf with the "
            "account and bind_address",
            "replicas cannot log in to %.60s:%u as %.60s: %.100s", settings->host, settings->port, user,
            mysql_error(mysql));
    mysql_close(mysql);
}

/* `grants` is "GRANT A, B, C ON *.* TO ..." */
bool sql_granted(const char *grants, const char *name)
{
    const char *end = strstr(grants, " ON *.*");
    size_t length = strlen(name);

    if (!end)
        return false;
    for (const char *at = strstr(grants, name); at && at < end; at = strstr(at + 1, name))
        if ((at[length] == ',' || at + length == end) && at >= grants + 2 && at[-1] == ' ' &&
            (at[-2] == ',' || strncmp(grants, "GRANT ", (size_t)(at - grants)) == 0))
            return true;
    return false;
}

/* "'user'@'host'" is of `user`. */
bool sql_grantee_is(const char *grantee, const char *user)
{
    size_t length = strlen(user);

    return grantee[0] == '\'' && strncmp(grantee + 1, user, length) == 0 &&
           strncmp(grantee + 1 + length, "'@", 2) == 0;
}
