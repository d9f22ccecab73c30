#include "common/store/wal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/store/codec.h"
#include "common/store/record.h"

#define RECORD_ENTRIES_MAX 128
/* A record takes further entries up to this; one entry more may exceed it, still within RECORD_PAYLOAD_MAX.
 */
#define RECORD_PAYLOAD_TARGET (128 * 1024)
/* Around an entry's data in its packed form, at most; and of a record's hard state. */
#define ENTRY_OVERHEAD_BYTES 48
#define HARD_STATE_BYTES_MAX 64
/* The part of a segment kept for hard states and no-ops. */
#define RESERVE_OF(segment_bytes) ((segment_bytes) / 4)

_Static_assert(RECORD_PAYLOAD_TARGET + RAFT_ENTRY_BYTES_MAX + ENTRY_OVERHEAD_BYTES + HARD_STATE_BYTES_MAX <=
                   RECORD_PAYLOAD_MAX,
               "a record never outgrows its limit");

void wal_segment_name(uint64_t number, char out[WAL_NAME_BYTES])
{
    snprintf(out, WAL_NAME_BYTES, "wal-%010" PRIu64, number);
}

bool wal_parse_name(const char *name, uint64_t *number)
{
    char again[WAL_NAME_BYTES];

    if (strncmp(name, "wal-", 4) != 0 || strspn(name + 4, "0123456789") != strlen(name + 4))
        return false;
    *number = strtoull(name + 4, NULL, 10);
    wal_segment_name(*number, again);
    return strcmp(name, again) == 0; /* one name for each number */
}

void wal_init(struct wal *wal, const struct folder *folder, uint64_t segment_bytes)
{
    memset(wal, 0, sizeof *wal);
    wal->folder = folder;
    wal->segment_bytes = segment_bytes;
    wal->handle = -1;
}

void wal_close(struct wal *wal)
{
    const struct files *files = wal->folder->files;

    if (wal->handle >= 0) {
        if (!wal->failed && wal->sequence > wal->synced)
            files->sync_data(files->context, wal->handle);
        files->close(files->context, wal->handle);
    }
    free(wal->batch);
    wal->handle = -1;
    wal->batch = NULL;
}

static enum error_code final(struct wal *wal, enum error_code code)
{
    if (code && code != ERR_BUSY && code != ERR_NO_MEMORY)
        wal->failed = true;
    return code;
}

static enum error_code check(const struct wal *wal, struct error *err)
{
    return wal->failed ? error_set(err, ERR_IO, "%s: the log failed before; the process must start again",
                                   wal->folder->path)
                       : ERR_OK;
}

/* ---- batches: records are laid out in memory, numbered and sealed once it is known where they go ---- */

static enum error_code batch_add(struct wal *wal, const struct raft_hard_state *hard_state,
                                 const struct raft_entry *entries, unsigned entry_count, struct error *err)
{
    Mha__WalRecord message = MHA__WAL_RECORD__INIT;
    Mha__HardState hard_state_message;
    Mha__Entry messages[RECORD_ENTRIES_MAX], *pointers[RECORD_ENTRIES_MAX];
    size_t payload, need;
    uint8_t *at;

    if (hard_state) {
        codec_hard_state_to_proto(hard_state, &hard_state_message);
        message.hard_state = &hard_state_message;
    }
    for (unsigned i = 0; i < entry_count; i++) {
        codec_entry_to_proto(&entries[i], &messages[i]);
        pointers[i] = &messages[i];
    }
    message.n_entries = entry_count;
    message.entries = pointers;
    payload = mha__wal_record__get_packed_size(&message);
    assert(payload <= RECORD_PAYLOAD_MAX);
    need = wal->batch_bytes + RECORD_BYTES(payload);
    if (need > wal->batch_room) {
        uint8_t *larger = realloc(wal->batch, need * 2);
        if (!larger)
            return error_set(err, ERR_NO_MEMORY, "no memory for a batch of %zu bytes", need);
        wal->batch = larger;
        wal->batch_room = need * 2;
    }
    at = wal->batch + wal->batch_bytes;
    memset(at, 0, RECORD_BYTES(payload));
    memcpy(at, &(uint32_t){(uint32_t)payload}, sizeof(uint32_t)); /* for batch_seal, in our own byte order */
    mha__wal_record__pack(&message, at + RECORD_FRAME_BYTES);
    wal->batch_bytes = need;
    return ERR_OK;
}

