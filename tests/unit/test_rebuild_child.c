/* The agent's side of a rebuild, against a child that is played by this very program: started as "receive" or
 * "donate", it behaves as the name of its "configuration file" says. */
#include <CUnit/Basic.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/rebuild_child.h"
#include "agent/rebuild_lines.h"

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- the played child ---- */

static void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        _exit(99);
}

static bool next_line(struct rebuild_line *line)
{
    static char text[65536];
    static struct words words;

    if (!fgets(text, sizeof text, stdin))
        return false;
    text[strcspn(text, "\n")] = '\0';
    words_free(&words);
    rebuild_line_read(line, &words, text);
    return true;
}

static int play(const char *verb, const char *part)
{
    struct rebuild_line line;

    if (!next_line(&line) || (line.verb == REBUILD_RECEIVE) != (strcmp(verb, "receive") == 0))
        return 9;
    if (strcmp(part, "dies") == 0)
        raise(SIGKILL);
    if (strcmp(part, "waits") == 0) {
        say("phase name=copying\nprogress done_bytes=5 total_bytes=10\n");
        if (!next_line(&line))
            say("failed why=cancelled\n");
        return 1;
    }
    if (strcmp(part, "fails") == 0) {
        say("phase name=saving\nfailed why=\"no room\"\n");
        return 1;
    }
    if (line.verb == REBUILD_DONATE) {
        say("offer address=192.0.2.1:7421 token=" TOKEN "\n");
        if (strcmp(part, "slow") == 0 && next_line(&line))
            return 9;
        say("done\n");
        return 0;
    }
    if (strcmp(line.donor, "db2") != 0 || strcmp(line.known, "0-1-5,\"") != 0 || line.port != 3307)
        return 8;
    say("garbage\nphase name=saving\nsaved path=/x transactions=2\nwa");
    say("nt\n");
    if (!next_line(&line) || line.verb != REBUILD_OFFER)
        return 7;
    if (strcmp(line.token, TOKEN) == 0)
        say("phase name=copying\nprogress done_bytes=7\ndone");
    else
        say("failed why=\"refused\"");
    say("\n");
    return 0;
}

/* ---- the agent's side ---- */

static struct event_base *base;
static struct rebuild_child *child;
static char dir[] = "/tmp/mha-test-rebuild-XXXXXX";
static bool ended, failed, wanted;
static char why[512], phase[32], answered[512];
static unsigned answers;
static const char *offer_message, *offer_error;

static void on_changed(void *context)
{
    (void)context;
    snprintf(phase, sizeof phase, "%s", rebuild_child_state(child)->phase);
}

static void on_wants(void *context, const char *donor, unsigned rate_mb)
{
    (void)context;
    wanted = strcmp(donor, "db2") == 0 && rate_mb == 3;
    if (offer_message || offer_error)
        rebuild_child_offer(child, offer_message, offer_error);
}

static void on_done(void *context, const char *error)
{
    (void)context;
    ended = true;
    failed = error != NULL;
    snprintf(why, sizeof why, "%s", error ? error : "");
    event_base_loopbreak(base);
}

static void on_answer(void *context, const char *message, const char *error)
{
    (void)context;
    answers++;
    snprintf(answered, sizeof answered, "%s", message ? message : error);
    event_base_loopbreak(base);
}

static void begin(const char *part)
{
    static const struct rebuild_child_callbacks callbacks = {
        .changed = on_changed, .wants_donor = on_wants, .done = on_done};
    struct rebuild_child_config config = {
        .program = "/proc/self/exe", .config_path = part, .lock_path = "lock", .data_dir = dir};
    struct error err;

    ended = failed = wanted = false;
    answers = 0;
    offer_message = offer_error = NULL;
    phase[0] = why[0] = answered[0] = '\0';
    CU_ASSERT_EQUAL_FATAL(rebuild_child_new(base, &config, &callbacks, NULL, &child, &err), ERR_OK);
}

static enum error_code start(struct error *err)
{
    struct rebuild_order order = {.donor = "db2",
                                  .host = "127.0.0.1",
                                  .port = 3307,
                                  .known = "0-1-5,\"",
                                  .rate_mb = 3,
                                  .reason = "because"};

    return rebuild_child_start(child, &order, err);
}

/* One loop until a callback ends it; a deadline for what goes wrong. */
static void run(void)
{
    struct timeval limit = {20, 0};

    event_base_loopexit(base, &limit);
    event_base_dispatch(base);
}

static void test_a_rebuild(void)
{
    struct error err;

    begin("plays");
    offer_message = "192.0.2.1:7421 " TOKEN;
    CU_ASSERT_STRING_EQUAL(rebuild_child_state(child)->phase, "");
    CU_ASSERT_EQUAL(start(&err), ERR_OK);
    CU_ASSERT_TRUE(rebuild_child_running(child));
    CU_ASSERT_EQUAL(start(&err), ERR_BUSY);
    run();
    CU_ASSERT_TRUE(ended && !failed && wanted);
    CU_ASSERT_STRING_EQUAL(phase, "copying");
    CU_ASSERT_FALSE(rebuild_child_running(child));
    CU_ASSERT_STRING_EQUAL(rebuild_child_state(child)->phase, "");
    CU_ASSERT_STRING_EQUAL(rebuild_child_state(child)->failed, "");
    CU_ASSERT_STRING_EQUAL(rebuild_child_state(child)->donor, "db2");
    CU_ASSERT_EQUAL(rebuild_child_failed_us(child), 0);
    rebuild_child_free(child);
}

