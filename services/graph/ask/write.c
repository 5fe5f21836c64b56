#include "services/graph/ask/write.h"

#include <stdio.h>

#include "shared/clock.h"

enum { ANSWER_MS = 50 };

/* --- properties ------------------------------------------------------------------- */

/* Texts of several things, one after the other, and where each ends. */
struct texts {
    struct sh_buffer json;
    size_t *ends;
    size_t count;
};

static bool begin_texts(struct question *question, struct texts *texts, size_t count)
{
    texts->ends = sh_arena_array(&question->arena, count + 1, sizeof(*texts->ends));
    return texts->ends != NULL;
}

static void add_text(const struct question *question, struct texts *texts,
                     struct sh_bytes packed)
{
    values_write(packed, graph_keys(question->reader.graph), &texts->json);
    texts->ends[texts->count++] = texts->json.len;
}

/* All of them, copied at once; *out stays valid as long as the arena. */
static enum sh_err end_texts(struct question *question, struct texts *texts,
                             const char **out)
{
    struct sh_bytes all = {0};
    if (texts->json.err == SH_OK)
        all = sh_arena_copy(&question->arena, sh_buffer_bytes(&texts->json));
    enum sh_err err =
        texts->json.err == SH_OK && all.data == NULL ? SH_NOMEM : texts->json.err;
    sh_buffer_free(&texts->json);
    *out = all.data;
    return err;
}

static struct sh_bytes text_at(const struct texts *texts, const char *all, size_t index)
{
    size_t start = index > 0 ? texts->ends[index - 1] : 0;
    return (struct sh_bytes){all + start, texts->ends[index] - start};
}

/* --- nodes and edges -------------------------------------------------------------- */

enum { LINE = 64, BODY_LINES = 4 }; /* of the processor's cache; of most bodies */

/* Waiting for memory is most of what a short answer costs: all of it is asked for before
 * any is used. Always inline: see pages_expect(). */
__attribute__((always_inline)) static inline void expect_body(const void *body)
{
    for (size_t i = 0; body != NULL && i < BODY_LINES; i++)
        __builtin_prefetch((const char *)body + i * LINE);
}

__attribute__((always_inline)) static inline void
expect_nodes(const struct graph_reader *reader, const uint32_t *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct node *node = graph_node(reader, places[i]);
        expect_body(node ? node->body : NULL);
    }
}

void write_expect_nodes(const struct graph_reader *reader, const uint32_t *places,
                        size_t count)
{
    expect_nodes(reader, places, count);
}

static void expect_edges(const struct graph_reader *reader, const uint32_t *places,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct edge *edge = graph_edge(reader, places[i]);
        expect_body(edge ? edge->body : NULL);
    }
}

static enum sh_err put_node(struct question *question, uint32_t place,
                            struct texts *texts, struct graph_node *out)
{
    const struct node *node = graph_node(&question->reader, place);
    if (node == NULL)
        return SH_NOTFOUND;
    const struct node_body *body = node->body;
    struct sh_bytes *labels =
        sh_arena_array(&question->arena, body->label_count + 1, sizeof(*labels));
    if (labels == NULL)
        return SH_NOMEM;
    for (uint32_t i = 0; i < body->label_count; i++)
        labels[i] = symbols_text(graph_labels(question->reader.graph), body->labels[i]);
    *out = (struct graph_node){.id = body->id,
                               .labels = labels,
                               .labels_count = body->label_count,
                               .number = body->number};
    add_text(question, texts, body->properties);
    return SH_OK;
}

static enum sh_err put_edge(struct question *question, uint32_t place,
                            struct texts *texts, struct graph_edge *out)
{
    const struct graph_reader *reader = &question->reader;
    const struct edge *edge = graph_edge(reader, place);
    const struct node *from = edge ? graph_node(reader, edge->body->from) : NULL;
    const struct node *to = edge ? graph_node(reader, edge->body->to) : NULL;
    if (from == NULL || to == NULL)
        return SH_NOTFOUND;
    *out = (struct graph_edge){
        .id = edge->body->id,
        .type = symbols_text(graph_types(reader->graph), edge->body->type),
        .from = from->body->id,
        .to = to->body->id,
        .number = edge->body->number};
    add_text(question, texts, edge->body->properties);
    return SH_OK;
}

