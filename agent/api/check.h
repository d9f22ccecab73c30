/* check.h - `mhactl check`, and the look before a switchover: several nodes are asked for their local checks,
 * and what they say is put together.
 *
 * Every agent answers a local check (local_check.h) to whoever asks it. The agent that an operator asks for
 * all sends that question to each member and adds what concerns several (compare.h). The leader, before it
 * agrees to a switchover, asks itself and the target for what would stand in the way now. */
#ifndef MHA_API_CHECK_H
#define MHA_API_CHECK_H

#include "agent/api/asker.h"
#include "agent/api/findings.h"
#include "agent/api/forward.h"

struct checks;

/* The look before a switchover is over. `error` not empty: it could not be made; `findings` may have fatal
 * ones. `asked` is valid until this returns; the asker is still to be answered. */
typedef void (*check_switchover_done)(void *context, const struct asker *asker,
                                      const Mha__ControlRequest *asked, const char *error,
                                      const struct findings *findings);

/* `forwards` must outlive it. NULL: no memory. */
struct checks *checks_new(struct agent *agent, struct forwards *forwards, check_switchover_done done,
                          void *context);
void checks_free(struct checks *checks); /* who still waits is told that the agent stops */

/* The asker is answered, sooner or later, with findings and facts. */
void checks_local(struct checks *checks, const struct asker *asker, bool switchover);
/* The asker is answered with the findings of all. */
void checks_all(struct checks *checks, const struct asker *asker);
/* On the leader: looks at this node and at `target`, then calls `done`. `asked` is copied. */
void checks_switchover(struct checks *checks, const struct asker *asker, const Mha__ControlRequest *asked,
                       uint64_t target);
/* After each step of the agent. */
void checks_step(struct checks *checks);

#endif
