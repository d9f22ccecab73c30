/* policy.h - the failover policy: what is, compared with what should be, answered with the next step.
 *
 * policy_decide is a pure function of its input. It reconciles by level: it remembers no half-done procedure,
 * so that an agent killed between any two steps carries on after its restart. What needs "since when" (a
 * replica silent for longer than E, a phase's duration) stands in a struct policy_tracker, which policy_track
 * derives from the same inputs; a lost tracker costs time, never safety.
 *
 * The rules are those of the design: section 4 (leases), 5 (commit rule, promotion rule), 6 (what happens
 * when). Where each lives:
 *
 *   policy.c       the decision: leader or not; when to campaign
 *   look.c         what is: questions to the input that all parts ask
 *   track.c        since when: what is remembered of earlier inputs
 *   promotion.c    who may be promoted: the promotion rule, on every node alike
 *   first_start.c  the leader of a cluster that has had no primary yet
 *   lead.c         the leader: whom to promote, take over, give up
 *   serve.c        the leader whose database is the primary: open, serve
 *   sync_set.c     the leader: members of the sync set and k, one step at a time
 *   available.c    durability = "available": how far a replica lags
 *   commit_rule.c  the leader: the rule in the server, and the end of the log under it
 *   requests.c     the leader: switchover, pause, forced failover, who may leave the group
 *   rebuild.c      databases that are made anew, nodes that are drained
 *   follow.c       everybody else: close, freeze, follow, start the server
 *   explain.c      what a forced failover would lose
 *   summary.c      sentences for the operator */
#ifndef MHA_CLUSTER_POLICY_H
#define MHA_CLUSTER_POLICY_H

#include "agent.pb-c.h"
#include "agent/cluster/position.h"
#include "agent/cluster/state.h"
#include "common/raft/raft.h"

#define POLICY_NODES_MAX RAFT_MEMBERS_MAX

/* What is known of one member, this node included. */
struct policy_node {
    uint64_t id; /* 0: not known yet */
    const char *name;
    bool arbiter;
    bool learner; /* a data node without a vote: it follows, and is in no sync set */
    bool self;
    bool outside;                  /* self only: the group has not let it in, or has removed it */
    uint64_t heard_us;             /* the last frame from it; 0: never. Self: now */
    const Mha__NodeReport *report; /* its newest; NULL: none. Self: made from own observations */
    uint64_t reported_us;          /* when that came */
};

/* An operation on the own database, as a request of dbworker.proto. */
enum policy_db_op {
    DB_OP_NONE,
    DB_OP_FENCE,
    DB_OP_CLOSE,
    DB_OP_FREEZE,
    DB_OP_DRAIN,
    DB_OP_FOLLOW,
    DB_OP_PROMOTE,
    DB_OP_OPEN,
    DB_OP_SET_COMMIT_RULE,
    DB_OP_SET_ACKNOWLEDGING, /* ACKS_ANY and ACKS_COUNT: one node's acknowledgements count here, or not */
};
#define POLICY_DB_OPS (DB_OP_SET_ACKNOWLEDGING + 1)

/* A command for the own database server's process. */
enum policy_server_op { SERVER_OP_NONE, SERVER_OP_START_IN_PLACE, SERVER_OP_START_TO_FOLLOW };

/* What a commit can wait for in the database of this cluster, and so what its rule is made of. N is the
 * number of voting data nodes. */
enum policy_acks_kind {
    ACKS_ANY,   /* MariaDB: one acknowledgement of anybody who may: k <= 1, M = {primary, one replica} */
    ACKS_COUNT, /* MySQL: k acknowledgements of anybody who may: k <= N/2, M = all healthy data nodes */
    ACKS_NAMED, /* PostgreSQL: "ANY k (names)": k <= N/2, M = all healthy data nodes, the names are M */
};

struct policy_settings {
    uint64_t heartbeat_us;
    uint64_t election_us;
    uint64_t probe_timeout_us;
    bool has_vip;
    enum policy_acks_kind acks_kind;
    /* An operator's choice: commits wait for nobody, and a failover takes the best that is there, if it lags
     * by no more than lag_most_us: acknowledged writes may be lost. */
    bool durability_available;
    uint64_t lag_most_us;
    bool rejoin_auto; /* a node that holds something alone is rebuilt by itself, that saved first */
};

