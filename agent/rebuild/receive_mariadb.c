/* MariaDB's copy: a backup stream from the donor's mha4rdb-rebuild, given to the command rebuild.receive,
 * which puts it in the place of the stopped server's files.
 *
 * What the command says on standard output, one line each:
 *   preparing          now and then: it works
 *   swapping           from now on the old files are not whole any more
 *   position GTID...   the copy's position, the last line of a success
 *   failed WHY
 * Until it says `swapping`, what was there is untouched, and a failure starts the server on it again. But
 * what it says may be on its way, or lost with a connection: a service behind a socket (`mha4rdb-rebuild
 * connect`) goes on though that is killed. So from the end of the stream on, only a command that has ended by
 * itself is known to have left the old files alone. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/rebuild/alone.h"
#include "agent/rebuild/chunks.h"
#include "agent/rebuild/process.h"
#include "agent/rebuild/receive.h"
#include "agent/rebuild/server.h"
#include "common/base/log.h"

#define SPARE_BYTES (64ull << 20)

/* The command that takes the stream, and what it has said. */
struct taker {
    struct process process;
    struct text said;
    bool swapping;
    bool unsettled; /* given up after it had the whole stream: whether it swaps is not known */
    char position[1024];
    char why[256];
};

static enum error_code wait_for_stream(void *context, int fd, short events, struct error *err)
{
    return job_wait(context, fd, events, err);
}

static enum error_code dial(struct receive *receive, const struct net_stream_waiter *waiter,
                            struct net_stream **stream, uint64_t *total_bytes, struct error *err)
{
    const struct replica_settings *group = &receive->job->settings->group;
    struct rebuild_line want = {.verb = REBUILD_WANT}, offer;
    struct words words = {0};
    enum error_code code;

    job_say(&want);
    code = job_ask(receive->job, &offer, &words, err);
    if (code == ERR_OK && (offer.verb != REBUILD_OFFER || !offer.address[0]))
        code = error_set(err, ERR_REFUSED, "the donor's agent: %s",
                         offer.why && offer.why[0] ? offer.why : "no offer");
    if (code == ERR_OK)
        code = net_stream_dial(offer.address, group->cluster, group->key, waiter, stream, err);
    if (code == ERR_OK && (code = chunks_ask(*stream, offer.token, total_bytes, err)) != ERR_OK) {
        net_stream_free(*stream);
        *stream = NULL;
    }
    words_free(&words);
    return code;
}

/* The new files lie beside the old ones for a while. */
static enum error_code check_space(struct receive *receive, uint64_t total_bytes, struct error *err)
{
    char directory[DB_PATH_BYTES];
    struct statvfs space;
    uint64_t free_bytes, needed = total_bytes + total_bytes / 10 + SPARE_BYTES;

    if (!receive->own.mysql)
        return ERR_OK;
    if (query_text(&receive->own, directory, sizeof directory, err, "SELECT @@global.datadir") != ERR_OK)
        return err->code;
    if (statvfs(directory, &space) != 0)
        return ERR_OK; /* the command itself sees it then */
    free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    if (free_bytes >= needed)
        return ERR_OK;
    return error_set(
        err, ERR_IO,
        "%s has %llu MB free, and the copy needs about %llu MB beside the old data; make room and ask "
        "again",
        directory, (unsigned long long)(free_bytes >> 20), (unsigned long long)(needed >> 20));
}

/* ---- the command ---- */

static void hear(struct job *job, struct taker *taker)
{
    char bytes[4096], *end;
    ssize_t got;

    while ((got = read(taker->process.out, bytes, sizeof bytes)) > 0)
        text_add_bytes(&taker->said, bytes, (size_t)got);
    while (taker->said.size && (end = memchr(taker->said.data, '\n', taker->said.size))) {
        const char *line = taker->said.data;
        *end = '\0';
        job_lives(job);
        if (strcmp(line, "swapping") == 0)
            taker->swapping = true;
        else if (strncmp(line, "position ", 9) == 0)
            snprintf(taker->position, sizeof taker->position, "%s", line + 9);
        else if (strncmp(line, "failed ", 7) == 0)
            snprintf(taker->why, sizeof taker->why, "%s", line + 7);
        taker->said.size -= (size_t)(end + 1 - line);
        memmove(taker->said.data, end + 1, taker->said.size + 1);
    }
}

