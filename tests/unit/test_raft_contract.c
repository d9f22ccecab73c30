/* The contract of raft.h, message by message: what waits for the disk, what is refused, what is dropped. */
#include <stdlib.h>

#include "tests/unit/aborts.h"
#include "tests/unit/test_raft_fixture.h"

static const struct raft_entry two_entries[] = {{.index = 1, .term = 1, .kind = RAFT_ENTRY_NOOP},
                                                {.index = 2, .term = 1, .kind = RAFT_ENTRY_COMMAND, "xy", 2}};

static bool starts(const struct raft_config *config, const struct raft_restored *restored)
{
    struct raft *raft = NULL;
    bool ok = raft_new(config, restored, BEGIN_US, &raft) == RAFT_OK;
    raft_free(raft);
    return ok;
}

static void test_what_contradicts_itself_is_refused(void)
{
    struct raft_config config = fixture_config;
    struct raft_restored restored = fixture_restored();
    CU_ASSERT_TRUE(starts(&config, &restored));
    config.heartbeat_us = config.election_us / 2;
    CU_ASSERT_FALSE(starts(&config, &restored));
    config = fixture_config;
    config.election_us = 10;
    CU_ASSERT_FALSE(starts(&config, &restored));
    config = fixture_config;

    restored.entries = two_entries;
    restored.entry_count = 2;
    CU_ASSERT_FALSE(starts(&config, &restored)); /* an entry of a term that the hard state does not know */
    restored.hard_state.term = 1;
    CU_ASSERT_TRUE(starts(&config, &restored));
    restored.entries = two_entries + 1;
    restored.entry_count = 1;
    CU_ASSERT_FALSE(starts(&config, &restored)); /* a gap */
    restored.snapshot.index = restored.snapshot.term = 1;
    CU_ASSERT_TRUE(starts(&config, &restored));
    restored.hard_state.promised_us = UINT64_MAX;
    CU_ASSERT_FALSE(starts(&config, &restored));
}

static void test_requests_and_the_disk(void)
{
    struct raft *raft = fixture_new(A, NULL);
    CU_ASSERT_EQUAL(raft_deadline_us(raft), BEGIN_US + ELECTION_US);
    raft_tick(raft, BEGIN_US + ELECTION_US);
    const struct raft_output *out = raft_take(raft);
    const struct raft_send *ask = fixture_find(out, RAFT_PREVOTE, B);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ask);
    CU_ASSERT_EQUAL(ask->after_write, 0);
    CU_ASSERT_EQUAL(ask->message.term, 1);
    CU_ASSERT_FALSE(out->has_write); /* asking costs nothing and changes nothing */

    uint64_t now_us = BEGIN_US + ELECTION_US + 2 * MS;
    out = fixture_receive(
        raft, A, now_us,
        (struct raft_message){.kind = RAFT_PREVOTE_REPLY, .from = B, .term = 1, .granted = true});
    CU_ASSERT_TRUE(out->has_write && out->has_hard_state);
    CU_ASSERT_EQUAL(out->write, 1);
    CU_ASSERT_EQUAL(out->hard_state.term, 1);
    CU_ASSERT_EQUAL(out->hard_state.vote, A);
    CU_ASSERT_EQUAL(out->hard_state.promised_us, ELECTION_US); /* it will count itself in its lease */
    ask = fixture_find(out, RAFT_VOTE, X);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ask);
    CU_ASSERT_EQUAL(ask->after_write, 1);
    /* a vote that comes before its own is on disk does not make a leader */
    fixture_receive(raft, A, now_us,
                    (struct raft_message){.kind = RAFT_VOTE_REPLY, .from = X, .term = 1, .granted = true});
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_CANDIDATE);
    out = fixture_persist(raft, now_us, 1);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_LEADER);
    ask = fixture_find(out, RAFT_APPEND, B);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ask);
    CU_ASSERT_EQUAL(ask->after_write, 0); /* its no-op travels while it is being written here */
    CU_ASSERT_TRUE(out->has_write);
    CU_ASSERT_EQUAL(ask->message.entry_count, 1);
    CU_ASSERT_EQUAL(raft_take(raft)->message_count, 0); /* taken once */
    raft_free(raft);
}

