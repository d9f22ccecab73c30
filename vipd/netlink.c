#include "vipd/netlink.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define EVENT_BUFFER_BYTES 32768 /* the kernel's largest dump packet */
#define SAME_ADDRESS_MAX 16      /* prefix lengths under which one address may have to be removed */
/* A whole packet of events is read before the clock is looked at again. */
#define EVENT_PACKETS_AT_ONCE 8

struct netlink {
    struct nl_sock *requests; /* ours and their answers */
    struct nl_sock *events;   /* the multicast groups */
    uint32_t sequence;
    struct netlink_callbacks callbacks;
    void *context;
};

struct netlink_address {
    struct netlink *netlink;
    struct nl_msg *put;
    struct ifa_cacheinfo *lifetime; /* inside `put` */
    struct nl_msg *remove;
};

/* Single-threaded, and nothing is kept from one packet to the next. */
static char packet[EVENT_BUFFER_BYTES] __attribute__((aligned(8)));

static enum error_code out_of_memory(struct error *err)
{
    return error_set(err, ERR_NO_MEMORY, "no memory for a netlink message; vipd needs about 4 MB");
}

static struct nl_sock *open_socket(void)
{
    struct nl_sock *sock = nl_socket_alloc();

    if (sock && nl_connect(sock, NETLINK_ROUTE) < 0) {
        nl_socket_free(sock);
        return NULL;
    }
    return sock;
}

enum error_code netlink_open(const struct netlink_callbacks *callbacks, void *context, struct netlink **out,
                             struct error *err)
{
    struct netlink *netlink = calloc(1, sizeof *netlink);

    if (!netlink)
        return out_of_memory(err);
    netlink->callbacks = *callbacks;
    netlink->context = context;
    netlink->requests = open_socket();
    netlink->events = open_socket();
    if (!netlink->requests || !netlink->events ||
        nl_socket_add_memberships(netlink->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_NONE) < 0) {
        int why = errno;
        netlink_close(netlink);
        return error_set(err, ERR_IO,
                         "no route netlink socket: %s; vipd needs Linux with CONFIG_NET and AF_NETLINK "
                         "allowed by its unit",
                         strerror(why));
    }
    nl_socket_set_nonblocking(netlink->events);
    *out = netlink;
    return ERR_OK;
}

void netlink_close(struct netlink *netlink)
{
    if (!netlink)
        return;
    nl_socket_free(netlink->requests);
    nl_socket_free(netlink->events);
    free(netlink);
}

int netlink_fd(const struct netlink *netlink)
{
    return nl_socket_get_fd(netlink->events);
}

static void report_link(struct netlink *netlink, struct nlmsghdr *header)
{
    const struct ifinfomsg *info = nlmsg_data(header);
    struct netlink_link link = {0};
    struct nlattr *name, *mac;

    if (nlmsg_datalen(header) < (int)sizeof *info || info->ifi_family != AF_UNSPEC)
        return; /* AF_BRIDGE tells of ports, not of links */
    name = nlmsg_find_attr(header, sizeof *info, IFLA_IFNAME);
    mac = nlmsg_find_attr(header, sizeof *info, IFLA_ADDRESS);
    if (!name)
        return;
    nla_strlcpy(link.name, name, sizeof link.name);
    link.index = info->ifi_index;
    link.there = header->nlmsg_type == RTM_NEWLINK;
    link.up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_LOWER_UP);
    link.ethernet = info->ifi_type == ARPHRD_ETHER && !(info->ifi_flags & IFF_NOARP) && mac &&
                    nla_len(mac) == NETLINK_MAC_BYTES;
    if (link.ethernet)
        memcpy(link.mac, nla_data(mac), sizeof link.mac);
    netlink->callbacks.link(netlink->context, &link);
}

