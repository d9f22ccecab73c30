/* What an operator is told of a stopped member's directory: the same that a start would find, and nothing is
 * changed by looking. */
#include <CUnit/Basic.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/replica/verify.h"
#include "common/replica/wire.h"
#include "common/store/verify.h"
#include "store_model.h"

static char top[] = "/tmp/mha-verify-XXXXXX";

/* ---- on a disk in memory: the judgement ---- */

static void test_tells_what_is_there(void)
{
    static struct model model;
    struct memory_disk *disk = memory_new(), *before;
    const struct model_state *last;
    struct contents contents;
    struct error err;

    model_run(&model, disk, true);
    before = memory_copy(disk);
    last = &model.states[model.tried];
    CU_ASSERT_EQUAL_FATAL(store_verify(memory_files(disk), "/disk", &contents, &err), ERR_OK);
    CU_ASSERT_EQUAL(contents.identity.id, model.id);
    CU_ASSERT_STRING_EQUAL(contents.identity.cluster, "shop");
    CU_ASSERT_STRING_EQUAL(contents.identity.name, "db1");
    CU_ASSERT_EQUAL(contents.snapshot.last_index, last->snapshot_index);
    CU_ASSERT_EQUAL(contents.snapshot.last_term, last->snapshot_term);
    CU_ASSERT_EQUAL(contents.log.hard_state.term, last->hard_state.term);
    CU_ASSERT_EQUAL(contents.log.entry_count, last->entry_count);
    CU_ASSERT_EQUAL(contents.log.entries[0].index, last->first_index);
    CU_ASSERT_FALSE(contents.log.torn_tail);
    CU_ASSERT(contents.log.segment_count > 1);
    contents_free(&contents);
    CU_ASSERT_TRUE(memory_equal(disk, before));
    memory_free(before);
    memory_free(disk);
}

/* Wherever the power fails: it says what a start would say, of a torn tail too, and changes nothing. */
static void test_agrees_with_a_start(void)
{
    unsigned torn = 0, operations;
    static struct model model;
    struct memory_disk *disk = memory_new();

    model_run(&model, disk, true);
    operations = memory_operations(disk);
    memory_free(disk);
    for (unsigned at = 0; at < operations; at++) {
        struct memory_disk *after, *before;
        struct contents contents;
        struct store *store;
        struct error err;
        enum error_code code;

        disk = memory_new();
        memory_stop_at(disk, at);
        model_run(&model, disk, false);
        after = memory_crash(disk, &(struct memory_crash){.survival = MEMORY_RANDOM, .seed = at});
        before = memory_copy(after);
        code = store_verify(memory_files(after), "/disk", &contents, &err);
        CU_ASSERT_TRUE(memory_equal(after, before));
        CU_ASSERT(code == ERR_OK || code == ERR_INVALID); /* not a member's yet */
        CU_ASSERT_EQUAL_FATAL(model_open(after, &store, &err), ERR_OK);
        if (code == ERR_OK) {
            const struct store_recovered *found = store_recovered(store);
            torn += contents.log.torn_tail;
            CU_ASSERT_EQUAL(contents.log.torn_tail, found->torn_tail_cut);
            CU_ASSERT_EQUAL(contents.identity.id, found->id);
            CU_ASSERT_EQUAL(contents.log.entry_count, found->entry_count);
            CU_ASSERT_EQUAL(contents.snapshot.last_index, found->snapshot.last_index);
            CU_ASSERT_EQUAL(memcmp(&contents.log.hard_state, &found->hard_state, sizeof found->hard_state),
                            0);
        }
        contents_free(&contents);
        store_close(store);
        memory_free(before);
        memory_free(after);
        memory_free(disk);
    }
    CU_ASSERT(torn > 0);
}

struct flip {
    size_t target, passed;
    char name[32];
};

static void flip_byte(void *context, const char *name, uint8_t *bytes, size_t size)
{
    struct flip *flip = context;

    if (flip->name[0] == '\0' && flip->target < flip->passed + size) {
        bytes[flip->target - flip->passed] ^= 1;
        snprintf(flip->name, sizeof flip->name, "%s", name);
    }
    flip->passed += size;
}

