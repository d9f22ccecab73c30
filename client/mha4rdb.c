#include "client/mha4rdb.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"

#define LENGTH_BYTES 4

struct mha4rdb {
    int fd;
    char path[sizeof((struct sockaddr_un *)NULL)->sun_path]; /* for the error texts */
};

static uint64_t deadline_after(uint32_t timeout_ms)
{
    return clock_now_us() +
           MS_TO_US(timeout_ms > MHA4RDB_TIMEOUT_MS_MAX ? MHA4RDB_TIMEOUT_MS_MAX : timeout_ms);
}

/* What is left until the deadline, rounded up, so that a poll of 0 ms means that it has passed. */
static int left_ms(uint64_t deadline_us)
{
    uint64_t now = clock_now_us();
    return now >= deadline_us ? 0 : (int)((deadline_us - now + 999) / 1000);
}

static enum error_code connect_failed(const char *path, int number, struct error *err)
{
    switch (number) {
    case ENOENT:
        return error_set(
            err, ERR_IO,
            "%s: there is no such socket: is the agent running? See `systemctl status mha4rdb-agent`, or "
            "name another socket with -s",
            path);
    case ECONNREFUSED:
        return error_set(
            err, ERR_IO,
            "%s: nobody listens on this socket: the agent was stopped or has crashed; see `systemctl "
            "status mha4rdb-agent` and `journalctl -u mha4rdb-agent`",
            path);
    case EACCES:
    case EPERM:
        return error_set(
            err, ERR_IO,
            "%s: permission denied; join the group mha4rdb (`usermod -aG mha4rdb USER`, then log in "
            "again) or become root",
            path);
    case EAGAIN:
        return error_set(
            err, ERR_TIMEOUT,
            "%s: the connection was not accepted in time: the agent is stopped or overloaded; see "
            "`systemctl status mha4rdb-agent`",
            path);
    case ENOTSOCK:
    case EPROTOTYPE:
        return error_set(err, ERR_IO, "%s: this is not a control socket; name the agent's with -s", path);
    default:
        return error_set(err, ERR_IO, "%s: cannot connect: %s; name the agent's control socket with -s", path,
                         strerror(number));
    }
}

enum error_code mha4rdb_connect(const char *socket_path, uint32_t timeout_ms, struct mha4rdb **out,
                                struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint64_t deadline_us = deadline_after(timeout_ms);
    size_t length = strlen(socket_path);
    struct mha4rdb *connection;
    int result;

    *out = NULL;
    if (length == 0 || length >= sizeof address.sun_path)
        return error_set(err, ERR_INVALID,
                         "\"%s\" cannot be a socket's name: give a path of 1 to %zu characters", socket_path,
                         sizeof address.sun_path - 1);
    memcpy(address.sun_path, socket_path, length + 1);
    connection = calloc(1, sizeof *connection);
    if (!connection)
        return error_set(err, ERR_NO_MEMORY, "out of memory");
    memcpy(connection->path, socket_path, length + 1);
    connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) {
        result = errno;
        free(connection);
        return error_set(err, ERR_IO, "cannot make a socket: %s", strerror(result));
    }
    do {
        /* unix(7) sockets wait in connect for room in the listener's queue, for as long as SO_SNDTIMEO says.
         */
        int ms = left_ms(deadline_us);
        struct timeval timeout = {.tv_sec = ms / 1000, .tv_usec = ms == 0 ? 1 : ms % 1000 * 1000};
        setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        result = connect(connection->fd, (const struct sockaddr *)&address, sizeof address);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        result = errno;
        mha4rdb_close(connection);
        return connect_failed(socket_path, result, err);
    }
    *out = connection;
    return ERR_OK;
}

void mha4rdb_close(struct mha4rdb *connection)
{
    if (!connection)
        return;
    close(connection->fd);
    free(connection);
}

static enum error_code wait_for(const struct mha4rdb *connection, short events, uint64_t deadline_us,
                                struct error *err)
{
    struct pollfd poll_fd = {.fd = connection->fd, .events = events};

    for (;;) {
        int ms = left_ms(deadline_us);
        int count = poll(&poll_fd, 1, ms);
        if (count > 0)
            return ERR_OK;
        if (count == 0 && ms == 0)
            return error_set(
                err, ERR_TIMEOUT,
                "%s: no answer in time: the agent hangs or the request takes longer; see `systemctl status "
                "mha4rdb-agent`, or wait longer with --timeout",
                connection->path);
        if (count < 0 && errno != EINTR)
            return error_set(err, ERR_IO, "%s: cannot wait for the answer: %s", connection->path,
                             strerror(errno));
    }
}

