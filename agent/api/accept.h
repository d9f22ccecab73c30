/* accept.h - operators' requests on the leader: checked, and proposed; and changes of the members until they
 * are done. */
#ifndef MHA_API_ACCEPT_H
#define MHA_API_ACCEPT_H

#include "agent/agent.h"

/* "" in `error`: proposed; else what, why, remedy. */
void api_accept(struct agent *agent, const Mha__ControlRequest *asked, char *error, size_t size);

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
