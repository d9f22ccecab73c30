#include "common/net/frames.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <string.h>

/* What may wait unread; one longer frame raises it for its own length. */
#define INPUT_BYTES (64 * 1024)

void frames_open(struct bufferevent *bev)
{
    bufferevent_setwatermark(bev, EV_READ, 0, INPUT_BYTES);
}

enum frames_result frames_next(struct bufferevent *bev, size_t frame_max, const uint8_t **data, size_t *size)
{
    struct evbuffer *input = bufferevent_get_input(bev);
    uint8_t header[FRAMES_HEADER_BYTES];
    const uint8_t *whole;
    size_t length;

    if (evbuffer_copyout(input, header, sizeof header) < (ev_ssize_t)sizeof header)
        return FRAMES_NONE;
    length = (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
    *size = length;
    if (length == 0 || length > frame_max)
        return FRAMES_BAD;
    if (evbuffer_get_length(input) < length + sizeof header) {
        if (length + sizeof header > INPUT_BYTES)
            bufferevent_setwatermark(bev, EV_READ, 0, length + sizeof header);
        return FRAMES_NONE;
    }
    whole = evbuffer_pullup(input, (ev_ssize_t)(length + sizeof header));
    if (!whole)
        return FRAMES_BAD; /* no memory: the connection is lost, the process goes on */
    *data = whole + sizeof header;
    return FRAMES_ONE;
}

void frames_drain(struct bufferevent *bev, size_t size)
{
    evbuffer_drain(bufferevent_get_input(bev), size + FRAMES_HEADER_BYTES);
    if (size + FRAMES_HEADER_BYTES > INPUT_BYTES)
        bufferevent_setwatermark(bev, EV_READ, 0, INPUT_BYTES);
}

bool frames_send(struct bufferevent *bev, const void *data, size_t size, size_t queue_max)
{
    struct evbuffer *output = bufferevent_get_output(bev);
    struct evbuffer_iovec space;
    uint8_t *at;

    if (size == 0 || evbuffer_get_length(output) + size + FRAMES_HEADER_BYTES > queue_max)
        return false;
    /* One piece: every addition to a TLS output becomes a TLS record and a segment of its own. */
    if (evbuffer_reserve_space(output, (ev_ssize_t)(size + FRAMES_HEADER_BYTES), &space, 1) != 1)
        return false;
    at = space.iov_base;
    at[0] = (uint8_t)(size >> 24);
    at[1] = (uint8_t)(size >> 16);
    at[2] = (uint8_t)(size >> 8);
    at[3] = (uint8_t)size;
    memcpy(at + FRAMES_HEADER_BYTES, data, size);
    space.iov_len = size + FRAMES_HEADER_BYTES;
    return evbuffer_commit_space(output, &space, 1) == 0;
}
