/* announce.h - ARP for one address on one interface: announcing it, probing for it, hearing others use it.
 *
 * An announcement is a pair of gratuitous ARP broadcasts, one in request and one in reply form (RFC 5227 3:
 * some hosts update their cache on one form only). A probe is a request with no sender address (RFC
 * 5227 1.1), which enters nobody's cache. A packet filter in the kernel lets only those packets through that
 * name the address as their sender's, so that a busy network does not wake vipd. Sockets are opened once, at
 * the start; sending and hearing allocate nothing. */
#ifndef MHA_VIPD_ANNOUNCE_H
#define MHA_VIPD_ANNOUNCE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "vipd/netlink.h"

struct announce {
    int fd;
    struct in_addr address;
    int index; /* 0: bound to no interface */
    uint8_t mac[NETLINK_MAC_BYTES];
};

/* ERR_IO with the remedy: it needs CAP_NET_RAW. */
enum error_code announce_open(struct announce *announce, struct in_addr address, struct error *err);
void announce_close(struct announce *announce);
/* Send from and listen on this interface from now on; NULL, or one that speaks no ARP: on none. Returns 0 or
 * an errno. */
int announce_bind(struct announce *announce, const struct netlink_link *link);

/* 0 or an errno (ENODEV: bound to no interface). */
int announce_send(struct announce *announce);
int announce_probe(struct announce *announce);

/* Reads one packet; true: another host, `mac`, has used the address as its own. */
bool announce_hear(struct announce *announce, uint8_t mac[NETLINK_MAC_BYTES]);

#endif
