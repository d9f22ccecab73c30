/* replica.h - a running member of one group: raft + store + net on a libevent loop.
 *
 * The agent has one; the arbiter has one for each cluster that it serves, all on one struct net (one
 * listening port, the cluster chosen by the TLS identity). It turns events into raft inputs and carries out
 * the outputs in the order that raft.h demands; one fdatasync covers all that waited. It forms the group on a
 * first start (formation.h). From then on the membership in the log says who is a member and who votes; the
 * configured nodes are where to dial (a configured address comes before the membership's).
 *
 * All callbacks come from the loop, never from inside a call of the owner's. Inside one the owner may call
 * everything but replica_close. A command of the owner's that has no effect brings no `changed`. */
#ifndef MHA_REPLICA_REPLICA_H
#define MHA_REPLICA_REPLICA_H

#include <event2/event.h>

#include "common/base/error.h"
#include "common/base/trace.h"
#include "common/net/net.h"
#include "common/raft/raft.h"
#include "common/raft/trace.h"
#include "common/store/files.h"

#define REPLICA_NAME_BYTES 64
#define REPLICA_ADDRESS_BYTES 128
#define REPLICA_APPLICATION_BYTES_MAX (256 * 1024)

/* A member as the configuration file names it. */
struct replica_node {
    char name[REPLICA_NAME_BYTES];
    char address[REPLICA_ADDRESS_BYTES]; /* host:port, [v6]:port */
    bool arbiter;
};

struct replica_config {
    const char *cluster;
    const char *name;   /* one of nodes[] */
    const uint8_t *key; /* NET_KEY_BYTES, copied */
    const char *data_dir;
    uint64_t heartbeat_us;
    uint64_t election_us;
    unsigned node_count;
    const struct replica_node *nodes;
    struct trace
        *trace; /* every input and output of raft goes there, too (common/raft/trace.h); NULL: none */
    const struct files *files; /* NULL: the real ones */
};

struct replica_callbacks {
    /* A committed COMMAND entry, in order, each once since replica_open; at a start from the entry behind the
     * snapshot that is on disk. ERR_*: it cannot be read (a newer program's command), and this member stops
     * with that text: what was agreed on is never skipped. */
    enum error_code (*apply)(void *context, uint64_t index, uint64_t term, const void *data, size_t size,
                             struct error *err);
    /* Something in replica_status or replica_member changed. Batched: once per loop turn. */
    void (*changed)(void *context);
    /* Bytes that another member's replica_send carried. */
    void (*message)(void *context, uint64_t from, const void *data, size_t size);
    /* The store failed, or an invariant: the owner logs and exits with status 1. */
    void (*fatal)(void *context, const char *why);
    /* The owner's state as of what was applied last, packed, from malloc: for a snapshot. false: no memory,
     * ask again later. NULL: this owner has no state (an arbiter): its log gets shorter by the snapshots that
     * a leader sends. */
    bool (*pack_state)(void *context, uint8_t **state, size_t *size);
    /* Take this state instead of the one that was applied so far: of the snapshot on disk, right after a
     * start, or of one that the leader sent. ERR_*: as for `apply`. NULL: no state. */
    enum error_code (*restore_state)(void *context, uint64_t index, const void *state, size_t size,
                                     struct error *err);
    /* Of replica_read; `done` false: the leadership is lost, and with it the read. */
    void (*read_done)(void *context, uint64_t read, bool done);
};

/* A member makes a snapshot, and its log starts anew behind it, once one of these has come together since the
 * last one; at a quiet moment, so that it does not stand in the way of a failover, but at the latest at twice
 * as much. So the log stays under about 1 MiB on disk (wal.h: WAL_SEGMENT_BYTES), for a member that was away
 * too: what it lacks is sent as a snapshot. An arbiter follows within RAFT_ARBITER_BEHIND entries. */
#define REPLICA_COMPACT_ENTRIES 256
#define REPLICA_COMPACT_BYTES (96 * 1024)
#define REPLICA_COMPACT_QUIET_US 1000000u /* nothing was applied for so long */

