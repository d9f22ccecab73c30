/* Who may acknowledge: the nodes whose own replication account is not locked.
 *
 * Tried on MySQL 9.7: the lock takes 1 ms and uses no GTID, the dump thread is gone 5 ms after its KILL, and
 * the replica is refused with 3118. Under super_read_only ALTER USER is refused even to the agent (1290).
 *
 * Tried on MariaDB 10.11:
 * - ALTER USER ... ACCOUNT LOCK under sql_log_bin = 0 uses no GTID, works under read_only for READ ONLY
 * ADMIN, and is still there after a SIGKILL of the server. Sessions that are logged in already stay: they are
 * killed.
 * - A replica that is withdrawn and comes back is refused with 4151. An acknowledgement that it had sent
 * before, and that arrives at the socket of its killed dump thread, counts no more.
 * - A killed dump thread can stay in "Waiting to finalize termination" for good (STATEMENT_SENDERS_STUCK). By
 * then it is off the acknowledgement receiver's list: it waits there for a reply of that receiver, which it
 * asked for under the lock under which it took itself off. So one that has been in that state for STUCK_US is
 * done with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/sql.h"
#include "common/base/clock.h"

#define END_SENDERS_US 5000000
#define STUCK_US 1000000
#define HOST_BYTES 256
#define HOSTS_MAX 64 /* host parts of one account's name */

/* One account of the pattern. */
struct account {
    char user[DB_TEXT_BYTES];
    char host[HOST_BYTES];
    bool locked;
    bool replicates; /* has REPLICATION SLAVE, or a role by which it may have it */
};

/* Calls `visit` for each account whose name begins as the pattern does. */
static enum error_code visit_accounts(struct adapter *adapter, struct session *session,
                                      void (*visit)(void *context, const struct account *account),
                                      void *context, struct error *err)
{
    const char *pattern = adapter->settings->replication_user;
    char prefix[DB_TEXT_BYTES];
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code;

    snprintf(prefix, sizeof prefix, "%.*s", (int)(strstr(pattern, "%n") - pattern), pattern);
    code = session_ask(session, STATEMENT_REPLICATION_ACCOUNTS, ARGUMENTS(prefix), &result, err);
    if (code != ERR_OK || !result)
        return code;
    while ((row = mysql_fetch_row(result))) {
        struct account account = {.locked = sql_truth(row[2]), .replicates = sql_truth(row[3])};
        snprintf(account.user, sizeof account.user, "%s", row[0] ? row[0] : "");
        snprintf(account.host, sizeof account.host, "%s", row[1] ? row[1] : "");
        visit(context, &account);
    }
    mysql_free_result(result);
    return ERR_OK;
}

struct listing {
    const struct db_settings *settings;
    struct db_view *view;
};

static void add_acknowledger(void *context, const struct account *account)
{
    struct listing *listing = context;
    struct db_view *view = listing->view;
    char node[DB_NODE_BYTES];

    if (account->locked || !account->replicates ||
        !db_replication_node(listing->settings, account->user, node, sizeof node) ||
        strcmp(node, DB_STANDBY_NAME) == 0)
        return;
    for (unsigned i = 0; i < view->acknowledger_count; i++)
        if (strcmp(view->acknowledgers[i], node) == 0)
            return; /* another host part of the same account */
    if (view->acknowledger_count == ACKNOWLEDGERS_MAX) {
        /* said to be unknown rather than told in part */
        view->acknowledgers_known = false;
        view->trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_OTHER;
        snprintf(view->trouble, sizeof view->trouble,
                 "there are more than %d replication accounts like \"%s\"; drop those that no node uses",
                 ACKNOWLEDGERS_MAX, listing->settings->replication_user);
        return;
    }
    strcpy(view->acknowledgers[view->acknowledger_count++], node);
}

enum error_code sql_acknowledgers(struct adapter *adapter, struct session *session, struct db_view *view,
                                  struct error *err)
{
    struct listing listing = {adapter->settings, view};

    if (!db_accounts_per_node(adapter->settings))
        return ERR_OK;
    view->acknowledgers_known = true;
    return visit_accounts(adapter, session, add_acknowledger, &listing, err);
}

/* ---- withdraw, allow ---- */

struct wanted {
    const char *user;
    bool locked;
    unsigned seen;         /* accounts of that name */
    unsigned other_way;    /* of them, not locked as wanted */
    char host[HOST_BYTES]; /* of one of those */
};

static void compare(void *context, const struct account *account)
{
    struct wanted *wanted = context;

    if (strcmp(account->user, wanted->user) != 0)
        return;
    wanted->seen++;
    if (account->locked == wanted->locked)
        return;
    wanted->other_way++;
    snprintf(wanted->host, sizeof wanted->host, "%s", account->host);
}

/* Without logging, and on a server that is closed too. */
static enum error_code change_account(struct adapter *adapter, struct session *session,
                                      enum statement statement, const char *user, const char *host,
                                      struct error *err)
{
    struct error ignored;
    enum error_code code = sql_begin_own_write(adapter, session, err), ended;

