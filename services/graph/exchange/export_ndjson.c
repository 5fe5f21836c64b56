/* An object a line. */
#include "services/graph/exchange/export.h"

static void write_member(struct sh_buffer *out, const char *name, struct sh_bytes text)
{
    sh_buffer_printf(out, ",\"%s\":", name);
    values_write_text(out, text);
}

static void write_end(struct export *self, struct sh_bytes properties, uint32_t access,
                      struct sh_buffer *out)
{
    struct export_access who = export_access(self, access);

    sh_buffer_text(out, ",\"properties\":");
    values_write(properties, graph_keys(self->reader->graph), out);
    sh_buffer_printf(out, ",\"clearance_level\":%u", (unsigned)who.clearance);
    write_member(out, "department", who.department);
    sh_buffer_text(out, "}");
}

void export_write_node(struct export *self, const struct node *node,
                       struct sh_buffer *out)
{
    const struct node_body *body = node->body;

    sh_buffer_text(out, "{\"kind\":\"node\"");
    write_member(out, "id", body->id);
    sh_buffer_text(out, ",\"labels\":[");
    for (uint32_t i = 0; i < body->label_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        values_write_text(
            out, symbols_text(graph_labels(self->reader->graph), body->labels[i]));
    }
    sh_buffer_text(out, "]");
    write_end(self, body->properties, node->access, out);
}

void export_write_edge(struct export *self, const struct edge *edge,
                       struct sh_buffer *out)
{
    const struct edge_body *body = edge->body;

    sh_buffer_text(out, "{\"kind\":\"edge\"");
    write_member(out, "id", body->id);
    write_member(out, "type", symbols_text(graph_types(self->reader->graph), body->type));
    write_member(out, "from", export_node_id(self, body->from));
    write_member(out, "to", export_node_id(self, body->to));
    write_end(self, body->properties, edge->access, out);
}

static void node_line(struct export *self, const struct node *node, struct sh_buffer *out)
{
    export_write_node(self, node, out);
    sh_buffer_text(out, "\n");
}

static void edge_line(struct export *self, const struct edge *edge, struct sh_buffer *out)
{
    export_write_edge(self, edge, out);
    sh_buffer_text(out, "\n");
}

static void nothing(struct export *self, struct sh_buffer *out)
{
    (void)self;
    (void)out;
}

const struct export_writer export_ndjson = {.head = nothing,
                                            .node = node_line,
                                            .edges = nothing,
                                            .edge = edge_line,
                                            .tail = nothing};
