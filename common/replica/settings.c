#include "common/replica/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/replica/membership.h"

static const struct {
    const char *name;
    unsigned heartbeat_ms;
    unsigned election_ms;
} profiles[] = {
    {"lan", 100, 1000},
    {"fast", 20, 150},
    {"wan", 500, 5000},
};

#define HEARTBEAT_LEAST_MS 1
#define ELECTION_LEAST_MS 30
#define ELECTION_MOST_MS 60000

static config_setting_t *at(const config_setting_t *group, const char *key)
{
    config_setting_t *setting = config_setting_get_member(group, key);

    return setting ? setting : (config_setting_t *)group;
}

static void read_name(struct config_file *file, const config_setting_t *group, const char *key,
                      char out[REPLICA_NAME_BYTES])
{
    config_get_string(file, group, key, NULL, out, REPLICA_NAME_BYTES);
    if (!file->failed && !replica_name_valid(out))
        config_fail(file, at(group, key),
                    "\"%s\" is \"%s\"; use letters, digits, \"_\", \".\" and \"-\" only", key, out);
}

/* A profile, or its two times, or a profile with one or both replaced. */
static void read_times(struct config_file *file, const config_setting_t *group, struct replica_settings *out)
{
    char profile[16] = "";
    long long heartbeat_ms = 0;
    long long election_ms = 0;
    unsigned i = 0;

    config_get_string(file, group, "profile", "lan", profile, sizeof profile);
    while (i < sizeof profiles / sizeof profiles[0] && strcmp(profile, profiles[i].name) != 0)
        i++;
    if (file->failed)
        return;
    if (i == sizeof profiles / sizeof profiles[0]) {
        config_fail(file, at(group, "profile"), "\"profile\" is \"%s\"; choose \"lan\", \"fast\" or \"wan\"",
                    profile);
        return;
    }
    config_get_int(file, group, "heartbeat_ms", false, profiles[i].heartbeat_ms, HEARTBEAT_LEAST_MS,
                   ELECTION_MOST_MS / 3, &heartbeat_ms);
    config_get_int(file, group, "election_ms", false, profiles[i].election_ms, ELECTION_LEAST_MS,
                   ELECTION_MOST_MS, &election_ms);
    if (!file->failed && heartbeat_ms * 3 > election_ms)
        config_fail(
            file,
            at(group, config_setting_get_member(group, "heartbeat_ms") ? "heartbeat_ms" : "election_ms"),
            "the heartbeat of %lld ms is more than a third of the election timeout of %lld ms; shorten the "
            "first or "
            "lengthen the second",
            heartbeat_ms, election_ms);
    out->heartbeat_us = MS_TO_US(heartbeat_ms);
    out->election_us = MS_TO_US(election_ms);
}

static void read_node(struct config_file *file, const config_setting_t *setting, struct replica_settings *out)
{
    static const char *const known[] = {"name", "address", "arbiter", NULL};
    struct replica_node *node = &out->nodes[out->node_count];
    char host[REPLICA_ADDRESS_BYTES];
    unsigned port;

    if (!config_setting_is_group(setting)) {
        config_fail(file, setting,
                    "an element of \"nodes\" must be a group; write { name = \"...\"; address = \"...\"; }");
        return;
    }
    read_name(file, setting, "name", node->name);
    config_get_string(file, setting, "address", NULL, node->address, sizeof node->address);
    config_get_bool(file, setting, "arbiter", false, &node->arbiter);
    config_finish_group(file, setting, known);
    if (file->failed)
        return;
    if (!config_parse_address(node->address, host, sizeof host, &port) || port == 0) {
        config_fail(file, at(setting, "address"), "\"%s\" is not an address; write host:port or [v6]:port",
                    node->address);
        return;
    }
    for (unsigned i = 0; i < out->node_count; i++) {
        if (strcmp(out->nodes[i].name, node->name) == 0)
            config_fail(file, at(setting, "name"), "node \"%s\" is named twice; give each node its own name",
                        node->name);
        if (strcmp(out->nodes[i].address, node->address) == 0)
            config_fail(file, at(setting, "address"),
                        "address \"%s\" is given to two nodes; give each its own", node->address);
    }
    out->node_count++;
}

