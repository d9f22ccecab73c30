/* donate.h - the donor of a MariaDB copy: rebuild.donate's stream for one recipient with the token. */
#ifndef MHA_REBUILD_DONATE_H
#define MHA_REBUILD_DONATE_H

#include "agent/rebuild/job.h"

/* Listens on rebuild.port of this node's own address, says the offer, and serves whoever knows the token;
 * others are refused, and waited on. ERR_TIMEOUT: nobody came. */
enum error_code donate_run(struct job *job, struct error *err);

#endif
