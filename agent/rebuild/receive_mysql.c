/* MySQL's copy: CLONE INSTANCE, which the server itself does. Tried on 9.7:
 *
 * It is refused under super_read_only; read_only is no obstacle. offline_mode keeps out everybody without
 * CONNECTION_ADMIN meanwhile.
 *
 * The first thing it does is to drop all that users made; gtid_executed is empty then, too. The log is reset
 * before that all the same: at no moment, in no version, shall the server say that it holds what it has lost.
 *
 * Its own limit of the rate is none (relay.h); a limited copy comes through the relay.
 *
 * KILL QUERY ends it in 0.3 s, in 2.5 s while it dials a donor that has gone (which it would do for five
 * minutes). The server goes on then, with the system's tables and the accounts as they were.
 *
 * Without a supervisor it ends with error 3707, the server exits with 0 some seconds later, and the next
 * start completes the copy; gtid_executed is the donor's. auto.cnf, and with it the server's identity, stays.
 */
#include <errno.h>
#include <mysqld_error.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/rebuild/receive.h"
#include "agent/rebuild/relay.h"
#include "agent/rebuild/server.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#ifndef ER_RESTART_SERVER_FAILED
#define ER_RESTART_SERVER_FAILED 3707
#endif

#define LOOK_US 500000u
#define DONOR_GONE_US 10000000u

struct clone {
    struct relay *relay; /* NULL: directly, without a limit */
    const char *host;    /* what the server dials: the donor, or the relay */
    unsigned port;
    struct query sql;
    char statement[2048];
    int ended_fd;
    enum error_code code;
    struct error err;
};

static bool has_grant(struct query *sql, const char *grant)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    struct error ignored;
    bool found = false;

    if (query_ask(sql, false, &result, &ignored, "SHOW GRANTS") != ERR_OK || !result)
        return false;
    while ((row = mysql_fetch_row(result)))
        found = found || (row[0] && strstr(row[0], " ON *.* ") &&
                          (strstr(row[0], grant) || strstr(row[0], "ALL PRIVILEGES")));
    mysql_free_result(result);
    return found;
}

static enum error_code check_plugin(struct query *sql, struct error *err)
{
    char count[16];
    enum error_code code =
        query_text(sql, count, sizeof count, err,
                   "SELECT COUNT(*) FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'clone' "
                   "AND PLUGIN_STATUS = 'ACTIVE'");

    if (code == ERR_OK && strcmp(count, "0") == 0)
        code = error_set(
            err, ERR_REFUSED,
            "%s has no clone plugin; write plugin_load_add = mysql_clone.so into its option file and "
            "restart it",
            sql->who);
    return code;
}

/* All that would make CLONE fail is asked before anything is given up. */
static enum error_code check(struct receive *receive, struct error *err)
{
    const struct db_settings *settings = &receive->job->settings->database;
    char user[DB_TEXT_BYTES];
    enum error_code code = check_plugin(&receive->own, err);

    query_other_user(settings, user, sizeof user);
    if (code == ERR_OK)
        code = check_plugin(&receive->donor, err);
    if (code == ERR_OK && !has_grant(&receive->donor, "BACKUP_ADMIN"))
        code =
            error_set(err, ERR_REFUSED,
                      "at the donor %s may not be copied for; there: GRANT BACKUP_ADMIN ON *.* TO '%s'@'...'",
                      user, user);
    if (code == ERR_OK && !has_grant(&receive->own, "CLONE_ADMIN"))
        code =
            error_set(err, ERR_REFUSED,
                      "this server's account %s may not clone; on the primary: GRANT CLONE_ADMIN ON *.* TO "
                      "'%s'@'localhost'",
                      settings->user, settings->user);
    return code;
}

/* To the very server that the donor's session is with. */
static enum error_code choose_way(struct receive *receive, struct clone *clone, struct error *err)
{
    const struct job *job = receive->job;
    struct sockaddr_storage donor;
    socklen_t size = sizeof donor;
    enum error_code code;

    clone->host = job->order.host;
    clone->port = job->order.port;
    if (job->rate_mb == 0)
        return ERR_OK;
    if (getpeername(query_socket(&receive->donor), (struct sockaddr *)&donor, &size) != 0)
        return error_set(err, ERR_IO, "the donor's address is not known: %s", strerror(errno));
    code = relay_start(&clone->relay, (struct sockaddr *)&donor, size, job->rate_mb, err);
    if (code == ERR_OK) {
        clone->host = "127.0.0.1";
        clone->port = relay_port(clone->relay);
    }
    return code;
}

