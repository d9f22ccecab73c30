/* common/base: the clock, errors, the log, CRC-32C. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/crc32c.h"
#include "common/base/error.h"
#include "common/base/log.h"

static void test_clock(void)
{
    uint64_t first = clock_now_us(), second = clock_now_us();
    struct timespec boot;

    clock_gettime(CLOCK_BOOTTIME, &boot);
    CU_ASSERT(first <= second);
    CU_ASSERT(second <= (uint64_t)boot.tv_sec * 1000000u + (uint64_t)boot.tv_nsec / 1000u);
    CU_ASSERT((uint64_t)boot.tv_sec * 1000000u < first + 10000000u);
    CU_ASSERT_EQUAL(MS_TO_US(1500), 1500000u);
    CU_ASSERT_EQUAL(MS_TO_US(5000000u), 5000000000u); /* no 32-bit overflow */
}

static void test_errors(void)
{
    struct error err;
    char large[2 * ERROR_TEXT_BYTES];

    CU_ASSERT_EQUAL(error_set(&err, ERR_TIMEOUT, "%s after %d ms", "nothing", 30), ERR_TIMEOUT);
    CU_ASSERT_EQUAL(err.code, ERR_TIMEOUT);
    CU_ASSERT_STRING_EQUAL(err.text, "nothing after 30 ms");
    CU_ASSERT_EQUAL(error_prefix(&err, "node %s", "db1"), ERR_TIMEOUT);
    CU_ASSERT_STRING_EQUAL(err.text, "node db1: nothing after 30 ms");
    CU_ASSERT_EQUAL(error_set(NULL, ERR_IO, "nobody wants to know"), ERR_IO);

    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    CU_ASSERT_EQUAL(error_set(&err, ERR_INVALID, "%s", large), ERR_INVALID); /* cut, not overrun */
    CU_ASSERT_EQUAL(strlen(err.text), ERROR_TEXT_BYTES - 1);
    CU_ASSERT_EQUAL(error_prefix(&err, "%s", large), ERR_INVALID);
    CU_ASSERT_EQUAL(strlen(err.text), ERROR_TEXT_BYTES - 1);
    error_set(&err, ERR_INVALID, "%s", large);
    error_prefix(&err, "short");
    CU_ASSERT_EQUAL(strncmp(err.text, "short: xxx", 10), 0);
    CU_ASSERT_EQUAL(strlen(err.text), ERROR_TEXT_BYTES - 1);
}

/* RFC 3720, appendix B.4; and the check value that everybody gives. */
static void test_crc32c(void)
{
    static const uint8_t iscsi_read[48] = {0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
                                           0x14, 0,    0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
                                           0x28, 0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0};
    uint32_t (*const functions[])(uint32_t, const void *, size_t) = {crc32c, crc32c_portable};
    uint8_t bytes[32];

    for (unsigned f = 0; f < 2; f++) {
        uint32_t (*crc)(uint32_t, const void *, size_t) = functions[f];
        memset(bytes, 0, sizeof bytes);
        CU_ASSERT_EQUAL(crc(0, bytes, 32), 0x8a9136aau);
        memset(bytes, 0xff, sizeof bytes);
        CU_ASSERT_EQUAL(crc(0, bytes, 32), 0x62a8ab43u);
        for (unsigned i = 0; i < 32; i++)
            bytes[i] = (uint8_t)i;
        CU_ASSERT_EQUAL(crc(0, bytes, 32), 0x46dd794eu);
        for (unsigned i = 0; i < 32; i++)
            bytes[i] = (uint8_t)(31 - i);
        CU_ASSERT_EQUAL(crc(0, bytes, 32), 0x113fdb5cu);
        CU_ASSERT_EQUAL(crc(0, iscsi_read, sizeof iscsi_read), 0xd9963a56u);
        CU_ASSERT_EQUAL(crc(0, "123456789", 9), 0xe3069283u);
        CU_ASSERT_EQUAL(crc(0, "", 0), 0);
        CU_ASSERT_EQUAL(crc(crc(0, "1234", 4), "56789", 5), 0xe3069283u); /* goes on */
    }
}

