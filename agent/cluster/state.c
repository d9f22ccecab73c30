#include "agent/cluster/state.h"

#include <stdio.h>
#include <string.h>

void cluster_state_init(struct cluster_state *state)
{
    memset(state, 0, sizeof *state);
    state->next_id = 1;
}

const struct sync_member *cluster_sync_find(const struct sync_set *sync, uint64_t node)
{
    for (unsigned i = 0; i < sync->count; i++)
        if (sync->members[i].node == node)
            return &sync->members[i];
    return NULL;
}

const struct cluster_aside *cluster_aside_find(const struct cluster_state *state, uint64_t node)
{
    for (unsigned i = 0; i < state->aside_count; i++)
        if (state->asides[i].node == node)
            return &state->asides[i];
    return NULL;
}

/* What must hold for any rule: the primary is a member, nobody is named twice, and there are enough others to
 * acknowledge; k = 0 means that the primary stands alone, for nobody else is then sure to hold what it
 * acknowledged. */
static const char *sync_unsound(const struct sync_set *sync, uint64_t primary)
{
    if (sync->count == 0 || sync->count > CLUSTER_SYNC_MAX)
        return "the sync set has no or too many members";
    if (!cluster_sync_find(sync, primary))
        return "the primary is not in the sync set";
    for (unsigned i = 0; i < sync->count; i++)
        if (cluster_sync_find(sync, sync->members[i].node) != &sync->members[i])
            return "the sync set names a member twice";
    if (sync->acks > sync->count - 1)
        return "more acknowledgements than there are other members";
    if (sync->acks == 0 && sync->count != 1)
        return "without acknowledgements only the primary can be a member";
    return NULL;
}

/* "one member or one step of k at a time". From k = 1 to k = 0 is one step whatever the members were, and
 * back again with one member is one, too: k = 0 leaves no choice of members. Who stays, stays as it was:
 * another start of its database is another member. */
static bool sync_one_step(const struct sync_set *old, const struct sync_set *new)
{
    unsigned added = 0, removed = 0;
    int step = (int)new->acks - (int)old->acks;

    for (unsigned i = 0; i < new->count; i++) {
        const struct sync_member *before = cluster_sync_find(old, new->members[i].node);
        if (before && before->incarnation != new->members[i].incarnation)
            return false;
        added += before == NULL;
    }
    for (unsigned i = 0; i < old->count; i++)
        removed += !cluster_sync_find(new, old->members[i].node);
    if (new->acks == 0 && old->acks > 0)
        return step == -1 && added == 0;
    if (old->acks == 0 && new->acks > 0)
        return step == 1 && added == 1 && removed == 0;
    if (added + removed == 0)
        return step >= -1 && step <= 1;
    return added + removed == 1 && step == 0;
}

static struct cluster_change *add_change(struct cluster_state *state)
{
    if (state->history_count == CLUSTER_HISTORY_MAX) {
        memmove(&state->history[0], &state->history[1], (CLUSTER_HISTORY_MAX - 1) * sizeof state->history[0]);
        state->history_count--;
    }
    struct cluster_change *change = &state->history[state->history_count++];
    memset(change, 0, sizeof *change);
    change->id = state->next_id++;
    return change;
}

static void end_request(struct cluster_state *state, uint64_t id, const char *outcome)
{
    state->last_request_id = id;
    snprintf(state->last_request_outcome, sizeof state->last_request_outcome, "%s", outcome);
}

static const struct cluster_aside *find_aside_id(const struct cluster_state *state, uint64_t id)
{
    for (unsigned i = 0; i < state->aside_count; i++)
        if (state->asides[i].id == id)
            return &state->asides[i];
    return NULL;
}

static void end_aside(struct cluster_state *state, uint64_t id, const char *outcome)
{
    unsigned i = (unsigned)(find_aside_id(state, id) - state->asides);

    if (state->asides[i].by_operator)
        end_request(state, id, outcome);
    memmove(&state->asides[i], &state->asides[i + 1], (--state->aside_count - i) * sizeof state->asides[0]);
    memset(&state->asides[state->aside_count], 0, sizeof state->asides[0]);
}

/* "Nothing is cut, rewound, cloned or rebuilt on a member of M": who is set aside does not come in. */
static const char *takes_in_one_aside(const struct cluster_state *state, const struct sync_set *new)
{
    for (unsigned i = 0; i < new->count; i++)
        if (!cluster_sync_find(&state->sync, new->members[i].node) &&
            cluster_aside_find(state, new->members[i].node))
            return "it takes in a node that is rebuilt or drained";
    return NULL;
}

