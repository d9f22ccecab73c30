/* Two nets, and strangers, on loopback in one loop. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
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
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/net.h"

#define WAIT_MS 5000

static struct event_base *base;
static const uint8_t key_one[NET_KEY_BYTES] = {1, 2, 3};
static const uint8_t key_two[NET_KEY_BYTES] = {1, 2, 4};

/* One side and what it has seen. */
struct side {
    struct net *net;
    struct net_group *group;
    struct net_link *link;
    struct net_conn *conn; /* the newest accepted */
    unsigned accepted, closed, up, down, frames, link_frames;
    size_t last_size;
    uint8_t last_byte;
    char why[256];
    bool answer;       /* echo each frame on the accepted connection */
    bool close_answer; /* and close after it */
    bool reset_on_frame, free_on_frame;
};

static void on_accepted(void *context, struct net_conn *conn)
{
    struct side *side = context;
    side->accepted++;
    side->conn = conn;
    net_conn_set_user(conn, side);
}

static void on_frame(void *context, struct net_conn *conn, const uint8_t *data, size_t size)
{
    struct side *side = context;
    CU_ASSERT_PTR_EQUAL(net_conn_user(conn), side);
    side->frames++;
    side->last_size = size;
    side->last_byte = data[size - 1];
    if (side->answer)
        CU_ASSERT(net_conn_send(conn, data, size));
    if (side->close_answer) {
        net_conn_close(conn);
        side->conn = NULL;
    }
}

static void on_closed(void *context, struct net_conn *conn, const char *why)
{
    struct side *side = context;
    side->closed++;
    if (side->conn == conn)
        side->conn = NULL;
    snprintf(side->why, sizeof side->why, "%s", why);
}

static void on_link_up(void *context, struct net_link *link)
{
    struct side *side = context;
    CU_ASSERT_PTR_EQUAL(net_link_user(link), side);
    CU_ASSERT(net_link_up(link));
    side->up++;
}

static void on_link_frame(void *context, struct net_link *link, const uint8_t *data, size_t size)
{
    struct side *side = context;
    side->link_frames++;
    side->last_size = size;
    side->last_byte = data[size - 1];
    if (side->reset_on_frame)
        net_link_reset(link);
    if (side->free_on_frame) {
        net_link_free(link);
        side->link = NULL;
    }
}

static void on_link_down(void *context, struct net_link *link, const char *why)
{
    struct side *side = context;
    CU_ASSERT(!net_link_up(link));
    side->down++;
    snprintf(side->why, sizeof side->why, "%s", why);
}

static const struct net_callbacks callbacks = {on_accepted, on_frame,      on_closed,
                                               on_link_up,  on_link_frame, on_link_down};

static void side_open(struct side *side, const char *cluster, const uint8_t *key, const char *listen)
{
    struct error err;

    CU_ASSERT_EQUAL_FATAL(net_new(base, &side->net, &err), ERR_OK);
    if (listen && net_listen(side->net, listen, &err) != ERR_OK) {
        puts(err.text);
        CU_FAIL_FATAL("net_listen");
    }
    CU_ASSERT_EQUAL_FATAL(net_group_new(side->net, cluster, key, &callbacks, side, &side->group, &err),
                          ERR_OK);
}

