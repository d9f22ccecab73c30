#include "common/raft/internal.h"

bool raft_append_is_entry_valid(const struct raft *raft, const struct raft_entry *entry)
{
    struct raft_membership membership;
    if (entry->size > RAFT_ENTRY_BYTES_MAX || (entry->size > 0 && entry->data == NULL))
        return false;
    return entry->kind == RAFT_ENTRY_NOOP || entry->kind == RAFT_ENTRY_COMMAND ||
           (entry->kind == RAFT_ENTRY_MEMBERSHIP && raft_change_decode(raft, entry, &membership));
}

/* Nothing of a message is used before all of it is known to make sense. */
static bool is_sane(const struct raft *raft, const struct raft_message *message)
{
    if (message->entry_count > RAFT_APPEND_ENTRIES_MAX ||
        (message->entry_count > 0 && message->entries == NULL))
        return false;
    if (message->log_index > RAFT_INDEX_MAX || message->log_term > message->term)
        return false;
    if (message->log_index == 0 && message->log_term != 0)
        return false;
    if (message->election_us < RAFT_ELECTION_US_MIN || message->election_us > RAFT_ELECTION_US_MAX)
        return false;
    uint64_t term = message->log_term;
    for (unsigned i = 0; i < message->entry_count; i++) {
        const struct raft_entry *entry = &message->entries[i];
        if (entry->index != message->log_index + 1 + i || entry->term < term || entry->term > message->term ||
            entry->term == 0)
            return false;
        if (!raft_append_is_entry_valid(raft, entry))
            return false;
        term = entry->term;
    }
    return true;
}

/* Raft, figure 2, AppendEntries 3 and 4. false: no memory, and what was stored is still a prefix of the
 * leader's log. */
static bool store(struct raft *raft, const struct raft_message *message)
{
    for (unsigned i = 0; i < message->entry_count; i++) {
        const struct raft_entry *entry = &message->entries[i];
        uint64_t term_here;
        if (entry->index < raft->log.base_index)
            continue; /* covered by the snapshot, so committed, so the same (RedisLabs/raft 49) */
        if (raft_log_term_at(&raft->log, entry->index, &term_here)) {
            if (term_here == entry->term)
                continue; /* a repeated or overtaken APPEND must not cut what a later one brought */
            if (entry->index <= raft->commit_index)
                raft_stop(raft, "a leader contradicts a committed entry");
            raft_log_truncate(&raft->log, entry->index);
            raft_change_truncated(raft);
        }
        if (!raft_log_append(&raft->log, entry, raft_output_next_write(raft)))
            return false;
        raft_change_appended(raft, entry);
    }
    return true;
}

/* Dissertation 3.5: name the conflicting term and its first index, so that the leader skips the term at once.
 */
static void hint(const struct raft *raft, const struct raft_message *message, struct raft_message *reply)
{
    uint64_t term_here;
    if (!raft_log_term_at(&raft->log, message->log_index, &term_here)) {
        reply->log_index = raft_log_last_index(&raft->log);
    } else {
        reply->log_index = raft_log_first_of_term(&raft->log, message->log_index);
        reply->log_term = term_here;
    }
}

void raft_append_follow_leader(struct raft *raft, const struct raft_message *message)
{
    if (message->term == raft->hard.term && raft->term_leader != 0 && raft->term_leader != message->from)
        raft_stop(raft, "two leaders in one term");
    raft_election_follow(raft, message->term);
    raft_election_heard(raft, message->from, message->election_us);
}

void raft_append_receive(struct raft *raft, const struct raft_message *message)
{
    if (!is_sane(raft, message)) {
        raft->dropped_messages++;
        return;
    }
    struct raft_message reply = {.kind = RAFT_APPEND_REPLY, .to = message->from};
    if (message->term < raft->hard.term) { /* figure 2, AppendEntries 1 */
        reply.term = raft->hard.term;
        raft_output_send(raft, &reply, true);
        return;
    }
    raft_append_follow_leader(raft, message);
    reply.term = raft->hard.term;
    reply.round = message->round;
    reply.election_us = raft->hard.promised_us;
    reply.snapshot_index = raft->log.base_index;
    uint64_t term_here = 0;
    bool matches =
        message->log_index < raft->log.base_index ||
        (raft_log_term_at(&raft->log, message->log_index, &term_here) && term_here == message->log_term);
    if (!matches) { /* figure 2, AppendEntries 2 */
        hint(raft, message, &reply);
        raft_output_send(raft, &reply, true);
        return;
    }
    if (!store(raft, message)) {
        raft->dropped_messages++; /* no answer: the leader's next round finds out what is missing */
        return;
    }
    uint64_t match = message->log_index + message->entry_count;
    if (match < raft->log.base_index)
        match = raft->log.base_index;
    /* Figure 2, AppendEntries 5: no further than what this message has shown to be the leader's. */
    uint64_t commit = message->commit < match ? message->commit : match;
    if (commit > raft->commit_index)
        raft->commit_index = commit;
    reply.granted = true;
    reply.log_index = match;
    raft_output_send(raft, &reply, true);
}
