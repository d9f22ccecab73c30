/* main.c - mha4rdb-agent: options, configuration, signals, the loop. */
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/api/api.h"
#include "common/base/notify.h"
#include "common/replica/verify.h"

#define EXIT_USAGE 2
#define OPTION_VERIFY_STORE 256

static void usage(FILE *stream)
{
    fputs("usage: mha4rdb-agent [-c FILE] [-w DBWORKER] [-r REBUILD] [-t] [-V] [-h]\n"
          "       mha4rdb-agent --verify-store DIR\n"
          "  -c FILE      configuration (default /etc/mha4rdb/agent.conf)\n"
          "  -w DBWORKER  path of mha4rdb-dbworker (default: beside this program)\n"
          "  -r REBUILD   path of mha4rdb-rebuild (default: beside this program)\n"
          "  -t           check the configuration and exit\n"
          "  --verify-store DIR\n"
          "               tell what an agent's data_dir holds, without changing anything,\n"
          "               and exit: 0 sound, 1 damaged, 2 not checked; it must be stopped\n"
          "  -V           print the version and exit\n"
          "  -h           this text\n",
          stream);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    (void)number;
    (void)what;
    agent_stop(context);
}

static const char *beside_this_program(const char *name, char path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - NAME_MAX - 1);

    if (length < 0)
        return name;
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, name);
    return path;
}

static int run(const struct agent_settings *settings, const char *config_path, const char *dbworker,
               const char *rebuild)
{
    static struct agent agent;
    struct event_base *base = event_base_new();
    struct event *signals[2] = {0};
    struct api *api = NULL;
    struct error err;
    int status = 1;

    if (!base) {
        log_error("no event loop can be made");
        return 1;
    }
    signals[0] = evsignal_new(base, SIGTERM, on_signal, &agent);
    signals[1] = evsignal_new(base, SIGINT, on_signal, &agent);
    if (agent_start(&agent, base, settings, config_path, dbworker, rebuild, &err) != ERR_OK ||
        api_start(&agent, &api, &err) != ERR_OK) {
        log_error("%s", err.text);
    } else {
        event_add(signals[0], NULL);
        event_add(signals[1], NULL);
        log_notice("version %s, node %s of cluster %s", MHA_VERSION, settings->group.node,
                   settings->group.cluster);
        notify_manager("READY=1");
        event_base_dispatch(base);
        status = agent.exit_status;
    }
    api_free(api);
    agent_free(&agent);
    event_free(signals[0]);
    event_free(signals[1]);
    event_base_free(base);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"verify-store", required_argument, NULL, OPTION_VERIFY_STORE},
                                            {0}};
    static struct agent_settings settings;
    const char *config_path = "/etc/mha4rdb/agent.conf";
    static char dbworker_path[PATH_MAX], rebuild_path[PATH_MAX];
    const char *dbworker = NULL, *rebuild = NULL;
    bool check_only = false;
    struct error err;
    int option;

    while ((option = getopt_long(argc, argv, "c:w:r:tVh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config_path = optarg;
            break;
        case 'w':
            dbworker = optarg;
            break;
        case 'r':
            rebuild = optarg;
            break;
        case 't':
            check_only = true;
            break;
        case OPTION_VERIFY_STORE:
            return (int)replica_verify_store(optarg, stdout, stderr);
        case 'V':
            puts("mha4rdb-agent " MHA_VERSION);
            return 0;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (optind != argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    log_open("mha4rdb-agent", LOG_LEVEL_INFO);
    if (agent_settings_read(config_path, &settings, &err) != ERR_OK) {
        log_error("%s", err.text);
        return EXIT_USAGE;
    }
    if (check_only)
        return 0;
    log_set_level(settings.log_level);
    signal(SIGPIPE, SIG_IGN);
    return run(&settings, config_path,
               dbworker ? dbworker : beside_this_program("mha4rdb-dbworker", dbworker_path),
               rebuild ? rebuild : beside_this_program("mha4rdb-rebuild", rebuild_path));
}
