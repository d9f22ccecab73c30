#include "common/net/tls.h"

#include <ctype.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define TLS_CIPHERSUITE "TLS_AES_128_GCM_SHA256"
#define TLS_CIPHERSUITE_ID 0x1301  /* RFC 8446, B.4 */
#define PSK_LIFETIME_S 0x7fffffffL /* 68 years: never, and no overflow */
#define TLS_ALERT_REASON 1000      /* OpenSSL reports a received alert as this plus its number */

/* The server's side: which key belongs to this identity? */
static int find_session(SSL *ssl, const unsigned char *identity, size_t size, SSL_SESSION **session)
{
    struct tls_peer *peer = SSL_get_app_data(ssl);
    size_t kept = size < sizeof peer->identity - 1 ? size : sizeof peer->identity - 1;

    *session = NULL;
    for (size_t i = 0; i < kept; i++)
        peer->identity[i] = isprint(identity[i]) ? (char)identity[i] : '?';
    peer->identity[kept] = '\0';
    peer->group = net_find_group(peer->net, (const char *)identity, size);
    peer->unknown_identity = peer->group == NULL;
    if (peer->group) {
        *session = net_group_psk(peer->group);
        SSL_SESSION_up_ref(*session);
    }
    return 1; /* with no session: no PSK, so no handshake */
}

/* The client's side: which identity and key to offer? */
static int use_session(SSL *ssl, const EVP_MD *digest, const unsigned char **identity, size_t *size,
                       SSL_SESSION **session)
{
    const struct tls_peer *peer = SSL_get_app_data(ssl);
    const char *cluster;

    (void)digest; /* one ciphersuite, so SHA-256 or a handshake that fails */
    if (!peer->group)
        return 0;
    cluster = net_group_cluster(peer->group);
    *identity = (const unsigned char *)cluster;
    *size = strlen(cluster);
    *session = net_group_psk(peer->group);
    SSL_SESSION_up_ref(*session);
    return 1;
}

enum error_code tls_context_new(SSL_CTX **out, struct error *err)
{
    SSL_CTX *context;

    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_SSL_STRINGS |
                         OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
                         OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
                     NULL);
    context = SSL_CTX_new(TLS_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context, TLS_CIPHERSUITE) != 1 ||
        SSL_CTX_set1_groups_list(context, "X25519:P-256") != 1 || SSL_CTX_set_num_tickets(context, 0) != 1) {
        SSL_CTX_free(context);
        return error_set(
            err, ERR_INTERNAL,
            "TLS 1.3 is not to be had from this OpenSSL (%s); its system-wide policy may forbid %s",
            ERR_reason_error_string(ERR_peek_last_error()), TLS_CIPHERSUITE);
    }
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_psk_find_session_callback(context, find_session);
    SSL_CTX_set_psk_use_session_callback(context, use_session);
    *out = context;
    return ERR_OK;
}

SSL_SESSION *tls_psk_new(SSL_CTX *context, const uint8_t key[NET_KEY_BYTES])
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(context);
    SSL_SESSION *session = SSL_SESSION_new();

    for (int i = 0; session && i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        if (SSL_CIPHER_get_protocol_id(cipher) == TLS_CIPHERSUITE_ID &&
            SSL_SESSION_set1_master_key(session, key, NET_KEY_BYTES) == 1 &&
            SSL_SESSION_set_cipher(session, cipher) == 1 &&
            SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1 &&
            /* OpenSSL takes an external key for a session, and lets it end after 304 s of the wall clock */
            SSL_SESSION_set_timeout(session, PSK_LIFETIME_S) == 1)
            return session;
    }
    SSL_SESSION_free(session);
    return NULL;
}

SSL *tls_ssl_new(SSL_CTX *context, struct tls_peer *peer)
{
    SSL *ssl = SSL_new(context);

    if (!ssl)
        return NULL;
    SSL_set_app_data(ssl, peer);
    if (peer->dialled)
        SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL); /* with no root trusted: no certificate will do */
    return ssl;
}

bool tls_authenticated(const SSL *ssl, const struct tls_peer *peer)
{
    /* A PSK handshake is what OpenSSL calls a resumption; with neither tickets nor a cache there is no other
     * kind. */
    return peer->group && SSL_session_reused(ssl) == 1 && SSL_version(ssl) == TLS1_3_VERSION;
}

static void explain_dialled(int reason, char why[TLS_WHY_BYTES])
{
    switch (reason) {
    case TLS_ALERT_REASON + SSL_AD_HANDSHAKE_FAILURE:
    case TLS_ALERT_REASON + SSL_AD_UNKNOWN_PSK_IDENTITY:
        snprintf(why, TLS_WHY_BYTES,
                 "it does not serve our cluster; make `cluster` the same in both files, and look at its log");
        return;
    case TLS_ALERT_REASON + SSL_AD_ILLEGAL_PARAMETER:
    case TLS_ALERT_REASON + SSL_AD_DECRYPT_ERROR:
        snprintf(why, TLS_WHY_BYTES, NET_OTHER_KEY " our cluster; copy one key file to all members");
        return;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        snprintf(why, TLS_WHY_BYTES,
                 "it answers with a certificate instead of the cluster's key; is the address right?");
        return;
    default:
        snprintf(why, TLS_WHY_BYTES, "what answers is not a member (TLS: %s); is the address right?",
                 ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason)));
    }
}

void tls_explain(const struct tls_peer *peer, unsigned long error, char why[TLS_WHY_BYTES])
{
    int reason = ERR_GET_REASON(error);

    if (peer->dialled) {
        explain_dialled(reason, why);
    } else if (peer->unknown_identity) {
        snprintf(why, TLS_WHY_BYTES,
                 "it asks for cluster \"%s\", which is not served here; make `cluster` the same in both "
                 "files, or mend "
                 "the address there",
                 peer->identity);
    } else if (reason == SSL_R_BINDER_DOES_NOT_VERIFY) {
        snprintf(why, TLS_WHY_BYTES, NET_OTHER_KEY " cluster \"%s\"; copy one key file to all members",
                 peer->identity);
    } else {
        const char *text = ERR_reason_error_string(error);
        snprintf(why, TLS_WHY_BYTES,
                 "it is not a member: TLS 1.3 with a cluster's key is the only language here (%s)",
                 text ? text : "no reason given");
    }
}
