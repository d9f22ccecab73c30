#include "agent/rebuild/alone.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool add(struct alone *out, const struct alone_range *range)
{
    if (out->count == ALONE_RANGES_MAX)
        return false;
    out->ranges[out->count++] = *range;
    return true;
}

static bool subtract_interval(const struct position_interval *mine, const struct position *theirs,
                              struct alone *out)
{
    struct position_interval rest[POSITION_ITEMS_MAX + 1];
    unsigned count = position_subtract_interval(mine, theirs, rest);

    for (unsigned i = 0; i < count; i++) {
        struct alone_range range = {.first = rest[i].first, .last = rest[i].last};
        memcpy(range.uuid, rest[i].uuid, sizeof range.uuid);
        if (!add(out, &range))
            return false;
    }
    return true;
}

static bool subtract_item(const struct position_item *mine, const struct position *theirs, struct alone *out)
{
    struct alone_range rest = {
        .domain = mine->domain, .server = mine->server, .first = 1, .last = mine->sequence};

    for (unsigned i = 0; i < theirs->count; i++)
        if (theirs->items[i].domain == mine->domain && theirs->items[i].server == mine->server)
            rest.first = theirs->items[i].sequence + 1;
    return rest.first > rest.last || add(out, &rest);
}

bool alone_find(const struct position *mine, const struct position *theirs, struct alone *out)
{
    memset(out, 0, sizeof *out);
    out->kind = mine->kind;
    if (mine->count == 0)
        return true;
    if (mine->kind == POSITION_TIMELINE || (theirs->count != 0 && theirs->kind != mine->kind))
        return false;
    for (unsigned i = 0; i < mine->count; i++)
        if (mine->kind == POSITION_GTID_SET ? !subtract_interval(&mine->intervals[i], theirs, out)
                                            : !subtract_item(&mine->items[i], theirs, out))
            return false;
    return true;
}

static int print_range(const struct alone *alone, unsigned i, char *text, size_t size)
{
    const struct alone_range *range = &alone->ranges[i];
    const uint8_t *u = range->uuid;
    char uuid[48] = "", last[24] = "";

    if (alone->kind == POSITION_GTID_LIST) {
        if (range->last > range->first)
            snprintf(last, sizeof last, "..%" PRIu64, range->last);
        return snprintf(text, size, "%s%" PRIu32 "-%" PRIu32 "-%" PRIu64 "%s", i ? "," : "", range->domain,
                        range->server, range->first, last);
    }
    if (range->last > range->first)
        snprintf(last, sizeof last, "-%" PRIu64, range->last);
    if (i == 0 || memcmp(alone->ranges[i - 1].uuid, u, sizeof range->uuid) != 0)
        snprintf(uuid, sizeof uuid, "%s%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                 i ? "," : "", u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11],
                 u[12], u[13], u[14], u[15]);
    return snprintf(text, size, "%s:%" PRIu64 "%s", uuid, range->first, last);
}

bool alone_format(const struct alone *alone, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < alone->count; i++) {
        int n = print_range(alone, i, text + used, size - used);
        if (n < 0 || (size_t)n >= size - used)
            return false;
        used += (size_t)n;
    }
    return true;
}

bool alone_has_item(const struct alone *alone, uint32_t domain, uint32_t server, uint64_t sequence)
{
    for (unsigned i = 0; i < alone->count; i++) {
        const struct alone_range *range = &alone->ranges[i];
        if (alone->kind == POSITION_GTID_LIST && range->domain == domain && range->server == server)
            return sequence >= range->first && sequence <= range->last;
    }
    return false;
}

static const struct position_item *find(const struct position *in, uint32_t domain, const uint32_t *server)
{
    for (unsigned i = 0; i < in->count; i++)
        if (in->items[i].domain == domain && (!server || in->items[i].server == *server))
            return &in->items[i];
    return NULL;
}

bool alone_state_at(const struct position *before, const struct position *after, const struct position *at,
                    struct position *out)
{
    *out = *at;
    if ((before->count && before->kind != POSITION_GTID_LIST) || after->kind != POSITION_GTID_LIST ||
        at->kind != POSITION_GTID_LIST)
        return after->count == 0 && at->count == 0;
    for (unsigned i = 0; i < after->count; i++) {
        struct position one = {.kind = POSITION_GTID_LIST, .count = 1};
        const struct position_item *item = &after->items[i];
        const struct position_item *newest = find(at, item->domain, NULL), *earlier;
        if (!newest || newest->server == item->server)
            continue; /* a domain that came later, or who wrote the newest */
        earlier = find(before, item->domain, &item->server);
        if (item->sequence > newest->sequence && !earlier)
            continue;
        one.items[0] = item->sequence > newest->sequence ? *earlier : *item;
        if (!position_merge(out, &one))
            return false;
    }
    return true;
}
