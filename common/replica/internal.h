/* internal.h - what the files of common/replica share; nothing outside this folder includes it.
 *
 *   replica.c    the owner's interface: open, close, ask, command
 *   engine.c     raft and store: an input, its output, one sync for all that waits
 *   snapshots.c  snapshots: the owner's, the leader's, the one on disk
 *   members.c    the membership that counts, and the peers by it; who was removed
 *   change.c     the membership changed: by an operator, and what the leader does of itself
 *   greeting.c   who may connect: what a greeting says, and those that were refused
 *   peers.c      the other members: links, greetings, frames
 *   formation.c  from configured nodes to a group that is formed */
#ifndef MHA_REPLICA_INTERNAL_H
#define MHA_REPLICA_INTERNAL_H

#include <sys/queue.h>

#include "common/base/trace.h"
#include "common/net/net.h"
#include "common/net/refusals.h"
#include "common/raft/trace.h"
#include "common/replica/membership.h"
#include "common/replica/replica.h"
#include "common/replica/settings.h"
#include "common/replica/wire.h"
#include "common/store/store.h"

#define REPLICA_PEERS_MAX (REPLICA_NODES_MAX + RAFT_MEMBERS_MAX)
#define REPLICA_FORMING_BYTES 512

struct peer { /* a slot; its name is "" while it is free */
    struct replica *replica;
    char name[REPLICA_NAME_BYTES];
    char address[REPLICA_ADDRESS_BYTES]; /* the configured one; the membership's if this node is not
                                            configured */
    bool arbiter;
    bool configured;
    uint64_t id; /* the membership's once formed, see vouched_id; before that what it last told us; 0: none */
    uint64_t vouched_id;    /* from a greeting with a newer membership than ours, that has both of us: we are
                               behind, and it may be the leader. 0: none */
    uint64_t vouched_index; /* that membership's */
    uint64_t former_until_us; /* it was removed and keeps its id until then, so that it can be told; 0 */
    struct net_link *link;    /* ours to it */
    bool welcomed;            /* both greetings on our link fit: frames may go */
    bool unformed;            /* so it said in its last greeting on our link */
    struct net_conn *conn;    /* its link to us, after a fitting greeting; NULL: none */
    uint64_t heard_us;
    char trouble[WIRE_REFUSED_BYTES]; /* why its greeting or ours did not fit; "" = nothing */
    uint64_t without_us_index; /* of its membership, which does not have us: we were removed, unless ours is
                                  newer. 0: none */
};

#define STRANGERS_MAX 8
/* One that greeted, or answered a greeting, and is no member: an operator may let it in. */
struct stranger {
    char name[REPLICA_NAME_BYTES]; /* "": a free slot */
    uint64_t id;
    char address[REPLICA_ADDRESS_BYTES]; /* as it said itself; "" from an older program */
    bool arbiter;
    uint64_t seen_us;
};

struct pending_write {
    uint64_t write;
    uint64_t index; /* of its last entry; 0: none */
    uint64_t term;
};

/* A message that waits for a write. */
struct held_message {
    STAILQ_ENTRY(held_message) entry;
    uint64_t after_write;
    uint64_t to;
    struct wire_bytes bytes;
};
STAILQ_HEAD(held_messages, held_message);

struct replica {
    struct event_base *base;
    struct net *net;
    struct net_group *group;
    struct replica_callbacks callbacks;
    void *context;

    char cluster[REPLICA_NAME_BYTES];
    char name[REPLICA_NAME_BYTES];
    uint64_t heartbeat_us;
    uint64_t election_us;
    unsigned node_count;
    struct replica_node nodes[REPLICA_NODES_MAX];
    uint64_t nodes_digest;

    uint64_t id;
    bool formed;
    struct replica_membership membership;
    char forming[REPLICA_FORMING_BYTES];

    unsigned peer_count;
    struct peer peers[REPLICA_PEERS_MAX];
    struct refusals refusals;
    struct stranger strangers[STRANGERS_MAX];
    bool removed;             /* as told to the log last */
    uint64_t change_again_us; /* the leader's next try to go on with a change */

    struct store *store;
    struct raft *raft; /* NULL until formed; its inputs and outputs go through the tracer */
    struct raft_tracer tracer;
    struct trace *trace; /* NULL: none */
    char trace_name[2 * REPLICA_NAME_BYTES];
    struct event *flush;
    struct event *timer;
    int timer_fd;
    struct pending_write *writes; /* appended, not synced */
    unsigned write_count;
    unsigned write_room;
    uint64_t durable_write;
    struct held_messages held;
    struct raft_read reads[RAFT_READS_MAX]; /* what they came to, until the end of this loop turn */
    unsigned read_count;
    unsigned reads_open; /* begun by the owner, and not told about yet */
    uint64_t commit_index;
    uint64_t applied_index;
    uint64_t applied_term;                        /* of the entry at applied_index */
    uint64_t applied_us;                          /* when that was */
    struct replica_membership applied_membership; /* as of applied_index */
    struct wire_snapshot restore;                 /* takes the state's place before anything else is applied;
                                                     memory NULL: none */
    uint64_t snapshot_index;                      /* of the snapshot on disk */
    struct replica_membership snapshot_membership;
    uint64_t membership_index; /* of the entry that `membership` comes from, or of the snapshot */
    struct replica_membership membership_before; /* the one before it, committed as all but the newest are */
    bool membership_dirty;                       /* the log has changed in a way that may have changed it */
    uint64_t compact_again_us;                   /* after a failed try: not before this */
    uint64_t campaign_delay_us;                  /* as commanded last */
    uint64_t full_logged_us;                     /* when "disk full" was logged last */
    bool changed;
    bool failed;
    bool fatal_told;
    char why_failed[ERROR_TEXT_BYTES];
};

