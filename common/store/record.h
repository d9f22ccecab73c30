/* record.h - the bytes of the write-ahead log, as pure functions. Little-endian throughout.
 *
 * A segment is a header of 64 bytes and records at multiples of 8; the rest is preallocated zeros.
 *
 * Segment header, by offset:
 * - 0: magic "mha4wal" 1
 * - 8: u64 number of the segment, as in its file's name
 * - 16: u64 identity of the member
 * - 24: u64 sequence number of its first record; every record before it was durable when the segment got its
 *   name
 * - 32: u64 copied: 0, or the sequence number of the last record that stood in it when it got its name. Such
 * a segment *starts* the log: it holds all that is needed, and segments with lower numbers are leftovers
 * - 40: u64 1 + last_index of the snapshot that was there when the segment was made; 0: there was none
 * - 48: u32 salt, random: the CRCs of its records begin with it, so that no record of another file, or one
 *   inside an entry's data, passes for one of this segment
 * - 52: u64 size of the file: a shorter one has lost something
 * - 60: u32 CRC32C of the 60 bytes before it
 *
 * Record, by offset:
 * - 0: u32 length of the payload, at most RECORD_PAYLOAD_MAX; 0: a mark, written only for its `synced`
 * - 4: u32 CRC32C, seeded with the salt, over the rest of these 24 bytes, and the payload
 * - 8: u64 sequence number, without gaps
 * - 16: u64 synced: all records up to this sequence number were durable when this one was written
 * - 24: payload, a WalRecord of log.proto; zeros up to a multiple of 8 */
#ifndef MHA_STORE_RECORD_H
#define MHA_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_HEADER_BYTES 64
#define RECORD_FRAME_BYTES 24
#define RECORD_PAYLOAD_MAX (256 * 1024)
#define RECORD_BYTES(payload) (RECORD_FRAME_BYTES + (((size_t)(payload) + 7) & ~(size_t)7))

struct segment_header {
    uint64_t number;
    uint64_t id;
    uint64_t first_sequence;
    uint64_t copied;
    uint64_t snapshot_next;
    uint32_t salt;
    uint64_t size;
};

void segment_header_encode(const struct segment_header *header, uint8_t out[SEGMENT_HEADER_BYTES]);
bool segment_header_decode(const uint8_t in[SEGMENT_HEADER_BYTES], struct segment_header *out);

struct record {
    uint32_t length; /* of the payload */
    uint64_t sequence;
    uint64_t synced;
    const uint8_t *payload;
};

/* Fills in the frame at `at`, whose payload of `length` bytes and padding follow it already. */
void record_seal(uint8_t *at, uint32_t length, uint64_t sequence, uint64_t synced, uint32_t salt);
/* false: no whole record at `at`, where `room` bytes are left. */
bool record_decode(const uint8_t *at, size_t room, uint32_t salt, struct record *out);

#endif
