/* Dialled connections: wait, resolve, connect, shake hands, stay up; on any failure wait again. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/log.h"
#include "common/net/frames.h"
#include "common/net/internal.h"

#define BACKOFF_LEAST_US MS_TO_US(20)
#define STEADY_US MS_TO_US(1000) /* a link that was up for so long starts again with the least backoff */
#define RESOLVE_MS 2000
#define LOG_INTERVAL_US MS_TO_US(60000)

/* Between 3/4 and 5/4 of it, so that two nodes that lost each other do not dial in step. */
static uint64_t jitter(uint64_t us)
{
    uint32_t random;

    evutil_secure_rng_get_bytes(&random, sizeof random);
    return us - us / 4 + random % (us / 2 + 1);
}

static void drop_connection(struct net_link *link)
{
    event_del(link->timer);
    if (link->resolving) {
        evdns_getaddrinfo_cancel(link->resolving); /* calls back with EVUTIL_EAI_CANCEL, maybe later */
        link->resolving = NULL;
    }
    if (link->writable) {
        event_free(link->writable);
        link->writable = NULL;
    }
    if (link->fd >= 0) {
        close(link->fd);
        link->fd = -1;
    }
    if (link->bev) {
        bufferevent_free(link->bev);
        link->bev = NULL;
    }
}

static void wait_and_dial(struct net_link *link, uint64_t wait_us)
{
    link->state = LINK_WAITING;
    net_timer_set(link->timer, wait_us);
}

static void back_off(struct net_link *link)
{
    uint64_t most_us = MS_TO_US(link->group->silence_ms / 2);
    uint64_t wait_us;

    if (link->state == LINK_UP && clock_now_us() - link->up_us >= STEADY_US)
        link->backoff_us = BACKOFF_LEAST_US;
    wait_us = jitter(link->backoff_us);
    link->backoff_us = link->backoff_us * 2 < most_us ? link->backoff_us * 2 : most_us;
    drop_connection(link);
    wait_and_dial(link, wait_us);
}

/* Once per trouble since the link was up, and no more than one line a minute. */
static void log_trouble(struct net_link *link)
{
    uint64_t now_us = clock_now_us();

    if (strcmp(link->logged, link->trouble) == 0 ||
        (link->logged_us && now_us - link->logged_us < LOG_INTERVAL_US))
        return;
    log_info("%s, cluster \"%s\": no connection: %s; dialling on", link->address, link->group->cluster,
             link->trouble);
    memcpy(link->logged, link->trouble, sizeof link->logged);
    link->logged_us = now_us;
}

static void fail(struct net_link *link, const char *why)
{
    const struct net_group *group = link->group;
    bool was_up = link->state == LINK_UP;
    bool silence = link->state == LINK_CONNECTING && strcmp(why, strerror(ETIMEDOUT)) == 0;

    if (why != link->trouble)
        snprintf(link->trouble, sizeof link->trouble, "%s", why);
    if (silence) {
        /* The wait was long enough; whoever answers again shall be found at once. */
        drop_connection(link);
        wait_and_dial(link, jitter(BACKOFF_LEAST_US));
    } else {
        back_off(link);
    }
    if (!was_up) {
        log_trouble(link);
        return;
    }
    link->busy = true;
    group->callbacks->link_down(group->context, link, link->trouble);
    link->busy = false;
    if (link->freed)
        net_link_free(link);
}

/* ---- up ---- */

/* After a callback of the owner. false: the connection `bev` is gone, and maybe the link. */
static bool still_up(struct net_link *link, const struct bufferevent *bev)
{
    link->busy = false;
    if (link->freed) {
        net_link_free(link);
        return false;
    }
    return link->bev == bev;
}

static void on_readable(struct bufferevent *bev, void *context)
{
    struct net_link *link = context;
    const struct net_group *group = link->group;
    const uint8_t *data;
    size_t size;
    char why[TLS_WHY_BYTES];

    if (link->state != LINK_UP)
        return;
    for (unsigned i = 0; i < NET_FRAMES_PER_TURN; i++) {
        switch (frames_next(bev, NET_FRAME_BYTES_MAX, &data, &size)) {
        case FRAMES_NONE:
            return;
        case FRAMES_BAD:
            snprintf(
                why, sizeof why,
                "it sent a frame of %zu bytes, and 1 to %d are allowed; is its version the same as ours?",
                size, NET_FRAME_BYTES_MAX);
            fail(link, why);
            return;
        case FRAMES_ONE:
            link->busy = true;
            group->callbacks->link_frame(group->context, link, data, size);
            if (!still_up(link, bev))
                return;
            frames_drain(bev, size);
        }
    }
    bufferevent_trigger(bev, EV_READ, 0); /* the rest in the next turn */
}

