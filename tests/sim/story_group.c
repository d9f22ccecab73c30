#include <stdlib.h>
#include <string.h>

#include "tests/sim/story_expect.h"

/* ---- members: NODE at LEADER [refused REASON] ---- */

static bool change(struct story *story, unsigned count, char **words, enum world_change change)
{
    unsigned node, leader;
    if (strcmp(words[1], "at") != 0)
        return false;
    if (!story_node(story, words[0], &node) || !story_is_up(story, words[2], &leader))
        return false;
    enum raft_code code = world_change_members(story->world, leader, change, story->world->nodes[node].id);
    return story_outcome(story, code, count, words, 3);
}

bool story_add(struct story *story, unsigned count, char **words)
{
    return change(story, count, words, WORLD_ADD_LEARNER);
}

bool story_promote(struct story *story, unsigned count, char **words)
{
    return change(story, count, words, WORLD_MAKE_VOTER);
}

bool story_remove(struct story *story, unsigned count, char **words)
{
    return change(story, count, words, WORLD_REMOVE_MEMBER);
}

bool story_wipe(struct story *story, unsigned count, char **words)
{
    unsigned node;
    if (count != 1 || !story_node(story, words[0], &node))
        return false;
    if (story->world->nodes[node].up)
        return story_fail(story, "%s runs", words[0]);
    world_wipe(story->world, node);
    return true;
}

/* ---- snapshots and reads ---- */

bool story_compact(struct story *story, unsigned count, char **words)
{
    unsigned node;
    if (count != 1 || !story_is_up(story, words[0], &node))
        return false;
    world_compact(story->world, node);
    return true;
}

bool story_read(struct story *story, unsigned count, char **words)
{
    unsigned node;
    if (!story_is_up(story, words[0], &node))
        return false;
    return story_outcome(story, world_read(story->world, node), count, words, 1);
}

/* ---- disks ---- */

static const struct {
    const char *name;
    enum world_disk_fault fault;
    bool has_amount;
} faults[] = {
    {"full", WORLD_DISK_FULL, true},
    {"write-error", WORLD_DISK_WRITE_ERROR, false},
    {"sync-error", WORLD_DISK_SYNC_ERROR, false},
    {"rots", WORLD_DISK_ROT, true},
    {"power-fails-after", WORLD_DISK_POWER, true},
    {"well", WORLD_DISK_WELL, false},
};

bool story_disk(struct story *story, unsigned count, char **words)
{
    unsigned node;
    uint64_t us;
    if (!story_node(story, words[0], &node))
        return false;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strcmp(words[1], faults[i].name) != 0)
            continue;
        if (count != (faults[i].has_amount ? 3 : 2))
            return false;
        uint64_t amount = faults[i].has_amount ? strtoull(words[2], NULL, 10) : 0;
        return world_disk_fault(story->world, node, faults[i].fault, amount) ||
               story_fail(story, "there is nothing to flip");
    }
    if (count != 2)
        return false;
    if (strcmp(words[1], "hangs") == 0 || strcmp(words[1], "works") == 0)
        world_hang_disk(story->world, node, words[1][0] == 'h');
    else if (story_time(words[1], &us))
        story->world->nodes[node].disk.min_us = story->world->nodes[node].disk.max_us = us;
    else
        return story_fail(story, "'%s' is not a time", words[1]);
    return true;
}
