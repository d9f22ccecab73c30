/* The commit rule on a server that waits for one acknowledgement: semi-synchronous replication, wait point
 * AFTER_SYNC.
 *
 * What was tried on 10.11 (and is tried again by tests/db):
 * - acks = 1 is enabled=ON, wait_no_slave=ON, timeout=31.7 years. acks = 0 keeps enabled=ON, with
 * wait_no_slave=OFF and a timeout of 1 ms: without replicas no commit waits at all; a replica that follows
 * meanwhile is a semi-sync client from its start, and its IO thread need not restart when the rule is raised.
 * With enabled=OFF instead, whether such a replica counts later depends on the server's version.
 * - A change of the timeout does not reach commits that wait already: each has computed its end. Switching
 * semi-sync off wakes them all, but one that wakes only after it is on again goes on waiting, for its old
 * time. So: off; seen that none waits any more; new settings; on. In that state nobody starts to wait, so
 * "none waits" stays true.
 * - Switching on sets the state ON at once, with no need for a write to be acknowledged first: from that
 * moment every commit waits. For raising that is what counts; a status that had fallen OFF by a timeout of
 * acks = 0 is thereby on again.
 * - The same sequence where acks = 1 is in force already would let go commits that wait: then nothing may be
 * touched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/mariadb.h"
#include "common/base/clock.h"

#define RELEASE_US 1000000

struct rule {
    bool enabled, wait_alone, after_sync, status_on;
    uint64_t timeout_ms;
};

static enum error_code ask_rule(struct session *session, struct rule *rule, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_RULE_ASK, NO_ARGUMENTS, &result, err);

    memset(rule, 0, sizeof *rule);
    if (code != ERR_OK)
        return code;
    row = result ? mysql_fetch_row(result) : NULL;
    if (row) {
        rule->enabled = row[0] && strcmp(row[0], "1") == 0;
        rule->timeout_ms = row[1] ? strtoull(row[1], NULL, 10) : 0;
        rule->wait_alone = row[2] && strcmp(row[2], "1") == 0;
        rule->after_sync = row[3] && strcmp(row[3], "AFTER_SYNC") == 0;
        rule->status_on = row[4] && strcmp(row[4], "ON") == 0;
    } else {
        code = error_set(err, ERR_IO, "the server answers without its semi-sync settings");
    }
    if (result)
        mysql_free_result(result);
    return code;
}

static bool in_force(const struct rule *rule, unsigned acks)
{
    bool waits = rule->enabled && rule->timeout_ms >= RULE_TIMEOUT_MS_LEAST;

    if (acks == 0)
        return rule->enabled && !waits && !rule->wait_alone && rule->after_sync;
    return waits && rule->wait_alone && rule->after_sync && rule->status_on;
}

/* Off, and nobody waits any more. */
static enum error_code release_all(struct session *session, struct error *err)
{
    uint64_t until_us = clock_now_us() + RELEASE_US, waiting;
    enum error_code code = session_run(session, STATEMENT_SEMI_SYNC_OFF, NO_ARGUMENTS, err);

    while (code == ERR_OK) {
        code = session_ask_number(session, STATEMENT_WAITING_ASK, NO_ARGUMENTS, &waiting, err);
        if (code != ERR_OK || waiting == 0)
            break;
        if (clock_now_us() >= until_us)
            return error_set(err, ERR_TIMEOUT, "%llu commits still wait though semi-sync is off",
                             (unsigned long long)waiting);
        sql_pause_us(200);
    }
    return code;
}

enum error_code mariadb_senders_stuck(struct session *session, bool *out, struct error *err)
{
    uint64_t stuck = 0;
    enum error_code code = session_ask_number(session, STATEMENT_SENDERS_STUCK, NO_ARGUMENTS, &stuck, err);

    *out = stuck != 0;
    return code;
}

enum error_code mariadb_rule(struct session *session, unsigned acks, struct error *err)
{
    struct rule rule;
    bool stuck = false;
    enum error_code code;

    if (acks > 1)
        return error_set(err, ERR_INVALID, "MariaDB waits for one acknowledgement at most; %u are asked for",
                         acks);
    code = ask_rule(session, &rule, err);
    if (code == ERR_OK && acks == 0)
        code = mariadb_senders_stuck(session, &stuck, err);
    if (code != ERR_OK || (in_force(&rule, acks) && !stuck))
        return code;
    code = release_all(session, err);
    if (code == ERR_OK && !rule.after_sync)
        code = session_run(session, STATEMENT_RULE_WAIT_POINT, NO_ARGUMENTS, err);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_RULE_TIMEOUT,
                           ARGUMENTS(acks ? RULE_TIMEOUT_MS : RULE_NO_TIMEOUT_MS), err);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_RULE_WAIT_ALONE, ARGUMENTS(acks ? "1" : "0"), err);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_SEMI_SYNC_ON, NO_ARGUMENTS, err);
    if (code == ERR_OK)
        code = ask_rule(session, &rule, err);
    /* Under acks = 0 the status may fall by itself. */
    if (code == ERR_OK && !in_force(&rule, acks))
        code = error_set(err, ERR_REFUSED,
                         "the server did not take the commit rule: enabled %d, timeout %llu ms, "
                         "wait_no_slave %d, status %d",
                         rule.enabled, (unsigned long long)rule.timeout_ms, rule.wait_alone, rule.status_on);
    return code;
}