static void test_answers_and_the_disk(void)
{
    struct raft *raft = fixture_new(A, NULL);
    struct raft_message append = fixture_heartbeat(B, 1);
    append.entries = two_entries;
    append.entry_count = 2;
    append.commit = 1;
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, append);
    const struct raft_send *reply = fixture_find(out, RAFT_APPEND_REPLY, B);
    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    CU_ASSERT_EQUAL(reply->after_write, 1);
    CU_ASSERT_TRUE(reply->message.granted);
    CU_ASSERT_EQUAL(reply->message.log_index, 2);
    CU_ASSERT_EQUAL(reply->message.election_us, ELECTION_US);
    CU_ASSERT_EQUAL(out->entry_count, 2);
    CU_ASSERT_EQUAL(out->hard_state.promised_us, ELECTION_US);
    CU_ASSERT_EQUAL(out->commit_index, 1);

    append = fixture_heartbeat(B, 1); /* an empty one about the same entries waits, too */
    append.log_index = 2;
    append.log_term = 1;
    out = fixture_receive(raft, A, BEGIN_US + 1, append);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND_REPLY, B)->after_write, 1);
    CU_ASSERT_FALSE(out->has_write);
    fixture_persist(raft, BEGIN_US + 2, 1);
    out = fixture_receive(raft, A, BEGIN_US + 3, append);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND_REPLY, B)->after_write, 0);
    CU_ASSERT_FALSE(out->has_write); /* heartbeats cost no write */

    /* a vote, given much later */
    uint64_t now_us = BEGIN_US + 2 * ELECTION_US;
    struct raft_message vote = {.kind = RAFT_VOTE, .from = X, .term = 2, .log_index = 2, .log_term = 1};
    out = fixture_receive(raft, A, now_us, vote);
    reply = fixture_find(out, RAFT_VOTE_REPLY, X);
    CU_ASSERT_TRUE(reply->message.granted);
    CU_ASSERT_EQUAL(reply->after_write, 2);
    CU_ASSERT_EQUAL(out->hard_state.vote, X);
    vote.from = B;
    out = fixture_receive(raft, A, now_us, vote);
    reply = fixture_find(out, RAFT_VOTE_REPLY, B);
    CU_ASSERT_FALSE(reply->message.granted); /* one vote a term */
    CU_ASSERT_EQUAL(reply->after_write, 2);  /* the refusal shows the term */
    raft_free(raft);
}

static void test_shorter_logs_get_no_vote(void)
{
    struct raft_restored restored = fixture_restored();
    restored.hard_state.term = 1;
    restored.entries = two_entries;
    restored.entry_count = 2;
    struct raft *raft = fixture_new(A, &restored);
    struct raft_message ask = {.kind = RAFT_PREVOTE, .from = B, .term = 2, .log_index = 1, .log_term = 1};
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, ask);
    CU_ASSERT_FALSE(fixture_find(out, RAFT_PREVOTE_REPLY, B)->message.granted);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_PREVOTE_REPLY, B)->message.log_short);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).term, 1); /* a PreVote changes no term */
    ask.kind = RAFT_VOTE;
    out = fixture_receive(raft, A, BEGIN_US, ask);
    CU_ASSERT_FALSE(fixture_find(out, RAFT_VOTE_REPLY, B)->message.granted);
    ask.log_index = 2;
    out = fixture_receive(raft, A, BEGIN_US, ask);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_VOTE_REPLY, B)->message.granted);
    raft_free(raft);
}

