/* Who is let in, and that all others disturb nobody. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net_fixture.h"

/* The wall clock of this program, as OpenSSL reads it. */
static time_t clock_ahead_s;

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += clock_ahead_s;
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

/* A session of OpenSSL's ends after five minutes. A key does not, and is still good after years, or when the
 * clock is set back. */
static void keys_do_not_age(void)
{
    static const time_t ahead_s[] = {310, 86400, 10 * 365 * 86400L, -86400, 0};
    struct side server = {0};

    side_open(&server, "shop", key_one, "127.0.0.1:0");
    for (size_t i = 0; i < sizeof ahead_s / sizeof ahead_s[0]; i++) {
        struct side client = {0};
        clock_ahead_s = ahead_s[i];
        side_open(&client, "shop", key_one, NULL);
        side_dial(&client, "127.0.0.1", net_port(server.net));
        CU_ASSERT(wait_for(&client.up, 1, 1000));
        net_free(client.net);
    }
    clock_ahead_s = 0;
    net_free(server.net);
}

static void refuses(const char *cluster, const uint8_t *key, const char *reason)
{
    struct side server = {0}, client = {0};

    side_open(&server, "shop", key_one, "127.0.0.1:0");
    side_open(&client, cluster, key, NULL);
    side_dial(&client, "127.0.0.1", net_port(server.net));
    run_ms(400);
    CU_ASSERT_EQUAL(client.up, 0);
    CU_ASSERT_EQUAL(server.accepted, 0);
    if (!strstr(net_link_trouble(client.link), reason))
        puts(net_link_trouble(client.link));
    CU_ASSERT_PTR_NOT_NULL(strstr(net_link_trouble(client.link), reason));
    net_free(client.net);
    net_free(server.net);
}

static void wrong_key(void)
{
    refuses("shop", key_two, "another key");
}

static void wrong_cluster(void)
{
    refuses("bank", key_one, "does not serve our cluster");
}

