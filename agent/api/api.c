#include "agent/api/api.h"
#include "agent/api/accept.h"
#include "agent/api/check.h"
#include "agent/api/donor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api/local_check.h"
#include "agent/api/outcome.h"
#include "common/base/clock.h"

#define FORWARD_TIMEOUT_US 3000000u
/* The leader looks at itself and the target first. */
#define FORWARD_CHECKED_TIMEOUT_US (LOCAL_CHECK_US + 5000000u)
#define PENDING_MAX 16

enum pending_kind { PENDING_NONE, PENDING_ACCEPT, PENDING_OUTCOME, PENDING_READ };

/* An operator's request that waits: for the leader's word, for its outcome in the replicated state, for a
 * quorum's confirmation. */
struct pending {
    enum pending_kind kind;
    struct api *api;
    struct control_request *request;
    uint64_t deadline_us;
    uint64_t outcome_us; /* how long it may take once the leader has agreed */
    bool answer_is_all;  /* of the leader: nothing was begun, so there is no outcome */
    struct outcome outcome;
    uint64_t read; /* of replica_read */
};

/* A node that is drained by this leader so that it may leave the group; name "": none. */
struct leaving {
    char name[REPLICA_NAME_BYTES];
    Mha__MemberChange change;
    uint64_t until_us;
};

struct api {
    struct agent *agent;
    struct leaving leaving;
    struct control *control;
    struct forwards forwards;
    struct checks *checks;
    struct donor *donor;
    struct pending pending[PENDING_MAX];
};

static void answer(struct api *api, struct control_request *request, Mha__ControlReply *reply)
{
    asker_reply(api->agent, &(struct asker){.request = request}, reply);
}

static void answer_text(struct api *api, struct control_request *request, const char *error,
                        const char *message)
{
    asker_reply_text(api->agent, &(struct asker){.request = request}, error, message);
}

static struct pending *new_pending(struct api *api, struct control_request *request,
                                   const Mha__ControlRequest *asked)
{
    for (unsigned i = 0; i < PENDING_MAX; i++)
        if (api->pending[i].kind == PENDING_NONE) {
            api->pending[i] = (struct pending){.api = api, .request = request};
            outcome_begin(api->agent, asked, &api->pending[i].outcome);
            return &api->pending[i];
        }
    answer_text(api, request, "too many requests are under way; try again", "");
    return NULL;
}

/* ---- the outcome ---- */

static const char *name_of(const struct agent *agent, uint64_t id)
{
    for (unsigned i = 0; i < agent->input.node_count; i++)
        if (agent->input.nodes[i].id == id)
            return agent->input.nodes[i].name;
    return "an unknown node";
}

static void finish(struct pending *pending, const char *error, const char *message)
{
    struct control_request *request = pending->request;

    pending->kind = PENDING_NONE;
    answer_text(pending->api, request, error, message);
}

static void on_step(void *context)
{
    struct api *api = context;
    uint64_t now_us = clock_now_us();
    char error[CLUSTER_TEXT_BYTES], message[CLUSTER_TEXT_BYTES * 2];

    for (unsigned i = 0; i < PENDING_MAX; i++) {
        struct pending *pending = &api->pending[i];
        if (pending->kind == PENDING_OUTCOME &&
            outcome_seen(api->agent, &pending->outcome, error, sizeof error, message, sizeof message))
            finish(pending, error, message);
        if (pending->kind == PENDING_NONE || pending->kind == PENDING_ACCEPT ||
            now_us <= pending->deadline_us)
            continue;
        finish(pending,
               pending->kind == PENDING_READ
                   ? "not confirmed: no majority of the members answers this leader; see mhactl status"
                   : "it is still under way; see mhactl status",
               "");
    }
    if (api->leaving.name[0] && (api->agent->raft.role != RAFT_LEADER || now_us > api->leaving.until_us ||
                                 api_accept_drained(api->agent, api->leaving.name, api->leaving.change)))
        api->leaving.name[0] = '\0';
    forward_step(&api->forwards);
    checks_step(api->checks);
}

/* ---- commands ---- */

static void wait_for_outcome(struct pending *pending, uint64_t timeout_us)
{
    pending->kind = PENDING_OUTCOME;
    pending->deadline_us = clock_now_us() + timeout_us;
    agent_wake(pending->api->agent);
}

/* A question in the shape of a command: the leader's answer is all. */
static bool changes_nothing(const Mha__ControlRequest *asked)
{
    return (asked->body_case == MHA__CONTROL_REQUEST__BODY_SWITCHOVER && asked->switchover->check) ||
           (asked->body_case == MHA__CONTROL_REQUEST__BODY_FAILOVER && asked->failover->explain);
}

