/* settings.h - arbiter.conf. */
#ifndef MHA_ARBITER_SETTINGS_H
#define MHA_ARBITER_SETTINGS_H

#include "common/base/log.h"
#include "common/replica/settings.h"

struct arbiter_settings {
    char listen[REPLICA_ADDRESS_BYTES];
    char data_dir[REPLICA_PATH_BYTES];
    char control_socket[REPLICA_PATH_BYTES];
    enum log_level log_level;
    struct trace_settings trace; /* of all clusters */
    unsigned cluster_count;
    struct replica_settings *clusters; /* owned: arbiter_settings_free */
};

/* ERR_INVALID, ERR_IO: "file:line: problem; remedy". Freed with arbiter_settings_free in every case. */
enum error_code arbiter_settings_read(const char *path, struct arbiter_settings *out, struct error *err);
void arbiter_settings_free(struct arbiter_settings *settings);

#endif
