/* cairn graph neighbours, path, paths, subgraph. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/answer.h"
#include "cli/cairn/graph/graph.h"
#include "cli/cairn/terminal.h"

enum { PER_PAGE = 100 };

/* --- neighbours ------------------------------------------------------------------- */

static bool is_text(const json_t *value, const char *text)
{
    const char *own = json_string_value(value);
    return own && strcmp(own, text) == 0;
}

static json_t *neighbour_row(const json_t *edge, const json_t *nodes, const char *id)
{
    bool out = is_text(json_object_get(edge, "from"), id);
    json_t *other = json_object_get(edge, out ? "to" : "from");
    const json_t *node = graph_find(nodes, other);
    json_t *row = graph_node_row(node);
    json_object_set(row, "id", other);
    json_object_set(row, "type", json_object_get(edge, "type"));
    json_object_set_new(row, "direction", json_string(out ? "out" : "in"));
    return row;
}

static json_t *neighbour_pair(json_t *edge, const json_t *nodes, const char *id)
{
    bool out = is_text(json_object_get(edge, "from"), id);
    json_t *pair = json_object();
    json_object_set(pair, "edge", edge);
    json_object_set(pair, "node",
                    graph_find(nodes, json_object_get(edge, out ? "to" : "from")));
    return pair;
}

static void add_lines(const json_t *answer, const char *id, bool json, json_t *lines)
{
    json_t *nodes = json_object_get(answer, "nodes");
    size_t i = 0;
    json_t *edge = NULL;
    json_array_foreach(json_object_get(answer, "edges"), i, edge)
    {
        json_array_append_new(lines, json ? neighbour_pair(edge, nodes, id)
                                          : neighbour_row(edge, nodes, id));
    }
}

static json_t *neighbour_page(struct cli *cli, const char *cursor, long most, int *code)
{
    static const char *const names[] = {"type", "direction", "label", NULL};
    struct sh_buffer path = {0};
    char limit[24];
    sh_buffer_text(&path, "/api/graph/nodes/");
    api_segment(&path, cli->args.words[0]);
    sh_buffer_text(&path, "/neighbors");
    graph_params(&cli->args, names, &path);
    (void)snprintf(limit, sizeof(limit), "%ld",
                   most > 0 && most < PER_PAGE ? most : PER_PAGE);
    api_query(&path, "limit", limit);
    api_query(&path, "cursor", cursor);
    sh_buffer_append(&path, "", 1);
    *code = CLI_FAILED;
    json_t *answer = path.err == SH_OK ? cli_get(cli, path.data, code) : NULL;
    sh_buffer_free(&path);
    return answer;
}

static int print_lines(const struct cli *cli, const json_t *lines)
{
    static const struct table_column columns[] = {
        {"DIRECTION", "direction", false}, {"TYPE", "type", true}, NODE_COLUMNS, {0}};
    return answer_rows(cli, lines, columns);
}

/* A terminal's table needs all widths first; else each page is printed as it comes. */
int graph_run_neighbours(struct cli *cli)
{
    long left = args_number(&cli->args, "max", 0);
    bool json = args_given(&cli->args, "json");
    bool at_once = json || !terminal_of(stdout).is_one;
    bool bounded = left > 0;
    json_t *lines = json_array();
    json_t *answer = NULL;
    int code = CLI_OK;
    do {
        const char *cursor = json_string_value(json_object_get(answer, "next_cursor"));
        json_t *next = neighbour_page(cli, cursor, left, &code);
        json_decref(answer);
        answer = next;
        add_lines(answer, cli->args.words[0], json, lines);
        left -= (long)json_array_size(json_object_get(answer, "edges"));
        if (at_once) {
            code = code == CLI_OK ? print_lines(cli, lines) : code;
            json_array_clear(lines);
        }
    } while (code == CLI_OK && json_is_string(json_object_get(answer, "next_cursor")) &&
             (!bounded || left > 0));
    if (!at_once && code == CLI_OK)
        code = print_lines(cli, lines);
    json_decref(answer);
    json_decref(lines);
    return code;
}

/* --- paths ------------------------------------------------------------------------ */

/* A line for each node of the way, with what led to it. */
static void add_steps(const json_t *way, size_t number, json_t *rows)
{
    json_t *edges = json_object_get(way, "edges");
    size_t i = 0;
    const json_t *node = NULL;
    json_array_foreach(json_object_get(way, "nodes"), i, node)
    {
        json_t *row = graph_node_row(node);
        const json_t *edge = i > 0 ? json_array_get(edges, i - 1) : NULL;
        const char *type = json_string_value(json_object_get(edge, "type"));
        bool there = json_equal(json_object_get(edge, "to"), json_object_get(node, "id"));
        json_object_set_new(row, "path", json_integer((json_int_t)number));
        json_object_set_new(row, "via",
                            json_sprintf(!edge   ? "%s"
                                         : there ? "-%s->"
                                                 : "<-%s-",
                                         type ? type : ""));
        if (i == 0 && json_object_get(way, "cost"))
            json_object_set(row, "cost", json_object_get(way, "cost"));
        json_array_append_new(rows, row);
    }
}

