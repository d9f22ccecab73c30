/* raft.h - consensus as a pure state machine.
 *
 * Diego Ongaro, "Consensus: Bridging Theory and Practice" (2014): chapters 3 (basic Raft), 6.4 (reads), 9.6
 * (PreVote), 3.10 (leadership transfer), 4.2.3 (disruptive servers), 6.2 (CheckQuorum). No I/O, no clock, no
 * thread, no global, no randomness: the caller brings the time and carries out what comes back.
 *
 * THE CONTRACT
 *
 * Inputs: raft_tick, raft_receive, raft_propose, raft_persisted, raft_transfer, raft_end_lease,
 * raft_released, raft_set_campaign_delay, raft_renew_term, raft_compact, raft_read. Each takes `now_us`,
 * which never goes back between two calls.
 *
 * Output: after each input the caller takes the `struct raft_output` (raft_take) and does, in this order:
 *
 *   1. send every message whose `after_write` is 0, or a write already done;
 *   2. write the snapshot, hard_state and entries (in this order) as write number `write`, if has_write.
 *      A snapshot: if the log as stored so far holds its last entry (index and term), what follows that
 *      entry stays; otherwise everything stored goes, also if a crash comes between the two: what is left
 *      of such a log must never be taken for one that follows the snapshot;
 *   3. once that write *and all before it* are durable, call raft_persisted with the write's number, and
 *      the index and term of the last entry it held (0, 0 without entries), and send the messages that
 *      waited for it, in order;
 *   4. if there was a snapshot: once it is durable, and before anything after it is applied, replace the
 *      state machine by it;
 *   5. apply entries up to commit_index, in order, each once;
 *   6. answer the `reads`: those that are done once everything up to their index is applied.
 *
 * What must be on disk before what may be sent (`after_write`):
 *   - PREVOTE and a granted PREVOTE_REPLY promise nothing: at once. But a PREVOTE_REPLY that carries a new
 *     term of its own waits for that term.
 *   - VOTE waits for its own term, vote, and the log tail that it advertises.
 *   - VOTE_REPLY, granted or not, waits for the term and vote.
 *   - APPEND leaves at once: a leader may replicate while its own write is under way. But the leader's
 *     first messages of its term wait for whatever made it leader (term and vote).
 *   - APPEND_REPLY, an empty one too, waits for all entries that it acknowledges, the term, and the
 *     promised E that it echoes.
 *   - TIMEOUT_NOW and SNAPSHOT at once. A SNAPSHOT_REPLY that says "whole" waits for the snapshot.
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
 *   - A leader that steps down neither votes nor campaigns until the last lease deadline that it
 *     *published* has passed, or raft_released was called (vipd and dbworker have confirmed).
 *   - raft_transfer first needs raft_end_lease; the deadline of the last published lease past or
 *     raft_released; then TIMEOUT_NOW goes out once the target has the whole log, and the leader steps
 *     down at once. The target's VOTE carries `transfer`, which voters accept in spite of stickiness.
 *   - raft_renew_term: a transfer to itself: same conditions; it campaigns with `transfer` and so leads
 *     under a new term.
 *
 * SNAPSHOTS AND COMPACTION (dissertation, chapter 5)
 *
 * The owner saves a snapshot of what it has applied, durably, and then calls raft_compact: the log starts
 * after it. Raft keeps a copy of its bytes and sends them in chunks, one chunk under way per member, to a
 * member that lacks entries which the log has no more; also to an arbiter whose log still starts more than
 * RAFT_ARBITER_BEHIND entries before the leader's: it applies nothing, so this is how its log gets shorter
 * (it drops a prefix only when it has the whole snapshot). A member that has the snapshot's last entry keeps
 * what follows it; otherwise its whole log goes. What is at or before the snapshot is committed and never
 * asked for again. A snapshot of a term that the hard state does not know yet is a crash between the two, and
 * no contradiction: that term is taken, without a vote.
 *
 * MEMBERSHIP (dissertation, chapter 4, with the correction of 2015: never before the no-op of the own term)
 *
 * A MEMBERSHIP entry holds the whole membership as the owner encodes it; `decode_membership` reads it. It
 * counts from the moment it stands in the log, until a truncation takes it away again. One change at a time,
 * by one member: add a learner, make a learner that has caught up a voter, remove a member, change a
 * member's particulars (same ids, kinds and votes). A leader that removed itself leads until that is
 * committed, without counting itself, and then steps down.
 *
 * Learners do not campaign, nor do removed members once they know that their removal is committed; before
 * that they must, without counting themselves, as they may be the only ones who can get it committed
 * (dissertation 4.2.2). Who is asked for a vote answers whether it knows the candidate or not (it may not
 * know yet). A member that is removed is sent the log until it knows that this is committed, for E at most;
 * and again for E when it asks the leader for a PreVote later. Until then messages to it go on, though it is
 * in no membership. If the membership has ever changed and nobody campaigns for 6 E, the arbiter does: the
 * others may not know of their votes.
 *
 * READS (dissertation, 6.4)
 *
 * raft_read on a leader whose no-op is committed: done with the commit index of that moment once a quorum has
 * answered a round sent after the call. All that are open are lost with the leadership.
 *
 * Every function that can be called by a mistaken message or a late caller answers with a code; assertions
 * guard only what a bug in this folder or a caller who breaks the order above could cause. Two leaders in one
 * term stop the process (I1). */
