#include "common/raft/raft.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/raft/internal.h"

void raft_stop(const struct raft *raft, const char *what)
{
    fprintf(stderr,
            "raft: member %" PRIx64 ", term %" PRIu64 ": %s; stopping, as nothing is safe from here on\n",
            raft->config.id, raft->hard.term, what);
    abort();
}

static bool is_config_valid(const struct raft_config *config)
{
    return config->id != 0 && config->election_us >= RAFT_ELECTION_US_MIN &&
           config->election_us <= RAFT_ELECTION_US_MAX && config->heartbeat_us >= RAFT_HEARTBEAT_US_MIN &&
           config->heartbeat_us <= config->election_us / 3 && config->chunk_bytes <= RAFT_CHUNK_BYTES_MAX;
}

static bool is_restored_valid(const struct raft *raft, const struct raft_restored *restored)
{
    uint64_t index = restored->snapshot.index, term = restored->snapshot.term;
    /* Without any membership it waits to be told, which takes someone who can read it. */
    bool is_new = restored->membership.count == 0 && raft->config.decode_membership != NULL;
    if ((!is_new && !raft_membership_valid(&restored->membership)) ||
        !raft_snapshot_valid(&restored->snapshot) || restored->hard_state.promised_us > RAFT_ELECTION_US_MAX)
        return false;
    for (unsigned i = 0; i < restored->entry_count; i++) {
        const struct raft_entry *entry = &restored->entries[i];
        if (entry->index != index + 1 || entry->term < term || entry->term == 0 ||
            entry->term > restored->hard_state.term || !raft_append_is_entry_valid(raft, entry))
            return false;
        index = entry->index;
        term = entry->term;
    }
    return true;
}

static enum raft_code restore(struct raft *raft, const struct raft_restored *restored)
{
    if (!is_restored_valid(raft, restored))
        return RAFT_INVALID;
    raft->base_membership = restored->membership;
    raft->hard = restored->hard_state;
    raft->commit_index = restored->snapshot.index;
    raft_log_init(&raft->log, restored->snapshot.index, restored->snapshot.term);
    if (restored->snapshot.index != 0 && !raft_snapshot_keep(raft, &restored->snapshot))
        return RAFT_NO_MEMORY;
    for (unsigned i = 0; i < restored->entry_count; i++) {
        if (!raft_log_restore(&raft->log, &restored->entries[i]))
            return RAFT_NO_MEMORY;
    }
    raft_change_restore(raft);
    if (restored->snapshot.term > raft->hard.term) {
        /* A crash between the snapshot and the hard state: nothing was promised in that term yet. */
        raft->hard.term = restored->snapshot.term;
        raft->hard.vote = 0;
        raft_output_hard_state(raft);
    }
    return RAFT_OK;
}

enum raft_code raft_new(const struct raft_config *config, const struct raft_restored *restored,
                        uint64_t now_us, struct raft **out)
{
    if (!is_config_valid(config))
        return RAFT_INVALID;
    struct raft *raft = calloc(1, sizeof *raft);
    if (raft == NULL)
        return RAFT_NO_MEMORY;
    raft->config = *config;
    if (raft->config.chunk_bytes == 0)
        raft->config.chunk_bytes = RAFT_CHUNK_BYTES_DEFAULT;
    raft->now_us = now_us;
    enum raft_code code = restore(raft, restored);
    if (code != RAFT_OK) {
        raft_free(raft);
        return code;
    }
    /* It cannot remember whom it heard, only what it promised then (nebula 5352). */
    if (restored->restarted && raft->hard.promised_us > 0)
        raft->restart_hold_us = now_us + raft->hard.promised_us;
    raft_election_stand_back(raft, raft_lease_promise_us(raft));
    *out = raft;
    return RAFT_OK;
}

void raft_free(struct raft *raft)
{
    if (raft == NULL)
        return;
    raft_log_free(&raft->log);
    raft_snapshot_free(raft);
    free(raft->sends);
    free(raft->sends_wait);
    free(raft);
}

void raft_input_begin(struct raft *raft, uint64_t now_us)
{
    if (now_us > raft->now_us)
        raft->now_us = now_us;
    if (raft->taken) {
        raft->taken = false;
        raft->send_count = 0;
        raft->read_result_count = 0;
    }
}

void raft_input_end(struct raft *raft)
{
    raft_replicate_tick(raft);
    raft_election_tick(raft);
    raft_read_step(raft);
}

void raft_tick(struct raft *raft, uint64_t now_us)
{
    raft_input_begin(raft, now_us);
    raft_input_end(raft);
}

static void dispatch(struct raft *raft, unsigned peer, const struct raft_message *message)
{
    switch (message->kind) {
    case RAFT_PREVOTE:
        raft_election_receive_prevote(raft, message);
        return;
    case RAFT_PREVOTE_REPLY:
        raft_election_receive_prevote_reply(raft, peer, message);
        return;
    case RAFT_VOTE:
        raft_election_receive_vote(raft, message);
        return;
    case RAFT_VOTE_REPLY:
        raft_election_receive_vote_reply(raft, peer, message);
        return;
    case RAFT_APPEND:
        raft_append_receive(raft, message);
        return;
    case RAFT_APPEND_REPLY:
        raft_replicate_receive_reply(raft, peer, message);
        return;
    case RAFT_TIMEOUT_NOW:
        raft_transfer_receive_timeout_now(raft, message);
        return;
    case RAFT_SNAPSHOT:
        raft_snapshot_receive(raft, message);
        return;
    case RAFT_SNAPSHOT_REPLY:
        raft_chunks_receive_reply(raft, peer, message);
        return;
    }
    raft->dropped_messages++;
}

