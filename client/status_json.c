#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"

/* The field names are part of mhactl's interface, documented in mhactl(1): they are added to, never changed.
 * A value that is not known or does not apply is null. Identities are 64 bits wide, more than many readers of
 * JSON keep in a number: they are text. */

static json_t *text_or_null(const char *value)
{
    return value[0] ? ctl_text_json(value) : json_null();
}

static json_t *identity(uint64_t id)
{
    char hex[17];

    if (id == 0)
        return json_null();
    snprintf(hex, sizeof hex, "%016" PRIx64, id);
    return json_string(hex);
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *lines(const char *value)
{
    json_t *array = json_array();

    while (*value) {
        size_t length = strcspn(value, "\n");
        if (length > 0) {
            char *line = strndup(value, length);
            json_array_append_new(array, line ? ctl_text_json(line) : NULL);
            free(line);
        }
        value += length + (value[length] == '\n');
    }
    return array;
}

/* null: this server does not tell. */
static json_t *acknowledgers_to_json(const Mha__DbObservation *database)
{
    json_t *array;

    if (!database->acknowledgers_known)
        return json_null();
    array = json_array();
    for (size_t i = 0; i < database->n_acknowledgers; i++)
        json_array_append_new(array, ctl_text_json(database->acknowledgers[i]));
    return array;
}

static json_t *database_to_json(const Mha__DbObservation *database)
{
    if (!database)
        return json_null();
    /* "o" with a NULL value fails the whole pack: no half-filled object leaves here. */
    return json_pack(
        "{s:s s:o s:o s:o s:o s:b s:b s:b s:b s:b s:b s:o s:o s:i s:b s:o s:i s:i s:b s:b s:b s:o s:o s:b "
        "s:o "
        "s:b s:b s:b "
        "s:o s:o s:o}",
        "state", status_database_name(database->state), "trouble", text_or_null(database->trouble),
        "trouble_kind", text_or_null(status_trouble_name(database->trouble_kind)), "version",
        text_or_null(database->version), "incarnation", identity(database->incarnation), "read_only",
        database->read_only, "fenced", database->fenced, "empty", database->empty, "foreign",
        database->foreign, "started_to_follow", database->started_to_follow, "open", database->open,
        "written_epoch", number(database->written_epoch), "written_epoch_position",
        text_or_null(database->written_epoch_position), "acks", (int)database->acks, "acks_enforced",
        database->acks_enforced, "acknowledgers", acknowledgers_to_json(database), "acknowledging_clients",
        (int)database->acknowledging_clients, "waiting_commits", (int)database->waiting_commits, "receiving",
        database->receiving, "receiver_stopped", database->receiver_stopped, "applying", database->applying,
        "source", text_or_null(database->source), "source_epoch", number(database->source_epoch), "drained",
        database->drained, "lag_ms", number(database->lag_ms), "acknowledging", database->acknowledging,
        "standing_by", database->standing_by, "received_is_durable", database->received_is_durable,
        "executed", text_or_null(database->executed), "received", text_or_null(database->received),
        "fence_cost_us", number(database->fence_cost_us));
}

static json_t *vip_to_json(const Mha__VipState *vip)
{
    if (!vip)
        return json_null();
    return json_pack("{s:o s:o s:o s:b s:o s:b s:b s:o}", "address", text_or_null(vip->address),
                     "prefix_length", vip->prefix_length ? number(vip->prefix_length) : json_null(),
                     "interface", text_or_null(vip->interface), "held", vip->held, "epoch",
                     number(vip->epoch), "link_up", vip->link_up, "conflict", vip->conflict, "trouble",
                     text_or_null(vip->trouble));
}

static json_t *rebuild_to_json(const Mha__RebuildState *rebuild)
{
    if (!rebuild || (rebuild->phase[0] == '\0' && rebuild->failed[0] == '\0'))
        return json_null();
    return json_pack("{s:o s:o s:o s:o s:o}", "phase", text_or_null(rebuild->phase), "donor",
                     text_or_null(rebuild->donor), "done_bytes", number(rebuild->done_bytes), "total_bytes",
                     rebuild->total_bytes ? number(rebuild->total_bytes) : json_null(), "failed",
                     text_or_null(rebuild->failed));
}

static json_t *node_to_json(const Mha__NodeStatus *node)
{
    return json_pack("{s:o s:o s:s s:o s:b s:b s:b s:o s:o s:b s:b s:o s:b s:o s:o s:o s:o s:o s:o}", "name",
                     ctl_text_json(node->name), "id", identity(node->id), "kind",
                     status_kind_name(node->kind), "address", text_or_null(node->address), "voter",
                     node->voter, "self", node->self, "reachable", node->self || node->reachable,
                     "heard_ms_ago", number(node->heard_ms_ago), "role", text_or_null(node->role), "leader",
                     node->leader, "in_sync", node->in_sync, "health", text_or_null(node->health),
                     "promotable", node->promotable, "waiting_for", text_or_null(node->waiting_for),
                     "program_version", text_or_null(node->program_version), "database",
                     database_to_json(node->database), "vip", vip_to_json(node->vip), "rebuild",
                     rebuild_to_json(node->rebuild), "set_aside", text_or_null(node->set_aside));
}

static json_t *nodes_to_json(const Mha__StatusReply *status)
{
    json_t *array = json_array();

    for (size_t i = 0; i < status->n_nodes; i++)
        json_array_append_new(array, node_to_json(status->nodes[i]));
    return array;
}

static json_t *strangers_to_json(const Mha__StatusReply *status)
{
    json_t *array = json_array();

    for (size_t i = 0; i < status->n_strangers; i++) {
        const Mha__Stranger *stranger = status->strangers[i];
        json_array_append_new(
            array, json_pack("{s:o s:o s:s s:o s:o s:s}", "name", ctl_text_json(stranger->name), "id",
                             identity(stranger->id), "kind", status_kind_name(stranger->kind), "address",
                             text_or_null(stranger->address), "seen_ms_ago", number(stranger->seen_ms_ago),
                             "let_in_by", stranger->replaces ? "replace" : "add"));
    }
    return array;
}

json_t *members_to_json(const Mha__StatusReply *status)
{
    json_t *array = json_array();

    for (size_t i = 0; i < status->n_nodes; i++) {
        const Mha__NodeStatus *node = status->nodes[i];
        json_array_append_new(array,
                              json_pack("{s:o s:o s:s s:b s:o s:b s:b}", "name", ctl_text_json(node->name),
                                        "id", identity(node->id), "kind", status_kind_name(node->kind),
                                        "voter", node->voter, "address", text_or_null(node->address), "self",
                                        node->self, "reachable", node->self || node->reachable));
    }
    return json_pack("{s:o s:o s:o s:o}", "members", array, "strangers", strangers_to_json(status),
                     "changing", text_or_null(status->changing), "removed", text_or_null(status->removed));
}

static json_t *primary_to_json(const Mha__StatusReply *status)
{
    const Mha__Primary *primary = status->state ? status->state->primary : NULL;

    if (!primary || primary->node == 0)
        return json_null();
    return json_pack("{s:o s:o s:b s:o s:o}", "node", ctl_text_json(status_node_name(status, primary->node)),
                     "epoch", number(primary->epoch), "open", primary->opened, "epoch_position",
                     text_or_null(primary->epoch_position), "incarnation", identity(primary->incarnation));
}

static json_t *sync_to_json(const Mha__StatusReply *status)
{
    const Mha__SyncSet *sync = status->state ? status->state->sync : NULL;
    json_t *members;

    if (!sync || sync->n_members == 0)
        return json_null();
    members = json_array();
    for (size_t i = 0; i < sync->n_members; i++)
        json_array_append_new(members, ctl_text_json(status_node_name(status, sync->members[i]->node)));
    return json_pack("{s:o s:o s:i}", "version", number(sync->version), "members", members, "acks",
                     (int)sync->acks);
}

static json_t *switchover_to_json(const Mha__StatusReply *status)
{
    const Mha__Switchover *switchover = status_switchover(status);

    if (!switchover)
        return json_null();
    return json_pack("{s:o s:o s:o s:o s:o}", "id", number(switchover->id), "from",
                     text_or_null(status_node_name(status, switchover->from)), "to",
                     text_or_null(status_node_name(status, switchover->to)), "epoch",
                     number(switchover->epoch), "timeout_ms", number(switchover->timeout_us / 1000));
}

static json_t *pause_to_json(const Mha__StatusReply *status)
{
    const Mha__Pause *pause = status_pause(status);

    if (!pause)
        return json_null();
    return json_pack("{s:o s:o s:o s:o}", "id", number(pause->id), "holder",
                     text_or_null(status_node_name(status, pause->holder)), "epoch", number(pause->epoch),
                     "length_ms", number(pause->length_us / 1000));
}

static json_t *force_to_json(const Mha__StatusReply *status)
{
    const Mha__Force *force = status_force(status);

    if (!force)
        return json_null();
    return json_pack("{s:o s:o s:b}", "id", number(force->id), "node",
                     text_or_null(status_node_name(status, force->node)), "old_primary_is_off",
                     force->old_primary_is_off);
}

static json_t *asides_to_json(const Mha__StatusReply *status)
{
    json_t *array = json_array();

    for (size_t i = 0; status->state && i < status->state->n_asides; i++) {
        const Mha__Aside *aside = status->state->asides[i];
        json_array_append_new(array,
                              json_pack("{s:o s:o s:s s:o s:b s:b s:i}", "id", number(aside->id), "node",
                                        text_or_null(status_node_name(status, aside->node)), "kind",
                                        aside->kind == MHA__ASIDE_KIND__ASIDE_DRAIN ? "drain" : "rebuild",
                                        "donor", text_or_null(status_node_name(status, aside->donor)),
                                        "by_operator", aside->by_operator, "cancelled", aside->cancelled,
                                        "rate_mb", (int)aside->rate_mb));
    }
    return array;
}

static json_t *init_to_json(const Mha__StatusReply *status)
{
    const Mha__Init *init = status->state ? status->state->init : NULL;

    if (!init || !init->id)
        return json_null();
    return json_pack("{s:o s:o s:b}", "id", number(init->id), "node",
                     text_or_null(status_node_name(status, init->node)), "discard_others",
                     init->discard_others);
}

static json_t *durability_to_json(const Mha__StatusReply *status)
{
    return json_pack("{s:s s:o}", "mode", status->durability_available ? "available" : "quorum",
                     "lag_most_ms", status->durability_available ? number(status->lag_most_ms) : json_null());
}

static json_t *last_request_to_json(const Mha__StatusReply *status)
{
    if (!status->state || status->state->last_request_id == 0)
        return json_null();
    return json_pack("{s:o s:o}", "id", number(status->state->last_request_id), "outcome",
                     text_or_null(status->state->last_request_outcome));
}

static json_t *phases_to_json(const Mha__Phases *phases)
{
    if (!phases)
        return json_null();
    return json_pack("{s:o s:o s:o s:o s:o s:o s:o}", "detected", number(phases->detected_us), "elected",
                     number(phases->elected_us), "frozen", number(phases->frozen_us), "drained",
                     number(phases->drained_us), "promoted", number(phases->promoted_us), "announced",
                     number(phases->announced_us), "total", number(status_phases_total_us(phases)));
}

json_t *history_to_json(const Mha__StatusReply *status)
{
    json_t *array = json_array();

    for (size_t i = 0; status->state && i < status->state->n_history; i++) {
        const Mha__Change *change = status->state->history[i];
        json_array_append_new(array, json_pack("{s:o s:s s:o s:o s:o s:o s:b s:o}", "id", number(change->id),
                                               "kind", status_change_name(change->kind), "from",
                                               text_or_null(status_node_name(status, change->from)), "to",
                                               text_or_null(status_node_name(status, change->to)), "epoch",
                                               number(change->epoch), "reason", text_or_null(change->reason),
                                               "complete", change->complete, "phases_us",
                                               phases_to_json(change->phases)));
    }
    return array;
}

json_t *status_to_json(const Mha__StatusReply *status)
{
    json_t *vip = json_null();

    if (status->vip[0])
        vip = json_pack("{s:o s:o}", "address", ctl_text_json(status->vip), "holder",
                        text_or_null(status->vip_holder));
    return json_pack(
        "{s:o s:o s:o s:b s:b s:b s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o "
        "s:o s:o s:o s:o}",
        "cluster", ctl_text_json(status->cluster), "self", ctl_text_json(status->self), "serving",
        status_is_arbiters(status) ? json_null() : json_boolean(status_is_serving(status)), "formed",
        status->formed, "quorum", status->has_quorum, "confirmed", status->confirmed, "term",
        number(status->term), "leader", text_or_null(status->leader), "lease_ms", number(status->lease_ms),
        "applied_index", number(status->applied_index), "summary", text_or_null(status->summary),
        "if_one_fails", lines(status->if_one_fails), "primary", primary_to_json(status), "vip", vip, "sync",
        sync_to_json(status), "switchover", switchover_to_json(status), "pause", pause_to_json(status),
        "force", force_to_json(status), "durability",
        status_is_arbiters(status) ? json_null() : durability_to_json(status), "rejoin",
        status_is_arbiters(status) ? json_null() : json_string(status->rejoin_auto ? "auto" : "manual"),
        "asides", asides_to_json(status), "init", init_to_json(status), "last_request",
        last_request_to_json(status), "nodes", nodes_to_json(status), "strangers", strangers_to_json(status),
        "changing", text_or_null(status->changing), "removed", text_or_null(status->removed), "history",
        history_to_json(status));
}