static enum error_code prepare(struct receive *receive, const struct clone *clone, struct error *err)
{
    struct query *own = &receive->own;
    char donors[DB_TEXT_BYTES + 16], quoted[2 * sizeof donors + 3];
    enum error_code code = query_run(own, err, "SET GLOBAL offline_mode = 1");

    snprintf(donors, sizeof donors, "%s:%u", clone->host, clone->port);
    if (!query_quote(own, donors, quoted, sizeof quoted))
        return error_set(err, ERR_INVALID, "the donor's address is too long");
    if (code == ERR_OK)
        code = receive_look_again(receive, err);
    if (code == ERR_OK)
        code = receive_mark(receive, err);
    if (code == ERR_OK)
        code = query_run(own, err, "SET GLOBAL clone_valid_donor_list = %s", quoted);
    if (code == ERR_OK) /* no limit of the server's own besides the order's */
        code = query_run(own, err,
                         "SET GLOBAL clone_max_data_bandwidth = 0, GLOBAL clone_max_network_bandwidth = 0");
    if (code == ERR_OK)
        code = query_run(own, err, "SET GLOBAL super_read_only = 0"); /* read_only stays */
    if (code == ERR_OK)
        code = query_run(own, err, "%s", server_reset_text(own));
    return code;
}

static void *run_clone(void *context)
{
    struct clone *clone = context;
    uint64_t one = 1;

    clone->code = query_run(&clone->sql, &clone->err, "%s", clone->statement);
    if (write(clone->ended_fd, &one, sizeof one) < 0)
        log_error("eventfd: %s", strerror(errno));
    mysql_thread_end();
    return NULL;
}

/* Bytes that have arrived and that are expected. What the server tells needs performance_schema, begins late,
 * and can stand still for twenty seconds of a slow copy that goes on (tried on 9.7); what the relay has
 * carried is better known. */
static void look_at_progress(struct receive *receive, const struct clone *clone)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    struct error ignored;
    uint64_t done, total;

    if (query_ask(
            &receive->own, false, &result, &ignored,
            "SELECT COALESCE(SUM(DATA), 0), COALESCE(SUM(ESTIMATE), 0) FROM "
            "performance_schema.clone_progress WHERE STAGE IN ('FILE COPY', 'PAGE COPY', 'REDO COPY', 'FILE "
            "SYNC') HAVING COUNT(*) > 0") != ERR_OK)
        return;
    row = mysql_fetch_row(result);
    done = row ? strtoull(row[0], NULL, 10) : 0;
    total = row ? strtoull(row[1], NULL, 10) : 0;
    if (clone->relay) {
        done = relay_bytes(clone->relay);
        total = total && total < done ? done : total; /* they come with some words around them */
    }
    if (row || clone->relay)
        job_progress(receive->job, done, total);
    else
        job_lives(receive->job); /* nothing is to be seen */
    mysql_free_result(result);
}

/* The session that was opened at the beginning has ended, and no other can be had for a while. */
static bool donor_is_gone(struct receive *receive, uint64_t *since_us)
{
    struct query *donor = &receive->donor;
    struct pollfd fd = {.events = POLLIN};
    struct error ignored;

    if (donor->mysql) {
        fd.fd = query_socket(donor);
        if (poll(&fd, 1, 0) == 0)
            return false;
        query_close(donor);
        *since_us = clock_now_us();
    }
    if (query_connect_other(donor, &receive->job->settings->database, receive->job->order.host,
                            receive->job->order.port, "the donor", &ignored) == ERR_OK)
        return false;
    return clock_now_us() > *since_us + DONOR_GONE_US;
}

/* Until the statement has ended; on a reason to give up it is killed first, and that is the error. */
static enum error_code watch_clone(struct receive *receive, struct clone *clone, struct error *err)
{
    unsigned long id = mysql_thread_id(clone->sql.mysql);
    uint64_t gone_since_us = 0;
    bool ended = false;
    struct error ignored;
    enum error_code code = ERR_OK;

    while (code == ERR_OK && !ended) {
        code = job_wait_until(receive->job, clone->ended_fd, POLLIN, clock_now_us() + LOOK_US, &ended, err);
        if (code != ERR_OK || ended)
            continue;
        look_at_progress(receive, clone);
        if (donor_is_gone(receive, &gone_since_us))
            code = error_set(err, ERR_IO, "the donor's database has gone");
    }
    if (code == ERR_OK)
        return ERR_OK;
    job_clean_up(receive->job);
    for (int i = 0; i < 60 && !ended; i++) {
        if (query_run(&receive->own, &ignored, "KILL QUERY %lu", id) == ERR_IO)
            break;
        if (job_wait_until(receive->job, clone->ended_fd, POLLIN, clock_now_us() + 1000000u, &ended,
                           &ignored) != ERR_OK)
            break;
    }
    if (!ended)
        shutdown(query_socket(&clone->sql), SHUT_RDWR);
    return code;
}

