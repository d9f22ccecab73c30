#include "agent/rebuild/save_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 100000u
#define ROWS_PER_CHECK 1024u

/* The names of the log's files, the oldest first; each 128 bytes, freed by the caller. */
static enum error_code list_files(struct query *own, char (**out)[128], unsigned *count, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = query_ask(own, false, &result, err, "SHOW BINARY LOGS");
    unsigned total;

    if (code != ERR_OK)
        return code;
    total = (unsigned)mysql_num_rows(result);
    *out = total && total <= FILES_MAX ? calloc(total, sizeof **out) : NULL;
    *count = 0;
    while (*out && (row = mysql_fetch_row(result)))
        if (row[0])
            snprintf((*out)[(*count)++], sizeof **out, "%s", row[0]);
    mysql_free_result(result);
    return *out ? ERR_OK : error_set(err, ERR_REFUSED, "this server has no binary log to save from");
}

/* What had been logged before this file, as its second or third event says. */
static enum error_code read_history(struct query *own, const char *file, char *out, size_t size,
                                    struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = query_ask(own, false, &result, err, "SHOW BINLOG EVENTS IN '%s' LIMIT 4",
                                     file); /* names are harmless */

    out[0] = '\0';
    if (code != ERR_OK)
        return code;
    while ((row = mysql_fetch_row(result)))
        if (row[2] && row[5] && (strcmp(row[2], "Gtid_list") == 0 || strcmp(row[2], "Previous_gtids") == 0))
            snprintf(out, size, "%s", row[5]);
    mysql_free_result(result);
    return ERR_OK;
}

/* "[0-1-5,0-2-7]": nothing of what is wanted lies before this. */
static bool begins_before(const struct alone *alone, char *history)
{
    struct position before;
    char *from = history;

    if (*from == '[')
        from++;
    from[strcspn(from, "]")] = '\0';
    if (!position_parse(from, &before))
        return false;
    for (unsigned i = 0; i < before.count; i++)
        for (unsigned k = 0; k < alone->count; k++)
            if (before.items[i].domain == alone->ranges[k].domain &&
                before.items[i].server == alone->ranges[k].server &&
                before.items[i].sequence >= alone->ranges[k].first)
                return false;
    return true;
}

static enum error_code purged(struct error *err)
{
    return error_set(err, ERR_REFUSED,
                     "not all of it is in the binary logs any more; "
                     "dump what you need of it, and if the rest may be given up, put an empty, newly "
                     "initialised database in its place and ask again");
}

/* ---- MySQL ---- */

/* `log`: a session of the replication account, for SHOW BINLOG EVENTS wants REPLICATION SLAVE here. */
static enum error_code find_mysql(struct query *own, struct query *log, const struct alone *alone,
                                  char (*files)[128], unsigned count, struct save_parts *out,
                                  struct error *err)
{
    char wanted[ALONE_TEXT_BYTES], history[QUERY_TEXT_BYTES / 2], answer[64];
    enum error_code code;

    if (!alone_format(alone, wanted, sizeof wanted))
        return error_set(err, ERR_INVALID, "what this node has alone has too many parts");
    code = query_text(own, answer, sizeof answer, err,
                      "SELECT GTID_SUBSET('%s', GTID_SUBTRACT(@@global.gtid_executed, @@global.gtid_purged))",
                      wanted);
    if (code == ERR_OK && strcmp(answer, "1") != 0)
        code = purged(err);
    for (unsigned i = 0; i < alone->count; i++)
        out->transactions += alone->ranges[i].last - alone->ranges[i].first + 1;
    /* from the newest file that begins before all of it */
    for (unsigned i = count; code == ERR_OK && i-- > 0;) {
        code = read_history(log, files[i], history, sizeof history, err);
        if (code == ERR_OK)
            code = query_text(own, answer, sizeof answer, err,
                              "SELECT GTID_SUBTRACT('%s', '%s') = GTID_SUBTRACT('%s', '')", wanted, history,
                              wanted);
        if (code != ERR_OK || strcmp(answer, "1") != 0)
            continue;
        out->list = calloc(1, sizeof *out->list);
        if (!out->list)
            return error_set(err, ERR_NO_MEMORY, "no memory");
        out->count = 1;
        snprintf(out->list[0].file, sizeof out->list[0].file, "%s", files[i]);
        return ERR_OK;
    }
    return code == ERR_OK ? purged(err) : code;
}

/* ---- MariaDB ---- */

