#include "common/replica/verify.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/replica/internal.h"
#include "common/store/verify.h"
#include "common/store/wal.h"

/* ---- the membership that counts: the log's newest, or the snapshot's ---- */

struct found_membership {
    uint64_t index; /* of its entry; 0: the snapshot's */
    struct replica_membership membership;
    struct replica_membership of_snapshot;
};

static enum error_code find_membership(const struct contents *contents, struct found_membership *out,
                                       struct error *err)
{
    struct wire_snapshot snapshot;
    enum error_code code = ERR_OK;

    *out = (struct found_membership){0};
    if (contents->snapshot.data) {
        code = wire_unpack_snapshot(contents->snapshot.data, contents->snapshot.size, &snapshot, err);
        if (code)
            return error_prefix(err, "the snapshot's membership");
        out->membership = out->of_snapshot = snapshot.membership;
        wire_free_snapshot(&snapshot);
    }
    for (unsigned i = contents->log.entry_count; i-- > 0;) {
        const struct raft_entry *entry = &contents->log.entries[i];
        if (entry->kind != RAFT_ENTRY_MEMBERSHIP)
            continue;
        out->index = entry->index;
        code = wire_unpack_membership(entry->data, entry->size, &out->membership, err);
        return code ? error_prefix(err, "entry %" PRIu64, entry->index) : ERR_OK;
    }
    return ERR_OK;
}

/* The same judgement as at a start: Raft takes up what was stored, or says that it contradicts itself. */
static enum error_code check_with_raft(const struct contents *contents,
                                       const struct replica_membership *of_snapshot, struct error *err)
{
    struct raft_config config = {.id = contents->identity.id,
                                 .heartbeat_us = MS_TO_US(100),
                                 .election_us = MS_TO_US(1000),
                                 .decode_membership = snapshots_decode_membership,
                                 .decode_snapshot = snapshots_decode};
    struct raft_restored restored = {.hard_state = contents->log.hard_state,
                                     .snapshot = {.index = contents->snapshot.last_index,
                                                  .term = contents->snapshot.last_term,
                                                  .data = contents->snapshot.data,
                                                  .size = contents->snapshot.size},
                                     .entries = contents->log.entries,
                                     .entry_count = contents->log.entry_count,
                                     .restarted = true};
    struct raft *raft = NULL;
    enum raft_code code;

    replica_membership_to_raft(of_snapshot, &restored.membership);
    code = raft_new(&config, &restored, 0, &raft);
    raft_free(raft);
    if (code == RAFT_NO_MEMORY)
        return error_set(err, ERR_NO_MEMORY, "no memory for the log");
    return code ? error_set(err, ERR_CORRUPT, "its snapshot, term and log contradict each other") : ERR_OK;
}

/* ---- printing ---- */

static void print_log(const struct contents *contents, FILE *out)
{
    const struct recovered_log *log = &contents->log;
    char name[WAL_NAME_BYTES];

    if (log->entry_count > 0)
        fprintf(out, "log         entries %" PRIu64 " to %" PRIu64 ", ", log->entries[0].index,
                log->entries[log->entry_count - 1].index);
    else
        fprintf(out, "log         no entries, ");
    fprintf(out, "%u segment%s of together %" PRIu64 " bytes\n", log->segment_count,
            log->segment_count == 1 ? "" : "s", log->segment_bytes);
    wal_segment_name(log->last_number, name);
    if (log->torn_tail)
        fprintf(out,
                "end of log  torn by a crash at byte %zu of %s: nothing acknowledged was behind it, and the "
                "next start cuts it off\n",
                log->end_offset, name);
    else
        fprintf(out, "end of log  whole, at byte %zu of %s\n", log->end_offset, name);
}

static void print_membership(const struct contents *contents, const struct found_membership *found, FILE *out)
{
    if (found->membership.count == 0) {
        fprintf(out, "membership  none: it is in no group yet\n");
        return;
    }
    if (found->index)
        fprintf(out, "membership  of entry %" PRIu64 ":\n", found->index);
    else
        fprintf(out, "membership  of the snapshot:\n");
    for (unsigned i = 0; i < found->membership.count; i++) {
        const struct replica_membership_member *member = &found->membership.members[i];
        fprintf(out, "            %s %016" PRIx64 " at %s, %s%s%s\n", member->name, member->id,
                member->address, member->arbiter ? "arbiter" : "data node",
                member->voter ? "" : ", does not vote yet",
                member->id == contents->identity.id ? ", this one" : "");
    }
}

static void print(const char *dir, const struct contents *contents, const struct found_membership *found,
                  FILE *out)
{
    const struct raft_hard_state *hard_state = &contents->log.hard_state;
    const struct replica_membership_member *voted =
        replica_membership_by_id(&found->membership, hard_state->vote);

    fprintf(out, "directory   %s\n", dir);
    fprintf(out, "member      %s of cluster %s, identity %016" PRIx64 "\n", contents->identity.name,
            contents->identity.cluster, contents->identity.id);
    fprintf(out, "term        %" PRIu64, hard_state->term);
    if (hard_state->vote)
        fprintf(out, ", voted for %s (%016" PRIx64 ")\n", voted ? voted->name : "a former member",
                hard_state->vote);
    else
        fprintf(out, ", no vote given\n");
    fprintf(out, "promise     no vote within %" PRIu64 " ms of hearing a leader\n",
            hard_state->promised_us / 1000);
    if (!contents->snapshot.data)
        fprintf(out, "snapshot    none\n");
    else if (contents->snapshot.last_index == 0)
        fprintf(out, "snapshot    of the founding, %zu bytes\n", contents->snapshot.size);
    else
        fprintf(out, "snapshot    up to entry %" PRIu64 " of term %" PRIu64 ", %zu bytes\n",
                contents->snapshot.last_index, contents->snapshot.last_term, contents->snapshot.size);
    print_log(contents, out);
    print_membership(contents, found, out);
    fprintf(out, "sound\n");
}

/* Every file is whole, and yet a start would not take what is in them. */
static enum error_code unfit(const char *dir, struct error *err)
{
    struct error what = *err;

    return error_set(err, ERR_CORRUPT,
                     "%s: %.300s; is it from a newer version of this program? Else remove the directory and "
                     "let the node join as a new member",
                     dir, what.text);
}

enum replica_verify_result replica_verify_store(const char *dir, FILE *out, FILE *errors)
{
    struct found_membership found;
    struct contents contents;
    struct error err;
    enum error_code code = store_verify(files_posix(), dir, &contents, &err);

    if (!code) {
        code = find_membership(&contents, &found, &err);
        if (!code && contents.snapshot.data)
            code = check_with_raft(&contents, &found.of_snapshot, &err);
        if (code == ERR_INVALID || code == ERR_CORRUPT)
            code = unfit(dir, &err);
    }
    if (!code)
        print(dir, &contents, &found, out);
    contents_free(&contents);
    if (code)
        fprintf(errors, "%s\n", err.text);
    return code == ERR_OK        ? REPLICA_VERIFY_SOUND
           : code == ERR_CORRUPT ? REPLICA_VERIFY_DAMAGED
                                 : REPLICA_VERIFY_NOT_CHECKED;
}
