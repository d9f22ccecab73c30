/* netlink.h - the kernel's addresses and links, through rtnetlink (rtnetlink(7)).
 *
 * libnl builds the requests, once per address at the start; afterwards they are patched in place (interface,
 * lifetime) and sent from where they are, and the kernel's answers are read into one static buffer. So
 * nothing on the way to a removal allocates. rtnetlink carries a request out inside sendto(2): a call returns
 * when the address is there or gone.
 *
 * Addresses are added with a valid lifetime (IFA_CACHEINFO), after which the kernel itself removes them, and
 * marked with NETLINK_PROTOCOL_MARK (IFA_PROTO, from Linux 5.18 on; older kernels ignore it). They are
 * removed by address alone: the same address under another prefix length or without the mark goes, too. */
#ifndef MHA_VIPD_NETLINK_H
#define MHA_VIPD_NETLINK_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

#define NETLINK_PROTOCOL_MARK 0x4d /* `ip -d address show` prints it as "proto 77" */
#define NETLINK_MAC_BYTES 6

struct netlink_link {
    int index;
    char name[IFNAMSIZ];
    bool there;    /* false: it was just deleted; only `index` and `name` count */
    bool up;       /* administratively up, with a carrier */
    bool ethernet; /* speaks ARP; `mac` is set */
    uint8_t mac[NETLINK_MAC_BYTES];
};

/* Callbacks take note and return; they must not call netlink functions, whose answers would overwrite the
 * packet being read. */
struct netlink_callbacks {
    void (*link)(void *context, const struct netlink_link *link);
    /* An IPv4 address came (again) or went, by another hand than ours: the kernel's lifetime timer is such a
     * hand. */
    void (*address)(void *context, int index, struct in_addr address, bool there);
    /* Events were lost: what is known may be wrong. netlink_dump tells what is. */
    void (*overrun)(void *context);
};

struct netlink;
struct netlink_address; /* the prepared requests for one address */

/* Subscribes to link and IPv4 address events. ERR_IO, ERR_NO_MEMORY. Callbacks come from netlink_read and
 * netlink_dump only. */
enum error_code netlink_open(const struct netlink_callbacks *callbacks, void *context, struct netlink **out,
                             struct error *err);
void netlink_close(struct netlink *netlink);
int netlink_fd(const struct netlink *netlink); /* readable: call netlink_read */
void netlink_read(struct netlink *netlink);
/* Calls back for every link, then for every IPv4 address that is there. Returns 0 or an errno. */
int netlink_dump(struct netlink *netlink);

/* `netlink` must outlive it. */
enum error_code netlink_address_new(struct netlink *netlink, struct in_addr address, unsigned prefix_length,
                                    struct netlink_address **out, struct error *err);
void netlink_address_free(struct netlink_address *address);
/* Adds it, or gives it a new lifetime if it is there. Returns 0 or the kernel's errno. */
int netlink_address_put(struct netlink_address *address, int index, uint32_t lifetime_s);
/* Removes it under whatever prefix length; 0 if it is not there now. */
int netlink_address_remove(struct netlink_address *address, int index);

#endif
