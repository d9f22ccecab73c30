/* replica_fixture.h - running members on loopback, all in one loop, each with a store of its own. */
#ifndef TESTS_UNIT_REPLICA_FIXTURE_H
#define TESTS_UNIT_REPLICA_FIXTURE_H

#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/replica/replica.h"
#include "memory_files.h"

#define WAIT_MS 10000
#define HEARTBEAT_US MS_TO_US(30)
#define ELECTION_US MS_TO_US(250)
#define APPLIED_MAX 8192
#define NODES_MAX 5

extern struct event_base *base;
extern const uint8_t key[NET_KEY_BYTES];

struct node {
    char name[8];
    char dir[128];
    struct memory_disk *disk; /* instead of `dir`; NULL: none */
    bool is_arbiter;
    struct net *net;
    struct replica *replica;
    struct replica_node nodes[NODES_MAX];
    unsigned node_count;
    unsigned applied_count;
    uint8_t applied[APPLIED_MAX];
    uint64_t applied_index[APPLIED_MAX];
    unsigned packed, restored;
    unsigned reads_done, reads_lost;
    uint64_t read;            /* the newest that was answered */
    unsigned applied_at_read; /* applied_count then */
    unsigned changes, messages, fatal;
    uint64_t message_from;
    char message[32];
    char why[256];
    unsigned propose_on_apply;
    unsigned applied_unready; /* it led, and was told that it is not ready */
};

void fixture_begin(const char *program); /* also CUnit's registry */
int fixture_end(void);                   /* runs the tests; the exit status */

bool wait_until(bool (*holds)(struct node *nodes, unsigned count), struct node *nodes, unsigned count,
                unsigned ms);
void run_ms(unsigned ms);
bool all_formed(struct node *nodes, unsigned count);
bool has_leader(struct node *nodes, unsigned count);
struct node *leader_now(struct node *nodes, unsigned count); /* ready; NULL: none */
struct node *leader(struct node *nodes, unsigned count);     /* awaited, as a slow machine may lose it */
extern unsigned expected;                                    /* so many entries everyone shall have applied */
bool all_applied(struct node *nodes, unsigned count);
void hand_over(struct node *nodes, unsigned count, struct node *to); /* the leadership, until `to` has it */
bool all_connected(struct node *nodes, unsigned count);

/* Names (db1, db2, .., xarb), directories and free ports; opens nothing. `arbiter`: the last one. */
void plan(struct node *nodes, unsigned count, bool arbiter);
void empty_dir(const char *dir);
enum error_code try_open(struct node *node, struct error *err);
void open_node(struct node *node);
void close_node(struct node *node);
/* Two data nodes and an arbiter, formed and led. */
void start(struct node nodes[3]);
void stop(struct node nodes[3]);
/* One entry of the byte `what`, or many, until everyone has applied them. */
void propose(struct node *nodes, unsigned count, char what);
void propose_many(struct node *nodes, unsigned count, unsigned how_many);
/* Why `node` has no connection with `name`. */
const char *trouble(const struct node *node, const char *name, bool *connected);

#endif
