/* What strangers say before they are authenticated: the PSK identity, and key files (common/net).
 * fuzz: runs=60000 max_len=300
 *
 * The first byte picks. An identity finds a group exactly if it is that group's name, byte by byte; what goes
 * into the log is printable and ends. A key file is taken exactly if it is 64 hexadecimal digits, with or
 * without a newline. */
#include <ctype.h>
#include <string.h>

#include "common/net/internal.h"
#include "common/net/tls.c"
#include "tests/fuzz/fuzz.h"

static const char *const clusters[] = {"prod", "prod2", "p", "a.b-c_d"};
#define CLUSTERS (sizeof clusters / sizeof clusters[0])

static struct net *served(void)
{
    static const struct net_callbacks none;
    static const uint8_t key[NET_KEY_BYTES] = {1};
    static struct net *net;
    struct net_group *group;
    struct error err;

    if (!net) {
        FUZZ_CHECK(net_new(event_base_new(), &net, &err) == ERR_OK, "TLS is there");
        for (unsigned i = 0; i < CLUSTERS; i++)
            FUZZ_CHECK(net_group_new(net, clusters[i], key, &none, NULL, &group, &err) == ERR_OK,
                       "a cluster can be served");
    }
    return net;
}

static void check_identity(const uint8_t *data, size_t size)
{
    struct net *net = served();
    static SSL *ssl;
    static struct tls_peer peer;
    SSL_SESSION *session;
    const char *expected = NULL;

    if (!ssl) {
        ssl = tls_ssl_new(net->tls, &peer);
        FUZZ_CHECK(ssl, "there is memory");
    }
    memset(&peer, 0, sizeof peer);
    peer.net = net;
    memset(peer.identity, 'x', sizeof peer.identity);
    FUZZ_CHECK(find_session(ssl, data, size, &session) == 1, "the callback never fails");
    for (unsigned i = 0; i < CLUSTERS; i++)
        if (strlen(clusters[i]) == size && memcmp(clusters[i], data, size) == 0)
            expected = clusters[i];
    FUZZ_CHECK((expected != NULL) == (peer.group != NULL) && (session != NULL) == (peer.group != NULL) &&
                   peer.unknown_identity == (expected == NULL),
               "only its name finds a cluster");
    FUZZ_CHECK(!expected || strcmp(net_group_cluster(peer.group), expected) == 0, "and finds that one");
    FUZZ_CHECK(memchr(peer.identity, 0, sizeof peer.identity), "what is logged ends");
    for (const char *c = peer.identity; *c; c++)
        FUZZ_CHECK(isprint((unsigned char)*c), "and is printable");
    SSL_SESSION_free(session);
    for (unsigned reason = 0; reason < 2; reason++) {
        char why[TLS_WHY_BYTES];
        memset(why, 'x', sizeof why);
        peer.dialled = reason;
        tls_explain(&peer, size ? data[0] * 0x1001u : 0, why);
        FUZZ_CHECK(memchr(why, 0, sizeof why), "the explanation ends");
    }
}

static void check_key(const uint8_t *data, size_t size)
{
    uint8_t key[NET_KEY_BYTES];
    struct error err;
    size_t digits = size > 0 && data[size - 1] == '\n' ? size - 1 : size;
    bool sound = digits == 2 * NET_KEY_BYTES;

    for (size_t i = 0; sound && i < digits; i++)
        sound = isxdigit(data[i]);
    FUZZ_CHECK((net_key_read(fuzz_file(data, size), key, &err) == ERR_OK) == sound,
               "a key file is 64 hexadecimal digits and nothing else");
    for (size_t i = 0; sound && i < NET_KEY_BYTES; i++) {
        char byte[3] = {(char)data[2 * i], (char)data[2 * i + 1], 0};
        FUZZ_CHECK(strtoul(byte, NULL, 16) == key[i], "and says what the digits say");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 'k')
        check_key(data + 1, size - 1);
    else
        check_identity(data + 1, size - 1);
    return 0;
}
