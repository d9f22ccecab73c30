/* lease.h - the right to write, as a value: when it ends, when its fence must begin, what it is bound to.
 * Pure: no clock, no I/O.
 *
 * A lease names an epoch and a deadline of this host's CLOCK_BOOTTIME. An *opening* binds the server's
 * writability to the epoch that it was opened (or promoted) under: only leases of that very epoch extend it.
 * A lease of a higher epoch leaves the opening its old deadline; a lower epoch than the highest seen is
 * refused. */
#ifndef MHA_DB_WORKER_LEASE_H
#define MHA_DB_WORKER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#define LEASE_FENCE_LEAST_US 20000 /* the gentle part of F is never taken for less */
#define LEASE_FENCE_FIRST_US 30000 /* the same before one was measured */
#define LEASE_KILL_FIRST_US 40000  /* the part for SIGKILL before one was measured */
#define LEASE_COSTS 8

struct lease {
    uint64_t epoch_seen; /* the highest ever seen, in a lease or a request */
    uint64_t epoch;
    uint64_t deadline_us;
    uint64_t window_us; /* what was left when it was granted */
    bool paused;

    uint64_t open_epoch; /* the opening; 0: none */
    uint64_t open_until_us;
    uint64_t open_window_us;

    uint64_t costs_us[LEASE_COSTS]; /* of the last fences */
    unsigned cost_count;            /* ever */
    uint64_t kill_cost_us;          /* the largest measured; 0: none yet */
};

/* false: refused, it names a lower epoch than seen. Otherwise the newest holds, with an earlier deadline too:
 * a pause can end before its time. */
bool lease_renew(struct lease *lease, uint64_t now_us, uint64_t epoch, uint64_t deadline_us, bool paused);
/* false: lower than seen. */
bool lease_see_epoch(struct lease *lease, uint64_t epoch);
bool lease_lives(const struct lease *lease, uint64_t now_us, uint64_t epoch);
bool lease_is_paused(const struct lease *lease, uint64_t now_us);

/* The server is (being) opened under `epoch`; false: no live lease of that epoch. */
bool lease_open(struct lease *lease, uint64_t now_us, uint64_t epoch);
void lease_close(struct lease *lease);
/* When the opening's right ends; 0: there is none. */
uint64_t lease_open_until_us(const struct lease *lease);

/* F: what a fence costs. Its gentle part (the largest of the recent ones and half as much again, at least
 * LEASE_FENCE_LEAST_US) and what SIGKILL takes, since that must be done by the deadline too. */
uint64_t lease_fence_cost_us(const struct lease *lease);
uint64_t lease_kill_cost_us(const struct lease *lease);
void lease_measured_us(struct lease *lease, uint64_t cost_us);
void lease_measured_kill_us(struct lease *lease, uint64_t cost_us);
/* When the fence of the opening begins: F before its end, but at most a third of the window. */
uint64_t lease_fence_at_us(const struct lease *lease);

#endif
