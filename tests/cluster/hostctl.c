/* hostctl SOCKET start|start-follow|stop|kill - what the agent's start and stop commands are in the test bed:
 * asks the host's hostd for its `database`. Exits 0 once it is done. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct {
    const char *command;
    const char *request;
} requests[] = {
    {"start", "start database"},
    {"start-follow", "start database follow"},
    {"stop", "stop database"},
    {"kill", "kill database"},
};

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *request = NULL;
    char answer[512];

    for (unsigned i = 0; argc == 3 && i < sizeof requests / sizeof requests[0]; i++)
        if (strcmp(argv[2], requests[i].command) == 0)
            request = requests[i].request;
    if (request == NULL || strlen(argv[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: hostctl SOCKET start|start-follow|stop|kill\n");
        return 2;
    }
    memcpy(address.sun_path, argv[1], strlen(argv[1]));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
        perror("hostctl");
        return 1;
    }
    ssize_t size = recv(fd, answer, sizeof answer - 1, 0);
    if (size >= 2 && memcmp(answer, "ok", 2) == 0)
        return 0;
    answer[size > 0 ? size : 0] = '\0';
    fprintf(stderr, "hostctl: %s: %s", request, size > 0 ? answer : "no answer\n");
    return 1;
}
