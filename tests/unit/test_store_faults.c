/* The store on a disk that fails, fills up, or lies: errors are final, votes find room, damage is never taken
 * for truth. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_model.h"

/* ---- errors ---- */

/* One operation of the run fails. The process stops; the next one finds all that was acknowledged, though the
 * kernel may have thrown away what the failed sync should have written, and what that process then tells is
 * durable in truth. */
static void fail_at(unsigned operation, int error, bool *over)
{
    static struct model model;
    struct memory_disk *disk = memory_new(), *after;
    struct error err = {0};
    enum error_code code;
    unsigned k = 0;

    memory_fail_at(disk, operation, error);
    model_run(&model, disk, true);
    *over = memory_operations(disk) <= operation;
    CU_ASSERT_NOT_EQUAL(model.stopped_by, ERR_INTERNAL);
    memory_fail_at(disk, (unsigned)-1, 0);
    code = model_check(&model, disk, &k, &err);
    if (code)
        printf("\n    operation %u fails with %d: code %d %s\n", operation, error, code, err.text);
    CU_ASSERT_EQUAL(code, ERR_OK);
    model.acknowledged = model.tried = k;
    after = memory_crash(disk, &(struct memory_crash){.survival = MEMORY_NONE});
    code = model_check(&model, after, &k, &err);
    if (code)
        printf("\n    power failure after operation %u failed with %d: code %d %s\n", operation, error, code,
               err.text);
    CU_ASSERT_EQUAL(code, ERR_OK);
    memory_free(after);
    memory_free(disk);
}

static void test_every_error(void)
{
    static const int errors[] = {-EIO, -ENOSPC};
    unsigned operation = 0;

    for (unsigned i = 0; i < 2; i++) {
        bool over = false;
        for (operation = 0; !over; operation++)
            fail_at(operation, errors[i], &over);
        CU_ASSERT(operation > 200);
    }
}

static struct store *open_fresh(struct model *model, struct memory_disk *disk)
{
    struct store *store;

    memset(model, 0, sizeof *model);
    model->states[0].first_index = 1;
    CU_ASSERT_EQUAL_FATAL(model_open(disk, &store, &model->error), ERR_OK);
    model->id = store_recovered(store)->id;
    store_release_recovered(store);
    return store;
}

/* After a failed sync or write no call works any more, though the disk does. */
static void test_errors_are_final(void)
{
    for (unsigned after = 0; after < 2; after++) {
        static struct model model;
        struct memory_disk *disk = memory_new();
        struct store *store = open_fresh(&model, disk);
        enum error_code first;

        CU_ASSERT_EQUAL(model_append(&model, store, 1, 1, 1, 1), ERR_OK);
        memory_fail_at(disk, memory_operations(disk), -EIO);
        first = after == 0 ? model_sync(&model, store) : model_append(&model, store, 1, 1, 2, 1);
        CU_ASSERT_EQUAL(first, ERR_IO);
        CU_ASSERT_EQUAL(model_sync(&model, store), ERR_IO);
        CU_ASSERT_EQUAL(model_sync(&model, store), ERR_IO);
        CU_ASSERT_EQUAL(model_append(&model, store, 1, 1, 2, 1), ERR_IO);
        CU_ASSERT_EQUAL(store_reserve(store, 1, 1, &model.error), ERR_IO);
        CU_ASSERT_EQUAL(model_snapshot(&model, store, 0, 0), ERR_IO);
        CU_ASSERT_EQUAL(model.acknowledged, 0);
        store_close(store);
        memory_free(disk);
    }
}

static void test_read_errors(void)
{
    static struct model model;
    struct memory_disk *disk = memory_new(), *before;
    struct store *store;
    struct error err;
    unsigned k;

    model_run(&model, disk, true);
    before = memory_copy(disk);
    memory_fail_reads(disk, -EIO);
    CU_ASSERT_EQUAL(model_open(disk, &store, &err), ERR_IO); /* not: an empty log */
    CU_ASSERT_TRUE(memory_equal(disk, before));
    memory_fail_reads(disk, 0);
    CU_ASSERT_EQUAL(model_check(&model, disk, &k, &err), ERR_OK);
    memory_free(before);
    memory_free(disk);
}

/* ---- a full disk ---- */

