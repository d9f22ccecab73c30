#include "replica_fixture.h"

#include <CUnit/Basic.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"

struct event_base *base;
const uint8_t key[NET_KEY_BYTES] = {9};
static char root[64];

static enum error_code on_apply(void *context, uint64_t index, uint64_t term, const void *data, size_t size,
                                struct error *err)
{
    struct node *node = context;
    struct raft_status status;
    replica_status(node->replica, &status);
    node->applied_unready += status.role == RAFT_LEADER && status.term == term && !status.ready;
    if (size > 0 && *(const char *)data == '?')
        return error_set(err, ERR_INVALID, "a command that this version does not know");
    CU_ASSERT(term > 0);
    CU_ASSERT_EQUAL(size, 1);
    CU_ASSERT_FATAL(node->applied_count < APPLIED_MAX);
    if (node->propose_on_apply) { /* a command from inside the callback must not pull the data away */
        uint64_t at;
        node->propose_on_apply--;
        replica_propose(node->replica, "p", 1, &at, NULL);
    }
    node->applied[node->applied_count] = *(const uint8_t *)data;
    node->applied_index[node->applied_count++] = index;
    return ERR_OK;
}

static void on_changed(void *context)
{
    struct node *node = context;
    node->changes++;
    replica_set_campaign_delay(node->replica, 0); /* as the agent does: must not keep the loop busy */
}

static void on_message(void *context, uint64_t from, const void *data, size_t size)
{
    struct node *node = context;
    node->messages++;
    node->message_from = from;
    snprintf(node->message, sizeof node->message, "%.*s", (int)size, (const char *)data);
}

static void on_fatal(void *context, const char *why)
{
    struct node *node = context;
    node->fatal++;
    snprintf(node->why, sizeof node->why, "%s", why);
}

/* The state: all that was applied. */
static bool on_pack_state(void *context, uint8_t **state, size_t *size)
{
    struct node *node = context;

    node->packed++;
    *size = node->applied_count;
    *state = malloc(node->applied_count + 1);
    if (*state)
        memcpy(*state, node->applied, node->applied_count);
    return *state != NULL;
}

static enum error_code on_restore_state(void *context, uint64_t index, const void *state, size_t size,
                                        struct error *err)
{
    struct node *node = context;

    CU_ASSERT_FATAL(size <= APPLIED_MAX);
    CU_ASSERT(index > 0);
    CU_ASSERT(size >= node->applied_count); /* it never goes back */
    CU_ASSERT_EQUAL(memcmp(node->applied, state, node->applied_count), 0);
    if (size > 0 && *(const char *)state == '!')
        return error_set(err, ERR_INVALID, "a state that this version does not know");
    memcpy(node->applied, state, size);
    node->applied_count = (unsigned)size;
    node->restored++;
    return ERR_OK;
}

static void on_read_done(void *context, uint64_t read, bool done)
{
    struct node *node = context;

    node->reads_done += done;
    node->reads_lost += !done;
    node->read = read;
    node->applied_at_read = node->applied_count;
}

static const struct replica_callbacks callbacks = {.apply = on_apply,
                                                   .changed = on_changed,
                                                   .message = on_message,
                                                   .fatal = on_fatal,
                                                   .pack_state = on_pack_state,
                                                   .restore_state = on_restore_state,
                                                   .read_done = on_read_done};
/* An arbiter applies nothing and has no state. */
static const struct replica_callbacks arbiter_callbacks = {
    .changed = on_changed, .message = on_message, .fatal = on_fatal};

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

bool wait_until(bool (*holds)(struct node *nodes, unsigned count), struct node *nodes, unsigned count,
                unsigned ms)
{
    uint64_t end_us = clock_now_us() + MS_TO_US(ms);
    struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    struct timeval interval = {.tv_usec = 5000};

    event_add(tick, &interval);
    while (!holds(nodes, count) && clock_now_us() < end_us)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(tick);
    return holds(nodes, count);
}