static bool is_request(const struct raft_message *message)
{
    return message->kind == RAFT_PREVOTE || message->kind == RAFT_VOTE || message->kind == RAFT_APPEND ||
           message->kind == RAFT_SNAPSHOT;
}

static bool is_for_us(const struct raft *raft, unsigned slot, const struct raft_message *message)
{
    /* Terms end long before they could overflow; one that is close to it is made up. */
    bool is_term_sane = message->term < UINT64_MAX / 2 && message->log_term < UINT64_MAX / 2;
    if (message->from == 0 || message->from == raft->config.id || message->to != raft->config.id ||
        !is_term_sane)
        return false;
    if (slot < raft->membership.count)
        return true;
    /* A stranger's requests are answered, as this member's membership may be an old one (dissertation 4.1,
     * 4.2.1); its answers mean nothing. A departing member's do, but its higher term must not disturb. */
    if (is_request(message))
        return raft->config.decode_membership != NULL;
    return slot != RAFT_NO_SLOT && message->term <= raft->hard.term;
}

void raft_receive(struct raft *raft, uint64_t now_us, const struct raft_message *message)
{
    raft_input_begin(raft, now_us);
    unsigned peer = raft_peer_slot(raft, message->from);
    if (is_for_us(raft, peer, message))
        dispatch(raft, peer, message);
    else
        raft->dropped_messages++;
    raft_input_end(raft);
}

uint64_t raft_deadline_us(const struct raft *raft)
{
    return raft->role == RAFT_LEADER ? raft_replicate_deadline(raft) : raft_election_deadline(raft);
}

static const char *waits_for(const struct raft *raft)
{
    if (raft->role != RAFT_LEADER)
        return raft_election_waits_for(raft);
    if (raft->commit_index < raft->noop_index)
        return "its first entry to be committed";
    if (raft->transfer_to != 0)
        return "the target of the transfer to have the whole log";
    if (raft_membership_is_self_arbiter(raft))
        return "a data member to have the whole log";
    return "";
}

static uint64_t status_leader(const struct raft *raft)
{
    if (raft->role == RAFT_LEADER)
        return raft->config.id;
    /* One that was not heard within the promise is no leader to rely on. */
    bool heard = raft->heard_leader_us != 0 && raft->now_us < raft_lease_sticky_until_us(raft);
    return raft->role == RAFT_FOLLOWER && heard ? raft->leader : 0;
}

void raft_status(struct raft *raft, uint64_t now_us, struct raft_status *out)
{
    if (now_us > raft->now_us)
        raft->now_us = now_us;
    bool leads = raft->role == RAFT_LEADER;
    uint64_t held_us = raft_lease_held_until_us(raft), commit_term = 0;
    *out = (struct raft_status){
        .role = raft->role,
        .term = raft->hard.term,
        .leader = status_leader(raft),
        .ready = leads && raft->commit_index >= raft->noop_index,
        .current = raft_log_term_at(&raft->log, raft->commit_index, &commit_term) && commit_term != 0 &&
                   commit_term == raft->hard.term,
        .commit_index = raft->commit_index,
        .last_index = raft_log_last_index(&raft->log),
        .snapshot_index = raft->log.base_index,
        .membership_index = raft->membership_index,
        .voter = raft_membership_is_self_voter(raft),
        .lease_until_us = raft_lease_until_us(raft),
        .lease_ended = leads && raft->lease_ended,
        .round_sent_us = raft_lease_answered_us(raft),
        .leader_since_us = leads ? raft->leader_since_us : 0,
        .heard_leader_us = raft->heard_leader_us,
        .campaign_us = raft->campaign_us,
        .held_until_us = held_us > raft->now_us ? held_us : 0,
        .waits_for = waits_for(raft),
        .dropped_messages = raft->dropped_messages,
    };
    /* What is given out holds this node back until it has passed, whatever happens to its leadership. */
    if (out->lease_until_us > raft->published_us)
        raft->published_us = out->lease_until_us;
    for (unsigned i = 0; i < raft->membership.count; i++) {
        if (i == raft->self)
            continue;
        out->peers[out->peer_count++] = (struct raft_peer_status){
            .id = raft->membership.members[i].id,
            .heard_us = leads ? raft->peers[i].heard_us : 0,
            .answered_sent_us = leads ? raft->peers[i].answered_sent_us : 0,
            .match_index = leads ? raft->peers[i].match_index : 0,
            .snapshot_bytes = leads ? raft->peers[i].chunks.offset : 0,
        };
    }
}

const struct raft_membership *raft_membership(const struct raft *raft)
{
    return &raft->membership;
}

const struct raft_entry *raft_entry_at(const struct raft *raft, uint64_t index)
{
    return raft_log_at(&raft->log, index);
}
