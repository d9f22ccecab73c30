/* codec.c - commands and state to and from the messages of cluster.proto. */
#include <stdlib.h>
#include <string.h>

#include "agent/cluster/state.h"

/* Of ClusterState. Whoever changes what a field means, or adds one that must not be overlooked, counts up. */
#define STATE_FORMAT 1

/* Is all of it known to this program? A part that is not there stands for its default. */
static bool known(const void *part)
{
    return !part || ((const ProtobufCMessage *)part)->n_unknown_fields == 0;
}

static bool change_known(Mha__ChangeKind kind)
{
    return kind >= MHA__CHANGE_KIND__CHANGE_FIRST_START && kind <= MHA__CHANGE_KIND__CHANGE_FORCED;
}

static bool aside_known(Mha__AsideKind kind)
{
    return kind == MHA__ASIDE_KIND__ASIDE_REBUILD || kind == MHA__ASIDE_KIND__ASIDE_DRAIN;
}

/* A sync set as a message, with its storage. */
struct sync_message {
    Mha__SyncSet set;
    Mha__SyncMember members[CLUSTER_SYNC_MAX];
    Mha__SyncMember *pointers[CLUSTER_SYNC_MAX];
};

static Mha__SyncSet *sync_to_message(const struct sync_set *sync, struct sync_message *out)
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

static bool sync_from_message(const Mha__SyncSet *message, struct sync_set *out)
{
    memset(out, 0, sizeof *out);
    if (!message || !known(message) || message->n_members > CLUSTER_SYNC_MAX)
        return false;
    out->version = message->version;
    out->acks = message->acks;
    out->count = (unsigned)message->n_members;
    for (unsigned i = 0; i < out->count; i++) {
        if (!known(message->members[i]))
            return false;
        out->members[i] = (struct sync_member){message->members[i]->node, message->members[i]->incarnation};
    }
    return true;
}

static void phases_to_message(const struct cluster_phases *phases, Mha__Phases *out)
{
    mha__phases__init(out);
    out->detected_us = phases->detected_us;
    out->elected_us = phases->elected_us;
    out->frozen_us = phases->frozen_us;
    out->drained_us = phases->drained_us;
    out->promoted_us = phases->promoted_us;
    out->announced_us = phases->announced_us;
}

