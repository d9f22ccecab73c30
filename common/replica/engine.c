/* The order of raft.h, kept: what needs no write leaves; the write is appended; one sync covers all writes of
 * this loop turn; then what waited for it leaves, raft is told, and committed entries are applied. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/replica/internal.h"

#define FULL_LOG_INTERVAL_US MS_TO_US(60000)

void engine_note_change(struct replica *replica)
{
    replica->changed = true;
    event_active(replica->flush, EV_TIMEOUT, 0);
}

void engine_fail(struct replica *replica, const char *why)
{
    if (replica->failed)
        return;
    replica->failed = true;
    snprintf(replica->why_failed, sizeof replica->why_failed, "%s", why);
    event_active(replica->flush, EV_TIMEOUT, 0);
}

/* ---- messages ---- */

static void hold(struct replica *replica, uint64_t after_write, uint64_t to, struct wire_bytes *bytes)
{
    struct held_message *held = malloc(sizeof *held);

    if (!held) {
        free(bytes->data);
        return; /* a lost message: raft sends again */
    }
    *held = (struct held_message){.after_write = after_write, .to = to, .bytes = *bytes};
    STAILQ_INSERT_TAIL(&replica->held, held, entry);
}

static void send_or_hold(struct replica *replica, const struct raft_send *send)
{
    struct raft_message message = send->message;
    unsigned packed = 0;

    /* An APPEND above the frame's size goes as several. */
    do {
        struct wire_bytes bytes;
        struct error err;

        if (wire_pack_raft(&message, &bytes, &packed, &err) != ERR_OK) {
            log_warning("cluster \"%s\": a message to a member was not sent: %s", replica->cluster, err.text);
            return;
        }
        if (send->after_write > replica->durable_write) {
            hold(replica, send->after_write, message.to, &bytes);
        } else {
            peers_send(replica, message.to, &bytes);
            free(bytes.data);
        }
        if (packed > 0 && packed < message.entry_count) {
            message.log_index = message.entries[packed - 1].index;
            message.log_term = message.entries[packed - 1].term;
            message.entries += packed;
        }
        message.entry_count -= packed;
    } while (packed > 0 && message.entry_count > 0);
}

static void release_held(struct replica *replica)
{
    struct held_message *held;

    while ((held = STAILQ_FIRST(&replica->held)) && held->after_write <= replica->durable_write) {
        STAILQ_REMOVE_HEAD(&replica->held, entry);
        peers_send(replica, held->to, &held->bytes);
        free(held->bytes.data);
        free(held);
    }
}

/* ---- writes ---- */

static bool remember_write(struct replica *replica, const struct raft_output *output)
{
    const struct raft_entry *last = output->entry_count ? &output->entries[output->entry_count - 1] : NULL;

    if (replica->write_count == replica->write_room) {
        unsigned room = replica->write_room ? replica->write_room * 2 : 8;
        struct pending_write *writes = realloc(replica->writes, room * sizeof *writes);
        if (!writes)
            return false;
        replica->writes = writes;
        replica->write_room = room;
    }
    replica->writes[replica->write_count++] =
        (struct pending_write){output->write, last ? last->index : 0, last ? last->term : 0};
    return true;
}

static enum error_code write_output(struct replica *replica, const struct raft_output *output,
                                    struct error *err)
{
    enum error_code code = ERR_OK;

    if (output->has_snapshot)
        code = snapshots_save(replica, &output->snapshot, err);
    if (!code)
        code = store_append(replica->store, output->has_hard_state ? &output->hard_state : NULL,
                            output->entries, output->entry_count, err);
    return code;
}

/* Entries that bring a membership, take one away, or a snapshot that has one. */
static bool touches_membership(const struct replica *replica, const struct raft_output *output)
{
    if (output->has_snapshot ||
        (output->entry_count > 0 && output->entries[0].index <= replica->membership_index))
        return true;
    for (unsigned i = 0; i < output->entry_count; i++)
        if (output->entries[i].kind == RAFT_ENTRY_MEMBERSHIP)
            return true;
    return false;
}

/* true: there was something to carry out. */
static bool carry_out(struct replica *replica)
{
    const struct raft_output *output = raft_trace_take(&replica->tracer, replica->raft);
    bool news = output->message_count > 0 || output->has_write || output->read_count > 0 ||
                output->commit_index != replica->commit_index;
    struct error err;

    for (unsigned i = 0; i < output->message_count; i++)
        send_or_hold(replica, &output->messages[i]);
    replica->commit_index = output->commit_index;
    for (unsigned i = 0; i < output->read_count; i++) /* no more than are open */
        replica->reads[replica->read_count++] = output->reads[i];
    if (!output->has_write)
        return news;
    replica->membership_dirty = replica->membership_dirty || touches_membership(replica, output);
    if (write_output(replica, output, &err) != ERR_OK)
        engine_fail(replica, err.text);
    else if (!remember_write(replica, output))
        engine_fail(replica, "no memory to keep track of a write");
    return news;
}

