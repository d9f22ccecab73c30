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

/* MariaDB waits for one acknowledgement, whoever gives it: with a third data node beside the sync set an
 * acknowledgement of its could be taken for a member's. */
static void check_nodes(struct config_file *file, const config_setting_t *root,
                        const struct agent_settings *out)
{
    unsigned data = 0;

    for (unsigned i = 0; i < out->group.node_count; i++)
        data += !out->group.nodes[i].arbiter;
    if (data > AGENT_DATA_NODES_MAX)
        config_fail(file, config_setting_get_member(root, "nodes"),
                    "%u data nodes are listed; this version keeps one, or two with an arbiter: mark one as "
                    "arbiter = true",
                    data);
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
                                       TRACE_SETTINGS_KEYS,
                                       NULL};
    const config_setting_t *root = config_root_setting(&file->config);
    const config_setting_t *database;
    char level[16] = "";
    long long number = 0;

    config_finish_group(file, root, keys);
    replica_settings_read(file, root, &out->group);
    config_get_string(file, root, "data_dir", "/var/lib/mha4rdb/agent", out->data_dir, sizeof out->data_dir);
    config_get_string(file, root, "control_socket", "/run/mha4rdb/agent.sock", out->control_socket,
                      sizeof out->control_socket);
    config_get_string(file, root, "listen", "", out->listen, sizeof out->listen);
    config_get_string(file, root, "log_level", "info", level, sizeof level);
    if (!file->failed && !log_level_parse(level, &out->log_level))
        config_fail(file, config_setting_get_member(root, "log_level"),
                    "log_level \"%s\" is unknown; write one of error, warning, notice, info, debug", level);
    trace_settings_read(file, root, &out->trace);
    read_vip(file, root, out);
    config_get_int(file, root, "switchover_timeout_ms", false, 10000, 100, 600000, &number);
    out->switchover_timeout_ms = (unsigned)number;
    config_get_int(file, root, "pause_length_ms", false, 60000, 1000, 600000, &number);
    out->pause_length_ms = (unsigned)number;
    database = config_get_group(file, root, "database", true);
    if (database)
        db_settings_read(file, database, &out->database);
    if (file->failed)
        return;
    check_nodes(file, root, out);
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
