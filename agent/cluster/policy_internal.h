/* policy_internal.h - what the files of the policy share. */
#ifndef MHA_CLUSTER_POLICY_INTERNAL_H
#define MHA_CLUSTER_POLICY_INTERNAL_H

#include "agent/cluster/policy.h"

/* A replica that had, a moment ago, what was then the end of the log may be counted on; and so long it may.
 */
#define POLICY_NEAR_US 1000000u

/* A failed operation on the database is tried again after this. */
#define POLICY_RETRY_US 200000u

/* ---- policy.c: what is to be done ---- */

void policy_wait(struct policy_output *output, const char *format, ...) __attribute__((format(printf, 2, 3)));
void policy_again(struct policy_output *output, uint64_t at_us);
/* Emits an operation on the database unless one runs, or the same one failed a moment ago. */
void policy_db_op(const struct policy_input *input, struct policy_output *output, enum policy_db_op op);
/* Stop receiving what earlier terms' primaries send; true: done in this term. */
bool policy_freeze(const struct policy_input *input, struct policy_output *output);

/* ---- track.c: since when ---- */

/* Dropped for its trouble more than once: it is not taken in before this; 0: at any time. */
uint64_t policy_calm_until_us(const struct policy_tracker *tracker, uint64_t id);

/* ---- look.c: what is ---- */

const struct policy_node *policy_find_node(const struct policy_input *input, uint64_t id); /* NULL: unknown */
const char *policy_node_name(const struct policy_input *input, uint64_t id);
unsigned policy_data_nodes(const struct policy_input *input); /* that vote */
unsigned policy_databases(const struct policy_input *input);  /* without a vote, too: they follow like any */
/* The most acknowledgements that this cluster's commits should wait for. */
unsigned policy_most_acks(const struct policy_input *input);
/* The database of a node as last reported within E, or NULL. */
const Mha__DbObservation *policy_fresh_db(const struct policy_input *input, const struct policy_node *node);
/* The same if it is up and its receiver was seen stopped in this term. `node` may be NULL. */
const Mha__DbObservation *policy_frozen_db(const struct policy_input *input, const struct policy_node *node);
/* The same if it is a replica that follows the primary of this epoch, and acknowledges or stands by: that it
 * changes over by itself once the primary lets it. */
const Mha__DbObservation *policy_willing(const struct policy_input *input, const struct policy_node *node);
/* It does so already. */
bool policy_acknowledges(const struct policy_input *input, const struct policy_node *node);
/* The server tells whose acknowledgements count there, and each node has an account of its own for them. */
bool policy_tells_nodes_apart(const struct policy_input *input, const Mha__DbObservation *db);
bool policy_counts_there(const Mha__DbObservation *db, const char *name); /* its acknowledgements */
/* It hangs, but was started a while ago and has not answered yet: recovery may take its time, and a kill
 * would only begin it anew. */
bool policy_is_starting(const struct policy_tracker *tracker, const struct policy_input *input);
/* It holds all that this node holds, and more. */
bool policy_is_ahead(const struct policy_input *input, const struct policy_node *node);
/* Two positions in text; an unreadable one is contained by nothing and contains nothing. */
bool policy_holds(const char *position, const char *part);
/* This node is the committed primary of this very term. */
bool policy_serving_here(const struct policy_input *input);
bool policy_dead(const Mha__DbObservation *db); /* its process is known to be gone */
/* A pause is in force, and this node holds it. */
bool policy_paused_here(const struct policy_input *input);
/* In a pause the database stayed open while its agent was away: it is taken over as it is. */
bool policy_adopts_open_database(const struct policy_input *input);
bool policy_closed(const Mha__DbObservation *db); /* dead, or read-only without clients' sessions */

/* Having restarted a moment ago it neither votes nor campaigns before this; 0: it may. */
uint64_t policy_held_until_us(const struct policy_input *input, const struct policy_node *node);
bool policy_majority_votes(const struct policy_input *input);
/* The database answers, or what it does not answer is held up by somebody who will let go: a backup's lock,
 * too many connections. */
bool policy_is_held_up(const Mha__DbObservation *db);
/* Its disk is full, or takes no writes: static text; NULL: neither. */
const char *policy_disk_trouble(const Mha__DbObservation *db);

/* ---- promotion.c ---- */

/* May `node` be promoted, as far as its own report tells? `why` gets a sentence when not. */
bool policy_promotable(const struct policy_input *input, const struct policy_node *node, char *why,
                       size_t why_size);
/* The best other node to hand the leadership to; NULL: none. */
const struct policy_node *policy_best_other(const struct policy_input *input);
/* This leader may promote itself now: frozen positions of enough members, none ahead. `why` when not, and in
 * `better` a member that is to lead instead, or NULL. */
bool policy_positions_heard(const struct policy_input *input, const struct policy_node **better, char *why,
                            size_t why_size);
/* Who is up and heard, and has not said yet that it is frozen in this term, or that it may be promoted though
 * it is ahead and no member: its word is worth a moment. NULL: nobody. */
const struct policy_node *policy_awaited(const struct policy_input *input);
/* A replica outside the sync set that may be promoted and is ahead of this node; NULL: none. */
const struct policy_node *policy_ahead_outside(const struct policy_input *input);
/* The sync set with which this node is to be promoted. */
void policy_sync_after_promotion(const struct policy_input *input, struct sync_set *out);

