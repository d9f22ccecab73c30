#include "agent/api/accept.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"

static const struct policy_node *node_named(const struct policy_input *input, const char *name)
{
    for (unsigned i = 0; i < input->node_count; i++)
        if (strcmp(input->nodes[i].name, name) == 0)
            return &input->nodes[i];
    return NULL;
}

static bool accept_to(struct agent *agent, const char *name, uint64_t *id, char *error, size_t size)
{
    const struct policy_node *node = name[0] ? node_named(&agent->input, name) : NULL;

    *id = node ? node->id : 0;
    if (name[0] && !node)
        snprintf(error, size, "no node is called \"%s\"; see mhactl status", name);
    return !name[0] || node;
}

/* Who holds something that the cluster needs stays. */
static bool may_leave(const struct agent *agent, const char *name, char *error, size_t size)
{
    const struct policy_node *node = node_named(&agent->input, name);

    /* of a name that nobody has the group itself tells */
    return !node || policy_may_leave(&agent->input, node->id, error, size);
}

static bool may_join(const struct agent *agent, const char *name, char *error, size_t size)
{
    struct replica_stranger strangers[REPLICA_STRANGERS_MAX];
    unsigned count = replica_strangers(agent->replica, strangers, REPLICA_STRANGERS_MAX);
    unsigned data = 0, arbiters = 0;

    for (unsigned i = 0; i < agent->input.node_count; i++) {
        data += !agent->input.nodes[i].arbiter;
        arbiters += agent->input.nodes[i].arbiter;
    }
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(strangers[i].name, name) != 0)
            continue;
        if (strangers[i].arbiter ? arbiters >= 1 : data >= AGENT_DATA_NODES_MAX) {
            snprintf(error, size, "%s would be one %s too many: a cluster has at most %u of them", name,
                     strangers[i].arbiter ? "arbiter" : "data node",
                     strangers[i].arbiter ? 1 : AGENT_DATA_NODES_MAX);
            return false;
        }
        if (!strangers[i].arbiter && data >= 2 && !db_accounts_per_node(&agent->settings->database)) {
            snprintf(
                error, size,
                "%s would be the third data node, and all replicate by one account, \"%s\": their "
                "acknowledgements could not be told apart. Make an account for each node first, write %%n "
                "for the node's name in replication_user everywhere, and restart the agents (in a pause)",
                name, agent->settings->database.replication_user);
            return false;
        }
    }
    return true;
}

static bool find_change(Mha__MemberChange asked, enum replica_change *change)
{
    static const enum replica_change changes[] = {[MHA__MEMBER_CHANGE__MEMBER_CHANGE_ADD] = REPLICA_ADD,
                                                  [MHA__MEMBER_CHANGE__MEMBER_CHANGE_REMOVE] = REPLICA_REMOVE,
                                                  [MHA__MEMBER_CHANGE__MEMBER_CHANGE_REPLACE] =
                                                      REPLICA_REPLACE};

    if (asked <= MHA__MEMBER_CHANGE__MEMBER_CHANGE_NONE ||
        (size_t)asked >= sizeof changes / sizeof changes[0])
        return false;
    *change = changes[asked];
    return true;
}

/* true: `command` drains the node, and the change is for later (api_accept_drained). */
static bool accept_member(struct agent *agent, const Mha__MemberRequest *asked,
                          struct policy_request *request, struct cluster_command *command, char *error,
                          size_t size)
{
    const struct policy_node *node = node_named(&agent->input, asked->name);
    char stays[ERROR_TEXT_BYTES];
    enum replica_change change;
    struct error err;

    if (!find_change(asked->change, &change)) {
        snprintf(error, size, "this version does not know the change; install the same version everywhere");
        return false;
    }
    if (change == REPLICA_ADD && !may_join(agent, asked->name, error, size))
        return false;
    if (change != REPLICA_ADD && !may_leave(agent, asked->name, stays, sizeof stays)) {
        if (!asked->drain || !node) {
            snprintf(error, size, "%s", stays);
            return false;
        }
        *request = (struct policy_request){.kind = POLICY_REQUEST_DRAIN, .node = node->id};
        return policy_request_drain(&agent->input, node->id, command, error, size);
    }
    if (replica_change_member(agent->replica, change, asked->name, &err) != ERR_OK)
        snprintf(error, size, "%s", err.text);
    return false;
}