static void on_event(struct bufferevent *bev, short what, void *context)
{
    struct net_link *link = context;
    const struct net_group *group = link->group;

    if (!(what & BEV_EVENT_CONNECTED)) {
        net_explain(bev, what, &link->peer, link->state == LINK_HANDSHAKE, link->trouble);
        fail(link, link->trouble);
        return;
    }
    if (!tls_authenticated(bufferevent_openssl_get_ssl(bev), &link->peer)) {
        fail(link, "it did not prove that it knows the cluster's key; is the address right?");
        return;
    }
    event_del(link->timer);
    link->state = LINK_UP;
    link->up_us = clock_now_us();
    link->trouble[0] = '\0';
    link->logged[0] = '\0';
    link->logged_us = 0;
    link->busy = true;
    group->callbacks->link_up(group->context, link);
    still_up(link, bev);
}

/* ---- dialling ---- */

static void begin_handshake(struct net_link *link)
{
    event_free(link->writable);
    link->writable = NULL;
    sockets_prepare(link->fd, link->group->silence_ms);
    link->bev =
        net_bufferevent_new(link->group->net, link->fd, &link->peer, true, on_readable, on_event, link);
    if (!link->bev) {
        fail(link, strerror(ENOMEM));
        return;
    }
    link->fd = -1;
    link->state = LINK_HANDSHAKE;
    net_timer_set(link->timer, MS_TO_US(NET_HANDSHAKE_MS));
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct net_link *link = context;
    int failed = 0;
    socklen_t size = sizeof failed;

    (void)what;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0)
        failed = errno;
    if (failed)
        fail(link, strerror(failed));
    else
        begin_handshake(link);
}

static void connect_to(struct net_link *link)
{
    link->state = LINK_CONNECTING;
    link->fd = socket(link->sockaddr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0 || (connect(link->fd, (struct sockaddr *)&link->sockaddr, link->sockaddr_size) != 0 &&
                         errno != EINPROGRESS)) {
        fail(link, strerror(errno));
        return;
    }
    link->writable = event_new(link->group->net->base, link->fd, EV_WRITE, on_writable, link);
    if (!link->writable || event_add(link->writable, NULL) != 0) {
        fail(link, strerror(ENOMEM));
        return;
    }
    /* By default half a second, longer than any round trip on the ground; a lost SYN is sent again by the
     * next dial. */
    net_timer_set(link->timer, MS_TO_US(link->group->silence_ms / 4));
}

static void on_resolved(int failed, struct evutil_addrinfo *found, void *context)
{
    struct net_link *link = context;
    struct evutil_addrinfo *use = found;
    unsigned count = 0;
    char why[TLS_WHY_BYTES];

    if (failed == EVUTIL_EAI_CANCEL)
        return; /* `link` may be gone */
    link->resolving = NULL;
    for (struct evutil_addrinfo *one = found; one; one = one->ai_next)
        count++;
    if (failed || count == 0) {
        snprintf(why, sizeof why, "the name \"%s\" cannot be resolved: %s", link->host,
                 evutil_gai_strerror(failed));
        fail(link, why);
        return;
    }
    for (unsigned skip = link->turn++ % count; skip > 0; skip--)
        use = use->ai_next;
    memcpy(&link->sockaddr, use->ai_addr, use->ai_addrlen);
    link->sockaddr_size = (socklen_t)use->ai_addrlen;
    evutil_freeaddrinfo(found);
    event_del(link->timer);
    connect_to(link);
}

