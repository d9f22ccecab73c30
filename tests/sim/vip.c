#include "tests/sim/vip.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent.h"
#include "vipd/lease.h"

#define SOCKET_US 20u
#define KERNEL_US 200u /* a netlink request */
#define SILENCE_US 500000u
#define DIAL_US 20000u
#define KERNEL_LATE_US 200000u /* "removes the address N to N+0.2 s later" */
#define BACKSTOP_US 1200000u   /* the design, section 4: so much longer than its lease the address may live */

enum wish { WISH_NONE, WISH_LEASE, WISH_RELEASE };

struct message { /* between client and vipd */
    uint64_t id;
    enum wish kind; /* WISH_NONE: a query */
    uint64_t epoch, deadline_us;
    struct vip_known state;
    uint64_t agent_life;
};

struct vip_model {
    /* the kernel */
    bool address;
    uint64_t lifetime_until_us; /* clock */
    uint64_t backstop_us;       /* clock: by then it must be over */
    uint64_t lifetime_generation;
    /* vipd */
    struct lease lease;
    bool busy; /* a netlink request is under way: nothing else is done meanwhile */
    uint64_t busy_until_us;
    struct cluster_timer wake;
    bool told_held, told_conflict;
    uint64_t epoch_seen; /* for the check: the highest that this vipd took */
    /* the agent's client */
    struct message last_lease;    /* of this agent, and of the one before it */
    struct message earlier_lease; /* kind WISH_NONE: none */
    struct vip_known known;
    enum wish wish;
    uint64_t wish_epoch, wish_deadline_us, wish_id;
    bool wish_sent, wish_answered;
    uint64_t last_id, answered_id;
    bool dials; /* or is about to */
    uint64_t dialled_life;
    struct cluster_timer silence;
};

static struct vip_model *vip_of(const struct cluster *cluster, unsigned host)
{
    return cluster->hosts[host].vip;
}

struct vip_model *vip_model_new(void)
{
    struct vip_model *vip = calloc(1, sizeof *vip);

    assert(vip != NULL);
    return vip;
}

void vip_model_free(struct vip_model *vip)
{
    free(vip);
}

/* ---- the kernel ---- */

bool vip_address_is_here(const struct cluster *cluster, unsigned host)
{
    /* The kernel of a machine that is paused answers nobody. */
    return cluster->hosts[host].powered && vip_of(cluster, host)->address &&
           !cluster_is_frozen(cluster, host);
}

bool vip_may_hold(const struct cluster *cluster, unsigned host)
{
    const struct vip_model *vip = vip_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host);

    /* Of a vipd that is dead or stopped only the leases count: its kernel's own lifetime does the rest. */
    return (vip->address && cluster_runs(cluster, host, PROCESS_VIPD) && vip->lease.held) ||
           (cluster_up(cluster, host, PROCESS_VIPD) && vip->lease.deadline_us > now_us) ||
           (vip->wish == WISH_LEASE && !vip->wish_answered && vip->wish_deadline_us > now_us);
}

uint64_t vip_kernel_until_us(const struct cluster *cluster, unsigned host)
{
    return world_true_us(cluster->world, host, vip_of(cluster, host)->backstop_us);
}

static void run(struct cluster *cluster, unsigned host);

/* vipd is in a netlink request, which it waits for: what else there is to do is done after that. */
static bool is_put_off(struct cluster *cluster, unsigned host, cluster_call call, const void *data,
                       size_t size)
{
    const struct vip_model *vip = vip_of(cluster, host);
    uint64_t now_us = cluster->world->now_us;

    if (!vip->busy)
        return false;
    cluster_after(cluster, host, PROCESS_VIPD, vip->busy_until_us > now_us ? vip->busy_until_us - now_us : 1,
                  call, data, size);
    return true;
}

