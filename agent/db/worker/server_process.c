#include "agent/db/worker/server_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

void server_process_init(struct server_process *process)
{
    *process = (struct server_process){.pidfd = -1};
}

enum server_listening server_process_locate(const char *socket_path, pid_t *pid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ucred peer;
    socklen_t size = sizeof peer;
    enum server_listening listening = SERVER_SILENT;
    int fd;

    *pid = 0;
    if (strlen(socket_path) >= sizeof address.sun_path)
        return SERVER_SILENT;
    strcpy(address.sun_path, socket_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return SERVER_LISTENS; /* our trouble, not the server's */
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        listening = SERVER_LISTENS;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
            *pid = peer.pid;
    } else if (errno == EAGAIN || errno == EACCES) {
        listening = SERVER_LISTENS; /* its queue is full; or it is not for us */
    }
    close(fd);
    return listening;
}

static bool read_small_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    out[n] = '\0';
    return true;
}

/* FNV-1a */
static uint64_t hash(uint64_t value, const char *text)
{
    while (*text)
        value = (value ^ (uint8_t)*text++) * 1099511628211u;
    return value;
}

/* 0: the process is gone. */
static uint64_t read_incarnation(pid_t pid)
{
    char path[64], stat[1024], boot[64], *field, identity[128];
    uint64_t value;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (!read_small_file(path, stat, sizeof stat) ||
        !read_small_file("/proc/sys/kernel/random/boot_id", boot, sizeof boot))
        return 0;
    /* proc(5): the command in field 2 may hold anything; field 22 is the start time, field 3 follows the last
     * ')' */
    field = strrchr(stat, ')');
    for (int i = 2; field && i < 22; i++)
        field = strchr(field + 1, ' ');
    if (!field)
        return 0;
    snprintf(identity, sizeof identity, "%d %llu", (int)pid, strtoull(field, NULL, 10));
    value = hash(hash(14695981039346656037u, boot), identity);
    return value ? value : 1;
}

bool server_process_attach(struct server_process *process, pid_t pid)
{
    int pidfd;
    uint64_t incarnation;

    if (pid <= 1)
        return false;
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return false;
    fcntl(pidfd, F_SETFD, FD_CLOEXEC);
    incarnation = read_incarnation(pid);
    if (incarnation == 0) {
        close(pidfd);
        return false;
    }
    server_process_detach(process);
    *process = (struct server_process){.pid = pid, .pidfd = pidfd, .incarnation = incarnation};
    return true;
}

void server_process_detach(struct server_process *process)
{
    if (process->pidfd >= 0)
        close(process->pidfd);
    process->pidfd = -1;
    process->pid = 0;
}

bool server_process_lives(const struct server_process *process)
{
    struct pollfd poll_fd = {.fd = process->pidfd, .events = POLLIN};

    return process->pidfd >= 0 && poll(&poll_fd, 1, 0) == 0;
}
