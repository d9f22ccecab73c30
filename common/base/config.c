#include "common/base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_BYTES_MAX (1024 * 1024)

/* All of it, NUL-terminated, from malloc; NULL with errno. libconfig itself would end the process where a
 * read fails. */
static char *read_text(const char *path)
{
    char *text = malloc(CONFIG_BYTES_MAX + 1);
    int fd = text ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    size_t size = 0;
    ssize_t count = fd < 0 ? -1 : 1;
    int problem;

    while (count > 0 && size <= CONFIG_BYTES_MAX) {
        count = read(fd, text + size, CONFIG_BYTES_MAX + 1 - size);
        if (count > 0)
            size += (size_t)count;
    }
    problem = count < 0 ? errno : size > CONFIG_BYTES_MAX ? EFBIG : memchr(text, 0, size) ? EILSEQ : 0;
    if (fd >= 0)
        close(fd);
    if (problem) {
        free(text);
        errno = problem;
        return NULL;
    }
    text[size] = '\0';
    return text;
}

/* libconfig's @include, which its scanner finds at the start of a line: it ends the process where the file
 * cannot be read, and names the wrong file for a mistake in it. The line, or 0: there is none. */
static int include_line(const char *text)
{
    for (int line = 1;; line++) {
        text += strspn(text, " \t\r");
        if (strncmp(text, "@include", 8) == 0)
            return line;
        text = strchr(text, '\n');
        if (!text)
            return 0;
        text++;
    }
}

enum error_code config_file_open(struct config_file *file, const char *path, struct error *err)
{
    enum error_code code = ERR_OK;
    char *text;
    int line;

    config_init(&file->config);
    file->path = path;
    file->err = err;
    file->failed = false;
    text = read_text(path);
    if (!text) {
        file->failed = true;
        return error_set(
            err, ERR_IO,
            "%s: cannot be read: %s; create it (see the samples under /usr/share/doc/mha4rdb) or "
            "name another file with -c",
            path, strerror(errno));
    }
    line = include_line(text);
    if (line) {
        file->failed = true;
        code = error_set(err, ERR_INVALID,
                         "%s:%d: @include is not understood; put all settings into this file", path, line);
    } else if (!config_read_string(&file->config, text)) {
        file->failed = true;
        code = error_set(err, ERR_INVALID, "%s:%d: %s; see mha4rdb.conf(5) for the syntax", path,
                         config_error_line(&file->config), config_error_text(&file->config));
    }
    free(text);
    return code;
}

void config_file_close(struct config_file *file)
{
    config_destroy(&file->config);
}

void config_fail(struct config_file *file, const config_setting_t *at, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list args;

    if (file->failed)
        return;
    file->failed = true;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (at && config_setting_source_line(at) > 0)
        error_set(file->err, ERR_INVALID, "%s:%d: %s", file->path, (int)config_setting_source_line(at), text);
    else
        error_set(file->err, ERR_INVALID, "%s: %s", file->path, text);
}

/* NULL when absent; a required one that is absent is a problem. */
static config_setting_t *find(struct config_file *file, const config_setting_t *group, const char *key,
                              bool required)
{
    config_setting_t *setting;

    if (file->failed)
        return NULL;
    setting = config_setting_get_member(group, key);
    if (!setting && required) {
        const char *name = config_setting_name(group);
        config_fail(file, group, "\"%s\" is missing%s%s%s; add it, see mha4rdb.conf(5)", key,
                    name ? " in \"" : "", name ? name : "", name ? "\"" : "");
    }
    return setting;
}

void config_get_string(struct config_file *file, const config_setting_t *group, const char *key,
                       const char *fallback, char *out, size_t size)
{
    config_setting_t *setting = find(file, group, key, fallback == NULL);
    const char *text = fallback;

    if (file->failed)
        return;
    if (setting) {
        if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
            config_fail(file, setting, "\"%s\" must be a string; write %s = \"...\";", key, key);
            return;
        }
        text = config_setting_get_string(setting);
        if (*text == '\0' && fallback == NULL) {
            config_fail(file, setting, "\"%s\" is empty; give it a value", key);
            return;
        }
    }
    if (strlen(text) >= size) {
        config_fail(file, setting, "\"%s\" is longer than %zu characters; shorten it", key, size - 1);
        return;
    }
    memcpy(out, text, strlen(text) + 1);
}

