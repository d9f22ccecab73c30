/* api.h - operators' requests: the control socket of this agent, and what other agents forward.
 *
 * Any agent answers status, check and version itself. A command (switchover, failover, pause, resume) goes to
 * the leader, which checks it and proposes it (accept); the agent that was asked then waits until the
 * replicated state shows the outcome, so that the answer comes even when the leadership moved meanwhile. */
#ifndef MHA_API_API_H
#define MHA_API_API_H

#include "agent/agent.h"
#include "common/net/control.h"

struct api;

enum error_code api_start(struct agent *agent, struct api **out, struct error *err);
void api_free(struct api *api);

/* ---- status.c ---- */

/* A StatusReply of what this agent knows; free with api_status_free. NULL: no memory. */
Mha__StatusReply *api_status_make(struct agent *agent);
void api_status_free(Mha__StatusReply *status);

#endif
