/* trace.h - the file that a daemon's trace goes to (mha4rdb.conf(5), "trace"; common/raft/trace.h and
 * agent/cluster/trace.h say what stands in it).
 *
 * One line per input and output:  SECONDS.MICROSECONDS NAME WHAT...   after a first line that names the
 * version. Lines wait in memory until trace_flush, or until there are many; then one write(2). A file that
 * cannot be written, or has reached its size, ends the trace with one line in the log, and nothing else. */
#ifndef MHA_BASE_TRACE_H
#define MHA_BASE_TRACE_H

#include <stdint.h>

#include "common/base/error.h"

#define TRACE_FIRST_LINE "mha4rdb-trace 1"

struct trace;

/* Appends to what is there: a new first line begins what this start of the program has to say. */
enum error_code trace_open(const char *path, uint64_t bytes_max, struct trace **out, struct error *err);
void trace_close(struct trace *trace); /* flushes */

void trace_line(struct trace *trace, uint64_t now_us, const char *name, const char *text);
void trace_flush(struct trace *trace);

#endif
