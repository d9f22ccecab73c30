/* Messages of members that lie or are broken, after decoding, into raft (common/raft/raft.h).
 * fuzz: runs=25000 max_len=4096
 *
 * Steps are PeerFrames; the control byte moves the clock, lets writes finish, and with 128 makes the message
 * fit (the present term, the end of the log), so that runs get deep. Steps without data are the owner's
 * commands. Raft may stop only for what its header says (two leaders in one term, a leader that contradicts a
 * committed entry); otherwise term, vote, promise, log and commit index keep their rules whatever arrives. */
#include <setjmp.h>
#include <string.h>

#include "common/raft/internal.h"
#include "common/replica/wire.h"
#include "peer.pb-c.h"
#include "tests/fuzz/fuzz.h"

enum { SELF = 1, MEMBERS = 3, INDEX_MAX = 4096, WRITES_MAX = 64 };
#define E_US 1000000u
#define H_US 100000u

static const char *const words[] = {"", "x", NULL};

/* The stop that raft.h documents: it does not return, so neither does this. */
static jmp_buf stopped;
void __wrap_raft_stop(const struct raft *raft, const char *what) __attribute__((noreturn));
void __wrap_raft_stop(const struct raft *raft, const char *what)
{
    (void)raft;
    (void)what;
    longjmp(stopped, 1);
}

static struct wire_frame frame;
static const struct raft_message *receiving; /* NULL: the input is none that may make raft stop */

static struct {
    struct raft *raft;
    uint64_t now_us;
    struct raft_hard_state hard; /* as written last */
    uint64_t granted_term;       /* the last term in which a vote was given away ... */
    uint64_t granted_to;         /* ... to this member */
    uint64_t supported_term;     /* the newest term in which somebody voted for us */
    uint64_t commit;
    uint64_t committed_terms[INDEX_MAX];
    struct {
        uint64_t write, index, term;
    } writes[WRITES_MAX];
    unsigned write_count;
    uint64_t last_write;
} w;

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const uint8_t commands[] = {0, 0, 0};

    if (seed % 8 == 0 && size + sizeof commands <= max_size) { /* one more command of the owner's */
        memcpy(data + size, commands, sizeof commands);
        data[size] = (uint8_t)(seed >> 8);
        return size + sizeof commands;
    }
    return fuzz_mutate_steps(&mha__peer_frame__descriptor, words, data, size, max_size, seed);
}

static bool decode_membership(const void *data, size_t size, struct raft_membership *out)
{
    struct replica_membership membership;
    struct error err;

    if (wire_unpack_membership(data, size, &membership, &err) != ERR_OK)
        return false;
    replica_membership_to_raft(&membership, out);
    return true;
}

static bool decode_snapshot(const void *data, size_t size, struct raft_membership *out)
{
    struct wire_snapshot snapshot;
    struct error err;

    if (wire_unpack_snapshot(data, size, &snapshot, &err) != ERR_OK)
        return false;
    replica_membership_to_raft(&snapshot.membership, out);
    wire_free_snapshot(&snapshot);
    return true;
}

static void check_hard_state(const struct raft_hard_state *hard)
{
    FUZZ_CHECK(hard->term >= w.hard.term, "the term never goes back");
    FUZZ_CHECK(hard->term > w.hard.term || w.hard.vote == 0 || hard->vote == w.hard.vote,
               "a vote stays for its term");
    FUZZ_CHECK(hard->promised_us >= w.hard.promised_us, "the promise never gets smaller");
    w.hard = *hard;
}

static void check_send(const struct raft_send *send)
{
    const struct raft_message *message = &send->message;

    FUZZ_CHECK(message->kind < RAFT_MESSAGE_KINDS, "a message is of a known kind");
    FUZZ_CHECK(message->from == SELF && message->to != SELF && message->to != 0, "it goes to another member");
    FUZZ_CHECK(send->after_write <= w.last_write, "it waits for a write that exists");
    FUZZ_CHECK(message->entry_count <= RAFT_APPEND_ENTRIES_MAX, "its entries are bounded");
    if (message->kind == RAFT_VOTE_REPLY && message->granted) {
        FUZZ_CHECK(w.granted_to == 0 || message->term != w.granted_term || message->to == w.granted_to,
                   "one vote a term (I1)");
        FUZZ_CHECK(w.hard.term > message->term || w.hard.vote == message->to, "which is written");
        w.granted_term = message->term;
        w.granted_to = message->to;
    }
    if (message->kind == RAFT_VOTE)
        FUZZ_CHECK(w.hard.term > message->term || w.hard.vote == SELF, "a candidate voted for itself (I1)");
}

