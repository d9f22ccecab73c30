/* rebuild_lines.h - what the agent and its child mha4rdb-rebuild say to each other: lines of words
 * (common/base/text.h), each ended by a newline, on the child's standard input and output.
 *
 * To the child, the first line:
 *   receive donor=db2 host=192.0.2.12 port=3306 known="..." rate_mb=0 reason="..."
 *   donate donor=db1 rate_mb=0              (here `donor` is whom it is for)
 * and, after it has said `want`, one of
 *   offer address=192.0.2.12:7421 token=...
 *   offer why="..."
 * End of file at any time: cancel and end.
 *
 * From the child:
 *   phase name=saving                       saving, copying, preparing, starting
 *   progress done_bytes=N total_bytes=N     total 0: not known
 *   saved path=... transactions=N           without words: there was nothing to save
 *   want                                    the donor's offer
 *   offer address=... token=...             a donor's: it listens now
 *   failed why="..."  |  done               the last line
 *
 * Pure. */
#ifndef MHA_AGENT_REBUILD_LINES_H
#define MHA_AGENT_REBUILD_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

#define REBUILD_LINE_BYTES_MAX 65536
#define REBUILD_TOKEN_BYTES 65 /* 64 hexadecimal digits */
#define REBUILD_ADDRESS_BYTES 280

enum rebuild_verb {
    REBUILD_NOTHING, /* no line of this protocol */
    REBUILD_RECEIVE,
    REBUILD_DONATE,
    REBUILD_OFFER,
    REBUILD_PHASE,
    REBUILD_PROGRESS,
    REBUILD_SAVED,
    REBUILD_WANT,
    REBUILD_FAILED,
    REBUILD_DONE,
};

struct rebuild_line {
    enum rebuild_verb verb;
    /* never NULL after reading; they point into the words */
    const char *donor, *host, *known, *reason, *address, *token, *why, *name, *path;
    unsigned port, rate_mb;
    uint64_t done_bytes, total_bytes, transactions;
};

/* Reads `text` (without its newline) into `words`, which is freed by the caller with words_free in every
 * case. */
void rebuild_line_read(struct rebuild_line *line, struct words *words, const char *text);
/* Adds the line with its newline; NULL texts are left out. */
void rebuild_line_write(struct text *text, const struct rebuild_line *line);

/* The message of DonateRequest's reply, "host:port token". false: it is no such. */
bool rebuild_offer_read(const char *message, char address[REBUILD_ADDRESS_BYTES],
                        char token[REBUILD_TOKEN_BYTES]);

#endif
