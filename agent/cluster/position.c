#include "agent/cluster/position.h"

#include <string.h>

#include "agent/cluster/position_kinds.h"

static const struct kind {
    bool (*parse)(const char *text, struct position *out);
    bool (*contains)(const struct position *a, const struct position *b);
    int (*print)(const struct position *position, unsigned i, char *text, size_t size);
} kinds[] = {
    [POSITION_GTID_LIST] = {position_parse_gtid_list, position_contains_gtid_list, position_print_gtid_list},
    [POSITION_GTID_SET] = {position_parse_gtid_set, position_contains_gtid_set, position_print_gtid_set},
    [POSITION_TIMELINE] = {position_parse_timeline, position_contains_timeline, position_print_timeline},
};

bool position_take_number(const char **text, uint64_t most, uint64_t *value)
{
    const char *at = *text;

    *value = 0;
    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (*value > (most - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    *text = at;
    return true;
}

int position_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool position_parse(const char *text, struct position *out)
{
    size_t digits = strspn(text, "0123456789"); /* what stands behind them tells the kinds apart */

    out->kind = POSITION_GTID_LIST;
    out->count = 0;
    if (*text == '\0')
        return true;
    if (text[digits] == '@')
        out->kind = POSITION_TIMELINE;
    else if (strcspn(text, ":,") == 36 && text[13] == '-' && text[18] == '-' && text[23] == '-')
        out->kind = POSITION_GTID_SET;
    return kinds[out->kind].parse(text, out);
}

bool position_contains(const struct position *a, const struct position *b)
{
    if (b->count == 0)
        return true;
    return a->count > 0 && a->kind == b->kind && kinds[a->kind].contains(a, b);
}

enum position_order position_compare(const struct position *a, const struct position *b)
{
    bool a_has_b = position_contains(a, b);
    bool b_has_a = position_contains(b, a);

    if (a_has_b)
        return b_has_a ? POSITION_EQUAL : POSITION_AHEAD;
    return b_has_a ? POSITION_BEHIND : POSITION_DIVERGED;
}

bool position_merge(struct position *into, const struct position *from)
{
    if (into->count == 0 || from->count == 0) {
        if (from->count > 0)
            *into = *from;
        return true;
    }
    if (into->kind != from->kind)
        return false;
    switch (into->kind) {
    case POSITION_GTID_LIST:
        return position_merge_gtid_list(into, from);
    case POSITION_GTID_SET:
        return position_merge_gtid_set(into, from);
    default:
        if (position_contains(into, from))
            return true;
        if (!position_contains(from, into))
            return false;
        *into = *from;
        return true;
    }
}

bool position_format(const struct position *position, char *text, size_t size)
{
    size_t used = 0;

    if (size == 0)
        return false;
    text[0] = '\0';
    for (unsigned i = 0; i < position->count; i++) {
        int length = kinds[position->kind].print(position, i, text + used, size - used);
        if (length < 0 || (size_t)length >= size - used)
            return false;
        used += (size_t)length;
    }
    return true;
}

bool position_of_writer(const struct position *whole, const struct position *record, struct position *out)
{
    if (record->count != 1 || (whole->count > 0 && whole->kind != record->kind))
        return false;
    if (record->kind == POSITION_TIMELINE) {
        *out = *whole;
        return true;
    }
    out->kind = record->kind;
    out->count = 0;
    for (unsigned i = 0; i < whole->count; i++) {
        if (record->kind == POSITION_GTID_LIST && whole->items[i].server == record->items[0].server)
            out->items[out->count++] = whole->items[i];
        if (record->kind == POSITION_GTID_SET &&
            memcmp(whole->intervals[i].uuid, record->intervals[0].uuid, POSITION_UUID_BYTES) == 0)
            out->intervals[out->count++] = whole->intervals[i];
    }
    return true;
}
