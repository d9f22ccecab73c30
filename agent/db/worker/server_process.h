/* server_process.h - the server's process: who listens on its socket, whether it lives, which start of it
 * this is. */
#ifndef MHA_DB_WORKER_SERVER_PROCESS_H
#define MHA_DB_WORKER_SERVER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server_process {
    pid_t pid; /* 0: not known */
    int pidfd; /* readable once it is gone, at once and for certain; -1: none */
    /* boot id, pid and start time, hashed: differs after every start; kept after its end; 0: not known */
    uint64_t incarnation;
};

enum server_listening { SERVER_SILENT, SERVER_LISTENS };

void server_process_init(struct server_process *process);
/* Connects to the unix socket and hangs up: SERVER_SILENT if nothing listens. `pid` is the listener's
 * (SO_PEERCRED), 0 if not to be had. */
enum server_listening server_process_locate(const char *socket_path, pid_t *pid);
/* Watches `pid`; false: it is gone already, or is none that can be watched (1: a socket that init listens
 * on). */
bool server_process_attach(struct server_process *process, pid_t pid);
void server_process_detach(struct server_process *process);
bool server_process_lives(const struct server_process *process);

#endif
