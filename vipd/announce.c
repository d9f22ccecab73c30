#include "vipd/announce.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* RFC 826 for IPv4 over Ethernet. */
struct arp_packet {
    uint16_t hardware;
    uint16_t protocol;
    uint8_t hardware_size;
    uint8_t protocol_size;
    uint16_t operation;
    uint8_t sender_mac[NETLINK_MAC_BYTES];
    struct in_addr sender;
    uint8_t target_mac[NETLINK_MAC_BYTES];
    struct in_addr target;
} __attribute__((packed));

/* Only packets with `address` as their sender's. A load beyond the end of a short packet drops it. */
static int attach_filter(int fd, struct in_addr address)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct arp_packet, sender)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(address.s_addr), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, sizeof(struct arp_packet)),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

enum error_code announce_open(struct announce *announce, struct in_addr address, struct error *err)
{
    memset(announce, 0, sizeof *announce);
    announce->address = address;
    /* Protocol 0: nothing is received before the filter is in place and the socket is bound. */
    announce->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (announce->fd >= 0 && attach_filter(announce->fd, address) == 0)
        return ERR_OK;
    error_set(err, ERR_IO, "no packet socket for ARP: %s; start vipd as root or with CAP_NET_RAW",
              strerror(errno));
    announce_close(announce);
    return ERR_IO;
}

void announce_close(struct announce *announce)
{
    if (announce->fd >= 0)
        close(announce->fd);
    announce->fd = -1;
}

int announce_bind(struct announce *announce, const struct netlink_link *link)
{
    struct sockaddr_ll where = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};

    if (!link || !link->ethernet) {
        announce->index = 0;
        return 0;
    }
    memcpy(announce->mac, link->mac, sizeof announce->mac);
    if (announce->index == link->index)
        return 0;
    announce->index = 0;
    where.sll_ifindex = link->index;
    if (bind(announce->fd, (struct sockaddr *)&where, sizeof where) < 0)
        return errno;
    announce->index = link->index;
    return 0;
}

/* A broadcast; `target_mac` is zero in a request, where it is unknown by definition. */
static int broadcast(struct announce *announce, uint16_t operation, struct in_addr sender)
{
    struct sockaddr_ll everyone = {.sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_ARP),
                                   .sll_ifindex = announce->index,
                                   .sll_halen = NETLINK_MAC_BYTES,
                                   .sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct arp_packet arp = {.hardware = htons(ARPHRD_ETHER),
                             .protocol = htons(ETH_P_IP),
                             .hardware_size = NETLINK_MAC_BYTES,
                             .protocol_size = sizeof(struct in_addr),
                             .operation = htons(operation),
                             .sender = sender,
                             .target = announce->address};

    if (!announce->index)
        return ENODEV;
    memcpy(arp.sender_mac, announce->mac, sizeof arp.sender_mac);
    if (operation == ARPOP_REPLY)
        memcpy(arp.target_mac, everyone.sll_addr, sizeof arp.target_mac);
    if (sendto(announce->fd, &arp, sizeof arp, MSG_DONTWAIT, (struct sockaddr *)&everyone, sizeof everyone) <
        0)
        return errno;
    return 0;
}

int announce_send(struct announce *announce)
{
    int problem = broadcast(announce, ARPOP_REQUEST, announce->address);
    int problem_reply = broadcast(announce, ARPOP_REPLY, announce->address);

    return problem ? problem : problem_reply;
}

int announce_probe(struct announce *announce)
{
    return broadcast(announce, ARPOP_REQUEST, (struct in_addr){INADDR_ANY});
}

bool announce_hear(struct announce *announce, uint8_t mac[NETLINK_MAC_BYTES])
{
    struct arp_packet arp;
    struct sockaddr_ll from;
    socklen_t from_size = sizeof from;
    /* An error is a link that went down: netlink tells of that. */
    ssize_t size =
        recvfrom(announce->fd, &arp, sizeof arp, MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);

    if (size != sizeof arp || !announce->index || from.sll_ifindex != announce->index)
        return false;
    if (arp.hardware != htons(ARPHRD_ETHER) || arp.protocol != htons(ETH_P_IP) ||
        arp.sender.s_addr != announce->address.s_addr ||
        memcmp(arp.sender_mac, announce->mac, sizeof announce->mac) == 0)
        return false;
    memcpy(mac, arp.sender_mac, sizeof arp.sender_mac);
    return true;
}
