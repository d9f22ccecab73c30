#include "client/table.h"

#include <stdarg.h>
#include <string.h>

void table_start(struct table *table, unsigned columns, const char *const *headings)
{
    memset(table, 0, sizeof *table);
    table->columns = columns;
    table_add_row(table);
    for (unsigned i = 0; i < columns; i++)
        table_set(table, i, CTL_BOLD, "%s", headings[i]);
}

void table_add_row(struct table *table)
{
    table->rows++;
}

void table_set(struct table *table, unsigned column, enum ctl_colour colour, const char *format, ...)
{
    char *cell;
    va_list args;

    if (table->rows > TABLE_ROWS_MAX || column >= table->columns)
        return;
    cell = table->cells[table->rows - 1][column];
    va_start(args, format);
    vsnprintf(cell, TABLE_CELL_BYTES, format, args);
    va_end(args);
    for (; *cell; cell++) {
        if ((unsigned char)*cell < ' ' || *cell == 0x7f)
            *cell = '?';
    }
    table->colours[table->rows - 1][column] = colour;
}

void table_print(const struct table *table, const struct ctl *ctl)
{
    unsigned rows = table->rows < TABLE_ROWS_MAX ? table->rows : TABLE_ROWS_MAX;
    size_t widths[TABLE_COLUMNS_MAX] = {0};

    for (unsigned row = 0; row < rows; row++) {
        for (unsigned column = 0; column < table->columns; column++) {
            size_t width = strlen(table->cells[row][column]);
            if (width > widths[column])
                widths[column] = width;
        }
    }
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned column = 0; column < table->columns; column++) {
            const char *cell = table->cells[row][column];
            enum ctl_colour colour = table->colours[row][column];
            fprintf(ctl->out, "%s%s%s", ctl_colour_on(ctl, colour), cell, ctl_colour_off(ctl, colour));
            if (column + 1 < table->columns)
                fprintf(ctl->out, "%*s", (int)(widths[column] - strlen(cell)) + 2, "");
        }
        fputc('\n', ctl->out);
    }
}
