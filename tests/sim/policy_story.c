#include "tests/sim/policy_story.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent.h"
#include "tests/sim/cluster_check.h"
#include "tests/sim/database.h"
#include "tests/sim/policy_story_expect.h"
#include "tests/sim/vip.h"

static const char *const op_names[] = {
    [DB_OP_FENCE] = "fence", [DB_OP_CLOSE] = "close",         [DB_OP_FREEZE] = "freeze",
    [DB_OP_DRAIN] = "drain", [DB_OP_FOLLOW] = "follow",       [DB_OP_PROMOTE] = "promote",
    [DB_OP_OPEN] = "open",   [DB_OP_SET_COMMIT_RULE] = "rule"};

static const struct {
    const char *name;
    enum process process;
} processes[] = {{"server", PROCESS_SERVER},
                 {"agent", PROCESS_AGENT},
                 {"worker", PROCESS_WORKER},
                 {"vipd", PROCESS_VIPD},
                 {"host", PROCESS_KERNEL}};

static bool find_process(struct policy_story *story, const char *name, enum process *process)
{
    for (size_t i = 0; i < sizeof processes / sizeof processes[0]; i++) {
        *process = processes[i].process;
        if (strcmp(processes[i].name, name) == 0)
            return true;
    }
    return story_fail(&story->base, "'%s' is not a process", name);
}

bool policy_story_host(struct policy_story *story, const char *name, unsigned *host)
{
    if (!story_node(&story->base, name, host))
        return false;
    return *host < story->cluster->data_count || story_fail(&story->base, "%s has no database", name);
}

/* ---- the cluster ---- */

static bool option(struct policy_story *story, const char *word, struct cluster_config *config)
{
    const char *value = strchr(word, '=');
    uint64_t us = 0;

    static const char *const kinds[SERVER_KINDS] = {"mariadb", "mysql", "postgresql"};

    if (strcmp(word, "rejoin-auto") == 0) {
        config->rejoin_auto = true;
        return true;
    }
    if (value && strncmp(word, "available=", 10) == 0) {
        config->available = story_time(value + 1, &config->lag_most_us);
        return config->available;
    }
    if (strcmp(word, "shared-account") == 0) {
        config->shared_account = true;
        return true;
    }
    if (strcmp(word, "no-vip") == 0) {
        config->has_vip = false;
        return true;
    }
    for (unsigned i = 0; i < SERVER_KINDS; i++)
        if (strcmp(word, kinds[i]) == 0) {
            config->kind = (enum server_kind)i;
            return true;
        }
    if (value && strncmp(word, "seed=", 5) == 0) {
        config->world.seed = strtoull(value + 1, NULL, 10);
        return true;
    }
    if (!value || !story_time(value + 1, &us))
        return story_fail(&story->base, "unknown option '%s'", word);
    if (strncmp(word, "E=", 2) == 0)
        config->world.election_us = us;
    else if (strncmp(word, "H=", 2) == 0)
        config->world.heartbeat_us = us;
    else if (strncmp(word, "net=", 4) == 0)
        config->world.net_min_us = config->world.net_max_us = us;
    else if (strncmp(word, "probe-timeout=", 14) == 0)
        config->probe_timeout_us = us;
    else if (strncmp(word, "start=", 6) == 0)
        config->start_min_us = config->start_max_us = us;
    else if (strncmp(word, "copy=", 5) == 0)
        config->copy_min_us = config->copy_max_us = us;
    else if (strncmp(word, "write=", 6) == 0)
        config->write_every_us = us;
    else
        return story_fail(&story->base, "unknown option '%s'", word);
    return true;
}

static bool do_cluster(struct policy_story *story, unsigned count, char **words)
{
    struct cluster_config config = cluster_default_config(0, 0);

    config.world.net_max_us = config.world.net_min_us =
        300; /* what is not told in a story is not by chance */
    config.world.disk_max_us = config.world.disk_min_us = 1000;
    config.op_max_us = config.op_min_us = 500;
    config.apply_max_us = config.apply_min_us = 500;
    config.start_max_us = config.start_min_us = 400000;
    config.copy_max_us = config.copy_min_us = 500000;
    for (unsigned i = 1; i < count; i++) {
        bool name = words[i][1] == '\0';
        if (name && words[i][0] >= 'X')
            config.world.arbiters++;
        else if (name)
            config.world.data_nodes++;
        else if (!option(story, words[i], &config))
            return false;
    }
    if (story->cluster || config.world.data_nodes + config.world.arbiters > WORLD_NODES_MAX)
        return story_fail(&story->base, "one cluster, of at most %d nodes", WORLD_NODES_MAX);
    story->cluster = cluster_new(&config);
    story->base.world = story->cluster->world;
    story->base.begun_us = story->base.world->now_us;
    return true;
}