/* Both ways give the same for every length and alignment around a word. */
static void test_crc32c_agrees(void)
{
    uint8_t bytes[96];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 131 + 17);
    for (size_t from = 0; from < 9; from++)
        for (size_t size = 0; size < 80; size++)
            CU_ASSERT_EQUAL(crc32c(123, bytes + from, size), crc32c_portable(123, bytes + from, size));
}

static char log_text[65536];

/* What `write_lines` logs. */
static const char *capture(void (*write_lines)(void))
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    size_t size;

    CU_ASSERT_FATAL(file != NULL && saved >= 0);
    dup2(fileno(file), STDERR_FILENO);
    write_lines();
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    size = fread(log_text, 1, sizeof log_text - 1, file);
    log_text[size] = '\0';
    fclose(file);
    return log_text;
}

static void log_some(void)
{
    log_error("%s %d", "bad", 1);
    log_warning("odd");
    log_notice("seen");
    log_info("said");
    log_debug("whispered");
}

static void log_control_characters(void)
{
    log_error("two\nlines\x1b[31m\tand\r colours");
}

static void log_a_lot(void)
{
    char large[5000];

    memset(large, 'y', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    log_error("%s", large);
    log_error("next");
}

static void test_log(void)
{
    const char *text;

    unsetenv("JOURNAL_STREAM");
    log_open("test_base", LOG_LEVEL_NOTICE);
    text = capture(log_some);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " error: bad 1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " warning: odd\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " notice: seen\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "said"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Z test_base["));
    CU_ASSERT_EQUAL(text[4], '-'); /* 2026-... */
    log_set_level(LOG_LEVEL_DEBUG);
    CU_ASSERT_PTR_NOT_NULL(strstr(capture(log_some), " debug: whispered\n"));

    setenv("JOURNAL_STREAM", "8:1", 1);
    log_open("test_base", LOG_LEVEL_INFO);
    CU_ASSERT_STRING_EQUAL(capture(log_some), "<3>bad 1\n<4>odd\n<5>seen\n<6>said\n");
    /* one event is one line, whatever a peer put into it */
    CU_ASSERT_STRING_EQUAL(capture(log_control_characters), "<3>two lines [31m and  colours\n");
    text = capture(log_a_lot);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "y\n<3>next\n"));
    CU_ASSERT(strlen(text) > 2000 && strlen(text) < 2100);
    unsetenv("JOURNAL_STREAM");
}

static void test_log_levels(void)
{
    enum log_level level = LOG_LEVEL_INFO;

    CU_ASSERT_TRUE(log_level_parse("error", &level));
    CU_ASSERT_EQUAL(level, LOG_LEVEL_ERROR);
    CU_ASSERT_TRUE(log_level_parse("debug", &level));
    CU_ASSERT_EQUAL(level, LOG_LEVEL_DEBUG);
    CU_ASSERT_FALSE(log_level_parse("loud", &level));
    CU_ASSERT_FALSE(log_level_parse("", &level));
    CU_ASSERT_EQUAL(level, LOG_LEVEL_DEBUG);
}

int main(void)
{
    unsigned failures;
    CU_pSuite suite;

    CU_initialize_registry();
    suite = CU_add_suite("base", NULL, NULL);
    CU_add_test(suite, "the clock", test_clock);
    CU_add_test(suite, "errors", test_errors);
    CU_add_test(suite, "CRC-32C: the RFC's vectors", test_crc32c);
    CU_add_test(suite, "CRC-32C: both ways agree", test_crc32c_agrees);
    CU_add_test(suite, "the log", test_log);
    CU_add_test(suite, "levels by name", test_log_levels);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
