#include "agent/rebuild/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

enum error_code process_start(struct process *process, const struct process_order *order, struct error *err)
{
    const char *const shell[] = {"/bin/sh", "-c", order->line, NULL};
    struct child_order child = {
        .argv = order->argv ? order->argv : shell, .err = order->err_to, .third = order->third};
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    enum error_code code = ERR_OK;

    *process = PROCESS_NONE;
    if ((order->in_pipe ? pipe2(in, O_CLOEXEC) : (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC))) < 0 ||
        (order->out_to < 0 && pipe2(out, O_CLOEXEC) != 0))
        code = error_set(err, ERR_IO, "\"%s\" cannot be run: %s", order->argv ? order->argv[0] : order->line,
                         strerror(errno));
    child.in = in[0];
    child.out = order->out_to < 0 ? out[1] : order->out_to;
    if (code == ERR_OK)
        code = child_start(&process->child, &child, err);
    if (code == ERR_OK) { /* these two ends are kept */
        process->in = in[1];
        process->out = out[0];
        in[1] = out[0] = -1;
        if (process->in >= 0)
            fcntl(process->in, F_SETFL, O_NONBLOCK);
        if (process->out >= 0)
            fcntl(process->out, F_SETFL, O_NONBLOCK);
    }
    close_pair(in);
    close_pair(out);
    return code;
}

static void release(struct process *process)
{
    child_leave(&process->child);
    close_pair((int[]){process->in, process->out});
    *process = PROCESS_NONE;
}

enum error_code process_wait(struct job *job, struct process *process, uint64_t until_us, char *text,
                             size_t size, struct error *err)
{
    bool ended, well;
    enum error_code code = job_wait_until(job, process->child.pidfd, POLLIN, until_us, &ended, err);

    if (code != ERR_OK)
        return code;
    if (!ended || !child_reap(&process->child, text, size, &well))
        return error_set(err, ERR_TIMEOUT, "it has not ended in time");
    if (well)
        text[0] = '\0';
    release(process);
    return ERR_OK;
}

void process_stop(struct process *process)
{
    if (process->child.pid > 0)
        child_discard(&process->child);
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
