#include "agent/rebuild_child.h"

#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/rebuild_lines.h"
#include "common/base/child.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define NODE_BYTES 256
#define PATH_BYTES 1024

/* One process and what it has said. */
struct process {
    struct rebuild_child *owner;
    struct child child;
    int in, out;
    struct event *readable;
    struct event *ended;
    struct evbuffer *said;
    bool done;                  /* its last line was `done` */
    bool failed;                /* ... or `failed` */
    char why[ERROR_TEXT_BYTES]; /* of `failed` */
    char other[NODE_BYTES];     /* donor, or whom it donates to */
};

struct rebuild_child {
    struct event_base *base;
    char program[PATH_BYTES], config_path[PATH_BYTES], lock_path[PATH_BYTES], marker[PATH_BYTES];
    struct rebuild_child_callbacks callbacks;
    void *context;

    struct process receiver;
    unsigned rate_mb;
    bool wants; /* the receiver waits for an offer */
    bool cancelled;
    uint64_t failed_us;
    Mha__RebuildState state;
    char phase[32];
    char donor[NODE_BYTES]; /* for the state, after the end too */
    char failed[ERROR_TEXT_BYTES];

    struct process donation;
    rebuild_donor_answer answer; /* NULL: given */
    void *answer_context;
};

/* ---- a process ---- */

static void process_release(struct process *process)
{
    if (process->readable)
        event_free(process->readable);
    if (process->ended)
        event_free(process->ended);
    if (process->said)
        evbuffer_free(process->said);
    if (process->in >= 0)
        close(process->in);
    if (process->out >= 0)
        close(process->out);
    child_leave(&process->child);
    *process = (struct process){.owner = process->owner, .child = CHILD_NONE, .in = -1, .out = -1};
}

static void on_readable(evutil_socket_t fd, short what, void *context);
static void on_ended(evutil_socket_t fd, short what, void *context);

static bool process_watch(struct process *process)
{
    struct event_base *base = process->owner->base;

    fcntl(process->in, F_SETFL, O_NONBLOCK);
    fcntl(process->out, F_SETFL, O_NONBLOCK);
    process->said = evbuffer_new();
    process->readable = event_new(base, process->out, EV_READ | EV_PERSIST, on_readable, process);
    process->ended = event_new(base, process->child.pidfd, EV_READ | EV_PERSIST, on_ended, process);
    return process->said && process->readable && process->ended && event_add(process->readable, NULL) == 0 &&
           event_add(process->ended, NULL) == 0;
}

static enum error_code process_start(struct process *process, const char *verb, struct error *err)
{
    const struct rebuild_child *owner = process->owner;
    const char *const argv[] = {owner->program, verb, "-c", owner->config_path, "-l", owner->lock_path, NULL};
    int to[2] = {-1, -1}, from[2] = {-1, -1};
    enum error_code code;

    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        code = error_set(err, ERR_IO, "no pipe for mha4rdb-rebuild: %s", strerror(errno));
    else
        code = child_start(
            &process->child,
            &(struct child_order){.argv = argv, .in = to[0], .out = from[1], .err = -1, .third = -1}, err);
    process->in = to[1];
    process->out = from[0];
    if (to[0] >= 0)
        close(to[0]);
    if (from[1] >= 0)
        close(from[1]);
    if (code == ERR_OK && !process_watch(process)) {
        code = error_set(err, ERR_NO_MEMORY, "no memory to watch mha4rdb-rebuild");
        child_discard(&process->child); /* it has not read its order yet: nothing is half done */
    }
    if (code != ERR_OK)
        process_release(process);
    return code;
}

static bool process_tell(struct process *process, const struct rebuild_line *line)
{
    struct text text = {0};
    bool sent;

    rebuild_line_write(&text, line);
    /* a pipe holds 64 KiB, and this is one of two short lines */
    sent = !text.failed && text.size <= REBUILD_LINE_BYTES_MAX &&
           write(process->in, text.data, text.size) == (ssize_t)text.size;
    text_free(&text);
    return sent;
}

/* End of file is the child's order to cancel. */
static void process_hang_up(struct process *process)
{
    if (process->in >= 0)
        close(process->in);
    process->in = -1;
}

/* ---- what they say ---- */

static void set_phase(struct rebuild_child *child, const char *name)
{
    snprintf(child->phase, sizeof child->phase, "%s", name);
    child->state.done_bytes = 0;
    child->state.total_bytes = 0;
}