void config_get_int(struct config_file *file, const config_setting_t *group, const char *key, bool required,
                    long long fallback, long long least, long long most, long long *out)
{
    config_setting_t *setting = find(file, group, key, required);
    long long value = fallback;

    if (file->failed)
        return;
    if (setting) {
        int type = config_setting_type(setting);
        if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) {
            config_fail(file, setting, "\"%s\" must be a whole number from %lld to %lld", key, least, most);
            return;
        }
        value = config_setting_get_int64(setting);
        if (value < least || value > most) {
            config_fail(file, setting, "\"%s\" is %lld; it must be from %lld to %lld", key, value, least,
                        most);
            return;
        }
    }
    *out = value;
}

void config_get_bool(struct config_file *file, const config_setting_t *group, const char *key, bool fallback,
                     bool *out)
{
    config_setting_t *setting = find(file, group, key, false);

    if (file->failed)
        return;
    if (setting && config_setting_type(setting) != CONFIG_TYPE_BOOL) {
        config_fail(file, setting, "\"%s\" must be true or false", key);
        return;
    }
    *out = setting ? config_setting_get_bool(setting) : fallback;
}

void config_get_log_level(struct config_file *file, const config_setting_t *group, enum log_level *out)
{
    char level[16] = "";

    config_get_string(file, group, "log_level", "info", level, sizeof level);
    if (!file->failed && !log_level_parse(level, out))
        config_fail(file, config_setting_get_member(group, "log_level"),
                    "\"log_level\" is \"%s\"; write one of error, warning, notice, info, debug", level);
}

config_setting_t *config_get_group(struct config_file *file, const config_setting_t *group, const char *key,
                                   bool required)
{
    config_setting_t *setting = find(file, group, key, required);

    if (setting && !config_setting_is_group(setting)) {
        config_fail(file, setting, "\"%s\" must be a group; write %s = { ... };", key, key);
        return NULL;
    }
    return setting;
}

config_setting_t *config_get_list(struct config_file *file, const config_setting_t *group, const char *key,
                                  bool required)
{
    config_setting_t *setting = find(file, group, key, required);

    if (setting && !config_setting_is_list(setting)) {
        config_fail(file, setting, "\"%s\" must be a list; write %s = ( { ... }, { ... } );", key, key);
        return NULL;
    }
    return setting;
}

void config_finish_group(struct config_file *file, const config_setting_t *group, const char *const *known)
{
    if (file->failed)
        return;
    for (int i = 0; i < config_setting_length(group); i++) {
        config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(setting);
        unsigned k = 0;
        while (known[k] && (!name || strcmp(known[k], name) != 0))
            k++;
        if (!known[k]) {
            config_fail(
                file, setting,
                "\"%s\" is not a setting known here; remove it or mend its spelling, see mha4rdb.conf(5)",
                name ? name : "(unnamed)");
            return;
        }
    }
}

bool config_parse_address(const char *text, char *host, size_t host_size, unsigned *port)
{
    const char *colon = strrchr(text, ':');
    const char *start = text;
    size_t length;
    char *end;
    unsigned long value;

    if (!colon || colon == text || colon[1] < '0' || colon[1] > '9')
        return false;
    length = (size_t)(colon - text);
    if (text[0] == '[') {
        if (colon[-1] != ']' || length < 3)
            return false;
        start = text + 1;
        length -= 2;
    } else if (memchr(text, ':', length)) {
        return false;
    }
    value = strtoul(colon + 1, &end, 10);
    if (*end != '\0' || value > 65535 || length >= host_size)
        return false;
    memcpy(host, start, length);
    host[length] = '\0';
    *port = (unsigned)value;
    return true;
}
