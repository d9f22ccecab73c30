/* trouble.h - which trouble of a database counts, as a value: something that comes and goes with every look
 * is neither reported nor logged each time. Pure: no clock, no I/O.
 *
 * A kind of trouble counts once every look has shown it for as long as its kind asks for (a source that
 * restarts, a lock that is held for a moment are none), and is over once no look has shown it for
 * TROUBLE_OVER_US. */
#ifndef MHA_DB_WORKER_TROUBLE_H
#define MHA_DB_WORKER_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/db/worker/adapter.h"
#include "dbworker.pb-c.h"

#define TROUBLE_OVER_US 1000000

struct trouble {
    Mha__DbTrouble kind; /* what counts */
    char text[VIEW_TEXT_BYTES];
    uint64_t since_us; /* it counts since then */
    uint64_t seen_us;  /* shown last */
    Mha__DbTrouble candidate;
    uint64_t candidate_us; /* shown by every look since then */
};

enum trouble_change { TROUBLE_SAME, TROUBLE_BEGINS, TROUBLE_ENDS };

/* What a look at `now_us` has shown: MHA__DB_TROUBLE__DB_TROUBLE_NONE for nothing. The newest words of what
 * counts are kept. TROUBLE_BEGINS: it, or another kind than before, counts from now on. */
enum trouble_change trouble_look(struct trouble *trouble, uint64_t now_us, Mha__DbTrouble kind,
                                 const char *text);
void trouble_forget(struct trouble *trouble);

#endif
