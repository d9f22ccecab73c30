/* trace.h - raft.h with a record of every input and output, one line of text each, complete enough to be
 * replayed: the same inputs, given to the same code, bring the same outputs (raft_trace_replay).
 *
 * Whoever owns a struct raft may call the functions below instead of those of raft.h of the same name. With
 * no `line` in the tracer they only pass on. The lines (common/base/text.h says how values are written):
 *
 *   raft new codec=NAME id=.. members=1:data:voter,.. entries=INDEX/TERM/KIND/HEX,..     raft_new
 *   raft receive KIND from=.. term=.. ..       raft tick       raft persisted write=..   and so on: inputs
 *   raft status lease_until_us=.. ..           a lease is given out: an input, too
 *   raft -> send KIND to=.. after_write=.. ..  what raft_take returned, in the order of raft.h; data of
 *   raft -> write 3 term=.. entries=..         entries as SIZE:CRC32C, since they came in with an input
 *   raft -> commit 7
 *   raft -> next SECONDS                       always the last of an output: raft_deadline_us
 *   raft -> answer ok index=7                  what the function returned
 *
 * Pure: where the lines go is `line`'s business. */
#ifndef MHA_RAFT_TRACE_H
#define MHA_RAFT_TRACE_H

#include "common/base/text.h"
#include "common/raft/raft.h"

struct raft_tracer {
    void (*line)(void *context, uint64_t now_us, const char *text); /* NULL: nothing is traced */
    void *context;
    const char *codec; /* names decode_membership and decode_snapshot of the config */
    uint64_t input_us; /* when the newest input came */
    uint64_t told_lease_us, told_commit;
    struct text text;
};

void raft_tracer_end(struct raft_tracer *tracer); /* frees what it holds; it may go on */

enum raft_code raft_trace_new(struct raft_tracer *tracer, const struct raft_config *config,
                              const struct raft_restored *restored, uint64_t now_us, struct raft **out);
void raft_trace_tick(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us);
void raft_trace_receive(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                        const struct raft_message *message);
enum raft_code raft_trace_propose(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                                  enum raft_entry_kind kind, const void *data, size_t size, uint64_t *index);
void raft_trace_persisted(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us, uint64_t write,
                          uint64_t index, uint64_t term);
void raft_trace_end_lease(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us);
void raft_trace_released(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us);
enum raft_code raft_trace_transfer(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                                   uint64_t to);
enum raft_code raft_trace_renew_term(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us);
void raft_trace_set_campaign_delay(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                                   uint64_t delay_us);
enum raft_code raft_trace_compact(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                                  const struct raft_snapshot *snapshot);
enum raft_code raft_trace_read(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                               uint64_t *read);
void raft_trace_status(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                       struct raft_status *out);
const struct raft_output *raft_trace_take(struct raft_tracer *tracer, struct raft *raft);

/* ---- replay ---- */

struct raft_trace_codec {
    const char *name;
    bool (*decode_membership)(const void *data, size_t size, struct raft_membership *out);
    bool (*decode_snapshot)(const void *data, size_t size, struct raft_membership *out);
};

/* Gives the input of a line (its words after "raft") to `*raft`, which "new" makes (and frees an earlier
 * one). The tracer's lines are then what the trace should say: the input itself first. An output's line: what
 * raft_take returns now. `codecs` ends with a NULL name. false: no such line. */
bool raft_trace_replay(struct raft_tracer *tracer, struct raft **raft, uint64_t now_us,
                       const struct words *words, const struct raft_trace_codec *codecs);

#endif
