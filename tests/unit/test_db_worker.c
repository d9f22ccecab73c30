/* The worker's loop around a database that is played: what a look says that an operation overtook. */
#include <CUnit/Basic.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/db/dbworker.h"
#include "agent/db/worker/worker.h"

#define TERM 7

/* ---- the played database: a replica ---- */

static struct {
    pthread_mutex_t lock;
    const char *received;
    bool stopped;
    bool slow;   /* a look waits between the two */
    sem_t begun; /* ... having seen what is received */
    sem_t go_on;
} db = {.lock = PTHREAD_MUTEX_INITIALIZER};

static enum error_code probe(struct adapter *adapter, bool write, struct db_view *view, struct error *err)
{
    bool slow;

    (void)adapter, (void)write, (void)err;
    memset(view, 0, sizeof *view);
    view->read_only = view->has_source = true;
    pthread_mutex_lock(&db.lock);
    snprintf(view->received, sizeof view->received, "%s", db.received);
    slow = db.slow;
    pthread_mutex_unlock(&db.lock);
    if (slow) {
        sem_post(&db.begun);
        sem_wait(&db.go_on);
    }
    pthread_mutex_lock(&db.lock);
    view->receiver_stopped = db.stopped;
    pthread_mutex_unlock(&db.lock);
    return ERR_OK;
}

/* One more transaction was on its way, and was acknowledged. */
static enum error_code freeze(struct adapter *adapter, struct adapter_call *call, struct error *err)
{
    (void)adapter, (void)call, (void)err;
    pthread_mutex_lock(&db.lock);
    db.received = "0-1-11";
    db.stopped = true;
    db.slow = false;
    pthread_mutex_unlock(&db.lock);
    return ERR_OK;
}

static enum error_code prepare_fence(struct adapter *adapter, struct error *err)
{
    (void)adapter, (void)err;
    return ERR_OK;
}

/* The first succeeds, and the second fails when the receiver is stopped already. */
static enum error_code follow(struct adapter *adapter, struct adapter_call *call, const char *host,
                              unsigned port, bool standing_by, struct error *err)
{
    (void)adapter, (void)call, (void)host, (void)port;
    db.stopped = standing_by;
    return standing_by ? error_set(err, ERR_IO, "played") : ERR_OK;
}

static const struct adapter_kind kind = {
    .name = "played", .probe = probe, .freeze = freeze, .follow = follow, .prepare_fence = prepare_fence};

/* ---- the agent's side ---- */

static void ask(int fd, Mha__DbRequest *request)
{
    uint8_t packed[256];
    size_t size = mha__db_request__pack(request, packed);

    CU_ASSERT_EQUAL_FATAL(send(fd, packed, size, 0), (ssize_t)size);
}

static void ask_to_freeze(int fd)
{
    Mha__DbRequest request = MHA__DB_REQUEST__INIT;
    Mha__DbFreeze order = MHA__DB_FREEZE__INIT;

    order.term = TERM;
    request.id = 1;
    request.body_case = MHA__DB_REQUEST__BODY_FREEZE;
    request.freeze = &order;
    ask(fd, &request);
}

static void ask_to_follow(int fd, bool standing_by)
{
    Mha__DbRequest request = MHA__DB_REQUEST__INIT;
    Mha__DbFollow order = MHA__DB_FOLLOW__INIT;

    order.host = (char *)"192.0.2.1";
    order.port = 3306;
    order.epoch = TERM;
    order.standing_by = standing_by;
    request.id = 2 + standing_by;
    request.body_case = MHA__DB_REQUEST__BODY_FOLLOW;
    request.follow = &order;
    ask(fd, &request);
}

/* Everything that came; true: the answer to the request was among it. */
static bool hear(int fd, uint64_t id, unsigned *frozen)
{
    static uint8_t buffer[WORKER_MESSAGE_BYTES];
    bool answered = false;
    ssize_t n;

    while ((n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        Mha__DbReply *reply = mha__db_reply__unpack(NULL, (size_t)n, buffer);
        CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
        if (reply->observation->frozen_term == TERM) {
            CU_ASSERT_STRING_EQUAL(reply->observation->received, "0-1-11");
            (*frozen)++;
        }
        answered = answered || reply->id == id;
        mha__db_reply__free_unpacked(reply, NULL);
    }
    return answered;
}

/* The agent's end. */
static int start(struct worker *worker)
{
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    db.received = "0-1-10";
    db.stopped = false;
    worker->settings.probe_interval_ms = worker->settings.probe_timeout_ms = 60000;
    worker->agent_fd = ends[0];
    worker->kill_pidfd = -1;
    worker->kind = &kind;
    worker->base = event_base_new();
    server_process_init(&worker->server);
    worker->server.pid = getpid(); /* it lives as long as this test */
    worker->server.pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    worker->server.incarnation = 1;
    CU_ASSERT_TRUE_FATAL(worker_fence_start(worker) && worker_request_start(worker) &&
                         worker_observe_start(worker));
    worker_look(worker);
    while (!worker->has_view)
        event_base_loop(worker->base, EVLOOP_ONCE);
    return ends[1];
}

static void test_a_look_that_a_freeze_overtook_shows_no_frozen_position(void)
{
    static struct worker worker;
    unsigned frozen = 0;
    int fd;

    sem_init(&db.begun, 0, 0);
    sem_init(&db.go_on, 0, 0);
    fd = start(&worker);
    db.slow = true;
    worker_look(&worker);
    sem_wait(&db.begun);
    ask_to_freeze(fd);
    worker_listen(&worker);
    while (worker.frozen_term != TERM)
        event_base_loop(worker.base, EVLOOP_ONCE);
    sem_post(&db.go_on);
    while (!hear(fd, 1, &frozen))
        event_base_loop(worker.base, EVLOOP_ONCE);
    CU_ASSERT_TRUE(frozen > 0);
}

/* Its receiver may be stopped, and shows no error: nobody else would start it again. */
static void test_a_follow_that_failed_is_not_reported_as_followed(void)
{
    static struct worker worker;
    unsigned frozen = 0;
    int fd = start(&worker);

    ask_to_follow(fd, false);
    worker_listen(&worker);
    while (!hear(fd, 2, &frozen))
        event_base_loop(worker.base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL(worker.source_epoch, TERM);
    ask_to_follow(fd, true);
    worker_listen(&worker);
    while (!hear(fd, 3, &frozen))
        event_base_loop(worker.base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL(worker.source_epoch, 0);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    CU_initialize_registry();
    suite = CU_add_suite("dbworker's loop", NULL, NULL);
    CU_add_test(suite, "a look that a freeze overtook shows no frozen position",
                test_a_look_that_a_freeze_overtook_shows_no_frozen_position);
    CU_add_test(suite, "a follow that failed is not reported as followed",
                test_a_follow_that_failed_is_not_reported_as_followed);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
