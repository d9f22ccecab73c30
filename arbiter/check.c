/* A data node's agent asks what this arbiter knows of itself, for `mhactl check`: version, clock, settings.
 */
#include <stdlib.h>

#include "agent.pb-c.h"
#include "arbiter/arbiter.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/replica/facts.h"

static void send_answer(const struct arbiter_cluster *cluster, uint64_t to, uint64_t id,
                        Mha__ControlReply *reply)
{
    Mha__AgentMessage message = MHA__AGENT_MESSAGE__INIT;
    Mha__ForwardedReply back = MHA__FORWARDED_REPLY__INIT;
    uint8_t *bytes;
    size_t size;

    back.id = id;
    back.reply = reply;
    message.body_case = MHA__AGENT_MESSAGE__BODY_REPLY;
    message.reply = &back;
    size = mha__agent_message__get_packed_size(&message);
    bytes = malloc(size);
    if (!bytes)
        return; /* it asks again, or takes this arbiter for silent */
    mha__agent_message__pack(&message, bytes);
    replica_send(cluster->replica, to, bytes, size);
    free(bytes);
}

static void answer_check(const struct arbiter_cluster *cluster, uint64_t to, uint64_t id)
{
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;
    Mha__CheckFacts facts = MHA__CHECK_FACTS__INIT;
    struct replica_facts told;
    struct text settings = {0};

    replica_tell_facts(cluster->replica, &told, &facts);
    replica_settings_tell(cluster->settings, &settings);
    facts.node = (char *)cluster->settings->node;
    if (settings.data)
        facts.settings = settings.data;
    reply.facts = &facts;
    send_answer(cluster, to, id, &reply);
    text_free(&settings);
}

void arbiter_on_message(void *context, uint64_t from, const void *data, size_t size)
{
    const struct arbiter_cluster *cluster = context;
    Mha__AgentMessage *message = mha__agent_message__unpack(NULL, size, data);

    if (message && message->body_case == MHA__AGENT_MESSAGE__BODY_REQUEST && message->request->request &&
        message->request->request->body_case == MHA__CONTROL_REQUEST__BODY_CHECK)
        answer_check(cluster, from, message->request->id);
    if (message)
        mha__agent_message__free_unpacked(message, NULL);
}
