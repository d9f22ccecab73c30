/* internal.h - the state behind struct raft, and what the files of this folder offer each other.
 *
 * raft.c         create, inputs, tick, status
 * output.c       what leaves: messages, writes, numbers
 * election.c     when to campaign; PreVote and Vote, asked and answered
 * append.c       APPEND as a follower hears it
 * replicate.c    the leader: rounds, pipelines, answers, commit
 * read.c         reads that a quorum confirms
 * lease.c        contact with the quorum, the lease, the holds
 * transfer.c     handing the leadership over
 * snapshot.c     the newest snapshot: from the owner, from a leader
 * chunks.c       the leader: a snapshot on its way to a member
 * membership.c   arithmetic on a membership: who, how many, ranks
 * membership_change.c  which membership counts, what change of it may be proposed
 *
 * Every function takes the time from raft->now_us, set by the input that runs. */
#ifndef MHA_RAFT_INTERNAL_H
#define MHA_RAFT_INTERNAL_H

#include "common/raft/log.h"
#include "common/raft/raft.h"

#define RAFT_ELECTION_US_MIN 30000
#define RAFT_ELECTION_US_MAX 60000000
#define RAFT_HEARTBEAT_US_MIN 1000
#define RAFT_APPEND_BYTES_MAX (256 * 1024) /* of data in one APPEND, unless a single entry is larger */
#define RAFT_CHUNK_BYTES_MAX 65536
#define RAFT_CHUNK_BYTES_DEFAULT 32768
#define RAFT_INDEX_MAX (UINT64_MAX / 2) /* no log gets that long: one that claims it is made up */
#define RAFT_RETRY_US_MIN 500 /* a voter is not asked again sooner: two clocks may differ a little */

enum peer_mode {
    PEER_PROBE,   /* where its log meets ours is not known: one APPEND at a time */
    PEER_STREAM,  /* entries are sent as they come, `next_index` runs ahead of the answers */
    PEER_SNAPSHOT /* it lacks entries that the log has no more: none are sent until it has the snapshot */
};

/* A snapshot on its way to one member. */
struct raft_chunks {
    uint64_t index;   /* of the snapshot; 0: none on its way */
    uint64_t offset;  /* so many bytes have arrived */
    uint64_t sent_us; /* when the chunk at `offset` was sent */
    bool due;         /* that chunk leaves with the next output */
};

/* A snapshot that is being put together; `data` is NULL: none. It ends with the term, as the bytes of another
 * leader's may differ. */
struct raft_incoming {
    uint64_t index;
    uint64_t snapshot_term;
    size_t total;
    size_t received;
    unsigned char *data;
};

/* A read that no quorum has confirmed yet. */
struct raft_open_read {
    uint64_t read;
    uint64_t index;
    uint64_t round; /* that must be answered; 0: the next one */
};

/* One slot for each member, and one for a member that was removed and need yet be told. */
#define RAFT_SLOTS (RAFT_MEMBERS_MAX + 1)
#define RAFT_NO_SLOT RAFT_SLOTS

/* What is known of one member; the slot of this node itself stays unused. */
struct raft_peer {
    /* as a candidate */
    bool granted;
    bool refused;
    uint64_t granted_us; /* PreVote: when; an old grant says nothing about now */
    uint64_t ask_us;     /* ask (again) at this time */
    /* as a leader */
    enum peer_mode mode;
    uint64_t next_index;
    uint64_t match_index;
    bool probe_sent;
    bool heartbeat_due;
    bool commit_due;
    uint64_t inflight[RAFT_INFLIGHT_MAX]; /* ring: the last index of each APPEND under way */
    unsigned inflight_first;
    unsigned inflight_count;
    struct raft_chunks chunks;
    uint64_t snapshot_index; /* its own log starts after this, as far as it has said */
    uint64_t heard_us;
    uint64_t answered_sent_us; /* when the newest round that it answered was sent */
    uint64_t promised_sent_us; /* the same, of the rounds answered with a promise that covers E */
};

