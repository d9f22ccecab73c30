/* receive.h - the recipient's course: see, save, copy, start; and what its two kinds share. */
#ifndef MHA_REBUILD_RECEIVE_H
#define MHA_REBUILD_RECEIVE_H

#include "agent/rebuild/job.h"
#include "agent/rebuild/query.h"

struct receive {
    struct job *job;
    struct query own;       /* mysql NULL: not connected */
    struct query donor;     /* stays connected, so that its end is noticed */
    struct position mine;   /* what this server held when that was compared, and saved */
    struct position theirs; /* what the donor held then */
};

/* Takes the dbworker's lock, then all steps to the end. */
enum error_code receive_run(struct job *job, const char *lock_path, struct error *err);

/* From now on this server may hold less than it says, until receive_unmark. */
enum error_code receive_mark(const struct receive *receive, struct error *err);
enum error_code receive_unmark(const struct receive *receive, struct error *err);
/* This server holds nothing more than what was compared; the last look before it is given up. */
enum error_code receive_look_again(struct receive *receive, struct error *err);

/* The copy. After ERR_OK the server runs on it, at its right position, and receive->own is connected.
 * After an error: MariaDB's old data are there again and unmarked where that could be done. */
enum error_code receive_mysql(struct receive *receive, struct error *err);
enum error_code receive_mariadb(struct receive *receive, struct error *err);

#endif
