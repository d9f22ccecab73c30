/* The trace of a Raft group: what of its state has changed since the step before, in words. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/story_expect.h"

#define NAMED_MAX 6 /* entries in one line */
#define NAME_BYTES 24

struct seen_entry {
    uint64_t term;
    char name[NAME_BYTES]; /* "": a no-op */
};

struct seen_log {
    uint64_t last; /* index; 0: empty */
    struct seen_entry *entries;
    uint64_t capacity; /* entries[index] */
};

struct seen_node {
    bool up, refused;
    enum raft_role role;
    bool ready;
    uint64_t commit; /* the highest ever: what a restarted node learns again is no news */
    uint64_t term, snapshot_index;
    struct raft_membership membership;
    uint64_t lease_until_us;        /* by its clock; 0: none */
    uint64_t chunks, sent_snapshot; /* of the snapshots that it sent; the last one of them */
    struct raft_hard_state disk;
    struct seen_log log, disk_log;
};

struct story_watch {
    struct seen_node nodes[WORLD_NODES_MAX];
};

struct story_watch *story_watch_new(void)
{
    struct story_watch *watch = calloc(1, sizeof *watch);
    assert(watch != NULL);
    return watch;
}

void story_watch_free(struct story_watch *watch)
{
    for (unsigned i = 0; i < WORLD_NODES_MAX; i++) {
        free(watch->nodes[i].log.entries);
        free(watch->nodes[i].disk_log.entries);
    }
    free(watch);
}

static const char *name_of(const struct story *story, uint64_t id)
{
    unsigned node = world_node_of(story->world, id);
    return node < story->world->node_count ? story->world->nodes[node].name : "an earlier member";
}

/* ---- logs ---- */

typedef const struct raft_entry *(*entry_at)(const struct world_node *node, uint64_t index);

static const struct raft_entry *in_log(const struct world_node *node, uint64_t index)
{
    return raft_entry_at(node->raft, index);
}

static const struct raft_entry *on_disk(const struct world_node *node, uint64_t index)
{
    uint64_t first = node->disk.snapshot_index + 1;
    return index >= first && index - first < node->disk.entry_count ? &node->disk.entries[index - first]
                                                                    : NULL;
}

static void remember(struct seen_log *log, uint64_t index, const struct raft_entry *entry)
{
    if (index >= log->capacity) {
        log->capacity = 2 * index + 64;
        log->entries = realloc(log->entries, log->capacity * sizeof *log->entries);
        assert(log->entries != NULL);
    }
    struct seen_entry *seen = &log->entries[index];
    *seen = (struct seen_entry){.term = entry->term};
    if (entry->kind == RAFT_ENTRY_MEMBERSHIP)
        snprintf(seen->name, sizeof seen->name, "the membership");
    else if (entry->kind == RAFT_ENTRY_COMMAND)
        snprintf(seen->name, sizeof seen->name, "%.*s", (int)entry->size, (const char *)entry->data);
}

/* The names of what is not a no-op, "": nothing is. */
static const char *name_range(const struct seen_log *log, uint64_t from, uint64_t to, char *text, size_t size)
{
    unsigned count = 0;
    size_t used = 0;
    text[0] = '\0';
    for (uint64_t i = from; i <= to; i++) {
        if (i < log->capacity && log->entries[i].name[0] != '\0' && count++ < NAMED_MAX && used < size)
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? " " : "", log->entries[i].name);
    }
    if (count > NAMED_MAX && used < size)
        snprintf(text + used, size - used, " ... (%u in all)", count);
    return text;
}

