/* test_raft_churn.h - the world of test_raft_churn: network, disks, and the owner's side of raft.h. */
#ifndef MHA_TEST_RAFT_CHURN_H
#define MHA_TEST_RAFT_CHURN_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/raft/internal.h"
#include "tests/unit/test_raft_fixture.h"

#define HISTORY_MAX 20000
#define TERMS_MAX 4096
#define STEP_US 500
#define RUN_US (40 * ELECTION_US)
#define HEAL_US (30 * ELECTION_US)

struct write {
    struct write *next;
    uint64_t number;
    uint64_t due_us;
    bool has_snapshot;
    struct raft_snapshot snapshot;
    bool has_hard_state;
    struct raft_hard_state hard_state;
    struct raft_entry *entries;
    unsigned count;
};

struct packet {
    struct packet *next;
    uint64_t due_us;      /* on its way */
    uint64_t after_write; /* or still waiting for its sender's disk */
    struct raft_message message;
};

struct node {
    struct raft *raft; /* NULL: down */
    /* the disk */
    bool written;
    struct raft_hard_state hard_state;
    struct raft_snapshot snapshot;
    struct raft_entry *entries;
    unsigned count;
    /* the process */
    struct write *writes;
    struct packet *waiting;
    uint64_t write_done;
    uint64_t applied;
    uint64_t state; /* of the state machine: a hash of all that was applied */
    struct raft_membership members;
    uint64_t snapshot_write; /* a leader's snapshot is being written: nothing after it is applied before */
    struct raft_snapshot incoming;
    uint64_t back_us;
    /* what it gave out, whether it lives or not */
    uint64_t lease_until_us;
    uint64_t read_floor[RAFT_READS_MAX * 4]; /* by number modulo: what was committed at the call */
};

struct counts {
    unsigned changes, installs, compactions, reads, lost_reads, crashes, elections, leases, removed_told;
};

static struct counts counts;
static uint64_t seed, random_state, now_us;
static struct node nodes[IDS];
static struct packet *network;
static bool cut[IDS][IDS];
static uint64_t leaders[TERMS_MAX];
static struct {
    uint64_t term;
    uint64_t state; /* after it */
} history[HISTORY_MAX];
static uint64_t committed; /* by anybody */
static bool healing;
static uint64_t cut_one_in, crash_one_in; /* steps */
static unsigned lost_permille;
static char violation[200];

static inline uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state * UINT64_C(0x2545F4914F6CDD1D) >> 20) % bound;
}

static inline bool chance(unsigned permille)
{
    return random_below(1000) < permille;
}

#define VIOLATE(...)                                            \
    do {                                                        \
        if (violation[0] == '\0')                               \
            snprintf(violation, sizeof violation, __VA_ARGS__); \
    } while (0)

/* ---- copies ---- */

static inline void *copy(const void *data, size_t size)
{
    void *bytes = malloc(size + 1);
    if (bytes == NULL)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    return bytes;
}

static inline struct raft_entry *copy_entries(const struct raft_entry *entries, unsigned count)
{
    struct raft_entry *copies = calloc(count + 1, sizeof *copies);
    if (copies == NULL)
        abort();
    for (unsigned i = 0; i < count; i++) {
        copies[i] = entries[i];
        copies[i].data = copy(entries[i].data, entries[i].size);
    }
    return copies;
}

static inline void free_entries(struct raft_entry *entries, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        free((void *)entries[i].data);
    free(entries);
}

static inline void free_packet(struct packet *packet)
{
    free_entries((struct raft_entry *)packet->message.entries, packet->message.entry_count);
    free((void *)packet->message.data);
    free(packet);
}

static inline struct packet *copy_packet(const struct raft_message *message)
{
    struct packet *packet = calloc(1, sizeof *packet);
    if (packet == NULL)
        abort();
    packet->message = *message;
    packet->message.entries = copy_entries(message->entries, message->entry_count);
    packet->message.data = copy(message->data, message->size);
    return packet;
}

/* ---- the network ---- */

static inline void transmit_once(const struct raft_message *message)
{
    struct packet *packet = copy_packet(message);
    packet->due_us = now_us + 100 + random_below(chance(50) ? 300 * MS : 3 * MS);
    packet->next = network;
    network = packet;
}

static inline void transmit(const struct raft_message *message)
{
    if (message->to == 0 || message->to >= IDS) {
        VIOLATE("a message to nobody");
        return;
    }
    if (cut[message->from][message->to] || (!healing && chance(lost_permille)))
        return;
    transmit_once(message);
    if (chance(20))
        transmit_once(message);
}

