/* main.c - mha4rdb-arbiter: options, configuration, signals, the loop. */
#include <sys/resource.h>

#include "arbiter/arbiter.h"
#include "arbiter/memory.h"
#include "common/base/notify.h"
#include "common/replica/program.h"

#define SETTLED_S 10 /* by then the members are connected, or a few page faults more do not matter */

static const char usage[] =
    "usage: mha4rdb-arbiter [-c FILE] [-t] [-V] [-h]\n"
    "       mha4rdb-arbiter --verify-store DIR\n"
    "  -c FILE      configuration (default /etc/mha4rdb/arbiter.conf)\n"
    "  -t           check the configuration and exit\n"
    "  --verify-store DIR\n"
    "               tell what the directory of one cluster (data_dir/CLUSTER) holds,\n"
    "               without changing anything, and exit: 0 sound, 1 damaged,\n"
    "               2 not checked; its member must be stopped\n"
    "  -V           print the version and exit\n"
    "  -h           this text\n";

static void on_signal(evutil_socket_t number, short what, void *context)
{
    (void)number;
    (void)what;
    event_base_loopbreak(context);
}

static void on_settled(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    memory_release_startup();
}

/* Each cluster takes some descriptors, and the soft limit is made for select(2). */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static struct event_base *make_loop(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config && event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
        base = event_base_new_with_config(config);
    if (config)
        event_config_free(config);
    return base;
}

static int serve(struct event_base *base, const struct arbiter_settings *settings)
{
    static const struct timeval settled = {.tv_sec = SETTLED_S};
    struct arbiter arbiter;
    struct error err;
    bool failed;

    if (arbiter_open(&arbiter, base, settings, &err) != ERR_OK) {
        log_error("%s", err.text);
        return PROGRAM_EXIT_FATAL;
    }
    log_notice("version %s, votes for %u cluster%s on %s", MHA_VERSION, settings->cluster_count,
               settings->cluster_count == 1 ? "" : "s", settings->listen);
    notify_manager("READY=1");
    event_base_once(base, -1, EV_TIMEOUT, on_settled, NULL, &settled);
    event_base_dispatch(base);
    failed = arbiter.failed;
    arbiter_close(&arbiter);
    return failed ? PROGRAM_EXIT_FATAL : 0;
}

static int run(const struct arbiter_settings *settings)
{
    struct event_base *base = make_loop();
    struct program_signals signals = {0};
    int status = PROGRAM_EXIT_FATAL;

    if (!base) {
        log_error("no event loop can be made");
        return PROGRAM_EXIT_FATAL;
    }
    raise_descriptor_limit();
    if (!program_watch_signals(&signals, base, on_signal, base))
        log_error("no memory to watch for signals");
    else
        status = serve(base, settings);
    program_forget_signals(&signals);
    event_base_free(base);
    return status;
}

int main(int argc, char **argv)
{
    struct program program = {
        .name = "mha4rdb-arbiter", .usage = usage, .config_path = "/etc/mha4rdb/arbiter.conf"};
    struct arbiter_settings settings;
    struct error err;
    int status = 0;

    if (!program_read_options(&program, argc, argv, &status))
        return status;
    log_open(program.name, LOG_LEVEL_INFO);
    if (arbiter_settings_read(program.config_path, &settings, &err) != ERR_OK) {
        log_error("%s", err.text);
        status = PROGRAM_EXIT_USAGE;
    } else if (!program.check_only) {
        log_set_level(settings.log_level);
        status = run(&settings);
    }
    arbiter_settings_free(&settings);
    return status;
}
