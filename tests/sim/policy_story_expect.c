#include "tests/sim/policy_story_expect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/database.h"
#include "tests/sim/vip.h"

static const char *const kinds[] = {"first-start", "failover", "switchover", "restart", "forced"};

/* What is, for the message of a failed expectation. */
static bool describe(struct policy_story *story, unsigned count, char **words)
{
    struct cluster *cluster = story->cluster;
    const struct cluster_state *state = cluster_check_state(cluster);
    char text[900] = "expected:";
    size_t used = strlen(text);

    for (unsigned i = 0; i < count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %s", words[i]);
    if (used < sizeof text)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "; but primary %" PRIu64 " epoch %" PRIu64
                                 "%s, acks %u of %u members, gap %.3f s, outcome '%s';",
                                 state->primary.node, state->primary.epoch,
                                 state->primary.opened ? " opened" : "", state->sync.acks, state->sync.count,
                                 (double)cluster_check_gap_us(cluster) / 1e6, state->last_request_outcome);
    for (unsigned i = 0; i < cluster->data_count && used < sizeof text; i++) {
        const struct world_node *node = &cluster->world->nodes[i];
        const struct server *server = cluster->hosts[i].server;
        used += (size_t)snprintf(text + used, sizeof text - used, " %s: %s%s, server %s%s%s%s%s;", node->name,
                                 !node->up            ? "down"
                                 : node->status.ready ? "leads"
                                                      : "up",
                                 vip_address_is_here(cluster, i) ? ", address" : "",
                                 !cluster_up(cluster, i, PROCESS_SERVER) ? "down"
                                 : server->read_only                     ? "closed"
                                                                         : "open",
                                 server->configured && server->connection.up ? ", follows" : "",
                                 node->up && agent_waiting_for(cluster, i)[0] ? ", waits: " : "",
                                 node->up ? agent_waiting_for(cluster, i) : "", "");
    }
    return story_fail(&story->base, "%s", text);
}

/* ---- what: `ok` is whether it is so; false: the words are wrong ---- */

static bool one_host(struct policy_story *story, unsigned count, char **words, unsigned *host)
{
    return count == 1 && policy_story_host(story, words[0], host);
}

static bool is_serving(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    unsigned serving = cluster_serving(story->cluster), host = story->cluster->world->node_count;

    if (count != 1 || (strcmp(words[0], "none") != 0 && strcmp(words[0], "any") != 0 &&
                       !policy_story_host(story, words[0], &host)))
        return false;
    *ok = strcmp(words[0], "any") == 0 ? serving < story->cluster->data_count : serving == host;
    return true;
}

static bool is_primary(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    unsigned host;

    if (!one_host(story, count, words, &host))
        return false;
    *ok = cluster_check_state(story->cluster)->primary.node == host + 1;
    return true;
}

static bool is_sync(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    const struct sync_set *sync = &cluster_check_state(story->cluster)->sync;

    *ok = sync->count == count;
    for (unsigned i = 0; i < count; i++) {
        unsigned host;
        if (!policy_story_host(story, words[i], &host))
            return false;
        *ok = *ok && cluster_sync_find(sync, host + 1);
    }
    return count > 0;
}

static bool is_acks(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    if (count != 1)
        return false;
    *ok = cluster_check_state(story->cluster)->sync.acks == strtoul(words[0], NULL, 10);
    return true;
}

static bool is_leader(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    unsigned node = story->cluster->world->node_count;

    if (count != 1 || (strcmp(words[0], "none") != 0 && !story_node(&story->base, words[0], &node)))
        return false;
    *ok = world_leader(story->cluster->world) == node;
    return true;
}

static bool is_open(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    unsigned host;

    if (!one_host(story, count, words, &host))
        return false;
    *ok = cluster_up(story->cluster, host, PROCESS_SERVER) && !story->cluster->hosts[host].server->read_only;
    return true;
}

static bool is_address(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    unsigned host;

    if (!one_host(story, count, words, &host))
        return false;
    *ok = vip_address_is_here(story->cluster, host);
    return true;
}

static bool is_up(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    unsigned host;

    if (!one_host(story, count, words, &host))
        return false;
    *ok = cluster_up(story->cluster, host, PROCESS_SERVER);
    return true;
}

static bool is_in_place(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    unsigned host;

    if (!one_host(story, count, words, &host))
        return false;
    *ok = cluster_up(story->cluster, host, PROCESS_SERVER) &&
          !story->cluster->hosts[host].server->started_to_follow;
    return true;
}

static bool is_following(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    const struct server *server;
    unsigned host;

    if (!one_host(story, count, words, &host))
        return false;
    server = story->cluster->hosts[host].server;
    *ok = cluster_up(story->cluster, host, PROCESS_SERVER) && server->configured && server->connection.up &&
          server->source + 1 == cluster_check_state(story->cluster)->primary.node;
    return true;
}

static void join(unsigned count, char **words, char *text, size_t size)
{
    text[0] = '\0';
    for (unsigned i = 0; i < count; i++)
        snprintf(text + strlen(text), size - strlen(text), "%s%s", i ? " " : "", words[i]);
}

