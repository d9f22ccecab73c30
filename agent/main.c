/* main.c - mha4rdb-agent: options, configuration, signals, the loop. */
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "agent/api/api.h"
#include "common/base/notify.h"
#include "common/replica/program.h"

enum own_option { OWN_DBWORKER, OWN_REBUILD };

static const char usage[] = "usage: mha4rdb-agent [-c FILE] [-w DBWORKER] [-r REBUILD] [-t] [-V] [-h]\n"
                            "       mha4rdb-agent --verify-store DIR\n"
                            "  -c FILE      configuration (default /etc/mha4rdb/agent.conf)\n"
                            "  -w DBWORKER  path of mha4rdb-dbworker (default: beside this program)\n"
                            "  -r REBUILD   path of mha4rdb-rebuild (default: beside this program)\n"
                            "  -t           check the configuration and exit\n"
                            "  --verify-store DIR\n"
                            "               tell what an agent's data_dir holds, without changing anything,\n"
                            "               and exit: 0 sound, 1 damaged, 2 not checked; it must be stopped\n"
                            "  -V           print the version and exit\n"
                            "  -h           this text\n";

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
    struct program_signals signals = {0};
    struct api *api = NULL;
    struct error err;
    int status = PROGRAM_EXIT_FATAL;

    if (!base) {
        log_error("no event loop can be made");
        return PROGRAM_EXIT_FATAL;
    }
    if (agent_start(&agent, base, settings, config_path, dbworker, rebuild, &err) != ERR_OK ||
        api_start(&agent, &api, &err) != ERR_OK) {
        log_error("%s", err.text);
    } else if (!program_watch_signals(&signals, base, on_signal, &agent)) {
        log_error("no memory to watch for signals");
    } else {
        log_notice("version %s, node %s of cluster %s", MHA_VERSION, settings->group.node,
                   settings->group.cluster);
        notify_manager("READY=1");
        event_base_dispatch(base);
        status = agent.exit_status;
    }
    api_free(api);
    agent_free(&agent);
    program_forget_signals(&signals);
    event_base_free(base);
    return status;
}

int main(int argc, char **argv)
{
    static struct agent_settings settings;
    static char dbworker_path[PATH_MAX], rebuild_path[PATH_MAX];
    struct program_option own[] = {[OWN_DBWORKER] = {.letter = 'w'}, [OWN_REBUILD] = {.letter = 'r'}};
    struct program program = {.name = "mha4rdb-agent",
                              .usage = usage,
                              .config_path = "/etc/mha4rdb/agent.conf",
                              .own = own,
                              .own_count = sizeof own / sizeof own[0]};
    const char *dbworker, *rebuild;
    struct error err;
    int exit_status;

    if (!program_read_options(&program, argc, argv, &exit_status))
        return exit_status;
    log_open(program.name, LOG_LEVEL_INFO);
    if (agent_settings_read(program.config_path, &settings, &err) != ERR_OK) {
        log_error("%s", err.text);
        return PROGRAM_EXIT_USAGE;
    }
    if (program.check_only)
        return 0;
    log_set_level(settings.log_level);
    signal(SIGPIPE, SIG_IGN);
    dbworker = own[OWN_DBWORKER].value;
    rebuild = own[OWN_REBUILD].value;
    return run(&settings, program.config_path,
               dbworker ? dbworker : beside_this_program("mha4rdb-dbworker", dbworker_path),
               rebuild ? rebuild : beside_this_program("mha4rdb-rebuild", rebuild_path));
}
