/* program.h - what the mains of the agent and of the arbiter share: the command line, and how it ends.
 *
 * Both take -c FILE, -t, -V, -h and --verify-store DIR (verify.h), and stop in order at SIGTERM and SIGINT.
 */
#ifndef MHA_REPLICA_PROGRAM_H
#define MHA_REPLICA_PROGRAM_H

#include <event2/event.h>
#include <stdbool.h>

#define PROGRAM_EXIT_FATAL 1
#define PROGRAM_EXIT_USAGE 2 /* a command line or a configuration that cannot be used */

/* An option of this program alone, which takes a value. */
struct program_option {
    char letter;
    const char *value; /* NULL: not given */
};

struct program {
    const char *name;
    const char *usage;
    const char *config_path; /* the default, then what is to be read */
    bool check_only;         /* -t */
    struct program_option *own;
    unsigned own_count;
};

/* false: all is done, or wrong and said so; the program ends with `exit_status`. */
bool program_read_options(struct program *program, int argc, char **argv, int *exit_status);

struct program_signals {
    struct event *events[2];
};

/* SIGTERM and SIGINT call `stop` from the loop. false: no memory. */
bool program_watch_signals(struct program_signals *signals, struct event_base *base, event_callback_fn stop,
                           void *context);
/* Before the loop is freed. One that is all zero watches nothing. */
void program_forget_signals(struct program_signals *signals);

#endif
