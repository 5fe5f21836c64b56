#include "services/gateway/handlers/graph_json.h"

void graph_write_texts(struct sh_buffer *out, const struct sh_bytes *texts, size_t count)
{
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        json_text(out, texts[i]);
    }
    sh_buffer_text(out, "]");
}

void graph_write_node_members(struct sh_buffer *out, const struct graph_node *node)
{
    json_member_text(out, "id", node->id);
    json_member(out, "number");
    json_u64(out, node->number);
    json_member(out, "labels");
    graph_write_texts(out, node->labels, node->labels_count);
    json_member(out, "properties");
    json_raw(out, node->properties, "{}");
}

void graph_write_nodes(struct sh_buffer *out, const struct graph_node *nodes,
                       size_t count)
{
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        graph_write_node_members(out, &nodes[i]);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
}

void graph_write_edge(struct sh_buffer *out, const struct graph_edge *edge)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "id", edge->id);
    json_member(out, "number");
    json_u64(out, edge->number);
    json_member_text(out, "type", edge->type);
    json_member_text(out, "from", edge->from);
    json_member_text(out, "to", edge->to);
    json_member(out, "properties");
    json_raw(out, edge->properties, "{}");
    sh_buffer_text(out, "}");
}

static void write_edges(struct sh_buffer *out, const struct graph_edge *edges,
                        size_t count)
{
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        graph_write_edge(out, &edges[i]);
    }
    sh_buffer_text(out, "]");
}

void graph_write_part(struct sh_buffer *out, const struct graph_node *nodes,
                      size_t node_count, const struct graph_edge *edges,
                      size_t edge_count)
{
    json_member(out, "nodes");
    graph_write_nodes(out, nodes, node_count);
    json_member(out, "edges");
    write_edges(out, edges, edge_count);
}
