#include "agent/settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static void read_vip(struct config_file *file, const config_setting_t *root, struct agent_settings *out)
{
    static const char *const keys[] = {"address", "socket", NULL};
    const config_setting_t *vip = config_get_group(file, root, "vip", false);
    unsigned char binary[16];

    if (!vip)
        return;
    config_get_string(file, vip, "address", NULL, out->vip_address, sizeof out->vip_address);
    config_get_string(file, vip, "socket", "/run/mha4rdb-vipd/vipd.sock", out->vip_socket,
                      sizeof out->vip_socket);
    if (!file->failed && inet_pton(AF_INET, out->vip_address, binary) != 1 &&
        inet_pton(AF_INET6, out->vip_address, binary) != 1)
        config_fail(file, config_setting_get_member(vip, "address"),
                    "\"%s\" is not an IP address; write it without a prefix length, as in \"192.0.2.10\"",
                    out->vip_address);
    config_finish_group(file, vip, keys);
}

/* Where a problem of one key of the database group stands. */
static const config_setting_t *database_member(const config_setting_t *root, const char *key)
{
    const config_setting_t *database = config_setting_get_member(root, "database");
    const config_setting_t *member = config_setting_get_member(database, key);

    return member ? member : database;
}

/* With a third data node beside the sync set, an acknowledgement of its could be taken for a member's: the
 * primary tells them apart by their accounts. */
static void check_nodes(struct config_file *file, const config_setting_t *root,
                        const struct agent_settings *out)
{
    unsigned data = 0;

    for (unsigned i = 0; i < out->group.node_count; i++) {
        data += !out->group.nodes[i].arbiter;
        if (strcmp(out->group.nodes[i].name, DB_STANDBY_NAME) == 0)
            config_fail(
                file, config_setting_get_member(root, "nodes"),
                "no node may be named \"%s\": that name stands for the replication account of those who "
                "give no acknowledgements",
                DB_STANDBY_NAME);
    }
    if (data > 2 && !db_accounts_per_node(&out->database))
        config_fail(
            file, database_member(root, "replication_user"),
            "with %u data nodes each needs a replication account of its own; write %%n where the node's "
            "name stands, as in replication_user = \"mha4rdb_%%n\"",
            data);
}

/* One node's replication account: not the agent's own, and of a length that the server takes. */
static void check_account(struct config_file *file, const config_setting_t *root,
                          const struct db_settings *database, const char *node)
{
    char account[DB_TEXT_BYTES + DB_NODE_BYTES];

    db_replication_user(database, node, account, sizeof account);
    if (strcmp(account, database->user) == 0)
        config_fail(
            file, database_member(root, "replication_user"),
            "the replication account of \"%s\" would be \"%s\", which is the agent's own (user); give "
            "one of them another name",
            node, account);
    else if (strlen(account) > db_user_bytes_most(database))
        config_fail(
            file, database_member(root, "replication_user"),
            "the replication account of \"%s\" would be \"%s\", %zu characters long; the server takes "
            "%u: shorten the node's name or what stands around %%n",
            node, account, strlen(account), db_user_bytes_most(database));
}

static void check_accounts(struct config_file *file, const config_setting_t *root,
                           const struct agent_settings *out)
{
    if (!db_accounts_per_node(&out->database))
        return;
    for (unsigned i = 0; i < out->group.node_count; i++)
        if (!out->group.nodes[i].arbiter)
            check_account(file, root, &out->database, out->group.nodes[i].name);
    check_account(file, root, &out->database, DB_STANDBY_NAME);
}

static bool read_choice(struct config_file *file, const config_setting_t *root, const char *key,
                        const char *usual, const char *other)
{
    char text[32] = "";

    config_get_string(file, root, key, usual, text, sizeof text);
    if (!file->failed && strcmp(text, usual) != 0 && strcmp(text, other) != 0)
        config_fail(file, config_setting_get_member(root, key), "\"%s\" is \"%s\"; write \"%s\" or \"%s\"",
                    key, text, usual, other);
    return strcmp(text, other) == 0;
}

static void read_rebuild(struct config_file *file, const config_setting_t *root, struct rebuild_settings *out)
{
    static const char *const keys[] = {"donate",  "receive",   "mysqlbinlog", "port",
                                       "rate_mb", "timeout_s", NULL};
    const config_setting_t *group = config_get_group(file, root, "rebuild", false);
    long long port = 7421, rate = 0, timeout = 300;

    *out = (struct rebuild_settings){.port = 7421, .timeout_s = 300};
    if (!group)
        return;
    config_get_string(file, group, "donate", "", out->donate, sizeof out->donate);
    config_get_string(file, group, "receive", "", out->receive, sizeof out->receive);
    config_get_string(file, group, "mysqlbinlog", "", out->mysqlbinlog, sizeof out->mysqlbinlog);
    config_get_int(file, group, "port", false, 7421, 1, 65535, &port);
    config_get_int(file, group, "rate_mb", false, 0, 0, 100000, &rate);
    config_get_int(file, group, "timeout_s", false, 300, 10, 86400, &timeout);
    out->port = (unsigned)port;
    out->rate_mb = (unsigned)rate;
    out->timeout_s = (unsigned)timeout;
    config_finish_group(file, group, keys);
}

