/* The store on real files: what an operator's disk and two processes do to it. */
#include <CUnit/Basic.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/store/codec.h"
#include "common/store/parts.h"
#include "common/store/wal.h"

static char top[] = "/tmp/mha4rdb-test-store-XXXXXX";
static char dir[128];

/* Each test has a directory of its own, not yet made. */
static void begin(const char *name)
{
    snprintf(dir, sizeof dir, "%s/%s", top, name);
}

static struct store *open_store(void)
{
    struct store *store;
    struct error err = {0};

    if (store_open(files_posix(), dir, "shop", "db1", &store, &err) != ERR_OK) {
        printf("\n    %s\n", err.text);
        CU_FAIL_FATAL("the store does not open");
    }
    return store;
}

static enum error_code open_code(const char *cluster, const char *name, struct error *err)
{
    struct store *store;
    enum error_code code;

    err->text[0] = '\0';
    code = store_open(files_posix(), dir, cluster, name, &store, err);
    if (code == ERR_OK)
        store_close(store);
    return code;
}

static void append(struct store *store, uint64_t index, uint64_t term, const char *data)
{
    struct raft_entry entry = {
        .index = index, .term = term, .kind = RAFT_ENTRY_COMMAND, .data = data, .size = strlen(data)};
    struct raft_hard_state hard_state = {.term = term, .vote = 7, .promised_us = 1000000};
    struct error err = {0};

    CU_ASSERT_EQUAL(store_append(store, &hard_state, &entry, 1, &err), ERR_OK);
}

static void save_snapshot(struct store *store, uint64_t index, uint64_t term, enum error_code want)
{
    Mha__Snapshot message = MHA__SNAPSHOT__INIT;
    struct store_snapshot snapshot = {.last_index = index, .last_term = term};
    uint8_t bytes[256];
    struct error err = {0};

    message.last_index = index;
    message.last_term = term;
    message.state.data = (uint8_t *)"state";
    message.state.len = 5;
    snapshot.size = mha__snapshot__pack(&message, bytes);
    snapshot.data = bytes;
    CU_ASSERT_EQUAL(store_save_snapshot(store, &snapshot, &err), want);
}

static void assert_entry(const struct store *store, unsigned i, uint64_t index, uint64_t term,
                         const char *data)
{
    const struct store_recovered *found = store_recovered(store);

    CU_ASSERT_FATAL(i < found->entry_count);
    CU_ASSERT_EQUAL(found->entries[i].index, index);
    CU_ASSERT_EQUAL(found->entries[i].term, term);
    CU_ASSERT_EQUAL(found->entries[i].size, strlen(data));
    CU_ASSERT_EQUAL(memcmp(found->entries[i].data, data, strlen(data)), 0);
}

