#include "tests/sim/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/story_expect.h"

static const char *const code_names[] = {"ok", "not-leader", "busy", "invalid", "no-memory"};

/* ---- commands ---- */

static bool option(struct story *story, const char *word, struct world_config *config)
{
    const char *value = strchr(word, '=') + 1;
    uint64_t us;
    if (strncmp(word, "chunk=", 6) == 0) {
        config->chunk_bytes = (unsigned)strtoul(value, NULL, 10);
        return true;
    }
    if (!story_time(value, &us))
        return story_fail(story, "'%s' is not a time", value);
    if (strncmp(word, "E=", 2) == 0)
        config->election_us = us;
    else if (strncmp(word, "H=", 2) == 0)
        config->heartbeat_us = us;
    else if (strncmp(word, "net=", 4) == 0)
        config->net_min_us = config->net_max_us = us;
    else if (strncmp(word, "disk=", 5) == 0)
        config->disk_min_us = config->disk_max_us = us;
    else
        return story_fail(story, "unknown option '%s'", word);
    return true;
}

static bool do_cluster(struct story *story, unsigned count, char **words)
{
    struct world_config config = {.seed = 1,
                                  .heartbeat_us = 100000,
                                  .election_us = 1000000,
                                  .net_min_us = 1000,
                                  .net_max_us = 1000,
                                  .disk_min_us = 1000,
                                  .disk_max_us = 1000,
                                  .has_membership = true};
    for (unsigned i = 0; i < count; i++) {
        if (strchr(words[i], '=') != NULL) {
            if (!option(story, words[i], &config))
                return false;
        } else if (words[i][0] == '+') {
            config.spares++;
        } else if (words[i][0] >= 'X') {
            config.arbiters++;
        } else {
            config.data_nodes++;
        }
    }
    if (story->world != NULL || config.data_nodes + config.arbiters + config.spares > WORLD_NODES_MAX)
        return story_fail(story, "one cluster, of at most %d nodes", WORLD_NODES_MAX);
    story->world = world_new(&config);
    story->begun_us = story->world->now_us;
    return true;
}

static bool do_start(struct story *story, unsigned count, char **words)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned node;
        if (!story_node(story, words[i], &node))
            return false;
        world_start(story->world, node);
    }
    return true;
}

static bool do_crash(struct story *story, unsigned count, char **words)
{
    unsigned node, keep = strcmp(words[count - 1], "keeping") == 0 ? 1000 : 0;
    if (!story_node(story, words[0], &node))
        return false;
    if (count >= 4 && strcmp(words[1], "after") == 0 && strcmp(words[3], "steps") == 0)
        world_crash_after(story->world, node, strtoull(words[2], NULL, 10), keep);
    else if (count == (keep > 0 ? 2 : 1))
        world_crash(story->world, node, keep);
    else
        return story_fail(story, "crash NODE [after N steps] [keeping]");
    return true;
}

static bool do_cut(struct story *story, unsigned count, char **words)
{
    unsigned middle = 0;
    while (middle < count && words[middle][0] != '|' && words[middle][0] != '>')
        middle++;
    if (middle == 0 || middle + 1 >= count)
        return story_fail(story, "cut NODES | NODES, or cut NODES > NODES");
    for (unsigned a = 0; a < middle; a++) {
        for (unsigned b = middle + 1; b < count; b++) {
            unsigned from, to;
            if (!story_node(story, words[a], &from) || !story_node(story, words[b], &to))
                return false;
            world_cut(story->world, from, to, true);
            if (words[middle][0] == '|')
                world_cut(story->world, to, from, true);
        }
    }
    return true;
}

static bool do_heal(struct story *story, unsigned count, char **words)
{
    (void)count, (void)words;
    world_heal(story->world);
    return true;
}

static bool add_rule(struct story *story, char **words, enum world_rule_action action, uint64_t delay_us)
{
    struct world_rule rule = {.action = action, .delay_us = delay_us};
    if (!story_kind(story, words[0], &rule.kind) || !story_node(story, words[1], &rule.from) ||
        !story_node(story, words[3], &rule.to))
        return false;
    return world_add_rule(story->world, &rule) || story_fail(story, "too many rules");
}

static bool do_drop(struct story *story, unsigned count, char **words)
{
    return count == 4 ? add_rule(story, words, WORLD_DROP, 0) : story_fail(story, "drop KIND NODE > NODE");
}

static bool do_delay(struct story *story, unsigned count, char **words)
{
    uint64_t us;
    if (count != 5 || !story_time(words[4], &us))
        return story_fail(story, "delay KIND NODE > NODE TIME");
    return add_rule(story, words, WORLD_DELAY, us);
}

bool story_outcome(struct story *story, enum raft_code code, unsigned count, char **words, unsigned at)
{
    const char *expected = count == at + 2 && strcmp(words[at], "refused") == 0 ? words[at + 1] : "ok";
    if (strcmp(code_names[code], expected) != 0)
        return story_fail(story, "the answer is %s, expected: %s", code_names[code], expected);
    return true;
}

bool story_is_up(struct story *story, const char *name, unsigned *node)
{
    if (!story_node(story, name, node))
        return false;
    return story->world->nodes[*node].up || story_fail(story, "%s does not run", name);
}