static void test_full_disk(void)
{
    static struct model model;
    struct memory_disk *disk = memory_new();
    struct store *store = open_fresh(&model, disk);
    struct raft_entry noop = {.term = 1000, .kind = RAFT_ENTRY_NOOP};
    struct raft_hard_state hard_state = {.term = 1000};
    unsigned entries = 0, votes = 0, k;
    struct error err;

    memory_set_capacity(disk, memory_used(disk));
    while (model_append(&model, store, 1, 1, entries + 1, 1) == ERR_OK)
        entries++;
    CU_ASSERT_EQUAL(model.stopped_by, ERR_BUSY);
    CU_ASSERT(entries > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(model.error.text, "make room"));
    CU_ASSERT_EQUAL(store_reserve(store, 1, 100, &err), ERR_BUSY);
    CU_ASSERT_EQUAL(model_append(&model, store, 2, 1, entries + 1, 8),
                    ERR_BUSY); /* not even its hard state was written */
    while (votes < 3) {
        CU_ASSERT_EQUAL(model_append(&model, store, 3 + votes, 4, 0, 0), ERR_OK); /* votes go on */
        CU_ASSERT_EQUAL(model_sync(&model, store), ERR_OK);
        votes++;
    }
    CU_ASSERT_EQUAL(model.acknowledged, model.tried);
    CU_ASSERT_EQUAL(model_snapshot(&model, store, 0, 0), ERR_BUSY); /* nor is that final */
    memory_set_capacity(disk, UINT64_MAX);                          /* somebody made room */
    CU_ASSERT_EQUAL(store_reserve(store, 1, 100, &err), ERR_OK);
    CU_ASSERT_EQUAL(model_append(&model, store, 10, 1, entries + 1, 2), ERR_OK);
    CU_ASSERT_EQUAL(model_sync(&model, store), ERR_OK);
    CU_ASSERT_EQUAL(model_check(&model, disk, &k, &err), ERR_OK);
    memory_set_capacity(disk, memory_used(disk));
    while (model_append(&model, store, 11, 1, entries + 3, 8) == ERR_OK)
        entries += 8;
    noop.index = entries + 3;
    CU_ASSERT_EQUAL(store_append(store, &hard_state, &noop, 1, &err),
                    ERR_OK); /* a new leader's first entry */
    store_close(store);
    memory_free(disk);
}

/* A promise of store_reserve is kept, whatever the sizes; a full disk shows there and not in the append. */
static void test_reserve(void)
{
    static uint8_t data[3000];
    struct memory_disk *disk = memory_new();
    struct raft_hard_state hard_state = {UINT64_MAX / 2, UINT64_MAX, UINT64_MAX};
    struct raft_entry entries[20];
    struct store *store;
    struct error err;
    uint64_t index = 1;
    unsigned kept = 0;

    CU_ASSERT_EQUAL_FATAL(model_open(disk, &store, &err), ERR_OK);
    memory_set_capacity(disk, 300000);
    for (unsigned round = 0; round < 400; round++) {
        unsigned count = 1 + round % 20;
        size_t size = round * 7 % sizeof data;
        if (store_reserve(store, count, count * size, &err) != ERR_OK)
            continue;
        for (unsigned i = 0; i < count; i++)
            entries[i] = (struct raft_entry){.index = index + i,
                                             .term = UINT64_MAX / 2,
                                             .kind = RAFT_ENTRY_MEMBERSHIP,
                                             .data = data,
                                             .size = size};
        CU_ASSERT_EQUAL(store_append(store, &hard_state, entries, count, &err), ERR_OK);
        index += count;
        kept++;
    }
    CU_ASSERT(kept > 20 && kept < 400);
    store_close(store);
    memory_free(disk);
}

/* A snapshot of another history on a disk too full to start the log anew: its entries must not come back with
 * the next ones. */
static void test_full_disk_at_snapshot(void)
{
    static struct model model;
    struct memory_disk *disk = memory_new();
    struct store *store = open_fresh(&model, disk);
    struct error err;
    unsigned k;

    CU_ASSERT_EQUAL(model_append(&model, store, 1, 1, 1, 5), ERR_OK);
    memory_set_capacity(disk, memory_used(disk) + 300); /* enough for the snapshot, not for a segment */
    CU_ASSERT_EQUAL(model_snapshot(&model, store, 3, 2), ERR_OK);
    CU_ASSERT_EQUAL(model_append(&model, store, 3, 1, 4, 1), ERR_BUSY);
    CU_ASSERT_EQUAL(model_append(&model, store, 3, 1, 0, 0), ERR_OK);
    memory_set_capacity(disk, UINT64_MAX);
    CU_ASSERT_EQUAL(model_append(&model, store, 3, 1, 4, 1), ERR_OK);
    CU_ASSERT_EQUAL(model_sync(&model, store), ERR_OK);
    CU_ASSERT_EQUAL(model_check(&model, disk, &k, &err), ERR_OK);
    store_close(store);
    memory_free(disk);
}

