/* The command line that the agent and the arbiter share, and the signals that end them. */
#include <CUnit/Basic.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/replica/program.h"

static struct program_option own[2];
static struct program program;
static int status;

static bool goes_on(const char *argv[])
{
    int argc = 0;

    own[0] = (struct program_option){.letter = 'w'};
    own[1] = (struct program_option){.letter = 'r'};
    program = (struct program){.name = "program",
                               .usage = "usage: program\n",
                               .config_path = "/etc/program.conf",
                               .own = own,
                               .own_count = 2};
    status = -1;
    optind = 0; /* glibc: from the start again */
    while (argv[argc])
        argc++;
    return program_read_options(&program, argc, (char **)argv, &status);
}

#define GOES_ON(...) goes_on((const char *[]){"program", ##__VA_ARGS__, NULL})

static void test_options(void)
{
    CU_ASSERT_TRUE(GOES_ON());
    CU_ASSERT_STRING_EQUAL(program.config_path, "/etc/program.conf");
    CU_ASSERT_FALSE(program.check_only);
    CU_ASSERT_PTR_NULL(own[0].value);
    CU_ASSERT_TRUE(GOES_ON("-c", "my.conf", "-r", "rebuild", "-t"));
    CU_ASSERT_STRING_EQUAL(program.config_path, "my.conf");
    CU_ASSERT_TRUE(program.check_only);
    CU_ASSERT_PTR_NULL(own[0].value);
    CU_ASSERT_STRING_EQUAL(own[1].value, "rebuild");
    CU_ASSERT_TRUE(GOES_ON("-w", "worker"));
    CU_ASSERT_STRING_EQUAL(own[0].value, "worker");
}

static void test_ends(void)
{
    CU_ASSERT_FALSE(GOES_ON("-V"));
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_FALSE(GOES_ON("-h"));
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_FALSE(GOES_ON("-x"));
    CU_ASSERT_EQUAL(status, PROGRAM_EXIT_USAGE);
    CU_ASSERT_FALSE(GOES_ON("-w"));
    CU_ASSERT_EQUAL(status, PROGRAM_EXIT_USAGE);
    CU_ASSERT_FALSE(GOES_ON("word"));
    CU_ASSERT_EQUAL(status, PROGRAM_EXIT_USAGE);
    CU_ASSERT_FALSE(GOES_ON("--verify-store", "/nonexistent"));
    CU_ASSERT_EQUAL(status, 2); /* not checked */
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    (void)what;
    CU_ASSERT_TRUE(number == SIGTERM || number == SIGINT);
    event_base_loopbreak(context);
}

static void test_signals(void)
{
    struct event_base *base = event_base_new();
    struct program_signals signals = {0};

    program_forget_signals(&signals);
    CU_ASSERT_TRUE_FATAL(program_watch_signals(&signals, base, on_signal, base));
    for (int i = 0; i < 2; i++) {
        raise(i ? SIGINT : SIGTERM);
        CU_ASSERT_EQUAL(event_base_dispatch(base), 0); /* it comes back */
        CU_ASSERT_TRUE(event_base_got_break(base));
    }
    program_forget_signals(&signals);
    event_base_free(base);
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    alarm(60); /* a signal that nobody hears would be waited for */
    CU_initialize_registry();
    suite = CU_add_suite("program", NULL, NULL);
    CU_add_test(suite, "what the command line says", test_options);
    CU_add_test(suite, "what ends the program at once", test_ends);
    CU_add_test(suite, "signals", test_signals);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
