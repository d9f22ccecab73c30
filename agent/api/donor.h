/* donor.h - two agents about one rebuild: the one that is rebuilt asks its donor to make a backup stream
 * ready (DonateRequest), the donor answers where to connect. MariaDB only: MySQL clones by itself. */
#ifndef MHA_API_DONOR_H
#define MHA_API_DONOR_H

#include "agent/api/asker.h"
#include "agent/api/forward.h"

struct donor;

/* NULL: no memory. */
struct donor *donor_new(struct agent *agent, struct forwards *forwards);
void donor_free(struct donor *donor); /* before the agent's rebuild_child */

/* The own database wants one: for agent->ask_donor. */
void donor_ask(struct donor *donor, const char *name, unsigned rate_mb);
/* Another agent wants this one; it is answered, sooner or later. */
void donor_answer(struct donor *donor, const struct asker *asker, const Mha__DonateRequest *asked);

#endif
