#include "agent/api/reach.h"

#include <errno.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct reach {
    int fd;
    struct event *event; /* writable: connected or failed; or the timeout */
    int failed;          /* errno of a connect that failed at once; it is told from the loop all the same */
    reach_done done;
    void *context;
};

static void on_event(evutil_socket_t fd, short what, void *context)
{
    struct reach *reach = context;
    int error = reach->failed;
    socklen_t size = sizeof error;

    if (!error && (what & EV_WRITE) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (!error && !(what & EV_WRITE))
        error = ETIMEDOUT;
    close(reach->fd);
    reach->fd = -1;
    reach->done(reach->context, error ? strerror(error) : NULL);
}

static bool make_address(const char *address, unsigned port, struct sockaddr_storage *out, int *size)
{
    char text[96];

    snprintf(text, sizeof text, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, port);
    *size = sizeof *out;
    return evutil_parse_sockaddr_port(text, (struct sockaddr *)out, size) == 0;
}

struct reach *reach_start(struct event_base *base, const char *address, unsigned port, uint64_t timeout_us,
                          reach_done done, void *context)
{
    struct timeval timeout = {(time_t)(timeout_us / 1000000), (suseconds_t)(timeout_us % 1000000)};
    struct sockaddr_storage to;
    struct reach *reach;
    int size;

    if (!make_address(address, port, &to, &size))
        return NULL;
    reach = calloc(1, sizeof *reach);
    if (!reach)
        return NULL;
    reach->done = done;
    reach->context = context;
    reach->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (reach->fd < 0)
        goto failed;
    reach->event = event_new(base, reach->fd, EV_WRITE, on_event, reach);
    if (!reach->event)
        goto failed;
    if (connect(reach->fd, (struct sockaddr *)&to, (socklen_t)size) != 0 && errno != EINPROGRESS)
        reach->failed = errno;
    if (event_add(reach->event, &timeout) != 0)
        goto failed;
    if (reach->failed)
        event_active(reach->event, EV_TIMEOUT, 0);
    return reach;

failed:
    reach_free(reach);
    return NULL;
}

void reach_free(struct reach *reach)
{
    if (!reach)
        return;
    if (reach->event)
        event_free(reach->event);
    if (reach->fd >= 0)
        close(reach->fd);
    free(reach);
}