static const char *apply_promote(struct cluster_state *state, const struct cluster_command *command)
{
    const char *unsound = sync_unsound(&command->sync, command->node);
    const struct cluster_aside *aside = cluster_aside_find(state, command->node);

    if (!unsound)
        unsound = takes_in_one_aside(state, &command->sync);

    if (unsound)
        return unsound;
    if (command->replaces_epoch != state->primary.epoch)
        return "another promotion came first";
    if (command->epoch <= state->primary.epoch)
        return "its epoch is not newer";
    if (command->sync.version != state->sync.version + 1)
        return "the sync set changed meanwhile";

    struct cluster_change *change = add_change(state);
    change->kind = command->change;
    change->from = state->primary.node;
    change->to = command->node;
    change->epoch = command->epoch;
    memcpy(change->reason, command->text, sizeof change->reason);

    if (state->switchover.id) {
        if (state->switchover.to == command->node) { /* done once it is open */
            state->switchover.epoch = command->epoch;
        } else {
            end_request(state, state->switchover.id, "failed: another node had to be promoted meanwhile");
            memset(&state->switchover, 0, sizeof state->switchover);
        }
    }
    if (state->force.id) {
        end_request(state, state->force.id,
                    state->force.node == command->node ? "done"
                                                       : "failed: another node was promoted meanwhile");
        memset(&state->force, 0, sizeof state->force);
    }
    if (state->pause.id) {
        if (state->pause.holder == command->node)
            state->pause.epoch = command->epoch;
        else
            memset(&state->pause, 0, sizeof state->pause);
    }
    if (aside)
        end_aside(state, aside->id, "failed: it was promoted meanwhile");
    if (state->init.id && state->primary.node == 0 &&
        (state->init.node != command->node || !state->init.discard_others)) {
        end_request(state, state->init.id,
                    state->init.node == command->node ? "done" : "failed: another node is the first primary");
        memset(&state->init, 0, sizeof state->init);
    }
    memset(&state->primary, 0, sizeof state->primary);
    state->primary.node = command->node;
    state->primary.epoch = command->epoch;
    state->sync = command->sync;
    return NULL;
}

static const char *apply_opened(struct cluster_state *state, const struct cluster_command *command)
{
    if (command->epoch != state->primary.epoch)
        return "it is of another epoch";
    if (state->primary.opened)
        return "the epoch is open already";
    state->primary.opened = true;
    state->primary.incarnation = command->incarnation;
    memcpy(state->primary.epoch_position, command->position, sizeof command->position);
    if (state->switchover.id && state->switchover.to == state->primary.node) {
        end_request(state, state->switchover.id, "done");
        memset(&state->switchover, 0, sizeof state->switchover);
    }
    for (unsigned i = 0; i < state->sync.count; i++)
        if (state->sync.members[i].node == state->primary.node)
            state->sync.members[i].incarnation = command->incarnation;
    return NULL;
}

static const char *apply_sync(struct cluster_state *state, const struct cluster_command *command)
{
    const char *unsound = sync_unsound(&command->sync, state->primary.node);

    if (!unsound)
        unsound = takes_in_one_aside(state, &command->sync);
    if (unsound)
        return unsound;
    if (command->epoch != state->primary.epoch)
        return "it is of another epoch";
    if (command->sync.version != state->sync.version + 1)
        return "the sync set changed meanwhile";
    if (!sync_one_step(&state->sync, &command->sync))
        return "it changes the rule by more than one step";
    state->sync = command->sync;
    return NULL;
}

static const char *apply_switchover(struct cluster_state *state, const struct cluster_command *command)
{
    if (command->epoch != state->primary.epoch)
        return "it is of another epoch";
    if (state->switchover.id)
        return "another switchover is under way";
    if (command->node == state->primary.node)
        return "the target is the primary already";
    if (command->node == 0)
        return "it names no target";
    state->switchover = (struct cluster_switchover){.id = state->next_id++,
                                                    .from = state->primary.node,
                                                    .to = command->node,
                                                    .epoch = command->epoch,
                                                    .timeout_us = command->timeout_us};
    return NULL;
}

static const char *apply_pause(struct cluster_state *state, const struct cluster_command *command)
{
    if (command->epoch != state->primary.epoch)
        return "it is of another epoch";
    state->pause = (struct cluster_pause){.id = state->next_id++,
                                          .holder = state->primary.node,
                                          .epoch = command->epoch,
                                          .length_us = command->length_us};
    return NULL;
}

