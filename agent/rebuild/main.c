/* mha4rdb-rebuild: started by the agent; see job.h and mha4rdb-rebuild(8). */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/rebuild/connect.h"
#include "agent/rebuild/donate.h"
#include "agent/rebuild/job.h"
#include "agent/rebuild/receive.h"

#define PROGRAM "mha4rdb-rebuild"

static int usage(void)
{
    fputs("usage: " PROGRAM " connect SOCKET\n"
          "       " PROGRAM " receive|donate -c agent.conf [-l LOCKFILE]   (started by mha4rdb-agent)\n"
          "       " PROGRAM " -V\n",
          stderr);
    return 2;
}

static int finish(const struct job *job, enum error_code code, const struct error *err)
{
    struct rebuild_line last = {.verb = code == ERR_OK ? REBUILD_DONE : REBUILD_FAILED, .why = err->text};
    const char *text = err->text;

    if (code == ERR_OK) {
        last.why = NULL;
        log_info("done");
    } else {
        if (job->cancelled)
            last.why = text = "cancelled";
        log_error("%s", text);
    }
    job_say(&last);
    return code == ERR_OK ? 0 : 1;
}

static int run(const char *verb, const char *config_path, const char *lock_path)
{
    static struct agent_settings settings;
    struct job job = {.settings = &settings};
    struct error err = {0};
    enum error_code code = agent_settings_read(config_path, &settings, &err);
    int status;

    if (code != ERR_OK)
        return finish(&job, code, &err);
    log_set_level(settings.log_level);
    code = job_begin(&job, &settings, &err);
    if (code == ERR_OK && strcmp(verb, "donate") == 0)
        code = job.order.verb == REBUILD_DONATE ? donate_run(&job, &err)
                                                : error_set(&err, ERR_INVALID, "the order is none to donate");
    else if (code == ERR_OK)
        code = job.order.verb == REBUILD_RECEIVE && lock_path
                   ? receive_run(&job, lock_path, &err)
                   : error_set(&err, ERR_INVALID, "the order is none to receive, or no lock file is named");
    status = finish(&job, code, &err);
    job_end(&job);
    return status;
}

int main(int argc, char **argv)
{
    const char *config_path = "/etc/mha4rdb/agent.conf", *lock_path = NULL;
    int option;

    signal(SIGPIPE, SIG_IGN);
    if (argc == 2 && strcmp(argv[1], "-V") == 0) {
        puts(PROGRAM " " MHA_VERSION);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "connect") == 0)
        return connect_run(argv[2]);
    if (argc < 2 || (strcmp(argv[1], "receive") != 0 && strcmp(argv[1], "donate") != 0))
        return usage();
    optind = 2;
    while ((option = getopt(argc, argv, "c:l:")) != -1) {
        if (option == 'c')
            config_path = optarg;
        else if (option == 'l')
            lock_path = optarg;
        else
            return usage();
    }
    if (optind != argc)
        return usage();
    log_open(PROGRAM, LOG_LEVEL_INFO);
    signal(SIGINT, SIG_IGN); /* a Ctrl-C for the agent: it decides */
    signal(SIGHUP, SIG_IGN);
    return run(argv[1], config_path, lock_path);
}
