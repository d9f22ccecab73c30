/* The write-ahead log as a start finds it (common/store/recover.h, store.h). fuzz: runs=5000 max_len=4096
 *
 * Steps build the segments: a packed WalRecord becomes a record with its right length, sequence number and
 * CRC, and the control byte makes it a mark instead, begins the next segment, or spoils something (a number,
 * a byte, what follows). So most inputs get past the CRCs, and the rest shows what stops there. What is
 * recovered is well-formed; of a log that is whole it is exactly what the records say; damaged is changed in
 * nothing; and a second start finds the same. */
#include <fcntl.h>
#include <string.h>

#include "common/store/codec.h"
#include "common/store/parts.h"
#include "common/store/record.h"
#include "common/store/verify.h"
#include "common/store/wal.h"
#include "log.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/memory_files.h"

#define SEGMENT_BYTES 8192
#define IDENTITY 77
#define ENTRIES_MAX 512

static const char *const words[] = {"", "data", NULL};

/* What a control byte does beside its record. */
enum spoil {
    SPOIL_NOTHING,
    SPOIL_NOTHING_EITHER,
    MARK,         /* a record without a payload */
    NEXT_SEGMENT, /* before the record */
    SPOIL_BYTE,
    SPOIL_SEQUENCE,
    SPOIL_HEADER, /* of the next segment */
    GARBAGE,      /* the bytes as they are, no record */
};

/* The log as it should be read. */
struct model {
    bool whole; /* nothing was spoilt and every record makes sense */
    struct raft_hard_state hard_state;
    unsigned count;
    struct {
        uint64_t index, term;
        size_t size;
    } entries[ENTRIES_MAX];
};

struct segments {
    struct memory_disk *disk;
    struct model model;
    uint64_t number, sequence;
    size_t used;
    bool spoil_header;
    uint8_t bytes[SEGMENT_BYTES];
};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fuzz_mutate_steps(&mha__wal_record__descriptor, words, data, size, max_size, seed);
}

static void write_file(struct memory_disk *disk, const char *name, const uint8_t *bytes, size_t size)
{
    const struct files *files = memory_files(disk);
    int handle = files->open(files->context, name, O_RDWR | O_CREAT, 0600);
    size_t done = 0;

    while (done < size) {
        ssize_t count = files->write_at(files->context, handle, bytes + done, size - done, done);
        FUZZ_CHECK(count > 0, "the disk in memory takes it");
        done += (size_t)count;
    }
    files->sync_data(files->context, handle);
    files->close(files->context, handle);
    files->sync_dir(files->context, "/");
}

static void begin_segment(struct segments *segments)
{
    struct segment_header header = {.number = ++segments->number,
                                    .id = IDENTITY,
                                    .first_sequence = segments->sequence + 1,
                                    .copied = segments->number == 1 ? segments->sequence + 1 : 0,
                                    .salt = 4711,
                                    .size = SEGMENT_BYTES};

    memset(segments->bytes, 0, sizeof segments->bytes);
    segment_header_encode(&header, segments->bytes);
    if (segments->spoil_header) {
        segments->bytes[segments->used % SEGMENT_HEADER_BYTES] ^= 0x10;
        segments->model.whole = false;
    }
    segments->spoil_header = false;
    segments->used = SEGMENT_HEADER_BYTES;
}

static void end_segment(struct segments *segments)
{
    char name[WAL_NAME_BYTES];

    wal_segment_name(segments->number, name);
    write_file(segments->disk, name, segments->bytes, sizeof segments->bytes);
}

