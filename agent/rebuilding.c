/* rebuilding.c - the own database made anew, as the policy says: from its output to the child that does it,
 * and from what became of that to its input. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "common/base/clock.h"

#define AGAIN_US 1000000u /* after a child that could not be started */

static void on_changed(void *context)
{
    agent_send_report(context);
    agent_wake(context);
}

static void on_wants_donor(void *context, const char *donor, unsigned rate_mb)
{
    struct agent *agent = context;

    if (agent->ask_donor)
        agent->ask_donor(agent->stepped_context, donor, rate_mb);
    else
        rebuild_child_offer(agent->rebuild, "", "this agent does not take requests yet");
}

/* The names begin with the time, so that the last one is the newest. */
static void find_set_aside(struct agent *agent)
{
    char top[REPLICA_PATH_BYTES + 16], newest[sizeof agent->set_aside - sizeof top] = "";
    struct dirent *entry;
    DIR *dir;

    snprintf(top, sizeof top, "%s/set-aside", agent->settings->data_dir);
    dir = opendir(top);
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, newest) > 0)
            snprintf(newest, sizeof newest, "%s", entry->d_name);
    if (dir)
        closedir(dir);
    agent->set_aside[0] = '\0';
    if (newest[0])
        snprintf(agent->set_aside, sizeof agent->set_aside, "%s/%s", top, newest);
}

static void on_done(void *context, const char *error)
{
    struct agent *agent = context;

    agent->rebuild_failures = error ? agent->rebuild_failures + 1 : 0;
    if (error)
        log_error("rebuild: %s", error);
    else
        log_notice("rebuild: done; the database is as the donor's, and follows");
    find_set_aside(agent);
    agent_spawn_worker(agent);
    agent_send_report(agent);
    agent_wake(agent);
}

enum error_code agent_rebuild_open(struct agent *agent, const char *program, struct error *err)
{
    static const struct rebuild_child_callbacks callbacks = {
        .changed = on_changed, .wants_donor = on_wants_donor, .done = on_done};
    struct rebuild_child_config config = {program, agent->config_path, agent->dbworker_lock,
                                          agent->settings->data_dir};

    find_set_aside(agent);
    return rebuild_child_new(agent->base, &config, &callbacks, agent, &agent->rebuild, err);
}

bool agent_rebuild_has_database(const struct agent *agent)
{
    return rebuild_child_running(agent->rebuild) || rebuild_child_unfinished(agent->rebuild);
}

void agent_rebuild_gather(struct agent *agent)
{
    struct policy_input *input = &agent->input;

    input->rebuilding = rebuild_child_running(agent->rebuild);
    input->rebuild_unfinished = rebuild_child_unfinished(agent->rebuild);
    input->rebuild_id = agent->rebuild_id;
    input->rebuild_failed_us = rebuild_child_failed_us(agent->rebuild);
    input->rebuild_failures = agent->rebuild_failures;
}

void agent_rebuild_report(struct agent *agent, Mha__NodeReport *report)
{
    report->rebuild = (Mha__RebuildState *)rebuild_child_state(agent->rebuild);
    report->set_aside = agent->set_aside;
    report->rebuild_unfinished = rebuild_child_unfinished(agent->rebuild);
    report->aside_over = agent->output.aside_over;
}

static const struct policy_node *find(const struct agent *agent, uint64_t id)
{
    for (unsigned i = 0; i < agent->input.node_count; i++)
        if (agent->input.nodes[i].id == id && id)
            return &agent->input.nodes[i];
    return NULL;
}

static void start(struct agent *agent, const struct policy_node *donor)
{
    const struct policy_node *primary = find(agent, agent->state.primary.node);
    const Mha__NodeReport *known = primary ? primary->report : NULL;
    struct rebuild_order order = {.donor = donor->name,
                                  .host = donor->report->database_host,
                                  .port = donor->report->database_port,
                                  .known = known && known->database ? known->database->executed : "",
                                  .rate_mb = agent->output.rebuild_rate_mb,
                                  .reason = agent->output.waiting_for};
    struct error err;

    if (rebuild_child_start(agent->rebuild, &order, &err) != ERR_OK) {
        log_error("rebuild: %s", err.text);
        agent->rebuild_again_us = clock_now_us() + AGAIN_US;
        return;
    }
    log_notice("rebuild: the database is made anew from that of %s", donor->name);
    agent->rebuild_id = agent->output.rebuild_id;
    if (agent->worker)
        dbworker_stop(agent->worker);
    agent_send_report(agent);
}

void agent_rebuild_carry_out(struct agent *agent)
{
    const struct policy_node *donor = find(agent, agent->output.rebuild_from);

    if (agent->output.rebuild_cancel)
        rebuild_child_cancel(agent->rebuild);
    if (donor && donor->report && !agent->stopping && !rebuild_child_running(agent->rebuild) &&
        clock_now_us() >= agent->rebuild_again_us)
        start(agent, donor);
}
