#include "agent/db/worker/lease.h"

bool lease_see_epoch(struct lease *lease, uint64_t epoch)
{
    if (epoch < lease->epoch_seen)
        return false;
    lease->epoch_seen = epoch;
    return true;
}

bool lease_renew(struct lease *lease, uint64_t now_us, uint64_t epoch, uint64_t deadline_us, bool paused)
{
    if (epoch == 0 || !lease_see_epoch(lease, epoch))
        return false;
    lease->epoch = epoch;
    lease->deadline_us = deadline_us;
    lease->window_us = deadline_us > now_us ? deadline_us - now_us : 0;
    lease->paused = paused;
    if (lease->open_epoch == epoch) {
        lease->open_until_us = lease->deadline_us;
        lease->open_window_us = lease->window_us;
    }
    return true;
}

bool lease_lives(const struct lease *lease, uint64_t now_us, uint64_t epoch)
{
    return epoch != 0 && lease->epoch == epoch && now_us < lease->deadline_us;
}

bool lease_is_paused(const struct lease *lease, uint64_t now_us)
{
    return lease->paused && now_us < lease->deadline_us;
}

bool lease_open(struct lease *lease, uint64_t now_us, uint64_t epoch)
{
    if (!lease_lives(lease, now_us, epoch))
        return false;
    lease->open_epoch = epoch;
    lease->open_until_us = lease->deadline_us;
    lease->open_window_us = lease->window_us;
    return true;
}

void lease_close(struct lease *lease)
{
    lease->open_epoch = 0;
    lease->open_until_us = 0;
    lease->open_window_us = 0;
}

uint64_t lease_open_until_us(const struct lease *lease)
{
    return lease->open_until_us;
}

uint64_t lease_kill_cost_us(const struct lease *lease)
{
    return lease->kill_cost_us ? lease->kill_cost_us : LEASE_KILL_FIRST_US;
}

uint64_t lease_fence_cost_us(const struct lease *lease)
{
    unsigned known = lease->cost_count < LEASE_COSTS ? lease->cost_count : LEASE_COSTS;
    uint64_t largest = known ? 0 : LEASE_FENCE_FIRST_US;

    for (unsigned i = 0; i < known; i++)
        if (lease->costs_us[i] + lease->costs_us[i] / 2 > largest)
            largest = lease->costs_us[i] + lease->costs_us[i] / 2;
    if (largest < LEASE_FENCE_LEAST_US)
        largest = LEASE_FENCE_LEAST_US;
    return largest + lease_kill_cost_us(lease);
}

void lease_measured_us(struct lease *lease, uint64_t cost_us)
{
    lease->costs_us[lease->cost_count++ % LEASE_COSTS] = cost_us;
}

void lease_measured_kill_us(struct lease *lease, uint64_t cost_us)
{
    if (cost_us > lease->kill_cost_us)
        lease->kill_cost_us = cost_us;
}

uint64_t lease_fence_at_us(const struct lease *lease)
{
    uint64_t ahead_us = lease_fence_cost_us(lease);

    if (lease->open_until_us == 0)
        return 0;
    if (ahead_us > lease->open_window_us / 3)
        ahead_us = lease->open_window_us / 3;
    return lease->open_until_us - ahead_us;
}
