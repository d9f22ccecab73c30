#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/trace_fields.h"
#include "agent/cluster/trace_message.h"

/* ---- lines ---- */

static void begin(struct policy_tracer *tracer, const char *what)
{
    text_clear(&tracer->text);
    text_add(&tracer->text, "policy %s", what);
}

static void end(struct policy_tracer *tracer, uint64_t now_us)
{
    if (!tracer->text.failed)
        tracer->line(tracer->context, now_us, tracer->text.data);
}

/* Tells it if it is not what was told last. */
static void end_part(struct policy_tracer *tracer, uint64_t now_us, unsigned part)
{
    struct text *told = &tracer->told[part], before = *told;
    if (before.data != NULL && !before.failed && strcmp(before.data, tracer->text.data) == 0)
        return;
    end(tracer, now_us);
    *told = tracer->text;
    tracer->text = before;
}

void policy_tracer_end(struct policy_tracer *tracer)
{
    text_free(&tracer->text);
    for (unsigned i = 0; i < POLICY_TRACE_PARTS; i++)
        text_free(&tracer->told[i]);
}

void policy_trace_new(struct policy_tracer *tracer, uint64_t now_us)
{
    if (tracer->line == NULL)
        return;
    policy_tracer_end(tracer);
    begin(tracer, "new");
    end(tracer, now_us);
}

/* ---- the input ---- */

void policy_trace_settings(struct policy_tracer *tracer, uint64_t now_us,
                           const struct policy_settings *settings)
{
    begin(tracer, "settings");
    fields_write(&tracer->text, "", policy_trace_settings_fields, settings);
    end_part(tracer, now_us, TRACE_SETTINGS);
}

void policy_trace_raft(struct policy_tracer *tracer, uint64_t now_us, const struct raft_status *raft)
{
    begin(tracer, "raft");
    fields_write(&tracer->text, "", policy_trace_raft_fields, raft);
    for (unsigned i = 0; i < raft->peer_count; i++) {
        char prefix[16];
        snprintf(prefix, sizeof prefix, "peer%u.", i);
        fields_write(&tracer->text, prefix, policy_trace_peer_fields, &raft->peers[i]);
    }
    end_part(tracer, now_us, TRACE_RAFT);
}

void policy_trace_db(struct policy_tracer *tracer, uint64_t now_us, const Mha__DbObservation *db)
{
    begin(tracer, db == NULL ? "db none" : "db");
    if (db != NULL)
        trace_message_write(&tracer->text, "", &db->base);
    end_part(tracer, now_us, TRACE_DB);
}

void policy_trace_vip(struct policy_tracer *tracer, uint64_t now_us, const Mha__VipState *vip)
{
    begin(tracer, vip == NULL ? "vip none" : "vip");
    if (vip != NULL)
        trace_message_write(&tracer->text, "", &vip->base);
    end_part(tracer, now_us, TRACE_VIP);
}

/* "heard-now" is no news: of the node itself it is always so. */
void policy_trace_node(struct policy_tracer *tracer, uint64_t now_us, unsigned i,
                       const struct policy_node *node)
{
    struct policy_node told = *node;
    begin(tracer, "node");
    text_add(&tracer->text, " i=%u%s%s", i, node->heard_us == now_us ? " heard-now" : "",
             node->reported_us == now_us ? " reported-now" : "");
    if (told.heard_us == now_us)
        told.heard_us = 0;
    if (told.reported_us == now_us)
        told.reported_us = 0;
    fields_write(&tracer->text, "", policy_trace_node_fields, &told);
    end_part(tracer, now_us, TRACE_NODES + i);
}

void policy_trace_report(struct policy_tracer *tracer, uint64_t now_us, unsigned i,
                         const Mha__NodeReport *report, const Mha__DbObservation *db,
                         const Mha__VipState *vip)
{
    begin(tracer, "report");
    text_add(&tracer->text, " i=%u", i);
    if (report == NULL) {
        text_add(&tracer->text, " none");
    } else {
        Mha__NodeReport told = *report;
        bool own_db = db != NULL && report->database == db, own_vip = vip != NULL && report->vip == vip;
        text_add(&tracer->text, "%s%s", own_db ? " own-database" : "", own_vip ? " own-vip" : "");
        told.database = own_db ? NULL : report->database;
        told.vip = own_vip ? NULL : report->vip;
        trace_message_write(&tracer->text, "", &told.base);
    }
    end_part(tracer, now_us, TRACE_REPORTS + i);
}

static void tell_parts(struct policy_tracer *tracer, const struct policy_input *input)
{
    uint64_t now_us = input->now_us;
    policy_trace_settings(tracer, now_us, &input->settings);
    policy_trace_raft(tracer, now_us, input->raft);
    policy_trace_db(tracer, now_us, input->db);
    policy_trace_vip(tracer, now_us, input->vip);
    for (unsigned i = 0; i < input->node_count; i++) {
        policy_trace_node(tracer, now_us, i, &input->nodes[i]);
        policy_trace_report(tracer, now_us, i, input->nodes[i].report, input->db, input->vip);
    }
}

