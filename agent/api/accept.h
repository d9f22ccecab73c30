/* accept.h - operators' requests on the leader: checked, and proposed; and changes of the members until they
 * are done. */
#ifndef MHA_API_ACCEPT_H
#define MHA_API_ACCEPT_H

#include "agent/agent.h"

#define API_ANSWER_BYTES 4096

/* Both empty: proposed, the outcome will be seen. `error`: what, why, remedy. `message`: that was all that
 * there is to do. */
void api_accept(struct agent *agent, const Mha__ControlRequest *asked, char *error, size_t size,
                char *message, size_t message_size);
/* The node that a switchover would go to now; false: none would be accepted, and `error` says why. */
bool api_switchover_target(struct agent *agent, const Mha__SwitchoverRequest *asked, uint64_t *target,
                           char *error, size_t size);

/* A node that was drained so that it may leave: true once its change has begun, false: not yet, ask again
 * after the next step. */
bool api_accept_drained(struct agent *agent, const char *name, Mha__MemberChange asked);

/* After api_accept: the change is not begun yet, for its node is drained first. */
bool api_waits_for_drain(struct agent *agent, const Mha__ControlRequest *asked);

/* What a request to change the members waits for, on any node. */
struct member_watch {
    Mha__MemberChange change;
    char name[REPLICA_NAME_BYTES];
    uint64_t id_before; /* 0: the name was no member's */
};
void member_watch_begin(const struct agent *agent, const Mha__MemberRequest *asked, struct member_watch *out);
/* true: done, and `text` says what is. */
bool member_watch_done(const struct agent *agent, const struct member_watch *watch, char *text, size_t size);

#endif
