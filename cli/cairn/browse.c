/* cairn documents query: documents by what is said of them, in an order. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cairn/answer.h"
#include "cli/cairn/browse.h"
#include "cli/cairn/pages.h"

enum { PER_PAGE = 100 };

/* NULL: a message is on stderr. */
static json_t *body_of(const struct cli *cli)
{
    static const char *const said[] = {"collection", "title", NULL};
    const char *text = args_text(&cli->args, "filter");
    json_t *filters = text ? json_loads(text, 0, NULL) : json_object();
    json_t *sort = answer_texts(cli, "sort");
    json_t *body = json_object();
    if (!json_is_object(filters)) {
        cli_say("--filter is no JSON object: %s", text);
        json_decref(filters);
        json_decref(sort);
        json_decref(body);
        return NULL;
    }
    json_object_set_new(body, "filters", filters);
    if (sort)
        json_object_set_new(body, "sort", sort);
    answer_tell(cli, body, said);
    return body;
}

static int print(const struct cli *cli, const json_t *rows)
{
    static const struct table_column columns[] = {{"ID", "id", true},
                                                  {"TITLE", "title", true},
                                                  {"COLLECTION", "collection", true},
                                                  {"METADATA", "metadata", true},
                                                  {0}};
    return answer_rows(cli, rows, columns);
}

/* Prints `left` of a page at most; how many there were. */
static long print_page(struct cli *cli, json_t *body, long left, int *code)
{
    *code = cli_send(cli, "POST", "/api/documents/query", json_incref(body));
    json_t *answer = *code == CLI_OK ? api_json(&cli->reply) : NULL;
    json_t *rows = json_object_get(answer, "documents");
    long got = (long)json_array_size(rows);
    while (json_array_size(rows) > (size_t)left)
        json_array_remove(rows, json_array_size(rows) - 1);
    if (answer)
        *code = print(cli, rows);
    json_decref(answer);
    return got;
}

int browse(struct cli *cli)
{
    json_t *body = body_of(cli);
    long left = args_number(&cli->args, "max", PER_PAGE);
    long per_page = left < PER_PAGE ? left : PER_PAGE;
    int code = body ? CLI_OK : CLI_USAGE;
    long got = per_page;
    json_object_set_new(body, "per_page", json_integer(per_page));
    for (long page = 1; body && got == per_page && left > 0; page++) {
        json_object_set_new(body, "page", json_integer(page));
        got = print_page(cli, body, left, &code);
        left -= got;
    }
    json_decref(body);
    return code;
}
