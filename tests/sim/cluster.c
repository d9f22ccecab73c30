#include "tests/sim/cluster.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent.h"
#include "tests/sim/clients.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/dbworker.h"
#include "tests/sim/rebuild.h"
#include "tests/sim/vip.h"

/* ---- what is ---- */

const char *cluster_host_name(const struct cluster *cluster, unsigned host)
{
    return cluster->world->nodes[host].name;
}

static void print_line(const struct cluster *cluster, const char *who, const char *format, va_list arguments)
{
    fprintf(cluster->trace, "%12.6f %s%s", (double)cluster->world->now_us / 1e6, who, *who ? ": " : "");
    vfprintf(cluster->trace, format, arguments);
    fputc('\n', cluster->trace);
}

void cluster_trace(const struct cluster *cluster, unsigned host, const char *format, ...)
{
    va_list arguments;

    if (!cluster->trace)
        return;
    va_start(arguments, format);
    print_line(cluster, cluster_host_name(cluster, host), format, arguments);
    va_end(arguments);
}

void cluster_trace_all(const struct cluster *cluster, const char *format, ...)
{
    va_list arguments;

    if (!cluster->trace)
        return;
    va_start(arguments, format);
    print_line(cluster, "", format, arguments);
    va_end(arguments);
}

bool cluster_up(const struct cluster *cluster, unsigned host, enum process process)
{
    return cluster->hosts[host].processes[process].up;
}

bool cluster_stopped(const struct cluster *cluster, unsigned host, enum process process)
{
    return cluster->world->now_us < cluster->hosts[host].processes[process].stopped_until_us;
}

bool cluster_runs(const struct cluster *cluster, unsigned host, enum process process)
{
    return cluster_up(cluster, host, process) && !cluster_stopped(cluster, host, process);
}

uint64_t cluster_runs_since_us(const struct cluster *cluster, unsigned host, enum process process)
{
    const struct process_state *state = &cluster->hosts[host].processes[process];

    if (!state->up || cluster->world->now_us < state->stopped_until_us)
        return 0;
    return state->stopped_until_us > state->begun_us ? state->stopped_until_us : state->begun_us;
}

bool cluster_is_frozen(const struct cluster *cluster, unsigned host)
{
    return cluster->world->now_us < cluster->hosts[host].frozen_until_us;
}

void cluster_process_begins(struct cluster *cluster, unsigned host, enum process process)
{
    struct process_state *state = &cluster->hosts[host].processes[process];

    state->up = true;
    state->life++;
    state->begun_us = cluster->world->now_us;
    state->stopped_until_us = 0;
}

uint64_t cluster_clock_us(const struct cluster *cluster, unsigned host)
{
    return world_clock_us(cluster->world, host);
}

bool cluster_linked(const struct cluster *cluster, unsigned from, unsigned to)
{
    return cluster->hosts[from].powered && cluster->hosts[to].powered && !cluster->world->cut[from][to];
}

uint64_t cluster_net_delay_us(struct cluster *cluster)
{
    return world_between(cluster->world, cluster->config.world.net_min_us, cluster->config.world.net_max_us);
}

uint64_t cluster_op_delay_us(struct cluster *cluster)
{
    return world_between(cluster->world, cluster->config.op_min_us, cluster->config.op_max_us);
}

/* ---- processes ---- */

static void process_ends(struct cluster *cluster, unsigned host, enum process process)
{
    struct process_state *state = &cluster->hosts[host].processes[process];

    state->up = false;
    state->life++;
    state->stopped_until_us = 0;
}

static void restart_vipd(struct cluster *cluster, unsigned host, const void *data)
{
    (void)data;
    if (!cluster_up(cluster, host, PROCESS_VIPD))
        vip_daemon_start(cluster, host);
}

static void restart_later(struct cluster *cluster, unsigned host);

/* Its service manager tries again for as long as it does not come up: its disk may be full, or fail. */
static void restart_agent(struct cluster *cluster, unsigned host, const void *data)
{
    (void)data;
    cluster->hosts[host].restart_due = false;
    if (cluster->faults.agent_stays_down[host] || cluster->world->nodes[host].up)
        return;
    world_start(cluster->world, host);
    if (!cluster->world->nodes[host].up)
        restart_later(cluster, host);
}

