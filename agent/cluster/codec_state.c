/* codec_state.c - the state to and from the message of cluster.proto, as snapshots and status have it. */
#include <stdlib.h>

#include "agent/cluster/codec_parts.h"

/* Of ClusterState. Whoever changes what a field means, or adds one that must not be overlooked, counts up. */
#define STATE_FORMAT 1

Mha__ClusterState *cluster_state_to_message(const struct cluster_state *state)
{
    Mha__ClusterState message = MHA__CLUSTER_STATE__INIT;
    Mha__Primary primary = MHA__PRIMARY__INIT;
    Mha__Switchover switchover = MHA__SWITCHOVER__INIT;
    Mha__Pause pause = MHA__PAUSE__INIT;
    Mha__Force force = MHA__FORCE__INIT;
    Mha__Init init = MHA__INIT__INIT;
    Mha__Aside asides[CLUSTER_ASIDES_MAX];
    Mha__Aside *aside_pointers[CLUSTER_ASIDES_MAX];
    Mha__Change changes[CLUSTER_HISTORY_MAX];
    Mha__Change *change_pointers[CLUSTER_HISTORY_MAX];
    Mha__Phases phases[CLUSTER_HISTORY_MAX];
    struct sync_message sync_storage;

    message.format = STATE_FORMAT;
    message.sync = codec_sync_to_message(&state->sync, &sync_storage);
    message.primary = &primary;
    primary.node = state->primary.node;
    primary.epoch = state->primary.epoch;
    primary.opened = state->primary.opened;
    primary.epoch_position = (char *)state->primary.epoch_position;
    primary.incarnation = state->primary.incarnation;
    message.switchover = &switchover;
    switchover.id = state->switchover.id;
    switchover.from = state->switchover.from;
    switchover.to = state->switchover.to;
    switchover.epoch = state->switchover.epoch;
    switchover.timeout_us = state->switchover.timeout_us;
    message.pause = &pause;
    pause.id = state->pause.id;
    pause.holder = state->pause.holder;
    pause.epoch = state->pause.epoch;
    pause.length_us = state->pause.length_us;
    message.force = &force;
    force.id = state->force.id;
    force.node = state->force.node;
    force.old_primary_is_off = state->force.old_primary_is_off;
    message.init = &init;
    init.id = state->init.id;
    init.node = state->init.node;
    init.discard_others = state->init.discard_others;
    message.n_asides = state->aside_count;
    message.asides = aside_pointers;
    for (unsigned i = 0; i < state->aside_count; i++) {
        const struct cluster_aside *aside = &state->asides[i];
        mha__aside__init(&asides[i]);
        asides[i].id = aside->id;
        asides[i].node = aside->node;
        asides[i].kind = aside->kind;
        asides[i].donor = aside->donor;
        asides[i].by_operator = aside->by_operator;
        asides[i].cancelled = aside->cancelled;
        asides[i].rate_mb = aside->rate_mb;
        aside_pointers[i] = &asides[i];
    }
    message.n_history = state->history_count;
    message.history = change_pointers;
    for (unsigned i = 0; i < state->history_count; i++) {
        const struct cluster_change *change = &state->history[i];
        mha__change__init(&changes[i]);
        changes[i].id = change->id;
        changes[i].kind = change->kind;
        changes[i].from = change->from;
        changes[i].to = change->to;
        changes[i].epoch = change->epoch;
        changes[i].reason = (char *)change->reason;
        changes[i].complete = change->complete;
        codec_phases_to_message(&change->phases, &phases[i]);
        changes[i].phases = &phases[i];
        change_pointers[i] = &changes[i];
    }
    message.next_id = state->next_id;
    message.last_request_id = state->last_request_id;
    message.last_request_outcome = (char *)state->last_request_outcome;

    /* Packing and unpacking once gives the caller a message that owns all its parts. */
    size_t size = mha__cluster_state__get_packed_size(&message);
    uint8_t *bytes = malloc(size ? size : 1);
    if (!bytes)
        return NULL;
    mha__cluster_state__pack(&message, bytes);
    Mha__ClusterState *owned = mha__cluster_state__unpack(NULL, size, bytes);
    free(bytes);
    return owned;
}

