/* GraphML. A record that XML cannot say (control characters) or that would be read as
 * something else (a colon in a label) is written as JSON in <data key="c.exact">. */
#include <jansson.h>
#include <stdlib.h>

#include "services/graph/exchange/export.h"

/* --- texts ------------------------------------------------------------------------ */

static bool is_sayable(struct sh_bytes text)
{
    const unsigned char *data = text.data;

    for (size_t i = 0; i < text.len; i++) {
        if (data[i] < 0x20 && data[i] != '\t' && data[i] != '\n' && data[i] != '\r')
            return false;
        if (data[i] == 0xef && i + 2 < text.len && data[i + 1] == 0xbf &&
            data[i + 2] >= 0xbe)
            return false; /* U+FFFE, U+FFFF */
    }
    return true;
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

static void write_text(struct sh_buffer *out, struct sh_bytes text)
{
    const char *data = text.data;
    size_t start = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char *named = entity(data[i]);
        if (named == NULL)
            continue;
        sh_buffer_append(out, data + start, i - start);
        sh_buffer_text(out, named);
        start = i + 1;
    }
    if (text.len > start)
        sh_buffer_append(out, data + start, text.len - start);
}

static void write_attribute(struct sh_buffer *out, const char *name, struct sh_bytes text)
{
    sh_buffer_printf(out, " %s=\"", name);
    write_text(out, text);
    sh_buffer_text(out, "\"");
}

/* The JSON in `scratch`, in ASCII. */
static void write_exact(struct export *self, struct sh_buffer *out)
{
    json_t *record = json_loadb(self->scratch.data, self->scratch.len, 0, NULL);
    char *text = record ? json_dumps(record, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    if (text == NULL)
        out->err = SH_NOMEM;
    sh_buffer_text(out, "><data key=\"c.exact\">");
    write_text(out, sh_bytes_of(text));
    sh_buffer_text(out, "</data>");
    free(text);
    json_decref(record);
}

/* --- the head --------------------------------------------------------------------- */

static void write_keys(const struct export *self, const struct export_column *columns,
                       size_t count, const char *kind, struct sh_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        enum export_type type = columns[i].type;
        struct sh_bytes name =
            symbols_text(graph_keys(self->reader->graph), columns[i].key);
        if (!is_sayable(name))
            continue;
        sh_buffer_printf(out, "<key id=\"%c%zu\" for=\"%s\"", kind[0], i, kind);
        write_attribute(out, "attr.name", name);
        sh_buffer_printf(out, " attr.type=\"%s\"%s/>\n",
                         export_type_name(type == TYPE_JSON ? TYPE_STRING : type),
                         type == TYPE_JSON ? " c:type=\"json\"" : "");
    }
}

static void head(struct export *self, struct sh_buffer *out)
{
    const struct export_columns *columns = self->columns;

    sh_buffer_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" "
                        "xmlns:c=\"urn:cairn:graph\">\n");
    write_keys(self, columns->nodes, columns->node_count, "node", out);
    write_keys(self, columns->edges, columns->edge_count, "edge", out);
    sh_buffer_text(out, "<key id=\"c.exact\" for=\"all\" attr.name=\"c.exact\" "
                        "attr.type=\"string\"/>\n<graph id=\"G\" "
                        "edgedefault=\"directed\">\n");
}

/* --- records ---------------------------------------------------------------------- */

static bool all_sayable(const struct export *self, struct sh_bytes properties)
{
    uint32_t count = values_count(properties);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t key;
        struct value value;
        values_at(properties, i, &key, &value);
        bool text = value.type == VALUE_STRING || value.type == VALUE_LIST ||
                    value.type == VALUE_MAP;
        if (!is_sayable(symbols_text(graph_keys(self->reader->graph), key)) ||
            (text && !is_sayable(value.text)))
            return false;
    }
    return true;
}

