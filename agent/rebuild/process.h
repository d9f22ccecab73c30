/* process.h - a child of mha4rdb-rebuild: mysqlbinlog, or a command of agent.conf.
 *
 * It runs in a process group of its own, with what it says on standard error appended to a file; its end is
 * waited for within the job's limits, and a job that gives up kills the whole group. */
#ifndef MHA_REBUILD_PROCESS_H
#define MHA_REBUILD_PROCESS_H

#include <sys/types.h>

#include "agent/rebuild/job.h"

struct process {
    pid_t pid; /* 0: none */
    int pidfd;
    int in;  /* its standard input, non-blocking; -1: empty */
    int out; /* its standard output, non-blocking; -1: it goes to `out_to` */
};

struct process_order {
    const char *const *argv; /* or NULL, with */
    const char *line;        /* for sh -c */
    int keep_fd;             /* stays open in the child under its number; -1: none */
    int out_to;              /* its standard output; -1: a pipe, process.out */
    bool in_pipe;            /* its standard input is process.in */
    int err_to;              /* its standard error; -1: this program's own */
};

enum error_code process_start(struct process *process, const struct process_order *order, struct error *err);
/* Until it has ended. `text` gets how, "" for exit status 0. */
enum error_code process_wait(struct job *job, struct process *process, uint64_t until_us, char *text,
                             size_t size, struct error *err);
/* Kills the group if it still runs, reaps it, and closes. Nothing without a process. */
void process_stop(struct process *process);

/* The last line of a file that says something, for an error's text; "" when there is none. */
void process_last_words(const char *path, char *text, size_t size);

#endif
