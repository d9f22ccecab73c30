/* What the arbiter answers on its control socket: the group as it sees it. It knows no database and no
 * address. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arbiter/arbiter.h"
#include "common/base/clock.h"
#include "control.pb-c.h"

#define SENTENCE_BYTES 1024

struct status_memory {
    Mha__NodeStatus nodes[REPLICA_TOLD_MAX];
    Mha__NodeStatus *node_pointers[REPLICA_TOLD_MAX];
    struct replica_stranger strangers[REPLICA_STRANGERS_MAX];
    Mha__Stranger stranger_messages[REPLICA_STRANGERS_MAX];
    Mha__Stranger *stranger_pointers[REPLICA_STRANGERS_MAX];
    char changing[SENTENCE_BYTES];
    char summary[SENTENCE_BYTES];
    char if_one_fails[SENTENCE_BYTES];
};

static void reply(struct control_request *request, Mha__ControlReply *answer)
{
    size_t size = mha__control_reply__get_packed_size(answer);
    uint8_t *bytes = malloc(size ? size : 1);

    /* Without memory an empty reply: the client is closed, and asks again. */
    if (bytes)
        mha__control_reply__pack(answer, bytes);
    control_reply(request, bytes, bytes ? size : 0);
    free(bytes);
}

static void reply_error(struct control_request *request, const char *text)
{
    Mha__ControlReply answer = MHA__CONTROL_REPLY__INIT;

    answer.error = (char *)text;
    reply(request, &answer);
}

static void describe_member(const struct arbiter_cluster *cluster, const struct raft_status *raft, unsigned i,
                            Mha__NodeStatus *node)
{
    uint64_t now_us = clock_now_us();
    struct replica_member member;

    mha__node_status__init(node);
    replica_member(cluster->replica, i, &member);
    node->id = member.id;
    node->name = (char *)member.name;
    node->kind = member.arbiter ? MHA__MEMBER_KIND__MEMBER_ARBITER : MHA__MEMBER_KIND__MEMBER_DATA;
    node->address = (char *)member.address;
    node->self = member.self;
    node->voter = member.voter;
    node->reachable = member.connected;
    node->heard_ms_ago = !member.self && member.heard_us ? (now_us - member.heard_us) / 1000 : 0;
    node->role = member.arbiter ? (char *)"arbiter" : (char *)"unknown";
    node->leader = member.id != 0 && member.id == raft->leader;
    node->health = member.trouble[0] ? (char *)member.trouble : (char *)"ok";
    if (member.self)
        node->program_version = (char *)MHA_VERSION;
}

static void describe_strangers(const struct arbiter_cluster *cluster, Mha__StatusReply *status,
                               struct status_memory *memory)
{
    uint64_t now_us = clock_now_us();

    status->n_strangers = replica_strangers(cluster->replica, memory->strangers, REPLICA_STRANGERS_MAX);
    status->strangers = memory->stranger_pointers;
    for (size_t i = 0; i < status->n_strangers; i++) {
        const struct replica_stranger *stranger = &memory->strangers[i];
        Mha__Stranger *out = &memory->stranger_messages[i];
        mha__stranger__init(out);
        out->id = stranger->id;
        out->name = (char *)stranger->name;
        out->address = (char *)stranger->address;
        out->kind = stranger->arbiter ? MHA__MEMBER_KIND__MEMBER_ARBITER : MHA__MEMBER_KIND__MEMBER_DATA;
        out->seen_ms_ago = (now_us - stranger->seen_us) / 1000;
        out->replaces = stranger->replaces;
        memory->stranger_pointers[i] = out;
    }
}

static void summarize(const struct arbiter_cluster *cluster, Mha__StatusReply *status,
                      struct status_memory *memory)
{
    unsigned voters = 0, reachable = 0, majority;

