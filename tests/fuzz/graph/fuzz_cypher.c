/* Any text as a query: it fails with a reason, or its rows can be packed, and no row has
 * what the reader may not see. */
#include <stdlib.h>

#include "proto/access.h"
#include "services/graph/cypher/pack.h"
#include "services/graph/cypher/run.h"
#include "shared/clock.h"

enum { ROWS = 200, QUERY_MS = 300, MEMORY = 32 << 20, TOUCHES = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* --- a small graph --------------------------------------------------------------------
 */

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

static struct graph *make_graph(void)
{
    static const struct sh_bytes label = {"Person", 6};
    struct graph_node_row rows[SH_COUNT(nodes)];
    struct graph_edge_row links[SH_COUNT(edges)];
    struct graph *graph;
    for (size_t i = 0; i < SH_COUNT(nodes); i++) {
        rows[i] = nodes[i];
        rows[i].labels = &label;
        rows[i].label_count = i % 3 != 2;
        rows[i].number = i + 1;
    }
    for (size_t i = 0; i < SH_COUNT(edges); i++) {
        links[i] = edges[i];
        links[i].number = i + 1;
    }
    struct graph_changes changes = {.nodes = rows,
                                    .node_count = SH_COUNT(nodes),
                                    .edges = links,
                                    .edge_count = SH_COUNT(edges)};
    must(graph_create(&graph) == SH_OK && graph_apply(graph, &changes) == SH_OK);
    return graph;
}

/* --- a query --------------------------------------------------------------------------
 */

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct graph *graph;
    static struct cy_value parameters;
    struct graph_reader reader;
    struct sh_arena arena = {0};
    struct cy_result result;
    if (graph == NULL)
        graph = make_graph();
    must(graph_enter(graph, &reader_of_level_2, &reader) == SH_OK);
    struct cy_env env = {.reader = &reader,
                         .arena = &arena,
                         .parameters = &parameters,
                         .budget = {.memory = MEMORY,
                                    .touches = TOUCHES,
                                    .deadline_ms = sh_now_ms() + QUERY_MS}};
    struct taken taken = {.env = &env};
    must(cy_unpack_parameters(&env, (struct sh_bytes){"", 0}, &parameters));
    check(&env, cy_run(&env, (struct sh_bytes){data, size}, take, &taken, &result));
    must(memmem(taken.packed.data ? taken.packed.data : "", taken.packed.len, "secret",
                6) == NULL ||
         memmem(data, size, "ecret", 5) != NULL || memmem(data, size, "\\", 1) != NULL);
    sh_buffer_free(&taken.packed);
    sh_arena_free(&arena);
    graph_leave(&reader);
    return 0;
}
