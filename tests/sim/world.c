#include "tests/sim/world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"
#include "tests/sim/disk.h"

#define SEGMENT_BYTES 16384
#define WORLD_TIME_BYTES 40 /* of a violation, for when it was */

#define TRACE_FILE_BYTES_MAX (4ull << 30)

enum event_kind { EVENT_ARRIVAL, EVENT_TICK, EVENT_DISK, EVENT_CALL };

struct world_event {
    uint64_t at_us;
    enum event_kind kind;
    unsigned node;
    uint64_t life;
    unsigned from;
    struct world_packet *packet;
    void (*function)(struct world *world, void *context);
    void *context;
};

/* What the heap moves about: small, for it is most of what a simulation does. */
struct world_key {
    uint64_t at_us;
    uint64_t number; /* events of the same time happen in the order in which they were made */
    size_t slot;
};

#define HEAP_WAYS 4u

/* ---- chance ---- */

uint64_t world_random(struct world *world)
{
    return dice_next(&world->dice);
}

uint64_t world_between(struct world *world, uint64_t low, uint64_t high)
{
    return dice_between(&world->dice, low, high);
}

bool world_chance(struct world *world, unsigned permille)
{
    return dice_chance(&world->dice, permille);
}

/* ---- making and freeing ---- */

void world_trace_line(void *context, uint64_t now_us, const char *text)
{
    const struct world_node *node = context;
    trace_line(node->trace_file, now_us, node->name, text);
}

