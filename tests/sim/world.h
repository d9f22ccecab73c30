/* world.h - a whole group in one process, in virtual time: the real consensus code on models of clock,
 * network and disk.
 *
 * Everything that happens follows from one seed and from what the test does, so a failure replays exactly.
 * Time is `now_us` of the world; each node reads it through a clock of its own (offset and rate). The network
 * delays, loses, repeats and reorders; links are cut one way at a time. A disk makes writes durable later, in
 * order; a crash, which may come between any two steps of a node, keeps some prefix of those under way.
 *
 * After every step of every node the checkers (check.h) look at it; the first violation stops the world.
 *
 *   world.c   time, events, network        node.c   a node's life: inputs, outputs, disk, crash
 *   check.c   the invariants               story.c  tests as readable text
 *
 * Something can be put on top of each node (policy, database model): struct world_hooks. */
#ifndef MHA_SIM_WORLD_H
#define MHA_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/raft/raft.h"

#define WORLD_NODES_MAX 8
#define WORLD_RULES_MAX 16
#define WORLD_TEXT_BYTES 512

struct world;

/* What stands on top of a node. Any of them may be NULL. They may call the world_... inputs of node.c. */
struct world_hooks {
    void *context;
    void (*started)(struct world *world, unsigned node, void *context);
    void (*stopped)(struct world *world, unsigned node, void *context);
    void (*applied)(struct world *world, unsigned node, const struct raft_entry *entry, void *context);
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
};

struct world_write {
    uint64_t number;
    bool has_hard_state;
    struct raft_hard_state hard_state;
    struct raft_entry *entries; /* owned, as are their data */
    unsigned entry_count;
    uint64_t done_us; /* world time at which the disk will have it */
    struct world_write *next;
};

/* A message that waits for a write, or is on its way. */
struct world_packet {
    struct raft_message message; /* owns its entries and their data */
    uint64_t after_write;
    uint64_t
        acknowledged_term; /* APPEND_REPLY: the term of the entry that it acknowledges, when it was made */
    struct world_packet *next;
};

struct world_disk {
    bool written; /* something was, ever: the next start is a restart */
    struct raft_hard_state hard_state;
    struct raft_entry *entries; /* from index 1 */
    unsigned entry_count, capacity;
    uint64_t min_us, max_us;
    bool hung;
    struct world_write *queue; /* under way, in order */
};

struct world_node {
    char name[4];
    uint64_t id;
    enum raft_member_kind kind;
    bool up;
    uint64_t life; /* counts starts: events of an earlier life are stale */
    struct raft *raft;
    struct raft_status status; /* after the last input */
    struct world_disk disk;
    struct world_packet *waiting; /* for writes, in order */
    uint64_t write_done;
    uint64_t applied_index;
    uint64_t campaign_delay_us;
    uint64_t tick_at_us;
    uint64_t crash_in_steps; /* 0: no */
    unsigned crash_keeps;    /* permille of the writes under way that survive that crash */
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
    struct world_hooks hooks;
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
struct world_check;

struct world {
    struct world_config config;
    uint64_t now_us;
    uint64_t random;
    unsigned node_count;
    struct world_node nodes[WORLD_NODES_MAX];
    bool cut[WORLD_NODES_MAX][WORLD_NODES_MAX]; /* [from][to] */
    uint64_t last_arrival_us[WORLD_NODES_MAX][WORLD_NODES_MAX];
    struct world_rule rules[WORLD_RULES_MAX];
    unsigned rule_count;
    struct world_event *events; /* a heap by time, then by number */
    size_t event_count, event_capacity;
    uint64_t event_number;
    struct world_check *check;
    bool trace;                       /* every message and crash on stdout */
    char violation[WORLD_TEXT_BYTES]; /* "": all is well */
};

struct world *world_new(const struct world_config *config);
void world_free(struct world *world);

/* ---- chance: splitmix64, from the seed only ---- */
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
void world_heal(struct world *world); /* all links, all rules */
bool world_add_rule(struct world *world, const struct world_rule *rule);
const char *world_message_name(enum raft_message_kind kind);

/* ---- nodes ---- */
void world_start(struct world *world, unsigned node);
/* Of the writes under way a random number survives: with 0 none, with 1000 all. */
void world_crash(struct world *world, unsigned node, unsigned keep_permille);
/* The same after so many more steps (a message sent, a write begun, an entry applied, a notice given). */
void world_crash_after(struct world *world, unsigned node, uint64_t steps, unsigned keep_permille);
void world_hang_disk(struct world *world, unsigned node, bool hung);
/* Its process is stopped for that long: what arrives and what is due waits. */
void world_pause(struct world *world, unsigned node, uint64_t for_us);
enum raft_code world_propose(struct world *world, unsigned node, const void *data, size_t size,
                             uint64_t *index);
enum raft_code world_transfer(struct world *world, unsigned node, unsigned to);
enum raft_code world_renew_term(struct world *world, unsigned node);
void world_end_lease(struct world *world, unsigned node);
/* The enforcers of that node have let go: its published lease is over. */
void world_release(struct world *world, unsigned node);
void world_set_campaign_delay(struct world *world, unsigned node, uint64_t delay_us);
/* For forged messages; runs the input like one from the network. */
void world_receive(struct world *world, unsigned node, const struct raft_message *message);

/* The ready leader of the highest term; node_count: none. */
unsigned world_leader(const struct world *world);
bool world_lease_is_live(const struct world *world, unsigned node);
uint64_t world_highest_term(const struct world *world);

/* The first violation is kept. */
void world_violate(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- between world.c, node.c and check.c ---- */
void world_send(struct world *world, unsigned from, const struct raft_message *message); /* deep copy */
void world_schedule_tick(struct world *world, unsigned node, uint64_t at_us);
void world_schedule_disk(struct world *world, unsigned node, uint64_t at_us);
void world_node_tick(struct world *world, unsigned node);
void world_node_disk(struct world *world, unsigned node);
uint64_t world_true_us(const struct world *world, unsigned node, uint64_t clock_us);
void world_node_free(struct world_node *node);
struct raft_entry *world_copy_entries(const struct raft_entry *entries, unsigned count);
void world_free_entries(struct raft_entry *entries, unsigned count);

#endif
