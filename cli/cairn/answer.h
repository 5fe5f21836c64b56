/* answer: what the server answers, printed: an object a member a line, a list as a table;
 * with --json as it is, of lists an object a line. Each returns an exit code. */
#ifndef CAIRN_ANSWER_H
#define CAIRN_ANSWER_H

#include "cli/cairn/cli.h"
#include "cli/cairn/table.h"

/* `columns` NULL: every member. A `path` of NULL was out of memory. */
int answer_get(struct cli *cli, const char *path, const struct table_column *columns);

/* The answer to `body`, which is let go; NULL: nothing is sent. */
int answer_to(struct cli *cli, const char *method, const char *path, json_t *body,
              const struct table_column *columns);

/* Prints what was answered last. */
int answer_print(struct cli *cli, const struct table_column *columns);

/* A list in `member` that comes whole. */
int answer_list(struct cli *cli, const char *path, const char *member,
                const struct table_column *columns);

/* Rows of a list: a table, or with --json an object a line. */
int answer_rows(const struct cli *cli, const json_t *rows,
                const struct table_column *columns);

/* Of each option in `names` (to NULL) that was given, its value as text in the member of
 * the same name, with '-' as '_'. */
void answer_tell(const struct cli *cli, json_t *body, const char *const *names);

/* All values of a repeated option; NULL when there is none. */
json_t *answer_texts(const struct cli *cli, const char *option);

#endif
