/* The disk in memory that the store's tests and the simulator run on: what it keeps, loses and tears. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "memory_files.h"

#define BYTES 4096

static int make(struct memory_disk *disk, const char *name)
{
    const struct files *files = memory_files(disk);
    return files->open(files->context, name, O_RDWR | O_CREAT, 0600);
}

static void put(struct memory_disk *disk, int handle, char value, size_t size, uint64_t offset)
{
    const struct files *files = memory_files(disk);
    char bytes[BYTES];
    memset(bytes, value, sizeof bytes);
    while (size > 0) { /* by sectors */
        ssize_t count = files->write_at(files->context, handle, bytes, size < 512 ? size : 512, offset);
        CU_ASSERT_TRUE_FATAL(count > 0);
        size -= (size_t)count;
        offset += (uint64_t)count;
    }
}

static int sync_file(struct memory_disk *disk, int handle)
{
    const struct files *files = memory_files(disk);
    return files->sync_data(files->context, handle);
}

static int sync_names(struct memory_disk *disk)
{
    const struct files *files = memory_files(disk);
    return files->sync_dir(files->context, "/");
}

/* How many bytes of the file have this value; -1: there is no such file. */
static int count_bytes(struct memory_disk *disk, const char *name, char value)
{
    const struct files *files = memory_files(disk);
    int handle = files->open(files->context, name, O_RDONLY, 0), found = 0;
    char byte;
    if (handle < 0)
        return -1;
    for (uint64_t at = 0; files->read_at(files->context, handle, &byte, 1, at) == 1; at++)
        found += byte == value;
    files->close(files->context, handle);
    return found;
}

static struct memory_disk *written_twice(void)
{
    struct memory_disk *disk = memory_new();
    int handle = make(disk, "file");
    put(disk, handle, 'a', BYTES, 0);
    CU_ASSERT_EQUAL(sync_file(disk, handle), 0);
    CU_ASSERT_EQUAL(sync_names(disk), 0);
    put(disk, handle, 'b', BYTES, 0);
    return disk;
}

static void test_what_a_power_failure_keeps(void)
{
    struct memory_disk *disk = written_twice();
    struct memory_crash none = {.survival = MEMORY_NONE}, all = {.survival = MEMORY_ALL};
    struct memory_disk *after = memory_crash(disk, &none);
    CU_ASSERT_EQUAL(count_bytes(disk, "file", 'b'), BYTES); /* readers see it before */
    CU_ASSERT_EQUAL(count_bytes(after, "file", 'a'), BYTES);
    memory_free(after);
    after = memory_crash(disk, &all);
    CU_ASSERT_EQUAL(count_bytes(after, "file", 'b'), BYTES);
    memory_free(after);
    memory_free(disk);
}

static void test_sectors_are_lost_and_torn(void)
{
    unsigned lost = 0, torn = 0, whole = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct memory_disk *disk = written_twice();
        struct memory_crash how = {.survival = MEMORY_RANDOM, .seed = seed};
        struct memory_losses losses = memory_cut_power(disk, &how);
        int kept = count_bytes(disk, "file", 'b');
        CU_ASSERT_EQUAL(kept + count_bytes(disk, "file", 'a'), BYTES);
        CU_ASSERT_TRUE(losses.torn > 0 || kept % 512 == 0);
        CU_ASSERT_EQUAL(memory_pending(disk), 0);
        lost += losses.sectors;
        torn += losses.torn;
        whole += kept == BYTES;
        memory_free(disk);
    }
    CU_ASSERT_TRUE(lost > 50);
    CU_ASSERT_TRUE(torn > 20);
    CU_ASSERT_TRUE(whole < 10);
}

static void test_names_need_a_sync(void)
{
    struct memory_disk *disk = written_twice();
    const struct files *files = memory_files(disk);
    struct memory_crash none = {.survival = MEMORY_NONE};
    int handle = make(disk, "second");
    put(disk, handle, 'c', 10, 0);
    CU_ASSERT_EQUAL(sync_file(disk, handle), 0);
    CU_ASSERT_EQUAL(files->rename(files->context, "file", "third"), 0);
    struct memory_disk *after = memory_crash(disk, &none);
    CU_ASSERT_EQUAL(count_bytes(after, "second", 'c'), -1);
    CU_ASSERT_EQUAL(count_bytes(after, "third", 'a'), -1);
    CU_ASSERT_EQUAL(count_bytes(after, "file", 'a'), BYTES);
    memory_free(after);
    CU_ASSERT_EQUAL(sync_names(disk), 0);
    CU_ASSERT_EQUAL(memory_cut_power(disk, &none).names, 0);
    CU_ASSERT_EQUAL(count_bytes(disk, "second", 'c'), 10);
    CU_ASSERT_EQUAL(count_bytes(disk, "third", 'a'), BYTES);
    memory_free(disk);
}