/* The leader, this agent or another one, carries the command out. */
static void accept_here(struct api *api, const struct asker *asker, const Mha__ControlRequest *asked)
{
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;
    struct pending *pending = asker->request ? new_pending(api, asker->request, asked) : NULL;
    char error[API_ANSWER_BYTES], message[API_ANSWER_BYTES];

    if (asker->request && !pending)
        return;
    api_accept(api->agent, asked, error, sizeof error, message, sizeof message);
    if (!error[0] && api_waits_for_drain(api->agent, asked)) {
        snprintf(api->leaving.name, sizeof api->leaving.name, "%s", asked->member->name);
        api->leaving.change = asked->member->change;
        api->leaving.until_us = clock_now_us() + outcome_timeout_us(api->agent, asked);
    }
    if (pending && (error[0] || message[0] || changes_nothing(asked))) {
        finish(pending, error, message);
    } else if (pending) {
        wait_for_outcome(pending, outcome_timeout_us(api->agent, asked));
    } else {
        reply.error = error;
        reply.message = message;
        asker_reply(api->agent, asker, &reply);
    }
}

static void on_switchover_checked(void *context, const struct asker *asker, const Mha__ControlRequest *asked,
                                  const char *error, const struct findings *findings)
{
    struct api *api = context;
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;

    reply.n_findings = findings->count;
    reply.findings = findings->items;
    reply.error = (char *)error;
    if (!error[0] && findings_fatal(findings) && !asked->switchover->check)
        reply.error = (char *)"nothing was changed, for something stands in the way of a switchover now";
    else if (!error[0] && !asked->switchover->check) {
        accept_here(api, asker, asked);
        return;
    } else if (!error[0] && findings->count == 0) {
        reply.message = (char *)"nothing stands in the way of a switchover now";
    }
    asker_reply(api->agent, asker, &reply);
}

static void lead_command(struct api *api, const struct asker *asker, const Mha__ControlRequest *asked)
{
    char error[API_ANSWER_BYTES];
    uint64_t target;

    if (asked->body_case != MHA__CONTROL_REQUEST__BODY_SWITCHOVER)
        accept_here(api, asker, asked);
    else if (api_switchover_target(api->agent, asked->switchover, &target, error, sizeof error))
        checks_switchover(api->checks, asker, asked, target);
    else
        asker_reply_text(api->agent, asker, error, "");
}

/* The leader's word on a command that was asked for here. */
static void on_leader_answered(void *context, const Mha__ControlReply *reply)
{
    struct pending *pending = context;
    struct api *api = pending->api;
    struct control_request *request = pending->request;

    if (!reply) {
        finish(pending, "the leader did not answer; see mhactl status and ask again", "");
    } else if (reply->error[0] || reply->message[0] || pending->answer_is_all) {
        pending->kind = PENDING_NONE;
        answer(api, request, (Mha__ControlReply *)reply);
    } else {
        wait_for_outcome(pending, pending->outcome_us);
    }
}

static void forward_command(struct api *api, struct control_request *request, Mha__ControlRequest *asked)
{
    struct agent *agent = api->agent;
    struct pending *pending = new_pending(api, request, asked);
    bool checked = asked->body_case == MHA__CONTROL_REQUEST__BODY_SWITCHOVER;

    if (!pending)
        return;
    pending->kind = PENDING_ACCEPT;
    pending->outcome_us = outcome_timeout_us(agent, asked);
    pending->answer_is_all = changes_nothing(asked);
    if (!forward_send(&api->forwards, agent->raft.leader, asked,
                      checked ? FORWARD_CHECKED_TIMEOUT_US : FORWARD_TIMEOUT_US, on_leader_answered, pending))
        finish(pending, "too many requests are under way; try again", "");
}

static void handle_command(struct api *api, struct control_request *request, Mha__ControlRequest *asked)
{
    struct agent *agent = api->agent;

    agent_gather(agent);
    if (agent->raft.leader == 0 && changes_nothing(asked))
        lead_command(api, &(struct asker){.request = request},
                     asked); /* this node's word, for want of a better */
    else if (agent->raft.leader == 0)
        answer_text(
            api, request,
            "no leader is known here, so nothing can be decided; see mhactl status for what is missing", "");
    else if (agent->raft.role == RAFT_LEADER)
        lead_command(api, &(struct asker){.request = request}, asked);
    else
        forward_command(api, request, asked);
}

/* ---- between agents ---- */

static void on_forwarded(struct api *api, uint64_t from, const Mha__ForwardedRequest *forwarded)
{
    struct asker asker = {.node = from, .id = forwarded->id};
    const Mha__ControlRequest *asked = forwarded->request;

    if (!asked)
        return;
    if (asked->body_case == MHA__CONTROL_REQUEST__BODY_CHECK)
        checks_local(api->checks, &asker, asked->check->switchover);
    else if (asked->body_case == MHA__CONTROL_REQUEST__BODY_DONATE)
        donor_answer(api->donor, &asker, asked->donate);
    else
        lead_command(api, &asker, asked);
}

static void on_ask_donor(void *context, const char *name, unsigned rate_mb)
{
    struct api *api = context;

    donor_ask(api->donor, name, rate_mb);
}

