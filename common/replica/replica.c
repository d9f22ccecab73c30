#include "common/replica/replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/replica/formation.h"
#include "common/replica/internal.h"

static enum error_code take_configuration(struct replica *replica, const struct replica_config *config,
                                          struct error *err)
{
    if (strlen(config->cluster) >= sizeof replica->cluster || strlen(config->name) >= sizeof replica->name ||
        config->node_count == 0 || config->node_count > REPLICA_NODES_MAX)
        return error_set(err, ERR_INVALID,
                         "a cluster's configuration with a name too long, or without nodes");
    snprintf(replica->cluster, sizeof replica->cluster, "%s", config->cluster);
    snprintf(replica->name, sizeof replica->name, "%s", config->name);
    replica->heartbeat_us = config->heartbeat_us;
    replica->election_us = config->election_us;
    replica->node_count = config->node_count;
    memcpy(replica->nodes, config->nodes, config->node_count * sizeof config->nodes[0]);
    replica->nodes_digest = formation_digest(replica->nodes, replica->node_count);
    return ERR_OK;
}

static enum error_code open_store(struct replica *replica, const struct replica_config *config,
                                  struct error *err)
{
    enum error_code failed = store_open(config->files ? config->files : files_posix(), config->data_dir,
                                        replica->cluster, replica->name, &replica->store, err);
    const struct store_recovered *recovered;

    if (failed)
        return failed;
    recovered = store_recovered(replica->store);
    replica->id = recovered->id;
    if (recovered->torn_tail_cut)
        log_notice(
            "cluster \"%s\": the log's end was torn by a crash and is cut; nothing acknowledged was in it",
            replica->cluster);
    return ERR_OK;
}

enum error_code replica_open(struct event_base *base, struct net *net, const struct replica_config *config,
                             const struct replica_callbacks *callbacks, void *context, struct replica **out,
                             struct error *err)
{
    struct replica *replica = calloc(1, sizeof *replica);
    enum error_code failed;

    if (!replica)
        return error_set(err, ERR_NO_MEMORY, "no memory for cluster \"%s\"", config->cluster);
    replica->base = base;
    replica->net = net;
    replica->callbacks = *callbacks;
    replica->context = context;
    replica->timer_fd = -1;
    replica->trace = config->trace;
    snprintf(replica->trace_name, sizeof replica->trace_name, "%s/%s", config->cluster, config->name);
    failed = take_configuration(replica, config, err);
    if (!failed)
        failed = engine_open(replica, err);
    if (!failed)
        failed = open_store(replica, config, err);
    if (!failed)
        failed = net_group_new(net, replica->cluster, config->key, &peers_callbacks, replica, &replica->group,
                               err);
    if (!failed) {
        net_group_set_silence(replica->group, 2 * replica->election_us / 1000);
        failed = peers_open(replica, err);
    }
    if (!failed)
        failed = formation_restore(replica, err);
    if (failed) {
        replica_close(replica);
        return failed;
    }
    engine_note_change(replica);
    *out = replica;
    return ERR_OK;
}

void replica_close(struct replica *replica)
{
    if (!replica)
        return;
    net_group_free(replica->group);
    engine_close(replica);
    store_close(replica->store);
    free(replica);
}

/* ---- asking ---- */

bool replica_formed(const struct replica *replica)
{
    return replica->formed;
}

const char *replica_forming(const struct replica *replica)
{
    formation_explain((struct replica *)replica); /* the text is not part of what it knows */
    return replica->forming;
}

uint64_t replica_id(const struct replica *replica)
{
    return replica->id;
}

void replica_status(struct replica *replica, struct raft_status *out)
{
    if (replica->raft) {
        raft_trace_status(&replica->tracer, replica->raft, clock_now_us(), out);
        /* The owner decides by what it has applied: with an entry of this term that is all of earlier terms.
         * What its own proposals add to it comes a moment after it is committed, at once on a quick disk. */
        if (replica->applied_term != out->term)
            out->ready = out->current = false;
    } else {
        memset(out, 0, sizeof *out);
        out->waits_for = "the group is not formed yet";
    }
}

/* This node is always among those that are told, though the group may not (or not yet) have it; another
 * identity in its name is not. */
static bool is_told(const struct replica *replica, const struct replica_membership_member *member)
{
    return member->id == replica->id || strcmp(member->name, replica->name) != 0;
}

unsigned replica_member_count(const struct replica *replica)
{
    unsigned count = 1;

    if (!replica->formed)
        return replica->node_count;
    for (unsigned i = 0; i < replica->membership.count; i++)
        count += is_told(replica, &replica->membership.members[i]) &&
                 replica->membership.members[i].id != replica->id;
    return count;
}

static const struct replica_membership_member *told_member(const struct replica *replica, unsigned i)
{
    for (unsigned k = 0; k < replica->membership.count; k++)
        if (is_told(replica, &replica->membership.members[k]) && i-- == 0)
            return &replica->membership.members[k];
    return NULL; /* this node, which is not in it */
}

static const struct replica_node *own_node(const struct replica *replica)
{
    unsigned i = 0;

    while (i + 1 < replica->node_count && strcmp(replica->nodes[i].name, replica->name) != 0)
        i++;
    return &replica->nodes[i];
}

