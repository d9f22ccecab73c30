/* libmha4rdb against servers that answer well, badly, slowly or not at all; and the key file. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/ctl.h"
#include "common/base/clock.h"

static char directory[] = "/tmp/mha-client-XXXXXX";
static char socket_path[64];

enum manner {
    ANSWER,         /* in pieces of one byte */
    ANSWER_ERROR,   /* a reply with an error text */
    ANSWER_EMPTY,   /* a frame of no bytes: all fields at their defaults */
    ANSWER_GARBAGE, /* a frame that is no message */
    ANSWER_HUGE,    /* a length beyond the limit */
    ANSWER_HALF,    /* half a frame, then the end */
    ANSWER_STALLED, /* half a frame, then silence */
    HANG_UP,        /* the end at once */
    SILENCE,
};

struct server {
    enum manner manner;
    int listener;
    pthread_t thread;
    bool request_ok; /* the request arrived whole and was the expected one */
};

static int listen_at(const char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    CU_ASSERT_EQUAL_FATAL(listen(fd, backlog), 0);
    return fd;
}

static bool read_exactly(int fd, void *data, size_t size)
{
    return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static bool read_request(int fd)
{
    uint32_t length;
    uint8_t data[256];
    Mha__ControlRequest *request;
    bool ok;

    if (!read_exactly(fd, &length, sizeof length) || ntohl(length) > sizeof data)
        return false;
    if (!read_exactly(fd, data, ntohl(length)))
        return false;
    request = mha__control_request__unpack(NULL, ntohl(length), data);
    ok = request && request->body_case == MHA__CONTROL_REQUEST__BODY_SWITCHOVER &&
         strcmp(request->switchover->to, "db2") == 0 && request->switchover->timeout_ms == 1234;
    mha__control_request__free_unpacked(request, NULL);
    return ok;
}

static size_t pack_reply(uint8_t *frame, const char *message, const char *error)
{
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;
    uint32_t length;
    size_t size;

    reply.message = (char *)message;
    reply.error = (char *)error;
    size = mha__control_reply__pack(&reply, frame + 4);
    length = htonl((uint32_t)size);
    memcpy(frame, &length, 4);
    return 4 + size;
}

static void send_pieces(int fd, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        CU_ASSERT_EQUAL(send(fd, data + i, 1, MSG_NOSIGNAL), 1);
}

static void wait_for_end(int fd)
{
    char byte;
    while (recv(fd, &byte, 1, 0) > 0)
        ;
}

static void *serve(void *context)
{
    struct server *server = context;
    uint8_t frame[256];
    size_t size;
    int fd = accept(server->listener, NULL, NULL);

    server->request_ok = read_request(fd);
    switch (server->manner) {
    case ANSWER:
        size = pack_reply(frame, "db2 is the primary now", "");
        send_pieces(fd, frame, size);
        break;
    case ANSWER_ERROR:
        size = pack_reply(frame, "", "db2 is behind; wait until it has caught up");
        send_pieces(fd, frame, size);
        break;
    case ANSWER_EMPTY:
        send_pieces(fd, (const uint8_t[4]){0}, 4);
        break;
    case ANSWER_GARBAGE:
        send_pieces(fd, (const uint8_t[]){0, 0, 0, 3, 0xff, 0xff, 0xff}, 7);
        break;
    case ANSWER_HUGE:
        send_pieces(fd, (const uint8_t[]){0x00, 0x10, 0x00, 0x01}, 4);
        wait_for_end(fd);
        break;
    case ANSWER_HALF:
        size = pack_reply(frame, "db2 is the primary now", "");
        send_pieces(fd, frame, size / 2);
        break;
    case ANSWER_STALLED:
        size = pack_reply(frame, "db2 is the primary now", "");
        send_pieces(fd, frame, size / 2);
        wait_for_end(fd);
        break;
    case HANG_UP:
        break;
    case SILENCE:
        wait_for_end(fd);
        break;
    }
    close(fd);
    return NULL;
}

/* Asks a server of that manner; the reply is the caller's. */
static enum error_code ask(enum manner manner, uint32_t timeout_ms, Mha__ControlReply **reply,
                           struct error *err)
{
    struct server server = {.manner = manner, .listener = listen_at(socket_path, 4)};
    Mha__SwitchoverRequest switchover = MHA__SWITCHOVER_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    struct mha4rdb *connection;
    enum error_code code;

    switchover.to = (char *)"db2";
    switchover.timeout_ms = 1234;
    request.body_case = MHA__CONTROL_REQUEST__BODY_SWITCHOVER;
    request.switchover = &switchover;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&server.thread, NULL, serve, &server), 0);
    CU_ASSERT_EQUAL_FATAL(mha4rdb_connect(socket_path, 5000, &connection, err), ERR_OK);
    code = mha4rdb_ask(connection, &request, timeout_ms, reply, err);
    mha4rdb_close(connection);
    pthread_join(server.thread, NULL);
    close(server.listener);
    CU_ASSERT_TRUE(server.request_ok);
    return code;
}

