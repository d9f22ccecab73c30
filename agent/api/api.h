/* api.h - operators' requests: the control socket of this agent, and what other agents forward.
 *
 *   api.c          which request goes where; commands, from their asking to their outcome
 *   accept.c       the leader's word on a command
 *   check.c        `mhactl check` and the look before a switchover: several nodes' answers, put together
 *   local_check.c  what this node alone finds and knows of itself
 *   compare.c      what concerns several nodes; pure
 *   outcome.c      what became of a command
 *   donor.c        two agents about one rebuild
 *   forward.c      questions to other members, with deadlines
 *   status.c       what is
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
