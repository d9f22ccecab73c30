/* settings.h - the settings that the agent's and the arbiter's files share: cluster, node, nodes, profile. */
#ifndef MHA_REPLICA_SETTINGS_H
#define MHA_REPLICA_SETTINGS_H

#include "common/base/config.h"
#include "common/base/text.h"
#include "common/net/net.h"
#include "common/replica/replica.h"

#define REPLICA_NODES_MAX 8
#define REPLICA_PATH_BYTES 512

struct replica_settings {
    char cluster[REPLICA_NAME_BYTES];
    char node[REPLICA_NAME_BYTES];
    char key_file[REPLICA_PATH_BYTES];
    uint8_t key[NET_KEY_BYTES];
    uint64_t heartbeat_us;
    uint64_t election_us;
    unsigned node_count;
    struct replica_node nodes[REPLICA_NODES_MAX];
};

/* "trace" and "trace_mb": common/base/trace.h. Of the whole file, not of one cluster. */
struct trace_settings {
    char path[REPLICA_PATH_BYTES]; /* "": none */
    uint64_t bytes_max;
};

#define TRACE_SETTINGS_KEYS "trace", "trace_mb"
void trace_settings_read(struct config_file *file, const config_setting_t *root, struct trace_settings *out);

/* The keys that this group owns, for config_finish_group; a caller appends its own. */
#define REPLICA_SETTINGS_KEYS "cluster", "node", "key_file", "profile", "heartbeat_ms", "election_ms", "nodes"

/* Reads them from `group`; problems go into `file`. Checks: names are [A-Za-z0-9_.-], each once; addresses
 * parse, each once; `node` is one of `nodes`; an odd number of voters of 1, 3, 5, 7 (two data nodes need an
 * arbiter); the key file is readable and sound. */
void replica_settings_read(struct config_file *file, const config_setting_t *group,
                           struct replica_settings *out);

/* All of it that must be the same on all members, as "name=value" lines for CheckFacts (control.proto): the
 * values as the file has them, the nodes in the order of their names. */
void replica_settings_tell(const struct replica_settings *settings, struct text *out);

#endif
