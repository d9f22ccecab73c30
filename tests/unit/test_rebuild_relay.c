/* mha4rdb-rebuild's relay, between a donor and a server that this test plays on loopback. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/rebuild/relay.h"
#include "common/base/clock.h"

#define WAIT_MS 20000

static struct relay *relay;
static int listener;

static int listen_here(struct sockaddr_in *here)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof *here;

    *here = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)here, size) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)here, &size) != 0)
        abort();
    return fd;
}

static void begin(unsigned rate_mb)
{
    struct sockaddr_in donor;
    struct error err = {0};

    listener = listen_here(&donor);
    CU_ASSERT_EQUAL_FATAL(relay_start(&relay, (struct sockaddr *)&donor, sizeof donor, rate_mb, &err),
                          ERR_OK);
}

static int dial(void)
{
    struct sockaddr_in there = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)relay_port(relay)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&there, sizeof there), 0);
    return fd;
}

static bool readable(int fd)
{
    struct pollfd waits = {.fd = fd, .events = POLLIN};

    return poll(&waits, 1, WAIT_MS) == 1;
}

/* The donor's end of a connection. */
static int answer(void)
{
    CU_ASSERT_FATAL(readable(listener));
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* Until the other end closes; false: a byte was not the one expected, or nothing came. */
static bool hear(int fd, size_t expected)
{
    unsigned char bytes[65536];
    size_t heard = 0;

    for (;;) {
        ssize_t got = readable(fd) ? read(fd, bytes, sizeof bytes) : -1;
        if (got <= 0)
            return got == 0 && heard == expected;
        for (ssize_t i = 0; i < got; i++)
            if (bytes[i] != (unsigned char)((heard + (size_t)i) % 251))
                return false;
        heard += (size_t)got;
    }
}

struct speech {
    int fd;
    size_t size;
    pthread_t thread;
};

static void *speak(void *arg)
{
    struct speech *speech = arg;
    unsigned char bytes[251 * 64];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i % 251);
    for (size_t said = 0; said < speech->size;) {
        size_t left = speech->size - said;
        size_t at = said % 251, most = sizeof bytes - at;
        ssize_t n = send(speech->fd, bytes + at, left < most ? left : most, MSG_NOSIGNAL);
        if (n < 0)
            break;
        said += (size_t)n;
    }
    close(speech->fd);
    return NULL;
}

static void start_speech(struct speech *speech, int fd, size_t size)
{
    *speech = (struct speech){.fd = fd, .size = size};
    if (pthread_create(&speech->thread, NULL, speak, speech) != 0)
        abort();
}

