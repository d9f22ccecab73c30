#include "tests/sim/story_file.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN "        | "
#define CONTEXT 2    /* lines around a difference */
#define LAST_LINES 8 /* told with a failure */

struct lines {
    char **text; /* without their ends, owned */
    unsigned count, capacity;
};

struct story_file {
    const char *path;
    int digits;
    struct lines old, now;
    unsigned next; /* of the old lines */
    char line[256];
};

static void add(struct lines *lines, const char *text)
{
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity == 0 ? 64 : 2 * lines->capacity;
        lines->text = realloc(lines->text, lines->capacity * sizeof *lines->text);
        assert(lines->text != NULL);
    }
    lines->text[lines->count] = strdup(text);
    assert(lines->text[lines->count] != NULL);
    lines->count++;
}

static void free_lines(struct lines *lines)
{
    for (unsigned i = 0; i < lines->count; i++)
        free(lines->text[i]);
    free(lines->text);
}

static bool is_trace(const char *line)
{
    return line[strspn(line, " \t")] == '|';
}

struct story_file *story_file_open(const char *path, int digits)
{
    FILE *stream = fopen(path, "r");
    if (stream == NULL)
        return NULL;
    struct story_file *file = calloc(1, sizeof *file);
    assert(file != NULL);
    file->path = path;
    file->digits = digits;
    while (fgets(file->line, sizeof file->line, stream) != NULL) {
        file->line[strcspn(file->line, "\n")] = '\0';
        add(&file->old, file->line);
    }
    fclose(stream);
    return file;
}

void story_file_close(struct story_file *file)
{
    free_lines(&file->old);
    free_lines(&file->now);
    free(file);
}

char *story_file_next(struct story_file *file, unsigned *line_number)
{
    while (file->next < file->old.count && is_trace(file->old.text[file->next]))
        file->next++;
    if (file->next == file->old.count)
        return NULL;
    snprintf(file->line, sizeof file->line, "%s", file->old.text[file->next++]);
    add(&file->now, file->line);
    *line_number = file->next;
    return file->line;
}

void story_file_tell(struct story_file *file, uint64_t us, const char *who, const char *format, ...)
{
    char text[256];
    int length = snprintf(text, sizeof text, MARGIN "%.*f %s ", file->digits, (double)us / 1e6, who);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    va_end(arguments);
    add(&file->now, text);
}

void story_file_last(const struct story_file *file, char *text, size_t size)
{
    unsigned first = file->now.count > LAST_LINES ? file->now.count - LAST_LINES : 0;
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = first; i < file->now.count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "\n    %s", file->now.text[i]);
}

/* ---- the difference ---- */

struct diff {
    const struct lines *old, *now;
    unsigned *common; /* [old][now]: the longest common sequence of what follows */
    char *text;
    size_t size, used;
};

static unsigned *common_at(const struct diff *diff, unsigned o, unsigned n)
{
    return &diff->common[o * (diff->now->count + 1) + n];
}

static bool same(const struct diff *diff, unsigned o, unsigned n)
{
    return strcmp(diff->old->text[o], diff->now->text[n]) == 0;
}

static void measure(struct diff *diff)
{
    diff->common = calloc((size_t)(diff->old->count + 1) * (diff->now->count + 1), sizeof *diff->common);
    assert(diff->common != NULL);
    for (unsigned o = diff->old->count; o-- > 0;) {
        for (unsigned n = diff->now->count; n-- > 0;) {
            unsigned skip_old = *common_at(diff, o + 1, n), skip_now = *common_at(diff, o, n + 1);
            *common_at(diff, o, n) = same(diff, o, n)       ? *common_at(diff, o + 1, n + 1) + 1
                                     : skip_old >= skip_now ? skip_old
                                                            : skip_now;
        }
    }
}

static void show(struct diff *diff, char sign, unsigned line_number, const char *line)
{
    if (diff->used < diff->size)
        diff->used += (size_t)snprintf(diff->text + diff->used, diff->size - diff->used, "\n    %c%4u %s",
                                       sign, line_number, line);
}

static bool is_near_a_change(const struct diff *diff, const bool *changed, unsigned o)
{
    unsigned first = o > CONTEXT ? o - CONTEXT : 0;
    for (unsigned i = first; i <= o + CONTEXT && i <= diff->old->count; i++) {
        if (changed[i])
            return true;
    }
    return false;
}

/* Walks through both; `changed` marks the old lines at which something is. With NULL it shows. */
static void walk(struct diff *diff, bool *changed, bool shows)
{
    unsigned o = 0, n = 0;
    while (o < diff->old->count || n < diff->now->count) {
        if (o < diff->old->count && n < diff->now->count && same(diff, o, n)) {
            if (shows && is_near_a_change(diff, changed, o))
                show(diff, ' ', o + 1, diff->old->text[o]);
            o++;
            n++;
            continue;
        }
        changed[o] = true;
        bool drop_old = n == diff->now->count ||
                        (o < diff->old->count && *common_at(diff, o + 1, n) >= *common_at(diff, o, n + 1));
        if (shows)
            show(diff, drop_old ? '-' : '+', o + 1, drop_old ? diff->old->text[o] : diff->now->text[n]);
        o += drop_old;
        n += !drop_old;
    }
}

static void tell_difference(const struct story_file *file, char *problem, size_t size)
{
    struct diff diff = {.old = &file->old, .now = &file->now, .text = problem, .size = size};
    bool *changed = calloc(file->old.count + 1, sizeof *changed);
    assert(changed != NULL);
    measure(&diff);
    diff.used = (size_t)snprintf(problem, size,
                                 "%s: another trace than it says (-) happened (+); if it should be so: make "
                                 "stories-rewrite",
                                 file->path);
    walk(&diff, changed, false);
    walk(&diff, changed, true);
    free(changed);
    free(diff.common);
}

static bool is_same(const struct story_file *file)
{
    if (file->old.count != file->now.count)
        return false;
    for (unsigned i = 0; i < file->old.count; i++) {
        if (strcmp(file->old.text[i], file->now.text[i]) != 0)
            return false;
    }
    return true;
}

static bool rewrite(const struct story_file *file, char *problem, size_t size)
{
    FILE *stream = fopen(file->path, "w");
    bool good = stream != NULL;
    for (unsigned i = 0; good && i < file->now.count; i++)
        good = fprintf(stream, "%s\n", file->now.text[i]) > 0;
    if (stream != NULL)
        good = fclose(stream) == 0 && good;
    if (!good)
        snprintf(problem, size, "%s: cannot be written", file->path);
    return good;
}

bool story_file_agrees(struct story_file *file, char *problem, size_t size)
{
    if (is_same(file))
        return true;
    if (getenv("REWRITE") != NULL)
        return rewrite(file, problem, size);
    tell_difference(file, problem, size);
    return false;
}
