/* position.h - what a database holds, as a value with a partial order.
 *
 * A MariaDB position is written as its gtid_binlog_state: "domain-server-sequence" items, comma-separated,
 * any order, one per (domain, server). In a domain with several servers the last event is the one with the
 * highest sequence. A holds B's position when for every item of B, A has the same (domain, server) with at
 * least that sequence. */
#ifndef MHA_CLUSTER_POSITION_H
#define MHA_CLUSTER_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSITION_ITEMS_MAX 64

struct position_item {
    uint32_t domain;
    uint32_t server;
    uint64_t sequence;
};

struct position {
    unsigned count;
    struct position_item items[POSITION_ITEMS_MAX]; /* ascending by (domain, server) */
};

enum position_order { POSITION_EQUAL, POSITION_BEHIND, POSITION_AHEAD, POSITION_DIVERGED };

/* "" is the empty position. false: not a position (or too many items). */
bool position_parse(const char *text, struct position *out);
/* How `a` stands to `b`: BEHIND means that b has all of a and more. */
enum position_order position_compare(const struct position *a, const struct position *b);
/* a has all of b. */
bool position_contains(const struct position *a, const struct position *b);
/* The union of both: the higher sequence of each (domain, server). false: too many items. */
bool position_merge(struct position *into, const struct position *from);
/* Canonical text; false when it does not fit. */
bool position_format(const struct position *position, char *text, size_t size);

#endif