/* canonical/raft 279: a higher term of a voter is adopted, and everybody asked again at once. */
static void test_a_higher_term_is_adopted_by_asking(void)
{
    struct raft *raft = fixture_new(A, NULL);
    uint64_t now_us = BEGIN_US + ELECTION_US;
    raft_tick(raft, now_us);
    raft_take(raft);
    const struct raft_output *out = fixture_receive(
        raft, A, now_us + 1, (struct raft_message){.kind = RAFT_PREVOTE_REPLY, .from = B, .term = 7});
    const struct raft_send *ask = fixture_find(out, RAFT_PREVOTE, B);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ask);
    CU_ASSERT_EQUAL(ask->message.term, 8);
    CU_ASSERT_PTR_NOT_NULL(fixture_find(out, RAFT_PREVOTE, X));
    /* a grant of the old question counts no more */
    fixture_receive(raft, A, now_us + 2,
                    (struct raft_message){.kind = RAFT_PREVOTE_REPLY, .from = X, .term = 1, .granted = true});
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_PRECANDIDATE);
    raft_free(raft);
}

static void test_nonsense_is_dropped(void)
{
    struct raft *raft = fixture_new(A, NULL);
    struct raft_message good = fixture_heartbeat(B, 1);
    static struct raft_entry many[RAFT_APPEND_ENTRIES_MAX + 1];
    for (unsigned i = 0; i <= RAFT_APPEND_ENTRIES_MAX; i++)
        many[i] = (struct raft_entry){.index = i + 1, .term = 1};
    static const struct raft_entry gap[] = {{.index = 2, .term = 1}};
    static const struct raft_entry from_the_future[] = {{.index = 1, .term = 9}};
    static const struct raft_entry termless[] = {{.index = 1, .term = 0}};
    static const struct raft_entry dataless[] = {
        {.index = 1, .term = 1, .kind = RAFT_ENTRY_COMMAND, NULL, 5}};
    static const struct raft_entry kindless[] = {{.index = 1, .term = 1, .kind = 77}};
    static const struct raft_entry members[] = {{.index = 1, .term = 1, .kind = RAFT_ENTRY_MEMBERSHIP}};
    static const struct raft_entry back[] = {{.index = 1, .term = 1}, {.index = 2, .term = 0}};
    struct raft_message bad[16];
    unsigned count = 0;
#define BAD(field, value) (bad[count] = good, bad[count].field = (value), count++)
    BAD(from, 99);
    BAD(from, A);
    BAD(from, 0);
    BAD(kind, 42);
    BAD(term, UINT64_MAX);
    BAD(election_us, 0);
    BAD(election_us, UINT64_MAX);
    BAD(log_index, UINT64_MAX);
    BAD(log_term, 5);
    BAD(entry_count, 3); /* no entries */
    static const struct raft_entry *const lists[] = {gap,      from_the_future, termless,
                                                     dataless, kindless,        members};
    unsigned scalar = count;
    for (unsigned i = 0; i < scalar; i++)
        fixture_receive(raft, A, BEGIN_US, bad[i]);
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        good.entries = lists[i];
        good.entry_count = 1;
        fixture_receive(raft, A, BEGIN_US, good);
    }
    good.entries = back;
    good.entry_count = 2;
    fixture_receive(raft, A, BEGIN_US, good);
    good.entries = many;
    good.entry_count = RAFT_APPEND_ENTRIES_MAX + 1;
    fixture_receive(raft, A, BEGIN_US, good);
    struct raft_message astray = fixture_heartbeat(B, 1);
    astray.to = X;
    raft_receive(raft, BEGIN_US, &astray);

    struct raft_status status = fixture_status(raft, BEGIN_US);
    CU_ASSERT_EQUAL(status.dropped_messages, scalar + 6 + 3);
    CU_ASSERT_EQUAL(status.term, 0);
    CU_ASSERT_EQUAL(status.last_index, 0);
    CU_ASSERT_EQUAL(status.heard_leader_us, 0);
    CU_ASSERT_FALSE(raft_take(raft)->has_write);
    good.entry_count = RAFT_APPEND_ENTRIES_MAX; /* and that is not too many */
    fixture_receive(raft, A, BEGIN_US, good);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).last_index, RAFT_APPEND_ENTRIES_MAX);
    raft_free(raft);
}

