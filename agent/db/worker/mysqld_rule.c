/* The commit rule: semi-synchronous replication, wait point AFTER_SYNC.
 *
 * Tried on 9.7 (and again by tests/db):
 * - acks = k is enabled=ON, wait_for_replica_count=k, wait_no_replica=ON, timeout=31.7 years. acks = 0 is
 * enabled=OFF; a replica that connects meanwhile counts all the same once semi-sync is on (unlike MariaDB's).
 * - Switching on sets the state ON at once: from that moment every commit waits. Those that were on their way
 * are told "committed" without: whoever raises the rule waits until k members hold the end of the log of
 * after that (gtid_owned is in it).
 * - wait_for_replica_count takes effect at once, for those that wait too: lowered, they are let go by what
 * was acknowledged before.
 * - Switching off lets all that wait go at once, though the statement itself takes up to a second, until the
 * thread that receives acknowledgements has ended; meanwhile sessions write on, but nobody can connect or
 * read a global variable (150 ms and more in each of four trials): a look is late then. The timeout and
 * wait_no_replica do not reach those that wait. So nothing is ever switched off and on again to change a
 * rule: from one k to another the count alone is set.
 * - A server that is closed, and waits for nobody in what it applies, needs no switching off: with
 * wait_no_replica=OFF and a timeout of 1 ms a commit waits that long at most. From there wait_no_replica=ON
 * alone switches the state on at once, with the second that it takes to switch off spared in both directions:
 * a primary that is to follow follows at once. Not so on an open server: a commit that waits out its
 * millisecond would switch the state off again after that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/mysqld.h"

#define SUSPENDED_TIMEOUT_MS 1
#define NAME_OF(number) NAME_OF_EXPANDED(number)
#define NAME_OF_EXPANDED(number) #number

static enum error_code ask_rule(struct session *session, struct mysqld_rule *rule, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_RULE_ASK, NO_ARGUMENTS, &result, err);

    memset(rule, 0, sizeof *rule);
    if (code != ERR_OK)
        return code;
    row = result ? mysql_fetch_row(result) : NULL;
    if (row) {
        rule->enabled = sql_truth(row[0]);
        rule->timeout_ms = row[1] ? strtoull(row[1], NULL, 10) : 0;
        rule->wait_alone = sql_truth(row[2]);
        rule->after_sync = row[3] && strcmp(row[3], "AFTER_SYNC") == 0;
        rule->count = row[4] ? (unsigned)strtoul(row[4], NULL, 10) : 0;
    } else {
        code = error_set(err, ERR_IO, "the server answers without its semi-sync settings");
    }
    if (result)
        mysql_free_result(result);
    return code;
}

unsigned mysqld_rule_acks(const struct mysqld_rule *rule)
{
    return rule->enabled && rule->timeout_ms >= RULE_TIMEOUT_MS_LEAST ? rule->count : 0;
}

enum error_code mysqld_suspend_rule(struct session *session, struct error *err)
{
    struct mysqld_rule rule;
    enum error_code code = ask_rule(session, &rule, err);

    if (code == ERR_OK && rule.enabled && rule.wait_alone)
        code = session_run(session, STATEMENT_RULE_WAIT_ALONE, ARGUMENTS("0"), err);
    if (code == ERR_OK && rule.enabled && rule.timeout_ms != SUSPENDED_TIMEOUT_MS)
        code = session_run(session, STATEMENT_RULE_TIMEOUT, ARGUMENTS(NAME_OF(SUSPENDED_TIMEOUT_MS)), err);
    return code;
}

static enum error_code raise_from_none(struct session *session, const struct mysqld_rule *rule,
                                       const char *count, struct error *err)
{
    bool suspended = rule->enabled && !rule->wait_alone && rule->timeout_ms == SUSPENDED_TIMEOUT_MS;
    enum error_code code = ERR_OK;

    /* Somebody else's, with a timeout: what waits under it is let go. */
    if (rule->enabled && !suspended)
        code = session_run(session, STATEMENT_SEMI_SYNC_OFF, NO_ARGUMENTS, err);
    if (code == ERR_OK && !rule->after_sync)
        code = session_run(session, STATEMENT_RULE_WAIT_POINT, NO_ARGUMENTS, err);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_RULE_TIMEOUT, ARGUMENTS(RULE_TIMEOUT_MS), err);
    if (code == ERR_OK)
        code = session_run(session, STATEMENT_RULE_COUNT, ARGUMENTS(count), err);
    if (code == ERR_OK) /* of a suspended rule: it is in force from here */
        code = session_run(session, STATEMENT_RULE_WAIT_ALONE, ARGUMENTS("1"), err);
    return code == ERR_OK ? session_run(session, STATEMENT_SEMI_SYNC_ON, NO_ARGUMENTS, err) : code;
}

enum error_code mysqld_set_rule(struct session *session, unsigned acks, struct error *err)
{
    struct mysqld_rule rule;
    char count[16];
    struct semi_sync_status status;
    enum error_code code = ask_rule(session, &rule, err);

    snprintf(count, sizeof count, "%u", acks);
    if (code != ERR_OK)
        return code;
    if (acks == 0)
        return rule.enabled ? session_run(session, STATEMENT_SEMI_SYNC_OFF, NO_ARGUMENTS, err) : ERR_OK;
    if (mysqld_rule_acks(&rule) && rule.wait_alone && rule.after_sync) {
        if (rule.count != acks)
            code = session_run(session, STATEMENT_RULE_COUNT, ARGUMENTS(count), err);
    } else {
        code = raise_from_none(session, &rule, count, err);
    }
    if (code == ERR_OK)
        code = ask_rule(session, &rule, err);
    if (code == ERR_OK)
        code = sql_semi_sync_status(&mysqld_status_names, session, &status, err);
    if (code == ERR_OK && !status.source_on) { /* a commit has waited out a timeout that was not this one */
        code = session_run(session, STATEMENT_SEMI_SYNC_OFF, NO_ARGUMENTS, err);
        if (code == ERR_OK)
            code = session_run(session, STATEMENT_SEMI_SYNC_ON, NO_ARGUMENTS, err);
    }
    if (code == ERR_OK && (mysqld_rule_acks(&rule) != acks || !rule.wait_alone || !rule.after_sync))
        code = error_set(err, ERR_REFUSED,
                         "the server did not take the commit rule: enabled %d, count %u, timeout %llu ms, "
                         "wait_no_replica %d",
                         rule.enabled, rule.count, (unsigned long long)rule.timeout_ms, rule.wait_alone);
    return code;
}
