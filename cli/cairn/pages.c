#include "cli/cairn/pages.h"

#include <stdio.h>

#include "cli/cairn/terminal.h"

enum { PER_PAGE = 100 };

/* A list is cut at the numbers of its pages, so what is added meanwhile shows twice
 * rather than never. */
static json_t *fetch(struct cli *cli, const struct sh_buffer *path, long page,
                     long per_page, int *code)
{
    struct sh_buffer whole = {0};
    char number[24];
    sh_buffer_append(&whole, path->data, path->len);
    (void)snprintf(number, sizeof(number), "%ld", page);
    api_query(&whole, "page", number);
    (void)snprintf(number, sizeof(number), "%ld", per_page);
    api_query(&whole, "per_page", number);
    sh_buffer_append(&whole, "", 1);
    json_t *answer = whole.err == SH_OK ? cli_get(cli, whole.data, code) : NULL;
    sh_buffer_free(&whole);
    return answer;
}

static int print_lines(const json_t *rows)
{
    int code = CLI_OK;
    for (size_t i = 0; i < json_array_size(rows) && code == CLI_OK; i++)
        code = cli_print_json(json_array_get(rows, i));
    return code;
}

/* A row of its own, or the object itself; lines are objects always. */
static void add_row(json_t *all, json_t *object, json_t *(*row_of)(const json_t *object))
{
    if (row_of)
        json_array_append_new(all, row_of(object));
    else
        json_array_append(all, object);
}

int pages_print(struct cli *cli, struct sh_buffer *path, const char *member,
                const struct table_column *columns)
{
    return pages_print_as(cli, path, member, columns, NULL);
}

int pages_print_as(struct cli *cli, struct sh_buffer *path, const char *member,
                   const struct table_column *columns,
                   json_t *(*row_of)(const json_t *object))
{
    long most = args_number(&cli->args, "max", 0);
    long per_page = most > 0 && most < PER_PAGE ? most : PER_PAGE;
    bool lines = args_given(&cli->args, "json");
    bool at_once = !terminal_of(stdout).is_one; /* a table needs all widths first */
    json_t *all = json_array();
    int code = all ? CLI_OK : CLI_FAILED;
    size_t got = 1;
    long count = 0;
    for (long page = 1; code == CLI_OK && got > 0; page++) {
        json_t *answer = fetch(cli, path, page, per_page, &code);
        json_t *rows = json_object_get(answer, member);
        got = json_array_size(rows);
        for (size_t i = 0; i < got && (most == 0 || count < most); i++, count++)
            add_row(all, json_array_get(rows, i), lines ? NULL : row_of);
        if (got < (size_t)per_page || (most > 0 && count >= most))
            got = 0;
        if (lines)
            code = code == CLI_OK ? print_lines(all) : code;
        else if (at_once)
            table_print(columns, all);
        if (lines || at_once)
            json_array_clear(all);
        json_decref(answer);
    }
    if (code == CLI_OK && !lines && !at_once)
        table_print(columns, all);
    json_decref(all);
    sh_buffer_free(path);
    return code;
}
