#include "agent/api/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api/compare.h"
#include "agent/api/local_check.h"
#include "common/base/clock.h"

#define CHECKS_MAX 16
/* Beyond what a local check takes: both ways. */
#define ANSWER_US (LOCAL_CHECK_US + 2000000u)
#define TROUBLE_BYTES 256

enum purpose { PURPOSE_NONE, PURPOSE_LOCAL, PURPOSE_ALL, PURPOSE_SWITCHOVER };

struct gathering;

/* One node that is asked. */
struct part {
    struct gathering *gathering;
    char name[REPLICA_NAME_BYTES];
    bool arbiter, self;
    bool over;
    Mha__ControlReply *reply; /* its own copy; NULL: none */
    char trouble[TROUBLE_BYTES];
    uint64_t asked_us, answered_us; /* CLOCK_REALTIME */
};

struct gathering {
    enum purpose purpose;
    struct checks *checks;
    struct asker asker;
    Mha__ControlRequest *asked; /* a copy; PURPOSE_SWITCHOVER */
    struct local_check *local;
    unsigned count;
    struct part parts[REPLICA_TOLD_MAX];
};

struct checks {
    struct agent *agent;
    struct forwards *forwards;
    check_switchover_done done;
    void *context;
    struct gathering list[CHECKS_MAX];
};

/* ---- one node's answer ---- */

static Mha__ControlReply *copy_reply(const Mha__ControlReply *reply)
{
    size_t size = mha__control_reply__get_packed_size(reply);
    uint8_t *bytes = malloc(size ? size : 1);
    Mha__ControlReply *copy = NULL;

    if (bytes) {
        mha__control_reply__pack(reply, bytes);
        copy = mha__control_reply__unpack(NULL, size, bytes);
    }
    free(bytes);
    return copy;
}

static void on_local(void *context, const Mha__ControlReply *reply)
{
    struct part *part = context;

    part->over = true;
    part->answered_us = clock_wall_us();
    part->reply = copy_reply(reply);
    if (!part->reply)
        snprintf(part->trouble, sizeof part->trouble, "the agent is out of memory");
}

static void on_answered(void *context, const Mha__ControlReply *reply)
{
    struct part *part = context;

    if (reply)
        on_local(part, reply);
    else
        snprintf(part->trouble, sizeof part->trouble,
                 "connected, but there was no answer in %u s: does it hang?", ANSWER_US / 1000000);
    part->over = true;
}

static struct part *add_part(struct gathering *gathering, const struct replica_member *member)
{
    struct part *part = &gathering->parts[gathering->count++];

    *part = (struct part){.gathering = gathering,
                          .arbiter = member->arbiter,
                          .self = member->self,
                          .asked_us = clock_wall_us()};
    snprintf(part->name, sizeof part->name, "%s", member->name);
    return part;
}

static void ask_self(struct gathering *gathering, struct part *part, bool switchover)
{
    gathering->local = local_check_start(gathering->checks->agent, switchover, on_local, part);
    if (gathering->local)
        return;
    part->over = true;
    snprintf(part->trouble, sizeof part->trouble, "the agent is out of memory");
}

static void ask_other(struct gathering *gathering, struct part *part, const struct replica_member *member,
                      bool switchover)
{
    struct agent *agent = gathering->checks->agent;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    Mha__CheckRequest check = MHA__CHECK_REQUEST__INIT;

    check.local = true;
    check.switchover = switchover;
    request.body_case = MHA__CONTROL_REQUEST__BODY_CHECK;
    request.check = &check;
    if (!member->connected)
        snprintf(part->trouble, sizeof part->trouble, "%s", member->trouble);
    else if (!replica_formed(agent->replica))
        snprintf(part->trouble, sizeof part->trouble, "%s", replica_forming(agent->replica));
    else if (forward_send(gathering->checks->forwards, member->id, &request, ANSWER_US, on_answered, part))
        return;
    else
        snprintf(part->trouble, sizeof part->trouble, "it could not be asked: too much is under way");
    part->over = true;
}

/* ---- all answers ---- */

