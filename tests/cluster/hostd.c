/* hostd - the first process of one host of the test bed, and the parent of everything that runs there.
 *
 *     hostd DIR NAME OPERATOR_UID
 *
 * Makes new network, UTS, mount, IPC and PID namespaces, so that a host has its own interfaces, name, /proc
 * and process numbers, and serves DIR/ctl. It is the host's process 1: SIGKILL to it is the loss of power,
 * and when the one who started it dies, the host dies too. Prints "ready PID" (its number outside) once it
 * serves.
 *
 * A service is a file DIR/services/NAME or DIR/services/NAME.MODE with one argument of its command per line;
 * its output goes to DIR/log/NAME.log. At most one process per NAME, whatever its mode. One request a
 * connection, one line; the answer is "ok ..." or "error ...":
 *
 *     start NAME [MODE]   answers when the program runs (not: when it is ready); fine if it runs already in
 * that mode stop NAME           SIGTERM; answers when it is gone and reaped kill NAME           SIGKILL;
 * answers when it is gone and reaped signal NAME N       any signal signal-all N        to every process of
 * the host but this one, at once status NAME         "ok running PID MODE" (its number inside), "ok exited
 * CODE", "ok signalled N", "ok never"
 *
 * Root may ask everything. OPERATOR_UID may start, stop and kill `database` only, as systemd and polkit would
 * let it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVICES_MAX 16
#define CLIENTS_MAX 64
#define NAME_BYTES 64
#define LINE_BYTES 256
#define ARGS_MAX 96
#define COMMAND_BYTES 16384

struct service {
    char name[NAME_BYTES];
    char mode[NAME_BYTES];
    pid_t pid; /* 0: not running */
    bool ended;
    int status; /* of waitpid, when ended */
};

struct client {
    int fd; /* -1: free */
    bool root;
    struct service *awaits; /* answered when this is gone */
};

static struct service services[SERVICES_MAX];
static unsigned service_count;
static struct client clients[CLIENTS_MAX];
static uid_t operator_uid;

