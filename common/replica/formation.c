#include "common/replica/formation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

uint64_t formation_digest(const struct replica_node *nodes, unsigned count)
{
    uint64_t sum = count;

    for (unsigned i = 0; i < count; i++) {
        uint64_t one = nodes[i].arbiter ? 0x9e3779b97f4a7c15u : 14695981039346656037u;
        for (const char *c = nodes[i].name; *c; c++)
            one = (one ^ (uint8_t)*c) *
                  1099511628211u; /* FNV-1a: a guard against mistakes, not against malice */
        sum += one * one | 1;
    }
    return sum;
}

bool formation_includes_us(const struct replica *replica, const struct replica_membership *membership)
{
    const struct replica_membership_member *us = replica_membership_by_id(membership, replica->id);

    return us && strcmp(us->name, replica->name) == 0;
}

static const char *coordinator(const struct replica *replica)
{
    const char *least = replica->name;

    for (unsigned i = 0; i < replica->node_count; i++)
        if (strcmp(replica->nodes[i].name, least) < 0)
            least = replica->nodes[i].name;
    return least;
}

/* On disk first; from then on this node is a member of the group and of no other. */
static enum error_code become_formed(struct replica *replica, const struct replica_membership *membership,
                                     struct error *err)
{
    struct wire_snapshot snapshot = {.membership = *membership};
    struct store_snapshot stored = {0};
    struct wire_bytes bytes;
    enum error_code failed = wire_pack_snapshot(&snapshot, &bytes, err);

    if (failed)
        return failed;
    stored.data = bytes.data;
    stored.size = bytes.size;
    failed = store_save_snapshot(replica->store, &stored, err);
    free(bytes.data);
    if (failed)
        return failed;
    replica->membership = replica->snapshot_membership = replica->applied_membership = *membership;
    replica->formed = true;
    log_notice("cluster \"%s\": the group is formed, with %u members; this is %s (%016llx)", replica->cluster,
               membership->count, replica->name, (unsigned long long)replica->id);
    failed = members_learn(replica, err);
    if (!failed)
        failed = engine_start(replica, err);
    return failed;
}

/* The founding membership: all configured nodes, as they greeted us. */
static enum error_code found(const struct replica *replica, struct replica_membership *membership,
                             struct error *err)
{
    enum error_code failed = ERR_OK;

    memset(membership, 0, sizeof *membership);
    for (unsigned i = 0; i < replica->node_count && !failed; i++) {
        const struct replica_node *node = &replica->nodes[i];
        struct replica_membership_member member = {.arbiter = node->arbiter, .voter = true};
        memcpy(member.name, node->name, sizeof member.name);
        memcpy(member.address, node->address, sizeof member.address);
        member.id = strcmp(node->name, replica->name) == 0
                        ? replica->id
                        : peers_by_name((struct replica *)replica, node->name)->id;
        failed = replica_membership_add(membership, &member, err);
    }
    return failed;
}

static void send_form(struct replica *replica)
{
    struct wire_bytes bytes;
    struct error err;

    if (wire_pack_form(&replica->membership, &bytes, &err) != ERR_OK)
        return; /* they learn it from our next greeting */
    for (unsigned i = 0; i < replica->membership.count; i++)
        if (replica->membership.members[i].id != replica->id)
            peers_send(replica, replica->membership.members[i].id, &bytes);
    free(bytes.data);
}

void formation_try(struct replica *replica)
{
    struct replica_membership membership;
    struct error err;
    enum error_code failed;

    if (replica->formed || replica->failed || strcmp(coordinator(replica), replica->name) != 0)
        return;
    for (unsigned i = 0; i < replica->peer_count; i++) {
        const struct peer *peer = &replica->peers[i];
        if (!peers_connected(peer) || !peer->unformed || peer->id == 0)
            return;
    }
    failed = found(replica, &membership, &err);
    if (failed == ERR_INVALID) { /* two nodes with one identity: a copied data directory */
        log_error("cluster \"%s\": the group cannot be formed: %s; was a data directory copied?",
                  replica->cluster, err.text);
        return;
    }
    if (!failed)
        failed = become_formed(replica, &membership, &err);
    if (failed) {
        engine_fail(replica, err.text);
        return;
    }
    send_form(replica);
}

void formation_learn(struct replica *replica, const char *from, const struct replica_membership *membership)
{
    struct error err;

    if (replica->formed || replica->failed || !formation_includes_us(replica, membership))
        return;
    log_info("cluster \"%s\": %s shows the membership of the formed group", replica->cluster, from);
    if (become_formed(replica, membership, &err) != ERR_OK)
        engine_fail(replica, err.text);
}

/* A member's kind is part of the membership; a file that says otherwise would make this node count votes
 * wrongly in its reports. */
static enum error_code check_configuration(const struct replica *replica, struct error *err)
{
    if (replica->snapshot_index == 0 && !formation_includes_us(replica, &replica->snapshot_membership))
        return error_set(
            err, ERR_REFUSED,
            "the data directory's group has another identity for \"%s\" than the directory itself; restore "
            "the directory as a whole",
            replica->name);
    for (unsigned i = 0; i < replica->node_count; i++) {
        const struct replica_node *node = &replica->nodes[i];
        const struct replica_membership_member *member =
            replica_membership_by_name(&replica->membership, node->name);
        if (member && member->arbiter != node->arbiter)
            return error_set(
                err, ERR_REFUSED,
                "the group was formed with \"%s\" as %s, and the configuration says %s; mend `nodes`",
                node->name, member->arbiter ? "an arbiter" : "a data node",
                node->arbiter ? "an arbiter" : "a data node");
        if (!member)
            log_warning("cluster \"%s\": node \"%s\" is configured, but no member of the group, which was "
                        "formed without it",
                        replica->cluster, node->name);
    }
    return ERR_OK;
}

enum error_code formation_restore(struct replica *replica, struct error *err)
{
    const struct store_recovered *recovered = store_recovered(replica->store);
    struct replica_membership alone;
    struct wire_snapshot snapshot;
    enum error_code failed;

    if (!recovered->has_snapshot) {
        if (recovered->entry_count > 0)
            return error_set(err, ERR_CORRUPT,
                             "the data directory has a log, but not the membership that it belongs to");
        if (replica->peer_count > 0)
            return ERR_OK;
        failed = found(replica, &alone, err);
        return failed ? failed : become_formed(replica, &alone, err);
    }
    failed = wire_unpack_snapshot(recovered->snapshot.data, recovered->snapshot.size, &snapshot, err);
    if (failed)
        return error_prefix(err, "the data directory's snapshot");
    snapshots_begin(replica, &snapshot);
    replica->membership = replica->snapshot_membership;
    replica->formed = true;
    failed = members_learn(replica, err);
    if (!failed)
        failed = engine_start(replica, err);
    return failed ? failed : check_configuration(replica, err);
}

void formation_explain(struct replica *replica)
{
    size_t used;

    replica->forming[0] = '\0';
    if (replica->formed)
        return;
    used = (size_t)snprintf(replica->forming, sizeof replica->forming, "the group is not formed yet; ");
    for (unsigned i = 0; i < replica->peer_count && used < sizeof replica->forming; i++) {
        const struct peer *peer = &replica->peers[i];
        if (!peers_connected(peer))
            used += (size_t)snprintf(replica->forming + used, sizeof replica->forming - used, "%s: %s; ",
                                     peer->name, peers_trouble(peer));
    }
    if (used < sizeof replica->forming)
        snprintf(replica->forming + used, sizeof replica->forming - used,
                 "%s forms it once all are connected", coordinator(replica));
}
