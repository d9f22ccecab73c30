#include "agent/rebuild/relay.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/net/sockets.h"

#define TICK_MS 50u
#define BURST_TICKS 4u            /* what a thread that was held up may make good: 200 ms' worth */
#define WAITING_BYTES_MAX 262144u /* read and not yet taken by the other side */
#define SILENCE_MS 30000u

/* One connection of our server's and the one to the donor that belongs to it. */
struct pair {
    struct relay *relay;
    struct bufferevent *near, *far;
    struct pair *next;
};

struct relay {
    struct event_base *base;
    struct evconnlistener *listener;
    struct event *stop_event;
    struct ev_token_bucket_cfg *rate;
    struct bufferevent_rate_limit_group *group;
    struct pair *pairs;
    unsigned pair_count, port;
    int stop_fd;
    struct sockaddr_storage donor;
    socklen_t donor_size;
    _Atomic uint64_t bytes;
    pthread_t thread;
    bool running;
};

static void free_pair(struct pair *pair)
{
    struct relay *relay = pair->relay;
    struct pair **link = &relay->pairs;

    while (*link != pair)
        link = &(*link)->next;
    *link = pair->next;
    relay->pair_count--;
    if (pair->near)
        bufferevent_free(pair->near);
    if (pair->far) {
        bufferevent_remove_from_rate_limit_group(pair->far);
        bufferevent_free(pair->far);
    }
    free(pair);
}

static struct bufferevent *other(const struct pair *pair, const struct bufferevent *side)
{
    return side == pair->near ? pair->far : pair->near;
}

static void on_read(struct bufferevent *from, void *arg)
{
    struct pair *pair = arg;
    struct bufferevent *to = other(pair, from);

    if (from == pair->far)
        atomic_fetch_add(&pair->relay->bytes, evbuffer_get_length(bufferevent_get_input(from)));
    bufferevent_write_buffer(to, bufferevent_get_input(from));
    if (evbuffer_get_length(bufferevent_get_output(to)) > WAITING_BYTES_MAX)
        bufferevent_disable(from, EV_READ);
}

/* All that waited is written. */
static void on_written(struct bufferevent *to, void *arg)
{
    bufferevent_enable(other(arg, to), EV_READ);
}

static void on_last_written(struct bufferevent *to, void *arg)
{
    (void)to;
    free_pair(arg);
}

static void on_end_of_last(struct bufferevent *side, short what, void *arg)
{
    (void)side;
    (void)what;
    free_pair(arg);
}

static void on_event(struct bufferevent *side, short what, void *arg)
{
    struct pair *pair = arg;
    struct bufferevent *to = other(pair, side);

    if (what & BEV_EVENT_CONNECTED) {
        sockets_prepare(bufferevent_getfd(side), SILENCE_MS);
        return;
    }
    if (what & BEV_EVENT_ERROR)
        log_debug("relay: %s: %s", side == pair->far ? "the donor" : "this server",
                  evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    on_read(side, pair); /* what had come before the end */
    if (evbuffer_get_length(bufferevent_get_output(to)) == 0) {
        free_pair(pair);
        return;
    }
    bufferevent_disable(side, EV_READ | EV_WRITE);
    bufferevent_disable(to, EV_READ);
    bufferevent_setcb(to, NULL, on_last_written, on_end_of_last, pair);
}

static bool join_donor(struct pair *pair, evutil_socket_t fd)
{
    struct relay *relay = pair->relay;

    pair->near = bufferevent_socket_new(relay->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!pair->near) {
        evutil_closesocket(fd);
        return false;
    }
    pair->far = bufferevent_socket_new(relay->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!pair->far || bufferevent_add_to_rate_limit_group(pair->far, relay->group) != 0)
        return false;
    sockets_prepare(fd, SILENCE_MS);
    /* before the callbacks are set: an error that is there at once is ours, and not on_event's, which frees
     */
    if (bufferevent_socket_connect(pair->far, (struct sockaddr *)&relay->donor, (int)relay->donor_size) != 0)
        return false;
    bufferevent_setcb(pair->near, on_read, on_written, on_event, pair);
    bufferevent_setcb(pair->far, on_read, on_written, on_event, pair);
    return bufferevent_enable(pair->near, EV_READ) == 0 && bufferevent_enable(pair->far, EV_READ) == 0;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size,
                      void *arg)
{
    struct relay *relay = arg;
    struct pair *pair = relay->pair_count < RELAY_CONNECTIONS_MAX ? calloc(1, sizeof *pair) : NULL;

    (void)listener;
    (void)address;
    (void)size;
    if (!pair) {
        evutil_closesocket(fd);
        return;
    }
    *pair = (struct pair){.relay = relay, .next = relay->pairs};
    relay->pairs = pair;
    relay->pair_count++;
    if (!join_donor(pair, fd))
        free_pair(pair);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    struct relay *relay = arg;

    (void)fd;
    (void)what;
    event_base_loopbreak(relay->base);
}

static void *run(void *arg)
{
    struct relay *relay = arg;

    event_base_dispatch(relay->base);
    return NULL;
}

static enum error_code listen_here(struct relay *relay, struct error *err)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;

    relay->listener =
        evconnlistener_new_bind(relay->base, on_accept, relay, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
                                -1, (struct sockaddr *)&here, sizeof here);
    if (!relay->listener ||
        getsockname(evconnlistener_get_fd(relay->listener), (struct sockaddr *)&here, &size) != 0)
        return error_set(err, ERR_IO, "cannot listen on 127.0.0.1: %s", strerror(errno));
    relay->port = ntohs(here.sin_port);
    return ERR_OK;
}

