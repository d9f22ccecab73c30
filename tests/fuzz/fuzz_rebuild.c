/* What mha4rdb-rebuild hears: the agent's lines, a donor's offer, the stream between donor and recipient
 * (agent/rebuild_lines.h, agent/rebuild/chunks.h); and what one position has alone (agent/rebuild/alone.h).
 * fuzz: runs=40000 max_len=2000
 *
 * The first byte says which. A stream that ends early or says what it must not is never taken for a whole
 * one; a line survives being written; what is alone and what is not make up the whole. */
#include <string.h>

#include "agent/rebuild/alone.h"
#include "agent/rebuild/chunks.h"
#include "common/base/config.h"
#include "tests/fuzz/fuzz.h"

/* ---- a stream that is read from memory ---- */

struct net_stream {
    struct fuzz_input input;
    size_t written;
};

enum error_code net_stream_read(struct net_stream *stream, void *data, size_t size, size_t *got,
                                struct error *err)
{
    const uint8_t *at;

    (void)err;
    /* in pieces, as a network gives them */
    at = fuzz_take(&stream->input, size > 7 ? size / 2 : size, got);
    if (*got)
        memcpy(data, at, *got);
    return ERR_OK;
}

enum error_code net_stream_write(struct net_stream *stream, const void *data, size_t size, struct error *err)
{
    (void)data, (void)err;
    stream->written += size;
    return ERR_OK;
}

enum error_code net_stream_finish(struct net_stream *stream, struct error *err)
{
    (void)stream, (void)err;
    return ERR_OK;
}

const char *net_stream_peer(const struct net_stream *stream)
{
    (void)stream;
    return "the donor";
}

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HELLO "mha4rdb-rebuild 1 " TOKEN "\n"

static void check_recipient(const uint8_t *data, size_t size)
{
    static char chunk[CHUNK_BYTES_MAX];
    struct net_stream stream = {.input = {data, size}};
    uint64_t total_bytes = 0, taken = 0;
    size_t got = 1;
    struct error err = {0};
    enum error_code code = chunks_ask(&stream, TOKEN, &total_bytes, &err);

    FUZZ_CHECK(stream.written == sizeof HELLO - 1, "it says the token, and nothing else");
    while (code == ERR_OK && got > 0) {
        code = chunks_read(&stream, chunk, sizeof chunk, &got, &err);
        taken += got;
    }
    FUZZ_CHECK(code == ERR_OK || (err.text[0] && err.code == code), "a failure has its words");
    FUZZ_CHECK(taken <= size, "no more comes out than went in");
    if (code == ERR_OK) {
        const uint8_t *end = stream.input.at;
        FUZZ_CHECK(size >= 12 && end >= data + 12 && memcmp(end - 4, "\0\0\0\0", 4) == 0,
                   "only a chunk of no bytes is an end");
    }
}

static void check_go(const uint8_t *data, size_t size)
{
    struct net_stream stream = {.input = {data, size}};
    struct error err;

    FUZZ_CHECK((chunks_begin(&stream, 7, &err) == ERR_OK) == (size > 0 && data[0] == 'g'),
               "it begins when it is told to");
}

static void check_donor(const uint8_t *data, size_t size)
{
    struct net_stream stream = {.input = {data, size}};
    struct error err;
    bool knows = size >= sizeof HELLO - 1 && memcmp(data, HELLO, sizeof HELLO - 1) == 0;

    FUZZ_CHECK((chunks_hear(&stream, TOKEN, &err) == ERR_OK) == knows, "nothing but the token opens it");
}

/* ---- texts ---- */

static void check_line(const char *text)
{
    struct rebuild_line line, again;
    struct words words, words_again;
    struct text written = {0};

    rebuild_line_read(&line, &words, text);
    if (line.verb != REBUILD_NOTHING) {
        rebuild_line_write(&written, &line);
        FUZZ_CHECK(strchr(written.data, '\n') == written.data + written.size - 1, "a line is one line");
        written.data[written.size - 1] = '\0';
        rebuild_line_read(&again, &words_again, written.data);
        FUZZ_CHECK(again.verb == line.verb && again.port == line.port &&
                       again.done_bytes == line.done_bytes && strcmp(again.why, line.why) == 0 &&
                       strcmp(again.known, line.known) == 0 && strcmp(again.token, line.token) == 0,
                   "what was written is read again");
        words_free(&words_again);
        text_free(&written);
    }
    words_free(&words);
}

static void check_offer(const char *text)
{
    char address[REBUILD_ADDRESS_BYTES], token[REBUILD_TOKEN_BYTES], host[REBUILD_ADDRESS_BYTES];
    unsigned port;

    if (!rebuild_offer_read(text, address, token))
        return;
    FUZZ_CHECK(strlen(token) == REBUILD_TOKEN_BYTES - 1, "a token has its length");
    FUZZ_CHECK(config_parse_address(address, host, sizeof host, &port) && port > 0, "an address is one");
    FUZZ_CHECK(strlen(text) == strlen(address) + 1 + strlen(token), "and there is nothing else");
}

static void check_alone(const char *first, const char *second)
{
    struct position mine, theirs, rest;
    struct alone alone;
    char text[ALONE_TEXT_BYTES];

    if (!position_parse(first, &mine) || !position_parse(second, &theirs) ||
        !alone_find(&mine, &theirs, &alone))
        return;
    for (unsigned i = 0; mine.kind == POSITION_GTID_LIST && i < mine.count; i++)
        if (mine.items[i].sequence == 0)
            return; /* a position may have it, but there is no such transaction */
    FUZZ_CHECK((alone.count == 0) == position_contains(&theirs, &mine),
               "nothing is alone if they have it all");
    if (!alone_format(&alone, text, sizeof text) || alone.kind != POSITION_GTID_SET || !alone.count)
        return;
    /* MySQL's text is a set again: a part of mine, that with theirs holds all of mine */
    if (!position_parse(text, &rest))
        return; /* more parts than a position has */
    FUZZ_CHECK(position_contains(&mine, &rest), "what is alone is mine");
    for (unsigned i = 0; i < rest.count; i++) {
        struct position one = {.kind = POSITION_GTID_SET, .count = 1};
        one.intervals[0] = rest.intervals[i];
        one.intervals[0].last = one.intervals[0].first;
        FUZZ_CHECK(!position_contains(&theirs, &one), "and not theirs");
    }
    if (position_merge(&rest, &theirs))
        FUZZ_CHECK(position_contains(&rest, &mine), "and with theirs it is all");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char first[2048], second[2048] = "";
    size_t split;

    if (size < 1 || size > sizeof first)
        return 0;
    memcpy(first, data + 1, size - 1);
    first[size - 1] = '\0';
    split = strlen(first);
    if (split + 1 < size)
        snprintf(second, sizeof second, "%s", first + split + 1);
    switch (data[0] % 5) {
    case 0:
        check_line(first);
        break;
    case 1:
        check_offer(first);
        break;
    case 2:
        check_recipient(data + 1, size - 1);
        break;
    case 3:
        check_donor(data + 1, size - 1);
        check_go(data + 1, size - 1);
        break;
    default:
        check_alone(first, second);
    }
    return 0;
}
