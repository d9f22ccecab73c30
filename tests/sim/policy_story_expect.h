/* policy_story_expect.h - between policy_story.c, policy_story_expect.c and policy_story_trace.c. */
#ifndef MHA_SIM_POLICY_STORY_EXPECT_H
#define MHA_SIM_POLICY_STORY_EXPECT_H

#include "tests/sim/cluster.h"
#include "tests/sim/story_expect.h"

struct policy_watch;

struct policy_story {
    struct story base; /* its world is the cluster's */
    struct cluster *cluster;
    struct policy_watch *watch;
};

bool policy_story_host(struct policy_story *story, const char *name, unsigned *host);
/* The command `expect`. */
bool policy_story_expect(struct policy_story *story, unsigned count, char **words);

/* What a reader sees of a cluster: who leads, serves, is started, opened, closed, follows, has the address;
 * what is committed about primary, sync set and requests. */
struct policy_watch *policy_watch_new(void);
void policy_watch_free(struct policy_watch *watch);
void policy_watch_look(struct policy_watch *watch, struct policy_story *story);

#endif
