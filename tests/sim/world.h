/* world.h - a whole group in one process, in virtual time: the real consensus code on models of clock,
 * network and disk.
 *
 * Everything that happens follows from one seed and from what the test does, so a failure replays exactly.
 * Time is `now_us` of the world; each node reads it through a clock of its own (offset and rate). The network
 * delays, loses, repeats and reorders; links are cut one way at a time. A node's disk is the real store on
 * files in memory: writes become durable later; a crash, which may come between any two steps of a node or in
 * the middle of a write, keeps any subset of the sectors that were not synced.
 *
 * After every step of every node the checkers (check.h) look at it; the first violation stops the world.
 *
 *   world.c   time, events, network        node.c   a node's life: inputs, outputs, crash
 *   node_inputs.c  what a node is asked    state.c  its state machine, snapshots, reads
 *   disk.c    the store and its files      shadow.c what the store has promised
 *   check.c   the invariants               counts.h what took effect
 *   chaos.c   random faults                story.c  tests as readable text
 *   world_look.c   what may be asked of a world without changing it
 *
 * Something can be put on top of each node (policy, database model): struct world_hooks. */
#ifndef MHA_SIM_WORLD_H
#define MHA_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/trace.h"
#include "common/raft/trace.h"
#include "tests/sim/counts.h"
#include "tests/sim/dice.h"

#define WORLD_NODES_MAX 10
#define WORLD_IDS_STEP 16 /* a node that was wiped has an id that is higher by this */
#define WORLD_RULES_MAX 16
#define WORLD_READS_MAX 64
#define WORLD_TEXT_BYTES 512

struct world;
struct store;
struct memory_disk;

/* What stands on top of a node. Any of them may be NULL. They may call the world_... inputs of node.c. */
struct world_hooks {
    void *context;
    void (*started)(struct world *world, unsigned node, void *context);
    void (*stopped)(struct world *world, unsigned node, void *context);
    void (*applied)(struct world *world, unsigned node, const struct raft_entry *entry, void *context);
    /* The state after all that was applied, from malloc, for a snapshot; and such a state in its place. With
     * config.compact_every both are needed, or neither. */
    void *(*save)(struct world *world, unsigned node, size_t *size, void *context);
    void (*restored)(struct world *world, unsigned node, uint64_t index, const void *state, size_t size,
                     void *context);
    /* After every input, with the status that the checkers saw (so its lease counts as published). */
    void (*observed)(struct world *world, unsigned node, const struct raft_status *status, void *context);
};

struct world_config {
    uint64_t seed;
    unsigned data_nodes; /* ids 1.., names A.. */
    unsigned arbiters;   /* the last ids, names X.. */
    uint64_t heartbeat_us;
    uint64_t election_us;
    uint64_t net_min_us, net_max_us;
    unsigned loss_permille, duplicate_permille;
    bool reorder; /* else each link keeps its order, like a connection */
    uint64_t disk_min_us, disk_max_us;
    unsigned clock_ppm_max; /* each node's clock runs at a rate within this of the true one */
    uint64_t segment_bytes; /* of the store's log; 0: 16384 */
    /* Beside the founding members: data nodes that are started, but not in the group before they are added.
     */
    unsigned spares;
    bool has_membership;    /* the group may change, and snapshots can be sent */
    unsigned compact_every; /* each data node takes a snapshot after about so many entries; 0: never */
    unsigned chunk_bytes;   /* of a snapshot on its way; 0: Raft's own */
    bool behind;            /* writes wait until a sync under way is done, before they are appended */
};

struct world_write {
    uint64_t number;
    bool has_hard_state;
    struct raft_hard_state hard_state;
    struct raft_entry *entries; /* owned, as are their data */
    unsigned entry_count;
    bool has_snapshot;             /* from a leader */
    struct raft_snapshot snapshot; /* owned */
    bool appended;                 /* the store has it; some of it may be on disk */
    bool in_shadow;                /* durable, though nobody was told yet */
    struct world_write *next;
};