static void restart_later(struct cluster *cluster, unsigned host)
{
    if (!cluster->hosts[host].powered || cluster->hosts[host].restart_due)
        return;
    cluster->hosts[host].restart_due = true;
    cluster_after(cluster, host, PROCESS_KERNEL, cluster->config.restart_us, restart_agent, NULL, 0);
}

void cluster_kill(struct cluster *cluster, unsigned host, enum process process)
{
    static const enum count_kind killed[] = {[PROCESS_WORKER] = COUNT_WORKER_KILLED,
                                             [PROCESS_VIPD] = COUNT_VIPD_KILLED,
                                             [PROCESS_SERVER] = COUNT_SERVER_KILLED};

    if (cluster_is_frozen(cluster, host))
        return; /* nothing happens in there */
    if (process == PROCESS_AGENT) {
        world_kill(cluster->world, host);
        return;
    }
    if (!cluster_up(cluster, host, process))
        return;
    counts_add(&cluster->world->counts, killed[process], 1);
    process_ends(cluster, host, process);
    if (process == PROCESS_VIPD) {
        cluster_trace(cluster, host, "vipd gone");
        vip_daemon_gone(cluster, host);
        cluster_after(cluster, host, PROCESS_KERNEL, cluster->config.restart_us, restart_vipd, NULL, 0);
    } else if (process == PROCESS_WORKER) {
        cluster_trace(cluster, host, "dbworker gone");
        worker_killed(cluster, host);
    } else if (process == PROCESS_SERVER) {
        server_died(cluster, host);
        worker_server_event(cluster, host);
    }
}

void cluster_stop(struct cluster *cluster, unsigned host, enum process process, uint64_t for_us)
{
    static const enum count_kind stopped[] = {[PROCESS_AGENT] = COUNT_AGENT_STOPPED,
                                              [PROCESS_WORKER] = COUNT_WORKER_STOPPED,
                                              [PROCESS_VIPD] = COUNT_VIPD_STOPPED,
                                              [PROCESS_SERVER] = COUNT_SERVER_STOPPED};
    uint64_t until_us = cluster->world->now_us + for_us;

    /* What waits for the end of an earlier stop waits for that end: a later one only makes it longer. Inside
     * a machine that is paused nobody can stop anything. */
    if (!cluster_up(cluster, host, process) || cluster_is_frozen(cluster, host) ||
        until_us <= cluster->hosts[host].processes[process].stopped_until_us)
        return;
    cluster_trace(cluster, host, "process %d is stopped for %.3f s", process, (double)for_us / 1e6);
    cluster->hosts[host].processes[process].stopped_until_us = until_us;
    counts_add(&cluster->world->counts, stopped[process], 1);
    if (process == PROCESS_AGENT)
        world_pause(cluster->world, host, for_us);
}

void cluster_stop_host(struct cluster *cluster, unsigned host, uint64_t for_us)
{
    counts_add(&cluster->world->counts, COUNT_HOST_STOPPED, cluster_runs(cluster, host, PROCESS_AGENT));
    for (int i = PROCESS_AGENT; i < PROCESS_COUNT; i++)
        cluster_stop(cluster, host, (enum process)i, for_us);
}

void cluster_pause_machine(struct cluster *cluster, unsigned host, uint64_t for_us)
{
    struct host *h = &cluster->hosts[host];
    uint64_t until_us = cluster->world->now_us + for_us;

    if (!world_is_running(cluster->world, host) || cluster_is_frozen(cluster, host))
        return;
    cluster_trace(cluster, host, "its machine is paused for %.3f s", (double)for_us / 1e6);
    world_pause_machine(cluster->world, host, for_us);
    h->frozen_until_us = until_us;
    for (int i = PROCESS_AGENT; i < PROCESS_COUNT; i++)
        if (h->processes[i].up && h->processes[i].stopped_until_us < until_us)
            h->processes[i].stopped_until_us = until_us;
}

/* The agent's orderly end: the worker is told to stop, then the process exits. */
void cluster_agent_stop(struct cluster *cluster, unsigned host)
{
    cluster_trace(cluster, host, "agent: stops as told");
    worker_send_stop(cluster, host);
    world_crash(cluster->world, host, 1000);
}

