/* address.h - one address: its lease (lease.h) carried out in the kernel (netlink.h) and on the network
 * (announce.h).
 *
 * Events become inputs of the lease; address_run then does what the lease says. Every function that may
 * change something is followed by an address_run, before anything else is waited for. */
#ifndef MHA_VIPD_ADDRESS_H
#define MHA_VIPD_ADDRESS_H

#include "vipd/announce.h"
#include "vipd/lease.h"
#include "vipd/netlink.h"
#include "vipd/settings.h"

#define ADDRESS_TROUBLE_BYTES 200

/* What the agent is told (VipState of vipd.proto). */
struct address_state {
    bool held;
    bool link_up;
    bool conflict;
    uint64_t epoch;
    uint64_t deadline_us;
    char trouble[ADDRESS_TROUBLE_BYTES];
    char interface[IFNAMSIZ]; /* as configured, and the prefix length, too */
    unsigned prefix_length;
};

struct address {
    const struct vipd_address_settings *settings;
    struct lease lease;
    struct announce announce;
    struct netlink_address *kernel;
    int index;                       /* of its interface; 0: not there */
    int stray_index;                 /* another interface of this host that has the address; 0: none */
    enum lease_action failed_action; /* with `failed_errno` != 0: what the kernel refused last, and why */
    int failed_errno;
    uint8_t other_mac[NETLINK_MAC_BYTES]; /* of the conflict */
    const char *removal_reason;           /* for the log */
    struct address_state reported;        /* what address_changed compares with */
};

/* ERR_IO, ERR_NO_MEMORY. `settings` and `netlink` must outlive it. */
enum error_code address_open(struct address *address, const struct vipd_address_settings *settings,
                             struct netlink *netlink, struct error *err);
/* Does not remove the address: address_stop and address_run do. */
void address_close(struct address *address);

/* netlink's callbacks, for every link and address of the host. */
void address_set_link(struct address *address, uint64_t now_us, const struct netlink_link *link);
void address_set_present(struct address *address, uint64_t now_us, int index, struct in_addr which,
                         bool there);
/* Before a dump: nothing is known. */
void address_forget(struct address *address, uint64_t now_us);

/* The packet socket is readable. */
void address_hear(struct address *address, uint64_t now_us);

/* The agent's requests. `trouble` says why a request was refused, or is set to "". */
void address_lease(struct address *address, uint64_t now_us, uint64_t epoch, uint64_t deadline_us,
                   char trouble[ADDRESS_TROUBLE_BYTES]);
void address_release(struct address *address, uint64_t epoch, char trouble[ADDRESS_TROUBLE_BYTES]);
/* The program ends. */
void address_stop(struct address *address);

/* Does what is due, reading the clock itself, and returns when it wants to run again (LEASE_NEVER: not by
 * itself). */
uint64_t address_run(struct address *address);

void address_describe(const struct address *address, struct address_state *out);
/* True when something but the deadline has changed since the last call. */
bool address_changed(struct address *address);

/* At the start, after a dump: removes what an earlier run left. With nothing there it does the same once, in
 * order to have measured a removal and touched the memory on its way before one matters. */
void address_clean_up(struct address *address);

#endif
