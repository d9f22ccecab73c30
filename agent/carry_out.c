/* carry_out.c - what the policy decided, done. */
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "common/base/clock.h"

/* The worker bounds each operation itself; beyond this the agent no longer waits for its answer. */
#define OP_TIMEOUT_US 30000000u
#define WATCH_INTERVAL_US 5000u
#define WATCH_US 500000u
#define SERVER_QUIET_US 1000000u
#define WAITING_PREFIX 48

static const char *const op_names[] = {
    [DB_OP_NONE] = "nothing",
    [DB_OP_FENCE] = "fence",
    [DB_OP_CLOSE] = "close",
    [DB_OP_FREEZE] = "freeze",
    [DB_OP_DRAIN] = "drain",
    [DB_OP_FOLLOW] = "follow",
    [DB_OP_PROMOTE] = "promote",
    [DB_OP_OPEN] = "open",
    [DB_OP_SET_COMMIT_RULE] = "set the commit rule",
    [DB_OP_SET_ACKNOWLEDGING] = "set who may acknowledge",
};

/* ---- leases ---- */

/* The lease of raft, or that of a pause which this agent proposed: from the moment before its proposal. */
static uint64_t lease_until(const struct agent *agent)
{
    const struct cluster_pause *pause = &agent->state.pause;
    uint64_t until_us = agent->raft.lease_until_us;

    if (pause->id && agent->pause_proposed_us && !agent->resuming && pause->epoch == agent->raft.term &&
        agent->pause_proposed_us + pause->length_us > until_us)
        until_us = agent->pause_proposed_us + pause->length_us;
    return until_us;
}

/* A database's lease is not taken back: what was given runs out by itself, and the dbworker fences in time
 * (worker_judge), as vipd removes the address (lease_next). To end the powers earlier the policy fences and
 * lets the address go. */
static void give_leases(struct agent *agent)
{
    const struct policy_output *output = &agent->output;
    uint64_t until_us = output->lease_epoch ? lease_until(agent) : 0;
    bool news = output->lease_epoch != agent->leased_epoch || until_us != agent->leased_until_us;

    if (until_us == 0) {
        agent->leased_epoch = 0;
        agent->leased_until_us = 0;
    } else if (news && agent->worker) {
        if (dbworker_lease(agent->worker, output->lease_epoch, until_us,
                           agent->state.pause.id && !agent->resuming)) {
            agent->leased_epoch = output->lease_epoch;
            agent->leased_until_us = until_us;
        }
    }
    if (!agent->vip)
        return;
    if (output->vip_hold && until_us) {
        vip_lease(agent->vip, output->lease_epoch, until_us);
        if (until_us > agent->vip_until_us)
            agent->vip_until_us = until_us;
    } else if (!output->vip_leave &&
               (vip_get_state(agent->vip)->held || vip_get_state(agent->vip)->deadline_us ||
                /* a lease that is not answered yet, too, and one that an earlier agent gave for a pause */
                clock_now_us() < agent->vip_until_us || agent->state.pause.id)) {
        vip_release(agent->vip, agent->raft.term);
    }
}

/* ---- the database ---- */

static void on_op_done(void *context, enum error_code code, const char *why, const Mha__DbReply *reply)
{
    struct agent *agent = context;
    enum policy_db_op op = agent->running_op;

    (void)reply;
    agent->running_op = DB_OP_NONE;
    agent->db_settled = code == ERR_OK;
    if (code == ERR_OK) {
        agent->failed_op = DB_OP_NONE;
        log_info("database: %s done", op_names[op]);
    } else {
        agent->failed_op = op;
        agent->failed_term = agent->raft.term;
        agent->failed_us = clock_now_us();
        snprintf(agent->failed_error, sizeof agent->failed_error, "%s", why);
        log_warning("database: %s failed: %s", op_names[op], why);
    }
    agent_wake(agent);
}

/* A fence has the right of way: the operation under way is given up by the worker and answered by its own
 * callback. */
static void on_fence_done(void *context, enum error_code code, const char *why, const Mha__DbReply *reply)
{
    struct agent *agent = context;

    (void)reply;
    if (code == ERR_OK)
        log_notice("database: fenced");
    else
        log_warning("database: the fence is not confirmed: %s", why);
    agent_wake(agent);
}

static void send_fence(struct agent *agent)
{
    static const uint64_t pace_us = 100000;
    uint64_t now_us = clock_now_us();
    struct error err;

    if (dbworker_fencing(agent->worker) || now_us < agent->fence_again_us)
        return;
    agent->fence_again_us = now_us + pace_us;
    log_notice("database: fencing it: %s", agent->output.db_reason);
    if (dbworker_fence(agent->worker, agent->output.db_reason, now_us + OP_TIMEOUT_US, on_fence_done, agent,
                       &err) != ERR_OK)
        log_warning("%s", err.text);
}