static void check_log(const struct raft_status *status)
{
    uint64_t term = 0;

    FUZZ_CHECK(status->commit_index >= w.commit, "the commit index never goes back (I1)");
    FUZZ_CHECK(status->commit_index <= status->last_index, "and is in the log");
    for (uint64_t i = 1; i <= status->last_index && i < INDEX_MAX; i++) {
        const struct raft_entry *entry = raft_entry_at(w.raft, i);
        if (!entry)
            continue;
        FUZZ_CHECK(entry->index == i && entry->term >= term && entry->term <= status->term,
                   "terms ascend in the log");
        term = entry->term;
        if (i <= w.commit && w.committed_terms[i] != 0)
            FUZZ_CHECK(entry->term == w.committed_terms[i], "a committed entry never changes (I1)");
        else if (i <= status->commit_index)
            w.committed_terms[i] = entry->term;
    }
    w.commit = status->commit_index;
}

/* A membership that came in an entry may leave this one alone. */
static unsigned other_voters(void)
{
    const struct raft_membership *membership = raft_membership(w.raft);
    unsigned count = 0;

    for (unsigned i = 0; i < membership->count; i++)
        count += membership->members[i].voter && membership->members[i].id != SELF;
    return count;
}

/* Takes the output as an owner does, and looks at everything. */
static void step(bool disk_is_quick)
{
    const struct raft_output *output = raft_take(w.raft);
    struct raft_status status;
    uint64_t deadline_us;

    if (output->has_write) {
        FUZZ_CHECK(output->write == w.last_write + 1, "writes are numbered without gaps");
        w.last_write = output->write;
        if (output->has_hard_state)
            check_hard_state(&output->hard_state);
        FUZZ_CHECK(w.write_count < WRITES_MAX, "the harness has room");
        w.writes[w.write_count].write = output->write;
        w.writes[w.write_count].index = w.writes[w.write_count].term = 0;
        if (output->entry_count > 0) {
            w.writes[w.write_count].index = output->entries[output->entry_count - 1].index;
            w.writes[w.write_count].term = output->entries[output->entry_count - 1].term;
        }
        w.write_count++;
    }
    for (unsigned i = 0; i < output->message_count; i++)
        check_send(&output->messages[i]);
    raft_status(w.raft, w.now_us, &status);
    check_log(&status);
    if (status.role == RAFT_LEADER && other_voters() > 0)
        FUZZ_CHECK(w.supported_term >= status.term, "a leader was voted for by somebody else, too (I1)");
    FUZZ_CHECK(status.lease_until_us < w.now_us + E_US, "a lease is shorter than E");
    FUZZ_CHECK(status.waits_for, "it says what it waits for");
    deadline_us = raft_deadline_us(w.raft);
    FUZZ_CHECK(deadline_us != UINT64_MAX, "there is always a next tick");
    if (!disk_is_quick && w.write_count < WRITES_MAX / 2)
        return;
    for (unsigned i = 0; i < w.write_count; i++)
        raft_persisted(w.raft, w.now_us, w.writes[i].write, w.writes[i].index, w.writes[i].term);
    if (w.write_count > 0) {
        w.write_count = 0;
        step(false);
    }
}

/* The owner has applied all that is committed, and saved a snapshot of it. */
static void compact(void)
{
    static const struct replica_membership_member member = {
        .id = SELF, .name = "self", .address = "192.0.2.1:7400", .voter = true};
    struct wire_snapshot snapshot = {
        .last_index = w.commit, .state = (const uint8_t *)"state", .state_size = 5};
    const struct raft_entry *last = raft_entry_at(w.raft, w.commit);
    struct wire_bytes bytes;
    struct error err;

    if (!last)
        return;
    snapshot.last_term = last->term;
    FUZZ_CHECK(replica_membership_add(&snapshot.membership, &member, &err) == ERR_OK &&
                   wire_pack_snapshot(&snapshot, &bytes, &err) == ERR_OK,
               "a snapshot can be made");
    struct raft_snapshot taken = {snapshot.last_index, snapshot.last_term, bytes.data, bytes.size};
    raft_compact(w.raft, w.now_us, &taken);
    free(bytes.data);
}

