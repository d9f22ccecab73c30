/* trace_check.h - a trace (common/base/trace.h) given to the pure code again: the same inputs must bring the
 * same outputs, line by line, whether a daemon wrote it or the simulator.
 *
 * Each name in the trace is a group member of its own. A first line within the file begins all of them anew
 * (another start of the program, another world); what stands before it may break off. */
#ifndef MHA_SIM_TRACE_CHECK_H
#define MHA_SIM_TRACE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/text.h"

struct trace_report {
    uint64_t lines, starts, raft_inputs, policy_inputs;
    bool differs;
    uint64_t line;      /* the first that differs, from 1 */
    struct text wanted; /* what the code says there */
    struct text got;    /* what the trace says */
};

/* false: it cannot be read, or is no trace of this version (`wanted` says why). true: see `differs`. */
bool trace_check_file(const char *path, struct trace_report *report);
void trace_report_free(struct trace_report *report);

#endif