/* willemt/raft 118, RedisLabs/raft 49: what the snapshot covers is neither stored again nor a conflict. */
static void test_entries_before_the_base(void)
{
    struct raft_restored restored = fixture_restored();
    restored.hard_state.term = 3;
    restored.snapshot.index = 5;
    restored.snapshot.term = 2;
    static const struct raft_entry own[] = {{.index = 6, .term = 3}};
    restored.entries = own;
    restored.entry_count = 1;
    struct raft *raft = fixture_new(A, &restored);
    static const struct raft_entry all[] = {
        {.index = 1, .term = 1}, {.index = 2, .term = 1}, {.index = 3, .term = 1}, {.index = 4, .term = 2},
        {.index = 5, .term = 2}, {.index = 6, .term = 3}, {.index = 7, .term = 3}};
    struct raft_message append = fixture_heartbeat(B, 3);
    append.entries = all;
    append.entry_count = 7;
    append.commit = 7;
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, append);
    CU_ASSERT_EQUAL(out->entry_count, 1);
    CU_ASSERT_EQUAL(out->entries[0].index, 7);
    CU_ASSERT_EQUAL(out->commit_index, 7);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND_REPLY, B)->message.log_index, 7);
    append.entry_count = 2; /* wholly before it */
    append.commit = 2;
    out = fixture_receive(raft, A, BEGIN_US, append);
    CU_ASSERT_FALSE(out->has_write && out->entry_count > 0);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_APPEND_REPLY, B)->message.granted);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND_REPLY, B)->message.log_index, 5);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).last_index, 7);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).commit_index, 7);
    raft_free(raft);
}

static void test_a_conflict_is_named_by_its_term(void)
{
    struct raft_restored restored = fixture_restored();
    restored.hard_state.term = 4;
    static const struct raft_entry own[] = {
        {.index = 1, .term = 1}, {.index = 2, .term = 2}, {.index = 3, .term = 2}, {.index = 4, .term = 2}};
    restored.entries = own;
    restored.entry_count = 4;
    struct raft *raft = fixture_new(A, &restored);
    struct raft_message append = fixture_heartbeat(B, 4);
    append.log_index = 4;
    append.log_term = 3;
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, append);
    const struct raft_send *reply = fixture_find(out, RAFT_APPEND_REPLY, B);
    CU_ASSERT_FALSE(reply->message.granted);
    CU_ASSERT_EQUAL(reply->message.log_index, 2);
    CU_ASSERT_EQUAL(reply->message.log_term, 2);
    append.log_index = 9; /* beyond the end */
    out = fixture_receive(raft, A, BEGIN_US, append);
    reply = fixture_find(out, RAFT_APPEND_REPLY, B);
    CU_ASSERT_EQUAL(reply->message.log_index, 4);
    CU_ASSERT_EQUAL(reply->message.log_term, 0);
    /* the conflict goes when the leader's entry comes */
    static const struct raft_entry theirs[] = {{.index = 2, .term = 4}};
    append.log_index = 1;
    append.log_term = 1;
    append.entries = theirs;
    append.entry_count = 1;
    out = fixture_receive(raft, A, BEGIN_US, append);
    CU_ASSERT_EQUAL(out->entries[0].index, 2);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).last_index, 2);
    raft_free(raft);
}

static void hear_two_leaders(void)
{
    struct raft *raft = fixture_new(A, NULL);
    fixture_receive(raft, A, BEGIN_US, fixture_heartbeat(B, 1));
    fixture_receive(raft, A, BEGIN_US, fixture_heartbeat(X, 1));
}

static void hear_another_leader_as_leader(void)
{
    struct raft *raft = fixture_new(A, NULL);
    uint64_t now_us = fixture_lead(raft);
    fixture_receive(raft, A, now_us, fixture_heartbeat(B, 1));
}

