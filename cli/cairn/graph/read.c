/* cairn graph schema, labels, nodes, node, edge, search, similar. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/graph/graph.h"
#include "cli/cairn/pages.h"

static const struct table_column node_columns[] = {NODE_COLUMNS, {0}};

/* --- schema ----------------------------------------------------------------------- */

/* "name: string, age: float|integer" */
static json_t *keys_of(const json_t *label)
{
    json_t *texts = json_array();
    size_t i = 0;
    const json_t *key = NULL;
    json_t *keys = json_object_get(label, "properties");
    json_array_foreach(keys, i, key)
    {
        const char *name = json_string_value(json_object_get(key, "name"));
        json_t *types = graph_joined(json_object_get(key, "types"), "|");
        const char *type = json_string_value(types);
        json_array_append_new(texts,
                              json_sprintf("%s: %s", name ? name : "", type ? type : ""));
        json_decref(types);
    }
    json_t *all = graph_joined(texts, ", ");
    json_decref(texts);
    return all;
}

static json_t *schema_row(const json_t *of, const char *kind)
{
    json_t *row = json_object();
    json_object_set_new(row, "kind", json_string(kind));
    json_object_set(row, "name", json_object_get(of, "name"));
    json_object_set(row, "count", json_object_get(of, "count"));
    return row;
}

static json_t *schema_rows(const json_t *schema)
{
    json_t *rows = json_array();
    size_t i = 0;
    const json_t *of = NULL;
    json_array_foreach(json_object_get(schema, "labels"), i, of)
    {
        json_t *row = schema_row(of, "label");
        json_object_set_new(row, "of", keys_of(of));
        json_array_append_new(rows, row);
    }
    json_array_foreach(json_object_get(schema, "relationship_types"), i, of)
    {
        json_t *row = schema_row(of, "type");
        json_t *from = graph_joined(json_object_get(of, "from_labels"), ", ");
        json_t *to = graph_joined(json_object_get(of, "to_labels"), ", ");
        json_object_set_new(
            row, "of",
            json_sprintf("%s -> %s", json_string_value(from), json_string_value(to)));
        json_decref(from);
        json_decref(to);
        json_array_append_new(rows, row);
    }
    return rows;
}

/* `rows_of` makes the table's rows of the answer. */
static int print_answer(struct cli *cli, const char *path,
                        json_t *(*rows_of)(const json_t *answer),
                        const struct table_column *columns)
{
    int code = CLI_OK;
    json_t *answer = cli_get(cli, path, &code);
    if (!answer)
        return code;
    if (args_given(&cli->args, "json")) {
        code = cli_print_json(answer);
    } else {
        json_t *rows = rows_of(answer);
        table_print(columns, rows);
        json_decref(rows);
    }
    json_decref(answer);
    return code;
}

int graph_run_schema(struct cli *cli)
{
    static const struct table_column columns[] = {
        {"KIND", "kind", false},
        {"NAME", "name", true},
        {"COUNT", "count", false},
        {"PROPERTIES, OR FROM AND TO", "of", true},
        {0}};
    return print_answer(cli, "/api/graph/schema", schema_rows, columns);
}

static json_t *label_rows(const json_t *answer)
{
    return json_incref(json_object_get(answer, "labels"));
}

int graph_run_labels(struct cli *cli)
{
    static const struct table_column columns[] = {
        {"LABEL", "name", true}, {"NODES", "count", false}, {0}};
    return print_answer(cli, "/api/graph/labels", label_rows, columns);
}

/* --- nodes ------------------------------------------------------------------------ */

/* -w NAME=VALUE: prop.NAME=VALUE. */
static bool add_conditions(const struct args *args, struct sh_buffer *path)
{
    size_t at = 0;
    for (const char *text; (text = args_next(args, "where", &at)) != NULL;) {
        char name[512];
        size_t len = strcspn(text, "=");
        if (len == 0 || !text[len] || len > sizeof(name) - 8) {
            cli_say("--where must be NAME=VALUE: %s", text);
            return false;
        }
        (void)snprintf(name, sizeof(name), "prop.%.*s", (int)len, text);
        api_query(path, name, text + len + 1);
    }
    return true;
}