static void test_answer(void)
{
    Mha__ControlReply *reply;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(ask(ANSWER, 5000, &reply, &err), ERR_OK);
    CU_ASSERT_STRING_EQUAL(reply->message, "db2 is the primary now");
    CU_ASSERT_STRING_EQUAL(reply->error, "");
    mha4rdb_reply_free(reply);
    CU_ASSERT_EQUAL_FATAL(ask(ANSWER_ERROR, 5000, &reply, &err), ERR_OK);
    CU_ASSERT_STRING_EQUAL(reply->error, "db2 is behind; wait until it has caught up");
    mha4rdb_reply_free(reply);
    CU_ASSERT_EQUAL_FATAL(ask(ANSWER_EMPTY, 5000, &reply, &err), ERR_OK);
    CU_ASSERT_STRING_EQUAL(reply->error, "");
    mha4rdb_reply_free(reply);
}

static void test_bad_answer(void)
{
    static const struct {
        enum manner manner;
        enum error_code code;
        const char *says;
    } cases[] = {
        {ANSWER_GARBAGE, ERR_INVALID, "not one of mha4rdb's"},
        {ANSWER_HUGE, ERR_INVALID, "claims 1048577 bytes"},
        {ANSWER_HALF, ERR_IO, "ended before the answer"},
        {HANG_UP, ERR_IO, "ended before the answer"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Mha__ControlReply *reply;
        struct error err;
        CU_ASSERT_EQUAL(ask(cases[i].manner, 5000, &reply, &err), cases[i].code);
        CU_ASSERT_PTR_NULL(reply);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].says));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, socket_path));
    }
}

static void test_no_answer(void)
{
    static const enum manner manners[] = {SILENCE, ANSWER_STALLED};

    for (size_t i = 0; i < 2; i++) {
        Mha__ControlReply *reply;
        struct error err;
        uint64_t start_us = clock_now_us();
        CU_ASSERT_EQUAL(ask(manners[i], 50, &reply, &err), ERR_TIMEOUT);
        CU_ASSERT_TRUE(clock_now_us() - start_us >= MS_TO_US(50));
        CU_ASSERT_TRUE(clock_now_us() - start_us < MS_TO_US(5000));
        CU_ASSERT_PTR_NULL(reply);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no answer in time"));
    }
}

static void test_no_socket(void)
{
    struct mha4rdb *connection;
    struct error err;
    char path[200];

    unlink(socket_path);
    CU_ASSERT_EQUAL(mha4rdb_connect(socket_path, 100, &connection, &err), ERR_IO);
    CU_ASSERT_PTR_NULL(connection);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is the agent running?"));
    close(listen_at(socket_path, 1));
    CU_ASSERT_EQUAL(mha4rdb_connect(socket_path, 100, &connection, &err), ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "nobody listens"));
    CU_ASSERT_EQUAL(mha4rdb_connect("", 100, &connection, &err), ERR_INVALID);
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    CU_ASSERT_EQUAL(mha4rdb_connect(path, 100, &connection, &err), ERR_INVALID);
    CU_ASSERT_PTR_NULL(connection);
}

/* A listener that accepts nobody: the queue fills, and connect must come back all the same. */
static void test_full_queue(void)
{
    struct mha4rdb *connections[8] = {NULL};
    int listener = listen_at(socket_path, 0);
    enum error_code code = ERR_OK;
    struct error err = {0};
    unsigned count = 0;

    while (code == ERR_OK && count < 8)
        code = mha4rdb_connect(socket_path, 30, &connections[count++], &err);
    CU_ASSERT_EQUAL(code, ERR_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not accepted in time"));
    while (count > 0)
        mha4rdb_close(connections[--count]);
    close(listener);
}

static void test_no_permission(void)
{
    struct mha4rdb *connection;
    struct error err;
    int listener;

    if (geteuid() != 0)
        return; /* only root can become someone without the permission */
    listener = listen_at(socket_path, 1);
    chmod(socket_path, 0600);
    chmod(directory, 0755);
    CU_ASSERT_EQUAL_FATAL(seteuid(65534), 0);
    CU_ASSERT_EQUAL(mha4rdb_connect(socket_path, 100, &connection, &err), ERR_IO);
    CU_ASSERT_EQUAL_FATAL(seteuid(0), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "join the group mha4rdb"));
    close(listener);
}

