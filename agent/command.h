/* command.h - one command of the configuration (start the database server, ...) as a supervised child.
 *
 * Runs `sh -c COMMAND` in a session of its own with an empty standard input. At its deadline the whole
 * session's process group is killed. Watched through a pidfd: the owner must not wait for "any child". */
#ifndef MHA_AGENT_COMMAND_H
#define MHA_AGENT_COMMAND_H

#include <event2/event.h>
#include <stdint.h>

#include "common/base/error.h"

struct command;

/* `error` is NULL after exit status 0; otherwise what happened. The command is freed after it returns. */
typedef void (*command_done)(void *context, const char *error);

enum error_code command_run(struct event_base *base, const char *line, uint64_t timeout_us, command_done done,
                            void *context, struct command **out, struct error *err);
/* Leaves the child to itself: a start that is under way is not undone by the agent's end. No callback. */
void command_free(struct command *command);

#endif
