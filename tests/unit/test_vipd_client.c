/* The agent's client of vipd (agent/vip/vip.h) against a vipd that is played here, on a real socket. */
#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/vip/vip.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "vipd.pb-c.h"

#define VIP "192.0.2.10"
#define PATIENCE_US MS_TO_US(3000)

static struct event_base *base;
static struct vip *vip;
static const struct vip_state *state;
static unsigned changes;
static char path[64];
static int listener = -1, conn = -1;

static void changed(void *context, const struct vip_state *now)
{
    CU_ASSERT_PTR_EQUAL(context, &changes);
    CU_ASSERT_PTR_NOT_NULL(now);
    changes++;
}

static void listen_now(void)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};

    strcpy(where.sun_path, path);
    unlink(path);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(listener, (struct sockaddr *)&where, sizeof where), 0);
    CU_ASSERT_EQUAL_FATAL(listen(listener, 4), 0);
}

static void setup(void)
{
    static const struct vip_callbacks callbacks = {changed};

    snprintf(path, sizeof path, "/tmp/test_vipd_client.%ld", (long)getpid());
    base = event_base_new();
    changes = 0;
    CU_ASSERT_EQUAL_FATAL(vip_new(base, path, VIP, &callbacks, &changes, &vip, NULL), ERR_OK);
    state = vip_get_state(vip);
}

static void hang_up(void)
{
    if (conn >= 0)
        close(conn);
    conn = -1;
}

static void teardown(void)
{
    vip_free(vip);
    hang_up();
    if (listener >= 0)
        close(listener);
    listener = -1;
    unlink(path);
    event_base_free(base);
}

static bool readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    return poll(&polled, 1, 0) > 0;
}

/* Runs the client's loop until the condition holds. */
#define RUN_UNTIL(condition)                                \
    do {                                                    \
        struct timeval a_bit = {.tv_usec = 2000};           \
        uint64_t until_us = clock_now_us() + PATIENCE_US;   \
        while (!(condition) && clock_now_us() < until_us) { \
            event_base_loopexit(base, &a_bit);              \
            event_base_dispatch(base);                      \
        }                                                   \
        CU_ASSERT_FATAL(condition);                         \
    } while (0)

static void run_for_ms(unsigned ms)
{
    struct timeval time = {.tv_sec = ms / 1000, .tv_usec = (long)(ms % 1000) * 1000};

    event_base_loopexit(base, &time);
    event_base_dispatch(base);
}

static void accept_client(void)
{
    RUN_UNTIL(readable(listener));
    conn = accept(listener, NULL, NULL);
    CU_ASSERT_FATAL(conn >= 0);
}

/* The next request; freed by the caller. */
static Mha__VipRequest *hear(void)
{
    uint8_t packet[4096];
    ssize_t size;
    Mha__VipRequest *request;

    RUN_UNTIL(readable(conn));
    size = recv(conn, packet, sizeof packet, 0);
    CU_ASSERT_FATAL(size > 0);
    request = mha__vip_request__unpack(NULL, (size_t)size, packet);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    return request;
}

static void say(uint64_t id, const char *address, bool held, uint64_t epoch, uint64_t deadline_us,
                const char *trouble)
{
    Mha__VipState message = MHA__VIP_STATE__INIT;
    uint8_t packet[4096];

    message.id = id;
    message.address = (char *)address;
    message.held = held;
    message.epoch = epoch;
    message.deadline_us = deadline_us;
    message.link_up = true;
    message.trouble = (char *)trouble;
    CU_ASSERT_FATAL(send(conn, packet, mha__vip_state__pack(&message, packet), MSG_NOSIGNAL) > 0);
}

static uint64_t hear_query(void)
{
    Mha__VipRequest *request = hear();
    uint64_t id = request->id;

    CU_ASSERT_EQUAL_FATAL(request->body_case, MHA__VIP_REQUEST__BODY_QUERY);
    CU_ASSERT_STRING_EQUAL(request->query->address, VIP);
    mha__vip_request__free_unpacked(request, NULL);
    return id;
}

static uint64_t hear_lease(uint64_t epoch, uint64_t deadline_us)
{
    Mha__VipRequest *request = hear();
    uint64_t id = request->id;

    CU_ASSERT_EQUAL_FATAL(request->body_case, MHA__VIP_REQUEST__BODY_LEASE);
    CU_ASSERT_STRING_EQUAL(request->lease->address, VIP);
    CU_ASSERT_EQUAL(request->lease->epoch, epoch);
    CU_ASSERT_EQUAL(request->lease->deadline_us, deadline_us);
    mha__vip_request__free_unpacked(request, NULL);
    return id;
}