static void hear_receiver(struct rebuild_child *child, const struct rebuild_line *line)
{
    struct process *process = &child->receiver;

    switch (line->verb) {
    case REBUILD_PHASE:
        log_info("rebuild from %s: %s", child->donor, line->name);
        set_phase(child, line->name);
        break;
    case REBUILD_PROGRESS:
        child->state.done_bytes = line->done_bytes;
        child->state.total_bytes = line->total_bytes;
        break;
    case REBUILD_SAVED:
        if (line->path[0])
            log_notice("rebuild from %s: %llu transactions that this node has alone are set aside in %s",
                       child->donor, (unsigned long long)line->transactions, line->path);
        else
            log_info("rebuild from %s: this node has nothing alone", child->donor);
        return;
    case REBUILD_WANT:
        child->wants = true;
        if (child->callbacks.wants_donor)
            child->callbacks.wants_donor(child->context, child->donor, child->rate_mb);
        return;
    case REBUILD_FAILED:
        process->failed = true;
        snprintf(process->why, sizeof process->why, "%s", line->why);
        return;
    case REBUILD_DONE:
        process->done = true;
        return;
    default:
        return;
    }
    if (child->callbacks.changed)
        child->callbacks.changed(child->context);
}

static void give_answer(struct rebuild_child *child, const char *message, const char *error)
{
    rebuild_donor_answer answer = child->answer;

    child->answer = NULL;
    if (answer)
        answer(child->answer_context, message, error);
}

static void hear_donation(struct rebuild_child *child, const struct rebuild_line *line)
{
    struct process *process = &child->donation;
    char message[REBUILD_ADDRESS_BYTES + REBUILD_TOKEN_BYTES];

    switch (line->verb) {
    case REBUILD_OFFER:
        snprintf(message, sizeof message, "%s %s", line->address, line->token);
        give_answer(child, message, NULL);
        break;
    case REBUILD_FAILED:
        process->failed = true;
        snprintf(process->why, sizeof process->why, "%s", line->why);
        break;
    case REBUILD_DONE:
        process->done = true;
        break;
    default:
        break;
    }
}

/* Takes the whole lines that are there; false: no more will come. */
static bool hear(struct process *process)
{
    char *text;
    int got;

    do
        got = evbuffer_read(process->said, process->out, REBUILD_LINE_BYTES_MAX);
    while (got > 0);
    while ((text = evbuffer_readln(process->said, NULL, EVBUFFER_EOL_LF))) {
        struct rebuild_line line;
        struct words words;

        rebuild_line_read(&line, &words, text);
        if (process == &process->owner->receiver)
            hear_receiver(process->owner, &line);
        else
            hear_donation(process->owner, &line);
        words_free(&words);
        free(text);
    }
    if (evbuffer_get_length(process->said) > REBUILD_LINE_BYTES_MAX)
        evbuffer_drain(process->said, evbuffer_get_length(process->said));
    return got < 0;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct process *process = context;

    (void)fd;
    (void)what;
    if (!hear(process)) /* its end is seen through the pidfd; a pipe at its end would be readable for ever */
        event_del(process->readable);
}

static void receiver_ended(struct rebuild_child *child)
{
    struct process *process = &child->receiver;
    bool done = process->done;

    set_phase(child, "");
    child->wants = false;
    child->failed_us = done ? 0 : clock_now_us();
    snprintf(child->failed, sizeof child->failed, "%s", done ? "" : process->why);
    process_release(process);
    if (child->callbacks.done)
        child->callbacks.done(child->context, done ? NULL : child->failed);
}

static void on_ended(evutil_socket_t fd, short what, void *context)
{
    struct process *process = context;
    struct rebuild_child *child = process->owner;
    char how[64];

    (void)fd;
    (void)what;
    if (!child_reap(&process->child, how, sizeof how, NULL))
        return;
    hear(process);
    if (!process->done && !process->failed)
        snprintf(process->why, sizeof process->why, "mha4rdb-rebuild %s; see its log", how);
    if (process == &child->receiver) {
        receiver_ended(child);
        return;
    }
    if (process->done)
        log_notice("%s has been given a copy of this node's database", process->other);
    else
        log_warning("the copy for %s: %s", process->other, process->why);
    if (child->answer)
        give_answer(child, NULL, process->why[0] ? process->why : "the donor ended at once");
    process_release(process);
}

/* ---- the owner's calls ---- */

enum error_code rebuild_child_new(struct event_base *base, const struct rebuild_child_config *config,
                                  const struct rebuild_child_callbacks *callbacks, void *context,
                                  struct rebuild_child **out, struct error *err)
{
    struct rebuild_child *child = calloc(1, sizeof *child);

