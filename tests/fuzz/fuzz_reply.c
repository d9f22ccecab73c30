/* What an agent answers to libmha4rdb and mhactl (client/). fuzz: runs=5000 max_len=4096
 *
 * The bytes come over a socket; what is a reply is shown in every form that mhactl has. The JSON is JSON
 * again, and no text of an agent's brings control characters to a terminal. */
#include <string.h>
#include <sys/socket.h>

#include "client/ctl.h"
#include "client/mha4rdb.c"
#include "tests/fuzz/fuzz.h"

static const char *const words[] = {"alpha", "beta", "0-1-5,1-2-3",
                                    "4294967295-4294967295-18446744073709551615",
                                    /* as long as eight items can be */
                                    "18446744073709551611-18446744073709551615-18446744073709551615,"
                                    "18446744073709551612-18446744073709551615-18446744073709551615,"
                                    "18446744073709551613-18446744073709551615-18446744073709551615,"
                                    "18446744073709551614-18446744073709551615-18446744073709551615,"
                                    "18446744073709551615-18446744073709551615-18446744073709551615,"
                                    "18446744073709551610-18446744073709551615-18446744073709551615,"
                                    "18446744073709551609-18446744073709551615-18446744073709551615,"
                                    "18446744073709551608-18446744073709551615-18446744073709551615",
                                    "primary", "replica", "ok", "192.0.2.10", "\x1b[31m", "%s%n", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fuzz_mutate_message(&mha__control_reply__descriptor, words, data, size, max_size, seed);
}

static void show(Mha__ControlReply *reply)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    struct ctl ctl = {.out = stream, .err = stream};

    ctl_make_printable(&reply->base);
    check_print(&ctl, reply);
    if (reply->status) {
        status_print(&ctl, reply->status);
        history_print(&ctl, reply->status);
        failover_explain(&ctl, reply->status, reply->status->n_nodes ? reply->status->nodes[0]->name : "beta",
                         reply->message, reply->status->confirmed);
        status_is_serving(reply->status);
        status_is_fine(reply->status);
    }
    fclose(stream);
    for (size_t i = 0; i < size; i++)
        FUZZ_CHECK((uint8_t)text[i] >= ' ' || text[i] == '\n', "no control character reaches the terminal");
    free(text);
}

static void check_json(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    json_t *again = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

    FUZZ_CHECK(json && text && again && json_equal(json, again), "the JSON is JSON, with each key once");
    json_decref(again);
    free(text);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t header[LENGTH_BYTES] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                                    (uint8_t)size};
    struct mha4rdb connection = {.path = "fuzz"};
    Mha__ControlReply *reply = NULL;
    struct error err;
    int ends[2];

    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "there are sockets");
    connection.fd = ends[0];
    if (size > 0 && data[0] == 0xff) { /* the length is the input's own */
        FUZZ_CHECK(send(ends[1], data + 1, size - 1, 0) == (ssize_t)size - 1, "it fits");
    } else {
        FUZZ_CHECK(send(ends[1], header, sizeof header, 0) == LENGTH_BYTES, "it fits");
        FUZZ_CHECK(size == 0 || send(ends[1], data, size, 0) == (ssize_t)size, "it fits");
    }
    close(ends[1]);
    if (receive_reply(&connection, clock_now_us() + 1000000, &reply, &err) == ERR_OK) {
        check_json(check_to_json(reply));
        if (reply->status) {
            check_json(status_to_json(reply->status));
            check_json(history_to_json(reply->status));
        }
        show(reply);
        mha4rdb_reply_free(reply);
    } else {
        FUZZ_CHECK(memchr(err.text, 0, sizeof err.text) && !reply, "a failure has a text and no reply");
    }
    close(ends[0]);
    return 0;
}
