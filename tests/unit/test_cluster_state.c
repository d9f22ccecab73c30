/* Commands and the guards of the replicated state. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/state.h"

static struct cluster_command promote(const struct cluster_state *state, uint64_t node, uint64_t epoch,
                                      unsigned acks)
{
    struct cluster_command command = {.kind = COMMAND_PROMOTE,
                                      .node = node,
                                      .epoch = epoch,
                                      .replaces_epoch = state->primary.epoch,
                                      .change = MHA__CHANGE_KIND__CHANGE_FAILOVER,
                                      .text = "for a test"};
    command.sync.version = state->sync.version + 1;
    command.sync.acks = acks;
    command.sync.count = acks ? 2 : 1;
    command.sync.members[0] = (struct sync_member){node, 100 + node};
    command.sync.members[1] = (struct sync_member){3 - node, 100 + 3 - node};
    return command;
}

static struct cluster_command sync_change(const struct cluster_state *state, unsigned count, unsigned acks)
{
    struct cluster_command command = {.kind = COMMAND_SYNC, .epoch = state->primary.epoch};
    command.sync.version = state->sync.version + 1;
    command.sync.acks = acks;
    command.sync.count = count;
    for (unsigned i = 0; i < count; i++)
        command.sync.members[i] = (struct sync_member){1 + i, 101 + i};
    return command;
}

/* Node 1 is the primary of epoch 5, open, with node 2 in the sync set. */
static void make_serving(struct cluster_state *state)
{
    struct cluster_command command;

    cluster_state_init(state);
    command = promote(state, 1, 5, 1);
    CU_ASSERT_PTR_NULL_FATAL(cluster_state_apply(state, &command));
    command =
        (struct cluster_command){.kind = COMMAND_OPENED, .epoch = 5, .incarnation = 101, .position = "0-1-1"};
    CU_ASSERT_PTR_NULL_FATAL(cluster_state_apply(state, &command));
}

static bool is_void(struct cluster_state *state, const struct cluster_command *command)
{
    struct cluster_state before = *state;
    const char *why = cluster_state_apply(state, command);

    if (why)
        CU_ASSERT_EQUAL(memcmp(&before, state, sizeof before), 0);
    return why != NULL;
}

static void test_promote_guards(void)
{
    struct cluster_state state;
    struct cluster_command command;

    make_serving(&state);
    command = promote(&state, 2, 5, 0); /* I5: epochs strictly increase */
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = promote(&state, 2, 6, 0);
    command.replaces_epoch = 4;
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = promote(&state, 2, 6, 0);
    command.sync.version++;
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = promote(&state, 2, 6, 0);
    command.sync.members[0].node = 1; /* the new primary outside its own sync set */
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = promote(&state, 2, 6, 0);
    CU_ASSERT_FALSE(is_void(&state, &command));
    CU_ASSERT_EQUAL(state.primary.node, 2);
    CU_ASSERT_FALSE(state.primary.opened);
    CU_ASSERT_EQUAL(state.history_count, 2);
    CU_ASSERT_EQUAL(state.history[1].from, 1);
    CU_ASSERT_TRUE(is_void(&state, &command)); /* a second time */
}

static void test_sync_steps(void)
{
    struct cluster_state state;
    struct cluster_command command;

    make_serving(&state);
    command = sync_change(&state, 2, 0); /* without acknowledgements nobody else may be a member */
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = sync_change(&state, 2, 2);
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = sync_change(&state, 1, 0);
    command.epoch = 4;
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = sync_change(&state, 1, 0);
    command.sync.version++; /* made of another set than this one */
    CU_ASSERT_TRUE(is_void(&state, &command));
    command.sync.version -= 2;
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = sync_change(&state, 1, 0);
    command.sync.members[0].node = 2; /* without the primary */
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = sync_change(&state, 1, 0);
    CU_ASSERT_FALSE(is_void(&state, &command));
    command = sync_change(&state, 3, 1); /* two at once */
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = sync_change(&state, 2, 1);
    command.sync.members[1].node = 1; /* twice the same */
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = sync_change(&state, 2, 1);
    CU_ASSERT_FALSE(is_void(&state, &command));
    command = sync_change(&state, 3, 1);
    CU_ASSERT_FALSE(is_void(&state, &command));
}

static void set_sync(struct cluster_state *state, unsigned count, unsigned acks)
{
    struct cluster_command command = sync_change(state, count, acks);

    state->sync = command.sync;
}