size_t cluster_command_pack(const struct cluster_command *command, uint8_t *out, size_t size)
{
    Mha__Command message = MHA__COMMAND__INIT;
    Mha__PromoteCommand promote = MHA__PROMOTE_COMMAND__INIT;
    Mha__OpenedCommand opened = MHA__OPENED_COMMAND__INIT;
    Mha__SyncCommand sync = MHA__SYNC_COMMAND__INIT;
    Mha__SwitchoverCommand switchover = MHA__SWITCHOVER_COMMAND__INIT;
    Mha__SwitchoverEndCommand switchover_end = MHA__SWITCHOVER_END_COMMAND__INIT;
    Mha__PauseCommand pause = MHA__PAUSE_COMMAND__INIT;
    Mha__ResumeCommand resume = MHA__RESUME_COMMAND__INIT;
    Mha__ForceCommand force = MHA__FORCE_COMMAND__INIT;
    Mha__ForceEndCommand force_end = MHA__FORCE_END_COMMAND__INIT;
    Mha__PhasesCommand phases = MHA__PHASES_COMMAND__INIT;
    Mha__AsideCommand aside = MHA__ASIDE_COMMAND__INIT;
    Mha__AsideCancelCommand aside_cancel = MHA__ASIDE_CANCEL_COMMAND__INIT;
    Mha__AsideEndCommand aside_end = MHA__ASIDE_END_COMMAND__INIT;
    Mha__InitCommand init = MHA__INIT_COMMAND__INIT;
    Mha__InitEndCommand init_end = MHA__INIT_END_COMMAND__INIT;
    Mha__Phases phases_message;
    struct sync_message sync_storage;
    char *text = (char *)command->text;

    switch (command->kind) {
    case COMMAND_PROMOTE:
        promote.node = command->node;
        promote.epoch = command->epoch;
        promote.replaces_epoch = command->replaces_epoch;
        promote.kind = command->change;
        promote.reason = text;
        promote.sync = sync_to_message(&command->sync, &sync_storage);
        message.body_case = MHA__COMMAND__BODY_PROMOTE;
        message.promote = &promote;
        break;
    case COMMAND_OPENED:
        opened.epoch = command->epoch;
        opened.incarnation = command->incarnation;
        opened.position = (char *)command->position;
        message.body_case = MHA__COMMAND__BODY_OPENED;
        message.opened = &opened;
        break;
    case COMMAND_SYNC:
        sync.epoch = command->epoch;
        sync.reason = text;
        sync.sync = sync_to_message(&command->sync, &sync_storage);
        message.body_case = MHA__COMMAND__BODY_SYNC;
        message.sync = &sync;
        break;
    case COMMAND_SWITCHOVER:
        switchover.to = command->node;
        switchover.epoch = command->epoch;
        switchover.timeout_us = command->timeout_us;
        switchover.request = command->id;
        message.body_case = MHA__COMMAND__BODY_SWITCHOVER;
        message.switchover = &switchover;
        break;
    case COMMAND_SWITCHOVER_END:
        switchover_end.id = command->id;
        switchover_end.outcome = text;
        message.body_case = MHA__COMMAND__BODY_SWITCHOVER_END;
        message.switchover_end = &switchover_end;
        break;
    case COMMAND_PAUSE:
        pause.epoch = command->epoch;
        pause.length_us = command->length_us;
        message.body_case = MHA__COMMAND__BODY_PAUSE;
        message.pause = &pause;
        break;
    case COMMAND_RESUME:
        resume.id = command->id;
        message.body_case = MHA__COMMAND__BODY_RESUME;
        message.resume = &resume;
        break;
    case COMMAND_FORCE:
        force.node = command->node;
        force.old_primary_is_off = command->old_primary_is_off;
        force.epoch = command->epoch;
        message.body_case = MHA__COMMAND__BODY_FORCE;
        message.force = &force;
        break;
    case COMMAND_FORCE_END:
        force_end.id = command->id;
        force_end.outcome = text;
        message.body_case = MHA__COMMAND__BODY_FORCE_END;
        message.force_end = &force_end;
        break;
    case COMMAND_PHASES:
        phases.epoch = command->epoch;
        phases_to_message(&command->phases, &phases_message);
        phases.phases = &phases_message;
        message.body_case = MHA__COMMAND__BODY_PHASES;
        message.phases = &phases;
        break;
    case COMMAND_ASIDE:
        aside.node = command->node;
        aside.kind = command->aside;
        aside.donor = command->donor;
        aside.by_operator = command->by_operator;
        aside.rate_mb = command->rate_mb;
        message.body_case = MHA__COMMAND__BODY_ASIDE;
        message.aside = &aside;
        break;
    case COMMAND_ASIDE_CANCEL:
        aside_cancel.id = command->id;
        message.body_case = MHA__COMMAND__BODY_ASIDE_CANCEL;
        message.aside_cancel = &aside_cancel;
        break;
    case COMMAND_ASIDE_END:
        aside_end.id = command->id;
        aside_end.outcome = text;
        message.body_case = MHA__COMMAND__BODY_ASIDE_END;
        message.aside_end = &aside_end;
        break;
    case COMMAND_INIT:
        init.node = command->node;
        init.discard_others = command->discard_others;
        message.body_case = MHA__COMMAND__BODY_INIT;
        message.init = &init;
        break;
    case COMMAND_INIT_END:
        init_end.id = command->id;
        message.body_case = MHA__COMMAND__BODY_INIT_END;
        message.init_end = &init_end;
        break;
    }
    if (mha__command__get_packed_size(&message) > size)
        return 0;
    return mha__command__pack(&message, out);
}

static struct cluster_phases phases_from_message(const Mha__Phases *phases)
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

static bool copy_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);

    if (length >= size)
        return false;
    memcpy(out, text, length + 1);
    return true;
}