static void replay(struct model *model, const uint8_t *data, size_t size)
{
    Mha__WalRecord *record = mha__wal_record__unpack(NULL, size, data);

    if (!record) {
        model->whole = false;
        return;
    }
    if (record->hard_state)
        codec_hard_state_from_proto(record->hard_state, &model->hard_state);
    for (size_t i = 0; i < record->n_entries && model->whole; i++) {
        struct raft_entry entry;
        if (codec_entry_from_proto(record->entries[i], &entry, NULL) != ERR_OK ||
            (i > 0 && entry.index != record->entries[i - 1]->index + 1) || model->count == ENTRIES_MAX) {
            model->whole = false;
            break;
        }
        while (i == 0 && model->count > 0 && model->entries[model->count - 1].index >= entry.index)
            model->count--;
        if (entry.index != (model->count ? model->entries[model->count - 1].index : 0) + 1) {
            model->whole = false; /* a gap: there is no snapshot here that could fill it */
            break;
        }
        model->entries[model->count].index = entry.index;
        model->entries[model->count].term = entry.term;
        model->entries[model->count++].size = entry.size;
    }
    mha__wal_record__free_unpacked(record, NULL);
}

static void put_record(struct segments *segments, const uint8_t *data, size_t size, enum spoil spoil)
{
    uint8_t *at = segments->bytes + segments->used;
    uint64_t sequence = segments->sequence + 1;

    if (spoil == MARK)
        size = 0;
    if (segments->used + RECORD_BYTES(size) > sizeof segments->bytes)
        return;
    if (size > 0)
        memcpy(at + RECORD_FRAME_BYTES, data, size);
    if (spoil == SPOIL_SEQUENCE)
        sequence += size;
    record_seal(at, (uint32_t)size, sequence, size % 3 ? sequence - 1 : sequence / 2, 4711);
    if (spoil == SPOIL_BYTE)
        at[size % RECORD_BYTES(size)] ^= 1;
    segments->used += RECORD_BYTES(size);
    segments->sequence++;
    if (spoil == SPOIL_BYTE || spoil == SPOIL_SEQUENCE)
        segments->model.whole = false;
    if (segments->model.whole && size > 0)
        replay(&segments->model, data, size);
}

static void build(struct segments *segments, struct fuzz_input *input)
{
    struct fuzz_step step;

    segments->model.whole = true;
    begin_segment(segments);
    put_record(segments, NULL, 0, MARK); /* what the first header says was copied */
    while (fuzz_next_step(input, &step) && segments->number < 16) {
        enum spoil spoil = step.control & 7;
        if (spoil == SPOIL_HEADER)
            segments->spoil_header = true;
        if (spoil == NEXT_SEGMENT) {
            end_segment(segments);
            begin_segment(segments);
        }
        if (spoil == GARBAGE && segments->used + step.size <= sizeof segments->bytes) {
            memcpy(segments->bytes + segments->used, step.data, step.size);
            segments->model.whole = segments->model.whole && step.size == 0;
            segments->used += (step.size + 7) & ~(size_t)7;
            if (segments->used > sizeof segments->bytes)
                segments->used = sizeof segments->bytes;
        } else {
            put_record(segments, step.data, step.size, spoil);
        }
    }
    end_segment(segments);
}

static void check_well_formed(const struct store_recovered *found)
{
    for (unsigned i = 0; i < found->entry_count; i++) {
        const struct raft_entry *entry = &found->entries[i];
        FUZZ_CHECK(entry->index == i + 1, "entries have no gaps and begin at 1 without a snapshot");
        FUZZ_CHECK(entry->term > 0 && entry->size <= RAFT_ENTRY_BYTES_MAX &&
                       entry->kind <= RAFT_ENTRY_MEMBERSHIP,
                   "an entry is within its bounds");
        if (entry->size > 0) {
            static volatile uint8_t sink; /* its data are there to the last byte */
            sink = ((const uint8_t *)entry->data)[entry->size - 1];
            (void)sink;
        }
    }
}