static void send_op(struct agent *agent)
{
    const struct policy_output *output = &agent->output;
    Mha__DbRequest request = MHA__DB_REQUEST__INIT;
    Mha__DbClose close = MHA__DB_CLOSE__INIT;
    Mha__DbFreeze freeze = MHA__DB_FREEZE__INIT;
    Mha__DbDrain drain = MHA__DB_DRAIN__INIT;
    Mha__DbFollow follow = MHA__DB_FOLLOW__INIT;
    Mha__DbPromote promote = MHA__DB_PROMOTE__INIT;
    Mha__DbOpen open = MHA__DB_OPEN__INIT;
    Mha__DbSetCommitRule rule = MHA__DB_SET_COMMIT_RULE__INIT;
    Mha__DbSetAcknowledging acknowledging = MHA__DB_SET_ACKNOWLEDGING__INIT;
    uint64_t deadline_us = clock_now_us() + OP_TIMEOUT_US;
    struct error err;

    switch (output->db_op) {
    case DB_OP_NONE:
        return;
    case DB_OP_FENCE:
        send_fence(agent);
        return;
    case DB_OP_CLOSE:
        close.timeout_us = output->db_timeout_us;
        close.spare_backups = agent->state.switchover.id != 0;
        deadline_us += output->db_timeout_us;
        request.body_case = MHA__DB_REQUEST__BODY_CLOSE;
        request.close = &close;
        break;
    case DB_OP_FREEZE:
        freeze.term = output->db_epoch;
        request.body_case = MHA__DB_REQUEST__BODY_FREEZE;
        request.freeze = &freeze;
        break;
    case DB_OP_DRAIN:
        deadline_us += 3600000000u; /* a backlog takes what it takes; the worker can be interrupted in it */
        request.body_case = MHA__DB_REQUEST__BODY_DRAIN;
        request.drain = &drain;
        break;
    case DB_OP_FOLLOW:
        follow.host = (char *)output->db_host;
        follow.port = output->db_port;
        follow.epoch = output->db_epoch;
        follow.standing_by = output->db_standing_by;
        request.body_case = MHA__DB_REQUEST__BODY_FOLLOW;
        request.follow = &follow;
        break;
    case DB_OP_PROMOTE:
        promote.epoch = output->db_epoch;
        promote.acks = output->db_acks;
        promote.node = (char *)agent->settings->group.node;
        promote.n_names = output->db_name_count;
        promote.names = (char **)output->db_names;
        request.body_case = MHA__DB_REQUEST__BODY_PROMOTE;
        request.promote = &promote;
        break;
    case DB_OP_OPEN:
        open.epoch = output->db_epoch;
        request.body_case = MHA__DB_REQUEST__BODY_OPEN;
        request.open = &open;
        break;
    case DB_OP_SET_COMMIT_RULE:
        rule.epoch = output->db_epoch;
        rule.acks = output->db_acks;
        rule.n_names = output->db_name_count;
        rule.names = (char **)output->db_names;
        request.body_case = MHA__DB_REQUEST__BODY_SET_COMMIT_RULE;
        request.set_commit_rule = &rule;
        break;
    case DB_OP_SET_ACKNOWLEDGING:
        acknowledging.epoch = output->db_epoch;
        acknowledging.node = (char *)output->db_node;
        acknowledging.allowed = output->db_allowed;
        request.body_case = MHA__DB_REQUEST__BODY_SET_ACKNOWLEDGING;
        request.set_acknowledging = &acknowledging;
        break;
    }
    if (dbworker_request(agent->worker, &request, deadline_us, on_op_done, agent, &err) != ERR_OK) {
        log_warning("%s", err.text);
        return;
    }
    agent->running_op = output->db_op;
    log_debug("database: %s (epoch or term %llu)", op_names[output->db_op],
              (unsigned long long)output->db_epoch);
}

static void watch_database(struct agent *agent)
{
    uint64_t now_us = clock_now_us();

    if (!agent->output.db_watch || now_us + WATCH_US / 2 < agent->watched_until_us)
        return;
    if (dbworker_watch(agent->worker, WATCH_INTERVAL_US, WATCH_US))
        agent->watched_until_us = now_us + WATCH_US;
}

/* ---- the database server's process ---- */

