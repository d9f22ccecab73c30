/* story_expect.h - between story.c, story_group.c, story_expect.c and story_trace.c. */
#ifndef MHA_SIM_STORY_EXPECT_H
#define MHA_SIM_STORY_EXPECT_H

#include "tests/sim/story_base.h"

/* The command `expect`. */
bool story_expect(struct story *story, unsigned count, char **words);

/* ---- commands of story_group.c: members, snapshots, reads, disks ---- */
bool story_add(struct story *story, unsigned count, char **words);
bool story_promote(struct story *story, unsigned count, char **words);
bool story_remove(struct story *story, unsigned count, char **words);
bool story_wipe(struct story *story, unsigned count, char **words);
bool story_compact(struct story *story, unsigned count, char **words);
bool story_read(struct story *story, unsigned count, char **words);
bool story_disk(struct story *story, unsigned count, char **words);
/* `words` from `at` on: nothing, or "refused REASON". */
bool story_outcome(struct story *story, enum raft_code code, unsigned count, char **words, unsigned at);
bool story_is_up(struct story *story, const char *name, unsigned *node);

/* What a reader sees of a Raft group: who asks for votes, gives one, leads; what is written and committed;
 * leases; lives. */
struct story_watch;
struct story_watch *story_watch_new(void);
void story_watch_free(struct story_watch *watch);
void story_watch_look(struct story_watch *watch, struct story *story);

#endif
