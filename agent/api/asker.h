/* asker.h - who waits for a reply: a client of this agent's control socket, or another agent. */
#ifndef MHA_API_ASKER_H
#define MHA_API_ASKER_H

#include "agent/agent.h"
#include "common/net/control.h"

struct asker {
    struct control_request *request; /* NULL: an agent */
    uint64_t node;                   /* that agent's member id */
    uint64_t id;                     /* of its ForwardedRequest */
};

/* Each asker is answered exactly once. */
void asker_reply(struct agent *agent, const struct asker *asker, Mha__ControlReply *reply);
void asker_reply_text(struct agent *agent, const struct asker *asker, const char *error, const char *message);

#endif
