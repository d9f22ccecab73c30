#include "common/replica/program.h"

#include <assert.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/replica/verify.h"

#define OPTION_VERIFY_STORE 256
#define OWN_OPTIONS_MAX 8

static bool take_own(struct program *program, int option)
{
    for (unsigned i = 0; i < program->own_count; i++)
        if (program->own[i].letter == option) {
            program->own[i].value = optarg;
            return true;
        }
    return false;
}

bool program_read_options(struct program *program, int argc, char **argv, int *exit_status)
{
    static const struct option options[] = {{"verify-store", required_argument, NULL, OPTION_VERIFY_STORE},
                                            {0}};
    char letters[sizeof "c:tVh" + 2 * OWN_OPTIONS_MAX] = "c:tVh";
    int option;

    assert(program->own_count <= OWN_OPTIONS_MAX);
    for (unsigned i = 0; i < program->own_count; i++)
        snprintf(strchr(letters, '\0'), 3, "%c:", program->own[i].letter);
    *exit_status = 0;
    while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        switch (option) {
        case 'c':
            program->config_path = optarg;
            break;
        case 't':
            program->check_only = true;
            break;
        case OPTION_VERIFY_STORE:
            *exit_status = (int)replica_verify_store(optarg, stdout, stderr);
            return false;
        case 'V':
            printf("%s %s\n", program->name, MHA_VERSION);
            return false;
        case 'h':
            fputs(program->usage, stdout);
            return false;
        default:
            if (take_own(program, option))
                break;
            fputs(program->usage, stderr);
            *exit_status = PROGRAM_EXIT_USAGE;
            return false;
        }
    }
    if (optind == argc)
        return true;
    fputs(program->usage, stderr);
    *exit_status = PROGRAM_EXIT_USAGE;
    return false;
}

bool program_watch_signals(struct program_signals *signals, struct event_base *base, event_callback_fn stop,
                           void *context)
{
    static const int numbers[] = {SIGTERM, SIGINT};

    for (unsigned i = 0; i < 2; i++) {
        signals->events[i] = evsignal_new(base, numbers[i], stop, context);
        if (!signals->events[i] || event_add(signals->events[i], NULL) != 0)
            return false;
    }
    return true;
}

void program_forget_signals(struct program_signals *signals)
{
    for (unsigned i = 0; i < 2; i++)
        if (signals->events[i])
            event_free(signals->events[i]);
    *signals = (struct program_signals){0};
}