/* A message that waits for a write, or is on its way. */
struct world_packet {
    struct raft_message message; /* owns its entries and their data, and its chunk */
    uint64_t after_write;
    uint64_t
        acknowledged_term; /* APPEND_REPLY: the term of the entry that it acknowledges, when it was made */
    struct world_packet *next;
};

/* disk.c. What was promised durable (the shadow), and the store that must have it. */
struct world_disk {
    bool written; /* something was, ever: the next start is a restart */
    struct raft_hard_state hard_state;
    uint64_t snapshot_index, snapshot_term;
    struct raft_entry *entries; /* after the snapshot */
    unsigned entry_count, capacity;
    uint64_t min_us, max_us;
    bool hung;
    bool behind;
    struct world_write *queue, *queue_end; /* not told durable, in order */
    uint64_t newest_appended;
    bool syncing;
    uint64_t sync_covers; /* the newest write that it makes durable */
    uint64_t sync_began_us, sync_done_us;
    bool saving; /* a snapshot, which may be there or not */
    uint64_t saving_index, saving_term;
    struct memory_disk *files;
    struct store *store; /* NULL: down */
    uint64_t identity;   /* what the store said first; 0: nothing yet */
    bool damaged, full, write_fails, sync_fails;
    bool cut_short; /* the power failed within a call of the store's */
    uint64_t capacity_bytes;
    uint64_t power_fails_in; /* file operations; UINT64_MAX: no */
};

/* machine.c: the state that follows from what was applied. */
struct world_machine {
    uint64_t index, term; /* of the newest entry in it */
    uint64_t chain;
    struct raft_membership membership;
};

struct world_node {
    char name[4];
    uint64_t id;
    enum raft_member_kind kind;
    bool up;
    bool refused;  /* its disk is damaged: it stays down */
    uint64_t life; /* counts starts: events of an earlier life are stale */
    struct raft *raft;
    struct raft_status status; /* after the last input */
    struct world_disk disk;
    struct world_packet *waiting; /* for writes, in order */
    uint64_t write_done;
    uint64_t applied_index;
    uint64_t commit_index; /* of the newest output */
    struct world_machine machine;
    uint64_t restoring_index; /* of a snapshot from a leader: nothing is applied before it is durable */
    uint64_t compact_after;   /* so many entries behind the last snapshot */
    uint64_t campaign_delay_us;
    uint64_t election_us, heartbeat_us; /* a profile of its own from its next start on; 0: the world's */
    uint64_t tick_at_us;
    uint64_t crash_in_steps; /* 0: no */
    unsigned crash_keeps;    /* permille, as world_crash has it */
    int64_t clock_offset_us;
    int64_t clock_ppm;
    uint64_t started_us;         /* by its own clock */
    uint64_t must_hold_until_us; /* by its own clock: may not vote before (what its disk had promised at the
                                    start) */
    uint64_t lease_until_us; /* published, by its own clock; outlives a crash of the process; 0: released */
    uint64_t lease_term;
    uint64_t sent[RAFT_MESSAGE_KINDS];  /* messages by kind, lost ones too */
    uint64_t heard_us[WORLD_NODES_MAX]; /* by its own clock, in this life: the last message of each other */
    uint64_t paused_until_us;           /* world time: no step before (its process is stopped) */
    uint64_t frozen_clock_us;           /* what its clock will show when it wakes; 0: it counts the pause */
    uint64_t pause_noticed_us;          /* paused_until_us of the last pause that held something up */
    uint64_t blind_until_us; /* world time: its clock did not count a pause, so its lease may seem to live */
    struct world_hooks hooks;
    struct raft_tracer tracer; /* every input and output of raft, into the file of the next line */
    struct trace *trace_file;
};

/* A read that was asked for and not answered. */
struct world_read {
    unsigned node;
    uint64_t life, read;
    uint64_t must_see; /* was committed somewhere when it was asked for */
    uint64_t index;    /* answered, but not applied so far; 0: not answered */
};

