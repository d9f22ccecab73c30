#include "agent/rebuild/chunks.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define HELLO "mha4rdb-rebuild 1 "
#define HELLO_BYTES (sizeof HELLO - 1 + REBUILD_TOKEN_BYTES) /* with a newline for the token's NUL */
#define FAILED 0xffffffffu

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* All `size` bytes; an end before them is an error. */
static enum error_code read_all(struct net_stream *stream, void *data, size_t size, struct error *err)
{
    uint8_t *at = data;

    while (size > 0) {
        size_t got;
        enum error_code code = net_stream_read(stream, at, size, &got, err);
        if (code != ERR_OK)
            return code;
        if (got == 0)
            return error_set(err, ERR_IO, "%s ended in the middle", net_stream_peer(stream));
        at += got;
        size -= got;
    }
    return ERR_OK;
}

static void make_hello(const char *token, char out[HELLO_BYTES + 1])
{
    snprintf(out, HELLO_BYTES + 1, HELLO "%s\n", token);
}

static enum error_code read_failure(struct net_stream *stream, struct error *err)
{
    uint8_t header[4];
    char why[256] = "";
    uint32_t size;
    enum error_code code = read_all(stream, header, sizeof header, err);

    if (code != ERR_OK)
        return code;
    size = get_u32(header);
    if (size >= sizeof why)
        return error_set(err, ERR_INVALID, "%s says what cannot be read", net_stream_peer(stream));
    code = read_all(stream, why, size, err);
    if (code != ERR_OK)
        return code;
    return error_set(err, ERR_REFUSED, "the donor: %s", why);
}

enum error_code chunks_ask(struct net_stream *stream, const char *token, uint64_t *total_bytes,
                           struct error *err)
{
    char hello[HELLO_BYTES + 1];
    uint8_t total[8];
    enum error_code code;

    make_hello(token, hello);
    code = net_stream_write(stream, hello, HELLO_BYTES, err);
    if (code == ERR_OK)
        code = read_all(stream, total, sizeof total, err);
    if (code == ERR_OK && get_u32(total) == FAILED && get_u32(total + 4) == FAILED) {
        code = read_all(stream, total, 4, err);
        return code == ERR_OK ? read_failure(stream, err) : code;
    }
    if (code == ERR_OK)
        *total_bytes = (uint64_t)get_u32(total) << 32 | get_u32(total + 4);
    return code;
}

enum error_code chunks_go(struct net_stream *stream, struct error *err)
{
    return net_stream_write(stream, "g", 1, err);
}

enum error_code chunks_read(struct net_stream *stream, void *data, size_t size, size_t *got,
                            struct error *err)
{
    uint8_t header[4];
    uint32_t length;
    enum error_code code = read_all(stream, header, sizeof header, err);

    *got = 0;
    if (code != ERR_OK)
        return code;
    length = get_u32(header);
    if (length == FAILED)
        return read_failure(stream, err);
    if (length > size || length > CHUNK_BYTES_MAX)
        return error_set(err, ERR_INVALID, "%s says what cannot be read", net_stream_peer(stream));
    code = read_all(stream, data, length, err);
    if (code == ERR_OK)
        *got = length;
    return code;
}

enum error_code chunks_hear(struct net_stream *stream, const char *token, struct error *err)
{
    char expected[HELLO_BYTES + 1], said[HELLO_BYTES];
    uint8_t refusal[8];
    enum error_code code = read_all(stream, said, sizeof said, err);

    if (code != ERR_OK)
        return code;
    make_hello(token, expected);
    if (CRYPTO_memcmp(said, expected, HELLO_BYTES) == 0)
        return ERR_OK;
    memset(refusal, 0xff, sizeof refusal);
    if (net_stream_write(stream, refusal, sizeof refusal, err) == ERR_OK)
        chunks_end(stream, "the token is not the one of this offer", err);
    return error_set(err, ERR_REFUSED, "%s does not know the token", net_stream_peer(stream));
}

enum error_code chunks_begin(struct net_stream *stream, uint64_t total_bytes, struct error *err)
{
    uint8_t total[8];
    enum error_code code;
    char go;

    put_u32(total, (uint32_t)(total_bytes >> 32));
    put_u32(total + 4, (uint32_t)total_bytes);
    code = net_stream_write(stream, total, sizeof total, err);
    if (code == ERR_OK)
        code = read_all(stream, &go, 1, err);
    if (code == ERR_OK && go != 'g')
        code = error_set(err, ERR_INVALID, "%s says what cannot be read", net_stream_peer(stream));
    return code;
}

enum error_code chunks_write(struct net_stream *stream, const void *data, size_t size, struct error *err)
{
    uint8_t header[4];
    enum error_code code;

    put_u32(header, (uint32_t)size);
    code = net_stream_write(stream, header, sizeof header, err);
    return code == ERR_OK ? net_stream_write(stream, data, size, err) : code;
}

enum error_code chunks_end(struct net_stream *stream, const char *why, struct error *err)
{
    uint8_t header[8];
    size_t length = why ? strnlen(why, 250) : 0;
    bool refusal = why != NULL;
    enum error_code code;

    put_u32(header, refusal ? FAILED : 0);
    put_u32(header + 4, (uint32_t)length);
    code = net_stream_write(stream, header, refusal ? 8 : 4, err);
    if (code == ERR_OK && length > 0)
        code = net_stream_write(stream, why, length, err);
    if (code == ERR_OK)
        code = net_stream_finish(stream, err);
    return code;
}