static void address_seen_gone(struct cluster *cluster, unsigned host, const void *data)
{
    if (is_put_off(cluster, host, address_seen_gone, data, 0))
        return;
    lease_set_held(&vip_of(cluster, host)->lease, cluster_clock_us(cluster, host),
                   vip_of(cluster, host)->address);
    run(cluster, host);
}

static void lifetime_ends(struct cluster *cluster, unsigned host, const void *data)
{
    struct vip_model *vip = vip_of(cluster, host);

    if (!vip->address || vip->lifetime_generation != *(const uint64_t *)data)
        return;
    if (cluster_clock_us(cluster, host) < vip->lifetime_until_us) { /* a pause of the machine did not count */
        cluster_at_clock(cluster, host, PROCESS_KERNEL, vip->lifetime_until_us, lifetime_ends, data,
                         sizeof vip->lifetime_generation);
        return;
    }
    cluster_trace(cluster, host, "kernel: the address's lifetime is over");
    vip->address = false;
    cluster_after(cluster, host, PROCESS_VIPD, SOCKET_US, address_seen_gone, NULL, 0);
}

static void set_lifetime(struct cluster *cluster, unsigned host, uint32_t lifetime_s, uint64_t deadline_us)
{
    struct vip_model *vip = vip_of(cluster, host);

    vip->lifetime_generation++;
    vip->lifetime_until_us = cluster_clock_us(cluster, host) + lifetime_s * 1000000ull;
    vip->backstop_us = deadline_us + BACKSTOP_US;
    cluster_at_clock(cluster, host, PROCESS_KERNEL,
                     vip->lifetime_until_us + world_between(cluster->world, 0, KERNEL_LATE_US), lifetime_ends,
                     &vip->lifetime_generation, sizeof vip->lifetime_generation);
}

void vip_host_down(struct cluster *cluster, unsigned host)
{
    vip_of(cluster, host)->address = false;
}

/* ---- vipd ---- */

static void tell(struct cluster *cluster, unsigned host, uint64_t id);

struct doing {
    enum lease_action action;
    uint64_t started_us;
    uint32_t lifetime_s;
    uint64_t deadline_us; /* of the lease that the lifetime is made for */
};

static void probe_answered(struct cluster *cluster, unsigned host, const void *data)
{
    (void)data;
    lease_see_other(&vip_of(cluster, host)->lease, cluster_clock_us(cluster, host));
    run(cluster, host);
}

/* Whoever else's kernel has the address answers, whatever its processes do. */
static void probe(struct cluster *cluster, unsigned host)
{
    for (unsigned i = 0; i < cluster->data_count; i++)
        if (i != host && vip_address_is_here(cluster, i) && cluster_linked(cluster, host, i) &&
            cluster_linked(cluster, i, host))
            cluster_after(cluster, host, PROCESS_VIPD, 2 * cluster->config.world.net_min_us, probe_answered,
                          NULL, 0);
}

static void done(struct cluster *cluster, unsigned host, const void *data)
{
    struct vip_model *vip = vip_of(cluster, host);
    const struct doing *doing = data;
    bool ok = true;

    vip->busy = false;
    switch (doing->action) {
    case LEASE_PROBE:
        probe(cluster, host);
        break;
    case LEASE_ADD:
    case LEASE_REFRESH:
        ok = !cluster->faults.vip_refused[host];
        counts_add(&cluster->world->counts, COUNT_ADDRESS_REFUSED, !ok);
        if (ok) {
            if (!vip->address)
                cluster_trace(cluster, host, "kernel: the address is here");
            vip->address = true;
            set_lifetime(cluster, host, doing->lifetime_s, doing->deadline_us);
        }
        break;
    case LEASE_REMOVE:
        if (vip->address)
            cluster_trace(cluster, host, "kernel: the address is removed");
        vip->address = false;
        break;
    default:
        break;
    }
    lease_done(&vip->lease, doing->action, doing->started_us, cluster_clock_us(cluster, host), ok);
    run(cluster, host);
}

