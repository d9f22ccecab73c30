/* The store under power failures (I7): after each single operation on the disk, with every kind of subset of
 * what was not yet synced, and again during the recovery from that. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_model.h"

#define RANDOM_CRASHES 8 /* at each operation */
#define NESTED_EVERY 7   /* one of so many recoveries is itself crashed at each of its operations */

static unsigned images, nested_images;

static void report(const char *where, unsigned operation, const struct memory_crash *how,
                   enum error_code code, const struct error *err)
{
    printf("\n    %s: power fails before operation %u, survival %d count %u seed %llu: code %d %s\n", where,
           operation, how->survival, how->count, (unsigned long long)how->seed, code,
           code == ERR_INTERNAL ? "" : err->text);
}

/* The recovery of `image` fails at each of its operations, and is tried again. */
static void crash_recovery(const struct model *model, const struct memory_disk *image, unsigned seed)
{
    for (unsigned operation = 0;; operation++) {
        const struct memory_crash hows[] = {{.survival = MEMORY_NONE},
                                            {.survival = MEMORY_ALL},
                                            {.survival = MEMORY_RANDOM, .seed = seed * 1000 + operation},
                                            {.survival = MEMORY_SUFFIX, .count = 1}};
        struct memory_disk *disk = memory_copy(image);
        struct model later = *model;
        struct store *store;
        struct error err = {0};
        unsigned k;

        memory_stop_at(disk, operation);
        if (model_check(model, disk, &k, &err) == ERR_OK) {
            later.acknowledged = later.tried = k; /* what was told once stays */
        }
        for (unsigned i = 0; i < sizeof hows / sizeof hows[0]; i++) {
            struct memory_disk *after = memory_crash(disk, &hows[i]);
            enum error_code code = model_check(&later, after, &k, &err);
            nested_images++;
            if (code)
                report("in recovery", operation, &hows[i], code, &err);
            CU_ASSERT_EQUAL(code, ERR_OK);
            memory_free(after);
        }
        memory_free(disk);
        disk = memory_copy(image);
        memory_stop_at(disk, operation);
        if (model_open(disk, &store, &err) == ERR_OK) {
            store_close(store);
            memory_free(disk);
            return; /* it gets through */
        }
        memory_free(disk);
    }
}

/* Recovery gives a state that fits, and goes on from there. */
static void check_image(const struct model *model, struct memory_disk *image, unsigned operation,
                        const struct memory_crash *how)
{
    struct memory_disk *again;
    struct model later;
    struct store *store;
    struct error err = {0};
    enum error_code code;
    unsigned k = 0;

    images++;
    if (images % NESTED_EVERY == 0)
        crash_recovery(model, image, images);
    code = model_check(model, image, &k, &err);
    if (code)
        report("crash", operation, how, code, &err);
    CU_ASSERT_EQUAL(code, ERR_OK);
    if (code || !model->id)
        return;
    /* one more life, and a power failure that takes all that is not synced */
    later = *model;
    later.acknowledged = later.tried = k;
    CU_ASSERT_EQUAL_FATAL(model_open(image, &store, &err), ERR_OK);
    store_release_recovered(store);
    model_append(&later, store, 100, 9, later.states[k].first_index + later.states[k].entry_count, 1);
    model_sync(&later, store);
    again = memory_crash(image, &(struct memory_crash){.survival = MEMORY_NONE});
    CU_ASSERT_EQUAL(model_check(&later, again, &k, &err), ERR_OK);
    memory_free(again);
    store_close(store);
}

static void crash_at(unsigned operation, bool *over)
{
    static struct model model;
    struct memory_disk *disk = memory_new();
    struct memory_crash how = {0};
    unsigned pending;

    memory_stop_at(disk, operation);
    model_run(&model, disk, true);
    *over = model.stopped_by == ERR_OK;
    CU_ASSERT_NOT_EQUAL(model.stopped_by, ERR_INTERNAL);
    pending = memory_pending(disk);
    for (unsigned i = 0; i < 2 + 2 * pending + RANDOM_CRASHES; i++) {
        struct memory_disk *image;
        if (i == 0)
            how = (struct memory_crash){.survival = MEMORY_NONE};
        else if (i == 1)
            how = (struct memory_crash){.survival = MEMORY_ALL};
        else if (i < 2 + pending)
            how = (struct memory_crash){.survival = MEMORY_PREFIX, .count = i - 2};
        else if (i < 2 + 2 * pending)
            how = (struct memory_crash){.survival = MEMORY_SUFFIX, .count = i - 2 - pending + 1};
        else
            how = (struct memory_crash){.survival = MEMORY_RANDOM, .seed = operation * 1000 + i};
        image = memory_crash(disk, &how);
        check_image(&model, image, operation, &how);
        memory_free(image);
    }
    memory_free(disk);
}

static void test_every_crash(void)
{
    bool over = false;
    unsigned operation;

    for (operation = 0; !over; operation++)
        crash_at(operation, &over);
    printf("%u operations, %u disks after a crash, %u after a crash of the recovery; ", operation, images,
           nested_images);
    CU_ASSERT(operation > 200);
}

/* The run is what it claims to be: it rolls segments, supersedes, and its oracle can tell states apart. */
static void test_the_run(void)
{
    static struct model model;
    struct memory_disk *disk = memory_new();
    struct error err;
    unsigned k, superseded = 0;

    model_run(&model, disk, true);
    CU_ASSERT_EQUAL(model.stopped_by, ERR_OK);
    for (unsigned i = 1; i <= model.tried; i++)
        superseded += model.states[i].first_index == model.states[i - 1].first_index &&
                      model.states[i].entry_count < model.states[i - 1].entry_count + 1 &&
                      memcmp(&model.states[i].entries, &model.states[i - 1].entries,
                             sizeof model.states[i].entries) != 0;
    CU_ASSERT(superseded >= 2);
    CU_ASSERT_EQUAL(model_check(&model, disk, &k, &err), ERR_OK);
    CU_ASSERT_EQUAL(k, model.tried);
    model.states[model.tried].hard_state.vote++;
    printf("(one complaint is wanted here)");
    CU_ASSERT_EQUAL(model_check(&model, disk, &k, &err), ERR_INTERNAL);
    memory_free(disk);
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    CU_initialize_registry();
    suite = CU_add_suite("store under power failures", NULL, NULL);
    CU_add_test(suite, "the run and its oracle", test_the_run);
    CU_add_test(suite, "a crash after every operation", test_every_crash);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