/* The events of one file; runs of transactions that are wanted become parts. */
static enum error_code scan_file(struct job *job, struct query *own, const struct alone *alone,
                                 const char *file, struct save_parts *out, struct position *seen,
                                 struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    struct save_part *open = NULL;
    unsigned rows = 0;
    enum error_code code = query_ask(own, true, &result, err, "SHOW BINLOG EVENTS IN '%s'", file);

    if (code != ERR_OK)
        return code;
    while (code == ERR_OK && (row = mysql_fetch_row(result))) {
        const char *gtid = row[5] ? strstr(row[5], "GTID ") : NULL;
        struct position one = {.kind = POSITION_GTID_LIST, .count = 1};
        bool wanted;

        if (++rows % ROWS_PER_CHECK == 0) {
            job_lives(job);
            code = job_check(job, err);
        }
        if (!row[1] || !row[2] ||
            (strcmp(row[2], "Gtid") != 0 && strcmp(row[2], "Rotate") != 0 && strcmp(row[2], "Stop") != 0))
            continue;
        wanted = gtid &&
                 sscanf(gtid, "GTID %" SCNu32 "-%" SCNu32 "-%" SCNu64, &one.items[0].domain,
                        &one.items[0].server, &one.items[0].sequence) == 3 &&
                 alone_has_item(alone, one.items[0].domain, one.items[0].server, one.items[0].sequence);
        if (open && !wanted) {
            open->end = strtoull(row[1], NULL, 10);
            open = NULL;
        }
        if (!wanted)
            continue;
        out->transactions++;
        position_merge(seen, &one);
        if (open)
            continue;
        if (out->count == SAVE_PARTS_MAX) {
            code =
                error_set(err, ERR_REFUSED,
                          "what this node has alone lies in more than %d pieces in its binary log; save it "
                          "by hand and put an empty database in its place",
                          SAVE_PARTS_MAX);
            continue;
        }
        open = &out->list[out->count++];
        snprintf(open->file, sizeof open->file, "%s", file);
        open->first = strtoull(row[1], NULL, 10);
        open->end = 0;
    }
    if (code == ERR_OK && mysql_errno(own->mysql) != 0)
        code = error_set(err, ERR_IO, "this server: %s", mysql_error(own->mysql));
    mysql_free_result(result);
    return code;
}

static enum error_code find_mariadb(struct job *job, struct query *own, const struct alone *alone,
                                    char (*files)[128], unsigned count, struct save_parts *out,
                                    struct error *err)
{
    char history[QUERY_TEXT_BYTES / 2];
    struct position seen = {.kind = POSITION_GTID_LIST};
    unsigned from = count;
    enum error_code code = ERR_OK;

    out->list = calloc(SAVE_PARTS_MAX, sizeof *out->list);
    if (!out->list)
        return error_set(err, ERR_NO_MEMORY, "no memory");
    do {
        if (from-- == 0)
            return purged(err);
        code = read_history(own, files[from], history, sizeof history, err);
        if (code != ERR_OK)
            return code;
    } while (!begins_before(alone, history));
    for (unsigned i = from; code == ERR_OK && i < count; i++)
        code = scan_file(job, own, alone, files[i], out, &seen, err);
    /* the newest of each server in each domain is known by number: it must have been there */
    for (unsigned k = 0; code == ERR_OK && k < alone->count; k++) {
        struct position last = {.kind = POSITION_GTID_LIST, .count = 1};
        last.items[0] =
            (struct position_item){alone->ranges[k].domain, alone->ranges[k].server, alone->ranges[k].last};
        if (!position_contains(&seen, &last))
            code = purged(err);
    }
    return code;
}

enum error_code save_log_find(struct job *job, struct query *own, const struct alone *alone,
                              struct save_parts *out, struct error *err)
{
    const struct db_settings *settings = &job->settings->database;
    struct query log = {0};
    char(*files)[128] = NULL;
    unsigned count = 0;
    enum error_code code;

    memset(out, 0, sizeof *out);
    code = list_files(own, &files, &count, err);
    if (code == ERR_OK && own->mariadb) {
        code = find_mariadb(job, own, alone, files, count, out, err);
    } else if (code == ERR_OK) {
        code = query_connect_other(&log, settings, settings->host, settings->port, "this server", err);
        if (code == ERR_OK)
            code = find_mysql(own, &log, alone, files, count, out, err);
        query_close(&log);
    }
    if (code != ERR_OK)
        error_prefix(err, "what this node has alone cannot be set aside");
    free(files);
    return code;
}
