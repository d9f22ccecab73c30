/* Accepted connections: strangers until their handshake is done, then a group's, then gone. */
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/frames.h"
#include "common/net/internal.h"

static void list_remove(struct net_conn *conn)
{
    switch (conn->state) {
    case CONN_STRANGER:
        TAILQ_REMOVE(&conn->net->strangers, conn, entry);
        conn->net->stranger_count--;
        break;
    case CONN_OPEN:
        TAILQ_REMOVE(&conn->peer.group->conns, conn, entry);
        conn->peer.group->conn_count--;
        break;
    case CONN_CLOSING:
        TAILQ_REMOVE(&conn->net->closing, conn, entry);
        break;
    }
}

void net_conn_destroy(struct net_conn *conn)
{
    list_remove(conn);
    if (conn->bev)
        bufferevent_free(conn->bev);
    if (conn->deadline)
        event_free(conn->deadline);
    free(conn);
}

/* The end that the owner did not ask for. */
static void lose(struct net_conn *conn, const char *why)
{
    if (conn->state == CONN_STRANGER)
        refusals_log(&conn->net->refusals, clock_now_us(), conn->address, why);
    if (conn->state == CONN_OPEN) {
        const struct net_group *group = conn->peer.group;
        conn->busy = true; /* a net_conn_close in there is one too many, but harmless */
        group->callbacks->closed(group->context, conn, why);
        conn->busy = false;
    }
    net_conn_destroy(conn);
}

static void on_flushed(struct bufferevent *bev, void *context)
{
    struct net_conn *conn = context;

    if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
        net_conn_destroy(conn);
}

static void close_after_flush(struct net_conn *conn)
{
    list_remove(conn);
    conn->state = CONN_CLOSING;
    TAILQ_INSERT_TAIL(&conn->net->closing, conn, entry);
    if (evbuffer_get_length(bufferevent_get_output(conn->bev)) == 0) {
        net_conn_destroy(conn);
        return;
    }
    bufferevent_disable(conn->bev, EV_READ);
    bufferevent_event_cb event;
    bufferevent_getcb(conn->bev, NULL, NULL, &event, NULL);
    bufferevent_setcb(conn->bev, NULL, on_flushed, event, conn);
    net_timer_set(conn->deadline, MS_TO_US(NET_HANDSHAKE_MS));
}

/* After each callback of the owner. false: the connection is gone. */
static bool still_open(struct net_conn *conn)
{
    conn->busy = false;
    if (!conn->closed)
        return true;
    close_after_flush(conn);
    return false;
}

static void on_readable(struct bufferevent *bev, void *context)
{
    struct net_conn *conn = context;
    const struct net_group *group = conn->peer.group;
    const uint8_t *data;
    size_t size;
    char why[TLS_WHY_BYTES];

    if (conn->state != CONN_OPEN)
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
            refusals_log(&conn->net->refusals, clock_now_us(), conn->address, why);
            lose(conn, why);
            return;
        case FRAMES_ONE:
            conn->heard = true;
            event_del(conn->deadline);
            conn->busy = true;
            group->callbacks->frame(group->context, conn, data, size);
            frames_drain(bev, size);
            if (!still_open(conn))
                return;
        }
    }
    bufferevent_trigger(bev, EV_READ, 0); /* the rest in the next turn */
}

static void on_authenticated(struct net_conn *conn)
{
    struct net_group *group = conn->peer.group;

    if (group->conn_count >= NET_CONNS_MAX) {
        lose(conn, "more connections of one cluster are open than its members can need; are two nodes "
                   "configured alike?");
        return;
    }
    list_remove(conn);
    conn->state = CONN_OPEN;
    sockets_prepare(bufferevent_getfd(conn->bev), group->silence_ms);
    TAILQ_INSERT_TAIL(&group->conns, conn, entry);
    group->conn_count++;
    conn->busy = true;
    group->callbacks->accepted(group->context, conn);
    still_open(conn);
}

static void on_event(struct bufferevent *bev, short what, void *context)
{
    struct net_conn *conn = context;
    char why[TLS_WHY_BYTES];

    if (what & BEV_EVENT_CONNECTED) {
        if (tls_authenticated(bufferevent_openssl_get_ssl(bev), &conn->peer))
            on_authenticated(conn);
        else
            lose(conn, "its handshake did not prove that it knows a cluster's key");
        return;
    }
    net_explain(bev, what, &conn->peer, conn->state == CONN_STRANGER, why);
    lose(conn, why);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    struct net_conn *conn = context;
    char why[TLS_WHY_BYTES];

    (void)fd;
    (void)what;
    snprintf(why, sizeof why, "it was silent for %d ms at the start (a port scan?)", NET_HANDSHAKE_MS);
    if (conn->state == CONN_OPEN)
        refusals_log(&conn->net->refusals, clock_now_us(), conn->address, why);
    lose(conn, why);
}

void net_conn_accept(struct net *net, int fd, const struct sockaddr *address, socklen_t size)
{
    struct net_conn *conn = calloc(1, sizeof *conn);

    if (!conn) {
        close(fd);
        return;
    }
    conn->net = net;
    conn->peer.net = net;
    sockets_address_text(address, size, conn->address);
    if (net->stranger_count >= NET_STRANGERS_MAX) {
        struct net_conn *oldest = TAILQ_FIRST(&net->strangers);
        lose(oldest, "too many connections are open that have not said who they are, and it is the oldest");
    }
    conn->state = CONN_STRANGER;
    TAILQ_INSERT_TAIL(&net->strangers, conn, entry);
    net->stranger_count++;
    sockets_prepare(fd, NET_SILENCE_MS);
    conn->deadline = evtimer_new(net->base, on_deadline, conn);
    if (conn->deadline)
        conn->bev = net_bufferevent_new(net, fd, &conn->peer, false, on_readable, on_event, conn);
    if (!conn->bev) {
        close(fd);
        net_conn_destroy(conn);
        return;
    }
    net_timer_set(conn->deadline, MS_TO_US(NET_HANDSHAKE_MS));
}

bool net_conn_send(struct net_conn *conn, const void *data, size_t size)
{
    return conn->state == CONN_OPEN && !conn->closed && size <= NET_FRAME_BYTES_MAX &&
           frames_send(conn->bev, data, size, NET_QUEUE_BYTES_MAX);
}

void net_conn_close(struct net_conn *conn)
{
    if (conn->busy)
        conn->closed = true;
    else
        close_after_flush(conn);
}

void net_conn_set_user(struct net_conn *conn, void *user)
{
    conn->user = user;
}

void *net_conn_user(const struct net_conn *conn)
{
    return conn->user;
}

const char *net_conn_peer_address(const struct net_conn *conn)
{
    return conn->address;
}