struct raft {
    struct raft_config config;
    struct raft_membership membership;      /* that counts */
    struct raft_membership base_membership; /* as of the snapshot */
    uint64_t membership_index;              /* of the entry that it stands in; 0: the snapshot's */
    unsigned self;                          /* index in membership.members; RAFT_NO_SLOT: not a member */
    bool arbiter;                           /* this node is one, or was while it was a member */
    uint64_t leaving_index; /* of the entry that took its vote: until that is committed, the vote may count;
                               0: none */
    uint64_t departing;     /* leader: removed, but not told yet; its slot follows the members'. 0: nobody */
    uint64_t departing_until_us;     /* told or not */
    uint64_t departing_committed_us; /* when that was seen to be committed; 0: not yet */
    uint64_t now_us;

    struct raft_hard_state hard;
    struct raft_log log;
    uint64_t commit_index;
    struct raft_snapshot snapshot; /* the log starts after it; its data is owned */
    bool snapshot_pending;         /* a leader's, which no output has handed out yet */
    struct raft_incoming incoming;

    enum raft_role role;
    uint64_t term_leader; /* who leads this term, once known; survives a campaign of ours in the same term */
    uint64_t leader;      /* whom we follow now; 0: nobody */
    uint64_t heard_leader_us;
    struct raft_peer peers[RAFT_SLOTS];

    /* election.c */
    uint64_t campaign_base_us; /* the campaign is due at this + the rank's spread + the delay */
    bool campaign_retry;       /* the base is a retry: the delay was waited for already */
    uint64_t campaign_delay_us;
    uint64_t campaign_began_us;
    uint64_t campaign_us; /* of the last campaign whose PreVote was won */
    uint64_t candidate_until_us;
    unsigned campaign_failures; /* since a leader was last heard */
    bool campaign_transfer;     /* the votes are asked for by TIMEOUT_NOW */
    uint64_t courtesy_until_us; /* a vote was just given: no PreVote until then, only to avoid duels */
    uint64_t last_leader;       /* ranks: the leader whose silence we wait out goes last */
    uint64_t arbiter_due_us;    /* the arbiter campaigns at this time; 0: not at all */
    uint64_t arbiter_favours;   /* the data node whose log was too short */

    /* replicate.c, lease.c, transfer.c */
    uint64_t leader_since_us;
    uint64_t noop_index;
    uint64_t round_us; /* the newest round; its number is the instant at which it was sent */
    bool round_queued; /* of that round no message has been made yet */
    bool lease_ended;
    uint64_t published_us; /* the last lease deadline that raft_status gave out and that is not released; 0:
                              none */
    uint64_t restart_hold_us; /* neither votes nor campaigns until this */
    uint64_t lease_hold_us;   /* the same, for the old lease of a leader that stepped down */
    uint64_t transfer_to;     /* 0: none under way */
    uint64_t transfer_until_us;

    /* read.c */
    struct raft_open_read reads[RAFT_READS_MAX]; /* in the order of the calls */
    unsigned read_count;
    uint64_t read_issued; /* the last number given out */
    struct raft_read read_results[RAFT_READS_MAX];
    unsigned read_result_count;

    /* output.c */
    uint64_t write_issued;
    uint64_t write_done;
    uint64_t write_since_us; /* the oldest outstanding write waits since (a notice restarts it) */
    bool hard_dirty;
    uint64_t hard_write; /* the write that carries the newest hard state */
    bool taken;
    struct raft_send *sends;
    bool *sends_wait; /* by message: until everything handed out is durable */
    unsigned send_count;
    unsigned send_capacity;
    struct raft_output output;
    uint64_t dropped_messages;
};

/* ---- raft.c ---- */

/* Around every input: takes the time, forgets the output that was taken; then does what the time asks for. */
void raft_input_begin(struct raft *raft, uint64_t now_us);
void raft_input_end(struct raft *raft);
/* A broken invariant (design, I1): says which on stderr and aborts. */
void raft_stop(const struct raft *raft, const char *what) __attribute__((noreturn));

/* ---- output.c ---- */

/* Queues `message`; from is filled in. With `wait` it leaves only when all that this node has decided up to
 * the next raft_take is on disk. A crash then looks like a return to an earlier moment whose messages were
 * lost. */
void raft_output_send(struct raft *raft, const struct raft_message *message, bool wait);
/* The hard state changed: the next write carries it. */
void raft_output_hard_state(struct raft *raft);
/* The number that the next write gets. */
uint64_t raft_output_next_write(const struct raft *raft);
/* Something is not on disk yet. */
bool raft_output_busy(const struct raft *raft);

