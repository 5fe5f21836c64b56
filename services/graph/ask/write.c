#include "services/graph/ask/write.h"

#include <stdio.h>

#include "shared/clock.h"

enum { ANSWER_MS = 50 };

static enum sh_err write_properties(struct question *question, struct sh_bytes packed,
                                    struct sh_bytes *out)
{
    struct sh_buffer json = {0};
    values_write(packed, graph_keys(question->reader.graph), &json);
    *out = sh_arena_copy(&question->arena, sh_buffer_bytes(&json));
    enum sh_err err = json.err == SH_OK && out->data == NULL ? SH_NOMEM : json.err;
    sh_buffer_free(&json);
    return err;
}

enum sh_err write_node(struct question *question, uint32_t place, struct graph_node *out)
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
    return write_properties(question, body->properties, &out->properties);
}

enum sh_err write_edge(struct question *question, uint32_t place, struct graph_edge *out)
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
    return write_properties(question, edge->body->properties, &out->properties);
}

enum sh_err write_nodes(struct question *question, const uint32_t *places, size_t count,
                        const struct graph_node **out)
{
    struct graph_node *nodes =
        sh_arena_array(&question->arena, count + 1, sizeof(*nodes));
    enum sh_err err = nodes ? SH_OK : SH_NOMEM;
    for (size_t i = 0; i < count && err == SH_OK; i++)
        err = write_node(question, places[i], &nodes[i]);
    *out = nodes;
    return err;
}

enum sh_err write_edges(struct question *question, const uint32_t *places, size_t count,
                        const struct graph_edge **out)
{
    struct graph_edge *edges =
        sh_arena_array(&question->arena, count + 1, sizeof(*edges));
    enum sh_err err = edges ? SH_OK : SH_NOMEM;
    for (size_t i = 0; i < count && err == SH_OK; i++)
        err = write_edge(question, places[i], &edges[i]);
    *out = edges;
    return err;
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