static void test_first_start(void)
{
    struct store *store;
    struct stat status;
    uint64_t id;

    begin("first");
    store = open_store();
    id = store_recovered(store)->id;
    CU_ASSERT_NOT_EQUAL(id, 0);
    CU_ASSERT_FALSE(store_recovered(store)->had_state);
    CU_ASSERT_FALSE(store_recovered(store)->has_snapshot);
    CU_ASSERT_EQUAL(store_recovered(store)->entry_count, 0);
    CU_ASSERT_EQUAL(stat(dir, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode & 0777, 0700);
    store_close(store);
    store = open_store(); /* still nothing promised */
    CU_ASSERT_EQUAL(store_recovered(store)->id, id);
    CU_ASSERT_FALSE(store_recovered(store)->had_state);
    store_close(store);
}

static void test_append_and_reopen(void)
{
    struct store *store;

    begin("reopen");
    store = open_store();
    store_release_recovered(store);
    append(store, 1, 1, "one");
    append(store, 2, 1, "two");
    append(store, 3, 1, "three");
    append(store, 2, 2, "two again"); /* supersedes 2 and 3 */
    CU_ASSERT_EQUAL(store_sync(store, NULL), ERR_OK);
    CU_ASSERT_EQUAL(store_sync(store, NULL), ERR_OK);
    store_close(store);
    for (int i = 0; i < 3; i++) {
        store = open_store();
        CU_ASSERT_TRUE(store_recovered(store)->had_state);
        CU_ASSERT_EQUAL(store_recovered(store)->hard_state.term, 2);
        CU_ASSERT_EQUAL(store_recovered(store)->hard_state.vote, 7);
        CU_ASSERT_EQUAL(store_recovered(store)->hard_state.promised_us, 1000000);
        CU_ASSERT_EQUAL(store_recovered(store)->entry_count, 2);
        CU_ASSERT_FALSE(store_recovered(store)->torn_tail_cut);
        assert_entry(store, 0, 1, 1, "one");
        assert_entry(store, 1, 2, 2, "two again");
        store_close(store);
    }
}

static void test_snapshot(void)
{
    struct store *store;

    begin("snapshot");
    store = open_store();
    save_snapshot(store, 0, 0, ERR_OK); /* a founding membership */
    append(store, 1, 1, "one");
    append(store, 2, 1, "two");
    append(store, 3, 1, "three");
    save_snapshot(store, 2, 1, ERR_OK);
    save_snapshot(store, 1, 1, ERR_INVALID);
    append(store, 4, 1, "four");
    CU_ASSERT_EQUAL(store_sync(store, NULL), ERR_OK);
    store_close(store);
    store = open_store();
    CU_ASSERT_TRUE(store_recovered(store)->has_snapshot);
    CU_ASSERT_EQUAL(store_recovered(store)->snapshot.last_index, 2);
    CU_ASSERT_EQUAL(store_recovered(store)->entry_count, 2);
    assert_entry(store, 0, 3, 1, "three");
    assert_entry(store, 1, 4, 1, "four");
    store_close(store);
}

/* A snapshot of another history than the log's: nothing of the log survives, and what follows it does. */
static void test_snapshot_of_another_history(void)
{
    struct store *store;

    begin("history");
    store = open_store();
    save_snapshot(store, 0, 0, ERR_OK);
    append(store, 1, 1, "one");
    append(store, 2, 1, "lost two");
    append(store, 3, 1, "lost three");
    save_snapshot(store, 2, 4, ERR_OK);
    append(store, 3, 5, "three");
    CU_ASSERT_EQUAL(store_sync(store, NULL), ERR_OK);
    store_close(store);
    store = open_store();
    CU_ASSERT_EQUAL(store_recovered(store)->entry_count, 1);
    assert_entry(store, 0, 3, 5, "three");
    save_snapshot(store, 100, 5, ERR_OK); /* far beyond the log */
    append(store, 101, 5, "far");
    CU_ASSERT_EQUAL(store_sync(store, NULL), ERR_OK);
    store_close(store);
    store = open_store();
    CU_ASSERT_EQUAL(store_recovered(store)->entry_count, 1);
    assert_entry(store, 0, 101, 5, "far");
    store_close(store);
}

static void test_large(void)
{
    static struct raft_entry entries[100];
    static uint8_t data[RAFT_ENTRY_BYTES_MAX];
    struct raft_hard_state hard_state = {.term = 9};
    struct store *store;
    struct error err = {0};

    begin("large"); /* batches larger than a record, than a segment */
    memset(data, 'd', sizeof data);
    store = open_store();
    for (unsigned i = 0; i < 100; i++)
        entries[i] = (struct raft_entry){
            .index = i + 1, .term = 9, .kind = RAFT_ENTRY_COMMAND, .data = data, .size = sizeof data - i};
    CU_ASSERT_EQUAL(store_reserve(store, 100, 100 * sizeof data, &err), ERR_OK);
    CU_ASSERT_EQUAL(store_append(store, &hard_state, entries, 100, &err), ERR_OK);
    CU_ASSERT_EQUAL(store_sync(store, &err), ERR_OK);
    store_close(store);
    store = open_store();
    CU_ASSERT_EQUAL_FATAL(store_recovered(store)->entry_count, 100);
    for (unsigned i = 0; i < 100; i++) {
        const struct raft_entry *entry = &store_recovered(store)->entries[i];
        CU_ASSERT_EQUAL(entry->index, i + 1);
        CU_ASSERT_EQUAL_FATAL(entry->size, sizeof data - i);
        CU_ASSERT_EQUAL(memcmp(entry->data, data, entry->size), 0);
    }
    store_close(store);
}

static void test_many_segments(void)
{
    struct store *store;
    struct error err;
    char data[200];
    uint64_t index = 0;

    begin("segments");
    CU_ASSERT_EQUAL_FATAL(store_open_sized(files_posix(), dir, "shop", "db1", 4096, &store, &err), ERR_OK);
    for (index = 1; index <= 500; index++) {
        snprintf(data, sizeof data, "entry %llu %150d", (unsigned long long)index, 0);
        append(store, index, 1, data);
        if (index % 3 == 0)
            CU_ASSERT_EQUAL(store_sync(store, &err), ERR_OK);
    }
    CU_ASSERT_EQUAL(store_sync(store, &err), ERR_OK);
    store_close(store);
    store = open_store();
    CU_ASSERT_EQUAL_FATAL(store_recovered(store)->entry_count, 500);
    for (index = 1; index <= 500; index++) {
        snprintf(data, sizeof data, "entry %llu %150d", (unsigned long long)index, 0);
        assert_entry(store, (unsigned)index - 1, index, 1, data);
    }
    store_close(store);
}

static void test_refused(void)
{
    struct error err;
    struct store *store;

    begin("refused");
    store = open_store();
    append(store, 1, 1, "one");
    store_close(store);
    CU_ASSERT_EQUAL(open_code("other", "db1", &err), ERR_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "belongs to node \"db1\" of cluster \"shop\""));
    CU_ASSERT_EQUAL(open_code("shop", "db2", &err), ERR_REFUSED);
    CU_ASSERT_EQUAL(open_code("shop", "db1", &err), ERR_OK);
    begin("no/such/parent");
    CU_ASSERT_EQUAL(open_code("shop", "db1", &err), ERR_IO);
}