/* TEXT1, TEXT2, ... */
static bool propose_many(struct story *story, unsigned node, const char *text, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        char entry[64];
        uint64_t index;
        snprintf(entry, sizeof entry, "%s%u", text, i);
        if (world_propose(story->world, node, entry, strlen(entry), &index) != RAFT_OK)
            return story_fail(story, "%s is refused", entry);
    }
    return true;
}

static bool do_propose(struct story *story, unsigned count, char **words)
{
    unsigned node;
    uint64_t index;
    if (count < 2 || !story_is_up(story, words[0], &node))
        return count >= 2 ? false : story_fail(story, "propose NODE TEXT");
    if (count == 4 && strcmp(words[2], "times") == 0)
        return propose_many(story, node, words[1], (unsigned)strtoul(words[3], NULL, 10));
    enum raft_code code = world_propose(story->world, node, words[1], strlen(words[1]), &index);
    return story_outcome(story, code, count, words, 2);
}

static bool do_end_lease(struct story *story, unsigned count, char **words)
{
    unsigned node;
    if (count != 1 || !story_is_up(story, words[0], &node))
        return false;
    world_end_lease(story->world, node);
    return true;
}

static bool do_release(struct story *story, unsigned count, char **words)
{
    unsigned node;
    if (count != 1 || !story_is_up(story, words[0], &node))
        return false;
    world_release(story->world, node);
    return true;
}

static bool do_transfer(struct story *story, unsigned count, char **words)
{
    unsigned node, to;
    if (count < 3)
        return story_fail(story, "transfer NODE to NODE");
    if (!story_is_up(story, words[0], &node) || !story_node(story, words[2], &to))
        return false;
    return story_outcome(story, world_transfer(story->world, node, to), count, words, 3);
}

static bool do_renew(struct story *story, unsigned count, char **words)
{
    unsigned node;
    if (!story_is_up(story, words[0], &node))
        return false;
    return story_outcome(story, world_renew_term(story->world, node), count, words, 1);
}

static bool do_campaign_delay(struct story *story, unsigned count, char **words)
{
    unsigned node;
    uint64_t us;
    if (count != 2 || !story_time(words[1], &us))
        return story_fail(story, "campaign-delay NODE TIME");
    if (!story_node(story, words[0], &node))
        return false;
    world_set_campaign_delay(story->world, node, us);
    return true;
}

static bool do_profile(struct story *story, unsigned count, char **words)
{
    unsigned node;
    uint64_t election_us, heartbeat_us;
    if (count != 3 || !story_time(words[1], &election_us) || !story_time(words[2], &heartbeat_us))
        return story_fail(story, "profile NODE E H");
    if (!story_node(story, words[0], &node))
        return false;
    story->world->nodes[node].election_us = election_us;
    story->world->nodes[node].heartbeat_us = heartbeat_us;
    return true;
}

static bool do_mark(struct story *story, unsigned count, char **words)
{
    (void)count, (void)words;
    story->marked_term = world_highest_term(story->world);
    for (unsigned i = 0; i < story->world->node_count; i++)
        memcpy(story->marked_sent[i], story->world->nodes[i].sent, sizeof story->marked_sent[i]);
    story->marked_reads = story->world->counts.of[COUNT_READS_DONE];
    return true;
}

static const struct {
    const char *name;
    unsigned words_min;
    bool (*run)(struct story *story, unsigned count, char **words);
} commands[] = {
    {"cluster", 1, do_cluster},  {"start", 1, do_start},         {"crash", 1, do_crash},
    {"cut", 3, do_cut},          {"heal", 0, do_heal},           {"drop", 4, do_drop},
    {"delay", 5, do_delay},      {"disk", 2, story_disk},        {"propose", 2, do_propose},
    {"add", 3, story_add},       {"promote", 3, story_promote},  {"remove", 3, story_remove},
    {"wipe", 1, story_wipe},     {"compact", 1, story_compact},  {"read", 1, story_read},
    {"release", 1, do_release},  {"end-lease", 1, do_end_lease}, {"transfer", 3, do_transfer},
    {"renew", 1, do_renew},      {"mark", 0, do_mark},           {"campaign-delay", 2, do_campaign_delay},
    {"expect", 1, story_expect}, {"profile", 3, do_profile},
};

static bool run_command(struct story *story, unsigned count, char **words)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, words[0]) != 0)
            continue;
        if (count - 1 < commands[i].words_min)
            return story_fail(story, "too few words for '%s'", words[0]);
        return commands[i].run(story, count - 1, words + 1);
    }
    return story_fail(story, "unknown command '%s'", words[0]);
}

/* A story with its watch. */
struct told_story {
    struct story base;
    struct story_watch *watch;
};

static void look(struct story *story)
{
    story_watch_look(((struct told_story *)story)->watch, story);
}

bool story_run(const char *path, char *problem, size_t problem_bytes)
{
    struct told_story story = {
        .base = {.path = path, .problem = problem, .problem_bytes = problem_bytes, .look = look, .digits = 3},
        .watch = story_watch_new()};
    bool good = story_run_file(&story.base, run_command);
    story_watch_free(story.watch);
    if (story.base.world != NULL)
        world_free(story.base.world);
    return good;
}