#ifndef MHA_RAFT_RAFT_H
#define MHA_RAFT_RAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAFT_MEMBERS_MAX 16
#define RAFT_VOTERS_MAX 7          /* the rest are learners */
#define RAFT_ENTRY_BYTES_MAX 65536 /* one entry's data */
#define RAFT_APPEND_ENTRIES_MAX 64 /* in one APPEND */
#define RAFT_INFLIGHT_MAX 32       /* APPENDs with entries on their way to one member */
#define RAFT_SNAPSHOT_BYTES_MAX (16 * 1024 * 1024)
#define RAFT_ARBITER_BEHIND 256 /* entries */
#define RAFT_READS_MAX 64       /* open reads: a further one is refused as busy */
/* Entries that a leader may have open: a further proposal is refused as busy. */
#define RAFT_UNCOMMITTED_MAX 4096

struct raft;

enum raft_member_kind { RAFT_DATA, RAFT_ARBITER };

struct raft_member {
    uint64_t id; /* not 0 */
    enum raft_member_kind kind;
    bool voter;
};

struct raft_membership {
    unsigned count;
    struct raft_member members[RAFT_MEMBERS_MAX]; /* ascending ids: rank = place among voting data members */
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
    RAFT_SNAPSHOT,
    RAFT_SNAPSHOT_REPLY,
};
#define RAFT_MESSAGE_KINDS (RAFT_SNAPSHOT_REPLY + 1)

/* One message; fields that a kind does not name are 0.
 *
 * PREVOTE: term = the term it would campaign in (own + 1), log_index/log_term = end of its durable log.
 *
 * PREVOTE_REPLY: granted; term = the asked term if granted, else the voter's own; log_short: refused for
 * nothing but a shorter log; retry_after_us: refused for stickiness, which ends in that time.
 *
 * VOTE: term, log_index/log_term = end of its durable log, transfer = asked for by TIMEOUT_NOW.
 *
 * VOTE_REPLY: granted, term, log_short, retry_after_us.
 *
 * APPEND: term, log_index/log_term = the entry before `entries`, commit, entries, round, election_us = E.
 *
 * APPEND_REPLY: term; granted: log_index = the last index that is now known to match and durable; refused:
 * log_index/log_term = hint for fast backtracking (dissertation 3.5: the term of the conflicting entry and
 * the first index it stores for that term, or the end of a shorter log with term 0); round = echo;
 * election_us = promised E; snapshot_index = its own log starts after this.
 *
 * TIMEOUT_NOW: term.
 *
 * SNAPSHOT: term; log_index/log_term = the snapshot's last entry; offset, total_bytes; data, size = the
 * chunk.
 *
 * SNAPSHOT_REPLY: term; log_index/log_term as asked; offset = the next byte that it wants; granted = it has
 * the whole of it, durably, or does not need it; then log_index is an index that matches there, as in a
 * granted APPEND_REPLY. */
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
    uint64_t snapshot_index;
    uint64_t offset;
    uint64_t total_bytes;
    const void *data; /* a chunk */
    size_t size;
};

struct raft_snapshot {
    uint64_t index; /* of the last entry that it covers */
    uint64_t term;
    const void *data; /* the owner's encoding; `decode_snapshot` finds the membership in it */
    size_t size;
};

/* What a raft_read came to. */
struct raft_read {
    uint64_t read;  /* its number */
    uint64_t index; /* done: apply up to here, then answer */
    bool done;      /* false: lost with the leadership */
};

struct raft_send {
    struct raft_message message;
    uint64_t after_write; /* the number of the write that must be durable first; 0: none */
};

/* Valid until the next input to the same struct raft. Entries point into the log. */
struct raft_output {
    bool has_write;
    uint64_t write; /* its number, from 1, without gaps */
    bool has_snapshot;
    struct raft_snapshot snapshot; /* came from the leader */
    bool has_hard_state;
    struct raft_hard_state hard_state;
    const struct raft_entry *entries; /* the first supersedes everything stored at and after its index */
    unsigned entry_count;
    const struct raft_send *messages;
    unsigned message_count;
    uint64_t commit_index;
    const struct raft_read *reads;
    unsigned read_count;
};

enum raft_role { RAFT_FOLLOWER, RAFT_PRECANDIDATE, RAFT_CANDIDATE, RAFT_LEADER };

