/* chunks.h - what donor and recipient say to each other on a net_stream.
 *
 * The recipient: "mha4rdb-rebuild 1 TOKEN\n". The donor: u64 how many bytes may come (0: not known; all
 * ones: it refuses, and what follows says why). The recipient: one byte, "g", once it is ready to take them,
 * for a backup that has begun must not be held up. The donor: chunks, u32 length and the bytes; length 0:
 * that was all; length 0xffffffff: it failed, u32 length and why. Numbers big-endian. So a stream that ends
 * early is never taken for a whole one. */
#ifndef MHA_REBUILD_CHUNKS_H
#define MHA_REBUILD_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/rebuild_lines.h"
#include "common/net/stream.h"

#define CHUNK_BYTES_MAX (256u * 1024)

/* The recipient. ERR_REFUSED: not the token, or what the donor says. */
enum error_code chunks_ask(struct net_stream *stream, const char *token, uint64_t *total_bytes,
                           struct error *err);
/* Begin now. */
enum error_code chunks_go(struct net_stream *stream, struct error *err);
/* *got 0: that was all. ERR_REFUSED: the donor failed, and says why. `size` >= CHUNK_BYTES_MAX. */
enum error_code chunks_read(struct net_stream *stream, void *data, size_t size, size_t *got,
                            struct error *err);

/* The donor. ERR_REFUSED: it does not know the token. */
enum error_code chunks_hear(struct net_stream *stream, const char *token, struct error *err);
/* Returns once the recipient wants it. */
enum error_code chunks_begin(struct net_stream *stream, uint64_t total_bytes, struct error *err);
enum error_code chunks_write(struct net_stream *stream, const void *data, size_t size, struct error *err);
/* `why` NULL: all was sent. */
enum error_code chunks_end(struct net_stream *stream, const char *why, struct error *err);

#endif
