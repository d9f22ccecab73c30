#include "agent/rebuild/connect.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define END_BYTES (sizeof CONNECT_END - 1)
#define BUFFER_BYTES 65536

/* What was read and not written yet. One direction keeps the last END_BYTES back. */
struct way {
    int from, to;
    size_t kept;
    bool ended;
    size_t used;
    char bytes[BUFFER_BYTES];
};

static int fail(const char *what)
{
    fprintf(stderr, "mha4rdb-rebuild: %s: %s\n", what, strerror(errno));
    return 1;
}

static bool may_write(const struct way *way)
{
    return way->used > way->kept;
}

static bool may_read(const struct way *way)
{
    return !way->ended && way->used < sizeof way->bytes;
}

/* false: broken. */
static bool move_on(struct way *way, bool readable, bool writable)
{
    if (readable && may_read(way)) {
        ssize_t got = read(way->from, way->bytes + way->used, sizeof way->bytes - way->used);
        /* reset: the other end has closed without reading all; what it said before follows, then its end */
        if (got < 0 && errno != EINTR && errno != EAGAIN && errno != ECONNRESET)
            return false;
        way->ended = got == 0;
        way->used += got > 0 ? (size_t)got : 0;
    }
    if (writable && may_write(way)) {
        ssize_t done = write(way->to, way->bytes, way->used - way->kept);
        if (done < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (done > 0) {
            way->used -= (size_t)done;
            memmove(way->bytes, way->bytes + done, way->used);
        }
    }
    return true;
}

static int join(int fd)
{
    static struct way in, out;
    bool shut = false;

    in = (struct way){.from = STDIN_FILENO, .to = fd};
    out = (struct way){.from = fd, .to = STDOUT_FILENO, .kept = END_BYTES};
    while (!out.ended || may_write(&out)) {
        struct pollfd fds[4] = {{.fd = may_read(&in) ? in.from : -1, .events = POLLIN},
                                {.fd = may_write(&in) ? in.to : -1, .events = POLLOUT},
                                {.fd = may_read(&out) ? out.from : -1, .events = POLLIN},
                                {.fd = may_write(&out) ? out.to : -1, .events = POLLOUT}};
        if (poll(fds, 4, -1) < 0 && errno != EINTR)
            return fail("poll");
        if (!move_on(&out, fds[2].revents != 0, fds[3].revents != 0))
            return fail("the service");
        if (!move_on(&in, fds[0].revents != 0, fds[1].revents != 0)) {
            in.ended = true; /* the script has ended early: what it says comes by the other way */
            in.used = 0;
        }
        if (in.ended && in.used == 0 && !shut) {
            shutdown(fd, SHUT_WR);
            shut = true;
        }
    }
    if (out.used == END_BYTES && memcmp(out.bytes, CONNECT_END, END_BYTES) == 0)
        return 0;
    if (write(STDOUT_FILENO, out.bytes, out.used) < 0)
        return fail("standard output");
    fprintf(stderr, "the service has failed; `journalctl -u 'mha4rdb-*'` says why\n");
    return 1;
}

int connect_run(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;

    if (fd < 0)
        return fail("no socket");
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        close(fd);
        return fail(path);
    }
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        status = fail(path);
        close(fd);
        return status;
    }
    status = join(fd);
    close(fd);
    return status;
}
