#include "common/net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/net/internal.h"

/* The kernel's own patience with bytes that nobody acknowledges: a limit of ours (TCP_USER_TIMEOUT) would
 * count a reader that is slow, its window closed, as one that is gone. For how long is the owner's to say, in
 * `wait`.
 */
#define STREAM_SILENCE_MS 0

struct net_stream {
    struct event_base *base; /* `net` wants one; it never runs */
    struct net *net;
    struct net_group *group;
    struct tls_peer peer;
    const struct net_stream_waiter *waiter;
    SSL *ssl;
    int fd;
    char address[SOCKETS_ADDRESS_BYTES];
};

static enum error_code resolve(const char *address, bool passive, struct addrinfo **out, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0};
    char host[256], service[8];
    unsigned port;
    int result;

    if (!config_parse_address(address, host, sizeof host, &port))
        return error_set(err, ERR_INVALID, "\"%s\" is not an address; write host:port", address);
    snprintf(service, sizeof service, "%u", port);
    result = getaddrinfo(host, service, &hints, out);
    if (result != 0)
        return error_set(err, ERR_INVALID, "%s: %s", address, gai_strerror(result));
    return ERR_OK;
}

enum error_code net_stream_listen(const char *address, int *fd, unsigned *port, struct error *err)
{
    struct addrinfo *found;
    struct sockaddr_storage local;
    socklen_t size = sizeof local;
    int one = 1;
    enum error_code code = resolve(address, true, &found, err);

    if (code != ERR_OK)
        return code;
    *fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd >= 0)
        (void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (*fd < 0 || bind(*fd, found->ai_addr, found->ai_addrlen) != 0 || listen(*fd, 8) != 0 ||
        getsockname(*fd, (struct sockaddr *)&local, &size) != 0) {
        code = error_set(err, errno == EADDRINUSE ? ERR_BUSY : ERR_IO, "cannot listen on %s: %s", address,
                         strerror(errno));
        if (*fd >= 0)
            close(*fd);
        *fd = -1;
    } else {
        char service[8] = "0";
        (void)getnameinfo((struct sockaddr *)&local, size, NULL, 0, service, sizeof service, NI_NUMERICSERV);
        *port = (unsigned)strtoul(service, NULL, 10);
    }
    freeaddrinfo(found);
    return code;
}

/* Takes `fd`. */
static enum error_code stream_new(int fd, bool dialled, const char *cluster, const uint8_t *key,
                                  const struct net_stream_waiter *waiter, struct net_stream **out,
                                  struct error *err)
{
    static const struct net_callbacks none;
    struct net_stream *stream = calloc(1, sizeof *stream);
    enum error_code code;

    if (!stream) {
        close(fd);
        return error_set(err, ERR_NO_MEMORY, "no memory for a stream");
    }
    stream->fd = fd;
    stream->waiter = waiter;
    sockets_prepare(fd, STREAM_SILENCE_MS);
    stream->base = event_base_new();
    if (!stream->base)
        code = error_set(err, ERR_NO_MEMORY, "no memory for a stream");
    else if ((code = net_new(stream->base, &stream->net, err)) == ERR_OK)
        code = net_group_new(stream->net, cluster, key, &none, NULL, &stream->group, err);
    if (code == ERR_OK) {
        stream->peer = (struct tls_peer){
            .net = stream->net, .group = dialled ? stream->group : NULL, .dialled = dialled};
        stream->ssl = tls_ssl_new(stream->net->tls, &stream->peer);
        if (!stream->ssl || SSL_set_fd(stream->ssl, fd) != 1)
            code = error_set(err, ERR_NO_MEMORY, "no memory for TLS");
        else
            SSL_clear_options(stream->ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
    }
    if (code != ERR_OK) {
        net_stream_free(stream);
        return code;
    }
    *out = stream;
    return ERR_OK;
}

/* After a call of OpenSSL's returned `result`. ERR_OK: try again. */
static enum error_code wait_for(struct net_stream *stream, int result, const char *what, struct error *err)
{
    int os_error = errno;
    unsigned long tls_error;

    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return stream->waiter->wait(stream->waiter->context, stream->fd, POLLIN, err);
    case SSL_ERROR_WANT_WRITE:
        return stream->waiter->wait(stream->waiter->context, stream->fd, POLLOUT, err);
    case SSL_ERROR_SYSCALL:
        return error_set(err, ERR_IO, "%s %s: %s", what, stream->address,
                         os_error ? strerror(os_error) : "it closed the connection");
    default:
        tls_error = ERR_peek_error();
        if (ERR_GET_REASON(tls_error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return error_set(err, ERR_IO, "%s %s: it closed the connection before its end", what,
                             stream->address);
        return error_set(err, ERR_IO, "%s %s: TLS error: %s", what, stream->address,
                         ERR_reason_error_string(tls_error) ? ERR_reason_error_string(tls_error) : "unknown");
    }
}

static enum error_code handshake(struct net_stream *stream, struct error *err)
{
    for (;;) {
        char why[TLS_WHY_BYTES];
        int result, kind;
        enum error_code code;

        ERR_clear_error();
        errno = 0;
        result = stream->peer.dialled ? SSL_connect(stream->ssl) : SSL_accept(stream->ssl);
        if (result == 1)
            break;
        kind = SSL_get_error(stream->ssl, result);
        if (kind == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            tls_explain(&stream->peer, ERR_peek_error(), why);
            return error_set(err, ERR_REFUSED, "%s: %s", stream->address, why);
        }
        code = wait_for(stream, result, "the handshake with", err);
        if (code != ERR_OK)
            return code;
    }
    if (tls_authenticated(stream->ssl, &stream->peer))
        return ERR_OK;
    return error_set(err, ERR_REFUSED, "%s does not prove that it knows the cluster's key", stream->address);
}

enum error_code net_stream_accept(int listener, const char *cluster, const uint8_t key[NET_KEY_BYTES],
                                  const struct net_stream_waiter *waiter, struct net_stream **out,
                                  struct error *err)
{
    struct sockaddr_storage address;
    socklen_t size;
    enum error_code code;
    int fd;

