/* What vipd tells the agent (agent/vip/vip.h). fuzz: runs=8000 max_len=2048
 *
 * Steps are VipStates over a real socket; the control byte commands a lease or a release first. Whatever is
 * said, the state says it of our own address only, texts end, and a release counts as confirmed only if it
 * was asked for and the answer shows neither address nor lease. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/vip/vip.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "tests/fuzz/fuzz.h"
#include "vipd.pb-c.h"

#define ADDRESS "192.0.2.10"
#define PATH_BYTES 64

static const char *const words[] = {ADDRESS, ADDRESS, ADDRESS, "192.0.2.11", "refused: it is in use", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fuzz_mutate_steps(&mha__vip_state__descriptor, words, data, size, max_size, seed);
}

static const char *socket_path(void)
{
    static char path[PATH_BYTES];

    if (!path[0])
        snprintf(path, sizeof path, "/tmp/mha4rdb-fuzz-vip-%d", (int)getpid());
    return path;
}

static int listener(void)
{
    static int fd = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (fd < 0) {
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path());
        FUZZ_CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0,
                   "a socket can be made");
    }
    return fd;
}

static void on_changed(void *context, const struct vip_state *state)
{
    (void)context;
    FUZZ_CHECK(memchr(state->reason, 0, sizeof state->reason) &&
                   memchr(state->trouble, 0, sizeof state->trouble),
               "texts end");
    FUZZ_CHECK(!state->connected || state->reason[0] == '\0', "connected is without a reason why not");
}

/* What the agent says is whole and of its address. */
static void read_requests(int fd)
{
    uint8_t packet[4096];
    ssize_t size;

    while ((size = recv(fd, packet, sizeof packet, MSG_DONTWAIT)) > 0) {
        Mha__VipRequest *request = mha__vip_request__unpack(NULL, (size_t)size, packet);
        FUZZ_CHECK(request && request->id != 0 && request->body_case != MHA__VIP_REQUEST__BODY__NOT_SET,
                   "a request is whole");
        mha__vip_request__free_unpacked(request, NULL);
    }
}

static bool is_no_state(const struct fuzz_step *step)
{
    Mha__VipState *message = mha__vip_state__unpack(NULL, step->size, step->data);

    if (message)
        mha__vip_state__free_unpacked(message, NULL);
    return message == NULL;
}

/* true: the answer may confirm a release, and nothing else may. */
static bool may_confirm(const struct fuzz_step *step)
{
    Mha__VipState *message = mha__vip_state__unpack(NULL, step->size, step->data);
    bool may =
        message && strcmp(message->address, ADDRESS) == 0 && !message->held && message->deadline_us == 0;

    if (message)
        mha__vip_state__free_unpacked(message, NULL);
    return may;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_set_level((enum log_level) - 1);
    return 0;
}

static void remove_socket(void)
{
    unlink(socket_path());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vip_callbacks callbacks = {.changed = on_changed};
    static struct event_base *base;
    struct fuzz_input input = {data, size};
    struct fuzz_step step;
    struct error err;
    struct vip *vip;
    uint64_t wished = 0;
    int fd;

    if (!base) {
        base = event_base_new();
        atexit(remove_socket);
    }
    listener();
    FUZZ_CHECK(vip_new(base, socket_path(), ADDRESS, &callbacks, NULL, &vip, &err) == ERR_OK, "it starts");
    fd = accept(listener(), NULL, NULL);
    while (fd >= 0 && fuzz_next_step(&input, &step)) {
        const struct vip_state *state = vip_get_state(vip);
        uint64_t released = state->released_epoch, epoch = step.control >> 4;
        if ((step.control & 3) == 1) {
            vip_lease(vip, epoch, clock_now_us() + 3600000000u);
            released = released < state->released_epoch ? released : state->released_epoch;
            FUZZ_CHECK(state->released_epoch < epoch || epoch == 0, "with a lease its release is no more");
        } else if ((step.control & 3) == 2) {
            vip_release(vip, epoch);
            wished = epoch > wished ? epoch : wished;
        }
        read_requests(fd);
        if (step.size > 0 && send(fd, step.data, step.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            break;
        event_base_loop(base, EVLOOP_NONBLOCK);
        FUZZ_CHECK(state->released_epoch <= wished, "only what was asked for is released");
        FUZZ_CHECK(state->released_epoch <= released || may_confirm(&step),
                   "and only an answer without address and lease confirms it");
        FUZZ_CHECK(!state->connected || step.size == 0 || !is_no_state(&step),
                   "what is no state ends the connection");
        if (!state->connected && step.size > 0 && is_no_state(&step))
            break;
    }
    vip_free(vip);
    if (fd >= 0)
        close(fd);
    return 0;
}
