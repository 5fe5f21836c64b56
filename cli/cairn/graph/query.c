/* cairn graph query: openCypher. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/graph/graph.h"

enum { COLUMNS_MAX = 63, NAME_MAX_BYTES = 24, QUERY_MAX = 1 << 20 };

static bool read_all(FILE *file, struct sh_buffer *into)
{
    char piece[4096];
    size_t len;
    while ((len = fread(piece, 1, sizeof(piece), file)) > 0 && into->len < QUERY_MAX)
        sh_buffer_append(into, piece, len);
    return !ferror(file) && into->err == SH_OK && into->len < QUERY_MAX;
}

/* The query itself, or standard input. NULL: a message is on stderr. */
static json_t *query_of(const char *word)
{
    struct sh_buffer text = {0};
    json_t *query = NULL;
    if (strcmp(word, "-") != 0)
        query = json_string(word);
    else if (read_all(stdin, &text))
        query = json_stringn(text.data ? text.data : "", text.len);
    sh_buffer_free(&text);
    if (!query)
        cli_say("the query cannot be read, or is no UTF-8");
    return query;
}

static json_t *body_of(const struct args *args)
{
    json_t *query = query_of(args->words[0]);
    json_t *parameters = json_object();
    if (!query || !cli_pairs(args, "param", parameters)) {
        json_decref(query);
        json_decref(parameters);
        return NULL;
    }
    json_t *body = json_pack("{s:o, s:o}", "query", query, "parameters", parameters);
    long rows = args_number(args, "max", 0);
    long timeout = args_number(args, "timeout", 0);
    if (rows > 0)
        json_object_set_new(body, "max_rows", json_integer(rows));
    if (timeout > 0)
        json_object_set_new(body, "timeout_ms", json_integer(timeout));
    return body;
}

/* A row of a table is an object; its columns have names of ours, as those of the query
 * may stand twice. */
static json_t *row_of(const json_t *values)
{
    json_t *row = json_object();
    size_t i = 0;
    json_t *value = NULL;
    json_array_foreach(values, i, value)
    {
        char name[NAME_MAX_BYTES];
        (void)snprintf(name, sizeof(name), "%zu", i);
        json_object_set(row, name, value);
    }
    return row;
}

static void print_table(const json_t *answer)
{
    static char names[COLUMNS_MAX][NAME_MAX_BYTES];
    struct table_column columns[COLUMNS_MAX + 1] = {{0}};
    const json_t *titles = json_object_get(answer, "columns");
    json_t *rows = json_array();
    size_t i = 0;
    const json_t *values = NULL;
    for (size_t k = 0; k < json_array_size(titles) && k < COLUMNS_MAX; k++) {
        (void)snprintf(names[k], sizeof(names[k]), "%zu", k);
        columns[k] = (struct table_column){json_string_value(json_array_get(titles, k)),
                                           names[k], true};
    }
    json_array_foreach(json_object_get(answer, "rows"), i, values)
        json_array_append_new(rows, row_of(values));
    table_print(columns, rows);
    json_decref(rows);
    if (json_array_size(titles) > COLUMNS_MAX)
        cli_say("only %d of %zu columns are shown; --json has all", (int)COLUMNS_MAX,
                json_array_size(titles));
}

int graph_run_query(struct cli *cli)
{
    json_t *body = body_of(&cli->args);
    if (!body)
        return CLI_USAGE;
    int code = cli_send(cli, "POST", "/api/graph/query", body);
    json_t *answer = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (!answer)
        return code != CLI_OK ? code : CLI_FAILED;
    if (args_given(&cli->args, "json"))
        code = cli_print_json(answer);
    else
        print_table(answer);
    if (json_is_true(json_object_get(answer, "truncated")))
        cli_say("there are more rows: --max");
    json_decref(answer);
    return code;
}
