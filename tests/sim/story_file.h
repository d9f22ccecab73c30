/* story_file.h - the text of a story: commands, and under each the trace that it brings about.
 *
 *   3s      expect leader A            a command (story.h, policy_story.h); `#` begins a comment
 *           | 1.403 A leads term 1     what happened until that command was done: seconds since the
 * beginning, | 1.405 X votes for A      who, what. The test compares these lines exactly.
 *
 * The trace lines are not written by hand. With REWRITE in the environment (`make stories-rewrite`) each
 * story whose expectations hold gets the trace of now, in place; nothing else in it changes. After an
 * intended change of behaviour: rewrite, then read `git diff tests/sim`: does each story still tell what its
 * title says?
 *
 * A story whose expectations fail is never rewritten. */
#ifndef MHA_SIM_STORY_FILE_H
#define MHA_SIM_STORY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct story_file;

/* Times in the trace have so many digits after the point: 3, or fewer where they would change with every
 * small thing elsewhere. NULL: it cannot be read. */
struct story_file *story_file_open(const char *path, int digits);
void story_file_close(struct story_file *file);

/* The next line that is no trace, for the caller to take apart; NULL: the end. */
char *story_file_next(struct story_file *file, unsigned *line_number);

/* Something happened, under the line that was given out last. */
void story_file_tell(struct story_file *file, uint64_t us, const char *who, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The newest lines told, for the message of a story that fails. */
void story_file_last(const struct story_file *file, char *text, size_t size);

/* At the end of a story that went well. true: what was told is what the file says, or now says (REWRITE).
 * false: `problem` shows the difference: `-` the file, `+` what happened. */
bool story_file_agrees(struct story_file *file, char *problem, size_t size);

#endif
