#include "agent/rebuild/receive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/db/worker/mariadb.h"
#include "agent/rebuild/alone.h"
#include "agent/rebuild/save.h"
#include "agent/rebuild/server.h"
#include "agent/rebuild_child.h"
#include "common/base/log.h"

#define LOCK_POLL_US 20000u
#define DONOR_POLL_US 200000u

/* No worker looks at the database meanwhile. flock(2) has no descriptor to wait on. */
static enum error_code take_lock(struct job *job, const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return error_set(err, ERR_IO, "%s cannot be opened: %s", path, strerror(errno));
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_set(err, ERR_IO, "%s cannot be locked: %s", path, strerror(errno));
        if (job_pause(job, LOCK_POLL_US, err) != ERR_OK)
            return err->code == ERR_TIMEOUT
                       ? error_set(err, ERR_TIMEOUT, "the database worker does not end (%s)", path)
                       : err->code;
    }
    return ERR_OK; /* held until this process ends */
}

static void marker_path(const struct receive *receive, char *out, size_t size)
{
    snprintf(out, size, "%s/" REBUILD_CHILD_MARKER, receive->job->settings->data_dir);
}

enum error_code receive_mark(const struct receive *receive, struct error *err)
{
    char path[1024], text[512];

    marker_path(receive, path, sizeof path);
    snprintf(
        text, sizeof text,
        "A rebuild from %s has begun to replace this node's database and has not come to its end.\n"
        "The database may hold less than it says. The agent does not use it; the next rebuild begins from "
        "the start.\n",
        receive->job->order.donor);
    return save_file(path, text, err);
}

enum error_code receive_unmark(const struct receive *receive, struct error *err)
{
    char path[1024];

    marker_path(receive, path, sizeof path);
    if (unlink(path) != 0 && errno != ENOENT)
        return error_set(err, ERR_IO, "%s cannot be removed: %s", path, strerror(errno));
    save_sync_parent(path);
    return ERR_OK;
}

static bool is_marked(const struct receive *receive)
{
    char path[1024];

    marker_path(receive, path, sizeof path);
    return access(path, F_OK) == 0;
}

static enum error_code check_donor(struct receive *receive, struct error *err)
{
    char mine[64], theirs[64];
    const char *question = receive->own.mariadb ? "SELECT @@global.server_id" : "SELECT @@global.server_uuid";
    enum error_code code = query_text(&receive->own, mine, sizeof mine, err, "%s", question);

    if (code == ERR_OK)
        code = query_text(&receive->donor, theirs, sizeof theirs, err, "%s", question);
    if (code == ERR_OK && strcmp(mine, theirs) == 0)
        code = error_set(err, ERR_REFUSED, "the donor has this server's own identity (%s %s)",
                         receive->own.mariadb ? "server_id" : "server_uuid", mine);
    if (code == ERR_OK && receive->own.version / 100 != receive->donor.version / 100)
        code = error_set(
            err, ERR_REFUSED,
            "the donor's server is of another series (%lu.%lu) than this one (%lu.%lu); install the "
            "same",
            receive->donor.version / 10000, receive->donor.version / 100 % 100, receive->own.version / 10000,
            receive->own.version / 100 % 100);
    return code;
}

/* What was received and neither applied here nor known elsewhere cannot be set aside. */
static enum error_code check_received(struct receive *receive, const struct position *theirs,
                                      struct error *err)
{
    struct position received, all = *theirs;
    enum error_code code = server_received(&receive->own, &received, err);

    if (code != ERR_OK)
        return code;
    if (position_merge(&all, &receive->mine) && position_contains(&all, &received))
        return ERR_OK;
    return error_set(
        err, ERR_REFUSED,
        "this node has received what it has not applied, and what the donor does not have either: "
        "it cannot be set aside; mend its replication so that it is applied, or give that up by "
        "%s",
        receive->own.mariadb ? "RESET SLAVE ALL" : "RESET REPLICA ALL");
}

