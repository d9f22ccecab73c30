/* cluster_check.h - what must hold in every simulated cluster, at every step (design, section 11).
 *
 *   I2  one address: two kernels have it only if the vipd of the one that lost the lease is dead or stopped,
 *       and then no longer than the kernel's own lifetime
 *   I3  one acknowledger: no two servers can answer a commit at once, and what is answered is answered under
 *       the newest epoch that ever answered
 *   I4  a row that was acknowledged, and a row that a client could read on an open server, is in the log of
 *       every later opened one, and of every one that acknowledges
 *   I5  epochs of openings grow; no server acts for an older one
 *   I6  without a live lease no address and no writable server, as far as the enforcer lives
 *   I8  after the faults a primary serves in time, or the rules forbid it: derived here from the committed
 *       state and the servers alone
 *   and of section 5, told as I4: the rule in a server is never weaker than the committed one; nothing is cut
 *   on a member of the sync set; a member of the sync set can be counted on */
#ifndef MHA_SIM_CLUSTER_CHECK_H
#define MHA_SIM_CLUSTER_CHECK_H

#include "tests/sim/database.h"

struct cluster_check *cluster_check_new(struct cluster *cluster);
void cluster_check_free(struct cluster_check *check);

/* After anything happened. */
void cluster_check_step(struct cluster *cluster);
/* A committed command, as some node applied it. */
void cluster_check_applied(struct cluster *cluster, uint64_t index, const struct cluster_command *command);
/* The agent is about to tell raft that its enforcers have let go. */
void cluster_check_released(struct cluster *cluster, unsigned host);
void cluster_check_acknowledged(struct cluster *cluster, unsigned host, const struct txn *txn);
void cluster_check_opening(struct cluster *cluster, unsigned host); /* read_only goes off */
void cluster_check_cut(struct cluster *cluster, unsigned host);     /* its log is about to be cut */
void cluster_check_epoch(struct cluster *cluster, unsigned host, uint64_t epoch); /* is about to be written */

/* The committed primary, with the record of its epoch as the newest. */
bool cluster_check_is_primary(const struct cluster *cluster, unsigned host);
/* A client was told this row, or could read it; and an operator has accepted its loss. */
bool cluster_check_row_counts(const struct cluster *cluster, uint64_t uid);
bool cluster_check_is_given_up(const struct cluster *cluster, uint64_t uid);

/* The committed state, as the node that applied most has it. */
const struct cluster_state *cluster_check_state(const struct cluster *cluster);

/* The faults are over: from now on a primary must come to serve. */
void cluster_check_calm(struct cluster *cluster);
/* false: world_violate says why. `serves` tells which it is. */
bool cluster_check_settled(struct cluster *cluster, bool *serves);

/* For stories: from here on. */
void cluster_check_mark(struct cluster *cluster);
uint64_t cluster_check_gap_us(const struct cluster *cluster); /* the longest without an answer */
uint64_t cluster_check_answers(const struct cluster *cluster, unsigned host); /* commits that it answered */
unsigned cluster_check_changes(const struct cluster *cluster);                /* promotions */

struct cluster_totals {
    uint64_t acknowledged, openings, commands;
};
struct cluster_totals cluster_check_totals(const struct cluster *cluster);
/* The host that serves: open, its address here, and a commit would be answered; node_count: none. */
unsigned cluster_serving(const struct cluster *cluster);

#endif
