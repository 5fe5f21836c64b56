/* table: a list of JSON objects on stdout: columns with titles on a terminal, cut to its
 * width; values separated by tabs, all of them, when piped. */
#ifndef CAIRN_TABLE_H
#define CAIRN_TABLE_H

#include <stdbool.h>

#include <jansson.h>

#include "shared/buffer.h"

struct table_column {
    const char *title;
    const char *member; /* dotted: "metadata.department" */
    bool gives_way;     /* cut first when the terminal is narrow */
};

/* `columns` ends with {0}. */
void table_print(const struct table_column *columns, const json_t *rows);

/* One object, a member a line, `label: value`; those that are missing are left out. */
void table_print_one(const struct table_column *columns, const json_t *object);

/* A value as text that is not yet clean: what a cell shows. */
void table_value(struct sh_buffer *out, const json_t *object, const char *member);

#endif
