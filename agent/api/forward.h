/* forward.h - requests to other members, and their answers: ForwardedRequest and ForwardedReply of
 * agent.proto.
 *
 * Messages between members get lost like datagrams; each question has a deadline, after which it counts as
 * unanswered. An answer that comes later is dropped. */
#ifndef MHA_API_FORWARD_H
#define MHA_API_FORWARD_H

#include "agent/agent.h"

#define FORWARDS_MAX 32

/* `reply` NULL: no answer in time; else valid until this returns. Called from forward_take and forward_step
 * alone. */
typedef void (*forward_answered)(void *context, const Mha__ControlReply *reply);

struct forward {
    uint64_t id; /* 0: free */
    uint64_t to;
    uint64_t deadline_us;
    forward_answered answered;
    void *context;
};

/* Zeroed at first but for `agent`. */
struct forwards {
    struct agent *agent;
    uint64_t last_id;
    struct forward list[FORWARDS_MAX];
};

/* false: too many are under way, or no memory; `answered` does not come then. */
bool forward_send(struct forwards *forwards, uint64_t to, Mha__ControlRequest *asked, uint64_t timeout_us,
                  forward_answered answered, void *context);
/* Whoever waits with `context` does so no more. */
void forward_forget(struct forwards *forwards, const void *context);
void forward_take(struct forwards *forwards, uint64_t from, const Mha__ForwardedReply *reply);
/* After each step of the agent: deadlines. */
void forward_step(struct forwards *forwards);
/* Answers one that came from another member. */
void forward_reply(struct agent *agent, uint64_t to, uint64_t id, Mha__ControlReply *reply);

#endif