/* ---- the disk ---- */

static inline uint64_t disk_last(const struct node *node)
{
    return node->snapshot.index + node->count;
}

static inline void disk_drop_prefix(struct node *node, uint64_t index)
{
    unsigned gone =
        index - node->snapshot.index > node->count ? node->count : (unsigned)(index - node->snapshot.index);
    for (unsigned i = 0; i < gone; i++)
        free((void *)node->entries[i].data);
    node->count -= gone;
    memmove(node->entries, node->entries + gone, node->count * sizeof *node->entries);
}

static inline void disk_drop_from(struct node *node, uint64_t index)
{
    while (node->count > 0 && disk_last(node) >= index)
        free((void *)node->entries[--node->count].data);
}

static inline void disk_set_snapshot(struct node *node, const struct raft_snapshot *snapshot)
{
    const struct raft_entry *last =
        snapshot->index > node->snapshot.index && snapshot->index <= disk_last(node)
            ? &node->entries[snapshot->index - node->snapshot.index - 1]
            : NULL;
    if (last != NULL && last->term == snapshot->term)
        disk_drop_prefix(node, snapshot->index);
    else
        disk_drop_from(node, 0);
    void *data = copy(snapshot->data, snapshot->size);
    free((void *)node->snapshot.data);
    node->snapshot = *snapshot;
    node->snapshot.data = data;
}

static inline void disk_write(struct node *node, struct write *write)
{
    node->written = true;
    if (write->has_snapshot && write->snapshot.index > node->snapshot.index)
        disk_set_snapshot(node, &write->snapshot);
    if (write->has_hard_state)
        node->hard_state = write->hard_state;
    for (unsigned i = 0; i < write->count; i++) {
        struct raft_entry *entry = &write->entries[i];
        if (entry->index <= node->snapshot.index)
            continue; /* the owner's snapshot was faster */
        if (i == 0 || entry->index == node->snapshot.index + 1)
            disk_drop_from(node, entry->index);
        if (entry->index != disk_last(node) + 1) {
            VIOLATE("a gap on a disk before %" PRIu64, entry->index);
            return;
        }
        node->entries = realloc(node->entries, (node->count + 1) * sizeof *node->entries);
        node->entries[node->count] = *entry;
        node->entries[node->count++].data = copy(entry->data, entry->size);
    }
}

static inline void free_write(struct write *write)
{
    free_entries(write->entries, write->count);
    free((void *)write->snapshot.data);
    free(write);
}

static inline void enqueue_write(struct node *node, const struct raft_output *out)
{
    struct write *write = calloc(1, sizeof *write);
    if (write == NULL)
        abort();
    *write = (struct write){.number = out->write,
                            .due_us = now_us + random_below(chance(20) ? 500 * MS : 5 * MS),
                            .has_snapshot = out->has_snapshot,
                            .snapshot = out->snapshot,
                            .has_hard_state = out->has_hard_state,
                            .hard_state = out->hard_state,
                            .entries = copy_entries(out->entries, out->entry_count),
                            .count = out->entry_count};
    write->snapshot.data = copy(out->snapshot.data, out->snapshot.size);
    struct write **end = &node->writes;
    for (; *end != NULL; end = &(*end)->next) {
        if (write->due_us < (*end)->due_us)
            write->due_us = (*end)->due_us;
    }
    *end = write;
}

/* ---- the owner ---- */

static inline uint64_t mix(uint64_t state, const struct raft_entry *entry)
{
    const unsigned char *bytes = entry->data;
    state = (state ^ entry->term ^ ((uint64_t)entry->kind << 32)) * UINT64_C(0x100000001b3) + entry->index;
    for (size_t i = 0; i < entry->size; i++)
        state = (state ^ bytes[i]) * UINT64_C(0x100000001b3);
    return state;
}

static inline void compare_history(uint64_t id, uint64_t index, uint64_t term, uint64_t state)
{
    if (index >= HISTORY_MAX)
        abort();
    if (history[index].term == 0) {
        history[index].term = term;
        history[index].state = state;
    } else if (history[index].term != term || history[index].state != state) {
        VIOLATE("%" PRIu64 " has another history at %" PRIu64, id, index);
    }
}

