#include "common/net/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/log.h"
#include "common/net/frames.h"
#include "common/net/internal.h"

#define LISTEN_BACKLOG 128
#define ACCEPT_AGAIN_MS 100

/* ---- what conn.c and link.c use ---- */

struct net_group *net_find_group(struct net *net, const char *identity, size_t size)
{
    struct net_group *group;

    LIST_FOREACH(group, &net->groups, entry)
    {
        if (strlen(group->cluster) == size && memcmp(group->cluster, identity, size) == 0)
            return group;
    }
    return NULL;
}

SSL_SESSION *net_group_psk(const struct net_group *group)
{
    return group->psk;
}

const char *net_group_cluster(const struct net_group *group)
{
    return group->cluster;
}

struct bufferevent *net_bufferevent_new(struct net *net, int fd, struct tls_peer *peer, bool dialled,
                                        bufferevent_data_cb readable, bufferevent_event_cb event,
                                        void *context)
{
    SSL *ssl = tls_ssl_new(net->tls, peer);
    struct bufferevent *bev;

    if (!ssl)
        return NULL;
    /* Deferred: a callback that sends or closes never finds itself inside libevent's own reading or writing.
     */
    bev = bufferevent_openssl_socket_new(net->base, fd, ssl,
                                         dialled ? BUFFEREVENT_SSL_CONNECTING : BUFFEREVENT_SSL_ACCEPTING,
                                         BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!bev) {
        SSL_free(ssl);
        return NULL;
    }
    frames_open(bev);
    bufferevent_setcb(bev, readable, NULL, event, context);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    return bev;
}

void net_explain(struct bufferevent *bev, short what, const struct tls_peer *peer, bool handshake,
                 char why[TLS_WHY_BYTES])
{
    int os_error = EVUTIL_SOCKET_ERROR();
    unsigned long tls_error = bufferevent_get_openssl_error(bev);

    if (ERR_SYSTEM_ERROR(tls_error)) { /* the socket's, told by way of OpenSSL */
        os_error = ERR_GET_REASON(tls_error);
        tls_error = 0;
    } else if (ERR_GET_LIB(tls_error) <= ERR_LIB_NONE) { /* libevent's own mark for "see errno" */
        tls_error = 0;
    }
    if (tls_error != 0 && handshake)
        tls_explain(peer, tls_error, why);
    else if (tls_error != 0)
        snprintf(why, TLS_WHY_BYTES, "what arrived is damaged or was tampered with (TLS error %lu)",
                 tls_error);
    else if (what & BEV_EVENT_EOF || os_error == 0)
        snprintf(
            why, TLS_WHY_BYTES,
            handshake && peer->dialled ? "it closed the connection during the handshake; its log may say why"
            : handshake
                ? "it closed the connection before it had said who it is (a port scan or a health check?)"
                : "it closed the connection");
    else
        snprintf(why, TLS_WHY_BYTES, "%s", strerror(os_error));
}

void net_timer_set(struct event *timer, uint64_t us)
{
    struct timeval delay = {.tv_sec = (time_t)(us / 1000000u), .tv_usec = (suseconds_t)(us % 1000000u)};

    event_add(timer, &delay);
}

/* ---- the listener ---- */

static void accept_again(evutil_socket_t fd, short what, void *context)
{
    struct net *net = context;

    (void)fd;
    (void)what;
    evconnlistener_enable(net->listener);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size,
                      void *context)
{
    (void)listener;
    net_conn_accept(context, fd, address, (socklen_t)size);
}

/* Out of descriptors, mostly: without a rest the loop would spin on the socket that stays readable. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    struct net *net = context;
    struct net_conn *oldest = TAILQ_FIRST(&net->strangers);

    refusals_log(&net->refusals, clock_now_us(), "a peer", strerror(EVUTIL_SOCKET_ERROR()));
    if (oldest)
        net_conn_destroy(oldest);
    evconnlistener_disable(listener);
    net_timer_set(net->accept_again, MS_TO_US(ACCEPT_AGAIN_MS));
}

static unsigned local_port(int fd)
{
    struct sockaddr_storage local;
    socklen_t size = sizeof local;

    if (getsockname(fd, (struct sockaddr *)&local, &size) != 0)
        return 0;
    if (local.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&local)->sin6_port);
    return ntohs(((struct sockaddr_in *)&local)->sin_port);
}

enum error_code net_listen(struct net *net, const char *address, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[256];
    char service[8];
    unsigned port;
    int failed;

    if (net->listener)
        return error_set(err, ERR_INVALID, "already listening on port %u", net->port);
    if (!config_parse_address(address, host, sizeof host, &port))
        return error_set(err, ERR_INVALID,
                         "\"%s\" is not an address to listen on; write host:port or [v6]:port", address);
    snprintf(service, sizeof service, "%u", port);
    failed = getaddrinfo(host, service, &hints, &found);
    if (failed)
        return error_set(err, ERR_INVALID, "cannot listen on %s: %s; give one of this host's own addresses",
                         address, gai_strerror(failed));
    net->listener = evconnlistener_new_bind(net->base, on_accept, net,
                                            LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
                                            LISTEN_BACKLOG, found->ai_addr, (int)found->ai_addrlen);
    failed = errno;
    freeaddrinfo(found);
    if (!net->listener)
        return error_set(err, failed == EADDRINUSE ? ERR_BUSY : ERR_IO, "cannot listen on %s: %s%s", address,
                         strerror(failed),
                         failed == EADDRINUSE      ? "; is another agent or arbiter running?"
                         : failed == EADDRNOTAVAIL ? "; give one of this host's own addresses"
                                                   : "");
    evconnlistener_set_error_cb(net->listener, on_accept_error);
    net->port = local_port(evconnlistener_get_fd(net->listener));
    return ERR_OK;
}

unsigned net_port(const struct net *net)
{
    return net->port;
}

/* ---- the net and its groups ---- */

