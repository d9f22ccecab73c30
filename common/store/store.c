#include "common/store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/contents.h"
#include "common/store/wal.h"

struct store {
    struct folder folder;
    int lock;
    struct wal wal;
    struct recover_snapshot snapshot; /* the one on disk */
    bool has_entries;                 /* in the log on disk */
    bool must_compact; /* the log on disk has not been started anew since the snapshot was saved */
    bool failed;

    struct contents contents; /* as opened, until released */
    struct store_recovered recovered;

    /* What was appended, for checking the caller. */
    struct raft_hard_state hard_state;
    uint64_t last_index;
};

static enum error_code open_folder(struct store *store, const char *dir, struct error *err)
{
    const struct files *files = store->folder.files;
    char path[FILEIO_PATH_BYTES];
    int result;

    if (strlen(dir) >= sizeof store->folder.path)
        return error_set(err, ERR_INVALID, "%s: the path is too long", dir);
    strcpy(store->folder.path, dir);
    result = files->make_dir(files->context, dir);
    if (result != 0)
        return error_set(err, ERR_IO, "%s: cannot be made: %s", dir, strerror(-result));
    folder_join(&store->folder, LOCK_FILE, path);
    store->lock = files->open(files->context, path, O_RDWR | O_CREAT, 0600);
    if (store->lock < 0)
        return error_set(err, ERR_IO, "%s: cannot be opened: %s", path, strerror(-store->lock));
    result = files->lock(files->context, store->lock);
    if (result == -EWOULDBLOCK)
        return error_set(err, ERR_BUSY, "%s: another process uses this directory; stop it first", dir);
    if (result != 0)
        return error_set(err, ERR_IO, "%s: cannot be locked: %s", path, strerror(-result));
    return ERR_OK;
}

/* All that recovery read is made durable under this process's own eyes before it is told to anybody. */
static enum error_code restart_log(struct store *store, struct error *err)
{
    struct recovered_log *log = &store->contents.log;
    enum error_code code;

    store->wal.snapshot_next = store->snapshot.exists ? store->snapshot.last_index + 1 : 0;
    code = wal_start(&store->wal, log->last_number + 1, log->last_sequence + 1, &log->hard_state,
                     log->entries, log->entry_count, err);
    if (!code)
        code = recover_remove_old(&store->folder, store->wal.number, err);
    return code;
}

static enum error_code open_contents(struct store *store, const char *cluster, const char *name,
                                     struct error *err)
{
    struct store_recovered *found = &store->recovered;
    struct contents *contents = &store->contents;
    struct recovered_log *log = &contents->log;
    bool first_start;
    enum error_code code;

    code = contents_read(&store->folder, cluster, name, contents, err);
    if (code)
        return code;
    store->snapshot = contents->covered;
    found->id = contents->identity.id;
    found->has_snapshot = contents->snapshot.data != NULL;
    found->snapshot = contents->snapshot;
    first_start = found->id == 0;
    if (first_start)
        code = identity_make(&found->id, err);
    store->wal.id = found->id;
    if (!code)
        code = restart_log(store, err);
    if (!code && first_start) /* after the log: see contents_read */
        code = identity_write(&store->folder, cluster, name, found->id, err);
    if (code)
        return code;
    found->had_state = contents->something;
    found->hard_state = log->hard_state;
    found->entries = log->entries;
    found->entry_count = log->entry_count;
    found->torn_tail_cut = log->torn_tail;
    store->hard_state = log->hard_state;
    store->has_entries = log->entry_count > 0;
    store->last_index =
        log->entry_count ? log->entries[log->entry_count - 1].index : store->snapshot.last_index;
    return ERR_OK;
}

enum error_code store_open_sized(const struct files *files, const char *dir, const char *cluster,
                                 const char *name, uint64_t segment_bytes, struct store **out,
                                 struct error *err)
{
    struct store *store = calloc(1, sizeof *store);
    enum error_code code;

    *out = NULL;
    if (!store)
        return error_set(err, ERR_NO_MEMORY, "no memory for a store");
    store->folder.files = files;
    store->lock = -1;
    wal_init(&store->wal, &store->folder, segment_bytes);
    code = open_folder(store, dir, err);
    if (!code) {
        code = open_contents(store, cluster, name, err);
        if (code == ERR_BUSY) { /* a full disk; BUSY is for a directory in use */
            code = ERR_IO;
            if (err)
                err->code = code;
        }
    }
    if (code) {
        store_close(store);
        return code;
    }
    *out = store;
    return ERR_OK;
}

enum error_code store_open(const struct files *files, const char *dir, const char *cluster, const char *name,
                           struct store **out, struct error *err)
{
    return store_open_sized(files, dir, cluster, name, WAL_SEGMENT_BYTES, out, err);
}

const struct store_recovered *store_recovered(const struct store *store)
{
    return &store->recovered;
}

void store_release_recovered(struct store *store)
{
    contents_free(&store->contents);
    store->recovered.snapshot.data = NULL;
    store->recovered.entries = NULL;
    store->recovered.entry_count = 0;
}