static void test_sync_steps_of_several(void)
{
    static const struct {
        unsigned count, acks, to_count, to_acks;
        bool allowed;
    } steps[] = {
        {3, 1, 4, 1, true},  {3, 1, 2, 1, true},  {3, 2, 3, 1, true},
        {4, 1, 4, 2, true},  {5, 1, 1, 0, true}, /* k = 0 leaves no choice of members */
        {5, 2, 1, 0, false}, {3, 1, 4, 2, false}, {4, 2, 3, 1, false},
        {5, 1, 5, 3, false}, {5, 2, 3, 2, false}, {3, 1, 5, 1, false},
        {1, 0, 3, 1, false}, {1, 0, 2, 1, true},  {3, 2, 2, 2, false}, /* more than there are others */
    };
    struct cluster_state state;
    struct cluster_command command;

    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        make_serving(&state);
        set_sync(&state, steps[i].count, steps[i].acks);
        command = sync_change(&state, steps[i].to_count, steps[i].to_acks);
        CU_ASSERT_EQUAL(is_void(&state, &command), !steps[i].allowed);
    }
    make_serving(&state);
    set_sync(&state, 3, 1);
    command = sync_change(&state, 3, 1);
    command.sync.members[2].node = 9; /* one for another */
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = sync_change(&state, 3, 1);
    command.sync.members[2].incarnation++; /* the same in another start */
    CU_ASSERT_TRUE(is_void(&state, &command));
}

static void test_requests(void)
{
    struct cluster_state state;
    struct cluster_command command = {.kind = COMMAND_SWITCHOVER, .node = 1, .epoch = 5};

    make_serving(&state);
    CU_ASSERT_TRUE(is_void(&state, &command)); /* to itself */
    command.node = 0;
    CU_ASSERT_TRUE(is_void(&state, &command));
    command.node = 2;
    CU_ASSERT_FALSE(is_void(&state, &command));
    CU_ASSERT_TRUE(is_void(&state, &command)); /* one at a time */
    uint64_t id = state.switchover.id;
    command = (struct cluster_command){.kind = COMMAND_SWITCHOVER_END, .id = id + 1, .text = "failed: x"};
    CU_ASSERT_TRUE(is_void(&state, &command));
    command = promote(&state, 2, 6, 1);
    CU_ASSERT_FALSE(is_void(&state, &command));
    CU_ASSERT_EQUAL(state.switchover.id, id); /* it is not open yet */
    CU_ASSERT_EQUAL(state.switchover.epoch, 6);
    command =
        (struct cluster_command){.kind = COMMAND_OPENED, .epoch = 6, .incarnation = 102, .position = "0-2-1"};
    CU_ASSERT_FALSE(is_void(&state, &command));
    CU_ASSERT_EQUAL(state.switchover.id, 0);
    CU_ASSERT_EQUAL(state.last_request_id, id);
    CU_ASSERT_STRING_EQUAL(state.last_request_outcome, "done");

    command = (struct cluster_command){.kind = COMMAND_PAUSE, .epoch = 6, .length_us = 60000000};
    CU_ASSERT_FALSE(is_void(&state, &command));
    CU_ASSERT_EQUAL(state.pause.holder, 2);
    command = promote(&state, 1, 7, 1);
    CU_ASSERT_FALSE(is_void(&state, &command));
    CU_ASSERT_EQUAL(state.pause.id, 0); /* another node leads now */
}

static void test_history_is_bounded(void)
{
    struct cluster_state state;

    make_serving(&state);
    for (uint64_t epoch = 6; epoch < 6 + 2 * CLUSTER_HISTORY_MAX; epoch++) {
        struct cluster_command command = promote(&state, 1 + epoch % 2, epoch, 0);
        CU_ASSERT_FALSE(is_void(&state, &command));
    }
    CU_ASSERT_EQUAL(state.history_count, CLUSTER_HISTORY_MAX);
    CU_ASSERT_EQUAL(state.history[CLUSTER_HISTORY_MAX - 1].epoch, 5 + 2 * CLUSTER_HISTORY_MAX);
    struct cluster_command phases = {
        .kind = COMMAND_PHASES, .epoch = 5 + 2 * CLUSTER_HISTORY_MAX, .phases = {.drained_us = 7}};
    CU_ASSERT_FALSE(is_void(&state, &phases));
    CU_ASSERT_EQUAL(state.history[CLUSTER_HISTORY_MAX - 1].phases.drained_us, 7);
    phases.epoch = 5;
    CU_ASSERT_TRUE(is_void(&state, &phases));
}