/* What came and what went between the last look and now. */
static void look_at_log(struct story *story, const struct world_node *node, struct seen_log *log, entry_at at,
                        uint64_t last, const char *where)
{
    char text[160];
    uint64_t same = last < log->last ? last : log->last;
    for (; same > 0; same--) { /* entries of the same index and term are the same */
        const struct raft_entry *entry = at(node, same);
        if (entry == NULL || entry->term == log->entries[same].term)
            break;
    }
    if (log->last > same && name_range(log, same + 1, log->last, text, sizeof text)[0] != '\0')
        story_tell(story, node->name, "drops %s from its %s", text, where);
    for (uint64_t i = same + 1; i <= last; i++) {
        const struct raft_entry *entry = at(node, i);
        remember(log, i, entry != NULL ? entry : &(struct raft_entry){.kind = RAFT_ENTRY_NOOP});
    }
    if (last > same && name_range(log, same + 1, last, text, sizeof text)[0] != '\0')
        story_tell(story, node->name, "has %s in its %s", text, where);
    log->last = last;
}

/* ---- one node ---- */

/* A lease ends between two steps, too. */
static void look_at_lease(struct story *story, const struct world_node *node, struct seen_node *seen)
{
    unsigned i = (unsigned)(node - story->world->nodes);
    if (seen->lease_until_us != 0 && node->lease_until_us == 0) {
        story_tell(story, node->name, "lets go of its lease");
        seen->lease_until_us = 0;
    }
    uint64_t end_us = world_true_us(story->world, i, seen->lease_until_us);
    bool renewed_in_time = node->up && node->lease_until_us > seen->lease_until_us &&
                           node->status.role == RAFT_LEADER && end_us >= story->world->now_us;
    if (seen->lease_until_us != 0 && end_us <= story->world->now_us && !renewed_in_time) {
        story_file_tell(story->file, end_us - story->begun_us, node->name, "its lease ends");
        seen->lease_until_us = 0;
    }
    if (world_lease_is_live(story->world, i)) {
        if (seen->lease_until_us == 0)
            story_tell(story, node->name, "its lease begins");
        seen->lease_until_us = node->lease_until_us;
    }
}

static void tell_membership(struct story *story, const struct world_node *node,
                            const struct raft_membership *membership)
{
    char text[128] = "";
    size_t used = 0;
    for (unsigned i = 0; i < membership->count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %s%s",
                                 membership->members[i].voter ? "" : "+",
                                 name_of(story, membership->members[i].id));
    story_tell(story, node->name, "counts the members%s", text);
}

static void look_at_life(struct story *story, const struct world_node *node, struct seen_node *seen)
{
    if (node->refused && !seen->refused)
        story_tell(story, node->name, "finds its disk damaged, and stays down");
    seen->refused = node->refused;
    if (node->up == seen->up)
        return;
    seen->up = node->up;
    if (!node->up) {
        story_tell(story, node->name, "is down");
        return;
    }
    bool again = node->status.term > 0 || node->status.last_index > 0;
    if (again)
        story_tell(story, node->name, "starts again, in term %" PRIu64, node->status.term);
    else
        story_tell(story, node->name, "starts");
    seen->role = RAFT_FOLLOWER;
    seen->ready = false;
    seen->term = node->status.term;
    seen->snapshot_index = node->status.snapshot_index;
    if (seen->snapshot_index > 0)
        story_tell(story, node->name, "its log begins after %" PRIu64, seen->snapshot_index);
    seen->membership = *raft_membership(node->raft);
    seen->log.last = 0; /* as it was read from the disk: nothing new */
    for (uint64_t i = 1; i <= node->status.last_index; i++) {
        const struct raft_entry *entry = in_log(node, i);
        remember(&seen->log, i, entry != NULL ? entry : &(struct raft_entry){.kind = RAFT_ENTRY_NOOP});
        seen->log.last = i;
    }
}

