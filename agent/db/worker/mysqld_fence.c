/* Read-only, and the fence that is made of it and of ending sessions.
 *
 * Tried on 9.7:
 * - SET GLOBAL super_read_only = 1 waits for statements that write, for LOCK TABLES ... WRITE and for commits
 * that wait for an acknowledgement. It does not wait for open transactions that are idle (their COMMIT is
 * refused with 1290 then), for FLUSH TABLES WITH READ LOCK, or for LOCK INSTANCE FOR BACKUP. While it waits
 * nobody begins to write: new statements queue behind it.
 * - KILL closes the client's connection at once, so that it is told nothing more, and rolls a running
 * statement back. It does not let go a commit that waits for its acknowledgement: that goes on waiting, as
 * "Killed". So here, unlike on MariaDB, sessions may be ended while read-only is still on its way.
 * - offline_mode would end the sessions too, but also the replicas' dump threads, who may just be about to
 * acknowledge; and nobody needs it: killing reaches all alike.
 *
 * What is left are commits that nobody acknowledges. Switching semi-sync off lets them go. Then the server
 * would commit and show what the cluster may never hold, with acknowledgements not demanded in between; a
 * restart shows it too, but not before it is known what became of it. So semi-sync stays on, and the fence of
 * such a server is SIGKILL. */
#include <stdio.h>
#include <string.h>

#include "agent/db/worker/mysqld.h"
#include "common/base/clock.h"

#define STRANGERS_US 3000000

static enum error_code send_read_only(struct session *session, uint64_t deadline_us, struct error *err)
{
    uint64_t now_us = clock_now_us();
    char limit[32];

    snprintf(limit, sizeof limit, "%llu",
             (unsigned long long)(deadline_us > now_us ? (deadline_us - now_us) / 1000000 : 0) + 2);
    return session_send(session, STATEMENT_READ_ONLY_ON, ARGUMENTS(limit), err);
}

static enum error_code confirm(struct session *session, struct error *err)
{
    bool read_only;
    enum error_code code = sql_is_read_only(session, &read_only, err);

    if (code == ERR_OK && !read_only)
        code = error_set(err, ERR_REFUSED,
                         "super_read_only is off directly after it was switched on: somebody works against "
                         "the agent");
    return code;
}

enum error_code mysqld_read_only(struct adapter *adapter, struct session *session, uint64_t deadline_us,
                                 struct error *err)
{
    bool read_only = false;
    enum error_code code = sql_is_read_only(session, &read_only, err);

    if (code != ERR_OK || read_only)
        return code;
    code = send_read_only(session, deadline_us, err);
    if (code != ERR_OK)
        return code;
    if (session_answered(session, deadline_us)) {
        code = session_finish(session, STATEMENT_READ_ONLY_ON, err);
        return code == ERR_OK ? confirm(session, err) : code;
    }
    /* Given up: the statement ends with its session, which is seen gone. */
    session_close(session);
    code = session_connect(session, err);
    if (code == ERR_OK)
        code =
            sql_end_sessions(adapter, session, VICTIMS_STRANGERS, clock_now_us() + STRANGERS_US, NULL, err);
    if (code != ERR_OK)
        return code;
    if (session->line == LINE_OPS)
        adapter->swept_session = session->mysql;
    return error_set(err, ERR_TIMEOUT, "super_read_only was not to be had in time");
}

enum error_code mysqld_writable(struct session *session, struct error *err)
{
    uint64_t closed;
    enum error_code code = session_run(session, STATEMENT_READ_ONLY_OFF, NO_ARGUMENTS, err);

    if (code == ERR_OK)
        code = session_ask_number(session, STATEMENT_CLOSED_ASK, NO_ARGUMENTS, &closed, err);
    if (code == ERR_OK && closed)
        code = error_set(err, ERR_REFUSED, "read_only is still on after it was switched off");
    return code;
}

enum error_code mysqld_admit(struct adapter *adapter, struct session *session, bool admitted,
                             struct error *err)
{
    uint64_t closed;
    enum error_code code;

