#include "common/raft/trace.h"

#include <inttypes.h>

#include "common/base/crc32c.h"
#include "common/raft/trace_fields.h"

/* ---- lines ---- */

static bool begin(struct raft_tracer *tracer, const char *what)
{
    if (tracer->line == NULL)
        return false;
    text_clear(&tracer->text);
    text_add(&tracer->text, "raft %s", what);
    return true;
}

static bool begin_input(struct raft_tracer *tracer, uint64_t now_us, const char *what)
{
    tracer->input_us = now_us;
    return begin(tracer, what);
}

static void end(struct raft_tracer *tracer)
{
    if (!tracer->text.failed)
        tracer->line(tracer->context, tracer->input_us, tracer->text.data);
}

void raft_tracer_end(struct raft_tracer *tracer)
{
    text_free(&tracer->text);
}

/* Whole for an input; for an output its size and checksum. */
static void add_data(struct text *text, const void *data, size_t size, bool whole)
{
    if (whole)
        text_add_hex(text, data, size);
    else if (size > 0)
        text_add(text, "%zu:%08" PRIx32, size, crc32c(0, data, size));
}

static void add_entries(struct text *text, const struct raft_entry *entries, unsigned count, bool whole)
{
    if (count == 0)
        return;
    text_add(text, " entries=");
    for (unsigned i = 0; i < count; i++) {
        const struct raft_entry *entry = &entries[i];
        text_add(text, "%s%" PRIu64 "/%" PRIu64 "/%s/", i > 0 ? "," : "", entry->index, entry->term,
                 raft_trace_entry_kinds[entry->kind]);
        add_data(text, entry->data, entry->size, whole);
    }
}

static void add_message(struct text *text, const struct raft_message *message, bool whole)
{
    text_add(text, " %s", raft_trace_message_kinds[message->kind]);
    fields_write(text, "", raft_trace_message_fields, message);
    add_entries(text, message->entries, message->entry_count, whole);
    if (message->size > 0) {
        text_add(text, " data=");
        add_data(text, message->data, message->size, whole);
    }
}

static void add_snapshot(struct text *text, const struct raft_snapshot *snapshot, bool whole)
{
    text_add(text, " snapshot=%" PRIu64 "/%" PRIu64 "/", snapshot->index, snapshot->term);
    add_data(text, snapshot->data, snapshot->size, whole);
}

static enum raft_code answer(struct raft_tracer *tracer, enum raft_code code, const char *name,
                             uint64_t number)
{
    if (!begin(tracer, "-> answer"))
        return code;
    text_add(&tracer->text, " %s", raft_trace_codes[code]);
    if (code == RAFT_OK && name != NULL)
        text_add(&tracer->text, " %s=%" PRIu64, name, number);
    end(tracer);
    return code;
}

/* ---- inputs ---- */

enum raft_code raft_trace_new(struct raft_tracer *tracer, const struct raft_config *config,
                              const struct raft_restored *restored, uint64_t now_us, struct raft **out)
{
    tracer->told_lease_us = tracer->told_commit = 0;
    if (begin_input(tracer, now_us, "new")) {
        struct text *text = &tracer->text;
        text_add(text, " codec=%s",
                 tracer->codec == NULL || config->decode_membership == NULL ? "none" : tracer->codec);
        fields_write(text, "", raft_trace_config_fields, config);
        fields_write(text, "", raft_trace_hard_state_fields, &restored->hard_state);
        if (restored->restarted)
            text_add(text, " restarted");
        text_add(text, " members=");
        for (unsigned i = 0; i < restored->membership.count; i++) {
            const struct raft_member *member = &restored->membership.members[i];
            text_add(text, "%s%" PRIu64 ":%s:%s", i > 0 ? "," : "", member->id,
                     member->kind == RAFT_DATA ? "data" : "arbiter", member->voter ? "voter" : "learner");
        }
        if (restored->snapshot.index > 0)
            add_snapshot(text, &restored->snapshot, true);
        add_entries(text, restored->entries, restored->entry_count, true);
        end(tracer);
    }
    enum raft_code code = raft_new(config, restored, now_us, out);
    return code == RAFT_OK ? code : answer(tracer, code, NULL, 0);
}

void raft_trace_tick(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us)
{
    if (begin_input(tracer, now_us, "tick"))
        end(tracer);
    raft_tick(raft, now_us);
}

void raft_trace_receive(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                        const struct raft_message *message)
{
    if (begin_input(tracer, now_us, "receive")) {
        add_message(&tracer->text, message, true);
        end(tracer);
    }
    raft_receive(raft, now_us, message);
}

enum raft_code raft_trace_propose(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                                  enum raft_entry_kind kind, const void *data, size_t size, uint64_t *index)
{
    if (begin_input(tracer, now_us, "propose")) {
        text_add(&tracer->text, " kind=%s data=", raft_trace_entry_kinds[kind]);
        add_data(&tracer->text, data, size, true);
        end(tracer);
    }
    enum raft_code code = raft_propose(raft, now_us, kind, data, size, index);
    return answer(tracer, code, "index", code == RAFT_OK ? *index : 0);
}

