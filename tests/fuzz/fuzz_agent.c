/* What other agents report (agent.proto), and the policy that decides by it (agent/cluster/policy.h).
 * fuzz: runs=5000 max_len=6000
 *
 * Steps are AgentMessages of one of the others; the control byte says of whom, moves the clock and changes
 * who leads. A reported DbObservation of this node itself stands for what its own worker says. Whatever is
 * reported: nothing is done without the power for it, what is proposed fits the state, and texts end. */
#include <string.h>

#include "agent.pb-c.h"
#include "agent/cluster/policy.h"
#include "tests/fuzz/fuzz.h"

enum { A = 1, B = 2, C = 3, NODES = 3 };
#define E_US 1000000u
#define NOW_US 100000000u
#define TERM 7u

static const char *const words[] = {"0-1-10", "0-1-11", "0-1-10,0-2-3",   "0-1-9", "not a position",
                                    "alpha",  "beta",   "192.0.2.1:3306", "10.11", NULL};
static const char *const names[] = {"alpha", "beta", "gamma"};

static struct {
    struct raft_status raft;
    struct cluster_state state;
    struct policy_node nodes[NODES];
    Mha__AgentMessage *messages[NODES];
    uint64_t incarnations[NODES];
    struct policy_input input;
    struct policy_tracker tracker;
    struct policy_output output;
} w;

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return 1 + fuzz_mutate_steps(&mha__agent_message__descriptor, words, data + (size > 0),
                                 size ? size - 1 : 0, max_size - 1, seed);
}

static void begin(uint8_t how)
{
    memset(&w, 0, sizeof w);
    cluster_state_init(&w.state);
    if (how & 1) {
        w.state.primary = (struct cluster_primary){
            .node = how & 2 ? B : A, .epoch = how & 4 ? TERM : TERM - 1, .opened = how & 8, .incarnation = 1};
        strcpy(w.state.primary.epoch_position, "0-1-5");
        w.state.sync = (struct sync_set){.version = 3, .acks = how & 16 ? 1 : 0, .count = how & 16 ? 2 : 1};
        w.state.sync.members[0] = (struct sync_member){w.state.primary.node, 1};
        w.state.sync.members[1] = (struct sync_member){how & 2 ? A : B, 1};
        w.state.history_count = 1;
        w.state.history[0].epoch = w.state.primary.epoch;
    }
    for (unsigned i = 0; i < NODES; i++)
        w.nodes[i] = (struct policy_node){.id = 1 + i,
                                          .name = names[i],
                                          .self = i == 0,
                                          .heard_us = NOW_US,
                                          .arbiter = i == 2 && (how & 32)};
    w.raft = (struct raft_status){.role = RAFT_LEADER,
                                  .term = TERM,
                                  .leader = A,
                                  .ready = true,
                                  .current = true,
                                  .lease_until_us = NOW_US + 800000,
                                  .round_sent_us = NOW_US - 1000,
                                  .leader_since_us = NOW_US - 50000000,
                                  .waits_for = ""};
    w.input = (struct policy_input){.now_us = NOW_US,
                                    .settings = {.heartbeat_us = 100000,
                                                 .election_us = E_US,
                                                 .probe_timeout_us = 2000000,
                                                 .has_vip = how & 64,
                                                 .acks_kind = (enum policy_acks_kind)(how >> 7)},
                                    .raft = &w.raft,
                                    .state = &w.state,
                                    .node_count = NODES,
                                    .nodes = w.nodes,
                                    .self = &w.nodes[0]};
}

static void take(unsigned node, const struct fuzz_step *step)
{
    Mha__AgentMessage *message = mha__agent_message__unpack(NULL, step->size, step->data);

    /* agent.c and gather.c: anything else is no report */
    if (!message || message->body_case != MHA__AGENT_MESSAGE__BODY_REPORT || !message->report->database) {
        if (message)
            mha__agent_message__free_unpacked(message, NULL);
        return;
    }
    if (w.messages[node])
        mha__agent_message__free_unpacked(w.messages[node], NULL);
    w.messages[node] = message;
    message->report->term = message->report->term % 3 ? TERM : message->report->term;
    message->report->database->observed_us = w.input.now_us;
    w.nodes[node].report = message->report;
    w.nodes[node].reported_us = w.nodes[node].heard_us = w.input.now_us;
    if (node == 0) {
        w.input.db = message->report->database;
        w.input.vip = message->report->vip;
    }
}

static void change_world(uint8_t control)
{
    w.input.now_us += (uint64_t)(control >> 2 & 7) << (control >> 5) * 2 << 12;
    w.raft.round_sent_us = w.input.now_us - 1000;
    w.raft.lease_until_us = w.input.now_us + 800000;
    if ((control & 3) == 3) { /* somebody else leads, or nobody, or it is new */
        w.raft.role = control & 4 ? RAFT_LEADER : RAFT_FOLLOWER;
        w.raft.leader = control & 4 ? A : control >> 4 & 3;
        w.raft.ready = control & 8;
        w.raft.lease_ended = (control & 0x60) == 0x60;
        w.raft.lease_until_us = w.raft.role == RAFT_LEADER && !w.raft.lease_ended ? w.raft.lease_until_us : 0;
        w.input.stopping = (control & 0xe0) == 0xe0;
    }
}

