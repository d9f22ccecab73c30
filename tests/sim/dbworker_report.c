/* What the worker says of its database: one observation for each look, operation and fence. */
#include <assert.h>
#include <stdio.h>

#include "tests/sim/agent.h"
#include "tests/sim/dbworker.h"

#define SOCKET_LEAST_US 20u
#define SOCKET_MOST_US 300u

static struct worker_model *worker_of(struct cluster *cluster, unsigned host)
{
    return cluster->hosts[host].worker;
}

static uint64_t socket_delay_us(struct cluster *cluster)
{
    return world_between(cluster->world, SOCKET_LEAST_US, SOCKET_MOST_US);
}

/* What an observation points to. */
struct observation_room {
    char source[32];
    char *names[WORLD_NODES_MAX];
};

static void fill_observation(struct cluster *cluster, unsigned host, uint64_t observed_us,
                             struct observation_room *room, Mha__DbObservation *out)
{
    struct worker_model *worker = worker_of(cluster, host);
    struct worker_view *view = &worker->view;

    mha__db_observation__init(out);
    out->observed_us = observed_us;
    out->state = worker->state;
    out->incarnation = worker->attached || worker->incarnation ? worker->incarnation : 0;
    out->fence_cost_us = lease_fence_cost_us(&worker->lease);
    out->trouble = worker->trouble;
    if (worker->has_view) {
        out->read_only = view->read_only;
        out->open = !view->read_only;
        out->empty = view->empty;
        out->foreign = view->foreign;
        out->started_to_follow = view->started_to_follow;
        out->written_epoch = view->written_epoch;
        if (view->written_epoch && view->written_epoch == worker->position_epoch)
            out->written_epoch_position = worker->position;
        out->acks = view->acks;
        out->acks_enforced = true;
        out->waiting_commits = view->waiting;
        out->receiving = view->receiving;
        out->applying = view->applying;
        out->acknowledgers_known = !cluster->config.shared_account;
        out->acknowledging_clients = view->acknowledging_clients;
        out->standing_by = view->receiving && view->standing_by;
        out->standby_account = view->standing_by;
        out->received_is_durable = cluster->config.kind != SERVER_ONE_WAIT; /* its settings say so */
        out->acknowledgers = room->names;
        for (unsigned i = 0; i < cluster->data_count; i++)
            if (view->acknowledgers & 1u << i)
                room->names[out->n_acknowledgers++] = (char *)cluster_host_name(cluster, i);
        room->source[0] = '\0';
        if (view->has_source)
            snprintf(room->source, sizeof room->source, "%s:3306", cluster_host_name(cluster, view->source));
        out->source = room->source;
        out->source_epoch = view->has_source ? worker->source_epoch : 0;
        if (view->receiver_stopped)
            out->frozen_term = worker->frozen_term;
        out->drained = view->drained;
        out->acknowledging = view->acknowledging;
        out->executed = view->executed;
        out->received = view->received;
        out->received_log = view->received_log;
        if (view->trouble[0])
            out->trouble = view->trouble;
        out->fenced = view->read_only && worker->fenced_incarnation == worker->incarnation &&
                      worker->incarnation != 0 && worker->writable == WRITABLE_NO;
    }
    if (worker->state == MHA__DB_STATE__DB_DOWN)
        out->fenced = !worker->fencing;
}

static void send_reply(struct cluster *cluster, unsigned host, uint64_t id, const char *error,
                       uint64_t observed_us)
{
    Mha__DbReply reply = MHA__DB_REPLY__INIT;
    Mha__DbObservation observation;
    uint8_t bytes[4096];
    struct observation_room room;

    if (worker_of(cluster, host)->agent_life != cluster->hosts[host].processes[PROCESS_AGENT].life)
        return;
    fill_observation(cluster, host, observed_us, &room, &observation);
    reply.id = id;
    reply.error = (char *)error;
    reply.observation = &observation;
    assert(mha__db_reply__get_packed_size(&reply) <= sizeof bytes);
    agent_deliver_reply(cluster, host, bytes, mha__db_reply__pack(&reply, bytes), socket_delay_us(cluster));
}

void worker_answer(struct cluster *cluster, unsigned host, uint64_t id, const char *error)
{
    if (id != 0)
        send_reply(cluster, host, id, error, worker_of(cluster, host)->view_us);
}

void worker_report(struct cluster *cluster, unsigned host, uint64_t observed_us)
{
    struct worker_model *worker = worker_of(cluster, host);
    uint64_t id = 0;

    if (worker->answering.id &&
        (observed_us >= worker->answering_us || worker->state != MHA__DB_STATE__DB_UP)) {
        id = worker->answering.id;
        worker->answering.id = 0;
    }
    send_reply(cluster, host, id, id && worker->answering_failed ? worker->error : "", observed_us);
    if (id)
        worker_next_operation(cluster, host);
}
