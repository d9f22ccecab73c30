/* stream.h - bytes in order between two members, over one TCP connection with the cluster's key, for programs
 * without a loop: what is too large for frames (net.h).
 *
 * The same TLS 1.3 with an external PSK as between members (tls.h). Each call blocks in the owner's `wait`,
 * so that the owner decides what else it listens to, and for how long. An end that the peer did not
 * announce (close_notify) is an error, so a cut stream is never taken for a whole one. */
#ifndef MHA_NET_STREAM_H
#define MHA_NET_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/net/net.h"

struct net_stream;

/* Waits until `fd` is ready for `events` (poll.h). Anything but ERR_OK ends the call, with that error. */
struct net_stream_waiter {
    enum error_code (*wait)(void *context, int fd, short events, struct error *err);
    void *context;
};

/* Listens on host:port (0: a free one). `port` is the one that it got. ERR_INVALID, ERR_BUSY, ERR_IO. */
enum error_code net_stream_listen(const char *address, int *fd, unsigned *port, struct error *err);

/* Takes a connection on `listener`, with the handshake of one who knows the key. ERR_REFUSED: who came does
 * not; the owner may try again. `waiter` and what it points to outlive the stream. */
enum error_code net_stream_accept(int listener, const char *cluster, const uint8_t key[NET_KEY_BYTES],
                                  const struct net_stream_waiter *waiter, struct net_stream **out,
                                  struct error *err);
/* The name is resolved by the system's resolver. ERR_REFUSED: it does not know the key. */
enum error_code net_stream_dial(const char *address, const char *cluster, const uint8_t key[NET_KEY_BYTES],
                                const struct net_stream_waiter *waiter, struct net_stream **out,
                                struct error *err);
/* All of it. */
enum error_code net_stream_write(struct net_stream *stream, const void *data, size_t size, struct error *err);
/* At least one byte, up to `size`; *got 0: the peer has announced its end. */
enum error_code net_stream_read(struct net_stream *stream, void *data, size_t size, size_t *got,
                                struct error *err);
/* Announces the end, then waits for the peer's own or its hanging up. */
enum error_code net_stream_finish(struct net_stream *stream, struct error *err);
/* host:port of the peer. */
const char *net_stream_peer(const struct net_stream *stream);
void net_stream_free(struct net_stream *stream);

#endif