/* The hard state comes first: an entry is never on disk without the term that it belongs to. */
static enum error_code batch_make(struct wal *wal, const struct raft_hard_state *hard_state,
                                  const struct raft_entry *entries, unsigned entry_count, struct error *err)
{
    enum error_code code = ERR_OK;

    wal->batch_bytes = 0;
    while (!code && (hard_state || entry_count > 0)) {
        unsigned count = 0;
        size_t bytes = 0;
        while (count < entry_count && count < RECORD_ENTRIES_MAX && bytes < RECORD_PAYLOAD_TARGET) {
            assert(entries[count].size <= RAFT_ENTRY_BYTES_MAX);
            bytes += entries[count].size + ENTRY_OVERHEAD_BYTES;
            count++;
        }
        code = batch_add(wal, hard_state, entries, count, err);
        hard_state = NULL;
        if (count > 0) /* without entries there may be no array either */
            entries += count;
        entry_count -= count;
    }
    return code;
}

/* The number of the last record. */
static uint64_t batch_seal(struct wal *wal, uint64_t last_sequence, uint64_t synced, uint32_t salt)
{
    for (size_t offset = 0; offset < wal->batch_bytes;) {
        uint32_t payload;
        memcpy(&payload, wal->batch + offset, sizeof payload);
        record_seal(wal->batch + offset, payload, ++last_sequence, synced, salt);
        offset += RECORD_BYTES(payload);
    }
    return last_sequence;
}

/* ---- segments ---- */

/* Makes a segment with the first `bytes` of wal->batch in it and its name not yet given. `header` gets its
 * salt. On failure nothing is left; ERR_BUSY: the disk is full. */
