#include "agent/agent.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

#define WORKER_RETRY_LEAST_US 20000u
#define WORKER_RETRY_MOST_US 1000000u
#define STOP_US 5000000u

static struct timeval to_timeval(uint64_t us)
{
    return (struct timeval){(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};
}

void agent_wake(struct agent *agent)
{
    event_active(agent->step, EV_TIMEOUT, 0);
}

/* ---- the worker ---- */

static void on_observation(void *context, const Mha__DbObservation *observation)
{
    struct agent *agent = context;

    (void)observation;
    agent->worker_retry_us = WORKER_RETRY_LEAST_US;
    agent_wake(agent);
    agent_send_report(agent);
}

static void on_worker_exited(void *context, const char *how)
{
    struct agent *agent = context;
    struct timeval delay = to_timeval(agent->worker_retry_us);

    if (agent->stopping || agent_rebuild_has_database(agent))
        log_info("the dbworker %s", how);
    else
        log_warning("the dbworker %s; starting another", how);
    dbworker_free(agent->worker);
    agent->worker = NULL;
    agent->worker_killed = false;
    agent->db_settled = false;
    agent->running_op = DB_OP_NONE; /* what was leased stays so: the next worker is told as it starts */
    event_add(agent->worker_timer, &delay);
    if (agent->worker_retry_us < WORKER_RETRY_MOST_US)
        agent->worker_retry_us *= 2;
    agent_wake(agent);
}

static void on_worker_timer(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    if (!agent->stopping)
        agent_spawn_worker(agent);
}

void agent_spawn_worker(struct agent *agent)
{
    static const struct dbworker_callbacks callbacks = {.observation = on_observation,
                                                        .exited = on_worker_exited};
    struct dbworker_config config = {agent->dbworker_program, agent->config_path, agent->dbworker_lock};
    struct timeval delay = to_timeval(WORKER_RETRY_MOST_US);
    struct error err;

    if (agent->worker || agent->stopping || agent_rebuild_has_database(agent))
        return;
    if (dbworker_spawn(agent->base, &config, &callbacks, agent, &agent->worker, &err) != ERR_OK) {
        log_error("%s", err.text);
        agent->worker = NULL;
        event_add(agent->worker_timer, &delay);
        return;
    }
    /* A database that is open under our lease stays so: the new worker must know before it looks. */
    if (agent->leased_epoch)
        dbworker_lease(agent->worker, agent->leased_epoch, agent->leased_until_us,
                       agent->state.pause.id != 0);
}

/* A worker says something at least as often as it looks, of a database that hangs too. One that does not
 * hangs itself; the next one takes over the database as it is. */
static void end_hung_worker(struct agent *agent)
{
    const Mha__DbObservation *db = agent->worker ? dbworker_observation(agent->worker) : NULL;
    uint64_t patience_us = MS_TO_US(agent->settings->database.probe_timeout_ms) * 3;

    if (!db || clock_now_us() <= db->observed_us + patience_us)
        return;
    if (!agent->worker_killed)
        log_error("dbworker %d has said nothing for %u ms: killed", (int)dbworker_pid(agent->worker),
                  3 * agent->settings->database.probe_timeout_ms);
    agent->worker_killed = true;
    kill(dbworker_pid(agent->worker), SIGKILL); /* its end is seen through its pidfd */
}

/* ---- events of raft, vipd, peers ---- */

static enum error_code on_apply(void *context, uint64_t index, uint64_t term, const void *data, size_t size,
                                struct error *err)
{
    (void)term;
    return agent_apply(context, index, data, size, err);
}

static bool on_pack_state(void *context, uint8_t **state, size_t *size)
{
    return agent_pack_state(context, state, size);
}

static enum error_code on_restore_state(void *context, uint64_t index, const void *state, size_t size,
                                        struct error *err)
{
    return agent_restore_state(context, index, state, size, err);
}

static void on_read_done(void *context, uint64_t read, bool done)
{
    struct agent *agent = context;

    if (agent->read_done)
        agent->read_done(agent->stepped_context, read, done);
}

static void on_changed(void *context)
{
    agent_wake(context);
}

static void on_message(void *context, uint64_t from, const void *data, size_t size)
{
    struct agent *agent = context;
    Mha__AgentMessage *message = mha__agent_message__unpack(NULL, size, data);

    if (!message) {
        log_warning("a member sent a message that cannot be read; dropped");
        return;
    }
    if (message->body_case == MHA__AGENT_MESSAGE__BODY_REPORT) {
        agent_take_report(agent, from, message);
        agent_wake(agent);
        return;
    }
    if (agent->request)
        agent->request(agent->stepped_context, from, message);
    mha__agent_message__free_unpacked(message, NULL);
}

static void on_fatal(void *context, const char *why)
{
    struct agent *agent = context;

    log_error("cannot go on: %s", why);
    agent->exit_status = 1;
    event_base_loopbreak(agent->base);
}

static void on_vip(void *context, const struct vip_state *state)
{
    struct agent *agent = context;

    if (state->trouble[0])
        log_warning("virtual IP: %s", state->trouble);
    agent_wake(agent);
    agent_send_report(agent);
}

static void on_report_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    agent_send_report(context);
}

