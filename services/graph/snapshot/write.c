#include "services/graph/snapshot/format.h"
#include "services/graph/view/graph_internal.h"

static const size_t units[KEPT_SECTIONS] = {[KEPT_LABELS] = 1,
                                            [KEPT_TYPES] = 1,
                                            [KEPT_KEYS] = 1,
                                            [KEPT_CLASSES] = 1,
                                            [KEPT_NODES] = sizeof(struct kept_node),
                                            [KEPT_NODE_LABELS] = sizeof(uint32_t),
                                            [KEPT_NODE_TEXTS] = 1,
                                            [KEPT_EDGES] = sizeof(struct kept_edge),
                                            [KEPT_EDGE_TEXTS] = 1,
                                            [KEPT_TALLY] = sizeof(struct kept_count)};
const struct sh_sections_kind kept_kind = {.magic = "CairnGrf",
                                           .version = SNAPSHOT_VERSION,
                                           .foot = sizeof(struct kept_foot),
                                           .sections =
                                               offsetof(struct kept_foot, sections),
                                           .count = KEPT_SECTIONS,
                                           .units = units,
                                           .most = UINT32_MAX / 4 - 1};

struct writer {
    const struct graph_version *version;
    struct sh_sections out;
    uint32_t *numbers; /* by place: the node's in the file */
    struct kept_foot foot;
};

static void put(struct writer *writer, const void *data, size_t len)
{
    sh_section_put(&writer->out, data, len);
}

static void put_text(struct writer *writer, struct sh_bytes text)
{
    put(writer, text.data, text.len);
}

static void begin(struct writer *writer, int id)
{
    sh_section_begin(&writer->out, &writer->foot.sections[id]);
}

static void end(struct writer *writer, int id)
{
    sh_section_end(&writer->out, &writer->foot.sections[id]);
}

static void put_symbols(struct writer *writer, int id, const struct symbols *symbols)
{
    uint32_t count = symbols_count(symbols);
    begin(writer, id);
    for (uint32_t i = 0; i < count; i++) {
        struct sh_bytes text = symbols_text(symbols, i);
        uint32_t len = (uint32_t)text.len;
        put(writer, &len, sizeof(len));
        put_text(writer, text);
    }
    end(writer, id);
}

static void put_node(struct writer *writer, const struct node *node, int id)
{
    const struct node_body *body = node->body;
    if (id == KEPT_NODES)
        put(writer,
            &(struct kept_node){body->number, (uint32_t)body->id.len,
                                (uint32_t)body->properties.len, body->label_count,
                                node->access},
            sizeof(struct kept_node));
    else if (id == KEPT_NODE_LABELS)
        put(writer, body->labels, body->label_count * sizeof(body->labels[0]));
    else {
        put_text(writer, body->id);
        put_text(writer, body->properties);
    }
}

static void put_nodes(struct writer *writer, int id)
{
    const struct node *node;
    begin(writer, id);
    for (uint32_t i = 0; (node = pages_at(&writer->version->nodes, i)) != NULL; i++)
        if (node->body != NULL)
            put_node(writer, node, id);
    end(writer, id);
}

static void put_edge(struct writer *writer, const struct edge *edge, int id)
{
    const struct edge_body *body = edge->body;
    if (id == KEPT_EDGES) {
        put(writer,
            &(struct kept_edge){body->number, (uint32_t)body->id.len,
                                (uint32_t)body->properties.len,
                                writer->numbers[body->from], writer->numbers[body->to],
                                body->type, edge->access},
            sizeof(struct kept_edge));
        return;
    }
    put_text(writer, body->id);
    put_text(writer, body->properties);
}

static void put_edges(struct writer *writer, int id)
{
    const struct edge *edge;
    begin(writer, id);
    for (uint32_t i = 0; (edge = pages_at(&writer->version->edges, i)) != NULL; i++)
        if (edge->body != NULL)
            put_edge(writer, edge, id);
    end(writer, id);
}

static void put_tally(struct writer *writer)
{
    const struct tally_list *list = writer->version->tally;
    begin(writer, KEPT_TALLY);
    for (uint32_t i = 0; list != NULL && i < list->count; i++)
        put(writer, &(struct kept_count){list->items[i].key, 0, list->items[i].count},
            sizeof(struct kept_count));
    end(writer, KEPT_TALLY);
}

static bool number_nodes(struct writer *writer)
{
    uint32_t count = 0;
    const struct node *node;
    writer->numbers =
        sh_alloc_array((size_t)writer->version->node_end + 1, sizeof(*writer->numbers));
    for (uint32_t i = 0; writer->numbers != NULL && i < writer->version->node_end; i++) {
        node = pages_at(&writer->version->nodes, i);
        writer->numbers[i] = count;
        count += node != NULL && node->body != NULL;
    }
    return writer->numbers != NULL;
}

enum sh_err snapshot_write(const struct graph_reader *reader, const char *note,
                           FILE *file)
{
    const struct graph *graph = reader->graph;
    struct writer writer = {.version = reader->version};
    if (strlen(note) > SNAPSHOT_NOTE)
        return SH_TOOBIG;
    enum sh_err err = sh_sections_open(file, &writer.out);
    if (err != SH_OK)
        return err;
    memcpy(writer.foot.note, note, strlen(note));
    if (number_nodes(&writer)) {
        put_symbols(&writer, KEPT_LABELS, graph->labels);
        put_symbols(&writer, KEPT_TYPES, graph->types);
        put_symbols(&writer, KEPT_KEYS, graph->keys);
        put_symbols(&writer, KEPT_CLASSES, graph->classes);
        for (int id = KEPT_NODES; id <= KEPT_NODE_TEXTS; id++)
            put_nodes(&writer, id);
        for (int id = KEPT_EDGES; id <= KEPT_EDGE_TEXTS; id++)
            put_edges(&writer, id);
        put_tally(&writer);
    } else {
        err = SH_NOMEM;
    }
    enum sh_err closed =
        sh_sections_close(&writer.out, &kept_kind, err == SH_OK ? &writer.foot : NULL);
    if (err == SH_OK)
        err = closed;
    sh_free(writer.numbers);
    return err;
}
