/* apply.c - committed commands change the state, and every node's log tells why; snapshots of it. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "common/base/clock.h"

static const char *name_of(const struct agent *agent, uint64_t id)
{
    unsigned count = replica_member_count(agent->replica);

    for (unsigned i = 0; i < count; i++) {
        struct replica_member member;
        replica_member(agent->replica, i, &member);
        if (member.id == id && id)
            return member.name;
    }
    return id ? "unknown" : "nobody";
}

static void log_sync(const struct agent *agent, const char *reason)
{
    const struct sync_set *sync = &agent->state.sync;
    char members[256] = "";
    size_t used = 0;

    for (unsigned i = 0; i < sync->count && used < sizeof members; i++)
        used += (size_t)snprintf(members + used, sizeof members - used, "%s%s", i ? ", " : "",
                                 name_of(agent, sync->members[i].node));
    log_notice("sync set: {%s}, acknowledgements %u%s%s", members, sync->acks, reason[0] ? ": " : "", reason);
}

static void log_command(const struct agent *agent, const struct cluster_command *command)
{
    const struct cluster_state *state = &agent->state;
    static const char *const kinds[] = {"first start", "failover", "switchover", "restart",
                                        "forced failover"};
    const struct cluster_phases *phases = &command->phases;

    switch (command->kind) {
    case COMMAND_PROMOTE:
        log_notice("%s %llu: %s -> %s, epoch %llu: %s", kinds[command->change % 5],
                   (unsigned long long)state->history[state->history_count - 1].id,
                   name_of(agent, state->history[state->history_count - 1].from),
                   name_of(agent, command->node), (unsigned long long)command->epoch, command->text);
        log_sync(agent, "");
        break;
    case COMMAND_OPENED:
        log_notice("epoch %llu is open on %s from %s", (unsigned long long)command->epoch,
                   name_of(agent, state->primary.node), command->position);
        break;
    case COMMAND_SYNC:
        log_sync(agent, command->text);
        break;
    case COMMAND_PHASES:
        log_notice("phases of epoch %llu in ms: detected %.1f, elected %.1f, frozen %.1f, drained %.1f, "
                   "promoted %.1f, "
                   "announced %.1f",
                   (unsigned long long)command->epoch, (double)phases->detected_us / 1000,
                   (double)phases->elected_us / 1000, (double)phases->frozen_us / 1000,
                   (double)phases->drained_us / 1000, (double)phases->promoted_us / 1000,
                   (double)phases->announced_us / 1000);
        break;
    case COMMAND_SWITCHOVER:
        log_notice("switchover %llu to %s asked for", (unsigned long long)state->switchover.id,
                   name_of(agent, command->node));
        break;
    case COMMAND_SWITCHOVER_END:
    case COMMAND_FORCE_END:
        log_notice("request %llu: %s", (unsigned long long)command->id, command->text);
        break;
    case COMMAND_PAUSE:
        log_notice("paused for %llu ms", (unsigned long long)(command->length_us / 1000));
        break;
    case COMMAND_RESUME:
        log_notice("the pause is over");
        break;
    case COMMAND_FORCE:
        log_warning("failover to %s forced by an operator, who accepts the loss of data",
                    name_of(agent, command->node));
        break;
    case COMMAND_ASIDE:
        log_notice("%s is %s%s", name_of(agent, command->node),
                   command->aside == MHA__ASIDE_KIND__ASIDE_DRAIN ? "drained" : "to be made anew",
                   command->by_operator ? ": an operator asked for it" : "");
        break;
    case COMMAND_ASIDE_CANCEL:
        log_notice("request %llu is cancelled", (unsigned long long)command->id);
        break;
    case COMMAND_ASIDE_END:
        log_notice("request %llu: %s", (unsigned long long)command->id, command->text);
        break;
    case COMMAND_INIT:
        log_notice("an operator chose %s as the first primary%s", name_of(agent, command->node),
                   command->discard_others ? "; what the others have that it lacks is set aside" : "");
        break;
    case COMMAND_INIT_END:
        log_notice("the first start is complete: all others follow");
        break;
    }
}

enum error_code agent_apply(struct agent *agent, uint64_t index, const void *data, size_t size,
                            struct error *err)
{
    struct cluster_command command;
    const char *void_because;

    if (!cluster_command_unpack(data, size, &command))
        return error_set(
            err, ERR_INVALID,
            "entry %llu holds a command that this version does not know: install the version that "
            "the other nodes run",
            (unsigned long long)index);
    agent->applied_index = index;
    void_because = cluster_state_apply(&agent->state, &command);
    policy_trace_applied(&agent->tracer, clock_now_us(), index, data, size, void_because, &agent->state);
    if (void_because)
        log_info("entry %llu is void: %s", (unsigned long long)index, void_because);
    else
        log_command(agent, &command);
    return ERR_OK;
}

bool agent_pack_state(struct agent *agent, uint8_t **out, size_t *size)
{
    Mha__ClusterState *message = cluster_state_to_message(&agent->state);

    if (!message)
        return false;
    *size = mha__cluster_state__get_packed_size(message);
    *out = malloc(*size ? *size : 1);
    if (*out)
        mha__cluster_state__pack(message, *out);
    mha__cluster_state__free_unpacked(message, NULL);
    return *out != NULL;
}

enum error_code agent_restore_state(struct agent *agent, uint64_t index, const void *data, size_t size,
                                    struct error *err)
{
    Mha__ClusterState *message = mha__cluster_state__unpack(NULL, size, data);
    bool known = message && cluster_state_from_message(message, &agent->state);

    if (message)
        mha__cluster_state__free_unpacked(message, NULL);
    if (!known)
        return error_set(
            err, ERR_INVALID,
            "the snapshot up to entry %llu holds a state that this version does not know: install "
            "the version that the other nodes run",
            (unsigned long long)index);
    agent->applied_index = index;
    policy_trace_restored(&agent->tracer, clock_now_us(), index, data, size, &agent->state);
    log_info("the state is that of a snapshot up to entry %llu: %s is the primary, epoch %llu",
             (unsigned long long)index, name_of(agent, agent->state.primary.node),
             (unsigned long long)agent->state.primary.epoch);
    return ERR_OK;
}