void engine_step(struct replica *replica)
{
    if (replica->failed)
        return;
    carry_out(replica);
    members_follow(replica);
    engine_note_change(replica);
}

void engine_step_for_owner(struct replica *replica)
{
    if (replica->failed)
        return;
    if (carry_out(replica))
        engine_note_change(replica);
    else
        event_active(replica->flush, EV_TIMEOUT, 0); /* the deadline may be another */
    members_follow(replica);
}

/* One sync for all that was appended since the last one. */
static void sync_writes(struct replica *replica)
{
    struct pending_write *writes = replica->writes;
    unsigned count = replica->write_count;
    struct error err;

    if (count == 0)
        return;
    if (store_sync(replica->store, &err) != ERR_OK) {
        engine_fail(replica, err.text);
        return;
    }
    replica->durable_write = writes[count - 1].write;
    release_held(replica);
    /* Each notice is an input of its own, and may bring new writes: into a fresh list. */
    replica->writes = NULL;
    replica->write_count = 0;
    replica->write_room = 0;
    for (unsigned i = 0; i < count && !replica->failed; i++) {
        raft_trace_persisted(&replica->tracer, replica->raft, clock_now_us(), writes[i].write,
                             writes[i].index, writes[i].term);
        engine_step(replica);
    }
    free(writes);
}

/* The owner may command raft from in there, and with that the entry's data could go. */
static bool apply_command(struct replica *replica, const struct raft_entry *entry)
{
    struct raft_entry applied = *entry;
    void *copy = malloc(applied.size ? applied.size : 1);
    struct error err;
    enum error_code failed;

    if (!copy) {
        engine_fail(replica, "no memory to apply an entry");
        return false;
    }
    if (applied.size)
        memcpy(copy, applied.data, applied.size);
    failed =
        replica->callbacks.apply(replica->context, applied.index, applied.term, copy, applied.size, &err);
    free(copy);
    if (failed)
        engine_fail(replica, err.text);
    return failed == ERR_OK;
}

static void apply(struct replica *replica)
{
    struct error err;

    snapshots_restore(replica);
    while (replica->applied_index < replica->commit_index && !replica->failed) {
        const struct raft_entry *entry = raft_entry_at(replica->raft, replica->applied_index + 1);

        if (!entry) {
            engine_fail(replica,
                        "a committed entry is not in the log: this is a bug, please report it with the log");
            return;
        }
        replica->applied_index++;
        replica->applied_term = entry->term;
        replica->applied_us = clock_now_us();
        if (entry->kind == RAFT_ENTRY_MEMBERSHIP &&
            (wire_unpack_membership(entry->data, entry->size, &replica->applied_membership, &err) != ERR_OK ||
             members_learn(replica, &err) != ERR_OK)) {
            engine_fail(replica, err.text);
            return;
        }
        if (entry->kind == RAFT_ENTRY_COMMAND && replica->callbacks.apply && !apply_command(replica, entry))
            return;
    }
}

static void answer_reads(struct replica *replica)
{
    struct raft_read reads[RAFT_READS_MAX];
    unsigned count = replica->read_count;

    memcpy(reads, replica->reads, count * sizeof reads[0]);
    replica->read_count = 0;
    replica->reads_open -= count;
    for (unsigned i = 0; i < count; i++) {
        assert(!reads[i].done || reads[i].index <= replica->applied_index); /* all of this turn is applied */
        if (replica->callbacks.read_done)
            replica->callbacks.read_done(replica->context, reads[i].read, reads[i].done);
    }
}

static void arm_timer(struct replica *replica)
{
    uint64_t deadline_us = raft_deadline_us(replica->raft);
    struct itimerspec at = {.it_value = {.tv_sec = (time_t)(deadline_us / 1000000u),
                                         .tv_nsec = (long)(deadline_us % 1000000u) * 1000 + 1}};

    /* A deadline that has passed fires at once. The nanosecond: 0 would disarm. */
    if (timerfd_settime(replica->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) != 0)
        engine_fail(replica, strerror(errno));
}

