/* Commands of the log (agent/cluster/state.h), applied one after another. fuzz: runs=40000 max_len=4096
 *
 * Steps are packed Commands; a control byte of 128 or more makes the command fit the state (epoch, version,
 * id), so that runs get past the guards. A command that is accepted survives packing; one that is void
 * changes nothing; the state keeps the rules of the design, section 5; its message packs and unpacks. */
#include <string.h>

#include "agent/cluster/state.h"
#include "tests/fuzz/fuzz.h"

static const char *const words[] = {"0-1-5", "0-2-77", "alpha was the primary", "done", "failed", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fuzz_mutate_steps(&mha__command__descriptor, words, data, size, max_size, seed);
}

/* What its proposer would have seen. */
static void fit(struct cluster_command *command, const struct cluster_state *state, uint8_t how)
{
    command->epoch = state->primary.epoch;
    command->sync.version = state->sync.version + 1;
    if (command->kind == COMMAND_PROMOTE) {
        command->replaces_epoch = state->primary.epoch;
        command->epoch = state->primary.epoch + 1;
    }
    if (command->kind == COMMAND_SWITCHOVER_END)
        command->id = state->switchover.id;
    if (command->kind == COMMAND_RESUME)
        command->id = state->pause.id;
    if (command->kind == COMMAND_FORCE_END)
        command->id = state->force.id;
    if (command->kind == COMMAND_ASIDE_CANCEL || command->kind == COMMAND_ASIDE_END)
        command->id = state->asides[how % CLUSTER_ASIDES_MAX].id;
    if (command->kind == COMMAND_INIT_END)
        command->id = state->init.id;
    if ((how & 1) && command->sync.count > 0) { /* a sync set around the primary */
        uint64_t primary = command->kind == COMMAND_PROMOTE ? command->node : state->primary.node;
        command->sync.members[0].node = primary;
        for (unsigned i = 1; i < command->sync.count; i++)
            command->sync.members[i].node = primary + i;
        command->sync.acks = command->sync.count == 1 ? 0 : 1 + (how >> 1) % (command->sync.count - 1);
    }
}

static void check_state(const struct cluster_state *state)
{
    if (state->primary.node == 0)
        return;
    FUZZ_CHECK(state->sync.count > 0 && state->sync.count <= CLUSTER_SYNC_MAX, "the sync set is bounded");
    FUZZ_CHECK(cluster_sync_find(&state->sync, state->primary.node), "the primary is in the sync set");
    FUZZ_CHECK(state->sync.acks < state->sync.count, "there are enough others to acknowledge");
    FUZZ_CHECK(state->sync.acks > 0 || state->sync.count == 1, "k = 0 means that the primary stands alone");
    FUZZ_CHECK(state->history_count <= CLUSTER_HISTORY_MAX, "the history is bounded");
    FUZZ_CHECK(state->aside_count <= CLUSTER_ASIDES_MAX, "the list of who is set aside is bounded");
    FUZZ_CHECK(!cluster_aside_find(state, state->primary.node), "the primary is not set aside");
    FUZZ_CHECK(memchr(state->primary.epoch_position, 0, sizeof state->primary.epoch_position),
               "the position ends");
    FUZZ_CHECK(memchr(state->last_request_outcome, 0, sizeof state->last_request_outcome),
               "the outcome ends");
    for (unsigned i = 1; i < state->history_count; i++)
        FUZZ_CHECK(state->history[i].epoch > state->history[i - 1].epoch, "epochs strictly increase (I5)");
}

static unsigned members_that_differ(const struct sync_set *a, const struct sync_set *b)
{
    unsigned count = 0;

    for (unsigned i = 0; i < a->count; i++)
        count += !cluster_sync_find(b, a->members[i].node);
    for (unsigned i = 0; i < b->count; i++)
        count += !cluster_sync_find(a, b->members[i].node);
    return count;
}

static void check_step(const struct cluster_state *before, const struct cluster_state *after,
                       const struct cluster_command *command)
{
    FUZZ_CHECK(after->primary.epoch >= before->primary.epoch, "the epoch never goes back (I5)");
    FUZZ_CHECK(after->next_id >= before->next_id, "ids are never used again");
    if (command->kind == COMMAND_PROMOTE) {
        FUZZ_CHECK(after->primary.epoch > before->primary.epoch, "a promotion begins a new epoch");
        FUZZ_CHECK(!after->primary.opened, "which is not open yet");
    } else {
        FUZZ_CHECK(after->primary.node == before->primary.node &&
                       after->primary.epoch == before->primary.epoch,
                   "only a promotion changes the primary");
        FUZZ_CHECK(after->sync.acks == 0 || members_that_differ(&before->sync, &after->sync) <= 1,
                   "one member at a time, unless the primary stands alone from then on");
        FUZZ_CHECK((int)after->sync.acks - (int)before->sync.acks <= 1 &&
                       (int)before->sync.acks - (int)after->sync.acks <= 1,
                   "one step of k at a time");
    }
    for (unsigned i = 0; command->kind == COMMAND_SYNC && i < after->sync.count; i++) {
        const struct sync_member *was = cluster_sync_find(&before->sync, after->sync.members[i].node);
        FUZZ_CHECK(!was || was->incarnation == after->sync.members[i].incarnation,
                   "another start of a database is another member");
    }
    if (command->kind != COMMAND_PROMOTE && command->kind != COMMAND_SYNC && command->kind != COMMAND_OPENED)
        FUZZ_CHECK(memcmp(&after->sync, &before->sync, sizeof after->sync) == 0,
                   "nothing else touches the sync set");
}

static void check_codec(const struct cluster_command *command)
{
    uint8_t packed[CLUSTER_COMMAND_BYTES_MAX];
    struct cluster_command again;
    size_t size = cluster_command_pack(command, packed, sizeof packed);

    FUZZ_CHECK(size > 0, "what was accepted fits into a command's bytes");
    FUZZ_CHECK(cluster_command_unpack(packed, size, &again), "and is accepted again");
    FUZZ_CHECK(memcmp(command, &again, sizeof again) == 0, "as the same");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cluster_state state, before;
    struct fuzz_input input = {data, size};
    struct fuzz_step step;

    cluster_state_init(&state);
    while (fuzz_next_step(&input, &step)) {
        struct cluster_command command;
        if (!cluster_command_unpack(step.data, step.size, &command))
            continue;
        check_codec(&command);
        if (step.control >= 128)
            fit(&command, &state, step.control);
        before = state;
        if (cluster_state_apply(&state, &command))
            FUZZ_CHECK(memcmp(&state, &before, sizeof state) == 0, "a void command changes nothing");
        else
            check_step(&before, &state, &command);
        check_state(&state);
    }
    Mha__ClusterState *message = cluster_state_to_message(&state);
    FUZZ_CHECK(message && message->n_history == state.history_count &&
                   (state.primary.node == 0 || message->sync->n_members == state.sync.count),
               "the state's message says the same");
    mha__cluster_state__free_unpacked(message, NULL);
    return 0;
}
