#include <xxhash.h>

#include "services/graph/snapshot/format.h"
#include "services/graph/view/graph_internal.h"

struct writer {
    const struct graph_version *version;
    FILE *file;
    XXH3_state_t *sum;
    uint32_t *numbers; /* by place: the node's in the file */
    uint64_t at;
    bool failed;
    struct kept_foot foot;
};

static void put(struct writer *writer, const void *data, size_t len)
{
    if (len == 0 || writer->failed)
        return;
    writer->failed = fwrite(data, 1, len, writer->file) != len ||
                     XXH3_64bits_update(writer->sum, data, len) != XXH_OK;
    writer->at += len;
}

static void put_text(struct writer *writer, struct sh_bytes text)
{
    put(writer, text.data, text.len);
}

static void pad(struct writer *writer)
{
    static const char zeros[8];
    put(writer, zeros, (size_t)(8 - writer->at % 8) % 8);
}

static void begin(struct writer *writer, int id)
{
    pad(writer);
    if (XXH3_64bits_reset(writer->sum) != XXH_OK)
        writer->failed = true;
    writer->foot.sections[id].start = writer->at;
}

static void end(struct writer *writer, int id)
{
    struct kept_section *section = &writer->foot.sections[id];
    section->len = writer->at - section->start;
    section->sum = XXH3_64bits_digest(writer->sum);
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

static void put_foot(struct writer *writer, const char *note)
{
    struct kept_foot *foot = &writer->foot;
    pad(writer);
    memcpy(foot->magic, KEPT_MAGIC, sizeof(foot->magic));
    foot->version = SNAPSHOT_VERSION;
    foot->order = KEPT_ORDER;
    memcpy(foot->note, note, strlen(note));
    foot->sum = XXH3_64bits(foot, offsetof(struct kept_foot, sum));
    put(writer, foot, sizeof(*foot));
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
    struct writer writer = {
        .version = reader->version, .file = file, .sum = XXH3_createState()};
    enum sh_err err = writer.sum && number_nodes(&writer) ? SH_OK : SH_NOMEM;
    if (strlen(note) > SNAPSHOT_NOTE)
        err = SH_TOOBIG;
    if (err == SH_OK) {
        put_symbols(&writer, KEPT_LABELS, graph->labels);
        put_symbols(&writer, KEPT_TYPES, graph->types);
        put_symbols(&writer, KEPT_KEYS, graph->keys);
        put_symbols(&writer, KEPT_CLASSES, graph->classes);
        for (int id = KEPT_NODES; id <= KEPT_NODE_TEXTS; id++)
            put_nodes(&writer, id);
        for (int id = KEPT_EDGES; id <= KEPT_EDGE_TEXTS; id++)
            put_edges(&writer, id);
        put_tally(&writer);
        put_foot(&writer, note);
        err = writer.failed || fflush(file) != 0 ? SH_IO : SH_OK;
    }
    XXH3_freeState(writer.sum);
    sh_free(writer.numbers);
    return err;
}