/* ---- faults ---- */

static bool do_power(struct policy_story *story, unsigned count, char **words)
{
    for (unsigned i = 1; i < count; i++) {
        unsigned host;
        if (!story_node(&story->base, words[i], &host))
            return false;
        if (strcmp(words[0], "on") == 0)
            cluster_power_on(story->cluster, host);
        else
            cluster_power_off(story->cluster, host);
    }
    return true;
}

static bool do_kill(struct policy_story *story, unsigned count, char **words)
{
    enum process process;
    unsigned host;

    if (count != 3 || !find_process(story, words[1], &process) || !story_node(&story->base, words[2], &host))
        return false;
    cluster_kill(story->cluster, host, process);
    return true;
}

static bool do_restart(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;

    if (count != 2 || !policy_story_host(story, words[1], &host))
        return false;
    cluster_restart_server(story->cluster, host);
    return true;
}

static bool do_stop(struct policy_story *story, unsigned count, char **words)
{
    enum process process;
    unsigned host;
    uint64_t us;

    if (count != 4 || !find_process(story, words[1], &process) ||
        !story_node(&story->base, words[2], &host) || !story_time(words[3], &us))
        return false;
    if (process == PROCESS_KERNEL)
        cluster_stop_host(story->cluster, host, us);
    else
        cluster_stop(story->cluster, host, process, us);
    return true;
}

static bool do_stays_down(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;

    if (count != 2 || !story_node(&story->base, words[1], &host))
        return false;
    story->cluster->faults.agent_stays_down[host] = true;
    return true;
}

static bool do_crash(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;

    if (count != 5 || strcmp(words[2], "after") != 0 || !story_node(&story->base, words[1], &host))
        return false;
    world_crash_after(story->base.world, host, strtoull(words[3], NULL, 10), 500);
    return true;
}

static bool do_told_to_stop(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;

    if (count != 2 || !policy_story_host(story, words[1], &host))
        return false;
    agent_tell_to_stop(story->cluster, host);
    return true;
}

static bool do_late_lease(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;

    if (count != 2 || !policy_story_host(story, words[1], &host))
        return false;
    return vip_deliver_late(story->cluster, host) ||
           story_fail(&story->base, "no earlier agent of %s has sent a lease", words[1]);
}

static bool do_cut(struct policy_story *story, unsigned count, char **words)
{
    unsigned middle = 1;

    while (middle < count && words[middle][0] != '|' && words[middle][0] != '>')
        middle++;
    if (middle == 1 || middle + 1 >= count)
        return story_fail(&story->base, "cut NODES | NODES, or cut NODES > NODES");
    for (unsigned a = 1; a < middle; a++) {
        for (unsigned b = middle + 1; b < count; b++) {
            unsigned from, to;
            if (!story_node(&story->base, words[a], &from) || !story_node(&story->base, words[b], &to))
                return false;
            world_cut(story->base.world, from, to, true);
            if (words[middle][0] == '|')
                world_cut(story->base.world, to, from, true);
        }
    }
    return true;
}

static bool do_rule(struct policy_story *story, unsigned count, char **words)
{
    struct world_rule rule = {.action = strcmp(words[0], "drop") == 0 ? WORLD_DROP : WORLD_DELAY};

    if (count < 5 || !story_kind(&story->base, words[1], &rule.kind) ||
        !story_node(&story->base, words[2], &rule.from) || !story_node(&story->base, words[4], &rule.to) ||
        (rule.action == WORLD_DELAY && (count != 6 || !story_time(words[5], &rule.delay_us))))
        return false;
    return world_add_rule(story->base.world, &rule);
}

static bool do_heal(struct policy_story *story, unsigned count, char **words)
{
    (void)count, (void)words;
    world_heal(story->base.world);
    return true;
}