static void test_two_processes(void)
{
    struct store *store;
    struct error err;
    int status = 0;
    pid_t child;

    begin("two");
    store = open_store();
    CU_ASSERT_EQUAL(open_code("shop", "db1", &err), ERR_BUSY); /* in this process too */
    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(open_code("shop", "db1", &err) == ERR_BUSY ? 0 : 1);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    store_close(store);
    CU_ASSERT_EQUAL(open_code("shop", "db1", &err), ERR_OK);
}

/* A process killed in the midst leaves what it had written; the lock goes with it. */
static void test_killed(void)
{
    struct store *store;
    int status = 0;
    pid_t child;

    begin("killed");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        store = open_store();
        append(store, 1, 1, "one");
        store_sync(store, NULL);
        append(store, 2, 1, "two"); /* not synced */
        _exit(0);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    store = open_store();
    CU_ASSERT_EQUAL(store_recovered(store)->entry_count, 2);
    assert_entry(store, 1, 2, 1, "two");
    store_close(store);
}

static void remove_file(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    CU_ASSERT_EQUAL(unlink(path), 0);
}

static void test_missing_files(void)
{
    struct store *store;
    struct error err;

    begin("no-identity");
    store = open_store();
    append(store, 1, 1, "one");
    store_close(store);
    remove_file("identity");
    CU_ASSERT_EQUAL(open_code("shop", "db1", &err), ERR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no identity"));

    begin("no-log");
    store_close(open_store());
    remove_file("wal-0000000001");
    CU_ASSERT_EQUAL(open_code("shop", "db1", &err), ERR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no log"));

    begin("no-snapshot");
    store = open_store();
    save_snapshot(store, 0, 0, ERR_OK);
    store_close(store);
    store_close(open_store());
    remove_file("snapshot");
    CU_ASSERT_EQUAL(open_code("shop", "db1", &err), ERR_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "snapshot"));
}

/* A log of five segments, with a file removed or cut short. */
static void test_mutilated_log(void)
{
    char data[200], path[256];
    struct error err;

    for (unsigned how = 0; how < 7; how++) {
        struct store *store;
        snprintf(data, sizeof data, "mutilated-%u", how);
        begin(data);
        CU_ASSERT_EQUAL_FATAL(store_open_sized(files_posix(), dir, "shop", "db1", 4096, &store, &err),
                              ERR_OK);
        for (uint64_t index = 1; index <= 60; index++) {
            snprintf(data, sizeof data, "entry %150d", (int)index);
            append(store, index, 1, data);
            CU_ASSERT_EQUAL(store_sync(store, &err), ERR_OK);
        }
        store_close(store);
        snprintf(path, sizeof path, "%s/wal-%010u", dir, how % 5 + 1);
        CU_ASSERT_EQUAL_FATAL(access(path, F_OK), 0);
        if (how < 3)
            CU_ASSERT_EQUAL(unlink(path), 0);
        if (how >= 3 && how < 5)
            CU_ASSERT_EQUAL(truncate(path, 2048), 0);
        if (how == 5)
            CU_ASSERT_EQUAL(truncate(path, 0), 0);
        CU_ASSERT_EQUAL(open_code("shop", "db1", &err), how == 6 ? ERR_OK : ERR_CORRUPT);
    }
}

static int make_top(void)
{
    return mkdtemp(top) ? 0 : 1;
}

static int remove_top(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command);
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    CU_initialize_registry();
    suite = CU_add_suite("store on real files", make_top, remove_top);
    CU_add_test(suite, "a first start makes an identity and promises nothing", test_first_start);
    CU_add_test(suite, "what was appended is there after a reopen", test_append_and_reopen);
    CU_add_test(suite, "a snapshot takes the place of what it covers", test_snapshot);
    CU_add_test(suite, "a snapshot of another history takes the log's place",
                test_snapshot_of_another_history);
    CU_add_test(suite, "a batch larger than a segment", test_large);
    CU_add_test(suite, "many segments", test_many_segments);
    CU_add_test(suite, "another cluster's or node's directory is refused", test_refused);
    CU_add_test(suite, "one process per directory", test_two_processes);
    CU_add_test(suite, "a killed process", test_killed);
    CU_add_test(suite, "files that somebody removed", test_missing_files);
    CU_add_test(suite, "a log that lacks a part", test_mutilated_log);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
