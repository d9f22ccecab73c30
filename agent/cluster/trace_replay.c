#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cluster/trace_fields.h"
#include "agent/cluster/trace_message.h"
#include "common/base/error.h"

/* A member of the input, with the words that its texts point into. */
struct replay_node {
    struct words words;
    struct policy_node node;
    bool heard_now, reported_now;
    Mha__NodeReport *report;
    bool own_database, own_vip;
};

struct policy_replay {
    struct policy_tracker tracker;
    struct cluster_state state;
    struct policy_settings settings;
    struct words raft_words;
    struct raft_status raft;
    Mha__DbObservation *db;
    Mha__VipState *vip;
    struct replay_node nodes[POLICY_NODES_MAX];
    struct policy_output output;
};

struct policy_replay *policy_replay_new(void)
{
    struct policy_replay *replay = calloc(1, sizeof *replay);
    if (replay != NULL) {
        replay->raft.waits_for = "";
        cluster_state_init(&replay->state);
    }
    return replay;
}

static void free_message(void *message)
{
    if (message != NULL)
        protobuf_c_message_free_unpacked(message, NULL);
}

static void free_report(struct replay_node *node)
{
    if (node->report != NULL && node->own_database)
        node->report->database = NULL; /* the replay's */
    if (node->report != NULL && node->own_vip)
        node->report->vip = NULL;
    free_message(node->report);
    node->report = NULL;
}

void policy_replay_free(struct policy_replay *replay)
{
    if (replay == NULL)
        return;
    for (unsigned i = 0; i < POLICY_NODES_MAX; i++) {
        words_free(&replay->nodes[i].words);
        free_report(&replay->nodes[i]);
    }
    words_free(&replay->raft_words);
    free_message(replay->db);
    free_message(replay->vip);
    free(replay);
}

/* Its own copy, for texts that point into it. */
static bool keep_words(struct words *kept, const struct words *words)
{
    struct text line = {0};
    for (unsigned i = 0; i < words->count; i++) {
        text_add(&line, "%s%s", i > 0 ? " " : "", words->list[i].key);
        if (words->list[i].value != NULL) {
            text_add(&line, "=");
            text_add_value(&line, words->list[i].value);
        }
    }
    words_free(kept);
    bool good = !line.failed && words_read(kept, line.data);
    text_free(&line);
    return good;
}

/* ---- parts of the input ---- */

struct step {
    struct policy_tracer *tracer;
    struct policy_replay *replay;
    uint64_t now_us;
    const struct words *words;
};

static bool replay_new(const struct step *step)
{
    memset(&step->replay->tracker, 0, sizeof step->replay->tracker);
    cluster_state_init(&step->replay->state);
    policy_trace_new(step->tracer, step->now_us);
    return true;
}

static bool replay_settings(const struct step *step)
{
    fields_read(step->words, "", policy_trace_settings_fields, &step->replay->settings);
    policy_trace_settings(step->tracer, step->now_us, &step->replay->settings);
    return true;
}

static bool replay_raft(const struct step *step)
{
    struct raft_status *raft = &step->replay->raft;
    *raft = (struct raft_status){0};
    if (!keep_words(&step->replay->raft_words, step->words))
        return false;
    fields_read(&step->replay->raft_words, "", policy_trace_raft_fields, raft);
    for (; raft->peer_count < RAFT_MEMBERS_MAX; raft->peer_count++) {
        struct raft_peer_status *peer = &raft->peers[raft->peer_count];
        char prefix[16];
        snprintf(prefix, sizeof prefix, "peer%u.", raft->peer_count);
        fields_read(step->words, prefix, policy_trace_peer_fields, peer);
        if (peer->id == 0)
            break;
    }
    policy_trace_raft(step->tracer, step->now_us, raft);
    return true;
}

static bool is_none(const struct step *step)
{
    return words_find(step->words, "none") != NULL;
}

static bool replay_db(const struct step *step)
{
    free_message(step->replay->db);
    step->replay->db =
        is_none(step)
            ? NULL
            : (Mha__DbObservation *)trace_message_read(step->words, "", &mha__db_observation__descriptor);
    policy_trace_db(step->tracer, step->now_us, step->replay->db);
    return true;
}

static bool replay_vip(const struct step *step)
{
    free_message(step->replay->vip);
    step->replay->vip =
        is_none(step) ? NULL
                      : (Mha__VipState *)trace_message_read(step->words, "", &mha__vip_state__descriptor);
    policy_trace_vip(step->tracer, step->now_us, step->replay->vip);
    return true;
}

static struct replay_node *find_node(const struct step *step, unsigned *i)
{
    *i = (unsigned)words_number(step->words, "i");
    return *i < POLICY_NODES_MAX ? &step->replay->nodes[*i] : NULL;
}

static void set_now(struct replay_node *node, uint64_t now_us)
{
    if (node->heard_now)
        node->node.heard_us = now_us;
    if (node->reported_now)
        node->node.reported_us = now_us;
}

static bool replay_node(const struct step *step)
{
    unsigned i;
    struct replay_node *node = find_node(step, &i);
    if (node == NULL || !keep_words(&node->words, step->words))
        return false;
    fields_read(&node->words, "", policy_trace_node_fields, &node->node);
    node->heard_now = words_find(step->words, "heard-now") != NULL;
    node->reported_now = words_find(step->words, "reported-now") != NULL;
    set_now(node, step->now_us);
    policy_trace_node(step->tracer, step->now_us, i, &node->node);
    return true;
}

static void join_own(const struct policy_replay *replay, struct replay_node *node)
{
    if (node->report != NULL && node->own_database)
        node->report->database = replay->db;
    if (node->report != NULL && node->own_vip)
        node->report->vip = replay->vip;
}