static void hear_another_committed_entry(void)
{
    struct raft *raft = fixture_new(A, NULL);
    struct raft_message append = fixture_heartbeat(B, 1);
    append.entries = two_entries;
    append.entry_count = 2;
    append.commit = 2;
    fixture_receive(raft, A, BEGIN_US, append);
    static const struct raft_entry other[] = {{.index = 2, .term = 2}};
    append = fixture_heartbeat(X, 2);
    append.log_index = append.log_term = 1;
    append.entries = other;
    append.entry_count = 1;
    fixture_receive(raft, A, BEGIN_US, append);
}

/* NuRaft 531: log and go on is no answer to two leaders. */
static void test_broken_invariants_stop_the_process(void)
{
    CU_ASSERT_TRUE(aborts(hear_two_leaders));
    CU_ASSERT_TRUE(aborts(hear_another_leader_as_leader));
    CU_ASSERT_TRUE(aborts(hear_another_committed_entry));
}

static void test_proposals(void)
{
    struct raft *raft = fixture_new(A, NULL);
    uint64_t index = 0, now_us;
    CU_ASSERT_EQUAL(raft_propose(raft, BEGIN_US, RAFT_ENTRY_COMMAND, "x", 1, &index), RAFT_NOT_LEADER);
    now_us = fixture_lead(raft);
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_MEMBERSHIP, "x", 1, &index), RAFT_INVALID);
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "x", RAFT_ENTRY_BYTES_MAX + 1, &index),
                    RAFT_INVALID);
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, NULL, 1, &index), RAFT_INVALID);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "abc", 3, &index), RAFT_OK);
    CU_ASSERT_EQUAL(index, 4);
    const struct raft_output *out = raft_take(raft);
    const struct raft_send *append = fixture_find(out, RAFT_APPEND, X);
    CU_ASSERT_PTR_NOT_NULL_FATAL(append);
    CU_ASSERT_EQUAL(append->message.entry_count, 3); /* what came together leaves together, at once */
    CU_ASSERT_EQUAL(append->message.log_index, 1);
    CU_ASSERT_EQUAL(append->after_write, 0);
    CU_ASSERT_EQUAL(out->entry_count, 3);
    unsigned accepted = 3;
    while (raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "abc", 3, &index) == RAFT_OK)
        accepted++;
    CU_ASSERT_EQUAL(accepted, RAFT_UNCOMMITTED_MAX);
    out = raft_take(raft);
    unsigned appends = 0;
    for (unsigned i = 0; i < out->message_count; i++)
        appends += out->messages[i].message.to == X;
    CU_ASSERT_EQUAL(appends, RAFT_INFLIGHT_MAX - 1); /* one is on its way already */
    /* An answer makes room for more. */
    out = fixture_receive(raft, A, now_us,
                          (struct raft_message){.kind = RAFT_APPEND_REPLY,
                                                .from = X,
                                                .term = 1,
                                                .granted = true,
                                                .log_index = 4,
                                                .round = now_us,
                                                .election_us = ELECTION_US});
    CU_ASSERT_EQUAL(out->commit_index, 1); /* X has it, this node's disk not yet */
    CU_ASSERT_PTR_NOT_NULL_FATAL(fixture_find(out, RAFT_APPEND, X));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, X)->message.entry_count, RAFT_APPEND_ENTRIES_MAX);
    raft_free(raft);
}

static void test_large_entries_are_not_heaped_up(void)
{
    static char large[RAFT_ENTRY_BYTES_MAX];
    struct raft *raft = fixture_new(A, NULL);
    uint64_t now_us = fixture_lead(raft), index;
    for (unsigned i = 0; i < 9; i++)
        CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, large, sizeof large, &index), RAFT_OK);
    const struct raft_output *out = raft_take(raft);
    for (unsigned i = 0; i < out->message_count; i++) /* a frame holds 1 MiB */
        CU_ASSERT_TRUE(out->messages[i].message.entry_count * sizeof large <= 256 * 1024);
    raft_free(raft);
}

