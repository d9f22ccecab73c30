/* Read-only, and the fence that is made of it and of ending sessions. */
#include <stdio.h>

#include "agent/db/worker/mariadb.h"
#include "common/base/clock.h"

enum error_code mariadb_read_only(struct adapter *adapter, struct session *session, uint64_t deadline_us,
                                  struct error *err)
{
    uint64_t now_us = clock_now_us();
    uint64_t left_us = deadline_us > now_us + 1000 ? deadline_us - now_us : 1000;
    char limit[32];
    bool read_only;
    enum error_code code;

    (void)adapter;
    /* 0 would mean: no limit */
    snprintf(limit, sizeof limit, "%llu.%06llu", (unsigned long long)(left_us / 1000000),
             (unsigned long long)(left_us % 1000000));
    code = session_run(session, STATEMENT_READ_ONLY_ON, ARGUMENTS(limit), err);
    if (code == ERR_OK)
        code = sql_is_read_only(session, &read_only, err);
    if (code == ERR_OK && !read_only)
        code =
            error_set(err, ERR_REFUSED,
                      "read_only is off directly after it was switched on: somebody works against the agent");
    return code;
}

enum error_code mariadb_writable(struct session *session, struct error *err)
{
    bool read_only;
    enum error_code code = session_run(session, STATEMENT_READ_ONLY_OFF, NO_ARGUMENTS, err);

    if (code == ERR_OK)
        code = sql_is_read_only(session, &read_only, err);
    if (code == ERR_OK && read_only)
        code = error_set(err, ERR_REFUSED, "read_only is still on after it was switched off");
    return code;
}

enum error_code mariadb_fence(struct adapter *adapter, uint64_t deadline_us, struct error *err)
{
    struct session *session = &adapter->sessions[LINE_FENCE];
    bool reconnected = !session_connected(session), read_only, all_dying;
    enum error_code code;

    for (;;) {
        code = session_connect(session, err);
        if (code == ERR_OK)
            code = mariadb_read_only(adapter, session, deadline_us, err);
        /* a connection that was cut while idle is worth one more try */
        if (code != ERR_IO || reconnected)
            break;
        reconnected = true;
    }
    if (code != ERR_OK)
        return error_prefix(err, "read_only is not confirmed");
    /* Now nothing of an ordinary account can commit any more; what is left are sessions with READ ONLY ADMIN,
     * and our own late ones. */
    code = sql_end_sessions(adapter, session, VICTIMS_CLIENTS_AND_OPS, deadline_us, &all_dying, err);
    /* Killed but rolling back: such a session cannot tell its client anything any more. */
    if (code == ERR_TIMEOUT && all_dying)
        code = ERR_OK;
    if (code == ERR_OK)
        code = sql_is_read_only(session, &read_only, err);
    if (code == ERR_OK && !read_only)
        /* a late statement of a session that is gone now opened it again */
        code = mariadb_read_only(adapter, session, deadline_us, err);
    return code;
}
