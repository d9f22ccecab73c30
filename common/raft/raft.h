/* raft.h - consensus as a pure state machine.
 *
 * Diego Ongaro, "Consensus: Bridging Theory and Practice" (2014): chapters 3 (basic Raft), 6.4 (reads), 9.6
 * (PreVote), 3.10 (leadership transfer), 4.2.3 (disruptive servers), 6.2 (CheckQuorum). No I/O, no clock, no
 * thread, no global, no randomness: the caller brings the time and carries out what comes back.
 *
 * THE CONTRACT
 *
 * Inputs: raft_tick, raft_receive, raft_propose, raft_persisted, raft_transfer, raft_end_lease,
 * raft_released, raft_set_campaign_delay, raft_renew_term. Each takes `now_us`, which never goes back between
 * two calls.
 *
 * Output: after each input the caller takes the `struct raft_output` (raft_take) and does, in this order:
 *
 *   1. send every message whose `after_write` is 0, or a write already done;
 *   2. write hard_state and entries (in this order, as one batch) as write number `write`, if has_write;
 *   3. once that write *and all before it* are durable, call raft_persisted with the write's number, and the
 * index and term of the last entry it held (0, 0 without entries), and send the messages that waited for it,
 * in order;
 *   4. apply entries up to commit_index, in order, each once.
 *
 * What must be on disk before what may be sent (`after_write`):
 *   - PREVOTE and a granted PREVOTE_REPLY promise nothing: at once. But a PREVOTE_REPLY that carries a new
 * term of its own waits for that term.
 *   - VOTE waits for its own term, vote, and the log tail that it advertises.
 *   - VOTE_REPLY, granted or not, waits for the term and vote.
 *   - APPEND leaves at once: a leader may replicate while its own write is under way. But the leader's first
 * messages of its term wait for whatever made it leader (term and vote).
 *   - APPEND_REPLY, an empty one too, waits for all entries that it acknowledges, the term, and the promised
 * E that it echoes.
 *   - TIMEOUT_NOW at once.
 * The leader counts itself only for entries that raft_persisted has named. A completion whose (index, term)
 * is no longer in the log is dropped, but never blocks those that follow it.
 *
 * THE LEASE (design: "Every power is leased")
 *
 * Each heartbeat round carries a number and E. A voter that hears it promises, durably, not to vote for
 * anyone else within E of hearing it, and echoes its promised E (the largest it ever promised). The lease
 * ends at s + E - margin, s = when the newest round was *sent* that a quorum (the leader included) answered
 * with an echo >= E; margin = max(E/10, 10 ms). It is 0 until the no-op of the term is committed, and for an
 * arbiter always.
 *   - raft_end_lease: from now on no lease in this term. Irrevocable.
 *   - A leader that steps down neither votes nor campaigns until the last lease deadline that it *published*
 * has passed, or raft_released was called (vipd and dbworker have confirmed).
 *   - raft_transfer first needs raft_end_lease; the deadline of the last published lease past or
 * raft_released; then TIMEOUT_NOW goes out once the target has the whole log, and the leader steps down at
 * once. The target's VOTE carries `transfer`, which voters accept in spite of stickiness.
 *   - raft_renew_term: a transfer to itself: same conditions; it campaigns with `transfer` and so leads under
 * a new term.
 *
 * Every function that can be called by a mistaken message or a late caller answers with a code; assertions
 * guard only what a bug in this folder or a caller who breaks the order above could cause. Two leaders in one
 * term stop the process (I1). */
#ifndef MHA_RAFT_RAFT_H
#define MHA_RAFT_RAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAFT_MEMBERS_MAX 16        /* 7 voters, the rest learners */
#define RAFT_ENTRY_BYTES_MAX 65536 /* one entry's data */
#define RAFT_APPEND_ENTRIES_MAX 64 /* in one APPEND */
#define RAFT_INFLIGHT_MAX 32       /* APPENDs with entries on their way to one member */
#define RAFT_UNCOMMITTED_MAX \
    4096 /* entries that a leader may have open: a further proposal is refused as busy */