static void open_trace(struct world *world)
{
    const char *path = getenv("TRACE_FILE");
    struct error err;
    if (path == NULL)
        return;
    if (trace_open(path, TRACE_FILE_BYTES_MAX, &world->trace_file, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    for (unsigned i = 0; i < world->node_count; i++) {
        struct world_node *node = &world->nodes[i];
        node->trace_file = world->trace_file;
        node->tracer = (struct raft_tracer){.line = world_trace_line, .context = node, .codec = "model"};
    }
}

struct world *world_new(const struct world_config *config)
{
    struct world *world = calloc(1, sizeof *world);
    assert(world != NULL);
    world->config = *config;
    world->dice.state = config->seed;
    disk_set_random(config->seed);
    if (world->config.segment_bytes == 0)
        world->config.segment_bytes = SEGMENT_BYTES;
    world->now_us = 1000000;
    world->check = check_new();
    world->trace = getenv("WORLD_TRACE") != NULL || getenv("TRACE") != NULL;
    world->node_count = config->data_nodes + config->arbiters + config->spares;
    assert(world->node_count <= WORLD_NODES_MAX);
    for (unsigned i = 0; i < world->node_count; i++) {
        struct world_node *node = &world->nodes[i];
        bool is_founder = i < config->data_nodes + config->arbiters;
        bool is_data = i < config->data_nodes || !is_founder;
        node->id = i + 1;
        node->kind = is_data ? RAFT_DATA : RAFT_ARBITER;
        if (is_founder)
            node->name[0] = (char)(is_data ? 'A' + i : 'X' + i - config->data_nodes);
        else
            node->name[0] = (char)('A' + i - config->arbiters);
        if (is_founder)
            world->founding.members[world->founding.count++] =
                (struct raft_member){.id = node->id, .kind = node->kind, .voter = true};
        node->disk.behind = config->behind;
        disk_init(world, i);
        if (config->clock_ppm_max > 0)
            node->clock_ppm =
                (int64_t)world_between(world, 0, 2 * config->clock_ppm_max) - config->clock_ppm_max;
        node->clock_offset_us = (int64_t)world_between(world, 0, 1000000000);
    }
    open_trace(world);
    return world;
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->event_count; i++) {
        struct world_packet *packet = world->events[world->keys[i].slot].packet;
        if (packet != NULL) {
            world_packet_free(packet);
        }
    }
    for (unsigned i = 0; i < world->node_count; i++)
        world_node_free(&world->nodes[i]);
    check_free(world->check);
    trace_close(world->trace_file);
    free(world->events);
    free(world->keys);
    free(world);
}

void world_trace(const struct world *world, unsigned i, const char *format, ...)
{
    if (!world->trace)
        return;
    printf("%12.6f %s ", (double)world->now_us / 1e6, world->nodes[i].name);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

void world_violate(struct world *world, const char *format, ...)
{
    if (world->violation[0] != '\0')
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->violation, sizeof world->violation - WORLD_TIME_BYTES, format, arguments);
    va_end(arguments);
    size_t length = strlen(world->violation);
    snprintf(world->violation + length, WORLD_TIME_BYTES, " (at %.6f s)", (double)world->now_us / 1e6);
}

/* ---- time ---- */

static bool is_before(const struct world_key *a, const struct world_key *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->number < b->number;
}

/* Keys beyond the count keep the slots that are free. */
static void grow_events(struct world *world)
{
    size_t before = world->event_capacity, capacity = before == 0 ? 256 : before * 2;

    world->events = realloc(world->events, capacity * sizeof *world->events);
    world->keys = realloc(world->keys, capacity * sizeof *world->keys);
    assert(world->events != NULL && world->keys != NULL);
    for (size_t i = before; i < capacity; i++)
        world->keys[i].slot = i;
    world->event_capacity = capacity;
}

static void push_event(struct world *world, struct world_event event)
{
    struct world_key *keys, key = {.number = world->event_number++};
    size_t at;

    if (world->event_count == world->event_capacity)
        grow_events(world);
    if (event.at_us < world->now_us)
        event.at_us = world->now_us;
    keys = world->keys;
    at = world->event_count++;
    key.at_us = event.at_us;
    key.slot = keys[at].slot;
    world->events[key.slot] = event;
    for (; at > 0 && is_before(&key, &keys[(at - 1) / HEAP_WAYS]); at = (at - 1) / HEAP_WAYS)
        keys[at] = keys[(at - 1) / HEAP_WAYS];
    keys[at] = key;
}

static struct world_event pop_event(struct world *world)
{
    struct world_key *keys = world->keys, first = keys[0], last = keys[--world->event_count];
    size_t at = 0;

    for (;;) {
        size_t least = HEAP_WAYS * at + 1, end = least + HEAP_WAYS;
        if (least >= world->event_count)
            break;
        if (end > world->event_count)
            end = world->event_count;
        for (size_t child = least + 1; child < end; child++)
            if (is_before(&keys[child], &keys[least]))
                least = child;
        if (!is_before(&keys[least], &last))
            break;
        keys[at] = keys[least];
        at = least;
    }
    keys[at] = last;
    keys[world->event_count].slot = first.slot;
    return world->events[first.slot];
}

void world_at(struct world *world, uint64_t at_us, void (*function)(struct world *world, void *context),
              void *context)
{
    push_event(world, (struct world_event){
                          .at_us = at_us, .kind = EVENT_CALL, .function = function, .context = context});
}

void world_schedule_tick(struct world *world, unsigned node, uint64_t at_us)
{
    push_event(world, (struct world_event){
                          .at_us = at_us, .kind = EVENT_TICK, .node = node, .life = world->nodes[node].life});
}

void world_schedule_disk(struct world *world, unsigned node, uint64_t at_us)
{
    push_event(world, (struct world_event){
                          .at_us = at_us, .kind = EVENT_DISK, .node = node, .life = world->nodes[node].life});
}

/* ---- network ---- */

const char *world_message_name(enum raft_message_kind kind)
{
    static const char *const names[] = {"PREVOTE",     "PREVOTE_REPLY", "VOTE",
                                        "VOTE_REPLY",  "APPEND",        "APPEND_REPLY",
                                        "TIMEOUT_NOW", "SNAPSHOT",      "SNAPSHOT_REPLY"};
    return names[kind];
}

void world_cut(struct world *world, unsigned from, unsigned to, bool cut)
{
    world->cut[from][to] = cut;
}

void world_slow_link(struct world *world, unsigned from, unsigned to, uint64_t more_us)
{
    world->slow_us[from][to] = more_us;
}

void world_heal(struct world *world)
{
    memset(world->cut, 0, sizeof world->cut);
    memset(world->slow_us, 0, sizeof world->slow_us);
    world->rule_count = 0;
}

bool world_add_rule(struct world *world, const struct world_rule *rule)
{
    if (world->rule_count == WORLD_RULES_MAX)
        return false;
    world->rules[world->rule_count++] = *rule;
    return true;
}

static const struct world_rule *find_rule(const struct world *world, unsigned from, unsigned to,
                                          enum raft_message_kind kind)
{
    for (unsigned i = 0; i < world->rule_count; i++) {
        const struct world_rule *rule = &world->rules[i];
        if (rule->kind == kind && rule->from == from && rule->to == to)
            return rule;
    }
    return NULL;
}

static void trace_message(const struct world *world, bool sent, unsigned from, unsigned to,
                          const struct raft_message *m)
{
    if (!world->trace)
        return;
    world_trace(world, sent ? from : to,
                "%s %s %s term=%" PRIu64 " log=%" PRIu64 "/%" PRIu64 " entries=%u commit=%" PRIu64 "%s%s%s",
                sent ? "sends to" : "hears from", world->nodes[sent ? to : from].name,
                world_message_name(m->kind), m->term, m->log_index, m->log_term, m->entry_count, m->commit,
                m->granted ? " granted" : "", m->transfer ? " transfer" : "",
                m->log_short ? " log_short" : "");
}

/* Which kind of a cut has dropped this message? */
static void count_cut(struct world *world, unsigned from, unsigned to)
{
    bool third = false;
    for (unsigned i = 0; i < world->node_count; i++)
        third |= i != from && i != to && !world->cut[from][i] && !world->cut[i][from] && !world->cut[to][i] &&
                 !world->cut[i][to];
    counts_add(&world->counts,
               !world->cut[to][from] ? COUNT_ONE_WAY
               : third               ? COUNT_PARTIAL_PARTITION
                                     : COUNT_PARTITION,
               1);
}

static void post(struct world *world, unsigned from, unsigned to, const struct raft_message *message)
{
    uint64_t delay_us = world_between(world, world->config.net_min_us, world->config.net_max_us);
    const struct world_rule *rule = find_rule(world, from, to, message->kind);
    if (rule != NULL && rule->action == WORLD_DROP) {
        counts_add(&world->counts, COUNT_DROP, 1);
        return;
    }
    uint64_t arrival_us = world->now_us + delay_us + world->slow_us[from][to];
    counts_add(&world->counts, COUNT_SLOW_LINK, world->slow_us[from][to] > 0);
    if (rule != NULL) {
        counts_add(&world->counts, COUNT_DELAY, rule->delay_us > 0);
        arrival_us += rule->delay_us;
    } else {
        bool overtakes = arrival_us < world->last_arrival_us[from][to];
        if (overtakes && !world->config.reorder)
            arrival_us = world->last_arrival_us[from][to];
        else if (!overtakes)
            world->last_arrival_us[from][to] = arrival_us;
        counts_add(&world->counts, COUNT_REORDER, overtakes && world->config.reorder);
    }
    struct world_packet *packet = world_packet_new(message);
    push_event(world,
               (struct world_event){
                   .at_us = arrival_us, .kind = EVENT_ARRIVAL, .node = to, .from = from, .packet = packet});
}

void world_send(struct world *world, unsigned from, const struct raft_message *message)
{
    unsigned to = world_node_of(world, message->to);
    if (to == WORLD_NODES_MAX) {
        if ((message->to - 1) % WORLD_IDS_STEP >= world->node_count)
            world_violate(world, "I1: %s sends to a member that does not exist", world->nodes[from].name);
        return; /* it was wiped */
    }
    trace_message(world, true, from, to, message);
    world->nodes[from].sent[message->kind]++;
    counts_add(&world->counts, COUNT_TRANSFER, message->kind == RAFT_TIMEOUT_NOW);
    if (world->cut[from][to]) {
        count_cut(world, from, to);
        return;
    }
    if (world_chance(world, world->config.loss_permille)) {
        counts_add(&world->counts, COUNT_LOSS, 1);
        return;
    }
    post(world, from, to, message);
    if (world_chance(world, world->config.duplicate_permille)) {
        counts_add(&world->counts, COUNT_DUPLICATE, 1);
        post(world, from, to, message);
    }
}

struct world_packet *world_packet_new(const struct raft_message *message)
{
    struct world_packet *packet = calloc(1, sizeof *packet);
    assert(packet != NULL);
    packet->message = *message;
    packet->message.entries = world_copy_entries(message->entries, message->entry_count);
    if (message->size > 0) {
        void *chunk = malloc(message->size);
        assert(chunk != NULL);
        memcpy(chunk, message->data, message->size);
        packet->message.data = chunk;
    }
    return packet;
}

void world_packet_free(struct world_packet *packet)
{
    world_free_entries((struct raft_entry *)packet->message.entries, packet->message.entry_count);
    if (packet->message.size > 0)
        free((void *)packet->message.data);
    free(packet);
}

static void arrive(struct world *world, const struct world_event *event)
{
    struct world_packet *packet = event->packet;
    if (world->cut[event->from][event->node]) {
        count_cut(world, event->from, event->node);
    } else if (world->nodes[event->node].up && world->nodes[event->node].id == packet->message.to) {
        trace_message(world, false, event->from, event->node, &packet->message);
        world->nodes[event->node].heard_us[event->from] = world_clock_us(world, event->node);
        world_receive(world, event->node, &packet->message);
    }
    world_packet_free(packet);
}

/* ---- running ---- */

void world_wake(struct world *world, unsigned i)
{
    struct world_node *node = &world->nodes[i];
    if (node->frozen_clock_us == 0)
        return;
    node->clock_offset_us -= (int64_t)(world_clock_us(world, i) - node->frozen_clock_us);
    node->frozen_clock_us = 0;
    node->blind_until_us = world->now_us + world_election_us(world);
}

static void run_event(struct world *world, const struct world_event *event)
{
    struct world_node *paused = &world->nodes[event->node];
    if (event->kind != EVENT_CALL && world->now_us < paused->paused_until_us) {
        if (paused->pause_noticed_us != paused->paused_until_us)
            counts_add(&world->counts, paused->frozen_clock_us > 0 ? COUNT_CLOCK_JUMP : COUNT_PAUSE, 1);
        paused->pause_noticed_us = paused->paused_until_us;
        struct world_event later = *event;
        later.at_us = paused->paused_until_us;
        if (event->kind == EVENT_TICK && paused->tick_at_us == event->at_us)
            paused->tick_at_us = later.at_us;
        push_event(world, later);
        return;
    }
    if (event->kind != EVENT_CALL)
        world_wake(world, event->node);
    bool alive = world->nodes[event->node].up && world->nodes[event->node].life == event->life;
    switch (event->kind) {
    case EVENT_ARRIVAL:
        arrive(world, event);
        break;
    case EVENT_TICK:
        if (alive && world->nodes[event->node].tick_at_us == event->at_us)
            world_node_tick(world, event->node);
        break;
    case EVENT_DISK:
        if (alive)
            world_node_disk(world, event->node);
        break;
    case EVENT_CALL:
        event->function(world, event->context);
        break;
    }
}

bool world_step(struct world *world, uint64_t until_us)
{
    if (world->violation[0] != '\0')
        return false;
    if (world->event_count == 0 || world->keys[0].at_us > until_us) {
        if (world->now_us < until_us)
            world->now_us = until_us;
        return false;
    }
    struct world_event event = pop_event(world);
    world->now_us = event.at_us;
    run_event(world, &event);
    return world->violation[0] == '\0';
}

bool world_run(struct world *world, uint64_t until_us)
{
    while (world_step(world, until_us))
        ;
    return world->violation[0] == '\0';
}
