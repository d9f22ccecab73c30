#include "common/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 128

/* ---- writing ---- */

static bool reserve(struct text *text, size_t more)
{
    if (text->failed)
        return false;
    if (text->size + more + 1 <= text->room)
        return true;
    size_t room = 2 * (text->size + more) + 256;
    char *data = realloc(text->data, room);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->room = room;
    return true;
}

void text_clear(struct text *text)
{
    text->size = 0;
    text->failed = false;
    if (text->data != NULL)
        text->data[0] = '\0';
}

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

void text_add_bytes(struct text *text, const char *bytes, size_t size)
{
    if (!reserve(text, size))
        return;
    memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(text, (size_t)length))
        return;
    va_start(arguments, format);
    vsnprintf(text->data + text->size, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->size += (size_t)length;
}

void text_add_hex(struct text *text, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;
    if (!reserve(text, 2 * size))
        return;
    for (size_t i = 0; i < size; i++) {
        text->data[text->size++] = digits[bytes[i] >> 4];
        text->data[text->size++] = digits[bytes[i] & 15];
    }
    text->data[text->size] = '\0';
}

static bool is_plain(char c)
{
    return c > ' ' && c <= '~' && c != '"' && c != '\\';
}

void text_add_value(struct text *text, const char *value)
{
    size_t length = 0;
    while (is_plain(value[length]))
        length++;
    if (length > 0 && value[length] == '\0') {
        text_add_bytes(text, value, length);
        return;
    }
    text_add_bytes(text, "\"", 1);
    for (; *value != '\0'; value++) {
        if (is_plain(*value) || *value == ' ')
            text_add_bytes(text, value, 1);
        else if (*value == '"' || *value == '\\')
            text_add(text, "\\%c", *value);
        else
            text_add(text, "\\x%02x", (unsigned char)*value);
    }
    text_add_bytes(text, "\"", 1);
}

/* ---- reading ---- */

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes the quotes and escapes out in place; NULL: they do not end. */
static char *unquote(char *from, char **out)
{
    char *to = from;
    *out = to;
    for (from++; *from != '"'; from++) {
        if (*from == '\0')
            return NULL;
        if (*from != '\\') {
            *to++ = *from;
        } else if (from[1] == 'x' && from[2] != '\0' && digit(from[2]) >= 0 && digit(from[3]) >= 0) {
            *to++ = (char)(digit(from[2]) * 16 + digit(from[3]));
            from += 3;
        } else if (from[1] != '\0') {
            *to++ = *++from;
        }
    }
    *to = '\0';
    return from + 1;
}

static bool add_word(struct words *words, const char *key, const char *value)
{
    if (words->count == words->room) {
        unsigned room = words->room == 0 ? 32 : 2 * words->room;
        struct word *list = realloc(words->list, room * sizeof *list);
        if (list == NULL)
            return false;
        words->list = list;
        words->room = room;
    }
    words->list[words->count++] = (struct word){key, value};
    return true;
}

bool words_read(struct words *words, const char *line)
{
    *words = (struct words){.line = strdup(line)};
    if (words->line == NULL)
        return false;
    char *at = words->line;
    for (;;) {
        while (*at == ' ')
            at++;
        if (*at == '\0')
            return true;
        char *key = at, *value = NULL;
        at += strcspn(at, " =");
        if (*at == '=') {
            *at++ = '\0';
            value = at;
            if (*at == '"')
                at = unquote(at, &value);
            else
                at += strcspn(at, " ");
        }
        if (at == NULL || (*at != ' ' && *at != '\0'))
            return false;
        if (*at == ' ')
            *at++ = '\0';
        if (!add_word(words, key, value))
            return false;
    }
}

void words_free(struct words *words)
{
    free(words->line);
    free(words->list);
    *words = (struct words){0};
}

const char *words_find(const struct words *words, const char *key)
{
    for (unsigned i = 0; i < words->count; i++) {
        if (strcmp(words->list[i].key, key) == 0)
            return words->list[i].value == NULL ? "" : words->list[i].value;
    }
    return NULL;
}

uint64_t words_number(const struct words *words, const char *key)
{
    const char *value = words_find(words, key);
    return value == NULL ? 0 : strtoull(value, NULL, 10);
}

void *words_bytes(const char *hex, size_t *size)
{
    *size = 0;
    size_t length = hex == NULL ? 0 : strspn(hex, "0123456789abcdef") / 2;
    unsigned char *bytes = length == 0 ? NULL : malloc(length);
    if (bytes == NULL)
        return NULL;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
    *size = length;
    return bytes;
}

/* ---- fields ---- */

static void write_enum(struct text *text, const char *prefix, const struct field *field, unsigned value)
{
    if (value < field->name_count && field->names[value] != NULL)
        text_add(text, " %s%s=%s", prefix, field->name, field->names[value]);
    else
        text_add(text, " %s%s=%u", prefix, field->name, value);
}

void fields_write(struct text *text, const char *prefix, const struct field *fields, const void *record)
{
    for (const struct field *field = fields; field->name != NULL; field++) {
        const void *at = (const char *)record + field->offset;
        const char *string = NULL;
        switch (field->kind) {
        case FIELD_U64:
            if (*(const uint64_t *)at != 0)
                text_add(text, " %s%s=%" PRIu64, prefix, field->name, *(const uint64_t *)at);
            break;
        case FIELD_UNSIGNED:
            if (*(const unsigned *)at != 0)
                text_add(text, " %s%s=%u", prefix, field->name, *(const unsigned *)at);
            break;
        case FIELD_BOOL:
            if (*(const bool *)at)
                text_add(text, " %s%s", prefix, field->name);
            break;
        case FIELD_ENUM:
            if (*(const unsigned *)at != 0)
                write_enum(text, prefix, field, *(const unsigned *)at);
            break;
        case FIELD_TEXT:
            string = *(const char *const *)at;
            break;
        case FIELD_CHARS:
            string = at;
            break;
        }
        if (string != NULL && string[0] != '\0') {
            text_add(text, " %s%s=", prefix, field->name);
            text_add_value(text, string);
        }
    }
}

static unsigned read_enum(const struct field *field, const char *value)
{
    for (unsigned i = 0; i < field->name_count; i++) {
        if (field->names[i] != NULL && strcmp(field->names[i], value) == 0)
            return i;
    }
    return (unsigned)strtoul(value, NULL, 10);
}

void fields_read(const struct words *words, const char *prefix, const struct field *fields, void *record)
{
    for (const struct field *field = fields; field->name != NULL; field++) {
        void *at = (char *)record + field->offset;
        char key[KEY_BYTES];
        snprintf(key, sizeof key, "%s%s", prefix, field->name);
        const char *value = words_find(words, key);
        switch (field->kind) {
        case FIELD_U64:
            *(uint64_t *)at = words_number(words, key);
            break;
        case FIELD_UNSIGNED:
            *(unsigned *)at = (unsigned)words_number(words, key);
            break;
        case FIELD_BOOL:
            *(bool *)at = value != NULL;
            break;
        case FIELD_ENUM:
            *(unsigned *)at = value == NULL ? 0 : read_enum(field, value);
            break;
        case FIELD_TEXT:
            *(const char **)at = value == NULL ? "" : value;
            break;
        case FIELD_CHARS:
            snprintf(at, field->size, "%s", value == NULL ? "" : value);
            break;
        }
    }
}