/* Who is rebuilt or drained leaves the sync set, and does not come in; the primary is never set aside. */
static void test_asides(void)
{
    struct cluster_state state;
    struct cluster_command command = {.kind = COMMAND_ASIDE, .node = 1, .by_operator = true};
    uint64_t id;

    make_serving(&state);
    CU_ASSERT_TRUE(is_void(&state, &command)); /* the primary */
    command.node = 2;
    CU_ASSERT_FALSE(is_void(&state, &command)); /* a member: it is to leave */
    CU_ASSERT_TRUE(is_void(&state, &command));
    id = state.asides[0].id;
    struct cluster_command sync = {.kind = COMMAND_SYNC, .epoch = state.primary.epoch, .sync = state.sync};
    sync.sync.version++;
    CU_ASSERT_FALSE(is_void(&state, &sync)); /* it stays for now */
    sync.sync.version++;
    sync.sync.acks = 0;
    sync.sync.count = 1;
    CU_ASSERT_FALSE(is_void(&state, &sync));
    sync.sync.version++;
    sync.sync.acks = 1;
    sync.sync.count = 2;
    CU_ASSERT_TRUE(is_void(&state, &sync)); /* out is out */
    struct cluster_command forced = promote(&state, 2, state.primary.epoch + 1, 0);
    CU_ASSERT_TRUE(is_void(&state, &forced));
    struct cluster_command step = {.kind = COMMAND_ASIDE_CANCEL, .id = id + 1, .text = "done"};
    CU_ASSERT_TRUE(is_void(&state, &step));
    step.id = id;
    CU_ASSERT_FALSE(is_void(&state, &step));
    CU_ASSERT_TRUE(is_void(&state, &step));
    CU_ASSERT_TRUE(state.asides[0].cancelled);
    CU_ASSERT_TRUE(is_void(&state, &sync)); /* until it has stopped */
    step.kind = COMMAND_ASIDE_END;
    CU_ASSERT_FALSE(is_void(&state, &step));
    CU_ASSERT_EQUAL(state.aside_count, 0);
    CU_ASSERT_EQUAL(state.last_request_id, id);
    CU_ASSERT_STRING_EQUAL(state.last_request_outcome, "done");
    CU_ASSERT_FALSE(is_void(&state, &sync));

    /* a member that is to leave may be needed before */
    CU_ASSERT_FALSE(is_void(&state, &command));
    command = promote(&state, 2, state.primary.epoch + 1, 0);
    CU_ASSERT_FALSE(is_void(&state, &command));
    CU_ASSERT_EQUAL(state.aside_count, 0);
    CU_ASSERT_STRING_EQUAL(state.last_request_outcome, "failed: it was promoted meanwhile");
}

static void test_first_start_is_chosen(void)
{
    struct cluster_state state;
    struct cluster_command init = {.kind = COMMAND_INIT, .node = 2};

    cluster_state_init(&state);
    CU_ASSERT_FALSE(is_void(&state, &init));
    init.node = 1;
    init.discard_others = true;
    CU_ASSERT_FALSE(is_void(&state, &init)); /* a second thought */
    struct cluster_command first = promote(&state, 1, 1, 0);
    CU_ASSERT_FALSE(is_void(&state, &first));
    CU_ASSERT_TRUE(state.init.discard_others); /* until the others follow */
    CU_ASSERT_TRUE(is_void(&state, &init));
    struct cluster_command end = {.kind = COMMAND_INIT_END, .id = state.init.id};
    CU_ASSERT_FALSE(is_void(&state, &end));
    CU_ASSERT_EQUAL(state.init.id, 0);
    CU_ASSERT_TRUE(is_void(&state, &end));
}

static void test_codec_round_trip(void)
{
    struct cluster_state state;
    uint8_t bytes[CLUSTER_COMMAND_BYTES_MAX];

    make_serving(&state);
    for (int kind = COMMAND_PROMOTE; kind < CLUSTER_COMMANDS; kind++) {
        struct cluster_command command = promote(&state, 2, 9, 1), back;
        command.kind = (enum cluster_command_kind)kind;
        command.id = 11;
        command.length_us = 12;
        command.timeout_us = 13;
        command.incarnation = 14;
        command.phases.announced_us = 15;
        command.aside = MHA__ASIDE_KIND__ASIDE_DRAIN;
        command.donor = 16;
        command.rate_mb = 17;
        command.by_operator = command.discard_others = true;
        snprintf(command.position, sizeof command.position, "0-2-99");
        size_t size = cluster_command_pack(&command, bytes, sizeof bytes);
        CU_ASSERT_FATAL(size > 0);
        CU_ASSERT_FATAL(cluster_command_unpack(bytes, size, &back));
        CU_ASSERT_EQUAL(back.kind, command.kind);
        uint8_t again[CLUSTER_COMMAND_BYTES_MAX];
        CU_ASSERT_EQUAL(cluster_command_pack(&back, again, sizeof again), size);
        CU_ASSERT_EQUAL(memcmp(bytes, again, size), 0);
        for (size_t cut = 0; cut < size; cut++)
            (void)cluster_command_unpack(bytes, cut, &back); /* must not crash */
    }
    CU_ASSERT_EQUAL(
        cluster_command_pack(&(struct cluster_command){.kind = COMMAND_OPENED, .epoch = 1}, bytes, 1), 0);

    Mha__ClusterState *message = cluster_state_to_message(&state);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CU_ASSERT_EQUAL(message->sync->n_members, 2);
    CU_ASSERT_EQUAL(message->primary->epoch, 5);
    CU_ASSERT_STRING_EQUAL(message->history[0]->reason, "for a test");
    mha__cluster_state__free_unpacked(message, NULL);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("cluster state", NULL, NULL);
    CU_add_test(suite, "guards of a promotion", test_promote_guards);
    CU_add_test(suite, "the sync set changes one step at a time", test_sync_steps);
    CU_add_test(suite, "so it does with several members", test_sync_steps_of_several);
    CU_add_test(suite, "requests begin and end", test_requests);
    CU_add_test(suite, "the history is bounded", test_history_is_bounded);
    CU_add_test(suite, "who is rebuilt or drained", test_asides);
    CU_add_test(suite, "the first primary is chosen", test_first_start_is_chosen);
    CU_add_test(suite, "commands survive packing", test_codec_round_trip);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
