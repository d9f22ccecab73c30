/* The control socket's server, with plain blocking-free clients in the same loop. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/net/control.h"

static struct event_base *base;
static char path[64];
static struct control_request *held; /* "later" waits here */
static unsigned handled;

/* "later": answered by the test; anything else: echoed at once. */
static void handle(void *context, struct control_request *request, const uint8_t *data, size_t size)
{
    CU_ASSERT_PTR_EQUAL(context, &handled);
    handled++;
    if (size == 5 && memcmp(data, "later", 5) == 0)
        held = request;
    else
        control_reply(request, data, size);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

static void run_ms(unsigned ms)
{
    uint64_t end_us = clock_now_us() + MS_TO_US(ms);
    struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    struct timeval interval = {.tv_usec = 2000};

    event_add(tick, &interval);
    while (clock_now_us() < end_us)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(tick);
}

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void ask(int fd, const char *text)
{
    char frame[128] = {0, 0, 0, (char)strlen(text)};

    memcpy(frame + 4, text, strlen(text));
    CU_ASSERT_EQUAL(send(fd, frame, strlen(text) + 4, MSG_NOSIGNAL), (ssize_t)strlen(text) + 4);
}

/* The reply's text; "" for none yet; "closed". */
static const char *answer(int fd)
{
    static char frame[256];
    ssize_t got;

    run_ms(20);
    got = recv(fd, frame, sizeof frame - 1, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN ? "" : "closed";
    frame[got] = '\0';
    return got < 4 ? "closed" : frame + 4;
}

static struct control *serve(void)
{
    struct control *control = NULL;
    struct error err;

    handled = 0;
    CU_ASSERT_EQUAL_FATAL(control_new(base, path, handle, &handled, &control, &err), ERR_OK);
    return control;
}

static void answers_at_once_and_later(void)
{
    struct control *control = serve();
    int one = dial();
    int two = dial();
    struct stat facts;

    stat(path, &facts);
    CU_ASSERT_EQUAL(facts.st_mode & 07777, 0660);
    ask(one, "hello");
    CU_ASSERT_STRING_EQUAL(answer(one), "hello");
    ask(one, "later");
    ask(one, "next"); /* waits for the first one's answer */
    CU_ASSERT_STRING_EQUAL(answer(one), "");
    CU_ASSERT_EQUAL(handled, 2);
    ask(two, "other client");
    CU_ASSERT_STRING_EQUAL(answer(two), "other client");
    control_reply(held, "now", 3);
    CU_ASSERT_EQUAL(strncmp(answer(one), "now", 3), 0);
    CU_ASSERT_EQUAL(handled, 4);
    close(one);
    close(two);
    run_ms(10);
    control_free(control);
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

static void client_gone_before_the_reply(void)
{
    struct control *control = serve();
    int one = dial();

    ask(one, "later");
    run_ms(20);
    close(one);
    run_ms(20);
    control_reply(held, "now", 3);
    one = dial();
    ask(one, "later");
    run_ms(20);
    control_free(control);
    control_reply(held, "now", 3);
    CU_ASSERT_STRING_EQUAL(answer(one), "closed");
    close(one);
}

static void bad_frames(void)
{
    struct control *control = serve();
    int one = dial();
    int two = dial();

    (void)!send(one, "\xff\xff\xff\xffgarbage", 11, MSG_NOSIGNAL);
    (void)!send(two, "\x00\x00\x00\x00", 4, MSG_NOSIGNAL);
    CU_ASSERT_STRING_EQUAL(answer(one), "closed");
    CU_ASSERT_STRING_EQUAL(answer(two), "closed");
    CU_ASSERT_EQUAL(handled, 0);
    close(one);
    close(two);
    control_free(control);
}

static void too_many_clients(void)
{
    struct control *control = serve();
    int fds[CONTROL_CLIENTS_MAX + 1];

    for (unsigned i = 0; i <= CONTROL_CLIENTS_MAX; i++) {
        fds[i] = dial();
        run_ms(5);
    }
    CU_ASSERT_STRING_EQUAL(answer(fds[CONTROL_CLIENTS_MAX]), "closed");
    ask(fds[0], "still");
    CU_ASSERT_STRING_EQUAL(answer(fds[0]), "still");
    for (unsigned i = 0; i <= CONTROL_CLIENTS_MAX; i++)
        close(fds[i]);
    run_ms(10);
    control_free(control);
}

static void reply_above_the_limit(void)
{
    struct control *control = serve();
    static uint8_t big[CONTROL_REPLY_BYTES_MAX + 1];
    int one = dial();

    ask(one, "later");
    run_ms(20);
    control_reply(held, big, sizeof big);
    CU_ASSERT_STRING_EQUAL(answer(one), "closed");
    close(one);
    control_free(control);
}

static void who_has_the_path(void)
{
    struct control *control = serve();
    struct control *second;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct error err;
    char longer[200];
    int dead;

    CU_ASSERT_EQUAL(control_new(base, path, handle, &handled, &second, &err), ERR_BUSY);
    control_free(control);
    memcpy(address.sun_path, path, strlen(path) + 1);
    dead = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
    close(dead); /* the name stays */
    control_free(serve());
    fclose(fopen(path, "w"));
    CU_ASSERT_EQUAL(control_new(base, path, handle, &handled, &second, &err), ERR_INVALID);
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    unlink(path);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    CU_ASSERT_EQUAL(control_new(base, longer, handle, &handled, &second, &err), ERR_INVALID);
    CU_ASSERT_EQUAL(control_new(base, "/nonexistent/x", handle, &handled, &second, &err), ERR_IO);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    log_open("test_net_control", LOG_LEVEL_INFO);
    snprintf(path, sizeof path, "/tmp/mha-test-control-%ld.sock", (long)getpid());
    base = event_base_new();
    CU_initialize_registry();
    suite = CU_add_suite("control", NULL, NULL);
    CU_ADD_TEST(suite, answers_at_once_and_later);
    CU_ADD_TEST(suite, client_gone_before_the_reply);
    CU_ADD_TEST(suite, bad_frames);
    CU_ADD_TEST(suite, too_many_clients);
    CU_ADD_TEST(suite, reply_above_the_limit);
    CU_ADD_TEST(suite, who_has_the_path);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    event_base_free(base);
    return failures ? 1 : 0;
}
