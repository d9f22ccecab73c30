#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent_internal.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/dbworker.h"
#include "tests/sim/vip.h"

void agent_forget_worker(struct cluster *cluster, struct agent_model *agent)
{
    room_give_back(&cluster->rooms, agent->newest_room);
    agent->newest_room = NULL;
    agent->newest = NULL;
}

/* ---- gather ---- */

static const Mha__DbObservation *own_observation(struct cluster *cluster, unsigned host, uint64_t now_us)
{
    struct agent_model *agent = agent_of(cluster, host);
    const Mha__DbObservation *db = agent->worker && agent->newest ? agent->newest->observation : NULL;

    if (!db || (now_us > db->observed_us && now_us - db->observed_us > cluster->config.probe_timeout_us * 2))
        return NULL;
    return db;
}

static void fill_self(struct cluster *cluster, unsigned host, uint64_t now_us)
{
    struct agent_model *agent = agent_of(cluster, host);
    const Mha__DbObservation *db = own_observation(cluster, host, now_us);
    Mha__NodeReport *report = &agent->self_report;

    mha__node_report__init(report);
    report->term = agent->raft.term;
    report->database = (Mha__DbObservation *)(db ? db : &agent->no_observation);
    report->database_host = (char *)cluster_host_name(cluster, host);
    report->database_port = 3306;
    report->promotable = agent->output.promotable;
    report->waiting_for = agent->output.waiting_for;
    report->held_ms =
        agent->raft.held_until_us > now_us ? (agent->raft.held_until_us - now_us + 999) / 1000 : 0;
    mha__rebuild_state__init(&agent->rebuild_report);
    agent->rebuild_report.phase = (char *)(cluster->hosts[host].rebuild.running ? "copying" : "");
    agent->rebuild_report.failed = agent->rebuild_error;
    report->rebuild = &agent->rebuild_report;
    report->aside_over = agent->output.aside_over;
    report->durability_available = cluster->config.available;
    report->rebuild_unfinished = cluster->hosts[host].rebuild.unfinished;
    agent->input.db = db;
    agent->input.vip = NULL;
    if (cluster->config.has_vip) {
        const struct vip_known *vip = vip_client_state(cluster, host);
        mha__vip_state__init(&agent->self_vip);
        agent->self_vip.held = vip->held;
        agent->self_vip.epoch = vip->epoch;
        agent->self_vip.deadline_us = vip->deadline_us;
        agent->self_vip.link_up = vip->link_up;
        agent->self_vip.conflict = vip->conflict;
        report->vip = &agent->self_vip;
        if (vip->connected)
            agent->input.vip = &agent->self_vip;
        agent->input.vip_released_epoch = vip->released_epoch;
        agent->input.vip_until_us = agent->vip_until_us;
    }
}

void agent_read_raft(struct cluster *cluster, unsigned host)
{
    struct world_node *node = &cluster->world->nodes[host];

    raft_trace_status(&node->tracer, node->raft, cluster_clock_us(cluster, host),
                      &agent_of(cluster, host)->raft);
}

static const enum policy_acks_kind acks_kinds[SERVER_KINDS] = {
    [SERVER_ONE_WAIT] = ACKS_ANY, [SERVER_K_WAIT] = ACKS_COUNT, [SERVER_NAMED_WAIT] = ACKS_NAMED};

static void gather_members(struct cluster *cluster, unsigned host, uint64_t now_us)
{
    struct agent_model *agent = agent_of(cluster, host);
    const struct world *world = cluster->world;
    const struct raft_membership *membership = raft_membership(world->nodes[host].raft);

    for (unsigned m = 0; m < membership->count && agent->input.node_count < POLICY_NODES_MAX; m++) {
        const struct raft_member *member = &membership->members[m];
        unsigned i = cluster_host_of(member->id);
        const struct heard *heard = &agent->heard[i];
        struct policy_node *node = &agent->nodes[agent->input.node_count++];
        bool self = member->id == world->nodes[host].id;
        *node = (struct policy_node){.id = member->id,
                                     .name = world->nodes[i].name,
                                     .arbiter = member->kind == RAFT_ARBITER,
                                     .learner = !member->voter,
                                     .self = self};
        if (self) {
            agent->input.self = node;
            node->report = &agent->self_report;
            node->heard_us = node->reported_us = now_us;
        } else if (member->id ==
                   world->nodes[i].id) { /* not the one that was there before its disk was lost */
            node->heard_us = world->nodes[host].heard_us[i];
            if (heard->message && heard->id == member->id) {
                node->report = heard->message->report;
                node->reported_us = heard->reported_us;
            }
        }
    }
}

