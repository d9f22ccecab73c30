/* findings.h - a list of findings that grows, for a reply; its texts are its own. */
#ifndef MHA_API_FINDINGS_H
#define MHA_API_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "dbworker.pb-c.h"

/* Zeroed at first. */
struct findings {
    Mha__Finding **items;
    size_t count, room;
    bool incomplete; /* no memory: something was left out */
};

void findings_free(struct findings *list);
/* `node`: whom it concerns, "" several. `remedy`: a statement or a line to paste. */
void findings_add(struct findings *list, const char *node, bool fatal, const char *subject,
                  const char *remedy, const char *problem, ...) __attribute__((format(printf, 6, 7)));
/* A copy of what `node` found; a finding that names nobody is about `node`. */
void findings_take(struct findings *list, const char *node, const Mha__Finding *finding);
bool findings_fatal(const struct findings *list);

#endif
