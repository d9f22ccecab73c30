/* verify.h - `--verify-store DIR` of the agent and the arbiter: what a stopped member's directory holds. */
#ifndef MHA_REPLICA_VERIFY_H
#define MHA_REPLICA_VERIFY_H

#include <stdio.h>

enum replica_verify_result {
    REPLICA_VERIFY_SOUND = 0,
    REPLICA_VERIFY_DAMAGED = 1,
    REPLICA_VERIFY_NOT_CHECKED = 2, /* in use, not there, not a member's, not readable */
};

/* Prints the contents, or on `errors` why not: file, byte, what and remedy. Changes nothing. The value is the
 * program's exit status. */
enum replica_verify_result replica_verify_store(const char *dir, FILE *out, FILE *errors);

#endif
