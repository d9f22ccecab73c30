/* The trace of a whole cluster: what of its hosts and of its committed state has changed since the step
 * before, in words. What is committed is told by "-", as what clients find. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/cluster_check.h"
#include "tests/sim/database.h"
#include "tests/sim/policy_story_expect.h"
#include "tests/sim/vip.h"

struct seen_host {
    bool leads, powered, up[PROCESS_COUNT];
    uint64_t life[PROCESS_COUNT];
    bool open, address;
    unsigned acks;
    uint64_t epoch;  /* the newest record in its log */
    unsigned source; /* that it receives from, + 1; 0: none */
    bool acknowledging, rebuilding;
};

struct policy_watch {
    struct seen_host hosts[WORLD_NODES_MAX];
    struct cluster_state state;
    unsigned serving;
};

struct policy_watch *policy_watch_new(void)
{
    struct policy_watch *watch = calloc(1, sizeof *watch);
    assert(watch != NULL);
    cluster_state_init(&watch->state);
    watch->serving = WORLD_NODES_MAX;
    return watch;
}

void policy_watch_free(struct policy_watch *watch)
{
    free(watch);
}

static const char *name_of(const struct policy_story *story, uint64_t id)
{
    return id >= 1 && id <= story->cluster->world->node_count ? story->cluster->world->nodes[id - 1].name
                                                              : "nobody";
}

/* ---- a host ---- */

/* true: it has just been switched on, and so have its programs. */
static bool look_at_power(struct policy_story *story, unsigned i, struct seen_host *seen)
{
    const struct host *host = &story->cluster->hosts[i];
    bool changed = host->powered != seen->powered;
    if (changed)
        story_tell(&story->base, name_of(story, i + 1), host->powered ? "is on" : "is off");
    seen->powered = host->powered;
    return changed && host->powered;
}

static void look_at_processes(struct policy_story *story, unsigned i, struct seen_host *seen, bool just_on)
{
    static const char *const names[] = {
        [PROCESS_AGENT] = "agent", [PROCESS_WORKER] = "dbworker", [PROCESS_VIPD] = "vipd"};
    const struct host *host = &story->cluster->hosts[i];
    for (unsigned p = PROCESS_AGENT; p <= PROCESS_VIPD; p++) {
        const struct process_state *process = &host->processes[p];
        bool ended = seen->up[p] && (!process->up || process->life != seen->life[p]);
        bool began = process->up && (!seen->up[p] || process->life != seen->life[p]);
        if (ended && host->powered) /* else its host is off: that says it */
            story_tell(&story->base, name_of(story, i + 1), "%s ends", names[p]);
        if (began && !just_on)
            story_tell(&story->base, name_of(story, i + 1), "%s starts", names[p]);
        seen->up[p] = process->up;
        seen->life[p] = process->life;
    }
}

static void look_at_leader(struct policy_story *story, unsigned i, struct seen_host *seen)
{
    const struct world_node *node = &story->cluster->world->nodes[i];
    bool leads = node->up && node->status.role == RAFT_LEADER;
    if (leads && !seen->leads)
        story_tell(&story->base, node->name, "leads term %" PRIu64, node->status.term);
    if (!leads && seen->leads && node->up)
        story_tell(&story->base, node->name, "leads no more");
    seen->leads = leads;
}

static void look_at_server_life(struct policy_story *story, unsigned i, struct seen_host *seen)
{
    const struct process_state *process = &story->cluster->hosts[i].processes[PROCESS_SERVER];
    const struct server *server = story->cluster->hosts[i].server;
    const char *name = name_of(story, i + 1);
    bool again = process->up && process->life != seen->life[PROCESS_SERVER];
    if (seen->up[PROCESS_SERVER] && (!process->up || again)) {
        if (story->cluster->hosts[i].powered)
            story_tell(&story->base, name, "server dies%s", seen->open ? ", open" : "");
        seen->open = false;
        seen->source = 0;
        seen->acknowledging = false;
    }
    if (again) {
        story_tell(&story->base, name, "server starts %s",
                   server->started_to_follow ? "to follow" : "in place");
        seen->acks = server->acks;
        seen->epoch = server_epoch(server);
    }
    seen->up[PROCESS_SERVER] = process->up;
    seen->life[PROCESS_SERVER] = process->life;
}

static void look_at_receiver(struct policy_story *story, unsigned i, struct seen_host *seen)
{
    const struct server *server = story->cluster->hosts[i].server;
    const char *name = name_of(story, i + 1);
    unsigned source = server->configured && server->connection.up ? server->source + 1 : 0;
    bool acknowledging = source != 0 && server->acknowledging;
    if (source != seen->source && source != 0)
        story_tell(&story->base, name, "receives from %s%s", name_of(story, source),
                   acknowledging ? " and acknowledges" : "");
    else if (source != seen->source)
        story_tell(&story->base, name, "receives no more");
    else if (acknowledging != seen->acknowledging)
        story_tell(&story->base, name, acknowledging ? "acknowledges" : "acknowledges no more");
    seen->source = source;
    seen->acknowledging = acknowledging;
}

static void look_at_rebuild(struct policy_story *story, unsigned i, struct seen_host *seen)
{
    const struct rebuild_model *rebuild = &story->cluster->hosts[i].rebuild;
    if (rebuild->running && !seen->rebuilding)
        story_tell(&story->base, name_of(story, i + 1), "is rebuilt from %s",
                   name_of(story, rebuild->donor + 1));
    else if (!rebuild->running && seen->rebuilding)
        story_tell(&story->base, name_of(story, i + 1), "its rebuild ends%s",
                   rebuild->unfinished ? ", unfinished" : "");
    seen->rebuilding = rebuild->running;
}

