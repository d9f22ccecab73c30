/* connect.h - `mha4rdb-rebuild connect PATH`: standard input and output, joined with a unix socket.
 *
 * For rebuild.donate and rebuild.receive where the agent may not read the database's files: a socket of the
 * service manager's starts the script as the server's user. What comes from the socket must end with
 * CONNECT_END, which is cut off: only then did the script succeed. */
#ifndef MHA_REBUILD_CONNECT_H
#define MHA_REBUILD_CONNECT_H

#define CONNECT_END "\nmha4rdb: done\n"

/* The exit status: 0, or 1 with a word on standard error. */
int connect_run(const char *path);

#endif
