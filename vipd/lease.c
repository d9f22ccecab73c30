#include "vipd/lease.h"

#include <assert.h>
#include <string.h>

#define SECOND_US 1000000u
#define REMOVAL_LEAD_LEAST_US \
    1000u /* a removal takes some tens of microseconds; being scheduled takes more */

/* When the announcements of the burst are due, counted from its first: a lost frame costs the client 50 ms,
 * not its ARP timeout. */
static const uint32_t burst_us[] = {0, 50000, 150000, 350000, 1000000};
#define BURST_COUNT (sizeof burst_us / sizeof burst_us[0])

void lease_init(struct lease *lease)
{
    memset(lease, 0, sizeof *lease);
}

static void forget_lease(struct lease *lease)
{
    lease->deadline_us = 0;
    lease->length_us = 0;
    lease->taken = false;
    lease->probed = false;
    lease->retry_us = 0; /* a refused refresh does not put off the removal */
}

enum lease_verdict lease_grant(struct lease *lease, uint64_t now_us, uint64_t epoch, uint64_t deadline_us)
{
    if (epoch == 0 || epoch < lease->epoch)
        return LEASE_EPOCH_TOO_LOW;
    /* The address goes on without a gap from the older epoch's lease to the newer one's, if the latter is
     * granted: it is the same node's. */
    if (epoch > lease->epoch) {
        lease->epoch = epoch;
        lease->deadline_us = 0;
        lease->length_us = 0;
        lease->retry_us = 0;
    }
    if (deadline_us <= now_us)
        return LEASE_DEADLINE_PASSED;
    if (deadline_us - now_us > LEASE_LENGTH_MAX_US)
        return LEASE_DEADLINE_TOO_FAR;
    if (lease->conflict && !lease->held && !lease->taken &&
        now_us < lease->conflict_us + LEASE_CONFLICT_HOLD_US)
        return LEASE_IN_CONFLICT;
    if (lease->kernel_until_us >= deadline_us + SECOND_US)
        lease->kernel_until_us =
            0; /* its lifetime there was made for a later deadline: refresh it to this one */
    lease->deadline_us = deadline_us;
    lease->length_us = deadline_us - now_us;
    return LEASE_ACCEPTED;
}

enum lease_verdict lease_release(struct lease *lease, uint64_t epoch)
{
    if (epoch < lease->epoch)
        return LEASE_EPOCH_TOO_LOW;
    lease->epoch = epoch;
    forget_lease(lease);
    return LEASE_ACCEPTED;
}

