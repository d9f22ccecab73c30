/* dbworker.h - the agent's side of mha4rdb-dbworker: spawn it, talk to it, see it end.
 *
 * The worker holds the SQL connections and enforces the lease to write (design: "Every power is leased"). It
 * is a child of the agent on one SOCK_SEQPACKET pair (proto/dbworker.proto), and outlives an agent that dies:
 * at end of file it keeps the lease's deadline, fences, and exits. Nothing here blocks: a worker that hangs
 * costs a timeout of the request under way and its observations grow old (observed_us), no more. When to
 * start another one is the agent's decision: a new worker waits for the lock file of one that still finishes.
 * The child is watched through a pidfd, so the owner needs no SIGCHLD handler and must not wait for "any
 * child".
 *
 * A new worker fences a writable server that it finds without a live lease: an agent that adopts an open
 * database (restart, pause) sends the lease directly after dbworker_spawn returns. A lease counts for the
 * server's opening only if the newest epoch record in the database is the lease's epoch.
 *
 * Callbacks come from the loop, never from inside a call of the owner's. dbworker_free may be called from any
 * of them. */
#ifndef MHA_DB_DBWORKER_H
#define MHA_DB_DBWORKER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "dbworker.pb-c.h"

#define DBWORKER_MESSAGE_BYTES_MAX 65536
#define DBWORKER_REQUEST_BYTES_MAX 4096

struct dbworker;

struct dbworker_config {
    const char *program;     /* path of mha4rdb-dbworker */
    const char *config_path; /* agent.conf */
    const char *lock_path;   /* <data_dir>/dbworker.lock */
};

struct dbworker_callbacks {
    /* Every observation, those inside replies too (before the reply's own callback). Valid during the call.
     */
    void (*observation)(void *context, const Mha__DbObservation *observation);
    /* The process is gone and reaped; `how` is for a person, e.g. "ended with exit status 2". Outstanding
     * requests were answered with ERR_IO before. Only dbworker_free is left to do. */
    void (*exited)(void *context, const char *how);
};

/* How a request ended. ERR_OK: done, `reply` is there. ERR_REFUSED: the worker answered with an error,
 * `reply` is there and `why` is its text. Without a reply: ERR_TIMEOUT (its deadline passed; the worker may
 * still be at it and an answer that comes later is dropped), ERR_IO (the worker is gone), ERR_BUSY (given up
 * for a newer request). */
typedef void (*dbworker_reply)(void *context, enum error_code code, const char *why,
                               const Mha__DbReply *reply);

/* Forks and execs. ERR_IO: no process, no socket, no pidfd. A program that cannot be executed is seen as
 * `exited`. */
enum error_code dbworker_spawn(struct event_base *base, const struct dbworker_config *config,
                               const struct dbworker_callbacks *callbacks, void *context,
                               struct dbworker **out, struct error *err);
/* Closes the socket: a worker that still runs keeps its lease's deadline, fences and exits by itself. No
 * callbacks. */
void dbworker_free(struct dbworker *worker);
pid_t dbworker_pid(const struct dbworker *worker);

/* The newest observation, NULL before the first. Valid until the next turn of the loop. */
const Mha__DbObservation *dbworker_observation(const struct dbworker *worker);

/* One operation at a time: close, freeze, drain, follow, promote, open, set_commit_rule, set_acknowledging,
 * check. `request->id`
 * is filled in here. `deadline_us` is absolute (common/base/clock.h). `reply` may be NULL. Sent while another
 * one is under way, it takes its place: the older one's callback does not come any more; the worker
 * interrupts a drain or a close (writability restored) for it, and finishes anything shorter first. ERR_BUSY:
 * the worker does not read (stopped, say) and its socket is full; ERR_IO: it is gone. The callback does not
 * come then. */
enum error_code dbworker_request(struct dbworker *worker, Mha__DbRequest *request, uint64_t deadline_us,
                                 dbworker_reply reply, void *context, struct error *err);
bool dbworker_busy(const struct dbworker *worker);    /* an operation of dbworker_request is under way */
bool dbworker_fencing(const struct dbworker *worker); /* a fence that was asked for is under way */

/* At any time, beside an operation. A fence makes the worker give up the operation under way. */
enum error_code dbworker_fence(struct dbworker *worker, const char *reason, uint64_t deadline_us,
                               dbworker_reply reply, void *context, struct error *err);
/* Without answers; what cannot be sent at once is dropped (false): the next one follows soon, or the deadline
 * does its work. */
bool dbworker_lease(struct dbworker *worker, uint64_t epoch, uint64_t deadline_us, bool paused);
bool dbworker_watch(struct dbworker *worker, uint64_t interval_us, uint64_t duration_us);
/* Fence (unless paused) and exit; seen as `exited`. */
bool dbworker_stop(struct dbworker *worker);

#endif
