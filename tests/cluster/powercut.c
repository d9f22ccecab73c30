/* powercut - preloaded into a member, remembers how to undo what was written to its log since the last sync.
 *
 * kill -9 loses nothing that was written; a power cut loses what was not synced. POWERCUT_DIR/wal-N.undo
 * holds, for each write to a file wal-N that no fdatasync has covered yet, where it went and what stood there
 * before: u64 offset, u64 size, the old bytes The bed kills the member and then undoes them, the newest
 * first. POWERCUT_DELAY_US makes every sync slower, so that deaths between a write and its sync are frequent.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset);
ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset);
int fdatasync(int fd);
int fsync(int fd);

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

/* "" unless `fd` is a segment of the log. */
static void undo_path(int fd, char path[PATH_MAX])
{
    char link[64], target[PATH_MAX];
    const char *dir = getenv("POWERCUT_DIR");

    path[0] = '\0';
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, target, sizeof target - 1);
    if (dir == NULL || size <= 0)
        return;
    target[size] = '\0';
    const char *name = strrchr(target, '/');
    if (name != NULL && strncmp(name, "/wal-", 5) == 0 && strchr(name, '.') == NULL)
        snprintf(path, PATH_MAX, "%s%s.undo", dir, name);
}

static void remember(int fd, size_t size, off_t offset)
{
    char path[PATH_MAX];
    uint64_t place[2] = {(uint64_t)offset, size};

    undo_path(fd, path);
    if (path[0] == '\0')
        return;
    char *old = calloc(1, size);
    int undo = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (old == NULL || undo < 0)
        abort();
    ssize_t got = pread(fd, old, size, offset);
    struct iovec parts[2] = {{place, sizeof place}, {old, size}};
    if (got < 0 || writev(undo, parts, 2) != (ssize_t)(sizeof place + size))
        abort();
    close(undo);
    free(old);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    static ssize_t (*next)(int, const void *, size_t, off_t);
    if (next == NULL)
        *(void **)&next = real("pwrite");
    remember(fd, size, offset);
    return next(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset);
}

static void die_if_armed(void)
{
    char armed[PATH_MAX];

    snprintf(armed, sizeof armed, "%s/armed", getenv("POWERCUT_DIR"));
    if (unlink(armed) == 0)
        kill(getpid(), SIGKILL);
}

static int sync_and_forget(const char *name, int fd)
{
    char path[PATH_MAX];
    const char *delay = getenv("POWERCUT_DELAY_US");
    int (*next)(int);

    *(void **)&next = real(name);
    undo_path(fd, path);
    if (path[0] != '\0' && delay != NULL) {
        usleep((useconds_t)strtoul(delay, NULL, 10));
        die_if_armed();
    }
    int result = next(fd);
    if (result == 0 && path[0] != '\0')
        unlink(path);
    return result;
}

int fdatasync(int fd)
{
    return sync_and_forget("fdatasync", fd);
}

int fsync(int fd)
{
    return sync_and_forget("fsync", fd);
}
