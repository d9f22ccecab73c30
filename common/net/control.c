#include "common/net/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/net/frames.h"

#define LISTEN_BACKLOG 16
#define ACCEPT_AGAIN_MS 100

struct control_client {
    LIST_ENTRY(control_client) entry;
    struct control *control;
    struct bufferevent *bev;
    struct control_request *request; /* the one that is being answered; NULL: none */
};

struct control_request {
    struct control_client *client; /* NULL: gone */
};

LIST_HEAD(control_client_list, control_client);

struct control {
    struct event_base *base;
    struct evconnlistener *listener;
    struct event *accept_again;
    control_handler handler;
    void *context;
    struct control_client_list clients;
    unsigned client_count;
    struct sockaddr_un address;
};

static void destroy(struct control_client *client)
{
    if (client->request)
        client->request->client = NULL;
    LIST_REMOVE(client, entry);
    client->control->client_count--;
    bufferevent_free(client->bev);
    free(client);
}

static void watch_idleness(struct control_client *client, bool on)
{
    static const struct timeval idle = {.tv_sec = CONTROL_IDLE_MS / 1000,
                                        .tv_usec = CONTROL_IDLE_MS % 1000 * 1000};

    bufferevent_set_timeouts(client->bev, on ? &idle : NULL, &idle);
}

static void on_readable(struct bufferevent *bev, void *context)
{
    struct control_client *client = context;
    struct control *control = client->control;
    struct control_request *request;
    const uint8_t *data;
    size_t size;

    if (client->request)
        return; /* one at a time; control_reply looks again */
    switch (frames_next(bev, CONTROL_REQUEST_BYTES_MAX, &data, &size)) {
    case FRAMES_NONE:
        return;
    case FRAMES_BAD:
        log_warning("control socket: a client sent a frame of %zu bytes, and 1 to %d are allowed; closed",
                    size, CONTROL_REQUEST_BYTES_MAX);
        destroy(client);
        return;
    case FRAMES_ONE:
        break;
    }
    request = calloc(1, sizeof *request);
    if (!request) {
        destroy(client);
        return;
    }
    request->client = client;
    client->request = request;
    watch_idleness(client, false);
    /* The handler may reply at once, which frees `request`; `client` lives at least until the next loop turn.
     */
    control->handler(control->context, request, data, size);
    frames_drain(bev, size);
}

void control_reply(struct control_request *request, const void *data, size_t size)
{
    struct control_client *client = request->client;

    free(request);
    if (!client)
        return;
    client->request = NULL;
    watch_idleness(client, true);
    if (size > CONTROL_REPLY_BYTES_MAX ||
        !frames_send(client->bev, data, size, CONTROL_REPLY_BYTES_MAX * 2)) {
        log_error("control socket: a reply of %zu bytes cannot be sent; the client is closed", size);
        shutdown(bufferevent_getfd(client->bev), SHUT_RDWR); /* and on_event frees it */
        return;
    }
    bufferevent_trigger(client->bev, EV_READ, 0); /* its next request may wait already */
}

static void on_event(struct bufferevent *bev, short what, void *context)
{
    (void)bev;
    (void)what;
    destroy(context);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size,
                      void *context)
{
    struct control *control = context;
    struct control_client *client = NULL;

    (void)listener;
    (void)address;
    (void)size;
    if (control->client_count < CONTROL_CLIENTS_MAX)
        client = calloc(1, sizeof *client);
    if (client)
        client->bev =
            bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!client || !client->bev) {
        log_warning("control socket: more than %d clients; the newest is refused", CONTROL_CLIENTS_MAX);
        free(client);
        close(fd);
        return;
    }
    client->control = control;
    LIST_INSERT_HEAD(&control->clients, client, entry);
    control->client_count++;
    frames_open(client->bev);
    bufferevent_setcb(client->bev, on_readable, NULL, on_event, client);
    watch_idleness(client, true);
    bufferevent_enable(client->bev, EV_READ | EV_WRITE);
}