void cluster_wipe(struct cluster *cluster, unsigned host)
{
    cluster_power_off(cluster, host);
    world_wipe(cluster->world, host);
    cluster_trace(cluster, host, "has new disks, and is member %" PRIu64, cluster->world->nodes[host].id);
    counts_add(&cluster->world->counts, COUNT_WIPED, 1);
    if (cluster->hosts[host].server)
        server_wiped(cluster->hosts[host].server);
    cluster->hosts[host].rebuild.unfinished = false;
    if (cluster->hosts[host].agent)
        agent_wiped(cluster, host);
}

void cluster_power_on(struct cluster *cluster, unsigned host)
{
    struct host *h = &cluster->hosts[host];

    if (h->powered)
        return;
    h->powered = true;
    cluster_process_begins(cluster, host, PROCESS_KERNEL);
    if (h->vip)
        vip_daemon_start(cluster, host);
    restart_agent(cluster, host, NULL);
}

void cluster_power_off(struct cluster *cluster, unsigned host)
{
    struct host *h = &cluster->hosts[host];

    if (!h->powered)
        return;
    cluster_trace(cluster, host, "power is gone");
    counts_add(&cluster->world->counts, COUNT_POWER_OFF, 1);
    h->powered = false;
    h->frozen_until_us = 0;
    for (int i = 0; i < PROCESS_COUNT; i++)
        if (i != PROCESS_AGENT)
            process_ends(cluster, host, (enum process)i);
    rebuild_gone(cluster, host);
    world_crash(cluster->world, host, 500);
    if (h->vip) {
        vip_host_down(cluster, host);
        server_died(cluster, host);
        server_lost_power(cluster, host);
        worker_server_statements_end(h->worker);
    }
}

/* ---- the server's start command ---- */

struct start {
    bool to_follow;
    uint64_t agent_life;
};

static void server_started(struct cluster *cluster, unsigned host, const void *data)
{
    const struct start *start = data;
    struct process_state *process = &cluster->hosts[host].processes[PROCESS_SERVER];

    counts_add(&cluster->world->counts, COUNT_START_REFUSED,
               !process->up && cluster->faults.start_fails[host]);
    if (!process->up && !cluster->faults.start_fails[host] && !cluster->hosts[host].rebuild.running &&
        !cluster->hosts[host].rebuild.unfinished) {
        cluster_process_begins(cluster, host, PROCESS_SERVER);
        server_boot(cluster, host, start->to_follow);
    }
    if (cluster_up(cluster, host, PROCESS_AGENT) &&
        cluster->hosts[host].processes[PROCESS_AGENT].life == start->agent_life)
        agent_server_started(cluster, host);
}

void cluster_start_server(struct cluster *cluster, unsigned host, bool to_follow)
{
    struct start start = {to_follow, cluster->hosts[host].processes[PROCESS_AGENT].life};

    cluster_trace(cluster, host, "agent: starts the server %s", to_follow ? "to follow" : "in place");
    cluster_after(cluster, host, PROCESS_KERNEL,
                  world_between(cluster->world, cluster->config.start_min_us, cluster->config.start_max_us),
                  server_started, &start, sizeof start);
}

void cluster_restart_server(struct cluster *cluster, unsigned host)
{
    struct start start = {false, 0};

    if (cluster_is_frozen(cluster, host))
        return;
    counts_add(&cluster->world->counts, COUNT_SERVER_RESTARTED, cluster_up(cluster, host, PROCESS_SERVER));
    cluster_kill(cluster, host, PROCESS_SERVER);
    server_started(cluster, host, &start);
}

/* ---- the world's hooks ---- */

static void hook_started(struct world *world, unsigned host, void *context)
{
    struct cluster *cluster = context;

    (void)world;
    cluster_process_begins(cluster, host, PROCESS_AGENT);
    if (cluster->hosts[host].agent)
        agent_started(cluster, host);
}

static void hook_stopped(struct world *world, unsigned host, void *context)
{
    struct cluster *cluster = context;

    (void)world;
    cluster_trace(cluster, host, "agent gone");
    process_ends(cluster, host, PROCESS_AGENT);
    if (cluster->hosts[host].agent)
        agent_stopped(cluster, host);
    restart_later(cluster, host);
}

