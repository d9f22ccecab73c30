/* story_base.h - what stories of Raft groups (story.c) and of whole clusters (policy_story.c) share: lines,
 * times, names, failures, and that every step of the world is looked at for the trace. */
#ifndef MHA_SIM_STORY_BASE_H
#define MHA_SIM_STORY_BASE_H

#include "tests/sim/story_file.h"
#include "tests/sim/world.h"

#define STORY_WORDS_MAX 24
#define STORY_PROBLEM_BYTES 8192

struct story {
    const char *path;
    unsigned line;
    struct story_file *file;
    int digits;          /* of the seconds in the trace */
    struct world *world; /* NULL: not yet */
    uint64_t begun_us;
    uint64_t marked_term, marked_reads;
    uint64_t marked_sent[WORLD_NODES_MAX][RAFT_MESSAGE_KINDS];
    char *problem;
    size_t problem_bytes;
    /* Tells what has changed since it looked last. */
    void (*look)(struct story *story);
};

/* Writes the problem, with file, line and time; always false. */
bool story_fail(struct story *story, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For the trace: now. */
void story_tell(struct story *story, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool story_time(const char *text, uint64_t *us);
bool story_node(struct story *story, const char *name, unsigned *node);
bool story_kind(struct story *story, const char *name, enum raft_message_kind *kind);

/* world_step, looked at. */
bool story_step(struct story *story, uint64_t until_us);

/* Runs each line of the file: the time, if any, then `command` with the words; compares the trace. */
bool story_run_file(struct story *story, bool (*command)(struct story *story, unsigned count, char **words));

#endif
