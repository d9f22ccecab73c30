#include <stdlib.h>
#include <string.h>

#include "agent/api/api.h"

struct status_storage {
    Mha__StatusReply reply; /* first: api_status_free casts back */
    Mha__NodeStatus nodes[POLICY_NODES_MAX];
    Mha__NodeStatus *pointers[POLICY_NODES_MAX];
    struct replica_stranger strangers[REPLICA_STRANGERS_MAX];
    Mha__Stranger stranger_messages[REPLICA_STRANGERS_MAX];
    Mha__Stranger *stranger_pointers[REPLICA_STRANGERS_MAX];
    char changing[256];
    char summary[512];
    char if_one_fails[2048];
};

/* Everything but `state` points into the agent, which lives longer than the packing of the reply. */
static void fill_node(const struct policy_input *input, const struct policy_node *node, Mha__NodeStatus *out)
{
    const Mha__NodeReport *report = node->report;
    bool reachable = policy_node_reachable(input, node);

    mha__node_status__init(out);
    out->id = node->id;
    out->name = (char *)node->name;
    out->kind = node->arbiter ? MHA__MEMBER_KIND__MEMBER_ARBITER : MHA__MEMBER_KIND__MEMBER_DATA;
    out->self = node->self;
    out->reachable = reachable;
    out->heard_ms_ago = node->heard_us ? (input->now_us - node->heard_us) / 1000 : 0;
    out->role = (char *)policy_node_role(input, node);
    out->leader = node->id != 0 && node->id == input->raft->leader;
    out->in_sync = cluster_sync_find(&input->state->sync, node->id) != NULL;
    out->health = (char *)policy_node_health(input, node);
    if (!report)
        return;
    out->database = report->database;
    out->vip = report->vip;
    out->promotable = report->promotable;
    out->waiting_for = report->waiting_for;
    out->program_version = report->program_version;
    out->rebuild = report->rebuild;
    out->set_aside = report->set_aside;
}

static void fill_members(struct agent *agent, struct status_storage *storage)
{
    uint64_t now_us = agent->input.now_us;
    unsigned count = replica_strangers(agent->replica, storage->strangers, REPLICA_STRANGERS_MAX);

    for (unsigned i = 0; i < count; i++) {
        const struct replica_stranger *stranger = &storage->strangers[i];
        Mha__Stranger *out = &storage->stranger_messages[i];
        mha__stranger__init(out);
        out->id = stranger->id;
        out->name = (char *)stranger->name;
        out->address = (char *)stranger->address;
        out->kind = stranger->arbiter ? MHA__MEMBER_KIND__MEMBER_ARBITER : MHA__MEMBER_KIND__MEMBER_DATA;
        out->seen_ms_ago = now_us > stranger->seen_us ? (now_us - stranger->seen_us) / 1000 : 0;
        out->replaces = stranger->replaces;
        storage->stranger_pointers[i] = out;
    }
    storage->reply.n_strangers = count;
    storage->reply.strangers = storage->stranger_pointers;
    storage->reply.changing =
        (char *)replica_changing(agent->replica, storage->changing, sizeof storage->changing);
    storage->reply.removed = (char *)replica_removed(agent->replica);
}

Mha__StatusReply *api_status_make(struct agent *agent)
{
    struct status_storage *storage = calloc(1, sizeof *storage);
    const struct policy_input *input = &agent->input;
    unsigned reachable = 0, voters = 0;

    if (!storage)
        return NULL;
    agent_gather(agent);
    mha__status_reply__init(&storage->reply);
    storage->reply.cluster = (char *)agent->settings->group.cluster;
    storage->reply.self = (char *)agent->settings->group.node;
    storage->reply.term = agent->raft.term;
    storage->reply.leader = (char *)"";
    storage->reply.formed = replica_formed(agent->replica);
    storage->reply.vip = (char *)agent->settings->vip_address;
    storage->reply.vip_holder = (char *)"";
    storage->reply.applied_index = agent->applied_index;
    storage->reply.state = cluster_state_to_message(&agent->state);
    if (agent->raft.lease_until_us > input->now_us)
        storage->reply.lease_ms = (agent->raft.lease_until_us - input->now_us) / 1000;
    storage->reply.durability_available = agent->settings->durability_available;
    storage->reply.lag_most_ms = agent->settings->lag_most_ms;
    storage->reply.rejoin_auto = agent->settings->rejoin_auto;
    storage->reply.n_nodes = input->node_count;
    storage->reply.nodes = storage->pointers;
    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        struct replica_member member;
        fill_node(input, node, &storage->nodes[i]);
        storage->pointers[i] = &storage->nodes[i];
        replica_member(agent->replica, i, &member);
        storage->nodes[i].address = (char *)member.address;
        if (!node->self && !storage->nodes[i].reachable && member.trouble[0])
            storage->nodes[i].health = (char *)member.trouble;
        storage->nodes[i].voter = member.voter;
        voters += member.voter;
        reachable += member.voter && storage->nodes[i].reachable;
        if (storage->nodes[i].leader)
            storage->reply.leader = (char *)node->name;
        if (storage->nodes[i].reachable && storage->nodes[i].vip && storage->nodes[i].vip->held)
            storage->reply.vip_holder = (char *)node->name;
    }
    storage->reply.has_quorum = reachable > voters / 2;
    fill_members(agent, storage);
    policy_summary(input, storage->summary, sizeof storage->summary, storage->if_one_fails,
                   sizeof storage->if_one_fails);
    storage->reply.summary = (char *)(!storage->reply.formed      ? replica_forming(agent->replica)
                                      : storage->reply.removed[0] ? storage->reply.removed
                                                                  : storage->summary);
    storage->reply.if_one_fails = storage->if_one_fails;
    if (!storage->reply.state) {
        free(storage);
        return NULL;
    }
    return &storage->reply;
}

void api_status_free(Mha__StatusReply *status)
{
    mha__cluster_state__free_unpacked(status->state, NULL);
    free(status);
}