static void report_address(struct netlink *netlink, struct nlmsghdr *header)
{
    const struct ifaddrmsg *info = nlmsg_data(header);
    struct nlattr *local;
    struct in_addr address;

    if (nlmsg_datalen(header) < (int)sizeof *info || info->ifa_family != AF_INET)
        return;
    local = nlmsg_find_attr(header, sizeof *info, IFA_LOCAL);
    if (!local || nla_len(local) != sizeof address)
        return;
    memcpy(&address, nla_data(local), sizeof address);
    netlink->callbacks.address(netlink->context, (int)info->ifa_index, address,
                               header->nlmsg_type == RTM_NEWADDR);
}

static void report(struct netlink *netlink, struct nlmsghdr *header)
{
    if (header->nlmsg_type == RTM_NEWLINK || header->nlmsg_type == RTM_DELLINK)
        report_link(netlink, header);
    else if (header->nlmsg_type == RTM_NEWADDR || header->nlmsg_type == RTM_DELADDR)
        report_address(netlink, header);
}

/* One packet from the kernel (nobody else is listened to) into `packet`. Its length, or -errno. */
static int receive(struct nl_sock *sock)
{
    struct sockaddr_nl from;
    socklen_t from_size = sizeof from;
    ssize_t size;

    do {
        size = recvfrom(nl_socket_get_fd(sock), packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&from,
                        &from_size);
    } while ((size < 0 && errno == EINTR) || (size >= 0 && from.nl_pid != 0));
    return size < 0 ? -errno : (int)size;
}

void netlink_read(struct netlink *netlink)
{
    for (int i = 0; i < EVENT_PACKETS_AT_ONCE; i++) {
        int left = receive(netlink->events);

        if (left == -ENOBUFS)
            netlink->callbacks.overrun(netlink->context);
        if (left < 0)
            return;
        for (struct nlmsghdr *header = (struct nlmsghdr *)packet; nlmsg_ok(header, left);
             header = nlmsg_next(header, &left))
            /* What we asked for ourselves carries our own port. */
            if (header->nlmsg_pid != nl_socket_get_local_port(netlink->requests))
                report(netlink, header);
    }
}

static int send_request(struct netlink *netlink, struct nlmsghdr *header)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent;

    header->nlmsg_seq = ++netlink->sequence;
    header->nlmsg_pid = nl_socket_get_local_port(netlink->requests);
    do {
        sent = sendto(nl_socket_get_fd(netlink->requests), header, header->nlmsg_len, 0,
                      (struct sockaddr *)&kernel, sizeof kernel);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
}

/* Answers to the last request, up to its end; 0 or the kernel's errno. */
static int receive_answer(struct netlink *netlink)
{
    for (;;) {
        int left = receive(netlink->requests);

        if (left < 0)
            return -left;
        for (struct nlmsghdr *header = (struct nlmsghdr *)packet; nlmsg_ok(header, left);
             header = nlmsg_next(header, &left)) {
            if (header->nlmsg_seq != netlink->sequence)
                continue; /* of a request that was given up */
            if (header->nlmsg_type == NLMSG_DONE)
                return 0;
            if (header->nlmsg_type == NLMSG_ERROR)
                return -((const struct nlmsgerr *)nlmsg_data(header))->error;
            report(netlink, header);
        }
    }
}

static int request(struct netlink *netlink, struct nlmsghdr *header)
{
    int problem = send_request(netlink, header);

    return problem ? problem : receive_answer(netlink);
}

