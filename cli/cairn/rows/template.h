/* template: a JSON value with columns of a table in its texts, as {name} or {name:type}.
 * A text that is one such column and nothing else becomes a value of its type:
 *
 *   {name}, {name:text}   the text
 *   {name:number}         a number
 *   {name:flag}           true (true, yes, 1) or false (false, no, 0)
 *   {name:list}           texts, separated by semicolons
 *
 * and is left out where the cell is empty, with objects and lists that then hold nothing.
 * In longer texts columns are written out; {{ is a brace. Pure. */
#ifndef ROWS_TEMPLATE_H
#define ROWS_TEMPLATE_H

#include <stdbool.h>

#include <jansson.h>

#include "shared/bytes.h"

struct template_row {
    const struct sh_bytes *names; /* of the columns */
    const struct sh_bytes *cells;
    size_t count;
    char problem[256]; /* what is wrong, when template_fill() fails */
};

/* The value for a row; the caller lets it go. NULL: an empty one, or `problem` says why
 * there is none (a column that is not there, a cell that is not of its type). */
json_t *template_fill(json_t *template, struct template_row *row);

#endif
