/* The agent's side of the worker, against a worker that is played by this very program: started with -f 3, it
 * behaves as the name of its "configuration file" says. */
#include <CUnit/Basic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/db/dbworker.h"
#include "common/base/clock.h"

/* ---- the played worker ---- */

static void play_send(uint64_t id, const char *error, uint64_t observed_us)
{
    Mha__DbReply reply = MHA__DB_REPLY__INIT;
    Mha__DbObservation observation = MHA__DB_OBSERVATION__INIT;
    uint8_t packed[4096];

    reply.id = id;
    reply.error = (char *)error;
    observation.observed_us = observed_us;
    reply.observation = &observation;
    send(3, packed, mha__db_reply__pack(&reply, packed), MSG_NOSIGNAL);
}

static int play(const char *part)
{
    uint8_t buffer[4096];
    ssize_t n;

    if (strcmp(part, "exits") == 0)
        return 7;
    if (strcmp(part, "garbage") == 0)
        send(3, "\xff\xff\xff\xff", 4, MSG_NOSIGNAL);
    play_send(0, "", 1);
    if (strcmp(part, "deaf") == 0)
        for (;;)
            pause();
    while ((n = recv(3, buffer, sizeof buffer, 0)) > 0) {
        Mha__DbRequest *request = mha__db_request__unpack(NULL, (size_t)n, buffer);
        if (!request)
            return 9;
        switch (request->body_case) {
        case MHA__DB_REQUEST__BODY_FENCE:
            play_send(request->id, "", 100);
            break;
        case MHA__DB_REQUEST__BODY_DRAIN:
            play_send(request->id, "cannot", 101);
            break;
        case MHA__DB_REQUEST__BODY_FREEZE:
            break; /* never answered */
        case MHA__DB_REQUEST__BODY_CHECK:
            play_send(request->id, "", 102);
            break;
        case MHA__DB_REQUEST__BODY_LEASE:
            play_send(0, "",
                      request->lease->deadline_us + request->lease->epoch + (request->lease->paused ? 1 : 0));
            break;
        case MHA__DB_REQUEST__BODY_WATCH:
            play_send(0, "", request->watch->interval_us + request->watch->duration_us);
            break;
        case MHA__DB_REQUEST__BODY_STOP:
            play_send(0, "", 103);
            mha__db_request__free_unpacked(request, NULL);
            return 0;
        default:
            return 8;
        }
        mha__db_request__free_unpacked(request, NULL);
    }
    return 5; /* end of file */
}

/* ---- the agent's side ---- */

static struct event_base *base;
static struct dbworker *worker;
static uint64_t observed_us;
static unsigned observations, replies, exits;
static enum error_code code;
static char why[256], how[256];
static bool free_in_callback;

static void on_observation(void *context, const Mha__DbObservation *observation)
{
    (void)context;
    observations++;
    observed_us = observation->observed_us;
    event_base_loopbreak(base);
}

static void on_exited(void *context, const char *text)
{
    (void)context;
    exits++;
    snprintf(how, sizeof how, "%s", text);
    event_base_loopbreak(base);
}

static void on_reply(void *context, enum error_code result, const char *text, const Mha__DbReply *reply)
{
    CU_ASSERT_PTR_EQUAL(context, &code);
    CU_ASSERT_EQUAL(reply != NULL, result == ERR_OK || result == ERR_REFUSED);
    replies++;
    code = result;
    snprintf(why, sizeof why, "%s", text);
    if (free_in_callback) {
        dbworker_free(worker);
        worker = NULL;
    }
    event_base_loopbreak(base);
}

static const struct dbworker_callbacks callbacks = {on_observation, on_exited};

static void start(const char *part)
{
    struct dbworker_config config = {"/proc/self/exe", part, "/dev/null"};
    struct error err;

    observations = replies = exits = 0;
    free_in_callback = false;
    CU_ASSERT_EQUAL_FATAL(dbworker_spawn(base, &config, &callbacks, NULL, &worker, &err), ERR_OK);
}

/* Runs the loop until `*counter` has reached `count`, at most two seconds. */
static bool run_until(const unsigned *counter, unsigned count)
{
    uint64_t until_us = clock_now_us() + 2000000;
    struct timeval tick = {.tv_usec = 10000};

    while (*counter < count && clock_now_us() < until_us) {
        event_base_loopexit(base, &tick);
        event_base_dispatch(base);
    }
    return *counter >= count;
}

