/* graph_json: nodes and edges of the graph as JSON. */
#ifndef GATEWAY_GRAPH_JSON_H
#define GATEWAY_GRAPH_JSON_H

#include "proto/msg.h"
#include "services/gateway/json_out.h"

void graph_write_texts(struct sh_buffer *out, const struct sh_bytes *texts, size_t count);
/* An array, with its brackets. */
void graph_write_nodes(struct sh_buffer *out, const struct graph_node *nodes,
                       size_t count);
/* The members "nodes" and "edges". */
void graph_write_part(struct sh_buffer *out, const struct graph_node *nodes,
                      size_t node_count, const struct graph_edge *edges,
                      size_t edge_count);
/* With its braces. */
void graph_write_edge(struct sh_buffer *out, const struct graph_edge *edge);
/* The members of a node, without braces. */
void graph_write_node_members(struct sh_buffer *out, const struct graph_node *node);

#endif
