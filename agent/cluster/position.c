#include "agent/cluster/position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int item_order(const struct position_item *a, const struct position_item *b)
{
    if (a->domain != b->domain)
        return a->domain < b->domain ? -1 : 1;
    if (a->server != b->server)
        return a->server < b->server ? -1 : 1;
    return 0;
}

/* Inserts in order; of two items of one (domain, server) the higher sequence stays. */
static bool add_item(struct position *position, const struct position_item *item)
{
    unsigned at = 0;

    while (at < position->count && item_order(&position->items[at], item) < 0)
        at++;
    if (at < position->count && item_order(&position->items[at], item) == 0) {
        if (position->items[at].sequence < item->sequence)
            position->items[at].sequence = item->sequence;
        return true;
    }
    if (position->count == POSITION_ITEMS_MAX)
        return false;
    memmove(&position->items[at + 1], &position->items[at], (position->count - at) * sizeof *item);
    position->items[at] = *item;
    position->count++;
    return true;
}

/* Digits only: no sign, no space, no overflow. */
static bool take_number(const char **text, uint64_t most, uint64_t *value)
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

bool position_parse(const char *text, struct position *out)
{
    out->count = 0;
    if (*text == '\0')
        return true;
    for (;;) {
        uint64_t domain, server, sequence;
        while (*text == ' ' || *text == '\n')
            text++;
        if (!take_number(&text, UINT32_MAX, &domain) || *text++ != '-' ||
            !take_number(&text, UINT32_MAX, &server) || *text++ != '-' ||
            !take_number(&text, UINT64_MAX, &sequence))
            return false;
        struct position_item item = {(uint32_t)domain, (uint32_t)server, sequence};
        if (!add_item(out, &item))
            return false;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

bool position_contains(const struct position *a, const struct position *b)
{
    unsigned i = 0;

    for (unsigned j = 0; j < b->count; j++) {
        while (i < a->count && item_order(&a->items[i], &b->items[j]) < 0)
            i++;
        if (i == a->count || item_order(&a->items[i], &b->items[j]) != 0 ||
            a->items[i].sequence < b->items[j].sequence)
            return false;
    }
    return true;
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
    for (unsigned i = 0; i < from->count; i++)
        if (!add_item(into, &from->items[i]))
            return false;
    return true;
}

bool position_format(const struct position *position, char *text, size_t size)
{
    size_t used = 0;

    if (size == 0)
        return false;
    text[0] = '\0';
    for (unsigned i = 0; i < position->count; i++) {
        const struct position_item *item = &position->items[i];
        int length = snprintf(text + used, size - used, "%s%" PRIu32 "-%" PRIu32 "-%" PRIu64, i ? "," : "",
                              item->domain, item->server, item->sequence);
        if (length < 0 || (size_t)length >= size - used)
            return false;
        used += (size_t)length;
    }
    return true;
}
