#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"

const uint8_t *fuzz_take(struct fuzz_input *input, size_t size, size_t *got)
{
    const uint8_t *start = input->at;

    *got = size < input->left ? size : input->left;
    input->at += *got;
    input->left -= *got;
    return start;
}

static uint64_t take_number(struct fuzz_input *input, size_t size)
{
    uint64_t value = 0;
    size_t got;
    const uint8_t *bytes = fuzz_take(input, size, &got);

    for (size_t i = 0; i < got; i++)
        value = value << 8 | bytes[i];
    return value;
}

uint8_t fuzz_u8(struct fuzz_input *input)
{
    return (uint8_t)take_number(input, 1);
}

uint16_t fuzz_u16(struct fuzz_input *input)
{
    return (uint16_t)take_number(input, 2);
}

uint64_t fuzz_u64(struct fuzz_input *input)
{
    return take_number(input, 8);
}

bool fuzz_next_step(struct fuzz_input *input, struct fuzz_step *out)
{
    if (input->left == 0)
        return false;
    out->control = fuzz_u8(input);
    out->data = fuzz_take(input, fuzz_u16(input), &out->size);
    return true;
}

const char *fuzz_file(const void *data, size_t size)
{
    static char path[64];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        FUZZ_CHECK(fd >= 0 && fchmod(fd, 0600) == 0, "a file in memory can be made");
    }
    FUZZ_CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size, "it can be written");
    return path;
}

void fuzz_silence_log(void)
{
    log_set_level(LOG_LEVEL_ERROR);
}
