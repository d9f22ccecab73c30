/* config.h - reading libconfig files so that every mistake is named with file, line and remedy.
 *
 * A reader walks its own settings one by one; config_finish_group then reports the first setting in the group
 * that nobody asked for (a wrong key). The first problem sticks: later calls do nothing, so a reader can ask
 * for everything and look at the error once. */
#ifndef MHA_BASE_CONFIG_H
#define MHA_BASE_CONFIG_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"
#include "common/base/log.h"

struct config_file {
    config_t config;
    const char *path;
    struct error *err; /* the first problem */
    bool failed;
};

/* ERR_IO: cannot be read; ERR_INVALID: syntax. Closed with config_file_close in every case. */
enum error_code config_file_open(struct config_file *file, const char *path, struct error *err);
void config_file_close(struct config_file *file);

/* Records "path:line: problem; remedy" unless a problem is there already. `at` NULL: the whole file. */
void config_fail(struct config_file *file, const config_setting_t *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Required when `fallback` is NULL (strings) or `required`. The text is copied into `out`; too long is an
 * error. */
void config_get_string(struct config_file *file, const config_setting_t *group, const char *key,
                       const char *fallback, char *out, size_t size);
void config_get_int(struct config_file *file, const config_setting_t *group, const char *key, bool required,
                    long long fallback, long long least, long long most, long long *out);
void config_get_bool(struct config_file *file, const config_setting_t *group, const char *key, bool fallback,
                     bool *out);
/* The key "log_level" of every program; "info" when it is absent. */
void config_get_log_level(struct config_file *file, const config_setting_t *group, enum log_level *out);
/* A `{...}` group or a `(...)` list; NULL when absent (an error if required) or of another type (an error).
 */
config_setting_t *config_get_group(struct config_file *file, const config_setting_t *group, const char *key,
                                   bool required);
config_setting_t *config_get_list(struct config_file *file, const config_setting_t *group, const char *key,
                                  bool required);

/* `known` is a NULL-terminated list of the keys that this group may have. */
void config_finish_group(struct config_file *file, const config_setting_t *group, const char *const *known);

/* "a.b.c.d:port" or "[v6]:port" or "name:port". */
bool config_parse_address(const char *text, char *host, size_t host_size, unsigned *port);

#endif