static void wake(struct cluster *cluster, unsigned host, const void *data)
{
    if (cluster_timer_is_due(cluster, host, PROCESS_VIPD, &vip_of(cluster, host)->wake, wake, data))
        run(cluster, host);
}

static void run(struct cluster *cluster, unsigned host)
{
    struct vip_model *vip = vip_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host);
    struct lease_step step;

    if (vip->busy)
        return;
    step = lease_next(&vip->lease, now_us);
    if (step.action != LEASE_WAIT) {
        struct doing doing = {step.action, now_us, step.lifetime_s, vip->lease.deadline_us};
        uint64_t delay_us = step.action == LEASE_ANNOUNCE ? 1 : world_between(cluster->world, 20, KERNEL_US);
        vip->busy = true;
        vip->busy_until_us = cluster->world->now_us + delay_us;
        cluster_after(cluster, host, PROCESS_VIPD, delay_us, done, &doing, sizeof doing);
    } else {
        cluster_set_timer(cluster, host, PROCESS_VIPD, &vip->wake,
                          step.wake_us == LEASE_NEVER ? 0 : step.wake_us, wake);
    }
    if (vip->told_held != vip->lease.held || vip->told_conflict != vip->lease.conflict)
        tell(cluster, host, 0);
}

void vip_daemon_start(struct cluster *cluster, unsigned host)
{
    struct vip_model *vip = vip_of(cluster, host);

    cluster_process_begins(cluster, host, PROCESS_VIPD);
    lease_init(&vip->lease);
    memset(&vip->wake, 0, sizeof vip->wake);
    lease_set_link(&vip->lease, cluster_clock_us(cluster, host), true, true);
    vip->busy = false;
    vip->told_held = vip->told_conflict = false;
    vip->epoch_seen = 0;
    vip->address = false; /* before anybody is served */
    run(cluster, host);
}

/* I5: "no process acts for an older epoch than it has seen" */
static void check_taken(struct cluster *cluster, unsigned host, uint64_t epoch)
{
    struct vip_model *vip = vip_of(cluster, host);

    if (epoch < vip->epoch_seen)
        world_violate(cluster->world,
                      "I5: the vipd of %s takes a lease of epoch %" PRIu64 " after one of epoch %" PRIu64,
                      cluster_host_name(cluster, host), epoch, vip->epoch_seen);
    else
        vip->epoch_seen = epoch;
}

static void receive(struct cluster *cluster, unsigned host, const void *data)
{
    const struct message *message = data;
    struct vip_model *vip = vip_of(cluster, host);
    uint64_t now_us = cluster_clock_us(cluster, host);
    bool is_present = message->agent_life == cluster->hosts[host].processes[PROCESS_AGENT].life;

    if (!is_present && message->kind == WISH_NONE)
        return;
    if (is_put_off(cluster, host, receive, data, sizeof *message))
        return;
    if ((message->kind == WISH_LEASE &&
         lease_grant(&vip->lease, now_us, message->epoch, message->deadline_us) == LEASE_ACCEPTED) ||
        (message->kind == WISH_RELEASE && lease_release(&vip->lease, message->epoch) == LEASE_ACCEPTED))
        check_taken(cluster, host, message->epoch);
    tell(cluster, host, is_present ? message->id : 0); /* the answer to an earlier agent goes to nobody */
    run(cluster, host);
}

/* ---- the agent's client ---- */

static void send_wish(struct cluster *cluster, unsigned host);
static void dial(struct cluster *cluster, unsigned host, const void *data);

static void changed(struct cluster *cluster, unsigned host, const struct vip_known *before)
{
    const struct vip_known *now = &vip_of(cluster, host)->known;

    if (before->connected != now->connected || before->held != now->held || before->epoch != now->epoch ||
        before->conflict != now->conflict || before->released_epoch != now->released_epoch)
        agent_vip_changed(cluster, host);
}