/* As Linux: the pages are clean after a failed sync, so a second one has nothing to write. */
static void test_failed_sync_forgets(void)
{
    struct memory_disk *disk = written_twice();
    struct memory_crash all = {.survival = MEMORY_ALL};
    int handle = make(disk, "file");
    memory_fail_next(disk, MEMORY_FAIL_SYNC, -EIO);
    CU_ASSERT_EQUAL(sync_file(disk, handle), -EIO);
    CU_ASSERT_EQUAL(sync_file(disk, handle), 0);
    CU_ASSERT_EQUAL(count_bytes(disk, "file", 'b'), BYTES);
    memory_cut_power(disk, &all);
    CU_ASSERT_EQUAL(count_bytes(disk, "file", 'a'), BYTES);
    memory_free(disk);
}

static void test_one_write_fails(void)
{
    struct memory_disk *disk = memory_new();
    const struct files *files = memory_files(disk);
    int handle = make(disk, "file");
    memory_fail_next(disk, MEMORY_FAIL_WRITE, -EIO);
    CU_ASSERT_EQUAL(sync_file(disk, handle), 0); /* another kind */
    CU_ASSERT_EQUAL(files->write_at(files->context, handle, "x", 1, 0), -EIO);
    CU_ASSERT_EQUAL(files->write_at(files->context, handle, "x", 1, 0), 1);
    memory_free(disk);
}

/* One bit, of what was durable before the last sync: damage to the last one is no evidence (store.h). */
static void test_rot(void)
{
    unsigned flipped = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct memory_disk *disk = memory_new(), *before;
        int handle = make(disk, "file");
        CU_ASSERT_FALSE(memory_rot(disk, seed));
        put(disk, handle, 'a', 600, 0);
        CU_ASSERT_EQUAL(sync_file(disk, handle), 0);
        CU_ASSERT_EQUAL(sync_names(disk), 0);
        put(disk, handle, 'b', 600, 600);
        CU_ASSERT_EQUAL(sync_file(disk, handle), 0);
        before = memory_copy(disk);
        flipped += memory_rot(disk, seed);
        CU_ASSERT_FALSE(memory_equal(disk, before));
        CU_ASSERT_EQUAL(count_bytes(disk, "file", 'a'), 599);
        CU_ASSERT_EQUAL(count_bytes(disk, "file", 'b'), 600);
        memory_free(before);
        memory_free(disk);
    }
    CU_ASSERT_EQUAL(flipped, 50);
}

/* Files come and go for ever. */
static void test_removed_files_are_freed(void)
{
    struct memory_disk *disk = memory_new();
    const struct files *files = memory_files(disk);
    for (unsigned i = 0; i < 20000; i++) {
        int handle = make(disk, "file");
        put(disk, handle, 'a', 10, 0);
        files->close(files->context, handle);
        CU_ASSERT_EQUAL(files->remove(files->context, "file"), 0);
        if (i < 10000) /* then nobody syncs the directory */
            CU_ASSERT_EQUAL(sync_names(disk), 0);
    }
    CU_ASSERT_EQUAL(memory_used(disk), 0);
    memory_free(disk);
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    CU_initialize_registry();
    suite = CU_add_suite("disk in memory", NULL, NULL);
    CU_add_test(suite, "what a power failure keeps", test_what_a_power_failure_keeps);
    CU_add_test(suite, "sectors are lost and torn", test_sectors_are_lost_and_torn);
    CU_add_test(suite, "names need a sync of their own", test_names_need_a_sync);
    CU_add_test(suite, "a failed sync forgets", test_failed_sync_forgets);
    CU_add_test(suite, "one write fails", test_one_write_fails);
    CU_add_test(suite, "one bit flips", test_rot);
    CU_add_test(suite, "removed files are freed", test_removed_files_are_freed);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
