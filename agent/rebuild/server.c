#include "agent/rebuild/server.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/rebuild/process.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define POLL_US 50000u
#define ENDING_US 15000000u
#define DRAIN_S 10u
#define READ_S 120u

static uint64_t command_limit_us(const struct job *job)
{
    return clock_now_us() + MS_TO_US(job->settings->database.command_timeout_ms);
}

/* A command of agent.conf to its end; `text`: how, "" for success. ERR_BUSY: cancelled. */
static enum error_code run_command(struct job *job, const char *line, char *text, size_t size,
                                   struct error *err)
{
    struct process_order order = {.line = line, .third = -1, .out_to = 2, .err_to = -1};
    struct process process;
    struct error why;
    enum error_code code = process_start(&process, &order, &why);

    text[0] = '\0';
    if (code == ERR_OK)
        code = process_wait(job, &process, command_limit_us(job), text, size, &why);
    if (code == ERR_OK)
        return ERR_OK;
    /* not killed: a start that is under way is not undone by our end */
    child_leave(&process.child);
    snprintf(text, size, "%s", why.text);
    if (err)
        *err = why;
    return code == ERR_BUSY ? code : ERR_OK;
}

static enum error_code wait_up(struct job *job, struct query *own, uint64_t until_us, struct error *err)
{
    for (;;) {
        enum error_code code = query_connect_own(own, &job->settings->database, READ_S, err);
        if (code != ERR_IO || clock_now_us() >= until_us)
            return code;
        job_lives(job);
        if (job_pause(job, POLL_US, err) != ERR_OK)
            return err->code;
    }
}

enum error_code server_start(struct job *job, struct query *own, struct error *err)
{
    char text[ERROR_TEXT_BYTES];
    uint64_t until_us = command_limit_us(job);
    pid_t pid;
    enum error_code code = ERR_OK;

    job_lives(job);
    if (server_process_locate(job->settings->database.socket, &pid) == SERVER_SILENT)
        code = run_command(job, job->settings->database.start, text, sizeof text, err);
    else
        text[0] = '\0';
    if (code != ERR_OK)
        return code;
    code = wait_up(job, own, until_us, err);
    if (code == ERR_IO && text[0])
        return error_set(err, ERR_IO, "the server does not come up: its start command %s", text);
    if (code == ERR_IO)
        error_prefix(err, "the server does not come up");
    return code;
}

enum error_code server_reach(struct job *job, struct query *own, struct error *err)
{
    enum error_code code = query_connect_own(own, &job->settings->database, READ_S, err);

    if (code != ERR_IO)
        return code;
    log_notice("the server is down; it is started, to see what it has alone");
    code = server_start(job, own, err);
    if (code == ERR_IO)
        error_prefix(err,
                     "what this node has alone cannot be seen; if it may be given up, put an empty, newly "
                     "initialised database in its place, start it, and ask again");
    return code;
}

static enum error_code kill_own_sessions(struct query *own, const char *user, unsigned *left,
                                         struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    unsigned long self = mysql_thread_id(own->mysql), ids[64];
    enum error_code code = query_ask(own, false, &result, err, "SHOW PROCESSLIST");

    *left = 0;
    if (code != ERR_OK)
        return code;
    while ((row = mysql_fetch_row(result)) && *left < sizeof ids / sizeof ids[0])
        if (row[0] && row[1] && strcmp(row[1], user) == 0 && strtoul(row[0], NULL, 10) != self)
            ids[(*left)++] = strtoul(row[0], NULL, 10);
    mysql_free_result(result);
    for (unsigned i = 0; i < *left; i++)
        if (query_run(own, err, "KILL %lu", ids[i]) == ERR_IO) /* gone already is as good */
            return ERR_IO;
    return ERR_OK;
}

/* Statements of an earlier worker, or of one that was killed, end here, and are seen gone: the CLONE of a
 * rebuild that was killed goes on, and no other one begins beside it (tried on 9.7: 3634). */
static enum error_code end_own_sessions(struct job *job, struct query *own, const char *user,
                                        struct error *err)
{
    uint64_t until_us = clock_now_us() + ENDING_US;
    unsigned left;

    for (;;) {
        enum error_code code = kill_own_sessions(own, user, &left, err);
        if (code != ERR_OK || left == 0)
            return code;
        if (clock_now_us() >= until_us)
            return error_set(err, ERR_TIMEOUT, "%u earlier sessions of the agent's own account do not end",
                             left);
        code = job_pause(job, POLL_US, err);
        if (code != ERR_OK)
            return code;
    }
}

const char *server_reset_text(const struct query *sql)
{
    return sql->mariadb || sql->version < 80200 ? "RESET MASTER" : "RESET BINARY LOGS AND GTIDS";
}

static const char *words(const struct query *sql, const char *mariadb, const char *mysql)
{
    return sql->mariadb ? mariadb : mysql;
}

/* The column of the replica's status, "" without replication. */
static enum error_code replica_column(struct query *own, const char *name, char *out, size_t size,
                                      struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code =
        query_ask(own, false, &result, err, "%s", words(own, "SHOW SLAVE STATUS", "SHOW REPLICA STATUS"));

    out[0] = '\0';
    if (code != ERR_OK || !result)
        return code;
    row = mysql_fetch_row(result);
    for (unsigned i = 0; row && i < mysql_num_fields(result); i++)
        if (strcmp(mysql_fetch_field_direct(result, i)->name, name) == 0 && row[i])
            snprintf(out, size, "%s", row[i]);
    mysql_free_result(result);
    return ERR_OK;
}

enum error_code server_received(struct query *own, struct position *out, struct error *err)
{
    char text[QUERY_TEXT_BYTES / 4];
    enum error_code code =
        replica_column(own, words(own, "Gtid_IO_Pos", "Retrieved_Gtid_Set"), text, sizeof text, err);

