/* clock.h - the one clock: CLOCK_BOOTTIME in microseconds.
 *
 * It never jumps when the wall clock is set, and it counts a suspend of the machine. All instants in the
 * program are `..._us` of this clock; leases are compared by it between the processes of one host. */
#ifndef MHA_BASE_CLOCK_H
#define MHA_BASE_CLOCK_H

#include <stdint.h>

#define MS_TO_US(ms) ((uint64_t)(ms)*1000u)

uint64_t clock_now_us(void);

/* What the wall clock shows: for people, and to find hosts whose clocks differ; nothing is decided by it. */
uint64_t clock_wall_us(void);

#endif
