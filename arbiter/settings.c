#include "arbiter/settings.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static void read_cluster(struct config_file *file, const config_setting_t *setting,
                         struct arbiter_settings *out)
{
    static const char *const known[] = {REPLICA_SETTINGS_KEYS, NULL};
    struct replica_settings *cluster = &out->clusters[out->cluster_count];

    if (!config_setting_is_group(setting)) {
        config_fail(file, setting,
                    "an element of \"clusters\" must be a group; write { cluster = \"...\"; ... }");
        return;
    }
    replica_settings_read(file, setting, cluster);
    config_finish_group(file, setting, known);
    if (file->failed)
        return;
    for (unsigned i = 0; i < cluster->node_count; i++)
        if (strcmp(cluster->nodes[i].name, cluster->node) == 0 && !cluster->nodes[i].arbiter)
            config_fail(file, config_setting_get_member(setting, "node"),
                        "\"%s\" is a data node of cluster \"%s\", and this program hosts no database; name "
                        "the arbiter, or "
                        "add arbiter = true to it in \"nodes\"",
                        cluster->node, cluster->cluster);
    for (unsigned i = 0; i < out->cluster_count; i++)
        if (strcmp(out->clusters[i].cluster, cluster->cluster) == 0)
            config_fail(file, config_setting_get_member(setting, "cluster"),
                        "cluster \"%s\" is there twice; name each cluster once", cluster->cluster);
    out->cluster_count++;
}

static void read_clusters(struct config_file *file, const config_setting_t *root,
                          struct arbiter_settings *out)
{
    const config_setting_t *clusters = config_get_list(file, root, "clusters", true);
    int count = clusters ? config_setting_length(clusters) : 0;

    if (file->failed)
        return;
    if (count == 0) {
        config_fail(file, clusters, "\"clusters\" is empty; add the cluster that this arbiter votes for");
        return;
    }
    out->clusters = calloc((size_t)count, sizeof *out->clusters);
    if (!out->clusters) {
        config_fail(file, clusters, "no memory for %d clusters; name fewer", count);
        return;
    }
    for (int i = 0; i < count && !file->failed; i++)
        read_cluster(file, config_setting_get_elem(clusters, (unsigned)i), out);
}

static void read_root(struct config_file *file, struct arbiter_settings *out)
{
    static const char *const known[] = {
        "listen", "data_dir", "control_socket", "log_level", "clusters", TRACE_SETTINGS_KEYS, NULL};
    const config_setting_t *root = config_root_setting(&file->config);
    char host[REPLICA_ADDRESS_BYTES];
    unsigned port;

    config_get_string(file, root, "listen", NULL, out->listen, sizeof out->listen);
    if (!file->failed && (!config_parse_address(out->listen, host, sizeof host, &port) || port == 0))
        config_fail(file, config_setting_get_member(root, "listen"),
                    "\"%s\" is not an address to listen on; write host:port or [v6]:port", out->listen);
    config_get_string(file, root, "data_dir", "/var/lib/mha4rdb/arbiter", out->data_dir,
                      sizeof out->data_dir);
    config_get_string(file, root, "control_socket", "/run/mha4rdb/arbiter.sock", out->control_socket,
                      sizeof out->control_socket);
    config_get_log_level(file, root, &out->log_level);
    trace_settings_read(file, root, &out->trace);
    read_clusters(file, root, out);
    config_finish_group(file, root, known);
}

enum error_code arbiter_settings_read(const char *path, struct arbiter_settings *out, struct error *err)
{
    struct config_file file;
    enum error_code failed;

    memset(out, 0, sizeof *out);
    failed = config_file_open(&file, path, err);
    if (!failed)
        read_root(&file, out);
    if (!failed && file.failed)
        failed = err->code;
    config_file_close(&file);
    return failed;
}

void arbiter_settings_free(struct arbiter_settings *settings)
{
    if (settings->clusters)
        OPENSSL_cleanse(settings->clusters, settings->cluster_count * sizeof *settings->clusters);
    free(settings->clusters);
    settings->clusters = NULL;
    settings->cluster_count = 0;
}
