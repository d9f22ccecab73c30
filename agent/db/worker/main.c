/* mha4rdb-dbworker: started by the agent, never by hand. See worker.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/db/settings.h"
#include "agent/db/worker/worker.h"
#include "common/base/config.h"
#include "common/base/log.h"

#define PROGRAM "mha4rdb-dbworker"

struct arguments {
    const char *config_path;
    const char *lock_path;
    int fd;
};

static bool parse_arguments(int argc, char **argv, struct arguments *out)
{
    int option;

    *out = (struct arguments){.config_path = "/etc/mha4rdb/agent.conf", .fd = -1};
    while ((option = getopt(argc, argv, "c:f:l:")) != -1) {
        if (option == 'c')
            out->config_path = optarg;
        else if (option == 'l')
            out->lock_path = optarg;
        else if (option == 'f')
            out->fd = atoi(optarg);
        else
            return false;
    }
    return optind == argc && out->fd > 2;
}

/* The agent has checked the whole file; here only what the worker uses is read. */
static enum error_code read_settings(const char *path, struct db_settings *settings, char *node,
                                     size_t node_size, struct error *err)
{
    struct config_file file;
    enum error_code code = config_file_open(&file, path, err);

    if (code == ERR_OK) {
        const config_setting_t *root = config_root_setting(&file.config);
        config_setting_t *database;
        char level[16];
        enum log_level parsed;

        config_get_string(&file, root, "node", NULL, node, node_size);
        config_get_string(&file, root, "log_level", "info", level, sizeof level);
        if (!file.failed && log_level_parse(level, &parsed))
            log_set_level(parsed);
        database = config_get_group(&file, root, "database", true);
        if (database)
            db_settings_read(&file, database, settings);
        snprintf(settings->node, sizeof settings->node, "%s", node);
        code = file.failed ? err->code : ERR_OK;
    }
    config_file_close(&file);
    return code;
}

/* One worker per database: waits until an earlier one has finished its fence. */
static bool take_lock(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        log_error("%s cannot be opened: %s; it must be writable by the agent's user", path, strerror(errno));
        return false;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    log_notice("waits for an earlier dbworker to finish (%s)", path);
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            log_error("%s cannot be locked: %s", path, strerror(errno));
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct db_settings settings;
    struct error err = {0};
    char node[DB_TEXT_BYTES];
    int type;
    socklen_t size = sizeof type;

    log_open(PROGRAM, LOG_LEVEL_INFO);
    if (!parse_arguments(argc, argv, &arguments)) {
        fprintf(stderr, "usage: " PROGRAM
                        " -c agent.conf -f DESCRIPTOR [-l LOCKFILE]   (started by mha4rdb-agent)\n");
        return 2;
    }
    if (getsockopt(arguments.fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
        log_error("descriptor %d is no socket of the agent's; this program is started by mha4rdb-agent",
                  arguments.fd);
        return 2;
    }
    fcntl(arguments.fd, F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* a Ctrl-C for the agent: it decides */
    signal(SIGHUP, SIG_IGN);
    if (read_settings(arguments.config_path, &settings, node, sizeof node, &err) != ERR_OK) {
        log_error("%s", err.text);
        return 2;
    }
    if (arguments.lock_path && !take_lock(arguments.lock_path))
        return 1;
    return worker_run(&settings, node, arguments.fd, arguments.lock_path);
}