static enum error_code segment_write(struct wal *wal, struct segment_header *header, uint64_t size,
                                     size_t bytes, int *out, struct error *err)
{
    const struct files *files = wal->folder->files;
    char name[WAL_NAME_BYTES], new_name[WAL_NAME_BYTES + sizeof FILEIO_NEW_SUFFIX], path[FILEIO_PATH_BYTES];
    uint8_t encoded[SEGMENT_HEADER_BYTES];
    int handle, result;

    if (getrandom(&header->salt, sizeof header->salt, 0) != sizeof header->salt)
        return error_set(err, ERR_IO, "no random numbers: %s", strerror(errno));
    if (bytes > 0)
        header->copied =
            batch_seal(wal, header->first_sequence - 1, header->first_sequence - 1, header->salt);
    header->size = size;
    segment_header_encode(header, encoded);
    wal_segment_name(header->number, name);
    snprintf(new_name, sizeof new_name, "%s" FILEIO_NEW_SUFFIX, name);
    folder_join(wal->folder, new_name, path);
    handle = files->open(files->context, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (handle < 0)
        return fileio_error(err, "cannot be made", path, handle);
    result = files->allocate(files->context, handle, size);
    if (result == 0)
        result = fileio_write(files, handle, encoded, sizeof encoded, 0);
    if (result == 0)
        result = fileio_write(files, handle, wal->batch, bytes, SEGMENT_HEADER_BYTES);
    if (result == 0)
        result = files->sync_data(files->context, handle);
    if (result != 0) {
        enum error_code code = fileio_error(err, "cannot be written", path, result);
        files->close(files->context, handle);
        fileio_remove(wal->folder, new_name, NULL); /* if not now, then at the next start */
        return code;
    }
    *out = handle;
    return ERR_OK;
}

/* Gives the segment its name and writes to it from now on. */
static enum error_code segment_enter(struct wal *wal, const struct segment_header *header, int handle,
                                     uint64_t size, uint64_t used, struct error *err)
{
    const struct files *files = wal->folder->files;
    char name[WAL_NAME_BYTES];
    enum error_code code;

    if (wal->handle >= 0)
        files->close(files->context, wal->handle);
    wal->handle = handle;
    wal->number = header->number;
    wal->salt = header->salt;
    wal->size = size;
    wal->used = used;
    wal_segment_name(header->number, name);
    code = fileio_commit(wal->folder, name, err);
    if (code)
        wal->failed = true;
    return code;
}

static uint64_t segment_size_for(const struct wal *wal, size_t bytes)
{
    uint64_t need = SEGMENT_HEADER_BYTES + bytes + RESERVE_OF(wal->segment_bytes);

    return need > wal->segment_bytes ? need : wal->segment_bytes;
}

enum error_code wal_start(struct wal *wal, uint64_t number, uint64_t first_sequence,
                          const struct raft_hard_state *hard_state, const struct raft_entry *entries,
                          unsigned entry_count, struct error *err)
{
    struct segment_header header = {.number = number,
                                    .id = wal->id,
                                    .first_sequence = first_sequence,
                                    .snapshot_next = wal->snapshot_next};
    enum error_code code;
    uint64_t size;
    int handle;

    code = batch_make(wal, hard_state, entries, entry_count, err);
    if (code)
        return code;
    size = segment_size_for(wal, wal->batch_bytes);
    code = final(wal, segment_write(wal, &header, size, wal->batch_bytes, &handle, err));
    if (code)
        return code;
    code = segment_enter(wal, &header, handle, size, SEGMENT_HEADER_BYTES + wal->batch_bytes, err);
    wal->sequence = wal->synced = header.copied;
    wal->unsynced = false;
    wal->total_bytes = size;
    return code;
}

/* The segment that was written until now is synced before the next one gets its name, which claims just that.
 */
static enum error_code roll(struct wal *wal, size_t bytes, struct error *err)
{
    const struct files *files = wal->folder->files;
    struct segment_header header = {.number = wal->number + 1,
                                    .id = wal->id,
                                    .first_sequence = wal->sequence + 1,
                                    .snapshot_next = wal->snapshot_next};
    uint64_t size = segment_size_for(wal, bytes);
    enum error_code code;
    int handle, result;

    code = final(wal, segment_write(wal, &header, size, 0, &handle, err));
    if (code)
        return code;
    result = files->sync_data(files->context, wal->handle);
    if (result != 0) {
        files->close(files->context, handle);
        wal->failed = true;
        return error_set(err, ERR_IO, "%s: the log cannot be synced: %s", wal->folder->path,
                         strerror(-result));
    }
    wal->synced = wal->sequence;
    wal->unsynced = false;
    wal->total_bytes += size;
    return segment_enter(wal, &header, handle, size, SEGMENT_HEADER_BYTES, err);
}

/* Room for `bytes` in the current segment, rolling if that is needed. */
static enum error_code make_room(struct wal *wal, size_t bytes, bool may_use_reserve, struct error *err)
{
    uint64_t end = wal->used + bytes;
    enum error_code code;

    if (end <= wal->size - RESERVE_OF(wal->segment_bytes))
        return ERR_OK;
    code = roll(wal, bytes, err);
    return code == ERR_BUSY && may_use_reserve && end <= wal->size ? ERR_OK : code;
}

static enum error_code write_batch(struct wal *wal, struct error *err)
{
    uint64_t last = batch_seal(wal, wal->sequence, wal->synced, wal->salt);
    int result = fileio_write(wal->folder->files, wal->handle, wal->batch, wal->batch_bytes, wal->used);

    if (result != 0) {
        wal->failed = true;
        return error_set(err, ERR_IO, "%s: the log cannot be written: %s", wal->folder->path,
                         strerror(-result));
    }
    wal->sequence = last;
    wal->used += wal->batch_bytes;
    return ERR_OK;
}

enum error_code wal_append(struct wal *wal, const struct raft_hard_state *hard_state,
                           const struct raft_entry *entries, unsigned entry_count, struct error *err)
{
    enum error_code code = check(wal, err);
    bool may_use_reserve = true;

    if (!code)
        code = batch_make(wal, hard_state, entries, entry_count, err);
    if (code || wal->batch_bytes == 0)
        return code;
    for (unsigned i = 0; i < entry_count; i++)
        if (entries[i].kind != RAFT_ENTRY_NOOP || entries[i].size > 0)
            may_use_reserve = false;
    code = make_room(wal, wal->batch_bytes, may_use_reserve, err);
    if (!code)
        code = write_batch(wal, err);
    if (!code)
        wal->unsynced = true;
    return code;
}

enum error_code wal_reserve(struct wal *wal, unsigned entry_count, size_t bytes, struct error *err)
{
    /* each entry alone in a record, and one for the hard state, is the worst case */
    size_t most = RECORD_BYTES(HARD_STATE_BYTES_MAX) + bytes +
                  (size_t)entry_count * (RECORD_BYTES(0) + ENTRY_OVERHEAD_BYTES + 8);
    enum error_code code = check(wal, err);

    return code ? code : make_room(wal, most, false, err);
}

/* An empty record tells a later recovery that this sync was done. */
static enum error_code write_mark(struct wal *wal, struct error *err)
{
    if (wal->used + RECORD_BYTES(0) > wal->size)
        return ERR_OK;
    wal->batch_bytes = RECORD_BYTES(0); /* the buffer has held a record already */
    memset(wal->batch, 0, wal->batch_bytes);
    return write_batch(wal, err);
}

enum error_code wal_sync(struct wal *wal, struct error *err)
{
    const struct files *files = wal->folder->files;
    enum error_code code = check(wal, err);
    int result;

    if (code || !wal->unsynced)
        return code;
    result = files->sync_data(files->context, wal->handle);
    if (result != 0) {
        wal->failed = true;
        return error_set(err, ERR_IO, "%s: the log cannot be synced: %s", wal->folder->path,
                         strerror(-result));
    }
    wal->synced = wal->sequence;
    wal->unsynced = false;
    return write_mark(wal, err);
}

uint64_t wal_used_bytes(const struct wal *wal)
{
    return wal->total_bytes - wal->size + wal->used;
}