/* Where the primary's log ended, and when, as this node heard it (available.c). Kept over terms. */
#define POLICY_MARKS 8
struct policy_marks {
    uint64_t epoch; /* of the primary */
    unsigned count;
    struct {
        uint64_t at_us;
        struct position end;
    } list[POLICY_MARKS]; /* the newest last */
    uint64_t last_us;
    struct position last; /* the very newest */
};

struct policy_input {
    uint64_t now_us;
    struct policy_settings settings;
    const struct raft_status *raft;
    const struct cluster_state *state; /* all that is committed is applied to it */
    unsigned node_count;
    const struct policy_node *nodes;
    const struct policy_node *self;
    const struct policy_marks *marks; /* of this node's tracker; NULL: none */
    const Mha__DbObservation *db;     /* own; NULL: the worker has not said anything yet */
    const Mha__VipState *vip;         /* own; NULL: vipd is not connected */
    uint64_t vip_released_epoch; /* vipd has confirmed: neither address nor lease of this epoch or lower */
    uint64_t vip_until_us;       /* no lease that was ever given to vipd ends later */
    bool db_busy;                /* an operation on the database is under way */
    /* The last operation of this very worker was carried out, so that its server runs no statement of an
     * earlier one (or of one that was given up): what is seen there stays until somebody of ours changes it.
     */
    bool db_settled;
    enum policy_db_op failed_op; /* the last operation of this term failed, with nothing done since */
    uint64_t failed_us;
    const char *failed_error;
    bool rebuilding; /* a rebuild of the own database runs: nothing else is done to it, and no worker sees it
                      */
    bool rebuild_unfinished; /* one has come to no end: no worker looks at the database, nothing starts it */
    uint64_t rebuild_id;     /* of the one that runs or ran last in this agent (cluster_aside.id); 0: none */
    uint64_t rebuild_failed_us; /* when the last one ended without success; 0: it did not */
    unsigned rebuild_failures;  /* so many in a row */
    bool server_busy;           /* a start command runs, or ran less than a second ago */
    bool proposal_pending;      /* a proposal of this term is neither applied nor lost */
    bool stopping; /* the agent was told to stop: give up what it holds, hand over, start nothing */
};

/* What the leader changes about the commit rule with the database's help. */
enum rule_change {
    RULE_CHANGE_NONE,
    RULE_CHANGE_FIRST, /* the first other member, and k from 0 to 1 */
    RULE_CHANGE_RAISE, /* k by one */
    RULE_CHANGE_DROP,  /* one member */
};

struct policy_near {
    uint64_t id;
    uint64_t near_us;  /* the last time that it held what was the end of the log a moment before; 0: never */
    uint64_t since_us; /* it receives, without a break */
};

/* Why a database must be made anew. */
enum policy_need {
    NEED_NONE,
    NEED_DIVERGED,   /* it holds transactions that the primary lacks */
    NEED_PURGED,     /* it cannot receive any more: its source has not got any more what it lacks, say */
    NEED_UNFINISHED, /* its last rebuild came to no end */
};

struct policy_ailing {
    uint64_t id;
    enum policy_need need;
    uint64_t since_us;
};

struct policy_member {
    uint64_t id;
    uint64_t joined_us;        /* it came in under this leader: it may have to change over yet; 0: no */
    uint64_t trouble_since_us; /* 0: none */
    uint64_t due_us;           /* in trouble until then, it is to be dropped */
    const char *trouble;       /* static text */
    uint64_t lacks_since_us; /* it lacks what was the end of the log, and receives nothing; 0: it does not */
    uint64_t received_log;   /* as it said then */
    bool stalled;            /* for too long: until it holds that */
};

/* Since when. Derived by policy_track; may be zeroed at any time. */
struct policy_tracker {
    struct policy_marks marks;
    uint64_t started_us; /* the own server was being started then, and has not answered since; 0: it has. Over
                            terms */
    /* The own receiver has given up: it is told to follow again then; 0: it has not. Over terms. */
    uint64_t follow_again_us;
    uint64_t follow_pause_us;                     /* before the next time */
    uint64_t term;                                /* all below is of this term */
    struct policy_member nodes[POLICY_NODES_MAX]; /* members of the sync set, without this one */
    unsigned node_count;
    bool members_known; /* the above was filled before, in this term */