static void on_silence(struct cluster *cluster, unsigned host, const void *data)
{
    struct vip_model *vip = vip_of(cluster, host);
    struct vip_known before = vip->known;

    if (!cluster_timer_is_due(cluster, host, PROCESS_AGENT, &vip->silence, on_silence, data))
        return;
    vip->known.connected = false;
    changed(cluster, host, &before);
}

static void mind_silence(struct cluster *cluster, unsigned host)
{
    struct vip_model *vip = vip_of(cluster, host);

    cluster_set_timer(cluster, host, PROCESS_AGENT, &vip->silence,
                      vip->answered_id < vip->last_id ? cluster_clock_us(cluster, host) + SILENCE_US : 0,
                      on_silence);
}

static bool send_request(struct cluster *cluster, unsigned host, struct message *message)
{
    struct vip_model *vip = vip_of(cluster, host);
    bool first = vip->answered_id == vip->last_id;

    if (!cluster_up(cluster, host, PROCESS_VIPD))
        return false;
    message->id = ++vip->last_id;
    message->agent_life = cluster->hosts[host].processes[PROCESS_AGENT].life;
    if (message->kind == WISH_LEASE)
        vip->last_lease = *message;
    cluster_after(cluster, host, PROCESS_VIPD, SOCKET_US, receive, message, sizeof *message);
    if (first)
        mind_silence(cluster, host);
    return true;
}

static void on_state(struct cluster *cluster, unsigned host, const void *data)
{
    const struct message *message = data;
    struct vip_model *vip = vip_of(cluster, host);
    struct vip_known before = vip->known;

    vip->known.connected = true;
    vip->known.held = message->state.held;
    vip->known.epoch = message->state.epoch;
    vip->known.deadline_us = message->state.deadline_us;
    vip->known.link_up = message->state.link_up;
    vip->known.conflict = message->state.conflict;
    if (message->id > vip->answered_id && message->id <= vip->last_id) {
        vip->answered_id = message->id;
        mind_silence(cluster, host);
    }
    if (!vip->wish_sent)
        send_wish(cluster, host);
    else if (message->id >= vip->wish_id && message->id != 0)
        vip->wish_answered = true;
    if (vip->wish == WISH_RELEASE && vip->wish_sent && vip->wish_answered && !vip->known.held &&
        vip->known.deadline_us == 0 && vip->known.released_epoch < vip->wish_epoch)
        vip->known.released_epoch = vip->wish_epoch;
    changed(cluster, host, &before);
}

static void tell(struct cluster *cluster, unsigned host, uint64_t id)
{
    struct vip_model *vip = vip_of(cluster, host);
    struct message message = {.id = id};

    vip->told_held = vip->lease.held;
    vip->told_conflict = vip->lease.conflict;
    message.state = (struct vip_known){.held = vip->lease.held,
                                       .link_up = vip->lease.link_up,
                                       .conflict = vip->lease.conflict,
                                       .epoch = vip->lease.epoch,
                                       .deadline_us = vip->lease.deadline_us};
    cluster_after(cluster, host, PROCESS_AGENT, SOCKET_US, on_state, &message, sizeof message);
}

static void send_wish(struct cluster *cluster, unsigned host)
{
    struct vip_model *vip = vip_of(cluster, host);
    struct message message = {
        .kind = vip->wish, .epoch = vip->wish_epoch, .deadline_us = vip->wish_deadline_us};

    vip->wish_answered = false;
    if (vip->wish == WISH_LEASE)
        vip->wish_sent =
            vip->wish_deadline_us <= cluster_clock_us(cluster, host) || send_request(cluster, host, &message);
    else
        vip->wish_sent = vip->wish == WISH_NONE || send_request(cluster, host, &message);
    vip->wish_id = vip->last_id;
}