int graph_run_nodes(struct cli *cli)
{
    struct sh_buffer path = {0};
    sh_buffer_text(&path, "/api/graph/labels/");
    api_segment(&path, cli->args.words[0]);
    api_query(&path, "sort", args_text(&cli->args, "sort"));
    if (add_conditions(&cli->args, &path))
        return pages_print_as(cli, &path, "nodes", node_columns, graph_node_row);
    sh_buffer_free(&path);
    return CLI_USAGE;
}

static int print_members(struct cli *cli, const char *base,
                         const struct table_column *columns)
{
    int code = CLI_FAILED;
    char *path = cli_path(base, cli->args.words[0], "");
    json_t *object = path ? cli_get(cli, path, &code) : NULL;
    free(path);
    if (!object)
        return code;
    if (args_given(&cli->args, "json"))
        code = cli_print_json(object);
    else
        table_print_one(columns, object);
    json_decref(object);
    return code;
}

int graph_run_node(struct cli *cli)
{
    static const struct table_column columns[] = {
        {"id", "id", false},
        {"number", "number", false},
        {"labels", "labels", false},
        {"properties", "properties", false},
        {"degree", "degree", false},
        {"relationships", "relationships", false},
        {0}};
    return print_members(cli, "/api/graph/nodes/", columns);
}

int graph_run_edge(struct cli *cli)
{
    static const struct table_column columns[] = {{"id", "id", false},
                                                  {"number", "number", false},
                                                  {"type", "type", false},
                                                  {"from", "from", false},
                                                  {"to", "to", false},
                                                  {"properties", "properties", false},
                                                  {0}};
    return print_members(cli, "/api/graph/edges/", columns);
}

/* --- search, similar -------------------------------------------------------------- */

static json_t *found_rows(const json_t *answer)
{
    static const char *const more[] = {"match", "similarity"};
    json_t *rows = json_array();
    size_t i = 0;
    const json_t *node = NULL;
    json_array_foreach(json_object_get(answer, "nodes"), i, node)
    {
        json_t *row = graph_node_row(node);
        for (size_t k = 0; k < SH_COUNT(more); k++) {
            if (json_object_get(node, more[k]))
                json_object_set(row, "score", json_object_get(node, more[k]));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

static int print_found(struct cli *cli, struct sh_buffer *path, const char *score)
{
    const struct table_column columns[] = {{score, "score", false}, NODE_COLUMNS, {0}};
    int code = CLI_FAILED;
    sh_buffer_append(path, "", 1);
    if (path->err == SH_OK)
        code = print_answer(cli, path->data, found_rows, columns);
    sh_buffer_free(path);
    return code;
}

int graph_run_search(struct cli *cli)
{
    static const char *const names[] = {"label", "property", NULL};
    struct sh_buffer path = {0};
    struct sh_buffer words = {0};
    args_phrase(&cli->args, &words);
    sh_buffer_text(&path, "/api/graph/search");
    api_query(&path, "q", words.data);
    graph_params(&cli->args, names, &path);
    api_query(&path, "limit", args_text(&cli->args, "max"));
    sh_buffer_free(&words);
    return print_found(cli, &path, "MATCH");
}

int graph_run_similar(struct cli *cli)
{
    struct sh_buffer path = {0};
    sh_buffer_text(&path, "/api/graph/nodes/");
    api_segment(&path, cli->args.words[0]);
    sh_buffer_text(&path, "/similar");
    api_query(&path, "label", args_text(&cli->args, "label"));
    api_query(&path, "limit", args_text(&cli->args, "max"));
    return print_found(cli, &path, "SIMILARITY");
}
