#include "agent/rebuild/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_child(const struct process_order *order, int in, int out)
{
    sigset_t none;

    setpgid(0, 0);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    if (order->err_to >= 0)
        dup2(order->err_to, STDERR_FILENO);
    if (order->keep_fd > 3)
        close_range(3, (unsigned)order->keep_fd - 1, 0);
    if (order->keep_fd >= 3) {
        close_range((unsigned)order->keep_fd + 1, ~0u, 0);
        fcntl(order->keep_fd, F_SETFD, 0);
    } else {
        close_range(3, ~0u, 0);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (order->argv)
        execvp(order->argv[0], (char *const *)order->argv);
    else
        execl("/bin/sh", "sh", "-c", order->line, (char *)NULL);
    fprintf(stderr, "%s cannot be executed: %s\n", order->argv ? order->argv[0] : "/bin/sh", strerror(errno));
    _exit(127);
}

enum error_code process_start(struct process *process, const struct process_order *order, struct error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    const char *what = order->argv ? order->argv[0] : order->line;

    *process = (struct process){.pidfd = -1, .in = -1, .out = -1};
    if (order->in_pipe ? pipe2(in, O_CLOEXEC) != 0 : (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        goto failed;
    if (order->out_to >= 0 ? (out[1] = fcntl(order->out_to, F_DUPFD_CLOEXEC, 3)) < 0
                           : pipe2(out, O_CLOEXEC) != 0)
        goto failed;
    process->pid = fork();
    if (process->pid == 0)
        run_child(order, in[0], out[1]);
    if (process->pid < 0)
        goto failed;
    setpgid(process->pid, process->pid); /* whoever of the two comes first */
    close(in[0]);
    close(out[1]);
    process->in = in[1];
    process->out = out[0];
    if (process->in >= 0)
        fcntl(process->in, F_SETFL, O_NONBLOCK);
    if (process->out >= 0)
        fcntl(process->out, F_SETFL, O_NONBLOCK);
    process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (process->pidfd >= 0)
        return ERR_OK;
    error_set(err, ERR_IO, "\"%s\" cannot be watched: %s", what, strerror(errno));
    process_stop(process);
    return ERR_IO;
failed:
    error_set(err, ERR_IO, "\"%s\" cannot be run: %s", what, strerror(errno));
    process->pid = 0;
    for (int i = 0; i < 2; i++) {
        if (in[i] >= 0)
            close(in[i]);
        if (out[i] >= 0)
            close(out[i]);
    }
    return ERR_IO;
}

static void release(struct process *process)
{
    int *all[] = {&process->in, &process->out, &process->pidfd};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
    process->pid = 0;
}

enum error_code process_wait(struct job *job, struct process *process, uint64_t until_us, char *text,
                             size_t size, struct error *err)
{
    bool ended;
    int status = 0;
    enum error_code code = job_wait_until(job, process->pidfd, POLLIN, until_us, &ended, err);

    if (code != ERR_OK)
        return code;
    if (!ended)
        return error_set(err, ERR_TIMEOUT, "it has not ended in time");
    waitpid(process->pid, &status, 0);
    release(process);
    text[0] = '\0';
    if (WIFSIGNALED(status))
        snprintf(text, size, "was ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        snprintf(text, size, "ended with exit status %d", WEXITSTATUS(status));
    return ERR_OK;
}

void process_stop(struct process *process)
{
    if (process->pid <= 0)
        return;
    kill(-process->pid, SIGKILL);
    kill(process->pid, SIGKILL);
    waitpid(process->pid, NULL, 0);
    release(process);
}

void process_last_words(const char *path, char *text, size_t size)
{
    char bytes[2048];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    ssize_t got;

    text[0] = '\0';
    if (end > 0) {
        off_t from = end > (off_t)sizeof bytes - 1 ? end - (off_t)sizeof bytes + 1 : 0;
        got = pread(fd, bytes, sizeof bytes - 1, from);
        while (got > 0 && (bytes[got - 1] == '\n' || bytes[got - 1] == ' '))
            got--;
        if (got > 0) {
            const char *begin;
            bytes[got] = '\0';
            begin = strrchr(bytes, '\n');
            snprintf(text, size, "%s", begin ? begin + 1 : bytes);
        }
    }
    if (fd >= 0)
        close(fd);
}
