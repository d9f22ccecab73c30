/* position.h - what a database holds, as a value with a partial order: one type for the three kinds of
 * servers.
 *
 * MariaDB, POSITION_GTID_LIST: its gtid_binlog_state, "domain-server-sequence" items, comma-separated, any
 * order, one per (domain, server): "0-1-57,0-2-60". In a domain with several servers the last event is the
 * one with the highest sequence. A holds B when for every item of B, A has the same (domain, server) with at
 * least that sequence.
 *
 * MySQL, POSITION_GTID_SET: a GTID set as gtid_executed is written, "uuid:interval[:interval]...", comma-
 * separated: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7-9". A holds B when each of B's intervals lies within
 * one of A's. Tagged GTIDs (uuid:tag:1, from 8.3 on) are not read: such a position is unreadable, and an
 * unreadable position is contained by nothing.
 *
 * PostgreSQL, POSITION_TIMELINE: the server's history, "timeline@LSN" items, ascending: for each timeline
 * that it passed through where it left it, and at last where it is now: "1@0/3000148,2@0/5000060". A holds B
 * when A passed through B's timeline and was there at least as far, and both came there by the same way.
 * Items older than the oldest of the other are not compared: a history may be cut at its beginning (LSNs of
 * one cluster never start again, and the epoch record is compared too).
 *
 * Positions of different kinds hold nothing of each other, but everything holds the empty position, which is
 * of any kind. The bounds are checked when reading: a text from outside can do no more than be refused. */
#ifndef MHA_CLUSTER_POSITION_H
#define MHA_CLUSTER_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSITION_ITEMS_MAX 64
#define POSITION_UUID_BYTES 16

enum position_kind { POSITION_GTID_LIST, POSITION_GTID_SET, POSITION_TIMELINE };

struct position_item {
    uint32_t domain;
    uint32_t server;
    uint64_t sequence;
};

struct position_interval {
    uint8_t uuid[POSITION_UUID_BYTES];
    uint64_t first, last;
};

struct position_timeline {
    uint32_t timeline;
    uint64_t lsn;
};

/* All zero: the empty position. */
struct position {
    enum position_kind kind;
    unsigned count;
    union {
        struct position_item items[POSITION_ITEMS_MAX];         /* ascending by (domain, server) */
        struct position_interval intervals[POSITION_ITEMS_MAX]; /* ascending by (uuid, first), none touch */
        struct position_timeline timelines[POSITION_ITEMS_MAX]; /* ascending in both */
    };
};

enum position_order { POSITION_EQUAL, POSITION_BEHIND, POSITION_AHEAD, POSITION_DIVERGED };

/* The kind is read from the text; "" is the empty position. false: not a position (or too many items). */
bool position_parse(const char *text, struct position *out);
/* How `a` stands to `b`: BEHIND means that b has all of a and more. */
enum position_order position_compare(const struct position *a, const struct position *b);
/* a has all of b. */
bool position_contains(const struct position *a, const struct position *b);
/* The union of both. false: too many items, different kinds, or histories that diverge. */
bool position_merge(struct position *into, const struct position *from);
/* Canonical text; false when it does not fit. */
bool position_format(const struct position *position, char *text, size_t size);
/* What `part` has and `whole` lacks, for people. */
struct position_lack {
    bool some;
    bool counted; /* `count` transactions (a list's: at most so many) */
    uint64_t count;
    char ranges[192]; /* as far as they fit */
};
/* A GTID set's: the parts of one interval that are not in `taken`, ascending, into `rest`; returns how many.
 */
unsigned position_subtract_interval(const struct position_interval *interval, const struct position *taken,
                                    struct position_interval rest[POSITION_ITEMS_MAX + 1]);
/* false: nothing. */
bool position_lack(const struct position *whole, const struct position *part, struct position_lack *out);
/* What `whole` has of the server that wrote `record`, a position of one transaction. A timeline names no
 * writer: all of it. false: `record` is not one transaction of one server. */
bool position_of_writer(const struct position *whole, const struct position *record, struct position *out);

#endif