void replica_member(const struct replica *replica, unsigned i, struct replica_member *out)
{
    const struct replica_membership_member *member = replica->formed ? told_member(replica, i) : NULL;
    const struct replica_node *node = replica->formed ? own_node(replica) : &replica->nodes[i];
    const struct peer *peer;

    memset(out, 0, sizeof *out);
    out->trouble = "";
    if (member) {
        out->id = member->id;
        out->name = member->name;
        out->address = member->address;
        out->arbiter = member->arbiter;
        out->voter = member->voter;
    } else {
        out->name = node->name;
        out->address = node->address;
        out->arbiter = node->arbiter;
        out->voter = !replica->formed;
        out->outside = replica->formed;
    }
    if (strcmp(out->name, replica->name) == 0) {
        out->id = replica->id;
        out->self = true;
        out->connected = true;
        return;
    }
    peer = peers_by_name((struct replica *)replica, out->name);
    out->id = peer->id;
    out->address = peer->address; /* the configured one, which is dialled */
    out->connected = peers_connected(peer);
    out->heard_us = peer->heard_us;
    out->trouble = peers_trouble(peer);
}

/* ---- commanding ---- */

static enum error_code explain(enum raft_code code, struct error *err)
{
    switch (code) {
    case RAFT_OK:
        return ERR_OK;
    case RAFT_NOT_LEADER:
        return error_set(err, ERR_NOT_LEADER, "this node does not lead the group");
    case RAFT_BUSY:
        return error_set(
            err, ERR_BUSY,
            "the group is busy: too much is uncommitted, leadership is being handed over, or the "
            "lease is not released yet; try again");
    case RAFT_NO_MEMORY:
        return error_set(err, ERR_NO_MEMORY, "no memory for an entry");
    case RAFT_INVALID:
        break;
    }
    return error_set(err, ERR_INVALID, "an entry too large, or a member that cannot lead");
}

static enum error_code check_running(const struct replica *replica, struct error *err)
{
    if (replica->failed)
        return error_set(err, ERR_IO, "this member has failed and stops: %s", replica->why_failed);
    if (!replica->raft)
        return error_set(err, ERR_NOT_LEADER, "%s", replica_forming(replica));
    return ERR_OK;
}

enum error_code replica_propose(struct replica *replica, const void *data, size_t size, uint64_t *index,
                                struct error *err)
{
    struct error ignored;
    enum error_code failed;

    err = err ? err : &ignored;
    failed = check_running(replica, err);
    if (!failed)
        failed = engine_reserve(replica, 1, size, err);
    if (!failed) {
        failed = explain(raft_trace_propose(&replica->tracer, replica->raft, clock_now_us(),
                                            RAFT_ENTRY_COMMAND, data, size, index),
                         err);
        engine_step_for_owner(replica);
    }
    return failed;
}

enum error_code replica_read(struct replica *replica, uint64_t *read, struct error *err)
{
    enum error_code failed = check_running(replica, err);

    if (!failed && replica->reads_open == RAFT_READS_MAX)
        failed = error_set(err, ERR_BUSY, "%d reads are open already; ask again", RAFT_READS_MAX);
    if (!failed) {
        failed = explain(raft_trace_read(&replica->tracer, replica->raft, clock_now_us(), read), err);
        replica->reads_open += !failed;
        engine_step_for_owner(replica);
    }
    return failed;
}

void replica_send(struct replica *replica, uint64_t to, const void *data, size_t size)
{
    struct wire_bytes bytes;
    struct error err;

    if (replica->failed)
        return;
    if (wire_pack_application(data, size, &bytes, &err) != ERR_OK) {
        log_warning("cluster \"%s\": a message to other members was not sent: %s", replica->cluster,
                    err.text);
        return;
    }
    for (unsigned i = 0; i < replica->peer_count; i++) {
        const struct peer *peer = &replica->peers[i];
        if (peer->id != 0 && (to == 0 ? !peer->arbiter : peer->id == to))
            peers_send(replica, peer->id, &bytes);
    }
    free(bytes.data);
}

void replica_end_lease(struct replica *replica)
{
    if (!replica->raft || replica->failed)
        return;
    raft_trace_end_lease(&replica->tracer, replica->raft, clock_now_us());
    engine_step_for_owner(replica);
}

void replica_released(struct replica *replica)
{
    if (!replica->raft || replica->failed)
        return;
    raft_trace_released(&replica->tracer, replica->raft, clock_now_us());
    engine_step_for_owner(replica);
}

enum error_code replica_transfer(struct replica *replica, uint64_t to, struct error *err)
{
    enum error_code failed = check_running(replica, err);

    if (!failed) {
        failed = explain(raft_trace_transfer(&replica->tracer, replica->raft, clock_now_us(), to), err);
        engine_step_for_owner(replica);
    }
    return failed;
}

enum error_code replica_renew_term(struct replica *replica, struct error *err)
{
    enum error_code failed = check_running(replica, err);

    if (!failed) {
        failed = explain(raft_trace_renew_term(&replica->tracer, replica->raft, clock_now_us()), err);
        engine_step_for_owner(replica);
    }
    return failed;
}

void replica_set_campaign_delay(struct replica *replica, uint64_t delay_us)
{
    if (!replica->raft || replica->failed || delay_us == replica->campaign_delay_us)
        return;
    replica->campaign_delay_us = delay_us;
    raft_trace_set_campaign_delay(&replica->tracer, replica->raft, clock_now_us(), delay_us);
    engine_step_for_owner(replica);
}