static void on_agent_message(void *context, uint64_t from, const Mha__AgentMessage *message)
{
    struct api *api = context;

    if (message->body_case == MHA__AGENT_MESSAGE__BODY_REQUEST)
        on_forwarded(api, from, message->request);
    else if (message->body_case == MHA__AGENT_MESSAGE__BODY_REPLY)
        forward_take(&api->forwards, from, message->reply);
}

/* ---- the control socket ---- */

static void answer_status(struct api *api, struct control_request *request, bool confirmed)
{
    struct agent *agent = api->agent;
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;

    reply.status = api_status_make(agent);
    if (!reply.status) {
        answer_text(api, request, "the agent is out of memory", "");
        return;
    }
    reply.status->confirmed = confirmed;
    answer(api, request, &reply);
    api_status_free(reply.status);
}

/* What only a leader knows, and only once a quorum has answered it after the question. */
static void confirm_status(struct api *api, struct control_request *request, Mha__ControlRequest *asked)
{
    struct agent *agent = api->agent;
    struct pending *pending;
    char text[CLUSTER_TEXT_BYTES];
    struct error err;

    agent_gather(agent);
    if (agent->raft.role != RAFT_LEADER) {
        if (agent->raft.leader)
            snprintf(text, sizeof text, "%s leads, and only the leader can tell what is confirmed; ask there",
                     name_of(agent, agent->raft.leader));
        else
            snprintf(text, sizeof text, "no leader is known here, so nothing is confirmed");
        answer_text(api, request, text, "");
        return;
    }
    pending = new_pending(api, request, asked);
    if (!pending)
        return;
    pending->kind = PENDING_READ;
    pending->deadline_us = clock_now_us() + 2 * agent->settings->group.election_us;
    if (replica_read(agent->replica, &pending->read, &err) != ERR_OK)
        finish(pending, err.text, "");
}

static void on_read_done(void *context, uint64_t read, bool done)
{
    struct api *api = context;

    for (unsigned i = 0; i < PENDING_MAX; i++) {
        struct pending *pending = &api->pending[i];
        struct control_request *request = pending->request;
        if (pending->kind != PENDING_READ || pending->read != read)
            continue;
        pending->kind = PENDING_NONE;
        if (done)
            answer_status(api, request, true);
        else
            answer_text(api, request,
                        "this node has just lost the leadership, so nothing is confirmed; ask again", "");
    }
}

static void on_request(void *context, struct control_request *request, const uint8_t *data, size_t size)
{
    struct api *api = context;
    Mha__ControlRequest *asked = mha__control_request__unpack(NULL, size, data);
    Mha__ControlReply version = MHA__CONTROL_REPLY__INIT;

    if (!asked) {
        answer_text(api, request, "the request cannot be read; is mhactl of the same version?", "");
        return;
    }
    switch (asked->body_case) {
    case MHA__CONTROL_REQUEST__BODY_STATUS:
        if (asked->status->confirmed)
            confirm_status(api, request, asked);
        else
            answer_status(api, request, false);
        break;
    case MHA__CONTROL_REQUEST__BODY_CHECK:
        if (asked->check->local)
            checks_local(api->checks, &(struct asker){.request = request}, asked->check->switchover);
        else
            checks_all(api->checks, &(struct asker){.request = request});
        break;
    case MHA__CONTROL_REQUEST__BODY_VERSION:
        version.version = (char *)MHA_VERSION;
        answer(api, request, &version);
        break;
    default:
        handle_command(api, request, asked);
    }
    mha__control_request__free_unpacked(asked, NULL);
}

enum error_code api_start(struct agent *agent, struct api **out, struct error *err)
{
    struct api *api = calloc(1, sizeof *api);
    enum error_code code;

    if (!api)
        return error_set(err, ERR_NO_MEMORY, "no memory for the control socket");
    api->agent = agent;
    api->forwards.agent = agent;
    api->checks = checks_new(agent, &api->forwards, on_switchover_checked, api);
    api->donor = donor_new(agent, &api->forwards);
    if (api->checks && api->donor)
        code = control_new(agent->base, agent->settings->control_socket, on_request, api, &api->control, err);
    else
        code = error_set(err, ERR_NO_MEMORY, "no memory for the control socket");
    if (code != ERR_OK) {
        checks_free(api->checks);
        donor_free(api->donor);
        free(api);
        return code;
    }
    agent->stepped = on_step;
    agent->stepped_context = api;
    agent->request = on_agent_message;
    agent->read_done = on_read_done;
    agent->ask_donor = on_ask_donor;
    *out = api;
    return ERR_OK;
}

void api_free(struct api *api)
{
    if (!api)
        return;
    for (unsigned i = 0; i < PENDING_MAX; i++)
        if (api->pending[i].kind != PENDING_NONE)
            finish(&api->pending[i], "the agent is being stopped", "");
    checks_free(api->checks);
    donor_free(api->donor);
    control_free(api->control);
    free(api);
}