/* MySQL copies itself (CLONE), MariaDB by two commands and a port of the program mha4rdb-rebuild. */
static void check_rebuild(struct config_file *file, const config_setting_t *root,
                          const struct agent_settings *out)
{
    const config_setting_t *group = config_setting_get_member(root, "rebuild");
    const config_setting_t *at = group ? group : config_setting_get_member(root, "rejoin");
    const struct rebuild_settings *rebuild = &out->rebuild;
    char host[REPLICA_ADDRESS_BYTES];
    unsigned port = 0;

    if (strcmp(out->database.kind, "mysql") == 0) {
        if (rebuild->donate[0] || rebuild->receive[0])
            config_fail(
                file, at,
                "MySQL copies itself with CLONE; take \"donate\" and \"receive\" out: they are for MariaDB");
        return;
    }
    if ((rebuild->donate[0] == '\0') != (rebuild->receive[0] == '\0'))
        config_fail(file, at,
                    "\"rebuild\" has \"%s\" without \"%s\"; a node is rebuilt today and the donor tomorrow: "
                    "give both",
                    rebuild->donate[0] ? "donate" : "receive", rebuild->donate[0] ? "receive" : "donate");
    else if (out->rejoin_auto && !rebuild->donate[0])
        config_fail(
            file, config_setting_get_member(root, "rejoin"),
            "rejoin = \"auto\" rebuilds a node by itself, and for MariaDB that needs the commands \"donate\" "
            "and \"receive\" of the group \"rebuild\"; see mha4rdb.conf(5), or write rejoin = \"manual\"");
    else if (rebuild->donate[0] && config_parse_address(out->listen, host, sizeof host, &port) &&
             port == rebuild->port)
        config_fail(file, at,
                    "\"rebuild\" listens on port %u, where this agent does, too; give another \"port\"",
                    rebuild->port);
    else if (rebuild->donate[0] && out->database.port == rebuild->port)
        config_fail(file, at,
                    "\"rebuild\" listens on port %u, where the database does; give another \"port\"",
                    rebuild->port);
}

static void read_all(struct config_file *file, struct agent_settings *out)
{
    static const char *const keys[] = {REPLICA_SETTINGS_KEYS,
                                       "data_dir",
                                       "control_socket",
                                       "listen",
                                       "log_level",
                                       "vip",
                                       "database",
                                       "switchover_timeout_ms",
                                       "pause_length_ms",
                                       "durability",
                                       "lag_most_ms",
                                       "rejoin",
                                       "rebuild",
                                       TRACE_SETTINGS_KEYS,
                                       NULL};
    const config_setting_t *root = config_root_setting(&file->config);
    const config_setting_t *database;
    long long number = 0;

    config_finish_group(file, root, keys);
    replica_settings_read(file, root, &out->group);
    config_get_string(file, root, "data_dir", "/var/lib/mha4rdb/agent", out->data_dir, sizeof out->data_dir);
    config_get_string(file, root, "control_socket", "/run/mha4rdb/agent.sock", out->control_socket,
                      sizeof out->control_socket);
    config_get_string(file, root, "listen", "", out->listen, sizeof out->listen);
    config_get_log_level(file, root, &out->log_level);
    trace_settings_read(file, root, &out->trace);
    read_vip(file, root, out);
    config_get_int(file, root, "switchover_timeout_ms", false, 10000, 100, 600000, &number);
    out->switchover_timeout_ms = (unsigned)number;
    config_get_int(file, root, "pause_length_ms", false, 60000, 1000, 600000, &number);
    out->pause_length_ms = (unsigned)number;
    out->durability_available = read_choice(file, root, "durability", "quorum", "available");
    config_get_int(file, root, "lag_most_ms", false, 10000, 0, 3600000, &number);
    out->lag_most_ms = (unsigned)number;
    out->rejoin_auto = read_choice(file, root, "rejoin", "manual", "auto");
    read_rebuild(file, root, &out->rebuild);
    database = config_get_group(file, root, "database", true);
    if (database)
        db_settings_read(file, database, &out->database);
    snprintf(out->database.node, sizeof out->database.node, "%s", out->group.node);
    if (file->failed)
        return;
    check_nodes(file, root, out);
    check_accounts(file, root, out);
    for (unsigned i = 0; i < out->group.node_count; i++) {
        const struct replica_node *node = &out->group.nodes[i];
        if (strcmp(node->name, out->group.node) != 0)
            continue;
        if (node->arbiter)
            config_fail(
                file, config_setting_get_member(root, "node"),
                "\"%s\" is the arbiter; it runs mha4rdb-arbiter, an agent needs the name of a data node",
                node->name);
        if (out->listen[0] == '\0')
            memcpy(out->listen, node->address, sizeof out->listen);
    }
    check_rebuild(file, root, out);
}

void agent_settings_tell(const struct agent_settings *settings, struct text *out)
{
    replica_settings_tell(&settings->group, out);
    if (settings->vip_address[0])
        text_add(out, "vip={ address = \"%s\"; }\n", settings->vip_address);
    else
        text_add(out, "vip=none\n");
    text_add(out, "kind=\"%s\"\nreplication_user=\"%s\"\nreplication_tls=%s\n", settings->database.kind,
             settings->database.replication_user, settings->database.replication_tls ? "true" : "false");
    text_add(out, "durability=\"%s\"\nrejoin=\"%s\"\n",
             settings->durability_available ? "available" : "quorum",
             settings->rejoin_auto ? "auto" : "manual");
    if (settings->durability_available)
        text_add(out, "lag_most_ms=%u\n", settings->lag_most_ms);
}

enum error_code agent_settings_read(const char *path, struct agent_settings *out, struct error *err)
{
    struct config_file file;
    enum error_code code;

    memset(out, 0, sizeof *out);
    code = config_file_open(&file, path, err);
    if (code == ERR_OK) {
        read_all(&file, out);
        if (file.failed)
            code = err->code;
    }
    config_file_close(&file);
    return code;
}
