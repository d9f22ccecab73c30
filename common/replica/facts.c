#include "common/replica/facts.h"

#include "common/base/clock.h"

void replica_tell_facts(const struct replica *replica, struct replica_facts *storage, Mha__CheckFacts *out)
{
    out->program_version = (char *)MHA_VERSION;
    out->wall_clock_us = clock_wall_us();
    out->peers = storage->pointers;
    out->n_peers = 0;
    for (unsigned i = 0; i < replica_member_count(replica); i++) {
        Mha__PeerTrouble *peer = &storage->peers[out->n_peers];
        struct replica_member member;
        replica_member(replica, i, &member);
        if (member.self || member.connected)
            continue;
        mha__peer_trouble__init(peer);
        peer->name = (char *)member.name;
        peer->trouble = (char *)member.trouble;
        storage->pointers[out->n_peers++] = peer;
    }
}
