/* formation.h - how a group comes to be, once.
 *
 * Every member makes its identity at its first start (store_open), before it says a word. While no group is
 * formed, the configured node with the smallest name gathers the others' identities from their greetings.
 * Once *all* are connected, unformed and configured with the same names and arbiters (nodes_digest in Hello),
 * it stores the founding membership as a snapshot at index 0, is formed by that, and sends it to all (Form).
 * Each stores it before it counts as formed.
 *
 * Whoever crashes on the way: a formed member's greeting carries the membership, and an unformed one whose
 * own identity is in it takes it over, from whichever member it meets first. So the founding needs no second
 * attempt, and there are never two: a second coordinator would need all members unformed and agreeing with
 * its configuration, which names the same coordinator.
 *
 * A node with another identity than the membership has for its name lost its disk. It is refused, by both
 * sides: it may have voted in its earlier life and would not know. An operator lets it in as a new member
 * (change.c); it then learns of the group as an unformed one does. */
#ifndef MHA_REPLICA_FORMATION_H
#define MHA_REPLICA_FORMATION_H

#include "common/replica/internal.h"

/* What members must agree on: all names and which of them are arbiters, in any order. */
uint64_t formation_digest(const struct replica_node *nodes, unsigned count);
/* Restores the membership from the store, if it has one; forms a group of one. */
enum error_code formation_restore(struct replica *replica, struct error *err);
/* Something changed at a peer: forms the group if this node is to do it and all is there. */
void formation_try(struct replica *replica);
/* A formed peer showed its membership, or the coordinator sent Form: takes it over if it is for us and we are
 * unformed. */
void formation_learn(struct replica *replica, const char *from, const struct replica_membership *membership);
/* Does this membership have us, by name and identity? */
bool formation_includes_us(const struct replica *replica, const struct replica_membership *membership);
/* What is missing, for a person, into replica->forming. */
void formation_explain(struct replica *replica);

#endif
