#include "tests/sim/counts.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct {
    const char *name;
    unsigned whose;
} kinds[COUNT_KINDS] = {
#define COUNTS_ROW(upper, lower, whose) {#lower, whose},
    COUNTS_LIST(COUNTS_ROW)
#undef COUNTS_ROW
};

void counts_sum(struct counts *to, const struct counts *from)
{
    for (unsigned i = 0; i < COUNT_KINDS; i++)
        to->of[i] += from->of[i];
}

void counts_print(const struct counts *counts, unsigned whose, FILE *to)
{
    for (unsigned i = 0; i < COUNT_KINDS; i++) {
        if (kinds[i].whose & whose)
            fprintf(to, "count %s %" PRIu64 "\n", kinds[i].name, counts->of[i]);
    }
}

void counts_print_if_asked(const struct counts *counts, unsigned whose)
{
    if (getenv("COUNTS") != NULL)
        counts_print(counts, whose, stdout);
}

const char *counts_next_missing(const struct counts *counts, unsigned whose, unsigned *at)
{
    while (*at < COUNT_KINDS) {
        unsigned i = (*at)++;
        if ((kinds[i].whose & whose) && counts->of[i] == 0 && i != COUNT_VIOLATIONS)
            return kinds[i].name;
    }
    return NULL;
}
