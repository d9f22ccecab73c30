/* What the agent sends to its dbworker (agent/db/worker). fuzz: runs=2500 max_len=4096
 *
 * Steps are DbRequests over a real socket into the worker's own reader; the control byte ends the operation
 * under way. The database behind it is a stub that notes what is asked. Nothing is begun that the rules
 * forbid: an opening without a live lease of its epoch (I6), anything of an older epoch than was seen (I5),
 * two operations at once. */
#include <sanitizer/lsan_interface.h>
#include <setjmp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/db/worker/worker.h"
#include "tests/fuzz/fuzz.h"

static jmp_buf ended;
#define _exit(status) longjmp(ended, 1 + (status))
#include "agent/db/worker/worker.c"
#include "agent/db/worker/worker_request.c"
#undef _exit

static const char *const words[] = {"192.0.2.1", "alpha", "its lease was ended", NULL};
static struct worker worker;
static uint64_t epoch_seen;
static unsigned jobs, checks;
static task_job check_done;
static bool listening;

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fuzz_mutate_steps(&mha__db_request__descriptor, words, data, size, max_size, seed);
}

/* ---- the worker's other parts ---- */

void worker_fill_observation(struct worker *of, uint64_t observed_us, Mha__DbObservation *out)
{
    (void)of;
    mha__db_observation__init(out);
    out->observed_us = observed_us;
}

void worker_judge(struct worker *of)
{
    FUZZ_CHECK(of->lease.epoch_seen >= epoch_seen, "the highest epoch seen never goes back (I5)");
    epoch_seen = of->lease.epoch_seen;
}

void worker_fence(struct worker *of, const char *reason, uint64_t deadline_us, uint64_t id)
{
    (void)deadline_us;
    (void)id;
    FUZZ_CHECK(strlen(reason) <= DBWORKER_REQUEST_BYTES_MAX, "a reason is bounded by its packet");
    lease_close(&of->lease);
    of->writable = WRITABLE_NO;
}

void worker_watch(struct worker *of, uint64_t interval_us, uint64_t duration_us)
{
    (void)of;
    (void)interval_us;
    (void)duration_us;
}

void worker_look(struct worker *of)
{
    of->answering.id = 0;
    worker_next_operation(of);
}

bool worker_observe_start(struct worker *of)
{
    (void)of;
    return true;
}

bool worker_leaves_alone(const struct worker *of)
{
    (void)of;
    return false;
}

bool worker_fence_start(struct worker *of)
{
    (void)of;
    return true;
}

bool task_start(struct task *task, const char *name, struct event_base *base, task_job done, void *context)
{
    (void)name;
    (void)base;
    (void)context;
    if (task == &worker.check_task)
        check_done = done;
    task->busy = false;
    return true;
}

void task_run(struct task *task, task_job job, void *context)
{
    FUZZ_CHECK(!task->busy, "one operation at a time");
    if (task == &worker.check_task) {
        FUZZ_CHECK(worker.checking.id != 0 && memchr(worker.checking.host, 0, sizeof worker.checking.host),
                   "a check has a number, and its text ends");
        task->busy = true;
        checks++;
        job(context);
        return;
    }
    FUZZ_CHECK(worker.running.id != 0, "an operation has a number");
    FUZZ_CHECK(memchr(worker.running.host, 0, sizeof worker.running.host) &&
                   memchr(worker.running.node, 0, sizeof worker.running.node),
               "its texts end");
    if (worker.running.kind == MHA__DB_REQUEST__BODY_OPEN)
        FUZZ_CHECK(lease_lives(&worker.lease, clock_now_us(), worker.running.epoch),
                   "nothing is opened without a live lease of its epoch (I6)");
    if (find_kind(worker.running.kind)->names_epoch)
        FUZZ_CHECK(worker.running.epoch >= epoch_seen, "nothing is done for an older epoch (I5)");
    if (worker.running.kind == MHA__DB_REQUEST__BODY_FOLLOW)
        FUZZ_CHECK(worker.running.host[0] && worker.running.port && worker.running.port < 65536,
                   "whom to follow is named");
    task->busy = true;
    jobs++;
    job(context);
}

/* ---- the database ---- */

static enum error_code do_simple(struct adapter *adapter, struct adapter_call *call, struct error *err)
{
    (void)adapter;
    (void)call;
    return jobs % 5 ? ERR_OK : error_set(err, ERR_REFUSED, "no");
}

static enum error_code do_follow(struct adapter *adapter, struct adapter_call *call, const char *host,
                                 unsigned port, bool standing_by, struct error *err)
{
    (void)standing_by;
    FUZZ_CHECK(host[0] && port, "whom to follow is named");
    return do_simple(adapter, call, err);
}

static enum error_code do_promote(struct adapter *adapter, struct adapter_call *call, uint64_t epoch,
                                  unsigned acks, const char *node, char *position, size_t size,
                                  struct error *err)
{
    (void)acks;
    FUZZ_CHECK(epoch && node[0], "a promotion names its epoch and node");
    snprintf(position, size, "0-1-1");
    return do_simple(adapter, call, err);
}

