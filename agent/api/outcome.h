/* outcome.h - what became of a command, as the replicated state shows it: so any agent can tell, though the
 * leadership moved meanwhile. */
#ifndef MHA_API_OUTCOME_H
#define MHA_API_OUTCOME_H

#include "agent/api/accept.h"

struct outcome {
    Mha__ControlRequest__BodyCase what;
    uint64_t id;           /* of the request in the replicated state; 0: not seen there yet */
    uint64_t ended_before; /* last_request_id when it was asked for */
    uint64_t epoch_before;
    uint64_t pause_before;
    struct member_watch member;
    uint64_t node; /* rebuild: whose */
    bool cancels;  /* it */
};

/* Before it is asked for; after agent_gather. */
void outcome_begin(const struct agent *agent, const Mha__ControlRequest *asked, struct outcome *out);
/* After each step of the agent. true: it is over, and one of the two texts says how. */
bool outcome_seen(const struct agent *agent, struct outcome *outcome, char *error, size_t error_size,
                  char *message, size_t message_size);
/* How long it may take. */
uint64_t outcome_timeout_us(const struct agent *agent, const Mha__ControlRequest *asked);

#endif
