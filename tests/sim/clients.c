#include "tests/sim/clients.h"

#include <inttypes.h>

#include "tests/sim/cluster_check.h"
#include "tests/sim/vip.h"

static bool can_read(const struct cluster *cluster, unsigned host)
{
    return cluster_runs(cluster, host, PROCESS_SERVER) && !cluster->hosts[host].server->read_only;
}

static bool log_has_uid(const struct log *log, unsigned count, uint64_t uid)
{
    for (unsigned i = count; i-- > 0;)
        if (log->txns[i].uid == uid)
            return true;
    return false;
}

static void begin_session(struct cluster *cluster, struct client *client, unsigned host)
{
    const struct server *server = cluster->hosts[host].server;
    unsigned visible = server->log.count - server->log.uncommitted;

    /* A machine that was paused takes its lease for live until its clock has come to the end of it. */
    if (client->newest_uid && world_lease_is_live(cluster->world, host) && client->reads_by_address &&
        cluster->world->now_us >= cluster->world->nodes[host].blind_until_us &&
        cluster_check_row_counts(cluster, client->newest_uid) &&
        !log_has_uid(&server->log, visible, client->newest_uid))
        world_violate(cluster->world,
                      "I4: a client reads on %s by the address, and misses row %" PRIu64 ", which it knows",
                      cluster_host_name(cluster, host), client->newest_uid);
    client->host = host;
    client->incarnation = server->incarnation;
    client->opening = server->opening;
    client->seen = 0;
}

static void read_on(struct cluster *cluster, struct client *client, unsigned host)
{
    const struct server *server = cluster->hosts[host].server;
    unsigned visible = server->log.count - server->log.uncommitted;

    if (client->host != host || client->incarnation != server->incarnation ||
        client->opening != server->opening)
        begin_session(cluster, client, host);
    if (visible < client->seen)
        world_violate(cluster->world, "I4: a session on %s reads %u rows after %u",
                      cluster_host_name(cluster, host), visible, client->seen);
    /* One that is not the primary can be open where everybody who would close it is dead. */
    for (unsigned i = client->seen;
         i < visible && cluster_check_is_primary(cluster, host) && server_epoch(server) > 0; i++)
        if (!cluster_check_row_counts(cluster, server->log.txns[i].uid) &&
            !cluster_check_is_given_up(cluster, server->log.txns[i].uid))
            world_violate(cluster->world,
                          "I4: a client reads row %" PRIu64 " on %s, which nobody was promised",
                          server->log.txns[i].uid, cluster_host_name(cluster, host));
    client->seen = visible;
    if (visible > 0)
        client->newest_uid = server->log.txns[visible - 1].uid;
    counts_add(&cluster->world->counts, COUNT_READS, 1);
}

static void use_address(struct world *world, void *context)
{
    struct cluster *cluster = context;

    for (unsigned i = 0; i < cluster->data_count && !cluster->quiet; i++) {
        if (!vip_address_is_here(cluster, i) && cluster->config.has_vip)
            continue;
        if (can_read(cluster, i))
            read_on(cluster, &cluster->clients[0], i);
        server_write(cluster, i);
    }
    cluster_check_step(cluster);
    world_at(world, world->now_us + world_between(world, 1, 2 * cluster->config.write_every_us), use_address,
             cluster);
}

static void use_every_server(struct world *world, void *context)
{
    struct cluster *cluster = context;

    for (unsigned i = 0; i < cluster->data_count && !cluster->quiet; i++)
        server_write(cluster, i);
    if (!cluster->quiet) {
        unsigned host = (unsigned)world_between(world, 0, cluster->data_count - 1);
        if (can_read(cluster, host))
            read_on(cluster, &cluster->clients[1], host);
    }
    cluster_check_step(cluster);
    world_at(world, world->now_us + world_between(world, 1, 2 * cluster->config.hostile_every_us),
             use_every_server, cluster);
}

void clients_start(struct cluster *cluster)
{
    struct world *world = cluster->world;

    cluster->clients[0].reads_by_address = cluster->config.has_vip;
    cluster->clients[0].host = cluster->clients[1].host = world->node_count;
    if (cluster->config.write_every_us)
        world_at(world, world->now_us, use_address, cluster);
    if (cluster->config.hostile_every_us)
        world_at(world, world->now_us, use_every_server, cluster);
}