/* ---- a step ---- */

static bool stop_is_complete(const struct agent *agent)
{
    const struct cluster_pause *pause = &agent->state.pause;
    bool address_gone = !agent->vip || !vip_get_state(agent->vip)->held;

    if (clock_now_us() >= agent->stop_by_us || (pause->id && pause->holder == replica_id(agent->replica)))
        return true;
    if (agent->raft.role == RAFT_LEADER && policy_has_successor(&agent->input))
        return false;
    return address_gone && (!agent->input.db || !agent->input.db->open);
}

static void run_step(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;
    struct timeval delay;
    uint64_t now_us;

    (void)fd;
    (void)what;
    end_hung_worker(agent);
    agent_gather(agent);
    policy_trace_decide(&agent->tracer, &agent->tracker, &agent->input, &agent->output);
    agent_carry_out(agent);
    trace_flush(agent->trace);
    if (agent->raft.term != agent->report_term)
        agent_send_report(agent);
    if (agent->stepped)
        agent->stepped(agent->stepped_context);
    now_us = clock_now_us();
    delay = to_timeval(agent->output.again_us > now_us ? agent->output.again_us - now_us : 1000);
    event_add(agent->timer, &delay);
    if (agent->stopping && stop_is_complete(agent))
        event_base_loopexit(agent->base, NULL);
}

/* ---- life ---- */

static enum error_code make_events(struct agent *agent, struct error *err)
{
    struct timeval interval = to_timeval(agent->settings->group.heartbeat_us);

    agent->step = event_new(agent->base, -1, 0, run_step, agent);
    agent->timer = event_new(agent->base, -1, 0, run_step, agent);
    agent->worker_timer = event_new(agent->base, -1, 0, on_worker_timer, agent);
    agent->report_timer = event_new(agent->base, -1, EV_PERSIST, on_report_timer, agent);
    if (!agent->step || !agent->timer || !agent->worker_timer || !agent->report_timer ||
        event_add(agent->report_timer, &interval) != 0)
        return error_set(err, ERR_NO_MEMORY, "no memory for the agent's timers");
    return ERR_OK;
}

static void on_trace_line(void *context, uint64_t now_us, const char *text)
{
    const struct agent *agent = context;
    char name[2 * REPLICA_NAME_BYTES];

    snprintf(name, sizeof name, "%s/%s", agent->settings->group.cluster, agent->settings->group.node);
    trace_line(agent->trace, now_us, name, text);
}

static enum error_code open_trace(struct agent *agent, struct error *err)
{
    const struct trace_settings *settings = &agent->settings->trace;
    enum error_code code = trace_open(settings->path, settings->bytes_max, &agent->trace, err);

    agent->tracer = (struct policy_tracer){.line = on_trace_line, .context = agent};
    if (code == ERR_OK)
        policy_trace_new(&agent->tracer, clock_now_us());
    return code;
}

