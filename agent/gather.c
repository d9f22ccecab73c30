/* gather.c - what is: from raft, the worker, vipd and the others' reports to one struct policy_input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "common/base/clock.h"

struct agent_node *agent_find_node(struct agent *agent, uint64_t id)
{
    for (unsigned i = 0; i < agent->node_count; i++)
        if (agent->nodes[i].id == id)
            return &agent->nodes[i];
    if (agent->node_count == POLICY_NODES_MAX)
        return NULL;
    agent->nodes[agent->node_count] = (struct agent_node){.id = id};
    return &agent->nodes[agent->node_count++];
}

void agent_take_report(struct agent *agent, uint64_t from, Mha__AgentMessage *message)
{
    struct agent_node *node = agent_find_node(agent, from);

    if (!node || !message->report->database) {
        mha__agent_message__free_unpacked(message, NULL);
        return;
    }
    if (node->message)
        mha__agent_message__free_unpacked(node->message, NULL);
    node->message = message;
    node->reported_us = clock_now_us();
}

/* An observation that is older than the probe's deadline says nothing any more: the worker itself hangs. */
static const Mha__DbObservation *own_observation(struct agent *agent, uint64_t now_us)
{
    const Mha__DbObservation *db = agent->worker ? dbworker_observation(agent->worker) : NULL;
    uint64_t most_us = MS_TO_US(agent->settings->database.probe_timeout_ms) * 2;

    if (!db || (now_us > db->observed_us && now_us - db->observed_us > most_us))
        return NULL;
    return db;
}

static void fill_self(struct agent *agent, uint64_t now_us)
{
    const Mha__DbObservation *db = own_observation(agent, now_us);
    Mha__NodeReport *report = &agent->self_report;

    mha__node_report__init(report);
    report->term = agent->raft.term;
    report->database = (Mha__DbObservation *)(db ? db : &agent->no_observation);
    report->database_host = (char *)agent->settings->database.host;
    report->database_port = agent->settings->database.port;
    report->promotable = agent->output.promotable;
    report->waiting_for = agent->output.waiting_for;
    report->program_version = (char *)MHA_VERSION;
    report->held_ms =
        agent->raft.held_until_us > now_us ? (agent->raft.held_until_us - now_us + 999) / 1000 : 0;
    agent_rebuild_report(agent, report);
    report->durability_available = agent->settings->durability_available;
    agent->input.db = db;
    agent->input.vip = NULL;
    if (agent->vip) {
        const struct vip_state *vip = vip_get_state(agent->vip);
        mha__vip_state__init(&agent->self_vip);
        agent->self_vip.address = (char *)agent->settings->vip_address;
        agent->self_vip.held = vip->held;
        agent->self_vip.epoch = vip->epoch;
        agent->self_vip.deadline_us = vip->deadline_us;
        agent->self_vip.link_up = vip->link_up;
        agent->self_vip.conflict = vip->conflict;
        agent->self_vip.interface = (char *)vip->interface;
        agent->self_vip.prefix_length = vip->prefix_length;
        agent->self_vip.trouble = (char *)(vip->connected ? vip->trouble : vip->reason);
        report->vip = &agent->self_vip;
        if (vip->connected)
            agent->input.vip = &agent->self_vip;
        agent->input.vip_released_epoch = vip->released_epoch;
        agent->input.vip_until_us = agent->vip_until_us;
    }
}

/* Reports of those who are no members any more make room for those of new ones. */
static void forget_former(struct agent *agent)
{
    unsigned members = replica_member_count(agent->replica);

    for (unsigned i = agent->node_count; i-- > 0;) {
        struct replica_member member;
        bool is_member = false;
        for (unsigned k = 0; k < members && !is_member; k++) {
            replica_member(agent->replica, k, &member);
            is_member = member.id == agent->nodes[i].id;
        }
        if (is_member)
            continue;
        if (agent->nodes[i].message)
            mha__agent_message__free_unpacked(agent->nodes[i].message, NULL);
        agent->nodes[i] = agent->nodes[--agent->node_count];
    }
}