    /* odd while it is so: the probe does not take it for somebody else's doing */
    if (admitted)
        atomic_fetch_add(&adapter->admissions, 1);
    code = session_ask_number(session, STATEMENT_CLOSED_ASK, NO_ARGUMENTS, &closed, err);
    if (code == ERR_OK && closed)
        code = session_run(session, admitted ? STATEMENT_SUPER_READ_ONLY_OFF : STATEMENT_SUPER_READ_ONLY_ON,
                           NO_ARGUMENTS, err);
    if (!admitted)
        atomic_fetch_add(&adapter->admissions, 1);
    return code;
}

/* ---- the fence ---- */

static enum error_code connect_both(struct adapter *adapter, struct error *err)
{
    enum error_code code = session_connect(&adapter->sessions[LINE_FENCE], err);

    return code == ERR_OK ? session_connect(&adapter->sessions[LINE_SWEEP], err) : code;
}

enum error_code mysqld_prepare_fence(struct adapter *adapter, struct error *err)
{
    static const enum adapter_line lines[] = {LINE_FENCE, LINE_SWEEP};
    enum error_code code = connect_both(adapter, err);
    bool read_only;

    /* an idle one may have been cut by somebody */
    for (size_t i = 0; code == ERR_OK && i < sizeof lines / sizeof lines[0]; i++) {
        struct session *session = &adapter->sessions[lines[i]];
        if (sql_is_read_only(session, &read_only, err) == ERR_IO)
            code = session_connect(session, err);
    }
    return code;
}

/* Read-only under way on the one session, everybody ended from the other. */
static enum error_code close_and_sweep(struct adapter *adapter, uint64_t deadline_us, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_FENCE], *sweep = &adapter->sessions[LINE_SWEEP];
    uint64_t pause_us = 500;
    enum error_code code = send_read_only(session, deadline_us, err);

    while (code == ERR_OK && !session_answered(session, clock_now_us() + pause_us)) {
        uint64_t now_us = clock_now_us();
        if (now_us >= deadline_us)
            return error_set(err, ERR_TIMEOUT, "super_read_only is not to be had in time");
        /* one pass: it kills whoever is there, and waits for nobody */
        code = sql_end_sessions(adapter, sweep, VICTIMS_CLIENTS_AND_OPS, now_us, NULL, err);
        if (code == ERR_TIMEOUT)
            code = ERR_OK;
        if (pause_us < 8000)
            pause_us *= 2;
    }
    if (code == ERR_OK)
        code = session_finish(session, STATEMENT_READ_ONLY_ON, err);
    return code == ERR_OK ? confirm(session, err) : code;
}

enum error_code mysqld_fence(struct adapter *adapter, uint64_t deadline_us, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_FENCE], *sweep = &adapter->sessions[LINE_SWEEP];
    bool reconnected = !session_connected(session) || !session_connected(sweep), all_dying, read_only;
    enum error_code code;

    for (;;) {
        code = connect_both(adapter, err);
        if (code == ERR_OK)
            code = close_and_sweep(adapter, deadline_us, err);
        /* connections that were cut while idle are worth one more try */
        if (code != ERR_IO || reconnected)
            break;
        reconnected = true;
    }
    if (code != ERR_OK) {
        /* It may be pending still: the next try ends it first. */
        session_close(session);
        return error_prefix(err, "read-only is not confirmed");
    }
    /* Nothing can commit any more. What is left are our own late sessions, and those that came meanwhile. */
    code = sql_end_sessions(adapter, sweep, VICTIMS_CLIENTS_AND_OPS, deadline_us, &all_dying, err);
    if (code == ERR_TIMEOUT && all_dying)
        code = ERR_OK; /* rolling back: its client's connection is closed */
    if (code == ERR_OK)
        code = sql_is_read_only(session, &read_only, err);
    if (code == ERR_OK && !read_only)
        /* a late statement of a session that is gone now opened it again */
        code = close_and_sweep(adapter, deadline_us, err);
    return code;
}