/* What this server itself has written of `known`. */
static enum error_code own_part(struct receive *receive, const struct position *known, struct position *out,
                                struct error *err)
{
    char text[64];
    struct position writer;
    bool mariadb = receive->own.mariadb;
    enum error_code code = query_text(&receive->own, text, sizeof text, err,
                                      mariadb ? "SELECT @@global.server_id" : "SELECT @@global.server_uuid");

    if (code != ERR_OK)
        return code;
    *out = (struct position){.kind = known->kind};
    if (!mariadb) {
        strcat(text, ":1");
        if (!position_parse(text, &writer))
            return error_set(err, ERR_INVALID, "this server's server_uuid cannot be read");
    }
    for (unsigned i = 0; i < known->count; i++) {
        if (mariadb && known->items[i].server == mariadb_own_number((uint32_t)strtoul(text, NULL, 10)))
            out->items[out->count++] = known->items[i];
        else if (!mariadb &&
                 memcmp(known->intervals[i].uuid, writer.intervals[0].uuid, POSITION_UUID_BYTES) == 0)
            out->intervals[out->count++] = known->intervals[i];
    }
    return ERR_OK;
}

/* What the cluster has, by the order; empty: not known. */
static void read_known(struct receive *receive, struct position *known)
{
    enum position_kind kind = receive->donor.mariadb ? POSITION_GTID_LIST : POSITION_GTID_SET;

    if (position_parse(receive->job->order.known, known) && (known->count == 0 || known->kind == kind))
        return;
    log_warning("the cluster's position cannot be read; what the donor has counts alone");
    *known = (struct position){0};
}

/* A replica's receiver drops events that its own server wrote: what this one wrote as an earlier primary
 * comes with the copy or never (tried on both; MariaDB's position may go on as if it were there). MySQL has
 * an option against that, replicate_same_server_id, which nothing shows for certain: it is not relied on. A
 * server that does not even start cannot say who it is: then all counts. */
static enum error_code wait_for_donor(struct receive *receive, const struct position *known,
                                      struct error *err)
{
    struct position needed = *known;
    bool told = false;
    enum error_code code = receive->own.mysql ? own_part(receive, known, &needed, err) : ERR_OK;

    while (code == ERR_OK && !position_contains(&receive->theirs, &needed)) {
        if (!told)
            log_notice("waits for the donor: it lacks what this server wrote as the primary");
        told = true;
        code = job_pause(receive->job, DONOR_POLL_US, err);
        if (code == ERR_OK)
            code = query_position(&receive->donor, &receive->theirs, err);
    }
    if (code == ERR_TIMEOUT)
        code = error_set(err, ERR_TIMEOUT,
                         "the donor lacks what this server wrote as the primary, and does not get it; choose "
                         "another donor");
    return code;
}

/* MariaDB's positions name the newest of each writer. If a writer lost what this server got from it, and has
 * written more since, its number tells of nothing that is here alone; and its log was left at a place that is
 * not known. */
static enum error_code check_branch(struct receive *receive, const struct alone *alone, struct error *err)
{
    struct position lacking;
    char text[64] = "";
    enum error_code code = server_branched(&receive->own, &lacking, err);

    if (code != ERR_OK || lacking.count == 0 || !position_contains(&receive->mine, &lacking) ||
        alone_has_item(alone, lacking.items[0].domain, lacking.items[0].server, lacking.items[0].sequence))
        return code;
    position_format(&lacking, text, sizeof text);
    return error_set(
        err, ERR_REFUSED,
        "this node has %s, which its source lacks though it has later ones of that writer: how much it has "
        "alone cannot be told, so it cannot be set aside; dump what you need of it, and if the rest may be "
        "given up, put an empty, newly initialised database in its place and ask again",
        text);
}

/* Compares, and sets aside what this server has alone. */
static enum error_code save(struct receive *receive, struct error *err)
{
    struct job *job = receive->job;
    struct position theirs, known;
    struct alone alone;
    char text[QUERY_TEXT_BYTES / 4];
    enum error_code code = query_position(&receive->own, &receive->mine, err);