static bool never(struct node *nodes, unsigned count)
{
    (void)nodes;
    (void)count;
    return false;
}

void run_ms(unsigned ms)
{
    wait_until(never, NULL, 0, ms);
}

bool all_formed(struct node *nodes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (nodes[i].replica && !replica_formed(nodes[i].replica))
            return false;
    return true;
}

struct node *leader_now(struct node *nodes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct raft_status status;
        if (!nodes[i].replica)
            continue;
        replica_status(nodes[i].replica, &status);
        if (status.role == RAFT_LEADER && status.ready)
            return &nodes[i];
    }
    return NULL;
}

bool has_leader(struct node *nodes, unsigned count)
{
    return leader_now(nodes, count) != NULL;
}

struct node *leader(struct node *nodes, unsigned count)
{
    CU_ASSERT_FATAL(wait_until(has_leader, nodes, count, WAIT_MS));
    return leader_now(nodes, count);
}

unsigned expected;
bool all_applied(struct node *nodes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (nodes[i].replica && !nodes[i].is_arbiter && nodes[i].applied_count < expected)
            return false;
    return true;
}

bool all_connected(struct node *nodes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; nodes[i].replica && k < replica_member_count(nodes[i].replica); k++) {
            struct replica_member member;
            replica_member(nodes[i].replica, k, &member);
            if (!member.connected)
                return false;
        }
    return true;
}

static const struct node *awaited_leader;
static bool it_leads(struct node *nodes, unsigned count)
{
    return leader_now(nodes, count) == awaited_leader;
}

void hand_over(struct node *nodes, unsigned count, struct node *to)
{
    struct node *old = leader(nodes, count);
    struct error err;

    if (old == to)
        return;
    replica_end_lease(old->replica);
    replica_released(old->replica);
    CU_ASSERT_EQUAL(replica_transfer(old->replica, replica_id(to->replica), &err), ERR_OK);
    awaited_leader = to;
    CU_ASSERT_FATAL(wait_until(it_leads, nodes, count, WAIT_MS));
}

enum error_code try_open(struct node *node, struct error *err)
{
    struct replica_config config = {.cluster = "shop",
                                    .name = node->name,
                                    .key = key,
                                    .data_dir = node->dir,
                                    .heartbeat_us = HEARTBEAT_US,
                                    .election_us = ELECTION_US,
                                    .node_count = node->node_count,
                                    .nodes = node->nodes};