static void die(const char *what)
{
    fprintf(stderr, "hostd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static bool name_valid(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    return length > 0 && length < NAME_BYTES && name[length] == '\0';
}

static struct service *service_find(const char *name)
{
    for (unsigned i = 0; i < service_count; i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    if (service_count == SERVICES_MAX)
        return NULL;
    struct service *service = &services[service_count++];
    snprintf(service->name, sizeof service->name, "%s", name);
    return service;
}

static void client_answer(struct client *client, const char *text)
{
    if (send(client->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        fprintf(stderr, "hostd: answer: %s\n", strerror(errno));
    close(client->fd);
    client->fd = -1;
    client->awaits = NULL;
}

static const char *service_read_command(const struct service *service, const char *mode, char *text,
                                        char **args)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "services/%s%s%s", service->name, mode[0] != '\0' ? "." : "", mode);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "error no such service\n";
    ssize_t size = read(fd, text, COMMAND_BYTES - 1);
    close(fd);
    if (size <= 0 || size == COMMAND_BYTES - 1)
        return "error its command cannot be read\n";
    text[size] = '\0';
    unsigned count = 0;
    for (char *save, *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        if (count == ARGS_MAX)
            return "error its command has too many arguments\n";
        args[count++] = line;
    }
    args[count] = NULL;
    return count > 0 ? NULL : "error its command is empty\n";
}

static void service_exec(const struct service *service, char **args, int failed)
{
    char path[PATH_MAX];
    sigset_t none;

    snprintf(path, sizeof path, "log/%s.log", service->name);
    int in = open("/dev/null", O_RDONLY);
    int out = open(path, O_WRONLY | O_APPEND | O_CREAT, 0644);
    if (in >= 0 && out >= 0) {
        dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        if (in > STDERR_FILENO)
            close(in);
        if (out > STDERR_FILENO)
            close(out);
        setsid();
        signal(SIGINT, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execvp(args[0], args);
    }
    int error = errno;
    if (write(failed, &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

static const char *service_start(struct service *service, const char *mode, char *answer, size_t size)
{
    static char text[COMMAND_BYTES];
    char *args[ARGS_MAX + 1];
    int failed[2];
    int error;

    if (service->pid != 0) {
        if (strcmp(service->mode, mode) != 0)
            return "error it runs in another mode; stop it first\n";
        snprintf(answer, size, "ok %ld\n", (long)service->pid);
        return answer;
    }
    const char *problem = service_read_command(service, mode, text, args);
    if (problem != NULL)
        return problem;
    if (pipe2(failed, O_CLOEXEC) != 0)
        return "error out of descriptors\n";
    pid_t pid = fork();
    if (pid == 0)
        service_exec(service, args, failed[1]);
    close(failed[1]);
    ssize_t got = pid > 0 ? read(failed[0], &error, sizeof error) : (ssize_t)sizeof error;
    close(failed[0]);
    if (got != 0) { /* end of file is what a successful exec leaves */
        snprintf(answer, size, "error %s: %s\n", args[0], strerror(pid > 0 ? error : errno));
        return answer;
    }
    service->pid = pid;
    service->ended = false;
    snprintf(service->mode, sizeof service->mode, "%s", mode);
    snprintf(answer, size, "ok %ld\n", (long)pid);
    return answer;
}

static void service_status(const struct service *service, char *answer, size_t size)
{
    if (service->pid != 0)
        snprintf(answer, size, "ok running %ld %s\n", (long)service->pid, service->mode);
    else if (!service->ended)
        snprintf(answer, size, "ok never\n");
    else if (WIFEXITED(service->status))
        snprintf(answer, size, "ok exited %d\n", WEXITSTATUS(service->status));
    else
        snprintf(answer, size, "ok signalled %d\n", WTERMSIG(service->status));
}

static bool client_may(const struct client *client, const char *verb, const char *name)
{
    if (client->root)
        return true;
    return name != NULL && strcmp(name, "database") == 0 &&
           (strcmp(verb, "start") == 0 || strcmp(verb, "stop") == 0 || strcmp(verb, "kill") == 0);
}

static void client_request(struct client *client, char *line)
{
    char answer[LINE_BYTES + 64];
    char *save;
    const char *verb = strtok_r(line, " \n", &save);
    const char *name = strtok_r(NULL, " \n", &save);
    const char *argument = strtok_r(NULL, " \n", &save);

    if (verb == NULL || name == NULL || !client_may(client, verb, name)) {
        client_answer(client, "error not allowed\n");
        return;
    }
    if (strcmp(verb, "signal-all") == 0) {
        int result = kill(-1, atoi(name));
        client_answer(client, result == 0 || errno == ESRCH ? "ok\n" : "error kill\n");
        return;
    }
    struct service *service = name_valid(name) ? service_find(name) : NULL;
    if (service == NULL || (argument != NULL && !name_valid(argument))) {
        client_answer(client, "error bad name\n");
    } else if (strcmp(verb, "start") == 0) {
        client_answer(client,
                      service_start(service, argument != NULL ? argument : "", answer, sizeof answer));
    } else if (strcmp(verb, "status") == 0) {
        service_status(service, answer, sizeof answer);
        client_answer(client, answer);
    } else if (strcmp(verb, "stop") == 0 || strcmp(verb, "kill") == 0) {
        if (service->pid == 0) {
            client_answer(client, "ok\n");
            return;
        }
        kill(service->pid, verb[0] == 's' ? SIGTERM : SIGKILL);
        client->awaits = service;
    } else if (strcmp(verb, "signal") == 0 && argument != NULL && service->pid != 0) {
        client_answer(client, kill(service->pid, atoi(argument)) == 0 ? "ok\n" : "error kill\n");
    } else {
        client_answer(client, "error not understood, or not running\n");
    }
}

static void client_accept(int listener)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (clients[i].fd >= 0)
            continue;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
            (peer.uid != 0 && peer.uid != operator_uid))
            break;
        clients[i] = (struct client){.fd = fd, .root = peer.uid == 0};
        return;
    }
    close(fd);
}

static void client_readable(struct client *client)
{
    char line[LINE_BYTES];
    ssize_t size = recv(client->fd, line, sizeof line - 1, 0);

    if (size <= 0 || client->awaits != NULL) { /* gone, or impatient: what it asked for goes on */
        close(client->fd);
        client->fd = -1;
        client->awaits = NULL;
        return;
    }
    line[size] = '\0';
    client_request(client, line);
}

static void reap(int signals)
{
    struct signalfd_siginfo info;
    int status;

    if (read(signals, &info, sizeof info) < 0)
        return;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (unsigned i = 0; i < service_count; i++) {
            if (services[i].pid != pid)
                continue;
            services[i].pid = 0;
            services[i].ended = true;
            services[i].status = status;
            for (unsigned c = 0; c < CLIENTS_MAX; c++)
                if (clients[c].fd >= 0 && clients[c].awaits == &services[i])
                    client_answer(&clients[c], "ok\n");
        }
    }
}

static void serve(int listener, int signals)
{
    for (;;) {
        struct pollfd fds[CLIENTS_MAX + 2] = {{.fd = signals, .events = POLLIN},
                                              {.fd = listener, .events = POLLIN}};
        for (unsigned i = 0; i < CLIENTS_MAX; i++)
            fds[i + 2] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
        if (poll(fds, CLIENTS_MAX + 2, -1) < 0 && errno != EINTR)
            die("poll");
        if (fds[0].revents != 0)
            reap(signals);
        for (unsigned i = 0; i < CLIENTS_MAX; i++)
            if (fds[i + 2].revents != 0 && clients[i].fd == fds[i + 2].fd)
                client_readable(&clients[i]);
        if (fds[1].revents != 0)
            client_accept(listener);
    }
}

static void become_host(const char *name, int ready)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "ctl"};
    sigset_t child;

    /* In a chroot / is no mount point; what matters is that the new /proc is seen by this host alone. */
    if ((mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0 && errno != EINVAL) ||
        mount(NULL, "/proc", NULL, MS_PRIVATE, NULL) != 0 ||
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        die("mount /proc");
    if (sethostname(name, strlen(name)) != 0)
        die("sethostname");
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        clients[i].fd = -1;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    int signals = signalfd(-1, &child, SFD_CLOEXEC);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(address.sun_path);
    if (signals < 0 || listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(address.sun_path, 0777) != 0 || listen(listener, CLIENTS_MAX) != 0)
        die("ctl");
    if (write(ready, "r", 1) != 1)
        die("ready");
    close(ready);
    serve(listener, signals);
}

int main(int argc, char **argv)
{
    int ready[2];
    char byte;

    if (argc != 4) {
        fprintf(stderr, "usage: hostd DIR NAME OPERATOR_UID\n");
        return 2;
    }
    operator_uid = (uid_t)strtoul(argv[3], NULL, 10);
    if (chdir(argv[1]) != 0)
        die(argv[1]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN); /* the terminal's ^C is for the one who started us */
    if (pipe2(ready, O_CLOEXEC) != 0 ||
        unshare(CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID) != 0)
        die("unshare (root, or `unshare --user --map-root-user`, is needed)");
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        become_host(argv[2], ready[1]);
        return 1;
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        return 1;
    printf("ready %ld\n", (long)pid);
    fflush(stdout);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return 0;
}
