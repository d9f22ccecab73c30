/* test_raft_fixture.h - one member of a group A (1), B (2), X (3, arbiter), fed by hand. E = 1 s, H = 100 ms.
 * C (4) and D (5) may come later.
 */
#ifndef MHA_TEST_RAFT_FIXTURE_H
#define MHA_TEST_RAFT_FIXTURE_H

#include <CUnit/Basic.h>
#include <string.h>

#include "common/raft/raft.h"

enum { A = 1, B = 2, X = 3, C = 4, D = 5, IDS = 6 };
#define MS 1000u
#define ELECTION_US (1000 * MS)
#define BEGIN_US (5000 * MS)

static const struct raft_config fixture_config = {
    .id = A, .heartbeat_us = 100 * MS, .election_us = ELECTION_US};

/* A membership as these tests write it: the count, then id, kind and vote of each. A snapshot begins with
 * one. */
static inline size_t fixture_encode(const struct raft_membership *membership, unsigned char *out)
{
    size_t size = 0;
    out[size++] = (unsigned char)membership->count;
    for (unsigned i = 0; i < membership->count; i++) {
        out[size++] = (unsigned char)membership->members[i].id;
        out[size++] = (unsigned char)membership->members[i].kind;
        out[size++] = membership->members[i].voter;
    }
    return size;
}

static inline bool fixture_decode_snapshot(const void *data, size_t size, struct raft_membership *out)
{
    const unsigned char *bytes = data;
    *out = (struct raft_membership){0};
    if (size < 1 || bytes[0] > RAFT_MEMBERS_MAX || size < 1 + 3 * (size_t)bytes[0])
        return false;
    out->count = bytes[0];
    for (unsigned i = 0; i < out->count; i++)
        out->members[i] = (struct raft_member){.id = bytes[1 + 3 * i],
                                               .kind = bytes[2 + 3 * i] != 0 ? RAFT_ARBITER : RAFT_DATA,
                                               .voter = bytes[3 + 3 * i] != 0};
    return true;
}

static inline bool fixture_decode_membership(const void *data, size_t size, struct raft_membership *out)
{
    return fixture_decode_snapshot(data, size, out) && size == 1 + 3 * (size_t)out->count;
}

/* Of a member that takes snapshots and membership changes. */
static const struct raft_config fixture_full_config = {.id = A,
                                                       .heartbeat_us = 100 * MS,
                                                       .election_us = ELECTION_US,
                                                       .chunk_bytes = 16,
                                                       .decode_membership = fixture_decode_membership,
                                                       .decode_snapshot = fixture_decode_snapshot};

static inline struct raft_restored fixture_restored(void)
{
    return (struct raft_restored){
        .membership = {.count = 3,
                       .members = {{.id = A, .kind = RAFT_DATA, .voter = true},
                                   {.id = B, .kind = RAFT_DATA, .voter = true},
                                   {.id = X, .kind = RAFT_ARBITER, .voter = true}}}};
}

static inline struct raft *fixture_new(uint64_t id, const struct raft_restored *restored)
{
    struct raft_restored fresh = fixture_restored();
    struct raft_config config = fixture_config;
    struct raft *raft = NULL;
    config.id = id;
    CU_ASSERT_EQUAL_FATAL(raft_new(&config, restored == NULL ? &fresh : restored, BEGIN_US, &raft), RAFT_OK);
    return raft;
}

static inline struct raft *fixture_new_full(uint64_t id, const struct raft_restored *restored)
{
    struct raft_restored fresh = fixture_restored();
    struct raft_config config = fixture_full_config;
    struct raft *raft = NULL;
    config.id = id;
    CU_ASSERT_EQUAL_FATAL(raft_new(&config, restored == NULL ? &fresh : restored, BEGIN_US, &raft), RAFT_OK);
    return raft;
}

#define FIXTURE_SNAPSHOT_BYTES 40 /* three chunks of fixture_full_config, the last a short one */