static void check_nodes(struct config_file *file, const config_setting_t *nodes,
                        const struct replica_settings *out)
{
    unsigned arbiters = 0;

    for (unsigned i = 0; i < out->node_count; i++)
        arbiters += out->nodes[i].arbiter;
    if (out->node_count == arbiters)
        config_fail(file, nodes, "\"nodes\" has no data node; name at least one node that is no arbiter");
    else if (arbiters > 1)
        config_fail(file, nodes, "\"nodes\" has %u arbiters; one is enough, and more are not possible",
                    arbiters);
    else if (out->node_count == 2)
        config_fail(file, nodes,
                    "\"nodes\" has 2 members, of which neither alone is a majority; add an arbiter (arbiter "
                    "= true) or a "
                    "third data node");
    else if (out->node_count % 2 == 0)
        config_fail(file, nodes,
                    "\"nodes\" has %u members, and an even number bears no more failures than one less; %s",
                    out->node_count, arbiters ? "leave the arbiter out" : "add an arbiter or leave one out");
}

static void read_nodes(struct config_file *file, const config_setting_t *group, struct replica_settings *out)
{
    const config_setting_t *nodes = config_get_list(file, group, "nodes", true);
    bool found = false;

    for (int i = 0; nodes && i < config_setting_length(nodes) && !file->failed; i++) {
        const config_setting_t *setting = config_setting_get_elem(nodes, (unsigned)i);
        if (out->node_count == REPLICA_NODES_MAX) {
            config_fail(file, setting, "\"nodes\" has more than 7 members; a group has 1, 3, 5 or 7");
            return;
        }
        read_node(file, setting, out);
    }
    if (file->failed)
        return;
    for (unsigned i = 0; i < out->node_count; i++)
        found = found || strcmp(out->nodes[i].name, out->node) == 0;
    check_nodes(file, nodes, out);
    if (!found)
        config_fail(file, at(group, "node"),
                    "\"node\" is \"%s\", which is not in \"nodes\"; give this host's name there", out->node);
}

void replica_settings_read(struct config_file *file, const config_setting_t *group,
                           struct replica_settings *out)
{
    struct error err;

    memset(out, 0, sizeof *out);
    read_name(file, group, "cluster", out->cluster);
    read_name(file, group, "node", out->node);
    config_get_string(file, group, "key_file", NULL, out->key_file, sizeof out->key_file);
    read_times(file, group, out);
    read_nodes(file, group, out);
    if (!file->failed && net_key_read(out->key_file, out->key, &err) != ERR_OK)
        config_fail(file, at(group, "key_file"), "%s", err.text);
}

static int by_name(const void *a, const void *b)
{
    const struct replica_node *const *left = a, *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

void replica_settings_tell(const struct replica_settings *settings, struct text *out)
{
    const struct replica_node *nodes[REPLICA_NODES_MAX];

    for (unsigned i = 0; i < settings->node_count; i++)
        nodes[i] = &settings->nodes[i];
    qsort(nodes, settings->node_count, sizeof nodes[0], by_name);
    text_add(out, "heartbeat_ms=%llu\nelection_ms=%llu\nnodes=(",
             (unsigned long long)settings->heartbeat_us / 1000,
             (unsigned long long)settings->election_us / 1000);
    for (unsigned i = 0; i < settings->node_count; i++)
        text_add(out, "%s%s %s%s", i ? ", " : "", nodes[i]->name, nodes[i]->address,
                 nodes[i]->arbiter ? " arbiter" : "");
    text_add(out, ")\n");
}

void trace_settings_read(struct config_file *file, const config_setting_t *root, struct trace_settings *out)
{
    long long megabytes = 0;

    config_get_string(file, root, "trace", "", out->path, sizeof out->path);
    if (!file->failed && out->path[0] && out->path[0] != '/')
        config_fail(file, config_setting_get_member(root, "trace"),
                    "trace \"%s\" is no whole path; begin it with /", out->path);
    config_get_int(file, root, "trace_mb", false, 256, 1, 65536, &megabytes);
    out->bytes_max = (uint64_t)megabytes * 1024 * 1024;
}
