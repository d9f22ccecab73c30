/* What the files of the checkers share: cluster_check.c (rows, rules, the replicated state), check_powers.c
 * (who may do what, and when it must have ended), check_calm.c (what must come once the faults are over). */
#ifndef MHA_SIM_CLUSTER_CHECK_INTERNAL_H
#define MHA_SIM_CLUSTER_CHECK_INTERNAL_H

#include "tests/sim/cluster_check.h"

enum row { ROW_NONE, ROW_COUNTS /* a client was told it, or could read it */, ROW_MARKED, ROW_GIVEN_UP };

struct host_check {
    uint64_t no_lease_since_us; /* 0: has one */
    uint64_t looked_us;         /* when that was last looked at */
    uint64_t answers;           /* since the mark */
    uint64_t answered_us;       /* its last answered commit */
    uint64_t calm_incarnation;  /* of its server when the faults ended; 0: not running then */
};

struct cluster_check {
    struct cluster_state state; /* all that anybody applied */
    uint64_t index;
    unsigned sync_acks_before; /* the command that is applied */
    unsigned char *rows;       /* by uid: enum row */
    uint64_t *row_us;          /* since when */
    uint64_t rows_size;
    uint64_t answered_epoch;
    uint64_t opened_epoch;
    unsigned opened_host;
    struct host_check hosts[WORLD_NODES_MAX];
    uint64_t calm_us;
    uint64_t gap_us, gap_since_us; /* since the mark */
    unsigned changes;
    struct cluster_totals totals;
};

/* It takes writes from whoever may. */
bool check_is_writable(const struct cluster *cluster, unsigned host);
/* A commit there would be answered now. */
bool check_can_answer(const struct cluster *cluster, unsigned host);

#endif