/* ---- election.c ---- */

/* Back to follower, in `term` if that is a newer one. Within a term the vote stays (etcd 2461). */
void raft_election_follow(struct raft *raft, uint64_t term);
/* A valid APPEND of the term's leader arrived. */
void raft_election_heard(struct raft *raft, uint64_t leader, uint64_t election_us);
/* Campaign in a new term, without PreVote when `transfer`. */
void raft_election_campaign(struct raft *raft, bool transfer);
/* Someone stepped down on purpose: let the other one go first. */
void raft_election_stand_back(struct raft *raft, uint64_t for_us);
void raft_election_tick(struct raft *raft);
uint64_t raft_election_deadline(const struct raft *raft);
void raft_election_persisted(struct raft *raft);
void raft_election_receive_prevote(struct raft *raft, const struct raft_message *message);
void raft_election_receive_prevote_reply(struct raft *raft, unsigned peer,
                                         const struct raft_message *message);
void raft_election_receive_vote(struct raft *raft, const struct raft_message *message);
void raft_election_receive_vote_reply(struct raft *raft, unsigned peer, const struct raft_message *message);
const char *raft_election_waits_for(const struct raft *raft);

/* ---- append.c ---- */

void raft_append_receive(struct raft *raft, const struct raft_message *message);
/* Its kind, size and data; index and term depend on its place. */
bool raft_append_is_entry_valid(const struct raft *raft, const struct raft_entry *entry);
/* The sender of an APPEND or SNAPSHOT leads the message's term, which is not older than the own. */
void raft_append_follow_leader(struct raft *raft, const struct raft_message *message);

/* ---- replicate.c ---- */

/* The votes are won: the no-op of the term, the first round. */
void raft_replicate_lead(struct raft *raft);
void raft_replicate_tick(struct raft *raft);
uint64_t raft_replicate_deadline(const struct raft *raft);
void raft_replicate_receive_reply(struct raft *raft, unsigned peer, const struct raft_message *message);
/* A round after everything that was sent so far: now, or at the next instant. */
void raft_replicate_want_round(struct raft *raft);
/* The slot of a member of whom nothing is known yet: it is asked at once. */
void raft_replicate_begin(const struct raft *raft, struct raft_peer *peer);
/* The log of that member matches up to `match`, durably. */
void raft_replicate_granted(struct raft *raft, unsigned peer, uint64_t match);
/* Commits what a majority holds durably. */
void raft_replicate_commit(struct raft *raft);
/* Queues the APPENDs that are due; called by raft_take, so that what came in together leaves together. */
void raft_replicate_flush(struct raft *raft);

/* ---- lease.c ---- */

/* When the newest round was sent that a quorum answered, not before the leadership began. */
uint64_t raft_lease_contact_us(const struct raft *raft);
/* The same as 0 when no quorum has answered yet. */
uint64_t raft_lease_answered_us(const struct raft *raft);
/* 0: none. Gives nothing out. */
uint64_t raft_lease_until_us(const struct raft *raft);
/* Leader and lease ended, nothing that was published is still in force. */
bool raft_lease_is_over(const struct raft *raft);
/* The leadership ends: what was published holds this node back. */
void raft_lease_step_down(struct raft *raft);
/* Neither votes nor campaigns before this; may be in the past. */
uint64_t raft_lease_held_until_us(const struct raft *raft);
/* No vote for another one before this, by stickiness: a leader was heard (or is led here); may be in the
 * past. */
uint64_t raft_lease_sticky_until_us(const struct raft *raft);
/* The E that this node has promised or would promise. */
uint64_t raft_lease_promise_us(const struct raft *raft);

/* ---- read.c ---- */

/* A read waits for a round that has not begun. */
bool raft_read_wants_round(const struct raft *raft);
void raft_read_round_started(struct raft *raft);
/* Answers what a quorum has confirmed by now. */
void raft_read_step(struct raft *raft);
/* The leadership has ended. */
void raft_read_lose(struct raft *raft);

/* ---- transfer.c ---- */