static bool is_waiting(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    char text[200];
    unsigned host;

    if (count < 2 || !policy_story_host(story, words[0], &host))
        return false;
    join(count - 1, words + 1, text, sizeof text);
    *ok = story->cluster->world->nodes[host].up && strstr(agent_waiting_for(story->cluster, host), text);
    return true;
}

static bool is_said(struct policy_story *story, unsigned count, char **words, bool *ok, bool next_failure)
{
    char summary[1024], if_one_fails[1024], text[200];
    unsigned host;

    if (count < 2 || !policy_story_host(story, words[0], &host))
        return false;
    join(count - 1, words + 1, text, sizeof text);
    if (!story->cluster->world->nodes[host].up)
        return true;
    agent_summary(story->cluster, host, summary, sizeof summary, if_one_fails, sizeof if_one_fails);
    *ok = strstr(next_failure ? if_one_fails : summary, text) != NULL;
    return true;
}

static bool is_summary(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    return is_said(story, count, words, ok, false);
}

static bool is_next_failure(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    return is_said(story, count, words, ok, true);
}

static bool is_outcome(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    const struct cluster_state *state = cluster_check_state(story->cluster);
    char text[200];

    join(count, words, text, sizeof text);
    *ok = !state->switchover.id && !state->force.id && strstr(state->last_request_outcome, text);
    return count > 0;
}

static bool is_change(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    const struct cluster_state *state = cluster_check_state(story->cluster);

    if (count != 1)
        return false;
    *ok = state->history_count > 0 &&
          strcmp(kinds[state->history[state->history_count - 1].kind], words[0]) == 0;
    return true;
}

static bool is_aside(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    unsigned host;

    if (!one_host(story, count, words, &host))
        return false;
    *ok = cluster_aside_find(cluster_check_state(story->cluster), story->cluster->world->nodes[host].id);
    return true;
}

static bool is_changes(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    if (count != 1)
        return false;
    *ok = cluster_check_changes(story->cluster) == strtoul(words[0], NULL, 10);
    return true;
}

static bool is_answering(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    unsigned host;

    if (!one_host(story, count, words, &host))
        return false;
    *ok = cluster_check_answers(story->cluster, host) > 0;
    return true;
}

static bool is_gap(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    uint64_t us;

    if (count != 1 || !story_time(words[0], &us))
        return false;
    *ok = cluster_check_gap_us(story->cluster) <= us;
    return true;
}

static bool is_term_growth(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    if (count != 1)
        return false;
    *ok = world_highest_term(story->cluster->world) - story->base.marked_term == strtoull(words[0], NULL, 10);
    return true;
}

static const struct {
    const char *name;
    bool (*holds)(struct policy_story *story, unsigned count, char **words, bool *ok);
    bool negated;
} facts[] = {
    {"serves", is_serving, false},
    {"primary", is_primary, false},
    {"sync", is_sync, false},
    {"acks", is_acks, false},
    {"leader", is_leader, false},
    {"open", is_open, false},
    {"closed", is_open, true},
    {"address", is_address, false},
    {"no-address", is_address, true},
    {"up", is_up, false},
    {"down", is_up, true},
    {"follows", is_following, false},
    {"in-place", is_in_place, false},
    {"no-follows", is_following, true},
    {"waits", is_waiting, false},
    {"says", is_summary, false},
    {"if-one-fails", is_next_failure, false},
    {"outcome", is_outcome, false},
    {"change", is_change, false},
    {"aside", is_aside, false},
    {"no-aside", is_aside, true},
    {"changes", is_changes, false},
    {"answers", is_answering, false},
    {"no-answers", is_answering, true},
    {"gap", is_gap, false},
    {"term-growth", is_term_growth, false},
};

static bool evaluate(struct policy_story *story, unsigned count, char **words, bool *ok)
{
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (strcmp(facts[i].name, words[0]) != 0)
            continue;
        *ok = false;
        if (!facts[i].holds(story, count - 1, words + 1, ok))
            return story->base.problem[0] ? false
                                          : story_fail(&story->base, "wrong words after '%s'", words[0]);
        *ok = *ok != facts[i].negated;
        return true;
    }
    return story_fail(&story->base, "nothing is called '%s'", words[0]);
}

bool policy_story_expect(struct policy_story *story, unsigned count, char **words)
{
    struct world *world = story->cluster->world;
    bool within = count >= 4 && strcmp(words[count - 2], "within") == 0;
    bool all_the_while = count >= 4 && strcmp(words[count - 2], "for") == 0, ok;
    unsigned fact_words = within || all_the_while ? count - 3 : count - 1;
    uint64_t for_us = 0, until_us;

    words++;
    if ((within || all_the_while) && !story_time(words[count - 2], &for_us))
        return story_fail(&story->base, "'%s' is not a time", words[count - 2]);
    until_us = world->now_us + for_us;
    for (;;) {
        if (!evaluate(story, fact_words, words, &ok))
            return false;
        if (ok && !all_the_while)
            return true;
        if (!ok && !within)
            return describe(story, fact_words, words);
        if (world->violation[0])
            return story_fail(&story->base, "%s", world->violation);
        if (!story_step(&story->base, until_us) && !world->violation[0])
            break; /* that time has come */
    }
    if (!evaluate(story, fact_words, words, &ok))
        return false;
    return ok || describe(story, fact_words, words);
}
