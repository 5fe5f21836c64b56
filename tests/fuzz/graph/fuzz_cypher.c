/* Any text as a query: it fails with a reason, or its rows can be packed, and no row has
 * what the reader may not see. With indexes and without, its rows are the same. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "proto/access.h"
#include "services/graph/cypher/pack.h"
#include "services/graph/cypher/run.h"
#include "services/graph/find/value_finder.h"
#include "shared/clock.h"

enum {
    ROWS = 200,
    QUERY_MS = 100,
    MEMORY = 32 << 20,
    TOUCHES = 4000,
    CROWD = 2 * VALUE_FINDER_LEAST, /* nodes: enough for an index */
    TEXT = 64,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* --- a small graph ---------------------------------------------------------------- */

static const struct caller reader_of_level_2 = {.role = {"student", 7}, .clearance = 2};

static const struct graph_node_row nodes[] = {
    {.id = {"a", 1}, .properties = {"{\"name\":\"Ann\",\"age\":41}", 23}, .clearance = 1},
    {.id = {"b", 1},
     .properties = {"{\"name\":\"Bo\",\"tags\":[1,2]}", 26},
     .clearance = 1},
    {.id = {"c", 1}, .properties = {"{\"x\":1.5,\"on\":true}", 19}, .clearance = 1},
    {.id = {"d", 1}, .properties = {"{\"name\":\"secret\"}", 17}, .clearance = 3},
};

static const struct graph_edge_row edges[] = {
    {.id = {"1", 1},
     .type = {"KNOWS", 5},
     .from = {"a", 1},
     .to = {"b", 1},
     .properties = {"{\"since\":1999}", 14},
     .clearance = 1},
    {.id = {"2", 1},
     .type = {"KNOWS", 5},
     .from = {"b", 1},
     .to = {"c", 1},
     .properties = {"{}", 2},
     .clearance = 1},
    {.id = {"3", 1},
     .type = {"LIKES", 5},
     .from = {"c", 1},
     .to = {"a", 1},
     .properties = {"{}", 2},
     .clearance = 1},
    {.id = {"4", 1},
     .type = {"LIKES", 5},
     .from = {"a", 1},
     .to = {"a", 1},
     .properties = {"{}", 2},
     .clearance = 1},
    {.id = {"5", 1},
     .type = {"KNOWS", 5},
     .from = {"a", 1},
     .to = {"d", 1},
     .properties = {"{}", 2},
     .clearance = 1},
};

/* Values that come once, a few times and often; every eighth may not be seen. */
static void fill_crowd(struct graph_node_row *rows, char (*texts)[2][TEXT])
{
    for (size_t i = 0; i < CROWD; i++) {
        bool hidden = i % 8 == 7;
        int id = snprintf(texts[i][0], TEXT, "n%zu", i);
        int properties =
            snprintf(texts[i][1], TEXT, "{\"name\":\"%s%zu\",\"age\":%zu,\"x\":%zu.5}",
                     hidden ? "secret" : "n", i, i % 7, i);
        must(id > 0 && properties > 0 && properties < TEXT);
        rows[i] = (struct graph_node_row){.id = {texts[i][0], (size_t)id},
                                          .properties = {texts[i][1], (size_t)properties},
                                          .clearance = hidden ? 3 : 1};
    }
}

static struct graph *make_graph(void)
{
    static const struct sh_bytes label = {"Person", 6};
    static struct graph_node_row rows[SH_COUNT(nodes) + CROWD];
    static char texts[CROWD][2][TEXT];
    struct graph_edge_row links[SH_COUNT(edges)];
    struct graph *graph;
    memcpy(rows, nodes, sizeof(nodes));
    fill_crowd(rows + SH_COUNT(nodes), texts);
    for (size_t i = 0; i < SH_COUNT(rows); i++) {
        rows[i].labels = &label;
        rows[i].label_count = i % 3 != 2;
        rows[i].number = i + 1;
    }
    for (size_t i = 0; i < SH_COUNT(edges); i++) {
        links[i] = edges[i];
        links[i].number = i + 1;
    }
    struct graph_changes changes = {.nodes = rows,
                                    .node_count = SH_COUNT(rows),
                                    .edges = links,
                                    .edge_count = SH_COUNT(edges)};
    must(graph_create(&graph) == SH_OK && graph_apply(graph, &changes) == SH_OK);
    return graph;
}

/* --- a query ---------------------------------------------------------------------- */

struct taken {
    struct cy_env *env;
    struct sh_buffer packed;
    unsigned rows;
};

static bool take(void *arg, const struct cy_value *values, size_t count)
{
    struct taken *taken = arg;
    for (size_t i = 0; i < count; i++)
        if (!cy_pack(taken->env, values[i], &taken->packed))
            return false;
    return ++taken->rows < ROWS;
}

static void check(const struct cy_env *env, bool fine)
{
    if (fine) {
        must(env->err == SH_OK);
        return;
    }
    must(env->err != SH_OK);
    if (env->err == SH_INVALID) {
        must(env->error.code != CY_FINE && env->error.message[0] != '\0');
        must(cy_code_name(env->error.code)[0] != '\0');
    }
}

/* False: it failed. */
static bool ask(const struct graph_reader *reader, struct value_finder *values,
                struct sh_bytes query, struct sh_buffer *packed)
{
    struct cy_value parameters;
    struct sh_arena arena = {0};
    struct cy_result result;
    struct cy_env env = {.reader = reader,
                         .values = values,
                         .arena = &arena,
                         .parameters = &parameters,
                         .budget = {.memory = MEMORY,
                                    .touches = TOUCHES,
                                    .deadline_ms = sh_now_ms() + QUERY_MS}};
    struct taken taken = {.env = &env};
    must(cy_unpack_parameters(&env, (struct sh_bytes){"", 0}, &parameters));
    bool fine = cy_run(&env, query, take, &taken, &result);
    check(&env, fine);
    sh_arena_free(&arena);
    *packed = taken.packed;
    return fine;
}

static bool speaks_of(struct sh_bytes query, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= query.len; i++)
        if (strncasecmp((const char *)query.data + i, word, len) == 0)
            return true;
    return false;
}

static struct sh_bytes bytes_of(const struct sh_buffer *packed)
{
    return (struct sh_bytes){packed->data ? packed->data : "", packed->len};
}

static void compare(struct sh_bytes query, struct sh_bytes by_index,
                    struct sh_bytes by_scan)
{
    bool varies = speaks_of(query, "rand") || speaks_of(query, "time") ||
                  speaks_of(query, "date") || speaks_of(query, "call") ||
                  speaks_of(query, "show") || speaks_of(query, "explain");
    must(speaks_of(query, "ecret") || speaks_of(query, "\\") ||
         memmem(by_index.data, by_index.len, "secret", 6) == NULL);
    must(varies || (by_index.len == by_scan.len &&
                    memcmp(by_index.data, by_scan.data, by_scan.len) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct graph *graph;
    static struct value_finder *values;
    struct sh_bytes query = {data, size};
    struct sh_buffer by_index;
    struct sh_buffer by_scan;
    struct graph_reader reader;
    if (graph == NULL) {
        graph = make_graph();
        must(value_finder_create(&values) == SH_OK);
    }
    must(graph_enter(graph, &reader_of_level_2, &reader) == SH_OK);
    bool found = ask(&reader, values, query, &by_index);
    if (ask(&reader, NULL, query, &by_scan) && found)
        compare(query, bytes_of(&by_index), bytes_of(&by_scan));
    sh_buffer_free(&by_index);
    sh_buffer_free(&by_scan);
    graph_leave(&reader);
    return 0;
}
