#include "services/graph/exchange/export.h"

enum { PHASE_HEAD, PHASE_NODES, PHASE_BETWEEN, PHASE_EDGES, PHASE_TAIL, PHASE_OVER };

/* --- what is in it ---------------------------------------------------------------- */

static bool has_label(const struct node *node, uint32_t label)
{
    if (label == EXPORT_ALL)
        return true;
    for (uint32_t i = 0; i < node->body->label_count; i++)
        if (node->body->labels[i] == label)
            return true;
    return false;
}

static const struct node *node_at(const struct export *self, uint32_t place)
{
    const struct node *node = graph_node(self->reader, place);

    return node != NULL && has_label(node, self->label) ? node : NULL;
}

static const struct edge *edge_at(const struct export *self, uint32_t place)
{
    const struct edge *edge = graph_edge(self->reader, place);

    return edge != NULL && node_at(self, edge->body->from) != NULL &&
                   node_at(self, edge->body->to) != NULL
               ? edge
               : NULL;
}

struct export_access export_access(const struct export *self, uint32_t access)
{
    struct export_access out;

    out.clearance = graph_clearance(self->reader->graph, access, &out.department);
    return out;
}

struct sh_bytes export_node_id(const struct export *self, uint32_t place)
{
    const struct node *node = graph_node(self->reader, place);

    return node != NULL ? node->body->id : (struct sh_bytes){0};
}

/* --- columns ---------------------------------------------------------------------- */

enum export_type export_type(enum value_type type)
{
    switch (type) {
    case VALUE_BOOLEAN:
        return TYPE_BOOLEAN;
    case VALUE_INTEGER:
        return TYPE_LONG;
    case VALUE_FLOAT:
        return TYPE_DOUBLE;
    case VALUE_STRING:
        return TYPE_STRING;
    case VALUE_NULL:
    case VALUE_LIST:
    case VALUE_MAP:
        break;
    }
    return TYPE_JSON;
}

const char *export_type_name(enum export_type type)
{
    static const char *const names[TYPES] = {"boolean", "long", "double", "string",
                                             "json"};

    return names[type];
}

bool export_value(struct sh_bytes properties, const struct export_column *column,
                  struct value *out)
{
    return values_get(properties, column->key, out) &&
           export_type(out->type) == column->type;
}

static void mark(struct sh_bytes properties, unsigned char *masks, uint32_t keys)
{
    uint32_t count = values_count(properties);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t key;
        struct value value;
        values_at(properties, i, &key, &value);
        if (key < keys)
            masks[key] |= (unsigned char)(1U << export_type(value.type));
    }
}

static struct export_column *list_columns(const unsigned char *masks, uint32_t keys,
                                          size_t *count)
{
    struct export_column *columns =
        sh_alloc_array((size_t)keys * TYPES + 1, sizeof(*columns));

    *count = 0;
    for (uint32_t key = 0; key < keys && columns != NULL; key++)
        for (uint32_t type = 0; type < TYPES; type++)
            if ((masks[key] >> type & 1) != 0)
                columns[(*count)++] = (struct export_column){key, type};
    return columns;
}

static enum sh_err find_columns(struct export *self)
{
    const struct graph_version *version = self->reader->version;
    uint32_t keys = symbols_count(graph_keys(self->reader->graph));
    unsigned char *masks = sh_alloc_array(2, (size_t)keys + 1);
    struct export_columns *columns = sh_alloc(sizeof(*columns));

    self->columns = columns;
    if (masks == NULL || columns == NULL) {
        sh_free(masks);
        return SH_NOMEM;
    }
    for (uint32_t i = 0; i < version->node_end; i++) {
        const struct node *node = node_at(self, i);
        if (node != NULL)
            mark(node->body->properties, masks, keys);
    }
    for (uint32_t i = 0; i < version->edge_end; i++) {
        const struct edge *edge = edge_at(self, i);
        if (edge != NULL)
            mark(edge->body->properties, masks + keys, keys);
    }
    columns->nodes = list_columns(masks, keys, &columns->node_count);
    columns->edges = list_columns(masks + keys, keys, &columns->edge_count);
    sh_free(masks);
    return columns->nodes != NULL && columns->edges != NULL ? SH_OK : SH_NOMEM;
}

/* --- piece by piece --------------------------------------------------------------- */

void export_open(struct export *self, const struct graph_reader *reader,
                 enum export_format format, uint32_t label)
{
    static const struct export_writer *const writers[] = {
        [EXPORT_NDJSON] = &export_ndjson,
        [EXPORT_CSV] = &export_csv,
        [EXPORT_GRAPHML] = &export_graphml};

    *self = (struct export){.reader = reader, .writer = writers[format], .label = label};
}

static enum sh_err write_head(struct export *self, struct sh_buffer *out)
{
    enum sh_err err = self->writer->wants_columns ? find_columns(self) : SH_OK;

    if (err == SH_OK)
        self->writer->head(self, out);
    self->phase = PHASE_NODES;
    return err;
}

static void write_nodes(struct export *self, size_t most, struct sh_buffer *out)
{
    for (; self->next < self->reader->version->node_end && out->len < most;
         self->next++) {
        const struct node *node = node_at(self, self->next);
        if (node == NULL)
            continue;
        self->writer->node(self, node, out);
        self->nodes++;
    }
    if (self->next < self->reader->version->node_end)
        return;
    self->next = 0;
    self->phase = PHASE_BETWEEN;
}

static void write_edges(struct export *self, size_t most, struct sh_buffer *out)
{
    for (; self->next < self->reader->version->edge_end && out->len < most;
         self->next++) {
        const struct edge *edge = edge_at(self, self->next);
        if (edge == NULL)
            continue;
        self->writer->edge(self, edge, out);
        self->edges++;
    }
    if (self->next == self->reader->version->edge_end)
        self->phase = PHASE_TAIL;
}

static enum sh_err write_some(struct export *self, size_t most, struct sh_buffer *out)
{
    switch (self->phase) {
    case PHASE_HEAD:
        return write_head(self, out);
    case PHASE_NODES:
        write_nodes(self, most, out);
        break;
    case PHASE_BETWEEN:
        self->writer->edges(self, out);
        self->phase = PHASE_EDGES;
        break;
    case PHASE_EDGES:
        write_edges(self, most, out);
        break;
    default:
        self->writer->tail(self, out);
        self->phase = PHASE_OVER;
        break;
    }
    return out->err == SH_OK ? self->scratch.err : out->err;
}

enum sh_err export_fill(struct export *self, size_t most, struct sh_buffer *out,
                        bool *more)
{
    enum sh_err err = SH_OK;

    while (err == SH_OK && self->phase != PHASE_OVER && out->len < most)
        err = write_some(self, most, out);
    *more = self->phase != PHASE_OVER;
    return err;
}

void export_close(struct export *self)
{
    if (self->columns != NULL) {
        sh_free(self->columns->nodes);
        sh_free(self->columns->edges);
    }
    sh_free(self->columns);
    sh_buffer_free(&self->scratch);
    self->columns = NULL;
}