/* ---- damage ---- */

struct flip {
    unsigned target; /* the byte, counted over all files */
    unsigned passed;
    uint8_t mask;
    bool done;
    bool used; /* it was in a part of the file that holds something */
    char name[64];
    size_t offset;
};

static void flip_byte(void *context, const char *name, uint8_t *bytes, size_t size)
{
    struct flip *flip = context;

    if (!flip->done && flip->target < flip->passed + size) {
        flip->offset = flip->target - flip->passed;
        bytes[flip->offset] ^= flip->mask;
        snprintf(flip->name, sizeof flip->name, "%s", name);
        flip->done = true;
        flip->used = false;
        for (size_t i = flip->offset + 1; i < size && !flip->used; i++)
            flip->used = bytes[i] != 0;
    }
    flip->passed += (unsigned)size;
}

enum ending { ENDING_CLOSE, ENDING_POWER_FAILURE, ENDING_REOPEN };

/* Every byte of every file, a bit of it changed: refused, or without any effect. */
static void damage_everywhere(enum ending ending)
{
    static struct model model;
    struct memory_disk *disk = memory_new();
    unsigned refused = 0, harmless = 0, cut = 0, used = 0;

    model_run(&model, disk, ending != ENDING_POWER_FAILURE);
    if (ending == ENDING_REOPEN) { /* nothing but the copy that an open makes */
        struct error err;
        unsigned k;
        CU_ASSERT_EQUAL(model_check(&model, disk, &k, &err), ERR_OK);
    }
    if (ending == ENDING_POWER_FAILURE) { /* the power fails too, and takes the mark of the last sync */
        struct memory_disk *after = memory_crash(disk, &(struct memory_crash){.survival = MEMORY_NONE});
        memory_free(disk);
        disk = after;
        model.acknowledged--;
    }
    for (unsigned target = 0;; target++) {
        struct flip flip = {.target = target, .mask = (uint8_t)(1u << target % 8)};
        struct memory_disk *damaged = memory_copy(disk), *before;
        struct error err = {0};
        enum error_code code;
        unsigned k;

        memory_each(damaged, flip_byte, &flip);
        if (!flip.done) {
            memory_free(damaged);
            break;
        }
        before = memory_copy(damaged);
        used += flip.used;
        code = model_check(&model, damaged, &k, &err);
        if (code == ERR_CORRUPT) {
            refused++;
            CU_ASSERT_TRUE(memory_equal(damaged, before)); /* evidence stays as it was found */
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "damaged"));
        } else if (code == ERR_OK) {
            harmless += k == model.tried;
            cut += k != model.tried;
        }
        if (code != ERR_CORRUPT && code != ERR_OK)
            printf("\n    %s byte %zu: code %d %s\n", flip.name, flip.offset, code, err.text);
        CU_ASSERT(code == ERR_CORRUPT || code == ERR_OK);
        memory_free(before);
        memory_free(damaged);
    }
    printf("%u bytes: %u refused, %u without effect, %u cut off the last sync; ", refused + harmless + cut,
           refused, harmless, cut);
    CU_ASSERT_EQUAL(cut > 0, ending == ENDING_POWER_FAILURE);
    CU_ASSERT(refused > used * 8 / 10); /* the rest: padding, the last mark */
    memory_free(disk);
}

static void test_damage(void)
{
    damage_everywhere(ENDING_CLOSE);
}

static void test_damage_to_copy(void)
{
    damage_everywhere(ENDING_REOPEN);
}

/* The one case that store.h leaves undecided: the last sync's records are damaged, and its mark is not on
 * disk. They may go, nothing else. */
static void test_damage_after_power_failure(void)
{
    damage_everywhere(ENDING_POWER_FAILURE);
}

/* A process that starts again and is sent a snapshot of another history, and entries behind it: the log of
 * before must not meet them, as it would if it went on in the old one. */
