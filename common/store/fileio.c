#include "common/store/fileio.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/crc32c.h"

void folder_join(const struct folder *folder, const char *name, char path[FILEIO_PATH_BYTES])
{
    snprintf(path, FILEIO_PATH_BYTES, "%s/%s", folder->path, name);
}

enum error_code fileio_error(struct error *err, const char *action, const char *path, int result)
{
    bool full = result == -ENOSPC || result == -EDQUOT;

    return error_set(err, full ? ERR_BUSY : ERR_IO, "%s: %s: %s%s", path, action, strerror(-result),
                     full ? "; make room on the disk" : "");
}

int fileio_write(const struct files *files, int handle, const void *bytes, size_t size, uint64_t offset)
{
    const uint8_t *from = bytes;

    while (size > 0) {
        ssize_t count = files->write_at(files->context, handle, from, size, offset);
        if (count < 0)
            return (int)count;
        if (count == 0)
            return -EIO;
        from += count;
        size -= (size_t)count;
        offset += (uint64_t)count;
    }
    return 0;
}

static enum error_code read_open_file(const struct files *files, int handle, const char *path, size_t most,
                                      uint8_t **out, size_t *size, struct error *err)
{
    int64_t length = files->size(files->context, handle);
    size_t done = 0;

    if (length < 0)
        return fileio_error(err, "cannot be examined", path, (int)length);
    if ((uint64_t)length > most)
        return error_set(err, ERR_CORRUPT, "%s: is larger than it can be", path);
    *out = malloc(length ? (size_t)length : 1);
    if (!*out)
        return error_set(err, ERR_NO_MEMORY, "%s: no memory for its %lld bytes", path, (long long)length);
    while (done < (size_t)length) {
        ssize_t count = files->read_at(files->context, handle, *out + done, (size_t)length - done, done);
        if (count <= 0) {
            free(*out);
            *out = NULL;
            return fileio_error(err, "cannot be read", path, count < 0 ? (int)count : -EIO);
        }
        done += (size_t)count;
    }
    *size = done;
    return ERR_OK;
}

enum error_code fileio_read_whole(const struct folder *folder, const char *name, size_t most, uint8_t **out,
                                  size_t *size, struct error *err)
{
    const struct files *files = folder->files;
    char path[FILEIO_PATH_BYTES];
    enum error_code code;
    int handle;

    *out = NULL;
    *size = 0;
    folder_join(folder, name, path);
    handle = files->open(files->context, path, O_RDONLY, 0);
    if (handle == -ENOENT)
        return ERR_OK;
    if (handle < 0)
        return fileio_error(err, "cannot be opened", path, handle);
    code = read_open_file(files, handle, path, most, out, size, err);
    files->close(files->context, handle);
    return code;
}

enum error_code fileio_remove(const struct folder *folder, const char *name, struct error *err)
{
    char path[FILEIO_PATH_BYTES];
    int result;

    folder_join(folder, name, path);
    result = folder->files->remove(folder->files->context, path);
    return result == 0 || result == -ENOENT ? ERR_OK : fileio_error(err, "cannot be removed", path, result);
}

enum error_code fileio_sync_dir(const struct folder *folder, struct error *err)
{
    int result = folder->files->sync_dir(folder->files->context, folder->path);

    return result == 0 ? ERR_OK
                       : error_set(err, ERR_IO, "%s: cannot be synced: %s", folder->path, strerror(-result));
}

enum error_code fileio_commit(const struct folder *folder, const char *name, struct error *err)
{
    char from[FILEIO_PATH_BYTES + sizeof FILEIO_NEW_SUFFIX], to[FILEIO_PATH_BYTES];
    int result;

    folder_join(folder, name, to);
    snprintf(from, sizeof from, "%s" FILEIO_NEW_SUFFIX, to);
    result = folder->files->rename(folder->files->context, from, to);
    if (result != 0)
        return error_set(err, ERR_IO, "%s: cannot be renamed: %s", from, strerror(-result));
    return fileio_sync_dir(folder, err);
}

#define SEALED_CRC_OFFSET (SEALED_MAGIC_BYTES + 4)

