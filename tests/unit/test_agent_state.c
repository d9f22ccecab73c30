/* The agent's state in a snapshot: all of it comes back, and nothing of a newer program's is overlooked. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cluster/state.h"

/* Random commands, most of them possible. */
static void random_command(const struct cluster_state *state, struct cluster_command *command)
{
    uint64_t a = 1 + (uint64_t)rand() % 2, b = 3 - a;

    memset(command, 0, sizeof *command);
    command->kind = (enum cluster_command_kind)(rand() % CLUSTER_COMMANDS);
    command->node = rand() % 2 ? a : state->primary.node;
    command->epoch = state->primary.epoch;
    command->replaces_epoch = state->primary.epoch;
    command->incarnation = (uint64_t)rand();
    command->id = rand() % 2 ? state->switchover.id : rand() % 2 ? state->pause.id : state->force.id;
    if (command->kind == COMMAND_ASIDE_CANCEL || command->kind == COMMAND_ASIDE_END)
        command->id = state->asides[0].id;
    if (command->kind == COMMAND_INIT_END)
        command->id = state->init.id;
    command->aside = (Mha__AsideKind)(rand() % 2);
    command->donor = (uint64_t)rand();
    command->rate_mb = (uint32_t)rand();
    command->by_operator = rand() % 2;
    command->discard_others = rand() % 2;
    command->timeout_us = (uint64_t)rand();
    command->length_us = (uint64_t)rand();
    command->old_primary_is_off = rand() % 2;
    command->change = (Mha__ChangeKind)(rand() % 5);
    command->phases = (struct cluster_phases){1, (uint64_t)rand(), 3, (uint64_t)rand(), 5, 6};
    snprintf(command->position, sizeof command->position, "0-1-%d", rand());
    snprintf(command->text, sizeof command->text, "%s: %d", rand() % 2 ? "done" : "failed", rand());
    if (command->kind == COMMAND_PROMOTE)
        command->epoch++;
    command->sync.version = state->sync.version + 1;
    command->sync.acks = (unsigned)rand() % 2;
    command->sync.count = 1 + command->sync.acks;
    command->sync.members[0] = (struct sync_member){command->kind == COMMAND_PROMOTE ? command->node : a, 7};
    command->sync.members[1] = (struct sync_member){command->sync.members[0].node == a ? b : a, 8};
}

/* What stands behind a text's end, or behind the last member, is no part of the state. */
static void tidy_text(char *text, size_t size)
{
    size_t length = strlen(text);

    memset(text + length, 0, size - length);
}

static struct cluster_state tidy(const struct cluster_state *state)
{
    struct cluster_state out;

    memcpy(&out, state, sizeof out);
    for (unsigned i = out.sync.count; i < CLUSTER_SYNC_MAX; i++)
        memset(&out.sync.members[i], 0, sizeof out.sync.members[i]);
    tidy_text(out.primary.epoch_position, sizeof out.primary.epoch_position);
    tidy_text(out.last_request_outcome, sizeof out.last_request_outcome);
    return out;
}

static void round_trip(const struct cluster_state *state)
{
    Mha__ClusterState *message = cluster_state_to_message(state);
    struct cluster_state back, before = tidy(state);

    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    memset(&back, 0xa5, sizeof back);
    CU_ASSERT_TRUE_FATAL(cluster_state_from_message(message, &back));
    mha__cluster_state__free_unpacked(message, NULL);
    CU_ASSERT_EQUAL(memcmp(&back, &before, sizeof back), 0);
}

static void test_all_of_it_comes_back(void)
{
    struct cluster_state state;
    struct cluster_command command;
    unsigned applied = 0, kinds = 0;

    srand(7);
    cluster_state_init(&state);
    round_trip(&state);
    for (unsigned i = 0; i < 2; i++) { /* before the first start */
        command = (struct cluster_command){.kind = COMMAND_INIT, .node = 1, .discard_others = true};
        CU_ASSERT_PTR_NULL(cluster_state_apply(&state, &command));
        kinds |= 1u << COMMAND_INIT;
        round_trip(&state);
    }
    for (unsigned i = 0; i < 3000; i++) {
        random_command(&state, &command);
        if (cluster_state_apply(&state, &command) != NULL)
            continue;
        applied++;
        kinds |= 1u << command.kind;
        round_trip(&state);
    }
    CU_ASSERT(applied > 500);
    CU_ASSERT_EQUAL(kinds, (1u << CLUSTER_COMMANDS) - 1);
    CU_ASSERT_EQUAL(state.history_count, CLUSTER_HISTORY_MAX);
}