struct replica;

/* The group of a node as far as it is known: from the membership once formed, from the configuration before.
 */
struct replica_member {
    uint64_t id; /* 0: not known yet */
    const char *name;
    const char *address;
    bool arbiter;
    bool voter; /* false: let in, and catching up */
    bool self;
    bool outside;        /* this node, which the group has not let in, or has removed */
    bool connected;      /* our connection to it is up */
    uint64_t heard_us;   /* the last frame from it; 0: never */
    const char *trouble; /* why it is not connected, for a person; "" */
};

/* One that presented itself lately and is no member: by what command it could be let in says `replaces`. */
struct replica_stranger {
    uint64_t id;
    const char *name;
    const char *address;
    bool arbiter;
    bool replaces; /* a member has its name: member replace; else: member add */
    uint64_t seen_us;
};
#define REPLICA_STRANGERS_MAX 8

enum error_code replica_open(struct event_base *base, struct net *net, const struct replica_config *config,
                             const struct replica_callbacks *callbacks, void *context, struct replica **out,
                             struct error *err);
void replica_close(struct replica *replica);

bool replica_formed(const struct replica *replica);
/* Why it is not formed yet, for a person; "" when formed. */
const char *replica_forming(const struct replica *replica);
uint64_t replica_id(const struct replica *replica);
void replica_status(struct replica *replica, struct raft_status *out);
/* This node, which the group may not have, and its members: REPLICA_TOLD_MAX at most. */
#define REPLICA_TOLD_MAX (RAFT_MEMBERS_MAX + 1)
unsigned replica_member_count(const struct replica *replica);
void replica_member(const struct replica *replica, unsigned i, struct replica_member *out);

/* ERR_NOT_LEADER, ERR_BUSY. Committed or not is seen by apply (or a change of term). */
enum error_code replica_propose(struct replica *replica, const void *data, size_t size, uint64_t *index,
                                struct error *err);
/* To one member, or with to = 0 to every data member; dropped where there is no connection (bounded queue),
 * like any datagram. */
void replica_send(struct replica *replica, uint64_t to, const void *data, size_t size);

/* A change of the members, by one. The leader lets in whom it has seen present itself; the newcomer gets its
 * vote from whoever leads once it has caught up. REPLICA_REPLACE takes out the identity that the name has and
 * lets in the one that presents itself now. Done: as replica_member says and replica_settled.
 * ERR_NOT_LEADER; ERR_BUSY: not now; ERR_REFUSED: against a rule. Whom the owner's rules keep in the group he
 * checks before. */
enum replica_change { REPLICA_ADD, REPLICA_REMOVE, REPLICA_REPLACE };
enum error_code replica_change_member(struct replica *replica, enum replica_change change, const char *name,
                                      struct error *err);
/* Is the membership that replica_member tells committed, with nothing left to do? */
bool replica_settled(const struct replica *replica);
/* What is left to do, for a person; "". In `text`. */
const char *replica_changing(const struct replica *replica, char *text, size_t size);
/* Why this node takes no part any more, for a person; "" for a member. */
const char *replica_removed(const struct replica *replica);
/* How many were written to `out`. */
unsigned replica_strangers(const struct replica *replica, struct replica_stranger *out, unsigned most);

/* A linearizable read: everything that was committed anywhere before this call is applied here when
 * callbacks.read_done says so. ERR_NOT_LEADER; ERR_BUSY: too many, or the leadership is a moment old. */
enum error_code replica_read(struct replica *replica, uint64_t *read, struct error *err);

void replica_end_lease(struct replica *replica);
void replica_released(struct replica *replica);
enum error_code replica_transfer(struct replica *replica, uint64_t to, struct error *err);
enum error_code replica_renew_term(struct replica *replica, struct error *err);
void replica_set_campaign_delay(struct replica *replica, uint64_t delay_us);

/* For replaying a trace. */
extern const struct raft_trace_codec replica_trace_codec;

#endif