void raft_trace_persisted(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us, uint64_t write,
                          uint64_t index, uint64_t term)
{
    if (begin_input(tracer, now_us, "persisted")) {
        text_add(&tracer->text, " write=%" PRIu64 " index=%" PRIu64 " term=%" PRIu64, write, index, term);
        end(tracer);
    }
    raft_persisted(raft, now_us, write, index, term);
}

void raft_trace_end_lease(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us)
{
    if (begin_input(tracer, now_us, "end-lease"))
        end(tracer);
    raft_end_lease(raft, now_us);
}

void raft_trace_released(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us)
{
    if (begin_input(tracer, now_us, "released"))
        end(tracer);
    raft_released(raft, now_us);
}

enum raft_code raft_trace_transfer(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                                   uint64_t to)
{
    if (begin_input(tracer, now_us, "transfer")) {
        text_add(&tracer->text, " to=%" PRIu64, to);
        end(tracer);
    }
    return answer(tracer, raft_transfer(raft, now_us, to), NULL, 0);
}

enum raft_code raft_trace_renew_term(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us)
{
    if (begin_input(tracer, now_us, "renew-term"))
        end(tracer);
    return answer(tracer, raft_renew_term(raft, now_us), NULL, 0);
}

void raft_trace_set_campaign_delay(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                                   uint64_t delay_us)
{
    if (begin_input(tracer, now_us, "campaign-delay")) {
        text_add(&tracer->text, " us=%" PRIu64, delay_us);
        end(tracer);
    }
    raft_set_campaign_delay(raft, now_us, delay_us);
}

enum raft_code raft_trace_compact(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                                  const struct raft_snapshot *snapshot)
{
    if (begin_input(tracer, now_us, "compact")) {
        add_snapshot(&tracer->text, snapshot, true);
        end(tracer);
    }
    return answer(tracer, raft_compact(raft, now_us, snapshot), NULL, 0);
}

enum raft_code raft_trace_read(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us, uint64_t *read)
{
    if (begin_input(tracer, now_us, "read"))
        end(tracer);
    enum raft_code code = raft_read(raft, now_us, read);
    return answer(tracer, code, "read", code == RAFT_OK ? *read : 0);
}

/* Only what is given out changes raft, and only if it is more than before. */
void raft_trace_status(struct raft_tracer *tracer, struct raft *raft, uint64_t now_us,
                       struct raft_status *out)
{
    raft_status(raft, now_us, out);
    if (out->lease_until_us == 0 || out->lease_until_us == tracer->told_lease_us)
        return;
    tracer->told_lease_us = out->lease_until_us;
    if (begin_input(tracer, now_us, "status")) {
        text_add(&tracer->text, " lease_until_us=%" PRIu64 " term=%" PRIu64, out->lease_until_us, out->term);
        end(tracer);
    }
}

/* ---- outputs ---- */

static void tell_send(struct raft_tracer *tracer, const struct raft_send *send)
{
    struct raft_message message = send->message;
    message.from = 0; /* itself */
    begin(tracer, "-> send");
    add_message(&tracer->text, &message, false);
    if (send->after_write > 0)
        text_add(&tracer->text, " after_write=%" PRIu64, send->after_write);
    end(tracer);
}

static void tell_write(struct raft_tracer *tracer, const struct raft_output *output)
{
    begin(tracer, "-> write");
    text_add(&tracer->text, " %" PRIu64, output->write);
    if (output->has_snapshot)
        add_snapshot(&tracer->text, &output->snapshot, false);
    if (output->has_hard_state)
        fields_write(&tracer->text, "", raft_trace_hard_state_fields, &output->hard_state);
    add_entries(&tracer->text, output->entries, output->entry_count, false);
    end(tracer);
}

const struct raft_output *raft_trace_take(struct raft_tracer *tracer, struct raft *raft)
{
    const struct raft_output *output = raft_take(raft);
    if (tracer->line == NULL)
        return output;
    for (unsigned i = 0; i < output->message_count; i++)
        tell_send(tracer, &output->messages[i]);
    if (output->has_write)
        tell_write(tracer, output);
    if (output->commit_index != tracer->told_commit) {
        tracer->told_commit = output->commit_index;
        begin(tracer, "-> commit");
        text_add(&tracer->text, " %" PRIu64, output->commit_index);
        end(tracer);
    }
    for (unsigned i = 0; i < output->read_count; i++) {
        begin(tracer, "-> read");
        text_add(&tracer->text, " %" PRIu64 " index=%" PRIu64 "%s", output->reads[i].read,
                 output->reads[i].index, output->reads[i].done ? " done" : " lost");
        end(tracer);
    }
    uint64_t next_us = raft_deadline_us(raft);
    begin(tracer, "-> next");
    text_add(&tracer->text, " %" PRIu64 ".%06" PRIu64, next_us / 1000000, next_us % 1000000);
    end(tracer);
    return output;
}