    if (!child)
        return error_set(err, ERR_NO_MEMORY, "no memory for rebuilds");
    child->base = base;
    child->callbacks = *callbacks;
    child->context = context;
    snprintf(child->program, sizeof child->program, "%s", config->program);
    snprintf(child->config_path, sizeof child->config_path, "%s", config->config_path);
    snprintf(child->lock_path, sizeof child->lock_path, "%s", config->lock_path);
    snprintf(child->marker, sizeof child->marker, "%s/" REBUILD_CHILD_MARKER, config->data_dir);
    child->receiver = child->donation =
        (struct process){.owner = child, .child = CHILD_NONE, .in = -1, .out = -1};
    mha__rebuild_state__init(&child->state);
    child->state.phase = child->phase;
    child->state.donor = child->donor;
    child->state.failed = child->failed;
    if (rebuild_child_unfinished(child))
        snprintf(
            child->failed, sizeof child->failed,
            "a rebuild of this node has not come to its end, so its database may hold less than it says; "
            "ask for another: mhactl rebuild");
    *out = child;
    return ERR_OK;
}

void rebuild_child_free(struct rebuild_child *child)
{
    if (!child)
        return;
    process_release(&child->receiver);
    process_release(&child->donation);
    free(child);
}

enum error_code rebuild_child_start(struct rebuild_child *child, const struct rebuild_order *order,
                                    struct error *err)
{
    struct rebuild_line line = {.verb = REBUILD_RECEIVE,
                                .donor = order->donor,
                                .host = order->host,
                                .port = order->port,
                                .known = order->known,
                                .rate_mb = order->rate_mb,
                                .reason = order->reason};
    enum error_code code;

    if (child->receiver.child.pid)
        return error_set(err, ERR_BUSY, "this node is being rebuilt from %s already", child->donor);
    if (child->donation.child.pid)
        return error_set(err, ERR_BUSY, "this node is giving its data to %s; ask again when that is done",
                         child->donation.other);
    code = process_start(&child->receiver, "receive", err);
    if (code != ERR_OK)
        return code;
    snprintf(child->donor, sizeof child->donor, "%s", order->donor);
    snprintf(child->receiver.other, sizeof child->receiver.other, "%s", order->donor);
    child->rate_mb = order->rate_mb;
    child->cancelled = false;
    child->wants = false;
    child->failed[0] = '\0';
    child->failed_us = 0;
    child->state.since_us = clock_now_us();
    set_phase(child, "saving");
    if (!process_tell(&child->receiver, &line))
        process_hang_up(&child->receiver); /* its end says why */
    return ERR_OK;
}

void rebuild_child_offer(struct rebuild_child *child, const char *message, const char *error)
{
    struct rebuild_line line = {.verb = REBUILD_OFFER};
    char address[REBUILD_ADDRESS_BYTES], token[REBUILD_TOKEN_BYTES];

    if (!child->wants)
        return;
    child->wants = false;
    if (error && error[0]) {
        line.why = error;
    } else if (rebuild_offer_read(message ? message : "", address, token)) {
        line.address = address;
        line.token = token;
    } else {
        line.why =
            "the donor's agent gave an answer that cannot be read; install the same version everywhere";
    }
    process_tell(&child->receiver, &line);
}

bool rebuild_child_cancel(struct rebuild_child *child)
{
    if (!child->receiver.child.pid)
        return false;
    if (!child->cancelled)
        log_notice("rebuild from %s: cancelling it", child->donor);
    child->cancelled = true;
    process_hang_up(&child->receiver);
    return true;
}

bool rebuild_child_running(const struct rebuild_child *child)
{
    return child->receiver.child.pid != 0;
}

const Mha__RebuildState *rebuild_child_state(const struct rebuild_child *child)
{
    return &child->state;
}

uint64_t rebuild_child_failed_us(const struct rebuild_child *child)
{
    return child->failed_us;
}

bool rebuild_child_unfinished(const struct rebuild_child *child)
{
    return access(child->marker, F_OK) == 0;
}

enum error_code rebuild_child_donate(struct rebuild_child *child, const char *to, unsigned rate_mb,
                                     rebuild_donor_answer answer, void *context, struct error *err)
{
    struct rebuild_line line = {.verb = REBUILD_DONATE, .donor = to, .rate_mb = rate_mb};
    enum error_code code;

    if (child->receiver.child.pid || rebuild_child_unfinished(child))
        return error_set(err, ERR_BUSY, "the donor is being rebuilt itself; choose another one");
    if (child->donation.child.pid)
        return error_set(err, ERR_BUSY, "the donor is giving its data to %s; ask again when that is done",
                         child->donation.other);
    code = process_start(&child->donation, "donate", err);
    if (code != ERR_OK)
        return code;
    snprintf(child->donation.other, sizeof child->donation.other, "%s", to);
    child->answer = answer;
    child->answer_context = context;
    log_notice("%s asks for a copy of this node's database", to);
    if (!process_tell(&child->donation, &line))
        process_hang_up(&child->donation);
    return ERR_OK;
}

const char *rebuild_child_donating_to(const struct rebuild_child *child)
{
    return child->donation.child.pid ? child->donation.other : NULL;
}
