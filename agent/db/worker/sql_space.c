/* Whether there is room where the server writes. */
#include <string.h>
#include <sys/statvfs.h>

#include "agent/db/worker/sql.h"

/* A file system that has less is full for a server that cannot write. */
#define SPACE_LEAST_BYTES 1048576u

/* The log first. */
static void learn_folders(struct adapter *adapter, struct session *session)
{
    static const enum statement statements[DOUBT_FOLDERS] = {STATEMENT_LOG_FOLDER, STATEMENT_DATA_FOLDER};
    struct error ignored;

    for (int i = 0; i < DOUBT_FOLDERS; i++) {
        char *folder = adapter->folders[i], *slash;
        if (session_ask_text(session, statements[i], NO_ARGUMENTS, folder, DB_PATH_BYTES, &ignored) != ERR_OK)
            folder[0] = '\0';
        /* of log_bin_basename the last part is a file's name; statvfs needs no right to the folder itself */
        slash = strrchr(folder, '/');
        if (slash)
            *slash = '\0';
    }
}

enum error_code sql_doubt_connect(struct adapter *adapter, struct session *session, struct error *err)
{
    bool connected = session_connected(session);
    enum error_code code = session_connect(session, err);

    if (code == ERR_OK && !connected)
        learn_folders(adapter, session);
    return code;
}

static bool is_full(const char *folder, bool *known)
{
    struct statvfs status;

    *known = folder[0] && statvfs(folder, &status) == 0;
    return *known && (uint64_t)status.f_bavail * status.f_frsize < SPACE_LEAST_BYTES;
}

const char *sql_full_folder(const struct adapter *adapter, bool *has_room)
{
    const char *full = NULL;

    *has_room = true;
    for (int i = 0; i < DOUBT_FOLDERS; i++) {
        bool known;
        if (is_full(adapter->folders[i], &known) && !full)
            full = adapter->folders[i];
        *has_room = *has_room && known && !full;
    }
    return full;
}