static void test_no_offer(void)
{
    struct error err;

    begin("plays");
    offer_error = "busy";
    CU_ASSERT_EQUAL(start(&err), ERR_OK);
    run();
    CU_ASSERT_TRUE(ended && failed);
    CU_ASSERT_STRING_EQUAL(why, "refused");
    ended = false;
    offer_error = NULL;
    offer_message = "what is this";
    CU_ASSERT_EQUAL(start(&err), ERR_OK);
    CU_ASSERT_STRING_EQUAL(rebuild_child_state(child)->failed, "");
    run();
    CU_ASSERT_TRUE(ended && failed);
    rebuild_child_free(child);
}

static void check_failure(const char *part, const char *expected)
{
    struct error err;

    begin(part);
    CU_ASSERT_EQUAL(start(&err), ERR_OK);
    run();
    CU_ASSERT_TRUE(ended && failed);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, expected));
    CU_ASSERT_STRING_EQUAL(rebuild_child_state(child)->failed, why);
    CU_ASSERT_NOT_EQUAL(rebuild_child_failed_us(child), 0);
    rebuild_child_free(child);
}

static void test_failures(void)
{
    check_failure("fails", "no room");
    check_failure("dies", "signal 9");
}

static void on_cancel_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what, (void)context;
    CU_ASSERT_TRUE(rebuild_child_cancel(child));
    CU_ASSERT_TRUE(rebuild_child_cancel(child));
}

static void test_cancel(void)
{
    struct timeval soon = {0, 100000};
    struct error err;

    begin("waits");
    CU_ASSERT_FALSE(rebuild_child_cancel(child));
    CU_ASSERT_EQUAL(start(&err), ERR_OK);
    event_base_once(base, -1, EV_TIMEOUT, on_cancel_timer, NULL, &soon);
    run();
    CU_ASSERT_TRUE(ended && failed);
    CU_ASSERT_STRING_EQUAL(why, "cancelled");
    rebuild_child_free(child);
}

static void test_unfinished(void)
{
    char path[128];

    begin("plays");
    CU_ASSERT_FALSE(rebuild_child_unfinished(child));
    rebuild_child_free(child);
    snprintf(path, sizeof path, "%s/" REBUILD_CHILD_MARKER, dir);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    begin("plays");
    CU_ASSERT_TRUE(rebuild_child_unfinished(child));
    CU_ASSERT_PTR_NOT_NULL(strstr(rebuild_child_state(child)->failed, "mhactl rebuild"));
    unlink(path);
    CU_ASSERT_FALSE(rebuild_child_unfinished(child));
    rebuild_child_free(child);
}

static void test_donation(void)
{
    struct error err;

    begin("plays");
    CU_ASSERT_EQUAL(rebuild_child_donate(child, "db1", 0, on_answer, NULL, &err), ERR_OK);
    CU_ASSERT_STRING_EQUAL(rebuild_child_donating_to(child), "db1");
    run();
    CU_ASSERT_EQUAL(answers, 1);
    CU_ASSERT_STRING_EQUAL(answered, "192.0.2.1:7421 " TOKEN);
    rebuild_child_free(child);
    begin("fails");
    CU_ASSERT_EQUAL(rebuild_child_donate(child, "db1", 0, on_answer, NULL, &err), ERR_OK);
    run();
    CU_ASSERT_EQUAL(answers, 1);
    CU_ASSERT_STRING_EQUAL(answered, "no room");
    CU_ASSERT_PTR_NULL(rebuild_child_donating_to(child));
    rebuild_child_free(child);
}

static void test_donor_and_recipient_exclude_each_other(void)
{
    struct error err;

    begin("slow");
    CU_ASSERT_EQUAL(rebuild_child_donate(child, "db1", 0, on_answer, NULL, &err), ERR_OK);
    CU_ASSERT_EQUAL(rebuild_child_donate(child, "db3", 0, on_answer, NULL, &err), ERR_BUSY);
    CU_ASSERT_EQUAL(start(&err), ERR_BUSY);
    rebuild_child_free(child);
    begin("waits");
    CU_ASSERT_EQUAL(start(&err), ERR_OK);
    CU_ASSERT_EQUAL(rebuild_child_donate(child, "db3", 0, on_answer, NULL, &err), ERR_BUSY);
    rebuild_child_free(child);
}

int main(int argc, char **argv)
{
    unsigned failures;

    if (argc >= 4)
        return play(argv[1], argv[3]);
    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(dir))
        return 2;
    base = event_base_new();
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("rebuild child", NULL, NULL);
    CU_add_test(suite, "a rebuild", test_a_rebuild);
    CU_add_test(suite, "no offer", test_no_offer);
    CU_add_test(suite, "failures", test_failures);
    CU_add_test(suite, "cancel", test_cancel);
    CU_add_test(suite, "unfinished", test_unfinished);
    CU_add_test(suite, "donation", test_donation);
    CU_add_test(suite, "donor and recipient", test_donor_and_recipient_exclude_each_other);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
    CU_cleanup_registry();
    event_base_free(base);
    rmdir(dir);
    return failures != 0;
}
