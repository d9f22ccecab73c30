/* save_log.h - where in the own binary log the transactions lie that are to be set aside. */
#ifndef MHA_REBUILD_SAVE_LOG_H
#define MHA_REBUILD_SAVE_LOG_H

#include "agent/rebuild/alone.h"
#include "agent/rebuild/job.h"
#include "agent/rebuild/query.h"

#define SAVE_PARTS_MAX 4096

/* MariaDB: bytes first .. end-1 of one file. MySQL: one part, `file` and all after it, to be filtered. */
struct save_part {
    char file[128];
    uint64_t first, end; /* end 0: to the file's end */
};

struct save_parts {
    struct save_part *list; /* freed by the caller */
    unsigned count;
    uint64_t transactions;
};

/* ERR_REFUSED: not all of it is in the log any more. */
enum error_code save_log_find(struct job *job, struct query *own, const struct alone *alone,
                              struct save_parts *out, struct error *err);

#endif
