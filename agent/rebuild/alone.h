/* alone.h - what one server has and another lacks, transaction by transaction. Pure.
 *
 * Positions as agent/cluster/position.h reads them. MariaDB's name the last transaction of each (domain,
 * server), so that a difference says "of this server in this domain, all after this number": some numbers in
 * between belong to other servers. MySQL's name each transaction. */
#ifndef MHA_REBUILD_ALONE_H
#define MHA_REBUILD_ALONE_H

#include "agent/cluster/position.h"

#define ALONE_RANGES_MAX (2 * POSITION_ITEMS_MAX)
#define ALONE_TEXT_BYTES 8192

struct alone_range {
    uint8_t uuid[POSITION_UUID_BYTES]; /* MySQL */
    uint32_t domain, server;           /* MariaDB */
    uint64_t first, last;              /* both belong to it; MariaDB: `first` at least, `last` for certain */
};

struct alone {
    enum position_kind kind;
    unsigned count; /* 0: nothing */
    struct alone_range ranges[ALONE_RANGES_MAX];
};

/* What `mine` has and `theirs` lacks. false: positions of different kinds, or of a kind without
 * transactions. An empty position is of any kind. */
bool alone_find(const struct position *mine, const struct position *theirs, struct alone *out);
/* For a person and, of MySQL's, for GTID_SUBSET() and mysqlbinlog --include-gtids: "uuid:5-7:9,...". Of
 * MariaDB's: "0-1-11..12". false: it does not fit. */
bool alone_format(const struct alone *alone, char *text, size_t size);
/* Whether MariaDB's transaction belongs to it. */
bool alone_has_item(const struct alone *alone, uint32_t domain, uint32_t server, uint64_t sequence);

/* MariaDB: the state (the newest number of each domain and server) at `at`, a position with one item for each
 * domain: of what `before` and `after`, states read before and after that moment, say. What is known for
 * certain is exact; where one server wrote before and after it, what is told is not too much. */
bool alone_state_at(const struct position *before, const struct position *after, const struct position *at,
                    struct position *out);

#endif
