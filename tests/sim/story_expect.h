/* story_expect.h - between story.c and story_expect.c: the story as it runs, and what it expects. */
#ifndef MHA_SIM_STORY_EXPECT_H
#define MHA_SIM_STORY_EXPECT_H

#include "tests/sim/world.h"

#define STORY_WORDS_MAX 16

struct story {
    const char *path;
    unsigned line;
    struct world *world;
    uint64_t begun_us;
    uint64_t marked_term;
    uint64_t marked_sent[WORLD_NODES_MAX][RAFT_MESSAGE_KINDS];
    char *problem;
    size_t problem_bytes;
};

/* Writes the problem, with file, line and time; always false. */
bool story_fail(struct story *story, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool story_time(const char *text, uint64_t *us);
bool story_node(struct story *story, const char *name, unsigned *node);
bool story_kind(struct story *story, const char *name, enum raft_message_kind *kind);

/* The command `expect`. */
bool story_expect(struct story *story, unsigned count, char **words);

#endif
