/* error.h - errors as values: a small code for the program, a sentence for the person.
 *
 * A function that can fail for a reason of the world (a file, a peer, a setting) takes a `struct error *`
 * as its last argument and returns an enum error_code. It fills the error where the facts are known: what,
 * where, why, and the remedy. The caller that handles the failure logs it, once. */
#ifndef MHA_BASE_ERROR_H
#define MHA_BASE_ERROR_H

enum error_code {
    ERR_OK = 0,
    ERR_INVALID,    /* the input is wrong: a setting, an argument, a message */
    ERR_IO,         /* a file or a socket failed */
    ERR_CORRUPT,    /* stored data is damaged */
    ERR_NOT_LEADER, /* only the leader can do this */
    ERR_BUSY,       /* not now; the text says what is in the way */
    ERR_REFUSED,    /* against a rule; the text says which */
    ERR_TIMEOUT,
    ERR_NO_MEMORY,
    ERR_INTERNAL,
};

#define ERROR_TEXT_BYTES 512

struct error {
    enum error_code code;
    char text[ERROR_TEXT_BYTES]; /* NUL-terminated, cut to fit */
};

/* Fill `err` (NULL is allowed) and return `code`, so that `return error_set(...)` reads well. */
enum error_code error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "context: " before the text that is there, and return its code. */
enum error_code error_prefix(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