    /* Who was dropped from the sync set for its trouble is taken in again after a calm time that grows. */
    struct policy_calm {
        uint64_t id;
        unsigned drops;
        uint64_t dropped_us;
    } calm[POLICY_NODES_MAX];

    uint64_t near_mark_us; /* 0: none */
    struct position near_mark;
    struct policy_near near[POLICY_NODES_MAX]; /* replicas that may join, or be counted on for a larger k */
    unsigned near_count;

    /* the change of the rule that is under way */
    enum rule_change change;
    uint64_t change_node;     /* who joins or leaves; 0 for raising k */
    uint64_t change_version;  /* of the sync set that it is made of */
    uint64_t change_since_us; /* when it began */
    uint64_t change_start;    /* of who joins: the start of its database that the end of the log is for */
    uint64_t strained_us;     /* since when commits wait for more than is committed; 0: they do not */
    uint64_t in_force_us;     /* the observation that first showed the rule as the change needs it; 0: none */
    uint64_t end_us;          /* 0: none */
    struct position end;      /* the end of the log at end_us, later than in_force_us */
    uint64_t raise_again_us;  /* after a failed try: not before this */
    uint64_t failed_node;     /* who was to join then: another one goes first */
    uint64_t locked_out_us;   /* when the server let no replica connect, last; 0: never */

    struct policy_ailing ailing[POLICY_NODES_MAX]; /* as the nodes of the input */
    uint64_t drained_since_us;                     /* somebody is drained */

    uint64_t switchover_since_us;   /* a switchover is under way */
    uint64_t applied_mark_us;       /* the end of the log at this time ... */
    struct position applied_mark;   /* ... which the target must have applied a moment later */
    bool target_is_near;            /* it had: writes may be stopped */
    uint64_t disk_trouble_since_us; /* the own disk is full, or takes no writes */
    uint64_t closed_since_us;       /* a switchover stopped the writes */
    uint64_t closed_us;             /* the observation that first showed the own database closed; 0: open */
    /* The own database was open in this term: the observation that first showed it closed after that,
     * UINT64_MAX: it is open still. 0: it never was. */
    uint64_t shut_us;
    uint64_t vip_trouble_since_us;   /* the address should be here and is not */
    uint64_t lease_ended_since_us;   /* raft's lease of this term was ended */
    uint64_t down_since_us;          /* the own database is down */
    uint64_t force_useless_since_us; /* the target of a forced failover is not usable */
    uint64_t unseen_since_us;        /* the own database cannot be observed */
    uint64_t opening_fails_since_us; /* operations that lead to the opening fail; until it is open */
    uint64_t opening_failed_us;      /* the last of them */

    /* phases of the present promotion */
    uint64_t frozen_us, drained_us, open_us, announced_us; /* when first seen; 0: not yet */
};

struct policy_output {
    enum policy_db_op db_op;
    uint64_t db_epoch;      /* follow, promote, open, set_commit_rule, set_acknowledging; freeze: the term */
    uint32_t db_acks;       /* promote, set_commit_rule */
    unsigned db_name_count; /* promote, set_commit_rule under ACKS_NAMED: who may acknowledge */
    const char *db_names[CLUSTER_SYNC_MAX]; /* node names; they point into the input */
    const char *db_node;                    /* set_acknowledging: the node's name, as seen by the worker */
    bool db_allowed;                        /* set_acknowledging */
    uint64_t db_timeout_us;                 /* close */
    const char *db_host;                    /* follow; points into the input */
    uint32_t db_port;
    bool db_standing_by;   /* follow: without acknowledging */
    const char *db_reason; /* fence; static or points into the input */
    bool db_watch;         /* look at the database quickly: a step waits for it */

    uint64_t lease_epoch; /* not 0: give raft's lease of this epoch to the database; 0: it has none */
    bool vip_hold;        /* and to vipd; false: release */
    bool vip_leave;       /* neither: it keeps the lease that it has, to that one's own end */

