/* codec_command.c - commands to and from the messages of cluster.proto, as the log has them. */
#include <string.h>

#include "agent/cluster/codec_parts.h"

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
        promote.sync = codec_sync_to_message(&command->sync, &sync_storage);
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
        sync.sync = codec_sync_to_message(&command->sync, &sync_storage);
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
        codec_phases_to_message(&command->phases, &phases_message);
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

static bool command_from_message(const Mha__Command *message, struct cluster_command *out)
{
    if (!codec_known(message) ||
        !codec_known(message->promote)) /* whichever body it has: all stand in that place */
        return false;
    switch (message->body_case) {
    case MHA__COMMAND__BODY_PROMOTE:
        out->kind = COMMAND_PROMOTE;
        out->node = message->promote->node;
        out->epoch = message->promote->epoch;
        out->replaces_epoch = message->promote->replaces_epoch;
        out->change = message->promote->kind;
        return codec_change_known(out->change) &&
               codec_sync_from_message(message->promote->sync, &out->sync) &&
               codec_copy_text(out->text, sizeof out->text, message->promote->reason);
    case MHA__COMMAND__BODY_OPENED:
        out->kind = COMMAND_OPENED;
        out->epoch = message->opened->epoch;
        out->incarnation = message->opened->incarnation;
        return codec_copy_text(out->position, sizeof out->position, message->opened->position);
    case MHA__COMMAND__BODY_SYNC:
        out->kind = COMMAND_SYNC;
        out->epoch = message->sync->epoch;
        return codec_sync_from_message(message->sync->sync, &out->sync) &&
               codec_copy_text(out->text, sizeof out->text, message->sync->reason);
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
        return codec_copy_text(out->text, sizeof out->text, message->switchover_end->outcome);
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
        return codec_copy_text(out->text, sizeof out->text, message->force_end->outcome);
    case MHA__COMMAND__BODY_PHASES:
        if (!message->phases->phases || !codec_known(message->phases->phases))
            return false;
        out->kind = COMMAND_PHASES;
        out->epoch = message->phases->epoch;
        out->phases = codec_phases_from_message(message->phases->phases);
        return true;
    case MHA__COMMAND__BODY_ASIDE:
        out->kind = COMMAND_ASIDE;
        out->node = message->aside->node;
        out->aside = message->aside->kind;
        out->donor = message->aside->donor;
        out->by_operator = message->aside->by_operator;
        out->rate_mb = message->aside->rate_mb;
        return codec_aside_known(out->aside);
    case MHA__COMMAND__BODY_ASIDE_CANCEL:
        out->kind = COMMAND_ASIDE_CANCEL;
        out->id = message->aside_cancel->id;
        return true;
    case MHA__COMMAND__BODY_ASIDE_END:
        out->kind = COMMAND_ASIDE_END;
        out->id = message->aside_end->id;
        return codec_copy_text(out->text, sizeof out->text, message->aside_end->outcome);
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