enum error_code net_new(struct event_base *base, struct net **out, struct error *err)
{
    struct net *net = calloc(1, sizeof *net);
    enum error_code failed;

    if (!net)
        return error_set(err, ERR_NO_MEMORY, "no memory for the network");
    net->base = base;
    LIST_INIT(&net->groups);
    TAILQ_INIT(&net->strangers);
    TAILQ_INIT(&net->closing);
    net->accept_again = evtimer_new(base, accept_again, net);
    failed = net->accept_again ? tls_context_new(&net->tls, err)
                               : error_set(err, ERR_NO_MEMORY, "no memory for the network");
    if (failed) {
        net_free(net);
        return failed;
    }
    signal(SIGPIPE, SIG_IGN);
    *out = net;
    return ERR_OK;
}

void net_free(struct net *net)
{
    if (!net)
        return;
    while (!LIST_EMPTY(&net->groups))
        net_group_free(LIST_FIRST(&net->groups));
    while (!TAILQ_EMPTY(&net->strangers))
        net_conn_destroy(TAILQ_FIRST(&net->strangers));
    while (!TAILQ_EMPTY(&net->closing))
        net_conn_destroy(TAILQ_FIRST(&net->closing));
    if (net->listener)
        evconnlistener_free(net->listener);
    if (net->dns)
        evdns_base_free(net->dns, 0);
    if (net->accept_again)
        event_free(net->accept_again);
    SSL_CTX_free(net->tls);
    free(net);
}

enum error_code net_group_new(struct net *net, const char *cluster, const uint8_t key[NET_KEY_BYTES],
                              const struct net_callbacks *callbacks, void *context, struct net_group **out,
                              struct error *err)
{
    struct net_group *group;

    if (cluster[0] == '\0' || strlen(cluster) >= NET_CLUSTER_BYTES)
        return error_set(err, ERR_INVALID, "\"%s\" cannot be a cluster's name; give 1 to %d characters",
                         cluster, NET_CLUSTER_BYTES - 1);
    if (net_find_group(net, cluster, strlen(cluster)))
        return error_set(err, ERR_INVALID, "cluster \"%s\" is served here already; name each cluster once",
                         cluster);
    group = calloc(1, sizeof *group);
    if (group)
        group->psk = tls_psk_new(net->tls, key);
    if (!group || !group->psk) {
        free(group);
        return error_set(err, ERR_NO_MEMORY, "no memory for cluster \"%s\"", cluster);
    }
    group->net = net;
    memcpy(group->cluster, cluster, strlen(cluster) + 1);
    group->silence_ms = NET_SILENCE_MS;
    group->callbacks = callbacks;
    group->context = context;
    TAILQ_INIT(&group->conns);
    LIST_INIT(&group->links);
    LIST_INSERT_HEAD(&net->groups, group, entry);
    *out = group;
    return ERR_OK;
}

void net_group_set_silence(struct net_group *group, uint64_t silence_ms)
{
    if (silence_ms > NET_SILENCE_MS)
        silence_ms = NET_SILENCE_MS;
    if (silence_ms < NET_SILENCE_LEAST_MS)
        silence_ms = NET_SILENCE_LEAST_MS;
    group->silence_ms = (unsigned)silence_ms;
}

/* Connections in `list` that were to become, or have been, this group's. */
static void destroy_conns_of(struct net_conn_list *list, const struct net_group *group)
{
    struct net_conn *conn = TAILQ_FIRST(list);

    while (conn) {
        struct net_conn *next = TAILQ_NEXT(conn, entry);
        if (conn->peer.group == group)
            net_conn_destroy(conn);
        conn = next;
    }
}

void net_group_free(struct net_group *group)
{
    if (!group)
        return;
    while (!LIST_EMPTY(&group->links))
        net_link_free(LIST_FIRST(&group->links));
    destroy_conns_of(&group->conns, group);
    destroy_conns_of(&group->net->strangers, group);
    destroy_conns_of(&group->net->closing, group);
    LIST_REMOVE(group, entry);
    SSL_SESSION_free(group->psk);
    free(group);
}
