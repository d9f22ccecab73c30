/* relay.h - a way to the donor's server that is no faster than the order says.
 *
 * MySQL's own limit, clone_max_data_bandwidth, does not hold: its threads look at it every 100 ms and then
 * sleep for a second at most, so a copy that is small for the link goes through unlimited (tried on 9.7: 60
 * MB in 1.25 s at a limit of 1 MB a second). So the server clones from 127.0.0.1, where the relay listens,
 * and each connection that it makes is carried to the donor and back. What comes from the donor shares one
 * limit over all connections; what goes to it has none. The bytes are not looked at: TLS stays between the
 * two servers.
 *
 * A thread of its own does this, with an event base of its own, until relay_stop. The end of one side of a
 * connection ends the other one once that has what was read; a donor that cannot be reached ends the
 * connection at once, and the server dials again. Nobody but this host's processes can connect, and they
 * get no further than they would by dialling the donor themselves. */
#ifndef MHA_REBUILD_RELAY_H
#define MHA_REBUILD_RELAY_H

#include <stdint.h>
#include <sys/socket.h>

#include "common/base/error.h"

/* No more connections than this at a time; a clone makes 17 at most. */
#define RELAY_CONNECTIONS_MAX 64

struct relay;

/* To the server at `donor`, `rate_mb` million bytes a second, at least 1. ERR_IO, ERR_NO_MEMORY. */
enum error_code relay_start(struct relay **out, const struct sockaddr *donor, socklen_t size,
                            unsigned rate_mb, struct error *err);
/* On 127.0.0.1. */
unsigned relay_port(const struct relay *relay);
/* Came from the donor so far. */
uint64_t relay_bytes(const struct relay *relay);
/* Ends all connections and the thread. NULL is allowed. */
void relay_stop(struct relay *relay);

#endif