static void resolve(struct net_link *link)
{
    struct net *net = link->group->net;
    struct evutil_addrinfo hints = {
        .ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC, .ai_protocol = IPPROTO_TCP};
    struct evdns_getaddrinfo_request *request;

    link->state = LINK_RESOLVING;
    if (!net->dns)
        net->dns =
            evdns_base_new(net->base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (!net->dns) {
        fail(link, "no name server is configured in /etc/resolv.conf; write the address as a number");
        return;
    }
    net_timer_set(link->timer, MS_TO_US(RESOLVE_MS));
    request = evdns_getaddrinfo(net->dns, link->host, link->port, &hints, on_resolved, link);
    if (link->state == LINK_RESOLVING)
        link->resolving = request; /* else it has called back already */
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct net_link *link = context;
    char why[TLS_WHY_BYTES];

    (void)fd;
    (void)what;
    switch (link->state) {
    case LINK_WAITING:
        if (link->host)
            resolve(link);
        else
            connect_to(link);
        return;
    case LINK_RESOLVING:
        snprintf(why, sizeof why, "the name \"%s\" was not resolved in %d ms", link->host, RESOLVE_MS);
        fail(link, why);
        return;
    case LINK_CONNECTING:
        fail(link, strerror(ETIMEDOUT));
        return;
    case LINK_HANDSHAKE:
        fail(link, "it accepted the connection, but did not finish the handshake in time; is it hanging, or "
                   "no member?");
        return;
    case LINK_UP:
        return;
    }
}

/* ---- for the owner ---- */

static bool set_address(struct net_link *link, const char *address)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found;
    char host[256];
    unsigned port;

    if (!config_parse_address(address, host, sizeof host, &port) || port == 0)
        return false;
    snprintf(link->port, sizeof link->port, "%u", port & 0xffffu);
    link->address = strdup(address);
    if (getaddrinfo(host, link->port, &hints, &found) == 0) {
        memcpy(&link->sockaddr, found->ai_addr, found->ai_addrlen);
        link->sockaddr_size = found->ai_addrlen;
        freeaddrinfo(found);
        return true;
    }
    link->host = strdup(host);
    return true;
}

enum error_code net_link_new(struct net_group *group, const char *address, void *user, struct net_link **out,
                             struct error *err)
{
    struct net_link *link = calloc(1, sizeof *link);

    if (!link)
        return error_set(err, ERR_NO_MEMORY, "no memory for a link to %s", address);
    LIST_INSERT_HEAD(&group->links, link, entry);
    link->group = group;
    link->peer = (struct tls_peer){.net = group->net, .group = group, .dialled = true};
    link->fd = -1;
    link->backoff_us = BACKOFF_LEAST_US;
    link->user = user;
    snprintf(link->trouble, sizeof link->trouble, "not dialled yet");
    link->timer = evtimer_new(group->net->base, on_timer, link);
    if (!set_address(link, address)) {
        net_link_free(link);
        return error_set(err, ERR_INVALID,
                         "\"%s\" is not an address to connect to; write host:port or [v6]:port", address);
    }
    if (!link->timer || !link->address || (!link->host && !link->sockaddr_size)) {
        net_link_free(link);
        return error_set(err, ERR_NO_MEMORY, "no memory for a link to %s", address);
    }
    wait_and_dial(link, 0);
    *out = link;
    return ERR_OK;
}

void net_link_free(struct net_link *link)
{
    if (!link)
        return;
    if (link->busy) {
        link->freed = true;
        return;
    }
    if (link->timer)
        drop_connection(link);
    LIST_REMOVE(link, entry);
    if (link->timer)
        event_free(link->timer);
    free(link->address);
    free(link->host);
    free(link);
}

void *net_link_user(const struct net_link *link)
{
    return link->user;
}

bool net_link_up(const struct net_link *link)
{
    return link->state == LINK_UP;
}

bool net_link_send(struct net_link *link, const void *data, size_t size)
{
    return link->state == LINK_UP && size <= NET_FRAME_BYTES_MAX &&
           frames_send(link->bev, data, size, NET_QUEUE_BYTES_MAX);
}

void net_link_reset(struct net_link *link)
{
    if (link->state != LINK_UP)
        return;
    snprintf(link->trouble, sizeof link->trouble, "reset by us");
    back_off(link);
}

void net_link_hurry(struct net_link *link)
{
    if (link->state == LINK_WAITING)
        net_timer_set(link->timer, BACKOFF_LEAST_US);
}

const char *net_link_trouble(const struct net_link *link)
{
    return link->trouble;
}
