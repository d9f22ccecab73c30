/* operator.h - what the operators of a simulated cluster do, as the manual tells them. Each call says what is
 * wanted; what takes several steps goes on by itself, and may be overtaken by faults at any of them. */
#ifndef MHA_SIM_OPERATOR_H
#define MHA_SIM_OPERATOR_H

#include "tests/sim/cluster.h"

/* Asked of whoever leads; false: refused, or nobody leads. */
bool operator_switchover(struct cluster *cluster, unsigned to,
                         uint64_t timeout_us); /* node_count: the best */
bool operator_pause(struct cluster *cluster, uint64_t length_us);
bool operator_resume(struct cluster *cluster);
/* mhactl failover --to NODE --accept-data-loss, with --old-primary-is-off only if its host is. */
bool operator_force(struct cluster *cluster, unsigned to);

/* A disaster that takes the others first and the primary when they come back: what it alone had is given up
 * by name some time later. */
void operator_disaster(struct cluster *cluster, unsigned survivor);

/* systemctl stop, then power, for so long; the host is moved away from first if it is the primary's. */
void operator_maintain(struct cluster *cluster, unsigned host, uint64_t for_us);
/* New programs, one host at a time: the arbiter, the replicas, the primary last, after a switchover. Not
 * while one is under way. */
void operator_upgrade(struct cluster *cluster, uint64_t pace_us);
/* mhactl rebuild: of a replica that is set aside and waits for that; of any; and the end of it, or of a
 * drain.
 */
bool operator_rebuild(struct cluster *cluster, unsigned host);
bool operator_rebuild_any(struct cluster *cluster, unsigned host);
bool operator_cancel(struct cluster *cluster, unsigned host);
/* Out of the sync set, as before a member is removed. */
bool operator_drain(struct cluster *cluster, unsigned host);

/* Looks every so often from now on, until the faults are over, and rebuilds what is set aside. */
void operator_tend(struct cluster *cluster, uint64_t every_us);
/* Loses a host with its disks and lets it in again, as a new member: the old one is removed, the new one
 * becomes a learner, then a voter. false: not while the cluster stands on that host, or a second time. */
bool operator_replace(struct cluster *cluster, unsigned host);

#endif
