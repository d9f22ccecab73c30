#include "agent/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/child.h"

struct command {
    struct child child;
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
    child_kill(&command->child); /* its exit is seen through the pidfd */
}

static void on_exited(evutil_socket_t fd, short what, void *context)
{
    struct command *command = context;
    char how[64];
    bool well;

    (void)fd;
    (void)what;
    if (!child_reap(&command->child, how, sizeof how, &well))
        return;
    if (command->timed_out)
        snprintf(how, sizeof how, "did not end in time and was killed");
    command->done(command->context, well && !command->timed_out ? NULL : how);
    command_free(command);
}

enum error_code command_run(struct event_base *base, const char *line, uint64_t timeout_us, command_done done,
                            void *context, struct command **out, struct error *err)
{
    struct timeval timeout = {(time_t)(timeout_us / 1000000), (suseconds_t)(timeout_us % 1000000)};
    struct command *command = calloc(1, sizeof *command);
    struct child_order order = {
        .argv = (const char *const[]){"/bin/sh", "-c", line, NULL}, .out = -1, .err = -1, .third = -1};
    struct error why;
    enum error_code code;

    if (!command)
        return error_set(err, ERR_NO_MEMORY, "no memory to run \"%s\"", line);
    command->child = CHILD_NONE;
    command->done = done;
    command->context = context;
    order.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (child_start(&command->child, &order, &why) != ERR_OK) {
        code = error_set(err, ERR_IO, "cannot run \"%s\": %s", line, why.text);
        goto fail;
    }
    command->exited = event_new(base, command->child.pidfd, EV_READ | EV_PERSIST, on_exited, command);
    command->deadline = event_new(base, -1, 0, on_deadline, command);
    if (!command->exited || !command->deadline || event_add(command->exited, NULL) != 0 ||
        event_add(command->deadline, &timeout) != 0) {
        code = error_set(err, ERR_NO_MEMORY, "cannot watch \"%s\": no memory", line);
        child_discard(&command->child);
        goto fail;
    }
    close(order.in);
    *out = command;
    return ERR_OK;
fail:
    if (order.in >= 0)
        close(order.in);
    command_free(command);
    return code;
}

void command_free(struct command *command)
{
    if (!command)
        return;
    if (command->exited)
        event_free(command->exited);
    if (command->deadline)
        event_free(command->deadline);
    child_leave(&command->child);
    free(command);
}
