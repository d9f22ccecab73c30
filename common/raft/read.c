/* ReadIndex (dissertation 6.4): the commit index of the call, once a quorum has answered a round that was
 * sent after it. A round that was on its way already proves nothing about the time since (etcd 7331). */
#include <string.h>

#include "common/raft/internal.h"

void raft_read_round_started(struct raft *raft)
{
    for (unsigned i = raft->read_count; i > 0 && raft->reads[i - 1].round == 0; i--)
        raft->reads[i - 1].round = raft->round_us;
}

bool raft_read_wants_round(const struct raft *raft)
{
    return raft->read_count > 0 && raft->reads[raft->read_count - 1].round == 0;
}

static void finish(struct raft *raft, unsigned count, bool done)
{
    for (unsigned i = 0; i < count; i++)
        raft->read_results[raft->read_result_count++] =
            (struct raft_read){.read = raft->reads[i].read, .index = raft->reads[i].index, .done = done};
    raft->read_count -= count;
    memmove(raft->reads, raft->reads + count, raft->read_count * sizeof *raft->reads);
}

void raft_read_step(struct raft *raft)
{
    if (raft->read_count == 0)
        return;
    uint64_t answered_us = raft_lease_answered_us(raft);
    unsigned done = 0; /* their rounds ascend */
    while (done < raft->read_count && raft->reads[done].round != 0 && raft->reads[done].round <= answered_us)
        done++;
    if (done > 0)
        finish(raft, done, true);
}

void raft_read_lose(struct raft *raft)
{
    finish(raft, raft->read_count, false);
}

enum raft_code raft_read(struct raft *raft, uint64_t now_us, uint64_t *read)
{
    raft_input_begin(raft, now_us);
    raft_input_end(raft);
    if (raft->role != RAFT_LEADER)
        return RAFT_NOT_LEADER;
    /* Until its no-op is committed, a leader does not know what its predecessors had committed. */
    if (raft->commit_index < raft->noop_index || raft->read_count + raft->read_result_count >= RAFT_READS_MAX)
        return RAFT_BUSY;
    raft->reads[raft->read_count++] =
        (struct raft_open_read){.read = ++raft->read_issued, .index = raft->commit_index};
    *read = raft->read_issued;
    raft_replicate_want_round(raft);
    raft_read_step(raft);
    return RAFT_OK;
}