static void look_at_server(struct policy_story *story, unsigned i, struct seen_host *seen)
{
    const struct server *server = story->cluster->hosts[i].server;
    const char *name = name_of(story, i + 1);
    look_at_server_life(story, i, seen);
    if (!seen->up[PROCESS_SERVER])
        return;
    look_at_receiver(story, i, seen);
    if (server->acks != seen->acks)
        story_tell(&story->base, name, "its commits wait for %u acknowledgement%s", server->acks,
                   server->acks == 1 ? "" : "s");
    seen->acks = server->acks;
    uint64_t epoch = server_epoch(server);
    if (epoch != seen->epoch && seen->source == 0)
        story_tell(&story->base, name, "has the record of epoch %" PRIu64 " written", epoch);
    seen->epoch = epoch;
    if (seen->open == server->read_only)
        story_tell(&story->base, name, server->read_only ? "closes" : "opens");
    seen->open = !server->read_only;
}

static void look_at_address(struct policy_story *story, unsigned i, struct seen_host *seen)
{
    bool here = vip_address_is_here(story->cluster, i);
    if (here != seen->address && (here || story->cluster->hosts[i].powered))
        story_tell(&story->base, name_of(story, i + 1), here ? "has the address" : "has the address no more");
    seen->address = here;
}

/* ---- what is committed ---- */

static void look_at_primary(struct policy_story *story, const struct cluster_state *before,
                            const struct cluster_state *now)
{
    static const char *const kinds[] = {"first start", "failover", "switchover", "restart", "forced"};
    const struct cluster_primary *primary = &now->primary;
    if (primary->node != before->primary.node || primary->epoch != before->primary.epoch)
        story_tell(&story->base, "-", "primary %s, epoch %" PRIu64 " (%s)", name_of(story, primary->node),
                   primary->epoch,
                   now->history_count > 0 ? kinds[now->history[now->history_count - 1].kind] : "");
    else if (primary->opened && !before->primary.opened)
        story_tell(&story->base, "-", "the record of epoch %" PRIu64 " is committed", primary->epoch);
}

static void look_at_sync(struct policy_story *story, const struct sync_set *before,
                         const struct sync_set *now)
{
    char text[64] = "";
    size_t used = 0;
    bool same = before->count == now->count && before->acks == now->acks;
    for (unsigned i = 0; i < now->count; i++) {
        const struct sync_member *member = cluster_sync_find(before, now->members[i].node);
        same = same && member != NULL && member->incarnation == now->members[i].incarnation;
        if (used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "",
                                     name_of(story, now->members[i].node));
    }
    if (!same)
        story_tell(&story->base, "-", "sync {%s}, acks %u", text, now->acks);
}

static void look_at_requests(struct policy_story *story, const struct cluster_state *before,
                             const struct cluster_state *now)
{
    struct story *base = &story->base;
    if (now->switchover.id != 0 && now->switchover.id != before->switchover.id)
        story_tell(base, "-", "switchover to %s is asked for", name_of(story, now->switchover.to));
    if (now->force.id != 0 && now->force.id != before->force.id)
        story_tell(base, "-", "failover to %s is asked for", name_of(story, now->force.node));
    if (now->pause.id != before->pause.id)
        story_tell(base, "-", now->pause.id != 0 ? "pause, held by %s" : "pause is over",
                   name_of(story, now->pause.holder));
    if (now->last_request_id != before->last_request_id)
        story_tell(base, "-", "request: %.100s", now->last_request_outcome);
}

static void look_at_asides(struct policy_story *story, const struct cluster_state *before,
                           const struct cluster_state *now)
{
    for (unsigned i = 0; i < now->aside_count; i++)
        if (!cluster_aside_find(before, now->asides[i].node))
            story_tell(&story->base, "-", "%s is to be %s", name_of(story, now->asides[i].node),
                       now->asides[i].kind == MHA__ASIDE_KIND__ASIDE_DRAIN ? "drained" : "rebuilt");
    for (unsigned i = 0; i < before->aside_count; i++)
        if (!cluster_aside_find(now, before->asides[i].node))
            story_tell(&story->base, "-", "%s is no longer %s", name_of(story, before->asides[i].node),
                       before->asides[i].kind == MHA__ASIDE_KIND__ASIDE_DRAIN ? "drained" : "rebuilt");
}

static void look_at_clients(struct policy_story *story, struct policy_watch *watch)
{
    unsigned serving = cluster_serving(story->cluster);
    if (serving >= story->cluster->data_count)
        serving = WORLD_NODES_MAX;
    if (serving != watch->serving)
        story_tell(&story->base, "-", "%s serves",
                   serving < WORLD_NODES_MAX ? name_of(story, serving + 1) : "nobody");
    watch->serving = serving;
}

void policy_watch_look(struct policy_watch *watch, struct policy_story *story)
{
    const struct cluster_state *state = cluster_check_state(story->cluster);
    for (unsigned i = 0; i < story->cluster->world->node_count; i++) {
        struct seen_host *seen = &watch->hosts[i];
        look_at_processes(story, i, seen, look_at_power(story, i, seen));
        look_at_leader(story, i, seen);
        if (i >= story->cluster->data_count)
            continue;
        look_at_rebuild(story, i, seen);
        look_at_server(story, i, seen);
        look_at_address(story, i, seen);
    }
    look_at_requests(story, &watch->state, state);
    look_at_asides(story, &watch->state, state);
    look_at_primary(story, &watch->state, state);
    look_at_sync(story, &watch->state.sync, &state->sync);
    watch->state = *state;
    look_at_clients(story, watch);
}