/* Raft never forgets a vote, and never leaves a gap. */
static void check_batch(const struct store *store, const struct raft_hard_state *hard_state,
                        const struct raft_entry *entries, unsigned entry_count)
{
    if (hard_state) {
        assert(hard_state->term >= store->hard_state.term);
        assert(hard_state->term > store->hard_state.term || store->hard_state.vote == 0 ||
               hard_state->vote == store->hard_state.vote);
    }
    for (unsigned i = 0; i < entry_count; i++)
        assert(entries[i].index == entries[0].index + i);
    assert(entry_count == 0 ||
           (entries[0].index > store->snapshot.last_index && entries[0].index <= store->last_index + 1));
}

static enum error_code check_alive(const struct store *store, struct error *err)
{
    return store->failed
               ? error_set(err, ERR_IO, "%s: failed before; the process must start again", store->folder.path)
               : ERR_OK;
}

static enum error_code final(struct store *store, enum error_code code)
{
    if (code == ERR_IO || code == ERR_CORRUPT)
        store->failed = true;
    return code;
}

/* Reads the log back, which is sound as long as no write has failed, and starts it anew with what the
 * snapshot leaves. */
static enum error_code compact(struct store *store, struct error *err)
{
    struct recovered_log log;
    enum error_code code = recover_log(&store->folder, store->wal.id, &store->snapshot, &log, err);

    if (!code)
        code = wal_start(&store->wal, log.last_number + 1, log.last_sequence + 1, &log.hard_state,
                         log.entries, log.entry_count, err);
    if (!code) {
        store->must_compact = false;
        store->has_entries = log.entry_count > 0;
        code = recover_remove_old(&store->folder, store->wal.number, err);
    }
    recover_free(&log);
    return final(store, code);
}

/* Entries behind a snapshot that replaced another history must never meet that history's entries in the log:
 * the log starts anew before the first of them. */
static enum error_code before_entries(struct store *store, struct error *err)
{
    return store->must_compact ? compact(store, err) : ERR_OK;
}

enum error_code store_append(struct store *store, const struct raft_hard_state *hard_state,
                             const struct raft_entry *entries, unsigned entry_count, struct error *err)
{
    enum error_code code = check_alive(store, err);

    if (code)
        return code;
    check_batch(store, hard_state, entries, entry_count);
    if (entry_count > 0)
        code = before_entries(store, err);
    if (!code)
        code = final(store, wal_append(&store->wal, hard_state, entries, entry_count, err));
    if (code)
        return code;
    if (hard_state)
        store->hard_state = *hard_state;
    if (entry_count > 0) {
        store->last_index = entries[entry_count - 1].index;
        store->has_entries = true;
    }
    return ERR_OK;
}

enum error_code store_reserve(struct store *store, unsigned entry_count, size_t bytes, struct error *err)
{
    enum error_code code = check_alive(store, err);

    if (!code)
        code = before_entries(store, err);
    return code ? code : final(store, wal_reserve(&store->wal, entry_count, bytes, err));
}

enum error_code store_sync(struct store *store, struct error *err)
{
    enum error_code code = check_alive(store, err);

    return code ? code : final(store, wal_sync(&store->wal, err));
}

enum error_code store_save_snapshot(struct store *store, const struct store_snapshot *snapshot,
                                    struct error *err)
{
    enum error_code code = check_alive(store, err);

    if (code)
        return code;
    if (store->snapshot.exists && snapshot->last_index < store->snapshot.last_index)
        return error_set(err, ERR_INVALID, "a snapshot of index %" PRIu64 ", older than that of %" PRIu64,
                         snapshot->last_index, store->snapshot.last_index);
    /* First the log: what was appended before is durable with it. */
    code = wal_sync(&store->wal, err);
    if (!code)
        code = snapshot_write(&store->folder, snapshot, err);
    if (code)
        return final(store, code);
    store->snapshot = (struct recover_snapshot){true, snapshot->last_index, snapshot->last_term};
    store->wal.snapshot_next = snapshot->last_index + 1;
    if (store->last_index < snapshot->last_index)
        store->last_index = snapshot->last_index;
    store->must_compact = store->has_entries;
    code = before_entries(store, err);
    /* the snapshot is saved: without room now, the log starts anew before its next entry */
    return code == ERR_BUSY || code == ERR_NO_MEMORY ? ERR_OK : code;
}

enum error_code store_reserve_snapshot(struct store *store, size_t bytes, struct error *err)
{
    enum error_code code = check_alive(store, err);

    return code ? code
                : final(store, snapshot_reserve(&store->folder, bytes + store->wal.segment_bytes, err));
}

uint64_t store_log_bytes(const struct store *store)
{
    return wal_used_bytes(&store->wal);
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store_release_recovered(store);
    wal_close(&store->wal);
    if (store->lock >= 0)
        store->folder.files->close(store->folder.files->context, store->lock);
    free(store);
}
