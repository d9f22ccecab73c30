/* policy_story_expect.h - between policy_story.c and policy_story_expect.c. */
#ifndef MHA_SIM_POLICY_STORY_EXPECT_H
#define MHA_SIM_POLICY_STORY_EXPECT_H

#include "tests/sim/cluster.h"
#include "tests/sim/story_expect.h"

struct policy_story {
    struct story base; /* its world is the cluster's */
    struct cluster *cluster;
};

bool policy_story_host(struct policy_story *story, const char *name, unsigned *host);
/* The command `expect`. */
bool policy_story_expect(struct policy_story *story, unsigned count, char **words);

#endif
