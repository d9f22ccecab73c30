#include "vipd/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "vipd/packet.h"

#define COMPLAINT_US (60u * 1000000ull)

/* Somebody listens there: connect(2) tells a live socket from one left behind. */
static bool is_served(const struct sockaddr_un *where)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool served =
        fd >= 0 && (connect(fd, (const struct sockaddr *)where, sizeof *where) == 0 || errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return served;
}

static enum error_code fail(struct server *server, const char *what, struct error *err)
{
    enum error_code code =
        error_set(err, ERR_IO, "%s: %s: %s; its directory must exist and root may write there", server->path,
                  what, strerror(errno));
    server_close(server);
    return code;
}

enum error_code server_open(struct server *server, const struct vipd_settings *settings,
                            struct address *addresses, struct error *err)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    mode_t mask;
    int bound;

    memset(server, 0, sizeof *server);
    server->listener = -1;
    server->peer_uid = settings->peer_uid;
    server->addresses = addresses;
    server->address_count = settings->address_count;
    for (unsigned i = 0; i < SERVER_CONNECTIONS_MAX; i++)
        server->connections[i].fd = -1;
    snprintf(where.sun_path, sizeof where.sun_path, "%s", settings->socket);
    snprintf(server->path, sizeof server->path, "%s", settings->socket);
    if (is_served(&where))
        return error_set(err, ERR_BUSY,
                         "%s: another mha4rdb-vipd listens there; stop it first, or name another socket",
                         server->path);
    if (unlink(where.sun_path) < 0 && errno != ENOENT)
        return fail(server, "cannot replace what an earlier run left", err);
    server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->listener < 0)
        return fail(server, "no socket", err);
    mask = umask(0177);
    bound = bind(server->listener, (struct sockaddr *)&where, sizeof where);
    umask(mask);
    if (bound < 0)
        return fail(server, "cannot be bound", err);
    if (server->peer_uid != geteuid() && lchown(where.sun_path, server->peer_uid, (gid_t)-1) < 0)
        return fail(server, "cannot be given to peer_user", err);
    if (listen(server->listener, SERVER_CONNECTIONS_MAX) < 0)
        return fail(server, "cannot be listened on", err);
    return ERR_OK;
}

static void close_connection(struct server_connection *connection)
{
    close(connection->fd);
    memset(connection, 0, sizeof *connection);
    connection->fd = -1;
}

void server_close(struct server *server)
{
    for (unsigned i = 0; i < SERVER_CONNECTIONS_MAX; i++)
        if (server->connections[i].fd >= 0)
            close_connection(&server->connections[i]);
    if (server->listener >= 0) {
        close(server->listener);
        unlink(server->path); /* only root may, in the usual place: the next start replaces it */
    }
    server->listener = -1;
}

/* At most one line a minute, whoever knocks. */
static void complain(struct server *server, const char *what, long who)
{
    uint64_t now_us = clock_now_us();

    server->complaints++;
    if (server->complaint_us != 0 && now_us < server->complaint_us + COMPLAINT_US)
        return;
    log_warning(
        "%s: %s (user %ld, %u such events since the last line); only the agent of peer_user may ask here",
        server->path, what, who, server->complaints);
    server->complaint_us = now_us;
    server->complaints = 0;
}

static struct server_connection *take_slot(struct server *server)
{
    struct server_connection *oldest = &server->connections[0];

    for (unsigned i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
        if (server->connections[i].fd < 0)
            return &server->connections[i];
        if (server->connections[i].since_us < oldest->since_us)
            oldest = &server->connections[i];
    }
    close_connection(oldest);
    return oldest;
}

static void accept_one(struct server *server)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct server_connection *connection;
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (fd < 0)
        return; /* gone again */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != server->peer_uid) {
        complain(server, "a stranger was turned away", (long)peer.uid);
        close(fd);
        return;
    }
    connection = take_slot(server);
    connection->fd = fd;
    connection->since_us = clock_now_us();
    log_debug("%s: connection from pid %ld", server->path, (long)peer.pid);
}

