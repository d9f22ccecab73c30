/* vip.h - the agent's client of mha4rdb-vipd: it passes on leases for one virtual IP and knows what became of
 * them.
 *
 * It connects at once, and again with backoff for as long as it lives (20 ms, doubling up to 1 s). It keeps
 * one *wish*, the last of vip_lease and vip_release, and says it again after each reconnection; a lease whose
 * deadline has passed is not repeated. vipd keeps the deadline by itself, so nothing here has to happen in
 * time for the address to be gone in time: a lost connection, a stopped vipd and a stopped agent all end in a
 * lapsed lease.
 *
 * Wishes are levels, not events: giving the same lease twice is harmless, and so is a lease after a release
 * in the same epoch. All calls belong to the thread of `base`. Instants are CLOCK_BOOTTIME microseconds. */
#ifndef MHA_VIP_VIP_H
#define MHA_VIP_VIP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define VIP_ADDRESS_BYTES 64
#define VIP_TEXT_BYTES 256
#define VIP_INTERFACE_BYTES 16 /* IFNAMSIZ */

/* A request that is unanswered for this long makes vipd count as not connected, though the socket stays open.
 */
#define VIP_SILENCE_MS 500

/* The last known state. While `connected` is false the other fields keep what vipd said last: then only
 * the deadline tells when the address is gone (no later than `deadline_us`, or with vipd killed about a
 * second after it). */
struct vip_state {
    bool connected;              /* vipd is there, answers, and has answered since it (re)connected */
    char reason[VIP_TEXT_BYTES]; /* why it is not; "" while connected */
    bool held;                   /* the address is on the interface */
    uint64_t epoch;              /* the highest that vipd has seen; 0 after its restart */
    uint64_t deadline_us;        /* of the lease that vipd keeps; 0: none */
    uint64_t
        released_epoch; /* the highest vip_release that vipd has confirmed: the address was gone then, and no
                         * lease of that epoch or a lower one was given since. Survives reconnections. */
    bool link_up;       /* the interface is there and has a carrier */
    bool conflict;      /* another host answers for the address */
    char trouble[VIP_TEXT_BYTES];        /* why a lease was refused, or what stands in the way; "": nothing */
    char interface[VIP_INTERFACE_BYTES]; /* as in vipd's configuration; "": it has not said */
    unsigned prefix_length;
};

struct vip_callbacks {
    /* Something in the state has changed other than `deadline_us` alone. Called from the loop only, never
     * from within a call of this interface. `state` is valid until the callback returns; vip_free must not be
     * called from it. */
    void (*changed)(void *context, const struct vip_state *state);
};

struct vip;

/* `socket_path` is vipd's socket (at most 107 characters), `address` the VIP as in vipd's configuration
 * without the prefix length. Both are copied. ERR_INVALID: one of them is too long; ERR_NO_MEMORY. That vipd
 * is not there is no error, but a state. */
enum error_code vip_new(struct event_base *base, const char *socket_path, const char *address,
                        const struct vip_callbacks *callbacks, void *context, struct vip **out,
                        struct error *err);
/* Closes the connection; vipd keeps the lease until its deadline. NULL is allowed. */
void vip_free(struct vip *vip);

/* Hold the address until `deadline_us` for `epoch` (the Raft term of the leadership). Call it with each
 * renewal. */
void vip_lease(struct vip *vip, uint64_t epoch, uint64_t deadline_us);
/* Give the address up; `released_epoch` of the state confirms it. Call it again as often as convenient: it is
 * sent once. */
void vip_release(struct vip *vip, uint64_t epoch);

/* Never NULL; valid until vip_free. */
const struct vip_state *vip_get_state(const struct vip *vip);

#endif
