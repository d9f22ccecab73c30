/* mha4rdb.h - libmha4rdb: ask an agent (or an arbiter) through its control socket.
 *
 * The protocol is proto/control.proto: a frame is a u32 big-endian length (1 .. MHA4RDB_FRAME_BYTES_MAX) and
 * then that many bytes, one ControlRequest there, one ControlReply back, one request at a time.
 *
 * All calls block, each no longer than its own deadline. A connection is used by one thread at a time. After
 * a failed mha4rdb_ask the connection is of no further use: close it and connect anew. Every error text is a
 * sentence for a person: what, why, remedy.
 *
 *     struct mha4rdb *connection;
 *     Mha__ControlReply *reply;
 *     if (mha4rdb_connect(MHA4RDB_SOCKET, 5000, &connection, &err) != ERR_OK)
 *         ...
 *     if (mha4rdb_ask(connection, &request, 5000, &reply, &err) == ERR_OK) {
 *         ...
 *         mha4rdb_reply_free(reply);
 *     }
 *     mha4rdb_close(connection);
 */
#ifndef MHA_CLIENT_MHA4RDB_H
#define MHA_CLIENT_MHA4RDB_H

#include <stdint.h>

#include "common/base/error.h"
#include "control.pb-c.h"

#define MHA4RDB_SOCKET "/run/mha4rdb/agent.sock"
#define MHA4RDB_FRAME_BYTES_MAX (1024 * 1024)
#define MHA4RDB_TIMEOUT_MS_MAX (24u * 60 * 60 * 1000)

struct mha4rdb;

/* ERR_INVALID: a path that cannot be a socket's name. ERR_IO: no such socket, nobody listens, no permission.
 * ERR_TIMEOUT, ERR_NO_MEMORY. On success *out is the caller's, until mha4rdb_close. */
enum error_code mha4rdb_connect(const char *socket_path, uint32_t timeout_ms, struct mha4rdb **out,
                                struct error *err);
void mha4rdb_close(struct mha4rdb *connection); /* NULL is allowed */

/* Sends `request` and waits for its reply. ERR_OK says only that a reply came: look at reply->error, which is
 * "" when the request was carried out. *reply is the caller's, until mha4rdb_reply_free; NULL after an error.
 * ERR_TIMEOUT: no whole reply in time; a command may have been carried out all the same. ERR_IO: the
 * connection broke. ERR_INVALID: what came back is not a ControlReply, or the request is too large.
 * ERR_NO_MEMORY. */
enum error_code mha4rdb_ask(struct mha4rdb *connection, const Mha__ControlRequest *request,
                            uint32_t timeout_ms, Mha__ControlReply **reply, struct error *err);
void mha4rdb_reply_free(Mha__ControlReply *reply); /* NULL is allowed */

#endif
