#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_BYTES 2048

static const struct {
    const char *name;
    int priority; /* sd-daemon(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", 3},   [LOG_LEVEL_WARNING] = {"warning", 4},
    [LOG_LEVEL_NOTICE] = {"notice", 5}, [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

static const char *log_program = "mha4rdb";
static enum log_level log_threshold = LOG_LEVEL_INFO;
static bool log_to_journal;

void log_open(const char *program, enum log_level level)
{
    log_program = program;
    log_threshold = level;
    log_to_journal = getenv("JOURNAL_STREAM") != NULL;
}

void log_set_level(enum log_level level)
{
    log_threshold = level;
}

bool log_level_parse(const char *name, enum log_level *level)
{
    for (unsigned i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(name, levels[i].name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

/* One write(2) a line, so that lines of several processes on one stream never mix. */
static void log_line(enum log_level level, const char *format, va_list args)
{
    char line[LOG_LINE_BYTES];
    size_t used;

    if (level > log_threshold)
        return;
    if (log_to_journal) {
        used = (size_t)snprintf(line, sizeof line, "<%d>", levels[level].priority);
    } else {
        struct timespec now;
        struct tm utc;
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &utc);
        used = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
        used +=
            (size_t)snprintf(line + used, sizeof line - used, ".%03ldZ %s[%ld] %s: ", now.tv_nsec / 1000000,
                             log_program, (long)getpid(), levels[level].name);
    }
    int written = vsnprintf(line + used, sizeof line - used - 1, format, args);
    if (written > 0)
        used += (size_t)written < sizeof line - used - 1 ? (size_t)written : sizeof line - used - 2;
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0)
        return; /* nobody reads our log: nothing better to do than to go on */
}

#define DEFINE_LOG(name, level)        \
    void name(const char *format, ...) \
    {                                  \
        va_list args;                  \
        va_start(args, format);        \
        log_line(level, format, args); \
        va_end(args);                  \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_notice, LOG_LEVEL_NOTICE)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
