/* clients.h - who writes to a simulated cluster and reads from it, and remembers.
 *
 * One kind of client knows the address and uses whichever host answers there; another, hostile one knows
 * every server and cares for no address. Whoever reads remembers the newest that it read, and holds the
 * cluster to it (I4): within one session a read never goes back, and nothing is read that may vanish later.
 * Across sessions it never goes back on a server whose node has a live lease; one that has lost its lease may
 * show what is old for as long as its own fence takes, and nothing is promised to those who do not use the
 * address. */
#ifndef MHA_SIM_CLIENTS_H
#define MHA_SIM_CLIENTS_H

#include "tests/sim/cluster.h"

struct client {
    bool reads_by_address;
    unsigned host; /* of its session */
    uint64_t incarnation, opening;
    unsigned seen;       /* rows of that server's log, in this session */
    uint64_t newest_uid; /* the newest row that it ever read or was told; 0: none */
};

#define CLIENTS_MAX 2

/* From now on, at the pace of the cluster's config, until cluster->quiet. */
void clients_start(struct cluster *cluster);

#endif