/* Damage is told with file, byte and remedy, and never where a start would find none. */
static void test_damage(void)
{
    static struct model model;
    struct memory_disk *disk = memory_new();
    unsigned found = 0;

    model_run(&model, disk, true);
    for (size_t target = 0;; target += 7) {
        struct flip flip = {.target = target};
        struct memory_disk *damaged = memory_copy(disk), *before;
        struct contents contents;
        struct store *store = NULL;
        struct error err, open_err;
        enum error_code code;

        memory_each(damaged, flip_byte, &flip);
        before = memory_copy(damaged);
        code = store_verify(memory_files(damaged), "/disk", &contents, &err);
        contents_free(&contents);
        CU_ASSERT_TRUE(memory_equal(damaged, before));
        CU_ASSERT_EQUAL(code, model_open(damaged, &store, &open_err));
        store_close(store);
        memory_free(before);
        memory_free(damaged);
        if (code) {
            found++;
            CU_ASSERT_EQUAL(code, ERR_CORRUPT);
            CU_ASSERT_STRING_EQUAL(err.text, open_err.text);
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "damaged"));
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "byte "));
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "remove the directory"));
        }
        if (flip.name[0] == '\0')
            break;
    }
    CU_ASSERT(found > 100);
    memory_free(disk);
}

/* ---- on real files: what is printed ---- */

static char text[4096];

/* `on_errors`: what stood on the stream of complaints, else what was printed. */
static enum replica_verify_result verify(const char *dir, bool on_errors)
{
    char *printed[2] = {NULL, NULL};
    size_t sizes[2];
    FILE *out = open_memstream(&printed[0], &sizes[0]), *errors = open_memstream(&printed[1], &sizes[1]);
    enum replica_verify_result result = replica_verify_store(dir, out, errors);

    fclose(out);
    fclose(errors);
    snprintf(text, sizeof text, "%s", printed[on_errors]);
    if (printed[!on_errors][0])
        printf("\n    %s", printed[!on_errors]);
    CU_ASSERT_EQUAL(printed[!on_errors][0], '\0');
    free(printed[0]);
    free(printed[1]);
    return result;
}

static bool says(const char *what)
{
    if (strstr(text, what))
        return true;
    printf("\n    not said: %s; but:\n%s", what, text);
    return false;
}

static void make_path(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", top, name);
}

static struct store *open_member(const char *dir, uint64_t *id)
{
    struct store *store;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(store_open(files_posix(), dir, "shop", "db1", &store, &err), ERR_OK);
    *id = store_recovered(store)->id;
    store_release_recovered(store);
    return store;
}

static void save(struct store *store, struct wire_snapshot *snapshot)
{
    struct wire_bytes bytes;
    struct store_snapshot stored = {.last_index = snapshot->last_index, .last_term = snapshot->last_term};
    struct error err;

    CU_ASSERT_EQUAL_FATAL(wire_pack_snapshot(snapshot, &bytes, &err), ERR_OK);
    stored.data = bytes.data;
    stored.size = bytes.size;
    CU_ASSERT_EQUAL(store_save_snapshot(store, &stored, &err), ERR_OK);
    free(bytes.data);
}

static void members(struct replica_membership *out, uint64_t id)
{
    struct replica_membership_member self = {
        .id = id, .name = "db1", .address = "192.0.2.1:7400", .voter = true};
    struct replica_membership_member other = {
        .id = 77, .name = "arb", .address = "192.0.2.3:7400", .arbiter = true, .voter = true};

    memset(out, 0, sizeof *out);
    CU_ASSERT_EQUAL(replica_membership_add(out, &self, NULL), ERR_OK);
    CU_ASSERT_EQUAL(replica_membership_add(out, &other, NULL), ERR_OK);
}

static void append_entry(struct store *store, uint64_t index, uint64_t term, enum raft_entry_kind kind,
                         const struct wire_bytes *bytes)
{
    struct raft_hard_state hard_state = {.term = 6, .vote = 77, .promised_us = 1000000};
    struct raft_entry entry = {.index = index, .term = term, .kind = kind};
    struct error err;

    if (bytes) {
        entry.data = bytes->data;
        entry.size = bytes->size;
    }
    CU_ASSERT_EQUAL(store_append(store, &hard_state, &entry, 1, &err), ERR_OK);
    CU_ASSERT_EQUAL(store_sync(store, &err), ERR_OK);
}

