/* position_kinds.h - what position.c shares with the files of the kinds. */
#ifndef MHA_CLUSTER_POSITION_KINDS_H
#define MHA_CLUSTER_POSITION_KINDS_H

#include "agent/cluster/position.h"

/* Digits only: no sign, no space, no overflow. `text` moves behind them. */
bool position_take_number(const char **text, uint64_t most, uint64_t *value);
/* -1: not a hexadecimal digit. */
int position_hex_digit(char c);

bool position_parse_gtid_list(const char *text, struct position *out);
bool position_parse_gtid_set(const char *text, struct position *out);
bool position_parse_timeline(const char *text, struct position *out);

bool position_contains_gtid_list(const struct position *a, const struct position *b);
bool position_contains_gtid_set(const struct position *a, const struct position *b);
bool position_contains_timeline(const struct position *a, const struct position *b);

bool position_merge_gtid_list(struct position *into, const struct position *from);
bool position_merge_gtid_set(struct position *into, const struct position *from);

/* One item, with what separates it from the one before. As snprintf. */
int position_print_gtid_list(const struct position *position, unsigned i, char *text, size_t size);
int position_print_gtid_set(const struct position *position, unsigned i, char *text, size_t size);
int position_print_timeline(const struct position *position, unsigned i, char *text, size_t size);

#endif
