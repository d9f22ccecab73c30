#include "common/net/refusals.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define MINUTE_US MS_TO_US(60000)

/* FNV-1a; a collision costs one log line. */
static uint64_t hash(uint64_t seed, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ (uint8_t)text[i]) * 1099511628211u;
    return seed;
}

void refusals_log(struct refusals *refusals, uint64_t now_us, const char *address, const char *reason)
{
    const char *port = strrchr(address, ':');
    size_t host_bytes = port ? (size_t)(port - address) : strlen(address);
    uint64_t key = hash(hash(14695981039346656037u, address, host_bytes), reason, strlen(reason)) | 1;
    unsigned oldest = 0;

    for (unsigned i = 0; i < REFUSALS_KEPT; i++) {
        if (refusals->kept[i].key == key) {
            if (now_us - refusals->kept[i].logged_us < MINUTE_US)
                return;
            oldest = i;
            break;
        }
        if (refusals->kept[i].logged_us < refusals->kept[oldest].logged_us)
            oldest = i;
    }
    if (refusals->minute_us == 0 || now_us - refusals->minute_us >= MINUTE_US) {
        refusals->minute_us = now_us;
        refusals->logged = 0;
    }
    if (refusals->logged > REFUSALS_PER_MINUTE)
        return;
    refusals->kept[oldest].key = key;
    refusals->kept[oldest].logged_us = now_us;
    if (refusals->logged++ == REFUSALS_PER_MINUTE)
        log_warning("more connections are refused than are logged; the rest of this minute is left out");
    else
        log_warning("connection with %s refused: %s", address, reason);
}
