/* settings.h - the "database" group of agent.conf: read by the agent (which checks it) and by the dbworker
 * (which uses it). */
#ifndef MHA_DB_SETTINGS_H
#define MHA_DB_SETTINGS_H

#include <stdbool.h>

#include "common/base/config.h"

#define DB_TEXT_BYTES 256
#define DB_PATH_BYTES 512
#define DB_COMMAND_BYTES 1024
#define DB_NODE_BYTES 64 /* a node's name */
/* The name that stands for the account whose acknowledgements never count; no node may have it. */
#define DB_STANDBY_NAME "standby"

struct db_settings {
    char kind[32];              /* "mariadb", "mysql" */
    char node[DB_NODE_BYTES];   /* this node's name */
    char socket[DB_PATH_BYTES]; /* the server's unix socket on this host */
    char host[DB_TEXT_BYTES];   /* where the other nodes reach this server */
    unsigned port;
    char user[DB_TEXT_BYTES];     /* the agent's account, on localhost */
    char password[DB_TEXT_BYTES]; /* read from password_file; "" with unix_socket authentication */
    /* By which replicas connect. With "%n" in it, each node has an account of its own, that is the node's
     * name, and one more with DB_STANDBY_NAME there: needed with more than two data nodes. All have the same
     * password. */
    char replication_user[DB_TEXT_BYTES];
    char replication_password[DB_TEXT_BYTES];
    bool replication_tls;                   /* replicas demand TLS of their source */
    unsigned probe_interval_ms;             /* 10 .. 60000, default 250 */
    unsigned probe_timeout_ms;              /* 100 .. 600000, default 2000 */
    char start[DB_COMMAND_BYTES];           /* start in place */
    char start_to_follow[DB_COMMAND_BYTES]; /* start so that the unacknowledged tail is cut */
    char stop[DB_COMMAND_BYTES];
    char kill[DB_COMMAND_BYTES]; /* SIGKILL, returns when the process is gone */
    unsigned command_timeout_ms; /* 1000 .. 600000, default 60000 */
};

/* The account by which `node` replicates; DB_STANDBY_NAME: who stands by. */
void db_replication_user(const struct db_settings *settings, const char *node, char *out, size_t size);
/* The node whose account `user` is; false: none, or the accounts are not one per node. */
bool db_replication_node(const struct db_settings *settings, const char *user, char *out, size_t size);
bool db_accounts_per_node(const struct db_settings *settings);
/* The longest name of an account that a server of this kind takes. */
unsigned db_user_bytes_most(const struct db_settings *settings);

/* Reads `group` (the "database" group); problems go into `file` (config.h). Password files are read here: one
 * that others than its owner and group may read is a problem. */
void db_settings_read(struct config_file *file, const config_setting_t *group, struct db_settings *out);

#endif
