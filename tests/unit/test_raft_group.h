/* test_raft_group.h - several members that talk to each other, for what takes more than one: disks answer at
 * once, messages arrive in order unless a member is cut off, time passes only when it is told to. */
#ifndef MHA_TEST_RAFT_GROUP_H
#define MHA_TEST_RAFT_GROUP_H

#include <stdlib.h>

#include "tests/unit/test_raft_fixture.h"

struct group_packet {
    struct group_packet *next;
    struct raft_message message;
    struct raft_entry entries[RAFT_APPEND_ENTRIES_MAX];
};

struct group {
    uint64_t now_us;
    struct raft *nodes[IDS];                /* by id; NULL: not there */
    bool cut[IDS];                          /* neither sends nor receives */
    unsigned sent[IDS][RAFT_MESSAGE_KINDS]; /* to that member */
    unsigned asked[IDS];                    /* PREVOTEs and VOTEs of that member */
    struct raft_snapshot snapshots[IDS];    /* the last that came from a leader; no data */
    bool lose_next_chunk;
    struct group_packet *first;
    struct group_packet **end;
};

static inline void group_enqueue(struct group *group, const struct raft_message *message)
{
    struct group_packet *packet = calloc(1, sizeof *packet);
    CU_ASSERT_PTR_NOT_NULL_FATAL(packet);
    packet->message = *message;
    for (unsigned i = 0; i < message->entry_count; i++) {
        packet->entries[i] = message->entries[i];
        void *data = calloc(1, message->entries[i].size + 1);
        if (message->entries[i].size > 0)
            memcpy(data, message->entries[i].data, message->entries[i].size);
        packet->entries[i].data = data;
    }
    packet->message.entries = packet->entries;
    if (message->size > 0) {
        void *data = malloc(message->size);
        memcpy(data, message->data, message->size);
        packet->message.data = data;
    }
    if (group->first == NULL)
        group->end = &group->first;
    *group->end = packet;
    group->end = &packet->next;
}

static inline void group_free_packet(struct group_packet *packet)
{
    for (unsigned i = 0; i < packet->message.entry_count; i++)
        free((void *)packet->entries[i].data);
    free((void *)packet->message.data);
    free(packet);
}

/* Carries out what the member with `id` asks for. */
static inline void group_take(struct group *group, uint64_t id)
{
    for (;;) {
        const struct raft_output *out = raft_take(group->nodes[id]);
        for (unsigned i = 0; i < out->message_count; i++) {
            const struct raft_message *message = &out->messages[i].message;
            bool lost = group->cut[id] || group->cut[message->to] || group->nodes[message->to] == NULL;
            group->sent[message->to][message->kind]++;
            group->asked[id] += message->kind == RAFT_PREVOTE || message->kind == RAFT_VOTE;
            if (message->kind == RAFT_SNAPSHOT && group->lose_next_chunk) {
                group->lose_next_chunk = false;
                lost = true;
            }
            if (!lost)
                group_enqueue(group, message);
        }
        if (out->has_snapshot) {
            group->snapshots[id] = out->snapshot;
            group->snapshots[id].data = NULL;
        }
        if (!out->has_write)
            return;
        const struct raft_entry *last = out->entry_count > 0 ? &out->entries[out->entry_count - 1] : NULL;
        raft_persisted(group->nodes[id], group->now_us, out->write, last == NULL ? 0 : last->index,
                       last == NULL ? 0 : last->term);
    }
}

/* Until nothing moves at this instant. */
static inline void group_settle(struct group *group)
{
    for (uint64_t id = 1; id < IDS; id++) {
        if (group->nodes[id] != NULL)
            group_take(group, id);
    }
    while (group->first != NULL) {
        struct group_packet *packet = group->first;
        group->first = packet->next;
        if (group->first == NULL)
            group->end = &group->first;
        uint64_t to = packet->message.to;
        raft_receive(group->nodes[to], group->now_us, &packet->message);
        group_free_packet(packet);
        group_take(group, to);
    }
}

/* Lets `for_us` pass, from deadline to deadline. */
static inline void group_pass(struct group *group, uint64_t for_us)
{
    uint64_t until_us = group->now_us + for_us;
    while (group->now_us < until_us) {
        uint64_t next_us = until_us;
        for (uint64_t id = 1; id < IDS; id++) {
            uint64_t deadline_us = group->nodes[id] == NULL ? next_us : raft_deadline_us(group->nodes[id]);
            if (deadline_us < next_us)
                next_us = deadline_us;
        }
        group->now_us = next_us > group->now_us ? next_us : group->now_us + 1;
        for (uint64_t id = 1; id < IDS; id++) {
            if (group->nodes[id] != NULL)
                raft_tick(group->nodes[id], group->now_us);
        }
        group_settle(group);
    }
}

static inline struct raft_status group_status(struct group *group, uint64_t id)
{
    return fixture_status(group->nodes[id], group->now_us);
}

/* A, B and X; A leads. */
static inline void group_begin(struct group *group)
{
    *group = (struct group){.now_us = BEGIN_US};
    for (uint64_t id = A; id <= X; id++)
        group->nodes[id] = fixture_new_full(id, NULL);
    group_pass(group, 2 * ELECTION_US);
    CU_ASSERT_TRUE_FATAL(group_status(group, A).ready);
}

static inline void group_end(struct group *group)
{
    for (struct group_packet *packet = group->first, *next; packet != NULL; packet = next) {
        next = packet->next;
        group_free_packet(packet);
    }
    for (uint64_t id = 1; id < IDS; id++)
        raft_free(group->nodes[id]);
}

static inline void group_propose(struct group *group, uint64_t id, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t index = 0;
        CU_ASSERT_EQUAL_FATAL(
            raft_propose(group->nodes[id], group->now_us, RAFT_ENTRY_COMMAND, "command", 7, &index), RAFT_OK);
        if (i % 100 == 99)
            group_settle(group);
    }
    group_settle(group);
}

/* The member compacts its log up to what is committed there. */
static inline void group_compact(struct group *group, uint64_t id)
{
    struct raft_status status = group_status(group, id);
    const struct raft_entry *last = raft_entry_at(group->nodes[id], status.commit_index);
    CU_ASSERT_PTR_NOT_NULL_FATAL(last);
    struct raft_snapshot snapshot =
        fixture_snapshot(last->index, last->term, raft_membership(group->nodes[id]));
    CU_ASSERT_EQUAL_FATAL(raft_compact(group->nodes[id], group->now_us, &snapshot), RAFT_OK);
    group_settle(group);
}

#endif