bool api_accept_drained(struct agent *agent, const char *name, Mha__MemberChange asked)
{
    char why[ERROR_TEXT_BYTES];
    enum replica_change change;
    struct error err;

    agent_gather(agent);
    if (!find_change(asked, &change) || !may_leave(agent, name, why, sizeof why))
        return false;
    if (replica_change_member(agent->replica, change, name, &err) == ERR_OK)
        return true;
    return false;
}

bool api_waits_for_drain(struct agent *agent, const Mha__ControlRequest *asked)
{
    char why[ERROR_TEXT_BYTES];

    agent_gather(agent);
    return asked->body_case == MHA__CONTROL_REQUEST__BODY_MEMBER && asked->member->drain &&
           !may_leave(agent, asked->member->name, why, sizeof why);
}

static bool accept_rebuild(struct agent *agent, const Mha__RebuildRequest *asked,
                           struct policy_request *request, struct cluster_command *command, char *error,
                           size_t size)
{
    uint64_t node, donor;

    if (!accept_to(agent, asked->node, &node, error, size) ||
        !accept_to(agent, asked->donor, &donor, error, size))
        return false;
    if (asked->action == MHA__REBUILD_ACTION__REBUILD_CANCEL) {
        *request = (struct policy_request){.kind = POLICY_REQUEST_CANCEL, .node = node};
        return policy_request_cancel(&agent->input, node, command, error, size);
    }
    *request = (struct policy_request){
        .kind = POLICY_REQUEST_REBUILD, .node = node, .donor = donor, .rate_mb = asked->rate_mb};
    return policy_request_rebuild(&agent->input, node, donor, asked->rate_mb, command, error, size);
}

bool api_switchover_target(struct agent *agent, const Mha__SwitchoverRequest *asked, uint64_t *target,
                           char *error, size_t size)
{
    struct cluster_command command;
    uint64_t to;

    error[0] = '\0';
    agent_gather(agent);
    if (!accept_to(agent, asked->to, &to, error, size) ||
        !policy_request_switchover(&agent->input, to, MS_TO_US(agent->settings->switchover_timeout_ms),
                                   &command, error, size))
        return false;
    *target = command.node;
    return true;
}

