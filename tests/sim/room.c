#include "tests/sim/room.h"

#include <assert.h>
#include <stdlib.h>

static void *take_part(void *data, size_t size)
{
    struct room *room = data;
    void *part = (char *)room->bytes + room->used;

    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (size > sizeof room->bytes - room->used)
        return NULL;
    room->used += size;
    return part;
}

static void leave_part(void *data, void *part)
{
    (void)data, (void)part;
}

struct room *room_take(struct rooms *rooms)
{
    struct room *room = rooms->free;

    if (room) {
        rooms->free = room->next;
    } else {
        room = malloc(sizeof *room);
        assert(room != NULL);
        room->all = rooms->all;
        rooms->all = room;
        room->allocator = (ProtobufCAllocator){take_part, leave_part, room};
    }
    room->holders = 1;
    room->used = 0;
    return room;
}

void room_give_back(struct rooms *rooms, struct room *room)
{
    if (room == NULL || --room->holders > 0)
        return;
    room->next = rooms->free;
    rooms->free = room;
}

void rooms_free(struct rooms *rooms)
{
    while (rooms->all) {
        struct room *room = rooms->all;
        rooms->all = room->all;
        free(room);
    }
    rooms->free = NULL;
}