static enum error_code broken(const struct mha4rdb *connection, const char *why, struct error *err)
{
    return error_set(
        err, ERR_IO,
        "%s: the connection ended before the answer (%s): the agent was stopped or refused the request; "
        "see `journalctl -u mha4rdb-agent`",
        connection->path, why);
}

static enum error_code send_all(const struct mha4rdb *connection, const uint8_t *data, size_t size,
                                uint64_t deadline_us, struct error *err)
{
    while (size > 0) {
        ssize_t sent = send(connection->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN) {
            enum error_code code = wait_for(connection, POLLOUT, deadline_us, err);
            if (code != ERR_OK)
                return code;
        } else if (errno != EINTR) {
            return broken(connection, strerror(errno), err);
        }
    }
    return ERR_OK;
}

static enum error_code receive_all(const struct mha4rdb *connection, uint8_t *data, size_t size,
                                   uint64_t deadline_us, struct error *err)
{
    while (size > 0) {
        ssize_t got = recv(connection->fd, data, size, MSG_DONTWAIT);
        if (got > 0) {
            data += got;
            size -= (size_t)got;
        } else if (got == 0) {
            return broken(connection, "end of file", err);
        } else if (errno == EAGAIN) {
            enum error_code code = wait_for(connection, POLLIN, deadline_us, err);
            if (code != ERR_OK)
                return code;
        } else if (errno != EINTR) {
            return broken(connection, strerror(errno), err);
        }
    }
    return ERR_OK;
}

static enum error_code send_request(const struct mha4rdb *connection, const Mha__ControlRequest *request,
                                    uint64_t deadline_us, struct error *err)
{
    size_t size = mha__control_request__get_packed_size(request);
    enum error_code code;
    uint8_t *frame;

    if (size == 0 || size > MHA4RDB_FRAME_BYTES_MAX)
        return error_set(err, ERR_INVALID, "a request of %zu bytes cannot be sent; it must have 1 to %d",
                         size, MHA4RDB_FRAME_BYTES_MAX);
    frame = malloc(LENGTH_BYTES + size);
    if (!frame)
        return error_set(err, ERR_NO_MEMORY, "out of memory");
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        frame[i] = (uint8_t)(size >> (8 * (LENGTH_BYTES - 1 - i)));
    mha__control_request__pack(request, frame + LENGTH_BYTES);
    code = send_all(connection, frame, LENGTH_BYTES + size, deadline_us, err);
    free(frame);
    return code;
}

static enum error_code receive_reply(const struct mha4rdb *connection, uint64_t deadline_us,
                                     Mha__ControlReply **reply, struct error *err)
{
    uint8_t length[LENGTH_BYTES];
    enum error_code code = receive_all(connection, length, sizeof length, deadline_us, err);
    size_t size = 0;
    uint8_t *data;

    if (code != ERR_OK)
        return code;
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        size = size << 8 | length[i];
    /* An empty frame is an empty message: done, nothing to say. */
    if (size > MHA4RDB_FRAME_BYTES_MAX)
        return error_set(err, ERR_INVALID,
                         "%s: the answer claims %zu bytes, more than %d: this is not a control socket "
                         "of mha4rdb; name the agent's with -s",
                         connection->path, size, MHA4RDB_FRAME_BYTES_MAX);
    data = malloc(size ? size : 1);
    if (!data)
        return error_set(err, ERR_NO_MEMORY, "out of memory");
    code = receive_all(connection, data, size, deadline_us, err);
    if (code == ERR_OK) {
        *reply = mha__control_reply__unpack(NULL, size, data);
        if (!*reply)
            code =
                error_set(err, ERR_INVALID,
                          "%s: the answer is not one of mha4rdb's: is the agent of another version (`mhactl "
                          "version`), or the socket another program's?",
                          connection->path);
    }
    free(data);
    return code;
}

enum error_code mha4rdb_ask(struct mha4rdb *connection, const Mha__ControlRequest *request,
                            uint32_t timeout_ms, Mha__ControlReply **reply, struct error *err)
{
    uint64_t deadline_us = deadline_after(timeout_ms);
    enum error_code code;

    *reply = NULL;
    code = send_request(connection, request, deadline_us, err);
    if (code != ERR_OK)
        return code;
    return receive_reply(connection, deadline_us, reply, err);
}

void mha4rdb_reply_free(Mha__ControlReply *reply)
{
    mha__control_reply__free_unpacked(reply, NULL);
}