static inline void apply(uint64_t id, uint64_t commit_index)
{
    struct node *node = &nodes[id];
    if (commit_index > committed)
        committed = commit_index;
    if (node->snapshot_write > node->write_done)
        return; /* the snapshot comes first */
    while (node->applied < commit_index) {
        const struct raft_entry *entry = raft_entry_at(node->raft, node->applied + 1);
        if (entry == NULL) {
            VIOLATE("%" PRIu64 " lacks the committed entry %" PRIu64, id, node->applied + 1);
            return;
        }
        node->applied++;
        node->state = mix(node->state, entry);
        if (entry->kind == RAFT_ENTRY_MEMBERSHIP) {
            fixture_decode_membership(entry->data, entry->size, &node->members);
            if (history[entry->index].term == 0)
                counts.changes++;
        }
        compare_history(id, entry->index, entry->term, node->state);
    }
}

static inline void load_snapshot(struct node *node, uint64_t id, const struct raft_snapshot *snapshot)
{
    const unsigned char *bytes = snapshot->data;
    if (node->applied >= snapshot->index)
        return;
    node->applied = snapshot->index;
    fixture_decode_snapshot(bytes, snapshot->size, &node->members);
    memcpy(&node->state, bytes + snapshot->size - sizeof node->state, sizeof node->state);
    compare_history(id, snapshot->index, snapshot->term, node->state);
}

static inline void check_leases(uint64_t id)
{
    for (uint64_t other = 1; other < IDS; other++) {
        if (other != id && nodes[other].lease_until_us > now_us)
            VIOLATE("%" PRIu64 " and %" PRIu64 " have leases", id, other);
    }
}

static inline void observe(uint64_t id)
{
    struct raft_status status = fixture_status(nodes[id].raft, now_us);
    if (status.role == RAFT_LEADER) {
        if (status.term >= TERMS_MAX)
            abort();
        if (leaders[status.term] == 0)
            counts.elections++;
        else if (leaders[status.term] != id)
            VIOLATE("two leaders in term %" PRIu64, status.term);
        leaders[status.term] = id;
    }
    if (status.lease_until_us != 0) {
        nodes[id].lease_until_us = status.lease_until_us;
        counts.leases++;
        check_leases(id);
    }
    if (status.dropped_messages > 0 && raft_membership(nodes[id].raft)->count == 0)
        VIOLATE("%" PRIu64 " knows nobody and drops messages", id);
}

static inline void take(uint64_t id)
{
    struct node *node = &nodes[id];
    const struct raft_output *out = raft_take(node->raft);
    for (unsigned i = 0; i < out->message_count; i++) {
        const struct raft_send *send = &out->messages[i];
        if (send->after_write <= node->write_done) {
            transmit(&send->message);
            continue;
        }
        struct packet *packet = copy_packet(&send->message), **end = &node->waiting;
        packet->after_write = send->after_write;
        while (*end != NULL)
            end = &(*end)->next;
        *end = packet;
    }
    if (out->has_snapshot) {
        counts.installs++;
        node->snapshot_write = out->write;
        free((void *)node->incoming.data);
        node->incoming = out->snapshot;
        node->incoming.data = copy(out->snapshot.data, out->snapshot.size);
    }
    for (unsigned i = 0; i < out->read_count; i++) {
        const struct raft_read *read = &out->reads[i];
        counts.reads += read->done;
        counts.lost_reads += !read->done;
        if (read->done && read->index < node->read_floor[read->read % (RAFT_READS_MAX * 4)])
            VIOLATE("%" PRIu64 " answers a read from %" PRIu64 ", older than what was committed before it",
                    id, read->index);
    }
    uint64_t commit_index = out->commit_index;
    if (out->has_write)
        enqueue_write(node, out);
    apply(id, commit_index);
    observe(id);
}

static inline void step_disk(uint64_t id)
{
    struct node *node = &nodes[id];
    while (node->raft != NULL && node->writes != NULL && node->writes->due_us <= now_us) {
        struct write *write = node->writes;
        node->writes = write->next;
        disk_write(node, write);
        node->write_done = write->number;
        while (node->waiting != NULL && node->waiting->after_write <= node->write_done) {
            struct packet *packet = node->waiting;
            node->waiting = packet->next;
            transmit(&packet->message);
            free_packet(packet);
        }
        if (node->snapshot_write != 0 && node->snapshot_write <= node->write_done) {
            load_snapshot(node, id, &node->incoming);
            node->snapshot_write = 0;
        }
        const struct raft_entry *last = write->count > 0 ? &write->entries[write->count - 1] : NULL;
        raft_persisted(node->raft, now_us, write->number, last == NULL ? 0 : last->index,
                       last == NULL ? 0 : last->term);
        free_write(write);
        take(id);
    }
}

#endif
