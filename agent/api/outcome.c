#include "agent/api/outcome.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"

static const char *name_of(const struct agent *agent, uint64_t id)
{
    for (unsigned i = 0; i < agent->input.node_count; i++)
        if (agent->input.nodes[i].id == id)
            return agent->input.nodes[i].name;
    return "an unknown node";
}

static uint64_t node_named(const struct agent *agent, const char *name)
{
    for (unsigned i = 0; i < agent->input.node_count; i++)
        if (strcmp(agent->input.nodes[i].name, name) == 0)
            return agent->input.nodes[i].id;
    return 0;
}

void outcome_begin(const struct agent *agent, const Mha__ControlRequest *asked, struct outcome *out)
{
    const struct cluster_state *state = &agent->state;

    *out = (struct outcome){.what = asked->body_case,
                            .ended_before = state->last_request_id,
                            .epoch_before = state->primary.epoch,
                            .pause_before = state->pause.id};
    if (asked->body_case == MHA__CONTROL_REQUEST__BODY_MEMBER)
        member_watch_begin(agent, asked->member, &out->member);
    if (asked->body_case == MHA__CONTROL_REQUEST__BODY_REBUILD) {
        out->node = node_named(agent, asked->rebuild->node);
        out->cancels = asked->rebuild->action == MHA__REBUILD_ACTION__REBUILD_CANCEL;
    }
}

uint64_t outcome_timeout_us(const struct agent *agent, const Mha__ControlRequest *asked)
{
    uint64_t ms = asked->body_case == MHA__CONTROL_REQUEST__BODY_SWITCHOVER && asked->switchover->timeout_ms
                      ? asked->switchover->timeout_ms
                      : agent->settings->switchover_timeout_ms;

    return MS_TO_US(ms) + 10 * agent->settings->group.election_us;
}

static bool failed(const struct cluster_state *state)
{
    return strncmp(state->last_request_outcome, "done", 4) != 0;
}

static bool new_primary(const struct agent *agent, const struct outcome *outcome, const char *and,
                        char *message, size_t size)
{
    const struct cluster_primary *primary = &agent->state.primary;

    if (!primary->opened || primary->epoch == outcome->epoch_before)
        return false;
    snprintf(message, size, "%s is the primary (epoch %llu)%s", name_of(agent, primary->node),
             (unsigned long long)primary->epoch, and);
    return true;
}

/* Others' requests end meanwhile, too: a rebuild, say. */
static bool change_seen(const struct agent *agent, struct outcome *outcome, char *error, size_t error_size,
                        char *message, size_t message_size)
{
    const struct cluster_state *state = &agent->state;
    uint64_t open =
        outcome->what == MHA__CONTROL_REQUEST__BODY_SWITCHOVER ? state->switchover.id : state->force.id;

    if (!outcome->id)
        outcome->id = open;
    if (open || state->last_request_id == outcome->ended_before || state->last_request_id < outcome->id)
        return false;
    if ((!outcome->id || state->last_request_id == outcome->id) && failed(state)) {
        snprintf(error, error_size, "%s", state->last_request_outcome);
        return true;
    }
    return new_primary(agent, outcome, "", message, message_size);
}

static bool init_seen(const struct agent *agent, const struct outcome *outcome, char *error,
                      size_t error_size, char *message, size_t message_size)
{
    const struct cluster_state *state = &agent->state;

    if (new_primary(agent, outcome, "; mhactl status shows how the others follow", message, message_size))
        return true;
    if (state->last_request_id == outcome->ended_before || !failed(state))
        return false;
    snprintf(error, error_size, "%s", state->last_request_outcome);
    return true;
}

/* A rebuild takes long: that it was agreed on is the answer, and mhactl status shows how far it is. */
static bool rebuild_seen(const struct agent *agent, const struct outcome *outcome, char *message, size_t size)
{
    const struct cluster_state *state = &agent->state;
    const struct cluster_aside *aside = cluster_aside_find(state, outcome->node);
    const char *name = name_of(agent, outcome->node);

    if (outcome->cancels && (!aside || aside->cancelled))
        snprintf(message, size, "the rebuild of %s is %s", name,
                 aside ? "being cancelled; mhactl status shows when it has ended" : "over");
    else if (!outcome->cancels && aside && aside->kind == MHA__ASIDE_KIND__ASIDE_REBUILD)
        snprintf(message, size, "%s is made anew; mhactl status shows how far it is", name);
    else if (!outcome->cancels && state->last_request_id != outcome->ended_before)
        snprintf(message, size, "the rebuild of %s is over already: %s", name, state->last_request_outcome);
    return message[0] != '\0';
}

static bool pause_seen(const struct agent *agent, const struct outcome *outcome, char *message, size_t size)
{
    const struct cluster_pause *pause = &agent->state.pause;

    if (!pause->id || pause->id == outcome->pause_before)
        return false;
    snprintf(message, size,
             "paused for %llu s: until then %s keeps its powers though its agent or database restarts",
             (unsigned long long)(pause->length_us / 1000000), name_of(agent, pause->holder));
    return true;
}

bool outcome_seen(const struct agent *agent, struct outcome *outcome, char *error, size_t error_size,
                  char *message, size_t message_size)
{
    error[0] = '\0';
    message[0] = '\0';
    switch (outcome->what) {
    case MHA__CONTROL_REQUEST__BODY_PAUSE:
        return pause_seen(agent, outcome, message, message_size);
    case MHA__CONTROL_REQUEST__BODY_RESUME:
        snprintf(message, message_size, "the pause is over");
        return agent->state.pause.id != outcome->pause_before;
    case MHA__CONTROL_REQUEST__BODY_INIT:
        return init_seen(agent, outcome, error, error_size, message, message_size);
    case MHA__CONTROL_REQUEST__BODY_REBUILD:
        return rebuild_seen(agent, outcome, message, message_size);
    case MHA__CONTROL_REQUEST__BODY_MEMBER:
        return member_watch_done(agent, &outcome->member, message, message_size);
    default:
        return change_seen(agent, outcome, error, error_size, message, message_size);
    }
}
