/* Mutators for protobuf messages, on their packed bytes: what is there need not be sound, and what comes out
 * is mostly sound and sometimes not. Fields are found by the type's descriptor, so that a change deep inside
 * keeps the lengths around it right. */
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define DEPTH_MAX 6
#define NESTED_BYTES_MAX 4096

struct random {
    uint64_t state;
    const char *const *words;
};

static uint64_t next(struct random *random) /* splitmix64 */
{
    uint64_t value = random->state += 0x9e3779b97f4a7c15u;

    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

static unsigned below(struct random *random, unsigned limit)
{
    return (unsigned)(next(random) % limit);
}

/* Numbers that mean something more often than not. */
static uint64_t number(struct random *random)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     3,
                                     4,
                                     5,
                                     7,
                                     8,
                                     10,
                                     64,
                                     65,
                                     100,
                                     127,
                                     128,
                                     255,
                                     256,
                                     1000,
                                     4096,
                                     30000,
                                     65535,
                                     65536,
                                     100000,
                                     1000000,
                                     INT32_MAX,
                                     UINT32_MAX,
                                     (uint64_t)UINT32_MAX + 1,
                                     INT64_MAX,
                                     UINT64_MAX / 2,
                                     UINT64_MAX - 64,
                                     UINT64_MAX - 1,
                                     UINT64_MAX};

    if (below(random, 8) == 0)
        return next(random) >> below(random, 64);
    if (below(random, 3) == 0)
        return edges[below(random, sizeof edges / sizeof edges[0])];
    return below(random, 12);
}

/* ---- packed bytes ---- */

struct out {
    uint8_t *at;
    size_t left;
};

static void put(struct out *out, const void *data, size_t size)
{
    if (size > out->left)
        size = out->left; /* a cut message is an input, too */
    memcpy(out->at, data, size);
    out->at += size;
    out->left -= size;
}

static void put_varint(struct out *out, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        put(out, &byte, 1);
        value >>= 7;
    } while (value);
}

static bool get_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static void put_text(struct out *out, struct random *random, bool bytes)
{
    static const uint8_t filler[] = "abc0-1-7,\x80\xff\n\x1b\"%s/..:;=  ";
    unsigned words = 0;
    uint8_t text[400];
    size_t size = below(random, 12) == 0 ? below(random, sizeof text) : below(random, 12);

    while (random->words && random->words[words])
        words++;
    if (words > 0 && below(random, 4) != 0) {
        const char *word = random->words[below(random, words)];
        put_varint(out, strlen(word));
        put(out, word, strlen(word));
        return;
    }
    for (size_t i = 0; i < size; i++)
        text[i] = bytes ? (uint8_t)next(random) : filler[below(random, sizeof filler - 1)];
    put_varint(out, size);
    put(out, text, size);
}

static void put_message(struct out *out, const ProtobufCMessageDescriptor *type, struct random *random,
                        unsigned depth);

static void put_field(struct out *out, const ProtobufCFieldDescriptor *field, struct random *random,
                      unsigned depth)
{
    uint8_t nested[NESTED_BYTES_MAX];
    struct out inner = {nested, sizeof nested};

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        put_varint(out, (uint64_t)field->id << 3 | 2);
        put_text(out, random, field->type == PROTOBUF_C_TYPE_BYTES);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        put_message(&inner, field->descriptor, random, depth + 1);
        put_varint(out, (uint64_t)field->id << 3 | 2);
        put_varint(out, sizeof nested - inner.left);
        put(out, nested, sizeof nested - inner.left);
        break;
    default: /* the project's .proto files have no fixed-width fields */
        put_varint(out, (uint64_t)field->id << 3);
        put_varint(out, field->type == PROTOBUF_C_TYPE_BOOL ? below(random, 2) : number(random));
    }
}

/* Each field with some luck, the repeated ones several times; of a oneof the last one counts. */
static void put_message(struct out *out, const ProtobufCMessageDescriptor *type, struct random *random,
                        unsigned depth)
{
    unsigned odds = 1 + below(random, 4);

    if (depth >= DEPTH_MAX)
        return;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        unsigned times = below(random, 4) < odds;
        if (field->label == PROTOBUF_C_LABEL_REPEATED && times)
            times = below(random, 8) == 0 ? below(random, 40) : 1 + below(random, 3);
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && times)
            times = below(random, type->n_fields) < 2;
        while (times-- > 0)
            put_field(out, field, random, depth);
    }
    if (type->n_fields > 0 && below(random, 2) == 0)
        put_field(out, &type->fields[below(random, type->n_fields)], random, depth);
}

/* ---- changes ---- */

struct part {
    const uint8_t *start;
    const uint8_t *body; /* of a length-delimited one: behind its length */
    const uint8_t *end;
    const ProtobufCFieldDescriptor *field; /* NULL: unknown */
};
#define PARTS_MAX 128

static unsigned split(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size,
                      struct part parts[PARTS_MAX])
{
    const uint8_t *at = data, *end = data + size;
    unsigned count = 0;