static enum error_code make_statement(struct receive *receive, struct clone *clone, struct error *err)
{
    const struct db_settings *settings = &receive->job->settings->database;
    char user[DB_TEXT_BYTES], parts[3][2 * DB_TEXT_BYTES + 3];

    query_other_user(settings, user, sizeof user);
    if (!query_quote(&clone->sql, user, parts[0], sizeof parts[0]) ||
        !query_quote(&clone->sql, clone->host, parts[1], sizeof parts[1]) ||
        !query_quote(&clone->sql, settings->replication_password, parts[2], sizeof parts[2]))
        return error_set(err, ERR_INVALID, "an account's name or the donor's address is too long");
    snprintf(clone->statement, sizeof clone->statement, "CLONE INSTANCE FROM %s@%s:%u IDENTIFIED BY %s%s",
             parts[0], parts[1], clone->port, parts[2], settings->replication_tls ? " REQUIRE SSL" : "");
    return ERR_OK;
}

static enum error_code copy(struct receive *receive, struct clone *clone, struct error *err)
{
    pthread_t thread;
    enum error_code code;

    clone->ended_fd = eventfd(0, EFD_CLOEXEC);
    code = clone->ended_fd < 0 ? error_set(err, ERR_IO, "eventfd: %s", strerror(errno))
                               : query_connect_own(&clone->sql, &receive->job->settings->database, 0, err);
    if (code == ERR_OK)
        code = make_statement(receive, clone, err);
    if (code == ERR_OK && pthread_create(&thread, NULL, run_clone, clone) != 0)
        code = error_set(err, ERR_NO_MEMORY, "no thread for CLONE");
    else if (code == ERR_OK) {
        code = watch_clone(receive, clone, err);
        pthread_join(thread, NULL);
        /* the copy is there once the server ends for it: a lost connection, or that nobody starts it again */
        if (code == ERR_OK && clone->code != ERR_OK && clone->code != ERR_IO &&
            clone->sql.last_errno != ER_RESTART_SERVER_FAILED)
            code = error_set(err, clone->code, "%s", clone->err.text);
    }
    explicit_bzero(clone->statement, sizeof clone->statement);
    query_close(&clone->sql);
    if (clone->ended_fd >= 0)
        close(clone->ended_fd);
    return code;
}

/* Nobody can use it as it is now, and it says that it holds nothing. */
static void leave(struct receive *receive)
{
    struct error ignored;

    job_clean_up(receive->job);
    if (receive->own.mysql && query_run(&receive->own, &ignored,
                                        "SET GLOBAL super_read_only = 1, GLOBAL offline_mode = 0") != ERR_OK)
        log_warning("%s", ignored.text);
}

static enum error_code finish(struct receive *receive, struct error *err)
{
    struct position now;
    enum error_code code = server_start(receive->job, &receive->own, err);

    if (code == ERR_REFUSED)
        return error_prefix(
            err, "after the copy, the donor's accounts count here too: give the agent's account the "
                 "same password on all nodes");
    if (code == ERR_OK)
        code = query_run(&receive->own, err, "SET GLOBAL super_read_only = 1, GLOBAL offline_mode = 0");
    if (code == ERR_OK)
        code = query_position(&receive->own, &now, err);
    if (code == ERR_OK && !position_contains(&now, &receive->theirs))
        code =
            error_set(err, ERR_IO,
                      "CLONE has ended, but the server does not hold what the donor had; its log says why");
    if (code == ERR_OK)
        code = server_forget_source(&receive->own, err); /* the donor's own came along */
    return code;
}

enum error_code receive_mysql(struct receive *receive, struct error *err)
{
    struct server_process process;
    struct clone clone = {0};
    enum error_code code = check(receive, err);

    if (code == ERR_OK)
        code = choose_way(receive, &clone, err);
    if (code != ERR_OK)
        return code;
    job_phase(receive->job, "copying");
    code = server_watch(receive->job, &process, err);
    if (code == ERR_OK)
        code = prepare(receive, &clone, err);
    if (code == ERR_OK)
        code = copy(receive, &clone, err);
    relay_stop(clone.relay);
    if (code != ERR_OK) {
        leave(receive);
        server_process_detach(&process);
        return code;
    }
    job_phase(receive->job, "starting");
    query_close(&receive->own);
    code = server_wait_end(receive->job, &process, err);
    return code == ERR_OK ? finish(receive, err) : code;
}