static void on_flush(evutil_socket_t fd, short what, void *context)
{
    struct replica *replica = context;

    (void)fd;
    (void)what;
    if (replica->raft && !replica->failed) {
        sync_writes(replica);
        apply(replica);
        if (!replica->failed)
            answer_reads(replica);
        if (!replica->failed)
            snapshots_compact(replica);
        if (!replica->failed)
            members_tick(replica, clock_now_us());
        if (!replica->failed)
            change_step(replica, clock_now_us());
        arm_timer(replica);
        trace_flush(replica->trace);
    }
    if (replica->failed) {
        if (!replica->fatal_told) {
            replica->fatal_told = true;
            replica->callbacks.fatal(replica->context, replica->why_failed);
        }
        return;
    }
    if (replica->changed) {
        replica->changed = false;
        if (replica->callbacks.changed)
            replica->callbacks.changed(replica->context);
    }
    if (replica->write_count > 0)
        event_active(replica->flush, EV_TIMEOUT, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct replica *replica = context;
    uint64_t expirations;

    (void)what;
    if (read(fd, &expirations, sizeof expirations) < 0 || !replica->raft || replica->failed)
        return; /* set anew meanwhile */
    raft_trace_tick(&replica->tracer, replica->raft, clock_now_us());
    engine_step(replica);
}

/* ---- inputs ---- */

static enum error_code full_disk(struct replica *replica, enum error_code failed, struct error *err)
{
    uint64_t now_us = clock_now_us();

    if (failed && failed != ERR_BUSY)
        engine_fail(replica, err->text);
    if (failed != ERR_BUSY ||
        (replica->full_logged_us != 0 && now_us - replica->full_logged_us < FULL_LOG_INTERVAL_US))
        return failed;
    replica->full_logged_us = now_us;
    log_error("cluster \"%s\": nothing more can be stored but votes: %s", replica->cluster, err->text);
    return failed;
}

enum error_code engine_reserve(struct replica *replica, unsigned entry_count, size_t bytes, struct error *err)
{
    return full_disk(replica, store_reserve(replica->store, entry_count, bytes, err), err);
}

void engine_receive(struct replica *replica, const struct raft_message *message)
{
    size_t bytes = 0;
    struct error err;

    if (!replica->raft || replica->failed)
        return;
    for (unsigned i = 0; i < message->entry_count; i++)
        bytes += message->entries[i].size;
    if (message->entry_count > 0 && engine_reserve(replica, message->entry_count, bytes, &err) != ERR_OK)
        return;
    if (message->kind == RAFT_SNAPSHOT &&
        full_disk(replica, store_reserve_snapshot(replica->store, message->total_bytes, &err), &err) !=
            ERR_OK)
        return; /* the leader asks again */
    raft_trace_receive(&replica->tracer, replica->raft, clock_now_us(), message);
    engine_step(replica);
}

/* ---- start and stop ---- */

enum error_code engine_open(struct replica *replica, struct error *err)
{
    STAILQ_INIT(&replica->held);
    replica->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (replica->timer_fd < 0)
        return error_set(err, ERR_IO, "no timer to be had: %s", strerror(errno));
    replica->flush = event_new(replica->base, -1, 0, on_flush, replica);
    replica->timer = event_new(replica->base, replica->timer_fd, EV_READ | EV_PERSIST, on_timer, replica);
    if (!replica->flush || !replica->timer || event_add(replica->timer, NULL) != 0)
        return error_set(err, ERR_NO_MEMORY, "no memory for the group's events");
    return ERR_OK;
}

static void on_trace_line(void *context, uint64_t now_us, const char *text)
{
    const struct replica *replica = context;

    trace_line(replica->trace, now_us, replica->trace_name, text);
}

enum error_code engine_start(struct replica *replica, struct error *err)
{
    const struct store_recovered *recovered = store_recovered(replica->store);
    struct raft_config config = {.id = replica->id,
                                 .heartbeat_us = replica->heartbeat_us,
                                 .election_us = replica->election_us,
                                 .decode_membership = snapshots_decode_membership,
                                 .decode_snapshot = snapshots_decode};
    struct raft_restored restored = {.hard_state = recovered->hard_state,
                                     .entries = recovered->entries,
                                     .entry_count = recovered->entry_count,
                                     .restarted = recovered->had_state};
    enum raft_code failed;

    if (replica->trace)
        replica->tracer = (struct raft_tracer){.line = on_trace_line, .context = replica, .codec = "replica"};
    if (recovered->snapshot.last_index > 0)
        restored.snapshot = (struct raft_snapshot){.index = recovered->snapshot.last_index,
                                                   .term = recovered->snapshot.last_term,
                                                   .data = recovered->snapshot.data,
                                                   .size = recovered->snapshot.size};
    replica_membership_to_raft(&replica->snapshot_membership, &restored.membership);
    failed = raft_trace_new(&replica->tracer, &config, &restored, clock_now_us(), &replica->raft);
    store_release_recovered(replica->store);
    if (failed == RAFT_NO_MEMORY)
        return error_set(err, ERR_NO_MEMORY, "no memory for the log");
    if (failed)
        return error_set(
            err, ERR_CORRUPT,
            "what the data directory holds contradicts itself; this member cannot go on with it (see "
            "--verify-store)");
    replica->membership_dirty = true;
    engine_step(replica);
    return replica->failed ? error_set(err, ERR_INTERNAL, "%s", replica->why_failed) : ERR_OK;
}

void engine_close(struct replica *replica)
{
    struct held_message *held;

    while ((held = STAILQ_FIRST(&replica->held))) {
        STAILQ_REMOVE_HEAD(&replica->held, entry);
        free(held->bytes.data);
        free(held);
    }
    if (replica->flush)
        event_free(replica->flush);
    if (replica->timer)
        event_free(replica->timer);
    if (replica->timer_fd >= 0)
        close(replica->timer_fd);
    free(replica->writes);
    snapshots_end(replica);
    raft_free(replica->raft);
    raft_tracer_end(&replica->tracer);
}