/* ---- commit_rule.c ---- */

/* Names of nodes; they point into the input. */
struct acknowledgers {
    unsigned count;
    const char *names[CLUSTER_SYNC_MAX];
};

/* Who may acknowledge under the committed rule: the members of the sync set, but for those that are found in
 * trouble while there are enough others. */
void policy_acknowledgers(const struct policy_tracker *tracker, const struct policy_input *input,
                          struct acknowledgers *out);
/* `op` is DB_OP_SET_COMMIT_RULE or DB_OP_PROMOTE. */
void policy_set_rule(const struct policy_input *input, struct policy_output *output, enum policy_db_op op,
                     unsigned acks, const struct acknowledgers *who);
/* true: `who` may acknowledge in the server, and nobody else. Otherwise the next operation that leads there.
 */
bool policy_acknowledgers_are(const struct policy_input *input, struct policy_output *output,
                              const struct acknowledgers *who);
/* More replicas acknowledge to the server than are allowed to: one of them is none of ours, and a commit that
 * waits could be answered by it. */
bool policy_strangers_acknowledge(const struct policy_input *input, struct policy_output *output,
                                  const struct acknowledgers *who);
/* true: the server waits for `acks` acknowledgements, and with acks > 0 exactly `who` may acknowledge there.
 * Otherwise the next operation that leads there. */
bool policy_rule_is(const struct policy_input *input, struct policy_output *output, unsigned acks,
                    const struct acknowledgers *who);
/* Begins a change, or goes on with it if it is the same. */
void policy_begin_change(struct policy_tracker *tracker, const struct policy_input *input,
                         enum rule_change change, uint64_t node);
void policy_end_change(struct policy_tracker *tracker);
/* With the rule in force as above: the end of the log of a later moment stands in tracker->end. */
bool policy_end_of_log(struct policy_tracker *tracker, const struct policy_input *input,
                       struct policy_output *output, unsigned acks, const struct acknowledgers *who);
/* Members other than this node and `without` (0: nobody) that hold it. */
unsigned policy_holders(const struct policy_tracker *tracker, const struct policy_input *input,
                        uint64_t without);

/* ---- lead.c, serve.c, sync_set.c, requests.c, follow.c ---- */

void policy_lead(struct policy_tracker *tracker, const struct policy_input *input,
                 struct policy_output *output);
void policy_serve(struct policy_tracker *tracker, const struct policy_input *input,
                  struct policy_output *output);
void policy_lose_primary(const struct policy_tracker *tracker, const struct policy_input *input,
                         struct policy_output *output, const char *reason);
void policy_keep_sync_set(struct policy_tracker *tracker, const struct policy_input *input,
                          struct policy_output *output);
/* The sync set with one member more. */
void policy_propose_join(const struct policy_input *input, struct policy_output *output,
                         const struct policy_node *node, const char *why);
/* It may join the sync set at the same k. */
bool policy_is_near(const struct policy_tracker *tracker, const struct policy_input *input,
                    const struct policy_node *node);
/* Of a primary that cannot be opened: takes a replica that has all of it into the sync set, so that it can be
 * promoted instead. true: proposed. */
bool policy_join_closed(const struct policy_tracker *tracker, const struct policy_input *input,
                        struct policy_output *output);
/* true: a switchover has taken the next step, or waits for something. */
bool policy_switchover_step(struct policy_tracker *tracker, const struct policy_input *input,
                            struct policy_output *output);
bool policy_end_force(struct policy_tracker *tracker, const struct policy_input *input,
                      struct policy_output *output);
/* Gives up the powers of this term; true once the address is gone and the database closed or dead, or the
 * leases have run out by themselves. */
bool policy_give_up_powers(const struct policy_tracker *tracker, const struct policy_input *input,
                           struct policy_output *output, const char *reason);
/* Hands the leadership over; call only once policy_give_up_powers has answered true. */
void policy_hand_over(const struct policy_input *input, struct policy_output *output, uint64_t to);
/* ---- available.c ---- */

void policy_track_marks(struct policy_marks *marks, const struct policy_input *input);
/* false: not known, or further than the marks reach. */
bool policy_lag_us(const struct policy_input *input, const Mha__DbObservation *db, uint64_t *lag_us);
/* An operator chose that a failover may lose acknowledged writes, and that is the rule in force. */
bool policy_may_lose(const struct policy_input *input);
/* Its report is fresh. */
bool policy_lags_little(const struct policy_input *input, const struct policy_node *node, char *why,
                        size_t size);

/* ---- first_start.c ---- */

void policy_first_start(const struct policy_input *input, struct policy_output *output);
/* The first primary was open before it was ours, and stays so. */
bool policy_adopts_foreign(const struct policy_input *input);

/* ---- rebuild.c ---- */

/* Both are readable, and `position` is not contained in the primary's. */
bool policy_diverged(const char *position, const char *primary);
enum policy_need policy_needs_rebuild(const struct policy_input *input, const struct policy_node *node);
/* On every node that does not lead. true: nothing else is to be done with its database. */
bool policy_rebuild_self(const struct policy_input *input, struct policy_output *output);
void policy_keep_asides(struct policy_tracker *tracker, const struct policy_input *input,
                        struct policy_output *output);

void policy_follow(struct policy_tracker *tracker, const struct policy_input *input,
                   struct policy_output *output);

#endif
