/* PostgreSQL's positions. PostgreSQL manual, 25.3.6 "Timelines": each promotion begins a new one, with a
 * higher number, at the position where the server left the old one. */
#include <inttypes.h>
#include <stdio.h>

#include "agent/cluster/position_kinds.h"

/* Up to eight digits. */
static bool take_hex(const char **text, uint64_t *value)
{
    const char *at = *text;
    int digit;

    *value = 0;
    while ((digit = position_hex_digit(*at)) >= 0 && at < *text + 8) {
        *value = *value * 16 + (uint64_t)digit;
        at++;
    }
    if (at == *text || digit >= 0)
        return false;
    *text = at;
    return true;
}

bool position_parse_timeline(const char *text, struct position *out)
{
    for (;;) {
        struct position_timeline *next = &out->timelines[out->count];
        uint64_t timeline, high, low;
        if (out->count == POSITION_ITEMS_MAX || !position_take_number(&text, UINT32_MAX, &timeline) ||
            *text++ != '@' || !take_hex(&text, &high) || *text++ != '/' || !take_hex(&text, &low))
            return false;
        *next = (struct position_timeline){(uint32_t)timeline, high << 32 | low};
        if (out->count > 0 && (next[-1].timeline >= next->timeline || next[-1].lsn > next->lsn))
            return false;
        out->count++;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

bool position_contains_timeline(const struct position *a, const struct position *b)
{
    unsigned i = 0;

    for (unsigned j = 0; j < b->count; j++) {
        const struct position_timeline *theirs = &b->timelines[j];
        bool is_last = j + 1 == b->count;
        while (i < a->count && a->timelines[i].timeline < theirs->timeline)
            i++;
        if (i < a->count && a->timelines[i].timeline == theirs->timeline) {
            if (is_last ? a->timelines[i].lsn < theirs->lsn : a->timelines[i].lsn != theirs->lsn)
                return false;
        } else if (is_last || i > 0) {
            return false; /* it never was on that timeline */
        }
    }
    return true;
}

int position_print_timeline(const struct position *position, unsigned i, char *text, size_t size)
{
    const struct position_timeline *item = &position->timelines[i];

    return snprintf(text, size, "%s%" PRIu32 "@%" PRIX64 "/%" PRIX64, i ? "," : "", item->timeline,
                    item->lsn >> 32, item->lsn & UINT32_MAX);
}
