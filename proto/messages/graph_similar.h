/* nodes of the graph whose texts are alike: see proto/messages.h. */
#ifndef PROTO_MESSAGES_GRAPH_SIMILAR_H
#define PROTO_MESSAGES_GRAPH_SIMILAR_H

/* clang-format off */
/* label: empty: all. */
#define GRAPH_SIMILAR_QUERY(F)                                                      \
    F(str,  id,                  256, _)                                            \
    F(str,  label,             65536, _)                                            \
    F(u32,  limit,               100, _)

#define GRAPH_SIMILAR_NODE(F)                                                       \
    F(f64,  similarity,            0, _)                                            \
    F(list, node,                  1, graph_node)

/* The most similar first. has_text: of the node that was asked about. partial: not all
 * nodes have a vector. */
#define GRAPH_SIMILAR(F)                                                            \
    F(list, nodes,               100, graph_similar_node)                           \
    F(flag, has_text,              0, _)                                            \
    F(flag, partial,               0, _)

#define MESSAGES_GRAPH_SIMILAR(M)                 \
    M(135, graph_similar_query, GRAPH_SIMILAR_QUERY) \
    M(136, graph_similar_node, GRAPH_SIMILAR_NODE)   \
    M(137, graph_similar, GRAPH_SIMILAR)

#define METHODS_GRAPH_SIMILAR(X) \
    X(112, GRAPH_SIMILAR, "graph.similar", graph_similar_query, graph_similar, "nodes whose texts are like that of a node")
/* clang-format on */

#endif
