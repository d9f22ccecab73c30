#include "common/raft/internal.h"

#include <assert.h>
#include <stdlib.h>

uint64_t raft_output_next_write(const struct raft *raft)
{
    return raft->write_issued + 1;
}

static bool write_pending(const struct raft *raft)
{
    return raft->hard_dirty || raft->snapshot_pending ||
           raft->log.pending_index <= raft_log_last_index(&raft->log);
}

bool raft_output_busy(const struct raft *raft)
{
    return write_pending(raft) || raft->write_done < raft->write_issued;
}

void raft_output_hard_state(struct raft *raft)
{
    raft->hard_dirty = true;
    raft->hard_write = raft_output_next_write(raft);
}

static bool grow(struct raft *raft)
{
    unsigned capacity = raft->send_capacity == 0 ? 32 : raft->send_capacity * 2;
    struct raft_send *sends = realloc(raft->sends, capacity * sizeof *sends);
    if (sends == NULL)
        return false;
    raft->sends = sends;
    bool *wait = realloc(raft->sends_wait, capacity * sizeof *wait);
    if (wait == NULL)
        return false;
    raft->sends_wait = wait;
    raft->send_capacity = capacity;
    return true;
}

void raft_output_send(struct raft *raft, const struct raft_message *message, bool wait)
{
    /* Without memory the message is lost; so may any message be, and the next round tries again. */
    if (raft->send_count == raft->send_capacity && !grow(raft))
        return;
    raft->sends[raft->send_count] = (struct raft_send){.message = *message};
    raft->sends[raft->send_count].message.from = raft->config.id;
    raft->sends_wait[raft->send_count] = wait;
    raft->send_count++;
}

const struct raft_output *raft_take(struct raft *raft)
{
    struct raft_output *out = &raft->output;
    *out = (struct raft_output){.commit_index = raft->commit_index};
    if (raft->taken) /* no input since the last time */
        return out;
    raft->taken = true;
    raft_replicate_flush(raft);

    if (write_pending(raft)) {
        if (raft->write_done == raft->write_issued)
            raft->write_since_us = raft->now_us;
        out->has_write = true;
        out->write = ++raft->write_issued;
        out->has_snapshot = raft->snapshot_pending;
        if (raft->snapshot_pending)
            out->snapshot = raft->snapshot;
        out->has_hard_state = raft->hard_dirty;
        out->hard_state = raft->hard;
        uint64_t last = raft_log_last_index(&raft->log);
        if (raft->log.pending_index <= last) {
            out->entries = raft_log_at(&raft->log, raft->log.pending_index);
            out->entry_count = (unsigned)(last - raft->log.pending_index + 1);
        }
        raft->hard_dirty = raft->snapshot_pending = false;
        raft_log_handed_out(&raft->log);
    }
    for (unsigned i = 0; i < raft->send_count; i++) {
        bool outstanding = raft->write_done < raft->write_issued;
        raft->sends[i].after_write = raft->sends_wait[i] && outstanding ? raft->write_issued : 0;
    }
    out->reads = raft->read_results;
    out->read_count = raft->read_result_count;
    out->messages = raft->sends;
    out->message_count = raft->send_count;
    return out;
}

void raft_persisted(struct raft *raft, uint64_t now_us, uint64_t write, uint64_t index, uint64_t term)
{
    raft_input_begin(raft, now_us);
    uint64_t term_here;
    bool same_write = index != 0 && raft_log_write_of(&raft->log, index) == write;
    if (write > raft->write_issued ||
        (same_write && raft_log_term_at(&raft->log, index, &term_here) && term_here != term)) {
        raft->dropped_messages++; /* of something that was never handed out */
    } else if (write > raft->write_done) {
        raft->write_done = write;
        raft->write_since_us = raft->now_us; /* the disk moves: what is left starts its wait anew */
        /* By the writes' numbers, so a notice about entries that are gone confirms no others (ABA), and stops
         * none. */
        raft_log_persisted(&raft->log, write);
        raft_election_persisted(raft);
        raft_replicate_commit(raft);
    }
    raft_input_end(raft);
}