/* Dissertation 3.5: one refusal skips a whole term. */
static void test_backtracking(void)
{
    struct raft_restored restored = fixture_restored();
    static struct raft_entry own[30];
    for (unsigned i = 0; i < 30; i++)
        own[i] = (struct raft_entry){.index = i + 1, .term = i < 5 ? 1 : i < 15 ? 2 : 4};
    restored.hard_state.term = 4;
    restored.entries = own;
    restored.entry_count = 30;
    struct raft *raft = fixture_new(A, &restored);
    uint64_t now_us = BEGIN_US + ELECTION_US;
    raft_tick(raft, now_us);
    raft_take(raft);
    struct raft_message reply = {.kind = RAFT_PREVOTE_REPLY, .from = X, .term = 5, .granted = true};
    const struct raft_output *out = fixture_receive(raft, A, now_us, reply);
    fixture_persist(raft, now_us, out->write);
    reply.kind = RAFT_VOTE_REPLY;
    out = fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, B)->message.log_index, 30);
    /* B has 1 1 1 1 1 2 2 2 3 3 3 ...: term 3 from index 9 on, none of it here */
    reply = (struct raft_message){.kind = RAFT_APPEND_REPLY,
                                  .from = B,
                                  .term = 5,
                                  .log_index = 9,
                                  .log_term = 3,
                                  .round = now_us,
                                  .election_us = ELECTION_US};
    out = fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, B)->message.log_index, 8);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_APPEND, B)->message.entry_count > 0);
    /* X has term 2 at its end, too, from index 4 on: behind our last one of that term below */
    reply.from = X;
    reply.log_index = 4;
    reply.log_term = 2;
    out = fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, X)->message.log_index, 15);
    /* while that is open nothing more is sent to it but heartbeats */
    uint64_t index;
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "x", 1, &index), RAFT_OK);
    CU_ASSERT_PTR_NULL(fixture_find(raft_take(raft), RAFT_APPEND, X));
    /* a shorter log names its end */
    reply.log_index = 2;
    reply.log_term = 0;
    out = fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, X)->message.log_index, 2);
    /* an echo of what was never sent is dropped */
    reply.granted = true;
    reply.log_index = 99;
    fixture_receive(raft, A, now_us, reply);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).dropped_messages, 1);
    raft_free(raft);
}

/* Raft, section 5.4.2 and figure 8: an older term's entry on a majority is not committed by that. */
static void test_older_terms_commit_through_the_own(void)
{
    struct raft_restored restored = fixture_restored();
    restored.hard_state.term = 1;
    restored.entries = two_entries;
    restored.entry_count = 2;
    struct raft *raft = fixture_new(A, &restored);
    uint64_t now_us = BEGIN_US + ELECTION_US;
    raft_tick(raft, now_us);
    raft_take(raft);
    struct raft_message reply = {.kind = RAFT_PREVOTE_REPLY, .from = X, .term = 2, .granted = true};
    const struct raft_output *out = fixture_receive(raft, A, now_us, reply);
    fixture_persist(raft, now_us, out->write);
    reply.kind = RAFT_VOTE_REPLY;
    out = fixture_receive(raft, A, now_us, reply);
    fixture_persist(raft, now_us, out->write);
    reply = (struct raft_message){.kind = RAFT_APPEND_REPLY,
                                  .from = X,
                                  .term = 2,
                                  .granted = true,
                                  .log_index = 2,
                                  .round = now_us,
                                  .election_us = ELECTION_US};
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, reply)->commit_index, 0);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).lease_until_us,
                    0); /* promised by a majority, but not ready */
    reply.log_index = 3;
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, reply)->commit_index, 3);
    CU_ASSERT_NOT_EQUAL(fixture_status(raft, now_us).lease_until_us, 0);
    raft_free(raft);
}

