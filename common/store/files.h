/* files.h - the few file operations that the store uses, so that tests can inject faults and crashes.
 *
 * Every call returns 0 or a byte count, or -errno. files_posix() is the real thing. */
#ifndef MHA_STORE_FILES_H
#define MHA_STORE_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct files {
    void *context;
    int (*make_dir)(void *context, const char *path); /* 0700, durable; an existing one is fine */
    int (*open)(void *context, const char *path, int flags, unsigned mode); /* open(2) flags; a handle >= 0 */
    int (*close)(void *context, int handle);
    ssize_t (*read_at)(void *context, int handle, void *bytes, size_t size, uint64_t offset);
    ssize_t (*write_at)(void *context, int handle, const void *bytes, size_t size, uint64_t offset);
    int (*allocate)(void *context, int handle, uint64_t size); /* posix_fallocate from 0: reads as zeros */
    int64_t (*size)(void *context, int handle);
    int (*sync_data)(void *context, int handle); /* fdatasync; for a new or grown file its size too */
    int (*sync_dir)(void *context, const char *path);
    int (*rename)(void *context, const char *from, const char *to);
    int (*remove)(void *context, const char *path);
    /* Calls `each` for every name in `path` but "." and ".."; stops at its first non-zero answer and returns
     * that. */
    int (*list)(void *context, const char *path, int (*each)(void *each_context, const char *name),
                void *each_context);
    int (*lock)(void *context, int handle); /* flock LOCK_EX|LOCK_NB; -EWOULDBLOCK when another holds it */
};

const struct files *files_posix(void);

#endif