/* Sends TIMEOUT_NOW once the target has everything; an arbiter finds its own target. */
void raft_transfer_step(struct raft *raft);
void raft_transfer_receive_timeout_now(struct raft *raft, const struct raft_message *message);

/* ---- snapshot.c ---- */

bool raft_snapshot_valid(const struct raft_snapshot *snapshot);
/* Copies it. false: no memory, and nothing has changed. */
bool raft_snapshot_keep(struct raft *raft, const struct raft_snapshot *snapshot);
void raft_snapshot_free(struct raft *raft);
/* What was put together so far came from a leader who leads no more. */
void raft_snapshot_forget_incoming(struct raft *raft);
void raft_snapshot_receive(struct raft *raft, const struct raft_message *message);

/* ---- chunks.c ---- */

/* The newest snapshot goes to that member, from its beginning unless it is on its way already. */
void raft_chunks_begin(struct raft *raft, struct raft_peer *peer);
void raft_chunks_stop(struct raft_peer *peer);
/* There is a newer snapshot: what was on its way is given up for it. */
void raft_chunks_restart(struct raft *raft);
/* An arbiter gets rid of its log's beginning only by a snapshot. */
bool raft_chunks_arbiter_is_behind(const struct raft *raft, unsigned peer);
void raft_chunks_flush(struct raft *raft, unsigned peer);
/* The member has answered the round that was sent at `round`: what was sent before that has arrived or is
 * lost. */
void raft_chunks_round_answered(struct raft_peer *peer, uint64_t round);
void raft_chunks_receive_reply(struct raft *raft, unsigned peer, const struct raft_message *message);

/* ---- membership_change.c ---- */

/* The members' slots and the departing one's. */
unsigned raft_slot_count(const struct raft *raft);
uint64_t raft_peer_id(const struct raft *raft, unsigned slot);
/* RAFT_NO_SLOT: a stranger. */
unsigned raft_peer_slot(const struct raft *raft, uint64_t id);
/* false: the entry holds no valid membership, or none are taken here. */
bool raft_change_decode(const struct raft *raft, const struct raft_entry *entry, struct raft_membership *out);
/* Whether the leader may append an entry with `membership` now. */
enum raft_code raft_change_check(const struct raft *raft, const struct raft_membership *membership);
/* A candidate that is no member: it may not know yet. The leader tells it. */
void raft_change_tell(struct raft *raft, uint64_t id);
/* The departing member knows that its removal is committed, or has had its time. */
void raft_change_step(struct raft *raft);
/* As of `index`, not before the snapshot. */
void raft_change_membership_at(const struct raft *raft, uint64_t index, struct raft_membership *out);
/* The log or the snapshot is another one: what counts now? */
void raft_change_restore(struct raft *raft);
/* After each append (a MEMBERSHIP entry counts from there), truncation, compaction of the log. */
void raft_change_appended(struct raft *raft, const struct raft_entry *entry);
void raft_change_truncated(struct raft *raft);
void raft_change_compacted(struct raft *raft);

/* ---- membership.c ---- */

/* One member more without a vote, one vote more, one member less, or the same ids, kinds and votes. */
bool raft_membership_is_single_change(const struct raft_membership *from, const struct raft_membership *to);
/* Someone could lead, and there are no more voters than RAFT_VOTERS_MAX. */
bool raft_membership_is_usable(const struct raft_membership *membership);
bool raft_membership_equal(const struct raft_membership *one, const struct raft_membership *other);

bool raft_membership_valid(const struct raft_membership *membership);
/* membership->count: not a member. */
unsigned raft_membership_find(const struct raft_membership *membership, uint64_t id);
unsigned raft_membership_voters(const struct raft_membership *membership);
/* The place of `id` among the voting data members, the one with id `last` (0: nobody) put at the end. */
unsigned raft_membership_rank(const struct raft_membership *membership, uint64_t id, uint64_t last);
/* A data member with a vote. */
bool raft_membership_may_lead(const struct raft_membership *membership, uint64_t id);
bool raft_membership_is_self_voter(const struct raft *raft);
bool raft_membership_is_self_arbiter(const struct raft *raft);
/* A voter; or one whose removal it does not know to be committed: it may be the only one who can get it
 * committed, by votes that do not include its own (dissertation 4.2.2). */
bool raft_membership_may_campaign(const struct raft *raft);

#endif
