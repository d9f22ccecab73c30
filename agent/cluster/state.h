/* state.h - the replicated state of a cluster, and the commands that change it.
 *
 * Every data node applies the same committed commands in the same order and so holds the same state. Applying
 * is pure. A command names what its proposer saw (an epoch, a version, an id); if that is no longer so, the
 * command is void: it changes nothing, everywhere. The rules behind the guards stand in the design,
 * section 5. */
#ifndef MHA_CLUSTER_STATE_H
#define MHA_CLUSTER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"

#define CLUSTER_SYNC_MAX 7
#define CLUSTER_HISTORY_MAX 32
#define CLUSTER_ASIDES_MAX 16
#define CLUSTER_TEXT_BYTES 192    /* reasons and outcomes */
#define CLUSTER_POSITION_BYTES 64 /* one GTID */
#define CLUSTER_COMMAND_BYTES_MAX 4096

struct sync_member {
    uint64_t node;
    uint64_t incarnation;
};

struct sync_set {
    uint64_t version;
    unsigned acks;
    unsigned count;
    struct sync_member members[CLUSTER_SYNC_MAX];
};

struct cluster_primary {
    uint64_t node; /* 0: none yet */
    uint64_t epoch;
    bool opened;
    char epoch_position[CLUSTER_POSITION_BYTES];
    uint64_t incarnation;
};

struct cluster_phases {
    uint64_t detected_us, elected_us, frozen_us, drained_us, promoted_us, announced_us;
};

struct cluster_change {
    uint64_t id;
    Mha__ChangeKind kind;
    uint64_t from, to;
    uint64_t epoch;
    char reason[CLUSTER_TEXT_BYTES];
    struct cluster_phases phases;
    bool complete;
};

struct cluster_switchover {
    uint64_t id; /* 0: none; it is done once `to` is open */
    uint64_t from, to;
    uint64_t epoch; /* of the primary that it moves away from; of `to` once that is promoted */
    uint64_t timeout_us;
};

struct cluster_pause {
    uint64_t id; /* 0: none */
    uint64_t holder;
    uint64_t epoch;
    uint64_t length_us;
};

struct cluster_force {
    uint64_t id; /* 0: none */
    uint64_t node;
    bool old_primary_is_off;
};

/* A data node that is kept out of the sync set. While it stands here no command takes the node in: what is
 * done to its database then is done to no member. */
struct cluster_aside {
    uint64_t id;
    uint64_t node;
    Mha__AsideKind kind;
    uint64_t donor; /* 0: a replica when there is one, else the primary */
    bool by_operator;
    bool cancelled;
    uint32_t rate_mb; /* 0: as configured */
};

struct cluster_init {
    uint64_t id; /* 0: none */
    uint64_t node;
    bool discard_others;
};

struct cluster_state {
    struct sync_set sync;
    struct cluster_primary primary;
    struct cluster_switchover switchover;
    struct cluster_pause pause;
    struct cluster_force force;
    struct cluster_init init;
    unsigned aside_count;
    struct cluster_aside asides[CLUSTER_ASIDES_MAX];
    unsigned history_count;
    struct cluster_change history[CLUSTER_HISTORY_MAX]; /* the newest last */
    uint64_t next_id;                                   /* of changes and requests, from 1 */
    uint64_t last_request_id;                           /* the newest request that ended */
    char last_request_outcome[CLUSTER_TEXT_BYTES];      /* starts with "done" or "failed" */
};

enum cluster_command_kind {
    COMMAND_PROMOTE,
    COMMAND_OPENED,
    COMMAND_SYNC,
    COMMAND_SWITCHOVER,
    COMMAND_SWITCHOVER_END,
    COMMAND_PAUSE,
    COMMAND_RESUME,
    COMMAND_FORCE,
    COMMAND_FORCE_END,
    COMMAND_PHASES,
    COMMAND_ASIDE,
    COMMAND_ASIDE_CANCEL,
    COMMAND_ASIDE_END,
    COMMAND_INIT,
    COMMAND_INIT_END,
};
#define CLUSTER_COMMANDS (COMMAND_INIT_END + 1)

/* The fields mean what the messages of cluster.proto say; each kind uses those that its message has. */
struct cluster_command {
    enum cluster_command_kind kind;
    uint64_t node;  /* promote, force, aside, init; switchover: the target */
    uint64_t epoch; /* promote, opened, sync, switchover, pause, phases */
    uint64_t replaces_epoch;
    uint64_t incarnation;
    uint64_t id; /* ends, cancels, resume; switchover: the requester's number */
    uint64_t timeout_us;
    uint64_t length_us;
    bool old_primary_is_off;
    Mha__AsideKind aside;
    uint64_t donor;
    uint32_t rate_mb;
    bool by_operator;
    bool discard_others;
    Mha__ChangeKind change;
    struct sync_set sync;
    struct cluster_phases phases;
    char position[CLUSTER_POSITION_BYTES];
    char text[CLUSTER_TEXT_BYTES]; /* reason, outcome */
};

void cluster_state_init(struct cluster_state *state);

/* NULL: applied. Otherwise void, `state` unchanged, and why (static text). */
const char *cluster_state_apply(struct cluster_state *state, const struct cluster_command *command);

const struct sync_member *cluster_sync_find(const struct sync_set *sync,
                                            uint64_t node); /* NULL: not a member */

const struct cluster_aside *cluster_aside_find(const struct cluster_state *state,
                                               uint64_t node); /* NULL: none */

/* The packed size, 0 if it does not fit. */
size_t cluster_command_pack(const struct cluster_command *command, uint8_t *out, size_t size);
/* false: not a command that this program knows. A newer program's command must never be skipped silently: the
 * caller stops. */
bool cluster_command_unpack(const uint8_t *data, size_t size, struct cluster_command *out);

/* For status and snapshots; free with mha__cluster_state__free_unpacked(.., NULL). NULL: no memory. */
Mha__ClusterState *cluster_state_to_message(const struct cluster_state *state);
/* false: not a state that this program knows as a whole (another format, a field or value of a newer
 * program); `state` is then unchanged. The caller stops: what was agreed on is never skipped. */
bool cluster_state_from_message(const Mha__ClusterState *message, struct cluster_state *state);

#endif
