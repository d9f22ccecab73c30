#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/store/codec.h"
#include "common/store/parts.h"

#define IDENTITY_BYTES_MAX 4096

static const char identity_magic[SEALED_MAGIC_BYTES] = {'m', 'h', 'a', '4', 'i', 'd', 0, 1};

static enum error_code check_owner(const struct folder *folder, const Mha__Identity *message,
                                   const char *cluster, const char *name, struct error *err)
{
    if (!cluster || (strcmp(message->cluster, cluster) == 0 && strcmp(message->name, name) == 0))
        return ERR_OK;
    return error_set(err, ERR_REFUSED,
                     "%s belongs to node \"%s\" of cluster \"%s\", not to \"%s\" of \"%s\"; name the "
                     "right directory, or "
                     "remove it to start as a new member",
                     folder->path, message->name, message->cluster, name, cluster);
}

enum error_code identity_read(const struct folder *folder, const char *cluster, const char *name,
                              struct identity *out, struct error *err)
{
    struct codec_allocator allocator;
    Mha__Identity *message;
    uint8_t *payload;
    size_t size;
    enum error_code code;

    memset(out, 0, sizeof *out);
    code = sealed_read(folder, IDENTITY_FILE, identity_magic, IDENTITY_BYTES_MAX, &payload, &size, err);
    if (code || !payload)
        return code;
    codec_allocator_init(&allocator, size);
    message = mha__identity__unpack(&allocator.protobuf, size, payload);
    free(payload);
    if (!message || message->id == 0)
        code = sealed_damaged(err, folder, IDENTITY_FILE, SEALED_HEADER_BYTES, "holds no identity");
    else
        code = check_owner(folder, message, cluster, name, err);
    if (!code) {
        out->id = message->id;
        snprintf(out->cluster, sizeof out->cluster, "%s", message->cluster);
        snprintf(out->name, sizeof out->name, "%s", message->name);
    }
    if (message)
        mha__identity__free_unpacked(message, NULL);
    return code;
}

enum error_code identity_make(uint64_t *id, struct error *err)
{
    do {
        if (getrandom(id, sizeof *id, 0) != sizeof *id)
            return error_set(err, ERR_IO, "no random numbers: %s", strerror(errno));
    } while (*id == 0);
    return ERR_OK;
}

enum error_code identity_write(const struct folder *folder, const char *cluster, const char *name,
                               uint64_t id, struct error *err)
{
    Mha__Identity message = MHA__IDENTITY__INIT;
    uint8_t bytes[IDENTITY_BYTES_MAX];
    size_t size;

    message.id = id;
    message.cluster = (char *)cluster;
    message.name = (char *)name;
    size = mha__identity__get_packed_size(&message);
    if (size > sizeof bytes)
        return error_set(err, ERR_INVALID, "the names of cluster and node are too long");
    mha__identity__pack(&message, bytes);
    return sealed_write(folder, IDENTITY_FILE, identity_magic, bytes, size, err);
}
