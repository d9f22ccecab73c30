#include "arbiter/arbiter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/log.h"

static const char *member_name(const struct replica *replica, uint64_t id)
{
    struct replica_member member;

    for (unsigned i = 0; i < replica_member_count(replica); i++) {
        replica_member(replica, i, &member);
        if (member.id == id)
            return member.name;
    }
    return "";
}

/* The log tells of every change of leader, and of nothing that comes with every heartbeat. */
static void on_changed(void *context)
{
    struct arbiter_cluster *cluster = context;
    struct raft_status status;

    replica_status(cluster->replica, &status);
    if (status.leader == cluster->leader && (status.term == cluster->term || status.leader == 0))
        return;
    cluster->leader = status.leader;
    cluster->term = status.term;
    if (status.leader == 0)
        log_notice("cluster \"%s\": no leader in term %llu", cluster->settings->cluster,
                   (unsigned long long)status.term);
    else
        log_notice("cluster \"%s\": %s leads in term %llu", cluster->settings->cluster,
                   member_name(cluster->replica, status.leader), (unsigned long long)status.term);
}

static void on_fatal(void *context, const char *why)
{
    struct arbiter_cluster *cluster = context;

    log_error("cluster \"%s\": %s; the arbiter stops, and votes again only after a new start",
              cluster->settings->cluster, why);
    cluster->arbiter->failed = true;
    event_base_loopbreak(cluster->arbiter->base);
}

static enum error_code open_cluster(struct arbiter *arbiter, const struct replica_settings *settings,
                                    struct error *err)
{
    static const struct replica_callbacks callbacks = {
        .changed = on_changed, .fatal = on_fatal, .message = arbiter_on_message};
    struct arbiter_cluster *cluster = &arbiter->clusters[arbiter->cluster_count];
    char dir[REPLICA_PATH_BYTES + REPLICA_NAME_BYTES];
    struct replica_config config = {.cluster = settings->cluster,
                                    .name = settings->node,
                                    .key = settings->key,
                                    .data_dir = dir,
                                    .heartbeat_us = settings->heartbeat_us,
                                    .election_us = settings->election_us,
                                    .node_count = settings->node_count,
                                    .nodes = settings->nodes,
                                    .trace = arbiter->trace};
    enum error_code failed;

    snprintf(dir, sizeof dir, "%s/%s", arbiter->settings->data_dir, settings->cluster);
    cluster->arbiter = arbiter;
    cluster->settings = settings;
    failed = replica_open(arbiter->base, arbiter->net, &config, &callbacks, cluster, &cluster->replica, err);
    if (failed)
        return error_prefix(err, "cluster \"%s\"", settings->cluster);
    arbiter->cluster_count++;
    return ERR_OK;
}

enum error_code arbiter_open(struct arbiter *arbiter, struct event_base *base,
                             const struct arbiter_settings *settings, struct error *err)
{
    enum error_code failed = ERR_OK;

    memset(arbiter, 0, sizeof *arbiter);
    arbiter->base = base;
    arbiter->settings = settings;
    arbiter->clusters = calloc(settings->cluster_count, sizeof *arbiter->clusters);
    if (!arbiter->clusters)
        failed = error_set(err, ERR_NO_MEMORY, "no memory for %u clusters", settings->cluster_count);
    else if (mkdir(settings->data_dir, 0700) != 0 && errno != EEXIST)
        failed = error_set(err, ERR_IO,
                           "data_dir %s cannot be made: %s; make it, with this program's user as its owner",
                           settings->data_dir, strerror(errno));
    /* The control socket first: whose it is decides between two arbiters started by mistake. */
    if (!failed)
        failed =
            control_new(base, settings->control_socket, arbiter_on_request, arbiter, &arbiter->control, err);
    if (!failed && settings->trace.path[0])
        failed = trace_open(settings->trace.path, settings->trace.bytes_max, &arbiter->trace, err);
    if (!failed)
        failed = net_new(base, &arbiter->net, err);
    for (unsigned i = 0; i < settings->cluster_count && !failed; i++)
        failed = open_cluster(arbiter, &settings->clusters[i], err);
    if (!failed)
        failed = net_listen(arbiter->net, settings->listen, err);
    if (failed)
        arbiter_close(arbiter);
    return failed;
}

void arbiter_close(struct arbiter *arbiter)
{
    for (unsigned i = 0; i < arbiter->cluster_count; i++)
        replica_close(arbiter->clusters[i].replica);
    trace_close(arbiter->trace);
    net_free(arbiter->net);
    control_free(arbiter->control);
    free(arbiter->clusters);
    memset(arbiter, 0, sizeof *arbiter);
}
