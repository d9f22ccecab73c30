/* MariaDB's positions. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/position_kinds.h"

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

bool position_parse_gtid_list(const char *text, struct position *out)
{
    for (;;) {
        uint64_t domain, server, sequence;
        while (*text == ' ' || *text == '\n')
            text++;
        if (!position_take_number(&text, UINT32_MAX, &domain) || *text++ != '-' ||
            !position_take_number(&text, UINT32_MAX, &server) || *text++ != '-' ||
            !position_take_number(&text, UINT64_MAX, &sequence))
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

bool position_contains_gtid_list(const struct position *a, const struct position *b)
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

bool position_merge_gtid_list(struct position *into, const struct position *from)
{
    for (unsigned i = 0; i < from->count; i++)
        if (!add_item(into, &from->items[i]))
            return false;
    return true;
}

int position_print_gtid_list(const struct position *position, unsigned i, char *text, size_t size)
{
    const struct position_item *item = &position->items[i];

    return snprintf(text, size, "%s%" PRIu32 "-%" PRIu32 "-%" PRIu64, i ? "," : "", item->domain,
                    item->server, item->sequence);
}
