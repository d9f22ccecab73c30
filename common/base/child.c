#include "common/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define THIRD_FD 3

static void say(const char *text)
{
    if (text && write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* nobody is there to be told */
}

/* Duplicates of all first: one may stand where another is to go, or there already, where exec closes
 * it. */
static bool place_descriptors(const struct child_order *order)
{
    const int given[] = {order->in, order->out, order->err, order->third};
    int moved[] = {-1, -1, -1, -1};

    for (int i = 0; i <= THIRD_FD; i++)
        if (given[i] >= 0 && (moved[i] = fcntl(given[i], F_DUPFD_CLOEXEC, THIRD_FD + 1)) < 0)
            return false;
    for (int i = 0; i <= THIRD_FD; i++)
        if (moved[i] >= 0 && dup2(moved[i], i) < 0)
            return false;
    close_range(order->third >= 0 ? THIRD_FD + 1 : THIRD_FD, ~0u, 0); /* before Linux 5.9: by exec */
    return true;
}

/* Between fork and exec: async-signal-safe calls only (glibc's execvp, too, allocates nothing). */
static void become(const struct child_order *order)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    if (!order->shares_session)
        setsid();
    sigemptyset(&none);
    for (int signo = 1; signo < NSIG; signo++)
        sigaction(signo, &action, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (place_descriptors(order))
        execvp(order->argv[0], (char *const *)order->argv);
    say(order->argv[0]);
    say(" cannot be executed: ");
    say(strerrordesc_np(errno));
    say("\n");
    _exit(127);
}

enum error_code child_start(struct child *child, const struct child_order *order, struct error *err)
{
    *child = CHILD_NONE;
    child->pid = fork();
    if (child->pid == 0)
        become(order);
    if (child->pid < 0) {
        *child = CHILD_NONE;
        return error_set(err, ERR_IO, "no process for %s: %s", order->argv[0], strerror(errno));
    }
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0); /* closed by exec */
    if (child->pidfd >= 0)
        return ERR_OK;
    error_set(err, ERR_IO, "%s cannot be watched: pidfd_open(2): %s", order->argv[0], strerror(errno));
    child_discard(child);
    return ERR_IO;
}

bool child_reap(const struct child *child, char *how, size_t size, bool *well)
{
    siginfo_t info = {0};

    if (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG) != 0)
        snprintf(how, size, "ended, and was reaped elsewhere");
    else if (info.si_pid == 0)
        return false;
    else if (info.si_code == CLD_EXITED)
        snprintf(how, size, "ended with exit status %d", info.si_status);
    else
        snprintf(how, size, "was ended by signal %d", info.si_status);
    if (well)
        *well = info.si_code == CLD_EXITED && info.si_status == 0;
    return true;
}

void child_kill(const struct child *child)
{
    if (child->pid <= 0)
        return;
    /* itself too: it may not have come to its own session yet */
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
}

void child_discard(struct child *child)
{
    child_kill(child);
    waitpid(child->pid, NULL, 0);
    child_leave(child);
}

void child_leave(struct child *child)
{
    if (child->pidfd >= 0)
        close(child->pidfd);
    *child = CHILD_NONE;
}
