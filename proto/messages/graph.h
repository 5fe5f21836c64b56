/* the graph of entities and relationships: see proto/messages.h. */
#ifndef PROTO_MESSAGES_GRAPH_H
#define PROTO_MESSAGES_GRAPH_H

/* clang-format off */
#define GRAPH_PROPERTY(F)                                                           \
    F(str,  name,                256, _)                                            \
    F(strs, types,                16, _)

#define GRAPH_LABEL(F)                                                              \
    F(str,  name,                256, _)                                            \
    F(u64,  count,        UINT64_MAX, _)                                            \
    F(list, properties,         1024, graph_property)

#define GRAPH_TYPE(F)                                                               \
    F(str,  name,                256, _)                                            \
    F(u64,  count,        UINT64_MAX, _)                                            \
    F(strs, from_labels,        1024, _)                                            \
    F(strs, to_labels,          1024, _)

#define GRAPH_SCHEMA_REPLY(F)                                                       \
    F(list, labels,             4096, graph_label)                                  \
    F(list, types,              4096, graph_type)                                   \
    F(u64,  nodes,        UINT64_MAX, _)                                            \
    F(u64,  edges,        UINT64_MAX, _)

/* properties: a JSON object. number: stays as long as the node does. */
#define GRAPH_NODE(F)                                                               \
    F(str,  id,                  256, _)                                            \
    F(strs, labels,             1024, _)                                            \
    F(json, properties, PROTO_TEXT_MAX, _)                                          \
    F(u64,  number,       UINT64_MAX, _)

#define GRAPH_EDGE(F)                                                               \
    F(str,  id,                  256, _)                                            \
    F(str,  type,              65536, _)                                            \
    F(str,  from,                256, _)                                            \
    F(str,  to,                  256, _)                                            \
    F(json, properties, PROTO_TEXT_MAX, _)                                          \
    F(u64,  number,       UINT64_MAX, _)

/* How many relationships of a type a node has one way. */
#define GRAPH_GROUP(F)                                                              \
    F(str,  type,              65536, _)                                            \
    F(flag, outgoing,              0, _)                                            \
    F(u64,  count,        UINT64_MAX, _)

#define GRAPH_REF(F)                                                                \
    F(str,  id,                  256, _)

#define GRAPH_NODE_REPLY(F)                                                         \
    F(list, node,                  1, graph_node)                                   \
    F(list, groups,            65536, graph_group)

/* One page of the nodes of a label, as they arrived, or by a property's value. filters:
 * name, value, name, value … that a node's properties must have. */
#define GRAPH_LABEL_QUERY(F)                                                        \
    F(str,  label,             65536, _)                                            \
    F(u32,  page,         UINT32_MAX, _)                                            \
    F(u32,  per_page,           1000, _)                                            \
    F(str,  sort,              65536, _)                                            \
    F(flag, descending,            0, _)                                            \
    F(strs, filters,              32, _)

#define GRAPH_NODE_PAGE(F)                                                          \
    F(list, nodes,              1000, graph_node)                                   \
    F(u64,  total,        UINT64_MAX, _)

/* direction: 0 both, 1 outgoing, 2 incoming; type, label: empty for all; after: `next` of
 * the page before. */
#define GRAPH_NEIGHBOURS_QUERY(F)                                                   \
    F(str,  id,                  256, _)                                            \
    F(u32,  direction,             2, _)                                            \
    F(str,  type,              65536, _)                                            \
    F(str,  label,             65536, _)                                            \
    F(u32,  limit,              1000, _)                                            \
    F(str,  after,                64, _)

/* nodes: those at the other ends, each once. next: empty at the end. */
#define GRAPH_NEIGHBOURS(F)                                                         \
    F(list, edges,              1000, graph_edge)                                   \
    F(list, nodes,              1000, graph_node)                                   \
    F(str,  next,                 64, _)

#define GRAPH_PATH_QUERY(F)                                                         \
    F(str,  from,                256, _)                                            \
    F(str,  to,                  256, _)                                            \
    F(u32,  direction,             2, _)                                            \
    F(str,  type,              65536, _)                                            \
    F(u32,  max_depth,           100, _)

/* truncated: not found, but not everything was looked at. */
#define GRAPH_PATH_REPLY(F)                                                         \
    F(flag, found,                 0, _)                                            \
    F(flag, truncated,             0, _)                                            \
    F(list, nodes,               101, graph_node)                                   \
    F(list, edges,               100, graph_edge)

#define GRAPH_SUBGRAPH_QUERY(F)                                                     \
    F(str,  root,                256, _)                                            \
    F(u32,  depth,                10, _)                                            \
    F(u32,  limit,              5000, _)                                            \
    F(u32,  direction,             2, _)                                            \
    F(str,  type,              65536, _)                                            \
    F(str,  label,             65536, _)

#define GRAPH_SUBGRAPH(F)                                                           \
    F(list, nodes,              5000, graph_node)                                   \
    F(list, edges,             20000, graph_edge)                                   \
    F(flag, truncated,             0, _)

#define MESSAGES_GRAPH(M)                                 \
    M(40, graph_property, GRAPH_PROPERTY)                 \
    M(41, graph_label, GRAPH_LABEL)                       \
    M(42, graph_type, GRAPH_TYPE)                         \
    M(43, graph_schema_reply, GRAPH_SCHEMA_REPLY)         \
    M(103, graph_node, GRAPH_NODE)                        \
    M(91, graph_edge, GRAPH_EDGE)                         \
    M(92, graph_group, GRAPH_GROUP)                       \
    M(93, graph_ref, GRAPH_REF)                           \
    M(94, graph_node_reply, GRAPH_NODE_REPLY)             \
    M(95, graph_label_query, GRAPH_LABEL_QUERY)           \
    M(96, graph_node_page, GRAPH_NODE_PAGE)               \
    M(97, graph_neighbours_query, GRAPH_NEIGHBOURS_QUERY) \
    M(98, graph_neighbours, GRAPH_NEIGHBOURS)             \
    M(99, graph_path_query, GRAPH_PATH_QUERY)             \
    M(100, graph_path_reply, GRAPH_PATH_REPLY)            \
    M(101, graph_subgraph_query, GRAPH_SUBGRAPH_QUERY)    \
    M(102, graph_subgraph, GRAPH_SUBGRAPH)

#define METHODS_GRAPH(X)                                                                                                                   \
    X(40, GRAPH_SCHEMA, "graph.schema", empty, graph_schema_reply, "labels, types, counts")                                                \
    X(41, GRAPH_NODE, "graph.node", graph_ref, graph_node_reply, "a node, and how many relationships it has")                              \
    X(42, GRAPH_LABEL, "graph.label", graph_label_query, graph_node_page, "a page of the nodes of a label")                                \
    X(43, GRAPH_NEIGHBOURS, "graph.neighbours", graph_neighbours_query, graph_neighbours, "relationships of a node and what they lead to") \
    X(44, GRAPH_PATH, "graph.path", graph_path_query, graph_path_reply, "a shortest path between two nodes")                               \
    X(45, GRAPH_SUBGRAPH, "graph.subgraph", graph_subgraph_query, graph_subgraph, "what lies around a node")
/* clang-format on */

#endif
