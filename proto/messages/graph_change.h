/* changes of the graph: see proto/messages.h. */
#ifndef PROTO_MESSAGES_GRAPH_CHANGE_H
#define PROTO_MESSAGES_GRAPH_CHANGE_H

/* clang-format off */
/* properties: a JSON object. clearance_level 0: as it is, 1 where it is new. department
 * is taken when department_said. line: where it stands with whoever sends it. */
#define GRAPH_NODE_PUT(F)                                                           \
    F(str,  id,                  256, _)                                            \
    F(strs, labels,             1024, _)                                            \
    F(json, properties, PROTO_TEXT_MAX, _)                                          \
    F(u32,  clearance_level,       5, _)                                            \
    F(str,  department,          256, _)                                            \
    F(flag, department_said,       0, _)                                            \
    F(u64,  line,         UINT64_MAX, _)

/* The same. type, from, to: empty: as they are. */
#define GRAPH_EDGE_PUT(F)                                                           \
    F(str,  id,                  256, _)                                            \
    F(str,  type,              65536, _)                                            \
    F(str,  from,                256, _)                                            \
    F(str,  to,                  256, _)                                            \
    F(json, properties, PROTO_TEXT_MAX, _)                                          \
    F(u32,  clearance_level,       5, _)                                            \
    F(str,  department,          256, _)                                            \
    F(flag, department_said,       0, _)                                            \
    F(u64,  line,         UINT64_MAX, _)

/* Nodes, then edges, all in one transaction; an id stands once. mode: 0: new or replaced,
 * 1: new, 2: there already. merge: labels and properties are added to what is there; a
 * property that is null goes. version: what is there must be of this one; 0: any. batch:
 * what is refused is told and the rest is stored; else refusing it is the answer. no_wait:
 * the answer does not wait for the view. */
#define GRAPH_PUT(F)                                                                \
    F(list, nodes,              4096, graph_node_put)                               \
    F(list, edges,              4096, graph_edge_put)                               \
    F(u32,  mode,                  2, _)                                            \
    F(flag, merge,                 0, _)                                            \
    F(u64,  version,       INT64_MAX, _)                                            \
    F(flag, batch,                 0, _)                                            \
    F(flag, no_wait,               0, _)

/* code: node_not_found, edge_not_found, node_exists, edge_exists, forbidden,
 * version_conflict, conflict. field: what it is about; may be empty. */
#define GRAPH_REFUSED(F)                                                            \
    F(u64,  line,         UINT64_MAX, _)                                            \
    F(str,  code,                 64, _)                                            \
    F(str,  field,                64, _)

/* version: the newest of what was stored. */
#define GRAPH_PUT_REPLY(F)                                                          \
    F(u64,  xid,          UINT64_MAX, _)                                            \
    F(flag, visible,               0, _)                                            \
    F(u64,  created,      UINT64_MAX, _)                                            \
    F(u64,  replaced,     UINT64_MAX, _)                                            \
    F(u64,  unchanged,    UINT64_MAX, _)                                            \
    F(u64,  version,      UINT64_MAX, _)                                            \
    F(str,  id,                  256, _)                                            \
    F(list, refused,            8192, graph_refused)

/* The node of this label whose properties contain `key`, a JSON object: its properties
 * are added to, or it is made with this id. */
#define GRAPH_MERGE(F)                                                              \
    F(str,  label,             65536, _)                                            \
    F(json, key,             1048576, _)                                            \
    F(list, node,                  1, graph_node_put)                               \
    F(flag, no_wait,               0, _)

/* detach: a node's relationships go with it; else it must have none. */
#define GRAPH_DELETE(F)                                                             \
    F(str,  id,                  256, _)                                            \
    F(flag, edge,                  0, _)                                            \
    F(flag, detach,                0, _)                                            \
    F(u64,  version,       INT64_MAX, _)                                            \
    F(flag, no_wait,               0, _)

/* edges: how many relationships went with a node. */
#define GRAPH_GONE(F)                                                               \
    F(u64,  xid,          UINT64_MAX, _)                                            \
    F(flag, visible,               0, _)                                            \
    F(u64,  edges,        UINT64_MAX, _)

#define GRAPH_EDGE_REPLY(F)                                                         \
    F(list, edge,                  1, graph_edge)

/* session: of the piece before; empty: a new export, for which the rest counts. format: 0
 * NDJSON, 1 CSV, 2 GraphML. label: only its nodes; empty: all. close: no more is wanted. */
#define GRAPH_EXPORT_QUERY(F)                                                       \
    F(str,  session,              64, _)                                            \
    F(u32,  format,                2, _)                                            \
    F(str,  label,             65536, _)                                            \
    F(flag, close,                 0, _)

/* nodes, edges: written so far. */
#define GRAPH_EXPORT_PIECE(F)                                                       \
    F(str,   session,             64, _)                                            \
    F(bytes, piece,   PROTO_TEXT_MAX, _)                                            \
    F(flag,  more,                 0, _)                                            \
    F(u64,   nodes,       UINT64_MAX, _)                                            \
    F(u64,   edges,       UINT64_MAX, _)

#define MESSAGES_GRAPH_CHANGE(M)              \
    M(104, graph_node_put, GRAPH_NODE_PUT)    \
    M(105, graph_edge_put, GRAPH_EDGE_PUT)    \
    M(106, graph_put, GRAPH_PUT)              \
    M(107, graph_refused, GRAPH_REFUSED)      \
    M(108, graph_put_reply, GRAPH_PUT_REPLY)  \
    M(109, graph_merge, GRAPH_MERGE)          \
    M(110, graph_delete, GRAPH_DELETE)        \
    M(111, graph_gone, GRAPH_GONE)            \
    M(112, graph_edge_reply, GRAPH_EDGE_REPLY) \
    M(113, graph_export_query, GRAPH_EXPORT_QUERY) \
    M(114, graph_export_piece, GRAPH_EXPORT_PIECE)

#define METHODS_GRAPH_CHANGE(X)                                                                           \
    X(51, GRAPH_EDGE, "graph.edge", graph_ref, graph_edge_reply, "a relationship")                        \
    X(52, GRAPH_PUT, "graph.put", graph_put, graph_put_reply, "store nodes and relationships")            \
    X(53, GRAPH_DELETE, "graph.delete", graph_delete, graph_gone, "delete a node or a relationship")      \
    X(54, GRAPH_MERGE, "graph.merge", graph_merge, graph_put_reply, "find a node by a key, or make it") \
    X(55, GRAPH_EXPORT, "graph.export", graph_export_query, graph_export_piece, "the graph as a text, piece by piece")
/* clang-format on */

#endif