static enum sh_err fill_nodes(struct question *question, const uint32_t *places,
                              size_t count, struct graph_node *out)
{
    struct texts texts = {0};
    const char *all;
    enum sh_err err = begin_texts(question, &texts, count) ? SH_OK : SH_NOMEM;
    expect_nodes(&question->reader, places, count);
    for (size_t i = 0; i < count && err == SH_OK; i++)
        err = put_node(question, places[i], &texts, &out[i]);
    enum sh_err ended = end_texts(question, &texts, &all);
    if (err == SH_OK)
        err = ended;
    for (size_t i = 0; i < count && err == SH_OK; i++)
        out[i].properties = text_at(&texts, all, i);
    return err;
}

static enum sh_err fill_edges(struct question *question, const uint32_t *places,
                              size_t count, struct graph_edge *out)
{
    struct texts texts = {0};
    const char *all;
    enum sh_err err = begin_texts(question, &texts, count) ? SH_OK : SH_NOMEM;
    expect_edges(&question->reader, places, count);
    for (size_t i = 0; i < count && err == SH_OK; i++)
        err = put_edge(question, places[i], &texts, &out[i]);
    enum sh_err ended = end_texts(question, &texts, &all);
    if (err == SH_OK)
        err = ended;
    for (size_t i = 0; i < count && err == SH_OK; i++)
        out[i].properties = text_at(&texts, all, i);
    return err;
}

enum sh_err write_node(struct question *question, uint32_t place, struct graph_node *out)
{
    return fill_nodes(question, &place, 1, out);
}

enum sh_err write_nodes(struct question *question, const uint32_t *places, size_t count,
                        const struct graph_node **out)
{
    struct graph_node *nodes =
        sh_arena_array(&question->arena, count + 1, sizeof(*nodes));
    *out = nodes;
    return nodes ? fill_nodes(question, places, count, nodes) : SH_NOMEM;
}

enum sh_err write_edges(struct question *question, const uint32_t *places, size_t count,
                        const struct graph_edge **out)
{
    struct graph_edge *edges =
        sh_arena_array(&question->arena, count + 1, sizeof(*edges));
    *out = edges;
    return edges ? fill_edges(question, places, count, edges) : SH_NOMEM;
}

enum sh_err write_route(struct question *question, const struct walk_path *path,
                        struct graph_route *out)
{
    uint32_t *edges = sh_arena_array(&question->arena, path->length + 1, sizeof(*edges));
    if (edges == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < path->length; i++)
        edges[i] = path->steps[i].link.edge;
    out->cost = path->cost;
    out->nodes_count = path->length + 1;
    out->edges_count = path->length;
    enum sh_err err = write_nodes(question, path->nodes, path->length + 1, &out->nodes);
    return err == SH_OK ? write_edges(question, edges, path->length, &out->edges) : err;
}

enum sh_err find_node(struct question *question, struct sh_bytes id, uint32_t *place)
{
    if (graph_find_node(&question->reader, id, place))
        return SH_OK;
    question->code = "node_not_found";
    (void)snprintf(question->message, sizeof(question->message),
                   "there is no such node, or it is not to be seen");
    return SH_NOTFOUND;
}

bool read_scope(const struct question *question, uint32_t direction, struct sh_bytes type,
                struct sh_bytes label, struct walk_scope *out)
{
    const struct graph *graph = question->reader.graph;
    *out = (struct walk_scope){
        .out = direction != 2, .in = direction != 1, .type = WALK_ANY, .label = WALK_ANY};
    return (type.len == 0 || symbols_find(graph_types(graph), type, &out->type)) &&
           (label.len == 0 || symbols_find(graph_labels(graph), label, &out->label));
}

struct walk walk_of(struct question *question, size_t nodes)
{
    uint64_t now = sh_now_ms();
    uint64_t end = question->deadline_ms;
    struct walk_budget budget = {.nodes = nodes,
                                 .deadline_ms =
                                     end > now + ANSWER_MS ? end - ANSWER_MS : now + 1,
                                 .cancelled = &question->cancelled};
    return (struct walk){
        .reader = &question->reader, .budget = budget, .arena = &question->arena};
}
