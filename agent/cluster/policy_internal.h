/* policy_internal.h - what the files of the policy share. */
#ifndef MHA_CLUSTER_POLICY_INTERNAL_H
#define MHA_CLUSTER_POLICY_INTERNAL_H

#include "agent/cluster/policy.h"

/* ---- policy.c: looking things up ---- */

const struct policy_node *policy_find_node(const struct policy_input *input, uint64_t id); /* NULL: unknown */
const char *policy_node_name(const struct policy_input *input, uint64_t id);
/* The database of a node as last reported within E, or NULL. */
const Mha__DbObservation *policy_fresh_db(const struct policy_input *input, const struct policy_node *node);
/* Two positions in text; an unreadable one is contained by nothing and contains nothing. */
bool policy_holds(const char *position, const char *part);
void policy_wait(struct policy_output *output, const char *format, ...) __attribute__((format(printf, 2, 3)));
void policy_again(struct policy_output *output, uint64_t at_us);
/* Emits an operation on the database unless one runs, or the same one failed a moment ago. */
void policy_db_op(const struct policy_input *input, struct policy_output *output, enum policy_db_op op);
bool policy_serving_here(
    const struct policy_input *input);          /* this node is the committed primary of this very term */
bool policy_dead(const Mha__DbObservation *db); /* its process is known to be gone */
/* A pause is in force, and this node holds it. */
bool policy_paused_here(const struct policy_input *input);
bool policy_closed(const Mha__DbObservation *db); /* dead, or read-only without clients' sessions */

/* ---- promotion.c ---- */

/* May `node` be promoted, as far as its own report tells? `why` gets a sentence when not. */
bool policy_promotable(const struct policy_input *input, const struct policy_node *node, char *why,
                       size_t why_size);
/* The best other node to hand the leadership to; NULL: none. */
const struct policy_node *policy_best_other(const struct policy_input *input);
/* This leader may promote itself now: frozen positions of enough members, none ahead. `why` when not. */
bool policy_positions_heard(const struct policy_input *input, char *why, size_t why_size);
/* The sync set with which this node is to be promoted. */
void policy_sync_after_promotion(const struct policy_input *input, struct sync_set *out);

/* ---- lead.c, sync_set.c, requests.c, follow.c ---- */

void policy_lead(struct policy_tracker *tracker, const struct policy_input *input,
                 struct policy_output *output);
void policy_keep_sync_set(struct policy_tracker *tracker, const struct policy_input *input,
                          struct policy_output *output);
/* Of a primary that cannot be opened: takes a replica that has all of it into the sync set, so that it can be
 * promoted instead. true: proposed. */
bool policy_join_closed(const struct policy_input *input, struct policy_output *output);
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
void policy_follow(const struct policy_input *input, struct policy_output *output);
/* Stop receiving what earlier terms' primaries send; true: done in this term. */
bool policy_freeze(const struct policy_input *input, struct policy_output *output);

#endif
