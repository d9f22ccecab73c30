/* verify.h - a look at a member's directory while nobody uses it, for an operator.
 *
 * Reads what store_open would read, by the same rules, and changes nothing: no repair, no leftover removed,
 * no file made. */
#ifndef MHA_STORE_VERIFY_H
#define MHA_STORE_VERIFY_H

#include "common/store/contents.h"

/* ERR_BUSY: a process uses the directory. ERR_INVALID: there is no such directory, or it is no member's.
 * ERR_CORRUPT: file, byte, what and remedy. ERR_IO, ERR_NO_MEMORY. `out` is freed with store_verify_free in
 * every case. */
enum error_code store_verify(const struct files *files, const char *dir, struct contents *out,
                             struct error *err);

#endif
