/* fuzz.h - what the fuzz targets share: taking an input apart, properties, inputs made of messages.
 *
 * A target is one file fuzz_<name>.c with LLVMFuzzerTestOneInput (libFuzzer, VARIANT=fuzz). Everything in it
 * follows from the input: no clock that matters, no randomness, so that an input that failed fails again. A
 * line "fuzz: runs=N max_len=M" in its first comment says how much of it belongs to `make check`. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's entry points. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* A property that must hold for every input; it stays checked whatever the build. */
#define FUZZ_CHECK(holds, what)                                                        \
    do {                                                                               \
        if (!(holds)) {                                                                \
            fprintf(stderr, "%s:%d: property broken: %s\n", __FILE__, __LINE__, what); \
            abort();                                                                   \
        }                                                                              \
    } while (0)

/* ---- taking an input apart; past its end everything is 0 ---- */

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};
uint8_t fuzz_u8(struct fuzz_input *input);
uint16_t fuzz_u16(struct fuzz_input *input);
uint64_t fuzz_u64(struct fuzz_input *input);
/* Up to `size` bytes, in place; `*got` says how many. */
const uint8_t *fuzz_take(struct fuzz_input *input, size_t size, size_t *got);

/* ---- inputs that are steps: a control byte, a u16 length, that many bytes ---- */

struct fuzz_step {
    uint8_t control;
    const uint8_t *data;
    size_t size;
};
/* false: the input is at its end. */
bool fuzz_next_step(struct fuzz_input *input, struct fuzz_step *out);

/* ---- mutators that know what a message looks like (mutator.c) ---- */

/* Changes a packed message of the type in one place, or makes a new one; plain bytes at times, too. `words`
 * are texts worth trying (NULL: none; ends with NULL). The new size. */
size_t fuzz_mutate_message(const ProtobufCMessageDescriptor *type, const char *const *words, uint8_t *data,
                           size_t size, size_t max_size, unsigned seed);
/* The same for an input of steps whose data are such messages: changes, adds, removes, repeats or swaps a
 * step, or changes a control byte. */
size_t fuzz_mutate_steps(const ProtobufCMessageDescriptor *type, const char *const *words, uint8_t *data,
                         size_t size, size_t max_size, unsigned seed);

/* ---- files ---- */

/* The path of a file that holds these bytes, until the next call: for readers that want a path. */
const char *fuzz_file(const void *data, size_t size);

/* Keeps the programs' log lines out of the way. */
void fuzz_silence_log(void);

#endif