static bool replay_report(const struct step *step)
{
    unsigned i;
    struct replay_node *node = find_node(step, &i);
    if (node == NULL)
        return false;
    free_report(node);
    node->own_database = words_find(step->words, "own-database") != NULL;
    node->own_vip = words_find(step->words, "own-vip") != NULL;
    if (!is_none(step))
        node->report = (Mha__NodeReport *)trace_message_read(step->words, "", &mha__node_report__descriptor);
    join_own(step->replay, node);
    policy_trace_report(step->tracer, step->now_us, i, node->report, step->replay->db, step->replay->vip);
    return true;
}

/* ---- a decision, and what is applied ---- */

/* The parts and the rest of this line. */
static bool make_input(const struct step *step, struct policy_input *input,
                       struct policy_node nodes[POLICY_NODES_MAX])
{
    struct policy_replay *replay = step->replay;
    *input = (struct policy_input){.now_us = step->now_us,
                                   .settings = replay->settings,
                                   .raft = &replay->raft,
                                   .state = &replay->state,
                                   .nodes = nodes,
                                   .marks = &replay->tracker.marks,
                                   .db = replay->db,
                                   .vip = replay->vip};
    input->node_count = (unsigned)words_number(step->words, "nodes");
    if (input->node_count > POLICY_NODES_MAX)
        return false;
    for (unsigned i = 0; i < input->node_count; i++) {
        set_now(&replay->nodes[i], step->now_us);
        join_own(replay, &replay->nodes[i]);
        nodes[i] = replay->nodes[i].node;
        nodes[i].report = replay->nodes[i].report;
        if (nodes[i].self)
            input->self = &nodes[i];
    }
    fields_read(step->words, "", policy_trace_decide_fields, input);
    return true;
}

static bool replay_decide(const struct step *step)
{
    struct policy_node nodes[POLICY_NODES_MAX];
    struct policy_input input;
    if (!make_input(step, &input, nodes))
        return false;
    policy_trace_decide(step->tracer, &step->replay->tracker, &input, &step->replay->output);
    return true;
}

static bool replay_request(const struct step *step)
{
    struct policy_node nodes[POLICY_NODES_MAX];
    struct policy_input input;
    struct policy_request request;
    struct cluster_command command;
    char error[ERROR_TEXT_BYTES] = "";
    bool granted = false;
    if (!make_input(step, &input, nodes))
        return false;
    fields_read(step->words, "", policy_trace_request_fields, &request);
    switch (request.kind) {
    case POLICY_REQUEST_NONE:
        return false;
    case POLICY_REQUEST_SWITCHOVER:
        granted = policy_request_switchover(&input, request.node, request.us, &command, error, sizeof error);
        break;
    case POLICY_REQUEST_FAILOVER:
        granted = policy_request_failover(&input, request.node, request.old_primary_is_off, &command, error,
                                          sizeof error);
        break;
    case POLICY_REQUEST_PAUSE:
        granted = policy_request_pause(&input, request.us, &command, error, sizeof error);
        break;
    case POLICY_REQUEST_RESUME:
        granted = policy_request_resume(&input, &command, error, sizeof error);
        break;
    case POLICY_REQUEST_LEAVE:
        policy_may_leave(&input, request.node, error, sizeof error);
        break;
    case POLICY_REQUEST_REBUILD:
        granted = policy_request_rebuild(&input, request.node, request.donor, request.rate_mb, &command,
                                         error, sizeof error);
        break;
    case POLICY_REQUEST_INIT:
        granted =
            policy_request_init(&input, request.node, request.discard_others, &command, error, sizeof error);
        break;
    case POLICY_REQUEST_CANCEL:
        granted = policy_request_cancel(&input, request.node, &command, error, sizeof error);
        break;
    case POLICY_REQUEST_DRAIN:
        granted = policy_request_drain(&input, request.node, &command, error, sizeof error);
        break;
    }
    policy_trace_request(step->tracer, &input, &request, granted ? &command : NULL, granted ? "" : error);
    return true;
}

static bool replay_apply(const struct step *step)
{
    struct cluster_command command;
    size_t size;
    void *data = words_bytes(words_find(step->words, "data"), &size);
    bool good = data != NULL && cluster_command_unpack(data, size, &command);
    if (good)
        policy_trace_applied(step->tracer, step->now_us, words_number(step->words, "index"), data, size,
                             cluster_state_apply(&step->replay->state, &command), &step->replay->state);
    free(data);
    return good;
}

static bool replay_restore(const struct step *step)
{
    size_t size;
    void *data = words_bytes(words_find(step->words, "data"), &size);
    Mha__ClusterState *message = data == NULL ? NULL : mha__cluster_state__unpack(NULL, size, data);
    bool good = message != NULL && cluster_state_from_message(message, &step->replay->state);
    if (good)
        policy_trace_restored(step->tracer, step->now_us, words_number(step->words, "index"), data, size,
                              &step->replay->state);
    free_message(message);
    free(data);
    return good;
}

bool policy_trace_replay(struct policy_tracer *tracer, struct policy_replay *replay, uint64_t now_us,
                         const struct words *words)
{
    static const struct {
        const char *name;
        bool (*run)(const struct step *step);
    } lines[] = {{"new", replay_new},       {"settings", replay_settings}, {"raft", replay_raft},
                 {"db", replay_db},         {"vip", replay_vip},           {"node", replay_node},
                 {"report", replay_report}, {"decide", replay_decide},     {"request", replay_request},
                 {"apply", replay_apply},   {"restore", replay_restore}};
    struct step step = {tracer, replay, now_us, words};
    const char *name = words->count > 1 ? words->list[1].key : "";
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (strcmp(lines[i].name, name) == 0)
            return lines[i].run(&step);
    }
    return false;
}
