/* save.h - what this server has alone, set aside where an operator finds it, before it is given up.
 *
 * <data_dir>/set-aside/<UTC time>-<node>/ holds transactions.sql, what mysqlbinlog (mariadb-binlog) makes of
 * the binary log: each event as a BINLOG statement that can be run again, with its rows decoded in comments;
 * and README, which says what it is and how to look at it. Both, and the folders that name them, are synced;
 * a folder has its name once it is whole, and a dot before it until then. */
#ifndef MHA_REBUILD_SAVE_H
#define MHA_REBUILD_SAVE_H

#include "agent/rebuild/alone.h"
#include "agent/rebuild/job.h"
#include "agent/rebuild/query.h"

/* Reads this server's binary log by the replication account, over TCP. `why` is for the README. ERR_REFUSED:
 * the log does not hold all of it any more; ERR_IO: it cannot be read or written. In every such case nothing
 * may be given up; what was written is removed. */
enum error_code save_alone(struct job *job, struct query *own, const struct alone *alone, const char *theirs,
                           struct error *err);

/* Written bytes and directory, synced. */
enum error_code save_file(const char *path, const char *bytes, struct error *err);
/* The directory that `path` lies in. */
void save_sync_parent(const char *path);

#endif
