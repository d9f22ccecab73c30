#include "common/store/recover.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/codec.h"
#include "common/store/record.h"
#include "common/store/wal.h"

#define SEGMENT_BYTES_MAX ((size_t)1 << 31)

/* ---- which files there are ---- */

struct names {
    uint64_t *numbers;
    unsigned count;
    unsigned room;
};

static int collect_name(void *context, const char *name)
{
    struct names *names = context;
    uint64_t number;

    if (!wal_parse_name(name, &number))
        return 0;
    if (names->count == names->room) {
        unsigned room = names->room ? names->room * 2 : 16;
        uint64_t *larger = realloc(names->numbers, room * sizeof *larger);
        if (!larger)
            return 1;
        names->numbers = larger;
        names->room = room;
    }
    names->numbers[names->count++] = number;
    return 0;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* All segments, ascending. */
static enum error_code list_segments(const struct folder *folder, struct names *out, struct error *err)
{
    int result = folder->files->list(folder->files->context, folder->path, collect_name, out);

    if (result > 0)
        return error_set(err, ERR_NO_MEMORY, "no memory for the names of the log's segments");
    if (result < 0)
        return fileio_error(err, "cannot be listed", folder->path, result);
    if (out->count > 0)
        qsort(out->numbers, out->count, sizeof out->numbers[0], compare_numbers);
    return ERR_OK;
}

/* ---- what a record means ---- */

static void drop_entries_from(struct recovered_log *log, uint64_t index)
{
    while (log->entry_count > 0 && log->entries[log->entry_count - 1].index >= index)
        free((void *)log->entries[--log->entry_count].data);
}

static enum error_code keep_entry(struct recovered_log *log, const struct raft_entry *entry,
                                  struct error *err)
{
    void *data;

    if (log->entry_count == log->entry_room) {
        unsigned room = log->entry_room ? log->entry_room * 2 : 64;
        struct raft_entry *larger = realloc(log->entries, room * sizeof *larger);
        if (!larger)
            return error_set(err, ERR_NO_MEMORY, "no memory for %u entries", room);
        log->entries = larger;
        log->entry_room = room;
    }
    data = malloc(entry->size ? entry->size : 1);
    if (!data)
        return error_set(err, ERR_NO_MEMORY, "no memory for an entry of %zu bytes", entry->size);
    if (entry->size > 0)
        memcpy(data, entry->data, entry->size);
    log->entries[log->entry_count] = *entry;
    log->entries[log->entry_count++].data = data;
    return ERR_OK;
}

/* `log` holds entries in a row; those that the snapshot covers are sorted out at the end. */
static enum error_code replay_entries(const Mha__WalRecord *message, const struct recover_snapshot *snapshot,
                                      struct recovered_log *log, struct error *err)
{
    for (size_t i = 0; i < message->n_entries; i++) {
        struct raft_entry entry;
        enum error_code code = codec_entry_from_proto(message->entries[i], &entry, err);
        if (code)
            return code;
        if (i > 0 && entry.index != message->entries[i - 1]->index + 1)
            return error_set(err, ERR_INVALID, "a gap after entry %" PRIu64, message->entries[i - 1]->index);
        if (i == 0) {
            uint64_t next = log->entry_count ? log->entries[log->entry_count - 1].index + 1 : entry.index;
            drop_entries_from(log, entry.index);
            if (entry.index > next) /* a snapshot from another member took the log's place */
                drop_entries_from(log, 0);
            if (log->entry_count == 0 && entry.index > 1 &&
                (!snapshot->exists || entry.index > snapshot->last_index + 1))
                return error_set(err, ERR_INVALID,
                                 "entries before %" PRIu64 " are missing, and no snapshot has them",
                                 entry.index);
        }
        code = keep_entry(log, &entry, err);
        if (code)
            return code;
    }
    return ERR_OK;
}

static enum error_code replay(const struct record *record, const struct recover_snapshot *snapshot,
                              struct recovered_log *log, struct error *err)
{
    struct codec_allocator allocator;
    Mha__WalRecord *message;
    enum error_code code;

    if (record->length == 0)
        return ERR_OK;
    codec_allocator_init(&allocator, record->length);
    message = mha__wal_record__unpack(&allocator.protobuf, record->length, record->payload);
    if (!message)
        return error_set(err, ERR_INVALID, "not a record of this program");
    if (message->hard_state)
        codec_hard_state_from_proto(message->hard_state, &log->hard_state);
    code = replay_entries(message, snapshot, log, err);
    mha__wal_record__free_unpacked(message, NULL);
    return code;
}

/* Entries up to the snapshot go; if the log has another entry than the snapshot at its end, all go: they are
 * not of the history that the snapshot belongs to. */
static void apply_snapshot(const struct recover_snapshot *snapshot, struct recovered_log *log)
{
    unsigned covered = 0;

    while (snapshot->exists && covered < log->entry_count &&
           log->entries[covered].index <= snapshot->last_index) {
        if (log->entries[covered].index == snapshot->last_index &&
            log->entries[covered].term != snapshot->last_term) {
            drop_entries_from(log, 0);
            return;
        }
        covered++;
    }
    for (unsigned i = 0; i < covered; i++)
        free((void *)log->entries[i].data);
    log->entry_count -= covered;
    if (covered > 0)
        memmove(log->entries, log->entries + covered, log->entry_count * sizeof log->entries[0]);
    /* a snapshot beyond the log's end leaves nothing, so what is left follows the snapshot */
}

/* ---- segments ---- */

struct scan {
    const struct folder *folder;
    uint64_t id;
    const struct recover_snapshot *snapshot;
    struct recovered_log *log;
    uint64_t durable; /* the largest sequence number that something on disk says was durable */
    bool started;     /* the starting segment has been read */
};

static enum error_code damaged(struct error *err, const struct folder *folder, const char *name,
                               const char *what)
{
    return error_set(
        err, ERR_CORRUPT,
        "%s/%s: %s; this member's log is damaged, and it must not vote: remove the directory and "
        "let the node join as a new member",
        folder->path, name, what);
}

static enum error_code check_header(const struct scan *scan, const struct segment_header *header,
                                    uint64_t number, const char *name, struct error *err)
{
    uint64_t have = scan->snapshot->exists ? scan->snapshot->last_index + 1 : 0;

    if (header->number != number)
        return damaged(err, scan->folder, name, "byte 8: it is another segment under this name");
    if (scan->id != 0 && header->id != scan->id)
        return damaged(err, scan->folder, name, "byte 16: it is another member's");
    if (header->snapshot_next > have)
        return damaged(err, scan->folder, name, "byte 40: the snapshot that it builds on is missing");
    if (scan->started && header->first_sequence != scan->log->last_sequence + 1)
        return damaged(err, scan->folder, name, "byte 24: the segment before it is not whole");
    return ERR_OK;
}

/* Behind the first record that is not whole: anything that says how far the log had been durable? */
static void look_for_evidence(struct scan *scan, const uint8_t *bytes, size_t room, size_t offset,
                              uint32_t salt)
{
    size_t size = room; /* without the zeros at the end */
    struct record record;

    while (size > offset && bytes[size - 1] == 0)
        size--;
    scan->log->torn_tail = size > offset;
    for (; offset < size; offset += 8)
        if (record_decode(bytes + offset, room - offset, salt, &record) &&
            record.sequence > scan->log->last_sequence && record.synced > scan->durable)
            scan->durable = record.synced;
}

static enum error_code scan_segment(struct scan *scan, uint64_t number, const char *name,
                                    const uint8_t *bytes, size_t size, struct error *err)
{
    struct segment_header header;
    struct record record;
    struct error problem;
    size_t offset = SEGMENT_HEADER_BYTES;
    enum error_code code;

    if (size < SEGMENT_HEADER_BYTES || !segment_header_decode(bytes, &header))
        return damaged(err, scan->folder, name, "byte 0: no whole header");
    if (size < header.size) {
        char what[96];
        snprintf(what, sizeof what, "ends at byte %zu, and had %" PRIu64, size, header.size);
        return damaged(err, scan->folder, name, what);
    }
    code = check_header(scan, &header, number, name, err);
    if (code)
        return code;
    if (!scan->started)
        scan->log->last_sequence = header.first_sequence - 1;
    scan->started = true;
    if (header.first_sequence - 1 > scan->durable)
        scan->durable = header.first_sequence - 1;
    if (header.copied > scan->durable)
        scan->durable = header.copied;
    while (record_decode(bytes + offset, size - offset, header.salt, &record) &&
           record.sequence == scan->log->last_sequence + 1) {
        code = replay(&record, scan->snapshot, scan->log, &problem);
        if (code == ERR_INVALID) {
            char what[ERROR_TEXT_BYTES];
            snprintf(what, sizeof what, "byte %zu, record %" PRIu64 ": %.280s", offset, record.sequence,
                     problem.text);
            return damaged(err, scan->folder, name, what);
        }
        if (code)
            return error_set(err, code, "%s", problem.text);
        scan->log->last_sequence = record.sequence;
        if (record.synced > scan->durable)
            scan->durable = record.synced;
        offset += RECORD_BYTES(record.length);
    }
    look_for_evidence(scan, bytes, size, offset, header.salt);
    scan->log->end_offset = offset;
    scan->log->segment_count++;
    scan->log->segment_bytes += size;
    if (scan->durable > scan->log->last_sequence) {
        char what[128];
        snprintf(what, sizeof what, "byte %zu: record %" PRIu64 " is damaged, though it was durable once",
                 offset, scan->log->last_sequence + 1);
        return damaged(err, scan->folder, name, what);
    }
    return ERR_OK;
}

static enum error_code read_header(const struct folder *folder, const char *name, struct segment_header *out,
                                   struct error *err)
{
    const struct files *files = folder->files;
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    char path[FILEIO_PATH_BYTES];
    ssize_t count;
    int handle;

    folder_join(folder, name, path);
    handle = files->open(files->context, path, O_RDONLY, 0);
    if (handle < 0)
        return fileio_error(err, "cannot be opened", path, handle);
    count = files->read_at(files->context, handle, bytes, sizeof bytes, 0);
    files->close(files->context, handle);
    if (count < 0)
        return fileio_error(err, "cannot be read", path, (int)count);
    if (count != sizeof bytes || !segment_header_decode(bytes, out))
        return damaged(err, folder, name, "byte 0: no whole header");
    return ERR_OK;
}

/* The newest segment that starts the log; its place in `names`. */
static enum error_code find_start(const struct folder *folder, const struct names *names, unsigned *out,
                                  struct error *err)
{
    char name[WAL_NAME_BYTES];

    for (unsigned i = names->count; i-- > 0;) {
        struct segment_header header;
        enum error_code code;

        wal_segment_name(names->numbers[i], name);
        code = read_header(folder, name, &header, err);
        if (code)
            return code;
        *out = i;
        if (header.copied != 0)
            return ERR_OK;
        if (i == 0 || names->numbers[i - 1] != names->numbers[i] - 1)
            break;
    }
    return damaged(err, folder, name, "the segment before it is missing");
}

enum error_code recover_log(const struct folder *folder, uint64_t id, const struct recover_snapshot *snapshot,
                            struct recovered_log *out, struct error *err)
{
    struct scan scan = {.folder = folder, .id = id, .snapshot = snapshot, .log = out};
    struct names names = {0};
    enum error_code code;
    unsigned i = 0;

    memset(out, 0, sizeof *out);
    code = list_segments(folder, &names, err);
    if (!code && names.count > 0)
        code = find_start(folder, &names, &i, err);
    for (; !code && i < names.count; i++) {
        char name[WAL_NAME_BYTES];
        uint8_t *bytes;
        size_t size;
        wal_segment_name(names.numbers[i], name);
        code = fileio_read_whole(folder, name, SEGMENT_BYTES_MAX, &bytes, &size, err);
        if (!code && !bytes)
            code = damaged(err, folder, name, "has vanished");
        if (!code)
            code = scan_segment(&scan, names.numbers[i], name, bytes, size, err);
        free(bytes);
        out->last_number = names.numbers[i];
    }
    free(names.numbers);
    if (!code)
        apply_snapshot(snapshot, out);
    return code;
}

void recover_free(struct recovered_log *log)
{
    drop_entries_from(log, 0);
    free(log->entries);
    log->entries = NULL;
    log->entry_room = 0;
}

/* ---- leftovers ---- */

struct leftovers {
    uint64_t number;
    char name[256]; /* one that is to go; "": none */
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static int find_leftover(void *context, const char *name)
{
    struct leftovers *leftovers = context;
    uint64_t number;

    if (strlen(name) >= sizeof leftovers->name)
        return 0; /* not ours */
    if (!ends_with(name, FILEIO_NEW_SUFFIX) && !(wal_parse_name(name, &number) && number < leftovers->number))
        return 0;
    strcpy(leftovers->name, name);
    return 1;
}

enum error_code recover_remove_old(const struct folder *folder, uint64_t number, struct error *err)
{
    const struct files *files = folder->files;
    bool removed = false;

    for (;;) { /* one by one: a directory must not change while it is read */
        struct leftovers leftovers = {.number = number};
        int result = files->list(files->context, folder->path, find_leftover, &leftovers);
        enum error_code code;
        if (result < 0)
            return fileio_error(err, "cannot be listed", folder->path, result);
        if (leftovers.name[0] == '\0')
            return removed ? fileio_sync_dir(folder, err) : ERR_OK;
        code = fileio_remove(folder, leftovers.name, err);
        if (code)
            return code;
        removed = true;
    }
}