/* Figure 2, AppendEntries 5; canonical/raft 355: what lies behind the match may be another leader's. */
static void test_commit_reaches_the_match_only(void)
{
    struct raft_restored restored = fixture_restored();
    restored.hard_state.term = 1;
    restored.entries = two_entries;
    restored.entry_count = 2;
    struct raft *raft = fixture_new(A, &restored);
    struct raft_message append = fixture_heartbeat(B, 2);
    append.log_index = append.log_term = 1;
    append.commit = 2; /* B's entry 2 is another one */
    CU_ASSERT_EQUAL(fixture_receive(raft, A, BEGIN_US, append)->commit_index, 1);
    raft_free(raft);
}

/* hashicorp/raft 614: whose disk has not answered cannot vote, and does not campaign. */
static void test_no_campaign_with_a_busy_disk(void)
{
    struct raft *raft = fixture_new(A, NULL);
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, fixture_heartbeat(B, 1));
    uint64_t write = out->write, now_us = BEGIN_US + 2 * ELECTION_US;
    raft_tick(raft, now_us);
    CU_ASSERT_EQUAL(raft_take(raft)->message_count, 0);
    CU_ASSERT_TRUE(raft_deadline_us(raft) > now_us); /* nor does it spin */
    CU_ASSERT_PTR_NOT_NULL(fixture_find(fixture_persist(raft, now_us, write), RAFT_PREVOTE, B));
    raft_free(raft);
}

static void test_notices_out_of_the_blue(void)
{
    struct raft *raft = fixture_new(A, NULL);
    uint64_t now_us = fixture_lead(raft), index;
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "x", 1, &index), RAFT_OK);
    uint64_t write = raft_take(raft)->write;
    raft_persisted(raft, now_us, write + 5, index, 1); /* not handed out */
    raft_persisted(raft, now_us, write, index, 9);     /* that write held no such entry */
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).dropped_messages, 2);
    struct raft_message reply = {.kind = RAFT_APPEND_REPLY,
                                 .from = X,
                                 .term = 1,
                                 .granted = true,
                                 .log_index = index,
                                 .round = now_us,
                                 .election_us = ELECTION_US};
    CU_ASSERT_EQUAL(fixture_receive(raft, A, now_us, reply)->commit_index, index - 1);
    raft_persisted(raft, now_us, write, index, 1);
    CU_ASSERT_EQUAL(raft_take(raft)->commit_index, index);
    raft_free(raft);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft contract", NULL, NULL);
    CU_add_test(suite, "what contradicts itself is refused", test_what_contradicts_itself_is_refused);
    CU_add_test(suite, "requests and the disk", test_requests_and_the_disk);
    CU_add_test(suite, "answers and the disk", test_answers_and_the_disk);
    CU_add_test(suite, "shorter logs get no vote", test_shorter_logs_get_no_vote);
    CU_add_test(suite, "a higher term is adopted by asking", test_a_higher_term_is_adopted_by_asking);
    CU_add_test(suite, "nonsense is dropped", test_nonsense_is_dropped);
    CU_add_test(suite, "entries before the base", test_entries_before_the_base);
    CU_add_test(suite, "a conflict is named by its term", test_a_conflict_is_named_by_its_term);
    CU_add_test(suite, "broken invariants stop the process", test_broken_invariants_stop_the_process);
    CU_add_test(suite, "proposals", test_proposals);
    CU_add_test(suite, "large entries are not heaped up", test_large_entries_are_not_heaped_up);
    CU_add_test(suite, "backtracking", test_backtracking);
    CU_add_test(suite, "older terms commit through the own", test_older_terms_commit_through_the_own);
    CU_add_test(suite, "commit reaches the match only", test_commit_reaches_the_match_only);
    CU_add_test(suite, "no campaign with a busy disk", test_no_campaign_with_a_busy_disk);
    CU_add_test(suite, "notices out of the blue", test_notices_out_of_the_blue);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