    node->applied_count = 0;
    if (node->disk) {
        config.files = memory_files(node->disk);
        config.data_dir = "/disk";
    }
    if (!node->net) {
        const char *own = NULL;
        for (unsigned i = 0; i < node->node_count; i++)
            if (strcmp(node->nodes[i].name, node->name) == 0)
                own = node->nodes[i].address;
        CU_ASSERT_EQUAL_FATAL(net_new(base, &node->net, err), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(net_listen(node->net, own, err), ERR_OK);
    }
    return replica_open(base, node->net, &config, node->is_arbiter ? &arbiter_callbacks : &callbacks, node,
                        &node->replica, err);
}

void open_node(struct node *node)
{
    struct error err;

    if (try_open(node, &err) != ERR_OK) {
        puts(err.text);
        CU_FAIL_FATAL("replica_open");
    }
}

void close_node(struct node *node)
{
    replica_close(node->replica);
    net_free(node->net);
    node->replica = NULL;
    node->net = NULL;
}

void empty_dir(const char *dir)
{
    DIR *entries = opendir(dir);
    struct dirent *entry;
    char path[512];

    while (entries && (entry = readdir(entries))) {
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (entries)
        closedir(entries);
}

/* Names, directories and free ports; opens nothing. `arbiter`: the last one. */
void plan(struct node *nodes, unsigned count, bool arbiter)
{
    char names[NODES_MAX][8];
    struct error err;

    memset(nodes, 0, count * sizeof *nodes);
    for (unsigned i = 0; i < count; i++)
        snprintf(names[i], sizeof names[i], arbiter && i == count - 1 ? "xarb" : "db%u", i + 1);
    for (unsigned i = 0; i < count; i++) {
        snprintf(nodes[i].name, sizeof nodes[i].name, "%s", names[i]);
        snprintf(nodes[i].dir, sizeof nodes[i].dir, "%s/%s", root, names[i]);
        empty_dir(nodes[i].dir);
        CU_ASSERT_EQUAL_FATAL(net_new(base, &nodes[i].net, &err), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(net_listen(nodes[i].net, "127.0.0.1:0", &err), ERR_OK);
    }
    for (unsigned i = 0; i < count; i++) {
        nodes[i].node_count = count;
        nodes[i].is_arbiter = arbiter && i == count - 1;
        for (unsigned k = 0; k < count; k++) {
            struct replica_node *node = &nodes[i].nodes[k];
            snprintf(node->name, sizeof node->name, "%s", names[k]);
            snprintf(node->address, sizeof node->address, "127.0.0.1:%u", net_port(nodes[k].net));
            node->arbiter = arbiter && k == count - 1;
        }
    }
}

void start(struct node nodes[3])
{
    plan(nodes, 3, true);
    for (unsigned i = 0; i < 3; i++)
        open_node(&nodes[i]);
    CU_ASSERT_FATAL(wait_until(all_formed, nodes, 3, WAIT_MS));
    CU_ASSERT_FATAL(wait_until(has_leader, nodes, 3, WAIT_MS));
}

void stop(struct node nodes[3])
{
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(nodes[i].fatal, 0);
        if (nodes[i].net)
            close_node(&nodes[i]);
    }
}

void propose(struct node *nodes, unsigned count, char what)
{
    struct node *lead;
    uint64_t index;
    struct error err;

    CU_ASSERT_FATAL(wait_until(has_leader, nodes, count, WAIT_MS));
    lead = leader(nodes, count);
    CU_ASSERT_EQUAL(replica_propose(lead->replica, &what, 1, &index, &err), ERR_OK);
    expected++;
    CU_ASSERT(wait_until(all_applied, nodes, count, WAIT_MS));
}

const char *trouble(const struct node *node, const char *name, bool *connected)
{
    struct replica_member member = {0};

    for (unsigned i = 0; i < replica_member_count(node->replica); i++) {
        replica_member(node->replica, i, &member);
        if (strcmp(member.name, name) == 0)
            break;
    }
    if (connected)
        *connected = member.connected;
    return member.trouble;
}

void propose_many(struct node *nodes, unsigned count, unsigned how_many)
{
    CU_ASSERT_FATAL(wait_until(has_leader, nodes, count, WAIT_MS));
    struct node *lead = leader(nodes, count);
    for (unsigned i = 0; i < how_many; i++) {
        char what = (char)('a' + i % 26);
        uint64_t index;
        struct error err;
        CU_ASSERT_EQUAL(replica_propose(lead->replica, &what, 1, &index, &err), ERR_OK);
    }
    expected += how_many;
    CU_ASSERT(wait_until(all_applied, nodes, count, WAIT_MS));
}

void fixture_begin(const char *program)
{
    struct event_config *config = event_config_new();

    log_open(program, getenv("VERBOSE") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    base = event_base_new_with_config(config);
    event_config_free(config);
    snprintf(root, sizeof root, "/tmp/mha-test-replica-XXXXXX");
    if (!mkdtemp(root))
        exit(1);
    CU_initialize_registry();
}

int fixture_end(void)
{
    char command[128];
    unsigned failures;

    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    event_base_free(base);
    snprintf(command, sizeof command, "rm -rf %s", root);
    if (system(command) != 0)
        return 1;
    return failures ? 1 : 0;
}
