/* Identity and snapshot files (common/store/parts.h). fuzz: runs=20000 max_len=2048
 *
 * The first byte picks the file and whether its seal (length, CRC) is made right. What is read is what was
 * sealed; an unsealed file is damaged, not something else; what was read can be written and read again. */
#include <endian.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/crc32c.h"
#include "common/store/parts.h"
#include "log.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/memory_files.h"

#define HEADER_BYTES (SEALED_MAGIC_BYTES + 8)

static const char *const words[] = {"prod", "alpha", "beta", "192.0.2.1:7400", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    const ProtobufCMessageDescriptor *type =
        size > 0 && data[0] & 1 ? &mha__snapshot__descriptor : &mha__identity__descriptor;

    if (size == 0 || seed % 16 == 0) {
        data[0] = (uint8_t)(seed / 16);
        return size ? size : 1;
    }
    return 1 + fuzz_mutate_message(type, words, data + 1, size - 1, max_size - 1, seed);
}

/* `what` sealed as fileio.h says, written down here once more. */
static size_t seal(uint8_t *out, const char *magic, const uint8_t *payload, size_t size)
{
    uint32_t length = htole32((uint32_t)size), crc;

    memcpy(out, magic, SEALED_MAGIC_BYTES);
    memcpy(out + SEALED_MAGIC_BYTES, &length, sizeof length);
    memcpy(out + HEADER_BYTES, payload, size);
    crc = crc32c(crc32c(0, out, SEALED_MAGIC_BYTES + 4), payload, size);
    crc = htole32(crc);
    memcpy(out + SEALED_MAGIC_BYTES + 4, &crc, sizeof crc);
    return HEADER_BYTES + size;
}

static void write_file(const struct files *files, const char *name, const uint8_t *bytes, size_t size)
{
    int handle = files->open(files->context, name, O_RDWR | O_CREAT, 0600);

    for (size_t done = 0; done < size;) {
        ssize_t count = files->write_at(files->context, handle, bytes + done, size - done, done);
        FUZZ_CHECK(count > 0, "the disk in memory takes it");
        done += (size_t)count;
    }
    files->close(files->context, handle);
}

static void check_snapshot(const struct folder *folder, const uint8_t *payload, size_t size, bool sealed)
{
    Mha__Snapshot *message = mha__snapshot__unpack(NULL, size, payload);
    struct store_snapshot snapshot, again;
    struct error err;
    enum error_code code = snapshot_read(folder, &snapshot, &err);

    FUZZ_CHECK(code == ERR_CORRUPT || (code == ERR_OK && sealed && message),
               "only what is sealed and sound is read");
    if (code == ERR_OK) {
        FUZZ_CHECK(snapshot.size == size && memcmp(snapshot.data, payload, size) == 0 &&
                       snapshot.last_index == message->last_index && snapshot.last_term == message->last_term,
                   "as it was sealed");
        FUZZ_CHECK(snapshot_write(folder, &snapshot, &err) == ERR_OK &&
                       snapshot_read(folder, &again, &err) == ERR_OK && again.size == size &&
                       memcmp(again.data, payload, size) == 0,
                   "it can be written and read again");
        free((void *)again.data);
        free((void *)snapshot.data);
    }
    if (message)
        mha__snapshot__free_unpacked(message, NULL);
}

static void check_identity(const struct folder *folder, const uint8_t *payload, size_t size, bool sealed)
{
    Mha__Identity *message = mha__identity__unpack(NULL, size, payload);
    struct identity identity, anybody;
    struct error err;
    enum error_code code = identity_read(folder, "prod", "alpha", &identity, &err);

    FUZZ_CHECK(code == ERR_CORRUPT || (sealed && message && message->id != 0),
               "only what is sealed is an identity");
    if (code == ERR_OK)
        FUZZ_CHECK(identity.id == message->id && strcmp(message->cluster, "prod") == 0 &&
                       strcmp(message->name, "alpha") == 0,
                   "ours, and no other's");
    else
        FUZZ_CHECK((code == ERR_CORRUPT || code == ERR_REFUSED) && identity.id == 0, "else there is none");
    FUZZ_CHECK((identity_read(folder, NULL, NULL, &anybody, &err) == ERR_OK) == (code != ERR_CORRUPT),
               "anybody's is read whoever it names");
    if (code != ERR_CORRUPT)
        FUZZ_CHECK(strncmp(anybody.cluster, message->cluster, sizeof anybody.cluster - 1) == 0 &&
                       strncmp(anybody.name, message->name, sizeof anybody.name - 1) == 0 &&
                       memchr(anybody.cluster, 0, sizeof anybody.cluster) &&
                       memchr(anybody.name, 0, sizeof anybody.name),
                   "as it says, cut where it is too long");
    if (message)
        mha__identity__free_unpacked(message, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char snapshot_magic[] = {'m', 'h', 'a', '4', 's', 'n', 'p', 1};
    static const char identity_magic[] = {'m', 'h', 'a', '4', 'i', 'd', 0, 1};
    struct memory_disk *disk = memory_new();
    struct folder folder = {.files = memory_files(disk), .path = "d"};
    struct fuzz_input input = {data, size};
    uint8_t how = fuzz_u8(&input);
    bool snapshot = how & 1, sealed = (how & 6) != 6;
    uint8_t *bytes = malloc(HEADER_BYTES + input.left);
    size_t length = seal(bytes, snapshot ? snapshot_magic : identity_magic, input.at, input.left);

    if (!sealed) /* one bit, anywhere, is enough */
        bytes[how * 37u % length] ^= (uint8_t)(1 << how / 8 % 8);
    write_file(folder.files, snapshot ? SNAPSHOT_FILE : IDENTITY_FILE, bytes, length - (how >> 7 && sealed));
    sealed = sealed && !(how >> 7);
    if (snapshot)
        check_snapshot(&folder, input.at, input.left, sealed);
    else
        check_identity(&folder, input.at, input.left, sealed);
    free(bytes);
    memory_free(disk);
    return 0;
}