/* ERR_IO: it takes no more. */
static enum error_code feed(struct job *job, struct taker *taker, const char *data, size_t size,
                            struct error *err)
{
    while (size > 0) {
        ssize_t n = write(taker->process.in, data, size);
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            enum error_code code = job_wait(job, taker->process.in, POLLOUT, err);
            if (code != ERR_OK)
                return code;
        } else if (errno != EINTR) {
            return error_set(err, ERR_IO, "rebuild.receive takes no more: %s", strerror(errno));
        }
    }
    return ERR_OK;
}

static enum error_code pump(struct job *job, struct net_stream *stream, uint64_t total_bytes,
                            struct taker *taker, struct error *err)
{
    char *chunk = malloc(CHUNK_BYTES_MAX);
    uint64_t done = 0;
    size_t got = 1;
    enum error_code code = chunk ? ERR_OK : error_set(err, ERR_NO_MEMORY, "no memory for the copy");

    while (code == ERR_OK && got > 0) {
        code = chunks_read(stream, chunk, CHUNK_BYTES_MAX, &got, err);
        if (code != ERR_OK || got == 0)
            break;
        code = feed(job, taker, chunk, got, err);
        done += got;
        job_progress(job, done, total_bytes > done ? total_bytes : done);
        hear(job, taker);
    }
    free(chunk);
    return code;
}

/* Its standard output until it ends it. */
static enum error_code hear_all(struct job *job, struct taker *taker, struct error *err)
{
    for (;;) {
        struct pollfd fd = {.fd = taker->process.out, .events = POLLIN};
        enum error_code code = job_wait(job, taker->process.out, POLLIN, err);

        if (code != ERR_OK)
            return code;
        hear(job, taker);
        if (poll(&fd, 1, 0) == 1 && (fd.revents & POLLHUP) && !(fd.revents & POLLIN))
            return ERR_OK;
    }
}

static enum error_code explain(const struct taker *taker, const char *how, const char *log_path,
                               struct error *err)
{
    char words[256];

    if (taker->why[0])
        return error_set(err, ERR_IO, "the copy cannot be put in place: %s", taker->why);
    process_last_words(log_path, words, sizeof words);
    return error_set(err, ERR_IO, "the copy cannot be put in place: rebuild.receive %s: %s",
                     how[0] ? how : "has told no position", words);
}

static enum error_code take(struct receive *receive, struct net_stream *stream, uint64_t total_bytes,
                            struct taker *taker, struct error *err)
{
    struct job *job = receive->job;
    char log_path[1024], how[128] = "";
    struct process_order order = {
        .line = job->settings->rebuild.receive, .third = -1, .out_to = -1, .in_pipe = true};
    enum error_code code, sent;

    snprintf(log_path, sizeof log_path, "%s/rebuild.log", job->settings->data_dir);
    order.err_to = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (order.err_to < 0)
        return error_set(err, ERR_IO, "%s cannot be written: %s", log_path, strerror(errno));
    code = process_start(&taker->process, &order, err);
    close(order.err_to);
    if (code != ERR_OK)
        return code;
    code = chunks_go(stream, err);
    if (code == ERR_OK)
        code = pump(job, stream, total_bytes, taker, err);
    sent = code;
    if (sent == ERR_OK) {
        close(taker->process.in);
        taker->process.in = -1;
        job_phase(job, "preparing");
    }
    /* the command's own words about why it took no more come first */
    if (sent == ERR_OK || taker->process.in >= 0) {
        struct error later;
        bool told = sent == ERR_OK || strstr(err->text, "takes no more") != NULL;
        if (told && hear_all(job, taker, &later) == ERR_OK &&
            process_wait(job, &taker->process, UINT64_MAX, how, sizeof how, &later) == ERR_OK)
            code =
                !how[0] && taker->position[0] && sent == ERR_OK ? ERR_OK : explain(taker, how, log_path, err);
        else if (told)
            *err = later, code = later.code;
        taker->unsettled = sent == ERR_OK && taker->process.child.pid > 0;
    }
    process_stop(&taker->process);
    return code;
}

