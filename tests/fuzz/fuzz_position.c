/* Positions in text, as servers and other agents tell them (agent/cluster/position.h, client/ctl.h).
 * fuzz: runs=60000 max_len=600
 *
 * Two texts, separated by the first NUL or 0xff. The order is a partial order, the union is the least upper
 * bound, and text and value survive each other. */
#include <string.h>

#include "agent/cluster/policy_internal.h"
#include "agent/cluster/position.h"
#include "client/ctl.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_BYTES 4096

static bool ascends(const struct position *position, unsigned i)
{
    const struct position_item *item = &position->items[i];
    const struct position_interval *interval = &position->intervals[i];
    const struct position_timeline *timeline = &position->timelines[i];
    int order;

    switch (position->kind) {
    case POSITION_GTID_LIST:
        return item[-1].domain < item->domain ||
               (item[-1].domain == item->domain && item[-1].server < item->server);
    case POSITION_GTID_SET:
        order = memcmp(interval[-1].uuid, interval->uuid, sizeof interval->uuid);
        return interval->first <= interval->last &&
               (order < 0 || (order == 0 && interval[-1].last + 1 < interval->first));
    default:
        return timeline[-1].timeline < timeline->timeline && timeline[-1].lsn <= timeline->lsn;
    }
}

static void check_one(const struct position *position)
{
    struct position again;
    char text[TEXT_BYTES], tight[TEXT_BYTES];

    FUZZ_CHECK(position->count <= POSITION_ITEMS_MAX, "a position is bounded");
    for (unsigned i = 1; i < position->count; i++)
        FUZZ_CHECK(ascends(position, i), "its items ascend, each once");
    FUZZ_CHECK(position_format(position, text, sizeof text), "it can be written");
    FUZZ_CHECK(position_parse(text, &again), "what was written is a position");
    FUZZ_CHECK(position_compare(position, &again) == POSITION_EQUAL && again.count == position->count,
               "the same one");
    FUZZ_CHECK(position_format(position, tight, strlen(text) + 1), "the text fits where it just fits");
    FUZZ_CHECK(strlen(text) == 0 || !position_format(position, tight, strlen(text)),
               "and does not fit where it does not");
}

static void check_two(const struct position *a, const struct position *b)
{
    static const enum position_order reversed[] = {[POSITION_EQUAL] = POSITION_EQUAL,
                                                   [POSITION_BEHIND] = POSITION_AHEAD,
                                                   [POSITION_AHEAD] = POSITION_BEHIND,
                                                   [POSITION_DIVERGED] = POSITION_DIVERGED};
    enum position_order order = position_compare(a, b);
    struct position both = *a, other = *b;

    FUZZ_CHECK(position_compare(b, a) == reversed[order], "seen from the other side it is the reverse");
    FUZZ_CHECK(position_contains(a, b) == (order == POSITION_EQUAL || order == POSITION_AHEAD),
               "to contain is to be equal or ahead");
    if (!position_merge(&both, b))
        return; /* too many items, other kinds */
    check_one(&both);
    FUZZ_CHECK(position_contains(&both, a) && position_contains(&both, b), "a union contains both");
    FUZZ_CHECK(position_merge(&other, a) && position_compare(&both, &other) == POSITION_EQUAL,
               "from both sides it is the same");
    FUZZ_CHECK(order != POSITION_EQUAL || position_compare(&both, a) == POSITION_EQUAL,
               "equal ones add nothing");
    for (unsigned i = 0; i < both.count; i++) { /* and nothing less does */
        struct position less = both;
        if (less.kind == POSITION_GTID_LIST && less.items[i].sequence > 0)
            less.items[i].sequence--;
        else if (less.kind == POSITION_GTID_SET && less.intervals[i].last > less.intervals[i].first)
            less.intervals[i].last--;
        else
            continue;
        FUZZ_CHECK(!position_contains(&less, a) || !position_contains(&less, b),
                   "a union has no more than both");
    }
}

/* What mhactl shows of it. */
static void check_short(const char *text)
{
    char shown[24];

    memset(shown, 'x', sizeof shown);
    status_short_position(text, shown, sizeof shown);
    FUZZ_CHECK(memchr(shown, '\0', sizeof shown), "the short form ends");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char first[1024] = "", second[1024] = "";
    struct position a, b, part = {0};
    bool a_sound, b_sound;
    size_t at = 0, used = 0;

    while (at < size && data[at] != 0xff && data[at] != 0 && at < sizeof first - 1) {
        first[at] = (char)data[at];
        at++;
    }
    for (at++; at < size && data[at] != 0 && used < sizeof second - 1; at++)
        second[used++] = (char)data[at];
    check_short(first);
    a_sound = position_parse(first, &a);
    b_sound = position_parse(second, &b);
    FUZZ_CHECK(policy_holds(first, second) == (a_sound && b_sound && position_contains(&a, &b)),
               "an unreadable position contains nothing and is contained by nothing");
    if (a_sound)
        check_one(&a);
    if (b_sound)
        check_one(&b);
    if (a_sound && b_sound) {
        check_two(&a, &b);
        if (position_of_writer(&a, &b, &part))
            FUZZ_CHECK(position_contains(&a, &part), "what one server wrote is a part of the whole");
    }
    return 0;
}
