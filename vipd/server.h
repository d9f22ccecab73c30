/* server.h - the unix socket on which the agent asks (SOCK_SEQPACKET, one request a packet).
 *
 * Whoever connects must be the peer user (SO_PEERCRED); others are closed unheard. What is said is checked
 * again with every packet; a packet that is no request ends its connection. A connection that ends changes
 * nothing: leases have their deadlines. A client that does not read is not waited for: it gets the newest
 * state once there is room. */
#ifndef MHA_VIPD_SERVER_H
#define MHA_VIPD_SERVER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "vipd/address.h"
#include "vipd/settings.h"

#define SERVER_CONNECTIONS_MAX 8 /* one more closes the oldest */
#define SERVER_POLL_MAX (1 + SERVER_CONNECTIONS_MAX)

struct server_connection {
    int fd; /* -1: free */
    uint64_t since_us;
    bool owed[VIPD_ADDRESSES_MAX];        /* a state that found no room */
    uint64_t last_id[VIPD_ADDRESSES_MAX]; /* the last request about this address */
};

struct server {
    int listener;
    uid_t peer_uid;
    struct address *addresses;
    unsigned address_count;
    struct server_connection connections[SERVER_CONNECTIONS_MAX];
    uint64_t complaint_us; /* of the last line about strangers, and about packets that are none */
    unsigned complaints;   /* since then */
    char path[VIPD_SOCKET_BYTES];
};

/* Listens on settings->socket, which will belong to the peer user with mode 0600. A socket left by an earlier
 * run is replaced; ERR_BUSY: another vipd listens there; ERR_IO with the remedy. */
enum error_code server_open(struct server *server, const struct vipd_settings *settings,
                            struct address *addresses, struct error *err);
void server_close(struct server *server);

/* Fills `polls` with what to wait for; how many. */
unsigned server_prepare(const struct server *server, struct pollfd polls[SERVER_POLL_MAX]);
/* Handles what poll(2) found, at most one packet a connection. */
void server_serve(struct server *server, const struct pollfd *polls, unsigned count);
/* Tells everyone the state of this address. */
void server_tell(struct server *server, unsigned address);

#endif
