#include "common/store/contents.h"

#include <stdlib.h>
#include <string.h>

#define AS_NEW_MEMBER "remove the directory and let the node join as a new member"

enum error_code contents_read(const struct folder *folder, const char *cluster, const char *name,
                              struct contents *out, struct error *err)
{
    static const struct raft_hard_state nothing;
    enum error_code code;

    memset(out, 0, sizeof *out);
    code = identity_read(folder, cluster, name, &out->identity, err);
    if (!code)
        code = snapshot_read(folder, &out->snapshot, err);
    if (code)
        return code;
    out->covered = (struct recover_snapshot){out->snapshot.data != NULL, out->snapshot.last_index,
                                             out->snapshot.last_term};
    code = recover_log(folder, out->identity.id, &out->covered, &out->log, err);
    if (code)
        return code;
    out->something = out->snapshot.data != NULL || out->log.entry_count > 0 ||
                     memcmp(&out->log.hard_state, &nothing, sizeof nothing) != 0;
    /* The first start writes the log before the identity: an identity without a log is a log that somebody
     * removed. */
    if (out->identity.id == 0 && out->something)
        return error_set(err, ERR_CORRUPT,
                         "%s has a log but no identity; restore the file, or " AS_NEW_MEMBER, folder->path);
    if (out->identity.id != 0 && out->log.last_number == 0)
        return error_set(err, ERR_CORRUPT, "%s has an identity but no log; " AS_NEW_MEMBER, folder->path);
    return ERR_OK;
}

void contents_free(struct contents *contents)
{
    recover_free(&contents->log);
    free((void *)contents->snapshot.data);
    contents->snapshot.data = NULL;
}