/* ---- engine.c ---- */
enum error_code engine_open(struct replica *replica, struct error *err); /* the events */
void engine_close(struct replica *replica);
/* Starts raft from the membership and what the store held. */
enum error_code engine_start(struct replica *replica, struct error *err);
/* After every input to raft: carries out its output, up to the write, and sees to the rest in this loop turn.
 */
void engine_step(struct replica *replica);
/* The same after a command of the owner's, who is told of a change only if it had an effect: an owner who
 * commands anew whenever something changes shall not keep itself busy for ever. */
void engine_step_for_owner(struct replica *replica);
void engine_receive(struct replica *replica, const struct raft_message *message);
/* Is there room on the disk for one more entry? */
enum error_code engine_reserve(struct replica *replica, unsigned entry_count, size_t bytes,
                               struct error *err);
/* The owner will be told that something changed, or that all is over, before this loop turn ends. */
void engine_note_change(struct replica *replica);
void engine_fail(struct replica *replica, const char *why);

/* ---- snapshots.c ---- */
/* For raft_config. */
bool snapshots_decode_membership(const void *data, size_t size, struct raft_membership *out);
bool snapshots_decode(const void *data, size_t size, struct raft_membership *out);
/* What a start finds on disk (already unpacked), before raft begins; takes its memory. */
void snapshots_begin(struct replica *replica, struct wire_snapshot *snapshot);
void snapshots_end(struct replica *replica);
/* One from the leader, durably. */
enum error_code snapshots_save(struct replica *replica, const struct raft_snapshot *snapshot,
                               struct error *err);
/* Before anything is applied: a snapshot that came takes the state's place. */
void snapshots_restore(struct replica *replica);
/* After something was applied: makes one and shortens the log, if it is time. */
void snapshots_compact(struct replica *replica);

/* ---- members.c ---- */
/* The membership that counts, if it has changed: the newest in the log, or the snapshot's. */
void members_follow(struct replica *replica);
/* Gives the peers the ids of the membership; makes peers of members that are not configured, and lets go of
 * those that are neither. */
enum error_code members_learn(struct replica *replica, struct error *err);
/* What time brings: those who were removed have been told; are we? */
void members_tick(struct replica *replica, uint64_t now_us);
bool members_has(const struct replica_membership *membership, const char *name, uint64_t id);
/* The member of that name: one whose removal is not committed is a member still, as it may come to nothing,
 * and may need that very member for it. NULL: none. */
const struct replica_membership_member *members_find(const struct replica *replica, const char *name);

/* ---- change.c ---- */
/* On the leader: the next step of a change under way, if it is possible now. */
void change_step(struct replica *replica, uint64_t now_us);

/* ---- greeting.c ---- */
bool greeting_pack(const struct replica *replica, const char *to, const char *refused,
                   struct wire_bytes *out);
/* Both sides ask this of the other's greeting. "" in `why`: it fits; then peers_by_name has it. What does not
 * fit and might be let in is remembered. */
void greeting_judge(struct replica *replica, const struct wire_hello *hello, char why[WIRE_REFUSED_BYTES]);
/* It refuses us, and its membership is newer than ours and does not have us: the index of that; 0: not so. */
uint64_t greeting_lacks_us(const struct replica *replica, const struct wire_hello *hello);
/* NULL: none of that name was seen lately. */
const struct stranger *greeting_stranger(const struct replica *replica, const char *name, uint64_t now_us);
void greeting_forget(struct replica *replica, uint64_t id);

/* ---- peers.c ---- */
extern const struct net_callbacks peers_callbacks;
enum error_code peers_open(struct replica *replica, struct error *err);
struct peer *peers_by_name(struct replica *replica, const char *name);
struct peer *peers_by_id(struct replica *replica, uint64_t id);
/* false: there is no connection, or too much waits on it. */
bool peers_send(struct replica *replica, uint64_t to, const struct wire_bytes *bytes);
bool peers_connected(const struct peer *peer);
const char *peers_trouble(const struct peer *peer);
enum error_code peers_add(struct replica *replica, const char *name, const char *address, bool arbiter,
                          bool configured, struct error *err);
/* Ends its connections, both ways; it greets again. */
void peers_reset(struct peer *peer);
void peers_drop(struct peer *peer); /* the slot is free then */

#endif
