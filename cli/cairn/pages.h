/* pages: lists that the API gives page by page. */
#ifndef CAIRN_PAGES_H
#define CAIRN_PAGES_H

#include "cli/cairn/cli.h"
#include "cli/cairn/table.h"

/* Prints the objects in `member` of all pages (--max: so many at most): a table, or with
 * --json an object a line. `path` is freed. An exit code. */
int pages_print(struct cli *cli, struct sh_buffer *path, const char *member,
                const struct table_column *columns);
/* The same of rows that are made of the objects, for the table. */
int pages_print_as(struct cli *cli, struct sh_buffer *path, const char *member,
                   const struct table_column *columns,
                   json_t *(*row_of)(const json_t *object));

#endif
