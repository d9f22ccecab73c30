/* contents.h - all that a store's directory holds, read and checked without changing anything.
 *
 * What store_open takes up, and what store_verify tells: one function, so that the two never judge
 * differently. */
#ifndef MHA_STORE_CONTENTS_H
#define MHA_STORE_CONTENTS_H

#include "common/store/parts.h"

struct contents {
    struct identity identity;       /* id 0: none */
    struct store_snapshot snapshot; /* data from malloc; NULL: none */
    struct recover_snapshot covered;
    struct recovered_log log;
    bool something; /* it promised or stored something, beyond having an identity */
};

/* `cluster` and `name` NULL: anybody's. ERR_REFUSED: another cluster's or node's; ERR_CORRUPT, ERR_IO,
 * ERR_NO_MEMORY. `out` is freed with contents_free in every case. */
enum error_code contents_read(const struct folder *folder, const char *cluster, const char *name,
                              struct contents *out, struct error *err);
void contents_free(struct contents *contents);

#endif
