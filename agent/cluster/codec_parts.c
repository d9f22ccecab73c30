#include "agent/cluster/codec_parts.h"

#include <string.h>

bool codec_known(const void *part)
{
    return !part || ((const ProtobufCMessage *)part)->n_unknown_fields == 0;
}

bool codec_change_known(Mha__ChangeKind kind)
{
    return kind >= MHA__CHANGE_KIND__CHANGE_FIRST_START && kind <= MHA__CHANGE_KIND__CHANGE_FORCED;
}

bool codec_aside_known(Mha__AsideKind kind)
{
    return kind == MHA__ASIDE_KIND__ASIDE_REBUILD || kind == MHA__ASIDE_KIND__ASIDE_DRAIN;
}

Mha__SyncSet *codec_sync_to_message(const struct sync_set *sync, struct sync_message *out)
{
    mha__sync_set__init(&out->set);
    out->set.version = sync->version;
    out->set.acks = sync->acks;
    out->set.n_members = sync->count;
    out->set.members = out->pointers;
    for (unsigned i = 0; i < sync->count; i++) {
        mha__sync_member__init(&out->members[i]);
        out->members[i].node = sync->members[i].node;
        out->members[i].incarnation = sync->members[i].incarnation;
        out->pointers[i] = &out->members[i];
    }
    return &out->set;
}

bool codec_sync_from_message(const Mha__SyncSet *message, struct sync_set *out)
{
    memset(out, 0, sizeof *out);
    if (!message || !codec_known(message) || message->n_members > CLUSTER_SYNC_MAX)
        return false;
    out->version = message->version;
    out->acks = message->acks;
    out->count = (unsigned)message->n_members;
    for (unsigned i = 0; i < out->count; i++) {
        if (!codec_known(message->members[i]))
            return false;
        out->members[i] = (struct sync_member){message->members[i]->node, message->members[i]->incarnation};
    }
    return true;
}

void codec_phases_to_message(const struct cluster_phases *phases, Mha__Phases *out)
{
    mha__phases__init(out);
    out->detected_us = phases->detected_us;
    out->elected_us = phases->elected_us;
    out->frozen_us = phases->frozen_us;
    out->drained_us = phases->drained_us;
    out->promoted_us = phases->promoted_us;
    out->announced_us = phases->announced_us;
}

struct cluster_phases codec_phases_from_message(const Mha__Phases *phases)
{
    return (struct cluster_phases){
        .detected_us = phases->detected_us,
        .elected_us = phases->elected_us,
        .frozen_us = phases->frozen_us,
        .drained_us = phases->drained_us,
        .promoted_us = phases->promoted_us,
        .announced_us = phases->announced_us,
    };
}

bool codec_copy_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);

    if (length >= size)
        return false;
    memcpy(out, text, length + 1);
    return true;
}
