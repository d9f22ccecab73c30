#include "common/store/record.h"

#include <endian.h>
#include <string.h>

#include "common/base/crc32c.h"

#define CRC_OFFSET 4 /* in a record's frame */

static const uint8_t segment_magic[8] = {'m', 'h', 'a', '4', 'w', 'a', 'l', 1};

static void put32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static void put64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

void segment_header_encode(const struct segment_header *header, uint8_t out[SEGMENT_HEADER_BYTES])
{
    memset(out, 0, SEGMENT_HEADER_BYTES);
    memcpy(out, segment_magic, sizeof segment_magic);
    put64(out + 8, header->number);
    put64(out + 16, header->id);
    put64(out + 24, header->first_sequence);
    put64(out + 32, header->copied);
    put64(out + 40, header->snapshot_next);
    put32(out + 48, header->salt);
    put64(out + 52, header->size);
    put32(out + 60, crc32c(0, out, 60));
}

bool segment_header_decode(const uint8_t in[SEGMENT_HEADER_BYTES], struct segment_header *out)
{
    if (memcmp(in, segment_magic, sizeof segment_magic) != 0 || get32(in + 60) != crc32c(0, in, 60))
        return false;
    out->number = get64(in + 8);
    out->id = get64(in + 16);
    out->first_sequence = get64(in + 24);
    out->copied = get64(in + 32);
    out->snapshot_next = get64(in + 40);
    out->salt = get32(in + 48);
    out->size = get64(in + 52);
    return out->first_sequence > 0 && (out->copied == 0 || out->copied >= out->first_sequence);
}

static uint32_t record_crc(const uint8_t *at, uint32_t length, uint32_t salt)
{
    uint32_t crc = crc32c(salt, at, CRC_OFFSET);

    return crc32c(crc, at + CRC_OFFSET + 4, RECORD_FRAME_BYTES - CRC_OFFSET - 4 + length);
}

void record_seal(uint8_t *at, uint32_t length, uint64_t sequence, uint64_t synced, uint32_t salt)
{
    put32(at, length);
    put64(at + 8, sequence);
    put64(at + 16, synced);
    put32(at + CRC_OFFSET, record_crc(at, length, salt));
}

bool record_decode(const uint8_t *at, size_t room, uint32_t salt, struct record *out)
{
    if (room < RECORD_FRAME_BYTES)
        return false;
    out->length = get32(at);
    out->sequence = get64(at + 8);
    out->synced = get64(at + 16);
    out->payload = at + RECORD_FRAME_BYTES;
    if (out->length > RECORD_PAYLOAD_MAX || RECORD_BYTES(out->length) > room || out->synced >= out->sequence)
        return false; /* the zeros of unused room end here */
    return get32(at + CRC_OFFSET) == record_crc(at, out->length, salt);
}
