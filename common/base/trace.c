#include "common/base/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/text.h"

#define WAITING_BYTES 65536

struct trace {
    char *path;
    int fd; /* -1: the trace has ended */
    uint64_t bytes, bytes_max;
    struct text waiting;
};

static void end(struct trace *trace, const char *why)
{
    log_warning("trace %s has ended: %s", trace->path, why);
    close(trace->fd);
    trace->fd = -1;
    text_free(&trace->waiting);
}

/* What another start of the program left may break off in the middle of a line. */
static void begin(struct trace *trace)
{
    char last = '\n';
    if (trace->bytes > 0 && pread(trace->fd, &last, 1, (off_t)trace->bytes - 1) == 1 && last != '\n')
        text_add(&trace->waiting, "\n");
    text_add(&trace->waiting, "%s\n", TRACE_FIRST_LINE);
    trace_flush(trace);
}

enum error_code trace_open(const char *path, uint64_t bytes_max, struct trace **out, struct error *err)
{
    struct trace *trace = calloc(1, sizeof *trace);
    struct stat status;
    if (trace == NULL || (trace->path = strdup(path)) == NULL) {
        free(trace);
        return error_set(err, ERR_NO_MEMORY, "no memory for the trace %s", path);
    }
    trace->bytes_max = bytes_max;
    trace->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (trace->fd < 0 || fstat(trace->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        error_set(err, ERR_IO,
                  "the trace %s cannot be opened: %s; make its directory writable, or take \"trace\" "
                  "out of the configuration",
                  path, trace->fd < 0 ? strerror(errno) : "it is no file");
        if (trace->fd >= 0)
            close(trace->fd);
        free(trace->path);
        free(trace);
        return ERR_IO;
    }
    trace->bytes = (uint64_t)status.st_size;
    begin(trace);
    *out = trace;
    return ERR_OK;
}

void trace_close(struct trace *trace)
{
    if (trace == NULL)
        return;
    trace_flush(trace);
    if (trace->fd >= 0)
        close(trace->fd);
    text_free(&trace->waiting);
    free(trace->path);
    free(trace);
}

void trace_line(struct trace *trace, uint64_t now_us, const char *name, const char *text)
{
    if (trace == NULL || trace->fd < 0)
        return;
    text_add(&trace->waiting, "%" PRIu64 ".%06" PRIu64 " %s %s\n", now_us / 1000000, now_us % 1000000, name,
             text);
    if (trace->waiting.size >= WAITING_BYTES)
        trace_flush(trace);
}

void trace_flush(struct trace *trace)
{
    if (trace == NULL || trace->fd < 0 || trace->waiting.size == 0)
        return;
    if (trace->waiting.failed) {
        end(trace, "no memory");
        return;
    }
    if (trace->bytes + trace->waiting.size > trace->bytes_max) {
        end(trace, "it has reached its size");
        return;
    }
    ssize_t written = write(trace->fd, trace->waiting.data, trace->waiting.size);
    if (written != (ssize_t)trace->waiting.size) {
        end(trace, written < 0 ? strerror(errno) : "the file system is full");
        return;
    }
    trace->bytes += (uint64_t)written;
    text_clear(&trace->waiting);
}