struct raft_config {
    uint64_t id;
    uint64_t heartbeat_us; /* H, 1 ms .. E/3 */
    uint64_t election_us;  /* E, 30 ms .. 60 s */
    unsigned chunk_bytes;  /* of a snapshot, 1 .. 65536; 0: 32768 */
    /* Pure; false: not a membership. NULL: no MEMBERSHIP entry and no snapshot from a leader is taken. */
    bool (*decode_membership)(const void *data, size_t size, struct raft_membership *out);
    bool (*decode_snapshot)(const void *data, size_t size, struct raft_membership *out);
};

/* What the disk held. `entries` (ascending, without gaps, the first follows snapshot_index) are copied. */
struct raft_restored {
    struct raft_hard_state hard_state;
    /* As of snapshot_index; MEMBERSHIP entries in the log override it. Empty: a new member that was told
     * nothing yet. It has no vote, answers everybody, and learns who is in the group from the log. */
    struct raft_membership membership;
    struct raft_snapshot snapshot; /* index 0: none, or only a founding membership. Data is copied */
    const struct raft_entry *entries;
    unsigned entry_count;
    bool restarted; /* it may have promised something: no vote and no campaign for one promised E */
};

struct raft_peer_status {
    uint64_t id;
    uint64_t heard_us;         /* leader: when its last answer of this term arrived; 0: never */
    uint64_t answered_sent_us; /* leader: when the newest round that it answered was sent; 0: none */
    uint64_t match_index;      /* leader: durable there */
    uint64_t snapshot_bytes;   /* leader: of a snapshot on its way there, so much has arrived; 0: none */
};

struct raft_status {
    enum raft_role role;
    uint64_t term;
    uint64_t leader; /* 0: unknown */
    bool ready;      /* leader, and the no-op of this term is committed */
    bool current;    /* an entry of this term is committed here: so is all that came before this leader */
    uint64_t commit_index;
    uint64_t last_index;
    uint64_t snapshot_index;   /* the log starts after it */
    uint64_t membership_index; /* of the MEMBERSHIP entry that counts now; 0: none in the log */
    bool voter;                /* this member votes, by the membership that counts */
    uint64_t lease_until_us;   /* 0: none */
    bool lease_ended;          /* raft_end_lease was called in this term */
    uint64_t round_sent_us;    /* leader: send time of the newest round that a quorum answered (0: none) */
    uint64_t leader_since_us;  /* leader: when it won; 0 otherwise */
    uint64_t heard_leader_us;  /* when the last valid APPEND or SNAPSHOT of any leader came */
    uint64_t campaign_us;      /* when the last campaign (PreVote round that was won) began */
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
/* A message with nonsense in it (wrong kind, index overflow, contradictions) is dropped and counted, never
 * trusted. So are answers and TIMEOUT_NOW from senders that are not in the membership; their other requests
 * are answered, unless `decode_membership` is NULL. Data is copied. */
void raft_receive(struct raft *raft, uint64_t now_us, const struct raft_message *message);
/* Data is copied. `index` is where it will stand if it commits. COMMAND and MEMBERSHIP are taken: no-ops are
 * the leader's own. For MEMBERSHIP: RAFT_INVALID if it is no single change as above, leaves no data member
 * with a vote, makes more than RAFT_VOTERS_MAX voters, or `decode_membership` refuses it; RAFT_BUSY while
 * another change or the no-op of the term is not committed, while a learner that is to vote lacks something
 * committed, or while fewer than a quorum of the new voters have been heard within E. */
enum raft_code raft_propose(struct raft *raft, uint64_t now_us, enum raft_entry_kind kind, const void *data,
                            size_t size, uint64_t *index);
void raft_persisted(struct raft *raft, uint64_t now_us, uint64_t write, uint64_t index, uint64_t term);

void raft_end_lease(struct raft *raft, uint64_t now_us);
void raft_released(struct raft *raft, uint64_t now_us);
enum raft_code raft_transfer(struct raft *raft, uint64_t now_us, uint64_t to);
enum raft_code raft_renew_term(struct raft *raft, uint64_t now_us);
/* Added to the election timeout of this node: others go first, but it goes in the end. Bounded to 4 E. */
void raft_set_campaign_delay(struct raft *raft, uint64_t now_us, uint64_t delay_us);

/* The owner's snapshot up to `snapshot->index`, which it has applied, is durable. Data is copied.
 * RAFT_INVALID: not applied yet (beyond the commit index, or not handed out), not newer than the one before,
 * too large, or `decode_snapshot` does not find the membership as of that index in it. */
enum raft_code raft_compact(struct raft *raft, uint64_t now_us, const struct raft_snapshot *snapshot);
/* RAFT_NOT_LEADER, RAFT_BUSY (the no-op is not committed, or too many). `read` is its number. */
enum raft_code raft_read(struct raft *raft, uint64_t now_us, uint64_t *read);

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