    if (code == ERR_OK && !position_parse(text, out))
        code = error_set(err, ERR_INVALID, "this server: what it has received cannot be read: %.200s", text);
    return code;
}

/* Tried on 10.11, with gtid_strict_mode: "The binlog on the master is missing the GTID 0-1-40 requested by
 * the slave (even though both a prior and a subsequent sequence number does exist)". The other words are of a
 * source whose log has nothing before it (read, not tried). */
enum error_code server_branched(struct query *own, struct position *out, struct error *err)
{
    char told[1024];
    const char *at;
    struct position_item item;
    enum error_code code;

    *out = (struct position){.kind = POSITION_GTID_LIST};
    if (!own->mariadb)
        return ERR_OK;
    code = replica_column(own, "Last_IO_Error", told, sizeof told, err);
    if (code != ERR_OK)
        return code;
    at = strstr(told, "is missing the GTID ");
    if (!at && strstr(told, "contains GTIDs with higher sequence numbers"))
        at = strstr(told, "to start from GTID ");
    if (at && sscanf(strstr(at, "GTID "), "GTID %" SCNu32 "-%" SCNu32 "-%" SCNu64, &item.domain, &item.server,
                     &item.sequence) == 3)
        out->items[out->count++] = item;
    return ERR_OK;
}

/* What was received and not applied lies in no binary log, from which alone it could be saved. */
static enum error_code drain(struct query *own, struct error *err)
{
    char received[QUERY_TEXT_BYTES / 4], quoted[QUERY_TEXT_BYTES / 2];
    struct error ignored;
    enum error_code code =
        replica_column(own, words(own, "Gtid_IO_Pos", "Retrieved_Gtid_Set"), received, sizeof received, err);

    if (code != ERR_OK || !received[0] || !query_quote(own, received, quoted, sizeof quoted))
        return code;
    /* the receiver's events stay only while its applier runs: first this one, then that (MariaDB) */
    query_run(own, &ignored, "%s", words(own, "START SLAVE SQL_THREAD", "START REPLICA SQL_THREAD"));
    query_run(own, &ignored, "%s", words(own, "STOP SLAVE IO_THREAD", "STOP REPLICA IO_THREAD"));
    replica_column(own, words(own, "Gtid_IO_Pos", "Retrieved_Gtid_Set"), received, sizeof received, &ignored);
    if (query_quote(own, received, quoted, sizeof quoted))
        query_run(own, &ignored,
                  own->mariadb ? "SELECT MASTER_GTID_WAIT(%s, %u)"
                               : "SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %u)",
                  quoted, DRAIN_S);
    return ERR_OK;
}

enum error_code server_quiet(struct job *job, struct query *own, struct error *err)
{
    enum error_code code = end_own_sessions(job, own, job->settings->database.user, err);

    if (code == ERR_OK)
        code = query_run(own, err, "%s",
                         words(own, "SET STATEMENT max_statement_time = 10 FOR SET GLOBAL read_only = 1",
                               "SET GLOBAL super_read_only = 1"));
    if (code != ERR_OK)
        return error_prefix(err, "this server cannot be made read-only");
    code = drain(own, err);
    if (code == ERR_OK)
        code = query_run(own, err, "%s", words(own, "STOP SLAVE", "STOP REPLICA"));
    return code;
}

enum error_code server_watch(struct job *job, struct server_process *process, struct error *err)
{
    pid_t pid;

    server_process_init(process);
    if (server_process_locate(job->settings->database.socket, &pid) == SERVER_LISTENS &&
        server_process_attach(process, pid))
        return ERR_OK;
    return error_set(err, ERR_IO,
                     "the server's process is not to be seen behind %s; is database.socket its own socket?",
                     job->settings->database.socket);
}

enum error_code server_wait_end(struct job *job, struct server_process *process, struct error *err)
{
    bool ready = false;
    enum error_code code;

    job_lives(job);
    code = job_wait_until(job, process->pidfd, POLLIN, command_limit_us(job), &ready, err);
    server_process_detach(process);
    if (code == ERR_OK && !ready)
        code = error_set(err, ERR_TIMEOUT, "the server has not ended in time");
    return code;
}

enum error_code server_stop(struct job *job, struct query *own, struct error *err)
{
    const struct db_settings *settings = &job->settings->database;
    const char *const lines[] = {settings->stop, settings->kill};
    char text[ERROR_TEXT_BYTES];
    enum error_code code = ERR_OK;

    query_close(own);
    for (int i = 0; i < 2; i++) {
        struct server_process process;
        bool ready = true;
        pid_t pid;

        job_lives(job);
        if (server_process_locate(settings->socket, &pid) == SERVER_SILENT)
            return ERR_OK;
        code = server_watch(job, &process, err);
        if (code != ERR_OK)
            return code;
        code = run_command(job, lines[i], text, sizeof text, err);
        if (code == ERR_OK)
            code = job_wait_until(job, process.pidfd, POLLIN, clock_now_us() + 5000000u, &ready, err);
        server_process_detach(&process);
        if (code != ERR_OK || ready)
            return code;
        log_warning("the server still runs after its %s command%s%s", i ? "kill" : "stop",
                    text[0] ? ", which " : "", text);
    }
    return error_set(err, ERR_IO, "the server cannot be stopped; look at database.stop and database.kill");
}

enum error_code server_forget_source(struct query *own, struct error *err)
{
    enum error_code code = query_run(own, err, "%s", words(own, "STOP SLAVE", "STOP REPLICA"));

    if (code == ERR_OK)
        code = query_run(own, err, "%s", words(own, "RESET SLAVE ALL", "RESET REPLICA ALL"));
    return code;
}
