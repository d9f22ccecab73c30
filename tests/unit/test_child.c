/* Children: what they start with, how their end is told, and that a kill takes all that they have started. */
#include <CUnit/Basic.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/child.h"

#define PATIENCE_MS 20000

static struct child child;

static void start(const char *script, struct child_order order)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct error err = {0};

    order.argv = argv;
    CU_ASSERT_EQUAL_FATAL(child_start(&child, &order, &err), ERR_OK);
}

static bool ends(char *how, size_t size, bool *well)
{
    struct pollfd ended = {.fd = child.pidfd, .events = POLLIN};

    return poll(&ended, 1, PATIENCE_MS) == 1 && child_reap(&child, how, size, well);
}

/* All that comes until the last one who could write has gone. */
static const char *hear(int fd)
{
    static char text[4096];
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    size_t used = 0;
    ssize_t got = 1;

    while (got > 0 && used < sizeof text - 1 && poll(&readable, 1, PATIENCE_MS) == 1) {
        got = read(fd, text + used, sizeof text - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    CU_ASSERT_EQUAL(got, 0);
    text[used] = '\0';
    return text;
}

/* What `script` says until its end. */
static const char *said_by(const char *script, struct child_order order)
{
    const char *text;
    char how[64];
    int out[2];

    CU_ASSERT_EQUAL_FATAL(pipe2(out, O_CLOEXEC), 0);
    order.out = out[1];
    start(script, order);
    close(out[1]);
    text = hear(out[0]);
    close(out[0]);
    CU_ASSERT_TRUE(ends(how, sizeof how, NULL));
    child_leave(&child);
    return text;
}

static const struct child_order plain = {.in = -1, .out = -1, .err = -1, .third = -1};

static void check_end(const char *script, const char *expected, bool expected_well)
{
    char how[64];
    bool well = !expected_well;

    start(script, plain);
    CU_ASSERT_TRUE(ends(how, sizeof how, &well));
    CU_ASSERT_STRING_EQUAL(how, expected);
    CU_ASSERT_EQUAL(well, expected_well);
    child_leave(&child);
    CU_ASSERT_EQUAL(child.pid, 0);
    CU_ASSERT_EQUAL(child.pidfd, -1);
}

static void test_ends(void)
{
    check_end("exit 0", "ended with exit status 0", true);
    check_end("exit 3", "ended with exit status 3", false);
    check_end("kill -KILL $$", "was ended by signal 9", false);
}

static void test_no_such_program(void)
{
    const char *const argv[] = {"/nonexistent/program", NULL};
    struct child_order order = plain;
    struct error err;
    char how[64];
    bool well = true;
    int said[2];

    CU_ASSERT_EQUAL_FATAL(pipe2(said, O_CLOEXEC), 0);
    order.argv = argv;
    order.err = said[1];
    CU_ASSERT_EQUAL_FATAL(child_start(&child, &order, &err), ERR_OK);
    close(said[1]);
    CU_ASSERT_STRING_EQUAL(hear(said[0]),
                           "/nonexistent/program cannot be executed: No such file or directory\n");
    close(said[0]);
    CU_ASSERT_TRUE(ends(how, sizeof how, &well));
    CU_ASSERT_STRING_EQUAL(how, "ended with exit status 127");
    CU_ASSERT_FALSE(well);
    child_leave(&child);
}

static void test_found_by_path(void)
{
    const char *const argv[] = {"true", NULL};
    struct child_order order = plain;
    struct error err;
    char how[64];

    order.argv = argv;
    CU_ASSERT_EQUAL_FATAL(child_start(&child, &order, &err), ERR_OK);
    CU_ASSERT_TRUE(ends(how, sizeof how, NULL));
    CU_ASSERT_STRING_EQUAL(how, "ended with exit status 0");
    child_leave(&child);
}

/* Looks without opening anything itself. */
#define LIST "for n in $(seq 0 30); do test -e /proc/$$/fd/$n && printf '%s ' $n; done"

static void test_descriptors(void)
{
    struct child_order order = plain;
    int third[2], in[2], inherited;

    CU_ASSERT_EQUAL_FATAL(pipe2(third, O_CLOEXEC), 0);
    CU_ASSERT_EQUAL_FATAL(pipe2(in, O_CLOEXEC), 0);
    inherited = open("/dev/null", O_RDONLY); /* exec alone does not close it */
    CU_ASSERT_EQUAL(write(in[1], "first\n", 6), 6);
    CU_ASSERT_EQUAL(write(third[1], "third\n", 6), 6);
    CU_ASSERT_STRING_EQUAL(said_by(LIST, order), "0 1 2 ");
    /* one that stands there already, which exec would close */
    CU_ASSERT_EQUAL(third[0], 3);
    order.in = in[0];
    order.third = third[0];
    CU_ASSERT_STRING_EQUAL(said_by("read a; read b <&3; echo $a $b; " LIST, order), "first third\n0 1 2 3 ");
    close(in[0]);
    close(in[1]);
    close(third[0]);
    close(third[1]);
    close(inherited);
}

static void test_signals(void)
{
    /* The C library keeps two for itself: it lets nobody change them, and make leaves them ignored. */
    const unsigned long long of_the_library = 3ull << (32 - 1);
    unsigned long long blocked_in_it = ~0ull, ignored_in_it = ~0ull;
    sigset_t blocked, before;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    CU_ASSERT_EQUAL(sscanf(said_by("exec grep -E 'Sig(Blk|Ign)' /proc/self/status", plain),
                           "SigBlk: %llx SigIgn: %llx", &blocked_in_it, &ignored_in_it),
                    2);
    CU_ASSERT_EQUAL(blocked_in_it, 0);
    CU_ASSERT_EQUAL(ignored_in_it & ~of_the_library, 0);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void test_sessions(void)
{
    static const char script[] = "read pid command state parent group session rest < /proc/$$/stat; "
                                 "test $session = $$ && echo own || echo $session";
    struct child_order order = plain;
    char ours[32];

    CU_ASSERT_STRING_EQUAL(said_by(script, order), "own\n");
    order.shares_session = true;
    snprintf(ours, sizeof ours, "%d\n", (int)getsid(0));
    CU_ASSERT_STRING_EQUAL(said_by(script, order), ours);
}

static void test_a_kill_takes_all(void)
{
    struct child_order order = plain;
    char how[64], word[8] = "";
    int out[2];

    CU_ASSERT_EQUAL_FATAL(pipe2(out, O_CLOEXEC), 0);
    order.out = out[1];
    start("sleep 1000 & echo up; wait", order);
    close(out[1]);
    CU_ASSERT_EQUAL(read(out[0], word, 3), 3);
    CU_ASSERT_STRING_EQUAL(word, "up\n");
    CU_ASSERT_FALSE(child_reap(&child, how, sizeof how, NULL));
    child_kill(&child);
    CU_ASSERT_STRING_EQUAL(hear(out[0]), ""); /* at its end: the sleep is gone too */
    CU_ASSERT_TRUE(ends(how, sizeof how, NULL));
    CU_ASSERT_STRING_EQUAL(how, "was ended by signal 9");
    child_leave(&child);
    close(out[0]);
}

static void test_discarded_at_once(void)
{
    for (int i = 0; i < 20; i++) {
        pid_t pid;

        start("exec sleep 1000", plain);
        pid = child.pid;
        child_discard(&child);
        CU_ASSERT_EQUAL(child.pid, 0);
        CU_ASSERT_EQUAL(kill(pid, 0), -1); /* gone, and reaped */
    }
    child_kill(&child); /* nobody */
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    CU_initialize_registry();
    suite = CU_add_suite("children", NULL, NULL);
    CU_add_test(suite, "how they end", test_ends);
    CU_add_test(suite, "a program that is not there", test_no_such_program);
    CU_add_test(suite, "one that PATH finds", test_found_by_path);
    CU_add_test(suite, "descriptors: those that are given, and no others", test_descriptors);
    CU_add_test(suite, "no signal is ignored or blocked", test_signals);
    CU_add_test(suite, "sessions", test_sessions);
    CU_add_test(suite, "a kill takes all that it has started", test_a_kill_takes_all);
    CU_add_test(suite, "discarded at once", test_discarded_at_once);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
