/* server.h - the own server: reached, quiet, stopped, started. */
#ifndef MHA_REBUILD_SERVER_H
#define MHA_REBUILD_SERVER_H

#include "agent/db/worker/server_process.h"
#include "agent/rebuild/job.h"
#include "agent/rebuild/query.h"

/* Connected, after a start (settings.start) if nothing listens. */
enum error_code server_reach(struct job *job, struct query *own, struct error *err);
/* Read-only, no other session of the agent's account, and no replication; what was received is applied if
 * that can be had soon. MySQL: super_read_only. */
enum error_code server_quiet(struct job *job, struct query *own, struct error *err);
/* Down for certain: settings.stop, then settings.kill. `own` is closed. */
enum error_code server_stop(struct job *job, struct query *own, struct error *err);
/* The process that listens now, so that its end is seen whatever comes after it. */
enum error_code server_watch(struct job *job, struct server_process *process, struct error *err);
/* Waits for its end, and detaches. */
enum error_code server_wait_end(struct job *job, struct server_process *process, struct error *err);
/* After a step that took it down: settings.start, unless it comes up by itself. */
enum error_code server_start(struct job *job, struct query *own, struct error *err);
/* What it has received; a position. Not all of it may be applied. */
enum error_code server_received(struct query *own, struct position *out, struct error *err);
/* MariaDB: the transaction of this server's that its source lacks though it has later ones of the same
 * writer, as its receiver was told last; an empty position otherwise. */
enum error_code server_branched(struct query *own, struct position *out, struct error *err);
/* "RESET MASTER" or what later versions say. */
const char *server_reset_text(const struct query *sql);
/* No source, nothing of replication left. */
enum error_code server_forget_source(struct query *own, struct error *err);

#endif
