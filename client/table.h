/* table.h - left-aligned columns for a terminal. */
#ifndef MHA_CLIENT_TABLE_H
#define MHA_CLIENT_TABLE_H

#include <stdio.h>

#include "client/ctl.h"

#define TABLE_COLUMNS_MAX 16
#define TABLE_ROWS_MAX 64
#define TABLE_CELL_BYTES 256

struct table {
    unsigned columns;
    unsigned rows;
    char cells[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX][TABLE_CELL_BYTES]; /* row 0 holds the headings */
    enum ctl_colour colours[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX];
};

void table_start(struct table *table, unsigned columns, const char *const *headings);
/* Cells of the row beyond TABLE_ROWS_MAX are dropped: the lists that are shown are bounded well below. */
void table_add_row(struct table *table);
/* Fills a cell of the newest row; cut to fit. Control characters become "?": what is shown came over a
 * socket. */
void table_set(struct table *table, unsigned column, enum ctl_colour colour, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void table_print(const struct table *table, const struct ctl *ctl);

#endif