static bool do_applier(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;
    uint64_t us;

    if (count != 4 || !policy_story_host(story, words[1], &host) || !story_time(words[3], &us))
        return false;
    story->cluster->hosts[host].server->applier_held_until_us = story->base.world->now_us + us;
    return true;
}

static bool do_replication(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;

    return count == 4 && policy_story_host(story, words[2], &host) &&
           story_time(words[3], &story->cluster->faults.replication_delay_us[host]);
}

/* Two words of which the second says whether it is the fault or its end. */
static bool do_switch(struct policy_story *story, unsigned count, char **words)
{
    struct cluster_faults *faults = &story->cluster->faults;
    unsigned host;
    bool fault;

    if (count != 3 || !policy_story_host(story, words[1], &host))
        return false;
    fault = strcmp(words[2], "works") != 0 && strcmp(words[2], "accepted") != 0;
    if (strcmp(words[0], "disk") == 0)
        story->cluster->hosts[host].server->disk_hangs = fault;
    else if (strcmp(words[0], "address") == 0)
        faults->vip_refused[host] = fault;
    else
        faults->start_fails[host] = fault;
    return true;
}

static bool do_errant(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;

    if (count != 2 || !policy_story_host(story, words[1], &host))
        return false;
    server_write_errant(story->cluster, host);
    return true;
}

static bool do_fails(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;

    if (count != 3 || !policy_story_host(story, words[1], &host))
        return false;
    for (unsigned op = 1; op <= DB_OP_SET_COMMIT_RULE; op++)
        if (strcmp(op_names[op], words[2]) == 0) {
            story->cluster->faults.op_fails_permille[host][op] = 1000;
            return true;
        }
    return story_fail(&story->base, "'%s' is not an operation", words[2]);
}

static bool do_works(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;

    if (count != 2 || !policy_story_host(story, words[1], &host))
        return false;
    memset(story->cluster->faults.op_fails_permille[host], 0,
           sizeof story->cluster->faults.op_fails_permille[host]);
    return true;
}

/* ---- requests ---- */

static bool ask(struct policy_story *story, enum agent_request request, unsigned to, uint64_t us,
                bool refused)
{
    unsigned leader = world_leader(story->base.world);
    char error[512] = "";
    bool accepted;

    if (leader >= story->cluster->data_count)
        return story_fail(&story->base, "nobody leads");
    accepted = agent_request(story->cluster, leader, request, to, us, error, sizeof error);
    if (accepted == refused)
        return story_fail(&story->base, "the request is %s%s", accepted ? "accepted" : "refused: ", error);
    return true;
}

static bool do_request(struct policy_story *story, unsigned count, char **words)
{
    enum agent_request request = strcmp(words[0], "switchover") == 0 ? REQUEST_SWITCHOVER : REQUEST_FAILOVER;
    bool refused = strcmp(words[count - 1], "refused") == 0;
    uint64_t us = 10000000;
    unsigned to;

    if (count < 3 || !policy_story_host(story, words[2], &to))
        return false;
    for (unsigned i = 3; i < count; i++) {
        if (strcmp(words[i], "old-primary-is-off") == 0)
            request = REQUEST_FAILOVER_OFF;
        else if (strncmp(words[i], "timeout=", 8) == 0 && !story_time(words[i] + 8, &us))
            return false;
    }
    return ask(story, request, to, us, refused);
}

static bool do_had_data(struct policy_story *story, unsigned count, char **words)
{
    unsigned host;

    if (count != 3 || !policy_story_host(story, words[1], &host))
        return false;
    server_had_data(story->cluster, host, (unsigned)strtoul(words[2], NULL, 10));
    return true;
}

static bool do_runs_already(struct policy_story *story, unsigned count, char **words)
{
    unsigned host, source;

    if (!policy_story_host(story, words[1], &host))
        return false;
    source = host;
    if (count == 4 && !policy_story_host(story, words[3], &source))
        return false;
    server_runs_already(story->cluster, host, count == 3 && strcmp(words[2], "writable") == 0, source);
    return true;
}

static bool do_init(struct policy_story *story, unsigned count, char **words)
{
    bool refused = strcmp(words[count - 1], "refused") == 0;
    bool discard = count > 2 && strcmp(words[2], "discard-others") == 0;
    unsigned host;

    return policy_story_host(story, words[1], &host) &&
           ask(story, discard ? REQUEST_INIT_DISCARD : REQUEST_INIT, host, 0, refused);
}

