/* rebuild_child.h - the agent's side of mha4rdb-rebuild: the own database made anew from another node's, and
 * being the donor for one.
 *
 * One object for the agent's life; at most one rebuild and one donation run at a time, each in a child
 * (agent/rebuild/, mha4rdb-rebuild(8)) that talks in lines (agent/rebuild_lines.h). A child outlives nothing:
 * at end of file of its standard input it cancels what it does and ends; the agent need not wait for it.
 *
 * How the agent uses it, as the recipient:
 *   1. dbworker_stop, and no other worker while rebuild_child_running() or rebuild_child_unfinished(). The
 *      child waits for the worker's lock file, so it may be started before the worker has gone.
 *   2. rebuild_child_start.
 *   3. MariaDB only: `wants_donor` - what this node has alone is saved, the stream can come. The agent sends
 *      DonateRequest to the donor's agent and gives its answer to rebuild_child_offer (or why there is none).
 *   4. `done`: the server runs, read-only, without a source; the agent spawns a worker again and the policy
 *      lets it follow. After a failure the same, unless rebuild_child_unfinished().
 * As the donor: DonateRequest came from another agent: rebuild_child_donate, and `answer` is what the reply
 * says.
 *
 * Nothing is destroyed before what this server has and the donor lacks lies, synced, below
 * <data_dir>/set-aside/; when that is not possible, the rebuild fails and says what to do. No member of the
 * sync set may be rebuilt: that is the policy's to see to. Logged here is what a child says on its way; its
 * end is the owner's to log.
 *
 * Callbacks come from the loop, never from inside a call of the owner's. rebuild_child_free is not for inside
 * one. */
#ifndef MHA_AGENT_REBUILD_CHILD_H
#define MHA_AGENT_REBUILD_CHILD_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "rebuild.pb-c.h"

/* Below data_dir; see rebuild_child_unfinished. */
#define REBUILD_CHILD_MARKER "rebuild.unfinished"

struct rebuild_child;

struct rebuild_child_config {
    const char *program;     /* path of mha4rdb-rebuild */
    const char *config_path; /* agent.conf */
    const char *lock_path;   /* the dbworker's, <data_dir>/dbworker.lock */
    const char *data_dir;
};

struct rebuild_child_callbacks {
    /* The state has changed: another phase, more bytes. A report may be due. */
    void (*changed)(void *context);
    /* Step 3 above. `donor` is the name given to rebuild_child_start, `rate_mb` is for DonateRequest. */
    void (*wants_donor)(void *context, const char *donor, unsigned rate_mb);
    /* The child is gone. `error` NULL: the database is as the donor's, and runs. Otherwise why not, with the
     * remedy; it is also in rebuild_child_state()->failed until the next start. */
    void (*done)(void *context, const char *error);
};

/* Strings are copied. */
struct rebuild_order {
    const char *donor; /* node name */
    const char *host;  /* where its database is reached, of its NodeReport */
    unsigned port;
    const char *known;  /* another position that the cluster has, the primary's `executed` say; "" or NULL */
    unsigned rate_mb;   /* MB a second at most; 0: the configured one */
    const char *reason; /* for the log and the notes that are set aside */
};

enum error_code rebuild_child_new(struct event_base *base, const struct rebuild_child_config *config,
                                  const struct rebuild_child_callbacks *callbacks, void *context,
                                  struct rebuild_child **out, struct error *err);
/* Children that still run cancel and end by themselves; no callbacks. */
void rebuild_child_free(struct rebuild_child *child);

/* ERR_BUSY: one runs; ERR_IO: no process. A program that cannot be executed is seen as `done` with an error.
 */
enum error_code rebuild_child_start(struct rebuild_child *child, const struct rebuild_order *order,
                                    struct error *err);
/* The donor's answer: the reply's message, or `error` not empty. Nothing if no rebuild waits for it. */
void rebuild_child_offer(struct rebuild_child *child, const char *message, const char *error);
/* Ends with `done` ("cancelled..."), as soon as the child has cleaned up. false: none runs. */
bool rebuild_child_cancel(struct rebuild_child *child);
bool rebuild_child_running(const struct rebuild_child *child);
/* For NodeReport.rebuild; never NULL. phase "" and failed "": nothing to tell. Valid until the next turn of
 * the loop. */
const Mha__RebuildState *rebuild_child_state(const struct rebuild_child *child);
/* For policy_input.rebuild_failed_us: when the last one ended without success, 0: it did not. */
uint64_t rebuild_child_failed_us(const struct rebuild_child *child);
/* A rebuild of this node, by this or an earlier agent, has begun to destroy what was there and has not come
 * to its end (<data_dir>/rebuild.unfinished): the database may hold less than it says. It must not be
 * looked at by a worker, started, followed from or counted: only another rebuild, or an operator who removes
 * that file, ends this. */
bool rebuild_child_unfinished(const struct rebuild_child *child);

/* Called once: `message` is for the reply to DonateRequest (where to connect, and a token for one time), or
 * `error` is not NULL. */
typedef void (*rebuild_donor_answer)(void *context, const char *message, const char *error);

/* Be the donor of the node `to`. ERR_BUSY: this node is donor of another one already, or is rebuilt itself;
 * ERR_IO. Afterwards the child serves one recipient that has the cluster's key and the token, or ends by
 * itself. */
enum error_code rebuild_child_donate(struct rebuild_child *child, const char *to, unsigned rate_mb,
                                     rebuild_donor_answer answer, void *context, struct error *err);
/* Whom this node is donor of; NULL: nobody. */
const char *rebuild_child_donating_to(const struct rebuild_child *child);

#endif
