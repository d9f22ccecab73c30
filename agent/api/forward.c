#include "agent/api/forward.h"

#include <stdlib.h>
#include <sys/random.h>

#include "common/base/clock.h"

static bool send_message(struct agent *agent, uint64_t to, const Mha__AgentMessage *message)
{
    size_t size = mha__agent_message__get_packed_size(message);
    uint8_t *bytes = size <= REPLICA_APPLICATION_BYTES_MAX ? malloc(size ? size : 1) : NULL;

    if (!bytes)
        return false;
    mha__agent_message__pack(message, bytes);
    replica_send(agent->replica, to, bytes, size);
    free(bytes);
    return true;
}

/* Not from 1 on: an answer to a question of an agent that ran here before must not fit one of this agent's.
 */
static uint64_t next_id(struct forwards *forwards)
{
    while (forwards->last_id == 0)
        if (getrandom(&forwards->last_id, sizeof forwards->last_id, 0) != (ssize_t)sizeof forwards->last_id)
            forwards->last_id = clock_now_us();
    if (++forwards->last_id == 0)
        forwards->last_id++;
    return forwards->last_id;
}

bool forward_send(struct forwards *forwards, uint64_t to, Mha__ControlRequest *asked, uint64_t timeout_us,
                  forward_answered answered, void *context)
{
    Mha__AgentMessage message = MHA__AGENT_MESSAGE__INIT;
    Mha__ForwardedRequest forwarded = MHA__FORWARDED_REQUEST__INIT;

    for (unsigned i = 0; i < FORWARDS_MAX; i++) {
        struct forward *forward = &forwards->list[i];
        if (forward->id)
            continue;
        *forward = (struct forward){.id = next_id(forwards),
                                    .to = to,
                                    .deadline_us = clock_now_us() + timeout_us,
                                    .answered = answered,
                                    .context = context};
        forwarded.id = forward->id;
        forwarded.request = asked;
        message.body_case = MHA__AGENT_MESSAGE__BODY_REQUEST;
        message.request = &forwarded;
        if (!send_message(forwards->agent, to, &message))
            forward->id = 0;
        return forward->id != 0;
    }
    return false;
}

void forward_forget(struct forwards *forwards, const void *context)
{
    for (unsigned i = 0; i < FORWARDS_MAX; i++)
        if (forwards->list[i].id && forwards->list[i].context == context)
            forwards->list[i].id = 0;
}

void forward_take(struct forwards *forwards, uint64_t from, const Mha__ForwardedReply *reply)
{
    for (unsigned i = 0; i < FORWARDS_MAX; i++) {
        struct forward forward = forwards->list[i];
        if (!reply->id || forward.id != reply->id || forward.to != from || !reply->reply)
            continue;
        forwards->list[i].id = 0;
        forward.answered(forward.context, reply->reply);
        return;
    }
}

void forward_step(struct forwards *forwards)
{
    uint64_t now_us = clock_now_us();

    for (unsigned i = 0; i < FORWARDS_MAX; i++) {
        struct forward forward = forwards->list[i];
        if (!forward.id || now_us <= forward.deadline_us)
            continue;
        forwards->list[i].id = 0;
        forward.answered(forward.context, NULL);
    }
}

void forward_reply(struct agent *agent, uint64_t to, uint64_t id, Mha__ControlReply *reply)
{
    Mha__AgentMessage message = MHA__AGENT_MESSAGE__INIT;
    Mha__ForwardedReply back = MHA__FORWARDED_REPLY__INIT;

    back.id = id;
    back.reply = reply;
    message.body_case = MHA__AGENT_MESSAGE__BODY_REPLY;
    message.reply = &back;
    send_message(agent, to, &message);
}
