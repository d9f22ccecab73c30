#include "net_fixture.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

struct event_base *base;
const uint8_t key_one[NET_KEY_BYTES] = {1, 2, 3};
const uint8_t key_two[NET_KEY_BYTES] = {1, 2, 4};

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

const struct net_callbacks callbacks = {on_accepted, on_frame,      on_closed,
                                        on_link_up,  on_link_frame, on_link_down};

void side_open(struct side *side, const char *cluster, const uint8_t *key, const char *listen)
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

void side_dial(struct side *side, const char *host, unsigned port)
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

bool wait_for(const unsigned *value, unsigned least, unsigned ms)
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

void run_ms(unsigned ms)
{
    unsigned never = 0;
    wait_for(&never, 1, ms);
}

void two_sides(struct side *server, struct side *client)
{
    side_open(server, "shop", key_one, "127.0.0.1:0");
    side_open(client, "shop", key_one, NULL);
    side_dial(client, "127.0.0.1", net_port(server->net));
}

void fixture_begin(const char *program)
{
    struct event_config *config = event_config_new();

    log_open(program, LOG_LEVEL_INFO);
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    base = event_base_new_with_config(config);
    event_config_free(config);
    CU_initialize_registry();
}

int fixture_end(void)
{
    unsigned failures;

    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    event_base_free(base);
    return failures ? 1 : 0;
}
