/* store_model.h - what a store should hold: a run of appends, syncs, snapshots and reopens, with the state
 * after each.
 *
 * The run stops at the first error. What a later open finds must be the state after step k, for one k from
 * the last that was acknowledged to the last that was tried: nothing acknowledged is lost, nothing is half,
 * nothing superseded comes back. */
#ifndef TESTS_UNIT_STORE_MODEL_H
#define TESTS_UNIT_STORE_MODEL_H

#include "common/store/store.h"
#include "memory_files.h"

#define MODEL_ENTRIES_MAX 96
#define MODEL_STATES_MAX 160
#define MODEL_SEGMENT_BYTES 2048 /* small: a run goes through many */

struct model_state {
    struct raft_hard_state hard_state;
    bool has_snapshot;
    uint64_t snapshot_index;
    uint64_t snapshot_term;
    uint64_t first_index; /* of entries[0] */
    unsigned entry_count;
    struct {
        uint64_t term;
        unsigned tag; /* the number of the append: makes its data */
    } entries[MODEL_ENTRIES_MAX];
};

struct model {
    uint64_t id; /* 0: no open has come back yet */
    struct model_state states[MODEL_STATES_MAX];
    unsigned tried;        /* the newest state that may be on disk */
    unsigned acknowledged; /* the newest state that must be on disk */
    unsigned appends;
    enum error_code stopped_by; /* ERR_OK: the run came to its end */
    struct error error;
};

/* The whole run on this disk, from the first open to the last close. `final_close` false: the process is
 * killed instead. */
void model_run(struct model *model, struct memory_disk *disk, bool final_close);
/* Opens what is on `disk` and compares. ERR_OK: *k is the step that it found; ERR_INTERNAL: none fits, and it
 * said so; else the error of the open. */
enum error_code model_check(const struct model *model, struct memory_disk *disk, unsigned *k,
                            struct error *err);

enum error_code model_open(struct memory_disk *disk, struct store **out, struct error *err);
/* One step each, on a store that is open; the run is made of these. */
enum error_code model_append(struct model *model, struct store *store, uint64_t term, uint64_t vote,
                             uint64_t first_index, unsigned entry_count);
enum error_code model_sync(struct model *model, struct store *store);
enum error_code model_snapshot(struct model *model, struct store *store, uint64_t index, uint64_t term);

#endif