    do {
        code = waiter->wait(waiter->context, listener, POLLIN, err);
        if (code != ERR_OK)
            return code;
        size = sizeof address;
        fd = accept4(listener, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED));
    if (fd < 0)
        return error_set(err, ERR_IO, "no connection can be accepted: %s", strerror(errno));
    code = stream_new(fd, false, cluster, key, waiter, out, err);
    if (code != ERR_OK)
        return code;
    sockets_address_text((struct sockaddr *)&address, size, (*out)->address);
    code = handshake(*out, err);
    if (code != ERR_OK) {
        net_stream_free(*out);
        *out = NULL;
    }
    return code;
}

static enum error_code connect_to(const struct addrinfo *to, const char *address,
                                  const struct net_stream_waiter *waiter, int *out, struct error *err)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), failure = 0;
    socklen_t size = sizeof failure;
    enum error_code code = ERR_OK;

    if (fd < 0)
        return error_set(err, ERR_IO, "no socket: %s", strerror(errno));
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
        failure = errno;
        if (failure == EINPROGRESS && (code = waiter->wait(waiter->context, fd, POLLOUT, err)) == ERR_OK)
            (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    }
    if (code == ERR_OK && failure != 0)
        code = error_set(err, ERR_IO, "%s cannot be reached: %s", address, strerror(failure));
    if (code != ERR_OK) {
        close(fd);
        return code;
    }
    *out = fd;
    return ERR_OK;
}

enum error_code net_stream_dial(const char *address, const char *cluster, const uint8_t key[NET_KEY_BYTES],
                                const struct net_stream_waiter *waiter, struct net_stream **out,
                                struct error *err)
{
    struct addrinfo *found;
    int fd = -1;
    enum error_code code = resolve(address, false, &found, err);

    if (code != ERR_OK)
        return code;
    code = connect_to(found, address, waiter, &fd, err);
    freeaddrinfo(found);
    if (code == ERR_OK)
        code = stream_new(fd, true, cluster, key, waiter, out, err);
    if (code != ERR_OK)
        return code;
    snprintf((*out)->address, sizeof(*out)->address, "%s", address);
    code = handshake(*out, err);
    if (code != ERR_OK) {
        net_stream_free(*out);
        *out = NULL;
    }
    return code;
}

enum error_code net_stream_write(struct net_stream *stream, const void *data, size_t size, struct error *err)
{
    const char *at = data;

    while (size > 0) {
        size_t done = 0;
        enum error_code code;
        int result;

        ERR_clear_error();
        errno = 0;
        result = SSL_write_ex(stream->ssl, at, size, &done);
        if (result == 1) {
            at += done;
            size -= done;
            continue;
        }
        code = wait_for(stream, result, "sending to", err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

enum error_code net_stream_read(struct net_stream *stream, void *data, size_t size, size_t *got,
                                struct error *err)
{
    for (;;) {
        enum error_code code;
        int result;

        *got = 0;
        ERR_clear_error();
        errno = 0;
        result = SSL_read_ex(stream->ssl, data, size, got);
        if (result == 1 || SSL_get_error(stream->ssl, result) == SSL_ERROR_ZERO_RETURN)
            return ERR_OK;
        code = wait_for(stream, result, "receiving from", err);
        if (code != ERR_OK)
            return code;
    }
}

enum error_code net_stream_finish(struct net_stream *stream, struct error *err)
{
    char byte;
    size_t got;
    enum error_code code;

    ERR_clear_error();
    if (SSL_shutdown(stream->ssl) < 0)
        return error_set(err, ERR_IO, "the end cannot be told to %s", stream->address);
    code = net_stream_read(stream, &byte, 1, &got, err);
    return code == ERR_IO ? ERR_OK : code; /* however it hangs up, it has read all before */
}

const char *net_stream_peer(const struct net_stream *stream)
{
    return stream->address;
}

void net_stream_free(struct net_stream *stream)
{
    if (!stream)
        return;
    SSL_free(stream->ssl);
    if (stream->group)
        net_group_free(stream->group);
    if (stream->net)
        net_free(stream->net);
    if (stream->base)
        event_base_free(stream->base);
    close(stream->fd);
    free(stream);
}
