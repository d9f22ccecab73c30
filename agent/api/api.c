#include "agent/api/api.h"
#include "agent/api/accept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

#define FORWARD_TIMEOUT_US 3000000u
#define CHECK_TIMEOUT_US 10000000u
#define PENDING_MAX 16

enum pending_kind { PENDING_NONE, PENDING_ACCEPT, PENDING_OUTCOME, PENDING_CHECK, PENDING_READ };

/* An operator's request that waits: for the leader's word, for its outcome in the replicated state, for a
 * quorum's confirmation. */
struct pending {
    enum pending_kind kind;
    struct control_request *request;
    uint64_t forward_id;
    uint64_t deadline_us;
    Mha__ControlRequest__BodyCase what;
    uint64_t ended_before; /* last_request_id when it was asked for */
    uint64_t epoch_before;
    uint64_t pause_before;
    struct member_watch member;
    uint64_t read; /* of replica_read */
};

struct api {
    struct agent *agent;
    struct control *control;
    uint64_t next_forward_id;
    struct pending pending[PENDING_MAX];
};

static void answer(struct control_request *request, Mha__ControlReply *reply)
{
    size_t size = mha__control_reply__get_packed_size(reply);
    uint8_t *bytes = malloc(size ? size : 1);

    if (bytes)
        mha__control_reply__pack(reply, bytes);
    control_reply(request, bytes, bytes ? size : 0);
    free(bytes);
}

static void answer_text(struct control_request *request, const char *error, const char *message)
{
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;

    reply.error = (char *)error;
    reply.message = (char *)message;
    answer(request, &reply);
}

static struct pending *new_pending(struct api *api, struct control_request *request,
                                   const Mha__ControlRequest *asked)
{
    const struct cluster_state *state = &api->agent->state;

    for (unsigned i = 0; i < PENDING_MAX; i++)
        if (api->pending[i].kind == PENDING_NONE) {
            api->pending[i] = (struct pending){.request = request,
                                               .what = asked->body_case,
                                               .ended_before = state->last_request_id,
                                               .epoch_before = state->primary.epoch,
                                               .pause_before = state->pause.id};
            if (asked->body_case == MHA__CONTROL_REQUEST__BODY_MEMBER)
                member_watch_begin(api->agent, asked->member, &api->pending[i].member);
            return &api->pending[i];
        }
    answer_text(request, "too many requests are under way; try again", "");
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
    answer_text(request, error, message);
}

static void check_outcome(struct api *api, struct pending *pending)
{
    const struct agent *agent = api->agent;
    const struct cluster_state *state = &agent->state;
    char text[CLUSTER_TEXT_BYTES * 2];

    switch (pending->what) {
    case MHA__CONTROL_REQUEST__BODY_PAUSE:
        if (state->pause.id && state->pause.id != pending->pause_before) {
            snprintf(
                text, sizeof text,
                "paused for %llu s: until then %s keeps its powers though its agent or database restarts",
                (unsigned long long)(state->pause.length_us / 1000000), name_of(agent, state->pause.holder));
            finish(pending, "", text);
        }
        return;
    case MHA__CONTROL_REQUEST__BODY_RESUME:
        if (state->pause.id != pending->pause_before)
            finish(pending, "", "the pause is over");
        return;
    case MHA__CONTROL_REQUEST__BODY_MEMBER:
        if (member_watch_done(agent, &pending->member, text, sizeof text))
            finish(pending, "", text);
        return;
    default:
        if (state->last_request_id == pending->ended_before || state->switchover.id || state->force.id)
            return;
        if (strncmp(state->last_request_outcome, "done", 4) != 0) {
            finish(pending, state->last_request_outcome, "");
        } else if (state->primary.opened && state->primary.epoch != pending->epoch_before) {
            snprintf(text, sizeof text, "%s is the primary (epoch %llu)", name_of(agent, state->primary.node),
                     (unsigned long long)state->primary.epoch);
            finish(pending, "", text);
        }
    }
}

