#include "tests/sim/rebuild.h"

#include "tests/sim/agent.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/database.h"

#define LOCK_POLL_US 1000u
#define SAVE_US 30000u

static struct rebuild_model *model_of(struct cluster *cluster, unsigned host)
{
    return &cluster->hosts[host].rebuild;
}

static void step_after(struct cluster *cluster, unsigned host, uint64_t delay_us, cluster_call call)
{
    uint64_t life = model_of(cluster, host)->life;

    cluster_after(cluster, host, PROCESS_KERNEL, delay_us, call, &life, sizeof life);
}

static bool is_void(struct cluster *cluster, unsigned host, const void *data)
{
    return !model_of(cluster, host)->running || model_of(cluster, host)->life != *(const uint64_t *)data;
}

static void end(struct cluster *cluster, unsigned host, const char *error)
{
    struct rebuild_model *model = model_of(cluster, host);

    cluster_trace(cluster, host, "rebuild: %s", error[0] ? error : "done");
    model->running = false;
    model->life++;
    agent_rebuild_done(cluster, host, error);
}

static bool donor_is_there(struct cluster *cluster, unsigned host)
{
    struct rebuild_model *model = model_of(cluster, host);

    return cluster_runs(cluster, model->donor, PROCESS_SERVER) &&
           cluster_linked(cluster, model->donor, host) &&
           cluster->hosts[model->donor].server->incarnation == model->donor_incarnation;
}

static void copied(struct cluster *cluster, unsigned host, const void *data)
{
    struct rebuild_model *model = model_of(cluster, host);

    if (is_void(cluster, host, data))
        return;
    if (!donor_is_there(cluster, host)) {
        end(cluster, host, "the donor is gone");
        return;
    }
    server_rebuild(cluster, host, model->donor);
    model->unfinished = false;
    counts_add(&cluster->world->counts, COUNT_REBUILT, 1);
    cluster_process_begins(cluster, host, PROCESS_SERVER);
    server_boot(cluster, host, false);
    end(cluster, host, "");
}

/* What it has alone lies safely beside it. */
static void saved(struct cluster *cluster, unsigned host, const void *data)
{
    struct rebuild_model *model = model_of(cluster, host);

    if (is_void(cluster, host, data))
        return;
    if (!donor_is_there(cluster, host) ||
        world_chance(cluster->world, cluster->faults.rebuild_fails_permille)) {
        end(cluster, host, "the donor does not answer");
        return;
    }
    cluster_check_cut(cluster, host);
    model->destroyed = model->unfinished = true;
    cluster_kill(cluster, host, PROCESS_SERVER);
    server_wiped(cluster->hosts[host].server);
    step_after(cluster, host,
               world_between(cluster->world, cluster->config.copy_min_us, cluster->config.copy_max_us),
               copied);
}

static void wait_for_lock(struct cluster *cluster, unsigned host, const void *data)
{
    struct rebuild_model *model = model_of(cluster, host);

    if (is_void(cluster, host, data))
        return;
    if (cluster_up(cluster, host, PROCESS_WORKER) || cluster_is_frozen(cluster, host)) {
        step_after(cluster, host, LOCK_POLL_US, wait_for_lock);
        return;
    }
    model->donor_incarnation = cluster->hosts[model->donor].server->incarnation;
    step_after(cluster, host, SAVE_US, saved);
}

void rebuild_start(struct cluster *cluster, unsigned host, unsigned donor)
{
    struct rebuild_model *model = model_of(cluster, host);

    cluster_trace(cluster, host, "rebuild: from %s", cluster_host_name(cluster, donor));
    model->running = true;
    model->destroyed = false;
    model->life++;
    model->donor = donor;
    step_after(cluster, host, LOCK_POLL_US, wait_for_lock);
}

void rebuild_cancel(struct cluster *cluster, unsigned host)
{
    if (model_of(cluster, host)->running)
        end(cluster, host, "cancelled");
}

void rebuild_gone(struct cluster *cluster, unsigned host)
{
    struct rebuild_model *model = model_of(cluster, host);

    if (model->running)
        counts_add(&cluster->world->counts, COUNT_REBUILD_BROKEN, 1);
    model->running = false;
    model->life++;
}