static uint64_t hear_release(uint64_t epoch)
{
    Mha__VipRequest *request = hear();
    uint64_t id = request->id;

    CU_ASSERT_EQUAL_FATAL(request->body_case, MHA__VIP_REQUEST__BODY_RELEASE);
    CU_ASSERT_EQUAL(request->release->epoch, epoch);
    mha__vip_request__free_unpacked(request, NULL);
    return id;
}

static void connect_client(void)
{
    listen_now();
    accept_client();
    say(hear_query(), VIP, false, 0, 0, "");
    RUN_UNTIL(state->connected);
}

static void test_absent_vipd_is_a_state_with_a_reason(void)
{
    setup();
    RUN_UNTIL(changes > 0);
    CU_ASSERT_FALSE(state->connected);
    CU_ASSERT_PTR_NOT_NULL(strstr(state->reason, path));
    run_for_ms(100);
    CU_ASSERT_EQUAL(changes, 1); /* the same reason again is no change */
    connect_client();
    CU_ASSERT_STRING_EQUAL(state->reason, "");
    RUN_UNTIL(changes == 2);
    teardown();
}

static void test_leases_and_states_pass(void)
{
    uint64_t deadline = clock_now_us() + MS_TO_US(1000), id;

    setup();
    connect_client();
    vip_lease(vip, 5, deadline);
    id = hear_lease(5, deadline);
    say(id, VIP, true, 5, deadline, "");
    RUN_UNTIL(state->held);
    CU_ASSERT_EQUAL(state->epoch, 5);
    CU_ASSERT_EQUAL(state->deadline_us, deadline);
    RUN_UNTIL(changes > 0);
    changes = 0;
    vip_lease(vip, 5, deadline);
    run_for_ms(20);
    CU_ASSERT_FALSE(readable(conn)); /* vipd has it */
    say(0, VIP, false, 5, 0, "");
    RUN_UNTIL(state->deadline_us == 0);
    vip_lease(vip, 5, deadline); /* it has it no more */
    say(hear_lease(5, deadline), VIP, true, 5, deadline, "");
    RUN_UNTIL(state->held);
    RUN_UNTIL(changes > 0);
    changes = 0;
    vip_lease(vip, 5, deadline + 1);
    say(hear_lease(5, deadline + 1), VIP, true, 5, deadline + 1, "");
    RUN_UNTIL(state->deadline_us == deadline + 1);
    run_for_ms(20);
    CU_ASSERT_EQUAL(changes, 0); /* a renewal is no news */
    say(0, "192.0.2.99", false, 9, 0, "another address");
    say(0, VIP, true, 5, deadline + 1, "interface eth0 is down");
    RUN_UNTIL(changes == 1);
    CU_ASSERT_TRUE(state->held);
    CU_ASSERT_STRING_EQUAL(state->trouble, "interface eth0 is down");
    teardown();
}

static void test_release_is_confirmed_by_its_answer_alone(void)
{
    uint64_t deadline = clock_now_us() + MS_TO_US(1000), id;

    setup();
    connect_client();
    vip_lease(vip, 5, deadline);
    hear_lease(5, deadline);
    vip_release(vip, 5);
    vip_release(vip, 5);
    id = hear_release(5);
    say(id - 1, VIP, false, 5, 0, ""); /* the lease's answer looks the same, and says nothing */
    say(0, VIP, false, 5, 0, "");
    run_for_ms(30);
    CU_ASSERT_EQUAL(state->released_epoch, 0);
    say(id, VIP, true, 5, 0, "the address cannot be removed");
    run_for_ms(30);
    CU_ASSERT_EQUAL(state->released_epoch, 0);
    say(0, VIP, false, 5, 0, "");
    RUN_UNTIL(state->released_epoch == 5);
    CU_ASSERT_FALSE(readable(conn)); /* it was sent once */
    vip_lease(vip, 5, deadline + 1);
    CU_ASSERT_EQUAL(state->released_epoch, 4);
    teardown();
}