static bool serves(void)
{
    return w.raft.role == RAFT_LEADER && w.raft.ready && w.state.primary.node == A &&
           w.state.primary.epoch == w.raft.term;
}

static void check_output(void)
{
    const struct policy_output *out = &w.output;

    FUZZ_CHECK(memchr(out->waiting_for, 0, sizeof out->waiting_for), "what it waits for ends");
    FUZZ_CHECK(out->lease_epoch == 0 || (serves() && out->lease_epoch == w.raft.term),
               "only the primary of this term gives its database a lease (I6)");
    FUZZ_CHECK(!out->vip_hold || serves(), "only the primary of this term holds the address (I2)");
    if (out->db_op == DB_OP_OPEN || out->db_op == DB_OP_PROMOTE || out->db_op == DB_OP_SET_COMMIT_RULE ||
        out->db_op == DB_OP_SET_ACKNOWLEDGING)
        FUZZ_CHECK(serves() && out->db_epoch == w.raft.term, "only the primary of this term is opened (I3)");
    if (out->db_op == DB_OP_OPEN)
        FUZZ_CHECK(w.state.primary.opened && w.input.db->acks == w.state.sync.acks,
                   "it is opened under the committed rule");
    if (out->db_op == DB_OP_SET_COMMIT_RULE)
        FUZZ_CHECK(out->db_acks >= w.state.sync.acks, "no weaker rule than the committed one");
    if (out->db_op == DB_OP_FOLLOW)
        FUZZ_CHECK(out->db_host && out->db_epoch == w.raft.term && w.state.primary.epoch == w.raft.term,
                   "only the primary of this term is followed");
    FUZZ_CHECK(out->transfer_to == 0 || (out->transfer_to != A && out->transfer_to <= NODES &&
                                         !w.nodes[out->transfer_to - 1].arbiter),
               "the leadership goes to another data node");
    FUZZ_CHECK(out->campaign_delay_us <= 10 * E_US, "a campaign is delayed, not forbidden");
}

/* What the leader proposes is no surprise to the state: it applies, and packs. */
static void check_proposal(void)
{
    static struct cluster_state after;
    struct cluster_command again;
    uint8_t packed[CLUSTER_COMMAND_BYTES_MAX];
    size_t size;

    if (!w.output.propose)
        return;
    FUZZ_CHECK(w.raft.role == RAFT_LEADER && w.raft.ready, "only a leader proposes");
    size = cluster_command_pack(&w.output.command, packed, sizeof packed);
    FUZZ_CHECK(size > 0 && cluster_command_unpack(packed, size, &again), "a proposal packs and unpacks");
    after = w.state;
    FUZZ_CHECK(cluster_state_apply(&after, &again) == NULL, "a proposal fits the state that it was made of");
    if (w.output.command.kind == COMMAND_PROMOTE)
        FUZZ_CHECK(w.output.command.node == A, "a leader promotes itself");
    w.state = after;
}

static void look(void)
{
    char summary[256], if_one_fails[512], error[256];
    struct cluster_command command;

    memset(summary, 'x', sizeof summary);
    memset(if_one_fails, 'x', sizeof if_one_fails);
    policy_summary(&w.input, summary, sizeof summary, if_one_fails, sizeof if_one_fails);
    FUZZ_CHECK(memchr(summary, 0, sizeof summary) && memchr(if_one_fails, 0, sizeof if_one_fails),
               "the summary ends");
    for (unsigned i = 0; i < NODES; i++)
        FUZZ_CHECK(policy_node_role(&w.input, &w.nodes[i]) && policy_node_health(&w.input, &w.nodes[i]),
                   "each node has a role and a health");
    policy_has_successor(&w.input);
    for (uint64_t to = 0; to <= NODES; to++) {
        struct cluster_state after = w.state;
        memset(error, 'x', sizeof error);
        bool sound = policy_request_switchover(&w.input, to, 1000000, &command, error, sizeof error);
        FUZZ_CHECK(sound || memchr(error, 0, sizeof error), "a refusal is explained");
        FUZZ_CHECK(!sound || cluster_state_apply(&after, &command) == NULL,
                   "a switchover that is accepted applies");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct fuzz_step step;

    begin(fuzz_u8(&input));
    while (fuzz_next_step(&input, &step)) {
        change_world(step.control);
        if ((step.control & 3) < NODES)
            take(step.control & 3, &step);
        policy_track(&w.tracker, &w.input);
        policy_decide(&w.tracker, &w.input, &w.output);
        check_output();
        check_proposal();
        look();
    }
    for (unsigned i = 0; i < NODES; i++)
        if (w.messages[i])
            mha__agent_message__free_unpacked(w.messages[i], NULL);
    return 0;
}