static const char *apply_phases(struct cluster_state *state, const struct cluster_command *command)
{
    for (unsigned i = state->history_count; i-- > 0;)
        if (state->history[i].epoch == command->epoch) {
            state->history[i].phases = command->phases;
            state->history[i].complete = true;
            return NULL;
        }
    return "no change of that epoch is in the history";
}

static const char *apply_aside(struct cluster_state *state, const struct cluster_command *command)
{
    if (command->node == 0)
        return "it names no node";
    if (command->node == state->primary.node)
        return "it is the primary";
    if (cluster_aside_find(state, command->node))
        return "it is rebuilt or drained already";
    if (state->aside_count == CLUSTER_ASIDES_MAX)
        return "too many nodes are rebuilt or drained";
    state->asides[state->aside_count++] = (struct cluster_aside){.id = state->next_id++,
                                                                 .node = command->node,
                                                                 .kind = command->aside,
                                                                 .donor = command->donor,
                                                                 .by_operator = command->by_operator,
                                                                 .rate_mb = command->rate_mb};
    return NULL;
}

static const char *apply_aside_step(struct cluster_state *state, const struct cluster_command *command)
{
    const struct cluster_aside *aside = find_aside_id(state, command->id);

    if (!aside)
        return "nothing of that number is under way";
    if (command->kind == COMMAND_ASIDE_END)
        end_aside(state, command->id, command->text);
    else if (aside->cancelled)
        return "it is cancelled already";
    else
        state->asides[aside - state->asides].cancelled = true;
    return NULL;
}

static const char *apply_init(struct cluster_state *state, const struct cluster_command *command)
{
    if (command->kind == COMMAND_INIT_END) {
        if (!state->init.id || command->id != state->init.id)
            return "no such first start is under way";
        end_request(state, command->id, "done");
        memset(&state->init, 0, sizeof state->init);
        return NULL;
    }
    if (state->primary.node)
        return "the first start is over";
    if (command->node == 0)
        return "it names no node";
    if (state->init.id)
        end_request(state, state->init.id, "failed: asked for again");
    state->init = (struct cluster_init){
        .id = state->next_id++, .node = command->node, .discard_others = command->discard_others};
    return NULL;
}

const char *cluster_state_apply(struct cluster_state *state, const struct cluster_command *command)
{
    switch (command->kind) {
    case COMMAND_PROMOTE:
        return apply_promote(state, command);
    case COMMAND_OPENED:
        return apply_opened(state, command);
    case COMMAND_SYNC:
        return apply_sync(state, command);
    case COMMAND_SWITCHOVER:
        return apply_switchover(state, command);
    case COMMAND_SWITCHOVER_END:
        if (!state->switchover.id || command->id != state->switchover.id)
            return "no such switchover is under way";
        end_request(state, command->id, command->text);
        memset(&state->switchover, 0, sizeof state->switchover);
        return NULL;
    case COMMAND_PAUSE:
        return apply_pause(state, command);
    case COMMAND_RESUME:
        if (!state->pause.id || command->id != state->pause.id)
            return "no such pause is in force";
        memset(&state->pause, 0, sizeof state->pause);
        return NULL;
    case COMMAND_FORCE:
        if (command->epoch != state->primary.epoch)
            return "another promotion came first";
        /* The same may be said again with more: that the old primary is off. */
        if (state->force.id && (state->force.node != command->node || !command->old_primary_is_off ||
                                state->force.old_primary_is_off))
            return "another forced failover is under way";
        if (state->force.id)
            end_request(state, state->force.id, "failed: asked for again, with the old primary off");
        state->force = (struct cluster_force){
            .id = state->next_id++, .node = command->node, .old_primary_is_off = command->old_primary_is_off};
        return NULL;
    case COMMAND_FORCE_END:
        if (!state->force.id || command->id != state->force.id)
            return "no such forced failover is under way";
        end_request(state, command->id, command->text);
        memset(&state->force, 0, sizeof state->force);
        return NULL;
    case COMMAND_PHASES:
        return apply_phases(state, command);
    case COMMAND_ASIDE:
        return apply_aside(state, command);
    case COMMAND_ASIDE_CANCEL:
    case COMMAND_ASIDE_END:
        return apply_aside_step(state, command);
    case COMMAND_INIT:
    case COMMAND_INIT_END:
        return apply_init(state, command);
    }
    return "unknown command";
}
