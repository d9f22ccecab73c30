/* Commits that wait though their acknowledgement can be had.
 *
 * Tried on 9.7: a replica that received transactions, and whose acknowledgement was lost with its connection,
 * acknowledges them no more once it connects again: by GTID it is sent only what comes after them. They
 * wait until a later transaction is acknowledged, with them. If all clients wait, nobody writes one. So the
 * agent does: it writes a row of its own, without waiting for the answer, once nothing has moved for
 * NUDGE_AFTER_US though as many replicas as are needed are connected.
 *
 * Such a statement waits for its acknowledgement like any other, and may be stranded in the same way: hence a
 * few sessions, which are ours for as long as their statement lasts. */
#include <stdio.h>

#include "agent/db/worker/mysqld.h"
#include "common/base/clock.h"

#define NUDGE_AFTER_US 100000
#define NUDGE_AGAIN_US 1000000

/* Closes those that have been answered; a free one, or NULL. */
static struct session *settle(struct adapter *adapter)
{
    struct session *free_one = NULL;
    struct error ignored;

    for (int line = LINE_NUDGE; line <= LINE_NUDGE_LAST; line++) {
        struct session *session = &adapter->sessions[line];
        if (session_connected(session) && session_answered(session, 0)) {
            session_finish(session, STATEMENT_NUDGE, &ignored);
            session_close(session);
        }
        if (!session_connected(session))
            free_one = session;
    }
    return free_one;
}

void mysqld_nudge(struct adapter *adapter, const struct db_view *view, const struct position *committed)
{
    struct mysqld_nudging *nudging = &adapter->nudging;
    struct session *session = settle(adapter);
    uint64_t now_us = clock_now_us();
    struct error ignored;
    char row[16];

    if (view->read_only || view->acks == 0 || view->waiting_commits == 0 ||
        view->acknowledging_clients < view->acks ||
        position_compare(&nudging->committed, committed) != POSITION_EQUAL) {
        nudging->committed = *committed;
        nudging->since_us = now_us;
        return;
    }
    if (now_us < nudging->since_us + NUDGE_AFTER_US || now_us < nudging->nudged_us + NUDGE_AGAIN_US ||
        !session)
        return;
    nudging->nudged_us = now_us;
    snprintf(row, sizeof row, "%d", (int)session->line - LINE_NUDGE);
    if (session_connect(session, &ignored) == ERR_OK &&
        session_send(session, STATEMENT_NUDGE, ARGUMENTS(row), &ignored) != ERR_OK)
        session_close(session);
}