enum world_rule_action { WORLD_DROP, WORLD_DELAY };

/* Treats one kind of message on one link in its own way. */
struct world_rule {
    enum raft_message_kind kind;
    unsigned from, to;
    enum world_rule_action action;
    uint64_t delay_us;
};

struct world_event;
struct world_key;
struct world_check;

struct world {
    struct world_config config;
    uint64_t now_us;
    struct dice dice;
    struct counts counts;
    unsigned node_count;
    struct world_node nodes[WORLD_NODES_MAX];
    bool cut[WORLD_NODES_MAX][WORLD_NODES_MAX];         /* [from][to] */
    uint64_t slow_us[WORLD_NODES_MAX][WORLD_NODES_MAX]; /* more than the others */
    uint64_t last_arrival_us[WORLD_NODES_MAX][WORLD_NODES_MAX];
    struct raft_membership founding;
    struct world_read reads[WORLD_READS_MAX];
    unsigned read_count;
    struct world_rule rules[WORLD_RULES_MAX];
    unsigned rule_count;
    struct world_event *events; /* slots; those of `keys` are in use */
    struct world_key *keys;     /* a heap by time, then by number */
    size_t event_count, event_capacity;
    uint64_t event_number;
    struct world_check *check;
    bool trace;                       /* every message and crash on stdout */
    struct trace *trace_file;         /* TRACE_FILE in the environment: for replay_trace; NULL: none */
    char violation[WORLD_TEXT_BYTES]; /* "": all is well */
};

struct world *world_new(const struct world_config *config);
void world_free(struct world *world);

/* ---- chance: from the seed only ---- */
uint64_t world_random(struct world *world);
uint64_t world_between(struct world *world, uint64_t low, uint64_t high); /* both included */
bool world_chance(struct world *world, unsigned permille);

/* ---- time ---- */
/* Runs what is due until `until_us`, or until a violation (false). */
bool world_run(struct world *world, uint64_t until_us);
/* The next event; false: a violation, or nothing left before `until_us` (then it is that time). */
bool world_step(struct world *world, uint64_t until_us);
/* Calls `function` at `at_us`. */
void world_at(struct world *world, uint64_t at_us, void (*function)(struct world *world, void *context),
              void *context);
uint64_t world_clock_us(const struct world *world, unsigned node);

/* ---- network ---- */
void world_cut(struct world *world, unsigned from, unsigned to, bool cut);
void world_slow_link(struct world *world, unsigned from, unsigned to, uint64_t more_us);
void world_heal(struct world *world); /* all links, all rules */
bool world_add_rule(struct world *world, const struct world_rule *rule);
const char *world_message_name(enum raft_message_kind kind);

/* ---- nodes ---- */
void world_start(struct world *world, unsigned node);
/* The power fails. Of what was written and not synced nothing survives (0), all (1000), or any part. */
void world_crash(struct world *world, unsigned node, unsigned keep_permille);
/* Its process ends (killed, or by its own decision); the machine lives on, and loses nothing that was
 * written. */
void world_kill(struct world *world, unsigned node);
/* The same after so many more steps (a message sent, a write begun, an entry applied, a notice given). */
void world_crash_after(struct world *world, unsigned node, uint64_t steps, unsigned keep_permille);
void world_hang_disk(struct world *world, unsigned node, bool hung);
enum world_disk_fault {
    WORLD_DISK_WELL,        /* ends all others, and slowness; what was flipped stays so */
    WORLD_DISK_FULL,        /* but for so many bytes */
    WORLD_DISK_WRITE_ERROR, /* the next one: EIO, after which the process exits (world_kill) */
    WORLD_DISK_SYNC_ERROR,  /* the same; the data of that file may be lost, though readers still see them */
    WORLD_DISK_ROT,         /* one bit of what is durable is flipped, chosen by `amount` */
    WORLD_DISK_POWER,       /* fails after so many more file operations, in a recovery or snapshot too */
    WORLD_DISK_SLOW,        /* a sync takes up to so many microseconds */
};
/* false: there is nothing to flip. A node that finds its disk damaged at its start does not start (`refused`)
 * until it is wiped. */