static uint32_t sealed_crc(const uint8_t *bytes, size_t payload_size)
{
    return crc32c(crc32c(0, bytes, SEALED_CRC_OFFSET), bytes + SEALED_HEADER_BYTES, payload_size);
}

enum error_code sealed_write(const struct folder *folder, const char *name,
                             const char magic[SEALED_MAGIC_BYTES], const void *payload, size_t size,
                             struct error *err)
{
    const struct files *files = folder->files;
    char new_name[64], path[FILEIO_PATH_BYTES];
    uint8_t *bytes = malloc(SEALED_HEADER_BYTES + size);
    uint32_t length = htole32((uint32_t)size), crc;
    enum error_code code = ERR_OK;
    int handle, result;

    if (!bytes)
        return error_set(err, ERR_NO_MEMORY, "no memory for a file of %zu bytes", size);
    memcpy(bytes, magic, SEALED_MAGIC_BYTES);
    memcpy(bytes + SEALED_MAGIC_BYTES, &length, sizeof length);
    memcpy(bytes + SEALED_HEADER_BYTES, payload, size);
    crc = htole32(sealed_crc(bytes, size));
    memcpy(bytes + SEALED_CRC_OFFSET, &crc, sizeof crc);

    snprintf(new_name, sizeof new_name, "%s" FILEIO_NEW_SUFFIX, name);
    folder_join(folder, new_name, path);
    handle = files->open(files->context, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (handle < 0) {
        free(bytes);
        return fileio_error(err, "cannot be made", path, handle);
    }
    result = fileio_write(files, handle, bytes, SEALED_HEADER_BYTES + size, 0);
    free(bytes);
    if (result == 0)
        result = files->sync_data(files->context, handle);
    files->close(files->context, handle);
    if (result != 0)
        code = fileio_error(err, "cannot be written", path, result);
    if (code) {
        fileio_remove(folder, new_name, NULL); /* if not now, then at the next start */
        return code;
    }
    return fileio_commit(folder, name, err);
}

enum error_code sealed_read(const struct folder *folder, const char *name,
                            const char magic[SEALED_MAGIC_BYTES], size_t most, uint8_t **payload,
                            size_t *size, struct error *err)
{
    uint8_t *bytes;
    uint32_t length, crc;
    size_t whole, offset = 0;
    const char *what;
    enum error_code code = fileio_read_whole(folder, name, most + SEALED_HEADER_BYTES, &bytes, &whole, err);

    *payload = NULL;
    *size = 0;
    if (code || !bytes)
        return code;
    if (whole < SEALED_HEADER_BYTES) {
        offset = whole;
        what = "ends within its header";
        goto damaged;
    }
    memcpy(&length, bytes + SEALED_MAGIC_BYTES, sizeof length);
    memcpy(&crc, bytes + SEALED_CRC_OFFSET, sizeof crc);
    if (memcmp(bytes, magic, SEALED_MAGIC_BYTES) != 0) {
        what = "does not begin as such a file does; is it from a newer version?";
        goto damaged;
    }
    if (le32toh(length) != whole - SEALED_HEADER_BYTES) {
        offset = SEALED_MAGIC_BYTES;
        what = "the length there is not that of the file";
        goto damaged;
    }
    if (le32toh(crc) != sealed_crc(bytes, whole - SEALED_HEADER_BYTES)) {
        offset = SEALED_CRC_OFFSET;
        what = "the checksum there is not that of the file";
        goto damaged;
    }
    *size = whole - SEALED_HEADER_BYTES;
    memmove(bytes, bytes + SEALED_HEADER_BYTES, *size);
    *payload = bytes;
    return ERR_OK;

damaged:
    free(bytes);
    return sealed_damaged(err, folder, name, offset, what);
}

enum error_code sealed_damaged(struct error *err, const struct folder *folder, const char *name,
                               size_t offset, const char *what)
{
    return error_set(err, ERR_CORRUPT,
                     "%s/%s is damaged: byte %zu: %s; restore the file, or remove the directory and let the "
                     "node join as a new member",
                     folder->path, name, offset, what);
}