static void side_dial(struct side *side, const char *host, unsigned port)
{
    char address[64];
    struct error err;

    snprintf(address, sizeof address, "%s:%u", host, port);
    CU_ASSERT_EQUAL_FATAL(net_link_new(side->group, address, side, &side->link, &err), ERR_OK);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

/* Runs the loop until *value >= least. */
static bool wait_for(const unsigned *value, unsigned least, unsigned ms)
{
    uint64_t end_us = clock_now_us() + MS_TO_US(ms);
    struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    struct timeval interval = {.tv_usec = 5000};

    event_add(tick, &interval);
    while (*value < least && clock_now_us() < end_us)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(tick);
    return *value >= least;
}

static void run_ms(unsigned ms)
{
    unsigned never = 0;
    wait_for(&never, 1, ms);
}

static void two_sides(struct side *server, struct side *client)
{
    side_open(server, "shop", key_one, "127.0.0.1:0");
    side_open(client, "shop", key_one, NULL);
    side_dial(client, "127.0.0.1", net_port(server->net));
}

static void frames_both_ways(void)
{
    struct side server = {.answer = true}, client = {0};
    static uint8_t big[NET_FRAME_BYTES_MAX];

    two_sides(&server, &client);
    CU_ASSERT(!net_link_send(client.link, "x", 1)); /* not up yet */
    CU_ASSERT(wait_for(&client.up, 1, WAIT_MS));
    CU_ASSERT_STRING_EQUAL(net_link_trouble(client.link), "");
    CU_ASSERT(net_link_send(client.link, "hello", 5));
    CU_ASSERT(wait_for(&client.link_frames, 1, WAIT_MS));
    CU_ASSERT_EQUAL(client.last_size, 5);
    CU_ASSERT_EQUAL(client.last_byte, 'o');
    CU_ASSERT_EQUAL(server.accepted, 1);
    CU_ASSERT_EQUAL(strncmp(net_conn_peer_address(server.conn), "127.0.0.1:", 10), 0);

    big[sizeof big - 1] = 7;
    CU_ASSERT(net_link_send(client.link, big, sizeof big));
    CU_ASSERT(net_link_send(client.link, "z", 1));
    CU_ASSERT(!net_link_send(client.link, big, sizeof big + 1));
    CU_ASSERT(!net_link_send(client.link, big, 0));
    CU_ASSERT(wait_for(&client.link_frames, 3, WAIT_MS));
    CU_ASSERT_EQUAL(client.last_byte, 'z');
    for (unsigned i = 0; i < 1000; i++)
        CU_ASSERT(net_link_send(client.link, "many", 4));
    CU_ASSERT(wait_for(&client.link_frames, 1003, WAIT_MS));
    CU_ASSERT_EQUAL(server.frames, 1003);
    net_free(client.net);
    CU_ASSERT(wait_for(&server.closed, 1, WAIT_MS));
    net_free(server.net);
}

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

static void over_ipv6(void)
{
    struct side server = {.answer = true}, client = {0};

    side_open(&server, "shop", key_one, "[::1]:0");
    side_open(&client, "shop", key_one, NULL);
    side_dial(&client, "[::1]", net_port(server.net));
    CU_ASSERT(wait_for(&client.up, 1, WAIT_MS));
    CU_ASSERT(net_link_send(client.link, "6", 1));
    CU_ASSERT(wait_for(&client.link_frames, 1, WAIT_MS));
    CU_ASSERT_EQUAL(strncmp(net_conn_peer_address(server.conn), "[::1]:", 6), 0);
    net_free(client.net);
    net_free(server.net);
}

static void by_name(void)
{
    struct side server = {0}, client = {0};

    side_open(&server, "shop", key_one, "127.0.0.1:0");
    side_open(&client, "shop", key_one, NULL);
    side_dial(&client, "localhost",
              net_port(server.net)); /* from /etc/hosts; maybe ::1 first, refused, then this */
    CU_ASSERT(wait_for(&client.up, 1, WAIT_MS));
    net_free(client.net);
    net_free(server.net);
}

static void several_groups_on_one_port(void)
{
    struct side server = {0}, one = {0}, two = {0};
    struct side second = {0};
    struct error err;

    side_open(&server, "shop", key_one, "127.0.0.1:0");
    second.net = server.net;
    CU_ASSERT_EQUAL(net_group_new(server.net, "shop", key_two, &callbacks, &second, &second.group, &err),
                    ERR_INVALID);
    CU_ASSERT_EQUAL_FATAL(
        net_group_new(server.net, "bank", key_two, &callbacks, &second, &second.group, &err), ERR_OK);
    side_open(&one, "shop", key_one, NULL);
    side_open(&two, "bank", key_two, NULL);
    side_dial(&one, "127.0.0.1", net_port(server.net));
    side_dial(&two, "127.0.0.1", net_port(server.net));
    CU_ASSERT(wait_for(&server.accepted, 1, WAIT_MS));
    CU_ASSERT(wait_for(&second.accepted, 1, WAIT_MS));
    CU_ASSERT_EQUAL(server.accepted, 1);
    CU_ASSERT(wait_for(&two.up, 1, WAIT_MS));
    net_group_free(second.group); /* closes that one only */
    CU_ASSERT(wait_for(&two.down, 1, WAIT_MS));
    CU_ASSERT_EQUAL(one.down, 0);
    net_free(one.net);
    net_free(two.net);
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

static void reconnects(void)
{
    struct side server = {0}, again = {0}, client = {0};
    char listen[32];

    two_sides(&server, &client);
    CU_ASSERT(wait_for(&client.up, 1, WAIT_MS));
    snprintf(listen, sizeof listen, "127.0.0.1:%u", net_port(server.net));
    net_free(server.net);
    CU_ASSERT(wait_for(&client.down, 1, WAIT_MS));
    CU_ASSERT(!net_link_send(client.link, "x", 1));
    run_ms(200);
    CU_ASSERT_PTR_NOT_NULL(strstr(net_link_trouble(client.link), "refused"));
    side_open(&again, "shop", key_one, listen);
    net_link_hurry(client.link);
    CU_ASSERT(wait_for(&client.up, 2, 150)); /* not the rest of the backoff */
    net_free(again.net);
    net_free(client.net);
}

/* What was sent before a close arrives; the dialler dials again with backoff. */
static void close_flushes(void)
{
    struct side server = {.answer = true, .close_answer = true}, client = {0};

    two_sides(&server, &client);
    CU_ASSERT(wait_for(&client.up, 1, WAIT_MS));
    CU_ASSERT(net_link_send(client.link, "why", 3));
    CU_ASSERT(wait_for(&client.link_frames, 1, WAIT_MS));
    CU_ASSERT(wait_for(&client.down, 1, WAIT_MS));
    CU_ASSERT_EQUAL(server.closed, 0); /* it closed itself */
    net_free(client.net);
    net_free(server.net);
}

static void reset_and_free_in_callback(void)
{
    struct side server = {.answer = true}, client = {.reset_on_frame = true};

    two_sides(&server, &client);
    for (unsigned i = 1; i <= 3; i++) {
        CU_ASSERT(wait_for(&client.up, i, WAIT_MS));
        CU_ASSERT(net_link_send(client.link, "a", 1));
        CU_ASSERT(net_link_send(client.link, "b", 1));
        CU_ASSERT(wait_for(&client.link_frames, i, WAIT_MS));
        CU_ASSERT(!net_link_up(client.link));
    }
    CU_ASSERT_EQUAL(client.down, 0);
    client.free_on_frame = true;
    CU_ASSERT(wait_for(&client.up, 4, WAIT_MS));
    CU_ASSERT(net_link_send(client.link, "a", 1));
    CU_ASSERT(wait_for(&client.link_frames, 4, WAIT_MS));
    CU_ASSERT_PTR_NULL(client.link);
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

/* A port that accepts nobody (a full backlog): bounded dials, no block. */
static void black_hole(void)
{
    struct side client = {0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fillers[4];
    uint64_t begin_us;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CU_ASSERT_EQUAL_FATAL(bind(listener, (struct sockaddr *)&address, size), 0);
    listen(listener, 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    for (unsigned i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    side_open(&client, "shop", key_one, NULL);
    begin_us = clock_now_us();
    side_dial(&client, "127.0.0.1", ntohs(address.sin_port));
    run_ms(700);
    CU_ASSERT(clock_now_us() - begin_us < MS_TO_US(1200));
    CU_ASSERT_PTR_NOT_NULL(strstr(net_link_trouble(client.link), "timed out"));
    for (unsigned i = 0; i < 4; i++)
        close(fillers[i]);
    close(listener);
    net_free(client.net);
}

static void bad_addresses(void)
{
    struct side side = {0};
    struct net_link *link;
    struct error err;

    side_open(&side, "shop", key_one, NULL);
    CU_ASSERT_EQUAL(net_listen(side.net, "nonsense", &err), ERR_INVALID);
    CU_ASSERT_EQUAL(net_listen(side.net, "192.0.2.77:0", &err), ERR_IO);
    CU_ASSERT_EQUAL(net_link_new(side.group, "10.0.0.1", NULL, &link, &err), ERR_INVALID);
    CU_ASSERT_EQUAL(net_link_new(side.group, "10.0.0.1:0", NULL, &link, &err), ERR_INVALID);
    CU_ASSERT_EQUAL(net_listen(side.net, "127.0.0.1:0", &err), ERR_OK);
    struct net *other;
    char taken[32];
    CU_ASSERT_EQUAL_FATAL(net_new(base, &other, &err), ERR_OK);
    snprintf(taken, sizeof taken, "127.0.0.1:%u", net_port(side.net));
    CU_ASSERT_EQUAL(net_listen(other, taken, &err), ERR_BUSY);
    net_free(other);
    net_free(side.net);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void key_files(void)
{
    char path[] = "/tmp/mha-test-net-key-XXXXXX";
    uint8_t key[NET_KEY_BYTES];
    struct error err;
    char text[80];

    close(mkstemp(path));
    memset(text, 'a', 64);
    memcpy(text + 64, "\n", 2);
    write_file(path, text, 0640);
    CU_ASSERT_EQUAL(net_key_read(path, key, &err), ERR_OK);
    CU_ASSERT_EQUAL(key[0], 0xaa);
    CU_ASSERT_EQUAL(key[31], 0xaa);
    write_file(path, text, 0644);
    CU_ASSERT_EQUAL(net_key_read(path, key, &err), ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "chmod"));
    text[10] = 'x';
    write_file(path, text, 0600);
    CU_ASSERT_EQUAL(net_key_read(path, key, &err), ERR_INVALID);
    text[10] = 'A';
    memcpy(text + 64, "a\n", 3);
    write_file(path, text, 0600);
    CU_ASSERT_EQUAL(net_key_read(path, key, &err), ERR_INVALID);
    write_file(path, "", 0600);
    CU_ASSERT_EQUAL(net_key_read(path, key, &err), ERR_INVALID);
    unlink(path);
    CU_ASSERT_EQUAL(net_key_read(path, key, &err), ERR_IO);
    CU_ASSERT_EQUAL(net_key_read("/tmp", key, &err), ERR_INVALID);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;
    struct event_config *config = event_config_new();

    log_open("test_net", LOG_LEVEL_INFO);
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    base = event_base_new_with_config(config);
    event_config_free(config);
    CU_initialize_registry();
    suite = CU_add_suite("net", NULL, NULL);
    CU_ADD_TEST(suite, frames_both_ways);
    CU_ADD_TEST(suite, keys_do_not_age);
    CU_ADD_TEST(suite, over_ipv6);
    CU_ADD_TEST(suite, by_name);
    CU_ADD_TEST(suite, several_groups_on_one_port);
    CU_ADD_TEST(suite, wrong_key);
    CU_ADD_TEST(suite, wrong_cluster);
    CU_ADD_TEST(suite, garbage);
    CU_ADD_TEST(suite, oversized_frame);
    CU_ADD_TEST(suite, silent_start);
    CU_ADD_TEST(suite, slow_loris);
    CU_ADD_TEST(suite, reconnects);
    CU_ADD_TEST(suite, close_flushes);
    CU_ADD_TEST(suite, reset_and_free_in_callback);
    CU_ADD_TEST(suite, slow_reader);
    CU_ADD_TEST(suite, certificate_is_no_key);
    CU_ADD_TEST(suite, black_hole);
    CU_ADD_TEST(suite, bad_addresses);
    CU_ADD_TEST(suite, key_files);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    event_base_free(base);
    return failures ? 1 : 0;
}