static void hook_applied(struct world *world, unsigned host, const struct raft_entry *entry, void *context)
{
    (void)world;
    if (((struct cluster *)context)->hosts[host].agent)
        agent_applied(context, host, entry);
}

static void *hook_save(struct world *world, unsigned host, size_t *size, void *context)
{
    (void)world;
    *size = 0;
    return ((struct cluster *)context)->hosts[host].agent ? agent_save(context, host, size) : NULL;
}

static void hook_restored(struct world *world, unsigned host, uint64_t index, const void *state, size_t size,
                          void *context)
{
    (void)world;
    if (((struct cluster *)context)->hosts[host].agent)
        agent_restored(context, host, index, state, size);
}

static void hook_observed(struct world *world, unsigned host, const struct raft_status *status, void *context)
{
    (void)world;
    if (((struct cluster *)context)->hosts[host].agent)
        agent_observed(context, host, status);
}

/* ---- making and freeing ---- */

struct kept {
    struct kept *next;
    max_align_t data[];
};

void *cluster_keep(struct cluster *cluster, size_t size)
{
    struct kept *kept = calloc(1, sizeof *kept + size);

    assert(kept != NULL);
    kept->next = cluster->kept;
    cluster->kept = kept;
    return kept->data;
}

struct cluster_config cluster_default_config(unsigned data_nodes, unsigned arbiters)
{
    return (struct cluster_config){.world = {.seed = 1,
                                             .data_nodes = data_nodes,
                                             .arbiters = arbiters,
                                             .heartbeat_us = 100000,
                                             .election_us = 1000000,
                                             .net_min_us = 200,
                                             .net_max_us = 400,
                                             .disk_min_us = 500,
                                             .disk_max_us = 1000},
                                   .has_vip = true,
                                   .probe_interval_us = 250000,
                                   .probe_timeout_us = 2000000,
                                   .op_min_us = 100,
                                   .op_max_us = 1000,
                                   .apply_min_us = 100,
                                   .apply_max_us = 1000,
                                   .start_min_us = 300000,
                                   .start_max_us = 500000,
                                   .copy_min_us = 400000,
                                   .copy_max_us = 800000,
                                   .restart_us = 100000,
                                   .write_every_us = 10000,
                                   .hostile_every_us = 25000};
}

struct cluster *cluster_new(const struct cluster_config *config)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);

    assert(cluster != NULL);
    cluster->config = *config;
    cluster->world = world_new(&config->world);
    cluster->data_count = config->world.data_nodes;
    cluster->trace = getenv("TRACE") != NULL || getenv("CLUSTER_TRACE") != NULL ? stdout : NULL;
    cluster->check = cluster_check_new(cluster);
    cluster->clients = calloc(CLIENTS_MAX, sizeof *cluster->clients);
    assert(cluster->clients != NULL);
    for (unsigned i = 0; i < cluster->world->node_count; i++) {
        struct host *host = &cluster->hosts[i];
        cluster->world->nodes[i].hooks = (struct world_hooks){.context = cluster,
                                                              .started = hook_started,
                                                              .stopped = hook_stopped,
                                                              .applied = hook_applied,
                                                              .save = hook_save,
                                                              .restored = hook_restored,
                                                              .observed = hook_observed};
        if (i >= cluster->data_count)
            continue;
        host->server = server_new(cluster, i);
        host->worker = worker_model_new();
        host->vip = vip_model_new();
        host->agent = agent_model_new();
    }
    clients_start(cluster);
    return cluster;
}

void cluster_free(struct cluster *cluster)
{
    for (unsigned i = 0; i < cluster->data_count; i++) {
        server_free(cluster->hosts[i].server);
        free(cluster->hosts[i].worker);
        vip_model_free(cluster->hosts[i].vip);
        agent_model_free(cluster, cluster->hosts[i].agent);
    }
    cluster_free_events(cluster);
    while (cluster->kept) {
        struct kept *next = cluster->kept->next;
        free(cluster->kept);
        cluster->kept = next;
    }
    cluster_check_free(cluster->check);
    free(cluster->clients);
    rooms_free(&cluster->rooms);
    world_free(cluster->world);
    free(cluster);
}
