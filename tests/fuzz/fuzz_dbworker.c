/* What a dbworker tells its agent (agent/db/dbworker.h). fuzz: runs=12000 max_len=4096
 *
 * Steps are DbReplies over a real socket into the agent's own reader; the control byte makes a request first,
 * whose number the reply may bear, or frees the worker from inside a callback. Each request is answered at
 * most once, and the newest observation is the last that came. */
#include <string.h>
#include <sys/socket.h>

#include "agent/db/dbworker.c"
#include "tests/fuzz/fuzz.h"

static const char *const words[] = {"", "0-1-5", "MariaDB 10.11", "the database hangs", NULL};

static struct {
    struct dbworker *worker;
    unsigned open;     /* requests that may be answered */
    unsigned answered; /* so many have been */
    uint64_t observed_us;
    bool frees, freed;
} w;

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fuzz_mutate_steps(&mha__db_reply__descriptor, words, data, size, max_size, seed);
}

static void maybe_free(void)
{
    if (!w.frees)
        return;
    w.freed = true;
    dbworker_free(w.worker);
}

static void on_observation(void *context, const Mha__DbObservation *observation)
{
    (void)context;
    FUZZ_CHECK(!w.freed, "nothing comes after the worker was freed");
    FUZZ_CHECK(dbworker_observation(w.worker) == observation, "the newest observation is this one");
    w.observed_us = observation->observed_us;
    maybe_free();
}

static void on_reply(void *context, enum error_code code, const char *why, const Mha__DbReply *reply)
{
    (void)context;
    FUZZ_CHECK(!w.freed, "nothing comes after the worker was freed");
    FUZZ_CHECK(reply && why == reply->error && (code == ERR_OK) == (reply->error[0] == '\0'),
               "an answer with an error is a refusal");
    FUZZ_CHECK(++w.answered <= w.open, "each request is answered at most once");
    maybe_free();
}

static void on_exited(void *context, const char *how)
{
    (void)context;
    (void)how;
    FUZZ_CHECK(false, "no packet ends the worker");
}

static void request(uint8_t control)
{
    Mha__DbRequest request = MHA__DB_REQUEST__INIT;
    Mha__DbDrain drain = MHA__DB_DRAIN__INIT;
    uint64_t later_us = clock_now_us() + 3600000000u;

    request.body_case = MHA__DB_REQUEST__BODY_DRAIN;
    request.drain = &drain;
    if ((control & 3) == 1) {
        w.open += !dbworker_busy(w.worker); /* a newer one takes the place of the one before */
        FUZZ_CHECK(dbworker_request(w.worker, &request, later_us, on_reply, NULL, NULL) == ERR_OK &&
                       dbworker_busy(w.worker),
                   "it is under way");
    } else if ((control & 3) == 2) {
        w.open += w.worker->waiting[WAITING_FENCE].id == 0;
        dbworker_fence(w.worker, "reason", later_us, on_reply, NULL, NULL);
    }
}

static struct dbworker *make(struct event_base *base, int fd)
{
    struct dbworker *worker = calloc(1, sizeof *worker);

    worker->callbacks = (struct dbworker_callbacks){.observation = on_observation, .exited = on_exited};
    worker->base = base;
    worker->fd = fd;
    worker->child = CHILD_NONE;
    worker->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, worker);
    worker->waiting[WAITING_REQUEST].deadline = evtimer_new(base, on_request_deadline, worker);
    worker->waiting[WAITING_FENCE].deadline = evtimer_new(base, on_fence_deadline, worker);
    event_add(worker->readable, NULL);
    return worker;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_set_level((enum log_level) - 1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event_base *base;
    struct fuzz_input input = {data, size};
    struct fuzz_step step;
    uint8_t packet[DBWORKER_REQUEST_BYTES_MAX];
    int ends[2];

    if (!base)
        base = event_base_new();
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0, "there are sockets");
    memset(&w, 0, sizeof w);
    w.worker = make(base, ends[0]);
    while (!w.freed && fuzz_next_step(&input, &step)) {
        request(step.control);
        w.frees = (step.control & 0xf0) == 0xf0;
        if (step.size > 0)
            send(ends[1], step.data, step.size, MSG_DONTWAIT);
        event_base_loop(base, EVLOOP_NONBLOCK);
        while (!w.freed && recv(ends[1], packet, sizeof packet, MSG_DONTWAIT) > 0)
            ;
        if (!w.freed && dbworker_observation(w.worker))
            FUZZ_CHECK(dbworker_observation(w.worker)->observed_us == w.observed_us,
                       "the newest observation is the last that came");
    }
    if (!w.freed)
        dbworker_free(w.worker);
    close(ends[1]);
    return 0;
}
