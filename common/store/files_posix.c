#include "common/store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int posix_sync_dir(void *context, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = 0;

    (void)context;
    if (fd < 0)
        return -errno;
    if (fsync(fd) != 0)
        result = -errno;
    close(fd);
    return result;
}

/* A directory is durable once its parent is synced: without that a power cut could make the identity, and all
 * that it promised, as if it had never been. It may be left over from a start that did not get so far, so an
 * existing one counts too. */
static int posix_make_dir(void *context, const char *path)
{
    char parent[PATH_MAX];
    size_t length = strlen(path);
    bool made;
    int result;

    if (length >= sizeof parent)
        return -ENAMETOOLONG;
    made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST)
        return -errno;
    memcpy(parent, path, length + 1);
    while (length > 1 && parent[length - 1] == '/')
        length--;
    while (length > 0 && parent[length - 1] != '/')
        length--;
    if (length == 0)
        strcpy(parent, ".");
    else
        parent[length] = '\0';
    result = posix_sync_dir(context, parent);
    /* one that was there may have a parent that is not ours to open */
    return result == -EACCES && !made ? 0 : result;
}

static int posix_open(void *context, const char *path, int flags, unsigned mode)
{
    int fd = open(path, flags | O_CLOEXEC, (mode_t)mode);

    (void)context;
    return fd < 0 ? -errno : fd;
}

static int posix_close(void *context, int handle)
{
    (void)context;
    return close(handle) != 0 ? -errno : 0;
}

static ssize_t posix_read_at(void *context, int handle, void *bytes, size_t size, uint64_t offset)
{
    ssize_t count;

    (void)context;
    do
        count = pread(handle, bytes, size, (off_t)offset);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

static ssize_t posix_write_at(void *context, int handle, const void *bytes, size_t size, uint64_t offset)
{
    ssize_t count;

    (void)context;
    do
        count = pwrite(handle, bytes, size, (off_t)offset);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

static int posix_allocate(void *context, int handle, uint64_t size)
{
    int result;

    (void)context;
    do
        result = posix_fallocate(handle, 0, (off_t)size);
    while (result == EINTR);
    return -result;
}

static int64_t posix_size(void *context, int handle)
{
    struct stat status;

    (void)context;
    return fstat(handle, &status) != 0 ? -errno : status.st_size;
}

static int posix_sync_data(void *context, int handle)
{
    (void)context;
    return fdatasync(handle) != 0 ? -errno : 0; /* never tried again, EINTR included: see store.h */
}

static int posix_rename(void *context, const char *from, const char *to)
{
    (void)context;
    return rename(from, to) != 0 ? -errno : 0;
}

static int posix_remove(void *context, const char *path)
{
    (void)context;
    return unlink(path) != 0 ? -errno : 0;
}

static int posix_list(void *context, const char *path, int (*each)(void *each_context, const char *name),
                      void *each_context)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int result = 0;

    (void)context;
    if (!dir)
        return -errno;
    while (result == 0) {
        errno = 0;
        entry = readdir(dir);
        if (!entry) {
            result = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = each(each_context, entry->d_name);
    }
    closedir(dir);
    return result;
}

static int posix_lock(void *context, int handle)
{
    (void)context;
    return flock(handle, LOCK_EX | LOCK_NB) != 0 ? -errno : 0;
}

const struct files *files_posix(void)
{
    static const struct files posix = {
        .make_dir = posix_make_dir,
        .open = posix_open,
        .close = posix_close,
        .read_at = posix_read_at,
        .write_at = posix_write_at,
        .allocate = posix_allocate,
        .size = posix_size,
        .sync_data = posix_sync_data,
        .sync_dir = posix_sync_dir,
        .rename = posix_rename,
        .remove = posix_remove,
        .list = posix_list,
        .lock = posix_lock,
    };

    return &posix;
}