/* ---- the course ---- */

/* Where the copy was made, for (domain, server) each: what the donor said before and after tells it. */
static enum error_code set_position(struct receive *receive, const char *position, struct error *err)
{
    struct position at, after, state;
    char text[QUERY_TEXT_BYTES / 4];
    struct query *own = &receive->own, donor;
    enum error_code code =
        query_connect_other(&donor, &receive->job->settings->database, receive->job->order.host,
                            receive->job->order.port, "the donor", err);

    if (code == ERR_OK) {
        code = query_position(&donor, &after, err);
        query_close(&donor);
    }
    if (code != ERR_OK)
        return code;
    if (!position_parse(position, &at) || !alone_state_at(&receive->theirs, &after, &at, &state) ||
        !position_format(&state, text, sizeof text))
        return error_set(err, ERR_INVALID, "the copy's position cannot be read: %.200s", position);
    code = query_run(own, err, "RESET MASTER");
    if (code == ERR_OK)
        code = query_run(own, err, "SET GLOBAL gtid_binlog_state = '%s'", text);
    if (code == ERR_OK && !position_format(&at, text, sizeof text))
        code = error_set(err, ERR_INVALID, "the copy's position is too long");
    if (code == ERR_OK)
        code = query_run(own, err, "SET GLOBAL gtid_slave_pos = '%s'", text);
    return code;
}

static enum error_code finish(struct receive *receive, const char *position, struct error *err)
{
    struct query *own = &receive->own;
    enum error_code code;

    job_phase(receive->job, "starting");
    code = server_start(receive->job, own, err);
    if (code == ERR_REFUSED)
        return error_prefix(
            err, "after the copy, the donor's accounts count here too: give the agent's account the "
                 "same password on all nodes");
    if (code == ERR_OK)
        code = query_run(own, err, "SET GLOBAL read_only = 1");
    if (code == ERR_OK)
        code = server_forget_source(own, err);
    if (code == ERR_OK)
        code = set_position(receive, position, err);
    return code;
}

/* What was there is there again; only the marker may stay. */
static void restore(struct receive *receive, const struct taker *taker)
{
    struct error err;

    job_clean_up(receive->job);
    if (taker->swapping || taker->unsettled) {
        log_error("the copy %s being put in place when that failed; this node has no database until it is "
                  "rebuilt",
                  taker->swapping ? "was" : "may have been");
        return;
    }
    if (receive_unmark(receive, &err) != ERR_OK || server_start(receive->job, &receive->own, &err) != ERR_OK)
        log_error("%s", err.text);
}

enum error_code receive_mariadb(struct receive *receive, struct error *err)
{
    struct job *job = receive->job;
    struct net_stream_waiter waiter = {.wait = wait_for_stream, .context = job};
    struct net_stream *stream = NULL;
    struct taker taker = {.process = PROCESS_NONE};
    uint64_t total_bytes = 0;
    bool stopped = false;
    enum error_code code;

    if (!job->settings->rebuild.receive[0])
        return error_set(
            err, ERR_INVALID,
            "rebuild.receive is not set in agent.conf, and MariaDB is not rebuilt without it; see "
            "mha4rdb.conf(5)");
    code = dial(receive, &waiter, &stream, &total_bytes, err);
    if (code == ERR_OK)
        code = check_space(receive, total_bytes, err);
    if (code == ERR_OK)
        code = receive_look_again(receive, err);
    if (code == ERR_OK) {
        job_phase(job, "copying");
        stopped = true;
        code = server_stop(job, &receive->own, err);
    }
    if (code == ERR_OK)
        code = receive_mark(receive, err);
    if (code == ERR_OK)
        code = take(receive, stream, total_bytes, &taker, err);
    net_stream_free(stream);
    if (code == ERR_OK)
        code = finish(receive, taker.position, err);
    else if (stopped)
        restore(receive, &taker);
    text_free(&taker.said);
    return code;
}