static bool change_from_message(const Mha__Change *from, struct cluster_change *out)
{
    if (!codec_known(from) || !codec_known(from->phases) || !codec_change_known(from->kind) ||
        !codec_copy_text(out->reason, sizeof out->reason, from->reason))
        return false;
    out->id = from->id;
    out->kind = from->kind;
    out->from = from->from;
    out->to = from->to;
    out->epoch = from->epoch;
    out->complete = from->complete;
    if (from->phases)
        out->phases = codec_phases_from_message(from->phases);
    return true;
}

/* What is under way. */
static bool requests_from_message(const Mha__ClusterState *message, struct cluster_state *out)
{
    const Mha__Switchover *switchover = message->switchover;
    const Mha__Pause *pause = message->pause;
    const Mha__Force *force = message->force;
    const Mha__Init *init = message->init;

    if (!codec_known(switchover) || !codec_known(pause) || !codec_known(force) || !codec_known(init) ||
        message->n_asides > CLUSTER_ASIDES_MAX)
        return false;
    if (init)
        out->init =
            (struct cluster_init){.id = init->id, .node = init->node, .discard_others = init->discard_others};
    for (size_t i = 0; i < message->n_asides; i++) {
        const Mha__Aside *aside = message->asides[i];
        if (!codec_known(aside) || !codec_aside_known(aside->kind))
            return false;
        out->asides[out->aside_count++] = (struct cluster_aside){.id = aside->id,
                                                                 .node = aside->node,
                                                                 .kind = aside->kind,
                                                                 .donor = aside->donor,
                                                                 .by_operator = aside->by_operator,
                                                                 .cancelled = aside->cancelled,
                                                                 .rate_mb = aside->rate_mb};
    }
    if (switchover)
        out->switchover = (struct cluster_switchover){.id = switchover->id,
                                                      .from = switchover->from,
                                                      .to = switchover->to,
                                                      .epoch = switchover->epoch,
                                                      .timeout_us = switchover->timeout_us};
    if (pause)
        out->pause = (struct cluster_pause){
            .id = pause->id, .holder = pause->holder, .epoch = pause->epoch, .length_us = pause->length_us};
    if (force)
        out->force = (struct cluster_force){
            .id = force->id, .node = force->node, .old_primary_is_off = force->old_primary_is_off};
    return true;
}

static bool primary_from_message(const Mha__Primary *primary, struct cluster_primary *out)
{
    if (!primary)
        return true;
    out->node = primary->node;
    out->epoch = primary->epoch;
    out->opened = primary->opened;
    out->incarnation = primary->incarnation;
    return codec_known(primary) &&
           codec_copy_text(out->epoch_position, sizeof out->epoch_position, primary->epoch_position);
}

bool cluster_state_from_message(const Mha__ClusterState *message, struct cluster_state *state)
{
    struct cluster_state out;

    cluster_state_init(&out);
    if (message->format != STATE_FORMAT || !codec_known(message) ||
        message->n_history > CLUSTER_HISTORY_MAX || message->next_id == 0 ||
        !codec_copy_text(out.last_request_outcome, sizeof out.last_request_outcome,
                         message->last_request_outcome))
        return false;
    if ((message->sync && !codec_sync_from_message(message->sync, &out.sync)) ||
        !primary_from_message(message->primary, &out.primary) || !requests_from_message(message, &out))
        return false;
    for (size_t i = 0; i < message->n_history; i++)
        if (!change_from_message(message->history[i], &out.history[i]))
            return false;
    out.history_count = (unsigned)message->n_history;
    out.next_id = message->next_id;
    out.last_request_id = message->last_request_id;
    *state = out;
    return true;
}
