/* job.h - what every step of mha4rdb-rebuild shares: the agent's lines, the order to cancel, the deadline.
 *
 * One thread, but for MySQL's copy. Whatever waits, waits in job_wait or job_pause, which also look at
 * standard input: its end is the agent's order to cancel, seen at once. A job that makes no progress for
 * rebuild.timeout_s has failed.
 *
 * The files: main.c (options), job.c, process.c (children), query.c (sessions), server.c (start and stop of
 * the own server), alone.c (what one server has and another lacks, pure), save.c (that set aside), receive.c
 * (the recipient's course), receive_mysql.c, relay.c (no faster than the order says), receive_mariadb.c,
 * donate.c, chunks.c (what donor and recipient say to each other), connect.c (a command of agent.conf behind
 * a socket of the service manager's). */
#ifndef MHA_REBUILD_JOB_H
#define MHA_REBUILD_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/rebuild_lines.h"
#include "agent/settings.h"
#include "common/base/error.h"

struct job {
    const struct agent_settings *settings;
    struct rebuild_line order; /* points into order_words */
    struct words order_words;
    struct text input; /* of the agent, not taken yet */
    bool cancelled;
    bool cleaning;        /* what must be done even so is under way: no order to cancel counts */
    uint64_t progress_us; /* the last progress */
    uint64_t told_us;     /* the last `progress` line */
    uint64_t done_bytes;
    unsigned rate_mb; /* of the order, or the configured one; 0: no limit */
};

/* Waits for the order. ERR_BUSY: there was none. */
enum error_code job_begin(struct job *job, const struct agent_settings *settings, struct error *err);
void job_end(struct job *job);

/* Waits until `fd` (-1: none) is ready for `events`. ERR_BUSY: cancelled; ERR_TIMEOUT: no progress for too
 * long. The first has its text too. */
enum error_code job_wait(struct job *job, int fd, short events, struct error *err);
/* The same until `until_us` at most; *ready says whether the descriptor is. */
enum error_code job_wait_until(struct job *job, int fd, short events, uint64_t until_us, bool *ready,
                               struct error *err);
/* For so long, unless cancelled. */
enum error_code job_pause(struct job *job, uint64_t us, struct error *err);
/* ERR_BUSY if it is cancelled by now. */
enum error_code job_check(struct job *job, struct error *err);
/* The agent's next line, for `words` to keep. */
enum error_code job_ask(struct job *job, struct rebuild_line *line, struct words *words, struct error *err);

/* From now on the job only cleans up: it is not cancelled again, and has its time anew. */
void job_clean_up(struct job *job);

void job_say(const struct rebuild_line *line);
void job_phase(struct job *job, const char *name);
/* Counts as progress if `done_bytes` differs from before; told a few times a second at most. */
void job_progress(struct job *job, uint64_t done_bytes, uint64_t total_bytes);
/* Something else went on. */
void job_lives(struct job *job);

#endif