struct raft;

enum raft_member_kind { RAFT_DATA, RAFT_ARBITER };

struct raft_member {
    uint64_t id; /* not 0 */
    enum raft_member_kind kind;
    bool voter;
};

struct raft_membership {
    unsigned count;
    struct raft_member
        members[RAFT_MEMBERS_MAX]; /* ascending ids: rank = position among voting data members */
};

enum raft_entry_kind { RAFT_ENTRY_NOOP, RAFT_ENTRY_COMMAND, RAFT_ENTRY_MEMBERSHIP };

struct raft_entry {
    uint64_t index; /* from 1 */
    uint64_t term;
    enum raft_entry_kind kind;
    const void *data; /* who owns it: see each function */
    size_t size;
};

struct raft_hard_state {
    uint64_t term;
    uint64_t vote;        /* 0: none in this term */
    uint64_t promised_us; /* largest E ever promised */
};

enum raft_message_kind {
    RAFT_PREVOTE,
    RAFT_PREVOTE_REPLY,
    RAFT_VOTE,
    RAFT_VOTE_REPLY,
    RAFT_APPEND,
    RAFT_APPEND_REPLY,
    RAFT_TIMEOUT_NOW,
};

/* One message; fields that a kind does not name are 0.
 *
 * PREVOTE      term = the term it would campaign in (own + 1), log_index/log_term = end of its durable log
 * PREVOTE_REPLY granted; term = the asked term if granted, else the voter's own; log_short: refused for
 * nothing but a shorter log; retry_after_us: refused for stickiness, which ends in that time VOTE term,
 * log_index/log_term = end of its durable log, transfer = asked for by TIMEOUT_NOW VOTE_REPLY   granted, term
 * APPEND       term, log_index/log_term = the entry before `entries`, commit, entries, round, election_us = E
 * APPEND_REPLY term; granted: log_index = the last index that is now known to match and durable; refused:
 * log_index/log_term = hint for fast backtracking (dissertation 3.5: the term of the conflicting entry and
 * the first index it stores for that term, or the end of a shorter log with term 0); round = echo;
 * election_us = promised E TIMEOUT_NOW  term */
struct raft_message {
    enum raft_message_kind kind;
    uint64_t from;
    uint64_t to;
    uint64_t term;
    uint64_t log_index;
    uint64_t log_term;
    uint64_t commit;
    uint64_t round;
    uint64_t election_us;
    uint64_t retry_after_us;
    bool granted;
    bool transfer;
    bool log_short;
    unsigned entry_count;
    const struct raft_entry *entries;
};

struct raft_send {
    struct raft_message message;
    uint64_t after_write; /* the number of the write that must be durable first; 0: none */
};

/* Valid until the next input to the same struct raft. Entries point into the log. */
struct raft_output {
    bool has_write;
    uint64_t write; /* its number, from 1, without gaps */
    bool has_hard_state;
    struct raft_hard_state hard_state;
    const struct raft_entry *entries; /* the first supersedes everything stored at and after its index */
    unsigned entry_count;
    const struct raft_send *messages;
    unsigned message_count;
    uint64_t commit_index;
};

enum raft_role { RAFT_FOLLOWER, RAFT_PRECANDIDATE, RAFT_CANDIDATE, RAFT_LEADER };

struct raft_config {
    uint64_t id;
    uint64_t heartbeat_us; /* H, 1 ms .. E/3 */
    uint64_t election_us;  /* E, 30 ms .. 60 s */
};

/* What the disk held. `entries` (ascending, without gaps, the first follows snapshot_index) are copied. */
struct raft_restored {
    struct raft_hard_state hard_state;
    struct raft_membership membership; /* as of snapshot_index; MEMBERSHIP entries in the log override it */
    uint64_t snapshot_index;           /* 0: none */
    uint64_t snapshot_term;
    const struct raft_entry *entries;
    unsigned entry_count;
    bool restarted; /* it may have promised something before: wait one promised E before any vote or campaign
                     */
};

