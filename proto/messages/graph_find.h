/* finding nodes of the graph by their names: see proto/messages.h. */
#ifndef PROTO_MESSAGES_GRAPH_FIND_H
#define PROTO_MESSAGES_GRAPH_FIND_H

/* clang-format off */
/* property: empty for the names; label: empty for all. */
#define GRAPH_SEARCH_QUERY(F)                                                       \
    F(str,  q,                  1024, _)                                            \
    F(str,  property,            256, _)                                            \
    F(str,  label,             65536, _)                                            \
    F(u32,  page,               1000, _)                                            \
    F(u32,  limit,              1000, _)

/* matches: exact, prefix, words or fuzzy, one a node. */
#define GRAPH_FOUND(F)                                                              \
    F(list, nodes,              1000, graph_node)                                   \
    F(strs, matches,            1000, _)                                            \
    F(u64,  total,        UINT64_MAX, _)

#define MESSAGES_GRAPH_FIND(M)                    \
    M(120, graph_search_query, GRAPH_SEARCH_QUERY) \
    M(121, graph_found, GRAPH_FOUND)

#define METHODS_GRAPH_FIND(X) \
    X(100, GRAPH_SEARCH, "graph.search", graph_search_query, graph_found, "nodes by their names, the best first")
/* clang-format on */

#endif
