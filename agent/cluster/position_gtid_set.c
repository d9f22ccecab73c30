/* MySQL's positions. MySQL 8.4 manual, 19.1.3.1 "GTID Format and Storage". */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/position_kinds.h"

#define GTID_MAX ((uint64_t)INT64_MAX) /* "the maximum is 2^63 - 1" */

/* xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx */
static bool take_uuid(const char **text, uint8_t uuid[POSITION_UUID_BYTES])
{
    const char *at = *text;

    for (unsigned i = 0; i < POSITION_UUID_BYTES; i++) {
        int high, low;
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *at++ != '-')
            return false;
        high = position_hex_digit(*at);
        low = high < 0 ? -1 : position_hex_digit(at[1]);
        if (low < 0)
            return false;
        uuid[i] = (uint8_t)(high * 16 + low);
        at += 2;
    }
    *text = at;
    return true;
}

/* In order, and one interval with all that it overlaps or touches. */
static bool add_interval(struct position *position, struct position_interval add)
{
    struct position_interval *all = position->intervals;
    unsigned from = 0, to;

    while (from < position->count) {
        int order = memcmp(all[from].uuid, add.uuid, POSITION_UUID_BYTES);
        if (order > 0 || (order == 0 && all[from].last + 1 >= add.first))
            break;
        from++;
    }
    for (to = from; to < position->count && memcmp(all[to].uuid, add.uuid, POSITION_UUID_BYTES) == 0 &&
                    all[to].first <= add.last + 1;
         to++) {
        if (all[to].first < add.first)
            add.first = all[to].first;
        if (all[to].last > add.last)
            add.last = all[to].last;
    }
    if (to == from && position->count == POSITION_ITEMS_MAX)
        return false;
    memmove(&all[from + 1], &all[to], (position->count - to) * sizeof add);
    all[from] = add;
    position->count = position->count - (to - from) + 1;
    return true;
}

bool position_parse_gtid_set(const char *text, struct position *out)
{
    struct position_interval interval;

    for (;;) {
        while (*text == ' ' || *text == '\n')
            text++;
        if (!take_uuid(&text, interval.uuid) || *text != ':')
            return false;
        while (*text == ':') {
            text++;
            if (!position_take_number(&text, GTID_MAX, &interval.first))
                return false;
            interval.last = interval.first;
            if (*text == '-' && (text++, !position_take_number(&text, GTID_MAX, &interval.last)))
                return false;
            if (interval.first == 0 || interval.last < interval.first || !add_interval(out, interval))
                return false;
        }
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

bool position_contains_gtid_set(const struct position *a, const struct position *b)
{
    unsigned i = 0;

    for (unsigned j = 0; j < b->count; j++) {
        const struct position_interval *part = &b->intervals[j];
        while (i < a->count) {
            int order = memcmp(a->intervals[i].uuid, part->uuid, POSITION_UUID_BYTES);
            if (order > 0 || (order == 0 && a->intervals[i].last >= part->last))
                break;
            i++;
        }
        if (i == a->count || memcmp(a->intervals[i].uuid, part->uuid, POSITION_UUID_BYTES) != 0 ||
            a->intervals[i].first > part->first)
            return false;
    }
    return true;
}

bool position_merge_gtid_set(struct position *into, const struct position *from)
{
    for (unsigned i = 0; i < from->count; i++)
        if (!add_interval(into, from->intervals[i]))
            return false;
    return true;
}

unsigned position_subtract_interval(const struct position_interval *interval, const struct position *taken,
                                    struct position_interval rest[POSITION_ITEMS_MAX + 1])
{
    struct position_interval left = *interval;
    unsigned count = 0;

    for (unsigned i = 0; i < taken->count; i++) { /* they ascend and do not touch */
        const struct position_interval *other = &taken->intervals[i];
        if (memcmp(other->uuid, left.uuid, POSITION_UUID_BYTES) != 0 || other->last < left.first ||
            other->first > left.last)
            continue;
        if (other->first > left.first) {
            rest[count] = left;
            rest[count++].last = other->first - 1;
        }
        if (other->last >= left.last)
            return count;
        left.first = other->last + 1;
    }
    rest[count++] = left;
    return count;
}

int position_print_gtid_set(const struct position *position, unsigned i, char *text, size_t size)
{
    const struct position_interval *interval = &position->intervals[i];
    const uint8_t *u = interval->uuid;
    char uuid[40] = "", last[24] = "";

    if (interval->last > interval->first)
        snprintf(last, sizeof last, "-%" PRIu64, interval->last);
    if (i > 0 && memcmp(position->intervals[i - 1].uuid, u, POSITION_UUID_BYTES) == 0)
        return snprintf(text, size, ":%" PRIu64 "%s", interval->first, last);
    snprintf(uuid, sizeof uuid, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
             u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
    return snprintf(text, size, "%s%s:%" PRIu64 "%s", i ? "," : "", uuid, interval->first, last);
}