    while (at < end && count < PARTS_MAX) {
        struct part *part = &parts[count];
        uint64_t tag, value;
        part->start = at;
        if (!get_varint(&at, end, &tag) || !get_varint(&at, end, &value))
            break;
        part->body = at;
        if ((tag & 7) == 2 && value <= (size_t)(end - at))
            at += value;
        else if ((tag & 7) != 0)
            break;
        part->end = at;
        part->field = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        count++;
    }
    return count;
}

/* `data` with one part changed, into `out`. */
static void change(struct out *out, const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size,
                   struct random *random, unsigned depth)
{
    struct part parts[PARTS_MAX];
    unsigned count = split(type, data, size, parts);
    unsigned which = count ? below(random, count) : 0;
    const struct part *part = &parts[which];
    uint8_t nested[NESTED_BYTES_MAX];
    struct out inner = {nested, sizeof nested};

    if (count == 0 || below(random, 8) == 0) { /* one more field */
        put(out, data, size);
        if (type->n_fields > 0)
            put_field(out, &type->fields[below(random, type->n_fields)], random, depth);
        return;
    }
    put(out, data, (size_t)(part->start - data));
    if (part->field && part->field->type == PROTOBUF_C_TYPE_MESSAGE && depth < DEPTH_MAX &&
        below(random, 8) != 0) {
        change(&inner, part->field->descriptor, part->body, (size_t)(part->end - part->body), random,
               depth + 1);
        put_varint(out, (uint64_t)part->field->id << 3 | 2);
        put_varint(out, sizeof nested - inner.left);
        put(out, nested, sizeof nested - inner.left);
    } else if (below(random, 6) == 0) { /* twice */
        put(out, part->start, (size_t)(part->end - part->start));
        put(out, part->start, (size_t)(part->end - part->start));
    } else if (part->field && below(random, 6) != 0) {
        put_field(out, part->field, random, depth);
    } /* else it goes */
    put(out, part->end, (size_t)(data + size - part->end));
}

size_t fuzz_mutate_message(const ProtobufCMessageDescriptor *type, const char *const *words, uint8_t *data,
                           size_t size, size_t max_size, unsigned seed)
{
    struct random random = {seed * 0x2545f4914f6cdd1du + 1, words};
    uint8_t *made;
    struct out out;

    if (below(&random, 6) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    made = malloc(max_size);
    FUZZ_CHECK(made, "there is memory");
    out = (struct out){made, max_size};
    if (size == 0 || below(&random, 10) == 0)
        put_message(&out, type, &random, 0);
    else
        change(&out, type, data, size, &random, 0);
    size = max_size - out.left;
    memcpy(data, made, size);
    free(made);
    return size;
}

/* ---- steps ---- */

#define STEPS_MAX 64
#define STEP_HEADER_BYTES 3

static void put_step(struct out *out, uint8_t control, const uint8_t *data, size_t size)
{
    uint8_t header[STEP_HEADER_BYTES];

    if (size > UINT16_MAX)
        size = UINT16_MAX;
    if (out->left < sizeof header + size)
        return;
    header[0] = control;
    header[1] = (uint8_t)(size >> 8);
    header[2] = (uint8_t)size;
    put(out, header, sizeof header);
    put(out, data, size);
}

size_t fuzz_mutate_steps(const ProtobufCMessageDescriptor *type, const char *const *words, uint8_t *data,
                         size_t size, size_t max_size, unsigned seed)
{
    struct random random = {seed * 0x2545f4914f6cdd1du + 7, words};
    struct fuzz_input input = {data, size};
    struct fuzz_step steps[STEPS_MAX];
    uint8_t step[2 * NESTED_BYTES_MAX];
    uint8_t *made;
    struct out out;
    unsigned count = 0, which, what = below(&random, 12);

    if (what == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    while (count < STEPS_MAX && fuzz_next_step(&input, &steps[count]))
        count++;
    made = malloc(max_size);
    FUZZ_CHECK(made, "there is memory");
    out = (struct out){made, max_size};
    which = count ? below(&random, count) : 0;
    for (unsigned i = 0; i < count; i++) {
        struct out changed = {step, sizeof step};
        if (i == which && what == 1)
            continue;
        if (i == which && what == 2)
            put_step(&out, (uint8_t)next(&random), steps[i].data, steps[i].size);
        else if (i == which && what == 3)
            put_step(&out, steps[below(&random, count)].control, steps[below(&random, count)].data,
                     steps[which].size < 16 ? steps[which].size : 0);
        else if (i == which && what < 8) {
            change(&changed, type, steps[i].data,
                   steps[i].size < NESTED_BYTES_MAX ? steps[i].size : NESTED_BYTES_MAX, &random, 0);
            put_step(&out, steps[i].control, step, sizeof step - changed.left);
        } else
            put_step(&out, steps[i].control, steps[i].data, steps[i].size);
        if (i == which && what == 8)
            put_step(&out, (uint8_t)next(&random), steps[i].data, steps[i].size);
    }
    if (count == 0 || what > 8) {
        struct out added = {step, sizeof step};
        put_message(&added, type, &random, 0);
        put_step(&out, (uint8_t)next(&random), step, sizeof step - added.left);
    }
    size = max_size - out.left;
    memcpy(data, made, size);
    free(made);
    return size;
}