void agent_gather(struct agent *agent)
{
    struct policy_input *input = &agent->input;
    uint64_t now_us = clock_now_us();
    unsigned members = replica_member_count(agent->replica);

    replica_status(agent->replica, &agent->raft);
    forget_former(agent);
    memset(input, 0, sizeof *input);
    input->now_us = now_us;
    input->settings = (struct policy_settings){
        .heartbeat_us = agent->settings->group.heartbeat_us,
        .election_us = agent->settings->group.election_us,
        .probe_timeout_us = MS_TO_US(agent->settings->database.probe_timeout_ms),
        .has_vip = agent->vip != NULL,
        .acks_kind = strcmp(agent->settings->database.kind, "mysql") == 0 ? ACKS_COUNT : ACKS_ANY,
        .durability_available = agent->settings->durability_available,
        .lag_most_us = MS_TO_US(agent->settings->lag_most_ms),
        .rejoin_auto = agent->settings->rejoin_auto};
    input->raft = &agent->raft;
    input->state = &agent->state;
    input->nodes = agent->policy_nodes;
    input->marks = &agent->tracker.marks;
    fill_self(agent, now_us);
    for (unsigned i = 0; i < members && input->node_count < POLICY_NODES_MAX; i++) {
        struct policy_node *node = &agent->policy_nodes[input->node_count++];
        struct replica_member member;
        const struct agent_node *heard;
        replica_member(agent->replica, i, &member);
        *node = (struct policy_node){.id = member.id,
                                     .name = member.name,
                                     .arbiter = member.arbiter,
                                     .learner = !member.voter,
                                     .self = member.self,
                                     .outside = member.self && member.outside,
                                     .heard_us = member.self ? now_us : member.heard_us};
        /* Only the leader hears from an arbiter all the time; for the others its connection must do. */
        if (member.arbiter && member.connected && agent->raft.role != RAFT_LEADER)
            node->heard_us = now_us;
        if (member.self) {
            input->self = node;
            node->report = &agent->self_report;
            node->reported_us = now_us;
        } else if (member.id && (heard = agent_find_node(agent, member.id)) && heard->message) {
            node->report = heard->message->report;
            node->reported_us = heard->reported_us;
        }
    }
    if (agent->proposed_index &&
        (agent->applied_index >= agent->proposed_index || agent->proposed_term != agent->raft.term))
        agent->proposed_index = 0;
    if (agent->failed_term != agent->raft.term)
        agent->failed_op = DB_OP_NONE;
    input->db_busy = agent->running_op != DB_OP_NONE || !agent->worker;
    input->db_settled = agent->db_settled;
    input->failed_op = agent->failed_op;
    input->failed_us = agent->failed_us;
    input->failed_error = agent->failed_error;
    agent_rebuild_gather(agent);
    input->server_busy = agent->server_command != NULL || now_us < agent->server_quiet_until_us;
    input->proposal_pending = agent->proposed_index != 0;
    input->stopping = agent->stopping;
}

void agent_send_report(struct agent *agent)
{
    Mha__AgentMessage message = MHA__AGENT_MESSAGE__INIT;
    uint8_t stack[4096];
    uint8_t *bytes = stack;
    size_t size;

    if (!replica_formed(agent->replica))
        return;
    replica_status(agent->replica, &agent->raft);
    fill_self(agent, clock_now_us());
    message.body_case = MHA__AGENT_MESSAGE__BODY_REPORT;
    message.report = &agent->self_report;
    size = mha__agent_message__get_packed_size(&message);
    if (size > sizeof stack && !(bytes = malloc(size)))
        return;
    mha__agent_message__pack(&message, bytes);
    replica_send(agent->replica, 0, bytes, size);
    agent->report_term = agent->raft.term;
    if (bytes != stack)
        free(bytes);
}
