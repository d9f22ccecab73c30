/* room.h - where the parts of one unpacked message lie: shared by all who hold the message, given back as a
 * whole, and used again. What is still held when the cluster ends is freed with it: a message that never
 * arrives has nobody to give it back. */
#ifndef MHA_SIM_ROOM_H
#define MHA_SIM_ROOM_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#define ROOM_BYTES 12288

struct room {
    struct room *next; /* of those that are free */
    struct room *all;  /* of all */
    unsigned holders;
    ProtobufCAllocator allocator; /* for unpack; nothing of it is freed one by one */
    size_t used;
    max_align_t bytes[ROOM_BYTES / sizeof(max_align_t)];
};

struct rooms {
    struct room *free, *all;
};

/* Empty, with one holder. */
struct room *room_take(struct rooms *rooms);
static inline void room_hold(struct room *room)
{
    room->holders++;
}
/* NULL: nothing. */
void room_give_back(struct rooms *rooms, struct room *room);
void rooms_free(struct rooms *rooms);

#endif