static int dial_plain(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static bool is_closed(int fd)
{
    char bytes[4096];
    ssize_t got;

    do
        got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (got > 0);
    return got == 0 || (errno != EAGAIN && errno != EINTR);
}

/* Plain text, noise, a TLS-like header with a huge length: closed, and a member is served all the while. */
static void garbage(void)
{
    struct side server = {.answer = true}, client = {0};
    static uint8_t noise[100000];
    int fds[4];

    two_sides(&server, &client);
    srand(1);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)rand();
    for (unsigned i = 0; i < 4; i++)
        fds[i] = dial_plain(net_port(server.net));
    (void)!write(fds[0], "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    (void)!write(fds[1], noise, sizeof noise);
    (void)!write(fds[2], "\x16\x03\x01\xff\xff\x01\x00\xff\xfb", 9);
    (void)!write(fds[3], "\x00\x00\x00\x01x", 5); /* one of our frames, without TLS */
    CU_ASSERT(wait_for(&client.up, 1, WAIT_MS));
    CU_ASSERT(net_link_send(client.link, "ok", 2));
    CU_ASSERT(wait_for(&client.link_frames, 1, WAIT_MS));
    run_ms(NET_HANDSHAKE_MS + 200);
    for (unsigned i = 0; i < 4; i++) {
        CU_ASSERT(is_closed(fds[i]));
        close(fds[i]);
    }
    CU_ASSERT_EQUAL(server.accepted, 1);
    CU_ASSERT(net_link_send(client.link, "ok", 2));
    CU_ASSERT(wait_for(&client.link_frames, 2, WAIT_MS));
    net_free(client.net);
    net_free(server.net);
}

/* A member of the handshake that then breaks the frame rules, with plain OpenSSL. */
static int raw_use_session(SSL *ssl, const EVP_MD *digest, const unsigned char **identity, size_t *size,
                           SSL_SESSION **session)
{
    static const unsigned char id[2] = {0x13, 0x01};

    (void)digest;
    *session = SSL_SESSION_new();
    SSL_SESSION_set1_master_key(*session, key_one, sizeof key_one);
    SSL_SESSION_set_cipher(*session, SSL_CIPHER_find(ssl, id));
    SSL_SESSION_set_protocol_version(*session, TLS1_3_VERSION);
    *identity = (const unsigned char *)"shop";
    *size = 4;
    return 1;
}

struct raw {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
};

static void raw_dial(struct raw *raw, unsigned port)
{
    raw->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_psk_use_session_callback(raw->context, raw_use_session);
    raw->ssl = SSL_new(raw->context);
    raw->fd = dial_plain(port);
    SSL_set_fd(raw->ssl, raw->fd);
    for (unsigned i = 0; i < 200 && SSL_connect(raw->ssl) != 1; i++)
        run_ms(5);
    CU_ASSERT_EQUAL(SSL_is_init_finished(raw->ssl), 1);
}

static void raw_close(struct raw *raw)
{
    SSL_free(raw->ssl);
    SSL_CTX_free(raw->context);
    close(raw->fd);
}

static void oversized_frame(void)
{
    struct side server = {0};
    struct raw raw;

    side_open(&server, "shop", key_one, "127.0.0.1:0");
    raw_dial(&raw, net_port(server.net));
    CU_ASSERT(SSL_write(raw.ssl, "\x00\x00\x00\x02hi", 6) == 6);
    CU_ASSERT(wait_for(&server.frames, 1, WAIT_MS));
    CU_ASSERT(SSL_write(raw.ssl, "\x00\x10\x00\x01", 4) == 4); /* 1 MiB + 1 */
    CU_ASSERT(wait_for(&server.closed, 1, WAIT_MS));
    CU_ASSERT_PTR_NOT_NULL(strstr(server.why, "1048577"));
    raw_close(&raw);
    raw_dial(&raw, net_port(server.net));
    CU_ASSERT(SSL_write(raw.ssl, "\x00\x00\x00\x00", 4) == 4);
    CU_ASSERT(wait_for(&server.closed, 2, WAIT_MS));
    raw_close(&raw);
    net_free(server.net);
}

/* Authenticated, but no frame follows; and one frame that stays half-sent. */
static void silent_start(void)
{
    struct side server = {0};
    struct raw raw;

    side_open(&server, "shop", key_one, "127.0.0.1:0");
    raw_dial(&raw, net_port(server.net));
    CU_ASSERT(SSL_write(raw.ssl, "\x00\x00\x10\x00half", 8) == 8);
    CU_ASSERT(wait_for(&server.accepted, 1, WAIT_MS));
    CU_ASSERT(wait_for(&server.closed, 1, NET_HANDSHAKE_MS + 500));
    CU_ASSERT_PTR_NOT_NULL(strstr(server.why, "silent"));
    raw_close(&raw);
    net_free(server.net);
}

static void slow_loris(void)
{
    struct side server = {.answer = true}, client = {0};
    int fds[NET_STRANGERS_MAX * 2];
    unsigned closed = 0;

    side_open(&server, "shop", key_one, "127.0.0.1:0");
    for (unsigned i = 0; i < NET_STRANGERS_MAX * 2; i++) {
        fds[i] = dial_plain(net_port(server.net));
        (void)!write(fds[i], "\x16", 1);
        run_ms(1);
    }
    run_ms(50);
    for (unsigned i = 0; i < NET_STRANGERS_MAX * 2; i++)
        closed += is_closed(fds[i]);
    CU_ASSERT_EQUAL(closed, NET_STRANGERS_MAX); /* the oldest went, the bound is full */
    CU_ASSERT(is_closed(fds[0]));
    CU_ASSERT(!is_closed(fds[NET_STRANGERS_MAX * 2 - 1]));
    side_open(&client, "shop", key_one, NULL);
    side_dial(&client, "127.0.0.1", net_port(server.net));
    CU_ASSERT(wait_for(&client.up, 1, WAIT_MS)); /* a member gets in all the same */
    CU_ASSERT(net_link_send(client.link, "hello", 5));
    run_ms(NET_HANDSHAKE_MS + 200);
    for (unsigned i = 0; i < NET_STRANGERS_MAX * 2; i++) {
        CU_ASSERT(is_closed(fds[i]));
        close(fds[i]);
    }
    CU_ASSERT_EQUAL(client.down, 0);
    net_free(client.net);
    net_free(server.net);
}

/* The peer's kernel takes bytes, its process does not: bounded, and the loop goes on. */
static void slow_reader(void)
{
    struct side server = {0};
    struct raw raw;
    static uint8_t block[64 * 1024];
    unsigned sent = 0;

    side_open(&server, "shop", key_one, "127.0.0.1:0");
    raw_dial(&raw, net_port(server.net));
    CU_ASSERT(wait_for(&server.accepted, 1, WAIT_MS));
    while (sent < 10000 && net_conn_send(server.conn, block, sizeof block)) {
        sent++;
        if (sent % 16 == 0)
            run_ms(1);
    }
    CU_ASSERT(sent < 10000);
    CU_ASSERT(sent >= NET_QUEUE_BYTES_MAX / sizeof block - 1);
    raw_close(&raw);
    net_free(server.net);
}

/* A server that shows a certificate instead of the key must not be taken for a member. */
static void certificate_is_no_key(void)
{
    struct side client = {0};
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    unsigned shown = 0;

    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CU_ASSERT_EQUAL_FATAL(bind(listener, (struct sockaddr *)&address, size), 0);
    listen(listener, 8);
    getsockname(listener, (struct sockaddr *)&address, &size);
    side_open(&client, "shop", key_one, NULL);
    side_dial(&client, "127.0.0.1", ntohs(address.sin_port));
    for (unsigned i = 0; i < 200 && shown == 0; i++) {
        int fd;
        run_ms(5);
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0)
            continue;
        SSL *ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        for (unsigned k = 0; k < 40; k++) {
            SSL_accept(ssl);
            run_ms(5);
        }
        shown++;
        SSL_free(ssl);
        close(fd);
    }
    CU_ASSERT_EQUAL(shown, 1);
    CU_ASSERT_EQUAL(client.up, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(net_link_trouble(client.link), "certificate"));
    ERR_clear_error();
    net_free(client.net);
    X509_free(certificate);
    EVP_PKEY_free(key);
    SSL_CTX_free(context);
    close(listener);
}

int main(void)
{
    CU_pSuite suite;

    fixture_begin("test_net_strangers");
    suite = CU_add_suite("strangers", NULL, NULL);
    CU_ADD_TEST(suite, keys_do_not_age);
    CU_ADD_TEST(suite, wrong_key);
    CU_ADD_TEST(suite, wrong_cluster);
    CU_ADD_TEST(suite, garbage);
    CU_ADD_TEST(suite, oversized_frame);
    CU_ADD_TEST(suite, silent_start);
    CU_ADD_TEST(suite, slow_loris);
    CU_ADD_TEST(suite, slow_reader);
    CU_ADD_TEST(suite, certificate_is_no_key);
    return fixture_end();
}
