#include "agent/rebuild/job.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define TELL_US 200000u

static enum error_code cancelled(struct error *err)
{
    return error_set(err, ERR_BUSY, "cancelled");
}

/* Takes what the agent has sent. */
static void take_input(struct job *job)
{
    char bytes[4096];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);

    if (got > 0)
        text_add_bytes(&job->input, bytes, (size_t)got);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN) || job->input.failed ||
        job->input.size > REBUILD_LINE_BYTES_MAX)
        job->cancelled = true;
}

enum error_code job_wait_until(struct job *job, int fd, short events, uint64_t until_us, bool *ready,
                               struct error *err)
{
    uint64_t limit_us = (uint64_t)job->settings->rebuild.timeout_s * 1000000u;

    *ready = false;
    while (!job->cancelled || job->cleaning) {
        struct pollfd fds[2] = {{.fd = job->cleaning ? -1 : STDIN_FILENO, .events = POLLIN},
                                {.fd = fd, .events = events}};
        uint64_t now_us = clock_now_us(), end_us = job->progress_us + limit_us;
        uint64_t next_us = until_us < end_us ? until_us : end_us;
        int ms = now_us >= next_us ? 0 : (int)((next_us - now_us + 999) / 1000);

        if (poll(fds, 2, ms) < 0 && errno != EINTR)
            return error_set(err, ERR_IO, "poll: %s", strerror(errno));
        if (fds[0].revents)
            take_input(job);
        if (job->cancelled && !job->cleaning)
            break;
        if (fd >= 0 && fds[1].revents) {
            *ready = true;
            return ERR_OK;
        }
        now_us = clock_now_us();
        if (now_us >= end_us)
            return error_set(err, ERR_TIMEOUT, "no progress for %u s (rebuild.timeout_s)",
                             job->settings->rebuild.timeout_s);
        if (now_us >= until_us)
            return ERR_OK;
    }
    return cancelled(err);
}

enum error_code job_wait(struct job *job, int fd, short events, struct error *err)
{
    bool ready;

    return job_wait_until(job, fd, events, UINT64_MAX, &ready, err);
}

enum error_code job_pause(struct job *job, uint64_t us, struct error *err)
{
    bool ready;

    return job_wait_until(job, -1, 0, clock_now_us() + us, &ready, err);
}

enum error_code job_check(struct job *job, struct error *err)
{
    return job_pause(job, 0, err);
}

enum error_code job_ask(struct job *job, struct rebuild_line *line, struct words *words, struct error *err)
{
    char *end;

    while (!(end = job->input.size ? memchr(job->input.data, '\n', job->input.size) : NULL)) {
        bool ready;
        enum error_code code = job_wait_until(job, STDIN_FILENO, POLLIN, UINT64_MAX, &ready, err);

        if (code != ERR_OK)
            return code;
    }
    *end = '\0';
    rebuild_line_read(line, words, job->input.data);
    job->input.size -= (size_t)(end + 1 - job->input.data);
    memmove(job->input.data, end + 1, job->input.size + 1);
    job_lives(job);
    return ERR_OK;
}

enum error_code job_begin(struct job *job, const struct agent_settings *settings, struct error *err)
{
    enum error_code code;

    *job = (struct job){.settings = settings, .progress_us = clock_now_us()};
    code = job_ask(job, &job->order, &job->order_words, err);
    if (code == ERR_BUSY)
        error_set(err, ERR_BUSY, "no order on standard input; this program is started by mha4rdb-agent");
    job->rate_mb = job->order.rate_mb ? job->order.rate_mb : settings->rebuild.rate_mb;
    return code;
}

void job_end(struct job *job)
{
    words_free(&job->order_words);
    text_free(&job->input);
}

void job_clean_up(struct job *job)
{
    job->cleaning = true;
    job_lives(job);
}

void job_say(const struct rebuild_line *line)
{
    struct text text = {0};
    size_t done = 0;

    rebuild_line_write(&text, line);
    while (!text.failed && done < text.size) {
        ssize_t n = write(STDOUT_FILENO, text.data + done, text.size - done);
        if (n < 0 && errno != EINTR)
            break; /* the agent has gone: standard input says so too */
        done += n > 0 ? (size_t)n : 0;
    }
    text_free(&text);
}

void job_phase(struct job *job, const char *name)
{
    struct rebuild_line line = {.verb = REBUILD_PHASE, .name = name};

    log_info("%s", name);
    job->done_bytes = 0;
    job->told_us = 0;
    job_lives(job);
    job_say(&line);
}

void job_progress(struct job *job, uint64_t done_bytes, uint64_t total_bytes)
{
    struct rebuild_line line = {
        .verb = REBUILD_PROGRESS, .done_bytes = done_bytes, .total_bytes = total_bytes};
    uint64_t now_us = clock_now_us();

    if (done_bytes == job->done_bytes)
        return;
    job->done_bytes = done_bytes;
    job->progress_us = now_us;
    if (now_us < job->told_us + TELL_US)
        return;
    job->told_us = now_us;
    job_say(&line);
}

void job_lives(struct job *job)
{
    job->progress_us = clock_now_us();
}
