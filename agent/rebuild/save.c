#include "agent/rebuild/save.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/rebuild/process.h"
#include "agent/rebuild/save_log.h"
#include "common/base/clock.h"

#define PATH_BYTES 1024
#define LOOK_US 500000u

struct place {
    char top[PATH_BYTES / 2];
    char dir[PATH_BYTES];   /* hidden until it is whole */
    char shown[PATH_BYTES]; /* what it is called then */
    char events[PATH_BYTES + 32];
    char readme[PATH_BYTES + 32];
    char log[PATH_BYTES];
    int events_fd, log_fd;
};

void save_sync_parent(const char *path)
{
    char parent[PATH_BYTES + 64];
    char *slash;
    int fd;

    snprintf(parent, sizeof parent, "%s", path);
    slash = strrchr(parent, '/');
    if (!slash)
        return;
    *slash = '\0';
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

enum error_code save_file(const char *path, const char *bytes, struct error *err)
{
    size_t size = strlen(bytes);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || fsync(fd) != 0) {
        error_set(err, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return ERR_IO;
    }
    close(fd);
    save_sync_parent(path);
    return ERR_OK;
}

/* A second rebuild within the same second has a number behind its name. */
static void name_place(struct job *job, struct place *place)
{
    char name[160], stamp[32];
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    snprintf(name, sizeof name, "%s-%s", stamp, job->settings->group.node);
    for (unsigned number = 2; number < 1000; number++) {
        snprintf(place->dir, sizeof place->dir, "%s/.%s", place->top, name);
        snprintf(place->shown, sizeof place->shown, "%s/%s", place->top, name);
        if (access(place->shown, F_OK) != 0 && access(place->dir, F_OK) != 0)
            return;
        snprintf(name, sizeof name, "%s-%s-%u", stamp, job->settings->group.node, number);
    }
}

static enum error_code make_place(struct job *job, struct place *place, struct error *err)
{
    const char *data_dir = job->settings->data_dir;

    snprintf(place->top, sizeof place->top, "%.400s/set-aside", data_dir);
    name_place(job, place);
    snprintf(place->events, sizeof place->events, "%s/transactions.sql", place->dir);
    snprintf(place->readme, sizeof place->readme, "%s/README", place->dir);
    snprintf(place->log, sizeof place->log, "%.400s/rebuild.log", data_dir);
    if ((mkdir(place->top, 0700) != 0 && errno != EEXIST) || mkdir(place->dir, 0700) != 0)
        return error_set(err, ERR_IO, "%s cannot be made: %s", place->dir, strerror(errno));
    place->events_fd = open(place->events, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    place->log_fd = open(place->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (place->events_fd < 0 || place->log_fd < 0)
        return error_set(err, ERR_IO, "%s cannot be written: %s",
                         place->events_fd < 0 ? place->events : place->log, strerror(errno));
    return ERR_OK;
}

static void drop_place(struct place *place)
{
    unlink(place->events);
    unlink(place->readme);
    rmdir(place->dir);
}

/* An option file for mysqlbinlog in memory: a password on a command line is for all to see. -1: none. */
static int make_options(const struct job *job, bool mariadb)
{
    const struct db_settings *settings = &job->settings->database;
    char user[DB_TEXT_BYTES], password[2 * DB_TEXT_BYTES];
    size_t used = 0;
    int fd = memfd_create("options", MFD_CLOEXEC);

    if (fd < 0)
        return -1;
    for (const char *at = settings->replication_password; *at && used + 3 < sizeof password; at++) {
        if (*at == '"' || *at == '\\')
            password[used++] = '\\';
        password[used++] = *at;
    }
    password[used] = '\0';
    query_other_user(settings, user, sizeof user);
    /* one that all may write is not read */
    if (fchmod(fd, 0600) != 0 ||
        dprintf(fd, "[client]\nprotocol=tcp\nhost=%s\nport=%u\nuser=\"%s\"\npassword=\"%s\"\n%s",
                settings->host, settings->port, user, password,
                mariadb ? settings->replication_tls ? "ssl\nloose-disable-ssl-verify-server-cert\n"
                                                    : "loose-disable-ssl-verify-server-cert\n"
                : settings->replication_tls ? "ssl-mode=REQUIRED\n"
                                            : "ssl-mode=PREFERRED\nget-server-public-key\n") < 0) {
        close(fd);
        return -1;
    }
    explicit_bzero(password, sizeof password);
    return fd;
}

/* Runs it to its end; growth of its file is progress. */
static enum error_code run_binlog(struct job *job, struct place *place, const char *const *argv, int options,
                                  struct error *err)
{
    struct process_order order = {
        .argv = argv, .third = options, .out_to = place->events_fd, .err_to = place->log_fd};
    struct process process;
    char how[128], words[256];
    bool ended = false;
    enum error_code code = process_start(&process, &order, err);

    while (code == ERR_OK && !ended) {
        struct stat st;
        code = job_wait_until(job, process.child.pidfd, POLLIN, clock_now_us() + LOOK_US, &ended, err);
        if (fstat(place->events_fd, &st) == 0)
            job_progress(job, (uint64_t)st.st_size, 0);
    }
    if (code == ERR_OK)
        code = process_wait(job, &process, UINT64_MAX, how, sizeof how, err);
    process_stop(&process);
    if (code != ERR_OK || !how[0])
        return code;
    if (strcmp(how, "ended with exit status 127") == 0) /* as of a shell: it could not be executed */
        return error_set(
            err, ERR_IO,
            "what this node has alone cannot be set aside: there is no program %s; install it, or "
            "name it in rebuild.mysqlbinlog",
            argv[0]);
    process_last_words(place->log, words, sizeof words);
    return error_set(err, ERR_IO, "what this node has alone cannot be set aside: %s %s: %s", argv[0], how,
                     words);
}

static enum error_code copy_parts(struct job *job, const struct save_parts *parts, struct place *place,
                                  const struct alone *alone, struct error *err)
{
    bool mariadb = alone->kind == POSITION_GTID_LIST;
    const char *named = job->settings->rebuild.mysqlbinlog;
    const char *program = named[0] ? named : mariadb ? "mariadb-binlog" : "mysqlbinlog";
    const char *option = "--defaults-file=/dev/fd/3";
    char start[64], stop[64], include[ALONE_TEXT_BYTES + 32] = "--include-gtids=";
    int options = make_options(job, mariadb);
    enum error_code code = ERR_OK;

    if (options < 0)
        return error_set(err, ERR_IO, "no option file for mysqlbinlog: %s", strerror(errno));
    if (!mariadb)
        alone_format(alone, include + strlen(include), ALONE_TEXT_BYTES);
    for (unsigned i = 0; code == ERR_OK && i < parts->count; i++) {
        const struct save_part *part = &parts->list[i];
        const char *const of_mysql[] = {
            program,    option, "--read-from-remote-server", "--verbose", "--to-last-log", include,
            part->file, NULL};
        const char *const of_mariadb[] = {program, option,     "--read-from-remote-server", "--verbose",
                                          start,   part->file, part->end ? stop : NULL,     NULL};
        snprintf(start, sizeof start, "--start-position=%" PRIu64, part->first);
        snprintf(stop, sizeof stop, "--stop-position=%" PRIu64, part->end);
        code = run_binlog(job, place, mariadb ? of_mariadb : of_mysql, options, err);
    }
    close(options);
    return code;
}

/* How many of the wanted transactions the file names. */
static uint64_t count_transactions(const struct place *place, const struct alone *alone)
{
    FILE *file = fopen(place->events, "re");
    char *line = NULL;
    size_t room = 0;
    uint64_t count = 0;

    while (file && getline(&line, &room, file) > 0) {
        uint32_t domain, server;
        uint64_t sequence;
        const char *at;
        if (alone->kind == POSITION_GTID_SET)
            count += strncmp(line, "SET @@SESSION.GTID_NEXT= '", 26) == 0 && line[26] != 'A';
        else if (line[0] == '#' && line[1] != '#' && (at = strstr(line, "\tGTID ")) &&
                 sscanf(at, "\tGTID %" SCNu32 "-%" SCNu32 "-%" SCNu64, &domain, &server, &sequence) == 3)
            count += alone_has_item(alone, domain, server, sequence);
    }
    free(line);
    if (file)
        fclose(file);
    return count;
}

static enum error_code write_readme(struct job *job, const struct place *place, const struct alone *alone,
                                    const struct save_parts *parts, const char *theirs, struct error *err)
{
    bool mariadb = alone->kind == POSITION_GTID_LIST;
    struct text text = {0};
    char what[ALONE_TEXT_BYTES] = "";
    enum error_code code;

    alone_format(alone, what, sizeof what);
    text_add(&text,
             "The database of node %s (cluster %s) was made anew from %s.\n"
             "%s%s%s"
             "These %" PRIu64 " transactions it had alone; the cluster does not have them any more:\n\n"
             "    %s\n\n"
             "The donor held then: %s\n",
             job->settings->group.node, job->settings->group.cluster, job->order.donor,
             job->order.reason[0] ? "Why: " : "", job->order.reason, job->order.reason[0] ? "\n" : "",
             parts->transactions, what, theirs[0] ? theirs : "nothing");
    text_add(&text, "\ntransactions.sql has them as %s read them from the binary log, from\n",
             mariadb ? "mariadb-binlog" : "mysqlbinlog");
    for (unsigned i = 0; i < parts->count; i++)
        if (mariadb)
            text_add(&text, "    %s, position %" PRIu64 " to %" PRIu64 "%s\n", parts->list[i].file,
                     parts->list[i].first, parts->list[i].end, parts->list[i].end ? "" : " (the file's end)");
        else
            text_add(&text, "    %s and the files after it\n", parts->list[i].file);
    text_add(
        &text,
        "\nTo look at them: each changed row stands there in comments, lines that begin with \"###\":\n"
        "    grep '^###' transactions.sql\n"
        "To run some of them again, on the primary, after you have looked at each:\n"
        "    %s\n"
        "They may contradict what was written since; nothing checks that for you. Each keeps its GTID%s.\n"
        "This folder may be removed once nobody needs it.\n",
        mariadb ? "mariadb < part-of-transactions.sql" : "mysql < part-of-transactions.sql",
        mariadb ? " numbers in comments only" : "");
    code =
        text.failed ? error_set(err, ERR_NO_MEMORY, "no memory") : save_file(place->readme, text.data, err);
    text_free(&text);
    return code;
}

enum error_code save_alone(struct job *job, struct query *own, const struct alone *alone, const char *theirs,
                           struct error *err)
{
    struct place place = {.events_fd = -1, .log_fd = -1};
    struct save_parts parts;
    struct rebuild_line saved = {.verb = REBUILD_SAVED, .path = place.shown};
    enum error_code code = save_log_find(job, own, alone, &parts, err);
    bool made = false;

    if (code == ERR_OK) {
        code = make_place(job, &place, err);
        made = place.events_fd >= 0;
    }
    if (code == ERR_OK)
        code = copy_parts(job, &parts, &place, alone, err);
    if (code == ERR_OK) {
        uint64_t found = count_transactions(&place, alone);
        if (found < parts.transactions)
            code = error_set(err, ERR_IO,
                             "what this node has alone cannot be set aside: %" PRIu64
                             " transactions of %" PRIu64 " were read from its binary log",
                             found, parts.transactions);
    }
    if (code == ERR_OK && fsync(place.events_fd) != 0)
        code = error_set(err, ERR_IO, "%s cannot be synced: %s", place.events, strerror(errno));
    if (code == ERR_OK)
        code = write_readme(job, &place, alone, &parts, theirs, err);
    if (code == ERR_OK && rename(place.dir, place.shown) != 0)
        code = error_set(err, ERR_IO, "%s cannot be made: %s", place.shown, strerror(errno));
    if (code == ERR_OK) {
        save_sync_parent(place.shown);
        save_sync_parent(place.top);
        saved.transactions = parts.transactions;
        job_say(&saved);
    } else if (made) {
        drop_place(&place);
    }
    if (place.events_fd >= 0)
        close(place.events_fd);
    if (place.log_fd >= 0)
        close(place.log_fd);
    free(parts.list);
    return code;
}