    if (code == ERR_OK)
        code = query_position(&receive->donor, &receive->theirs, err);
    if (code != ERR_OK)
        return code;
    read_known(receive, &known);
    code = wait_for_donor(receive, &known, err);
    if (code != ERR_OK)
        return code;
    theirs = receive->theirs;
    if (known.count && !position_merge(&theirs, &known))
        log_warning("the cluster's position has too many parts; what the donor has counts alone");
    code = check_received(receive, &theirs, err);
    if (code != ERR_OK)
        return code;
    if (!alone_find(&receive->mine, &theirs, &alone))
        return error_set(err, ERR_INVALID, "this server's GTID state cannot be compared with the donor's");
    code = check_branch(receive, &alone, err);
    if (code != ERR_OK)
        return code;
    if (alone.count == 0) {
        struct rebuild_line nothing = {.verb = REBUILD_SAVED};
        job_say(&nothing);
        return ERR_OK;
    }
    if (!position_format(&theirs, text, sizeof text))
        text[0] = '\0';
    return save_alone(job, &receive->own, &alone, text, err);
}

enum error_code receive_look_again(struct receive *receive, struct error *err)
{
    struct position now;
    enum error_code code;

    if (!receive->own.mysql)
        return ERR_OK;
    code = query_position(&receive->own, &now, err);

    if (code == ERR_OK && !position_contains(&receive->mine, &now))
        code = error_set(
            err, ERR_REFUSED,
            "this server was written to while it was being saved, by an account that read-only does "
            "not hold; end that and ask again");
    return code;
}

/* An earlier rebuild has set aside what there was, and has begun to destroy: nothing here counts any more,
 * and MariaDB's server need not even start. */
static enum error_code begin_again(struct receive *receive, struct error *err)
{
    struct position known;
    enum error_code code = server_reach(receive->job, &receive->own, err);

    log_notice("an earlier rebuild has not come to its end; this one begins from the start");
    if (code != ERR_OK && code != ERR_BUSY && receive->donor.mariadb) {
        query_close(&receive->own);
        code = ERR_OK;
    }
    if (code == ERR_OK && receive->own.mysql)
        code = server_quiet(receive->job, &receive->own, err);
    if (code == ERR_OK && receive->own.mysql)
        code = query_position(&receive->own, &receive->mine, err);
    if (code == ERR_OK)
        code = query_position(&receive->donor, &receive->theirs, err);
    read_known(receive, &known);
    return code == ERR_OK ? wait_for_donor(receive, &known, err) : code;
}

static enum error_code run(struct receive *receive, const char *lock_path, struct error *err)
{
    struct job *job = receive->job;
    const struct db_settings *settings = &job->settings->database;
    bool mariadb = strcmp(settings->kind, "mariadb") == 0;
    enum error_code code = take_lock(job, lock_path, err);

    if (code != ERR_OK)
        return code;
    job_phase(job, "saving");
    code = query_connect_other(&receive->donor, settings, job->order.host, job->order.port, "the donor", err);
    if (code != ERR_OK)
        return code;
    if (is_marked(receive)) {
        code = begin_again(receive, err);
    } else {
        code = server_reach(job, &receive->own, err);
        if (code == ERR_OK)
            code = server_quiet(job, &receive->own, err);
        if (code == ERR_OK)
            code = save(receive, err);
    }
    if (code == ERR_OK && receive->own.mysql)
        code = check_donor(receive, err);
    if (code == ERR_OK)
        code = mariadb ? receive_mariadb(receive, err) : receive_mysql(receive, err);
    if (code == ERR_OK)
        code = receive_unmark(receive, err);
    return code;
}

enum error_code receive_run(struct job *job, const char *lock_path, struct error *err)
{
    struct receive receive = {.job = job};
    enum error_code code = run(&receive, lock_path, err);

    query_close(&receive.own);
    query_close(&receive.donor);
    return code;
}