bool world_disk_fault(struct world *world, unsigned node, enum world_disk_fault fault, uint64_t amount);
/* Its process is stopped for that long: what arrives and what is due waits. */
void world_pause(struct world *world, unsigned node, uint64_t for_us);
bool world_is_running(const struct world *world, unsigned node); /* up, and not stopped: may get inputs */
/* The same to its whole machine, whose clock does not count it: the other clocks are ahead when it wakes. */
void world_pause_machine(struct world *world, unsigned node, uint64_t for_us);
enum raft_code world_propose(struct world *world, unsigned node, const void *data, size_t size,
                             uint64_t *index);
/* Its owner takes a snapshot of what it has applied. Of a node that is up. */
void world_compact(struct world *world, unsigned node);
/* A linearizable read; whether it may be answered is checked. */
enum raft_code world_read(struct world *world, unsigned node);
enum world_change { WORLD_ADD_LEARNER, WORLD_MAKE_VOTER, WORLD_REMOVE_MEMBER };
/* Proposed to `node`, about the member `id`. */
enum raft_code world_change_members(struct world *world, unsigned node, enum world_change change,
                                    uint64_t id);
/* A new disk, under a new id, and no member: of a node that is down. */
void world_wipe(struct world *world, unsigned node);
enum raft_code world_transfer(struct world *world, unsigned node, unsigned to);
enum raft_code world_renew_term(struct world *world, unsigned node);
void world_end_lease(struct world *world, unsigned node);
/* The enforcers of that node have let go: its published lease is over. */
void world_release(struct world *world, unsigned node);
void world_set_campaign_delay(struct world *world, unsigned node, uint64_t delay_us);
/* For forged messages; runs the input like one from the network. */
void world_receive(struct world *world, unsigned node, const struct raft_message *message);

/* WORLD_NODES_MAX: nobody's (an id of before a wipe). */
unsigned world_node_of(const struct world *world, uint64_t id);
/* The ready leader of the highest term; node_count: none. */
unsigned world_leader(const struct world *world);
bool world_lease_is_live(const struct world *world, unsigned node);
uint64_t world_highest_term(const struct world *world);
/* The longest of all profiles. */
uint64_t world_election_us(const struct world *world);
/* For a tracer: into the file of the node that is its context. */
void world_trace_line(void *node, uint64_t now_us, const char *text);

/* One line: time, node, event. */
void world_trace(const struct world *world, unsigned node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The first violation is kept. It begins with the invariant that it breaks: "I1: ". */
void world_violate(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- between world.c, node.c and check.c ---- */
void world_send(struct world *world, unsigned from, const struct raft_message *message); /* deep copy */
void world_schedule_tick(struct world *world, unsigned node, uint64_t at_us);
void world_schedule_disk(struct world *world, unsigned node, uint64_t at_us);
void world_wake(struct world *world, unsigned node); /* before anything of a node runs */
void world_node_tick(struct world *world, unsigned node);
void world_node_disk(struct world *world, unsigned node);
uint64_t world_true_us(const struct world *world, unsigned node, uint64_t clock_us);
void world_node_free(struct world_node *node);
struct raft_entry *world_copy_entries(const struct raft_entry *entries, unsigned count);
struct world_packet *world_packet_new(const struct raft_message *message);
void world_packet_free(struct world_packet *packet);
bool world_node_step(struct world *world, unsigned node); /* true: the node goes on */
void world_carry_out(struct world *world, unsigned node); /* after an input */
void world_end_by_disk(struct world *world, unsigned node, int outcome);
void world_free_entries(struct raft_entry *entries, unsigned count);

#endif