/* What is left of the input. */
static void add_rest(struct text *text, const struct policy_input *input)
{
    text_add(text, " nodes=%u", input->node_count);
    fields_write(text, "", policy_trace_decide_fields, input);
}

/* ---- the output ---- */

static void add_sync(struct text *text, const char *prefix, const struct sync_set *sync)
{
    text_add(text, " %ssync.version=%" PRIu64 " %ssync.acks=%u %ssync.members=", prefix, sync->version,
             prefix, sync->acks, prefix);
    for (unsigned i = 0; i < sync->count; i++)
        text_add(text, "%s%" PRIu64 ":%" PRIu64, i > 0 ? "," : "", sync->members[i].node,
                 sync->members[i].incarnation);
}

static void add_command(struct text *text, const struct cluster_command *command)
{
    text_add(text, " command=%s", policy_trace_commands[command->kind]);
    fields_write(text, "command.", policy_trace_command_fields, command);
    fields_write(text, "command.", policy_trace_phases_fields, &command->phases);
    add_sync(text, "command.", &command->sync);
}

static void tell_output(struct policy_tracer *tracer, uint64_t now_us, const struct policy_output *output)
{
    begin(tracer, "-> do");
    fields_write(&tracer->text, "", policy_trace_output_fields, output);
    for (unsigned i = 0; i < output->db_name_count; i++) {
        text_add(&tracer->text, " db_names[%u]=", i);
        text_add_value(&tracer->text, output->db_names[i]);
    }
    if (output->propose)
        add_command(&tracer->text, &output->command);
    end(tracer, now_us);
}

void policy_trace_decide(struct policy_tracer *tracer, struct policy_tracker *tracker,
                         const struct policy_input *input, struct policy_output *output)
{
    if (tracer->line != NULL) {
        tell_parts(tracer, input);
        begin(tracer, "decide");
        add_rest(&tracer->text, input);
        end(tracer, input->now_us);
    }
    policy_track(tracker, input);
    policy_decide(tracker, input, output);
    if (tracer->line != NULL)
        tell_output(tracer, input->now_us, output);
}

void policy_trace_request(struct policy_tracer *tracer, const struct policy_input *input,
                          const struct policy_request *request, const struct cluster_command *command,
                          const char *error)
{
    if (tracer->line == NULL || request->kind == POLICY_REQUEST_NONE)
        return;
    tell_parts(tracer, input);
    begin(tracer, "request");
    fields_write(&tracer->text, "", policy_trace_request_fields, request);
    add_rest(&tracer->text, input);
    end(tracer, input->now_us);
    begin(tracer, error[0] == '\0' ? "-> granted" : "-> refused error=");
    if (error[0] != '\0')
        text_add_value(&tracer->text, error);
    else if (command != NULL)
        add_command(&tracer->text, command);
    end(tracer, input->now_us);
}

/* ---- the state ---- */

static void add_state(struct text *text, const struct cluster_state *state)
{
    text_add(text, " primary=%" PRIu64 " epoch=%" PRIu64 "%s history=%u", state->primary.node,
             state->primary.epoch, state->primary.opened ? " opened" : "", state->history_count);
    add_sync(text, "", &state->sync);
    text_add(text,
             " switchover=%" PRIu64 " pause=%" PRIu64 " force=%" PRIu64 " init=%" PRIu64 " ended=%" PRIu64
             " asides=",
             state->switchover.id, state->pause.id, state->force.id, state->init.id, state->last_request_id);
    for (unsigned i = 0; i < state->aside_count; i++)
        text_add(text, "%s%" PRIu64 ":%" PRIu64 "%s", i > 0 ? "," : "", state->asides[i].id,
                 state->asides[i].node, state->asides[i].cancelled ? "-" : "");
}

void policy_trace_applied(struct policy_tracer *tracer, uint64_t now_us, uint64_t index, const void *data,
                          size_t size, const char *void_because, const struct cluster_state *state)
{
    if (tracer->line == NULL)
        return;
    begin(tracer, "apply");
    text_add(&tracer->text, " index=%" PRIu64 " data=", index);
    text_add_hex(&tracer->text, data, size);
    end(tracer, now_us);
    begin(tracer, "-> applied");
    if (void_because != NULL) {
        text_add(&tracer->text, " void=");
        text_add_value(&tracer->text, void_because);
    }
    add_state(&tracer->text, state);
    end(tracer, now_us);
}

void policy_trace_restored(struct policy_tracer *tracer, uint64_t now_us, uint64_t index, const void *data,
                           size_t size, const struct cluster_state *state)
{
    if (tracer->line == NULL)
        return;
    begin(tracer, "restore");
    text_add(&tracer->text, " index=%" PRIu64 " data=", index);
    text_add_hex(&tracer->text, data, size);
    end(tracer, now_us);
    begin(tracer, "-> restored");
    add_state(&tracer->text, state);
    end(tracer, now_us);
}