static void test_wish_is_said_again_to_a_new_vipd(void)
{
    uint64_t deadline = clock_now_us() + MS_TO_US(60000);

    setup();
    connect_client();
    vip_lease(vip, 5, deadline);
    hear_lease(5, deadline);
    hang_up();
    RUN_UNTIL(!state->connected);
    CU_ASSERT_PTR_NOT_NULL(strstr(state->reason, "closed"));
    accept_client();
    say(hear_query(), VIP, false, 0, 0, "");
    hear_lease(5, deadline);
    hang_up();
    RUN_UNTIL(!state->connected);
    vip_release(vip, 6);
    accept_client();
    hear_query();
    say(hear_release(6), VIP, false, 6, 0, "");
    RUN_UNTIL(state->released_epoch == 6);
    teardown();
}

static void test_lapsed_lease_is_not_said_again(void)
{
    setup();
    vip_lease(vip, 5, clock_now_us() + MS_TO_US(10));
    run_for_ms(20);
    listen_now();
    accept_client();
    say(hear_query(), VIP, false, 0, 0, "");
    RUN_UNTIL(state->connected);
    run_for_ms(20);
    CU_ASSERT_FALSE(readable(conn));
    teardown();
}

static void test_silent_vipd_counts_as_not_connected(void)
{
    uint64_t deadline = clock_now_us() + MS_TO_US(60000), id, asked;

    setup();
    connect_client();
    vip_lease(vip, 5, deadline);
    asked = clock_now_us();
    id = hear_lease(5, deadline);
    RUN_UNTIL(!state->connected);
    CU_ASSERT(clock_now_us() - asked >= MS_TO_US(VIP_SILENCE_MS - 10));
    CU_ASSERT_PTR_NOT_NULL(strstr(state->reason, "not answer"));
    say(id, VIP, true, 5, deadline, "");
    RUN_UNTIL(state->connected && state->held);
    teardown();
}

/* A stopped vipd does not read: what did not fit is said when it answers again. */
static void test_full_socket_loses_nothing_that_counts(void)
{
    uint64_t deadline = clock_now_us() + MS_TO_US(60000), last = 0;
    bool released = false;

    setup();
    connect_client();
    for (unsigned i = 0; i < 20000; i++)
        vip_lease(vip, 5, deadline + i);
    vip_release(vip, 5);
    while (!released) {
        Mha__VipRequest *request = hear();
        last = request->id;
        released = request->body_case == MHA__VIP_REQUEST__BODY_RELEASE;
        mha__vip_request__free_unpacked(request, NULL);
        say(last, VIP, !released, 5, released ? 0 : deadline, "");
        run_for_ms(0);
    }
    RUN_UNTIL(state->released_epoch == 5);
    teardown();
}

static void test_being_turned_away_names_the_remedy(void)
{
    setup();
    listen_now();
    accept_client();
    hear_query();
    hang_up();
    RUN_UNTIL(strstr(state->reason, "peer_user") != NULL);
    accept_client();
    CU_ASSERT_FATAL(send(conn, "\xff\xff", 2, MSG_NOSIGNAL) == 2);
    RUN_UNTIL(strstr(state->reason, "version") != NULL);
    teardown();
}

static void test_too_long_names_are_refused(void)
{
    static const struct vip_callbacks callbacks = {changed};
    char longer[200];
    struct error err;

    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    base = event_base_new();
    CU_ASSERT_EQUAL(vip_new(base, longer, VIP, &callbacks, NULL, &vip, &err), ERR_INVALID);
    CU_ASSERT_EQUAL(vip_new(base, "/run/x", longer, &callbacks, NULL, &vip, &err), ERR_INVALID);
    vip_free(NULL);
    event_base_free(base);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    log_open("test_vipd_client", LOG_LEVEL_ERROR);
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    suite = CU_add_suite("vipd_client", NULL, NULL);
    CU_ADD_TEST(suite, test_absent_vipd_is_a_state_with_a_reason);
    CU_ADD_TEST(suite, test_leases_and_states_pass);
    CU_ADD_TEST(suite, test_release_is_confirmed_by_its_answer_alone);
    CU_ADD_TEST(suite, test_wish_is_said_again_to_a_new_vipd);
    CU_ADD_TEST(suite, test_lapsed_lease_is_not_said_again);
    CU_ADD_TEST(suite, test_silent_vipd_counts_as_not_connected);
    CU_ADD_TEST(suite, test_full_socket_loses_nothing_that_counts);
    CU_ADD_TEST(suite, test_being_turned_away_names_the_remedy);
    CU_ADD_TEST(suite, test_too_long_names_are_refused);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