    enum policy_server_op server_op;
    uint64_t rebuild_from;    /* make the own database anew from this node's; 0: no */
    uint64_t rebuild_id;      /* for which cluster_aside */
    uint32_t rebuild_rate_mb; /* MB a second at most; 0: as configured */
    bool rebuild_cancel;      /* the one that runs */
    uint64_t aside_over;      /* for the report: of this cluster_aside nothing is under way here; 0: none */

    bool propose;
    struct cluster_command command;

    bool end_lease;
    bool released;
    bool renew_term;
    uint64_t transfer_to;

    uint64_t campaign_delay_us;
    bool promotable;
    char waiting_for[CLUSTER_TEXT_BYTES]; /* why this node does not do more; "" */
    uint64_t again_us;                    /* decide again at this time at the latest */
};

void policy_track(struct policy_tracker *tracker, const struct policy_input *input);
/* `tracker` is updated too where a decision itself starts a period (raising). */
void policy_decide(struct policy_tracker *tracker, const struct policy_input *input,
                   struct policy_output *output);

/* ---- operators' requests, checked on the leader ---- */

/* Fills `command` or `error` (what, why, remedy). `to` 0: the best candidate. */
bool policy_request_switchover(const struct policy_input *input, uint64_t to, uint64_t timeout_us,
                               struct cluster_command *command, char *error, size_t error_size);
bool policy_request_failover(const struct policy_input *input, uint64_t to, bool old_primary_is_off,
                             struct cluster_command *command, char *error, size_t error_size);
bool policy_request_pause(const struct policy_input *input, uint64_t length_us,
                          struct cluster_command *command, char *error, size_t error_size);
bool policy_request_resume(const struct policy_input *input, struct cluster_command *command, char *error,
                           size_t error_size);

/* The first start where it does not happen by itself. The outcome comes with the promotion, with
 * `discard_others` once all others follow. */
bool policy_request_init(const struct policy_input *input, uint64_t node, bool discard_others,
                         struct cluster_command *command, char *error, size_t error_size);
/* What a failover to `to` would lose, in lines for a person, from the last reports of the old primary and of
 * the sync set's members. Any node may be asked; the leader has heard most. */
void policy_explain_force(const struct policy_input *input, uint64_t to, char *text, size_t size);

/* `donor` 0: a replica when there is one, else the primary. A member of the sync set is dropped from it
 * first. Committed is not done: the outcome is that of any request (cluster_state.last_request_id), and until
 * then the node stands in cluster_state.asides. */
bool policy_request_rebuild(const struct policy_input *input, uint64_t node, uint64_t donor, uint32_t rate_mb,
                            struct cluster_command *command, char *error, size_t error_size);
/* Of a rebuild, or of a drain. */
bool policy_request_cancel(const struct policy_input *input, uint64_t node, struct cluster_command *command,
                           char *error, size_t error_size);
/* Takes a node out of the sync set and ends its acknowledgements, so that it may leave the group; its server
 * goes on. For who policy_may_leave refuses now; once that agrees, the change of membership follows, and the
 * drain ends with it (or by itself some minutes later). */
bool policy_request_drain(const struct policy_input *input, uint64_t node, struct cluster_command *command,
                          char *error, size_t error_size);

/* May this node leave the group now? Asked of the leader, before the change of membership is proposed. A node
 * leaves the sync set before it leaves the group: one that is in it, or is the primary, is refused with what
 * to do first (policy_request_drain). true for one that the group does not know: there is nothing to keep. */
bool policy_may_leave(const struct policy_input *input, uint64_t node, char *error, size_t error_size);

/* Another node could take over at once. */
bool policy_has_successor(const struct policy_input *input);

/* ---- for status ---- */

const char *policy_node_role(const struct policy_input *input, const struct policy_node *node);
/* "ok" or what is wrong, in a few words; may point into the input or to static text. */
const char *policy_node_health(const struct policy_input *input, const struct policy_node *node);
bool policy_node_reachable(const struct policy_input *input, const struct policy_node *node);
void policy_summary(const struct policy_input *input, char *summary, size_t summary_size, char *if_one_fails,
                    size_t if_one_fails_size);

#endif
