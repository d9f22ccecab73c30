/* process.h - a child of mha4rdb-rebuild: mysqlbinlog, or a command of agent.conf.
 *
 * A child as any other (common/base/child.h), with pipes for what it is given and says; its end is waited for
 * within the job's limits, and a job that gives up kills it with all that it has started. */
#ifndef MHA_REBUILD_PROCESS_H
#define MHA_REBUILD_PROCESS_H

#include "agent/rebuild/job.h"
#include "common/base/child.h"

struct process {
    struct child child;
    int in;  /* its standard input, non-blocking; -1: empty */
    int out; /* its standard output, non-blocking; -1: it goes to `out_to` */
};

#define PROCESS_NONE ((struct process){.child = CHILD_NONE, .in = -1, .out = -1})

struct process_order {
    const char *const *argv; /* or NULL, with */
    const char *line;        /* for sh -c */
    int third;               /* becomes its descriptor 3; -1: none */
    int out_to;              /* its standard output; -1: a pipe, process.out */
    bool in_pipe;            /* its standard input is process.in */
    int err_to;              /* its standard error; -1: this program's own */
};

enum error_code process_start(struct process *process, const struct process_order *order, struct error *err);
/* Until it has ended. `text` gets how, "" for exit status 0. */
enum error_code process_wait(struct job *job, struct process *process, uint64_t until_us, char *text,
                             size_t size, struct error *err);
/* Kills it with all that it has started if it still runs, reaps it, and closes. Nothing without a process. */
void process_stop(struct process *process);

/* The last line of a file that says something, for an error's text; "" when there is none. */
void process_last_words(const char *path, char *text, size_t size);

#endif