static void test_other_history_after_restart(void)
{
    static struct model model;
    struct memory_disk *disk = memory_new();
    struct store *store = open_fresh(&model, disk);
    struct error err;
    unsigned k;

    CU_ASSERT_EQUAL(model_append(&model, store, 1, 1, 1, 8), ERR_OK);
    CU_ASSERT_EQUAL(model_sync(&model, store), ERR_OK);
    store_close(store);
    CU_ASSERT_EQUAL_FATAL(model_open(disk, &store, &err), ERR_OK);
    store_release_recovered(store);
    CU_ASSERT_EQUAL(model_append(&model, store, 2, 0, 0, 0), ERR_OK);
    CU_ASSERT_EQUAL(model_snapshot(&model, store, 5, 2), ERR_OK);
    CU_ASSERT_EQUAL(model_append(&model, store, 2, 0, 6, 1), ERR_OK);
    CU_ASSERT_EQUAL(model_sync(&model, store), ERR_OK);
    store_close(store);
    CU_ASSERT_EQUAL(model_check(&model, disk, &k, &err), ERR_OK);
    memory_free(disk);
}

/* A record inside an entry's data, right where a torn record leaves it, is not taken for one of the log's. */
static void keep_first_sectors(void *context, const char *name, uint8_t *bytes, size_t size)
{
    size_t *kept = context;

    if (strncmp(name, "wal-", 4) == 0 && size > *kept)
        bytes[*kept] ^= 1;
}

struct wal_bytes {
    uint8_t bytes[65536];
    size_t size;
};

static void copy_wal(void *context, const char *name, uint8_t *bytes, size_t size)
{
    struct wal_bytes *copy = context;

    if (strncmp(name, "wal-", 4) == 0 && size <= sizeof copy->bytes) {
        memcpy(copy->bytes, bytes, size);
        copy->size = size;
    }
}

static void test_record_in_data(void)
{
    static struct model model;
    static struct wal_bytes other;
    struct memory_disk *disk = memory_new();
    struct store *store = open_fresh(&model, disk);
    struct raft_hard_state hard_state = {.term = 1};
    struct raft_entry entry = {.index = 1, .term = 1, .kind = RAFT_ENTRY_COMMAND};
    struct error err;
    size_t at = 140;

    /* another member's log, with higher sequence numbers and everything synced, aligned as in a segment */
    for (unsigned i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(model_append(&model, store, 1, 1, 1 + i, 1), ERR_OK);
        CU_ASSERT_EQUAL(model_sync(&model, store), ERR_OK);
    }
    store_close(store);
    memory_each(disk, copy_wal, &other);
    memory_free(disk);
    for (unsigned shift = 0; shift < 8; shift++) {
        uint8_t data[4096] = {0};
        CU_ASSERT_FATAL(other.size + shift < sizeof data);
        memcpy(data + shift, other.bytes, other.size);
        entry.data = data;
        entry.size = other.size + shift;
        disk = memory_new();
        CU_ASSERT_EQUAL_FATAL(model_open(disk, &store, &err), ERR_OK);
        CU_ASSERT_EQUAL(store_append(store, &hard_state, &entry, 1, &err), ERR_OK);
        /* killed, and the record's beginning torn */
        memory_stop_at(disk, 0);
        store_close(store);
        memory_stop_at(disk, (unsigned)-1);
        memory_each(disk, keep_first_sectors, &at);
        CU_ASSERT_EQUAL(model_open(disk, &store, &err), ERR_OK);
        CU_ASSERT_TRUE(store_recovered(store)->torn_tail_cut);
        CU_ASSERT_EQUAL(store_recovered(store)->entry_count, 0);
        store_close(store);
        memory_free(disk);
    }
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    CU_initialize_registry();
    suite = CU_add_suite("store on a bad disk", NULL, NULL);
    CU_add_test(suite, "each operation fails once", test_every_error);
    CU_add_test(suite, "errors are final", test_errors_are_final);
    CU_add_test(suite, "an unreadable log is no empty log", test_read_errors);
    CU_add_test(suite, "a full disk stops entries, not votes", test_full_disk);
    CU_add_test(suite, "what was reserved is there", test_reserve);
    CU_add_test(suite, "a full disk when a snapshot replaces the log", test_full_disk_at_snapshot);
    CU_add_test(suite, "a snapshot of another history right after a restart",
                test_other_history_after_restart);
    CU_add_test(suite, "damage in any byte", test_damage);
    CU_add_test(suite, "damage in any byte of what an open has copied", test_damage_to_copy);
    CU_add_test(suite, "damage in any byte after a power failure", test_damage_after_power_failure);
    CU_add_test(suite, "a record inside an entry", test_record_in_data);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
