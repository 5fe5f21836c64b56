/* A snapshot of a graph with any bytes of it changed, its sums set right again: whatever
 * it says, reading, walking and changing the graph stay within its memory. Input: how
 * many changes, and five bytes each (spoilt.h). */
#include <stdio.h>
#include <stdlib.h>

#include "services/graph/snapshot/format.h"
#include "services/graph/walk/walk.h"
#include "tests/fuzz/spoilt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NODES = 150, NAME = 16 };

static const struct caller everything = {.schema = 0};
static char *original;
static size_t original_len;

static void change(struct graph *graph, unsigned n, bool there)
{
    char ids[3][NAME];
    const struct sh_bytes labels[] = {sh_bytes_of("A"), sh_bytes_of("B")};
    (void)snprintf(ids[0], NAME, "n%u", n);
    (void)snprintf(ids[1], NAME, "n%u", n * 7 % NODES);
    (void)snprintf(ids[2], NAME, "e%u", n);
    struct sh_bytes id = sh_bytes_of(ids[0]);
    struct graph_node_row node = {
        .id = id,
        .labels = labels,
        .label_count = n % 3,
        .properties = sh_bytes_of("{\"name\":\"x\",\"n\":1,\"list\":[1],\"f\":0.5}"),
        .clearance = 1 + n % 4,
        .number = n + 1};
    struct graph_edge_row edge = {.id = sh_bytes_of(ids[2]),
                                  .type = labels[n % 2],
                                  .from = id,
                                  .to = sh_bytes_of(ids[1]),
                                  .properties = sh_bytes_of("{}"),
                                  .clearance = 1,
                                  .number = n + 1};
    struct graph_changes changes = {.nodes = &node,
                                    .node_count = there,
                                    .edges = &edge,
                                    .edge_count = there,
                                    .gone_nodes = &id,
                                    .gone_node_count = !there};
    if (graph_apply(graph, &changes) == SH_NOMEM)
        abort();
}

static void make_original(void)
{
    struct graph *graph;
    struct graph_reader reader;
    FILE *file = open_memstream(&original, &original_len);
    if (file == NULL || graph_create(&graph) != SH_OK)
        abort();
    for (unsigned n = 0; n < NODES; n++)
        change(graph, n, true);
    for (unsigned n = 0; n < NODES; n += 9)
        change(graph, n, false);
    if (graph_enter(graph, &everything, &reader) != SH_OK ||
        snapshot_write(&reader, "note", file) != SH_OK || fclose(file) != 0)
        abort();
    graph_leave(&reader);
    graph_free(&graph);
}

static void read_all(struct graph *graph)
{
    struct graph_reader reader;
    struct sh_arena arena = {0};
    struct sh_buffer json = {0};
    if (graph_enter(graph, &everything, &reader) != SH_OK)
        abort();
    for (uint32_t i = 0; i < reader.version->node_end; i++) {
        const struct node *node = graph_node(&reader, i);
        struct walk_group *groups;
        struct walk_step steps[8];
        struct walk_scope scope = {true, true, WALK_ANY, WALK_ANY};
        size_t count;
        if (node == NULL)
            continue;
        sh_buffer_clear(&json);
        values_write(node->body->properties, graph_keys(graph), &json);
        if (walk_degrees(&reader, i, &arena, &groups, &count) == SH_NOMEM)
            abort();
        (void)walk_neighbours(&reader, i, &scope, NULL, SH_COUNT(steps), steps);
    }
    sh_buffer_free(&json);
    sh_arena_free(&arena);
    graph_leave(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct graph *graph;
    if (original == NULL)
        make_original();
    struct sh_bytes input = {data, size};
    char *bytes =
        spoilt_copy(&kept_kind, (struct sh_bytes){original, original_len}, &input);
    if (graph_create(&graph) != SH_OK)
        abort();
    if (snapshot_read(graph, (struct sh_bytes){bytes, original_len}) == SH_OK) {
        read_all(graph);
        for (unsigned n = 0; n < NODES; n += 3)
            change(graph, n, n % 2 == 0);
        read_all(graph);
    }
    graph_free(&graph);
    free(bytes);
    return 0;
}