static void accept_again(evutil_socket_t fd, short what, void *context)
{
    struct control *control = context;

    (void)fd;
    (void)what;
    evconnlistener_enable(control->listener);
}

static void on_accept_error(struct evconnlistener *listener, void *context)
{
    static const struct timeval rest = {.tv_usec = ACCEPT_AGAIN_MS * 1000};
    struct control *control = context;

    evconnlistener_disable(listener);
    event_add(control->accept_again, &rest);
}

/* Takes a dead socket out of the way, and nothing else. */
static enum error_code make_room(const struct sockaddr_un *address, struct error *err)
{
    struct stat facts;
    int fd;
    int failed;

    if (lstat(address->sun_path, &facts) != 0)
        return ERR_OK; /* nothing there, or bind(2) will say */
    if (!S_ISSOCK(facts.st_mode))
        return error_set(err, ERR_INVALID,
                         "control socket %s: something else has that name; remove it or name another path",
                         address->sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set(err, ERR_IO, "control socket %s: %s", address->sun_path, strerror(errno));
    failed = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
    close(fd);
    if (failed != ECONNREFUSED)
        return error_set(err, ERR_BUSY,
                         "control socket %s is served by another process; stop it or name another path",
                         address->sun_path);
    if (unlink(address->sun_path) != 0 && errno != ENOENT)
        return error_set(err, ERR_IO, "control socket %s: a dead one cannot be removed: %s",
                         address->sun_path, strerror(errno));
    return ERR_OK;
}

static enum error_code make_socket(const struct sockaddr_un *address, int *out, struct error *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0117); /* 0660 from its first moment */
    int failed = fd < 0 || bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ? errno : 0;

    umask(mask);
    if (!failed && listen(fd, LISTEN_BACKLOG) != 0)
        failed = errno;
    if (!failed) {
        *out = fd;
        return ERR_OK;
    }
    if (fd >= 0)
        close(fd);
    return error_set(err, ERR_IO,
                     "control socket %s cannot be made: %s; its directory must exist and be ours to write",
                     address->sun_path, strerror(failed));
}

enum error_code control_new(struct event_base *base, const char *path, control_handler handler, void *context,
                            struct control **out, struct error *err)
{
    struct control *control;
    enum error_code failed;
    int fd = -1;

    if (path[0] == '\0' || strlen(path) >= sizeof control->address.sun_path)
        return error_set(err, ERR_INVALID, "control socket %s: its path must have 1 to %zu characters", path,
                         sizeof control->address.sun_path - 1);
    control = calloc(1, sizeof *control);
    if (!control)
        return error_set(err, ERR_NO_MEMORY, "no memory for the control socket");
    control->base = base;
    control->handler = handler;
    control->context = context;
    LIST_INIT(&control->clients);
    control->address.sun_family = AF_UNIX;
    memcpy(control->address.sun_path, path, strlen(path) + 1);
    failed = make_room(&control->address, err);
    if (!failed)
        failed = make_socket(&control->address, &fd, err);
    if (failed) {
        free(control);
        return failed;
    }
    signal(SIGPIPE, SIG_IGN);
    control->accept_again = evtimer_new(base, accept_again, control);
    control->listener = evconnlistener_new(base, on_accept, control, LEV_OPT_CLOSE_ON_FREE, 0, fd);
    if (!control->listener)
        close(fd);
    if (!control->listener || !control->accept_again) {
        control_free(control);
        return error_set(err, ERR_NO_MEMORY, "no memory for the control socket");
    }
    evconnlistener_set_error_cb(control->listener, on_accept_error);
    *out = control;
    return ERR_OK;
}

void control_free(struct control *control)
{
    if (!control)
        return;
    unlink(control->address.sun_path);
    while (!LIST_EMPTY(&control->clients))
        destroy(LIST_FIRST(&control->clients));
    if (control->listener)
        evconnlistener_free(control->listener);
    if (control->accept_again)
        event_free(control->accept_again);
    free(control);
}
