/* trace.h - the policy with a record of every input and output, as lines of text that can be replayed, as
 * common/raft/trace.h does for raft.
 *
 *   policy new                          an agent has started: nothing applied, nothing tracked
 *   policy apply index=.. data=HEX      a committed command;       policy -> applied .. or void=".."
 *   policy restore index=.. data=HEX    the state from a snapshot; policy -> restored ..
 *   policy settings .., policy raft .., policy db .., policy vip .., policy node i=0 .., policy report i=0 ..
 *                                       parts of the input, each told only when it is another than before
 *   policy decide ..                    the rest of the input: policy_track, policy_decide
 *   policy -> do ..                     the whole output
 *   policy request KIND ..              an operator's, checked; policy -> granted .. or refused error=".."
 *
 * Pure: where the lines go is `line`'s business. */
#ifndef MHA_CLUSTER_TRACE_H
#define MHA_CLUSTER_TRACE_H

#include "agent/cluster/policy.h"
#include "common/base/text.h"

#define POLICY_TRACE_PARTS (4 + 2 * POLICY_NODES_MAX)

/* Zeroed but for the first two. */
struct policy_tracer {
    void (*line)(void *context, uint64_t now_us, const char *text); /* NULL: nothing is traced */
    void *context;
    struct text text;
    struct text told[POLICY_TRACE_PARTS]; /* the parts of the input, as they were told last */
};

void policy_tracer_end(struct policy_tracer *tracer); /* frees what it holds; it may go on */

void policy_trace_new(struct policy_tracer *tracer, uint64_t now_us);
/* cluster_state_apply was called with what `data` holds; `void_because` is its answer. */
void policy_trace_applied(struct policy_tracer *tracer, uint64_t now_us, uint64_t index, const void *data,
                          size_t size, const char *void_because, const struct cluster_state *state);
/* cluster_state_from_message was called with what `data` holds. */
void policy_trace_restored(struct policy_tracer *tracer, uint64_t now_us, uint64_t index, const void *data,
                           size_t size, const struct cluster_state *state);
/* policy_track and policy_decide. */
void policy_trace_decide(struct policy_tracer *tracer, struct policy_tracker *tracker,
                         const struct policy_input *input, struct policy_output *output);

/* An operator's request, as policy_request_... and policy_may_leave are asked. */
enum policy_request_kind {
    POLICY_REQUEST_NONE,
    POLICY_REQUEST_SWITCHOVER,
    POLICY_REQUEST_FAILOVER,
    POLICY_REQUEST_PAUSE,
    POLICY_REQUEST_RESUME,
    POLICY_REQUEST_LEAVE,
    POLICY_REQUEST_REBUILD,
    POLICY_REQUEST_CANCEL,
    POLICY_REQUEST_DRAIN,
    POLICY_REQUEST_INIT,
};

struct policy_request {
    enum policy_request_kind kind; /* NONE: nothing is told */
    uint64_t node;                 /* of all but pause and resume */
    uint64_t us;                   /* switchover: the timeout; pause: the length */
    bool old_primary_is_off;       /* failover */
    bool discard_others;           /* init */
    uint64_t donor;                /* rebuild */
    uint32_t rate_mb;
};

/* It was asked of this input. `command` NULL: none (leave), or refused; `error` "": granted. */
void policy_trace_request(struct policy_tracer *tracer, const struct policy_input *input,
                          const struct policy_request *request, const struct cluster_command *command,
                          const char *error);

/* ---- replay ---- */

struct policy_replay;

struct policy_replay *policy_replay_new(void); /* NULL: no memory */
void policy_replay_free(struct policy_replay *replay);
/* Gives a line (its words from "policy" on) to the policy; the tracer then tells what the trace should say.
 * false: no such line. */
bool policy_trace_replay(struct policy_tracer *tracer, struct policy_replay *replay, uint64_t now_us,
                         const struct words *words);

#endif
