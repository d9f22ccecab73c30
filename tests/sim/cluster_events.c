/* What is due later, for a process in the life that it has now. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/cluster_check.h"

struct cluster_event {
    struct cluster *cluster;
    struct cluster_event *next, **link;
    unsigned host;
    enum process process;
    uint64_t life;
    cluster_call call;
    unsigned char data[];
};

static void free_event(struct cluster_event *event)
{
    *event->link = event->next;
    if (event->next)
        event->next->link = event->link;
    free(event);
}

static void on_event(struct world *world, void *context)
{
    struct cluster_event *event = context;
    struct cluster *cluster = event->cluster;
    const struct process_state *process = &cluster->hosts[event->host].processes[event->process];

    uint64_t stopped_until_us = event->process == PROCESS_KERNEL ? cluster->hosts[event->host].frozen_until_us
                                                                 : process->stopped_until_us;

    if (process->life == event->life && world->now_us < stopped_until_us) {
        world_at(world, stopped_until_us, on_event, event);
        return;
    }
    if (process->up && process->life == event->life) {
        event->call(cluster, event->host, event->data);
        cluster_check_step(cluster);
    }
    free_event(event);
}

void cluster_after(struct cluster *cluster, unsigned host, enum process process, uint64_t delay_us,
                   cluster_call call, const void *data, size_t size)
{
    struct cluster_event *event = malloc(sizeof *event + size);

    assert(event != NULL);
    event->cluster = cluster;
    event->host = host;
    event->process = process;
    event->life = cluster->hosts[host].processes[process].life;
    event->call = call;
    if (size > 0)
        memcpy(event->data, data, size);
    event->next = cluster->events;
    event->link = &cluster->events;
    if (event->next)
        event->next->link = &event->next;
    cluster->events = event;
    world_at(cluster->world, cluster->world->now_us + delay_us, on_event, event);
}

void cluster_at_clock(struct cluster *cluster, unsigned host, enum process process, uint64_t clock_us,
                      cluster_call call, const void *data, size_t size)
{
    uint64_t now_us = cluster->world->now_us;
    uint64_t at_us =
        clock_us > cluster_clock_us(cluster, host) ? world_true_us(cluster->world, host, clock_us) : 0;

    cluster_after(cluster, host, process, at_us > now_us ? at_us - now_us : 0, call, data, size);
}

static void post_timer(struct cluster *cluster, unsigned host, enum process process,
                       struct cluster_timer *timer, cluster_call call)
{
    timer->generation++;
    timer->pending_us = timer->at_us;
    cluster_at_clock(cluster, host, process, timer->at_us, call, &timer->generation,
                     sizeof timer->generation);
}

void cluster_set_timer(struct cluster *cluster, unsigned host, enum process process,
                       struct cluster_timer *timer, uint64_t at_us, cluster_call call)
{
    timer->at_us = at_us;
    if (at_us != 0 && (timer->pending_us == 0 || at_us < timer->pending_us))
        post_timer(cluster, host, process, timer, call);
}

bool cluster_timer_is_due(struct cluster *cluster, unsigned host, enum process process,
                          struct cluster_timer *timer, cluster_call call, const void *data)
{
    if (timer->generation != *(const uint64_t *)data)
        return false;
    timer->pending_us = 0;
    if (timer->at_us == 0)
        return false;
    if (cluster_clock_us(cluster, host) < timer->at_us) {
        post_timer(cluster, host, process, timer, call);
        return false;
    }
    timer->at_us = 0;
    return true;
}

void cluster_free_events(struct cluster *cluster)
{
    while (cluster->events)
        free_event(cluster->events);
}
