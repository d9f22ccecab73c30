#include "agent/api/asker.h"

#include <stdlib.h>

#include "agent/api/forward.h"

void asker_reply(struct agent *agent, const struct asker *asker, Mha__ControlReply *reply)
{
    size_t size = mha__control_reply__get_packed_size(reply);
    uint8_t *bytes;

    if (!asker->request) {
        forward_reply(agent, asker->node, asker->id, reply);
        return;
    }
    bytes = malloc(size ? size : 1);
    if (bytes)
        mha__control_reply__pack(reply, bytes);
    control_reply(asker->request, bytes, bytes ? size : 0);
    free(bytes);
}

void asker_reply_text(struct agent *agent, const struct asker *asker, const char *error, const char *message)
{
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;

    reply.error = (char *)error;
    reply.message = (char *)message;
    asker_reply(agent, asker, &reply);
}
