/* story_expect.h - between story.c, story_expect.c and story_trace.c. */
#ifndef MHA_SIM_STORY_EXPECT_H
#define MHA_SIM_STORY_EXPECT_H

#include "tests/sim/story_base.h"

/* The command `expect`. */
bool story_expect(struct story *story, unsigned count, char **words);

/* What a reader sees of a Raft group: who asks for votes, gives one, leads; what is written and committed;
 * leases; lives. */
struct story_watch;
struct story_watch *story_watch_new(void);
void story_watch_free(struct story_watch *watch);
void story_watch_look(struct story_watch *watch, struct story *story);

#endif
