/* Ending sessions, and the connections from which that is done. */
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/sql.h"
#include "common/base/clock.h"

#define USERS_PER_SWEEP 32
#define USER_BYTES 256

/* One pass over the process list. */
struct sweep {
    unsigned long horizon; /* sessions with a higher id came later: not ours to wait for; 0: not known yet */
    unsigned left;         /* those to be ended that are still there */
    unsigned dying;        /* of them, killed already */
    bool unsettled;        /* a line is just connecting: an unknown session of our account may be it */
    char someone[USER_BYTES];
    unsigned user_count;
    char users[USERS_PER_SWEEP][USER_BYTES]; /* whom KILL USER has served in this pass */
};

static bool is_ours(const unsigned long ids[LINE_COUNT], unsigned long id, enum sql_victims victims)
{
    for (int i = 0; i < LINE_COUNT; i++)
        if (ids[i] == id && (i != LINE_OPS || victims != VICTIMS_CLIENTS_AND_OPS))
            return true;
    return false;
}

/* KILL USER reaches all sessions of an account's name at once: quick where there are thousands. Not for our
 * own account, nor for the replicas' one, whose dump threads stay. */
static enum error_code kill_session(struct session *session, struct sweep *sweep, const char *id,
                                    const char *user, bool by_user, struct error *err)
{
    enum error_code code;

    if (by_user && dialect_text(STATEMENT_KILL_USER, session->dialect) && user[0] &&
        strcmp(user, "unauthenticated user") != 0 && strlen(user) < USER_BYTES &&
        sweep->user_count < USERS_PER_SWEEP) {
        for (unsigned i = 0; i < sweep->user_count; i++)
            if (strcmp(sweep->users[i], user) == 0)
                return ERR_OK;
        strcpy(sweep->users[sweep->user_count++], user);
        code = session_run(session, STATEMENT_KILL_USER, ARGUMENTS(user), err);
    } else {
        code = session_run(session, STATEMENT_KILL, ARGUMENTS(id), err);
    }
    /* gone by itself in between */
    return code == ERR_REFUSED && sql_no_such_session(session) ? ERR_OK : code;
}

static enum error_code sweep_once(struct adapter *adapter, struct session *session, enum sql_victims victims,
                                  struct sweep *sweep, struct error *err)
{
    unsigned long ids[LINE_COUNT], highest = 0;
    bool settled;
    MYSQL_RES *result;
    MYSQL_ROW row;
    enum error_code code = session_ask(session, STATEMENT_SESSIONS, NO_ARGUMENTS, &result, err);

    if (code != ERR_OK || !result)
        return code;
    sweep->left = sweep->dying = sweep->user_count = 0;
    sweep->unsettled = false;
    /* After the list: a line that connected meanwhile is known by now, or still connecting. */
    settled = sessions_ids(&adapter->list, ids);
    while (code == ERR_OK && (row = mysql_fetch_row(result))) {
        unsigned long id = row[0] ? strtoul(row[0], NULL, 10) : 0;
        const char *user = row[1] ? row[1] : "";
        bool own_account = strcmp(user, adapter->settings->user) == 0;
        bool replication = sql_is_replication_user(adapter->settings, user);

        if (id == 0 || is_ours(ids, id, victims))
            continue;
        if (victims == VICTIMS_STRANGERS && !own_account)
            continue;
        if (id > highest)
            highest = id;
        if (sweep->horizon && id > sweep->horizon)
            continue;
        if (own_account && !settled) {
            sweep->unsettled = true;
            continue;
        }
        sweep->left++;
        snprintf(sweep->someone, sizeof sweep->someone, "%.80s (connection %lu, %.40s %.60s)", user, id,
                 row[2] ? row[2] : "", row[3] ? row[3] : "");
        if (row[2] && strcmp(row[2], "Killed") == 0)
            sweep->dying++;
        else
            code = kill_session(session, sweep, row[0], user, !own_account && !replication, err);
    }
    mysql_free_result(result);
    if (!sweep->horizon && !sweep->unsettled)
        sweep->horizon = highest ? highest : 1;
    return code;
}

enum error_code sql_end_sessions(struct adapter *adapter, struct session *session, enum sql_victims victims,
                                 uint64_t deadline_us, bool *all_dying, struct error *err)
{
    struct sweep sweep = {0};
    uint64_t pause_us = 500;

    if (all_dying)
        *all_dying = false;
    for (;;) {
        enum error_code code = sweep_once(adapter, session, victims, &sweep, err);
        if (code != ERR_OK)
            return code;
        if (sweep.left == 0 && !sweep.unsettled)
            return ERR_OK;
        if (clock_now_us() + pause_us >= deadline_us)
            break;
        sql_pause_longer(&pause_us);
    }
    if (all_dying)
        *all_dying = !sweep.unsettled && sweep.dying == sweep.left;
    return error_set(err, ERR_TIMEOUT, "%u sessions are not gone in time, one of them %s", sweep.left,
                     sweep.someone[0] ? sweep.someone : "of our own account");
}

enum error_code sql_is_read_only(struct session *session, bool *out, struct error *err)
{
    uint64_t value;
    enum error_code code = session_ask_number(session, STATEMENT_READ_ONLY_ASK, NO_ARGUMENTS, &value, err);

    *out = code == ERR_OK && value != 0;
    return code;
}

enum error_code sql_ops(struct adapter *adapter, struct session **out, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_OPS];
    bool swept = adapter->swept_session == session->mysql && session->mysql, read_only;
    enum error_code code = ERR_OK;

    *out = session;
    /* one that was ended meanwhile, by a fence or a person, is not worth a failed operation */
    if (swept && sql_is_read_only(session, &read_only, err) == ERR_OK)
        return ERR_OK;
    adapter->swept_session = NULL;
    code = session_connect(session, err);
    if (code == ERR_OK)
        code = sql_end_sessions(adapter, session, VICTIMS_STRANGERS, clock_now_us() + 3000000, NULL, err);
    else
        return code;
    if (code == ERR_OK)
        adapter->swept_session = session->mysql;
    else
        error_prefix(err, "an earlier session of the agent's own account does not end");
    return code;
}

enum error_code sql_prepare_fence(struct adapter *adapter, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_FENCE];
    bool read_only;
    enum error_code code = session_connect(session, err);

    if (code == ERR_OK && sql_is_read_only(session, &read_only, err) == ERR_IO)
        code = session_connect(session, err); /* the idle one was cut by somebody */
    return code;
}