static bool do_aside(struct policy_story *story, unsigned count, char **words)
{
    static const enum agent_request requests[] = {REQUEST_REBUILD, REQUEST_CANCEL, REQUEST_DRAIN};
    static const char *const names[] = {"rebuild", "cancel", "drain"};
    unsigned host, i = 0;

    while (strcmp(names[i], words[0]) != 0)
        i++;
    return policy_story_host(story, words[1], &host) &&
           ask(story, requests[i], host, 0, count == 3 && strcmp(words[2], "refused") == 0);
}

static bool do_rebuilds(struct policy_story *story, unsigned count, char **words)
{
    (void)count;
    story->cluster->faults.rebuild_fails_permille = strcmp(words[1], "fail") == 0 ? 1000 : 0;
    return true;
}

static bool do_pause(struct policy_story *story, unsigned count, char **words)
{
    uint64_t us = 0;

    if (strcmp(words[0], "pause") == 0 && (count != 2 || !story_time(words[1], &us)))
        return false;
    return ask(story, us ? REQUEST_PAUSE : REQUEST_RESUME, WORLD_NODES_MAX, us, false);
}

static bool do_quiet(struct policy_story *story, unsigned count, char **words)
{
    (void)count;
    story->cluster->quiet = strcmp(words[0], "quiet") == 0;
    return true;
}

static bool do_mark(struct policy_story *story, unsigned count, char **words)
{
    (void)count, (void)words;
    story->base.marked_term = world_highest_term(story->base.world);
    cluster_check_mark(story->cluster);
    return true;
}

static const struct {
    const char *name;
    unsigned words_min;
    bool (*run)(struct policy_story *story, unsigned count, char **words);
} commands[] = {
    {"cluster", 1, do_cluster},
    {"on", 2, do_power},
    {"off", 2, do_power},
    {"kill", 3, do_kill},
    {"stop", 4, do_stop},
    {"restart", 2, do_restart},
    {"stays-down", 2, do_stays_down},
    {"crash", 5, do_crash},
    {"told-to-stop", 2, do_told_to_stop},
    {"late-lease", 2, do_late_lease},
    {"cut", 4, do_cut},
    {"heal", 1, do_heal},
    {"drop", 5, do_rule},
    {"delay", 6, do_rule},
    {"replication", 4, do_replication},
    {"applier", 4, do_applier},
    {"disk", 3, do_switch},
    {"address", 3, do_switch},
    {"start", 3, do_switch},
    {"errant", 2, do_errant},
    {"fails", 3, do_fails},
    {"works", 2, do_works},
    {"switchover", 3, do_request},
    {"failover", 3, do_request},
    {"had-data", 3, do_had_data},
    {"runs-already", 2, do_runs_already},
    {"init", 2, do_init},
    {"rebuild", 2, do_aside},
    {"cancel", 2, do_aside},
    {"drain", 2, do_aside},
    {"rebuilds", 2, do_rebuilds},
    {"pause", 2, do_pause},
    {"resume", 1, do_pause},
    {"quiet", 1, do_quiet},
    {"busy", 1, do_quiet},
    {"mark", 1, do_mark},
    {"expect", 2, policy_story_expect},
};

static bool run_command(struct story *base, unsigned count, char **words)
{
    struct policy_story *story = (struct policy_story *)base;

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, words[0]) != 0)
            continue;
        if (count < commands[i].words_min)
            return story_fail(base, "too few words for '%s'", words[0]);
        if (!commands[i].run(story, count, words))
            return false;
        cluster_check_step(story->cluster);
        return true;
    }
    return story_fail(base, "unknown command '%s'", words[0]);
}

static void look(struct story *base)
{
    policy_watch_look(((struct policy_story *)base)->watch, (struct policy_story *)base);
}

bool policy_story_run(const char *path, char *problem, size_t problem_bytes)
{
    struct policy_story story = {
        .base = {.path = path, .problem = problem, .problem_bytes = problem_bytes, .look = look, .digits = 2},
        .watch = policy_watch_new()};
    bool good = story_run_file(&story.base, run_command);

    policy_watch_free(story.watch);
    if (story.cluster)
        cluster_free(story.cluster);
    return good;
}
