#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/store/codec.h"
#include "common/store/parts.h"

static const char snapshot_magic[SEALED_MAGIC_BYTES] = {'m', 'h', 'a', '4', 's', 'n', 'p', 1};

/* What the packed message says of itself. */
static enum error_code read_position(const uint8_t *data, size_t size, uint64_t *last_index,
                                     uint64_t *last_term)
{
    struct codec_allocator allocator;
    Mha__Snapshot *message;

    codec_allocator_init(&allocator, size);
    message = mha__snapshot__unpack(&allocator.protobuf, size, data);
    if (!message)
        return ERR_INVALID;
    *last_index = message->last_index;
    *last_term = message->last_term;
    mha__snapshot__free_unpacked(message, NULL);
    return ERR_OK;
}

enum error_code snapshot_read(const struct folder *folder, struct store_snapshot *out, struct error *err)
{
    uint8_t *payload;
    enum error_code code;

    *out = (struct store_snapshot){0};
    code = sealed_read(folder, SNAPSHOT_FILE, snapshot_magic, STORE_SNAPSHOT_BYTES_MAX, &payload, &out->size,
                       err);
    if (code || !payload)
        return code;
    if (read_position(payload, out->size, &out->last_index, &out->last_term) != ERR_OK) {
        free(payload);
        return sealed_damaged(err, folder, SNAPSHOT_FILE, SEALED_HEADER_BYTES, "holds no snapshot");
    }
    out->data = payload;
    return ERR_OK;
}

enum error_code snapshot_write(const struct folder *folder, const struct store_snapshot *snapshot,
                               struct error *err)
{
    uint64_t last_index, last_term;

    if (snapshot->size > STORE_SNAPSHOT_BYTES_MAX)
        return error_set(err, ERR_INVALID, "a snapshot of %zu bytes, more than %d", snapshot->size,
                         STORE_SNAPSHOT_BYTES_MAX);
    if (read_position(snapshot->data, snapshot->size, &last_index, &last_term) != ERR_OK ||
        last_index != snapshot->last_index || last_term != snapshot->last_term)
        return error_set(err, ERR_INVALID, "a snapshot that is not of index %" PRIu64 " and term %" PRIu64,
                         snapshot->last_index, snapshot->last_term);
    return sealed_write(folder, SNAPSHOT_FILE, snapshot_magic, snapshot->data, snapshot->size, err);
}

/* A file of that size is made and removed: what comes next on this thread is the snapshot itself. */
enum error_code snapshot_reserve(const struct folder *folder, size_t size, struct error *err)
{
    const struct files *files = folder->files;
    char path[FILEIO_PATH_BYTES];
    enum error_code code = ERR_OK;
    int handle, result;

    folder_join(folder, SNAPSHOT_FILE FILEIO_NEW_SUFFIX, path);
    handle = files->open(files->context, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (handle < 0)
        return fileio_error(err, "cannot be made", path, handle);
    result = files->allocate(files->context, handle, SEALED_HEADER_BYTES + size);
    files->close(files->context, handle);
    if (result != 0)
        code = fileio_error(err, "cannot be made", path, result);
    fileio_remove(folder, SNAPSHOT_FILE FILEIO_NEW_SUFFIX, NULL); /* if not now, then at the next start */
    return code;
}
