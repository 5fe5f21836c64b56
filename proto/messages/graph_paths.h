/* several ways between two nodes of the graph: see proto/messages.h. */
#ifndef PROTO_MESSAGES_GRAPH_PATHS_H
#define PROTO_MESSAGES_GRAPH_PATHS_H

/* clang-format off */
/* direction, type: as in a graph_path_query. weight: a property; empty: each relationship
 * costs 1. every: all paths, the shorter ones first, and no weight counts; otherwise the
 * cheapest. */
#define GRAPH_PATHS_QUERY(F)                                                        \
    F(str,  from,                256, _)                                            \
    F(str,  to,                  256, _)                                            \
    F(u32,  direction,             2, _)                                            \
    F(str,  type,              65536, _)                                            \
    F(u32,  max_depth,           100, _)                                            \
    F(str,  weight,            65536, _)                                            \
    F(u32,  count,               200, _)                                            \
    F(flag, every,                 0, _)

#define GRAPH_ROUTE(F)                                                              \
    F(f64,  cost,                  0, _)                                            \
    F(list, nodes,               101, graph_node)                                   \
    F(list, edges,               100, graph_edge)

/* truncated: there may be more. unweighted: some relationships have no usable weight. */
#define GRAPH_ROUTES(F)                                                             \
    F(list, routes,              200, graph_route)                                  \
    F(flag, truncated,             0, _)                                            \
    F(flag, unweighted,            0, _)

#define MESSAGES_GRAPH_PATHS(M)                 \
    M(130, graph_paths_query, GRAPH_PATHS_QUERY) \
    M(131, graph_route, GRAPH_ROUTE)             \
    M(132, graph_routes, GRAPH_ROUTES)

#define METHODS_GRAPH_PATHS(X) \
    X(110, GRAPH_PATHS, "graph.paths", graph_paths_query, graph_routes, "the cheapest paths between two nodes, or all of them")
/* clang-format on */

#endif