    if (code == ERR_OK)
        code = adapter->sql->unlogged ? adapter->sql->unlogged(session, true, err) : ERR_OK;
    if (code == ERR_OK)
        code = session_run(session, statement, ARGUMENTS(user, host), err);
    if (adapter->sql->unlogged && adapter->sql->unlogged(session, false, &ignored) != ERR_OK)
        session_close(session); /* what it writes next must be logged */
    ended = sql_end_own_write(adapter, session, code == ERR_OK ? err : &ignored);
    return code == ERR_OK ? ended : code;
}

/* Each account of the node's name, whatever its host part, one after the other until all are seen so. */
static enum error_code set_locked(struct adapter *adapter, struct session *session, const char *user,
                                  bool locked, struct error *err)
{
    for (unsigned i = 0; i < HOSTS_MAX; i++) {
        struct wanted wanted = {.user = user, .locked = locked};
        enum error_code code = visit_accounts(adapter, session, compare, &wanted, err);
        if (code != ERR_OK)
            return code;
        if (wanted.seen == 0 && !locked)
            return error_set(err, ERR_REFUSED,
                             "there is no account %.100s here; see `mhactl check` for the statement", user);
        if (wanted.other_way == 0)
            return ERR_OK;
        code = change_account(adapter, session, locked ? STATEMENT_ACCOUNT_LOCK : STATEMENT_ACCOUNT_UNLOCK,
                              user, wanted.host, err);
        if (code != ERR_OK)
            return code;
    }
    return error_set(err, ERR_REFUSED, "%.100s is not %s though ALTER USER said so", user,
                     locked ? "locked" : "unlocked");
}

/* What a pass over the account's sessions has left. */
struct senders {
    unsigned long horizon; /* logins that began after the lock are refused; 0: not known yet */
    unsigned left;
    unsigned finalizing; /* of them, killed and in the state that may last for good */
};

static enum error_code end_senders_once(struct session *session, const char *user, struct senders *senders,
                                        struct error *err)
{
    unsigned long highest = 1;
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_SESSIONS_OF, ARGUMENTS(user), &result, err);

    if (code != ERR_OK || !result)
        return code;
    senders->left = senders->finalizing = 0;
    while (code == ERR_OK && (row = mysql_fetch_row(result))) {
        unsigned long id = row[0] ? strtoul(row[0], NULL, 10) : 0;
        bool known = row[1] && strcmp(row[1], user) == 0;

        if (id > highest)
            highest = id;
        /* one that was logging in while the account was locked may still become a session of it */
        if (!known && senders->horizon && id > senders->horizon)
            continue;
        senders->left++;
        if (row[2] && strcmp(row[2], "Killed") == 0) {
            senders->finalizing += row[3] && strcmp(row[3], "Waiting to finalize termination") == 0;
            continue;
        }
        code = session_run(session, STATEMENT_KILL, ARGUMENTS(row[0]), err);
        if (code == ERR_REFUSED && sql_no_such_session(session))
            code = ERR_OK;
    }
    mysql_free_result(result);
    if (!senders->horizon)
        senders->horizon = highest;
    return code;
}

/* Ends all sessions of the account, which is locked, and sees them gone. */
static enum error_code end_senders(struct session *session, struct adapter_call *call, const char *user,
                                   struct error *err)
{
    struct senders senders = {0};
    uint64_t until_us = clock_now_us() + END_SENDERS_US, finalizing_us = 0, pause_us = 500;

    for (;;) {
        enum error_code code = end_senders_once(session, user, &senders, err);
        uint64_t now_us = clock_now_us();

        if (code == ERR_OK)
            code = sql_stopped(call, err);
        if (code != ERR_OK || senders.left == 0)
            return code;
        if (senders.finalizing < senders.left)
            finalizing_us = 0;
        else if (finalizing_us == 0)
            finalizing_us = now_us;
        else if (now_us >= finalizing_us + STUCK_US)
            return ERR_OK;
        if (now_us >= until_us)
            return error_set(err, ERR_TIMEOUT,
                             "%u sessions of %.80s, whose account is locked, are killed but not gone",
                             senders.left, user);
        sql_pause_longer(&pause_us);
    }
}

enum error_code sql_set_acknowledging(struct adapter *adapter, struct adapter_call *call, const char *node,
                                      bool allowed, struct error *err)
{
    struct session *session;
    char user[DB_TEXT_BYTES];
    enum error_code code;

    if (!db_accounts_per_node(adapter->settings))
        return error_set(
            err, ERR_INVALID,
            "%.100s's acknowledgements cannot be told apart: replication_user (\"%.100s\") has no "
            "%%n, so that all nodes share one account",
            node, adapter->settings->replication_user);
    db_replication_user(adapter->settings, node, user, sizeof user);
    code = sql_ops(adapter, &session, err);
    if (code == ERR_OK)
        code = sql_stopped(call, err);
    if (code == ERR_OK)
        code = set_locked(adapter, session, user, !allowed, err);
    if (code == ERR_OK && !allowed)
        code = end_senders(session, call, user, err);
    return code;
}
