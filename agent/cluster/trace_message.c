#include "agent/cluster/trace_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 128

static const void *at(const ProtobufCMessage *message, unsigned offset)
{
    return (const char *)message + offset;
}

/* ---- writing ---- */

static void write_value(struct text *text, const char *key, const ProtobufCFieldDescriptor *field,
                        const void *value, bool always)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_ENUM:
        if (always || *(const uint32_t *)value != 0)
            text_add(text, " %s=%" PRIu32, key, *(const uint32_t *)value);
        break;
    case PROTOBUF_C_TYPE_UINT64:
        if (always || *(const uint64_t *)value != 0)
            text_add(text, " %s=%" PRIu64, key, *(const uint64_t *)value);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        if (always || *(const protobuf_c_boolean *)value)
            text_add(text, " %s=%d", key, *(const protobuf_c_boolean *)value != 0);
        break;
    case PROTOBUF_C_TYPE_STRING: {
        const char *string = *(char *const *)value;
        if (always || (string != NULL && string[0] != '\0')) {
            text_add(text, " %s=", key);
            text_add_value(text, string == NULL ? "" : string);
        }
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *inner = *(ProtobufCMessage *const *)value;
        char prefix[KEY_BYTES + 2];
        if (inner == NULL)
            break;
        snprintf(prefix, sizeof prefix, "%s.", key);
        text_add(text, " %s", key); /* it is there, with whatever it says */
        trace_message_write(text, prefix, inner);
        break;
    }
    default: /* no trace has any */
        break;
    }
}

static size_t size_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT64:
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    default:
        return sizeof(uint32_t);
    }
}

void trace_message_write(struct text *text, const char *prefix, const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const void *value = at(message, field->offset);
        char key[KEY_BYTES];
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            snprintf(key, sizeof key, "%s%s", prefix, field->name);
            write_value(text, key, field, value, false);
            continue;
        }
        size_t count = *(const size_t *)at(message, field->quantifier_offset);
        for (size_t n = 0; n < count; n++) {
            snprintf(key, sizeof key, "%s%s[%zu]", prefix, field->name, n);
            write_value(text, key, field, *(const char *const *)value + n * size_of(field), true);
        }
    }
}

/* ---- reading ---- */

/* false: no memory. */
static bool read_value(const struct words *words, const char *key, const char *found,
                       const ProtobufCFieldDescriptor *field, void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_ENUM:
        *(uint32_t *)value = (uint32_t)strtoul(found, NULL, 10);
        return true;
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)value = strtoull(found, NULL, 10);
        return true;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)value = found[0] == '1';
        return true;
    case PROTOBUF_C_TYPE_STRING:
        *(char **)value = strdup(found);
        return *(char **)value != NULL;
    case PROTOBUF_C_TYPE_MESSAGE: {
        char prefix[KEY_BYTES + 2];
        snprintf(prefix, sizeof prefix, "%s.", key);
        *(ProtobufCMessage **)value = trace_message_read(words, prefix, field->descriptor);
        return *(ProtobufCMessage **)value != NULL;
    }
    default:
        return true;
    }
}

static bool read_repeated(const struct words *words, const char *prefix, ProtobufCMessage *message,
                          const ProtobufCFieldDescriptor *field)
{
    char **list = (char **)((char *)message + field->offset);
    size_t *count = (size_t *)((char *)message + field->quantifier_offset);
    char key[KEY_BYTES];
    for (;; (*count)++) {
        snprintf(key, sizeof key, "%s%s[%zu]", prefix, field->name, *count);
        const char *found = words_find(words, key);
        if (found == NULL)
            return true;
        char *grown = realloc(*list, (*count + 1) * size_of(field));
        if (grown == NULL)
            return false;
        *list = grown;
        memset(grown + *count * size_of(field), 0, size_of(field));
        if (!read_value(words, key, found, field, grown + *count * size_of(field)))
            return false;
    }
}

ProtobufCMessage *trace_message_read(const struct words *words, const char *prefix,
                                     const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = calloc(1, descriptor->sizeof_message);
    bool good = message != NULL;
    if (good)
        protobuf_c_message_init(descriptor, message);
    for (unsigned i = 0; good && i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        char key[KEY_BYTES];
        snprintf(key, sizeof key, "%s%s", prefix, field->name);
        const char *found = words_find(words, key);
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            good = read_repeated(words, prefix, message, field);
        else if (found != NULL)
            good = read_value(words, key, found, field, (char *)message + field->offset);
    }
    if (!good && message != NULL) {
        protobuf_c_message_free_unpacked(message, NULL);
        message = NULL;
    }
    return message;
}