static uint64_t outcome_timeout_us(const struct agent *agent, const Mha__ControlRequest *asked)
{
    uint64_t ms = asked->body_case == MHA__CONTROL_REQUEST__BODY_SWITCHOVER && asked->switchover->timeout_ms
                      ? asked->switchover->timeout_ms
                      : agent->settings->switchover_timeout_ms;

    return MS_TO_US(ms) + 10 * agent->settings->group.election_us;
}

static void on_step(void *context)
{
    struct api *api = context;
    uint64_t now_us = clock_now_us();

    for (unsigned i = 0; i < PENDING_MAX; i++) {
        struct pending *pending = &api->pending[i];
        if (pending->kind == PENDING_OUTCOME)
            check_outcome(api, pending);
        if (pending->kind != PENDING_NONE && now_us > pending->deadline_us)
            finish(pending,
                   pending->kind == PENDING_ACCEPT
                       ? "the leader did not answer; see mhactl status and ask again"
                   : pending->kind == PENDING_READ
                       ? "not confirmed: no majority of the members answers this leader; see mhactl status"
                       : "it is still under way; see mhactl status",
                   "");
    }
}

/* ---- between agents ---- */

static bool send_message(struct api *api, uint64_t to, const Mha__AgentMessage *message)
{
    size_t size = mha__agent_message__get_packed_size(message);
    uint8_t *bytes = malloc(size ? size : 1);

    if (!bytes)
        return false;
    mha__agent_message__pack(message, bytes);
    replica_send(api->agent->replica, to, bytes, size);
    free(bytes);
    return true;
}

static void on_forwarded(struct api *api, uint64_t from, const Mha__ForwardedRequest *forwarded)
{
    Mha__AgentMessage message = MHA__AGENT_MESSAGE__INIT;
    Mha__ForwardedReply back = MHA__FORWARDED_REPLY__INIT;
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;
    char error[ERROR_TEXT_BYTES];

    if (!forwarded->request)
        return;
    api_accept(api->agent, forwarded->request, error, sizeof error);
    reply.error = error;
    back.id = forwarded->id;
    back.reply = &reply;
    message.body_case = MHA__AGENT_MESSAGE__BODY_REPLY;
    message.reply = &back;
    send_message(api, from, &message);
}

static void on_forward_answered(struct api *api, const Mha__ForwardedReply *back)
{
    for (unsigned i = 0; i < PENDING_MAX; i++) {
        struct pending *pending = &api->pending[i];
        if (pending->kind != PENDING_ACCEPT || pending->forward_id != back->id || !back->reply)
            continue;
        if (back->reply->error[0]) {
            finish(pending, back->reply->error, "");
        } else {
            pending->kind = PENDING_OUTCOME;
            pending->deadline_us += MS_TO_US(api->agent->settings->switchover_timeout_ms);
        }
    }
    agent_wake(api->agent);
}

static void on_agent_message(void *context, uint64_t from, const Mha__AgentMessage *message)
{
    struct api *api = context;

    if (message->body_case == MHA__AGENT_MESSAGE__BODY_REQUEST)
        on_forwarded(api, from, message->request);
    else if (message->body_case == MHA__AGENT_MESSAGE__BODY_REPLY)
        on_forward_answered(api, message->reply);
}

/* ---- the control socket ---- */

static void handle_command(struct api *api, struct control_request *request, Mha__ControlRequest *asked)
{
    struct agent *agent = api->agent;
    struct pending *pending;
    uint64_t now_us = clock_now_us();
    char error[ERROR_TEXT_BYTES];

    agent_gather(agent);
    if (agent->raft.leader == 0) {
        answer_text(
            request,
            "no leader is known here, so nothing can be decided; see mhactl status for what is missing", "");
        return;
    }
    pending = new_pending(api, request, asked);
    if (!pending)
        return;
    if (agent->raft.role == RAFT_LEADER) {
        api_accept(agent, asked, error, sizeof error);
        if (error[0]) {
            finish(pending, error, "");
            return;
        }
        pending->kind = PENDING_OUTCOME;
    } else {
        Mha__AgentMessage message = MHA__AGENT_MESSAGE__INIT;
        Mha__ForwardedRequest forwarded = MHA__FORWARDED_REQUEST__INIT;
        pending->forward_id = ++api->next_forward_id;
        forwarded.id = pending->forward_id;
        forwarded.request = asked;
        message.body_case = MHA__AGENT_MESSAGE__BODY_REQUEST;
        message.request = &forwarded;
        pending->kind = PENDING_ACCEPT;
        send_message(api, agent->raft.leader, &message);
    }
    pending->deadline_us =
        now_us + (pending->kind == PENDING_ACCEPT ? FORWARD_TIMEOUT_US : outcome_timeout_us(agent, asked));
}