static bool command_from_message(const Mha__Command *message, struct cluster_command *out)
{
    if (!known(message) || !known(message->promote)) /* whichever body it has: all stand in that place */
        return false;
    switch (message->body_case) {
    case MHA__COMMAND__BODY_PROMOTE:
        out->kind = COMMAND_PROMOTE;
        out->node = message->promote->node;
        out->epoch = message->promote->epoch;
        out->replaces_epoch = message->promote->replaces_epoch;
        out->change = message->promote->kind;
        return change_known(out->change) && sync_from_message(message->promote->sync, &out->sync) &&
               copy_text(out->text, sizeof out->text, message->promote->reason);
    case MHA__COMMAND__BODY_OPENED:
        out->kind = COMMAND_OPENED;
        out->epoch = message->opened->epoch;
        out->incarnation = message->opened->incarnation;
        return copy_text(out->position, sizeof out->position, message->opened->position);
    case MHA__COMMAND__BODY_SYNC:
        out->kind = COMMAND_SYNC;
        out->epoch = message->sync->epoch;
        return sync_from_message(message->sync->sync, &out->sync) &&
               copy_text(out->text, sizeof out->text, message->sync->reason);
    case MHA__COMMAND__BODY_SWITCHOVER:
        out->kind = COMMAND_SWITCHOVER;
        out->node = message->switchover->to;
        out->epoch = message->switchover->epoch;
        out->timeout_us = message->switchover->timeout_us;
        out->id = message->switchover->request;
        return true;
    case MHA__COMMAND__BODY_SWITCHOVER_END:
        out->kind = COMMAND_SWITCHOVER_END;
        out->id = message->switchover_end->id;
        return copy_text(out->text, sizeof out->text, message->switchover_end->outcome);
    case MHA__COMMAND__BODY_PAUSE:
        out->kind = COMMAND_PAUSE;
        out->epoch = message->pause->epoch;
        out->length_us = message->pause->length_us;
        return true;
    case MHA__COMMAND__BODY_RESUME:
        out->kind = COMMAND_RESUME;
        out->id = message->resume->id;
        return true;
    case MHA__COMMAND__BODY_FORCE:
        out->kind = COMMAND_FORCE;
        out->node = message->force->node;
        out->old_primary_is_off = message->force->old_primary_is_off;
        out->epoch = message->force->epoch;
        return true;
    case MHA__COMMAND__BODY_FORCE_END:
        out->kind = COMMAND_FORCE_END;
        out->id = message->force_end->id;
        return copy_text(out->text, sizeof out->text, message->force_end->outcome);
    case MHA__COMMAND__BODY_PHASES:
        if (!message->phases->phases || !known(message->phases->phases))
            return false;
        out->kind = COMMAND_PHASES;
        out->epoch = message->phases->epoch;
        out->phases = phases_from_message(message->phases->phases);
        return true;
    case MHA__COMMAND__BODY_ASIDE:
        out->kind = COMMAND_ASIDE;
        out->node = message->aside->node;
        out->aside = message->aside->kind;
        out->donor = message->aside->donor;
        out->by_operator = message->aside->by_operator;
        out->rate_mb = message->aside->rate_mb;
        return aside_known(out->aside);
    case MHA__COMMAND__BODY_ASIDE_CANCEL:
        out->kind = COMMAND_ASIDE_CANCEL;
        out->id = message->aside_cancel->id;
        return true;
    case MHA__COMMAND__BODY_ASIDE_END:
        out->kind = COMMAND_ASIDE_END;
        out->id = message->aside_end->id;
        return copy_text(out->text, sizeof out->text, message->aside_end->outcome);
    case MHA__COMMAND__BODY_INIT:
        out->kind = COMMAND_INIT;
        out->node = message->init->node;
        out->discard_others = message->init->discard_others;
        return true;
    case MHA__COMMAND__BODY_INIT_END:
        out->kind = COMMAND_INIT_END;
        out->id = message->init_end->id;
        return true;
    default:
        return false;
    }
}

bool cluster_command_unpack(const uint8_t *data, size_t size, struct cluster_command *out)
{
    Mha__Command *message = mha__command__unpack(NULL, size, data);
    bool known;

    memset(out, 0, sizeof *out);
    if (!message)
        return false;
    known = command_from_message(message, out);
    mha__command__free_unpacked(message, NULL);
    return known;
}

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
    message.sync = sync_to_message(&state->sync, &sync_storage);
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
        phases_to_message(&change->phases, &phases[i]);
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

/* ---- a state from its message ---- */

static bool change_from_message(const Mha__Change *from, struct cluster_change *out)
{
    if (!known(from) || !known(from->phases) || !change_known(from->kind) ||
        !copy_text(out->reason, sizeof out->reason, from->reason))
        return false;
    out->id = from->id;
    out->kind = from->kind;
    out->from = from->from;
    out->to = from->to;
    out->epoch = from->epoch;
    out->complete = from->complete;
    if (from->phases)
        out->phases = phases_from_message(from->phases);
    return true;
}

/* What is under way. */
static bool requests_from_message(const Mha__ClusterState *message, struct cluster_state *out)
{
    const Mha__Switchover *switchover = message->switchover;
    const Mha__Pause *pause = message->pause;
    const Mha__Force *force = message->force;
    const Mha__Init *init = message->init;

    if (!known(switchover) || !known(pause) || !known(force) || !known(init) ||
        message->n_asides > CLUSTER_ASIDES_MAX)
        return false;
    if (init)
        out->init =
            (struct cluster_init){.id = init->id, .node = init->node, .discard_others = init->discard_others};
    for (size_t i = 0; i < message->n_asides; i++) {
        const Mha__Aside *aside = message->asides[i];
        if (!known(aside) || !aside_known(aside->kind))
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
    return known(primary) &&
           copy_text(out->epoch_position, sizeof out->epoch_position, primary->epoch_position);
}

bool cluster_state_from_message(const Mha__ClusterState *message, struct cluster_state *state)
{
    struct cluster_state out;

    cluster_state_init(&out);
    if (message->format != STATE_FORMAT || !known(message) || message->n_history > CLUSTER_HISTORY_MAX ||
        message->next_id == 0 ||
        !copy_text(out.last_request_outcome, sizeof out.last_request_outcome, message->last_request_outcome))
        return false;
    if ((message->sync && !sync_from_message(message->sync, &out.sync)) ||
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