static void dial(struct cluster *cluster, unsigned host, const void *data)
{
    struct vip_model *vip = vip_of(cluster, host);
    struct vip_known before = vip->known;
    struct message query = {.kind = WISH_NONE};
    uint64_t seen_life = *(const uint64_t *)data, life = cluster->hosts[host].processes[PROCESS_VIPD].life;

    if (life != seen_life ||
        !cluster_up(cluster, host, PROCESS_VIPD)) { /* the connection broke, or none yet */
        vip->known.connected = false;
        vip->wish_sent = false;
        vip->last_id = vip->answered_id = 0;
        cluster_set_timer(cluster, host, PROCESS_AGENT, &vip->silence, 0, on_silence);
        changed(cluster, host, &before);
        if (cluster_up(cluster, host, PROCESS_VIPD)) {
            send_request(cluster, host, &query);
            send_wish(cluster, host);
        }
    }
    vip->dialled_life = life;
    vip->dials = !vip->known.connected;
    if (vip->dials) /* until it answers; then its end is told by vip_daemon_gone */
        cluster_after(cluster, host, PROCESS_AGENT, DIAL_US, dial, &vip->dialled_life,
                      sizeof vip->dialled_life);
}

void vip_daemon_gone(struct cluster *cluster, unsigned host)
{
    struct vip_model *vip = vip_of(cluster, host);

    if (cluster_up(cluster, host, PROCESS_AGENT) && !vip->dials)
        cluster_after(cluster, host, PROCESS_AGENT, SOCKET_US, dial, &vip->dialled_life,
                      sizeof vip->dialled_life);
    vip->dials = true;
}

void vip_client_start(struct cluster *cluster, unsigned host)
{
    struct vip_model *vip = vip_of(cluster, host);
    uint64_t none = 0;

    memset(&vip->known, 0, sizeof vip->known);
    memset(&vip->silence, 0, sizeof vip->silence);
    vip->known.trouble = "";
    vip->wish = WISH_NONE;
    vip->wish_sent = false;
    vip->last_id = vip->answered_id = 0;
    vip->dials = true;
    if (vip->last_lease.kind == WISH_LEASE)
        vip->earlier_lease = vip->last_lease;
    vip->last_lease.kind = WISH_NONE;
    dial(cluster, host, &none);
}

bool vip_deliver_late(struct cluster *cluster, unsigned host)
{
    const struct vip_model *vip = vip_of(cluster, host);

    if (vip->earlier_lease.kind != WISH_LEASE || !cluster_up(cluster, host, PROCESS_VIPD))
        return false;
    cluster_after(cluster, host, PROCESS_VIPD, SOCKET_US, receive, &vip->earlier_lease,
                  sizeof vip->earlier_lease);
    return true;
}

void vip_client_lease(struct cluster *cluster, unsigned host, uint64_t epoch, uint64_t deadline_us)
{
    struct vip_model *vip = vip_of(cluster, host);

    if (vip->wish == WISH_LEASE && vip->wish_epoch == epoch && vip->wish_deadline_us == deadline_us &&
        vip->wish_sent &&
        (!vip->wish_answered || (vip->known.epoch == epoch && vip->known.deadline_us == deadline_us)))
        return; /* this very one was sent */
    vip->wish = WISH_LEASE;
    vip->wish_epoch = epoch;
    vip->wish_deadline_us = deadline_us;
    if (vip->known.released_epoch >= epoch)
        vip->known.released_epoch = epoch - 1;
    send_wish(cluster, host);
}

void vip_client_release(struct cluster *cluster, unsigned host, uint64_t epoch)
{
    struct vip_model *vip = vip_of(cluster, host);

    if (vip->wish == WISH_RELEASE && vip->wish_epoch == epoch && vip->wish_sent)
        return;
    vip->wish = WISH_RELEASE;
    vip->wish_epoch = epoch;
    send_wish(cluster, host);
}

const struct vip_known *vip_client_state(const struct cluster *cluster, unsigned host)
{
    return &vip_of(cluster, host)->known;
}
