#include "agent/rebuild_lines.h"

#include <stdio.h>
#include <string.h>

#include "common/base/config.h"

static const char *const verbs[] = {
    [REBUILD_NOTHING] = "nothing", [REBUILD_RECEIVE] = "receive", [REBUILD_DONATE] = "donate",
    [REBUILD_OFFER] = "offer",     [REBUILD_PHASE] = "phase",     [REBUILD_PROGRESS] = "progress",
    [REBUILD_SAVED] = "saved",     [REBUILD_WANT] = "want",       [REBUILD_FAILED] = "failed",
    [REBUILD_DONE] = "done",
};

static const struct field fields[] = {
    FIELD(struct rebuild_line, donor, TEXT),
    FIELD(struct rebuild_line, host, TEXT),
    FIELD(struct rebuild_line, port, UNSIGNED),
    FIELD(struct rebuild_line, known, TEXT),
    FIELD(struct rebuild_line, rate_mb, UNSIGNED),
    FIELD(struct rebuild_line, reason, TEXT),
    FIELD(struct rebuild_line, address, TEXT),
    FIELD(struct rebuild_line, token, TEXT),
    FIELD(struct rebuild_line, why, TEXT),
    FIELD(struct rebuild_line, name, TEXT),
    FIELD(struct rebuild_line, path, TEXT),
    FIELD(struct rebuild_line, done_bytes, U64),
    FIELD(struct rebuild_line, total_bytes, U64),
    FIELD(struct rebuild_line, transactions, U64),
    FIELD_END,
};

void rebuild_line_read(struct rebuild_line *line, struct words *words, const char *text)
{
    *line = (struct rebuild_line){.verb = REBUILD_NOTHING};
    if (words_read(words, text) && words->count > 0 && !words->list[0].value)
        for (unsigned i = REBUILD_NOTHING + 1; i < sizeof verbs / sizeof verbs[0]; i++)
            if (strcmp(words->list[0].key, verbs[i]) == 0)
                line->verb = (enum rebuild_verb)i;
    fields_read(words, "", fields, line);
}

void rebuild_line_write(struct text *text, const struct rebuild_line *line)
{
    text_add(text, "%s", verbs[line->verb]);
    fields_write(text, "", fields, line);
    text_add(text, "\n");
}

bool rebuild_offer_read(const char *message, char address[REBUILD_ADDRESS_BYTES],
                        char token[REBUILD_TOKEN_BYTES])
{
    const char *space = strchr(message, ' ');
    char host[REBUILD_ADDRESS_BYTES];
    unsigned port;

    if (!space || (size_t)(space - message) >= REBUILD_ADDRESS_BYTES ||
        strlen(space + 1) != REBUILD_TOKEN_BYTES - 1)
        return false;
    snprintf(address, REBUILD_ADDRESS_BYTES, "%.*s", (int)(space - message), message);
    memcpy(token, space + 1, REBUILD_TOKEN_BYTES);
    return config_parse_address(address, host, sizeof host, &port) && port != 0 &&
           strspn(token, "0123456789abcdef") == REBUILD_TOKEN_BYTES - 1;
}
