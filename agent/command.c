#include "agent/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct command {
    pid_t pid;
    int pidfd;
    bool timed_out;
    struct event *exited;
    struct event *deadline;
    command_done done;
    void *context;
};

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    struct command *command = context;

    (void)fd;
    (void)what;
    command->timed_out = true;
    kill(-command->pid, SIGKILL); /* its exit is seen through the pidfd */
}

static void on_exited(evutil_socket_t fd, short what, void *context)
{
    struct command *command = context;
    char text[64];
    int status = 0;

    (void)fd;
    (void)what;
    waitpid(command->pid, &status, 0);
    if (command->timed_out)
        snprintf(text, sizeof text, "did not end in time and was killed");
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "was ended by signal %d", WTERMSIG(status));
    else
        snprintf(text, sizeof text, "ended with exit status %d", WEXITSTATUS(status));
    command->done(command->context, status == 0 && !command->timed_out ? NULL : text);
    command_free(command);
}

static void run_child(const char *line)
{
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);

    setsid();
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    close_range(3, ~0u, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
}

enum error_code command_run(struct event_base *base, const char *line, uint64_t timeout_us, command_done done,
                            void *context, struct command **out, struct error *err)
{
    struct timeval timeout = {(time_t)(timeout_us / 1000000), (suseconds_t)(timeout_us % 1000000)};
    struct command *command = calloc(1, sizeof *command);

    if (!command)
        return error_set(err, ERR_NO_MEMORY, "no memory to run \"%s\"", line);
    command->pidfd = -1;
    command->done = done;
    command->context = context;
    command->pid = fork();
    if (command->pid == 0)
        run_child(line);
    if (command->pid < 0) {
        error_set(err, ERR_IO, "cannot run \"%s\": fork: %s", line, strerror(errno));
        goto fail;
    }
    command->pidfd = (int)syscall(SYS_pidfd_open, command->pid, 0);
    if (command->pidfd >= 0)
        command->exited = event_new(base, command->pidfd, EV_READ, on_exited, command);
    command->deadline = event_new(base, -1, 0, on_deadline, command);
    if (!command->exited || !command->deadline || event_add(command->exited, NULL) != 0 ||
        event_add(command->deadline, &timeout) != 0) {
        error_set(err, ERR_IO, "cannot watch \"%s\": %s", line, strerror(errno));
        kill(-command->pid, SIGKILL);
        waitpid(command->pid, NULL, 0);
        goto fail;
    }
    *out = command;
    return ERR_OK;
fail:
    command_free(command);
    return err ? err->code : ERR_IO;
}

void command_free(struct command *command)
{
    if (!command)
        return;
    if (command->exited)
        event_free(command->exited);
    if (command->deadline)
        event_free(command->deadline);
    if (command->pidfd >= 0)
        close(command->pidfd);
    free(command);
}
