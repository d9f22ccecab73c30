/* child.h - a program that this one starts and supervises.
 *
 * It starts as from a shell: standard input, output and error as given, every other descriptor closed, no
 * signal ignored or blocked; in a session of its own, so that a Ctrl-C at a terminal is its parent's to
 * handle, and what it starts in turn can be killed with it. It is watched through a pidfd, which is readable
 * once it has ended: no SIGCHLD handler is needed, and nobody may wait for "any child". Needs Linux 5.4. */
#ifndef MHA_BASE_CHILD_H
#define MHA_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/error.h"

struct child {
    pid_t pid; /* 0: none */
    int pidfd; /* to wait for */
};

#define CHILD_NONE ((struct child){.pidfd = -1})

/* Descriptors stay the caller's. */
struct child_order {
    const char *const *argv; /* argv[0] is a path, or a name to be found by PATH; NULL at its end */
    int in, out, err;        /* its standard input, output and error; -1: this program's own */
    int third;               /* becomes its descriptor 3; -1: none */
    bool shares_session;     /* with this program: no session of its own */
};

/* ERR_IO: no process or no pidfd; nothing runs then. A program that cannot be executed says so on standard
 * error and ends with exit status 127. */
enum error_code child_start(struct child *child, const struct child_order *order, struct error *err);

/* false: it still runs. Otherwise its end has been taken, and only child_leave is left to do; `how` is such
 * as "ended with exit status 2", and `well` (may be NULL) whether that status is 0. */
bool child_reap(const struct child *child, char *how, size_t size, bool *well);

/* Kills it with all that it has started, as far as that is in its session; its end is still to be reaped. */
void child_kill(const struct child *child);

/* Kills it and waits until it has gone: for one that has had no time to do anything yet. */
void child_discard(struct child *child);

/* Closes what it is watched by; events on that are gone by then. One that still runs is left to itself.
 * Afterwards it is CHILD_NONE. */
void child_leave(struct child *child);

#endif
