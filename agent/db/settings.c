#include "agent/db/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first line of the file that `key` names; an absent key leaves "" (unix_socket authentication). */
static void read_password(struct config_file *file, const config_setting_t *group, const char *key,
                          bool required, char *out, size_t size)
{
    char path[DB_PATH_BYTES] = "";
    char text[DB_TEXT_BYTES + 2];
    const config_setting_t *at;
    struct stat st;
    ssize_t n;
    int fd;

    out[0] = '\0';
    config_get_string(file, group, key, required ? NULL : "", path, sizeof path);
    if (file->failed || path[0] == '\0')
        return;
    at = config_setting_get_member(group, key);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        config_fail(
            file, at,
            "%s cannot be read: %s; put the password into it, on one line, readable by the agent's user",
            path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
        config_fail(file, at, "%s is %s; chmod 0640 %s", path,
                    S_ISREG(st.st_mode) ? "open to others than its owner and group" : "not a file", path);
        close(fd);
        return;
    }
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n < 0) {
        config_fail(file, at, "%s cannot be read: %s", path, strerror(errno));
        return;
    }
    text[n] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0] == '\0' || strlen(text) >= size)
        config_fail(file, at, "%s holds no password of 1 to %zu characters on its first line", path,
                    size - 1);
    else
        memcpy(out, text, strlen(text) + 1);
    explicit_bzero(text, sizeof text);
}

bool db_accounts_per_node(const struct db_settings *settings)
{
    return strstr(settings->replication_user, "%n") != NULL;
}

void db_replication_user(const struct db_settings *settings, const char *node, char *out, size_t size)
{
    const char *place = strstr(settings->replication_user, "%n");

    if (place)
        snprintf(out, size, "%.*s%s%s", (int)(place - settings->replication_user), settings->replication_user,
                 node, place + 2);
    else
        snprintf(out, size, "%s", settings->replication_user);
}

bool db_replication_node(const struct db_settings *settings, const char *user, char *out, size_t size)
{
    const char *place = strstr(settings->replication_user, "%n");
    size_t before = place ? (size_t)(place - settings->replication_user) : 0;
    size_t after = place ? strlen(place + 2) : 0, length = strlen(user);

    if (!place || length <= before + after || length - before - after >= size ||
        strncmp(user, settings->replication_user, before) != 0 ||
        strcmp(user + length - after, place + 2) != 0)
        return false;
    memcpy(out, user + before, length - before - after);
    out[length - before - after] = '\0';
    return true;
}

/* What a server takes as a user's name: MySQL 32 characters, MariaDB 128 (tried on 10.11; more is error
 * 1470).
 */
unsigned db_user_bytes_most(const struct db_settings *settings)
{
    return strcmp(settings->kind, "mysql") == 0 ? 32 : 128;
}

/* "%n" at most once, and no other "%": the accounts of two nodes must differ and be told apart. */
static void check_replication_user(struct config_file *file, const config_setting_t *group,
                                   const struct db_settings *out)
{
    const config_setting_t *at = config_setting_get_member(group, "replication_user");
    const char *percent = strchr(out->replication_user, '%');

    if (file->failed)
        return;
    if (percent && (percent[1] != 'n' || strchr(percent + 1, '%')))
        config_fail(
            file, at,
            "\"replication_user\" is \"%s\"; \"%%n\" stands for the node's name, may be there once, and "
            "no other %% may, as in \"mha4rdb_%%n\"",
            out->replication_user);
    else if (strcmp(out->replication_user, "%n") == 0)
        config_fail(
            file, at,
            "\"replication_user\" is \"%%n\" alone, and accounts of other programs could be taken for "
            "those of nodes; write something before it, as in \"mha4rdb_%%n\"");
    else if (strcmp(out->user, out->replication_user) == 0)
        config_fail(file, at,
                    "\"replication_user\" and \"user\" are the same account; replication needs one of its "
                    "own, with nothing but "
                    "REPLICATION SLAVE");
    else if (strlen(out->replication_user) > db_user_bytes_most(out))
        config_fail(file, at, "\"replication_user\" has %zu characters; the server takes %u",
                    strlen(out->replication_user), db_user_bytes_most(out));
}

