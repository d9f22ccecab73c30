/* position_lack.c - what one position has that another lacks, for people: as ranges, and as a number. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/position_kinds.h"

static void add_range(struct position_lack *out, const char *what)
{
    size_t used = strlen(out->ranges);

    out->some = true;
    snprintf(out->ranges + used, sizeof out->ranges - used, "%s%s", used ? ", " : "", what);
}

/* One domain's sequence numbers grow over all its servers, so a server's own need not follow on each other.
 * Of a history that branched this may tell too little (agent/rebuild/alone.h does not); it is for people. */
static void lack_of_list(const struct position *whole, const struct position *part, struct position_lack *out)
{
    for (unsigned i = 0; i < part->count; i++) {
        const struct position_item *item = &part->items[i];
        uint64_t own = 0, highest = 0, first;
        char text[96];
        for (unsigned j = 0; j < whole->count; j++) {
            const struct position_item *other = &whole->items[j];
            if (other->domain != item->domain)
                continue;
            if (other->server == item->server)
                own = other->sequence;
            if (other->sequence < item->sequence && other->sequence > highest)
                highest = other->sequence;
        }
        for (unsigned j = 0; j < part->count; j++) { /* what both have came before */
            const struct position_item *other = &part->items[j];
            struct position one = {.kind = POSITION_GTID_LIST, .count = 1, .items = {*other}};
            if (other->domain == item->domain && other->sequence < item->sequence &&
                other->sequence > highest && position_contains(whole, &one))
                highest = other->sequence;
        }
        if (own >= item->sequence)
            continue;
        first = (own > highest ? own : highest) + 1;
        snprintf(text, sizeof text, "%u-%u-%" PRIu64 " to %u-%u-%" PRIu64, item->domain, item->server, first,
                 item->domain, item->server, item->sequence);
        add_range(out, text);
        out->count += item->sequence - first + 1;
    }
}

static void lack_of_set(const struct position *whole, const struct position *part, struct position_lack *out)
{
    struct position_interval rest[POSITION_ITEMS_MAX + 1];

    for (unsigned i = 0; i < part->count; i++) {
        unsigned count = position_subtract_interval(&part->intervals[i], whole, rest);
        for (unsigned j = 0; j < count; j++) {
            struct position piece = {.kind = POSITION_GTID_SET, .count = 1, .intervals = {rest[j]}};
            char text[96];
            position_print_gtid_set(&piece, 0, text, sizeof text);
            add_range(out, text);
            out->count += rest[j].last - rest[j].first + 1;
        }
    }
}

bool position_lack(const struct position *whole, const struct position *part, struct position_lack *out)
{
    memset(out, 0, sizeof *out);
    if (position_contains(whole, part))
        return false;
    if (whole->count > 0 && whole->kind != part->kind) {
        out->some = true;
        return true;
    }
    if (part->kind == POSITION_GTID_LIST) {
        lack_of_list(whole, part, out);
        out->counted = true;
    } else if (part->kind == POSITION_GTID_SET) {
        lack_of_set(whole, part, out);
        out->counted = true;
    } else {
        char text[64] = "";
        position_print_timeline(part, part->count - 1, text, sizeof text);
        snprintf(out->ranges, sizeof out->ranges, "up to %s", text[0] == ',' ? text + 1 : text);
        out->some = true;
    }
    return true;
}