enum error_code agent_start(struct agent *agent, struct event_base *base,
                            const struct agent_settings *settings, const char *config_path,
                            const char *dbworker_program, const char *rebuild_program, struct error *err)
{
    static const struct replica_callbacks callbacks = {.apply = on_apply,
                                                       .changed = on_changed,
                                                       .message = on_message,
                                                       .fatal = on_fatal,
                                                       .pack_state = on_pack_state,
                                                       .restore_state = on_restore_state,
                                                       .read_done = on_read_done};
    static const struct vip_callbacks vip_callbacks = {.changed = on_vip};
    struct replica_config config = {.cluster = settings->group.cluster,
                                    .name = settings->group.node,
                                    .key = settings->group.key,
                                    .data_dir = settings->data_dir,
                                    .heartbeat_us = settings->group.heartbeat_us,
                                    .election_us = settings->group.election_us,
                                    .node_count = settings->group.node_count,
                                    .nodes = settings->group.nodes};
    enum error_code code;

    memset(agent, 0, sizeof *agent);
    agent->base = base;
    agent->settings = settings;
    agent->config_path = config_path;
    agent->dbworker_program = dbworker_program;
    agent->worker_retry_us = WORKER_RETRY_LEAST_US;
    snprintf(agent->dbworker_lock, sizeof agent->dbworker_lock, "%s/dbworker.lock", settings->data_dir);
    cluster_state_init(&agent->state);
    mha__db_observation__init(&agent->no_observation);
    if (settings->trace.path[0] && (code = open_trace(agent, err)) != ERR_OK)
        return code;
    config.trace = agent->trace;
    if ((code = make_events(agent, err)) != ERR_OK ||
        (code = agent_rebuild_open(agent, rebuild_program, err)) != ERR_OK ||
        (code = net_new(base, &agent->net, err)) != ERR_OK ||
        (code = replica_open(base, agent->net, &config, &callbacks, agent, &agent->replica, err)) != ERR_OK ||
        (code = net_listen(agent->net, settings->listen, err)) != ERR_OK)
        return code;
    if (settings->vip_address[0] && (code = vip_new(base, settings->vip_socket, settings->vip_address,
                                                    &vip_callbacks, agent, &agent->vip, err)) != ERR_OK)
        return code;
    agent_spawn_worker(agent);
    agent_wake(agent);
    return ERR_OK;
}

void agent_stop(struct agent *agent)
{
    if (agent->stopping)
        return;
    log_notice("stopping%s", agent->state.pause.id ? " in a pause: the database stays as it is" : "");
    agent->stopping = true;
    agent->stop_by_us = clock_now_us() + STOP_US;
    agent_wake(agent);
}

void agent_free(struct agent *agent)
{
    struct event *events[] = {agent->step, agent->timer, agent->worker_timer, agent->report_timer};

    if (agent->worker) {
        dbworker_stop(agent->worker);
        dbworker_free(agent->worker);
    }
    command_free(agent->server_command);
    rebuild_child_free(agent->rebuild);
    if (agent->vip)
        vip_free(agent->vip);
    if (agent->replica)
        replica_close(agent->replica);
    if (agent->net)
        net_free(agent->net);
    policy_tracer_end(&agent->tracer);
    trace_close(agent->trace);
    for (unsigned i = 0; i < agent->node_count; i++)
        if (agent->nodes[i].message)
            mha__agent_message__free_unpacked(agent->nodes[i].message, NULL);
    for (unsigned i = 0; i < sizeof events / sizeof events[0]; i++)
        if (events[i])
            event_free(events[i]);
}

enum error_code agent_propose(struct agent *agent, const struct cluster_command *command, struct error *err)
{
    uint8_t bytes[CLUSTER_COMMAND_BYTES_MAX];
    size_t size = cluster_command_pack(command, bytes, sizeof bytes);
    uint64_t index = 0;
    enum error_code code;

    if (size == 0)
        return error_set(err, ERR_INTERNAL, "a command does not fit into %d bytes",
                         CLUSTER_COMMAND_BYTES_MAX);
    code = replica_propose(agent->replica, bytes, size, &index, err);
    if (code != ERR_OK)
        return code;
    agent->proposed_index = index;
    agent->proposed_term = agent->raft.term;
    return ERR_OK;
}
