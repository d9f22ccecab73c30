/* Where the server's log stands.
 *
 * gtid_executed lacks what is in the binary log and waits there for an acknowledgement; gtid_owned has just
 * that (tried: of three commits that wait, all three are there, though only one of them, the leader of its
 * group, counts in Rpl_semi_sync_source_wait_sessions). Owned is asked first: a transaction that ends in
 * between is in the one that is asked second. What is owned may not be in the log yet, but then it comes
 * there in a moment; only a session that has set gtid_next by hand can hold one for long. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/db/worker/mysqld.h"

enum error_code mysqld_parse(const char *text, struct position *out, struct error *err)
{
    memset(out, 0, sizeof *out);
    if (position_parse(text, out))
        return ERR_OK;
    return error_set(err, ERR_REFUSED,
                     "its GTID set cannot be compared, it has tags or more than %d intervals: %.200s",
                     POSITION_ITEMS_MAX, text);
}

static enum error_code ask_set(struct session *session, enum statement statement, char *text, size_t size,
                               struct error *err)
{
    enum error_code code = session_ask_text(session, statement, NO_ARGUMENTS, text, size, err);

    return code == ERR_INVALID ? error_set(err, ERR_REFUSED, "its GTID set is too long") : code;
}

enum error_code mysqld_executed(struct session *session, struct position *out, struct error *err)
{
    char text[VIEW_POSITION_BYTES];
    enum error_code code = ask_set(session, STATEMENT_EXECUTED, text, sizeof text, err);

    return code == ERR_OK ? mysqld_parse(text, out, err) : code;
}

bool mysqld_parse_owned(const char *text, struct position *out)
{
    char plain[VIEW_POSITION_BYTES];
    size_t used = 0;

    memset(out, 0, sizeof *out);
    while (*text) {
        if (*text == '#') {
            text++;
            while (isdigit((unsigned char)*text))
                text++;
            continue;
        }
        if (used + 1 >= sizeof plain)
            return false;
        plain[used++] = *text++;
    }
    plain[used] = '\0';
    return position_parse(plain, out);
}

enum error_code mysqld_owned(struct session *session, struct position *out, struct error *err)
{
    char text[VIEW_POSITION_BYTES * 2];
    enum error_code code = ask_set(session, STATEMENT_OWNED, text, sizeof text, err);

    if (code == ERR_OK && !mysqld_parse_owned(text, out))
        code = error_set(err, ERR_REFUSED, "what waits to be committed cannot be compared: %.200s", text);
    return code;
}

/* From the server's answer to the statement that committed: session_track_gtids. */
enum error_code mysqld_written(struct session *session, char *out, size_t size, struct error *err)
{
    const char *gtid;
    char text[128];
    size_t length;
    struct position position;

    if (mysql_session_track_get_first(session->mysql, SESSION_TRACK_GTIDS, &gtid, &length) != 0)
        return error_set(err, ERR_REFUSED,
                         "the epoch record was written, but the server tells no GTID for it (are log_bin and "
                         "gtid_mode on?)");
    snprintf(text, sizeof text, "%.*s", (int)length, gtid);
    if (!position_parse(text, &position) || !position_format(&position, out, size))
        return error_set(err, ERR_REFUSED, "the epoch record's GTID cannot be read: %s", text);
    return ERR_OK;
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

uint64_t mysqld_last_of(const struct position *position, const char *uuid)
{
    uint8_t bytes[POSITION_UUID_BYTES] = {0};
    unsigned nibbles = 0;
    uint64_t last = 0;

    for (; *uuid && nibbles < 2 * POSITION_UUID_BYTES; uuid++)
        if (isxdigit((unsigned char)*uuid)) {
            bytes[nibbles / 2] = (uint8_t)(bytes[nibbles / 2] << 4 | hex_digit(*uuid));
            nibbles++;
        }
    if (position->kind != POSITION_GTID_SET)
        return 0;
    for (unsigned i = 0; i < position->count; i++)
        if (memcmp(position->intervals[i].uuid, bytes, sizeof bytes) == 0 &&
            position->intervals[i].last > last)
            last = position->intervals[i].last;
    return last;
}

enum error_code mysqld_log_end(struct session *session, char *out, size_t size, struct error *err)
{
    struct position executed, owned;
    char uuid[64];
    uint64_t last;
    enum error_code code = mysqld_owned(session, &owned, err);

    if (code == ERR_OK)
        code = mysqld_executed(session, &executed, err);
    if (code == ERR_OK)
        code = session_ask_text(session, STATEMENT_SERVER_UUID, NO_ARGUMENTS, uuid, sizeof uuid, err);
    if (code != ERR_OK)
        return code;
    last = mysqld_last_of(&executed, uuid);
    if (mysqld_last_of(&owned, uuid) > last)
        last = mysqld_last_of(&owned, uuid);
    if (last == 0)
        return error_set(err, ERR_REFUSED, "the server has no transaction of its own in its log");
    snprintf(out, size, "%s:%llu", uuid, (unsigned long long)last);
    return ERR_OK;
}
