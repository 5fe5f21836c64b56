/* Two sections with headers as neo4j-admin import has them, an empty line between. A
 * property whose values are of several types has a column for each. */
#include <stdio.h>

#include "services/graph/exchange/export.h"

static void write_quoted(struct sh_buffer *out, struct sh_bytes text, const char *end)
{
    const char *data = text.data;
    size_t start = 0;

    sh_buffer_text(out, "\"");
    for (size_t i = 0; i < text.len; i++)
        if (data[i] == '"') {
            sh_buffer_append(out, data + start, i + 1 - start);
            start = i; /* once more */
        }
    if (text.len > start)
        sh_buffer_append(out, data + start, text.len - start);
    sh_buffer_text(out, end);
    sh_buffer_text(out, "\"");
}

static void write_header(const struct export *self, const struct export_column *columns,
                         size_t count, struct sh_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        char type[16];
        (void)snprintf(type, sizeof(type), ":%s", export_type_name(columns[i].type));
        sh_buffer_text(out, ",");
        write_quoted(out, symbols_text(graph_keys(self->reader->graph), columns[i].key),
                     type);
    }
    sh_buffer_text(out, ",:CLEARANCE,:DEPARTMENT\n");
}

static void write_cells(struct export *self, const struct export_column *columns,
                        size_t count, struct sh_bytes properties, struct sh_buffer *out)
{
    struct value value;

    for (size_t i = 0; i < count; i++) {
        sh_buffer_text(out, ",");
        if (!export_value(properties, &columns[i], &value))
            continue;
        if (value.type == VALUE_STRING) {
            write_quoted(out, value.text, "");
            continue;
        }
        sh_buffer_clear(&self->scratch);
        values_write_one(&self->scratch, &value);
        if (columns[i].type == TYPE_JSON)
            write_quoted(out, sh_buffer_bytes(&self->scratch), "");
        else
            sh_buffer_append(out, self->scratch.data, self->scratch.len);
    }
}

static void write_end(struct export *self, uint32_t access, struct sh_buffer *out)
{
    struct export_access who = export_access(self, access);

    sh_buffer_printf(out, ",%u,", (unsigned)who.clearance);
    write_quoted(out, who.department, "");
    sh_buffer_text(out, "\n");
}

static void head(struct export *self, struct sh_buffer *out)
{
    sh_buffer_text(out, ":ID,:LABEL");
    write_header(self, self->columns->nodes, self->columns->node_count, out);
}

/* "A;B"; a semicolon or backslash of a label stands behind a backslash. */
static void write_labels(struct export *self, const struct node_body *body,
                         struct sh_buffer *out)
{
    struct sh_buffer *labels = &self->scratch;

    sh_buffer_clear(labels);
    for (uint32_t i = 0; i < body->label_count; i++) {
        struct sh_bytes text =
            symbols_text(graph_labels(self->reader->graph), body->labels[i]);
        const char *data = text.data;
        if (i > 0)
            sh_buffer_text(labels, ";");
        for (size_t j = 0; j < text.len; j++) {
            if (data[j] == ';' || data[j] == '\\')
                sh_buffer_text(labels, "\\");
            sh_buffer_append(labels, data + j, 1);
        }
    }
    write_quoted(out, sh_buffer_bytes(labels), "");
}

static void node_row(struct export *self, const struct node *node, struct sh_buffer *out)
{
    write_quoted(out, node->body->id, "");
    sh_buffer_text(out, ",");
    write_labels(self, node->body, out);
    write_cells(self, self->columns->nodes, self->columns->node_count,
                node->body->properties, out);
    write_end(self, node->access, out);
}

static void edges(struct export *self, struct sh_buffer *out)
{
    sh_buffer_text(out, "\n:EDGE_ID,:START_ID,:END_ID,:TYPE");
    write_header(self, self->columns->edges, self->columns->edge_count, out);
}

static void edge_row(struct export *self, const struct edge *edge, struct sh_buffer *out)
{
    const struct edge_body *body = edge->body;

    write_quoted(out, body->id, "");
    sh_buffer_text(out, ",");
    write_quoted(out, export_node_id(self, body->from), "");
    sh_buffer_text(out, ",");
    write_quoted(out, export_node_id(self, body->to), "");
    sh_buffer_text(out, ",");
    write_quoted(out, symbols_text(graph_types(self->reader->graph), body->type), "");
    write_cells(self, self->columns->edges, self->columns->edge_count, body->properties,
                out);
    write_end(self, edge->access, out);
}

static void tail(struct export *self, struct sh_buffer *out)
{
    (void)self;
    (void)out;
}

const struct export_writer export_csv = {.wants_columns = true,
                                         .head = head,
                                         .node = node_row,
                                         .edges = edges,
                                         .edge = edge_row,
                                         .tail = tail};