static enum error_code do_open(struct adapter *adapter, struct adapter_call *call, uint64_t epoch,
                               struct error *err)
{
    (void)epoch;
    return do_simple(adapter, call, err);
}

static enum error_code do_rule(struct adapter *adapter, struct adapter_call *call, unsigned acks,
                               struct error *err)
{
    (void)acks;
    return do_simple(adapter, call, err);
}

static enum error_code do_acknowledging(struct adapter *adapter, struct adapter_call *call, const char *node,
                                        bool allowed, struct error *err)
{
    (void)allowed;
    FUZZ_CHECK(node[0], "whose acknowledgements is told");
    return do_simple(adapter, call, err);
}

static enum error_code do_check(struct adapter *adapter, struct adapter_call *call,
                                const struct check_request *request, struct db_findings *findings,
                                struct error *err)
{
    FUZZ_CHECK(request && request->source_host, "what to look at is told");
    (void)findings;
    return do_simple(adapter, call, err);
}

static void do_interrupt(struct adapter *adapter, enum adapter_line line)
{
    (void)adapter;
    (void)line;
}

static const struct adapter_kind kind = {.close = do_simple,
                                         .freeze = do_simple,
                                         .drain = do_simple,
                                         .follow = do_follow,
                                         .promote = do_promote,
                                         .open = do_open,
                                         .set_commit_rule = do_rule,
                                         .set_acknowledging = do_acknowledging,
                                         .check = do_check,
                                         .interrupt = do_interrupt};

/* ---- the test ---- */

/* Answers come for requests with a number only, and are replies. */
static void read_answers(int fd)
{
    uint8_t packet[WORKER_MESSAGE_BYTES];
    ssize_t size;

    while ((size = recv(fd, packet, sizeof packet, MSG_DONTWAIT)) > 0) {
        Mha__DbReply *reply = mha__db_reply__unpack(NULL, (size_t)size, packet);
        FUZZ_CHECK(reply && reply->id != 0 && (reply->error[0] || checks) && reply->observation,
                   "a refusal, or what a check has found, is a whole reply");
        mha__db_reply__free_unpacked(reply, NULL);
    }
}

/* Deadlines in a packet are from now, unless they are far: the input knows no clock. */
static size_t with_deadline(const struct fuzz_step *step, uint8_t *out, size_t room)
{
    Mha__DbRequest *request = mha__db_request__unpack(NULL, step->size, step->data);
    size_t size = step->size < room ? step->size : room;

    memcpy(out, step->data, size);
    if (request && request->body_case == MHA__DB_REQUEST__BODY_LEASE && (step->control & 64)) {
        request->lease->deadline_us = clock_now_us() + 3600000000u;
        if (mha__db_request__get_packed_size(request) <= room)
            size = mha__db_request__pack(request, out);
    }
    if (request)
        mha__db_request__free_unpacked(request, NULL);
    return size;
}

static void play(struct fuzz_input *input, int fd)
{
    struct fuzz_step step;
    uint8_t packet[DBWORKER_REQUEST_BYTES_MAX + 64];

    while (fuzz_next_step(input, &step)) {
        size_t size = with_deadline(&step, packet, sizeof packet);
        if (size > 0)
            FUZZ_CHECK(send(fd, packet, size, MSG_DONTWAIT) == (ssize_t)size, "the socket takes it");
        __lsan_disable(); /* an end leaves behind the request that brought it */
        listening = true;
        worker_listen(&worker);
        listening = false;
        __lsan_enable();
        read_answers(fd);
        if (worker.ops_task.busy && !(step.control & 1)) {
            worker.ops_task.busy = false;
            on_ops_done(&worker);
            read_answers(fd);
        }
        if (worker.check_task.busy && (step.control & 4)) {
            worker.check_task.busy = false;
            check_done(&worker);
            read_answers(fd);
        }
        if (step.control & 2)
            worker.fencing = !worker.fencing;
    }
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
    int ends[2];

    if (!base)
        base = event_base_new();
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0, "there are sockets");
    memset(&worker, 0, sizeof worker);
    epoch_seen = 0;
    jobs = checks = 0;
    worker.base = base;
    worker.kind = &kind;
    worker.agent_fd = ends[0];
    worker.state = MHA__DB_STATE__DB_UP;
    worker.server.incarnation = 1;
    snprintf(worker.node, sizeof worker.node, "alpha");
    FUZZ_CHECK(worker_request_start(&worker) && worker_check_start(&worker), "it starts");
    if (setjmp(ended) == 0)
        play(&input, ends[1]);
    else if (listening)
        __lsan_enable();
    listening = false;
    FUZZ_CHECK(!worker.ending || worker.told_to_stop, "it ends when it is told to, and for nothing else");
    event_free(worker.ops_timer);
    event_free(worker.check_timer);
    close(ends[0]);
    close(ends[1]);
    return 0;
}
