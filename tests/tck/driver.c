/* driver: answers queries on graphs that it is given, without any service: a line of JSON
 * in, a line of JSON out. run.py drives it through the openCypher TCK.
 *   {"nodes": [{"id", "labels", "properties"}], "edges": [{"id", "type", "from", "to",
 *    "properties"}], "query", "parameters": {name: JSON}}
 *   {"columns": [text], "rows": [[value as the TCK writes it]]}
 *   {"error": {"code", "detail", "message", "line", "column"}} */
#include <jansson.h>
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/graph/cypher/pack.h"
#include "services/graph/cypher/run.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "tests/tck/show.h"

enum { QUERY_MS = 10000, QUERY_MEMORY = 256 << 20 };

/* --- the graph -------------------------------------------------------------------- */

static void *need(void *memory)
{
    if (memory == NULL) {
        (void)fputs("out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

static struct sh_bytes text_of(const json_t *json, const char *key)
{
    return sh_bytes_of(json_string_value(json_object_get(json, key)));
}

static struct sh_bytes properties_of(struct sh_arena *arena, const json_t *json)
{
    char *text = need(json_dumps(json_object_get(json, "properties"), JSON_COMPACT));
    struct sh_bytes copy = sh_arena_copy(arena, sh_bytes_of(text));
    free(text);
    return copy;
}

static void read_node(struct sh_arena *arena, const json_t *json, uint64_t number,
                      struct graph_node_row *row)
{
    const json_t *labels = json_object_get(json, "labels");
    size_t count = json_array_size(labels);
    struct sh_bytes *texts = need(sh_arena_array(arena, count + 1, sizeof(*texts)));
    for (size_t i = 0; i < count; i++)
        texts[i] = sh_bytes_of(json_string_value(json_array_get(labels, i)));
    *row = (struct graph_node_row){.id = text_of(json, "id"),
                                   .labels = texts,
                                   .label_count = count,
                                   .properties = properties_of(arena, json),
                                   .number = number};
}

static struct graph *load(struct sh_arena *arena, const json_t *request)
{
    const json_t *nodes = json_object_get(request, "nodes");
    const json_t *edges = json_object_get(request, "edges");
    size_t node_count = json_array_size(nodes);
    size_t edge_count = json_array_size(edges);
    struct graph_node_row *node_rows =
        need(sh_arena_array(arena, node_count + 1, sizeof(*node_rows)));
    struct graph_edge_row *edge_rows =
        need(sh_arena_array(arena, edge_count + 1, sizeof(*edge_rows)));
    for (size_t i = 0; i < node_count; i++)
        read_node(arena, json_array_get(nodes, i), i + 1, &node_rows[i]);
    for (size_t i = 0; i < edge_count; i++) {
        const json_t *edge = json_array_get(edges, i);
        edge_rows[i] = (struct graph_edge_row){.id = text_of(edge, "id"),
                                               .type = text_of(edge, "type"),
                                               .from = text_of(edge, "from"),
                                               .to = text_of(edge, "to"),
                                               .properties = properties_of(arena, edge),
                                               .number = i + 1};
    }
    struct graph_changes changes = {.nodes = node_rows,
                                    .node_count = node_count,
                                    .edges = edge_rows,
                                    .edge_count = edge_count};
    struct graph *graph = NULL;
    if (graph_create(&graph) != SH_OK || graph_apply(graph, &changes) != SH_OK)
        (void)need(NULL);
    return graph;
}

/* --- the query -------------------------------------------------------------------- */

struct answer {
    struct cy_env *env;
    json_t *rows;
};

static bool on_row(void *arg, const struct cy_value *values, size_t count)
{
    struct answer *answer = arg;
    json_t *row = need(json_array());
    for (size_t i = 0; i < count; i++) {
        struct sh_buffer text = {0};
        (void)tck_show(answer->env, values[i], &text); /* the env keeps it */
        json_array_append_new(row, json_stringn(text.data ? text.data : "", text.len));
        sh_buffer_free(&text);
    }
    json_array_append_new(answer->rows, row);
    return true;
}

static json_t *columns_of(const struct cy_result *result)
{
    json_t *columns = need(json_array());
    for (size_t i = 0; i < result->column_count; i++)
        json_array_append_new(
            columns, json_stringn(result->columns[i].data, result->columns[i].len));
    return columns;
}

static json_t *error_of(const struct cy_env *env)
{
    const char *code =
        env->err == SH_INVALID ? cy_code_name(env->error.code) : sh_err_code(env->err);
    return json_pack("{s{ss ss* ss si si}}", "error", "code", code, "detail",
                     env->error.detail, "message", env->error.message, "line",
                     (int)env->error.at.line, "column", (int)env->error.at.column);
}

/* Parameters come as JSON and go the way of those of a request. */
static void pack_json(msgpack_packer *to, const json_t *json)
{
    const char *key;
    json_t *value;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        msgpack_pack_map(to, json_object_size(json));
        json_object_foreach((json_t *)sh_unconst(json), key, value)
        {
            msgpack_pack_str_with_body(to, key, strlen(key));
            pack_json(to, value);
        }
        break;
    case JSON_ARRAY:
        msgpack_pack_array(to, json_array_size(json));
        for (size_t i = 0; i < json_array_size(json); i++)
            pack_json(to, json_array_get(json, i));
        break;
    case JSON_STRING:
        msgpack_pack_str_with_body(to, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        msgpack_pack_int64(to, json_integer_value(json));
        break;
    case JSON_REAL:
        msgpack_pack_double(to, json_real_value(json));
        break;
    case JSON_TRUE:
        msgpack_pack_true(to);
        break;
    case JSON_FALSE:
        msgpack_pack_false(to);
        break;
    case JSON_NULL:
        msgpack_pack_nil(to);
        break;
    }
}

static bool read_parameters(struct cy_env *env, const json_t *request,
                            struct cy_value *out)
{
    const json_t *json = json_object_get(request, "parameters");
    msgpack_sbuffer buffer;
    msgpack_packer to;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&to, &buffer, msgpack_sbuffer_write);
    if (json != NULL)
        pack_json(&to, json);
    struct sh_bytes bytes =
        sh_arena_copy(env->arena, (struct sh_bytes){buffer.data, buffer.size});
    msgpack_sbuffer_destroy(&buffer);
    return cy_unpack_parameters(env, bytes, out);
}

static json_t *answer(const json_t *request)
{
    struct sh_arena rows = {0};
    struct sh_arena arena = {0};
    struct graph *graph = load(&rows, request);
    struct graph_reader reader;
    struct caller caller = {0};
    struct cy_value parameters;
    struct cy_result result = {0};
    if (graph_enter(graph, &caller, &reader) != SH_OK)
        (void)need(NULL);
    struct cy_env env = {
        .reader = &reader,
        .arena = &arena,
        .budget = {.memory = QUERY_MEMORY, .deadline_ms = sh_now_ms() + QUERY_MS}};
    struct answer found = {&env, need(json_array())};
    json_t *reply = NULL;
    if (read_parameters(&env, request, &parameters)) {
        env.parameters = &parameters;
        if (cy_run(&env, text_of(request, "query"), on_row, &found, &result) &&
            env.err == SH_OK)
            reply = json_pack("{soso}", "columns", columns_of(&result), "rows",
                              json_incref(found.rows));
    }
    if (reply == NULL)
        reply = error_of(&env);
    json_decref(found.rows);
    graph_leave(&reader);
    graph_free(&graph);
    sh_arena_free(&arena);
    sh_arena_free(&rows);
    return reply;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        json_t *request = json_loads(line, 0, NULL);
        json_t *reply = need(answer(need(request)));
        (void)json_dumpf(reply, stdout, JSON_COMPACT);
        (void)putchar('\n');
        (void)fflush(stdout);
        json_decref(reply);
        json_decref(request);
    }
    free(line);
    return EXIT_SUCCESS;
}