static void free_gathering(struct gathering *gathering)
{
    local_check_free(gathering->local);
    for (unsigned i = 0; i < gathering->count; i++) {
        forward_forget(gathering->checks->forwards, &gathering->parts[i]);
        if (gathering->parts[i].reply)
            mha__control_reply__free_unpacked(gathering->parts[i].reply, NULL);
    }
    if (gathering->asked)
        mha__control_request__free_unpacked(gathering->asked, NULL);
    gathering->purpose = PURPOSE_NONE;
    gathering->count = 0;
    gathering->local = NULL;
    gathering->asked = NULL;
}

static void take_findings(const struct gathering *gathering, struct findings *out)
{
    for (unsigned i = 0; i < gathering->count; i++) {
        const struct part *part = &gathering->parts[i];
        for (size_t k = 0; part->reply && k < part->reply->n_findings; k++)
            findings_take(out, part->name, part->reply->findings[k]);
    }
}

static void compare(const struct gathering *gathering, struct findings *out)
{
    struct agent *agent = gathering->checks->agent;
    const struct agent_settings *settings = agent->settings;
    struct compare_node nodes[REPLICA_TOLD_MAX];
    struct compare_input input = {.count = gathering->count,
                                  .nodes = nodes,
                                  .primary = "",
                                  .primary_open = agent->state.primary.opened,
                                  .vip = settings->vip_address,
                                  .port = settings->database.port,
                                  .cluster = settings->group.cluster,
                                  .key_file = settings->group.key_file};

    agent_gather(agent);
    for (unsigned i = 0; i < agent->input.node_count; i++) {
        const struct policy_node *node = &agent->input.nodes[i];
        if (!node->id || node->id != agent->state.primary.node)
            continue;
        input.primary = node->name;
        if (node->report && node->report->database_port)
            input.port = node->report->database_port;
    }
    for (unsigned i = 0; i < gathering->count; i++) {
        const struct part *part = &gathering->parts[i];
        nodes[i] = (struct compare_node){.name = part->name,
                                         .arbiter = part->arbiter,
                                         .self = part->self,
                                         .reply = part->reply,
                                         .trouble = part->trouble,
                                         .asked_us = part->asked_us,
                                         .answered_us = part->answered_us};
    }
    compare_nodes(&input, out);
}

static void finish_all(struct gathering *gathering)
{
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;
    struct findings findings = {0};

    take_findings(gathering, &findings);
    compare(gathering, &findings);
    reply.n_findings = findings.count;
    reply.findings = findings.items;
    if (findings.incomplete)
        reply.error = (char *)"the agent is out of memory, and the findings are not complete; ask again";
    else if (findings.count == 0)
        reply.message = (char *)"nothing stands in the way";
    asker_reply(gathering->checks->agent, &gathering->asker, &reply);
    findings_free(&findings);
}

static void finish_switchover(struct gathering *gathering)
{
    struct findings findings = {0};
    char error[TROUBLE_BYTES + REPLICA_NAME_BYTES] = "";

    take_findings(gathering, &findings);
    for (unsigned i = 0; i < gathering->count; i++) {
        const struct part *part = &gathering->parts[i];
        if (!part->reply)
            snprintf(error, sizeof error, "%s could not be looked at before the switchover: %s", part->name,
                     part->trouble);
        else if (part->reply->error[0])
            snprintf(error, sizeof error, "%s could not be looked at before the switchover: %s", part->name,
                     part->reply->error);
    }
    gathering->checks->done(gathering->checks->context, &gathering->asker, gathering->asked, error,
                            &findings);
    findings_free(&findings);
}

static void finish(struct gathering *gathering)
{
    struct agent *agent = gathering->checks->agent;

    if (gathering->purpose == PURPOSE_ALL)
        finish_all(gathering);
    else if (gathering->purpose == PURPOSE_SWITCHOVER)
        finish_switchover(gathering);
    else if (gathering->parts[0].reply)
        asker_reply(agent, &gathering->asker, gathering->parts[0].reply);
    else
        asker_reply_text(agent, &gathering->asker, gathering->parts[0].trouble, "");
    free_gathering(gathering);
}

/* ---- questions ---- */