/* A verb's arguments, and what becomes of an error in the reply. */
static void test_options(void)
{
    FILE *nowhere = fopen("/dev/null", "we");
    struct ctl ctl = {.socket = "a", .out = nowhere, .err = nowhere};
    const char *to = "";
    bool flag = false;
    const struct ctl_option options[] = {{.name = "to", .value = &to}, {.name = "force", .flag = &flag}, {0}};
    char *good[] = {(char *)"x",      (char *)"--to=db2", (char *)"-s",        (char *)"b",
                    (char *)"-ojson", (char *)"--force",  (char *)"--timeout", (char *)"7000"};
    char *bad[][3] = {
        {(char *)"x", (char *)"--nonsense", NULL},
        {(char *)"x", (char *)"word", NULL},
        {(char *)"x", (char *)"--force=yes", NULL},
        {(char *)"x", (char *)"--to", NULL},
        {(char *)"x", (char *)"--timeout", (char *)"0"},
        {(char *)"x", (char *)"--timeout", (char *)"-1"},
        {(char *)"x", (char *)"--timeout", (char *)"1s"},
        {(char *)"x", (char *)"--timeout", (char *)"86400001"},
        {(char *)"x", (char *)"-o", (char *)"yaml"},
        {(char *)"x", (char *)"--tool", (char *)"y"},
    };

    CU_ASSERT_TRUE(ctl_read_options(&ctl, 8, good, options));
    CU_ASSERT_STRING_EQUAL(to, "db2");
    CU_ASSERT_STRING_EQUAL(ctl.socket, "b");
    CU_ASSERT_TRUE(ctl.json);
    CU_ASSERT_TRUE(flag);
    CU_ASSERT_EQUAL(ctl.timeout_ms, 7000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_FALSE(ctl_read_options(&ctl, bad[i][2] ? 3 : 2, bad[i], options));
    fclose(nowhere);
}

static void test_exit_status(void)
{
    static const struct {
        enum manner manner;
        enum ctl_exit result;
    } cases[] = {{ANSWER, CTL_OK},
                 {ANSWER_ERROR, CTL_REFUSED},
                 {HANG_UP, CTL_UNREACHABLE},
                 {ANSWER_GARBAGE, CTL_UNREACHABLE}};
    char *arguments[] = {(char *)"switchover", (char *)"--to", (char *)"db2", (char *)"--timeout",
                         (char *)"1234"};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server server = {.manner = cases[i].manner, .listener = listen_at(socket_path, 4)};
        struct ctl ctl = {.socket = socket_path};
        char *printed = NULL;
        char *complaint = NULL;
        size_t size;
        ctl.out = open_memstream(&printed, &size);
        ctl.err = open_memstream(&complaint, &size);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&server.thread, NULL, serve, &server), 0);
        CU_ASSERT_EQUAL(ctl_switchover(&ctl, 5, arguments), cases[i].result);
        pthread_join(server.thread, NULL);
        close(server.listener);
        fclose(ctl.out);
        fclose(ctl.err);
        CU_ASSERT_TRUE(server.request_ok);
        CU_ASSERT_STRING_EQUAL(printed, cases[i].result == CTL_OK ? "db2 is the primary now\n" : "");
        CU_ASSERT_EQUAL(complaint[0] == '\0', cases[i].result == CTL_OK);
        free(printed);
        free(complaint);
    }
}

static void test_key(void)
{
    char one[KEY_TEXT_BYTES];
    char two[KEY_TEXT_BYTES];
    char read_back[128] = "";
    char path[96];
    struct stat facts;
    struct error err;
    mode_t mask = umask(077);
    int fd;

    CU_ASSERT_EQUAL(key_generate(one, &err), ERR_OK);
    CU_ASSERT_EQUAL(key_generate(two, &err), ERR_OK);
    CU_ASSERT_EQUAL(strlen(one), 65);
    CU_ASSERT_EQUAL(strspn(one, "0123456789abcdef"), 64);
    CU_ASSERT_EQUAL(one[64], '\n');
    CU_ASSERT_STRING_NOT_EQUAL(one, two);

    snprintf(path, sizeof path, "%s/key", directory);
    CU_ASSERT_EQUAL(key_write(path, one, &err), ERR_OK);
    CU_ASSERT_EQUAL(stat(path, &facts), 0);
    CU_ASSERT_EQUAL(facts.st_mode & 07777, 0640);
    CU_ASSERT_EQUAL(key_write(path, two, &err), ERR_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not overwritten"));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(read(fd, read_back, sizeof read_back), 65);
    close(fd);
    CU_ASSERT_STRING_EQUAL(read_back, one);
    unlink(path);
    CU_ASSERT_EQUAL(key_write("/nonexistent/key", one, &err), ERR_IO);
    umask(mask);
}

static int make_directory(void)
{
    if (!mkdtemp(directory))
        return -1;
    snprintf(socket_path, sizeof socket_path, "%s/agent.sock", directory);
    return 0;
}

static int remove_directory(void)
{
    unlink(socket_path);
    return rmdir(directory);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    suite = CU_add_suite("libmha4rdb and mhactl", make_directory, remove_directory);
    CU_ADD_TEST(suite, test_answer);
    CU_ADD_TEST(suite, test_bad_answer);
    CU_ADD_TEST(suite, test_no_answer);
    CU_ADD_TEST(suite, test_no_socket);
    CU_ADD_TEST(suite, test_full_queue);
    CU_ADD_TEST(suite, test_no_permission);
    CU_ADD_TEST(suite, test_options);
    CU_ADD_TEST(suite, test_exit_status);
    CU_ADD_TEST(suite, test_key);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
