/* main.c - mha4rdb-arbiter: options, configuration, signals, the loop. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arbiter/arbiter.h"
#include "arbiter/memory.h"
#include "common/base/notify.h"
#include "common/replica/verify.h"

#define EXIT_FATAL 1
#define EXIT_USAGE 2
#define OPTION_VERIFY_STORE 256
#define SETTLED_S 10 /* by then the members are connected, or a few page faults more do not matter */

static void usage(FILE *stream)
{
    fputs("usage: mha4rdb-arbiter [-c FILE] [-t] [-V] [-h]\n"
          "       mha4rdb-arbiter --verify-store DIR\n"
          "  -c FILE      configuration (default /etc/mha4rdb/arbiter.conf)\n"
          "  -t           check the configuration and exit\n"
          "  --verify-store DIR\n"
          "               tell what the directory of one cluster (data_dir/CLUSTER) holds,\n"
          "               without changing anything, and exit: 0 sound, 1 damaged,\n"
          "               2 not checked; its member must be stopped\n"
          "  -V           print the version and exit\n"
          "  -h           this text\n",
          stream);
}

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
        return EXIT_FATAL;
    }
    log_notice("version %s, votes for %u cluster%s on %s", MHA_VERSION, settings->cluster_count,
               settings->cluster_count == 1 ? "" : "s", settings->listen);
    notify_manager("READY=1");
    event_base_once(base, -1, EV_TIMEOUT, on_settled, NULL, &settled);
    event_base_dispatch(base);
    failed = arbiter.failed;
    arbiter_close(&arbiter);
    return failed ? EXIT_FATAL : 0;
}

static int run(const struct arbiter_settings *settings)
{
    struct event_base *base = make_loop();
    struct event *signals[2];
    int status = EXIT_FATAL;

    if (!base) {
        log_error("no event loop can be made");
        return EXIT_FATAL;
    }
    raise_descriptor_limit();
    signals[0] = evsignal_new(base, SIGTERM, on_signal, base);
    signals[1] = evsignal_new(base, SIGINT, on_signal, base);
    if (signals[0] && signals[1] && event_add(signals[0], NULL) == 0 && event_add(signals[1], NULL) == 0)
        status = serve(base, settings);
    for (unsigned i = 0; i < 2; i++)
        if (signals[i])
            event_free(signals[i]);
    event_base_free(base);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"verify-store", required_argument, NULL, OPTION_VERIFY_STORE},
                                            {0}};
    const char *config_path = "/etc/mha4rdb/arbiter.conf";
    struct arbiter_settings settings;
    bool check_only = false;
    struct error err;
    int status = 0;
    int option;

    while ((option = getopt_long(argc, argv, "c:tVh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config_path = optarg;
            break;
        case 't':
            check_only = true;
            break;
        case OPTION_VERIFY_STORE:
            return (int)replica_verify_store(optarg, stdout, stderr);
        case 'V':
            puts("mha4rdb-arbiter " MHA_VERSION);
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
    log_open("mha4rdb-arbiter", LOG_LEVEL_INFO);
    if (arbiter_settings_read(config_path, &settings, &err) != ERR_OK) {
        log_error("%s", err.text);
        status = EXIT_USAGE;
    } else if (!check_only) {
        log_set_level(settings.log_level);
        status = run(&settings);
    }
    arbiter_settings_free(&settings);
    return status;
}
