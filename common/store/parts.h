/* parts.h - the two sealed files of a store: identity and snapshot; and the entrance for tests. */
#ifndef MHA_STORE_PARTS_H
#define MHA_STORE_PARTS_H

#include "common/store/fileio.h"
#include "common/store/recover.h"
#include "common/store/store.h"

#define IDENTITY_FILE "identity"
#define SNAPSHOT_FILE "snapshot"
#define LOCK_FILE "lock"

#define IDENTITY_NAME_BYTES 256
struct identity {
    uint64_t id; /* 0: there is none */
    char cluster[IDENTITY_NAME_BYTES];
    char name[IDENTITY_NAME_BYTES];
};

/* `cluster` and `name` NULL: anybody's. ERR_REFUSED: another cluster's or node's. ERR_CORRUPT, ERR_IO. */
enum error_code identity_read(const struct folder *folder, const char *cluster, const char *name,
                              struct identity *out, struct error *err);
/* A random number but 0. */
enum error_code identity_make(uint64_t *id, struct error *err);
enum error_code identity_write(const struct folder *folder, const char *cluster, const char *name,
                               uint64_t id, struct error *err);

/* out->data is from malloc, NULL when there is none. ERR_CORRUPT, ERR_IO. */
enum error_code snapshot_read(const struct folder *folder, struct store_snapshot *out, struct error *err);
/* ERR_INVALID: too large, or its data says another index or term. ERR_BUSY, and ERR_IO, which is final. */
enum error_code snapshot_write(const struct folder *folder, const struct store_snapshot *snapshot,
                               struct error *err);

/* ERR_BUSY: there is no room for one of this size. ERR_IO. */
enum error_code snapshot_reserve(const struct folder *folder, size_t size, struct error *err);

/* store_open with segments of another size than WAL_SEGMENT_BYTES. */
enum error_code store_open_sized(const struct files *files, const char *dir, const char *cluster,
                                 const char *name, uint64_t segment_bytes, struct store **out,
                                 struct error *err);

#endif