/* The owner's snapshot with `membership` in it (NULL: the founding one); the bytes are static. */
static inline struct raft_snapshot fixture_snapshot(uint64_t index, uint64_t term,
                                                    const struct raft_membership *membership)
{
    static unsigned char bytes[FIXTURE_SNAPSHOT_BYTES];
    struct raft_restored founding = fixture_restored();
    size_t size = fixture_encode(membership == NULL ? &founding.membership : membership, bytes);
    for (; size < sizeof bytes; size++)
        bytes[size] = (unsigned char)(index + size);
    return (struct raft_snapshot){.index = index, .term = term, .data = bytes, .size = sizeof bytes};
}

/* The output's message of `kind` to `to` (0: anybody); NULL: none. */
static inline const struct raft_send *fixture_find(const struct raft_output *out, enum raft_message_kind kind,
                                                   uint64_t to)
{
    for (unsigned i = 0; i < out->message_count; i++) {
        if (out->messages[i].message.kind == kind && (to == 0 || out->messages[i].message.to == to))
            return &out->messages[i];
    }
    return NULL;
}

/* Delivers a message, filling in to. */
static inline const struct raft_output *fixture_receive(struct raft *raft, uint64_t id, uint64_t now_us,
                                                        struct raft_message message)
{
    message.to = id;
    raft_receive(raft, now_us, &message);
    return raft_take(raft);
}

/* Everything written so far is durable. */
static inline const struct raft_output *fixture_persist(struct raft *raft, uint64_t now_us, uint64_t write)
{
    struct raft_status status;
    raft_status(raft, now_us, &status);
    const struct raft_entry *last = raft_entry_at(raft, status.last_index);
    raft_persisted(raft, now_us, write, last == NULL ? 0 : last->index, last == NULL ? 0 : last->term);
    return raft_take(raft);
}

static inline struct raft_status fixture_status(struct raft *raft, uint64_t now_us)
{
    struct raft_status status;
    raft_status(raft, now_us, &status);
    return status;
}

static inline struct raft_message fixture_heartbeat(uint64_t from, uint64_t term)
{
    return (struct raft_message){
        .kind = RAFT_APPEND, .from = from, .term = term, .round = 1, .election_us = ELECTION_US};
}

/* An answer in term 1 to that round, and the E that it promises. */
static inline struct raft_message fixture_echo(uint64_t from, uint64_t round, uint64_t promised_us)
{
    return (struct raft_message){.kind = RAFT_APPEND_REPLY,
                                 .from = from,
                                 .term = 1,
                                 .granted = true,
                                 .log_index = 1,
                                 .round = round,
                                 .election_us = promised_us};
}

/* A becomes the leader of term 1 at BEGIN_US + E: its no-op is durable there and on X (so committed). */
static inline uint64_t fixture_lead(struct raft *raft)
{
    uint64_t now_us = BEGIN_US + ELECTION_US;
    raft_tick(raft, now_us);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fixture_find(raft_take(raft), RAFT_PREVOTE, X));
    const struct raft_output *out = fixture_receive(
        raft, A, now_us,
        (struct raft_message){.kind = RAFT_PREVOTE_REPLY, .from = X, .term = 1, .granted = true});
    fixture_persist(raft, now_us, out->write);
    out = fixture_receive(
        raft, A, now_us,
        (struct raft_message){.kind = RAFT_VOTE_REPLY, .from = X, .term = 1, .granted = true});
    CU_ASSERT_EQUAL_FATAL(out->entry_count, 1);
    const struct raft_send *append = fixture_find(out, RAFT_APPEND, X);
    CU_ASSERT_PTR_NOT_NULL_FATAL(append);
    uint64_t round = append->message.round;
    fixture_persist(raft, now_us, out->write);
    fixture_receive(raft, A, now_us,
                    (struct raft_message){.kind = RAFT_APPEND_REPLY,
                                          .from = X,
                                          .term = 1,
                                          .granted = true,
                                          .log_index = 1,
                                          .round = round,
                                          .election_us = ELECTION_US});
    CU_ASSERT_TRUE_FATAL(fixture_status(raft, now_us).ready);
    return now_us;
}

#endif
