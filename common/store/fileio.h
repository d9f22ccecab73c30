/* fileio.h - what the store's parts share: paths, whole reads and writes, sealed files. */
#ifndef MHA_STORE_FILEIO_H
#define MHA_STORE_FILEIO_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/store/files.h"

#define FILEIO_PATH_BYTES 1024
#define FILEIO_NEW_SUFFIX ".new" /* of a file that is not finished */

/* A directory on some files. */
struct folder {
    const struct files *files;
    char path[FILEIO_PATH_BYTES - 64]; /* room for the names below it */
};

void folder_join(const struct folder *folder, const char *name, char path[FILEIO_PATH_BYTES]);

/* ERR_BUSY when `result` (-errno) says that the disk or a quota is full, ERR_IO otherwise; the text names
 * file and cause. */
enum error_code fileio_error(struct error *err, const char *action, const char *path, int result);

/* -errno, or 0 once all is written. */
int fileio_write(const struct files *files, int handle, const void *bytes, size_t size, uint64_t offset);
/* All of a file, from malloc. A missing file: *out NULL, ERR_OK. ERR_IO, ERR_NO_MEMORY; ERR_CORRUPT: larger
 * than `most`. */
enum error_code fileio_read_whole(const struct folder *folder, const char *name, size_t most, uint8_t **out,
                                  size_t *size, struct error *err);
/* A missing file is fine. Not durable before the directory is synced. */
enum error_code fileio_remove(const struct folder *folder, const char *name, struct error *err);
enum error_code fileio_sync_dir(const struct folder *folder, struct error *err);
/* Renames name.new to name, durably. An error is final, whatever it is: what is on disk is not known. */
enum error_code fileio_commit(const struct folder *folder, const char *name, struct error *err);

/* A sealed file is written at one go and replaced as a whole: magic (8 bytes), u32 length, u32 CRC32C over
 * magic, length and payload, payload; little-endian. */
#define SEALED_MAGIC_BYTES 8
#define SEALED_HEADER_BYTES (SEALED_MAGIC_BYTES + 8)
/* ERR_BUSY: the disk is full, and the old file, if any, is as it was. ERR_IO is final. */
enum error_code sealed_write(const struct folder *folder, const char *name,
                             const char magic[SEALED_MAGIC_BYTES], const void *payload, size_t size,
                             struct error *err);
/* The payload, from malloc; a missing file: NULL and ERR_OK. ERR_CORRUPT, ERR_IO, ERR_NO_MEMORY. */
enum error_code sealed_read(const struct folder *folder, const char *name,
                            const char magic[SEALED_MAGIC_BYTES], size_t most, uint8_t **payload,
                            size_t *size, struct error *err);
/* ERR_CORRUPT; the text names file, byte, what and remedy. */
enum error_code sealed_damaged(struct error *err, const struct folder *folder, const char *name,
                               size_t offset, const char *what);

#endif
