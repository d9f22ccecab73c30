/* log.h - one line per event on standard error, ready for the journal.
 *
 * With JOURNAL_STREAM set each line starts with the "<N>" priority that sd-daemon(3) describes; otherwise
 * with the UTC time in milliseconds, the host's name for this program and the level. */
#ifndef MHA_BASE_LOG_H
#define MHA_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* `program` (e.g. "mha4rdb-agent") must outlive the process. Lines less important than `level` are dropped.
 */
void log_open(const char *program, enum log_level level);
void log_set_level(enum log_level level);
bool log_level_parse(const char *name, enum log_level *level); /* "error" ... "debug" */

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