static void check_model(const struct model *model, const struct store_recovered *found)
{
    FUZZ_CHECK(found->entry_count == model->count, "a whole log gives as many entries as its records hold");
    for (unsigned i = 0; i < model->count; i++)
        FUZZ_CHECK(found->entries[i].index == model->entries[i].index &&
                       found->entries[i].term == model->entries[i].term &&
                       found->entries[i].size == model->entries[i].size,
                   "the same entries, nothing superseded");
    FUZZ_CHECK(memcmp(&found->hard_state, &model->hard_state, sizeof model->hard_state) == 0,
               "and the newest hard state (I7)");
}

/* Whatever a damaged history says, raft takes it or refuses it. */
static void check_raft(const struct store_recovered *found)
{
    struct raft_config config = {.id = 1, .heartbeat_us = 100000, .election_us = 1000000};
    struct raft_restored restored = {.hard_state = found->hard_state,
                                     .entries = found->entries,
                                     .entry_count = found->entry_count,
                                     .restarted = true};
    struct raft *raft;

    restored.membership.count = 1;
    restored.membership.members[0] = (struct raft_member){1, RAFT_DATA, true};
    if (raft_new(&config, &restored, 1000000, &raft) == RAFT_OK)
        raft_free(raft);
}

static void check_second_start(struct memory_disk *disk, const struct store_recovered *first)
{
    struct memory_disk *copy = memory_copy(disk);
    struct store *again;
    struct error err;

    FUZZ_CHECK(store_open_sized(memory_files(copy), "d", "prod", "alpha", SEGMENT_BYTES, &again, &err) ==
                   ERR_OK,
               "what was recovered can be recovered again");
    const struct store_recovered *second = store_recovered(again);
    FUZZ_CHECK(second->entry_count == first->entry_count && second->id == first->id &&
                   memcmp(&second->hard_state, &first->hard_state, sizeof first->hard_state) == 0,
               "a second start finds the same");
    for (unsigned i = 0; i < first->entry_count; i++)
        FUZZ_CHECK(second->entries[i].term == first->entries[i].term &&
                       second->entries[i].kind == first->entries[i].kind &&
                       second->entries[i].size == first->entries[i].size &&
                       (first->entries[i].size == 0 ||
                        memcmp(second->entries[i].data, first->entries[i].data, first->entries[i].size) == 0),
                   "entry by entry");
    store_close(again);
    memory_free(copy);
}

static enum error_code verify(struct memory_disk *disk)
{
    struct contents contents;
    struct error err;
    enum error_code code = store_verify(memory_files(disk), "d", &contents, &err);

    contents_free(&contents);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct segments segments;
    struct fuzz_input input = {data, size};
    struct folder folder;
    struct memory_disk *before;
    struct store *store;
    struct error err;
    enum error_code code, verified;

    memset(&segments, 0, sizeof segments);
    segments.disk = memory_new();
    folder = (struct folder){.files = memory_files(segments.disk), .path = "d"};
    FUZZ_CHECK(identity_write(&folder, "prod", "alpha", IDENTITY, &err) == ERR_OK, "an identity is written");
    write_file(segments.disk, LOCK_FILE, NULL, 0);
    build(&segments, &input);
    before = memory_copy(segments.disk);
    verified = verify(segments.disk);
    FUZZ_CHECK(memory_equal(before, segments.disk), "a look changes nothing");
    code = store_open_sized(memory_files(segments.disk), "d", "prod", "alpha", SEGMENT_BYTES, &store, &err);
    FUZZ_CHECK(code == verified, "a look tells what a start finds");
    FUZZ_CHECK(code == ERR_OK || !segments.model.whole, "a whole log opens");
    if (code == ERR_OK) {
        const struct store_recovered *found = store_recovered(store);
        check_well_formed(found);
        if (segments.model.whole)
            check_model(&segments.model, found);
        check_raft(found);
        check_second_start(segments.disk, found);
        store_close(store);
    } else {
        FUZZ_CHECK(code == ERR_CORRUPT, "a log is good or damaged");
        FUZZ_CHECK(memory_equal(before, segments.disk), "and then nothing is changed on disk");
    }
    memory_free(before);
    memory_free(segments.disk);
    return 0;
}