static void look_at_role(struct story *story, const struct world_node *node, struct seen_node *seen)
{
    const struct raft_status *status = &node->status;
    if (status->role == seen->role && status->term == seen->term)
        return;
    switch (status->role) {
    case RAFT_FOLLOWER:
        if (seen->role == RAFT_LEADER)
            story_tell(story, node->name, "leads no more; term %" PRIu64, status->term);
        else if (seen->role != RAFT_FOLLOWER)
            story_tell(story, node->name, "campaigns no more; term %" PRIu64, status->term);
        else
            story_tell(story, node->name, "hears of term %" PRIu64, status->term);
        break;
    case RAFT_PRECANDIDATE:
        if (seen->role == RAFT_LEADER)
            story_tell(story, node->name, "leads no more; term %" PRIu64, status->term);
        story_tell(story, node->name, "asks who would vote for it in term %" PRIu64, status->term + 1);
        break;
    case RAFT_CANDIDATE:
        story_tell(story, node->name, "asks for votes in term %" PRIu64, status->term);
        break;
    case RAFT_LEADER:
        story_tell(story, node->name, "leads term %" PRIu64, status->term);
        break;
    }
    seen->role = status->role;
    seen->term = status->term;
}

static void look_at_membership(struct story *story, const struct world_node *node, struct seen_node *seen)
{
    const struct raft_membership *now = raft_membership(node->raft), *before = &seen->membership;
    bool same = now->count == before->count;
    for (unsigned i = 0; same && i < now->count; i++)
        same =
            now->members[i].id == before->members[i].id && now->members[i].voter == before->members[i].voter;
    seen->membership = *now;
    if (!same)
        tell_membership(story, node, now);
}

static void look_at_snapshots(struct story *story, const struct world_node *node, struct seen_node *seen)
{
    uint64_t index = node->status.snapshot_index;
    if (node->sent[RAFT_SNAPSHOT] != seen->chunks && index != seen->sent_snapshot) {
        story_tell(story, node->name, "sends its snapshot up to %" PRIu64, index);
        seen->sent_snapshot = index;
    }
    seen->chunks = node->sent[RAFT_SNAPSHOT];
    if (index == seen->snapshot_index)
        return;
    story_tell(story, node->name, "%s %" PRIu64,
               seen->commit < index ? "takes a snapshot up to" : "its log begins after", index);
    seen->snapshot_index = index;
    for (uint64_t i = 1; i <= index && i <= seen->log.last; i++) /* what stood there may be another entry */
        seen->log.entries[i].name[0] = '\0';
}

static void look_at_commit(struct story *story, const struct world_node *node, struct seen_node *seen)
{
    char text[160];
    if (node->status.commit_index > seen->commit &&
        name_range(&seen->log, seen->commit + 1, node->status.commit_index, text, sizeof text)[0] != '\0')
        story_tell(story, node->name, "commits %s", text);
    if (node->status.commit_index > seen->commit)
        seen->commit = node->status.commit_index;
    if (node->status.ready && !seen->ready)
        story_tell(story, node->name, "has committed the no-op of term %" PRIu64, node->status.term);
    seen->ready = node->status.ready;
}

static void look_at_disk(struct story *story, const struct world_node *node, struct seen_node *seen)
{
    const struct raft_hard_state *disk = &node->disk.hard_state;
    if (disk->vote != 0 && (disk->term != seen->disk.term || disk->vote != seen->disk.vote))
        story_tell(story, node->name, "votes for %s in term %" PRIu64,
                   disk->vote == node->id ? "itself" : name_of(story, disk->vote), disk->term);
    seen->disk = *disk;
    look_at_log(story, node, &seen->disk_log, on_disk, node->disk.snapshot_index + node->disk.entry_count,
                "file");
}

void story_watch_look(struct story_watch *watch, struct story *story)
{
    for (unsigned i = 0; i < story->world->node_count; i++)
        look_at_lease(story, &story->world->nodes[i], &watch->nodes[i]);
    for (unsigned i = 0; i < story->world->node_count; i++) {
        const struct world_node *node = &story->world->nodes[i];
        struct seen_node *seen = &watch->nodes[i];
        look_at_disk(story, node, seen);
        look_at_life(story, node, seen);
        if (!node->up)
            continue;
        look_at_role(story, node, seen);
        look_at_snapshots(story, node, seen);
        look_at_log(story, node, &seen->log, in_log, node->status.last_index, "log");
        look_at_membership(story, node, seen);
        look_at_commit(story, node, seen);
    }
}
