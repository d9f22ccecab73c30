#include "common/base/repeat.h"

#include <string.h>

static void begin(struct repeat *repeat, uint64_t now_us, const char *text)
{
    *repeat =
        (struct repeat){.count = 1, .since_us = now_us, .said_us = now_us, .interval_us = REPEAT_FIRST_US};
    strncpy(repeat->text, text, sizeof repeat->text - 1);
}

bool repeat_is_due(struct repeat *repeat, uint64_t now_us, const char *text)
{
    if (repeat->count == 0 || strncmp(repeat->text, text, sizeof repeat->text - 1) != 0) {
        begin(repeat, now_us, text);
        return true;
    }
    repeat->count++;
    if (now_us < repeat->said_us + repeat->interval_us)
        return false;
    repeat->said_us = now_us;
    repeat->interval_us = 2 * repeat->interval_us < REPEAT_MOST_US ? 2 * repeat->interval_us : REPEAT_MOST_US;
    return true;
}

void repeat_forget(struct repeat *repeat)
{
    *repeat = (struct repeat){0};
}
