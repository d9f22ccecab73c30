/* lease.h - the lease on one address: when it is taken, refreshed, announced and given up.
 *
 * Pure: no I/O, no clock, no allocation. Inputs are what the agent asked for and what the kernel and the
 * network told; lease_next answers with the next thing to do. The caller does it, says how it went with
 * lease_done, and asks again until the answer is LEASE_WAIT, which comes with the instant to ask again. The
 * same object code runs in vipd and in the simulator.
 *
 * Rules
 * - The epoch (the Raft term of a leadership) only grows: a request with a lower one than seen is refused. A
 * higher one ends the lease of a lower one, whatever becomes of the request itself.
 * - The newest request's deadline holds, an earlier one too: so a pause ends before its time. A deadline in
 * the past, or further off than LEASE_LENGTH_MAX_US, is refused and changes nothing.
 * - The address is removed early enough to be gone by the deadline: at deadline - F, F made from the measured
 * cost of removals and capped at a third of the lease's length, so that a slow machine cannot starve itself
 * of the address.
 * - No lease, no address: an address that appears without a lease, by whoever's hand, is removed.
 * - Before the address is taken, one ARP probe (RFC 5227 2.1.1 asks for three and for seconds, which would be
 * the outage) gets LEASE_PROBE_US for an answer. An answer refuses the lease: a conflict is reported, not
 * fought over. Only the first taking is probed, not the putting back of what was taken away while the lease
 * lasts, nor while the link is down.
 * - Answers seen later, while the address is held, are reported as a conflict too, and nothing else is done
 * about them.
 *
 * Instants are microseconds of one clock, never going back. */
#ifndef MHA_VIPD_LEASE_H
#define MHA_VIPD_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#define LEASE_NEVER UINT64_MAX
#define LEASE_LENGTH_MAX_US (600u * 1000000ull) /* ten minutes: the longest pause */
#define LEASE_PROBE_US 5000u                    /* how long an ARP probe may delay the address */
#define LEASE_CONFLICT_HOLD_US 50000u           /* after a conflict no new probe for this long */
#define LEASE_CONFLICT_MEMORY_US \
    (30u * 1000000ull)               /* a conflict is reported for this long after its last sighting */
#define LEASE_RETRY_ADD_US 100000u   /* after the kernel refused to add */
#define LEASE_RETRY_REMOVE_US 20000u /* ... to remove */
#define LEASE_PUT_BACK_US 50000u     /* an address that keeps being taken away is put back this often */
#define LEASE_ANNOUNCE_US (30u * 1000000ull) /* the slow refresh that follows the burst */

enum lease_verdict {
    LEASE_ACCEPTED,
    LEASE_EPOCH_TOO_LOW,
    LEASE_DEADLINE_PASSED,
    LEASE_DEADLINE_TOO_FAR,
    LEASE_IN_CONFLICT, /* another host answered for the address less than LEASE_CONFLICT_HOLD_US ago */
};

enum lease_action {
    LEASE_WAIT,     /* nothing until wake_us or the next input */
    LEASE_PROBE,    /* send an ARP probe */
    LEASE_ADD,      /* put the address on the interface, for lifetime_s seconds */
    LEASE_REFRESH,  /* give it lifetime_s seconds from now */
    LEASE_REMOVE,   /* take it off */
    LEASE_ANNOUNCE, /* send gratuitous ARP */
};

struct lease_step {
    enum lease_action action;
    uint32_t lifetime_s; /* LEASE_ADD, LEASE_REFRESH: the kernel's own lifetime, the remaining lease in whole
                            seconds, rounded up */
    uint64_t wake_us;    /* LEASE_WAIT: ask again then; LEASE_NEVER */
};

/* Readable by everyone, written by lease.c alone. */
struct lease {
    uint64_t epoch;           /* the highest seen */
    uint64_t deadline_us;     /* 0: no lease */
    uint64_t length_us;       /* what was left of it when it was granted */
    bool held;                /* the address is on the interface */
    bool taken;               /* it was put there under this lease: put back without a probe */
    bool there;               /* the interface exists */
    bool link_up;             /* it has a carrier */
    bool conflict;            /* another host answered for the address */
    bool probed;              /* the probe for this taking was sent (or could not be) */
    uint64_t probe_until_us;  /* its answers count until then */
    uint64_t conflict_us;     /* the last sighting */
    uint64_t kernel_until_us; /* the kernel removes the address no earlier than this; 0: unknown */
    uint64_t kernel_next_us;  /* ... once the step that lease_next asked for is done */
    uint64_t added_us;        /* the last taking or putting back */
    uint64_t retry_us;        /* no new attempt before this */
    uint64_t announce_us;     /* the next announcement */
    unsigned announced;       /* how many since the burst began */
    uint64_t removal_us;      /* the measured cost of a removal: the worst, slowly forgotten */
};

void lease_init(struct lease *lease);

/* The agent's requests. */
enum lease_verdict lease_grant(struct lease *lease, uint64_t now_us, uint64_t epoch, uint64_t deadline_us);
/* LEASE_ACCEPTED or LEASE_EPOCH_TOO_LOW. */
enum lease_verdict lease_release(struct lease *lease, uint64_t epoch);
/* The program ends: no lease any more. */
void lease_end(struct lease *lease);

/* What the kernel told: somebody else (its own timer, too) removed or added the address. */
void lease_set_held(struct lease *lease, uint64_t now_us, bool held);
/* What the kernel told about the interface. !there means that the address is gone, too. */
void lease_set_link(struct lease *lease, uint64_t now_us, bool there, bool up);
/* Another host used the address as its own. Normal while there is no lease: it is the holder then. */
void lease_see_other(struct lease *lease, uint64_t now_us);

struct lease_step lease_next(struct lease *lease, uint64_t now_us);
/* The outcome of a step other than LEASE_WAIT. `started_us` is the instant that lease_next was given,
 * `ended_us` that of the kernel's answer. A probe that could not be sent (ok = false) is not waited for. */
void lease_done(struct lease *lease, enum lease_action action, uint64_t started_us, uint64_t ended_us,
                bool ok);

/* F: how long before the deadline the removal begins. */
uint64_t lease_removal_lead_us(const struct lease *lease);

#endif