    for (unsigned i = 0; i < status->n_nodes; i++) {
        voters += status->nodes[i]->voter;
        reachable += status->nodes[i]->voter && status->nodes[i]->reachable;
    }
    majority = voters / 2 + 1;
    status->has_quorum = status->formed && reachable >= majority;
    if (!status->formed)
        snprintf(memory->summary, sizeof memory->summary, "%s", replica_forming(cluster->replica));
    else if (status->removed[0])
        snprintf(memory->summary, sizeof memory->summary, "%s", status->removed);
    else if (!status->has_quorum)
        snprintf(memory->summary, sizeof memory->summary,
                 "no quorum: %u of %u members are reached, %u are needed", reachable, voters, majority);
    else if (status->leader[0] == '\0')
        snprintf(memory->summary, sizeof memory->summary, "%u of %u members are reached, and none leads yet",
                 reachable, voters);
    else
        snprintf(memory->summary, sizeof memory->summary, "%s leads, %u of %u members are reached",
                 status->leader, reachable, voters);
    if (status->has_quorum)
        snprintf(memory->if_one_fails, sizeof memory->if_one_fails,
                 reachable > majority
                     ? "the group bears the loss of any one member"
                     : "no further member may fail: the cluster would stop until one is back");
    status->summary = memory->summary;
    status->if_one_fails = memory->if_one_fails;
}

static void reply_status(struct control_request *request, const struct arbiter_cluster *cluster)
{
    struct status_memory *memory = calloc(1, sizeof *memory);
    Mha__ControlReply answer = MHA__CONTROL_REPLY__INIT;
    Mha__StatusReply status = MHA__STATUS_REPLY__INIT;
    struct raft_status raft;

    if (!memory) {
        reply_error(request, "no memory for the status; ask again");
        return;
    }
    replica_status(cluster->replica, &raft);
    status.cluster = (char *)cluster->settings->cluster;
    status.self = (char *)cluster->settings->node;
    status.term = raft.term;
    status.formed = replica_formed(cluster->replica);
    status.applied_index = raft.commit_index;
    status.n_nodes = replica_member_count(cluster->replica);
    status.nodes = memory->node_pointers;
    for (unsigned i = 0; i < status.n_nodes; i++) {
        describe_member(cluster, &raft, i, &memory->nodes[i]);
        memory->node_pointers[i] = &memory->nodes[i];
        if (memory->nodes[i].leader)
            status.leader = memory->nodes[i].name;
    }
    status.removed = (char *)replica_removed(cluster->replica);
    status.changing = (char *)replica_changing(cluster->replica, memory->changing, sizeof memory->changing);
    describe_strangers(cluster, &status, memory);
    summarize(cluster, &status, memory);
    answer.status = &status;
    reply(request, &answer);
    free(memory);
}

static void on_status(struct arbiter *arbiter, struct control_request *request, const char *name)
{
    char text[SENTENCE_BYTES];

    for (unsigned i = 0; i < arbiter->cluster_count; i++)
        if (name[0] == '\0' || strcmp(arbiter->clusters[i].settings->cluster, name) == 0) {
            reply_status(request, &arbiter->clusters[i]);
            return;
        }
    snprintf(text, sizeof text,
             "no cluster \"%.64s\" is served by this arbiter; its clusters are in arbiter.conf", name);
    reply_error(request, text);
}

void arbiter_on_request(void *context, struct control_request *request, const uint8_t *data, size_t size)
{
    Mha__ControlRequest *asked = mha__control_request__unpack(NULL, size, data);
    Mha__ControlReply answer = MHA__CONTROL_REPLY__INIT;

    if (!asked) {
        reply_error(request, "this request cannot be read; is mhactl of the same version?");
        return;
    }
    switch (asked->body_case) {
    case MHA__CONTROL_REQUEST__BODY_STATUS:
        if (asked->status->confirmed)
            reply_error(request,
                        "an arbiter cannot tell what is confirmed; ask the agent of the node that leads");
        else
            on_status(context, request, asked->status->cluster);
        break;
    case MHA__CONTROL_REQUEST__BODY_VERSION:
        answer.version = (char *)MHA_VERSION;
        reply(request, &answer);
        break;
    default:
        reply_error(request, "an arbiter answers status and version only; ask the agent of a database host");
    }
    mha__control_request__free_unpacked(asked, NULL);
}