/* Packs `message`, with `field` of a newer program behind it, and takes it back. */
static bool takes(const Mha__ClusterState *message, const uint8_t *field, size_t field_size)
{
    uint8_t bytes[512];
    size_t size = mha__cluster_state__pack(message, bytes);
    struct cluster_state state, before;
    Mha__ClusterState *unpacked;
    bool known;

    memcpy(bytes + size, field, field_size);
    unpacked = mha__cluster_state__unpack(NULL, size + field_size, bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(unpacked);
    memset(&state, 0x5a, sizeof state);
    before = state;
    known = cluster_state_from_message(unpacked, &state);
    CU_ASSERT(known || memcmp(&state, &before, sizeof state) == 0);
    mha__cluster_state__free_unpacked(unpacked, NULL);
    return known;
}

static void test_newer_ones_are_refused(void)
{
    static const uint8_t nothing, field_99[] = {0x98, 0x06, 0x01};      /* 99: 1 */
    static const uint8_t in_primary[] = {0x1a, 0x03, 0x98, 0x06, 0x01}; /* the same inside field 3 */
    Mha__ClusterState message = MHA__CLUSTER_STATE__INIT;
    Mha__Change change = MHA__CHANGE__INIT, *changes[CLUSTER_HISTORY_MAX + 1];
    char text[CLUSTER_TEXT_BYTES + 1];

    message.format = 1;
    message.next_id = 1;
    CU_ASSERT_TRUE(takes(&message, &nothing, 0));
    CU_ASSERT_FALSE(takes(&message, field_99, sizeof field_99));
    CU_ASSERT_FALSE(takes(&message, in_primary, sizeof in_primary));
    message.format = 2;
    CU_ASSERT_FALSE(takes(&message, &nothing, 0));
    message.format = 0;
    CU_ASSERT_FALSE(takes(&message, &nothing, 0));
    message.format = 1;
    for (unsigned i = 0; i <= CLUSTER_HISTORY_MAX; i++)
        changes[i] = &change;
    message.history = changes;
    message.n_history = CLUSTER_HISTORY_MAX + 1;
    CU_ASSERT_FALSE(takes(&message, &nothing, 0));
    message.n_history = 1;
    CU_ASSERT_TRUE(takes(&message, &nothing, 0));
    change.kind = (Mha__ChangeKind)5;
    CU_ASSERT_FALSE(takes(&message, &nothing, 0));
    change.kind = MHA__CHANGE_KIND__CHANGE_FAILOVER;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    change.reason = text;
    CU_ASSERT_FALSE(takes(&message, &nothing, 0));
    message.n_history = 0;
    message.last_request_outcome = text;
    CU_ASSERT_FALSE(takes(&message, &nothing, 0));
}

/* What a snapshot could not hold must not come in by a command either. */
static void test_newer_commands_are_refused(void)
{
    static const uint8_t field_99[] = {0x98, 0x06, 0x01};
    static const uint8_t in_force[] = {0x42, 0x03, 0x98, 0x06, 0x01}; /* the same inside field 8 */
    static const uint8_t in_phases[] = {0x52, 0x05, 0x12, 0x03, 0x98, 0x06, 0x01};
    struct cluster_command command = {.kind = COMMAND_FORCE, .node = 1}, back;
    uint8_t bytes[CLUSTER_COMMAND_BYTES_MAX];
    size_t size = cluster_command_pack(&command, bytes, sizeof bytes);

    CU_ASSERT_TRUE(cluster_command_unpack(bytes, size, &back));
    memcpy(bytes + size, field_99, sizeof field_99);
    CU_ASSERT_FALSE(cluster_command_unpack(bytes, size + sizeof field_99, &back));
    CU_ASSERT_FALSE(cluster_command_unpack(in_force, sizeof in_force, &back));
    CU_ASSERT_FALSE(cluster_command_unpack(in_phases, sizeof in_phases, &back));
    command = (struct cluster_command){.kind = COMMAND_PROMOTE, .node = 1, .epoch = 1};
    command.sync = (struct sync_set){.version = 1, .count = 1, .members = {{1, 1}}};
    command.change = MHA__CHANGE_KIND__CHANGE_FORCED;
    size = cluster_command_pack(&command, bytes, sizeof bytes);
    CU_ASSERT_TRUE(cluster_command_unpack(bytes, size, &back));
    command.change = (Mha__ChangeKind)(MHA__CHANGE_KIND__CHANGE_FORCED + 1);
    size = cluster_command_pack(&command, bytes, sizeof bytes);
    CU_ASSERT_FALSE(cluster_command_unpack(bytes, size, &back));
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    CU_initialize_registry();
    suite = CU_add_suite("the state in a snapshot", NULL, NULL);
    CU_add_test(suite, "all of it comes back", test_all_of_it_comes_back);
    CU_add_test(suite, "a newer program's is refused", test_newer_ones_are_refused);
    CU_add_test(suite, "a newer program's command, too", test_newer_commands_are_refused);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
