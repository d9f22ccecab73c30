/* refusals.h - one log line per refused address and reason, at most every minute; and no more than a handful
 * a minute in all. */
#ifndef MHA_NET_REFUSALS_H
#define MHA_NET_REFUSALS_H

#include <stdint.h>

#define REFUSALS_KEPT 32
#define REFUSALS_PER_MINUTE 20

struct refusals {
    struct {
        uint64_t key; /* of host and reason; 0: free */
        uint64_t logged_us;
    } kept[REFUSALS_KEPT];
    uint64_t minute_us; /* when the present minute began */
    unsigned logged;    /* in it */
};

/* `address` is host:port; the port does not count. */
void refusals_log(struct refusals *refusals, uint64_t now_us, const char *address, const char *reason);

#endif
