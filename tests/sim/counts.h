/* counts.h - what happened in simulated runs, as numbers: faults that took effect, and what came of them.
 *
 * A fault counts only when it had an effect: a message that was really dropped, a sector that was really
 * torn. So a kind that stays 0 over a large run means that the run has not tested what it says, and the
 * runner fails it (all but `violations`).
 *
 * With COUNTS=1 in the environment a test ends with one line each, `count NAME N`, of the kinds that belong
 * to it; a runner sums them over processes. */
#ifndef MHA_SIM_COUNTS_H
#define MHA_SIM_COUNTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Which tests have it. */
#define COUNT_OF_RAFT 1u    /* test_raft_random */
#define COUNT_OF_CLUSTER 2u /* test_policy_random */
#define COUNT_OF_BOTH (COUNT_OF_RAFT | COUNT_OF_CLUSTER)

/* X(NAME, name, whose) */
#define COUNTS_LIST(X)                                                                                   \
    /* runs */                                                                                           \
    X(SEEDS, seeds, COUNT_OF_BOTH)                                                                       \
    X(VIOLATIONS, violations, COUNT_OF_BOTH)                                                             \
    X(SIMULATED_US, simulated_us, COUNT_OF_BOTH)                                                         \
    X(TOPOLOGY_1, topology_1, COUNT_OF_BOTH)                                                             \
    X(TOPOLOGY_2_ARBITER, topology_2_arbiter, COUNT_OF_BOTH)                                             \
    X(TOPOLOGY_3, topology_3, COUNT_OF_BOTH)                                                             \
    X(TOPOLOGY_5, topology_5, COUNT_OF_BOTH)                                                             \
    X(TOPOLOGY_7, topology_7, COUNT_OF_BOTH)                                                             \
    X(TOPOLOGY_SHARED_ARBITER, topology_shared_arbiter, COUNT_OF_CLUSTER)                                \
    X(SERVERS_ONE_WAIT, servers_one_wait, COUNT_OF_CLUSTER)                                              \
    X(SERVERS_K_WAIT, servers_k_wait, COUNT_OF_CLUSTER)                                                  \
    X(SERVERS_NAMED_WAIT, servers_named_wait, COUNT_OF_CLUSTER)                                          \
    /* crashes */                                                                                        \
    X(CRASH, crash, COUNT_OF_BOTH)                                                                       \
    X(CRASH_IN_WRITE, crash_in_write, COUNT_OF_BOTH) /* something was written and not synced */          \
    X(CRASH_IN_RECOVERY, crash_in_recovery, COUNT_OF_RAFT)                                               \
    X(CRASH_IN_SNAPSHOT, crash_in_snapshot, COUNT_OF_RAFT)                                               \
    X(LOST_WRITE, lost_write, COUNT_OF_BOTH) /* an unsynced sector that a crash took */                  \
    X(TORN_WRITE, torn_write, COUNT_OF_BOTH) /* of which the beginning was kept */                       \
    X(LOST_NAME, lost_name, COUNT_OF_RAFT)   /* a create, rename or remove that a crash undid */         \
    X(RESTART, restart, COUNT_OF_BOTH)                                                                   \
    /* disks */                                                                                          \
    X(BIT_ROT, bit_rot, COUNT_OF_RAFT) /* found at a start, which was refused */                         \
    X(WIPED, wiped, COUNT_OF_BOTH)     /* came back under a new identity */                              \
    X(DISK_FULL, disk_full, COUNT_OF_BOTH)                                                               \
    X(WRITE_ERROR, write_error, COUNT_OF_BOTH)                                                           \
    X(SYNC_ERROR, sync_error, COUNT_OF_BOTH)                                                             \
    X(SLOW_DISK, slow_disk, COUNT_OF_BOTH) /* writes that took longer than a heartbeat */                \
    X(HUNG_DISK, hung_disk, COUNT_OF_BOTH) /* hung while something was to be written */                  \
    /* network: messages */                                                                              \
    X(PARTITION, partition, COUNT_OF_BOTH)                 /* dropped at a link that is cut both ways */ \
    X(PARTIAL_PARTITION, partial_partition, COUNT_OF_BOTH) /* the same, but a third node hears both */   \
    X(ONE_WAY, one_way, COUNT_OF_BOTH)                     /* at one that is cut one way */              \
    X(LOSS, loss, COUNT_OF_BOTH)                                                                         \
    X(DUPLICATE, duplicate, COUNT_OF_BOTH)                                                               \
    X(REORDER, reorder, COUNT_OF_BOTH) /* arrived before one that was sent earlier on its link */        \
    X(DELAY, delay, COUNT_OF_BOTH)     /* held up by a rule for its kind */                              \
    X(DROP, drop, COUNT_OF_RAFT)       /* dropped by such a rule */                                      \
    X(SLOW_LINK, slow_link, COUNT_OF_RAFT)                                                               \
    /* time */                                                                                           \
    X(PAUSE, pause, COUNT_OF_BOTH)           /* a process was stopped while something was due */         \
    X(CLOCK_RATE, clock_rate, COUNT_OF_BOTH) /* a start of a node whose clock errs by over 0.1 % */      \
    X(CLOCK_JUMP, clock_jump, COUNT_OF_BOTH)                                                             \
    /* operators */                                                                                      \
    X(MEMBER_ADDED, member_added, COUNT_OF_BOTH)                                                         \
    X(MEMBER_PROMOTED, member_promoted, COUNT_OF_BOTH) /* a learner became a voter */                    \
    X(MEMBER_REMOVED, member_removed, COUNT_OF_BOTH)                                                     \
    X(TRANSFER, transfer, COUNT_OF_BOTH) /* a TIMEOUT_NOW was sent */                                    \
    /* Raft */                                                                                           \
    X(ELECTIONS, elections, COUNT_OF_BOTH) /* campaigns: a VOTE was sent in a term */                    \
    X(LEADERS, leaders, COUNT_OF_BOTH)                                                                   \
    X(COMMANDS_COMMITTED, commands_committed, COUNT_OF_BOTH)                                             \
    X(READS_DONE, reads_done, COUNT_OF_RAFT)                                                             \
    X(SNAPSHOT_SENT, snapshot_sent, COUNT_OF_BOTH) /* and taken, whole */                                \
    X(COMPACTION, compaction, COUNT_OF_BOTH)                                                             \
    /* hosts and programs */                                                                             \
    X(POWER_OFF, power_off, COUNT_OF_CLUSTER)                                                            \
    X(HOST_STOPPED, host_stopped, COUNT_OF_CLUSTER)                                                      \
    X(SERVER_KILLED, server_killed, COUNT_OF_CLUSTER)                                                    \
    X(SERVER_RESTARTED, server_restarted, COUNT_OF_CLUSTER) /* by hand */                                \
    X(SERVER_STOPPED, server_stopped, COUNT_OF_CLUSTER)                                                  \
    X(SERVER_DISK_HUNG, server_disk_hung, COUNT_OF_CLUSTER) /* while it could write */                   \
    X(AGENT_STOPPED, agent_stopped, COUNT_OF_CLUSTER)                                                    \
    X(WORKER_KILLED, worker_killed, COUNT_OF_CLUSTER)                                                    \
    X(WORKER_STOPPED, worker_stopped, COUNT_OF_CLUSTER)                                                  \
    X(VIPD_KILLED, vipd_killed, COUNT_OF_CLUSTER)                                                        \
    X(VIPD_STOPPED, vipd_stopped, COUNT_OF_CLUSTER)                                                      \
    /* databases */                                                                                      \
    X(OPERATION_REFUSED, operation_refused, COUNT_OF_CLUSTER) /* by the server, at once */               \
    X(STATEMENT_HUNG, statement_hung, COUNT_OF_CLUSTER)                                                  \
    X(LATE_STATEMENT, late_statement, COUNT_OF_CLUSTER) /* after its worker gave it up, or ended */      \
    X(START_REFUSED, start_refused, COUNT_OF_CLUSTER)                                                    \
    X(ADDRESS_REFUSED, address_refused, COUNT_OF_CLUSTER)                                                \
    X(SLOW_REPLICATION, slow_replication, COUNT_OF_CLUSTER)                                              \
    X(APPLIER_HELD, applier_held, COUNT_OF_CLUSTER)                                                      \
    X(TAIL_KEPT, tail_kept,                                                                              \
      COUNT_OF_CLUSTER) /* by a crash recovery: commits that nobody had acknowledged */                  \
    X(TAIL_CUT, tail_cut, COUNT_OF_CLUSTER)                                                              \
    X(RELAY_LOST, relay_lost, COUNT_OF_CLUSTER) /* received, not applied, gone with a restart */         \
    X(RELAY_KEPT, relay_kept, COUNT_OF_CLUSTER)                                                          \
    X(REBUILT, rebuilt, COUNT_OF_CLUSTER)                                                                \
    X(REBUILD_FAILED, rebuild_failed, COUNT_OF_CLUSTER)                                                  \
    X(REBUILD_BROKEN, rebuild_broken, COUNT_OF_CLUSTER)           /* its agent died meanwhile */         \
    X(STANDING_BY, standing_by, COUNT_OF_CLUSTER)                 /* a replica changed over to that */   \
    X(FAILOVERS_AVAILABLE, failovers_available, COUNT_OF_CLUSTER) /* that may lose writes */             \
    X(TOOK_OVER_PAIR, took_over_pair, COUNT_OF_CLUSTER) /* servers that served before the first start */ \
    X(HAD_DATA, had_data, COUNT_OF_CLUSTER)             /* one server, before the first start */         \
    X(DRAINED, drained, COUNT_OF_CLUSTER)               /* a member left the sync set for that */        \
    /* operators of clusters */                                                                          \
    X(SWITCHOVER_ASKED, switchover_asked, COUNT_OF_CLUSTER)                                              \
    X(PAUSED, paused, COUNT_OF_CLUSTER)                                                                  \
    X(TOLD_TO_STOP, told_to_stop, COUNT_OF_CLUSTER)                                                      \
    X(MAINTENANCE, maintenance, COUNT_OF_CLUSTER)                                                        \
    X(UPGRADE, upgrade, COUNT_OF_CLUSTER)                                                                \
    X(FORCED, forced, COUNT_OF_CLUSTER)                                                                  \
    X(ROWS_GIVEN_UP, rows_given_up, COUNT_OF_CLUSTER) /* acknowledged, lost by a forced failover */      \
    /* clusters */                                                                                       \
    X(FIRST_STARTS, first_starts, COUNT_OF_CLUSTER)                                                      \
    X(FAILOVERS, failovers, COUNT_OF_CLUSTER)                                                            \
    X(SWITCHOVERS, switchovers, COUNT_OF_CLUSTER)                                                        \
    X(RESTARTS, restarts, COUNT_OF_CLUSTER)                                                              \
    X(OPENINGS, openings, COUNT_OF_CLUSTER)                                                              \
    X(JOINED, joined, COUNT_OF_CLUSTER) /* the sync set grew */                                          \
    X(LEFT, left, COUNT_OF_CLUSTER)     /* it shrank */                                                  \
    X(WRITES_ACKNOWLEDGED, writes_acknowledged, COUNT_OF_CLUSTER)                                        \
    X(READS, reads, COUNT_OF_CLUSTER)                                                                    \
    X(SERVED, served, COUNT_OF_CLUSTER) /* in the end */                                                 \
    X(RIGHTLY_NOT_SERVED, rightly_not_served, COUNT_OF_CLUSTER)                                          \
    X(UNDISTURBED, undisturbed, COUNT_OF_CLUSTER) /* clusters that kept serving beside others' trouble */

enum count_kind {
#define COUNTS_ENUM(upper, lower, whose) COUNT_##upper,
    COUNTS_LIST(COUNTS_ENUM)
#undef COUNTS_ENUM
        COUNT_KINDS
};

struct counts {
    uint64_t of[COUNT_KINDS];
};

static inline void counts_add(struct counts *counts, enum count_kind kind, uint64_t number)
{
    counts->of[kind] += number;
}

/* Adds all of `from` to `to`. */
void counts_sum(struct counts *to, const struct counts *from);
/* One line for each kind that belongs to `whose`: `count NAME N`. */
void counts_print(const struct counts *counts, unsigned whose, FILE *to);
/* The same, if COUNTS=1 is in the environment. */
void counts_print_if_asked(const struct counts *counts, unsigned whose);
/* The name of a kind that belongs to `whose` and never happened, after `*at` (begin with 0); NULL: no more.
 */
const char *counts_next_missing(const struct counts *counts, unsigned whose, unsigned *at);

#endif
