/* replay_trace FILE...: gives traces to the pure code again and reports the first difference (make replay
 * TRACE=file). Exit status 0: none; 1: a difference; 2: no trace. */
#include <inttypes.h>
#include <stdio.h>

#include "tests/sim/trace_check.h"

static int replay(const char *path)
{
    struct trace_report report;
    int status = trace_check_file(path, &report) ? report.differs : 2;
    if (status == 2)
        fprintf(stderr, "replay_trace: %s\n", report.wanted.data);
    else if (report.differs)
        printf("%s:%" PRIu64 ": the code does not say what the trace says\n  code:  %s\n  trace: %s\n", path,
               report.line, report.wanted.data, report.got.data);
    else
        printf("%s: no difference in %" PRIu64 " lines of %" PRIu64 " starts: %" PRIu64
               " inputs of raft, %" PRIu64 " of the policy\n",
               path, report.lines, report.starts, report.raft_inputs, report.policy_inputs);
    trace_report_free(&report);
    return status;
}

int main(int argc, char **argv)
{
    int status = argc > 1 ? 0 : 2;
    if (argc == 1)
        fprintf(stderr, "usage: replay_trace FILE...\n");
    for (int i = 1; i < argc; i++) {
        int found = replay(argv[i]);
        if (found > status)
            status = found;
    }
    return status;
}