static void end(void)
{
    pid_t pid = worker ? dbworker_pid(worker) : 0;

    dbworker_free(worker);
    worker = NULL;
    if (pid && exits == 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

static enum error_code ask(Mha__DbRequest__BodyCase kind, void *body, uint64_t timeout_us)
{
    Mha__DbRequest request = MHA__DB_REQUEST__INIT;
    struct error err;

    request.body_case = kind;
    request.drain = body; /* all members of the union are pointers */
    return dbworker_request(worker, &request, clock_now_us() + timeout_us, on_reply, &code, &err);
}

static void test_answers(void)
{
    Mha__DbCheck check = MHA__DB_CHECK__INIT;
    Mha__DbDrain drain = MHA__DB_DRAIN__INIT;

    start("plain");
    CU_ASSERT_PTR_NULL(dbworker_observation(worker));
    CU_ASSERT_TRUE(run_until(&observations, 1));
    CU_ASSERT_EQUAL(dbworker_observation(worker)->observed_us, 1);
    CU_ASSERT_EQUAL(ask(MHA__DB_REQUEST__BODY_CHECK, &check, 2000000), ERR_OK);
    CU_ASSERT_TRUE(dbworker_busy(worker));
    CU_ASSERT_TRUE(run_until(&replies, 1));
    CU_ASSERT_FALSE(dbworker_busy(worker));
    CU_ASSERT_EQUAL(code, ERR_OK);
    CU_ASSERT_EQUAL(observed_us, 102);
    CU_ASSERT_EQUAL(ask(MHA__DB_REQUEST__BODY_DRAIN, &drain, 2000000), ERR_OK);
    CU_ASSERT_TRUE(run_until(&replies, 2));
    CU_ASSERT_EQUAL(code, ERR_REFUSED);
    CU_ASSERT_STRING_EQUAL(why, "cannot");
    end();
}

static void test_no_answer_in_time(void)
{
    Mha__DbFreeze freeze = MHA__DB_FREEZE__INIT;
    uint64_t begin_us;

    start("plain");
    begin_us = clock_now_us();
    CU_ASSERT_EQUAL(ask(MHA__DB_REQUEST__BODY_FREEZE, &freeze, 50000), ERR_OK);
    CU_ASSERT_TRUE(run_until(&replies, 1));
    CU_ASSERT_EQUAL(code, ERR_TIMEOUT);
    CU_ASSERT_TRUE(clock_now_us() - begin_us >= 40000); /* libevent's coarse clock may be a tick early */
    CU_ASSERT_FALSE(dbworker_busy(worker));
    end();
}

static void test_a_newer_request_and_a_fence_beside_it(void)
{
    Mha__DbFreeze freeze = MHA__DB_FREEZE__INIT;
    Mha__DbCheck check = MHA__DB_CHECK__INIT;
    struct error err;

    start("plain");
    CU_ASSERT_EQUAL(ask(MHA__DB_REQUEST__BODY_FREEZE, &freeze, 2000000), ERR_OK);
    CU_ASSERT_FALSE(dbworker_fencing(worker));
    CU_ASSERT_EQUAL(dbworker_fence(worker, "test", clock_now_us() + 2000000, on_reply, &code, &err), ERR_OK);
    CU_ASSERT_TRUE(dbworker_fencing(worker));
    CU_ASSERT_TRUE(run_until(&replies, 1));
    CU_ASSERT_FALSE(dbworker_fencing(worker));
    CU_ASSERT_EQUAL(code, ERR_OK);
    CU_ASSERT_TRUE(dbworker_busy(worker));
    CU_ASSERT_EQUAL(ask(MHA__DB_REQUEST__BODY_CHECK, &check, 2000000), ERR_OK);
    CU_ASSERT_TRUE(run_until(&replies, 2));
    CU_ASSERT_EQUAL(code, ERR_OK);
    CU_ASSERT_FALSE(run_until(&replies, 3)); /* the first one's callback does not come any more */
    end();
}

static void test_lease_watch_stop(void)
{
    start("plain");
    CU_ASSERT_TRUE(run_until(&observations, 1));
    CU_ASSERT_TRUE(dbworker_lease(worker, 5, 1000, true));
    CU_ASSERT_TRUE(run_until(&observations, 2));
    CU_ASSERT_EQUAL(observed_us, 1006);
    CU_ASSERT_TRUE(dbworker_watch(worker, 20, 3000));
    CU_ASSERT_TRUE(run_until(&observations, 3));
    CU_ASSERT_EQUAL(observed_us, 3020);
    CU_ASSERT_TRUE(dbworker_stop(worker));
    CU_ASSERT_TRUE(run_until(&exits, 1));
    CU_ASSERT_STRING_EQUAL(how, "ended with exit status 0");
    CU_ASSERT_EQUAL(observed_us, 103); /* its last words were heard */
    CU_ASSERT_FALSE(dbworker_lease(worker, 5, 1000, true));
    end();
}

static void test_it_ends(void)
{
    Mha__DbFreeze freeze = MHA__DB_FREEZE__INIT;

    start("exits");
    CU_ASSERT_TRUE(run_until(&exits, 1));
    CU_ASSERT_STRING_EQUAL(how, "ended with exit status 7");
    end();
    start("plain");
    CU_ASSERT_TRUE(run_until(&observations, 1));
    CU_ASSERT_EQUAL(ask(MHA__DB_REQUEST__BODY_FREEZE, &freeze, 5000000), ERR_OK);
    kill(dbworker_pid(worker), SIGKILL);
    CU_ASSERT_TRUE(run_until(&exits, 1));
    CU_ASSERT_STRING_EQUAL(how, "was ended by signal 9");
    CU_ASSERT_EQUAL(replies, 1);
    CU_ASSERT_EQUAL(code, ERR_IO);
    end();
}

static void test_no_such_program(void)
{
    struct dbworker_config config = {"/nonexistent/mha4rdb-dbworker", "c", "l"};
    struct error err;

    exits = observations = 0;
    CU_ASSERT_EQUAL_FATAL(dbworker_spawn(base, &config, &callbacks, NULL, &worker, &err), ERR_OK);
    CU_ASSERT_TRUE(run_until(&exits, 1));
    CU_ASSERT_STRING_EQUAL(how, "ended with exit status 127");
    end();
}

static void test_one_that_does_not_read_blocks_nobody(void)
{
    Mha__DbCheck check = MHA__DB_CHECK__INIT;
    unsigned sent = 0;

    start("deaf");
    CU_ASSERT_TRUE(run_until(&observations, 1));
    while (sent < 100000 && dbworker_lease(worker, 5, 1000, false))
        sent++;
    CU_ASSERT_TRUE(sent > 10 && sent < 100000);
    CU_ASSERT_EQUAL(ask(MHA__DB_REQUEST__BODY_CHECK, &check, 1000000), ERR_BUSY);
    CU_ASSERT_FALSE(dbworker_busy(worker));
    end();
}

static void test_garbage_is_dropped(void)
{
    start("garbage");
    CU_ASSERT_TRUE(run_until(&observations, 1));
    CU_ASSERT_EQUAL(observed_us, 1);
    end();
}

static void test_freed_in_a_callback(void)
{
    Mha__DbCheck check = MHA__DB_CHECK__INIT;
    pid_t pid;
    int status;

    start("plain");
    pid = dbworker_pid(worker);
    free_in_callback = true;
    CU_ASSERT_EQUAL(ask(MHA__DB_REQUEST__BODY_CHECK, &check, 2000000), ERR_OK);
    CU_ASSERT_TRUE(run_until(&replies, 1));
    CU_ASSERT_PTR_NULL(worker);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5); /* it saw the end of file */
}

int main(int argc, char **argv)
{
    CU_pSuite suite;
    unsigned failures;

    if (argc == 7 && strcmp(argv[3], "-f") == 0)
        return play(argv[2]);
    base = event_base_new();
    CU_initialize_registry();
    suite = CU_add_suite("dbworker: the agent's side", NULL, NULL);
    CU_add_test(suite, "answers", test_answers);
    CU_add_test(suite, "no answer in time", test_no_answer_in_time);
    CU_add_test(suite, "a newer request and a fence beside it", test_a_newer_request_and_a_fence_beside_it);
    CU_add_test(suite, "lease, watch, stop", test_lease_watch_stop);
    CU_add_test(suite, "it ends", test_it_ends);
    CU_add_test(suite, "no such program", test_no_such_program);
    CU_add_test(suite, "one that does not read blocks nobody", test_one_that_does_not_read_blocks_nobody);
    CU_add_test(suite, "garbage is dropped", test_garbage_is_dropped);
    CU_add_test(suite, "freed in a callback", test_freed_in_a_callback);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    event_base_free(base);
    return failures != 0;
}
