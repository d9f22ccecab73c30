/* frames.h - length-prefixed frames on a bufferevent: u32 big-endian length (1 .. frame_max), then that many
 * bytes.
 *
 * The bufferevent must have been made with BEV_OPT_DEFER_CALLBACKS: its input is then bounded by the read
 * watermark that frames_open and frames_next keep, however fast a peer sends. */
#ifndef MHA_NET_FRAMES_H
#define MHA_NET_FRAMES_H

#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMES_HEADER_BYTES 4

enum frames_result {
    FRAMES_NONE, /* no whole frame yet */
    FRAMES_ONE,
    FRAMES_BAD, /* a length of 0 or above the limit: `size` has it; close the connection */
};

/* Sets the read watermark that bounds what waits in memory. */
void frames_open(struct bufferevent *bev);
/* The oldest whole frame; `data` is valid until frames_drain. */
enum frames_result frames_next(struct bufferevent *bev, size_t frame_max, const uint8_t **data, size_t *size);
/* Takes the frame of `size` bytes that frames_next showed off the input. */
void frames_drain(struct bufferevent *bev, size_t size);
/* One frame in one piece. false: more than `queue_max` bytes would wait, or no memory; nothing of it is sent.
 */
bool frames_send(struct bufferevent *bev, const void *data, size_t size, size_t queue_max);

#endif
