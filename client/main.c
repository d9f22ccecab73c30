/* mhactl: one command that shows the state of a cluster and one that moves the primary; mhactl(1). */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl.h"

static void usage(FILE *out)
{
    fprintf(out, "usage: mhactl [-s SOCKET] [-o table|json] [--timeout MS] VERB [ARGUMENTS]\n\n");
    for (const struct ctl_verb *verb = ctl_verbs; verb->name; verb++) {
        int width = fprintf(out, "  %s %s", verb->name, verb->arguments);
        if (width >= 42)
            width = fprintf(out, "\n") - 1;
        fprintf(out, "%*s%s\n", 42 - width, "", verb->purpose);
    }
    fprintf(out,
            "\n"
            "  -s, --socket SOCKET      the control socket of the agent (or arbiter) to ask;\n"
            "                           default " MHA4RDB_SOCKET "\n"
            "  -o, --output table|json  how to print; default table\n"
            "      --timeout MS         how long to wait for the answer\n"
            "  -h, --help               this text\n"
            "  -V, --version            the version of mhactl alone\n\n"
            "Exit status: 0 done; 1 refused, or the cluster cannot serve writes, or a finding is fatal;\n"
            "2 wrong usage; 3 the agent cannot be reached. See mhactl(1).\n");
}

static const struct ctl_verb *find_verb(const char *name)
{
    for (const struct ctl_verb *verb = ctl_verbs; verb->name; verb++) {
        if (strcmp(verb->name, name) == 0)
            return verb;
    }
    return NULL;
}

/* The common options may stand before the verb (here) and behind it (ctl_read_options). */
static int read_common(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},  {"output", required_argument, NULL, 'o'},
        {"timeout", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},       {0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "+s:o:hV", options, NULL)) != -1) {
        switch (letter) {
        case 's':
            ctl->socket = optarg;
            break;
        case 'o':
            if (!ctl_read_output(ctl, optarg))
                return CTL_USAGE;
            break;
        case 't':
            if (!ctl_read_ms(ctl, "timeout", optarg, &ctl->timeout_ms))
                return CTL_USAGE;
            break;
        case 'h':
            usage(stdout);
            exit(CTL_OK);
        case 'V':
            printf("mhactl " MHA_VERSION "\n");
            exit(CTL_OK);
        default:
            fprintf(stderr, "`mhactl --help` shows the usage\n");
            return CTL_USAGE;
        }
    }
    return CTL_OK;
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.socket = MHA4RDB_SOCKET, .in = stdin, .out = stdout, .err = stderr};
    const struct ctl_verb *verb;
    enum ctl_exit result;

    ctl.terminal = isatty(STDIN_FILENO);
    ctl.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    if (read_common(&ctl, argc, argv) != CTL_OK)
        return CTL_USAGE;
    if (optind >= argc) {
        usage(stderr);
        return CTL_USAGE;
    }
    verb = find_verb(argv[optind]);
    if (!verb) {
        fprintf(stderr, "mhactl: there is no verb \"%s\"; `mhactl --help` lists them\n", argv[optind]);
        return CTL_USAGE;
    }
    if (optind + 1 < argc &&
        (strcmp(argv[optind + 1], "--help") == 0 || strcmp(argv[optind + 1], "-h") == 0)) {
        printf("usage: mhactl %s %s\n  %s\n", verb->name, verb->arguments, verb->purpose);
        return CTL_OK;
    }
    result = verb->run(&ctl, argc - optind, argv + optind);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "mhactl: the answer could not be written out\n");
        return CTL_REFUSED;
    }
    return (int)result;
}