/* false: there is no room now. */
static bool send_state(const struct server_connection *connection, uint64_t id, const char *address,
                       const struct address_state *state)
{
    uint8_t packet[PACKET_BYTES_MAX];
    size_t size = packet_write(packet, id, address, state);

    return send(connection->fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
           (errno != EAGAIN && errno != EWOULDBLOCK &&
            errno != ENOBUFS); /* other errors come back as POLLHUP */
}

static int find_address(const struct server *server, const char *text)
{
    for (unsigned i = 0; i < server->address_count; i++)
        if (strcmp(server->addresses[i].settings->text, text) == 0)
            return (int)i;
    return -1;
}

static void answer_unknown(const struct server_connection *connection, const struct packet_request *request)
{
    struct address_state state = {0};

    snprintf(state.trouble, sizeof state.trouble,
             "refused: not an address of this host's vipd.conf; add it there");
    send_state(connection, request->id, request->address, &state);
}

static void handle(struct server *server, struct server_connection *connection,
                   const struct packet_request *request)
{
    char trouble[ADDRESS_TROUBLE_BYTES] = "";
    int which = find_address(server, request->address);
    struct address *address;
    struct address_state state;

    if (which < 0) {
        answer_unknown(connection, request);
        return;
    }
    address = &server->addresses[which];
    if (request->kind == PACKET_LEASE)
        address_lease(address, clock_now_us(), request->epoch, request->deadline_us, trouble);
    else if (request->kind == PACKET_RELEASE)
        address_release(address, request->epoch, trouble);
    address_run(address);
    address_describe(address, &state);
    if (trouble[0])
        memcpy(state.trouble, trouble, sizeof state.trouble);
    connection->last_id[which] = request->id;
    if (!send_state(connection, request->id, address->settings->text, &state))
        connection->owed[which] = true;
}

static void receive(struct server *server, struct server_connection *connection)
{
    uint8_t packet[PACKET_BYTES_MAX + 1];
    struct packet_request request;
    ssize_t size = recv(connection->fd, packet, sizeof packet, MSG_DONTWAIT);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        log_debug("%s: a connection ended", server->path);
        close_connection(connection);
        return;
    }
    if (!packet_parse(packet, (size_t)size, &request)) {
        complain(server, "a packet was no request; its connection is closed", (long)server->peer_uid);
        close_connection(connection);
        return;
    }
    handle(server, connection, &request);
}

static void pay_owed(const struct server *server, struct server_connection *connection)
{
    for (unsigned i = 0; i < server->address_count; i++) {
        struct address_state state;

        if (!connection->owed[i])
            continue;
        address_describe(&server->addresses[i], &state);
        if (!send_state(connection, connection->last_id[i], server->addresses[i].settings->text, &state))
            return;
        connection->owed[i] = false;
    }
}

void server_tell(struct server *server, unsigned address)
{
    struct address_state state;

    address_describe(&server->addresses[address], &state);
    for (unsigned i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
        struct server_connection *connection = &server->connections[i];

        if (connection->fd < 0 || connection->owed[address])
            continue;
        if (!send_state(connection, 0, server->addresses[address].settings->text, &state))
            connection->owed[address] = true;
    }
}

static bool owes(const struct server *server, const struct server_connection *connection)
{
    for (unsigned i = 0; i < server->address_count; i++)
        if (connection->owed[i])
            return true;
    return false;
}

unsigned server_prepare(const struct server *server, struct pollfd polls[SERVER_POLL_MAX])
{
    unsigned count = 0;

    polls[count++] = (struct pollfd){.fd = server->listener, .events = POLLIN};
    for (unsigned i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
        const struct server_connection *connection = &server->connections[i];
        short events = owes(server, connection) ? POLLIN | POLLOUT : POLLIN;

        polls[count++] = (struct pollfd){.fd = connection->fd, .events = events}; /* poll skips -1 */
    }
    return count;
}

void server_serve(struct server *server, const struct pollfd *polls, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct server_connection *connection = &server->connections[i - 1];

        if (connection->fd >= 0 && connection->fd == polls[i].fd && (polls[i].revents & POLLOUT))
            pay_owed(server, connection);
        if (connection->fd >= 0 && connection->fd == polls[i].fd &&
            (polls[i].revents & (POLLIN | POLLHUP | POLLERR)))
            receive(server, connection);
    }
    /* Last: it may close a connection that `polls` still speaks of, and take over its number. */
    if (polls[0].revents & POLLIN)
        accept_one(server);
}