void agent_gather(struct cluster *cluster, unsigned host)
{
    struct world *world = cluster->world;
    struct agent_model *agent = agent_of(cluster, host);
    struct policy_input *input = &agent->input;
    uint64_t now_us = cluster_clock_us(cluster, host);

    agent_read_raft(cluster, host);
    memset(input, 0, sizeof *input);
    input->now_us = now_us;
    input->settings = (struct policy_settings){.heartbeat_us = world->config.heartbeat_us,
                                               .election_us = world->config.election_us,
                                               .probe_timeout_us = cluster->config.probe_timeout_us,
                                               .has_vip = cluster->config.has_vip,
                                               .rejoin_auto = cluster->config.rejoin_auto,
                                               .durability_available = cluster->config.available,
                                               .lag_most_us = cluster->config.lag_most_us,
                                               .acks_kind = acks_kinds[cluster->config.kind]};
    input->raft = &agent->raft;
    input->state = &agent->state;
    input->nodes = agent->nodes;
    input->marks = &agent->tracker.marks;
    fill_self(cluster, host, now_us);
    gather_members(cluster, host, now_us);
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
    input->rebuilding = cluster->hosts[host].rebuild.running;
    input->rebuild_unfinished = cluster->hosts[host].rebuild.unfinished;
    input->rebuild_id = agent->rebuild_id;
    input->rebuild_failed_us = agent->rebuild_failed_us;
    input->rebuild_failures = agent->rebuild_failures;
    input->server_busy = agent->server_command || now_us < agent->server_quiet_until_us;
    input->proposal_pending = agent->proposed_index != 0;
    input->stopping = agent->stopping;
}

/* ---- reports ---- */

struct report { /* on its way */
    unsigned from;
    uint64_t id;
    struct room *room;
    Mha__AgentMessage *message; /* in there */
};

static void on_report(struct cluster *cluster, unsigned host, const void *data)
{
    const struct report *report = data;
    struct heard *heard = &agent_of(cluster, host)->heard[report->from];

    room_give_back(&cluster->rooms, heard->room);
    heard->id = report->id;
    heard->room = report->room;
    heard->message = report->message;
    heard->reported_us = cluster_clock_us(cluster, host);
    cluster->world->nodes[host].heard_us[report->from] = heard->reported_us;
    agent_wake(cluster, host);
}

/* Packed and unpacked as on the wire, once for all who get it. */
static void fill_report(struct cluster *cluster, unsigned host, struct report *report)
{
    Mha__AgentMessage message = MHA__AGENT_MESSAGE__INIT;
    uint8_t bytes[2048];
    size_t size;

    message.body_case = MHA__AGENT_MESSAGE__BODY_REPORT;
    message.report = &agent_of(cluster, host)->self_report;
    size = mha__agent_message__get_packed_size(&message);
    assert(size <= sizeof bytes);
    mha__agent_message__pack(&message, bytes);
    report->from = host;
    report->id = cluster->world->nodes[host].id;
    report->room = room_take(&cluster->rooms);
    report->message = mha__agent_message__unpack(&report->room->allocator, size, bytes);
    assert(report->message != NULL);
}

void agent_send_report(struct cluster *cluster, unsigned host)
{
    struct agent_model *agent = agent_of(cluster, host);
    struct report report;

    agent_read_raft(cluster, host);
    fill_self(cluster, host, cluster_clock_us(cluster, host));
    fill_report(cluster, host, &report);
    for (unsigned i = 0; i < cluster->data_count; i++)
        if (i != host && cluster_linked(cluster, host, i) &&
            !world_chance(cluster->world, cluster->config.world.loss_permille)) {
            room_hold(report.room);
            cluster_after(cluster, i, PROCESS_AGENT, cluster_net_delay_us(cluster), on_report, &report,
                          sizeof report);
        }
    room_give_back(&cluster->rooms, report.room);
    agent->report_term = agent->raft.term;
}

static void on_report_timer(struct cluster *cluster, unsigned host, const void *data)
{
    agent_send_report(cluster, host);
    cluster_after(cluster, host, PROCESS_AGENT, cluster->world->config.heartbeat_us, on_report_timer, data,
                  0);
}

void agent_start_reporting(struct cluster *cluster, unsigned host)
{
    cluster_after(cluster, host, PROCESS_AGENT, cluster->world->config.heartbeat_us, on_report_timer, NULL,
                  0);
}