static int dump(struct netlink *netlink, uint16_t type, unsigned char family)
{
    struct {
        struct nlmsghdr header;
        union {
            struct ifinfomsg link;
            struct ifaddrmsg address;
        };
    } message = {.header = {.nlmsg_len = sizeof message,
                            .nlmsg_type = type,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};

    message.link.ifi_family = family; /* the first byte of both */
    return request(netlink, &message.header);
}

int netlink_dump(struct netlink *netlink)
{
    int problem = dump(netlink, RTM_GETLINK, AF_UNSPEC);

    return problem ? problem : dump(netlink, RTM_GETADDR, AF_INET);
}

/* The request to add, with a lifetime to be patched. NULL: no memory. */
static struct nl_msg *build_put(struct in_addr address, unsigned prefix_length)
{
    struct rtnl_addr *model = rtnl_addr_alloc();
    struct nl_addr *local = nl_addr_build(AF_INET, &address, sizeof address);
    struct nl_msg *message = NULL;

    if (model && local) {
        nl_addr_set_prefixlen(local, (int)prefix_length);
        rtnl_addr_set_ifindex(model, 1); /* patched with each use */
        rtnl_addr_set_local(model, local);
        rtnl_addr_set_valid_lifetime(model, 1);
        rtnl_addr_set_preferred_lifetime(model, 1);
        if (rtnl_addr_build_add_request(model, NLM_F_REPLACE, &message) < 0)
            message = NULL;
    }
    rtnl_addr_put(model);
    nl_addr_put(local);
    /* libnl 3.7 has no setter for it. */
    if (message && nla_put_u8(message, IFA_PROTO, NETLINK_PROTOCOL_MARK) < 0) {
        nlmsg_free(message);
        return NULL;
    }
    if (message)
        nlmsg_hdr(message)->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
    return message;
}

/* Only the address and, patched, the interface: the kernel then takes the first that matches, whatever its
 * prefix length. */
static struct nl_msg *build_remove(struct in_addr address)
{
    struct nl_msg *message = nlmsg_alloc_simple(RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK);
    struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_prefixlen = 32};

    if (message && (nlmsg_append(message, &info, sizeof info, NLMSG_ALIGNTO) < 0 ||
                    nla_put(message, IFA_LOCAL, sizeof address, &address) < 0)) {
        nlmsg_free(message);
        return NULL;
    }
    return message;
}

enum error_code netlink_address_new(struct netlink *netlink, struct in_addr address, unsigned prefix_length,
                                    struct netlink_address **out, struct error *err)
{
    struct netlink_address *self = calloc(1, sizeof *self);
    struct nlattr *lifetime = NULL;

    if (!self)
        return out_of_memory(err);
    self->netlink = netlink;
    self->put = build_put(address, prefix_length);
    self->remove = build_remove(address);
    if (self->put)
        lifetime = nlmsg_find_attr(nlmsg_hdr(self->put), sizeof(struct ifaddrmsg), IFA_CACHEINFO);
    if (!lifetime || !self->remove) {
        netlink_address_free(self);
        return out_of_memory(err);
    }
    assert(nla_len(lifetime) == sizeof *self->lifetime);
    self->lifetime = nla_data(lifetime);
    *out = self;
    return ERR_OK;
}

void netlink_address_free(struct netlink_address *address)
{
    if (!address)
        return;
    nlmsg_free(address->put);
    nlmsg_free(address->remove);
    free(address);
}

static struct nlmsghdr *on_interface(struct nl_msg *message, int index)
{
    struct nlmsghdr *header = nlmsg_hdr(message);
    struct ifaddrmsg *info = nlmsg_data(header);

    info->ifa_index = (uint32_t)index;
    return header;
}

int netlink_address_put(struct netlink_address *address, int index, uint32_t lifetime_s)
{
    assert(lifetime_s > 0 && index > 0);
    address->lifetime->ifa_valid = lifetime_s;
    address->lifetime->ifa_prefered = lifetime_s;
    return request(address->netlink, on_interface(address->put, index));
}

int netlink_address_remove(struct netlink_address *address, int index)
{
    assert(index > 0);
    for (int i = 0; i < SAME_ADDRESS_MAX; i++) {
        int problem = request(address->netlink, on_interface(address->remove, index));

        if (problem == EADDRNOTAVAIL || problem == ENODEV)
            return 0;
        if (problem)
            return problem;
    }
    return EBUSY;
}
