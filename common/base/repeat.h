/* repeat.h - what would be said again and again, said seldom. Pure: no clock, no I/O.
 *
 * A text that differs from the last one is said at once. The same one is said again after 1, 2, 4, ...
 * seconds, at the most a minute. */
#ifndef MHA_BASE_REPEAT_H
#define MHA_BASE_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#define REPEAT_TEXT_BYTES 256
#define REPEAT_FIRST_US 1000000
#define REPEAT_MOST_US 60000000

struct repeat {                   /* zeroed: nothing was said yet */
    char text[REPEAT_TEXT_BYTES]; /* its beginning is compared */
    unsigned count;               /* how often it happened, this time included */
    uint64_t since_us;            /* the first time */
    uint64_t said_us;
    uint64_t interval_us;
};

/* It happened at `now_us`; true: say so. */
bool repeat_is_due(struct repeat *repeat, uint64_t now_us, const char *text);
/* It is over: the next time it is said at once. */
void repeat_forget(struct repeat *repeat);

#endif
