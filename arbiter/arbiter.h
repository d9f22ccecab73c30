/* arbiter.h - one voter for any number of clusters: one listening port, one loop, one control socket.
 *
 * Each cluster has its own key, log and identity (data_dir/CLUSTER/). The arbiter applies nothing and never
 * hosts a database; common/raft gives it the manner of an arbiter by its kind in the membership. A failed
 * disk ends the whole process: it is the disk of all. */
#ifndef MHA_ARBITER_ARBITER_H
#define MHA_ARBITER_ARBITER_H

#include <event2/event.h>

#include "arbiter/settings.h"
#include "common/net/control.h"

struct arbiter;

/* One cluster that it serves. */
struct arbiter_cluster {
    struct arbiter *arbiter;
    const struct replica_settings *settings;
    struct replica *replica;
    uint64_t leader; /* as logged last */
    uint64_t term;
};

struct arbiter {
    struct event_base *base;
    const struct arbiter_settings *settings;
    struct net *net;
    struct control *control;
    struct trace *trace; /* every input and output of raft, of all clusters; NULL: none */
    unsigned cluster_count;
    struct arbiter_cluster *clusters;
    bool failed; /* the loop was ended because of a failure */
};

/* Opens all; `settings` must outlive it. On an error nothing is left open. */
enum error_code arbiter_open(struct arbiter *arbiter, struct event_base *base,
                             const struct arbiter_settings *settings, struct error *err);
void arbiter_close(struct arbiter *arbiter);

/* status.c: answers a ControlRequest. */
void arbiter_on_request(void *context, struct control_request *request, const uint8_t *data, size_t size);
/* check.c: answers an agent's question (replica_callbacks.message of one cluster). */
void arbiter_on_message(void *context, uint64_t from, const void *data, size_t size);

#endif