void lease_end(struct lease *lease)
{
    forget_lease(lease);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void announce_afresh(struct lease *lease, uint64_t now_us)
{
    lease->announced = 0;
    lease->announce_us = now_us;
}

void lease_set_held(struct lease *lease, uint64_t now_us, bool held)
{
    if (held) {
        /* Whoever added it may have given it another lifetime: refresh it if it is leased, remove it if it is
         * not. */
        lease->kernel_until_us = 0;
    } else if (lease->deadline_us) {
        lease->retry_us = later(lease->retry_us, later(now_us, lease->added_us + LEASE_PUT_BACK_US));
    }
    lease->held = held;
}

void lease_set_link(struct lease *lease, uint64_t now_us, bool there, bool up)
{
    if (!there)
        lease->held = false;
    /* The switch port may be another one than before. */
    if (there && up && !lease->link_up && lease->held)
        announce_afresh(lease, now_us);
    lease->there = there;
    lease->link_up = there && up;
}

void lease_see_other(struct lease *lease, uint64_t now_us)
{
    bool probing = lease->deadline_us != 0 && !lease->taken && lease->probed;

    if (!lease->held && !lease->taken && !probing)
        return;
    lease->conflict = true;
    lease->conflict_us = now_us;
    if (probing)
        forget_lease(lease);
}

uint64_t lease_removal_lead_us(const struct lease *lease)
{
    return sooner(REMOVAL_LEAD_LEAST_US + 2 * lease->removal_us, lease->length_us / 3);
}

/* A step that gives the address a lifetime in the kernel: the remaining lease in whole seconds, rounded up.
 */
static struct lease_step act_with_lifetime(struct lease *lease, enum lease_action action, uint64_t now_us)
{
    struct lease_step step = {.action = action};

    assert(lease->deadline_us > now_us);
    step.lifetime_s = (uint32_t)((lease->deadline_us - now_us + SECOND_US - 1) / SECOND_US);
    lease->kernel_next_us = now_us + (uint64_t)step.lifetime_s * SECOND_US;
    return step;
}

static struct lease_step wait_until(const struct lease *lease, uint64_t wake_us)
{
    if (lease->conflict)
        wake_us = sooner(wake_us, lease->conflict_us + LEASE_CONFLICT_MEMORY_US);
    return (struct lease_step){.action = LEASE_WAIT, .wake_us = wake_us};
}

static struct lease_step act(enum lease_action action)
{
    return (struct lease_step){.action = action};
}

static struct lease_step next_unleased(const struct lease *lease, uint64_t now_us)
{
    if (!lease->held)
        return wait_until(lease, LEASE_NEVER);
    if (now_us < lease->retry_us)
        return wait_until(lease, lease->retry_us);
    return act(LEASE_REMOVE);
}

static struct lease_step next_to_take(struct lease *lease, uint64_t now_us, uint64_t end_us)
{
    if (!lease->there)
        return wait_until(lease, end_us);
    if (now_us < lease->retry_us)
        return wait_until(lease, sooner(lease->retry_us, end_us));
    if (!lease->taken && lease->link_up) {
        if (!lease->probed)
            return act(LEASE_PROBE);
        if (now_us < lease->probe_until_us)
            return wait_until(lease, sooner(lease->probe_until_us, end_us));
    }
    return act_with_lifetime(lease, LEASE_ADD, now_us);
}

static struct lease_step next_to_keep(struct lease *lease, uint64_t now_us, uint64_t end_us)
{
    uint64_t wake_us = end_us;

    if (lease->kernel_until_us < lease->deadline_us) {
        if (now_us >= lease->retry_us)
            return act_with_lifetime(lease, LEASE_REFRESH, now_us);
        wake_us = sooner(wake_us, lease->retry_us);
    }
    if (lease->link_up) {
        if (now_us >= lease->announce_us)
            return act(LEASE_ANNOUNCE);
        wake_us = sooner(wake_us, lease->announce_us);
    }
    return wait_until(lease, wake_us);
}

struct lease_step lease_next(struct lease *lease, uint64_t now_us)
{
    uint64_t end_us = 0;

    if (lease->conflict && now_us >= lease->conflict_us + LEASE_CONFLICT_MEMORY_US)
        lease->conflict = false;
    if (lease->deadline_us) {
        end_us = lease->deadline_us - lease_removal_lead_us(lease);
        if (now_us >= end_us)
            forget_lease(lease);
    }
    if (!lease->deadline_us)
        return next_unleased(lease, now_us);
    /* Leased, and the address is there already, left by an earlier lease or put there by somebody: no probe,
     * but news for the network. */
    if (lease->held && !lease->taken) {
        lease->taken = true;
        announce_afresh(lease, now_us);
    }
    return lease->held ? next_to_keep(lease, now_us, end_us) : next_to_take(lease, now_us, end_us);
}

void lease_done(struct lease *lease, enum lease_action action, uint64_t started_us, uint64_t ended_us,
                bool ok)
{
    uint64_t cost_us = ended_us - started_us;

    switch (action) {
    case LEASE_WAIT:
        break;
    case LEASE_PROBE:
        lease->probed = lease->deadline_us != 0;
        lease->probe_until_us = ok ? ended_us + LEASE_PROBE_US : ended_us;
        break;
    case LEASE_ADD:
    case LEASE_REFRESH:
        if (!ok) {
            lease->retry_us = ended_us + LEASE_RETRY_ADD_US;
            break;
        }
        if (action == LEASE_ADD) {
            lease->held = true;
            lease->taken = lease->deadline_us != 0;
            lease->conflict = false;
            lease->added_us = ended_us;
            announce_afresh(lease, ended_us);
        }
        lease->kernel_until_us = lease->kernel_next_us;
        break;
    case LEASE_REMOVE:
        if (!ok) {
            lease->retry_us = ended_us + LEASE_RETRY_REMOVE_US;
            break;
        }
        lease->held = false;
        if (cost_us >= lease->removal_us)
            lease->removal_us = cost_us;
        else
            lease->removal_us -= (lease->removal_us - cost_us) / 8;
        break;
    case LEASE_ANNOUNCE:
        lease->announced++;
        if (lease->announced < BURST_COUNT)
            lease->announce_us = ended_us + (burst_us[lease->announced] - burst_us[lease->announced - 1]);
        else
            lease->announce_us = ended_us + LEASE_ANNOUNCE_US;
        break;
    }
}