static struct gathering *begin(struct checks *checks, const struct asker *asker, enum purpose purpose)
{
    for (unsigned i = 0; i < CHECKS_MAX; i++) {
        struct gathering *gathering = &checks->list[i];
        if (gathering->purpose != PURPOSE_NONE)
            continue;
        *gathering = (struct gathering){.purpose = purpose, .checks = checks, .asker = *asker};
        return gathering;
    }
    asker_reply_text(checks->agent, asker, "too many checks are under way; ask again in a moment", "");
    return NULL;
}

static void ask(struct gathering *gathering, const struct replica_member *member, bool switchover)
{
    struct part *part = add_part(gathering, member);

    if (member->self)
        ask_self(gathering, part, switchover);
    else
        ask_other(gathering, part, member, switchover);
}

static int by_name(const void *a, const void *b)
{
    const struct replica_member *left = a, *right = b;

    return strcmp(left->name, right->name);
}

/* Whom the question goes to: all, or those two. In the order of their names, so that the answer does not
 * depend on who is asked. */
static void ask_members(struct gathering *gathering, bool all, uint64_t other, bool switchover)
{
    struct replica *replica = gathering->checks->agent->replica;
    struct replica_member members[REPLICA_TOLD_MAX];
    unsigned told = replica_member_count(replica), count = 0;

    for (unsigned i = 0; i < told && i < REPLICA_TOLD_MAX; i++) {
        replica_member(replica, i, &members[count]);
        if (all || members[count].self || (other && members[count].id == other))
            count++;
    }
    qsort(members, count, sizeof members[0], by_name);
    for (unsigned i = 0; i < count; i++)
        ask(gathering, &members[i], switchover);
    agent_wake(gathering->checks->agent);
}

void checks_local(struct checks *checks, const struct asker *asker, bool switchover)
{
    struct gathering *gathering = begin(checks, asker, PURPOSE_LOCAL);

    if (gathering)
        ask_members(gathering, false, 0, switchover);
}

void checks_all(struct checks *checks, const struct asker *asker)
{
    struct gathering *gathering = begin(checks, asker, PURPOSE_ALL);

    if (gathering)
        ask_members(gathering, true, 0, false);
}

void checks_switchover(struct checks *checks, const struct asker *asker, const Mha__ControlRequest *asked,
                       uint64_t target)
{
    struct gathering *gathering = begin(checks, asker, PURPOSE_SWITCHOVER);
    size_t size = mha__control_request__get_packed_size(asked);
    uint8_t *bytes = malloc(size ? size : 1);

    if (gathering && bytes) {
        mha__control_request__pack(asked, bytes);
        gathering->asked = mha__control_request__unpack(NULL, size, bytes);
    }
    free(bytes);
    if (gathering && gathering->asked) {
        ask_members(gathering, false, target, true);
    } else if (gathering) {
        asker_reply_text(checks->agent, asker, "the agent is out of memory", "");
        gathering->purpose = PURPOSE_NONE;
    }
}

void checks_step(struct checks *checks)
{
    for (unsigned i = 0; i < CHECKS_MAX; i++) {
        struct gathering *gathering = &checks->list[i];
        bool over = true;
        if (gathering->purpose == PURPOSE_NONE)
            continue;
        if (gathering->local && local_check_step(gathering->local)) {
            local_check_free(gathering->local);
            gathering->local = NULL;
        }
        for (unsigned k = 0; k < gathering->count; k++)
            over = over && gathering->parts[k].over;
        if (over)
            finish(gathering);
    }
}

struct checks *checks_new(struct agent *agent, struct forwards *forwards, check_switchover_done done,
                          void *context)
{
    struct checks *checks = calloc(1, sizeof *checks);

    if (checks)
        *checks = (struct checks){.agent = agent, .forwards = forwards, .done = done, .context = context};
    return checks;
}

void checks_free(struct checks *checks)
{
    if (!checks)
        return;
    for (unsigned i = 0; i < CHECKS_MAX; i++) {
        if (checks->list[i].purpose == PURPOSE_NONE)
            continue;
        asker_reply_text(checks->agent, &checks->list[i].asker, "the agent is being stopped", "");
        free_gathering(&checks->list[i]);
    }
    free(checks);
}
