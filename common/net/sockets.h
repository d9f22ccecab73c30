/* sockets.h - the socket options and addresses that connections between members need. */
#ifndef MHA_NET_SOCKETS_H
#define MHA_NET_SOCKETS_H

#include <stddef.h>
#include <sys/socket.h>

#define SOCKETS_ADDRESS_BYTES 72

/* TCP_NODELAY, keepalive, and TCP_USER_TIMEOUT: a connection whose peer acknowledges nothing for `silence_ms`
 * is broken, so that a silent cut does not outlive itself. Options that the kernel refuses are left alone. */
void sockets_prepare(int fd, unsigned silence_ms);
/* "1.2.3.4:5" or "[::1]:5". */
void sockets_address_text(const struct sockaddr *address, socklen_t size, char text[SOCKETS_ADDRESS_BYTES]);

#endif