static void command(uint8_t control)
{
    uint64_t index;

    switch (control & 7) {
    case 0:
        raft_propose(w.raft, w.now_us, RAFT_ENTRY_COMMAND, "data", 4, &index);
        break;
    case 1:
        raft_end_lease(w.raft, w.now_us);
        break;
    case 2:
        raft_released(w.raft, w.now_us);
        break;
    case 3:
        raft_transfer(w.raft, w.now_us, 1 + (control >> 3) % MEMBERS);
        break;
    case 4:
        raft_renew_term(w.raft, w.now_us);
        break;
    case 5:
        raft_set_campaign_delay(w.raft, w.now_us, (uint64_t)(control >> 3) * H_US);
        break;
    case 6:
        if (control & 8)
            compact();
        else
            raft_read(w.raft, w.now_us, &index);
        break;
    default: /* its next tick, as due */
        if (raft_deadline_us(w.raft) > w.now_us)
            w.now_us = raft_deadline_us(w.raft);
        raft_tick(w.raft, w.now_us);
    }
}

/* What a member could say that is only a little wrong. */
static void fit(struct raft_message *message, struct raft_entry *entries)
{
    struct raft_status status;
    const struct raft_entry *last;

    raft_status(w.raft, w.now_us, &status);
    message->term = status.term + (message->term > 1 ? message->term % 3 : 0);
    if (message->kind != RAFT_APPEND && message->kind != RAFT_VOTE && message->kind != RAFT_PREVOTE) {
        if (message->kind == RAFT_APPEND_REPLY && status.last_index > 0)
            message->log_index %= status.last_index + 1;
        return;
    }
    message->log_index = message->log_index > 3                   ? status.last_index
                         : message->log_index < status.last_index ? status.last_index - message->log_index
                                                                  : 0;
    last = raft_entry_at(w.raft, message->log_index);
    message->log_term = last ? last->term : 0;
    message->election_us = E_US + message->election_us % 4 * H_US;
    for (unsigned i = 0; i < message->entry_count; i++) {
        entries[i].index = message->log_index + 1 + i;
        entries[i].term = entries[i].term % 2 && message->log_term ? message->log_term : message->term;
        if (i > 0 && entries[i].term < entries[i - 1].term)
            entries[i].term = entries[i - 1].term;
    }
}

static void receive(uint8_t control)
{
    struct raft_message *message = &frame.raft;

    message->to = control & 32 ? message->to : SELF;
    message->from = control & 32 ? message->from : 2 + message->from % 2;
    if (control & 128)
        fit(message, frame.entries);
    if (message->kind == RAFT_VOTE_REPLY && message->granted && message->to == SELF &&
        message->term > w.supported_term)
        w.supported_term = message->term;
    receiving = message->kind == RAFT_APPEND || message->kind == RAFT_SNAPSHOT ? message : NULL;
    raft_receive(w.raft, w.now_us, message);
    receiving = NULL;
}

static void play(struct fuzz_input *input)
{
    struct fuzz_step next;
    struct error err;

    while (fuzz_next_step(input, &next)) {
        w.now_us += (uint64_t)(next.control & 7) << ((next.control & 24) >> 3) << 13;
        if (next.size == 0) {
            command(next.control);
        } else if (wire_unpack_frame(next.data, next.size, &frame, &err) == ERR_OK) {
            if (frame.kind == WIRE_RAFT)
                receive(next.control);
            wire_free_frame(&frame);
        }
        step(!(next.control & 64));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint8_t first = fuzz_u8(&input);
    struct raft_config config = {.id = SELF,
                                 .heartbeat_us = H_US,
                                 .election_us = E_US,
                                 .decode_membership = decode_membership,
                                 .decode_snapshot = decode_snapshot};
    struct raft_restored restored = {.restarted = first & 1};

    memset(&w, 0, sizeof w);
    w.now_us = 1000000000;
    restored.membership.count = MEMBERS;
    for (unsigned i = 0; i < MEMBERS; i++)
        restored.membership.members[i] = (struct raft_member){1 + i, RAFT_DATA, true};
    if (first & 2) /* this is the arbiter */
        restored.membership.members[SELF - 1].kind = RAFT_ARBITER;
    restored.hard_state.term = first >> 4;
    restored.hard_state.promised_us = first & 1 ? E_US : 0;
    w.hard = restored.hard_state;
    w.supported_term = w.hard.term; /* from its earlier life */
    FUZZ_CHECK(raft_new(&config, &restored, w.now_us, &w.raft) == RAFT_OK, "it starts");
    receiving = NULL;
    if (setjmp(stopped) == 0) {
        play(&input);
    } else {
        FUZZ_CHECK(receiving, "raft stops for what a leader says, and for nothing else");
        wire_free_frame(&frame);
    }
    raft_free(w.raft);
    return 0;
}
