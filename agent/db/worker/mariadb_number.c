/* The number (server_id) by which a server goes while it stands by.
 *
 * A receiver drops events that carry its own server's number, and its position goes on as if it had them,
 * unless it asks for acknowledgements under gtid_strict_mode (tried on 10.11: rows that were cut off by crash
 * recovery, and that another server held and had acknowledged, never came back). Who stands by asks for none,
 * so it goes by another number for as long: a new one each time, for a client's session keeps the number of
 * its beginning and may write with it once this server is the primary. */
#include <stdio.h>

#include "agent/db/worker/mariadb.h"
#include "common/base/clock.h"

#define STANDBY_BIT 0x40000000u
#define OWN_BITS 17
#define OWN_MASK MARIADB_SERVER_ID_MAX
#define STANDBY_NUMBERS 8191u

uint32_t mariadb_own_number(uint32_t server_id)
{
    return server_id & STANDBY_BIT ? server_id & OWN_MASK : server_id;
}

enum error_code mariadb_take_number(struct session *session, bool standing_by, struct error *err)
{
    uint64_t now;
    char text[16];
    enum error_code code = session_ask_number(session, STATEMENT_SERVER_ID, NO_ARGUMENTS, &now, err);
    uint32_t own = mariadb_own_number((uint32_t)now), number = own;

    if (code != ERR_OK)
        return code;
    if (own > OWN_MASK && standing_by)
        return error_set(
            err, ERR_REFUSED,
            "server_id %u is too large for a node that stands by: set one from 2 to %u in my.cnf, and "
            "restart the server",
            own, OWN_MASK);
    if (standing_by)
        number |= STANDBY_BIT | (uint32_t)(clock_now_us() / 1000 % STANDBY_NUMBERS) << OWN_BITS;
    if (number == now)
        return ERR_OK;
    snprintf(text, sizeof text, "%u", number);
    return session_run(session, STATEMENT_SET_SERVER_ID, ARGUMENTS(text), err);
}

enum error_code mariadb_leave_replication(struct session *session, struct error *err)
{
    return mariadb_take_number(session, false, err);
}
