/* pages: lists that the API gives page by page. */
#ifndef CAIRN_PAGES_H
#define CAIRN_PAGES_H

#include "cli/cairn/cli.h"
#include "cli/cairn/table.h"

/* Prints the objects in `member` of all pages (--max: so many at most): a table, or with
 * --json an object a line. `path` is freed. An exit code. */
int pages_print(struct cli *cli, struct sh_buffer *path, const char *member,
                const struct table_column *columns);

#endif
