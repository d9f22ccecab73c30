/* internal.h - what net.c, conn.c and link.c share; nothing outside this folder includes it. */
#ifndef MHA_NET_INTERNAL_H
#define MHA_NET_INTERNAL_H

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/listener.h>
#include <sys/queue.h>

#include "common/net/net.h"
#include "common/net/refusals.h"
#include "common/net/sockets.h"
#include "common/net/tls.h"

/* Frames taken from one connection before the others get their turn. */
#define NET_FRAMES_PER_TURN 64

TAILQ_HEAD(net_conn_list, net_conn);
LIST_HEAD(net_link_list, net_link);
LIST_HEAD(net_group_list, net_group);

struct net {
    struct event_base *base;
    SSL_CTX *tls;
    struct evconnlistener *listener; /* NULL: only dials */
    struct event *accept_again;      /* after descriptors ran out */
    unsigned port;
    struct evdns_base *dns; /* made by the first link that has a name to resolve */
    struct refusals refusals;
    struct net_group_list groups;
    struct net_conn_list strangers; /* accepted, not authenticated; the oldest first */
    unsigned stranger_count;
    struct net_conn_list closing; /* only flush what was sent */
};

struct net_group {
    LIST_ENTRY(net_group) entry;
    struct net *net;
    char cluster[NET_CLUSTER_BYTES];
    SSL_SESSION *psk;
    const struct net_callbacks *callbacks;
    void *context;
    struct net_conn_list conns; /* authenticated */
    unsigned conn_count;
    unsigned silence_ms;
    struct net_link_list links;
};

enum net_conn_state { CONN_STRANGER, CONN_OPEN, CONN_CLOSING };

struct net_conn {
    TAILQ_ENTRY(net_conn) entry; /* in the list that `state` says */
    struct net *net;
    enum net_conn_state state;
    struct tls_peer peer;
    struct bufferevent *bev;
    struct event *deadline; /* for the handshake and the first frame; for the last flush */
    bool heard;             /* its first frame came */
    bool busy;              /* inside a callback of the owner */
    bool closed;            /* by the owner, inside that callback */
    char address[SOCKETS_ADDRESS_BYTES];
    void *user;
};

enum net_link_state { LINK_WAITING, LINK_RESOLVING, LINK_CONNECTING, LINK_HANDSHAKE, LINK_UP };

struct net_link {
    LIST_ENTRY(net_link) entry;
    struct net_group *group;
    enum net_link_state state;
    struct tls_peer peer;
    char *address; /* as configured */
    char *host;    /* its name to resolve; NULL: numeric */
    char port[8];
    struct sockaddr_storage sockaddr; /* where the present dial goes */
    socklen_t sockaddr_size;
    unsigned turn; /* which of a name's addresses is next */
    struct evdns_getaddrinfo_request *resolving;
    struct event *timer;    /* the next dial, or the deadline of the present step */
    struct event *writable; /* the connect under way */
    int fd;                 /* its socket; -1: none */
    struct bufferevent *bev;
    uint64_t backoff_us;
    uint64_t up_us; /* when it came up */
    bool busy;      /* inside a callback of the owner */
    bool freed;     /* by the owner, inside that callback */
    char trouble[TLS_WHY_BYTES];
    char logged[TLS_WHY_BYTES]; /* the trouble that was logged last since it was up */
    uint64_t logged_us;
    void *user;
};

/* net.c */
/* A bufferevent that speaks TLS on `fd`, with the callbacks that are given; takes `fd` only when it succeeds.
 * NULL: no memory. */
struct bufferevent *net_bufferevent_new(struct net *net, int fd, struct tls_peer *peer, bool dialled,
                                        bufferevent_data_cb readable, bufferevent_event_cb event,
                                        void *context);
/* Why a bufferevent's event callback was called with `what`, in words. */
void net_explain(struct bufferevent *bev, short what, const struct tls_peer *peer, bool handshake,
                 char why[TLS_WHY_BYTES]);
/* One-shot timer in `us`. */
void net_timer_set(struct event *timer, uint64_t us);

/* conn.c */
void net_conn_accept(struct net *net, int fd, const struct sockaddr *address, socklen_t size);
void net_conn_destroy(struct net_conn *conn); /* no callback */

#endif
