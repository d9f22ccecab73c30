/* settings.h - vipd.conf, read once at the start. */
#ifndef MHA_VIPD_SETTINGS_H
#define MHA_VIPD_SETTINGS_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "common/base/log.h"

#define VIPD_ADDRESSES_MAX 16
#define VIPD_SOCKET_BYTES 108 /* sun_path of unix(7) */

struct vipd_address_settings {
    char text[INET_ADDRSTRLEN]; /* without the prefix length, as requests name it */
    struct in_addr address;
    unsigned prefix_length;
    char interface[IFNAMSIZ]; /* need not exist yet */
};

struct vipd_settings {
    char socket[VIPD_SOCKET_BYTES];
    uid_t peer_uid; /* whose agent may ask */
    enum log_level log_level;
    bool change_user; /* run_as is set, or the user mha4rdb-vipd exists */
    uid_t run_as_uid;
    gid_t run_as_gid;
    struct vipd_address_settings addresses[VIPD_ADDRESSES_MAX];
    unsigned address_count;
};

/* ERR_IO: cannot be read; ERR_INVALID: "file:line: problem; remedy", also for a file that belongs to another
 * user than root (or the one that runs this) or that others may write. */
enum error_code vipd_settings_read(const char *path, struct vipd_settings *out, struct error *err);

#endif