static void check_host(struct config_file *file, const config_setting_t *group, const struct db_settings *out)
{
    const config_setting_t *at = config_setting_get_member(group, "host");
    const char *colon = strchr(out->host, ':');

    if (file->failed)
        return;
    if (colon && !strchr(colon + 1, ':'))
        config_fail(file, at,
                    "\"host\" is \"%s\"; write the port as a setting of its own: host = \"%.*s\"; port = %s;",
                    out->host, (int)(colon - out->host), out->host, colon + 1);
    else if (strcmp(out->host, "0.0.0.0") == 0 || strcmp(out->host, "::") == 0)
        config_fail(
            file, at,
            "\"host\" is \"%s\", where a server may listen, but nobody can dial; give the address of this "
            "host by which the other nodes reach its server",
            out->host);
}

static unsigned read_ms(struct config_file *file, const config_setting_t *group, const char *key,
                        unsigned fallback, unsigned least, unsigned most)
{
    long long value = fallback;

    config_get_int(file, group, key, false, fallback, least, most, &value);
    return (unsigned)value;
}

void db_settings_read(struct config_file *file, const config_setting_t *group, struct db_settings *out)
{
    static const char *const known[] = {
        "kind",
        "socket",
        "host",
        "port",
        "user",
        "password_file",
        "replication_user",
        "replication_password_file",
        "replication_tls",
        "probe_interval_ms",
        "probe_timeout_ms",
        "start",
        "start_to_follow",
        "stop",
        "kill",
        "command_timeout_ms",
        NULL,
    };
    long long port = 0;

    memset(out, 0, sizeof *out);
    config_get_string(file, group, "kind", NULL, out->kind, sizeof out->kind);
    if (!file->failed && strcmp(out->kind, "mariadb") != 0 && strcmp(out->kind, "mysql") != 0)
        config_fail(file, config_setting_get_member(group, "kind"),
                    "\"kind\" is \"%s\"; the databases known here are: mariadb, mysql", out->kind);
    config_get_string(file, group, "socket", NULL, out->socket, sizeof out->socket);
    /* sun_path of unix(7) holds 107 characters */
    if (!file->failed && (out->socket[0] != '/' || strlen(out->socket) > 107))
        config_fail(
            file, config_setting_get_member(group, "socket"),
            "\"socket\" must be an absolute path of at most 107 characters; take it from SELECT @@socket");
    config_get_string(file, group, "host", NULL, out->host, sizeof out->host);
    config_get_int(file, group, "port", false, 3306, 1, 65535, &port);
    out->port = (unsigned)port;
    config_get_string(file, group, "user", NULL, out->user, sizeof out->user);
    read_password(file, group, "password_file", false, out->password, sizeof out->password);
    config_get_string(file, group, "replication_user", NULL, out->replication_user,
                      sizeof out->replication_user);
    check_host(file, group, out);
    check_replication_user(file, group, out);
    read_password(file, group, "replication_password_file", true, out->replication_password,
                  sizeof out->replication_password);
    config_get_bool(file, group, "replication_tls", false, &out->replication_tls);
    out->probe_interval_ms = read_ms(file, group, "probe_interval_ms", 250, 10, 60000);
    out->probe_timeout_ms = read_ms(file, group, "probe_timeout_ms", 2000, 100, 600000);
    config_get_string(file, group, "start", NULL, out->start, sizeof out->start);
    /* Only MariaDB cuts back what nobody acknowledged, by another way of starting. */
    config_get_string(file, group, "start_to_follow", strcmp(out->kind, "mysql") == 0 ? out->start : NULL,
                      out->start_to_follow, sizeof out->start_to_follow);
    config_get_string(file, group, "stop", NULL, out->stop, sizeof out->stop);
    config_get_string(file, group, "kill", NULL, out->kill, sizeof out->kill);
    out->command_timeout_ms = read_ms(file, group, "command_timeout_ms", 60000, 1000, 600000);
    config_finish_group(file, group, known);
}