static enum error_code make(struct relay *relay, unsigned rate_mb, struct error *err)
{
    size_t tick_bytes = (size_t)rate_mb * 1000 * TICK_MS;
    struct timeval tick = {.tv_usec = TICK_MS * 1000};
    enum error_code code;

    relay->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (relay->stop_fd < 0)
        return error_set(err, ERR_IO, "eventfd: %s", strerror(errno));
    relay->base = event_base_new();
    if (!relay->base)
        return error_set(err, ERR_NO_MEMORY, "no memory for the relay");
    relay->rate = ev_token_bucket_cfg_new(tick_bytes, BURST_TICKS * tick_bytes, EV_RATE_LIMIT_MAX,
                                          EV_RATE_LIMIT_MAX, &tick);
    if (relay->rate)
        relay->group = bufferevent_rate_limit_group_new(relay->base, relay->rate);
    relay->stop_event = event_new(relay->base, relay->stop_fd, EV_READ, on_stop, relay);
    if (!relay->group || !relay->stop_event || event_add(relay->stop_event, NULL) != 0)
        return error_set(err, ERR_NO_MEMORY, "no memory for the relay");
    code = listen_here(relay, err);
    if (code == ERR_OK && pthread_create(&relay->thread, NULL, run, relay) != 0)
        code = error_set(err, ERR_NO_MEMORY, "no thread for the relay");
    relay->running = code == ERR_OK;
    return code;
}

enum error_code relay_start(struct relay **out, const struct sockaddr *donor, socklen_t size,
                            unsigned rate_mb, struct error *err)
{
    struct relay *relay = calloc(1, sizeof *relay);
    enum error_code code;

    *out = NULL;
    if (!relay || size > sizeof relay->donor) {
        free(relay);
        return error_set(err, ERR_NO_MEMORY, "no memory for the relay");
    }
    memcpy(&relay->donor, donor, size);
    relay->donor_size = size;
    code = make(relay, rate_mb, err);
    if (code == ERR_OK)
        *out = relay;
    else
        relay_stop(relay);
    return code;
}

unsigned relay_port(const struct relay *relay)
{
    return relay->port;
}

uint64_t relay_bytes(const struct relay *relay)
{
    return atomic_load(&relay->bytes);
}

void relay_stop(struct relay *relay)
{
    uint64_t one = 1;

    if (!relay)
        return;
    if (relay->running) {
        if (write(relay->stop_fd, &one, sizeof one) < 0)
            log_error("eventfd: %s", strerror(errno));
        pthread_join(relay->thread, NULL);
    }
    while (relay->pairs)
        free_pair(relay->pairs);
    if (relay->listener)
        evconnlistener_free(relay->listener);
    if (relay->stop_event)
        event_free(relay->stop_event);
    if (relay->group)
        bufferevent_rate_limit_group_free(relay->group);
    if (relay->rate)
        ev_token_bucket_cfg_free(relay->rate);
    if (relay->base)
        event_base_free(relay->base);
    if (relay->stop_fd >= 0)
        close(relay->stop_fd);
    free(relay);
}