static void on_server_command(void *context, const char *error)
{
    struct agent *agent = context;

    agent->server_command = NULL;
    agent->server_quiet_until_us = clock_now_us() + SERVER_QUIET_US;
    if (error && repeat_is_due(&agent->start_failed, clock_now_us(), error))
        log_error("the command that starts the database %s%s", error,
                  agent->start_failed.count > 1 ? ", as before" : "");
    agent_wake(agent);
}

static void start_server(struct agent *agent)
{
    const struct db_settings *database = &agent->settings->database;
    bool follow = agent->output.server_op == SERVER_OP_START_TO_FOLLOW;
    const char *how = follow ? "to follow: what nobody acknowledged is cut off" : "in place";
    uint64_t now_us = clock_now_us();
    struct error err;

    if (agent->input.db && agent->input.db->state == MHA__DB_STATE__DB_UP) {
        repeat_forget(&agent->start_said);
        repeat_forget(&agent->start_failed);
    }
    if (agent->output.server_op == SERVER_OP_NONE || agent->server_command || agent->stopping)
        return;
    if (repeat_is_due(&agent->start_said, now_us, how)) {
        if (agent->start_said.count == 1)
            log_notice("starting the database %s", how);
        else
            log_warning("the database does not come up: started for the %uth time in %llu s, %s",
                        agent->start_said.count,
                        (unsigned long long)(now_us - agent->start_said.since_us) / 1000000, how);
    }
    if (command_run(agent->base, follow ? database->start_to_follow : database->start,
                    MS_TO_US(database->command_timeout_ms), on_server_command, agent, &agent->server_command,
                    &err) != ERR_OK) {
        log_error("%s", err.text);
        agent->server_quiet_until_us = clock_now_us() + SERVER_QUIET_US;
    }
}

/* ---- raft ---- */

static void move_leadership(struct agent *agent)
{
    const struct policy_output *output = &agent->output;
    struct error err;

    if (agent->raft.role != RAFT_LEADER)
        return;
    if (output->end_lease && !agent->raft.lease_ended)
        replica_end_lease(agent->replica);
    if (output->released)
        replica_released(agent->replica);
    if (output->transfer_to) {
        enum error_code code = replica_transfer(agent->replica, output->transfer_to, &err);
        if (code == ERR_OK)
            log_notice("%s", output->waiting_for);
        else if (code != ERR_BUSY)
            log_warning("%s", err.text);
    } else if (output->renew_term && replica_renew_term(agent->replica, &err) == ERR_OK) {
        log_notice("leading again under a new term: %s", output->waiting_for);
    }
}

/* The pause ends first at the enforcers, then in the log: a later leader then has nothing to wait for. */
static void end_pause(struct agent *agent)
{
    const struct cluster_pause *pause = &agent->state.pause;
    uint64_t now_us = clock_now_us();
    struct cluster_command command = {.kind = COMMAND_RESUME, .id = pause->id};
    uint64_t since_us = agent->pause_proposed_us ? agent->pause_proposed_us : agent->raft.leader_since_us;
    struct error err;

    if (!pause->id) {
        agent->resuming = false;
        if (!agent->proposed_index) /* it may still be on its way */
            agent->pause_proposed_us = 0;
        return;
    }
    if (pause->holder != replica_id(agent->replica) || agent->raft.role != RAFT_LEADER || !agent->raft.ready)
        return;
    if (now_us >= since_us + pause->length_us)
        agent->resuming = true;
    if (!agent->resuming || agent->proposed_index)
        return;
    if (agent->vip && vip_get_state(agent->vip)->deadline_us > now_us + agent->settings->group.election_us)
        return; /* not shortened yet */
    if (agent_propose(agent, &command, &err) != ERR_OK)
        log_warning("%s", err.text);
}

void agent_carry_out(struct agent *agent)
{
    const struct policy_output *output = &agent->output;
    struct error err;

    give_leases(agent);
    if (agent->worker) {
        send_op(agent);
        watch_database(agent);
    }
    start_server(agent);
    agent_rebuild_carry_out(agent);
    if (output->propose && !agent->proposed_index && agent_propose(agent, &output->command, &err) != ERR_OK)
        log_warning("%s", err.text);
    move_leadership(agent);
    end_pause(agent);
    replica_set_campaign_delay(agent->replica, output->campaign_delay_us);
    /* By their beginnings: what follows may be positions that change all the time. */
    if (strncmp(agent->last_waiting_for, output->waiting_for, WAITING_PREFIX) != 0) {
        memcpy(agent->last_waiting_for, output->waiting_for, sizeof agent->last_waiting_for);
        if (output->waiting_for[0])
            log_info("waiting: %s", output->waiting_for);
    }
}
