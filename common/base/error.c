#include "common/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum error_code error_set(struct error *err, enum error_code code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        err->code = code;
    }
    return code;
}

enum error_code error_prefix(struct error *err, const char *format, ...)
{
    char context[ERROR_TEXT_BYTES];
    char text[ERROR_TEXT_BYTES];
    va_list args;

    if (!err)
        return ERR_INTERNAL;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    memcpy(text, err->text, sizeof text);
    if (snprintf(err->text, sizeof err->text, "%s: %s", context, text) >= (int)sizeof err->text)
        err->text[sizeof err->text - 1] = '\0';
    return err->code;
}
