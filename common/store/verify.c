#include "common/store/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/store/wal.h"

/* A process that uses the directory holds this lock; taking it makes no file and changes none. */
static enum error_code take_lock(const struct folder *folder, int *lock, struct error *err)
{
    const struct files *files = folder->files;
    char path[FILEIO_PATH_BYTES];
    int result;

    folder_join(folder, LOCK_FILE, path);
    *lock = files->open(files->context, path, O_RDONLY, 0);
    if (*lock == -ENOENT)
        return ERR_OK; /* a copy, perhaps: nobody can be using it */
    if (*lock < 0)
        return fileio_error(err, "cannot be opened", path, *lock);
    result = files->lock(files->context, *lock);
    if (result == -EWOULDBLOCK)
        return error_set(err, ERR_BUSY, "%s: a process uses this directory; stop it, then check again",
                         folder->path);
    return result == 0 ? ERR_OK : error_set(err, ERR_IO, "%s: cannot be locked: %s", path, strerror(-result));
}

static int ignore(void *context, const char *name)
{
    (void)context;
    (void)name;
    return 0;
}

enum error_code store_verify(const struct files *files, const char *dir, struct contents *out,
                             struct error *err)
{
    struct folder folder = {.files = files};
    enum error_code code;
    int lock, result;

    memset(out, 0, sizeof *out);
    if (strlen(dir) >= sizeof folder.path)
        return error_set(err, ERR_INVALID, "%s: the path is too long", dir);
    strcpy(folder.path, dir);
    result = files->list(files->context, dir, ignore, NULL);
    if (result != 0)
        return error_set(err, ERR_INVALID, "%s: %s; name the directory of one member", dir,
                         strerror(-result));
    code = take_lock(&folder, &lock, err);
    if (!code)
        code = contents_read(&folder, NULL, NULL, out, err);
    if (!code && out->identity.id == 0)
        code = error_set(err, ERR_INVALID,
                         "%s holds no member's identity or log; an agent's is its data_dir, an arbiter's "
                         "data_dir/CLUSTER",
                         dir);
    if (lock >= 0)
        files->close(files->context, lock);
    return code;
}