struct raft_peer_status {
    uint64_t id;
    uint64_t heard_us;         /* leader: when its last answer of this term arrived; 0: never */
    uint64_t answered_sent_us; /* leader: when the newest round that it answered was sent; 0: none */
    uint64_t match_index;      /* leader: durable there */
};

struct raft_status {
    enum raft_role role;
    uint64_t term;
    uint64_t leader; /* 0: unknown */
    bool ready;      /* leader, and the no-op of this term is committed */
    bool current;    /* an entry of this term is committed here: so is all that came before this leader */
    uint64_t commit_index;
    uint64_t last_index;
    uint64_t lease_until_us;  /* 0: none */
    bool lease_ended;         /* raft_end_lease was called in this term */
    uint64_t round_sent_us;   /* leader: send time of the newest round that a quorum answered (0: none) */
    uint64_t leader_since_us; /* leader: when it won; 0 otherwise */
    uint64_t heard_leader_us; /* when the last valid APPEND of any leader arrived; kept across roles */
    uint64_t campaign_us;     /* when the last campaign (PreVote round that was won) began */
    uint64_t held_until_us; /* neither votes nor campaigns before this (restart, or an old lease); 0: free */
    uint64_t dropped_messages; /* that made no sense, since raft_new */
    const char *waits_for;     /* static text: why it does not campaign or lead, for a person; "" = nothing */
    unsigned peer_count;
    struct raft_peer_status peers[RAFT_MEMBERS_MAX];
};

enum raft_code {
    RAFT_OK = 0,
    RAFT_NOT_LEADER,
    RAFT_BUSY,    /* too many open entries, a transfer under way, or the lease not yet released */
    RAFT_INVALID, /* a bad argument; for raft_new: what was restored contradicts itself */
    RAFT_NO_MEMORY,
};

/* `out` is freed with raft_free. RAFT_INVALID for a config out of range or a log with gaps. */
enum raft_code raft_new(const struct raft_config *config, const struct raft_restored *restored,
                        uint64_t now_us, struct raft **out);
void raft_free(struct raft *raft);

void raft_tick(struct raft *raft, uint64_t now_us);
/* A message with nonsense in it (unknown sender, wrong kind, index overflow) is dropped and counted, never
 * trusted. Data is copied. */
void raft_receive(struct raft *raft, uint64_t now_us, const struct raft_message *message);
/* Data is copied. `index` is where it will stand if it commits. Only COMMAND is taken: no-ops are the
 * leader's own, and the membership is fixed at the founding (also a MEMBERSHIP entry in a message or on disk
 * is refused). */
enum raft_code raft_propose(struct raft *raft, uint64_t now_us, enum raft_entry_kind kind, const void *data,
                            size_t size, uint64_t *index);
void raft_persisted(struct raft *raft, uint64_t now_us, uint64_t write, uint64_t index, uint64_t term);

void raft_end_lease(struct raft *raft, uint64_t now_us);
void raft_released(struct raft *raft, uint64_t now_us);
enum raft_code raft_transfer(struct raft *raft, uint64_t now_us, uint64_t to);
enum raft_code raft_renew_term(struct raft *raft, uint64_t now_us);
/* Added to the election timeout of this node: others go first, but it goes in the end. Bounded to 4 E. */
void raft_set_campaign_delay(struct raft *raft, uint64_t now_us, uint64_t delay_us);

const struct raft_output *raft_take(struct raft *raft);
/* The caller ticks at this time at the latest; UINT64_MAX never occurs. */
uint64_t raft_deadline_us(const struct raft *raft);
/* Publishing: a lease_until_us that this returns counts as given out. */
void raft_status(struct raft *raft, uint64_t now_us, struct raft_status *out);
const struct raft_membership *raft_membership(const struct raft *raft);
/* The entry at `index` for applying; NULL if it is not in the log. Owned by raft, valid until the next input.
 */
const struct raft_entry *raft_entry_at(const struct raft *raft, uint64_t index);

#endif
