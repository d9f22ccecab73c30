/* text.h - a text that grows, and lines of words: `verb key=value flag other="with spaces"`.
 *
 * What is written by text_... is read back by words_...: values with a space, a quote or a byte that is not
 * printable stand in quotes, with \" \\ and \xHH. A table of named fields (struct field) writes and reads a
 * struct; fields that are 0, false or empty are left out. */
#ifndef MHA_BASE_TEXT_H
#define MHA_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed at first; `data` NULL is an empty text. */
struct text {
    char *data; /* NUL-terminated */
    size_t size, room;
    bool failed; /* no memory: the text is not complete */
};

void text_clear(struct text *text); /* keeps the memory */
void text_free(struct text *text);
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *text, const char *bytes, size_t size);
void text_add_hex(struct text *text, const void *data, size_t size);
/* The value, in quotes where it needs them. */
void text_add_value(struct text *text, const char *value);

struct word {
    const char *key;
    const char *value; /* NULL: a flag */
};

/* The words of one line, in its own memory. */
struct words {
    char *line;
    struct word *list;
    unsigned count, room;
};

/* false: no memory, or quotes that do not end. Freed with words_free in every case. */
bool words_read(struct words *words, const char *line);
void words_free(struct words *words);
/* NULL: no such word. A flag's value is "". */
const char *words_find(const struct words *words, const char *key);
/* 0 without the word or with something else than a number in it. */
uint64_t words_number(const struct words *words, const char *key);
/* Into memory of the caller's to free; NULL, with size 0: no such word, empty, or no hexadecimal. */
void *words_bytes(const char *hex, size_t *size);

enum field_kind {
    FIELD_U64,
    FIELD_UNSIGNED,
    FIELD_BOOL,  /* a flag */
    FIELD_ENUM,  /* by its name in `names`, else as a number */
    FIELD_TEXT,  /* const char *; read: points into the words, never NULL */
    FIELD_CHARS, /* char[size] */
};

struct field {
    const char *name; /* NULL: the end of the table */
    enum field_kind kind;
    size_t offset;
    size_t size;
    const char *const *names;
    unsigned name_count;
};

#define FIELD(type, member, what)                                 \
    {                                                             \
#member, FIELD_##what, offsetof(type, member), 0, NULL, 0 \
    }
#define FIELD_OF_CHARS(type, member)                                                        \
    {                                                                                       \
#member, FIELD_CHARS, offsetof(type, member), sizeof((type *)NULL)->member, NULL, 0 \
    }
#define FIELD_OF_ENUM(type, member, table)                                                      \
    {                                                                                           \
#member, FIELD_ENUM, offsetof(type, member), 0, table, sizeof(table) / sizeof(table)[0] \
    }
#define FIELD_END                      \
    {                                  \
        NULL, FIELD_U64, 0, 0, NULL, 0 \
    }

/* ` key=value` for each; the keys with `prefix`. */
void fields_write(struct text *text, const char *prefix, const struct field *fields, const void *record);
void fields_read(const struct words *words, const char *prefix, const struct field *fields, void *record);

#endif