void api_accept(struct agent *agent, const Mha__ControlRequest *asked, char *error, size_t size,
                char *message, size_t message_size)
{
    struct policy_request request = {.kind = POLICY_REQUEST_NONE};
    struct cluster_command command;
    struct error err;
    uint64_t to;
    bool sound = false;

    error[0] = '\0';
    message[0] = '\0';
    agent_gather(agent);
    switch (asked->body_case) {
    case MHA__CONTROL_REQUEST__BODY_SWITCHOVER: {
        uint64_t timeout_ms = asked->switchover->timeout_ms;
        if (timeout_ms == 0)
            timeout_ms = agent->settings->switchover_timeout_ms;
        if (!accept_to(agent, asked->switchover->to, &to, error, size))
            break;
        request = (struct policy_request){
            .kind = POLICY_REQUEST_SWITCHOVER, .node = to, .us = MS_TO_US(timeout_ms)};
        sound = policy_request_switchover(&agent->input, to, request.us, &command, error, size);
        break;
    }
    case MHA__CONTROL_REQUEST__BODY_FAILOVER:
        if (!asked->failover->accept_data_loss && !asked->failover->explain) {
            snprintf(error, size,
                     "a forced failover may lose acknowledged writes: say so with --accept-data-loss, or use "
                     "mhactl switchover");
            break;
        }
        if (!accept_to(agent, asked->failover->to, &to, error, size))
            break;
        request = (struct policy_request){.kind = POLICY_REQUEST_FAILOVER,
                                          .node = to,
                                          .old_primary_is_off = asked->failover->old_primary_is_off};
        sound = policy_request_failover(&agent->input, to, request.old_primary_is_off, &command, error, size);
        if (asked->failover->explain) { /* nothing is proposed; what is at stake is told in any case */
            policy_explain_force(&agent->input, to, message, message_size);
            return;
        }
        break;
    case MHA__CONTROL_REQUEST__BODY_PAUSE: {
        uint64_t length_ms =
            asked->pause->length_ms ? asked->pause->length_ms : agent->settings->pause_length_ms;
        if (length_ms > 600000) {
            snprintf(error, size, "a pause lasts at most 600000 ms");
            break;
        }
        request = (struct policy_request){.kind = POLICY_REQUEST_PAUSE, .us = MS_TO_US(length_ms)};
        sound = policy_request_pause(&agent->input, request.us, &command, error, size);
        if (sound)
            agent->pause_proposed_us = agent->input.now_us;
        break;
    }
    case MHA__CONTROL_REQUEST__BODY_RESUME:
        request.kind = POLICY_REQUEST_RESUME;
        sound = policy_request_resume(&agent->input, &command, error, size);
        if (sound) {
            policy_trace_request(&agent->tracer, &agent->input, &request, &command, "");
            /* The enforcers first, the log afterwards (carry_out.c). */
            agent->resuming = true;
            agent_wake(agent);
            return;
        }
        break;
    case MHA__CONTROL_REQUEST__BODY_INIT:
        if (!accept_to(agent, asked->init->primary, &to, error, size))
            break;
        request = (struct policy_request){
            .kind = POLICY_REQUEST_INIT, .node = to, .discard_others = asked->init->discard_others};
        sound = policy_request_init(&agent->input, to, request.discard_others, &command, error, size);
        break;
    case MHA__CONTROL_REQUEST__BODY_REBUILD:
        sound = accept_rebuild(agent, asked->rebuild, &request, &command, error, size);
        break;
    case MHA__CONTROL_REQUEST__BODY_MEMBER:
        sound = accept_member(agent, asked->member, &request, &command, error, size);
        break;
    default:
        snprintf(error, size, "this version does not know the request; install the same version everywhere");
    }
    policy_trace_request(&agent->tracer, &agent->input, &request, sound ? &command : NULL,
                         sound ? "" : error);
    if (sound && agent_propose(agent, &command, &err) != ERR_OK)
        snprintf(error, size, "%s", err.text);
    agent_wake(agent);
}

/* ---- a change of the members, from its asking to its end ---- */

static bool find_member(const struct agent *agent, const char *name, struct replica_member *out)
{
    unsigned count = replica_member_count(agent->replica);

    for (unsigned i = 0; i < count; i++) {
        replica_member(agent->replica, i, out);
        if (strcmp(out->name, name) == 0)
            return true;
    }
    return false;
}

void member_watch_begin(const struct agent *agent, const Mha__MemberRequest *asked, struct member_watch *out)
{
    struct replica_member member;

    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%s", asked->name);
    out->change = asked->change;
    if (find_member(agent, out->name, &member))
        out->id_before = member.id;
}

bool member_watch_done(const struct agent *agent, const struct member_watch *watch, char *text, size_t size)
{
    struct replica_member member;
    /* In a settled group all vote. This node is always found, though it may be the one that was removed. */
    bool there = find_member(agent, watch->name, &member) && member.voter;

    if (!replica_settled(agent->replica))
        return false;
    if (watch->change == MHA__MEMBER_CHANGE__MEMBER_CHANGE_REMOVE) {
        snprintf(text, size, "%s is no member any more; take it out of `nodes` in all files", watch->name);
        return !there;
    }
    snprintf(text, size, "%s is a member, and votes", watch->name);
    return there && member.id != watch->id_before;
}
