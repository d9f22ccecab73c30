/* reach.h - can a TCP port be reached from here? One try, without blocking. */
#ifndef MHA_API_REACH_H
#define MHA_API_REACH_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct reach;

/* From the loop, once. `why` NULL: somebody accepted; else why not. The reach is over then, and still the
 * owner's to free, in the callback or later. */
typedef void (*reach_done)(void *context, const char *why);

/* `address` is numeric, v4 or v6. NULL: no memory, or no address. */
struct reach *reach_start(struct event_base *base, const char *address, unsigned port, uint64_t timeout_us,
                          reach_done done, void *context);
void reach_free(struct reach *reach); /* NULL is allowed; no callback comes any more */

#endif
