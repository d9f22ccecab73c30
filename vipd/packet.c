#include "vipd/packet.h"

#include <assert.h>
#include <string.h>

#include "vipd.pb-c.h"

/* A request takes a few hundred bytes; a packet full of unknown fields may ask for more than this, and is
 * refused. */
#define ARENA_BYTES 8192
#define ARENA_ALIGN 16

struct arena {
    size_t used;
    uint8_t bytes[ARENA_BYTES] __attribute__((aligned(ARENA_ALIGN)));
};

static void *arena_alloc(void *context, size_t size)
{
    struct arena *arena = context;
    void *start = arena->bytes + arena->used;

    if (size > sizeof arena->bytes - arena->used)
        return NULL;
    arena->used += (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    return start;
}

static void arena_free(void *context, void *pointer)
{
    (void)context;
    (void)pointer;
}

static bool copy_address(const char *address, struct packet_request *out)
{
    size_t size = strlen(address) + 1;

    if (size > sizeof out->address)
        return false;
    memcpy(out->address, address, size);
    return true;
}

bool packet_parse(const uint8_t *data, size_t size, struct packet_request *out)
{
    static struct arena arena;
    ProtobufCAllocator allocator = {.alloc = arena_alloc, .free = arena_free, .allocator_data = &arena};
    const Mha__VipRequest *request;

    arena.used = 0;
    memset(out, 0, sizeof *out);
    if (size > PACKET_BYTES_MAX)
        return false;
    request = mha__vip_request__unpack(&allocator, size, data);
    if (!request)
        return false;
    out->id = request->id;
    switch (request->body_case) {
    case MHA__VIP_REQUEST__BODY_LEASE:
        out->kind = PACKET_LEASE;
        out->epoch = request->lease->epoch;
        out->deadline_us = request->lease->deadline_us;
        return copy_address(request->lease->address, out);
    case MHA__VIP_REQUEST__BODY_RELEASE:
        out->kind = PACKET_RELEASE;
        out->epoch = request->release->epoch;
        return copy_address(request->release->address, out);
    case MHA__VIP_REQUEST__BODY_QUERY:
        out->kind = PACKET_QUERY;
        return copy_address(request->query->address, out);
    default:
        return false;
    }
}

size_t packet_write(uint8_t out[PACKET_BYTES_MAX], uint64_t id, const char *address,
                    const struct address_state *state)
{
    Mha__VipState message = MHA__VIP_STATE__INIT;

    message.id = id;
    message.address = (char *)address;
    message.held = state->held;
    message.epoch = state->epoch;
    message.deadline_us = state->deadline_us;
    message.link_up = state->link_up;
    message.trouble = (char *)state->trouble;
    message.conflict = state->conflict;
    message.interface = (char *)state->interface;
    message.prefix_length = state->prefix_length;
    assert(mha__vip_state__get_packed_size(&message) <= PACKET_BYTES_MAX);
    return mha__vip_state__pack(&message, out);
}