static void write_access(struct export *self, uint32_t access, struct sh_buffer *out)
{
    struct export_access who = export_access(self, access);

    sh_buffer_printf(out, " c:clearance=\"%u\"", (unsigned)who.clearance);
    write_attribute(out, "c:department", who.department);
    sh_buffer_text(out, ">");
}

static void write_values(struct export *self, char kind,
                         const struct export_column *columns, size_t count,
                         struct sh_bytes properties, struct sh_buffer *out)
{
    struct value value;

    for (size_t i = 0; i < count; i++) {
        if (!export_value(properties, &columns[i], &value))
            continue;
        sh_buffer_printf(out, "<data key=\"%c%zu\">", kind, i);
        sh_buffer_clear(&self->scratch);
        values_write_one(&self->scratch, &value);
        write_text(out, value.type == VALUE_STRING ? value.text
                                                   : sh_buffer_bytes(&self->scratch));
        sh_buffer_text(out, "</data>");
    }
}

static bool labels_sayable(const struct export *self, const struct node_body *body)
{
    for (uint32_t i = 0; i < body->label_count; i++) {
        struct sh_bytes text =
            symbols_text(graph_labels(self->reader->graph), body->labels[i]);
        if (text.len == 0 || !is_sayable(text) || memchr(text.data, ':', text.len))
            return false;
    }
    return true;
}

static void write_labels(const struct export *self, const struct node_body *body,
                         struct sh_buffer *out)
{
    sh_buffer_text(out, " labels=\"");
    for (uint32_t i = 0; i < body->label_count; i++) {
        sh_buffer_text(out, ":");
        write_text(out, symbols_text(graph_labels(self->reader->graph), body->labels[i]));
    }
    sh_buffer_text(out, "\"");
}

static void node_element(struct export *self, const struct node *node,
                         struct sh_buffer *out)
{
    const struct node_body *body = node->body;

    sh_buffer_text(out, "<node");
    if (!is_sayable(body->id) || !labels_sayable(self, body) ||
        !is_sayable(export_access(self, node->access).department) ||
        !all_sayable(self, body->properties)) {
        sh_buffer_clear(&self->scratch);
        export_write_node(self, node, &self->scratch);
        write_exact(self, out);
    } else {
        write_attribute(out, "id", body->id);
        write_labels(self, body, out);
        write_access(self, node->access, out);
        write_values(self, 'n', self->columns->nodes, self->columns->node_count,
                     body->properties, out);
    }
    sh_buffer_text(out, "</node>\n");
}

static void edge_element(struct export *self, const struct edge *edge,
                         struct sh_buffer *out)
{
    const struct edge_body *body = edge->body;
    struct sh_bytes from = export_node_id(self, body->from);
    struct sh_bytes to = export_node_id(self, body->to);
    struct sh_bytes type = symbols_text(graph_types(self->reader->graph), body->type);

    sh_buffer_text(out, "<edge");
    if (!is_sayable(body->id) || !is_sayable(from) || !is_sayable(to) ||
        !is_sayable(type) || !is_sayable(export_access(self, edge->access).department) ||
        !all_sayable(self, body->properties)) {
        sh_buffer_clear(&self->scratch);
        export_write_edge(self, edge, &self->scratch);
        write_exact(self, out);
    } else {
        write_attribute(out, "id", body->id);
        write_attribute(out, "source", from);
        write_attribute(out, "target", to);
        write_attribute(out, "label", type);
        write_access(self, edge->access, out);
        write_values(self, 'e', self->columns->edges, self->columns->edge_count,
                     body->properties, out);
    }
    sh_buffer_text(out, "</edge>\n");
}

static void nothing(struct export *self, struct sh_buffer *out)
{
    (void)self;
    (void)out;
}

static void tail(struct export *self, struct sh_buffer *out)
{
    (void)self;
    sh_buffer_text(out, "</graph>\n</graphml>\n");
}

const struct export_writer export_graphml = {.wants_columns = true,
                                             .head = head,
                                             .node = node_element,
                                             .edges = nothing,
                                             .edge = edge_element,
                                             .tail = tail};