static void answer_status(struct agent *agent, struct control_request *request, bool confirmed)
{
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;

    reply.status = api_status_make(agent);
    if (!reply.status) {
        answer_text(request, "the agent is out of memory", "");
        return;
    }
    reply.status->confirmed = confirmed;
    answer(request, &reply);
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
        answer_text(request, text, "");
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
            answer_status(api->agent, request, true);
        else
            answer_text(request, "this node has just lost the leadership, so nothing is confirmed; ask again",
                        "");
    }
}

static void on_checked(void *context, enum error_code code, const char *why, const Mha__DbReply *from_worker)
{
    struct pending *pending = context;
    struct control_request *request = pending->request;
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;

    pending->kind = PENDING_NONE;
    if (code == ERR_OK && from_worker) {
        reply.n_findings = from_worker->n_findings;
        reply.findings = from_worker->findings;
        reply.message = (char *)(from_worker->n_findings ? "" : "nothing stands in the way");
    } else {
        reply.error = (char *)why;
    }
    answer(request, &reply);
}

static void handle_check(struct api *api, struct control_request *request, const Mha__ControlRequest *asked)
{
    Mha__DbRequest check = MHA__DB_REQUEST__INIT;
    Mha__DbCheck body = MHA__DB_CHECK__INIT;
    struct pending *pending;
    struct error err;

    if (!api->agent->worker || dbworker_busy(api->agent->worker)) {
        answer_text(request, "the database worker is busy or restarting; ask again in a moment", "");
        return;
    }
    pending = new_pending(api, request, asked);
    if (!pending)
        return;
    pending->kind = PENDING_CHECK;
    /* Beyond the worker's own deadline: an operation of the agent's took its place, and no answer comes any
     * more. */
    pending->deadline_us = clock_now_us() + CHECK_TIMEOUT_US + 1000000u;
    check.body_case = MHA__DB_REQUEST__BODY_CHECK;
    check.check = &body;
    if (dbworker_request(api->agent->worker, &check, clock_now_us() + CHECK_TIMEOUT_US, on_checked, pending,
                         &err) != ERR_OK)
        finish(pending, err.text, "");
}

static void on_request(void *context, struct control_request *request, const uint8_t *data, size_t size)
{
    struct api *api = context;
    Mha__ControlRequest *asked = mha__control_request__unpack(NULL, size, data);
    Mha__ControlReply version = MHA__CONTROL_REPLY__INIT;

    if (!asked) {
        answer_text(request, "the request cannot be read; is mhactl of the same version?", "");
        return;
    }
    switch (asked->body_case) {
    case MHA__CONTROL_REQUEST__BODY_STATUS:
        if (asked->status->confirmed)
            confirm_status(api, request, asked);
        else
            answer_status(api->agent, request, false);
        break;
    case MHA__CONTROL_REQUEST__BODY_CHECK:
        handle_check(api, request, asked);
        break;
    case MHA__CONTROL_REQUEST__BODY_VERSION:
        version.version = (char *)MHA_VERSION;
        answer(request, &version);
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
    code = control_new(agent->base, agent->settings->control_socket, on_request, api, &api->control, err);
    if (code != ERR_OK) {
        free(api);
        return code;
    }
    agent->stepped = on_step;
    agent->stepped_context = api;
    agent->request = on_agent_message;
    agent->read_done = on_read_done;
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
    control_free(api->control);
    free(api);
}
