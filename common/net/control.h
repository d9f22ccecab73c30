/* control.h - the server of a control socket: a unix stream socket, one request and one reply at a time per
 * client.
 *
 * Frames as between members: u32 big-endian length, then that many bytes; the bytes are the owner's
 * (ControlRequest and ControlReply of control.proto). The socket is made with mode 0660, so that its
 * directory and its group decide who may ask. A client that says nothing for CONTROL_IDLE_MS is closed, but
 * not while its request is answered; of more than CONTROL_CLIENTS_MAX clients the newest is refused.
 *
 * A reply may be given inside the handler or any time later; requests of one client wait for it, in order. */
#ifndef MHA_NET_CONTROL_H
#define MHA_NET_CONTROL_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define CONTROL_CLIENTS_MAX 16
#define CONTROL_IDLE_MS 30000
#define CONTROL_REQUEST_BYTES_MAX (64 * 1024)
#define CONTROL_REPLY_BYTES_MAX (1024 * 1024)

struct control;
struct control_request; /* one that waits for its reply */

/* `data` is valid until this returns. Each request is answered with control_reply exactly once. */
typedef void (*control_handler)(void *context, struct control_request *request, const uint8_t *data,
                                size_t size);

/* Makes the socket; a dead one that an earlier run left is replaced. ERR_BUSY: a living process serves it.
 * ERR_INVALID: the path is too long, or something that is no socket. ERR_IO. */
enum error_code control_new(struct event_base *base, const char *path, control_handler handler, void *context,
                            struct control **out, struct error *err);
/* Ends `request`, also when its client has gone or the server was freed meanwhile. A reply above
 * CONTROL_REPLY_BYTES_MAX is a bug of the caller: the client is closed, and it is logged. */
void control_reply(struct control_request *request, const void *data, size_t size);
/* Removes the socket and closes all clients. Requests under way still end with control_reply. */
void control_free(struct control *control);

#endif
