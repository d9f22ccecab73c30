/* look.c - what is: questions to an input, which every part of the policy answers alike. */
#include <string.h>

#include "agent/cluster/policy_internal.h"

/* Recovery of a server that was started may take its time. */
#define START_PATIENCE_US 60000000u

const struct policy_node *policy_find_node(const struct policy_input *input, uint64_t id)
{
    for (unsigned i = 0; i < input->node_count; i++)
        if (input->nodes[i].id == id && id != 0)
            return &input->nodes[i];
    return NULL;
}

const char *policy_node_name(const struct policy_input *input, uint64_t id)
{
    const struct policy_node *node = policy_find_node(input, id);

    return node ? node->name : id ? "an unknown node" : "nobody";
}

bool policy_node_reachable(const struct policy_input *input, const struct policy_node *node)
{
    return node->self || (node->heard_us && input->now_us - node->heard_us <= input->settings.election_us);
}

const Mha__DbObservation *policy_fresh_db(const struct policy_input *input, const struct policy_node *node)
{
    if (node->self)
        return input->db;
    if (!node->report || input->now_us - node->reported_us > input->settings.election_us)
        return NULL;
    return node->report->database;
}

unsigned policy_data_nodes(const struct policy_input *input)
{
    unsigned count = 0;

    for (unsigned i = 0; i < input->node_count; i++)
        count += !input->nodes[i].arbiter && !input->nodes[i].learner;
    return count;
}

unsigned policy_databases(const struct policy_input *input)
{
    unsigned count = 0;

    for (unsigned i = 0; i < input->node_count; i++)
        count += !input->nodes[i].arbiter;
    return count;
}

unsigned policy_most_acks(const struct policy_input *input)
{
    unsigned half = policy_data_nodes(input) / 2;

    return input->settings.acks_kind == ACKS_ANY && half > 1 ? 1 : half;
}

const Mha__DbObservation *policy_willing(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db = policy_fresh_db(input, node);

    if (node->self || node->arbiter || node->learner || cluster_aside_find(input->state, node->id) || !db ||
        node->report->term != input->raft->term || db->state != MHA__DB_STATE__DB_UP || !db->receiving ||
        !db->applying || policy_disk_trouble(db) || !(db->acknowledging || db->standing_by) ||
        db->source_epoch != input->state->primary.epoch || db->incarnation == 0)
        return NULL;
    return db;
}

bool policy_acknowledges(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db = policy_willing(input, node);

    return db && db->acknowledging;
}

bool policy_tells_nodes_apart(const struct policy_input *input, const Mha__DbObservation *db)
{
    return input->settings.acks_kind != ACKS_NAMED && db->acknowledgers_known;
}

bool policy_counts_there(const Mha__DbObservation *db, const char *name)
{
    for (size_t i = 0; i < db->n_acknowledgers; i++)
        if (strcmp(db->acknowledgers[i], name) == 0)
            return true;
    return false;
}

const Mha__DbObservation *policy_frozen_db(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *db = node ? policy_fresh_db(input, node) : NULL;

    if (!db || db->state != MHA__DB_STATE__DB_UP || db->frozen_term != input->raft->term ||
        (!node->self && node->report->term != input->raft->term))
        return NULL;
    return db;
}

bool policy_is_ahead(const struct policy_input *input, const struct policy_node *node)
{
    const Mha__DbObservation *theirs = policy_fresh_db(input, node);
    struct position mine, other;

    return theirs && input->db && position_parse(input->db->received, &mine) &&
           position_parse(theirs->received, &other) && position_compare(&other, &mine) == POSITION_AHEAD;
}

bool policy_holds(const char *position, const char *part)
{
    struct position whole, piece;

    return position_parse(position, &whole) && position_parse(part, &piece) &&
           position_contains(&whole, &piece);
}

uint64_t policy_held_until_us(const struct policy_input *input, const struct policy_node *node)
{
    uint64_t until_us = node->self ? input->raft->held_until_us : 0;

    if (!node->self && node->report)
        until_us = node->reported_us + node->report->held_ms * 1000;
    return until_us > input->now_us ? until_us : 0;
}

bool policy_majority_votes(const struct policy_input *input)
{
    unsigned voters = 0, held = 0;

    for (unsigned i = 0; i < input->node_count; i++) {
        const struct policy_node *node = &input->nodes[i];
        if (node->learner)
            continue;
        voters++;
        held += !policy_node_reachable(input, node) || policy_held_until_us(input, node);
    }
    return voters - held > voters / 2;
}

bool policy_is_held_up(const Mha__DbObservation *db)
{
    return db && db->state == MHA__DB_STATE__DB_HUNG &&
           (db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD ||
            db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_NO_CONNECTION_FREE);
}

const char *policy_disk_trouble(const Mha__DbObservation *db)
{
    if (!db || (db->state != MHA__DB_STATE__DB_UP && db->state != MHA__DB_STATE__DB_HUNG))
        return NULL;
    if (db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL)
        return "its disk is full";
    if (db->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_READ_ONLY_FILES)
        return "its file system takes no writes";
    return NULL;
}

bool policy_serving_here(const struct policy_input *input)
{
    return input->raft->role == RAFT_LEADER && input->raft->ready &&
           input->state->primary.node == input->self->id && input->state->primary.epoch == input->raft->term;
}

bool policy_paused_here(const struct policy_input *input)
{
    return input->state->pause.id && input->state->pause.holder == input->self->id;
}

bool policy_adopts_open_database(const struct policy_input *input)
{
    const struct cluster_state *state = input->state;

    return policy_paused_here(input) && state->primary.node == input->self->id && state->primary.opened &&
           input->db && input->db->open && input->db->incarnation == state->primary.incarnation;
}

bool policy_is_starting(const struct policy_tracker *tracker, const struct policy_input *input)
{
    return tracker->started_us && input->now_us - tracker->started_us < START_PATIENCE_US && input->db &&
           input->db->state == MHA__DB_STATE__DB_HUNG;
}

bool policy_dead(const Mha__DbObservation *db)
{
    return db && db->state == MHA__DB_STATE__DB_DOWN;
}

bool policy_closed(const Mha__DbObservation *db)
{
    return policy_dead(db) || (db && db->fenced);
}

bool policy_has_successor(const struct policy_input *input)
{
    return policy_best_other(input) != NULL;
}