static unsigned count_entries(const char *path)
{
    DIR *folder = opendir(path);
    unsigned count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* All connections together, from the donor; to it without a limit. */
static void test_the_rate_is_shared(void)
{
    struct speech speeches[3];
    int ends[3];
    uint64_t began_us, took_us;

    begin(2);
    for (int i = 0; i < 3; i++) {
        ends[i] = dial();
        speeches[i].fd = answer();
    }
    began_us = clock_now_us();
    for (int i = 0; i < 3; i++)
        start_speech(&speeches[i], speeches[i].fd, 1000000);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(hear(ends[i], 1000000));
    took_us = clock_now_us() - began_us;
    CU_ASSERT(took_us > 1250000); /* 3 MB at 2 MB a second, and the burst of 200 ms that it may begin with */
    CU_ASSERT_EQUAL(relay_bytes(relay), 3000000);
    for (int i = 0; i < 3; i++) {
        pthread_join(speeches[i].thread, NULL);
        close(ends[i]);
    }
    relay_stop(relay);
    close(listener);
}

static void test_to_the_donor_it_is_not_limited(void)
{
    struct speech speech;
    int near, far;
    uint64_t began_us = clock_now_us();

    begin(1);
    near = dial();
    far = answer();
    start_speech(&speech, near, 20000000);
    CU_ASSERT(hear(far, 20000000));
    CU_ASSERT(clock_now_us() - began_us < 15000000);
    CU_ASSERT_EQUAL(relay_bytes(relay), 0);
    pthread_join(speech.thread, NULL);
    close(far);
    relay_stop(relay);
    close(listener);
}

/* The slow reader gets all of it, though the donor has closed long ago. */
static void test_a_reader_that_is_slow(void)
{
    struct speech speech;
    int near;

    begin(1000);
    near = dial();
    start_speech(&speech, answer(), 30000000);
    usleep(200000);
    CU_ASSERT(relay_bytes(relay) < 30000000); /* it does not take in what nobody reads */
    CU_ASSERT(hear(near, 30000000));
    pthread_join(speech.thread, NULL);
    close(near);
    relay_stop(relay);
    close(listener);
}

static void test_a_donor_that_is_away(void)
{
    struct speech speech;
    struct sockaddr_in donor;
    socklen_t size = sizeof donor;
    int near, one = 1;

    begin(1);
    getsockname(listener, (struct sockaddr *)&donor, &size);
    close(listener);
    near = dial();
    CU_ASSERT(hear(near, 0)); /* closed at once */
    close(near);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    CU_ASSERT_EQUAL_FATAL(bind(listener, (struct sockaddr *)&donor, size), 0);
    CU_ASSERT_EQUAL_FATAL(listen(listener, 16), 0);
    near = dial(); /* it is there again */
    start_speech(&speech, answer(), 1000);
    CU_ASSERT(hear(near, 1000));
    pthread_join(speech.thread, NULL);
    close(near);
    relay_stop(relay);
    close(listener);
}

static void test_stopped_in_the_middle(void)
{
    struct speech speeches[2];
    unsigned threads = count_entries("/proc/self/task"), fds = count_entries("/proc/self/fd");
    int ends[2];
    char byte;

    begin(1);
    for (int i = 0; i < 2; i++) {
        ends[i] = dial();
        start_speech(&speeches[i], answer(), 50000000);
    }
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(read(ends[i], &byte, 1), 1);
    relay_stop(relay);
    for (int i = 0; i < 2; i++) {
        pthread_join(speeches[i].thread, NULL); /* its connection broke */
        close(ends[i]);
    }
    close(listener);
    CU_ASSERT_EQUAL(count_entries("/proc/self/task"), threads);
    CU_ASSERT_EQUAL(count_entries("/proc/self/fd"), fds);
    relay_stop(NULL);
}

static void test_too_many_connections(void)
{
    int ends[RELAY_CONNECTIONS_MAX], fars[RELAY_CONNECTIONS_MAX], one_more;

    begin(1);
    for (int i = 0; i < RELAY_CONNECTIONS_MAX; i++) {
        ends[i] = dial();
        fars[i] = answer();
    }
    one_more = dial();
    CU_ASSERT(hear(one_more, 0));
    close(one_more);
    for (int i = 0; i < RELAY_CONNECTIONS_MAX; i++) {
        close(ends[i]);
        CU_ASSERT(hear(fars[i], 0));
        close(fars[i]);
    }
    ends[0] = dial();
    fars[0] = answer();
    close(fars[0]);
    CU_ASSERT(hear(ends[0], 0));
    close(ends[0]);
    relay_stop(relay);
    close(listener);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    CU_initialize_registry();
    suite = CU_add_suite("rebuild_relay", NULL, NULL);
    CU_ADD_TEST(suite, test_the_rate_is_shared);
    CU_ADD_TEST(suite, test_to_the_donor_it_is_not_limited);
    CU_ADD_TEST(suite, test_a_reader_that_is_slow);
    CU_ADD_TEST(suite, test_a_donor_that_is_away);
    CU_ADD_TEST(suite, test_stopped_in_the_middle);
    CU_ADD_TEST(suite, test_too_many_connections);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
