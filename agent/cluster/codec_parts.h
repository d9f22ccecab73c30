/* codec_parts.h - what commands and state have in common as messages of cluster.proto. */
#ifndef MHA_CLUSTER_CODEC_PARTS_H
#define MHA_CLUSTER_CODEC_PARTS_H

#include "agent/cluster/state.h"

/* Is all of it known to this program? A part (a message) that is not there stands for its default. */
bool codec_known(const void *part);
bool codec_change_known(Mha__ChangeKind kind);
bool codec_aside_known(Mha__AsideKind kind);
/* false: too long. */
bool codec_copy_text(char *out, size_t size, const char *text);

/* A sync set as a message, with its storage. */
struct sync_message {
    Mha__SyncSet set;
    Mha__SyncMember members[CLUSTER_SYNC_MAX];
    Mha__SyncMember *pointers[CLUSTER_SYNC_MAX];
};

Mha__SyncSet *codec_sync_to_message(const struct sync_set *sync, struct sync_message *out);
/* false: not there, or not all of it is known. */
bool codec_sync_from_message(const Mha__SyncSet *message, struct sync_set *out);
void codec_phases_to_message(const struct cluster_phases *phases, Mha__Phases *out);
struct cluster_phases codec_phases_from_message(const Mha__Phases *phases);

#endif
