#include "agent/db/worker/trouble.h"

#include <stdio.h>
#include <string.h>

/* How long it must be shown before it counts. What the server itself says with an error's number needs no
 * confirmation; what can be a moment of ordinary work does. */
static uint64_t counts_after_us(Mha__DbTrouble kind)
{
    switch (kind) {
    case MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD:
    case MHA__DB_TROUBLE__DB_TROUBLE_RECEIVER_FAILS:
        return 500000;
    case MHA__DB_TROUBLE__DB_TROUBLE_APPLIER_STOPPED: /* it is just starting, as well */
        return 300000;
    default:
        return 0;
    }
}

void trouble_forget(struct trouble *trouble)
{
    memset(trouble, 0, sizeof *trouble);
}

enum trouble_change trouble_look(struct trouble *trouble, uint64_t now_us, Mha__DbTrouble kind,
                                 const char *text)
{
    const Mha__DbTrouble none = MHA__DB_TROUBLE__DB_TROUBLE_NONE;

    if (kind != trouble->candidate) {
        trouble->candidate = kind;
        trouble->candidate_us = now_us;
    }
    if (kind != none && kind == trouble->kind) {
        trouble->seen_us = now_us;
        snprintf(trouble->text, sizeof trouble->text, "%s", text);
        return TROUBLE_SAME;
    }
    if (kind != none && now_us - trouble->candidate_us >= counts_after_us(kind)) {
        trouble->kind = kind;
        trouble->since_us = trouble->seen_us = now_us;
        snprintf(trouble->text, sizeof trouble->text, "%s", text);
        return TROUBLE_BEGINS;
    }
    if (trouble->kind != none && now_us - trouble->seen_us >= TROUBLE_OVER_US) {
        trouble->kind = none;
        trouble->text[0] = '\0';
        return TROUBLE_ENDS;
    }
    return TROUBLE_SAME;
}
