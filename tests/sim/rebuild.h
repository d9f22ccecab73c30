/* rebuild.h - the model of mha4rdb-rebuild (agent/rebuild_child.h): a child of the agent that waits for the
 * dbworker's lock, saves what the server has alone, takes everything from a donor, and starts the server. It
 * ends with its agent, or when it is cancelled; what it has destroyed by then stays so, and the disk tells.
 */
#ifndef MHA_SIM_REBUILD_H
#define MHA_SIM_REBUILD_H

#include "tests/sim/cluster.h"

void rebuild_start(struct cluster *cluster, unsigned host, unsigned donor);
void rebuild_cancel(struct cluster *cluster, unsigned host);
/* Its host lost power, or its agent is gone: nobody is told. */
void rebuild_gone(struct cluster *cluster, unsigned host);

#endif
