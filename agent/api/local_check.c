#include "agent/api/local_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api/findings.h"
#include "agent/api/reach.h"
#include "common/base/clock.h"
#include "common/replica/facts.h"

#define REACH_US 2000000u

enum worker_part { WORKER_TO_ASK, WORKER_ASKED, WORKER_DONE };

struct local_check {
    struct agent *agent;
    bool switchover;
    local_check_done done;
    void *context;
    uint64_t began_us, deadline_us;
    enum worker_part part;
    struct findings findings;
    uint64_t server_id;
    struct reach *reach; /* NULL: not tried, or over */
    bool reached;
    char unreachable[128];
};

/* ---- the VIP's port ---- */

static void on_reached(void *context, const char *why)
{
    struct local_check *check = context;

    reach_free(check->reach);
    check->reach = NULL;
    check->reached = why == NULL;
    snprintf(check->unreachable, sizeof check->unreachable, "%s", why ? why : "");
    agent_wake(check->agent);
}

static const struct policy_node *primary_of(const struct agent *agent)
{
    const struct policy_input *input = &agent->input;

    for (unsigned i = 0; i < input->node_count; i++)
        if (input->nodes[i].id && input->nodes[i].id == agent->state.primary.node)
            return &input->nodes[i];
    return NULL;
}

static void try_vip(struct local_check *check)
{
    struct agent *agent = check->agent;
    const struct policy_node *primary = primary_of(agent);

    if (check->switchover || !agent->vip || !agent->state.primary.opened || !primary || !primary->report)
        return;
    check->reach = reach_start(agent->base, agent->settings->vip_address, primary->report->database_port,
                               REACH_US, on_reached, check);
    if (!check->reach)
        snprintf(check->unreachable, sizeof check->unreachable, "it could not be tried");
}

/* ---- the worker ---- */

static void on_checked(void *context, enum error_code code, const char *why, const Mha__DbReply *reply)
{
    struct local_check *check = context;

    check->part = WORKER_DONE;
    if (code == ERR_OK && reply) {
        for (size_t i = 0; i < reply->n_findings; i++)
            findings_take(&check->findings, "", reply->findings[i]);
        check->server_id = reply->server_id;
    } else {
        findings_add(&check->findings, "", true, "database", "", "its server could not be checked: %s", why);
    }
    agent_wake(check->agent);
}

/* A replica tries its own account where it would follow: at the primary, if that is there. */
static void name_source(const struct agent *agent, Mha__DbCheck *body)
{
    const struct policy_node *primary = primary_of(agent);

    if (!primary || primary->self || !primary->report || !agent->state.primary.opened ||
        !policy_node_reachable(&agent->input, primary))
        return;
    body->source_host = primary->report->database_host;
    body->source_port = primary->report->database_port;
}

static void ask_worker(struct local_check *check)
{
    struct agent *agent = check->agent;
    Mha__DbRequest request = MHA__DB_REQUEST__INIT;
    Mha__DbCheck body = MHA__DB_CHECK__INIT;
    uint64_t now_us = clock_now_us();
    struct error err;

    if (now_us >= check->deadline_us) {
        check->part = WORKER_DONE;
        findings_add(
            &check->findings, "", true, "database", "mhactl status   (and journalctl -u mha4rdb-agent)",
            "its server could not be checked: mha4rdb-dbworker is %s", agent->worker ? "busy" : "not there");
        return;
    }
    if (!agent->worker || dbworker_busy(agent->worker) || !agent->input.db)
        return;
    body.switchover = check->switchover;
    if (!check->switchover)
        name_source(agent, &body);
    request.body_case = MHA__DB_REQUEST__BODY_CHECK;
    request.check = &body;
    if (dbworker_request(agent->worker, &request, check->deadline_us, on_checked, check, &err) == ERR_OK)
        check->part = WORKER_ASKED;
}

/* ---- the answer ---- */

/* The address is taken over by vipd: without it a switchover would come back. */
static void judge_vip(struct local_check *check)
{
    const struct vip_state *vip = check->agent->vip ? vip_get_state(check->agent->vip) : NULL;

    if (!check->switchover || !vip)
        return;
    if (!vip->connected)
        findings_add(&check->findings, "", true, "VIP", "systemctl enable --now mha4rdb-vipd",
                     "mha4rdb-vipd is not connected: %s", vip->reason);
    else if (vip->trouble[0])
        findings_add(&check->findings, "", true, "VIP", "ip address show   (and look at vipd.conf)", "%s: %s",
                     check->agent->settings->vip_address, vip->trouble);
}

static void tell_vip(const struct local_check *check, Mha__CheckFacts *facts, Mha__VipState *state,
                     char *text, size_t size)
{
    const struct agent *agent = check->agent;
    const struct vip_state *vip = agent->vip ? vip_get_state(agent->vip) : NULL;

    text[0] = '\0';
    if (!vip)
        return;
    facts->vip_unreachable = (char *)check->unreachable;
    facts->vip_reached = check->reached;
    facts->vip = text;
    facts->vipd_trouble = (char *)vip->reason;
    if (!vip->connected)
        return;
    *state = agent->self_vip; /* of agent_gather, a moment ago */
    facts->vip_state = state;
    snprintf(text, size, "%s/%u %s", agent->settings->vip_address, vip->prefix_length, vip->interface);
}

static void answer(struct local_check *check)
{
    struct agent *agent = check->agent;
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;
    Mha__CheckFacts facts = MHA__CHECK_FACTS__INIT;
    Mha__VipState vip = MHA__VIP_STATE__INIT;
    struct replica_facts told;
    struct text settings = {0};
    char vip_text[VIP_ADDRESS_BYTES + VIP_INTERFACE_BYTES + 16];

    replica_tell_facts(agent->replica, &told, &facts);
    agent_settings_tell(agent->settings, &settings);
    facts.node = (char *)agent->settings->group.node;
    facts.server_id = check->server_id;
    if (agent->input.db && agent->input.db->version[0]) {
        facts.server_version = agent->input.db->version;
        facts.server_kind = (char *)(strstr(facts.server_version, "MariaDB") ? "mariadb" : "mysql");
    }
    if (settings.data)
        facts.settings = settings.data;
    tell_vip(check, &facts, &vip, vip_text, sizeof vip_text);
    facts.took_us = clock_now_us() - check->began_us;
    reply.facts = &facts;
    reply.n_findings = check->findings.count;
    reply.findings = check->findings.items;
    check->done(check->context, &reply);
    text_free(&settings);
}

struct local_check *local_check_start(struct agent *agent, bool switchover, local_check_done done,
                                      void *context)
{
    struct local_check *check = calloc(1, sizeof *check);

    if (!check)
        return NULL;
    check->agent = agent;
    check->switchover = switchover;
    check->done = done;
    check->context = context;
    check->began_us = clock_now_us();
    check->deadline_us = check->began_us + LOCAL_CHECK_US;
    agent_gather(agent);
    try_vip(check);
    agent_wake(agent);
    return check;
}

bool local_check_step(struct local_check *check)
{
    const struct agent *agent = check->agent;

    /* An operation of the agent's took the question's place, and its callback comes no more. */
    if (check->part == WORKER_ASKED && agent->running_op != DB_OP_NONE)
        check->part = WORKER_TO_ASK;
    if (check->part == WORKER_TO_ASK)
        ask_worker(check);
    if (check->part != WORKER_DONE || check->reach)
        return false;
    judge_vip(check);
    answer(check);
    return true;
}

void local_check_free(struct local_check *check)
{
    if (!check)
        return;
    reach_free(check->reach);
    findings_free(&check->findings);
    free(check);
}
