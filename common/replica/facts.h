/* facts.h - what the agent and the arbiter alike tell of themselves, for `mhactl check`. */
#ifndef MHA_REPLICA_FACTS_H
#define MHA_REPLICA_FACTS_H

#include "common/replica/replica.h"
#include "control.pb-c.h"

/* What the lists of a told CheckFacts point to; the names and reasons stay the replica's. */
struct replica_facts {
    Mha__PeerTrouble peers[REPLICA_TOLD_MAX], *pointers[REPLICA_TOLD_MAX];
};

/* This program's version and what its wall clock shows, and the members that it has no connection to. */
void replica_tell_facts(const struct replica *replica, struct replica_facts *storage, Mha__CheckFacts *out);

#endif
