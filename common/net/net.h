/* net.h - authenticated frames between members, on libevent.
 *
 * TLS 1.3 only, external PSK (RFC 8446 2.2, 4.2.11; psk_dhe_ke, TLS_AES_128_GCM_SHA256): the identity is the
 * cluster's name, the key its shared 256-bit key. One listening socket serves any number of clusters; the
 * handshake picks the key by the identity. Frames: u32 big-endian length (1 .. NET_FRAME_BYTES_MAX), then
 * that many bytes. An unfinished handshake, an oversized frame, or a silent start is closed after
 * NET_HANDSHAKE_MS; at most NET_STRANGERS_MAX unauthenticated connections are held, the oldest goes first. A
 * refusal is logged once per address and reason, at most every minute.
 *
 * A link is one dialled connection, kept up with backoff (20 ms first, doubled up to half the silence below,
 * with jitter), for sending to one peer; what the peer sends comes in on the peer's own link to us (an
 * accepted connection). A link whose peer acknowledges nothing for that silence is broken (TCP_USER_TIMEOUT)
 * and dialled anew; a dial that nobody answers is given up after a quarter of it and repeated at once, so
 * that a healed cut is noticed soon.
 *
 * Addresses are numeric, or names: a name to listen on is resolved once, by the system's resolver; a name to
 * dial is resolved before every dial, without blocking, from /etc/hosts and the servers of /etc/resolv.conf
 * (evdns, so no other nsswitch source).
 *
 * Everything runs on the owner's event_base, on one thread. Callbacks come from the loop, never from inside a
 * call into this header; inside one, all calls are allowed but net_group_free and net_free. net_new ignores
 * SIGPIPE for the process. */
#ifndef MHA_NET_NET_H
#define MHA_NET_NET_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define NET_FRAME_BYTES_MAX (1024 * 1024)
#define NET_HANDSHAKE_MS 2000
#define NET_SILENCE_MS 2000 /* the default and the most */
#define NET_SILENCE_LEAST_MS 400
#define NET_STRANGERS_MAX 64
#define NET_CONNS_MAX 64                      /* accepted connections per group; the newest is refused */
#define NET_QUEUE_BYTES_MAX (4 * 1024 * 1024) /* what may wait on one connection */
#define NET_KEY_BYTES 32
#define NET_CLUSTER_BYTES 64 /* a cluster's name with its NUL */

struct net;       /* the TLS context, the listener, the clusters it serves */
struct net_group; /* one cluster on it */
struct net_link;  /* our connection to one peer */
struct net_conn;  /* a connection that a peer made to us */

enum error_code net_new(struct event_base *base, struct net **out, struct error *err);
void net_free(struct net *net);
/* `address` is host:port; port 0 takes a free one, seen by net_port. ERR_INVALID: not an address; ERR_BUSY:
 * in use; ERR_IO. */
enum error_code net_listen(struct net *net, const char *address, struct error *err);
unsigned net_port(const struct net *net);

/* Reads a key file: 64 hex digits and a newline. ERR_INVALID with the remedy for anything else, and for a
 * file that others than its owner and group may read. */
enum error_code net_key_read(const char *path, uint8_t key[NET_KEY_BYTES], struct error *err);

struct net_callbacks {
    /* A peer's authenticated connection: frames arrive in order until closed. `conn` lives until `closed`
     * returns. */
    void (*accepted)(void *context, struct net_conn *conn);
    void (*frame)(void *context, struct net_conn *conn, const uint8_t *data, size_t size);
    void (*closed)(void *context, struct net_conn *conn, const char *why);
    /* Our own links. */
    void (*link_up)(void *context, struct net_link *link);
    void (*link_frame)(void *context, struct net_link *link, const uint8_t *data, size_t size);
    void (*link_down)(void *context, struct net_link *link, const char *why);
};

/* `callbacks` must outlive the group; `cluster` and `key` are copied. ERR_INVALID: no such name can be, or it
 * is served already. */
enum error_code net_group_new(struct net *net, const char *cluster, const uint8_t key[NET_KEY_BYTES],
                              const struct net_callbacks *callbacks, void *context, struct net_group **out,
                              struct error *err);
/* For connections from now on, bounded to the limits above. A group with a short election timeout wants a
 * short one. */
void net_group_set_silence(struct net_group *group, uint64_t silence_ms);
void net_group_free(struct net_group *group); /* closes its links and connections without callbacks */

/* Dials from the next loop turn on, for ever. `user` is the caller's own, read back with net_link_user. */
enum error_code net_link_new(struct net_group *group, const char *address, void *user, struct net_link **out,
                             struct error *err);
void net_link_free(struct net_link *link);
void *net_link_user(const struct net_link *link);
bool net_link_up(const struct net_link *link);
/* false: not up, or more than 4 MiB already wait: dropped. */
bool net_link_send(struct net_link *link, const void *data, size_t size);
/* Drop the connection and dial again after the backoff (a refused Hello, say). No link_down follows. */
void net_link_reset(struct net_link *link);
/* The peer was just heard: if the link waits for its next dial, dial now. */
void net_link_hurry(struct net_link *link);
/* With these words begins why a link is not up when the other side has another key. */
#define NET_OTHER_KEY "it has another key for"
/* Why the link is not up, for a person; "" when it is. */
const char *net_link_trouble(const struct net_link *link);

/* false: more than NET_QUEUE_BYTES_MAX already wait: dropped. */
bool net_conn_send(struct net_conn *conn, const void *data, size_t size);
/* What was sent before still leaves, in NET_HANDSHAKE_MS or not at all. The caller's `conn` ends here; no
 * `closed` follows. */
void net_conn_close(struct net_conn *conn);
void net_conn_set_user(struct net_conn *conn, void *user);
void *net_conn_user(const struct net_conn *conn);
/* host:port, as the peer's socket has it. */
const char *net_conn_peer_address(const struct net_conn *conn);

#endif