static void test_print(void)
{
    char dir[128], line[160];
    struct wire_snapshot snapshot = {.last_index = 40, .last_term = 5};
    struct replica_membership later;
    struct wire_bytes bytes;
    struct store *store;
    uint64_t id;
    struct error err;

    make_path("print", dir);
    store = open_member(dir, &id);
    store_close(store);
    CU_ASSERT_EQUAL(verify(dir, false), REPLICA_VERIFY_SOUND);
    CU_ASSERT(says("none: it is in no group yet"));

    store = open_member(dir, &id);
    members(&snapshot.membership, id);
    CU_ASSERT_EQUAL(store_append(store, &(struct raft_hard_state){.term = 5}, NULL, 0, &err), ERR_OK);
    save(store, &snapshot);
    append_entry(store, 41, 6, RAFT_ENTRY_COMMAND, NULL);
    store_close(store);
    CU_ASSERT_EQUAL(verify(dir, false), REPLICA_VERIFY_SOUND);
    snprintf(line, sizeof line, "db1 of cluster shop, identity %016llx", (unsigned long long)id);
    CU_ASSERT(says(line));
    CU_ASSERT(says("6, voted for arb (000000000000004d)"));
    CU_ASSERT(says("within 1000 ms"));
    CU_ASSERT(says("up to entry 40 of term 5"));
    CU_ASSERT(says("entries 41 to 41, 1 segment"));
    CU_ASSERT(says("end of log  whole"));
    CU_ASSERT(says("of the snapshot:"));
    CU_ASSERT(says("at 192.0.2.1:7400, data node, this one"));
    CU_ASSERT(says("at 192.0.2.3:7400, arbiter\n"));
    CU_ASSERT(says("\nsound\n"));

    store = open_member(dir, &id);
    later = snapshot.membership;
    later.members[0].voter = false;
    CU_ASSERT_EQUAL(wire_pack_membership(&later, &bytes, &err), ERR_OK);
    append_entry(store, 42, 6, RAFT_ENTRY_MEMBERSHIP, &bytes);
    free(bytes.data);
    store_close(store);
    CU_ASSERT_EQUAL(verify(dir, false), REPLICA_VERIFY_SOUND);
    CU_ASSERT(says("of entry 42:"));
    CU_ASSERT(says("does not vote yet"));

    store = open_member(dir, &id);
    append_entry(store, 43, 6, RAFT_ENTRY_MEMBERSHIP, &(struct wire_bytes){(uint8_t *)"?", 1});
    store_close(store);
    CU_ASSERT_EQUAL(verify(dir, true), REPLICA_VERIFY_DAMAGED);
    CU_ASSERT(says("entry 43"));
}

/* Every file is whole, and yet they do not fit together. */
static void test_contradiction(void)
{
    struct wire_snapshot snapshot = {0};
    char dir[128];
    struct store *store;
    uint64_t id;

    make_path("contradiction", dir);
    store = open_member(dir, &id);
    members(&snapshot.membership, id);
    save(store, &snapshot);
    append_entry(store, 1, 9, RAFT_ENTRY_COMMAND, NULL); /* a term that the hard state never reached */
    store_close(store);
    CU_ASSERT_EQUAL(verify(dir, true), REPLICA_VERIFY_DAMAGED);
    CU_ASSERT(says("contradict"));
    CU_ASSERT(says("remove the directory"));
}

static void test_not_checked(void)
{
    char dir[128], lock[160];
    struct store *store;
    uint64_t id;

    make_path("nothing", dir);
    CU_ASSERT_EQUAL(verify(dir, true), REPLICA_VERIFY_NOT_CHECKED);
    CU_ASSERT_EQUAL(mkdir(dir, 0700), 0);
    CU_ASSERT_EQUAL(verify(dir, true), REPLICA_VERIFY_NOT_CHECKED);
    CU_ASSERT(says("data_dir/CLUSTER"));
    snprintf(lock, sizeof lock, "%s/lock", dir);
    CU_ASSERT_EQUAL(access(lock, F_OK), -1); /* it made none */

    make_path("running", dir);
    store = open_member(dir, &id);
    CU_ASSERT_EQUAL(verify(dir, true), REPLICA_VERIFY_NOT_CHECKED);
    CU_ASSERT(says("a process uses this directory; stop it"));
    store_close(store);
    CU_ASSERT_EQUAL(verify(dir, false), REPLICA_VERIFY_SOUND);
    store_close(open_member(dir, &id)); /* and it lets go of it */
}

static int make_top(void)
{
    return mkdtemp(top) ? 0 : 1;
}

static int remove_top(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf %s", top);
    return system(command);
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    CU_initialize_registry();
    suite = CU_add_suite("store, looked at", make_top, remove_top);
    CU_add_test(suite, "tells what is there", test_tells_what_is_there);
    CU_add_test(suite, "agrees with a start, wherever the power fails", test_agrees_with_a_start);
    CU_add_test(suite, "damage: file, byte, remedy", test_damage);
    CU_add_test(suite, "what is printed", test_print);
    CU_add_test(suite, "files that contradict each other", test_contradiction);
    CU_add_test(suite, "running, missing, not a member's", test_not_checked);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
