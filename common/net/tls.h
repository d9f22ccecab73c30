/* tls.h - TLS 1.3 with an external PSK and nothing else: no certificate, no ticket, no earlier version.
 *
 * A server without a certificate can finish no handshake but one with a PSK. A client must insist on it too:
 * a server that answers with a certificate instead is refused, twice (SSL_VERIFY_PEER with no trusted root,
 * and tls_authenticated). */
#ifndef MHA_NET_TLS_H
#define MHA_NET_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/net/net.h"

#define TLS_WHY_BYTES 256

/* What the PSK callbacks need and find out about one connection: the SSL's app data. */
struct tls_peer {
    struct net *net;
    struct net_group *group; /* dialled: whose key is used; accepted: found by the identity, NULL before */
    bool dialled;
    bool unknown_identity;            /* accepted: it asked for a cluster that nobody here serves */
    char identity[NET_CLUSTER_BYTES]; /* accepted: what it asked for, made printable, cut to fit */
};

/* Implemented by net.c: the group with that name; NULL if there is none. `identity` is not NUL-terminated. */
struct net_group *net_find_group(struct net *net, const char *identity, size_t size);
SSL_SESSION *net_group_psk(const struct net_group *group); /* owned by the group */
const char *net_group_cluster(const struct net_group *group);

enum error_code tls_context_new(SSL_CTX **out, struct error *err);
/* NULL: no memory. */
SSL_SESSION *tls_psk_new(SSL_CTX *context, const uint8_t key[NET_KEY_BYTES]);
/* An SSL with `peer` as its app data; `peer` outlives it. NULL: no memory. */
SSL *tls_ssl_new(SSL_CTX *context, struct tls_peer *peer);
/* After the handshake: the peer has proved that it knows the key of peer->group. */
bool tls_authenticated(const SSL *ssl, const struct tls_peer *peer);
/* Why a handshake failed, with the remedy. `error` is OpenSSL's code. */
void tls_explain(const struct tls_peer *peer, unsigned long error, char why[TLS_WHY_BYTES]);

#endif
