#include "tests/sim/story_base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool story_fail(struct story *story, const char *format, ...)
{
    int length = snprintf(story->problem, story->problem_bytes, "%s:%u (%.3f s): ", story->path, story->line,
                          story->world == NULL ? 0 : (double)(story->world->now_us - story->begun_us) / 1e6);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(story->problem + length, story->problem_bytes - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

void story_tell(struct story *story, const char *who, const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    story_file_tell(story->file, story->world->now_us - story->begun_us, who, "%s", text);
}

bool story_time(const char *text, uint64_t *us)
{
    char *end;
    double value = strtod(text, &end);
    double unit = strcmp(end, "s") == 0 ? 1e6 : strcmp(end, "ms") == 0 ? 1e3 : strcmp(end, "us") == 0 ? 1 : 0;
    *us = (uint64_t)(value * unit + 0.5);
    return end != text && unit != 0 && value >= 0;
}

bool story_node(struct story *story, const char *name, unsigned *node)
{
    for (*node = 0; *node < story->world->node_count; (*node)++) {
        if (strcmp(story->world->nodes[*node].name, name) == 0)
            return true;
    }
    return story_fail(story, "'%s' is not a node", name);
}

bool story_kind(struct story *story, const char *name, enum raft_message_kind *kind)
{
    for (unsigned i = RAFT_PREVOTE; i < RAFT_MESSAGE_KINDS; i++) {
        *kind = (enum raft_message_kind)i;
        if (strcmp(world_message_name(*kind), name) == 0)
            return true;
    }
    return story_fail(story, "'%s' is not a kind of message", name);
}

bool story_step(struct story *story, uint64_t until_us)
{
    bool more = world_step(story->world, until_us);
    story->look(story);
    return more;
}

/* ---- lines ---- */

static bool advance(struct story *story, const char *text)
{
    uint64_t us;
    bool relative = text[0] == '+';
    if (!story_time(text + relative, &us))
        return story_fail(story, "'%s' is not a time", text);
    if (story->world == NULL)
        return true;
    uint64_t until_us = us + (relative ? story->world->now_us : story->begun_us);
    if (until_us < story->world->now_us)
        return story_fail(story, "it is %.3f s already",
                          (double)(story->world->now_us - story->begun_us) / 1e6);
    while (story_step(story, until_us))
        ;
    return story->world->violation[0] == '\0' || story_fail(story, "%s", story->world->violation);
}

static bool run_words(struct story *story, unsigned count, char **words,
                      bool (*command)(struct story *story, unsigned count, char **words))
{
    if (count > 0 && (words[0][0] == '+' || (words[0][0] >= '0' && words[0][0] <= '9'))) {
        if (!advance(story, words[0]))
            return false;
        count--;
        words++;
    }
    if (count == 0)
        return true;
    if (story->world == NULL && strcmp(words[0], "cluster") != 0)
        return story_fail(story, "a story begins with its cluster");
    if (!command(story, count, words))
        return story->problem[0] != '\0' ? false : story_fail(story, "wrong words for '%s'", words[0]);
    story->look(story);
    return story->world->violation[0] == '\0' || story_fail(story, "%s", story->world->violation);
}

static bool run_line(struct story *story, char *line,
                     bool (*command)(struct story *story, unsigned count, char **words))
{
    char *words[STORY_WORDS_MAX], *rest = NULL;
    unsigned count = 0;
    line[strcspn(line, "#")] = '\0';
    for (char *word = strtok_r(line, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
        if (count == STORY_WORDS_MAX)
            return story_fail(story, "too many words");
        words[count++] = word;
    }
    return run_words(story, count, words, command);
}

static void add_last_lines(struct story *story)
{
    size_t used = strlen(story->problem);
    if (used < story->problem_bytes)
        story_file_last(story->file, story->problem + used, story->problem_bytes - used);
}

bool story_run_file(struct story *story, bool (*command)(struct story *story, unsigned count, char **words))
{
    bool good = true;
    story->problem[0] = '\0';
    story->file = story_file_open(story->path, story->digits);
    if (story->file == NULL)
        return story_fail(story, "cannot be opened");
    for (char *line; good && (line = story_file_next(story->file, &story->line)) != NULL;)
        good = run_line(story, line, command);
    if (good && story->world == NULL)
        good = story_fail(story, "an empty story");
    else if (good)
        good = story_file_agrees(story->file, story->problem, story->problem_bytes);
    else
        add_last_lines(story);
    story_file_close(story->file);
    return good;
}
