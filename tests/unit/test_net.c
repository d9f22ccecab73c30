/* Members among themselves: frames, addresses, groups, links that break and come back; key files. */
#include <CUnit/Basic.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "net_fixture.h"

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

    fixture_begin("test_net");
    suite = CU_add_suite("net", NULL, NULL);
    CU_ADD_TEST(suite, frames_both_ways);
    CU_ADD_TEST(suite, over_ipv6);
    CU_ADD_TEST(suite, by_name);
    CU_ADD_TEST(suite, several_groups_on_one_port);
    CU_ADD_TEST(suite, reconnects);
    CU_ADD_TEST(suite, close_flushes);
    CU_ADD_TEST(suite, reset_and_free_in_callback);
    CU_ADD_TEST(suite, black_hole);
    CU_ADD_TEST(suite, bad_addresses);
    CU_ADD_TEST(suite, key_files);
    return fixture_end();
}