static void print_ways(const json_t *answer)
{
    static const struct table_column columns[] = {{"PATH", "path", false},
                                                  {"COST", "cost", false},
                                                  {"VIA", "via", true},
                                                  NODE_COLUMNS,
                                                  {0}};
    const json_t *ways = json_object_get(answer, "paths");
    json_t *rows = json_array();
    size_t i = 0;
    const json_t *way = NULL;
    json_array_foreach(ways, i, way) add_steps(way, i + 1, rows);
    if (!ways)
        add_steps(answer, 1, rows);
    table_print(columns, rows);
    json_decref(rows);
}

static bool found_some(const json_t *answer)
{
    return json_is_true(json_object_get(answer, "found")) ||
           json_array_size(json_object_get(answer, "paths")) > 0;
}

static int print_answer(struct cli *cli, struct sh_buffer *path,
                        void (*print)(const json_t *answer), int *code)
{
    sh_buffer_append(path, "", 1);
    *code = CLI_FAILED;
    json_t *answer = path->err == SH_OK ? cli_get(cli, path->data, code) : NULL;
    sh_buffer_free(path);
    if (!answer)
        return *code;
    if (args_given(&cli->args, "json"))
        *code = cli_print_json(answer);
    else
        print(answer);
    if (json_is_true(json_object_get(answer, "truncated")))
        cli_say("not everything was looked at: there may be more");
    bool found = found_some(answer);
    json_decref(answer);
    return found ? CLI_OK : CLI_FAILED;
}

static int run_ways(struct cli *cli, const char *route, const char *const *names)
{
    struct sh_buffer path = {0};
    int code = CLI_OK;
    sh_buffer_text(&path, route);
    api_query(&path, "from", cli->args.words[0]);
    api_query(&path, "to", cli->args.words[1]);
    graph_params(&cli->args, names, &path);
    int found = print_answer(cli, &path, print_ways, &code);
    if (code == CLI_OK && found != CLI_OK)
        cli_say("no path leads from %s to %s", cli->args.words[0], cli->args.words[1]);
    return found;
}

int graph_run_path(struct cli *cli)
{
    static const char *const names[] = {"max-depth", "type", "direction",
                                        "weight",    "k",    NULL};
    return run_ways(cli, "/api/graph/path", names);
}

int graph_run_paths(struct cli *cli)
{
    static const char *const names[] = {"max-depth", "type", "direction", "limit", NULL};
    return run_ways(cli, "/api/graph/paths", names);
}

/* --- subgraph --------------------------------------------------------------------- */

static void print_subgraph(const json_t *answer)
{
    static const struct table_column columns[] = {{"KIND", "kind", false},
                                                  NODE_COLUMNS,
                                                  {"FROM", "from", true},
                                                  {"TO", "to", true},
                                                  {0}};
    static const char *const ends[] = {"from", "to"};
    json_t *rows = json_array();
    size_t i = 0;
    const json_t *part = NULL;
    json_array_foreach(json_object_get(answer, "nodes"), i, part)
    {
        json_t *row = graph_node_row(part);
        json_object_set_new(row, "kind", json_string("node"));
        json_array_append_new(rows, row);
    }
    json_array_foreach(json_object_get(answer, "edges"), i, part)
    {
        json_t *row = graph_node_row(part);
        json_object_set_new(row, "kind", json_string("edge"));
        json_object_set(row, "labels", json_object_get(part, "type"));
        for (size_t end = 0; end < SH_COUNT(ends); end++)
            json_object_set(row, ends[end], json_object_get(part, ends[end]));
        json_array_append_new(rows, row);
    }
    table_print(columns, rows);
    json_decref(rows);
}

int graph_run_subgraph(struct cli *cli)
{
    static const char *const names[] = {"depth", "limit",     "type",
                                        "label", "direction", NULL};
    struct sh_buffer path = {0};
    int code = CLI_OK;
    sh_buffer_text(&path, "/api/graph/subgraph");
    api_query(&path, "root", cli->args.words[0]);
    graph_params(&cli->args, names, &path);
    (void)print_answer(cli, &path, print_subgraph, &code);
    return code;
}
