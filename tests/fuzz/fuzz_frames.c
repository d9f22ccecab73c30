/* The frames of every stream socket (common/net/frames.h), and the control socket above them
 * (common/net/control.h). fuzz: runs=6000 max_len=2048
 *
 * The first byte says how the rest is cut into pieces on its way. However it is cut, the same frames come out
 * as a plain reading of the bytes finds; each request is answered once, in order; the first bad length ends
 * the connection. */
#include <event2/buffer.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/net/control.h"
#include "common/net/frames.h"
#include "tests/fuzz/fuzz.h"

#define FRAME_MAX 700
#define SOCKET_PATH_BYTES 64

/* The next frame by the book. 1: one, 0: not whole, -1: bad. */
static int read_frame(struct fuzz_input *input, size_t most, const uint8_t **data, size_t *size)
{
    if (input->left < FRAMES_HEADER_BYTES)
        return 0;
    *size =
        (size_t)input->at[0] << 24 | (size_t)input->at[1] << 16 | (size_t)input->at[2] << 8 | input->at[3];
    if (*size == 0 || *size > most)
        return -1;
    if (input->left - FRAMES_HEADER_BYTES < *size)
        return 0;
    *data = input->at + FRAMES_HEADER_BYTES;
    input->at += FRAMES_HEADER_BYTES + *size;
    input->left -= FRAMES_HEADER_BYTES + *size;
    return 1;
}

static struct event_base *loop(void)
{
    static struct event_base *base;

    if (!base)
        base = event_base_new();
    return base;
}

/* ---- frames alone ---- */

static void check_frames(struct fuzz_input input, unsigned piece)
{
    struct bufferevent *bev = bufferevent_socket_new(loop(), -1, BEV_OPT_DEFER_CALLBACKS);
    struct evbuffer *arrived = bufferevent_get_input(bev);
    struct fuzz_input book = input;
    enum frames_result result = FRAMES_NONE;

    frames_open(bev);
    evbuffer_unfreeze(arrived, 0); /* the test is the socket */
    while (input.left > 0 && result != FRAMES_BAD) {
        const uint8_t *data, *expected = NULL;
        size_t size, expected_size = 0, got;
        const uint8_t *bytes = fuzz_take(&input, piece, &got);
        evbuffer_add(arrived, bytes, got);
        while ((result = frames_next(bev, FRAME_MAX, &data, &size)) == FRAMES_ONE) {
            FUZZ_CHECK(read_frame(&book, FRAME_MAX, &expected, &expected_size) == 1 &&
                           size == expected_size && memcmp(data, expected, size) == 0,
                       "the same frame as the bytes have");
            frames_drain(bev, size);
        }
    }
    if (result == FRAMES_BAD || input.left == 0) {
        const uint8_t *data;
        size_t size;
        FUZZ_CHECK(read_frame(&book, FRAME_MAX, &data, &size) == (result == FRAMES_BAD ? -1 : 0),
                   "no frame is left out, and a bad one is seen");
    }
    bufferevent_free(bev);
}

/* ---- the control socket ---- */

static struct {
    struct fuzz_input book;
    bool later; /* answers do not come inside the handler */
    struct control_request *waiting;
    unsigned asked;
} w;

static void give_reply(void)
{
    struct control_request *request = w.waiting;
    uint8_t reply = (uint8_t)w.asked;

    w.waiting = NULL;
    if (request)
        control_reply(request, &reply, 1);
}

static void on_request(void *context, struct control_request *request, const uint8_t *data, size_t size)
{
    const uint8_t *expected;
    size_t expected_size;

    (void)context;
    FUZZ_CHECK(!w.waiting, "one request at a time");
    FUZZ_CHECK(read_frame(&w.book, CONTROL_REQUEST_BYTES_MAX, &expected, &expected_size) == 1 &&
                   size == expected_size && memcmp(data, expected, size) == 0,
               "the same request as the bytes have");
    w.asked++;
    w.waiting = request;
    if (!w.later)
        give_reply();
}

static const char *socket_path(void)
{
    static char path[SOCKET_PATH_BYTES];

    if (!path[0])
        snprintf(path, sizeof path, "/tmp/mha4rdb-fuzz-control-%d", (int)getpid());
    return path;
}

static struct control *server(void)
{
    static struct control *control;
    struct error err;

    if (!control) {
        FUZZ_CHECK(control_new(loop(), socket_path(), on_request, NULL, &control, &err) == ERR_OK,
                   "the socket can be made");
        /* Connected by its inode, not by its name: several runs side by side leave nothing behind. */
    }
    return control;
}

static void turn(void)
{
    for (unsigned i = 0; i < 3; i++)
        event_base_loop(loop(), EVLOOP_NONBLOCK);
}

/* How many replies have come; checks each. */
static unsigned take_replies(int fd, unsigned seen)
{
    uint8_t reply[FRAMES_HEADER_BYTES + 1];

    while (recv(fd, reply, sizeof reply, MSG_DONTWAIT) == (ssize_t)sizeof reply) {
        FUZZ_CHECK(reply[0] == 0 && reply[1] == 0 && reply[2] == 0 && reply[3] == 1, "a reply is one frame");
        FUZZ_CHECK(reply[4] == (uint8_t)++seen, "replies come in order");
    }
    return seen;
}

static void check_control(struct fuzz_input input, unsigned piece, bool later)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unsigned seen = 0;
    bool closed = false;
    const uint8_t *data;
    size_t size;

    server();
    memset(&w, 0, sizeof w);
    w.book = input;
    w.later = later;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path());
    FUZZ_CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "it accepts");
    while (input.left > 0 && !closed) {
        size_t got;
        const uint8_t *bytes = fuzz_take(&input, piece, &got);
        closed = send(fd, bytes, got, MSG_NOSIGNAL) < 0;
        turn();
        give_reply();
        turn();
        seen = take_replies(fd, seen);
    }
    for (unsigned rest = 0, asked = 0; rest < 3 && !closed; rest++) {
        turn();
        if (w.asked != asked)
            rest = 0;
        asked = w.asked;
        give_reply();
        turn();
        seen = take_replies(fd, seen);
    }
    if (!closed) {
        uint8_t byte;
        int next = read_frame(&w.book, CONTROL_REQUEST_BYTES_MAX, &data, &size);
        ssize_t end = recv(fd, &byte, 1, MSG_DONTWAIT);
        FUZZ_CHECK(next != 1, "no request is left out");
        FUZZ_CHECK((next == -1) == (end == 0), "a bad length closes, and nothing else does");
        FUZZ_CHECK(next == -1 || seen == w.asked, "every request was answered");
    }
    close(fd);
    turn();
    give_reply();
    turn();
}

static void remove_socket(void)
{
    unlink(socket_path());
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    fuzz_silence_log();
    atexit(remove_socket);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t how = fuzz_u8(&input);
    unsigned piece = 1 + (how & 31) * (how & 31);

    if (how & 128)
        check_control(input, piece < 16 ? 16 : piece, how & 64);
    else
        check_frames(input, piece);
    return 0;
}
